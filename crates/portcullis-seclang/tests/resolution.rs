//! What becomes of rules when defaults, updates, removals, chains and jumps are applied.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use portcullis_seclang::load;
use portcullis_seclang::rules::{Chain, Disruption, Effect, Entry, RuleSet, Skip};
use portcullis_seclang::source::{MemoryFiles, NoFiles, Source};
use portcullis_seclang::syntax::{Phase, TargetMode, Template, Variable};
use portcullis_seclang::transformations::Transformation;

fn rules(text: &str) -> RuleSet {
    load(&[Source::new("rules.conf", text)], &NoFiles)
        .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        .unwrap()
}

fn errors(text: &str) -> Vec<String> {
    let found = load(&[Source::new("rules.conf", text)], &NoFiles).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

fn chain(set: &RuleSet, id: u64) -> Chain {
    set.chains().find(|chain| chain.id == id).unwrap().clone()
}

/// A phase as a line: numbers of rules and names of markers.
fn order(set: &RuleSet, phase: Phase) -> Vec<String> {
    set.phase(phase)
        .iter()
        .map(|entry| match entry {
            Entry::Chain(chain) => chain.id.to_string(),
            Entry::Marker(name) => format!("<{}>", String::from_utf8_lossy(name)),
        })
        .collect()
}

#[test]
fn defaults_hold_for_their_phase_wherever_they_stand() {
    let set = rules(
        "SecRule ARGS \"@rx a\" \"id:1,phase:2,block,t:trim\"\nSecRule ARGS \"@rx a\" \"id:2,phase:2,block,t:none,t:trim,log,status:404\"\n\
         SecRule ARGS \"@rx a\" \"id:3,phase:1,block\"\nSecRule ARGS \"@rx a\" \"id:4,phase:2,tag:own\"\n\
         SecDefaultAction \"phase:2,deny,status:418,nolog,t:lowercase,tag:all,setvar:tx.hit=1\"",
    );
    let first = chain(&set, 1);
    assert_eq!((first.disruption, first.status, first.log), (Disruption::Deny, Some(418), false));
    assert_eq!(first.links[0].transformations, [Transformation::Lowercase, Transformation::Trim]);
    assert!(matches!(first.links[0].effects[0].value, Effect::SetVar(_)));
    let second = chain(&set, 2);
    assert_eq!((second.status, second.log, second.audit_log), (Some(404), true, true));
    assert_eq!(second.links[0].transformations, [Transformation::Trim]);
    assert_eq!(chain(&set, 3).disruption, Disruption::Pass);
    let fourth = chain(&set, 4);
    assert_eq!(fourth.disruption, Disruption::Pass);
    assert_eq!(fourth.metadata.tags, [Template::literal(*b"all"), Template::literal(*b"own")]);
}

#[test]
fn chained_rules_become_links_and_settings_do_not_break_them() {
    let set = rules(
        "SecRule ARGS \"@rx a\" \"id:1,phase:1,deny,chain,capture,setvar:tx.a=1\"\n  SecRule TX:1 \"@rx b\" \"chain,t:trim,logdata:x\"\n\
         SecArgumentsLimit 5\n  SecAction \"setvar:tx.b=1,tag:late\"\nSecAction \"id:2,phase:1\"",
    );
    let first = chain(&set, 1);
    assert_eq!(first.links.len(), 3);
    assert!(first.links[0].capture && !first.links[1].capture);
    assert_eq!(first.links[1].logdata, Some(Template::literal(*b"x")));
    assert!(first.links[2].condition.is_none());
    assert_eq!(first.metadata.tags.len(), 1);
    assert_eq!(order(&set, Phase::RequestHeaders), ["1", "2"]);
}

#[test]
fn a_chain_that_does_not_go_on_is_an_error() {
    for text in [
        "SecRule ARGS \"@rx a\" \"id:1,phase:1,chain\"",
        "SecRule ARGS \"@rx a\" \"id:1,phase:1,chain\"\nSecMarker X\nSecAction \"id:2,phase:1\"",
    ] {
        assert_eq!(errors(text).len(), 1, "{text}");
    }
}

#[test]
fn only_the_first_rule_of_a_chain_says_what_happens() {
    for action in [
        "deny",
        "block",
        "pass",
        "id:5",
        "phase:2",
        "status:400",
        "skip:1",
        "skipAfter:X",
        "severity:1",
        "rev:1",
        "ver:1",
        "maturity:1",
        "accuracy:1",
    ] {
        let found = errors(&format!(
            "SecRule ARGS \"@rx a\" \"id:1,phase:2,deny,chain\"\nSecRule ARGS \"@rx b\" \"{action}\"\nSecMarker X"
        ));
        assert_eq!(found.len(), 1, "{action}: {found:?}");
        assert!(found[0].contains("belongs to the first rule of a chain"), "{found:?}");
    }
}

#[test]
fn numbers_are_unique_over_all_kinds_and_files() {
    let sources = [
        Source::new("a", "SecAction \"id:1,phase:1\""),
        Source::new("b", "\nSecRule ARGS a \"id:1,phase:2\""),
    ];
    let found = load(&sources, &NoFiles).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "b:2:1: error: rule 1 is there already, at a:1:1 (numbers are unique in a rule set)"
    );
}

#[test]
fn markers_stand_in_every_phase_and_jumps_go_forward() {
    let set = rules(
        "SecAction \"id:1,phase:1,skipAfter:END\"\nSecAction \"id:2,phase:2,skip:2\"\nSecMarker \"END\"\nSecAction \"id:3,phase:1\"",
    );
    assert_eq!(order(&set, Phase::RequestHeaders), ["1", "<END>", "3"]);
    assert_eq!(order(&set, Phase::RequestBody), ["2", "<END>"]);
    assert_eq!(order(&set, Phase::Logging), ["<END>"]);
    assert_eq!(chain(&set, 1).skip, Some(Skip::After((*b"END").into())));
    assert_eq!(chain(&set, 2).skip, Some(Skip::Rules(2)));
    let back = errors("SecMarker END\nSecAction \"id:1,phase:1,skipAfter:END\"");
    assert!(back[0].contains("no marker `END` comes later"), "{back:?}");
}

#[test]
fn a_rule_is_a_place_to_jump_to_within_its_phase_even_when_removed() {
    let set = rules(
        "SecAction \"id:1,phase:1,skipAfter:3\"\nSecAction \"id:2,phase:1\"\nSecAction \"id:3,phase:1\"\nSecRuleRemoveById 3",
    );
    assert_eq!(order(&set, Phase::RequestHeaders), ["1", "2", "<3>"]);
    assert_eq!(errors("SecAction \"id:1,phase:1,skipAfter:3\"\nSecAction \"id:3,phase:2\"").len(), 1);
}

#[test]
fn rules_are_removed_by_number_tag_and_message_wherever_that_stands() {
    let base = "SecAction \"id:1,phase:1,tag:a,msg:'one'\"\nSecAction \"id:2,phase:1,tag:b,msg:'two'\"\nSecAction \"id:10,phase:1,tag:a\"\n";
    let left = |removal: &str| {
        let before = order(&rules(&format!("{removal}\n{base}")), Phase::RequestHeaders);
        assert_eq!(before, order(&rules(&format!("{base}{removal}")), Phase::RequestHeaders));
        before
    };
    assert_eq!(left("SecRuleRemoveById 1 9-11"), ["2"]);
    assert_eq!(left("SecRuleRemoveById \"1,2\""), ["10"]);
    assert_eq!(left("SecRuleRemoveByTag a"), ["2"]);
    assert_eq!(left("SecRuleRemoveByMsg \"two\""), ["1", "10"]);
    assert_eq!(left("SecRuleRemoveByTag A"), ["1", "2", "10"]);
}

#[test]
fn a_removed_rule_need_not_jump_anywhere() {
    assert!(errors("SecAction \"id:1,phase:1,skipAfter:NOWHERE\"\nSecRuleRemoveById 1").is_empty());
}

#[test]
fn targets_are_added_and_left_out() {
    let base = "SecRule ARGS|!ARGS:x \"@rx a\" \"id:1,phase:2,tag:a,msg:'m'\"\nSecRule ARGS \"@rx a\" \"id:2,phase:2,tag:b\"\n";
    let seen = |update: &str, id: u64| {
        let condition = chain(&rules(&format!("{update}\n{base}")), id).links[0].condition.clone().unwrap();
        assert!(condition.targets.iter().all(|target| target.mode != TargetMode::Exclude));
        assert!(condition.exclusions.iter().all(|target| target.mode == TargetMode::Exclude));
        let names = |targets: Vec<_>| {
            targets.into_iter().map(|target: Variable| target.name()).collect::<Vec<_>>().join(" ")
        };
        let targets = condition.targets.iter().map(|target| target.variable).collect();
        let exclusions = condition.exclusions.iter().map(|target| target.variable).collect();
        format!("{} ! {}", names(targets), names(exclusions))
    };
    assert_eq!(
        seen("SecRuleUpdateTargetById 1 \"!TX:a|REQUEST_URI|&FILES\"", 1),
        "ARGS REQUEST_URI FILES ! ARGS TX"
    );
    assert_eq!(seen("SecRuleUpdateTargetById 1-5 !TX:a", 2), "ARGS ! TX");
    assert_eq!(seen("SecRuleUpdateTargetByTag a !TX:a", 1), "ARGS ! ARGS TX");
    assert_eq!(seen("SecRuleUpdateTargetByTag a !TX:a", 2), "ARGS ! ");
    assert_eq!(seen("SecRuleUpdateTargetByMsg m !TX:a", 1), "ARGS ! ARGS TX");
}

#[test]
fn actions_are_updated_one_by_one() {
    let base = "SecRule ARGS \"@rx a\" \"id:1,phase:2,deny,status:403,msg:'old',tag:a,t:none,t:trim,chain\"\nSecRule ARGS \"@rx b\" \"t:length\"\n";
    let updated = |update: &str| chain(&rules(&format!("{base}{update}")), 1);
    let passed = updated("SecRuleUpdateActionById 1 \"pass,msg:'new',tag:b,nolog\"");
    assert_eq!((passed.disruption, passed.status, passed.log), (Disruption::Pass, Some(403), false));
    assert_eq!(passed.links[0].msg, Some(Template::literal(*b"new")));
    assert_eq!(passed.metadata.tags.len(), 2);
    assert_eq!(passed.links.len(), 2);
    let added = updated("SecRuleUpdateActionById 1 \"t:length\"");
    assert_eq!(added.links[0].transformations, [Transformation::Trim, Transformation::Length]);
    let replaced = updated("SecRuleUpdateActionById 1 \"t:none,t:length\"");
    assert_eq!(replaced.links[0].transformations, [Transformation::Length]);
    let linked = updated("SecRuleUpdateActionById 1:1 \"t:trim\"");
    assert_eq!(linked.links[1].transformations, [Transformation::Length, Transformation::Trim]);
    for bad in
        ["1 \"phase:1\"", "1 \"chain\"", "1 \"id:2\"", "1:2 \"deny\"", "1:1 \"deny\"", "1:x \"deny\"", "1"]
    {
        assert_eq!(errors(&format!("{base}SecRuleUpdateActionById {bad}")).len(), 1, "{bad}");
    }
}

#[test]
fn sources_stand_in_order_and_includes_in_their_place() {
    let files = MemoryFiles::new()
        .with("crs/b.conf", "SecAction \"id:3,phase:1\"")
        .with("crs/a.conf", "SecAction \"id:2,phase:1\"")
        .with("/etc/c.conf", "SecRule ARGS \"@pmFromFile words.data\" \"id:4,phase:1\"");
    let sources = [
        Source::new("before", "SecAction \"id:1,phase:1\""),
        Source::new(
            "main.conf",
            "Include \"crs/*.conf\"\nInclude /etc/c.conf\nIncludeOptional gone.conf\nIncludeOptional gone/*.conf",
        ),
        Source::new("behind", "SecAction \"id:5,phase:1\""),
    ];
    let set = load(&sources, &files).unwrap();
    assert_eq!(order(&set, Phase::RequestHeaders), ["1", "2", "3", "4", "5"]);
    assert_eq!(set.file_name(chain(&set, 4).links[0].place.file), "/etc/c.conf");
    assert_eq!(set.file_name(chain(&set, 5).place.file), "behind");
    assert!(load(&sources, &NoFiles).is_err());
}
