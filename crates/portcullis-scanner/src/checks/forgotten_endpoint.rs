//! Old versions, debug pages, configuration and backups are still served.

use serde_json::Value;

use super::parts::{
    catch_all::catch_all,
    leaves::{leaves, substantial},
    own,
};
use crate::{
    call::{ANONYMOUS, Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, OperationIndex},
    oracle::{Mask, similarity},
    script::{Flow, Script},
    wire::Answer,
    world::World,
};

/// The check.
pub(super) struct ForgottenEndpoint;

static INFO: Info = Info {
    id: "forgotten_endpoint",
    title: "Something that should not be reachable is served",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API9:2023",
    cwe: 1059,
    wfc: Some("F210"),
    remedy: "Serve only what the description declares; keep debug pages, configuration, backups and old versions off \
             the server, not merely unlinked.",
    oracle: "Two random names show first what the server answers where there is nothing. Then usual paths are asked \
             for: the content must look like what the path says (a heap of settings, a dump, a repository's \
             configuration). Old versions of declared paths must show a user's data without a credential, or what the \
             current version refuses. Each is asked for twice.",
    requests_max: 60,
};

/// A path with what its content must look like.
struct Place {
    path: &'static str,
    what: &'static str,
    severity: Severity,
    looks: fn(&Answer) -> bool,
}

const PLACES: &[Place] = &[
    Place { path: "/.env", what: "configuration with secrets", severity: Severity::High, looks: settings },
    Place {
        path: "/.git/config",
        what: "a repository's configuration",
        severity: Severity::Medium,
        looks: git_config,
    },
    Place { path: "/.git/HEAD", what: "a repository", severity: Severity::Medium, looks: git_head },
    Place { path: "/actuator/env", what: "the environment", severity: Severity::High, looks: actuator_env },
    Place { path: "/actuator", what: "management endpoints", severity: Severity::High, looks: actuator },
    Place { path: "/debug/vars", what: "inner state", severity: Severity::Medium, looks: variables },
    Place { path: "/debug/pprof/", what: "a profiler", severity: Severity::Medium, looks: profiler },
    Place { path: "/backup.sql", what: "a dump of the data", severity: Severity::Critical, looks: dump },
    Place { path: "/dump.sql", what: "a dump of the data", severity: Severity::Critical, looks: dump },
    Place { path: "/db.sql", what: "a dump of the data", severity: Severity::Critical, looks: dump },
    Place { path: "/backup.zip", what: "a backup", severity: Severity::Critical, looks: archive },
    Place { path: "/backup.tar.gz", what: "a backup", severity: Severity::Critical, looks: archive },
    Place {
        path: "/config.json",
        what: "configuration with secrets",
        severity: Severity::High,
        looks: secrets_json,
    },
    Place {
        path: "/server-status",
        what: "the server's status",
        severity: Severity::Low,
        looks: server_status,
    },
    Place {
        path: "/phpinfo.php",
        what: "the interpreter's settings",
        severity: Severity::Medium,
        looks: php_info,
    },
    Place { path: "/console", what: "a debugger's console", severity: Severity::Critical, looks: console },
    Place { path: "/trace", what: "recorded calls", severity: Severity::High, looks: traces },
    Place { path: "/h2-console/", what: "a database console", severity: Severity::High, looks: h2_console },
    Place { path: "/.DS_Store", what: "a folder's index", severity: Severity::Low, looks: ds_store },
];

impl Check for ForgottenEndpoint {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut targets = vec![Target::server("paths")];
        let versioned = world.reached().filter(|(index, operation, good)| {
            let plain = operation.effect == Effect::Reads && good.recipe.len() <= 1;
            plain
                && operation.rest().is_some_and(|(_, path)| version(path).is_some())
                && !own::open_to_all(world, *index)
        });
        targets.extend(versioned.take(6).map(|(index, _, _)| Target {
            operation: Some(index),
            slot: None,
            variant: "version".to_owned(),
        }));
        let open = world.reached().filter(|(_, operation, _)| {
            operation.effect == Effect::Reads && operation.rest().is_some_and(|(method, _)| method == "GET")
        });
        targets.extend(open.take(12).map(|(index, _, _)| Target {
            operation: Some(index),
            slot: None,
            variant: "parameter".to_owned(),
        }));
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        match (target.operation, target.variant.as_str()) {
            (Some(index), "version") => older(world, script, index),
            (Some(index), _) => undeclared(world, script, index),
            (None, _) => paths(world, script),
        }
    }
}

fn paths(world: &World, script: &mut Script<'_>) -> Flow<Verdict> {
    let nothing = catch_all(script, "/")?;
    let declared =
        |path: &str| world.model.operations.iter().any(|it| it.rest().is_some_and(|(_, own)| own == path));
    let mut proofs: Vec<Proof> = Vec::new();
    for place in PLACES {
        if declared(place.path) || proofs.iter().any(|it| it.variant.starts_with(place.path)) {
            continue;
        }
        let (number, answer) = script.send(Call::bare("GET", place.path, ANONYMOUS))?;
        if !answer.done() || nothing.covers(&answer) || !(place.looks)(&answer) {
            continue;
        }
        let (again, second) = script.send(Call::bare("GET", place.path, ANONYMOUS))?;
        if second.done() && (place.looks)(&second) {
            let exchanges = vec![(nothing.number, "control"), (number, "probe"), (again, "confirmation")];
            let shield = Shield::MethodDeny { method: "GET".to_owned(), path: place.path.to_owned() };
            let mut proof =
                Proof::confirmed(format!("`{}` shows {}", place.path, place.what), exchanges, shield);
            proof.severity = Some(place.severity);
            place.path.clone_into(&mut proof.variant);
            proofs.push(proof);
        }
    }
    Ok(if proofs.is_empty() { Verdict::Clean } else { Verdict::Found(proofs) })
}

fn is_page(answer: &Answer) -> bool {
    answer.media() == "text/html" || answer.text().trim_start().starts_with('<')
}

/// Three lines at least of `NAME=value`, one of them named like a secret.
fn settings(answer: &Answer) -> bool {
    let text = answer.text();
    let named = |line: &&str| {
        line.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .trim_start_matches("export ")
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'_')
        })
    };
    let lines: Vec<&str> = text.lines().filter(named).collect();
    let secret = ["SECRET", "PASSWORD", "KEY", "TOKEN", "DATABASE_URL", "DSN"];
    !is_page(answer)
        && lines.len() >= 2
        && lines.iter().any(|line| secret.iter().any(|it| line.to_ascii_uppercase().contains(it)))
}

fn git_config(answer: &Answer) -> bool {
    !is_page(answer) && answer.text().contains("[core]") && answer.text().contains('=')
}

fn git_head(answer: &Answer) -> bool {
    answer.text().trim_start().starts_with("ref: refs/")
}

fn keys(answer: &Answer, wanted: &[&str]) -> bool {
    let members = answer.json.as_ref().and_then(Value::as_object);
    members.is_some_and(|it| wanted.iter().any(|key| it.contains_key(*key)))
}

fn actuator(answer: &Answer) -> bool {
    (keys(answer, &["_links"]) && answer.text().contains("actuator")) || actuator_env(answer)
}

fn actuator_env(answer: &Answer) -> bool {
    keys(answer, &["propertySources", "activeProfiles", "systemProperties", "systemEnvironment"])
}

fn variables(answer: &Answer) -> bool {
    keys(answer, &["cmdline", "memstats", "goroutines", "env", "config", "heap"])
}

fn profiler(answer: &Answer) -> bool {
    answer.text().contains("goroutine") && answer.text().contains("heap")
}

fn dump(answer: &Answer) -> bool {
    let text = answer.text();
    !is_page(answer)
        && text.contains("INSERT INTO")
        && (text.contains("CREATE TABLE") || text.contains("VALUES"))
}

fn archive(answer: &Answer) -> bool {
    let body = answer.body.as_ref();
    body.starts_with(b"PK\x03\x04") || body.starts_with(&[0x1f, 0x8b])
}

fn secrets_json(answer: &Answer) -> bool {
    let all = answer.json.as_ref().map(leaves).unwrap_or_default();
    all.into_iter().any(|(pointer, value)| {
        let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let secret =
            ["password", "secret", "private_key", "privatekey", "db_pass"].iter().any(|it| name.contains(it));
        secret && value.as_str().is_some_and(|it| it.len() >= 6)
    })
}

fn server_status(answer: &Answer) -> bool {
    answer.text().contains("Server uptime") && answer.text().contains("Total accesses")
}

fn php_info(answer: &Answer) -> bool {
    answer.text().contains("PHP Version") && answer.text().contains("phpinfo")
}

fn console(answer: &Answer) -> bool {
    let text = answer.text();
    text.contains("Werkzeug") && (text.contains("EVALEX") || text.contains("Interactive Console"))
}

fn traces(answer: &Answer) -> bool {
    let text = answer.text();
    answer.json.is_some()
        && text.contains("\"headers\"")
        && (text.contains("\"request\"") || text.contains("\"traces\""))
}

fn h2_console(answer: &Answer) -> bool {
    answer.text().contains("H2 Console")
}

fn ds_store(answer: &Answer) -> bool {
    answer.body.starts_with(b"\x00\x00\x00\x01Bud1")
}

/// The version in a path, as the segment with its number: `v2`.
fn version(path: &str) -> Option<(&str, u32)> {
    path.split('/').find_map(|segment| {
        let number = segment.strip_prefix('v')?.parse::<u32>().ok()?;
        (number < 100).then_some((segment, number))
    })
}

/// The same path in other versions, without a credential: it must not show what the current one keeps for its caller.
fn older(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Verdict> {
    let Some((_, path)) = world.model.operation(index).and_then(|it| it.rest()) else {
        return Ok(Verdict::Clean);
    };
    let Some((segment, number)) = version(path) else { return Ok(Verdict::Clean) };
    let by = own::strangers(world).map_or(ANONYMOUS, |(owner, _)| owner.id);
    let call = world.prepare(script, index, by)?.call.by(by);
    let (baseline, good) = script.send(call.clone())?;
    let (control, open) = script.send(call.by(ANONYMOUS))?;
    if !good.done() || !substantial(&good) || open.done() {
        return Ok(Verdict::Clean);
    }
    let target = good.request.target.clone();
    let beside = [number.checked_sub(1), number.checked_sub(2), number.checked_add(1)];
    for other in beside.into_iter().flatten() {
        let name = format!("v{other}");
        let declared = world
            .model
            .operations
            .iter()
            .any(|it| it.rest().is_some_and(|(_, own)| own == path.replacen(segment, &name, 1)));
        if declared {
            continue;
        }
        let moved = target.replacen(&format!("/{segment}/"), &format!("/{name}/"), 1);
        let (probe, answer) = script.send(Call::bare("GET", &moved, ANONYMOUS))?;
        if !answer.done() || !shares(&good, &answer) {
            continue;
        }
        let nothing = format!("/{name}/{}", script.word(14));
        let (nowhere, none) = script.send(Call::bare("GET", &nothing, ANONYMOUS))?;
        let (again, second) = script.send(Call::bare("GET", &moved, ANONYMOUS))?;
        if second.done() && shares(&good, &second) && !shares(&good, &none) {
            let exchanges = vec![
                (baseline, "baseline"),
                (control, "control"),
                (probe, "probe"),
                (nowhere, "control"),
                (again, "confirmation"),
            ];
            let words = format!(
                "version `{name}` is still there and shows to anybody what `{segment}` keeps for its caller"
            );
            let shield =
                Shield::MethodDeny { method: "GET".to_owned(), path: path.replacen(segment, &name, 1) };
            let mut proof = Proof::confirmed(words, exchanges, shield);
            "version".clone_into(&mut proof.variant);
            return Ok(Verdict::Found(vec![proof]));
        }
    }
    Ok(Verdict::Clean)
}

/// Whether two values that are no mere words stand in both answers.
fn shares(one: &Answer, other: &Answer) -> bool {
    let all = one.json.as_ref().map(leaves).unwrap_or_default();
    let telling = all.into_iter().filter(|(_, value)| super::parts::leaves::rare(value));
    telling.filter(|(_, value)| other.holds(&super::parts::leaves::text_of(value))).count() >= 1
        && similarity(one, other, &Mask::default()).share >= 0.3
}

/// Parameters that nobody declared, by which services are told to say more; members come that are not there without.
fn undeclared(world: &World, script: &mut Script<'_>, index: OperationIndex) -> Flow<Verdict> {
    let by = if own::open_to_all(world, index) {
        ANONYMOUS
    } else {
        own::strangers(world).map_or(ANONYMOUS, |(_, stranger)| stranger.id)
    };
    let call = world.prepare(script, index, by)?.call.by(by);
    let (baseline, plain) = script.send(call.clone())?;
    if !plain.done() || plain.json.is_none() {
        return Ok(Verdict::Clean);
    }
    let pairs = ["debug=1", "verbose=true", "internal=true", "admin=true"];
    let declared: Vec<&str> = world.slots(index).iter().map(|slot| slot.place.name()).collect();
    let pairs: Vec<&str> =
        pairs.into_iter().filter(|pair| !declared.iter().any(|own| pair.starts_with(own))).collect();
    let query = |pairs: &[&str]| {
        let sign = if plain.request.target.contains('?') { '&' } else { '?' };
        Edit::AppendTarget(format!("{sign}{}", pairs.join("&")))
    };
    let (probe, more) = script.send(call.clone().edited(query(&pairs)))?;
    let fresh =
        |it: &Answer| names(it).into_iter().filter(|name| !names(&plain).contains(name)).collect::<Vec<_>>();
    if !more.done() || fresh(&more).is_empty() {
        return Ok(Verdict::Clean);
    }
    let nonsense = format!("{}=1", script.word(10));
    let (control, other) = script.send(call.clone().edited(query(&[&nonsense])))?;
    if !fresh(&other).is_empty() {
        return Ok(Verdict::Clean);
    }
    for pair in pairs {
        let (again, second) = script.send(call.clone().edited(query(&[pair])))?;
        let members = fresh(&second);
        // An error or an echo of the parameter is no member of the object.
        let name = pair.split('=').next().unwrap_or_default();
        if second.done() && members.iter().any(|it| !it.contains(name)) {
            let exchanges =
                vec![(baseline, "baseline"), (probe, "probe"), (control, "control"), (again, "confirmation")];
            let words = format!("the undeclared parameter `{pair}` shows {}", members.join(", "));
            let mut proof = Proof::confirmed(words, exchanges, Shield::Schema);
            proof.severity = Some(Severity::Medium);
            proof.slot = Some(crate::model::Place::Query(name.into()));
            "parameter".clone_into(&mut proof.variant);
            return Ok(Verdict::Found(vec![proof]));
        }
    }
    Ok(Verdict::Clean)
}

/// Names of members, without list positions.
fn names(answer: &Answer) -> std::collections::BTreeSet<String> {
    let all = answer.json.as_ref().map(leaves).unwrap_or_default();
    all.into_iter()
        .map(|(pointer, _)| {
            pointer
                .split('/')
                .filter(|it| !it.bytes().all(|byte| byte.is_ascii_digit()))
                .collect::<Vec<_>>()
                .join(".")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, path, text};

    fn found(service: impl FnMut(&Ask) -> Answer) -> Vec<String> {
        let world = Stage::new().world;
        Fake::new(&world, service).all(&ForgottenEndpoint).into_iter().map(|it| it.variant).collect()
    }

    #[test]
    fn finds_settings_and_dumps_that_look_like_them() {
        let service = |ask: &Ask| match ask.path.as_str() {
            "/.env" => text(200, "text/plain", "DEBUG=1\nDB_PASSWORD=hunter22\n"),
            "/backup.sql" => text(200, "text/plain", "CREATE TABLE a (b);\nINSERT INTO a VALUES (1);\n"),
            _ => answer(404, json!({})),
        };
        assert_eq!(found(service), ["/.env", "/backup.sql"]);
    }

    #[test]
    fn is_silent_where_everything_is_answered_well_or_looks_otherwise() {
        let page = "<html>welcome PASSWORD=x\nKEY=y\nINSERT INTO CREATE TABLE</html>";
        assert!(found(|_| text(200, "text/html", page)).is_empty());
        assert!(found(|ask| text(200, "text/plain", &format!("you asked for {}", ask.path))).is_empty());
    }

    #[test]
    fn finds_an_old_version_that_asks_nobody() {
        let stage = Stage::new()
            .op("GET /v2/customers/{id}", Effect::Reads, json!({"name": "abcdefgh", "n": 1}))
            .slot(path("id"), json!(7));
        let count = |old: bool| {
            let service = move |ask: &Ask| match ask.path.as_str() {
                "/v2/customers/7" if ask.credential.is_some() => {
                    answer(200, json!({"name": "abcdefgh", "n": 1}))
                }
                "/v1/customers/7" if old => answer(200, json!({"name": "abcdefgh", "n": 1})),
                _ => answer(404, json!({})),
            };
            Fake::new(&stage.world, service).all(&ForgottenEndpoint).len()
        };
        assert_eq!(count(true), 1);
        assert_eq!(count(false), 0);
    }
}
