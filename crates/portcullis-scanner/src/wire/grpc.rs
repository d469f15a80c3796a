//! gRPC over HTTP/2: one framed message each way, the status in the trailers.

use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use prost_reflect::{DeserializeOptions, DynamicMessage, SerializeOptions, prost::Message as _};
use serde_json::Value;

use super::{Answer, Outcome, Received, Request, Uncomposable, draft::Draft};
use crate::{
    call::{Call, Edit},
    identity::Session,
    model::{Wire, grpc::MEDIA},
};

/// Bytes of a request, at most, however often its message is repeated.
const BYTES_MAX: usize = 64 << 20;
/// Messages read of one answer.
const MESSAGES_MAX: usize = 10_000;

/// A message in its frame: no compression, and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + 5);
    bytes.push(0);
    bytes.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

/// The messages of a framed body that are not compressed; ends at what is no frame.
pub(crate) fn messages(body: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut rest = body;
    while messages.len() < MESSAGES_MAX {
        let Some((head, behind)) = rest.split_first_chunk::<5>() else { break };
        let [flag, length @ ..] = *head;
        let Some((message, behind)) = behind.split_at_checked(u32::from_be_bytes(length) as usize) else {
            break;
        };
        rest = behind;
        if flag == 0 {
            messages.push(message.to_vec());
        }
    }
    messages
}

/// A bare request for a method.
pub(crate) fn request(path: &str, body: Vec<u8>) -> Request {
    let headers = [("content-type", MEDIA), ("te", "trailers"), ("user-agent", "portcullis-scan")];
    Request {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Bytes::from(body),
        http2: true,
    }
}

/// Composes a call of a unary method.
pub(super) fn compose(wire: &Wire, call: &Call, session: &Session) -> Result<Request, Uncomposable> {
    let Wire::Grpc { service, method, input, descriptors, .. } = wire else {
        return Err(Uncomposable::UnknownOperation);
    };
    let descriptor = descriptors.0.get_message_by_name(input).ok_or(Uncomposable::UnknownOperation)?;
    let empty = Value::Object(serde_json::Map::new());
    let value = call.body.as_ref().filter(|it| !it.is_null()).unwrap_or(&empty);
    // A member that the message does not have cannot be written; whoever tries it must not be told that it was sent.
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(descriptor, value, &options)
        .map_err(|error| Uncomposable::Value(error.to_string()))?
        .encode_to_vec();
    let mut draft = Draft::new("POST", format!("/{service}/{method}"));
    draft.http2 = true;
    draft.set_header("content-type", MEDIA);
    draft.set_header("te", "trailers");
    draft.body = frame(&repeated(&message, call)).into();
    draft.present(session);
    call.edits.iter().for_each(|edit| draft.edit(edit, session));
    draft.finish()
}

/// The message as often as it is to be sent: fields given again are valid, the last one counts.
fn repeated(message: &[u8], call: &Call) -> Vec<u8> {
    let times =
        call.edits.iter().find_map(|edit| if let Edit::Repeat(times) = edit { Some(*times) } else { None });
    let most = BYTES_MAX / message.len().max(1);
    message.repeat((times.unwrap_or(1) as usize).clamp(1, most.max(1)))
}

/// Reads an answer: the status is in the trailers, or in the head where there is nothing else.
pub(super) fn read(wire: &Wire, request: Arc<Request>, received: Received) -> Answer {
    let Received { status, headers, body, truncated, micros, fault } = received;
    let code = headers
        .iter()
        .rev()
        .find(|(name, _)| name == "grpc-status")
        .and_then(|(_, it)| it.trim().parse().ok());
    let outcome = match code {
        Some(code) => of_code(code),
        None if status == 0 => Outcome::Unreached,
        None if status == 200 => Outcome::Broken,
        None => Outcome::of_status(status),
    };
    let json = messages(&body).into_iter().next().and_then(|message| decoded(wire, &message));
    Answer { request, status, headers, body, truncated, json, outcome, micros, fault }
}

fn decoded(wire: &Wire, message: &[u8]) -> Option<Value> {
    let Wire::Grpc { output, descriptors, .. } = wire else { return None };
    let descriptor = descriptors.0.get_message_by_name(output)?;
    let message = DynamicMessage::decode(descriptor, message).ok()?;
    let options = SerializeOptions::new().stringify_64_bit_integers(false).skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).ok()
}

/// What a status code means (gRPC, "Status codes and their use").
const fn of_code(code: u32) -> Outcome {
    match code {
        0 => Outcome::Done,
        3 | 6 | 9 | 10 | 11 => Outcome::Refused,
        5 => Outcome::Absent,
        7 => Outcome::Forbidden,
        8 => Outcome::Limited,
        12 => Outcome::NotOffered,
        16 => Outcome::Unauthenticated,
        _ => Outcome::Broken,
    }
}

/// The words of a status, percent-decoded.
pub(crate) fn status_message(answer: &Answer) -> String {
    let text =
        answer.headers.iter().rev().find(|(name, _)| name == "grpc-message").map(|(_, it)| it.as_str());
    percent_decode_str(text.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        call::ANONYMOUS,
        model::{Model, OperationIndex, Place, grpc},
    };

    const PROTO: &str = r#"syntax = "proto3"; package shop;
        message Ask { int64 id = 1; string note = 2; } message Order { int64 id = 1; repeated string lines = 2; }
        service Orders { rpc Get(Ask) returns (Order); }"#;

    fn model() -> Model {
        let source = portcullis_spec::openapi::MemorySource::default().with("shop.proto", PROTO);
        grpc::from_proto("shop.proto", &source).unwrap()
    }

    #[test]
    fn composes_a_framed_message_and_reads_one() {
        let model = model();
        let wire = &model.operations[0].wire;
        let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body("/id".into()), json!(7));
        let session = Session {
            headers: vec![("Authorization".to_owned(), "Bearer t".to_owned())],
            ..Session::default()
        };
        let request = compose(wire, &call, &session).unwrap();
        assert_eq!((request.target.as_str(), request.http2), ("/shop.Orders/Get", true));
        assert_eq!(request.body.as_ref(), [0, 0, 0, 0, 2, 8, 7]);
        assert!(request.headers.contains(&("authorization".to_owned(), "Bearer t".to_owned())));
        assert!(request.headers.contains(&("te".to_owned(), "trailers".to_owned())));
        let twice = compose(wire, &call.edited(Edit::Repeat(2)), &session).unwrap();
        assert_eq!(twice.body.as_ref(), [0, 0, 0, 0, 4, 8, 7, 8, 7]);

        let received = |code: &str, body: Vec<u8>| Received {
            status: 200,
            headers: vec![("grpc-status".to_owned(), code.to_owned())],
            body: body.into(),
            ..Received::default()
        };
        let request = Arc::new(request);
        let answer = read(wire, Arc::clone(&request), received("0", frame(&[8, 9, 18, 1, b'x'])));
        assert_eq!(answer.outcome, Outcome::Done);
        assert_eq!(answer.json, Some(json!({"id": 9, "lines": ["x"]})));
        assert_eq!(
            read(wire, Arc::clone(&request), received("16", Vec::new())).outcome,
            Outcome::Unauthenticated
        );
        assert_eq!(read(wire, Arc::clone(&request), received("0", vec![0, 255, 255])).json, None);
        assert_eq!(
            read(wire, request, Received { status: 404, ..Received::default() }).outcome,
            Outcome::Absent
        );
    }

    #[test]
    fn refuses_members_that_the_message_does_not_have() {
        let model = model();
        let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body("/admin".into()), json!(true));
        let composed = compose(&model.operations[0].wire, &call, &Session::default());
        assert!(matches!(composed, Err(Uncomposable::Value(_))), "{composed:?}");
    }

    #[test]
    fn reads_frames_and_ends_at_what_is_none() {
        let mut body = frame(b"a");
        body.extend(frame(b""));
        body.extend([0, 0, 0, 9, 9, 1]);
        assert_eq!(messages(&body), [b"a".to_vec(), Vec::new()]);
        assert_eq!(messages(&[1, 0, 0, 0, 1, 7]), Vec::<Vec<u8>>::new());
    }
}
