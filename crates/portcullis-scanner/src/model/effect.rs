//! What an operation does, guessed from its method and the words of its names.
//!
//! A guess on the careful side: what might change something is never taken for a read, since reads are called freely.

use super::Effect;

/// Words that say that something ends.
const DELETES: &[&str] =
    &["delete", "remove", "destroy", "purge", "erase", "revoke", "unlink", "drop", "clear", "wipe"];
/// Words that say that something is different afterwards.
const CHANGES: &[&str] = &[
    "update",
    "edit",
    "modify",
    "change",
    "set",
    "patch",
    "rename",
    "replace",
    "move",
    "enable",
    "disable",
    "activate",
    "deactivate",
    "lock",
    "unlock",
    "assign",
    "unassign",
    "archive",
    "restore",
    "promote",
    "demote",
];
/// Words that say that something happens.
const ACTS: &[&str] = &[
    "login",
    "logon",
    "signin",
    "logout",
    "logoff",
    "signout",
    "authenticate",
    "authorize",
    "token",
    "refresh",
    "verify",
    "confirm",
    "send",
    "resend",
    "notify",
    "publish",
    "execute",
    "run",
    "invoke",
    "trigger",
    "start",
    "stop",
    "restart",
    "reboot",
    "shutdown",
    "reset",
    "reload",
    "rebuild",
    "reindex",
    "seed",
    "populate",
    "migrate",
    "install",
    "uninstall",
    "import",
    "sync",
    "pay",
    "checkout",
    "refund",
    "transfer",
    "withdraw",
    "approve",
    "reject",
    "cancel",
    "subscribe",
    "unsubscribe",
    "vote",
    "like",
    "follow",
    "unfollow",
    "apply",
    "redeem",
    "ping",
    "createdb",
    "initdb",
    "resetdb",
    "dropdb",
    "flush",
    "unpublish",
    "accept",
    "decline",
];
/// Words that say that nothing happens.
const READS: &[&str] = &[
    "search",
    "query",
    "find",
    "filter",
    "list",
    "lookup",
    "get",
    "fetch",
    "read",
    "count",
    "preview",
    "validate",
    "check",
    "calculate",
    "estimate",
    "compare",
    "suggest",
    "export",
    "batchget",
    "introspect",
    "graphql",
    "view",
    "show",
    "describe",
    "download",
];
/// Words that say that something new is there.
const CREATES: &[&str] =
    &["create", "add", "new", "register", "signup", "insert", "upload", "invite", "clone", "copy"];

/// The words of a name: `createUser_v2` is `create`, `user`, `v2`; lower case.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|it| it.is_lowercase());
        let boundary = !character.is_alphanumeric()
            || (character.is_uppercase()
                && (before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && next_is_lower)));
        if boundary && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The effect of an HTTP operation. `name` is its `operationId` or what stands for it, and may be empty.
pub fn of_rest(method: &str, path: &str, name: &str) -> Effect {
    let last = path.rsplit('/').find(|it| !it.is_empty() && !it.starts_with('{')).unwrap_or_default();
    // A verb leads a name: `deleteUser`, `/users/{id}/delete`. Behind the first word it is mostly a noun.
    let named = words(name);
    let leads = named.first().map_or("", String::as_str);
    let segment = words(last);
    // `log-out`, `sign_in`, `create-db` are one word written as two.
    let pair = match segment.as_slice() {
        [first, second, ..] => format!("{first}{second}"),
        _ => String::new(),
    };
    let segment_verb = segment.first().map_or("", String::as_str);
    let closed = path.ends_with('}');
    let says = |list: &[&str]| {
        list.contains(&leads) || (!closed && (list.contains(&segment_verb) || list.contains(&pair.as_str())))
    };
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY" => of_read(&says, leads, segment_verb, &pair),
        "DELETE" => Effect::Deletes,
        "PUT" | "PATCH" => Effect::Changes,
        _ if says(DELETES) => Effect::Deletes,
        // Logging in comes before `createSession` and the like: the segment knows better.
        _ if says(ACTS) => Effect::Acts,
        _ if says(READS) => Effect::Reads,
        _ if says(CREATES) => Effect::Creates,
        _ if says(CHANGES) => Effect::Changes,
        // A post to one thing changes it; to a collection, it makes one.
        _ if closed => Effect::Changes,
        _ => Effect::Creates,
    }
}

/// A read that its own name calls something else.
fn of_read(says: &dyn Fn(&[&str]) -> bool, leads: &str, segment: &str, pair: &str) -> Effect {
    // Nouns as much as verbs when they stand in a path: only these are plain enough.
    const ALWAYS: &[&str] = &[
        "logout",
        "logoff",
        "signout",
        "createdb",
        "initdb",
        "resetdb",
        "dropdb",
        "delete",
        "remove",
        "destroy",
        "purge",
        "reset",
        "reboot",
        "restart",
        "shutdown",
        "unsubscribe",
        "approve",
        "reject",
        "cancel",
        "activate",
        "deactivate",
        "enable",
        "disable",
        "flush",
        "reload",
        "reindex",
        "populate",
        "seed",
        "restore",
        "execute",
        "trigger",
    ];
    if READS.contains(&leads) && !says(ALWAYS) {
        return Effect::Reads;
    }
    let plain = |word: &str| ALWAYS.contains(&word);
    if !(plain(leads) || plain(segment) || plain(pair)) {
        return match leads {
            it if CREATES.contains(&it) && it != "new" => Effect::Acts,
            it if CHANGES.contains(&it) || DELETES.contains(&it) => Effect::Acts,
            _ => Effect::Reads,
        };
    }
    if says(DELETES) { Effect::Deletes } else { Effect::Acts }
}

/// The effect of something that has only a name: a GraphQL mutation, a remote procedure.
pub fn of_name(name: &str) -> Effect {
    let words = words(name);
    // `userCreate` and `create_user` alike: the verb is first or last.
    let (first, last) = (words.first().map_or("", String::as_str), words.last().map_or("", String::as_str));
    for verb in [first, last] {
        for (list, effect) in [
            (DELETES, Effect::Deletes),
            (ACTS, Effect::Acts),
            (CREATES, Effect::Creates),
            (CHANGES, Effect::Changes),
            (READS, Effect::Reads),
        ] {
            if list.contains(&verb) {
                return effect;
            }
        }
    }
    Effect::Acts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_into_words() {
        assert_eq!(words("createUser_v2"), ["create", "user", "v2"]);
        assert_eq!(words("getHTTPStatus"), ["get", "http", "status"]);
        assert_eq!(words("api_views.users.update_email"), ["api", "views", "users", "update", "email"]);
        assert!(words("--").is_empty());
    }

    #[test]
    fn guesses_from_method_and_names() {
        for (method, path, name, effect) in [
            ("GET", "/users/{id}", "getUser", Effect::Reads),
            ("GET", "/users", "", Effect::Reads),
            ("GET", "/createdb", "", Effect::Acts),
            ("GET", "/createdb", "api_views.main.populate_db", Effect::Acts),
            ("GET", "/logout", "", Effect::Acts),
            ("GET", "/log-out", "", Effect::Acts),
            ("GET", "/users/{id}/delete", "", Effect::Deletes),
            ("GET", "/jobs/{id}/runs", "", Effect::Reads),
            ("GET", "/users/reset", "", Effect::Acts),
            ("GET", "/x", "updateX", Effect::Acts),
            ("POST", "/users", "", Effect::Creates),
            ("POST", "/users/v1/register", "", Effect::Creates),
            ("POST", "/users/v1/login", "", Effect::Acts),
            ("POST", "/sign-in", "createSession", Effect::Acts),
            ("POST", "/users/search", "", Effect::Reads),
            ("POST", "/users/{id}", "", Effect::Changes),
            ("POST", "/users/{id}", "deleteUser", Effect::Deletes),
            ("POST", "/users/{id}/delete", "", Effect::Deletes),
            ("PUT", "/users/{id}", "", Effect::Changes),
            ("DELETE", "/users/{id}", "", Effect::Deletes),
        ] {
            assert_eq!(of_rest(method, path, name), effect, "{method} {path} {name}");
        }
    }

    #[test]
    fn guesses_from_a_name_alone() {
        for (name, effect) in [
            ("createPaste", Effect::Creates),
            ("userDelete", Effect::Deletes),
            ("login", Effect::Acts),
            ("EditPaste", Effect::Changes),
            ("ListOrders", Effect::Reads),
            ("frobnicate", Effect::Acts),
        ] {
            assert_eq!(of_name(name), effect, "{name}");
        }
    }
}
