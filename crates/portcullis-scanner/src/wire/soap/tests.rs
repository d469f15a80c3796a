//! Envelopes out and in.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::{
    call::ANONYMOUS,
    model::{OperationIndex, Place, Requirement, wsdl::tests::shop},
};

fn body_of(model: &Model, call: &Call, session: &Session) -> String {
    let operation = model.operation(call.operation.unwrap()).unwrap();
    let request = compose(model, operation, call, session).unwrap();
    String::from_utf8(request.body.to_vec()).unwrap()
}

#[test]
fn composes_an_envelope_in_the_order_of_the_schema() {
    let model = shop();
    let call = Call::of(OperationIndex(0), ANONYMOUS)
        .with(&Place::Body("/extra".into()), json!(null))
        .with(&Place::Body("/note".into()), json!("<a>&\""))
        .with(&Place::Body("/id".into()), json!(7));
    assert_eq!(
        body_of(&model, &call, &Session::default()),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <soap:Body><GetOrder xmlns=\"urn:types\"><id>7</id><note>&lt;a&gt;&amp;&quot;</note>\
         <extra xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/></GetOrder></soap:Body></soap:Envelope>"
    );
    let request = compose(&model, &model.operations[0], &call, &Session::default()).unwrap();
    assert!(request.headers.contains(&("soapaction".to_owned(), "\"urn:shop/GetOrder\"".to_owned())));
    let sum = Call::of(OperationIndex(1), ANONYMOUS).with(&Place::Body("/a".into()), json!(1));
    let body = body_of(&model, &sum, &Session::default());
    assert!(body.contains("<CreateSum xmlns=\"urn:sums\"><a xmlns=\"\">1</a></CreateSum>"), "{body}");
    let twice = body_of(&model, &sum.edited(Edit::Repeat(2)), &Session::default());
    assert_eq!(twice.matches("<CreateSum ").count(), 2);
}

#[test]
fn refuses_what_xml_cannot_hold() {
    let model = shop();
    for (place, value) in [("/note", json!("\u{0}")), ("/a b", json!(1)), ("/@a<", json!(1))] {
        let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body(place.into()), value);
        let composed = compose(&model, &model.operations[0], &call, &Session::default());
        assert!(matches!(composed, Err(Uncomposable::Value(_))), "{place}: {composed:?}");
    }
}

#[test]
fn presents_a_username_token_and_takes_it_away() {
    let mut model = shop();
    model.schemes.insert("UsernameToken".to_owned(), Scheme::UsernameToken);
    let requirement = Requirement { scheme: "UsernameToken".to_owned(), scopes: Vec::new() };
    model.operations[0].security = Some(vec![vec![requirement]]);
    let value = format!("Basic {}", STANDARD.encode("ann:p<w"));
    let session = Session {
        headers: vec![("authorization".to_owned(), value)],
        secret: "p<w".to_owned(),
        ..Session::default()
    };
    let call = Call::of(OperationIndex(0), ANONYMOUS).with(&Place::Body("/id".into()), json!(7));
    let body = body_of(&model, &call, &session);
    assert!(
        body.contains("<wsse:Username>ann</wsse:Username>") && body.contains(">p&lt;w</wsse:Password>"),
        "{body}"
    );
    assert!(tree::parse(&body).is_ok());
    let with = |credential| body_of(&model, &call.clone().edited(Edit::Credential(credential)), &session);
    assert!(!with(Credential::None).contains("Username"));
    assert!(with(Credential::Text("other".to_owned())).contains(">other</wsse:Password>"));
    assert!(!body_of(&shop(), &call, &session).contains("Username"));
}

fn answer(model: &Model, status: u16, body: &str) -> Answer {
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        http2: false,
    };
    let received = Received { status, body: Bytes::from(body.to_owned()), ..Received::default() };
    read(model, &model.operations[0], Arc::new(request), received)
}

fn enveloped(content: &str) -> String {
    format!("<s:Envelope xmlns:s=\"{SOAP_11}\"><s:Body>{content}</s:Body></s:Envelope>")
}

#[test]
fn reads_a_body_by_its_schema() {
    let model = shop();
    let content = "<r:GetOrderResponse xmlns:r='urn:types'><r:order state='open'><r:id>7</r:id><r:line unit='kg'>1.5</r:line>\
                   <r:cash>true</r:cash><r:odd><x>1</x><x>2</x></r:odd></r:order></r:GetOrderResponse>";
    let read = answer(&model, 200, &enveloped(content));
    assert_eq!(read.outcome, Outcome::Done);
    assert_eq!(
        read.json,
        Some(
            json!({"order": {"@state": "open", "id": 7, "line": [{"@unit": "kg", "#text": 1.5}], "cash": true, "odd": {"x": ["1", "2"]}}})
        )
    );
    let nil = "<GetOrderResponse xmlns='urn:types' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><order i:nil='true'/></GetOrderResponse>";
    assert_eq!(answer(&model, 200, &enveloped(nil)).json, Some(json!({"order": null})));
}

#[test]
fn tells_faults_apart() {
    let model = shop();
    let fault = |code: &str, text: &str| {
        let content =
            format!("<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>");
        answer(&model, 500, &enveloped(&content)).outcome
    };
    assert_eq!(fault("s:Client", "id is too large"), Outcome::Refused);
    assert_eq!(fault("s:Server", "null pointer"), Outcome::Broken);
    assert_eq!(fault("wsse:FailedAuthentication", "no"), Outcome::Unauthenticated);
    assert_eq!(fault("s:Server", "Access denied"), Outcome::Forbidden);
    assert_eq!(fault("s:Client", "order 7 not found"), Outcome::Absent);
    assert_eq!(answer(&model, 200, "<html></html>").outcome, Outcome::Refused);
    assert_eq!(answer(&model, 404, "").outcome, Outcome::Absent);
    assert_eq!(answer(&model, 200, "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>").outcome, Outcome::Refused);
    assert_eq!(answer(&model, 0, "").outcome, Outcome::Unreached);
}
