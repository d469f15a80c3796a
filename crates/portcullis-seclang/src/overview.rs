//! The rules of a set as a list for people: what each is called, where it stands, and whether it can run at all.

use std::sync::Arc;

use crate::compile::fold::{self, Fate};
use crate::rules::{Chain, Entry, RuleSet};
use crate::syntax::{EngineMode, Segment, Severity, Template};

/// One rule, with the rules chained to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOverview {
    /// Its number.
    pub id: u64,
    /// When it runs, 1 to 5.
    pub phase: u8,
    /// How bad a match is.
    pub severity: Option<Severity>,
    /// What is said of a match, macros as written; empty where nothing is.
    pub message: String,
    /// The tags in order, macros as written.
    pub tags: Vec<String>,
    /// Name of the source that holds it.
    pub file: Arc<str>,
    /// Line of its first directive, from 1.
    pub line: u32,
    /// Whether it can ever run and match: constants such as a paranoia level decide that at load.
    pub is_live: bool,
}

impl RuleSet {
    /// Every rule, phase by phase in order. `host_variables` are those of [`crate::CompileOptions`].
    #[must_use]
    pub fn overview(&self, host_variables: &[&str]) -> Vec<RuleOverview> {
        let fates = fold::fates(self, host_variables);
        let steps = self.phases.iter().flatten().zip(fates.into_iter().flatten());
        let rules = steps.filter_map(|(entry, fate)| match entry {
            Entry::Chain(chain) => Some(self.describe(chain, fate)),
            Entry::Marker(_) => None,
        });
        rules.collect()
    }

    fn describe(&self, chain: &Chain, fate: Fate) -> RuleOverview {
        let message = chain.links.iter().find_map(|link| link.msg.as_ref()).map(text);
        RuleOverview {
            id: chain.id,
            phase: chain.phase.number(),
            severity: chain.metadata.severity,
            message: message.unwrap_or_default(),
            tags: chain.metadata.tags.iter().map(text).collect(),
            file: Arc::from(self.file_name(chain.place.file)),
            line: chain.place.line,
            is_live: fate != Fate::Dead && self.settings.rule_engine != EngineMode::Off,
        }
    }
}

/// A template as it was written.
fn text(template: &Template) -> String {
    let segments = template.segments.iter().map(|segment| match segment {
        Segment::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Segment::Macro(reference) => match &reference.key {
            Some(key) => format!("%{{{}.{}}}", reference.variable.name(), String::from_utf8_lossy(key)),
            None => format!("%{{{}}}", reference.variable.name()),
        },
    });
    segments.collect()
}

#[cfg(test)]
mod tests {
    use crate::source::{NoFiles, Source};

    use super::*;

    const RULES: &str = r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.level=1"
SecRule TX:level "@lt 2" "id:2,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS "@contains a" "id:3,phase:2,deny,msg:'Found %{MATCHED_VAR} in %{tx.level}',severity:CRITICAL,tag:'a',tag:'paranoia-level/2'"
SecMarker END
SecRule REQUEST_URI "@contains b" \
    "id:4,phase:1,deny,chain"
    SecRule ARGS "@contains c" "msg:'Of the second'"
"#;

    fn overview(text: &str, host_variables: &[&str]) -> Vec<RuleOverview> {
        crate::load(&[Source::new("own.conf", text)], &NoFiles).unwrap().overview(host_variables)
    }

    #[test]
    fn tells_what_each_rule_is_and_whether_it_can_run() {
        let rules = overview(RULES, &[]);
        let facts: Vec<_> = rules.iter().map(|it| (it.id, it.phase, it.line, it.is_live)).collect();
        assert_eq!(facts, [(1, 1, 2, true), (4, 1, 6, true), (2, 2, 3, true), (3, 2, 4, false)]);
        let third = &rules[3];
        assert_eq!(third.message, "Found %{MATCHED_VAR} in %{TX.level}");
        assert_eq!((third.severity, &*third.file), (Some(Severity::Critical), "own.conf"));
        assert_eq!(third.tags, ["a", "paranoia-level/2"]);
        assert_eq!(rules[1].message, "Of the second");
    }

    #[test]
    fn what_the_host_sets_is_no_constant() {
        let host_sets_it = RULES.replace("SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"", "");
        assert!(overview(&host_sets_it, &["level"]).iter().all(|it| it.is_live));
    }

    #[test]
    fn nothing_runs_where_the_engine_is_off() {
        assert!(overview(&format!("SecRuleEngine Off\n{RULES}"), &[]).iter().all(|it| !it.is_live));
    }
}
