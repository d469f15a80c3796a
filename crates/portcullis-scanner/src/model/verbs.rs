//! What an operation does, as far as its name tells: for protocols whose calls all look alike on the wire.

pub(crate) use super::effect::words;

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
    }
}
