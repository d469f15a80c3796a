//! Words that say that something is for the few, and fields that give power or value.

use serde_json::{Value, json};

use super::own::words;
use crate::model::{Operation, OperationIndex};
use crate::world::World;

/// Words of paths, names and tags that say that an operation is for administrators.
const FOR_THE_FEW: &[&str] = &[
    "admin",
    "admins",
    "administrator",
    "administration",
    "administrative",
    "superuser",
    "sysadmin",
    "moderator",
    "backoffice",
    "internal",
    "staff",
    "operator",
    "management",
];

/// Whether path, name, tags or scopes of an operation say that it is for administrators.
pub fn for_the_few(operation: &Operation) -> bool {
    let scopes = operation.security.iter().flatten().flatten().flat_map(|requirement| &requirement.scopes);
    let mut scopes = scopes.map(|scope| scope.to_ascii_lowercase());
    words(operation).iter().any(|word| FOR_THE_FEW.contains(&word.as_str()))
        || scopes.any(|scope| scope.split(|it: char| !it.is_alphabetic()).any(|it| FOR_THE_FEW.contains(&it)))
}

/// Operations for the few other than this one which turn an ordinary caller away: the API tells roles apart.
pub fn peers_that_deny(world: &World, index: OperationIndex) -> usize {
    let denied = world.samples.iter().filter(|sample| {
        matches!(
            sample.answer.outcome,
            crate::wire::Outcome::Forbidden | crate::wire::Outcome::Unauthenticated
        ) && sample.call.by != crate::call::ANONYMOUS
            && sample.call.edits.is_empty()
    });
    let mut peers: Vec<OperationIndex> = denied
        .filter_map(|sample| sample.call.operation)
        .filter(|at| *at != index && world.model.operation(*at).is_some_and(for_the_few))
        .collect();
    peers.sort_unstable();
    peers.dedup();
    peers.len()
}

/// Names of fields that give power, ownership or value, each with two values to try: neither is a usual default, and
/// the second confirms the first.
pub fn fields() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("admin", json!(true), json!(true)),
        ("is_admin", json!(true), json!(true)),
        ("isAdmin", json!(true), json!(true)),
        ("role", json!("admin"), json!("administrator")),
        ("is_staff", json!(true), json!(true)),
        ("is_superuser", json!(true), json!(true)),
        ("verified", json!(true), json!(true)),
        ("is_verified", json!(true), json!(true)),
        ("email_verified", json!(true), json!(true)),
        ("approved", json!(true), json!(true)),
        ("balance", json!(731_907), json!(604_811)),
        ("credit", json!(731_907), json!(604_811)),
        ("credits", json!(731_907), json!(604_811)),
        ("available_credit", json!(731_907), json!(604_811)),
        ("price", json!(0.17), json!(0.23)),
        ("discount", json!(93), json!(87)),
        ("paid", json!(true), json!(true)),
        ("plan", json!("enterprise"), json!("premium")),
        ("tier", json!("enterprise"), json!("premium")),
    ]
}

/// Whether a field by this name gives power, ownership or value.
pub fn gives_power(name: &str) -> bool {
    let plain: String = name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    const NAMES: &[&str] = &[
        "admin",
        "isadmin",
        "role",
        "roles",
        "isstaff",
        "staff",
        "issuperuser",
        "superuser",
        "permissions",
        "permission",
        "scope",
        "scopes",
        "privileges",
        "privilege",
        "group",
        "groups",
        "accesslevel",
        "usertype",
        "accounttype",
        "verified",
        "isverified",
        "emailverified",
        "phoneverified",
        "kycverified",
        "approved",
        "isapproved",
        "active",
        "isactive",
        "enabled",
        "locked",
        "banned",
        "status",
        "state",
        "balance",
        "credit",
        "credits",
        "availablecredit",
        "wallet",
        "points",
        "price",
        "unitprice",
        "total",
        "amount",
        "discount",
        "paid",
        "ispaid",
        "plan",
        "tier",
        "quota",
        "limit",
        "owner",
        "ownerid",
        "userid",
        "createdby",
        "authorid",
        "accountid",
        "tenantid",
        "organizationid",
        "orgid",
        "customerid",
        "premium",
        "ispremium",
        "featured",
        "confirmed",
        "mfaenabled",
        "twofactorenabled",
    ];
    NAMES.contains(&plain.as_str())
}
