//! What an error's words mean, for protocols that answer 200 and say the rest in prose.

use super::Outcome;

const WORDS: [(Outcome, &[&str]); 5] = [
    (Outcome::Limited, &["rate limit", "too many requests", "throttl", "quota exceeded", "try again later"]),
    (
        Outcome::Unauthenticated,
        &[
            "unauthenticated",
            "not authenticated",
            "authentication required",
            "authentication fail",
            "failed authentication",
            "failedauthentication",
            "authentication failure",
            "not logged in",
            "be logged in",
            "login required",
            "log in first",
            "invalid token",
            "token is invalid",
            "token expired",
            "token has expired",
            "missing token",
            "signature has expired",
            "invalid credentials",
            "bad credentials",
            "invalidsecurity",
            "security header",
            "unauthorized",
            "unauthorised",
        ],
    ),
    (
        Outcome::Forbidden,
        &[
            "forbidden",
            "permission denied",
            "not authorized",
            "not authorised",
            "access denied",
            "not permitted",
            "not allowed",
            "insufficient permission",
            "insufficient privilege",
            "insufficient scope",
        ],
    ),
    (Outcome::Absent, &["not found", "does not exist", "doesn't exist", "no such"]),
    (Outcome::Broken, &["internal server error", "internal error", "unexpected error", "stack trace"]),
];

/// What a message means, where its words tell; the first kind in the order of the list counts.
pub(super) fn of(message: &str) -> Option<Outcome> {
    let message = message.get(..message.len().min(2_000)).unwrap_or(message).to_lowercase();
    WORDS.iter().find(|(_, words)| words.iter().any(|it| message.contains(it))).map(|(outcome, _)| *outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_errors_mean() {
        for (text, expected) in [
            ("You must be logged in", Some(Outcome::Unauthenticated)),
            ("Permission denied on order 7", Some(Outcome::Forbidden)),
            ("Order 7 not found", Some(Outcome::Absent)),
            ("Rate limit exceeded", Some(Outcome::Limited)),
            ("Internal Server Error", Some(Outcome::Broken)),
            ("title is too short", None),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
