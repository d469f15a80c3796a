//! What is refused whatever the specification says: attacks that the gate knows itself, and rules that the operator
//! brings.

use std::{fmt, sync::Arc};

use portcullis_core::chain::Mode;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    codes,
    read::{Fields, Listed, Located, Read, Reader, keys, words},
    source::{Origin, Span},
    units::{Count, FilePath, Size},
    yaml::{Node, Value},
};

/// The settings of the firewall; `block`, `report` or `off` alone sets both of its halves.
#[derive(Clone, Debug, PartialEq)]
pub struct Firewall(pub FirewallSettings);

keys! {
    /// What is refused whatever the specification says.
    pub struct FirewallSettings {
        /// Attacks that the gate recognises by itself. `block` unless given.
        attacks: Option<Located<Mode>> => "report";
        /// The sum of scores at which a call is an attack: one certain finding has 10. `10` unless given.
        threshold: Option<Located<Count>> => "15";
        /// Classes of attack that are not looked for, in an API whose upstream cannot be hit by them.
        ignore: Option<Located<Vec<AttackClass>>> => "[ldap, xpath]";
        /// Rules in the ModSecurity language: the OWASP CRS in a directory, files of your own, in this order.
        rules: Option<Located<Vec<RuleSource>>> => "[{ crs: /usr/share/portcullis/crs }, { files: [rules/*.conf] }]";
        /// What a rule's refusal does. `block` unless given.
        rules_mode: Option<Located<Mode>> => "report";
        /// The paranoia level of the CRS, 1 to 4: higher ones find more and refuse more good calls. `1` unless given.
        paranoia: Option<Located<Paranoia>> => "2";
        /// The anomaly score at which the CRS refuses a request. `5` unless given.
        inbound_threshold: Option<Located<Count>> => "5";
        /// The anomaly score at which the CRS holds an answer back. `4` unless given.
        outbound_threshold: Option<Located<Count>> => "4";
        /// How much of a request's body is looked at. `1MiB` unless given.
        inspect: Option<Located<Size>> => "256KiB";
        /// What becomes of a body beyond `inspect`. `refuse` unless given.
        beyond: Option<Located<Beyond>> => "prefix";
    }
    check check;
}

words! {
    /// What becomes of a body that is larger than what is looked at.
    pub enum Beyond {
        /// The call is refused.
        Refuse = "refuse",
        /// The beginning is looked at, the rest passes; the record says so.
        Prefix = "prefix",
        /// Only the specification judges it; the record says so.
        SchemaOnly = "schema_only",
    }
}

words! {
    /// Classes of attack that the gate recognises by itself.
    pub enum AttackClass {
        /// SQL injection (CWE-89).
        Sql = "sql",
        /// NoSQL operator and JavaScript injection (CWE-943).
        Nosql = "nosql",
        /// Command injection (CWE-78).
        Shell = "shell",
        /// Cross-site scripting (CWE-79).
        Script = "script",
        /// Path traversal and file disclosure (CWE-22).
        Path = "path",
        /// Template and expression injection (CWE-1336, CWE-917).
        Template = "template",
        /// Code injection (CWE-94).
        Code = "code",
        /// Deserialization of untrusted data (CWE-502).
        Deserialization = "deserialization",
        /// XML external entities and entity bombs (CWE-611, CWE-776).
        Xxe = "xxe",
        /// Server-side request forgery and remote file inclusion (CWE-918, CWE-98).
        Ssrf = "ssrf",
        /// LDAP injection (CWE-90).
        Ldap = "ldap",
        /// XPath injection (CWE-643).
        Xpath = "xpath",
        /// Header injection and response splitting (CWE-113).
        Crlf = "crlf",
        /// Prototype pollution (CWE-1321).
        Prototype = "prototype",
        /// GraphQL abuse in texts (CWE-400).
        Graphql = "graphql",
        /// Marks of scanners and of exploits for known holes.
        Fingerprint = "fingerprint",
        /// Marks of request smuggling (CWE-444).
        Smuggling = "smuggling",
    }
}

/// The paranoia level of the CRS, 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Paranoia(pub u8);

/// Where rules come from, and where that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSource {
    /// What is loaded.
    pub kind: RuleSourceKind,
    /// Where it is written.
    pub origin: Origin,
}

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleSourceKind {
    /// An OWASP CRS release: a directory with `rules/` and, if there is one, `crs-setup.conf`.
    Crs(FilePath),
    /// Files of rules, by pattern, in the order of their names.
    Files(Vec<FilePath>),
}

impl Read for Firewall {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_at(node.span, node, reader)
    }

    fn read_at(key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.scalar().is_none() {
            return FirewallSettings::read_at(key, node, reader).map(Self);
        }
        let mode = Located::<Mode>::read_at(key, node, reader)?;
        Some(Self(FirewallSettings {
            attacks: Some(mode.clone()),
            rules_mode: Some(mode),
            ..Self::default().0
        }))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [Mode::schema(generator), FirewallSettings::schema(generator)] })
    }
}

impl Default for Firewall {
    fn default() -> Self {
        Self(FirewallSettings {
            attacks: None,
            threshold: None,
            ignore: None,
            rules: None,
            rules_mode: None,
            paranoia: None,
            inbound_threshold: None,
            outbound_threshold: None,
            inspect: None,
            beyond: None,
        })
    }
}

impl std::ops::Deref for Firewall {
    type Target = FirewallSettings;

    fn deref(&self) -> &FirewallSettings {
        &self.0
    }
}

impl Read for Paranoia {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "paranoia level", |text| match text.parse() {
            Ok(level @ 1..=4) => Ok(Self(level)),
            Ok(_) | Err(_) => Err("it is 1, 2, 3 or 4"),
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 4 })
    }
}

impl Read for RuleSource {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let expected = "`crs: DIRECTORY` or `files: [PATTERNS]`";
        let Value::Map(entries) = &node.value else { return reader.wrong_type(node, expected) };
        let [only] = entries.as_slice() else { return reader.wrong_type(node, expected) };
        let kind = match only.key.as_str() {
            "crs" => RuleSourceKind::Crs(FilePath::read(&only.value, reader)?),
            "files" => RuleSourceKind::Files(Listed::<FilePath>::read(&only.value, reader)?.0),
            other => {
                let message = format!("`{other}` is no source of rules: expected {expected}");
                reader.note(&codes::BAD_VALUE, only.key_span, message);
                return None;
            }
        };
        Some(Self { kind, origin: reader.origin(only.key_span) })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let (path, paths) = (FilePath::schema(generator), Listed::<FilePath>::schema(generator));
        json_schema!({ "anyOf": [
            { "type": "object", "properties": { "crs": path }, "required": ["crs"], "additionalProperties": false },
            { "type": "object", "properties": { "files": paths }, "required": ["files"], "additionalProperties": false },
        ] })
    }
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RuleSourceKind::Crs(path) => write!(f, "crs: {}", path.display()),
            RuleSourceKind::Files(paths) => {
                let paths: Vec<Arc<str>> = paths.iter().map(|it| it.display().to_string().into()).collect();
                write!(f, "files: [{}]", paths.join(", "))
            }
        }
    }
}

fn check(settings: &FirewallSettings, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if settings.attacks.as_ref().is_some_and(|it| it.value == Mode::Off) {
        let message = "attacks are not looked for here, not even in the shadow";
        reader.advise(
            &codes::SWITCHED_OFF,
            fields.place("attacks"),
            message,
            "`attacks: report` would at least record",
        );
    }
}
