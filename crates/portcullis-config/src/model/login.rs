//! Throttling of failed logins.

use crate::{
    codes,
    read::{Fields, Listed, Reader, keys},
    units::{JsonPointer, LoginAttempts, LoginSubject},
};

keys! {
    /// Throttles failed logins at an operation that takes credentials (CWE-307).
    pub struct Login {
        /// How many may fail.
        attempts: Listed<LoginAttempts> = "[5/10m per username, 30/10m per ip]";
        /// Where the user name stands in the JSON body; needed to count per user name.
        username_field: Option<JsonPointer> => "/username";
        /// The statuses by which the upstream says that a login failed.
        failure: Listed<u32> = "[401, 403]";
    }
    check check;
}

fn check(login: &Login, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let by_name = login.attempts.iter().any(|it| it.per == LoginSubject::Username);
    if by_name && login.username_field.is_none() {
        let message = "to count per user name the gate must know where it stands";
        let hint = "add `username_field: /username`, or write `attempts: 30/10m per ip`";
        reader.advise(&codes::MISSING_KEY, fields.span, message, hint);
    }
    if login.failure.iter().any(|status| !(100..600).contains(status)) {
        reader.note(&codes::BAD_VALUE, fields.place("failure"), "a status is a number from 100 to 599");
    }
}
