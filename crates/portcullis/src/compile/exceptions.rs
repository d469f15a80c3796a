//! `except:` → the exceptions of one operation.

use std::sync::Arc;

use portcullis_config::units::OperationKey;
use portcullis_guards::{Exception, Exceptions};

use super::{chain::Subject, problem::Problem};

/// Guards that an exception may speak of. Who may call is said by `auth:`, `roles:` and `scopes:`.
const EXCEPTABLE: [&str; 5] = ["schema/", "limits/", "login_attempts/", "attacks/", "rules/"];

/// The exceptions that hold for this operation.
pub(crate) fn of(subject: &Subject<'_>) -> Result<Exceptions, Problem> {
    let mut exceptions = Vec::new();
    for written in &subject.api.except {
        if !EXCEPTABLE.iter().any(|it| written.rule.starts_with(it)) {
            let message = format!("there can be no exception from `{}`", written.rule);
            let hint =
                "exceptions speak of `schema/…`, `limits/…`, `login_attempts/…`, `attacks/…` and `rules/…`";
            return Err(Problem::error(format!("api {}", subject.name), message).hint(hint));
        }
        if written.operation.as_ref().is_none_or(|key| names(key, subject)) {
            exceptions.push(Exception { rule: Arc::clone(&written.rule), field: written.field.clone() });
        }
    }
    Ok(Exceptions::new(exceptions))
}

pub(crate) fn names(key: &OperationKey, subject: &Subject<'_>) -> bool {
    let declared = subject.declared.map(|it| &it.operation);
    match key {
        OperationKey::Id(id) => *subject.operation.id == **id,
        OperationKey::Route(method, path) => {
            declared.is_some_and(|it| *it.method == **method && *it.path == **path)
        }
        OperationKey::Tag(tag) => declared.is_some_and(|it| it.tags.iter().any(|own| **own == **tag)),
    }
}
