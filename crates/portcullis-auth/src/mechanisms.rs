//! The mechanisms, one file each, and what they have in common.

pub mod api_key;
pub mod basic;
pub mod jwt;
pub mod mtls;

use std::sync::Arc;

use portcullis_core::principal::Principal;
use smallvec::SmallVec;

use crate::{jose::refresh::KeyRefresh, mechanisms::basic::PasswordCheck, refusal::Refusal};

/// What a mechanism says about a request.
#[derive(Debug)]
pub enum Attempt {
    /// Its credential is not there.
    Absent,
    /// It vouches.
    Accepted(Arc<Principal>),
    /// Its credential is there and not good.
    Refused(Refusal),
    /// It cannot say before this is done.
    Waits(Work),
}

/// What must be waited for.
#[derive(Debug)]
pub enum Work {
    /// Tens of milliseconds of CPU and megabytes of memory: run it off the data threads, few at a time.
    Password(PasswordCheck),
    /// A fetch over the network.
    SigningKeys(KeyRefresh),
}

/// Work done so far for one request, so that nothing is done twice.
#[derive(Debug, Default)]
pub struct Waited {
    /// Password checks, by provider.
    pub passwords: SmallVec<[(Arc<str>, PasswordVerdict); 1]>,
    /// Providers whose signing keys were asked for.
    pub refreshed: SmallVec<[Arc<str>; 1]>,
}

/// What a password check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The password is right.
    Right(Arc<Principal>),
    /// The user is unknown or the password wrong.
    Wrong,
}

impl Waited {
    /// The password check of a provider, if done.
    pub fn password(&self, provider: &str) -> Option<&PasswordVerdict> {
        self.passwords.iter().find(|(it, _)| &**it == provider).map(|(_, verdict)| verdict)
    }

    /// Whether a provider's signing keys were asked for.
    pub fn has_refreshed(&self, provider: &str) -> bool {
        self.refreshed.iter().any(|it| &**it == provider)
    }
}
