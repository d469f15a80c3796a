//! What a login gives: a token in the answer, or cookies; and how it is presented.

use serde_json::Value;

use super::Session;
use crate::{
    model::{Model, Place, Scheme},
    wire::Answer,
};

/// The token of a login's answer: the most token-like text by its key and its look, with its JSON pointer.
pub fn find(json: &Value) -> Option<(String, String)> {
    let mut best: Option<(i32, String, String)> = None;
    walk(json, &mut String::new(), "", 0, &mut |pointer, key, text| {
        let score = score(key, text);
        if score > best.as_ref().map_or(2, |(score, ..)| *score) {
            best = Some((score, pointer.to_owned(), text.to_owned()));
        }
    });
    best.map(|(_, pointer, token)| (pointer, token))
}

fn walk(value: &Value, at: &mut String, key: &str, depth: usize, see: &mut impl FnMut(&str, &str, &str)) {
    if depth > 8 {
        return;
    }
    let length = at.len();
    match value {
        Value::String(text) => see(at, key, text),
        Value::Object(members) => {
            for (name, member) in members {
                at.push('/');
                at.push_str(&crate::call::escape(name));
                walk(member, at, name, depth + 1, see);
                at.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(4) {
                at.push('/');
                at.push_str(&index.to_string());
                walk(item, at, key, depth + 1, see);
                at.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn score(key: &str, text: &str) -> i32 {
    if text.len() < 8 || text.len() > 8_192 || text.contains([' ', '\n']) {
        return 0;
    }
    let key = key.to_ascii_lowercase();
    let mut score = 0;
    for (word, worth) in [
        ("access", 3),
        ("token", 5),
        ("jwt", 5),
        ("session", 3),
        ("auth", 3),
        ("bearer", 3),
        ("key", 2),
        ("refresh", -6),
        ("type", -9),
        ("id_", -1),
    ] {
        if key.contains(word) {
            score += worth;
        }
    }
    score + if is_jwt(text) { 4 } else { 0 }
}

/// Whether a text has the look of a signed token (RFC 7515 §7.1).
pub fn is_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(head), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    head.starts_with("eyJ") && body.starts_with("eyJ")
}

/// The ways a token may be presented, the likeliest first: as the description says, then as is usual.
pub fn presentations(model: &Model, token: &str) -> Vec<Session> {
    let mut ways: Vec<Session> = Vec::new();
    let mut add = |session: Session| {
        if !ways.contains(&session) {
            ways.push(session);
        }
    };
    let field = |name: &str, value: String| Session {
        secret: token.to_owned(),
        headers: vec![(name.to_ascii_lowercase(), value)],
        ..Session::default()
    };
    let bare = token.strip_prefix("Bearer ").unwrap_or(token);
    let mut schemes: Vec<(usize, &Scheme)> = model
        .schemes
        .iter()
        .map(|(name, scheme)| {
            let uses = |it: &&crate::model::Operation| {
                it.security.iter().flatten().flatten().any(|requirement| requirement.scheme == *name)
            };
            (model.operations.iter().filter(uses).count(), scheme)
        })
        .collect();
    schemes.sort_by_key(|(uses, _)| usize::MAX - uses);
    for (_, scheme) in schemes {
        match scheme {
            Scheme::Bearer => add(field("authorization", format!("Bearer {bare}"))),
            Scheme::Key(Place::Header(name)) if name.eq_ignore_ascii_case("authorization") => {
                add(field("authorization", format!("Bearer {bare}")));
                add(field("authorization", bare.to_owned()));
            }
            Scheme::Key(Place::Header(name)) => add(field(name, bare.to_owned())),
            Scheme::Key(Place::Query(name)) => add(Session {
                secret: bare.to_owned(),
                query: vec![(name.to_string(), bare.to_owned())],
                ..Session::default()
            }),
            Scheme::Key(Place::Cookie(name)) => add(Session {
                secret: bare.to_owned(),
                cookies: vec![(name.to_string(), bare.to_owned())],
                ..Session::default()
            }),
            Scheme::Key(_) | Scheme::Basic | Scheme::UsernameToken | Scheme::Other(_) => {}
        }
    }
    add(field("authorization", format!("Bearer {bare}")));
    add(field("authorization", bare.to_owned()));
    add(field("authorization", format!("Token {bare}")));
    add(field("x-access-token", bare.to_owned()));
    ways
}

/// The session of the cookies that an answer sets (RFC 6265 §4.1), attributes left out.
pub fn cookies(answer: &Answer) -> Option<Session> {
    let cookies: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .filter_map(|(_, value)| value.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let secret = cookies.iter().map(|(_, value)| value).max_by_key(|value| value.len())?.clone();
    Some(Session { secret, cookies, ..Session::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_token_among_other_texts() {
        for (json, pointer) in [
            (
                json!({"auth_token": "eyJhbGciOi.eyJzdWIi.sig", "message": "logged in well"}),
                Some("/auth_token"),
            ),
            (
                json!({"data": {"refresh_token": "aaaaaaaaaaaa", "access_token": "bbbbbbbbbbbb"}}),
                Some("/data/access_token"),
            ),
            (json!({"token_type": "Bearer-token", "token": "cccccccccccc"}), Some("/token")),
            (json!({"status": "success", "message": "all-right-then"}), None),
        ] {
            assert_eq!(find(&json).map(|it| it.0).as_deref(), pointer, "{json}");
        }
    }

    #[test]
    fn presents_as_the_description_says_first() {
        let mut model = Model::default();
        model.schemes.insert("key".to_owned(), Scheme::Key(Place::Header("X-Api-Token".into())));
        let ways = presentations(&model, "secret");
        assert_eq!(ways.first().unwrap().headers, [("x-api-token".to_owned(), "secret".to_owned())]);
        assert!(
            ways.iter().any(|way| way.headers == [("authorization".to_owned(), "Bearer secret".to_owned())])
        );
    }
}
