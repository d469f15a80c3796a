//! Text in, configuration or rendered diagnostics out.

use portcullis_config::{
    InMemory, Loaded, OperationNames, Style, effective, load,
    model::{Auth, Provider, Spec},
    outside::FromDisk,
};
use portcullis_core::clock::Timestamp;

/// 2026-11-21.
const NOW: Timestamp = Timestamp::from_secs(1_795_219_200);

fn load_text(text: &str) -> Loaded {
    load("gate.yaml".as_ref(), &InMemory::file("gate.yaml", text), NOW)
}

/// What is wrong with a text, as people see it.
fn check(text: &str) -> String {
    load_text(text).render(Style::Plain)
}

/// A working file with some lines more.
fn with(lines: &str) -> String {
    format!("listen: 127.0.0.1:8443\n{lines}")
}

/// The one API of a working file with some lines more.
fn api(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    with(&format!("apis:\n  shop:\n    spec: shop.yaml\n    upstream: http://127.0.0.1:9000\n{lines}"))
}

#[test]
fn the_shared_quick_start_loads() {
    #[expect(clippy::disallowed_methods, reason = "where the shared data lies")]
    let shared = std::env::var("PORTCULLIS_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let path = std::path::Path::new(&shared).join("config/quickstart.yaml");
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return;
    }
    let loaded = load(&path, &FromDisk, NOW);
    assert_eq!(loaded.render(Style::Plain), "0 errors, 0 warnings\n");
}

const QUICK_START: &str = "\
# portcullis.yaml
listen: :8443
tls: auto
apis:
  orders:
    spec: openapi.yaml
    upstream: http://127.0.0.1:9000
    auth: { oidc: https://login.example.com, audience: orders }
    limit: 100/s per consumer
";

#[test]
fn the_quick_start_means_what_it_says() {
    let loaded = load_text(QUICK_START);
    assert_eq!(loaded.diagnostics, []);
    let config = loaded.config.unwrap();
    let api = &config.apis["orders"];
    assert_eq!(config.listeners["main"].address.to_string(), "0.0.0.0:8443");
    assert!(matches!(&api.spec, Spec::File(path) if path.0 == std::path::Path::new("openapi.yaml")));
    assert_eq!(config.upstreams["http://127.0.0.1:9000"].servers[0].url.port, 9000);
    let Auth::Any { of, or_anonymous: false } = &api.settings.auth.as_ref().unwrap().value else { panic!() };
    assert_eq!(&**of[0], "apis.orders.auth");
    let Provider::Oidc(oidc) = &config.identity.providers["apis.orders.auth"] else { panic!() };
    assert_eq!(oidc.oidc.to_string(), "https://login.example.com");
    assert_eq!(&*api.settings.limit.as_ref().unwrap().value[0].text, "100/s per consumer");
}

#[test]
fn every_call_is_recorded_unless_said_otherwise() {
    let calls = |record: &str| load_text(&with(record)).config.map(|config| config.record.calls.word());
    assert_eq!(calls(""), Some("all"));
    assert_eq!(calls("record: { keep: 7 }\n"), Some("all"));
    assert_eq!(calls("record: { calls: all }\n"), Some("all"));
    assert_eq!(calls("record: { calls: refused }\n"), Some("refused"));
    let text = check(&with("record: { calls: denied }\n"));
    assert!(text.contains("`denied` is not one of `all`, `refused`"), "{text}");
}

#[test]
fn eight_mistakes_are_shown_at_once() {
    insta::assert_snapshot!(check(
        r#"
listen: :84433
upstreams:
  orders:
    servers: [ftp://10.0.0.1]
    timeout: { connect: 500 }
    balanse: round_robin
plans:
  free: { rate: 5/fortnight }
apis:
  orders:
    spec: openapi.yaml
    upstream: ordres
    auth: customers
    limit: [100/s per consumer, 3 parallel]
    schema: { request: blok }
    cors: { origins: "*", credentials: true }
"#
    ));
}

#[test]
fn broken_yaml_is_shown_with_its_reason() {
    insta::assert_snapshot!(
        [
            "a: [1, 2",
            "a: b\n\tc: d",
            "home: { get: profile/{id}, required: true }",
            "? [a]\n: b",
            "a: *b",
            "a: 1\n---\nb: 2"
        ]
        .map(check)
        .join("\n")
    );
}

#[test]
fn a_key_given_twice_is_shown_with_both_places() {
    insta::assert_snapshot!(check(&api("limit: 1/s\nlimit: 2/s")));
}

#[test]
fn what_is_missing_or_of_the_wrong_shape_is_shown() {
    insta::assert_snapshot!(check(
        "listen: 127.0.0.1:1\nupstreams: [a]\napis:\n  shop:\n    path: v1\n    operations: { GET: {}, /x: {} }\n    strip_prefix: yes\n    host: https://x\n"
    ));
}

#[test]
fn a_file_without_a_listener_is_refused() {
    insta::assert_snapshot!(check("tls: auto\n") + &check("apis: {}\n") + &check(""));
}

#[test]
fn settings_of_later_versions_are_refused_by_name() {
    insta::assert_snapshot!(check(&api("objects: {}\nmask: {}\noperations: { x: { step_up: totp } }")));
}

#[test]
fn providers_are_of_exactly_one_kind() {
    insta::assert_snapshot!(check(&with(
        "identity:\n  providers:\n    none: { audience: x }\n    two: { jwt: {}, basic: { users: u } }\n    later: { introspection: https://x }\n    query: { api_keys: { query: key } }\n    clear: { oidc: http://login.example.com, audience: x }\n    nobody: { mtls: {} }\n"
    )));
}

#[test]
fn a_literal_secret_is_a_warning_and_never_printed() {
    let text = with("admin: { address: 127.0.0.1:9901, token: hunter2-hunter2 }\n");
    let loaded = load_text(&text);
    assert!(loaded.config.is_some());
    let json = serde_json::to_string(&loaded.diagnostics).unwrap();
    let all = loaded.render(Style::Plain) + &json + &format!("{:?}", loaded.config);
    assert!(!all.contains("hunter2"), "{all}");
    insta::assert_snapshot!(loaded.render(Style::Plain));
    insta::assert_snapshot!(json);
}

#[test]
fn an_open_admin_listener_is_refused() {
    insta::assert_snapshot!(check(&with("admin: { address: :9901 }\n")));
}

#[test]
fn an_expired_exception_is_refused() {
    insta::assert_snapshot!(check(&api(
        "except:\n  - { rule: schema/maxLength, why: free text, until: 2026-11-20 }\n  - { rule: schema/maxLength, why: free text, until: 2026-11-21 }\n  - { rule: nonsense, why: '' }\n  - { rule: schema/required, until: soon }"
    )));
}

#[test]
fn weak_settings_are_warned_of() {
    insta::assert_snapshot!(check(
        "listen: :80\ntls: off\nlisteners:\n  second: { address: '127.0.0.1:81', plaintext_credentials: allow, trusted_proxies: [0.0.0.0/0] }\ndefaults: { auth: anonymous, mode: off }\nupstreams:\n  a: { servers: ['https://x'], tls: { verify: false } }\n"
    ));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    insta::assert_snapshot!(load("nowhere.yaml".as_ref(), &InMemory::default(), NOW).render(Style::Plain));
}

/// Several files, the first of which is loaded.
fn load_files(files: &[(&str, &str)]) -> Loaded {
    let files = files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())).collect();
    load("etc/gate.yaml".as_ref(), &InMemory { files, ..InMemory::default() }, NOW)
}

#[test]
fn documents_are_merged_by_name() {
    let loaded = load_files(&[
        ("etc/gate.yaml", "version: 1\nlisten: 127.0.0.1:1\ninclude: [apis/*.yaml, more.yaml]\n"),
        ("etc/apis/a.yaml", "version: 1\napis: { a: { spec: a.json, upstream: u } }\n"),
        ("etc/apis/b.yaml", "apis: { b: { spec: ../b.json, upstream: u } }\n"),
        ("etc/apis/c.txt", "not: read\n"),
        ("etc/more.yaml", "upstreams: { u: { servers: http://127.0.0.1:1 } }\n"),
    ]);
    assert_eq!(loaded.diagnostics, [], "{}", loaded.render(Style::Plain));
    let config = loaded.config.unwrap();
    assert_eq!(config.apis.len(), 2);
    let Spec::File(path) = &config.apis["b"].spec else { panic!() };
    assert_eq!(path.0, std::path::Path::new("etc/apis/../b.json"));
    assert_eq!(loaded.sources.paths().count(), 4);
}

#[test]
fn a_name_in_two_files_is_an_error_that_names_both() {
    let loaded = load_files(&[
        ("etc/gate.yaml", "listen: 127.0.0.1:1\ninclude: ['**/*.yaml']\nplans: { gold: { rate: 5/s } }\n"),
        ("etc/x/y/b.yaml", "defaults: { limit: 5/s }\nplans:\n  gold: { rate: 9/s }\n"),
        ("etc/z.yaml", "defaults: { limit: 6/s }\nlisten: 127.0.0.1:2\n"),
    ]);
    insta::assert_snapshot!(loaded.render(Style::Plain));
}

#[test]
fn the_deepest_level_wins_key_by_key_and_is_named() {
    let loaded = load_text(
        "listen: 127.0.0.1:1\nidentity: { providers: { keys: { api_keys: {} } } }\ndefaults:\n  auth: keys\n  schema: { response: block, unknown_fields: report }\n  limit: 50/s per consumer\napis:\n  shop:\n    spec: s.yaml\n    upstream: http://127.0.0.1:9\n    schema: { response: off }\n    operations:\n      tag:internal: { deny: true, limit: 1/s }\n      GET /orders: { limit: 2/s, mode: report }\n      listOrders: { limit: [3/s, 10k/day per consumer] }\n",
    );
    assert_eq!(loaded.render(Style::Plain), "0 errors, 0 warnings\n");
    let config = loaded.config.unwrap();
    let names =
        OperationNames { id: Some("listOrders"), method: "GET", path: "/orders", tags: &["internal"] };
    let settings = effective(&config, &config.apis["shop"], &names);
    assert_eq!(settings.limit_scope("shop"), "shop/listOrders");
    let rows: Vec<_> =
        settings.rows().iter().map(|row| format!("{}: {} <- {}", row.key, row.value, row.from)).collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn the_firewall_is_said_at_the_top_or_in_defaults_and_refined_below() {
    let loaded = load_text(
        "listen: 127.0.0.1:1\nfirewall: { rules: [crs: crs, files: [own/*.conf, more.conf]], paranoia: 2, threshold: 12 }\napis:\n  shop:\n    spec: none\n    auth: anonymous\n    upstream: http://127.0.0.1:9\n    firewall: { ignore: ldap, beyond: prefix, inspect: 64KiB }\n    operations: { search: { firewall: report } }\n",
    );
    assert_eq!(loaded.render(Style::Plain), "0 errors, 0 warnings\n");
    let config = loaded.config.unwrap();
    let names = OperationNames { id: Some("search"), method: "GET", path: "/search", tags: &[] };
    let settings = effective(&config, &config.apis["shop"], &names);
    let rows = settings.rows();
    let rows = rows.iter().filter(|row| row.key.starts_with("firewall."));
    let rows: Vec<_> = rows.map(|row| format!("{}: {} <- {}", row.key, row.value, row.from)).collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn mistakes_in_the_firewall_are_shown_at_their_places() {
    insta::assert_snapshot!(check(&with(
        "firewall: { rules: [crs: crs], attacks: of, paranoia: 5, threshold: 0 }\ndefaults:\n  firewall: { rules: [{ crs: a, files: b }, owasp: c, files: []], ignore: [sqli], beyond: pass }\n"
    )));
    insta::assert_snapshot!(check(&with("firewall: { attacks: off, threshold: 0 }\n")));
}

#[test]
fn many_aliases_end_early() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let items = vec![format!("*a{before}"); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(check(&text).contains("PC1006"));
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(check(&deep).contains("PC1006"));
}

#[test]
fn every_key_has_a_doc_and_a_default_or_example_that_conforms() {
    let schema = portcullis_config::schema();
    let definitions = schema["$defs"].as_object().unwrap();
    assert!(definitions.len() > 30);
    let mut wrong = Vec::new();
    for (name, definition) in definitions.iter().chain([(&"Config".to_owned(), &schema)]) {
        for (key, property) in definition["properties"].as_object().unwrap() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{name}.{key} has no doc"));
            }
            let shown = property.get("default").or_else(|| property["examples"].get(0));
            let Some(shown) = shown else {
                wrong.push(format!("{name}.{key} has neither default nor example"));
                continue;
            };
            let mut alone = property.clone();
            alone["$defs"] = schema["$defs"].clone();
            if !jsonschema::is_valid(&alone, shown) {
                wrong.push(format!("{name}.{key}: {shown} does not conform"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_refuses_unknown_keys() {
    let validator = jsonschema::validator_for(&portcullis_config::schema()).unwrap();
    let quick = serde_json::json!({
        "listen": ":8443",
        "tls": "auto",
        "apis": { "orders": {
            "spec": "openapi.yaml",
            "upstream": "http://127.0.0.1:9000",
            "auth": { "oidc": "https://login.example.com", "audience": "orders" },
            "limit": ["100/s per consumer", "10k/day", "20 concurrent per ip", "5/10m burst 6 per ip when anonymous"],
            "operations": { "x": { "mode": "report", "cors": "off" } },
        } },
    });
    let errors: Vec<_> =
        validator.iter_errors(&quick).map(|it| format!("{it} at {}", it.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!validator.is_valid(&serde_json::json!({ "apix": {} })));
    assert!(!validator.is_valid(&serde_json::json!({ "apis": { "a": { "spec": "x" } } })));
}

#[test]
fn the_reference_shows_type_default_and_meaning() {
    let reference = portcullis_config::reference();
    let line = "| `connect` | a duration | `1s` | For a connection, TLS included. |";
    assert!(reference.lines().any(|it| it == line), "{reference}");
    let line = "| `certificate` | the path of a file | **required** | The chain in PEM, the leaf first.\
                <br>Example: `certificate: file:/etc/portcullis/api.pem` |";
    assert!(reference.lines().any(|it| it == line), "{reference}");
}

#[test]
fn the_short_form_and_a_listener_of_its_name_clash() {
    let text = check("listen: 127.0.0.1:1\nlisteners: { main: { address: 127.0.0.1:2 } }\n");
    assert!(text.contains("error[PC1005]: `listeners.main` is defined twice"), "{text}");
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let text =
        check("listen: 127.0.0.1:1\n\"\\e[31mred\": 1\napis: { a: { spec: none, upstream: \"\\e[2J\" } }\n");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_is_loaded_or_refused_and_never_panics(at in 0..QUICK_START.len(), with in "[\\PC\n\t]{0,6}") {
        let mut text = QUICK_START.to_owned();
        text.replace_range(at..=at, &with);
        let loaded = load_text(&text);
        proptest::prop_assert_eq!(loaded.config.is_none(), loaded.render(Style::Plain).contains("error["));
    }
}

#[test]
fn codes_are_found_by_id_and_are_in_order() {
    use portcullis_config::codes;
    assert_eq!(codes::find("pc3001"), Some(&codes::LITERAL_SECRET));
    assert!(codes::ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(portcullis_config::codes_reference().contains("## PC2009"));
}

#[test]
fn a_consumer_of_several_providers_must_say_whose_it_is() {
    let with_providers = |providers: &str, consumer: &str| {
        let top = format!("identity: {{ providers: {{ {providers} }} }}\nconsumers:\n  ali: {consumer}\n");
        check(&(top + &api("auth: keys")))
    };
    let (keys, users) = ("keys: { api_keys: {} }", "staff: { basic: { users: users } }");
    assert_eq!(with_providers(keys, "{ roles: [a] }"), "0 errors, 0 warnings\n");
    // Every provider of keys reads the one store.
    let more_keys = format!("{keys}, others: {{ api_keys: {{ header: X-Other }} }}");
    assert!(!with_providers(&more_keys, "{ roles: [a] }").contains("PC3015"));
    let both = format!("{keys}, {users}");
    assert!(!with_providers(&both, "{ provider: keys, roles: [a] }").contains("PC3015"));
    insta::assert_snapshot!(with_providers(&both, "{ roles: [a] }"));
}

#[test]
fn a_configuration_that_serves_nothing_is_a_warning() {
    let loaded = load_text("listen: 127.0.0.1:1\n");
    assert!(loaded.config.is_some());
    let codes: Vec<_> = loaded.diagnostics.iter().map(|it| it.code.id).collect();
    assert_eq!(codes, ["PC3014"]);
}

#[test]
fn clocks_may_be_told_not_to_differ_and_keys_may_not_age_before_they_are_fetched() {
    let issuer = |more: &str| check(&api(&format!("auth: {{ oidc: https://x, audience: a, {more} }}")));
    for good in ["leeway: 0s", "leeway: 5m", "refresh: 1h, keys_max_age: 1h"] {
        assert_eq!(issuer(good), "0 errors, 0 warnings\n", "{good}");
    }
    for (bad, why) in [
        ("leeway: 6m", "`6m` is no leeway: clocks may differ by five minutes at most"),
        ("keys_max_age: 5m", "`keys_max_age` is shorter than `refresh`"),
        ("refresh: 2d", "`keys_max_age` is shorter than `refresh`"),
        ("keys_max_age: 0s", "it must be longer than nothing"),
    ] {
        let text = issuer(bad);
        assert!(text.contains(why) && text.contains("1 error,"), "{bad}: {text}");
    }
}
