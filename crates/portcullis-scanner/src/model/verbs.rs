//! What an operation does, as far as its name tells: for protocols whose calls all look alike on the wire.

use super::Effect;

const DELETES: [&str; 12] = [
    "delete", "remove", "destroy", "drop", "purge", "wipe", "erase", "burn", "cancel", "revoke", "unlink",
    "clear",
];
const CREATES: [&str; 14] = [
    "create", "add", "register", "insert", "new", "upload", "import", "post", "make", "place", "submit",
    "signup", "save", "store",
];
const CHANGES: [&str; 16] = [
    "update", "edit", "set", "change", "modify", "patch", "put", "rename", "move", "reset", "replace",
    "assign", "enable", "disable", "approve", "toggle",
];
const READS: [&str; 16] = [
    "get", "list", "find", "search", "read", "fetch", "show", "view", "lookup", "query", "count", "describe",
    "check", "validate", "stream", "watch",
];

/// The words of a name in camel, snake or kebab case, lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower_before = false;
    let mut open = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            open = false;
            lower_before = false;
            continue;
        }
        if !open || (letter.is_uppercase() && lower_before) {
            words.push(String::new());
            open = true;
        }
        lower_before = letter.is_lowercase() || letter.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// The effect that a name tells; `None` where it tells none. A word for taking away counts anywhere in the name, as in
/// `read_and_burn`: to take a reader for a deleter costs little, the other way round costs data.
pub(crate) fn effect(name: &str) -> Option<Effect> {
    let words = words(name);
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let first = words.first()?;
    if words.iter().any(|word| is(&DELETES, word)) {
        Some(Effect::Deletes)
    } else if is(&CREATES, first) {
        Some(Effect::Creates)
    } else if is(&CHANGES, first) {
        Some(Effect::Changes)
    } else if is(&READS, first) {
        Some(Effect::Reads)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_effects_from_names_of_all_cases() {
        for (name, expected) in [
            ("deleteAllPastes", Some(Effect::Deletes)),
            ("read_and_burn", Some(Effect::Deletes)),
            ("CreateUser", Some(Effect::Creates)),
            ("update-order", Some(Effect::Changes)),
            ("GetOrder", Some(Effect::Reads)),
            ("systemUpdate", None),
            ("login", None),
            ("", None),
        ] {
            assert_eq!(effect(name), expected, "{name}");
        }
        assert_eq!(words("getHTTPStatus2xx"), ["get", "httpstatus2xx"]);
    }
}
