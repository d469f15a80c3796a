//! Classes and tags that only appear where a deserializer is told what to build.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem;

use super::{Found, binary};
use crate::{leaf::Where, view::View};

/// Names with what they say by themselves; and the beginnings of formats, in lower case.
const NAMES: &[(&str, &str, u8, &str)] = &[
    ("ro0ab", "java_object", 10, JAVA),
    ("aced0005", "java_object", 10, JAVA),
    ("aaeaaad/////", "net_object", 10, "an object graph of .NET's BinaryFormatter"),
    ("cos\nsystem\n", "python_pickle", 10, PICKLE),
    ("cposix\nsystem\n", "python_pickle", 10, PICKLE),
    ("cnt\nsystem\n", "python_pickle", 10, PICKLE),
    ("csubprocess\n", "python_pickle", 10, PICKLE),
    ("c__builtin__\n", "python_pickle", 10, PICKLE),
    ("cbuiltins\n", "python_pickle", 10, PICKLE),
    ("<object class=\"java", "xml_decoder", 10, DECODER),
    ("<void method=", "xml_decoder", 10, DECODER),
    ("<void class=", "xml_decoder", 10, DECODER),
    ("<void property=", "xml_decoder", 9, DECODER),
    ("_$$nd_func$$_", "node_function", 10, NODE),
    ("!!python/object", "yaml_tag", 10, YAML),
    ("!!python/name", "yaml_tag", 10, YAML),
    ("!!python/module", "yaml_tag", 10, YAML),
    ("tag:yaml.org,2002:python", "yaml_tag", 10, YAML),
    ("!!javax.", "yaml_tag", 10, YAML),
    ("!!java.", "yaml_tag", 10, YAML),
    ("!!com.", "yaml_tag", 10, YAML),
    ("!!org.", "yaml_tag", 10, YAML),
    ("!!sun.", "yaml_tag", 10, YAML),
    ("!!ch.", "yaml_tag", 10, YAML),
    ("!ruby/object", "yaml_tag", 10, YAML),
    ("!ruby/hash", "yaml_tag", 10, YAML),
    ("!ruby/class", "yaml_tag", 10, YAML),
    ("!php/object", "yaml_tag", 10, YAML),
    ("jdbcrowsetimpl", "java_gadget", 10, GADGET),
    ("templatesimpl", "java_gadget", 10, GADGET),
    ("invokertransformer", "java_gadget", 10, GADGET),
    ("constanttransformer", "java_gadget", 10, GADGET),
    ("badattributevalueexpexception", "java_gadget", 10, GADGET),
    ("annotationinvocationhandler", "java_gadget", 10, GADGET),
    ("javax.naming.ldap.rdn", "java_gadget", 10, GADGET),
    ("javax.script.scriptenginemanager", "java_gadget", 9, GADGET),
    ("classpathxmlapplicationcontext", "java_gadget", 10, GADGET),
    ("filesystemxmlapplicationcontext", "java_gadget", 10, GADGET),
    ("jndiconfiguration", "java_gadget", 10, GADGET),
    ("jndirefforwardingdatasource", "java_gadget", 10, GADGET),
    ("wrapperconnectionpooldatasource", "java_gadget", 10, GADGET),
    ("java.lang.processbuilder", "java_gadget", 10, GADGET),
    ("java.lang.autocloseable", "java_gadget", 10, GADGET),
    ("java.net.inet4address", "java_gadget", 9, GADGET),
    ("java.net.inetsocketaddress", "java_gadget", 9, GADGET),
    ("java.beans.xmldecoder", "xml_decoder", 10, DECODER),
    ("java.beans.eventhandler", "xml_decoder", 10, DECODER),
    ("<java.util.priorityqueue", "xml_decoder", 10, DECODER),
    ("<dynamic-proxy", "xml_decoder", 10, DECODER),
    ("<sorted-set", "xml_decoder", 9, DECODER),
    ("<tree-map", "xml_decoder", 8, DECODER),
    ("<unserializable-parents", "xml_decoder", 10, DECODER),
    ("ysoserial", "java_gadget", 10, GADGET),
    ("marshalsec", "java_gadget", 10, GADGET),
    ("objectdataprovider", "net_gadget", 10, NET),
    ("system.diagnostics.process", "net_gadget", 9, NET),
    ("windowsidentity, mscorlib", "net_gadget", 10, NET),
    ("typeconfusedelegate", "net_gadget", 10, NET),
    ("activitysurrogateselector", "net_gadget", 10, NET),
    ("psy\\configuration", "php_gadget", 10, PHP),
    ("monolog\\handler", "php_gadget", 9, PHP),
    ("guzzlehttp\\psr7\\fnstream", "php_gadget", 10, PHP),
    ("guzzlehttp\\cookie\\filecookiejar", "php_gadget", 10, PHP),
    ("illuminate\\broadcasting\\pendingbroadcast", "php_gadget", 10, PHP),
    ("yii\\db\\batchqueryresult", "php_gadget", 10, PHP),
    ("phpunit\\framework\\mockobject", "php_gadget", 9, PHP),
];

const JAVA: &str = "a serialized Java object";
const PICKLE: &str = "a Python pickle that names something to call";
const NODE: &str = "a function that node-serialize runs when it reads it";
const YAML: &str = "a YAML tag that names a class or a function to build";
const GADGET: &str = "a Java class by which reading data becomes running code";
const DECODER: &str = "XML that tells a Java reader which classes to build and call";
const NET: &str = "a .NET class by which reading data becomes running code";
const PHP: &str = "a PHP class by which reading data becomes running code";

#[expect(clippy::expect_used, reason = "the names are constants, and a few dozen of them fit any automaton")]
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let names = NAMES.iter().map(|(name, ..)| name.as_bytes()).chain([binary::JAVA]);
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(names).expect("constant names")
});

/// The first telling name in a value.
pub(super) fn find(view: &View<'_>) -> Option<Found> {
    for found in FINDER.find_overlapping_iter(view.lower).take(MATCHES_MAX) {
        let Some((name, rule, strength, why)) = NAMES.get(found.pattern().as_usize()) else {
            return Some(Found {
                rule: "java_object",
                strength: 10,
                at: found.start(),
                length: 4,
                why: JAVA,
            });
        };
        if is_itself(view.text, name, found.start()) {
            return Some(Found { rule, strength: *strength, at: found.start(), length: name.len(), why });
        }
    }
    typed(view)
}

/// Names looked at in one value: a beginning of base64 may stand in other base64.
const MATCHES_MAX: usize = 16;

/// Base64 tells cases apart and begins at a word's beginning; so do a format's hexadecimal digits.
fn is_itself(text: &[u8], name: &str, at: usize) -> bool {
    let exact: &[u8] = match name {
        "ro0ab" => b"rO0AB",
        "aaeaaad/////" => b"AAEAAAD/////",
        "aced0005" => return at == 0,
        _ => return true,
    };
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let begins =
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'/' | b'+' | b'-' | b'_'));
    begins && text.get(at..).is_some_and(|rest| rest.starts_with(exact))
}

/// Packages whose classes a type hint of fastjson, Jackson and their kin must not name.
const PACKAGES: [&[u8]; 16] = [
    b"java.",
    b"javax.",
    b"com.sun.",
    b"sun.",
    b"org.apache.",
    b"com.alibaba.",
    b"org.springframework.",
    b"ch.qos.",
    b"com.mchange.",
    b"org.hibernate.",
    b"oracle.",
    b"com.zaxxer.",
    b"br.com.",
    b"org.codehaus.",
    b"org.jboss.",
    b"com.caucho.",
];

/// A type hint: a member `@type` with a class of the platform, or the whole in a text.
fn typed(view: &View<'_>) -> Option<Found> {
    let lower = view.lower;
    let why = "a type hint that names a class of the platform";
    let names_class = |text: &[u8]| PACKAGES.iter().any(|package| text.starts_with(package));
    let name = view.leaf.name;
    // fastjson reads `L…;` and `[…` about a name too.
    let class = lower.strip_prefix(b"l").unwrap_or(lower);
    if view.leaf.at != Where::Name
        && matches!(name, "@type" | "@class" | "$type" | "@c")
        && (names_class(class) || names_class(lower))
    {
        return Some(Found { rule: "type_hint", strength: 10, at: 0, length: lower.len().min(64), why });
    }
    // XStream names elements for classes.
    if view.leaf.at == Where::Name && names_class(lower) {
        return Some(Found {
            rule: "xml_decoder",
            strength: 9,
            at: 0,
            length: lower.len().min(64),
            why: DECODER,
        });
    }
    for hint in [&b"@type"[..], b"@class"] {
        if let Some(at) = memmem::find(lower, hint) {
            let rest = lower.get(at + hint.len()..).unwrap_or_default();
            let quotes = rest
                .iter()
                .take(12)
                .take_while(|byte| matches!(byte, b'"' | b'\\' | b':' | b' ' | b'\'' | b'[' | b'l'))
                .count();
            if names_class(rest.get(quotes..).unwrap_or_default()) {
                return Some(Found { rule: "type_hint", strength: 10, at, length: 32, why });
            }
        }
    }
    None
}
