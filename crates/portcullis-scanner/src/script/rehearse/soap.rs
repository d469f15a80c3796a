//! A SOAP service in a rehearsal: two operations at one path, messages as text.

use serde_json::json;

use super::{Ask, Stage, body, text};
use crate::{
    model::{Effect, SoapVersion, Wire},
    wire::Answer,
};

/// `soap Get` and `soap List`, each with a text `/note`, at `/soap`.
pub(crate) fn stage() -> Stage {
    let mut stage = Stage::new()
        .op("POST /soap", Effect::Reads, json!({"note": "seen"}))
        .slot(body("/note"), json!("seen"))
        .op("POST /other", Effect::Reads, json!({"note": "seen"}))
        .slot(body("/note"), json!("seen"));
    for (operation, name) in stage.world.model.operations.iter_mut().zip(["Get", "List"]) {
        operation.id = format!("soap {name}").into();
        operation.wire = Wire::Soap {
            path: "/soap".to_owned(),
            version: SoapVersion::V11,
            action: format!("urn:{name}"),
            element: name.to_owned(),
            namespace: "urn:s".to_owned(),
        };
    }
    stage
}

/// The message that was sent, as text.
pub(crate) fn sent(ask: &Ask) -> String {
    ask.body.as_str().map_or_else(|| ask.body.to_string(), str::to_owned)
}

/// What stands between two marks.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split(before).nth(1).unwrap_or_default().split(after).next().unwrap_or_default()
}

/// A fault with these words.
pub(crate) fn fault(words: &str) -> Answer {
    text(500, "text/xml", &format!("<e><Body><Fault>{words}</Fault></Body></e>"))
}
