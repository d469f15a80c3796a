//! Identities from a file in the format of Web Fuzzing Commons (`auth`, `authTemplate`), with three words of our own an
//! entry: `role` (`a`, `b`, `low`, `high`), `values` (what is known of the user) and `totp` (`secret`, `field`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Role;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthFile {
    /// The version of the format.
    #[serde(default)]
    pub schema_version: Option<String>,
    /// The users.
    pub auth: Vec<AuthEntry>,
    /// What entries have that do not say otherwise.
    #[serde(default)]
    pub auth_template: Option<AuthEntry>,
    /// Words for other tools.
    #[serde(default)]
    pub configs: BTreeMap<String, String>,
}

/// A user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthEntry {
    /// Unique.
    pub name: String,
    /// For other tools.
    pub require_mock_handling: bool,
    /// What is sent with each request.
    pub fixed_headers: Vec<Field>,
    /// How to log in.
    pub login_endpoint_auth: Option<LoginEndpoint>,
    /// What it is for.
    pub role: Option<Role>,
    /// What is known of the user, by name.
    pub values: BTreeMap<String, Value>,
    /// A second factor.
    pub totp: Option<Totp>,
}

/// A header field.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A second factor.
#[derive(Clone, Debug, Deserialize)]
pub struct Totp {
    /// Base32.
    pub secret: String,
    /// The member of the login's payload that takes the code.
    pub field: String,
}

/// How to log in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoginEndpoint {
    /// A path on the target.
    pub endpoint: Option<String>,
    /// A whole URL on another host; it must be allowed.
    #[serde(rename = "externalEndpointURL")]
    pub external_endpoint_url: Option<String>,
    /// The method.
    pub verb: Option<String>,
    /// The media type; `application/json` unless said.
    pub content_type: Option<String>,
    /// Further header fields.
    pub headers: Vec<Field>,
    /// The payload as it stands.
    pub payload_raw: Option<String>,
    /// Or made of name and password.
    pub payload_user_pwd: Option<UserPassword>,
    /// Where the token is, and how it is presented.
    pub token: Option<Token>,
    /// Cookies are what the login gives.
    pub expect_cookies: bool,
}

/// Name and password, and the fields they go into.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserPassword {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
    /// Its field.
    pub username_field: String,
    /// Its field.
    pub password_field: String,
}

/// Where the token is, and how it is presented; both spellings of the format are read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Token {
    /// A JSON pointer into the answer.
    #[serde(alias = "extractSelector")]
    pub extract_from_field: Option<String>,
    /// The header field that carries it.
    #[serde(alias = "sendName")]
    pub http_header_name: Option<String>,
    /// What stands before it.
    pub header_prefix: Option<String>,
    /// The whole value, `{token}` in it.
    pub send_template: Option<String>,
}

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAuthFile {
    /// Not the format.
    #[error("{0}")]
    Syntax(String),
    /// An entry lacks something.
    #[error("auth entry `{name}`: {what}")]
    Entry {
        /// Which.
        name: String,
        /// What.
        what: String,
    },
}

/// Reads the file; the template is filled into every entry, and every entry has a role: as said, by name, or by order.
///
/// # Errors
/// It is no such file, a name stands twice, or an entry has neither header fields nor a login.
pub fn read(text: &str) -> Result<Vec<AuthEntry>, BadAuthFile> {
    let file: AuthFile =
        serde_saphyr::from_str(text).map_err(|error| BadAuthFile::Syntax(error.to_string()))?;
    let template = file.auth_template.unwrap_or_default();
    let mut entries: Vec<AuthEntry> = Vec::new();
    for mut entry in file.auth {
        if entry.fixed_headers.is_empty() {
            entry.fixed_headers.clone_from(&template.fixed_headers);
        }
        entry.login_endpoint_auth =
            match (entry.login_endpoint_auth.take(), template.login_endpoint_auth.clone()) {
                (Some(own), Some(template)) => Some(filled(own, template)),
                (own, template) => own.or(template),
            };
        let bad = |what: &str| BadAuthFile::Entry { name: entry.name.clone(), what: what.to_owned() };
        if entry.name.is_empty() || entries.iter().any(|other| other.name == entry.name) {
            return Err(bad("its name must be there, and unique"));
        }
        match &entry.login_endpoint_auth {
            None if entry.fixed_headers.is_empty() => {
                return Err(bad("neither `fixedHeaders` nor `loginEndpointAuth`"));
            }
            Some(login) if login.endpoint.is_none() && login.external_endpoint_url.is_none() => {
                return Err(bad("`loginEndpointAuth` needs `endpoint` or `externalEndpointURL`"));
            }
            Some(login)
                if login.payload_raw.is_none()
                    && login.payload_user_pwd.is_none()
                    && login.headers.is_empty() =>
            {
                return Err(bad("`loginEndpointAuth` needs `payloadRaw`, `payloadUserPwd` or `headers`"));
            }
            _ => {}
        }
        entries.push(entry);
    }
    give_roles(&mut entries);
    Ok(entries)
}

fn filled(own: LoginEndpoint, template: LoginEndpoint) -> LoginEndpoint {
    LoginEndpoint {
        endpoint: own.endpoint.or(template.endpoint),
        external_endpoint_url: own.external_endpoint_url.or(template.external_endpoint_url),
        verb: own.verb.or(template.verb),
        content_type: own.content_type.or(template.content_type),
        headers: if own.headers.is_empty() { template.headers } else { own.headers },
        payload_raw: own.payload_raw.or(template.payload_raw),
        payload_user_pwd: own.payload_user_pwd.or(template.payload_user_pwd),
        token: own.token.or(template.token),
        expect_cookies: own.expect_cookies || template.expect_cookies,
    }
}

fn give_roles(entries: &mut [AuthEntry]) {
    let mut free = [Role::A, Role::B]
        .into_iter()
        .filter(|role| !entries.iter().any(|it| it.role == Some(*role)))
        .collect::<Vec<_>>();
    free.reverse();
    for entry in entries.iter_mut().filter(|entry| entry.role.is_none()) {
        let name = entry.name.to_ascii_lowercase();
        let high = ["admin", "root", "super", "manager", "staff"].iter().any(|word| name.contains(word));
        entry.role = if high { Some(Role::High) } else { free.pop().or(Some(Role::Low)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_users_with_a_template() {
        let entries = read(
            "auth:\n- name: alice\n  loginEndpointAuth:\n    payloadUserPwd: {username: alice, password: a, usernameField: u, passwordField: p}\n\
             - name: administrator\n  fixedHeaders: [{name: X-Key, value: k}]\n  loginEndpointAuth: null\n- name: bob\n  role: low\n  fixedHeaders: [{name: X-Key, value: b}]\n\
             authTemplate:\n  loginEndpointAuth: {endpoint: /login, verb: POST, payloadRaw: x, token: {extractFromField: /t, httpHeaderName: Authorization, headerPrefix: 'Bearer '}}\n",
        )
        .unwrap();
        let roles: Vec<_> = entries.iter().map(|it| it.role.unwrap()).collect();
        assert_eq!(roles, [Role::A, Role::High, Role::Low]);
        let login = entries.first().unwrap().login_endpoint_auth.as_ref().unwrap();
        assert_eq!(login.endpoint.as_deref(), Some("/login"));
        assert_eq!(login.token.as_ref().unwrap().extract_from_field.as_deref(), Some("/t"));
    }

    #[test]
    fn refuses_entries_that_say_nothing() {
        for text in
            ["auth:\n- name: a\n", "auth: 3", "{}", "auth:\n- name: a\n  loginEndpointAuth: {verb: POST}\n"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
