//! One call as a client makes it.

use std::borrow::Cow;

/// A call, and what it is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What the caller is up to, in a few words.
    pub intent: &'static str,
    /// The method.
    pub method: http::Method,
    /// The request target.
    pub target: Cow<'static, str>,
    /// Which credential goes with it.
    pub credential: Credential,
    /// A JSON body; none when empty.
    pub body: Cow<'static, str>,
}

/// Which credential a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The key that the gate issued.
    Good,
    /// None.
    None,
    /// A made-up key of the right shape.
    Forged,
}

impl Call {
    /// A call without a body, with the good key.
    pub fn get(intent: &'static str, target: impl Into<Cow<'static, str>>) -> Self {
        Self {
            intent,
            method: http::Method::GET,
            target: target.into(),
            credential: Credential::Good,
            body: Cow::Borrowed(""),
        }
    }

    /// A call with a JSON body, with the good key.
    pub fn send(
        intent: &'static str,
        method: http::Method,
        target: impl Into<Cow<'static, str>>,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { intent, method, target: target.into(), credential: Credential::Good, body: body.into() }
    }

    /// The same call with another credential.
    #[must_use]
    pub fn with(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }
}
