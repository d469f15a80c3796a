//! What a caller may do hangs on a switch in a cookie.

use crate::{
    call::{ANONYMOUS, Call, Edit},
    model::{Effect, Wire},
    wire::Answer,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct CookieSwitchTrusted;

static INFO: Info = Info {
    id: "cookie_switch_trusted",
    title: "A switch in a cookie is trusted",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API5:2023",
    cwe: 565,
    wfc: Some("F206"),
    remedy: "Keep what a caller may do on the server, or sign what the cookie says; a cookie is the caller's own text.",
    oracle: "The server sets a cookie that says no, off, disabled or false. With it a request is refused, with the opposite it is served, two times each, and a third word that says neither is refused too.",
    requests_max: 40,
};

impl Check for CookieSwitchTrusted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, _world: &World) -> Vec<Target> {
        vec![Target::server("cookies")]
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let _ = target;
        let mut paths: Vec<String> = vec!["/graphiql".to_owned(), "/admin".to_owned(), "/console".to_owned()];
        for (_, operation) in world.model.all() {
            match &operation.wire {
                Wire::GraphQl { path, .. } if !paths.contains(path) => paths.push(path.clone()),
                Wire::Rest { method, path }
                    if method == "GET"
                        && !path.contains('{')
                        && operation.effect == Effect::Reads
                        && paths.len() < 12 =>
                {
                    paths.push(path.clone());
                }
                _ => {}
            }
        }
        let (root, answer) = script.send(Call::bare("GET", "/", ANONYMOUS))?;
        let mut cookies: Vec<(String, String, String)> = set_cookies(&answer).collect();
        for sample in world.samples.iter().take(200) {
            cookies.extend(set_cookies(&sample.answer));
        }
        cookies.sort();
        cookies.dedup();
        for (name, off, on) in cookies.into_iter().take(3) {
            for path in &paths {
                let with = |value: &str| probe(world, path, &format!("{name}={value}"));
                let (control, refused) = script.send(with(&off))?;
                if served(&refused) || refused.status == 0 || refused.status == 404 {
                    continue;
                }
                let (first, answer) = script.send(with(&on))?;
                if !served(&answer) {
                    continue;
                }
                let neither = script.word(10);
                let (odd, other) = script.send(with(&neither))?;
                let (still, refused) = script.send(with(&off))?;
                let (again, answer) = script.send(with(&on))?;
                if served(&other) || served(&refused) || !served(&answer) {
                    continue;
                }
                let mut proof = Proof::confirmed(
                    format!(
                        "`{path}` is refused with the cookie `{name}={off}`, which the server set, and served with `{on}`"
                    ),
                    vec![
                        (root, "baseline"),
                        (control, "control"),
                        (first, "probe"),
                        (odd, "control"),
                        (still, "control"),
                        (again, "confirmation"),
                    ],
                    Shield::Identity { roles: Vec::new() },
                );
                proof.variant = format!("{path} {name}");
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// The same switch the other way; `None` for what is no switch.
fn opposite(value: &str) -> Option<String> {
    const SWITCHES: [(&str, &str); 9] = [
        ("disabled", "enabled"),
        ("disable", "enable"),
        ("false", "true"),
        ("off", "on"),
        ("no", "yes"),
        ("0", "1"),
        ("guest", "admin"),
        ("anonymous", "admin"),
        ("user", "admin"),
    ];
    let (front, word) = match value.rsplit_once([':', '=', '.']) {
        Some((front, word)) => (value.get(..=front.len())?, word),
        None => ("", value),
    };
    let (_, on) = SWITCHES.iter().find(|(off, _)| word.eq_ignore_ascii_case(off))?;
    Some(format!("{front}{on}"))
}

/// Cookies that an answer sets and that are switches: name, value, opposite.
fn set_cookies(answer: &Answer) -> impl Iterator<Item = (String, String, String)> + '_ {
    answer.headers.iter().filter(|(name, _)| name == "set-cookie").filter_map(|(_, value)| {
        let (name, value) = value.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        Some((name.trim().to_owned(), value.to_owned(), opposite(value)?))
    })
}

/// A request that reads: a document that names its type where GraphQL may be, a plain one elsewhere.
fn probe(world: &World, path: &str, cookie: &str) -> Call {
    let rest = world.model.all().any(|(_, it)| it.rest() == Some(("GET", path)));
    let call = if rest {
        Call::bare("GET", path, ANONYMOUS)
    } else {
        Call::bare("POST", path, ANONYMOUS)
            .edited(Edit::SetHeader("content-type".to_owned(), "application/json".to_owned()))
            .edited(Edit::RawBody(br#"{"query": "{ __typename }"}"#.to_vec()))
    };
    call.edited(Edit::SetHeader("cookie".to_owned(), cookie.to_owned()))
}

/// Whether it was served, errors in the body apart.
fn served(answer: &Answer) -> bool {
    let errors = answer.json.as_ref().is_some_and(|it| {
        it.get("errors").is_some() && it.get("data").is_none_or(serde_json::Value::is_null)
    });
    answer.done() && !errors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer};

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = Stage::new().op("GET /things", Effect::Reads, json!({}));
        Fake::new(&stage.world, serve).confirmed(&CookieSwitchTrusted)
    }

    #[test]
    fn finds_switches_only_where_they_are_trusted() {
        let serve = |ask: &Ask, trusts: bool| {
            if ask.path == "/" {
                let mut root = answer(200, json!({}));
                root.headers.push(("set-cookie".to_owned(), "mode=admin:disable; Path=/".to_owned()));
                return root;
            }
            let on = ask.header("cookie") == Some("mode=admin:enable");
            if ask.path == "/things" && on && trusts {
                answer(200, json!({}))
            } else {
                answer(403, json!({}))
            }
        };
        assert_eq!(check(|ask| serve(ask, true)), 1);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        assert_eq!(check(|_| answer(200, json!({}))), 0);
    }

    #[test]
    fn turns_switches_of_all_kinds() {
        for (value, turned) in
            [("false", "true"), ("graphiql:disable", "graphiql:enable"), ("0", "1"), ("guest", "admin")]
        {
            assert_eq!(opposite(value).as_deref(), Some(turned));
        }
        assert_eq!(opposite("c2Vzc2lvbg"), None);
    }
}
