//! The texts of a rule set in their order: what the gate needs of any, the CRS's settings, ours, then its rules.

use std::path::{Path, PathBuf};

use portcullis_config::{
    Outside, files_matching,
    model::{RuleSource, RuleSourceKind},
    units::FilePath,
};
use portcullis_seclang::{
    CompileOptions, Engine,
    diagnostic::{Diagnostic, Level},
    rules::RuleSet,
    source::Source,
};

use super::{EngineKey, facts, files::RuleFiles, ports::RuleWorld};
use crate::compile::problem::Problem;

/// What rule files expect of the configuration around them. Files that say otherwise come later and win.
const BASE: &str = r#"SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/xml application/json application/problem+json
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/(?:[a-z0-9.+-]+\+)?xml" "id:9000000001,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.+-]+\+)?json" "id:9000000002,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"
"#;

/// The texts that one engine is made from.
#[derive(PartialEq, Eq)]
pub(super) struct RuleTexts(Vec<Source>);

/// An engine, and the data files that its rules name with what they held.
pub(super) struct Made {
    pub(super) engine: Engine,
    pub(super) data: Vec<(String, Vec<u8>)>,
}

impl RuleTexts {
    /// Reads the texts; `None` when one cannot be had, which is told.
    pub(super) fn read(
        rules: &[RuleSource],
        key: &EngineKey,
        exclusions: &str,
        outside: &dyn Outside,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut sources = vec![Source::new("portcullis", format!("{BASE}{exclusions}"))];
        let mut whole = true;
        for rule in rules {
            let read = match &rule.kind {
                RuleSourceKind::Crs(directory) => crs(directory, key, outside),
                RuleSourceKind::Files(patterns) => files(patterns, outside),
            };
            match read {
                Ok(texts) => sources.extend(texts),
                Err(problem) => {
                    whole = false;
                    problems.push(problem.at(rule.origin.to_string()));
                }
            }
        }
        whole.then_some(Self(sources))
    }

    /// Only reads them as rules, without an engine.
    pub(super) fn rules(&self, outside: &dyn Outside) -> Result<RuleSet, Vec<Problem>> {
        let rules = portcullis_seclang::load(&self.0, &RuleFiles::new(outside));
        rules.map_err(|diagnostics| diagnostics.iter().filter_map(problem).collect())
    }

    /// Compiles them, and tells what is wrong with them.
    pub(super) fn compile(&self, world: &RuleWorld, outside: &dyn Outside) -> (Option<Made>, Vec<Problem>) {
        let files = RuleFiles::new(outside);
        let options = CompileOptions { host_variables: facts::NAMES };
        let made = portcullis_seclang::load(&self.0, &files).and_then(|rules| {
            let warnings = rules.notes.iter().filter_map(problem).collect();
            Ok((Engine::compile(rules, &files, world.ports(), &options)?, warnings))
        });
        match made {
            Ok((engine, warnings)) => (Some(Made { engine, data: files.into_read() }), warnings),
            Err(diagnostics) => (None, diagnostics.iter().filter_map(problem).collect()),
        }
    }
}

impl Made {
    /// Whether the data files still hold what they held.
    pub(super) fn is_fresh(&self, outside: &dyn Outside) -> bool {
        self.data.iter().all(|(path, bytes)| {
            outside.read(Path::new(path)).is_ok_and(|text| text.as_bytes() == bytes.as_slice())
        })
    }
}

/// A release of the CRS: its settings, ours, its rules.
fn crs(directory: &Path, key: &EngineKey, outside: &dyn Outside) -> Result<Vec<Source>, Problem> {
    let setup = ["crs-setup.conf", "crs-setup.conf.example"];
    let setup = setup.iter().find_map(|name| read(&directory.join(name), outside).ok());
    let mut sources: Vec<Source> = setup.into_iter().collect();
    let version = if sources.is_empty() { ",setvar:tx.crs_setup_version=400" } else { "" };
    let (level, inbound, outbound) = (key.paranoia, key.inbound_threshold, key.outbound_threshold);
    let text = format!(
        "SecAction \"id:9000000010,phase:1,pass,nolog,t:none,setvar:tx.blocking_paranoia_level={level},\
         setvar:tx.detection_paranoia_level={level},setvar:tx.inbound_anomaly_score_threshold={inbound},\
         setvar:tx.outbound_anomaly_score_threshold={outbound}{version}\"\n"
    );
    sources.push(Source::new("portcullis", text));
    let rules = list(&directory.join("rules"), "*.conf", outside)?;
    for path in &rules {
        sources.push(read(path, outside)?);
    }
    Ok(sources)
}

/// Files of the operator's own.
fn files(patterns: &[FilePath], outside: &dyn Outside) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    for pattern in patterns {
        for path in list(Path::new(""), &pattern.to_string_lossy(), outside)? {
            sources.push(read(&path, outside)?);
        }
    }
    Ok(sources)
}

fn read(path: &Path, outside: &dyn Outside) -> Result<Source, Problem> {
    let text = outside.read(path).map_err(|error| {
        Problem::error("firewall", format!("`{}` cannot be read: {error}", path.display()))
    })?;
    Ok(Source::new(path.to_string_lossy(), text))
}

/// The files of a pattern; none at all is a mistake, for it protects nothing.
fn list(directory: &Path, pattern: &str, outside: &dyn Outside) -> Result<Vec<PathBuf>, Problem> {
    let (base, rest) = match Path::new(pattern).strip_prefix("/") {
        Ok(rest) => (Path::new("/"), rest),
        Err(_) => (directory, Path::new(pattern)),
    };
    let shown = directory.join(pattern);
    let refuse = |why: String| Problem::error("firewall", format!("`{}`: {why}", shown.display()));
    let found = files_matching(base, &rest.to_string_lossy(), outside);
    match found {
        Ok(found) if found.is_empty() => Err(refuse("there are no such files of rules".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// What the rule language has to say, as a problem of the configuration. Notes are for `portcullis rules list`.
fn problem(diagnostic: &Diagnostic) -> Option<Problem> {
    let message = if diagnostic.text.is_empty() {
        diagnostic.message.clone()
    } else {
        format!("{}: `{}`", diagnostic.message, diagnostic.text)
    };
    let problem = match diagnostic.level {
        Level::Error => Problem::error("firewall", message),
        Level::Warning => Problem::warning("firewall", message),
        Level::Note => return None,
    };
    let problem = problem.at(format!("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column));
    Some(match &diagnostic.hint {
        Some(hint) => problem.hint(hint.clone()),
        None => problem,
    })
}
