//! `except:` for rules → rules of the engine's own language that take rules or targets away. Each is bound to a number
//! that the operations it holds for bring along.

use std::fmt::Write as _;

use portcullis_config::model::{Config, Exception};

use super::facts::EXCLUSIONS;
use crate::compile::{chain::Subject, exceptions, problem::Problem};

/// The first number of the rules that are made here, far from the ranges that rule sets have reserved.
pub(super) const FIRST_ID: u64 = 9_000_000_100;

/// The numbers of all rules but those of the gate itself.
const ALL: &str = "1-8999999999";

/// Every exception that speaks of rules, of all APIs in order: its place is its number.
fn all(config: &Config) -> impl Iterator<Item = (&str, &Exception)> {
    let of_rules = |it: &&Exception| it.rule.starts_with("rules/");
    config.apis.iter().flat_map(move |(name, api)| {
        api.except.iter().filter(of_rules).map(move |exception| (&**name, exception))
    })
}

/// The numbers of those that hold for an operation.
pub(super) fn numbers(config: &Config, subject: &Subject<'_>) -> Vec<usize> {
    let holds = |exception: &Exception| {
        exception.operation.as_ref().is_none_or(|key| exceptions::names(key, subject))
    };
    let here = |(api, exception): (&str, &Exception)| api == &**subject.name && holds(exception);
    all(config).enumerate().filter(|(_, it)| here(*it)).map(|(number, _)| number).collect()
}

/// The rules that take away what is excepted.
pub(super) fn text(config: &Config, problems: &mut Vec<Problem>) -> String {
    let mut text = String::new();
    for (number, (api, exception)) in all(config).enumerate() {
        let what = exception.rule.strip_prefix("rules/").unwrap_or_default();
        let field = exception.field.as_deref();
        match removals(what, field) {
            Ok(actions) => {
                let id = FIRST_ID + number as u64;
                let _infallible = writeln!(
                    text,
                    "SecRule TX:{EXCLUSIONS} \"@contains ,{number},\" \"id:{id},phase:1,pass,nolog,{actions}\""
                );
            }
            Err(message) => {
                problems.push(Problem::error(format!("api {api}"), message).hint(
                    "write the rule's number, `rules/942100`, or a tag of its rules, `rules/attack-sqli`",
                ));
            }
        }
    }
    text
}

/// Whether an exception from `what` (`942100`, a tag, `*`) takes a rule in.
pub(super) fn speaks_of(what: &str, id: u64, tags: &[String]) -> bool {
    what == "*" || what.parse() == Ok(id) || tags.iter().any(|tag| tag == what)
}

/// The actions that remove a rule, or take a field out of its sight.
fn removals(what: &str, field: Option<&str>) -> Result<String, String> {
    let is_number = !what.is_empty() && what.bytes().all(|byte| byte.is_ascii_digit());
    let is_tag = what.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    let (kind, what) = match what {
        "*" => ("Id", ALL),
        _ if is_number => ("Id", what),
        _ if is_tag && !what.is_empty() => ("Tag", what),
        _ => return Err(format!("there is no rule `rules/{what}`")),
    };
    if kind == "Id" && what == ALL && field.is_none() {
        // Taking each rule away would take away what sets constants too, and with them what never runs as it is.
        return Ok("ctl:ruleEngine=Off".to_owned());
    }
    let Some(field) = field else { return Ok(format!("ctl:ruleRemoveBy{kind}={what}")) };
    let targets = targets(field).ok_or_else(|| format!("`{field}` is no field that rules can leave out"))?;
    let actions: Vec<String> =
        targets.iter().map(|target| format!("ctl:ruleRemoveTargetBy{kind}={what};{target}")).collect();
    Ok(actions.join(","))
}

/// A field as the rule language names it: `/lines/*/note` in a body, or a parameter, header field or cookie.
fn targets(field: &str) -> Option<Vec<String>> {
    let is_plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]$@".contains(&byte))
    };
    let Some(pointer) = field.strip_prefix('/') else {
        let collections = ["ARGS", "ARGS_NAMES", "REQUEST_HEADERS", "REQUEST_COOKIES"];
        return is_plain(field).then(|| collections.iter().map(|it| format!("{it}:{field}")).collect());
    };
    let steps: Vec<&str> = pointer.split('/').collect();
    if !steps.iter().all(|step| *step == "*" || is_plain(step)) {
        return None;
    }
    if steps.contains(&"*") {
        let escaped = |step: &&str| match *step {
            "*" => "[^.]+".to_owned(),
            step => step.replace(['.', '[', ']', '$'], "."),
        };
        let steps: Vec<String> = steps.iter().map(escaped).collect();
        return Some(vec![format!("ARGS:/^json\\.{}$/", steps.join("\\."))]);
    }
    let path = steps.join(".");
    let mut targets = vec![format!("ARGS:json.{path}")];
    // The field of a form stands at the top.
    targets.extend((steps.len() == 1).then(|| format!("ARGS:{path}")));
    Some(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_a_rule_or_a_field_of_it() {
        for (what, field, expected) in [
            ("942100", None, Ok("ctl:ruleRemoveById=942100")),
            ("attack-sqli", None, Ok("ctl:ruleRemoveByTag=attack-sqli")),
            ("*", None, Ok("ctl:ruleEngine=Off")),
            ("*", Some("/a/b"), Ok("ctl:ruleRemoveTargetById=1-8999999999;ARGS:json.a.b")),
            (
                "942100",
                Some("/note"),
                Ok(
                    "ctl:ruleRemoveTargetById=942100;ARGS:json.note,ctl:ruleRemoveTargetById=942100;ARGS:note",
                ),
            ),
            (
                "942100",
                Some("/lines/*/note"),
                Ok("ctl:ruleRemoveTargetById=942100;ARGS:/^json\\.lines\\.[^.]+\\.note$/"),
            ),
            ("942100", Some("a\"b"), Err("`a\"b` is no field that rules can leave out".to_owned())),
            ("a b", None, Err("there is no rule `rules/a b`".to_owned())),
            ("", None, Err("there is no rule `rules/`".to_owned())),
        ] {
            assert_eq!(removals(what, field), expected.map(str::to_owned), "{what} {field:?}");
        }
        assert!(removals("1", Some("q")).is_ok_and(|it| it.contains("ARGS:q") && it.contains("COOKIES:q")));
    }

    #[test]
    fn knows_which_rules_an_exception_takes_in() {
        let tags = ["attack-sqli".to_owned()];
        for (what, expected) in
            [("942100", true), ("attack-sqli", true), ("*", true), ("94210", false), ("attack", false)]
        {
            assert_eq!(speaks_of(what, 942_100, &tags), expected, "{what}");
        }
    }
}
