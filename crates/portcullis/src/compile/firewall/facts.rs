//! What rules are told of an operation, so that the CRS allows what the specification allows without being touched.

use std::sync::Arc;

use crate::compile::chain::Subject;

/// The variables of `TX` that are set for each call: the engine must not take their values for constants.
pub(super) const NAMES: &[&str] = &[
    "allowed_methods",
    "allowed_request_content_type",
    EXCLUSIONS,
    "portcullis_api",
    "portcullis_operation",
];

/// The numbers of the exclusions that hold for an operation, each between commas.
pub(super) const EXCLUSIONS: &str = "portcullis_exclusions";

/// Media types that the CRS knows how to read.
const MEDIA: &[&str] = &[
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/xml",
    "application/xml",
    "application/soap+xml",
    "application/json",
];

/// Methods that an API without a specification may be called by.
const METHODS: &str = "GET HEAD POST OPTIONS PUT PATCH DELETE";

/// The facts of one operation.
pub(super) fn of(subject: &Subject<'_>, exclusions: &[usize]) -> Vec<(Box<str>, Arc<[u8]>)> {
    let declared = subject.declared.map(|it| &it.operation);
    let methods = match declared {
        Some(operation) => format!("{} HEAD OPTIONS", operation.method),
        None => METHODS.to_owned(),
    };
    let declared_media = declared.map(|it| it.request_media()).unwrap_or_default();
    let media = MEDIA.iter().map(|it| (*it).to_owned()).chain(declared_media);
    let media: Vec<String> = media.map(|it| format!("|{}|", it.to_ascii_lowercase())).collect();
    let mut facts = vec![
        fact("allowed_methods", methods),
        fact("allowed_request_content_type", media.join(" ")),
        fact("portcullis_api", subject.name.to_string()),
        fact("portcullis_operation", subject.operation.id.to_string()),
    ];
    if !exclusions.is_empty() {
        let numbers: Vec<String> = exclusions.iter().map(ToString::to_string).collect();
        facts.push(fact(EXCLUSIONS, format!(",{},", numbers.join(","))));
    }
    facts
}

fn fact(name: &str, value: String) -> (Box<str>, Arc<[u8]>) {
    (name.into(), value.into_bytes().into())
}
