//! Errors of all kinds and all files come at once, each with its place.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fmt::Write as _;

use portcullis_seclang::diagnostic::Diagnostic;
use portcullis_seclang::load;
use portcullis_seclang::source::{Files, MemoryFiles, NoFiles, Source};

fn shown(diagnostics: &[Diagnostic]) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        writeln!(lines, "{diagnostic}\n    | {}", diagnostic.text).unwrap();
    }
    lines
}

fn failed(sources: &[Source], files: &dyn Files) -> String {
    shown(&load(sources, files).unwrap_err())
}

#[test]
fn reports_every_error_of_a_file_with_its_place() {
    let text = r#"# A file with something wrong in every place.
SecRuleEngin On
SecRule ARG|REQUEST_METHOD:a|!TX:/x "@regex ^a" \
    "id:abc,\
    phase:7,\
    denny,\
    t:lowercas,\
    severity:'HIGH',\
    ctl:ruleEngin=Off,\
    setvar:'args.a=1',\
    msg:'%{TXX.a} %{TX.b',\
    exec:/bin/sh"
SecRule ARGS "@rx never closed \
    "id:2,phase:2,pass"
SecRule ARGS "@rx blank after the backslash \ 
    more"
SecAction "phase:1,pass"
SecAction "id:3,phase:1,pass,skipAfter:NOWHERE"
SecAction "id:4,phase:1,pass"
SecAction "id:4,phase:2,pass"
SecRule ARGS "@rx a" "id:5,phase:2,deny,chain"
    SecRule ARGS "@rx b" "id:6,phase:1,deny,severity:2"
SecRule ARGS "@rx c" "id:7,phase:2,deny,chain"
SecMarker END
SecXmlExternalEntity On
SecRuleUpdateActionById 4:9 "deny"
SecRuleUpdateActionById 4 "id:8"
SecRuleRemoveById 1-x 20-10
SecRuleRemoveByTag "nobody has it"
Include missing.conf
SecAction \"#;
    insta::assert_snapshot!(failed(&[Source::new("etc/rules.conf", text)], &NoFiles));
}

#[test]
fn reports_errors_of_all_sources_and_of_included_files() {
    let files = MemoryFiles::new()
        .with("etc/a.conf", "SecBad On\r\nInclude loop.conf\r\n")
        .with("etc/loop.conf", "Include a.conf\nSecRule FOO \"@rx a\" \"id:1,phase:1\"\n")
        .with("etc/sub/one.conf", "SecAction \"id:10,phase:1,nolog\"\n")
        .with("etc/sub/two.conf", "SecAction \"id:10,phase:1,nolog\"\n");
    let main = Source::new(
        "etc/main.conf",
        "Include a.conf\nInclude sub/*.conf\nInclude none/*.conf\nIncludeOptional none.conf\n",
    );
    let own = Source::new("overrides", "SecRuleRemoveById 10 99\nSecBadToo On\n");
    insta::assert_snapshot!(failed(&[main, own], &files));
}

#[test]
fn a_default_is_complete_suitable_and_said_once() {
    let text = "SecDefaultAction \"phase:1,pass,id:1,msg:'x',t:none\"\nSecDefaultAction \"phase:2\"\nSecDefaultAction \"pass\"\n\
                SecDefaultAction \"phase:3,deny\"\nSecDefaultAction \"phase:3,pass\"\nSecDefaultAction \"phase:4,block\"\n";
    insta::assert_snapshot!(failed(&[Source::new("rules.conf", text)], &NoFiles));
}

#[test]
fn warnings_and_notes_do_not_refuse_a_load() {
    let text = "SecPcreMatchLimit 1000\nSecAuditLog /var/log/x\nSecAction \"id:1\"\nSecRule !ARGS \"@rx a\" \"id:2,phase:2\"\n\
                SecRuleRemoveByTag \"attack-.*\"\nSecRuleUpdateTargetById 1 \"!ARGS:a\"\nSecRuleRemoveById 9\nSecRuleUpdateActionById 9 deny\n";
    let rules = load(&[Source::new("rules.conf", text)], &NoFiles).unwrap();
    insta::assert_snapshot!(shown(&rules.notes));
}

#[test]
fn places_are_right_behind_a_byte_order_mark_tabs_and_crlf() {
    let text = "\u{feff}SecRule ARGS \"@rx a\" \\\r\n\t\"id:1,\\\r\n\tphase:1,bad\"\r\n";
    let found = load(&[Source::new("rules.conf", text)], &NoFiles).unwrap_err();
    let places: Vec<(u32, u32)> =
        found.iter().map(|diagnostic| (diagnostic.line, diagnostic.column)).collect();
    assert_eq!(places, [(3, 10)]);
}

#[test]
fn long_text_is_shortened() {
    let text = format!("SecRule {} \"@rx a\" \"id:1\"", "A".repeat(500));
    let found = load(&[Source::new("rules.conf", text)], &NoFiles).unwrap_err();
    assert!(found.iter().all(|diagnostic| diagnostic.text.len() < 100 && diagnostic.message.len() < 150));
}

#[test]
fn reading_stops_when_too_much_is_wrong() {
    let found = load(&[Source::new("rules.conf", "x\n".repeat(20_000))], &NoFiles).unwrap_err();
    assert_eq!(found.len(), 10_001);
    assert_eq!(found.last().unwrap().message, "reading stops here: too much is wrong");
}

#[test]
fn includes_are_bounded() {
    let mut files = MemoryFiles::new();
    for depth in 0..40 {
        files = files.with(&format!("f{depth}"), format!("Include f{}\nInclude f{}\n", depth + 1, depth + 1));
    }
    let found = load(&[Source::new("main", "Include f0")], &files).unwrap_err();
    assert!(found.iter().any(|diagnostic| diagnostic.message == "files include files more than 16 deep"));
    assert!(found.iter().any(|diagnostic| diagnostic.message == "more than 4096 files"));
}

#[test]
fn a_broken_rule_takes_its_chain_with_it_and_nothing_else() {
    for text in [
        "SecRule FOO \"@rx a\" \"id:1,phase:2,chain\"\nSecRule ARGS \"@rx b\" \"chain\"\nSecRule ARGS \"@rx c\"\nSecAction \"phase:1\"",
        "SecRule ARGS \"@rx a\" \"id:1,phase:2,chain\"\nSecRule FOO \"@rx b\" \"chain\"\nSecRule ARGS \"@rx c\"\nSecAction \"phase:1\"",
        "SecRule ARGS \"@rx a\" \"id:1,phase:2,chain\"\nSecRule FOO \"@rx b\"\nSecAction \"phase:1\"",
        "SecRule ARGS \"@rx \"a\" \"id:1,phase:2,chain\"\nSecRule ARGS \"@rx b\"\nSecAction \"phase:1\"",
    ] {
        let found = load(&[Source::new("rules.conf", text)], &NoFiles).unwrap_err();
        assert_eq!(found.len(), 2, "{text}\n{}", shown(&found));
        assert_eq!(found.last().unwrap().message, "rule has no number");
    }
}
