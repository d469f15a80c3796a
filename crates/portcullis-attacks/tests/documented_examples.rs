//! What the guide gives as an example is found, by the rule that it stands beside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_attacks::{Class, Field, Hits, Leaf, View, Where, all};

const CLASSES: [Class; 5] = [Class::Sql, Class::Nosql, Class::Ldap, Class::Xpath, Class::Graphql];

/// The rule and example of each row of the table in a class' section.
fn examples(guide: &str, class: Class) -> Vec<(String, String)> {
    let section = guide.split("\n## `").find(|it| it.starts_with(&format!("{}`", class.word())));
    let section = section.unwrap();
    // A bar inside a cell is escaped.
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let row = row.replace("\\|", "\u{1}");
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`')).skip(1);
        let rule = cells.next().unwrap().to_owned();
        (rule, cells.nth(1).unwrap().replace('\u{1}', "|"))
    })
    .collect()
}

fn rules(class: Class, at: Where, value: &[u8]) -> Vec<&'static str> {
    let lower = value.to_ascii_lowercase();
    let view = View {
        text: value,
        lower: &lower,
        leaf: Leaf { at, field: Field::Unknown, name: "x", value },
        depth: 0,
    };
    let mut hits = Hits::new();
    for detector in all().iter().filter(|it| it.class() == class) {
        assert!(
            detector.literals().iter().any(|it| lower.windows(it.len()).any(|bytes| bytes == it.as_bytes()))
        );
        detector.inspect(&view, &mut hits);
    }
    hits.iter().map(|hit| hit.rule).collect()
}

#[test]
fn every_example_of_the_guide_is_found_by_its_rule() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/attacks.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for class in CLASSES {
        let examples = examples(&guide, class);
        assert!(examples.len() >= 3, "{class:?}");
        for (rule, example) in examples {
            if example.is_empty() {
                continue;
            }
            let found = [Where::Query, Where::Name]
                .into_iter()
                .any(|at| rules(class, at, example.as_bytes()).contains(&rule.as_str()));
            assert!(found, "{class:?} {rule} {example:?}");
        }
    }
}
