//! A value is read as a part of an SQL statement.
//!
//! Nothing here can widen a statement: no payload holds `OR` or ends the statement, so that one that deletes or changes
//! touches the same rows or fewer.

use std::sync::LazyLock;

use regex::Regex;

use super::probing::{Aim, Pair, number_like, slots, text_like, told_apart};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    oracle::Mask,
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

static INFO: Info = Info {
    id: "sql_injected",
    title: "A value becomes a part of an SQL statement",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 89,
    wfc: Some("F200"),
    remedy: "Hand values to the database as bound parameters, never inside the statement's text. Where a name of a column \
             or an order must be chosen, choose it from a list of known ones.",
    oracle: "Values that only SQL computes to the good value (joined pieces, a true comparison) get the good answer, and \
             their twins that compute to another do not, five times over with fresh words; or an odd number of quotes \
             fails five times where an even one never does, and the failure goes away for an expression that only SQL \
             reads.",
    requests_max: 40,
};

/// Errors of databases, as drivers word them.
static COMPLAINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)SQL syntax|SQLite|unrecognized token: "|near "[^"]*": syntax error|syntax error at or near|unterminated quoted string|ORA-0\d{4}|quoted string not properly terminated|unclosed quotation mark|SQLSTATE|psycopg|MySqlException|Sequelize\w*Error|QueryFailedError|PG::\w+Error|SqlException|sqlalchemy|DB2 SQL error|JDBCException|ADODB"#,
    )
    .ok()
});

/// The check.
pub(super) struct SqlInjected;

impl Check for SqlInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot) || number_like(slot))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        if aim.value().parse::<f64>().is_ok() {
            let found = number(&aim, script)?;
            if found != Verdict::Clean {
                return Ok(found);
            }
            if world.slot(aim.index, &aim.place).is_some_and(number_like) {
                return Ok(Verdict::Clean);
            }
        }
        quoted(&aim, script)
    }
}

/// Where a number stands bare in the statement.
fn number(aim: &Aim<'_>, script: &mut Script<'_>) -> Flow<Verdict> {
    let value = aim.value().to_owned();
    let pair = |script: &mut Script<'_>| {
        let number = script.between(1_000, 9_999);
        Pair::of(format!("{value} AnD {number}={number}"), format!("{value} AnD {number}={}", number + 1))
    };
    let sent = pair(script).same;
    let (_, answer) = aim.send(script, sent.clone())?;
    if !aim.looks_good(&answer, sent.as_str().unwrap_or_default()) {
        return Ok(Verdict::Clean);
    }
    let shown = told_apart(aim, script, &pair)?;
    Ok(verdict(aim, shown, "a comparison behind the number is computed"))
}

/// Where the value stands in quotes, or bare as a name.
fn quoted(aim: &Aim<'_>, script: &mut Script<'_>) -> Flow<Verdict> {
    let value = aim.value().to_owned();
    // Joined pieces: the good value to SQLite, PostgreSQL and Oracle in any place, and to MySQL in a comparison.
    let joined = format!("{value}'||'");
    let (_, by_join) = aim.send(script, joined.clone())?;
    if aim.looks_good(&by_join, &joined) {
        let pair = |script: &mut Script<'_>| {
            let word = script.word(6);
            // A word beside the empty text: kept by the one half, lost by the other.
            Pair::of(format!("{value}'||SUBSTR('{word}',9)||'"), format!("{value}'||SUBSTR('{word}',1)||'"))
        };
        let shown = told_apart(aim, script, &pair)?;
        if shown.is_some() {
            return Ok(verdict(aim, shown, "joined pieces of text are computed"));
        }
    }
    let odd = format!("{value}'\"");
    let (_, by_quote) = aim.send(script, odd.clone())?;
    let word = script.word(5);
    let compared = format!("{value}' AnD '{word}'='{word}");
    let (_, by_comparison) = aim.send(script, compared.clone())?;
    if aim.looks_good(&by_comparison, &compared) {
        let pair = |script: &mut Script<'_>| {
            let word = script.word(6);
            Pair::of(format!("{value}' AnD '{word}'='{word}"), format!("{value}' AnD '{word}'='{word}x"))
        };
        let shown = told_apart(aim, script, &pair)?;
        if shown.is_some() {
            return Ok(verdict(aim, shown, "a comparison behind the text is computed"));
        }
    }
    if failing(&by_quote) && !complains(&aim.good) {
        let found = by_error(aim, script, &value)?;
        if found != Verdict::Clean {
            return Ok(found);
        }
        return name(aim, script, &value);
    }
    let reacted = !aim.alike((&by_quote, &odd), (&by_join, &joined), &Mask::default());
    if reacted && aim.good.done() { name(aim, script, &value) } else { Ok(Verdict::Clean) }
}

/// Whether the answer looks as if a statement had failed.
fn failing(answer: &Answer) -> bool {
    answer.outcome == Outcome::Broken || complains(answer)
}

fn complains(answer: &Answer) -> bool {
    COMPLAINT.as_ref().is_some_and(|it| it.is_match(&answer.text()))
}

/// An odd number of quotes fails each time, an even one never; what only SQL reads does not fail either.
fn by_error(aim: &Aim<'_>, script: &mut Script<'_>, value: &str) -> Flow<Verdict> {
    let mut exchanges = Vec::new();
    let mut complained = true;
    for round in 0..4 {
        let word = script.word(4);
        let (control, even) = aim.send(script, format!("{value}{word}''\"\""))?;
        if failing(&even) || even.outcome == Outcome::Unreached {
            return Ok(Verdict::Clean);
        }
        let (probe, odd) = aim.send(script, format!("{value}{word}'\""))?;
        if !failing(&odd) {
            return Ok(Verdict::Clean);
        }
        complained &= complains(&odd);
        if round < 2 {
            exchanges
                .extend([(probe, if round == 0 { "probe" } else { "confirmation" }), (control, "control")]);
        }
    }
    let mut reads = complained;
    for glue in ["||", "+"] {
        if reads {
            break;
        }
        let word = script.word(5);
        let (_, whole) = aim.send(script, format!("{value}'{glue}LOWER('{word}'){glue}'"))?;
        let (_, unknown) = aim.send(script, format!("{value}'{glue}{word}('{word}'){glue}'"))?;
        reads = !failing(&whole) && failing(&unknown);
    }
    let words = if complained {
        "a quote makes the database complain, a doubled one does not"
    } else {
        "a quote makes the statement fail, a doubled one and a function of SQL do not"
    };
    let summary = format!("`{}` is read as SQL: {words}", aim.place);
    let proof = if reads {
        Proof::confirmed(summary, exchanges, Shield::AttackRule)
    } else {
        Proof::suspected(summary, exchanges, Shield::AttackRule)
    };
    Ok(Verdict::Found(vec![proof]))
}

/// Where a column's name stands bare, as behind `ORDER BY`.
fn name(aim: &Aim<'_>, script: &mut Script<'_>, value: &str) -> Flow<Verdict> {
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || value.is_empty() || value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Verdict::Clean);
    }
    // The whole expression is the column itself; the other half has a function that no database has.
    let pair = |script: &mut Script<'_>| {
        let number = script.between(1_000, 9_999);
        let word = script.word(8);
        Pair::of(
            format!("CASE WHEN {number}={number} THEN {value} END"),
            format!("CASE WHEN {number}={number} THEN {word}({value}) END"),
        )
    };
    let sent = pair(script).same;
    let (_, answer) = aim.send(script, sent.clone())?;
    if !aim.looks_good(&answer, sent.as_str().unwrap_or_default()) {
        return Ok(Verdict::Clean);
    }
    let shown = told_apart(aim, script, &pair)?;
    Ok(verdict(aim, shown, "an expression in place of the name is computed"))
}

fn verdict(aim: &Aim<'_>, shown: Option<Vec<(usize, &'static str)>>, how: &str) -> Verdict {
    match shown {
        Some(exchanges) => Verdict::Found(vec![Proof::confirmed(
            format!("`{}` is read as SQL: {how}", aim.place),
            exchanges,
            Shield::AttackRule,
        )]),
        None => Verdict::Clean,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::{Effect, Place},
        script::rehearse::{Ask, Fake, Stage, answer, query, text},
    };

    /// A tiny reader of what stands between quotes in `x = '…'`: the value that it means, or an error.
    fn sql(written: &str) -> Result<String, ()> {
        if let Some((value, rest)) = written.split_once("' AnD ") {
            let (a, b) = rest.split_once("'='").ok_or(())?;
            return Ok(if a.trim_start_matches('\'') == b { value.to_owned() } else { String::new() });
        }
        if let Some((value, rest)) = written.split_once("'||") {
            let rest = rest.strip_suffix('\'').ok_or(())?;
            return Ok(match rest.strip_suffix("||") {
                None if rest.is_empty() => value.to_owned(),
                None => return Err(()),
                Some(call) if call.contains(",9)") => value.to_owned(),
                Some(call) if call.starts_with("SUBSTR") => format!("{value}+"),
                Some(call) if call.starts_with("LOWER") => format!("{value}+"),
                Some(_) => return Err(()),
            });
        }
        if written.matches('\'').count() % 2 == 1 { Err(()) } else { Ok(written.replace("''", "'")) }
    }

    fn stage() -> Stage {
        Stage::new()
            .op("GET /lamps", Effect::Reads, json!([{"name": "Deck lamp"}]))
            .slot(query("kind"), json!("deck"))
    }

    fn rows(kind: &str) -> serde_json::Value {
        if kind == "deck" { json!([{"name": "Deck lamp"}]) } else { json!([]) }
    }

    #[test]
    fn finds_a_value_in_a_statement_whether_errors_show_or_not() {
        let stage = stage();
        let mut shown = Fake::new(&stage.world, |ask: &Ask| match sql(&ask.text("kind")) {
            Ok(kind) => answer(200, rows(&kind)),
            Err(()) => answer(500, json!({"detail": "an error occurred"})),
        });
        assert_eq!(shown.confirmed(&SqlInjected), 1);
        let mut hidden = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, rows(&sql(&ask.text("kind")).unwrap_or_default()))
        });
        assert_eq!(hidden.confirmed(&SqlInjected), 1);
        // Nothing of the value is ever shown, only whether the statement failed.
        let mut stored = Fake::new(&stage.world, |ask: &Ask| match sql(&ask.text("kind")) {
            Ok(_) => answer(200, rows("deck")),
            Err(()) => answer(500, json!({"detail": "an error occurred"})),
        });
        assert_eq!(stored.confirmed(&SqlInjected), 1);
    }

    #[test]
    fn finds_a_bare_number() {
        let stage =
            Stage::new().op("GET /reviews", Effect::Reads, json!([5])).slot(query("product"), json!(1));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let sent = ask.text("product");
            let holds = sent
                .split_once(" AnD ")
                .is_none_or(|(_, it)| it.split_once('=').is_some_and(|(a, b)| a == b));
            answer(200, if sent.starts_with('1') && holds { json!([5]) } else { json!([]) })
        });
        assert_eq!(fake.confirmed(&SqlInjected), 1);
        // A lenient reader takes the leading digits and nothing else.
        let mut lenient = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, if ask.text("product").starts_with('1') { json!([5]) } else { json!([]) })
        });
        assert!(lenient.all(&SqlInjected).is_empty());
    }

    #[test]
    fn is_silent_where_the_value_is_bound() {
        let stage = stage();
        let mut bound = Fake::new(&stage.world, |ask: &Ask| answer(200, rows(&ask.text("kind"))));
        assert!(bound.all(&SqlInjected).is_empty());
        assert!(bound.calls <= 4, "{}", bound.calls);
        let mut ignoring = Fake::new(&stage.world, |_: &Ask| answer(200, rows("deck")));
        assert!(ignoring.all(&SqlInjected).is_empty());
        let mut strict = Fake::new(&stage.world, |ask: &Ask| match ask.text("kind").as_str() {
            "deck" => answer(200, rows("deck")),
            other => answer(400, json!({"detail": format!("`{other}` is no kind")})),
        });
        assert!(strict.all(&SqlInjected).is_empty());
    }

    #[test]
    fn is_silent_on_pages_that_speak_of_sql_echo_change_or_fail_by_themselves() {
        let stage = stage();
        let mut manual = Fake::new(&stage.world, |_: &Ask| {
            text(200, "text/plain", "You have an error in your SQL syntax; ORA-00933")
        });
        assert!(manual.all(&SqlInjected).is_empty());
        let mut echo = Fake::new(&stage.world, |ask: &Ask| {
            answer(404, json!({"detail": format!("SQL syntax: nothing for {}", ask.text("kind"))}))
        });
        assert!(echo.all(&SqlInjected).is_empty());
        let mut number = 0;
        let mut moody = Fake::new(&stage.world, move |ask: &Ask| {
            number += 1;
            if number % 3 == 0 { answer(500, json!({})) } else { answer(200, rows(&ask.text("kind"))) }
        });
        assert_eq!(moody.confirmed(&SqlInjected), 0);
        let mut visit = 0;
        let mut growing = Fake::new(&stage.world, move |_: &Ask| {
            visit += 1;
            answer(200, json!((0..visit).collect::<Vec<_>>()))
        });
        assert!(growing.all(&SqlInjected).is_empty());
        // Any quote is a mistake, doubled or not.
        let mut crashing = Fake::new(&stage.world, |ask: &Ask| {
            answer(if ask.text("kind").contains('\'') { 500 } else { 200 }, rows("deck"))
        });
        assert_eq!(crashing.confirmed(&SqlInjected), 0);
    }

    #[test]
    fn sends_nothing_that_widens_a_statement() {
        let stage = stage();
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let sent = ask.text("kind").to_lowercase();
            assert!(!sent.contains(" or ") && !sent.contains(';') && !sent.contains("--"), "{sent}");
            answer(200, rows(&sql(&ask.text("kind")).unwrap_or_default()))
        });
        fake.all(&SqlInjected);
        assert!(fake.calls > 4);
        let place: Place = query("kind");
        assert_eq!(SqlInjected.targets(&stage.world).first().and_then(|it| it.slot.clone()), Some(place));
    }
}
