//! A server that publishes signing keys, and can be made to fail.

use std::sync::{Arc, Mutex};

use crate::{
    tokens::{SigningKey, key_set},
    upstream::{Upstream, text},
};

/// Publishes a JSON Web Key Set at `/jwks`.
pub struct KeyServer {
    server: Upstream,
    answer: Arc<Mutex<(u16, String)>>,
}

impl KeyServer {
    /// Publishes these keys.
    pub async fn of(keys: &[&SigningKey]) -> Self {
        let answer = Arc::new(Mutex::new((200, key_set(keys).to_string())));
        let server = Upstream::answering({
            let answer = Arc::clone(&answer);
            move |_| {
                let (status, body) = answer.lock().expect("no test panicked here").clone();
                text(status, "application/json", body)
            }
        })
        .await;
        Self { server, answer }
    }

    /// Where the keys are.
    pub fn url(&self) -> String {
        format!("{}/jwks", self.server.url())
    }

    /// Publishes these keys instead.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.answer_with(200, &key_set(keys).to_string());
    }

    /// Answers like this from now on.
    pub fn answer_with(&self, status: u16, body: &str) {
        *self.answer.lock().expect("no test panicked here") = (status, body.to_owned());
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.server.seen().len()
    }
}
