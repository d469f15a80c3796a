//! The language piece by piece: what each directive, variable, operator and action becomes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use portcullis_seclang::diagnostic::Level;
use portcullis_seclang::load;
use portcullis_seclang::rules::{Chain, Disruption, Effect, RuleSet, Sanitise};
use portcullis_seclang::source::{MemoryFiles, NoFiles, Source};
use portcullis_seclang::syntax::{
    AllowScope, AuditEngine, BodyProcessor, Change, Collection, CookieFormat, Ctl, EngineMode, IdRange,
    LimitAction, OperatorName, PartsChange, Phase, RuleSelection, Segment, Selector, Severity, Shape, Target,
    TargetMode, Template, Variable, XmlIntoArgs,
};
use portcullis_seclang::transformations::Transformation;

fn rules(text: &str) -> RuleSet {
    load(&[Source::new("rules.conf", text)], &NoFiles)
        .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        .unwrap()
}

fn errors(text: &str) -> Vec<String> {
    load(&[Source::new("rules.conf", text)], &NoFiles)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The only chain of a rule with these actions beside number and phase.
fn with_actions(actions: &str) -> Chain {
    rules(&format!("SecRule ARGS \"@rx x\" \"id:1,phase:2,{actions}\"")).chains().next().unwrap().clone()
}

fn targets(list: &str) -> Vec<Target> {
    let set = rules(&format!("SecRule {list} \"@rx x\" \"id:1,phase:2\""));
    let condition = set.chains().next().unwrap().links[0].condition.clone().unwrap();
    condition.targets.into_iter().chain(condition.exclusions).collect()
}

fn effects(actions: &str) -> Vec<Effect> {
    with_actions(actions).links[0].effects.iter().map(|effect| effect.value.clone()).collect()
}

fn text(text: &str) -> Template {
    Template::literal(text.as_bytes())
}

#[test]
fn every_variable_is_a_target_and_takes_a_selector_when_it_has_several_values() {
    for variable in Variable::ALL {
        let name = variable.name();
        assert_eq!(targets(name)[0].variable, *variable);
        assert_eq!(targets(&format!("&{}", name.to_lowercase()))[0].mode, TargetMode::Count);
        let selected = format!("SecRule {name}:key \"@rx x\" \"id:1,phase:2\"");
        match variable.shape() {
            Shape::Scalar => assert!(errors(&selected)[0].contains("has one value only"), "{name}"),
            Shape::Collection => {
                assert_eq!(targets(&format!("{name}:key"))[0].selector, Selector::Key((*b"key").into()))
            }
            Shape::Document => {
                assert_eq!(targets(&format!("{name}:/*"))[0].selector, Selector::XPath((*b"/*").into()))
            }
        }
    }
}

#[test]
fn selectors_come_in_all_their_forms() {
    let selector = |list: &str| targets(list).remove(0).selector;
    let regex = |pattern: &str| Selector::Regex(pattern.as_bytes().into());
    let key = |key: &str| Selector::Key(key.as_bytes().into());
    assert_eq!(selector("ARGS"), Selector::All);
    assert_eq!(selector("ARGS:a.b[0]"), key("a.b[0]"));
    assert_eq!(selector("TX.1"), key("1"));
    assert_eq!(selector("ARGS:/^a{1,3}$/"), regex("^a{1,3}$"));
    assert_eq!(selector("ARGS:'/^a|b$/'"), regex("^a|b$"));
    assert_eq!(selector("ARGS:/a/b/|TX:c"), regex("a/b"));
    assert_eq!(selector("ARGS:/a\\/|b/"), regex("a\\/|b"));
    assert_eq!(selector("ARGS:'a|b'"), key("a|b"));
    assert_eq!(selector("REQUEST_COOKIES:/\\x22?\\x24Version/"), regex("\\x22?\\x24Version"));
    assert_eq!(selector("XML://@*|ARGS"), Selector::XPath((*b"//@*").into()));
    assert_eq!(selector("XML://a[b='|']|ARGS"), Selector::XPath((*b"//a[b='|']").into()));
}

#[test]
fn targets_are_united_counted_and_excluded_with_their_places() {
    let found = targets("\"ARGS|!ARGS:/x/|&TX:n,REQUEST_URI\"");
    let seen: Vec<(Variable, TargetMode, u32)> =
        found.iter().map(|target| (target.variable, target.mode, target.place.column)).collect();
    assert_eq!(
        seen,
        [
            (Variable::Args, TargetMode::Value, 10),
            (Variable::Tx, TargetMode::Count, 25),
            (Variable::RequestUri, TargetMode::Value, 31),
            (Variable::Args, TargetMode::Exclude, 15),
        ]
    );
}

#[test]
fn bad_targets_are_errors() {
    for (list, message) in [
        ("ARG", "unknown variable `ARG` (did you mean `ARGS`?)"),
        ("ARGS:", "expected a name behind the colon"),
        ("ARGS|", "expected the name of a variable"),
        ("|ARGS", "expected the name of a variable"),
        ("!", "expected the name of a variable"),
        ("ARGS:/x", "is not closed"),
        ("ARGS://", "expression of a selector is empty"),
        ("ARGS:'x", "quote of a selector is not closed"),
        ("ARGS:''", "expected a name behind the colon"),
        ("ARGS:%{TX.a}", "cannot hold a macro"),
        ("XML:", "expected a whole XPath"),
        ("XML:a[", "expected a whole XPath"),
        ("WEBSERVER_ERROR_LOG", "is not available"),
        ("ARGS:/a/b", "is not closed"),
        ("ARGS*", "expected `|`"),
    ] {
        let found = errors(&format!("SecRule {list} \"@rx x\" \"id:1,phase:2\""));
        assert_eq!(found.len(), 1, "{list}: {found:?}");
        assert!(found[0].contains(message), "{list}: {found:?}");
    }
}

#[test]
fn every_operator_is_known_with_its_argument() {
    for name in OperatorName::ALL {
        let set = rules(&format!(
            "SecRule ARGS \"!@{}  a \\\"b\\\" \" \"id:1,phase:2\"",
            name.name().to_uppercase()
        ));
        let condition = set.chains().next().unwrap().links[0].condition.clone().unwrap();
        assert_eq!((condition.operator.name, condition.operator.negated), (*name, true));
        assert_eq!(&*condition.operator.raw, b"a \"b\" ");
        assert_eq!(condition.operator.argument, text("a \"b\" "));
    }
}

#[test]
fn an_operator_may_be_left_out_negated_or_without_quotes() {
    let operator = |rule: &str| {
        let set = rules(rule);
        let operator = set.chains().next().unwrap().links[0].condition.clone().unwrap().operator;
        (
            operator.name,
            operator.negated,
            String::from_utf8(operator.raw.into_vec()).unwrap(),
            operator.argument_place.column,
        )
    };
    let rx = OperatorName::Rx;
    assert_eq!(operator("SecRule ARGS \"^a b\" \"id:1,phase:2\""), (rx, false, "^a b".into(), 15));
    assert_eq!(operator("SecRule ARGS \"!^a\" \"id:1,phase:2\""), (rx, true, "^a".into(), 16));
    assert_eq!(operator("SecRule ARGS \"! @rx a\" \"id:1,phase:2\""), (rx, true, "a".into(), 21));
    assert_eq!(operator("SecRule ARGS a 'id:1,phase:2'"), (rx, false, "a".into(), 14));
    assert_eq!(operator("SecRule ARGS @streq a id:1,phase:2"), (OperatorName::StrEq, false, "a".into(), 21));
    assert_eq!(
        operator("SecRule ARGS @detectSQLi \"id:1,phase:2\""),
        (OperatorName::DetectSqli, false, String::new(), 25)
    );
    assert_eq!(operator("SecRule ARGS \"@rx \" \"id:1,phase:2\""), (rx, false, String::new(), 19));
    assert!(errors("SecRule ARGS \"@regex a\" \"id:1\"")[0].contains("unknown operator `@regex`"));
}

#[test]
fn macros_are_taken_apart_once() {
    let chain = with_actions(
        "msg:'a %{TX.b} %{request_headers:User-Agent}%{MATCHED_VAR}',logdata:'\\%{TX.x} 100%{1}'",
    );
    let msg = chain.links[0].msg.clone().unwrap();
    let seen: Vec<String> = msg
        .segments
        .iter()
        .map(|segment| match segment {
            Segment::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Segment::Macro(found) => {
                format!(
                    "<{}:{}>",
                    found.variable.name(),
                    String::from_utf8_lossy(found.key.as_deref().unwrap_or(b"-"))
                )
            }
        })
        .collect();
    assert_eq!(seen, ["a ", "<TX:b>", " ", "<REQUEST_HEADERS:User-Agent>", "<MATCHED_VAR:->"]);
    assert_eq!(chain.links[0].logdata, Some(text("%{TX.x} 100%{1}")));
    for (bad, message) in [
        ("%{TXX.a}", "unknown variable `TXX` in a macro"),
        ("%{TX.a", "macro is not closed"),
        ("%{}", "unknown variable `` in a macro"),
        ("%{REMOTE_ADDR.a}", "has one value only"),
    ] {
        let found = errors(&format!("SecAction \"id:1,phase:1,msg:'{bad}'\""));
        assert!(found[0].contains(message), "{bad}: {found:?}");
    }
}

#[test]
fn every_transformation_is_known() {
    for transformation in
        Transformation::all().filter(|transformation| *transformation != Transformation::None)
    {
        let chain = with_actions(&format!("t:none,t:{}", transformation.name()));
        assert_eq!(chain.links[0].transformations, [transformation]);
    }
    assert!(errors("SecAction \"id:1,phase:1,t:lowercas\"")[0].contains("did you mean `lowercase`?"));
}

#[test]
fn none_empties_what_stands_before_it() {
    let chain = with_actions("t:lowercase,t:none,t:trim,t:length");
    assert_eq!(chain.links[0].transformations, [Transformation::Trim, Transformation::Length]);
}

#[test]
fn disruptive_actions_and_their_companions() {
    let disruption = |actions: &str| with_actions(actions).disruption;
    assert_eq!(disruption("deny"), Disruption::Deny);
    assert_eq!(disruption("drop"), Disruption::Drop);
    assert_eq!(disruption("pass"), Disruption::Pass);
    assert_eq!(disruption("nolog"), Disruption::Pass);
    assert_eq!(disruption("block"), Disruption::Pass);
    assert_eq!(disruption("allow"), Disruption::Allow(AllowScope::Transaction));
    assert_eq!(disruption("allow:phase"), Disruption::Allow(AllowScope::Phase));
    assert_eq!(disruption("allow:'REQUEST'"), Disruption::Allow(AllowScope::Request));
    assert_eq!(disruption("redirect:http://x/y"), Disruption::Redirect(text("http://x/y")));
    assert_eq!(disruption("deny,pass"), Disruption::Pass);
    assert_eq!(with_actions("deny,status:'418'").status, Some(418));
}

#[test]
fn metadata_is_kept() {
    let chain = with_actions(
        "severity:'CRITICAL',rev:'2',ver:'A/1',maturity:'9',accuracy:8,tag:'a,b',tag:c,msg:'it\\'s',logdata:%{MATCHED_VAR}",
    );
    assert_eq!(chain.metadata.severity, Some(Severity::Critical));
    assert_eq!(with_actions("severity:7").metadata.severity, Some(Severity::Debug));
    assert_eq!(chain.metadata.rev.as_deref(), Some(&b"2"[..]));
    assert_eq!(chain.metadata.ver.as_deref(), Some(&b"A/1"[..]));
    assert_eq!((chain.metadata.maturity, chain.metadata.accuracy), (Some(9), Some(8)));
    assert_eq!(chain.metadata.tags, [text("a,b"), text("c")]);
    assert_eq!(chain.links[0].msg, Some(text("it's")));
    assert_eq!(chain.links[0].logdata.as_ref().unwrap().references().count(), 1);
}

#[test]
fn the_record_follows_the_log_unless_told_otherwise() {
    let logging = |actions: &str| {
        let chain = with_actions(actions);
        (chain.log, chain.audit_log)
    };
    assert_eq!(logging("pass"), (true, true));
    assert_eq!(logging("nolog"), (false, false));
    assert_eq!(logging("nolog,auditlog"), (false, true));
    assert_eq!(logging("log,noauditlog"), (true, false));
    assert_eq!(logging("noauditlog,log"), (true, false));
    assert_eq!(logging("noauditlog"), (true, false));
}

#[test]
fn phases_have_numbers_and_names() {
    let phase =
        |phase: &str| rules(&format!("SecAction \"id:1,phase:{phase}\"")).chains().next().unwrap().phase;
    let numbered: Vec<Phase> = ["1", "2", "3", "4", "'5'"].map(phase).into();
    assert_eq!(numbered, Phase::ALL);
    assert_eq!(
        ["request", "RESPONSE", "logging"].map(phase),
        [Phase::RequestBody, Phase::ResponseBody, Phase::Logging]
    );
    for bad in ["0", "6", "x", "-1"] {
        assert!(errors(&format!("SecAction \"id:1,phase:{bad}\""))[0].contains("expected a phase"));
    }
    let set = rules("SecAction \"id:1\"");
    assert_eq!(set.chains().next().unwrap().phase, Phase::RequestBody);
    assert_eq!(set.notes[0].level, Level::Note);
}

#[test]
fn capture_multi_match_and_namespaces_belong_to_a_link() {
    let link =
        with_actions("capture,multiMatch,xmlns:'soap=http://a,b',xmlns:x='http://c,d',pass").links.remove(0);
    assert!(link.capture && link.multi_match);
    let seen: Vec<(&[u8], &[u8])> = link.namespaces.iter().map(|name| (&*name.prefix, &*name.uri)).collect();
    assert_eq!(seen, [(&b"soap"[..], &b"http://a,b"[..]), (&b"x"[..], &b"http://c,d"[..])]);
}

#[test]
fn variables_are_set_added_to_and_removed() {
    let change = |action: &str| match effects(action).remove(0) {
        Effect::SetVar(set_var) => (set_var.collection, set_var.key, set_var.change),
        other => (Collection::User, text(&format!("{other:?}")), Change::Unset),
    };
    let tx = |key: &str, change| (Collection::Tx, text(key), change);
    assert_eq!(change("setvar:tx.a"), tx("a", Change::Set(text("1"))));
    assert_eq!(change("setvar:TX:a=b c"), tx("a", Change::Set(text("b c"))));
    assert_eq!(change("setvar:'tx.a=x, y=z'"), tx("a", Change::Set(text("x, y=z"))));
    assert_eq!(change("setvar:tx.a="), tx("a", Change::Set(Template::default())));
    assert_eq!(change("setvar:tx.a=+5"), tx("a", Change::Add(text("5"))));
    assert_eq!(change("setvar:tx.a=-5"), tx("a", Change::Subtract(text("5"))));
    assert_eq!(change("setvar:!tx.a"), tx("a", Change::Unset));
    assert_eq!(change("setvar:'ip.a=1'").0, Collection::Ip);
    let (_, key, value) = change("setvar:'tx.a_%{MATCHED_VAR_NAME}=+%{tx.score}'");
    assert_eq!(key.references().count(), 1);
    assert!(matches!(value, Change::Add(template) if template.references().count() == 1));
    for bad in ["setvar:args.a=1", "setvar:tx=1", "setvar:tx.", "setvar:!tx.a=1", "setvar:", "setvar"] {
        assert_eq!(errors(&format!("SecAction \"id:1,phase:1,{bad}\"")).len(), 1, "{bad}");
    }
}

#[test]
fn collections_are_opened_expired_and_deprecated() {
    let found = effects(
        "initcol:ip=%{REMOTE_ADDR},setsid:%{TX.s},setuid:u,setrsc:r,expirevar:'ip.a=60',deprecatevar:session.b=60/300,setenv:'A=b',setenv:C,setenv:!D",
    );
    assert!(
        matches!(&found[0], Effect::InitCol { collection: Collection::Ip, key } if key.references().count() == 1)
    );
    assert!(matches!(&found[1], Effect::InitCol { collection: Collection::Session, .. }));
    assert_eq!(found[2], Effect::InitCol { collection: Collection::User, key: text("u") });
    assert_eq!(found[3], Effect::InitCol { collection: Collection::Resource, key: text("r") });
    assert_eq!(
        found[4],
        Effect::ExpireVar { collection: Collection::Ip, key: text("a"), seconds: text("60") }
    );
    let deprecated = Effect::DeprecateVar {
        collection: Collection::Session,
        key: text("b"),
        amount: 60,
        period_secs: 300,
    };
    assert_eq!(found[5], deprecated);
    assert_eq!(found[6], Effect::SetEnv { name: text("A"), value: Some(text("b")) });
    assert_eq!(found[7], Effect::SetEnv { name: text("C"), value: Some(text("1")) });
    assert_eq!(found[8], Effect::SetEnv { name: text("D"), value: None });
    for bad in [
        "initcol:tx=a",
        "initcol:foo=a",
        "initcol:ip",
        "expirevar:ip.a",
        "expirevar:ip.a=x",
        "deprecatevar:ip.a=1",
        "deprecatevar:ip.a=1/0",
        "setenv:=x",
    ] {
        assert_eq!(errors(&format!("SecAction \"id:1,phase:1,{bad}\"")).len(), 1, "{bad}");
    }
}

#[test]
fn what_the_record_must_not_show() {
    let found = effects(
        "sanitiseArg:password,sanitizeMatched,sanitiseMatchedBytes:1/4,sanitiseMatchedBytes,sanitiseRequestHeader:A,sanitiseResponseHeader:B",
    );
    let expected = [
        Sanitise::Arg((*b"password").into()),
        Sanitise::Matched,
        Sanitise::MatchedBytes(1, 4),
        Sanitise::MatchedBytes(0, 0),
        Sanitise::RequestHeader((*b"A").into()),
        Sanitise::ResponseHeader((*b"B").into()),
    ];
    assert_eq!(found, expected.map(Effect::Sanitise));
}

#[test]
fn ctl_has_all_its_forms() {
    let ctl = |text: &str| match effects(&format!("ctl:{text}")).remove(0) {
        Effect::Ctl(ctl) => Some(ctl),
        _ => None,
    };
    let range = |first, last| RuleSelection::Ids(vec![IdRange { first, last }]);
    for (text, expected) in [
        ("auditEngine=RelevantOnly", Ctl::AuditEngine(AuditEngine::RelevantOnly)),
        ("auditLogParts=+E", Ctl::AuditLogParts(PartsChange::Add, (*b"E").into())),
        ("auditLogParts=-ce", Ctl::AuditLogParts(PartsChange::Remove, (*b"CE").into())),
        ("auditLogParts=ABZ", Ctl::AuditLogParts(PartsChange::Set, (*b"ABZ").into())),
        ("debugLogLevel=9", Ctl::DebugLogLevel(9)),
        ("forceRequestBodyVariable=On", Ctl::ForceRequestBodyVariable(true)),
        ("parseXmlIntoArgs=OnlyArgs", Ctl::ParseXmlIntoArgs(XmlIntoArgs::OnlyArgs)),
        ("requestBodyAccess=Off", Ctl::RequestBodyAccess(false)),
        ("responseBodyAccess=On", Ctl::ResponseBodyAccess(true)),
        ("requestBodyProcessor=XML", Ctl::RequestBodyProcessor(BodyProcessor::Xml)),
        ("requestBodyProcessor=json", Ctl::RequestBodyProcessor(BodyProcessor::Json)),
        ("ruleEngine=DetectionOnly", Ctl::RuleEngine(EngineMode::DetectionOnly)),
        ("ruleRemoveById=10", Ctl::RuleRemove(range(10, 10))),
        ("ruleRemoveById=10-20", Ctl::RuleRemove(range(10, 20))),
        ("ruleRemoveByTag=attack-sqli", Ctl::RuleRemove(RuleSelection::Tag((*b"attack-sqli").into()))),
        ("ruleRemoveByMsg=some text", Ctl::RuleRemove(RuleSelection::Msg((*b"some text").into()))),
    ] {
        assert_eq!(ctl(text), Some(expected), "{text}");
    }
    let removed = |text: &str| match ctl(text) {
        Some(Ctl::RuleRemoveTarget(selection, target)) => {
            Some((selection, target.mode, target.variable, target.selector))
        }
        _ => None,
    };
    let pwd = (TargetMode::Exclude, Variable::Args, Selector::Key((*b"pwd").into()));
    let expected = |selection| Some((selection, pwd.0, pwd.1, pwd.2.clone()));
    assert_eq!(removed("ruleRemoveTargetById=10-20;ARGS:pwd"), expected(range(10, 20)));
    assert_eq!(removed("ruleRemoveTargetByTag=t;ARGS:pwd"), expected(RuleSelection::Tag((*b"t").into())));
    assert_eq!(removed("ruleRemoveTargetByMsg=m;ARGS:pwd"), expected(RuleSelection::Msg((*b"m").into())));
    for bad in [
        "foo=1",
        "ruleEngine=Maybe",
        "ruleEngine",
        "auditLogParts=+Q",
        "auditLogParts=",
        "debugLogLevel=10",
        "ruleRemoveById=x",
        "ruleRemoveById=2-1",
        "ruleRemoveById=",
        "ruleRemoveByTag=",
        "ruleRemoveTargetById=1",
        "ruleRemoveTargetById=1;FOO",
        "ruleRemoveTargetById=1;ARGS|TX",
        "ruleRemoveTargetById=1;!ARGS",
        "requestBodyProcessor=YAML",
        "hashEngine=On",
        "forceRequestBodyVariable=1",
    ] {
        assert_eq!(errors(&format!("SecAction \"id:1,phase:1,ctl:{bad}\"")).len(), 1, "{bad}");
    }
}

#[test]
fn bad_actions_are_errors() {
    for (actions, message) in [
        ("id:1,phase:1,denny", "unknown action `denny` (did you mean `deny`?)"),
        ("id:1,phase:1,exec:/bin/x", "action `exec` is refused"),
        ("id:1,phase:1,proxy:http://x", "action `proxy` is refused"),
        ("id:1,phase:1,pause:5", "action `pause` is refused"),
        ("id:1,phase:1,append:'x'", "action `append` is refused"),
        ("id:1,phase:1,prepend:'x'", "action `prepend` is refused"),
        ("id:1,phase:1,deny:now", "action `deny` takes no value"),
        ("id:1,phase:1,msg", "action `msg` needs a value"),
        ("id:1,phase:1,msg:", "action `msg` needs a value"),
        ("id:1,phase:1,", "expected the name of an action"),
        ("id:1,,phase:1", "expected the name of an action"),
        ("id:1,phase:1,msg:'x' deny", "expected `,` between actions"),
        ("id:1,phase:1,msg:'x", "quote of an action's value is not closed"),
        ("id:0,phase:1", "expected a whole number from 1"),
        ("id:a,phase:1", "expected a whole number from 1"),
        ("id:99999999999999999999,phase:1", "expected a whole number from 1"),
        ("id:1,phase:1,status:99", "expected a number from 100 to 599"),
        ("id:1,phase:1,severity:8", "expected a severity"),
        ("id:1,phase:1,severity:'CRITICALL'", "did you mean `CRITICAL`?"),
        ("id:1,phase:1,maturity:0", "expected a number from 1 to 9"),
        ("id:1,phase:1,skip:0", "expected a number from 1"),
        ("id:1,phase:1,allow:all", "expected `allow`"),
        ("id:1,phase:1,xmlns:a", "expected `xmlns:PREFIX=URI`"),
        ("id:1,phase:1,sanitiseMatchedBytes:a/b", "expected how many bytes stay readable"),
        ("phase:1,pass", "rule has no number"),
        ("", "no action is named"),
    ] {
        let found = errors(&format!("SecAction \"{actions}\""));
        assert_eq!(found.len(), 1, "{actions}: {found:?}");
        assert!(found[0].contains(message), "{actions}: {found:?}");
    }
}

#[test]
fn settings_are_typed_and_the_last_one_counts() {
    let settings = rules(
        "SecRuleEngine Off\nsecruleengine detectiononly\nSecRequestBodyAccess On\nSecResponseBodyAccess on\n\
         SecRequestBodyLimit 1000\nSecRequestBodyNoFilesLimit \"500\"\nSecRequestBodyLimitAction ProcessPartial\n\
         SecRequestBodyJsonDepthLimit 512\nSecResponseBodyLimit 2000\nSecResponseBodyLimitAction ProcessPartial\n\
         SecResponseBodyMimeType text/old\nSecResponseBodyMimeTypesClear\nSecResponseBodyMimeType text/plain Text/HTML\n\
         SecArgumentsLimit 255\nSecArgumentSeparator ;\nSecCookieFormat 1\nSecCollectionTimeout 600\n\
         SecUploadFileLimit 9\nSecParseXmlIntoArgs OnlyArgs\nSecComponentSignature \"a/1\"\nSecComponentSignature b\n\
         SecServerSignature \"none of yours\"\nSecWebAppId app",
    )
    .settings;
    assert_eq!(settings.rule_engine, EngineMode::DetectionOnly);
    assert!(settings.request_body_access && settings.response_body_access);
    assert_eq!(settings.request_body_bytes_max, Some(1000));
    assert_eq!(settings.request_body_no_files_bytes_max, Some(500));
    assert_eq!(settings.request_body_limit_action, LimitAction::ProcessPartial);
    assert_eq!(settings.json_depth_max, Some(512));
    assert_eq!(settings.response_body_bytes_max, Some(2000));
    assert_eq!(settings.response_body_limit_action, LimitAction::ProcessPartial);
    let types: Vec<&[u8]> = settings.response_body_mime_types.iter().map(AsRef::as_ref).collect();
    assert_eq!(types, [&b"text/plain"[..], b"text/html"]);
    assert_eq!(settings.arguments_max, Some(255));
    assert_eq!(settings.argument_separator, b';');
    assert_eq!(settings.cookie_format, CookieFormat::Version1);
    assert_eq!(settings.collection_timeout_secs, Some(600));
    assert_eq!(settings.upload_files_max, Some(9));
    assert_eq!(settings.parse_xml_into_args, XmlIntoArgs::OnlyArgs);
    assert_eq!(settings.component_signatures.len(), 2);
    assert_eq!(settings.server_signature.as_deref(), Some(&b"none of yours"[..]));
    assert_eq!(settings.web_app_id.as_deref(), Some(&b"app"[..]));
    assert_eq!(rules("").settings.rule_engine, EngineMode::On);
}

#[test]
fn settings_of_the_host_are_kept_and_noted() {
    for name in [
        "SecAuditEngine",
        "SecAuditLog",
        "SecAuditLog2",
        "SecAuditLogDirMode",
        "SecAuditLogFileMode",
        "SecAuditLogFormat",
        "SecAuditLogParts",
        "SecAuditLogPrefix",
        "SecAuditLogRelevantStatus",
        "SecAuditLogStorageDir",
        "SecAuditLogType",
        "SecDataDir",
        "SecDebugLog",
        "SecDebugLogLevel",
        "SecSensorId",
        "SecStatusEngine",
        "SecTmpDir",
        "SecTmpSaveUploadedFiles",
        "SecUploadDir",
        "SecUploadFileMode",
        "SecUploadKeepFiles",
    ] {
        let set = rules(&format!("{name} value"));
        assert_eq!((set.settings.host[0].name, &*set.settings.host[0].value), (name, &b"value"[..]));
        assert_eq!((set.notes.len(), set.notes[0].level), (1, Level::Note));
        assert_eq!(errors(name).len(), 1);
    }
}

#[test]
fn settings_without_effect_are_noted() {
    for name in [
        "SecPcreMatchLimit 1000",
        "SecPcreMatchLimitRecursion 1000",
        "SecRequestBodyInMemoryLimit 1",
        "SecRulePerfTime 1",
        "SecCacheTransformations Off",
    ] {
        let set = rules(name);
        assert_eq!((set.notes.len(), set.notes[0].level), (1, Level::Note), "{name}");
    }
}

#[test]
fn settings_that_are_refused_say_why() {
    for name in [
        "SecXmlExternalEntity",
        "SecHashEngine",
        "SecContentInjection",
        "SecConnEngine",
        "SecRuleInheritance",
        "SecStreamInBodyInspection",
        "SecStreamOutBodyInspection",
        "SecInterceptOnError",
        "SecDisableBackendCompression",
    ] {
        assert!(errors(&format!("{name} Off")).is_empty(), "{name}");
        assert!(errors(&format!("{name} On"))[0].contains("can only be `Off`"), "{name}");
    }
    for name in [
        "SecHashKey",
        "SecHashParam",
        "SecHashMethodRx",
        "SecHashMethodPm",
        "SecRemoteRules",
        "SecRemoteRulesFailAction",
        "SecRuleScript",
        "SecGeoLookupDb",
        "SecGsbLookupDb",
        "SecHttpBlKey",
        "SecChrootDir",
        "SecGuardianLog",
        "SecConnReadStateLimit",
        "SecConnWriteStateLimit",
        "SecCookieV0Separator",
        "SecUnicodeCodePage",
    ] {
        assert!(errors(&format!("{name} a b"))[0].contains("is refused"), "{name}");
    }
    assert!(errors("SecRuleEngin On")[0].contains("did you mean `SecRuleEngine`?"));
    for bad in [
        "SecRuleEngine",
        "SecRuleEngine Perhaps",
        "SecRuleEngine On Off",
        "SecRequestBodyLimit -1",
        "SecArgumentsLimit x",
        "SecArgumentSeparator &&",
        "SecCookieFormat 2",
        "SecResponseBodyMimeType",
        "SecResponseBodyMimeTypesClear x",
        "SecRequestBodyLimitAction Drop",
        "SecUnicodeMapFile a",
        "SecUnicodeMapFile a b",
        "SecUnicodeMapFile a 1",
        "SecMarker",
        "SecMarker \"\"",
        "SecAction",
        "SecRule",
        "SecRule ARGS",
        "SecRuleRemoveById",
        "SecRuleRemoveByTag",
        "SecRuleUpdateTargetById 1",
        "SecRuleUpdateActionById x \"pass\"",
        "SecDefaultAction \"phase:1\"",
        "SecDefaultAction \"pass\"",
        "Include",
        "Include a b",
    ] {
        assert_eq!(errors(bad).len(), 1, "{bad}: {:?}", errors(bad));
    }
}

#[test]
fn a_code_page_is_read_from_its_file() {
    let files = MemoryFiles::new().with("etc/unicode.mapping", "20127 (US-ASCII)\n2215:2f 00a0:20\n");
    let loaded = load(&[Source::new("etc/main.conf", "SecUnicodeMapFile unicode.mapping 20127")], &files);
    assert!(loaded.unwrap().settings.unicode_map.is_some());
}

#[test]
fn bytes_that_are_no_utf8_are_kept() {
    let source = Source::new(
        "rules.conf",
        &b"# caf\xe9\nSecRule ARGS \"@rx \xe9\xff\" \"id:1,phase:2,msg:'\xe9'\"\n"[..],
    );
    let set = load(&[source], &NoFiles).unwrap();
    let link = set.chains().next().unwrap().links[0].clone();
    assert_eq!(&*link.condition.unwrap().operator.raw, b"\xe9\xff");
    assert_eq!(link.msg, Some(Template::literal(*b"\xe9")));
}

#[test]
fn an_operator_that_fills_in_no_macros_says_so() {
    let set = rules(
        "SecRule ARGS \"@pm a %{TXX.b}\" \"id:1,phase:2\"\nSecRule ARGS \"@pm a 100%{1}\" \"id:2,phase:2\"",
    );
    assert_eq!((set.notes.len(), set.notes[0].level, set.notes[0].line), (1, Level::Warning, 1));
    let operator = set.chains().next().unwrap().links[0].condition.clone().unwrap().operator;
    assert_eq!(operator.argument, text("a %{TXX.b}"));
    assert_eq!(errors("SecRule ARGS \"@streq a %{TXX.b}\" \"id:1,phase:2\"").len(), 1);
}
