//! Tells the upstream who calls: in named header fields, or in a short-lived token signed by the gate. Whatever a
//! client sent under those names is gone before, present or not: an upstream believes these fields.

use std::{borrow::Cow, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_auth::internal_token::InternalTokens;
use portcullis_core::{
    chain::Transform,
    context::Context,
    principal::{Mechanism, Principal},
};

/// What may not stand in a value as it is: what would end the field, and `%` itself. Everything beyond ASCII is
/// encoded too.
const IN_VALUE: &AsciiSet = &CONTROLS.add(b'%');
/// In a list also what separates its entries: a role named `a,admin` is one role.
const IN_LIST: &AsciiSet = &IN_VALUE.add(b',').add(b' ');

/// A fact about the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityFact {
    /// The caller's name.
    Id,
    /// The caller's organisation.
    Tenant,
    /// Roles, separated by commas.
    Roles,
    /// Scopes, separated by spaces.
    Scopes,
    /// The plan.
    Plan,
    /// The provider that vouched.
    Provider,
    /// How the caller proved it: `anonymous`, `basic`, `api_key`, `jwt`, `mtls`.
    Mechanism,
    /// The credential's public handle.
    Credential,
}

impl IdentityFact {
    /// The fact of the word used in configuration.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "id" => Self::Id,
            "tenant" => Self::Tenant,
            "roles" => Self::Roles,
            "scopes" => Self::Scopes,
            "plan" => Self::Plan,
            "provider" => Self::Provider,
            "mechanism" => Self::Mechanism,
            "credential" => Self::Credential,
            _ => return None,
        })
    }

    /// The value for the upstream; `None` where there is nothing to tell.
    fn value(self, principal: &Principal) -> Option<HeaderValue> {
        let text = match self {
            Self::Id => encoded(&principal.id),
            Self::Tenant => encoded(principal.tenant.as_deref()?),
            Self::Plan => encoded(principal.plan.as_deref()?),
            Self::Provider => encoded(&principal.provider),
            Self::Credential => encoded(principal.credential.as_deref()?),
            Self::Roles => list(&principal.roles, ",")?,
            Self::Scopes => list(&principal.scopes, " ")?,
            Self::Mechanism => Cow::Borrowed(match principal.mechanism {
                Mechanism::Anonymous => "anonymous",
                Mechanism::Basic => "basic",
                Mechanism::ApiKey => "api_key",
                Mechanism::Jwt => "jwt",
                Mechanism::Mtls => "mtls",
            }),
        };
        HeaderValue::from_str(&text).ok()
    }
}

fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, IN_VALUE).into()
}

fn list(words: &[Arc<str>], separator: &str) -> Option<Cow<'static, str>> {
    let words: Vec<Cow<'_, str>> = words.iter().map(|it| utf8_percent_encode(it, IN_LIST).into()).collect();
    (!words.is_empty()).then(|| words.join(separator).into())
}

/// How the upstream is told.
#[derive(Clone, Debug)]
pub enum IdentityForm {
    /// One field a fact.
    Fields(Vec<(HeaderName, IdentityFact)>),
    /// A signed token in one field; with `Bearer ` before it when the field is `Authorization`.
    Token(HeaderName, Arc<InternalTokens>),
}

/// Tells who calls.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    form: IdentityForm,
}

impl IdentityHeaders {
    /// A transform that tells it so.
    pub const fn new(form: IdentityForm) -> Self {
        Self { form }
    }

    /// The fields that it sets: the gateway strips them and their `_` aliases from what clients send.
    pub fn fields(&self) -> impl Iterator<Item = &HeaderName> {
        let (fields, token) = match &self.form {
            IdentityForm::Fields(fields) => (fields.as_slice(), None),
            IdentityForm::Token(name, _) => (&[][..], Some(name)),
        };
        fields.iter().map(|(name, _)| name).chain(token)
    }
}

impl Transform for IdentityHeaders {
    fn name(&self) -> &'static str {
        "identity_headers"
    }

    fn request(&self, cx: &Context, headers: &mut HeaderMap) {
        for name in self.fields() {
            headers.remove(name);
        }
        let Some(principal) = &cx.notes.principal else { return };
        match &self.form {
            IdentityForm::Fields(fields) => {
                for (name, fact) in fields {
                    if let Some(value) = fact.value(principal) {
                        headers.insert(name, value);
                    }
                }
            }
            IdentityForm::Token(name, tokens) => {
                let Some(token) = tokens.token(principal, cx.now) else { return };
                let text: Cow<'_, str> = if *name == http::header::AUTHORIZATION {
                    format!("Bearer {token}").into()
                } else {
                    (&*token).into()
                };
                if let Ok(mut value) = HeaderValue::from_str(&text) {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_auth::{
        internal_token::{InternalTokenSettings, SigningKey},
        jose::{compact::Compact, jwks::KeySet},
    };

    use super::*;
    use crate::authenticate::test_context::{Seed, context};

    fn caller() -> Principal {
        Principal {
            id: "Ünal\r\nx-role: admin".into(),
            provider: "customers".into(),
            mechanism: Mechanism::Jwt,
            roles: vec!["reader".into(), "a,admin".into()],
            scopes: vec!["read".into(), "a b%".into()],
            ..Principal::default()
        }
    }

    fn transformed(
        transform: &IdentityHeaders,
        caller: Option<Principal>,
        sent: &[(&'static str, &str)],
    ) -> String {
        let mut cx = context(sent);
        cx.notes.principal = caller.map(Arc::new);
        let mut headers = cx.request.headers.clone();
        transform.request(&cx, &mut headers);
        let lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.join("\n")
    }

    fn named() -> IdentityHeaders {
        let fields = [
            ("x-user", "id"),
            ("x-tenant", "tenant"),
            ("x-roles", "roles"),
            ("x-scopes", "scopes"),
            ("x-how", "mechanism"),
        ];
        let fields =
            fields.map(|(name, fact)| (HeaderName::from_static(name), IdentityFact::parse(fact).unwrap()));
        IdentityHeaders::new(IdentityForm::Fields(fields.to_vec()))
    }

    #[test]
    fn tells_facts_in_fields_that_cannot_be_broken_out_of() {
        assert_eq!(
            transformed(&named(), Some(caller()), &[("accept", "*/*"), ("x-tenant", "forged")]),
            "accept: */*\nx-user: %C3%9Cnal%0D%0Ax-role: admin\nx-roles: reader,a%2Cadmin\nx-scopes: read a%20b%25\nx-how: jwt"
        );
    }

    #[test]
    fn forged_fields_are_gone_even_if_nobody_is_known() {
        assert_eq!(
            transformed(&named(), None, &[("x-user", "root"), ("x-user", "root2"), ("x-roles", "admin")]),
            ""
        );
    }

    #[test]
    fn tells_all_in_a_signed_token() {
        let key = Arc::new(SigningKey::generate(&Seed(1)).unwrap());
        let settings = InternalTokenSettings {
            issuer: "portcullis".into(),
            audience: "orders".into(),
            life: Duration::from_secs(60),
        };
        let tokens = Arc::new(InternalTokens::new(Arc::clone(&key), settings).unwrap());
        let transform = IdentityHeaders::new(IdentityForm::Token(http::header::AUTHORIZATION, tokens));
        let told = transformed(&transform, Some(caller()), &[("authorization", "Bearer of.the.client")]);
        let token = Compact::parse(told.strip_prefix("authorization: Bearer ").unwrap()).unwrap();
        let keys = KeySet::parse(key.jwks().as_bytes()).unwrap();
        keys.verify(token.kid.as_deref(), token.algorithm.unwrap(), token.signed.as_bytes(), token.signature)
            .unwrap();
        assert_eq!(transformed(&transform, None, &[("authorization", "Bearer of.the.client")]), "");
    }

    #[test]
    fn names_the_fields_it_sets() {
        assert_eq!(
            named().fields().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["x-user", "x-tenant", "x-roles", "x-scopes", "x-how"]
        );
    }
}
