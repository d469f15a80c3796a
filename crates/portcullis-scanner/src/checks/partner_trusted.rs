//! What another service answers is trusted: it stands in a page as it came, sends the server elsewhere, breaks a query.

use serde_json::{Value, json};

use crate::{
    call::Call,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Role,
    model::{Effect, OperationIndex, Place, Slot},
    script::{Flow, Planted, Script},
    wire::{Answer, Outcome},
    world::World,
};

/// The check.
pub(super) struct PartnerTrusted;

static INFO: Info = Info {
    id: "partner_trusted",
    title: "What another service answers is trusted",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Probe,
    owasp: "API10:2023",
    cwe: 20,
    wfc: None,
    remedy: "Treat what a partner answers as a user's input: validate, encode where it is shown, bind where it is \
             queried; follow no redirect to a host that is not on a list.",
    oracle: "A slot that takes an address is given that of a listener of the scan, which answers with a random element \
             of HTML, a redirect to itself under another host name, or texts with a quote. The element must not stand \
             raw in a page, the second address not be visited, and the quote do no more than a doubled one. Each is \
             repeated with fresh values.",
    requests_max: 40,
};

const NAMES: &[&str] = &[
    "url",
    "uri",
    "link",
    "href",
    "callback",
    "webhook",
    "feed",
    "src",
    "source",
    "endpoint",
    "target_url",
    "image_url",
];

impl Check for PartnerTrusted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        if world.listener.is_none() {
            return Vec::new();
        }
        let mut targets = Vec::new();
        for (index, operation, _) in
            world.reached().filter(|(_, operation, _)| operation.effect != Effect::Deletes)
        {
            for slot in world.slots(index).iter().filter(|slot| address(slot)) {
                let _ = operation;
                targets.push(Target::slot(index, slot.place.clone()));
            }
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some(place)) = (target.operation, &target.slot) else {
            return script.skip("no slot");
        };
        // Nothing waits for the first visit: being fetched is another weakness's matter, or what the slot is for.
        let word = script.word(14);
        let Some((first, answer, _)) = fetched(world, script, index, place, &page(&word))? else {
            return script.skip("there is no listener");
        };
        let mut proofs = Vec::new();
        if let Some(proof) = shown(world, script, index, place, &word, (first, &answer))? {
            proofs.push(proof);
        }
        if let Some(proof) = followed(world, script, index, place)? {
            proofs.push(proof);
        }
        if let Some(proof) = queried(world, script, index, place)? {
            proofs.push(proof);
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

fn address(slot: &Slot) -> bool {
    let name = slot.place.name().to_ascii_lowercase();
    let format = slot.schema.get("format").and_then(Value::as_str).unwrap_or_default();
    matches!(format, "uri" | "url" | "uri-reference")
        || NAMES.iter().any(|it| name == *it || name.ends_with(&format!("_{it}")))
}

fn page(word: &str) -> Planted {
    let body = json!({"title": format!("<b id={word}>{word}</b>"), "name": format!("<b id={word}>{word}</b>"),
        "text": format!("<b id={word}>{word}</b>"), "items": [{"title": format!("<b id={word}>{word}</b>"), "name": format!("<b id={word}>{word}</b>")}]});
    Planted {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string(),
    }
}

type Fetched = (usize, std::sync::Arc<Answer>, String);

/// Calls with the listener's address in the slot; `None` without a listener.
fn fetched(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    place: &Place,
    planted: &Planted,
) -> Flow<Option<Fetched>> {
    let Some((token, url)) = script.token() else { return Ok(None) };
    script.plant(&token, planted.clone())?;
    let call = call(world, script, index)?.with(place, Value::from(url));
    let (number, answer) = script.send(call)?;
    Ok(Some((number, answer, token)))
}

fn call(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Call> {
    let by = world.good(index).map_or(crate::call::ANONYMOUS, |good| good.call.by);
    let by = world.who(Role::A).filter(|_| by != crate::call::ANONYMOUS).map_or(by, |it| it.id);
    Ok(world.prepare(script, index, by)?.call.by(by))
}

/// Whether the element stands raw in something that a browser would show as a page.
fn raw(answer: &Answer, word: &str) -> bool {
    let page = matches!(answer.media().as_str(), "text/html" | "application/xhtml+xml" | "image/svg+xml");
    page && answer.text().contains(&format!("<b id={word}>"))
}

fn shown(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    place: &Place,
    word: &str,
    (first, answer): (usize, &Answer),
) -> Flow<Option<Proof>> {
    let again = script.word(14);
    if raw(answer, word) {
        let Some((number, second, _)) = fetched(world, script, index, place, &page(&again))? else {
            return Ok(None);
        };
        return Ok(raw(&second, &again).then(|| {
            proof(
                "what a partner answered stands in the page as it came",
                vec![(first, "probe"), (number, "confirmation")],
                "rendered",
                Shield::None { words: "Encode it where it is shown".to_owned() },
            )
        }));
    }
    if world.effect(index) == Some(Effect::Reads) {
        // The page may also come as it is, in the partner's own words.
        let html = |word: &str| Planted {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: format!("<b id={word}>{word}</b>"),
        };
        let Some((number, second, _)) = fetched(world, script, index, place, &html(&again))? else {
            return Ok(None);
        };
        if raw(&second, &again) {
            let third = script.word(14);
            let Some((confirmation, last, _)) = fetched(world, script, index, place, &html(&third))? else {
                return Ok(None);
            };
            return Ok(raw(&last, &third).then(|| {
                proof(
                    "what a partner answered stands in the page as it came",
                    vec![(number, "probe"), (confirmation, "confirmation")],
                    "rendered",
                    Shield::None { words: "Encode it where it is shown".to_owned() },
                )
            }));
        }
        return Ok(None);
    }
    // Stored: pages that anybody may read without anything to fill in.
    for (_, operation, good) in world.reached() {
        if operation.effect != Effect::Reads || !good.recipe.is_empty() || good.answer.media() != "text/html"
        {
            continue;
        }
        let (number, stored) = script.send(good.call.clone())?;
        if !raw(&stored, word) {
            continue;
        }
        let Some((_, _, _)) = fetched(world, script, index, place, &page(&again))? else { return Ok(None) };
        let (confirmation, second) = script.send(good.call.clone())?;
        if raw(&second, &again) {
            let words =
                format!("what a partner answered is stored and stands in `{}` as it came", operation.id);
            let exchanges = vec![(first, "probe"), (number, "read back"), (confirmation, "confirmation")];
            return Ok(Some(proof(
                &words,
                exchanges,
                "stored",
                Shield::None { words: "Encode it where it is shown".to_owned() },
            )));
        }
    }
    Ok(None)
}

fn proof(words: &str, exchanges: Vec<(usize, &'static str)>, variant: &str, shield: Shield) -> Proof {
    let mut proof = Proof::confirmed(words, exchanges, shield);
    variant.clone_into(&mut proof.variant);
    proof
}

/// The listener's address under another host name, so that following leaves the host that was asked for.
fn elsewhere(url: &str) -> Option<String> {
    if url.contains("//127.0.0.1:") {
        Some(url.replacen("//127.0.0.1:", "//localhost:", 1))
    } else if url.contains("//localhost:") {
        Some(url.replacen("//localhost:", "//127.0.0.1:", 1))
    } else {
        None
    }
}

fn followed(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    place: &Place,
) -> Flow<Option<Proof>> {
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        let Some((second, url)) = script.token() else { return Ok(None) };
        let Some(url) = elsewhere(&url) else { return Ok(None) };
        let redirect =
            Planted { status: 302, headers: vec![("location".to_owned(), url)], body: String::new() };
        let Some((number, _, _)) = fetched(world, script, index, place, &redirect)? else { return Ok(None) };
        if script.hits(&second)?.is_empty() {
            return Ok(None);
        }
        exchanges.push((number, round));
    }
    let shield = Shield::None { words: "Follow no redirect to a host that is not on a list".to_owned() };
    Ok(Some(proof("a partner's redirect to another host is followed", exchanges, "followed", shield)))
}

/// A single quote breaks what a doubled one does not, twice each.
fn queried(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    place: &Place,
) -> Flow<Option<Proof>> {
    if world.effect(index) == Some(Effect::Reads) {
        return Ok(None);
    }
    let mut exchanges = Vec::new();
    for round in ["probe", "confirmation"] {
        let mut outcomes = Vec::new();
        for quote in ["'", "''"] {
            let word = script.word(10);
            let text = format!("{word}{quote}x");
            let body = json!({"title": text, "name": text, "text": text, "sku": text, "id": word, "category": text, "type": text, "status": text,
                "code": text, "city": text, "country": text, "brand": text, "value": text, "items": [{"title": text, "name": text, "sku": text}]});
            let planted = Planted {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: body.to_string(),
            };
            let Some((number, answer, _)) = fetched(world, script, index, place, &planted)? else {
                return Ok(None);
            };
            outcomes.push((number, answer.outcome));
        }
        match outcomes.as_slice() {
            [(single, Outcome::Broken), (double, Outcome::Done)] => {
                exchanges.extend([(*single, round), (*double, "control")])
            }
            _ => return Ok(None),
        }
    }
    let shield = Shield::None { words: "Bind what a partner answers as a parameter of the query".to_owned() };
    Ok(Some(proof("a quote in what a partner answers breaks a query", exchanges, "queried", shield)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, query, text};

    #[test]
    fn elsewhere_is_the_same_listener_under_another_name() {
        assert_eq!(elsewhere("http://127.0.0.1:9/t"), Some("http://localhost:9/t".to_owned()));
        assert_eq!(elsewhere("http://192.0.2.1:9/t"), None);
    }

    /// A page that shows what it fetched, which the test plants by itself: the service sees what was planted last.
    #[test]
    fn is_silent_where_nothing_is_visited() {
        let world = Stage::new()
            .op("GET /render", Effect::Reads, json!({}))
            .slot(query("url"), json!("http://a.example"))
            .world;
        let asked = Mutex::new(0);
        let mut fake = Fake::new(&world, |_: &Ask| {
            *asked.lock().unwrap() += 1;
            answer(200, json!({}))
        });
        assert!(fake.all(&PartnerTrusted).is_empty());
        assert!(*asked.lock().unwrap() <= 4);
    }

    #[test]
    fn knows_raw_from_encoded_and_a_page_from_data() {
        assert!(raw(&text(200, "text/html", "<p><b id=abc>abc</b>"), "abc"));
        assert!(!raw(&text(200, "text/html", "&lt;b id=abc&gt;"), "abc"));
        assert!(!raw(&text(200, "application/json", "<b id=abc>"), "abc"));
    }
}
