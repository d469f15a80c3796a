//! Header fields set and removed, and the identity that the upstream is told.

use std::{sync::Arc, time::Duration};

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    codes,
    read::{Fields, Read, Reader, keys, words},
    units::{HeaderName, HeaderValue, SecretRef},
    yaml::{Node, Value},
};

keys! {
    /// Header fields set and removed.
    pub struct HeaderEdit {
        /// Fields set, in place of any that are there. A value may be a reference: `env:NAME`, `file:/path`.
        set: HeaderValues => "{ X-Frame-Options: DENY }";
        /// Fields removed.
        remove: Vec<HeaderName> => "[X-Debug]";
    }
}

/// Header fields with their values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderValues(pub Vec<(HeaderName, HeaderText)>);

/// The value of a header field.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderText {
    /// As written.
    Plain(HeaderValue),
    /// From outside the configuration.
    Reference(SecretRef),
}

words! {
    /// What is known about a caller.
    pub enum Fact {
        /// The stable name.
        Id = "principal.id",
        /// The organisation.
        Tenant = "principal.tenant",
        /// The roles, with commas.
        Roles = "principal.roles",
        /// The scopes, with blanks.
        Scopes = "principal.scopes",
        /// The plan.
        Plan = "principal.plan",
        /// The provider that vouched.
        Provider = "principal.provider",
    }
}

/// How the upstream is told who calls. The same fields in a request from outside are always removed.
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityHeaders {
    /// One header field a fact.
    Named(Vec<(HeaderName, Fact)>),
    /// A signed token.
    Jwt(IdentityJwt),
}

keys! {
    /// A short-lived token signed by the gate with Ed25519 (RFC 8037), which the upstream can verify.
    pub struct IdentityJwt {
        /// The header field that carries it.
        header: HeaderName = "X-Portcullis-Identity";
        /// The private key, PKCS#8 in PEM; one kept in the data directory when absent.
        key: Option<SecretRef> => "file:/run/secrets/identity.pem";
        /// What `iss` says.
        issuer: Arc<str> = "portcullis";
        /// What `aud` says; the API's name when absent.
        audience: Option<Arc<str>> => "orders";
        /// How long it is valid.
        ttl: Duration = "60s";
    }
}

impl Read for HeaderValues {
    const REQUIRED: bool = false;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        by_header(node, reader, HeaderText::read).map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

/// Reads a mapping whose keys are names of header fields; a name twice (in any case of letters) is a mistake.
fn by_header<T>(
    node: &Node,
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&Node, &mut Reader<'_>) -> Option<T>,
) -> Option<Vec<(HeaderName, T)>> {
    let Some(entries) = node.map() else {
        return reader.wrong_type(node, "a mapping of header field names");
    };
    let mut pairs: Vec<(HeaderName, T)> = Vec::new();
    let mut whole = true;
    for entry in entries {
        let key = Node { span: entry.key_span, value: Value::Scalar(entry.key.clone()) };
        let name = HeaderName::read(&key, reader);
        reader.path.push(entry.key.clone());
        let value = read(&entry.value, reader);
        reader.path.pop();
        let (Some(name), Some(value)) = (name, value) else {
            whole = false;
            continue;
        };
        if pairs.iter().any(|(other, _)| *other == name) {
            reader.note(&codes::DUPLICATE_KEY, entry.key_span, format!("`{name}` is given twice"));
            whole = false;
        }
        pairs.push((name, value));
    }
    whole.then_some(pairs)
}

impl Read for HeaderText {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a header field value")?;
        if text.starts_with("env:") || text.starts_with("file:") {
            return SecretRef::read(node, reader).map(Self::Reference);
        }
        match HeaderValue::from_str(text) {
            Ok(value) => Some(Self::Plain(value)),
            Err(_) => {
                reader.note(
                    &codes::BAD_VALUE,
                    node.span,
                    "the value holds a character that no header field has",
                );
                None
            }
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl Read for IdentityHeaders {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.key("jwt").is_some() {
            let mut fields = Fields::open(node, reader)?;
            let jwt = fields.take("jwt", None, reader);
            fields.finish(reader);
            return jwt.map(Self::Jwt);
        }
        by_header(node, reader, Fact::read).map(Self::Named)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let facts = Fact::schema(generator);
        let jwt = IdentityJwt::schema(generator);
        json_schema!({ "anyOf": [
            { "type": "object", "properties": { "jwt": jwt }, "required": ["jwt"], "additionalProperties": false },
            { "type": "object", "additionalProperties": facts },
        ] })
    }
}
