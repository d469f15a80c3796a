//! Plain HTTP: parameters into target and header fields, bodies into their media type.

mod body;
mod form;
mod multipart;
mod parameter;
mod xml;

use std::sync::Arc;

use serde_json::Value;

use super::{Answer, Outcome, Received, Request, Uncomposable, draft::Draft};
use crate::{
    call::{Call, Edit},
    identity::Session,
    model::{Model, Operation, Place, Style, Wire},
};

/// Composes a call of plain HTTP, or a bare one.
pub(super) fn compose(model: &Model, call: &Call, session: &Session) -> Result<Request, Uncomposable> {
    let operation = match call.operation {
        Some(index) => Some(model.operation(index).ok_or(Uncomposable::UnknownOperation)?),
        None => None,
    };
    let mut draft = match operation {
        Some(Operation { wire: Wire::Rest { method, path }, .. }) => {
            Draft::new(method, fill(path, operation, call)?)
        }
        Some(_) => return Err(Uncomposable::Value("the operation is not plain HTTP".to_owned())),
        None => Draft::bare(&call.edits),
    };
    parameters(&mut draft, operation, call)?;
    if let Some(operation) = operation {
        let json = operation.answers.iter().flat_map(|it| &it.media).any(|it| it.contains("json"));
        draft.default_header("accept", if json { "application/json, */*;q=0.8" } else { "*/*" });
    }
    match &call.body {
        Some(value) => {
            let written = body::write(model, operation, call.media.as_deref(), value)?;
            draft.default_header("content-type", &written.media);
            draft.body = written.bytes;
        }
        // Raw bytes may follow by an edit: they are of this type.
        None => {
            if let Some(media) = &call.media {
                draft.default_header("content-type", media);
            }
        }
    }
    draft.present(session);
    // A bare call's first method and target are in the draft already.
    let (mut method, mut target) = (operation.is_none(), operation.is_none());
    for edit in &call.edits {
        match edit {
            Edit::Method(_) if std::mem::take(&mut method) => {}
            Edit::Target(_) if std::mem::take(&mut target) => {}
            edit => draft.edit(edit, session),
        }
    }
    draft.finish()
}

/// The path template with its values.
fn fill(path: &str, operation: Option<&Operation>, call: &Call) -> Result<String, Uncomposable> {
    let mut filled = String::with_capacity(path.len() + 16);
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(&in_path(before));
        let place = Place::Path(name.into());
        let value =
            call.parameters.get(&place).ok_or_else(|| Uncomposable::MissingPathValue(name.to_owned()))?;
        parameter::path(name, value, style_of(operation, &place), &mut filled);
        rest = after;
    }
    filled.push_str(&in_path(rest));
    Ok(filled)
}

/// Literal text of a template as it may stand in a target.
fn in_path(text: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const ILLEGAL: &AsciiSet =
        &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#').add(b'?').add(b'`');
    utf8_percent_encode(text, ILLEGAL).to_string()
}

fn parameters(draft: &mut Draft, operation: Option<&Operation>, call: &Call) -> Result<(), Uncomposable> {
    for (place, value) in &call.parameters {
        let style = style_of(operation, place);
        match place {
            Place::Query(name) => parameter::query(name, value, style, draft),
            Place::Header(name) => {
                let text = parameter::header(value, style);
                if text.bytes().any(|byte| byte < b' ' && byte != b'\t') {
                    let message = format!("header field `{name}` cannot hold control characters");
                    return Err(Uncomposable::Value(message));
                }
                draft.set_header(name, text);
            }
            Place::Cookie(name) => parameter::cookie(name, value, style, draft),
            // Path values are in the path; a part of the body has no business here.
            Place::Path(_) | Place::Body(_) => {}
        }
    }
    Ok(())
}

fn style_of<'o>(operation: Option<&'o Operation>, place: &Place) -> Option<&'o Style> {
    operation?.parameters.iter().find(|it| it.place == *place).map(|it| &it.style)
}

/// Reads an answer of plain HTTP.
pub(super) fn read(_model: &Model, _call: &Call, request: Arc<Request>, received: Received) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    let json = if truncated { None } else { parse(&body) };
    let outcome = match Outcome::of_status(status) {
        Outcome::Done if json.as_ref().is_some_and(says_it_failed) => Outcome::Refused,
        outcome => outcome,
    };
    Answer { request, status, headers, body, truncated, json, outcome, micros, fault }
}

fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

/// Whether an answer says in its envelope that nothing was done, whatever its status: `success` or `ok` is false, or
/// `status` is a word of failure beside something that explains it (as JSend has it). A thing that merely has failed,
/// such as a job, comes with more than an explanation.
fn says_it_failed(json: &Value) -> bool {
    let Some(members) = json.as_object() else { return false };
    let is_false = |key: &str| members.get(key) == Some(&Value::Bool(false));
    if is_false("success") || is_false("ok") {
        return true;
    }
    let failed = members.get("status").and_then(Value::as_str).is_some_and(|status| {
        ["fail", "failed", "failure", "error"].iter().any(|it| status.eq_ignore_ascii_case(it))
    });
    const EXPLAINS: [&str; 9] =
        ["status", "message", "error", "errors", "data", "code", "detail", "reason", "description"];
    failed
        && members.len() > 1
        && members.keys().all(|key| EXPLAINS.contains(&key.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests;
