//! Which operations register users, log them in and out: by the names of their slots and their own.

use crate::model::{Effect, Kind, Model, Operation, OperationIndex, Place, Slot};

/// An operation that takes a name and a password.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// The operation.
    pub operation: OperationIndex,
    /// Where the name goes: user name, address, telephone.
    pub name: Option<Place>,
    /// Where the password goes.
    pub password: Place,
    /// Further slots that take the password once more.
    pub repeated: Vec<Place>,
}

/// What was found, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doors {
    /// Operations that register.
    pub register: Vec<Door>,
    /// Operations that log in.
    pub login: Vec<Door>,
    /// Operations that end a session.
    pub logout: Vec<OperationIndex>,
}

const LOGIN: &[&str] = &["login", "signin", "authenticate", "logon", "token", "session", "auth"];
const REGISTER: &[&str] =
    &["register", "signup", "registration", "createuser", "newuser", "enrol", "adduser", "createaccount"];
const LOGOUT: &[&str] = &["logout", "signout", "logoff"];
const OTHER: &[&str] =
    &["reset", "forgot", "change", "update", "verify", "confirm", "refresh", "logout", "check", "otp"];
const NAMES: &[&str] =
    &["username", "login", "email", "userid", "user", "mail", "phone", "mobile", "account", "name", "number"];

/// Looks for them among the operations with these leaf slots.
pub fn find(model: &Model, slots: &[Vec<Slot>]) -> Doors {
    let mut doors = Doors::default();
    let mut scored: Vec<(i32, bool, Door)> = Vec::new();
    for ((index, operation), slots) in model.all().zip(slots) {
        let text = words(operation);
        if LOGOUT.iter().any(|word| text.contains(word)) {
            doors.logout.push(index);
            continue;
        }
        if operation.effect == Effect::Deletes
            || operation.rest().is_some_and(|(method, _)| !matches!(method, "POST" | "PUT" | "GET"))
        {
            continue;
        }
        let Some(door) = door(index, slots) else { continue };
        let hits = |list: &[&str]| list.iter().filter(|word| text.contains(**word)).count() as i32;
        let aside = 3 * hits(OTHER);
        let users =
            i32::from(text.ends_with("users") || text.ends_with("user") || text.ends_with("accounts"));
        let (login, register) = (4 * hits(LOGIN) - aside, 4 * hits(REGISTER) + 2 * users - aside);
        if door.name.is_some() && login > 0 && login > register {
            scored.push((login, false, door));
        } else if register > 0 {
            scored.push((register, true, door));
        }
    }
    // A stable sort: among equals the document's order decides.
    scored.sort_by_key(|(score, ..)| -score);
    for (_, registers, door) in scored {
        if registers { doors.register.push(door) } else { doors.login.push(door) }
    }
    doors
}

/// Id, name and path of an operation as one word of letters.
pub fn words(operation: &Operation) -> String {
    let path = operation.rest().map(|(_, path)| path).unwrap_or_default();
    format!("{}{}{path}", operation.id, operation.name)
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Whether a slot of that name takes a password.
pub fn takes_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "pwd", "passphrase"].iter().any(|word| name.contains(word)) || name == "pass"
}

fn door(operation: OperationIndex, slots: &[Slot]) -> Option<Door> {
    let mut passwords = slots.iter().filter(|slot| {
        takes_password(slot.place.name())
            && matches!(slot.kind, Kind::Text | Kind::Any)
            && !matches!(slot.place, Place::Path(_))
    });
    let password = passwords.next()?.place.clone();
    let repeated = passwords.map(|slot| slot.place.clone()).collect();
    let name = NAMES.iter().find_map(|word| {
        let mut fitting = slots.iter().filter(|slot| {
            let name: String =
                slot.place.name().to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
            !matches!(slot.place, Place::Path(_))
                && (name == *word || (word.len() > 3 && name.contains(word)))
        });
        fitting.next().map(|slot| slot.place.clone())
    });
    Some(Door { operation, name, password, repeated })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::Wire;

    fn operation(method: &str, path: &str) -> Operation {
        Operation {
            id: Arc::from(format!("{method} {path}")),
            name: String::new(),
            wire: Wire::Rest { method: method.to_owned(), path: path.to_owned() },
            effect: if method == "GET" { Effect::Reads } else { Effect::Creates },
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            security: None,
            examples: Vec::new(),
            links: Vec::new(),
            words: Vec::new(),
            deprecated: false,
        }
    }

    fn slots(names: &[&str]) -> Vec<Slot> {
        names
            .iter()
            .map(|name| Slot {
                place: Place::Body(Arc::from(format!("/{name}"))),
                schema: json!({"type": "string"}),
                kind: Kind::Text,
                required: false,
                style: Default::default(),
                examples: Vec::new(),
            })
            .collect()
    }

    #[test]
    fn tells_doors_apart() {
        let paths = [
            ("POST", "/users", vec!["email", "password", "passwordRepeat"]),
            ("POST", "/auth/login", vec!["email", "password"]),
            ("POST", "/auth/reset-password", vec!["email", "password"]),
            ("PUT", "/users/{id}", vec!["password"]),
            ("POST", "/logout", vec![]),
            ("POST", "/orders", vec!["name"]),
        ];
        let model = Model {
            operations: paths.iter().map(|(method, path, _)| operation(method, path)).collect(),
            ..Model::default()
        };
        let all: Vec<Vec<Slot>> = paths.iter().map(|(.., names)| slots(names)).collect();
        let doors = find(&model, &all);
        assert_eq!(doors.register.first().map(|it| it.operation.0), Some(0));
        assert_eq!(doors.register.first().map(|it| it.repeated.len()), Some(1));
        assert_eq!(doors.login.first().map(|it| it.operation.0), Some(1));
        assert_eq!(doors.logout, [OperationIndex(4)]);
    }
}
