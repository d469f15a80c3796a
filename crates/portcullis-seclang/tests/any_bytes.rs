//! Whatever the text, the loader answers; it never panics, and what it says has a place in the text.

use portcullis_seclang::load;
use portcullis_seclang::source::{NoFiles, Source};
use proptest::prelude::*;

/// Words of the language and of trouble, so that random text gets past the first directive's name.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "SecRule ",
        "SecAction ",
        "SecMarker ",
        "SecDefaultAction ",
        "SecRuleUpdateTargetById ",
        "SecRuleRemoveById ",
        "Include ",
        "SecRuleUpdateActionById ",
        "ARGS",
        "TX:",
        "XML:",
        "REQUEST_HEADERS:",
        "/x/",
        "'/",
        "/'",
        "|",
        "!",
        "&",
        "\"",
        "'",
        "\\",
        "\\\n",
        "\\\r\n",
        "\n",
        " ",
        ",",
        "@rx ",
        "@pm ",
        "@",
        "id:",
        "1",
        "42-7",
        "phase:",
        "2",
        "chain",
        "deny",
        "msg:'",
        "%{",
        "}",
        "%{TX.a}",
        "setvar:",
        "tx.a=+1",
        "ctl:",
        "ruleRemoveTargetById=",
        ";",
        "=",
        "skipAfter:",
        "t:none",
        "t:lowercase",
        "#",
        "# SecRule \\\n",
        "xmlns:a='",
        "\u{feff}",
        "ü",
    ];
    prop_oneof![
        8 => prop::sample::select(words.map(|word| word.as_bytes().to_vec()).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

fn check(text: &[u8]) {
    let lines = text.split(|byte| *byte == b'\n').count();
    let found = match load(&[Source::new("any", text)], &NoFiles) {
        Ok(rules) => rules.notes,
        Err(diagnostics) => diagnostics,
    };
    for diagnostic in found {
        assert!(diagnostic.line >= 1 && diagnostic.line as usize <= lines, "{diagnostic}");
        assert!(diagnostic.column >= 1, "{diagnostic}");
    }
}

proptest! {
    #[test]
    fn never_panics_on_any_bytes(text in prop::collection::vec(any::<u8>(), 0..512)) {
        check(&text);
    }

    #[test]
    fn never_panics_on_words_of_the_language(words in prop::collection::vec(fragment(), 0..64)) {
        check(&words.concat());
    }
}

/// Lists that would take days if each item looked at all the rest; in linear time they are read at once.
#[test]
fn long_lists_are_read_in_linear_time() {
    let many = |item: &str| item.repeat((1 << 20) / item.len());
    for text in [
        format!("SecRule {} \"@rx a\" \"id:1\"", many("TX:/x|")),
        format!("SecRule {} \"@rx a\" \"id:1\"", many("TX:'x|")),
        format!("SecRule {} \"@rx a\" \"id:1\"", many("XML:(|")),
        format!("SecRule {} \"@rx a\" \"id:1\"", many("BAD_VARIABLE|")),
        format!("SecRule ARGS \"@rx a\" \"{}\"", many("setvar:tx.a=1,")),
        format!("SecRule ARGS \"@rx a\" \"{}\"", many("xmlns:a='x,")),
        format!("SecRule ARGS \"@rx a\" \"{}\"", many("badaction,")),
        format!("SecRule ARGS \"@streq {}\" \"id:1\"", many("%{TX.a")),
        format!("SecRuleRemoveById {}", many("x ")),
        many("# SecRule \\\n"),
        many("SecRule \\\n"),
        many("\"\\\n"),
    ] {
        check(text.as_bytes());
    }
}
