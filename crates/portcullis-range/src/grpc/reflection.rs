//! Server reflection, `v1` and `v1alpha`: the same messages under two names.

use super::{
    descriptor::{FILE, MESSAGES, METHODS, SERVICE, file},
    wire::{Wire, Writer, read},
};

/// The reflection service that a path calls.
pub(super) fn version(path: &str) -> Option<&'static str> {
    match path {
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" => {
            Some("grpc.reflection.v1.ServerReflection")
        }
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" => {
            Some("grpc.reflection.v1alpha.ServerReflection")
        }
        _ => None,
    }
}

/// The answer to one request.
pub(super) fn answer(message: &[u8], version: &str) -> Vec<u8> {
    let answer = Writer::default().bytes(2, message);
    let error = |code, text: &str| Writer::default().number(1, code).text(2, text).0;
    let whole = Writer::default().bytes(1, &file()).0;
    let asked = read(message).and_then(|fields| {
        fields.into_iter().find_map(|(number, value)| match value {
            Wire::Bytes(bytes) if number >= 3 => Some((number, String::from_utf8_lossy(bytes).into_owned())),
            _ => None,
        })
    });
    let (field, content) = match asked {
        Some((3, name)) if name == FILE => (4, whole),
        Some((4, symbol)) if is_known(&symbol) => (4, whole),
        Some((7, _)) => {
            let services = [SERVICE, version]
                .iter()
                .fold(Writer::default(), |list, name| list.bytes(1, &Writer::default().text(1, name).0));
            (6, services.0)
        }
        Some(_) => (7, error(5, "not found")),
        None => (7, error(3, "this is no request")),
    };
    answer.bytes(field, &content).0
}

fn is_known(symbol: &str) -> bool {
    let Some(rest) = symbol.strip_prefix("harbour.v1.") else { return false };
    let method = rest.strip_prefix("Warehouse.");
    rest == "Warehouse"
        || MESSAGES.iter().any(|(name, _)| *name == rest)
        || METHODS.iter().any(|(name, _, _)| Some(*name) == method)
}
