//! The OWASP Core Rule Set loads without a word of complaint, and its inventory is what a count of its text says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_seclang::rules::{Entry, RuleSet, Skip};
use portcullis_seclang::source::{NoFiles, Source};
use portcullis_seclang::syntax::{Phase, Shape, Variable};

fn crs() -> Option<Vec<Source>> {
    let shared = std::env::var_os("PORTCULLIS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(shared.join("crs/rules"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    paths.sort();
    paths.insert(0, shared.join("crs/crs-setup.conf"));
    paths.iter().map(|path| Some(Source::new(path.to_string_lossy(), std::fs::read(path).ok()?))).collect()
}

fn load() -> Option<RuleSet> {
    let Some(sources) = crs() else {
        skipped();
        return None;
    };
    let loaded = portcullis_seclang::load(&sources, &NoFiles).map_err(|diagnostics| {
        let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        lines.join("\n")
    });
    assert_eq!(loaded.as_ref().err(), None);
    loaded.ok()
}

#[expect(clippy::print_stdout, reason = "a test that finds no data says so")]
fn skipped() {
    println!("skipped: the core rule set is not there");
}

#[test]
fn loads_without_a_diagnostic() {
    let Some(rules) = load() else { return };
    let notes: Vec<String> = rules.notes.iter().map(ToString::to_string).collect();
    assert!(notes.is_empty(), "{}", notes.join("\n"));
}

#[test]
fn has_the_inventory_of_its_text() {
    let Some(rules) = load() else { return };
    let by_phase = Phase::ALL
        .map(|phase| rules.phase(phase).iter().filter(|entry| matches!(entry, Entry::Chain(_))).count());
    assert_eq!(by_phase, [173, 292, 43, 109, 13]);
    let links: usize = rules.chains().map(|chain| chain.links.len() - 1).sum();
    assert_eq!(links, 73);
    let markers = rules.phase(Phase::RequestHeaders).len() - 173;
    assert_eq!(markers, 30);
    let mut operators: BTreeMap<&str, usize> = BTreeMap::new();
    let mut variables: BTreeMap<Variable, usize> = BTreeMap::new();
    for condition in rules.chains().flat_map(|chain| &chain.links).filter_map(|link| link.condition.as_ref())
    {
        *operators.entry(condition.operator.name.name()).or_default() += 1;
        for target in &condition.targets {
            *variables.entry(target.variable).or_default() += 1;
        }
    }
    assert_eq!(operators.get("rx"), Some(&318));
    assert_eq!(operators.get("pmFromFile"), Some(&21));
    assert_eq!(operators.values().sum::<usize>(), 695);
    assert_eq!(operators.len(), 19);
    assert_eq!(variables.get(&Variable::Xml), Some(&351));
    assert!(variables.keys().any(|variable| variable.shape() == Shape::Scalar));
    let jumps = rules.chains().filter(|chain| matches!(chain.skip, Some(Skip::After(_)))).count();
    assert_eq!(jumps, 206);
    assert_eq!(rules.chains().map(|chain| chain.metadata.tags.len()).sum::<usize>(), 3089);
    assert_eq!(rules.settings.component_signatures.len(), 1);
}
