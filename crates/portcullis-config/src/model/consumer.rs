//! Consumers and their plans.

use std::sync::Arc;

use portcullis_core::limit::{Quota, Rate};

use crate::{
    codes,
    read::{Fields, PlanName, ProviderName, Reader, keys},
    units::Count,
};

keys! {
    /// What is known about a caller beyond its credential. The name is the caller's id: a token's subject, a user
    /// name, a certificate's name, the owner of a key.
    pub struct Consumer {
        /// Only when this provider vouches for the id; any when none is given.
        provider: Option<ProviderName> => "customers";
        /// The plan, where the credential names none.
        plan: Option<PlanName> => "gold";
        /// Roles besides those of the credential.
        roles: Vec<Arc<str>> => "[shipper]";
        /// Scopes besides those of the credential.
        scopes: Vec<Arc<str>> => "[orders.read]";
        /// The organisation, where the credential names none.
        tenant: Option<Arc<str>> => "acme";
    }
}

keys! {
    /// Limits for the consumers of one plan, each counted for itself.
    pub struct Plan {
        /// A sustained rate.
        rate: Option<Rate> => "200/s burst 400";
        /// An allowance per calendar period (UTC).
        quota: Option<Quota> => "50M/month";
        /// Calls at the same time.
        concurrency: Option<Count> => "100";
    }
    later &["apis"];
    check check;
}

fn check(plan: &Plan, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if plan.rate.is_none() && plan.quota.is_none() && plan.concurrency.is_none() {
        let message = "a plan limits something: give `rate`, `quota` or `concurrency`";
        reader.note(&codes::MISSING_KEY, fields.span, message);
    }
}
