//! The guide's page names every word of the language, and its example is what the loader says.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use portcullis_seclang::load;
use portcullis_seclang::source::{NoFiles, Source};
use portcullis_seclang::syntax::{Collection, Variable};

const PAGE: &str = include_str!("../../../docs/guide/seclang.md");

fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_example_is_what_the_loader_says() {
    let found = load(&[Source::new("rules.conf", block("seclang"))], &NoFiles).unwrap_err();
    let said: String = found.iter().map(|diagnostic| format!("{diagnostic}\n")).collect();
    assert_eq!(said, block("text"));
}

#[test]
fn every_variable_and_collection_is_named() {
    let names = Variable::ALL.iter().map(|variable| variable.name());
    for name in names.chain(Collection::ALL.iter().map(|collection| collection.name())) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_word_that_is_shown_as_one_is_one() {
    for word in PAGE.split('`').skip(1).step_by(2).filter(|word| word.starts_with("Sec")) {
        let found = load(&[Source::new("rules.conf", format!("{word} x"))], &NoFiles);
        let said: Vec<String> =
            found.err().unwrap_or_default().into_iter().map(|found| found.message).collect();
        assert!(!said.iter().any(|message| message.contains("unknown directive")), "{said:?}");
    }
}
