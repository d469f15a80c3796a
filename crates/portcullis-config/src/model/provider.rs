//! Identity providers: each is of exactly one kind.

use std::{sync::Arc, time::Duration};

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    codes,
    read::{Fields, Listed, ListenerName, Read, Reader, Refused, keys, words},
    source::Span,
    units::{ClaimPath, FilePath, HeaderName, Leeway, Url},
    yaml::Node,
};

/// Vouches for callers.
#[derive(Clone, Debug, PartialEq)]
pub enum Provider {
    /// Tokens of an OpenID Connect issuer, found by discovery.
    Oidc(OidcProvider),
    /// Tokens signed by given keys.
    Jwt(JwtProvider),
    /// Keys issued by this gate (`portcullis keys create`).
    ApiKeys(ApiKeysProvider),
    /// User names and passwords (RFC 7617).
    Basic(BasicProvider),
    /// Client certificates.
    Mtls(MtlsProvider),
}

keys! {
    /// Tokens of an OpenID Connect issuer.
    pub struct OidcProvider {
        /// The issuer's URL, exactly as its tokens say it. Its keys are found by discovery and follow rotation.
        oidc: Url => "https://login.example.com";
        /// The audiences accepted in `aud`; one must match.
        audience: Listed<Arc<str>> => "orders";
        /// The signature algorithms accepted.
        algorithms: Listed<Algorithm> = "[RS256, PS256, ES256, EdDSA]";
        /// The token types accepted in the `typ` header; a token without one counts as `JWT`.
        typ: Listed<Arc<str>> = "[at+jwt, JWT]";
        /// How far clocks may differ.
        leeway: Leeway = "30s";
        /// The header field that carries the token.
        header: HeaderName = "Authorization";
        /// Which claims mean what.
        map: ClaimMap = "{}";
        /// How often keys are fetched anew.
        refresh: Duration = "10m";
        /// How long fetched keys are believed while the issuer does not answer. After that its tokens are refused.
        keys_max_age: Duration = "24h";
    }
    later &["sender_constrained"];
    check check_oidc;
}

keys! {
    /// Tokens signed by given keys.
    pub struct JwtProvider {
        /// The keys: a URL or file of a JSON Web Key Set (RFC 7517).
        jwks: KeySource => "https://login.example.com/jwks";
        /// The issuer, exactly as tokens say it in `iss`.
        issuer: Arc<str> => "https://login.example.com";
        /// The audiences accepted in `aud`; one must match.
        audience: Listed<Arc<str>> => "orders";
        /// The signature algorithms accepted.
        algorithms: Listed<Algorithm> = "[RS256, PS256, ES256, EdDSA]";
        /// The token types accepted in the `typ` header; a token without one counts as `JWT`.
        typ: Listed<Arc<str>> = "[at+jwt, JWT]";
        /// How far clocks may differ.
        leeway: Leeway = "30s";
        /// The header field that carries the token.
        header: HeaderName = "Authorization";
        /// Which claims mean what.
        map: ClaimMap = "{}";
        /// How often keys are fetched anew.
        refresh: Duration = "10m";
        /// How long fetched keys are believed while the issuer does not answer. After that its tokens are refused.
        keys_max_age: Duration = "24h";
    }
    check check_jwt;
}

keys! {
    /// Which claims mean what. Nested claims are named by dots: `realm_access.roles`.
    pub struct ClaimMap {
        /// The caller's stable name.
        id: ClaimPath = "sub";
        /// The caller's organisation.
        tenant: Option<ClaimPath> => "org_id";
        /// The caller's roles: a list, or one text with blanks.
        roles: ClaimPath = "roles";
        /// The token's scopes: a list, or one text with blanks (RFC 9068 §2.2.3).
        scopes: ClaimPath = "scope";
        /// The caller's plan.
        plan: Option<ClaimPath> => "plan";
    }
    later &["assurance", "auth_time"];
}

words! {
    /// Signature algorithms (RFC 7518, RFC 8037). Shared-secret algorithms and `none` do not exist here.
    pub enum Algorithm {
        /// RSA PKCS#1 v1.5 with SHA-256.
        Rs256 = "RS256",
        /// RSA PKCS#1 v1.5 with SHA-384.
        Rs384 = "RS384",
        /// RSA PKCS#1 v1.5 with SHA-512.
        Rs512 = "RS512",
        /// RSA PSS with SHA-256.
        Ps256 = "PS256",
        /// RSA PSS with SHA-384.
        Ps384 = "PS384",
        /// RSA PSS with SHA-512.
        Ps512 = "PS512",
        /// ECDSA on P-256.
        Es256 = "ES256",
        /// ECDSA on P-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

/// Where signing keys come from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// Fetched, with TLS or from loopback.
    Url(Url),
    /// Read from a file, which is watched.
    File(FilePath),
}

keys! {
    /// Keys issued by this gate.
    pub struct ApiKeysProvider {
        /// The header field that carries the key.
        header: HeaderName = "X-API-Key";
        /// Whether the key comes as `Authorization: Bearer KEY` instead.
        bearer: bool = "false";
        /// What keys begin with, so that they are recognised where they leak.
        prefix: Arc<str> = "pcl_";
    }
    later &["hash", "store", "self_service"];
    refuse &REFUSED_FOR_KEYS;
    check check_api_keys;
}

keys! {
    /// User names and passwords.
    pub struct BasicProvider {
        /// A file of users: `name:ARGON2` or `name:ARGON2:role,role` a line. It is watched.
        users: FilePath => "file:/etc/portcullis/users.argon2";
        /// What clients show when they ask for a password.
        realm: Arc<str> = "api";
        /// How long a correct password is remembered, as a keyed hash.
        cache: Duration = "30s";
    }
}

keys! {
    /// Client certificates that a listener has verified.
    pub struct MtlsProvider {
        /// The caller's stable name.
        id: CertificateField = "subject";
        /// The caller's organisation.
        tenant: Option<CertificateField> => "organisation";
        /// Only certificates presented at this listener.
        listener: Option<ListenerName> => "partners";
    }
}

words! {
    /// The fields of a certificate (RFC 5280).
    pub enum CertificateField {
        /// The whole subject, as RFC 4514 text.
        Subject = "subject",
        /// The subject's common name.
        CommonName = "common_name",
        /// The subject's organisation.
        Organisation = "organisation",
        /// The first URI of the alternative names, such as a SPIFFE id.
        SanUri = "san.uri",
        /// The first DNS name of the alternative names.
        SanDns = "san.dns",
        /// The first e-mail address of the alternative names.
        SanEmail = "san.email",
        /// The SHA-256 of the certificate.
        Fingerprint = "fingerprint",
    }
}

static REFUSED_FOR_KEYS: [Refused; 1] =
    [("query", &codes::KEY_IN_QUERY, "keys are not read from the query string, which ends up in logs")];

const KINDS: [&str; 5] = ["oidc", "jwt", "api_keys", "basic", "mtls"];
const LATER_KINDS: [&str; 2] = ["introspection", "wsse"];

impl Read for Provider {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_at(node.span, node, reader)
    }

    fn read_at(key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = node.map() else {
            return reader
                .wrong_type(node, "a mapping with one of `oidc`, `jwt`, `api_keys`, `basic`, `mtls`");
        };
        if let Some(later) = entries.iter().find(|entry| LATER_KINDS.contains(&entry.key.as_str())) {
            let message = format!("`{}` is not supported yet", later.key);
            reader.note(&codes::NOT_YET, later.key_span, message);
            return None;
        }
        let kinds: Vec<_> = entries.iter().filter(|entry| KINDS.contains(&entry.key.as_str())).collect();
        let [kind] = kinds.as_slice() else {
            let (span, message) = match kinds.get(1) {
                Some(second) => (second.key_span, "a provider is of exactly one kind, this one of several"),
                None => (key, "a provider is of exactly one kind, and none is given"),
            };
            let hint = "one of `oidc`, `jwt`, `api_keys`, `basic`, `mtls`";
            reader.advise(&codes::CONFLICT, span, message, hint);
            return None;
        };
        match kind.key.as_str() {
            "oidc" => OidcProvider::read_at(key, node, reader).map(Self::Oidc),
            "jwt" => inner("jwt", node, reader).map(Self::Jwt),
            "api_keys" => inner("api_keys", node, reader).map(Self::ApiKeys),
            "basic" => inner("basic", node, reader).map(Self::Basic),
            _ => inner("mtls", node, reader).map(Self::Mtls),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let one = |kind: &str, schema: Schema| json_schema!({ "type": "object", "properties": { kind: schema }, "required": [kind], "additionalProperties": false });
        let jwt = one("jwt", JwtProvider::schema(generator));
        let api_keys = one("api_keys", ApiKeysProvider::schema(generator));
        let basic = one("basic", BasicProvider::schema(generator));
        let mtls = one("mtls", MtlsProvider::schema(generator));
        json_schema!({ "oneOf": [OidcProvider::schema(generator), jwt, api_keys, basic, mtls] })
    }
}

/// Reads a provider whose settings stand below its kind.
fn inner<T: Read>(kind: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<T> {
    let mut fields = Fields::open(node, reader)?;
    fields.later(&["only_from"]);
    let it = fields.take(kind, None, reader);
    fields.finish(reader);
    it
}

fn check_oidc(provider: &OidcProvider, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    check_issuer(&provider.oidc, fields.place("oidc"), reader);
    check_age(provider.refresh, provider.keys_max_age, fields, reader);
}

fn check_jwt(provider: &JwtProvider, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    check_age(provider.refresh, provider.keys_max_age, fields, reader);
}

/// Keys that may not grow as old as they do between two fetches would refuse everybody now and then.
fn check_age(refresh: Duration, age_max: Duration, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if age_max < refresh {
        let message =
            "keys would be too old before they are fetched anew: `keys_max_age` is shorter than `refresh`";
        let span = fields.entry("keys_max_age").map_or_else(|| fields.place("refresh"), |it| it.key_span);
        let hint = "let `keys_max_age` be several times `refresh`, so that an issuer may be away for a while";
        reader.advise(&codes::CONFLICT, span, message, hint);
    }
}

fn check_issuer(url: &Url, span: Span, reader: &mut Reader<'_>) {
    if url.scheme == crate::units::Scheme::Http && !url.is_loopback() {
        let message = format!("signing keys of `{url}` would be fetched over clear text");
        reader.advise(&codes::INSECURE_ISSUER, span, message, "use `https://`");
    }
}

fn check_api_keys(provider: &ApiKeysProvider, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if provider.bearer && fields.entry("header").is_some() {
        let message = "a key comes in a header field of its own or as a bearer token, not both";
        reader.note(&codes::CONFLICT, fields.place("bearer"), message);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if provider.prefix.len() > 16 || !provider.prefix.bytes().all(plain) {
        let message = "a prefix has at most 16 letters, digits, `_` and `-`";
        reader.note(&codes::BAD_VALUE, fields.place("prefix"), message);
    }
}

impl Read for KeySource {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a URL or a file")?;
        if text.starts_with("http://") || text.starts_with("https://") {
            let url = Url::read(node, reader)?;
            check_issuer(&url, node.span, reader);
            return Some(Self::Url(url));
        }
        FilePath::read(node, reader).map(Self::File)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        crate::read::text_schema("a URL or a file", None)
    }
}
