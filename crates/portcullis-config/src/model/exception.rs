//! Exceptions: a rule that does not apply somewhere, with its reason and its end.

use std::sync::Arc;

use jiff::civil::Date;
use schemars::{Schema, SchemaGenerator};

use crate::{
    codes,
    read::{Fields, Read, Reader, keys, text_schema},
    units::OperationKey,
    yaml::Node,
};

keys! {
    /// A rule that does not apply somewhere.
    pub struct Exception {
        /// The rule, as a refusal names it: `schema/required`; `schema/*` is all rules of a guard.
        rule: Arc<str> => "schema/maxLength";
        /// Only at this operation.
        operation: Option<OperationKey> => "createOrder";
        /// Only at this place: a JSON pointer into the body, or the name of a parameter or header field.
        field: Option<Arc<str>> => "/note";
        /// Why.
        why: Arc<str> => "free text; tracked in SEC-812";
        /// The last day it holds (UTC).
        until: Option<Date> => "2027-03-01";
    }
    check check;
}

fn check(exception: &Exception, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let form =
        exception.rule.split_once('/').is_some_and(|(guard, rule)| !guard.is_empty() && !rule.is_empty());
    if !form {
        let message = format!("`{}` is no rule: write `guard/rule` as a refusal names it", exception.rule);
        reader.note(&codes::BAD_VALUE, fields.place("rule"), message);
    }
    if exception.why.trim().is_empty() {
        reader.note(&codes::BAD_VALUE, fields.place("why"), "say why the rule does not apply");
    }
    if let Some(until) = exception.until
        && until < reader.today
    {
        let message = format!("the exception for `{}` ended on {until}", exception.rule);
        let hint = "remove it, or look at its reason again and move the date";
        reader.advise(&codes::EXPIRED, fields.place("until"), message, hint);
    }
}

impl Read for Date {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "date", |text| {
            text.parse::<Self>().map_err(|_| "write year, month and day: `2027-03-01`")
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a date", Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
    }
}
