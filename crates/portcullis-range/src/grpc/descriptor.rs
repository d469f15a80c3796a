//! The service's own description, as a file descriptor of `descriptor.proto`.

use super::wire::Writer;

/// The file's name.
pub(super) const FILE: &str = "harbour/v1/warehouse.proto";

/// The service's full name.
pub(super) const SERVICE: &str = "harbour.v1.Warehouse";

/// A field: name, number, type as `descriptor.proto` counts them, whether repeated, and the message it holds.
type FieldOf = (&'static str, u64, u64, bool, &'static str);

const DOUBLE: u64 = 1;
const INT64: u64 = 3;
const STRING: u64 = 9;
const MESSAGE: u64 = 11;
const BYTES: u64 = 12;

/// Messages and their fields.
pub(super) const MESSAGES: &[(&str, &[FieldOf])] = &[
    ("GetOrderRequest", &[("id", 1, INT64, false, "")]),
    (
        "Order",
        &[
            ("id", 1, INT64, false, ""),
            ("owner_id", 2, INT64, false, ""),
            ("shipping_address", 3, STRING, false, ""),
        ],
    ),
    ("FindProductsRequest", &[("search", 1, STRING, false, "")]),
    ("Products", &[("products", 1, MESSAGE, true, ".harbour.v1.Product")]),
    ("Product", &[("name", 1, STRING, false, "")]),
    ("SetPriceRequest", &[("goods_id", 1, INT64, false, ""), ("price", 2, DOUBLE, false, "")]),
    ("Price", &[("price", 1, DOUBLE, false, "")]),
    ("Parcel", &[("data", 1, BYTES, false, "")]),
    ("Receipt", &[("bytes", 1, INT64, false, "")]),
];

/// Methods: name, what they take, what they give.
pub(super) const METHODS: &[(&str, &str, &str)] = &[
    ("GetOrder", "GetOrderRequest", "Order"),
    ("FindProducts", "FindProductsRequest", "Products"),
    ("SetPrice", "SetPriceRequest", "Price"),
    ("Weigh", "Parcel", "Receipt"),
];

/// The file descriptor.
pub(super) fn file() -> Vec<u8> {
    let mut file = Writer::default().text(1, FILE).text(2, "harbour.v1");
    for (name, fields) in MESSAGES {
        let mut message = Writer::default().text(1, name);
        for (name, number, kind, repeated, of) in *fields {
            let mut field = Writer::default()
                .text(1, name)
                .number(3, *number)
                .number(4, if *repeated { 3 } else { 1 })
                .number(5, *kind);
            if !of.is_empty() {
                field = field.text(6, of);
            }
            message = message.bytes(2, &field.text(10, &json_name(name)).0);
        }
        file = file.bytes(4, &message.0);
    }
    let mut service = Writer::default().text(1, "Warehouse");
    for (name, takes, gives) in METHODS {
        let method = Writer::default()
            .text(1, name)
            .text(2, &format!(".harbour.v1.{takes}"))
            .text(3, &format!(".harbour.v1.{gives}"));
        service = service.bytes(2, &method.0);
    }
    file.bytes(6, &service.0).text(12, "proto3").0
}

/// A set with the one file, as `protoc --descriptor_set_out` writes it.
pub(crate) fn set() -> Vec<u8> {
    Writer::default().bytes(1, &file()).0
}

/// `owner_id` as `ownerId`.
fn json_name(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for character in name.chars() {
        match character {
            '_' => upper = true,
            other if upper => {
                out.push(other.to_ascii_uppercase());
                upper = false;
            }
            other => out.push(other),
        }
    }
    out
}
