//! Descriptors and reflection become operations.

use std::sync::Arc;

use portcullis_spec::openapi::MemorySource;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::*;
use crate::wire::{Answer, Outcome, grpc as wire};

const SHOP: &str = r#"
syntax = "proto3";
package shop.v1;
import "types/money.proto";
import "google/protobuf/timestamp.proto";
enum State { STATE_UNKNOWN = 0; OPEN = 1; }
message GetRequest { int64 id = 1; }
message Order {
  int64 id = 1; string owner_name = 2; repeated Line lines = 3; map<string, int32> counts = 4;
  State state = 5; bytes blob = 6; google.protobuf.Timestamp made_at = 7; Money price = 8;
  oneof how { string card = 9; bool cash = 10; } Order parent = 11;
  message Line { uint32 amount = 1; double weight = 2; }
}
service Orders {
  rpc GetOrder(GetRequest) returns (Order);
  rpc PlaceOrder(Order) returns (Order) { option deprecated = true; }
  rpc Quote(Order) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Watch(GetRequest) returns (stream Order);
}
"#;
const MONEY: &str =
    r#"syntax = "proto3"; package shop.v1; message Money { string currency = 1; int64 units = 2; }"#;

fn source() -> MemorySource {
    MemorySource::default().with("api/shop.proto", SHOP).with("api/types/money.proto", MONEY)
}

#[test]
fn proto_files_become_operations() {
    let model = from_proto("api/shop.proto", &source()).unwrap();
    let told: Vec<(&str, Effect, bool)> =
        model.operations.iter().map(|it| (&*it.id, it.effect, it.deprecated)).collect();
    assert_eq!(
        told,
        [
            ("shop.v1.Orders/GetOrder", Effect::Reads, false),
            ("shop.v1.Orders/PlaceOrder", Effect::Creates, true),
            ("shop.v1.Orders/Quote", Effect::Reads, false),
        ]
    );
    assert_eq!(model.notes[0].place, "shop.v1.Orders.Watch");
    let order = &model.schemas["$defs"]["input.shop.v1.Order"];
    assert_eq!(order["properties"]["ownerName"], json!({"type": "string"}));
    assert_eq!(order["properties"]["state"]["enum"], json!(["STATE_UNKNOWN", "OPEN"]));
    assert_eq!(order["properties"]["madeAt"]["format"], json!("date-time"));
    assert_eq!(order["properties"]["lines"]["items"], json!({"$ref": "#/$defs/input.shop.v1.Order.Line"}));
    assert_eq!(order["properties"]["parent"], json!({"$ref": "#/$defs/input.shop.v1.Order"}));
    assert_eq!(order["properties"]["counts"]["additionalProperties"]["type"], json!("integer"));
    assert!(model.schemas["$defs"]["answer.shop.v1.Money"].is_object());
    // Both ways compile as schemas.
    for way in ["input", "answer"] {
        let schema = json!({"$ref": format!("#/$defs/{way}.shop.v1.Order"), "$defs": model.schemas["$defs"]});
        let order = json!({"id": 1, "state": "OPEN", "price": {"units": 3}, "parent": {"id": 2}});
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&order), "{way}");
        assert!(!jsonschema::validator_for(&schema).unwrap().is_valid(&json!({"id": true})), "{way}");
    }
}

#[test]
fn bad_descriptions_are_refused() {
    let bad = |text: &str| from_proto("a.proto", &MemorySource::default().with("a.proto", text)).unwrap_err();
    assert!(matches!(bad("syntax = \"proto3\"; message {"), GrpcError::Proto(_)));
    assert!(
        matches!(bad("syntax = \"proto3\"; import \"../x.proto\";"), GrpcError::Proto(it) if it.contains("outside"))
    );
    assert!(
        matches!(bad("syntax = \"proto3\"; import \"gone.proto\";"), GrpcError::Proto(it) if it.contains("gone.proto"))
    );
    assert!(matches!(bad(&"message A {".repeat(50_000)), GrpcError::Proto(it) if it.contains("deeper")));
    assert_eq!(bad("syntax = \"proto3\"; message A {}"), GrpcError::NoOperations);
    assert!(matches!(from_descriptors(b"\xff\xff\xff"), Err(GrpcError::Descriptors(_))));
}

fn answer(message: Vec<u8>) -> Answer {
    let request = Arc::new(wire::request("/", Vec::new()));
    Answer {
        request,
        status: 200,
        headers: Vec::new(),
        body: wire::frame(&message).into(),
        truncated: false,
        json: None,
        outcome: Outcome::Done,
        micros: 1,
        fault: None,
    }
}

fn part(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost_reflect::prost::encoding::encode_varint(value.len() as u64, &mut bytes);
    bytes.extend_from_slice(value);
    bytes
}

#[test]
fn reflection_is_told_until_all_files_are_there() {
    let mut compiler = protox::Compiler::with_file_resolver({
        let mut resolver = ChainFileResolver::new();
        resolver.add(Files(vec![
            ("shop.proto".to_owned(), SHOP.to_owned()),
            ("types/money.proto".to_owned(), MONEY.to_owned()),
        ]));
        resolver.add(GoogleFileResolver::new());
        resolver
    });
    compiler.include_imports(true).open_file("shop.proto").unwrap();
    let set = compiler.file_descriptor_set();
    let file = |name: &str| set.file.iter().find(|it| it.name() == name).map(|it| it.encode_to_vec());
    let mut answers = Vec::new();
    let mut asked = Vec::new();
    let model = loop {
        match reflection::next(reflection::Version::V1, &answers).unwrap() {
            reflection::Step::Done(model) => break model,
            reflection::Step::Send(request) => {
                assert!(request.http2 && request.target.starts_with("/grpc.reflection.v1."));
                let message = wire::messages(&request.body).remove(0);
                let name = String::from_utf8(message[2..].to_vec()).unwrap();
                asked.push((message[0] >> 3, name.clone()));
                answers.push(answer(match message[0] >> 3 {
                    7 => part(
                        6,
                        &[part(1, &part(1, b"shop.v1.Orders")), part(1, &part(1, b"a.Lost"))].concat(),
                    ),
                    4 if name == "shop.v1.Orders" => part(4, &part(1, &file("shop.proto").unwrap())),
                    3 => file(&name).map_or_else(Vec::new, |it| part(4, &part(1, &it))),
                    _ => part(7, &[vec![8, 5], part(2, b"not found")].concat()),
                }));
            }
        }
    };
    assert_eq!(model.operations.len(), 3);
    assert!(model.notes.iter().any(|it| it.place == "a.Lost"), "{:?}", model.notes);
    assert!(asked.contains(&(3, "types/money.proto".to_owned())), "{asked:?}");
    // An error in place of the list.
    let refused = answer(part(7, &[vec![8, 12], part(2, b"unimplemented")].concat()));
    assert!(
        matches!(reflection::next(reflection::Version::V1Alpha, &[refused]), Err(GrpcError::Reflection(it)) if it == "unimplemented")
    );
    assert_eq!(reflection::read(b"\x00\x00\x00\x00\x03\x32\xff\xff"), reflection::Reflected::default());
}
