//! SOAP 1.1 and 1.2 over HTTP: an envelope around the value, the answer's body or fault out of it.

mod value;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Answer, Outcome, Received, Request, Uncomposable, draft::Draft, meaning};
use crate::{
    call::{Call, Credential, Edit},
    identity::Session,
    model::{
        Model, Operation, Scheme, SoapVersion, Wire,
        wsdl::tree::{self, Element},
    },
};

/// Bytes of an envelope, at most, however often its body is repeated.
const BYTES_MAX: usize = 64 << 20;
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// Composes a call of an operation.
pub(super) fn compose(
    model: &Model,
    operation: &Operation,
    call: &Call,
    session: &Session,
) -> Result<Request, Uncomposable> {
    let Wire::Soap { path, version, action, .. } = &operation.wire else {
        return Err(Uncomposable::UnknownOperation);
    };
    let mut draft = Draft::new("POST", path.as_str());
    match version {
        SoapVersion::V11 => {
            draft.set_header("content-type", "text/xml; charset=utf-8");
            draft.set_header("soapaction", format!("\"{action}\""));
        }
        SoapVersion::V12 => {
            draft.set_header(
                "content-type",
                format!("application/soap+xml; charset=utf-8; action=\"{action}\""),
            );
        }
    }
    let token = username_token(model, operation, call, session);
    draft.body = envelope(model, operation, call, token.as_deref().unwrap_or_default())?.into();
    draft.present(session);
    call.edits.iter().for_each(|edit| draft.edit(edit, session));
    draft.finish()
}

/// The envelope of a call with this text in its header; for checks that change it by hand.
pub(crate) fn envelope(
    model: &Model,
    operation: &Operation,
    call: &Call,
    header: &str,
) -> Result<String, Uncomposable> {
    let Wire::Soap { version, element, namespace, .. } = &operation.wire else {
        return Err(Uncomposable::UnknownOperation);
    };
    let mut content = String::new();
    if !element.is_empty() {
        let schema = operation.body.as_ref().map_or(&Value::Null, |it| &it.schema);
        let empty = Value::Object(Map::new());
        value::write(
            &model.schemas,
            schema,
            element,
            namespace,
            call.body.as_ref().unwrap_or(&empty),
            &mut content,
        )?;
    }
    let times =
        call.edits.iter().find_map(|edit| if let Edit::Repeat(times) = edit { Some(*times) } else { None });
    let most = BYTES_MAX / content.len().max(1);
    let content = content.repeat((times.unwrap_or(1) as usize).clamp(1, most.max(1)));
    let soap = match version {
        SoapVersion::V11 => SOAP_11,
        SoapVersion::V12 => SOAP_12,
    };
    let header =
        if header.is_empty() { String::new() } else { format!("<soap:Header>{header}</soap:Header>") };
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"{soap}\">{header}<soap:Body>{content}</soap:Body></soap:Envelope>"
    ))
}

/// A name and password as WS-Security has them, with more text in the token (a nonce, a time).
pub(crate) fn security_header(name: &str, password: &str, more: &str) -> String {
    format!(
        "<wsse:Security xmlns:wsse=\"{WSSE}\" soap:mustUnderstand=\"1\"><wsse:UsernameToken><wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{PASSWORD_TEXT}\">{}</wsse:Password>{more}</wsse:UsernameToken></wsse:Security>",
        value::escaped(name),
        value::escaped(password)
    )
}

/// The name and password that a session carries: Basic credentials (RFC 7617) are how a session holds both.
pub(crate) fn name_and_password(session: &Session) -> Option<(String, String)> {
    session.headers.iter().find_map(|(name, value)| {
        let (scheme, encoded) = value.split_once(' ')?;
        if !name.eq_ignore_ascii_case("authorization") || !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        pair.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
    })
}

/// Whether the operation asks for a UsernameToken.
pub(crate) fn wants_username_token(model: &Model, operation: &Operation) -> bool {
    operation
        .security
        .iter()
        .flatten()
        .flatten()
        .any(|it| model.schemes.get(&it.scheme) == Some(&Scheme::UsernameToken))
}

fn username_token(model: &Model, operation: &Operation, call: &Call, session: &Session) -> Option<String> {
    if !wants_username_token(model, operation) {
        return None;
    }
    let (name, mut password) = name_and_password(session)?;
    for edit in &call.edits {
        match edit {
            Edit::Credential(Credential::None | Credential::Authorization(_)) => return None,
            Edit::Credential(Credential::Text(text)) => password.clone_from(text),
            _ => {}
        }
    }
    Some(security_header(&name, &password, ""))
}

/// Reads an answer: the content of the body's element, or what a fault means.
pub(super) fn read(
    model: &Model,
    operation: &Operation,
    request: Arc<Request>,
    received: Received,
) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    let by_status = Outcome::of_status(status);
    let root = if truncated { None } else { tree::parse(&String::from_utf8_lossy(&body)).ok() };
    let content = root.as_ref().and_then(|it| it.child("Body"));
    let first = content.and_then(|it| it.children.first());
    let (outcome, json) = match first {
        _ if status == 0 => (Outcome::Unreached, None),
        Some(element) if element.name == "Fault" => {
            (of_fault(element, by_status), Some(json!({"Fault": value::plain(element)})))
        }
        Some(element) => {
            let schema = operation.answers.iter().find_map(|it| it.schema.as_ref()).unwrap_or(&Value::Null);
            (by_status, Some(value::read(&model.schemas, schema, element)))
        }
        None if content.is_some() => (by_status, Some(Value::Null)),
        // A 2xx without an envelope is a page of something else.
        None if by_status == Outcome::Done && !body.is_empty() => (Outcome::Refused, None),
        None => (by_status, None),
    };
    Answer { request, status, headers, body, truncated, json, outcome, micros, fault }
}

/// What a fault means: by status where that says more than "failed", by code and words otherwise.
fn of_fault(fault: &Element, by_status: Outcome) -> Outcome {
    if matches!(by_status, Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Absent | Outcome::Limited)
    {
        return by_status;
    }
    let mut code = String::new();
    let mut words = String::new();
    for it in fault.descendants().take(200) {
        match it.name.as_str() {
            "faultcode" | "Value" => code.push_str(&it.text),
            _ => words.push_str(&it.text),
        }
        words.push(' ');
    }
    let told = meaning::of(&code).or_else(|| meaning::of(&words));
    if let Some(
        outcome @ (Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Absent | Outcome::Limited),
    ) = told
    {
        return outcome;
    }
    if ["Client", "Sender", "VersionMismatch", "MustUnderstand"].iter().any(|it| code.contains(it)) {
        Outcome::Refused
    } else {
        Outcome::Broken
    }
}

#[cfg(test)]
mod tests;
