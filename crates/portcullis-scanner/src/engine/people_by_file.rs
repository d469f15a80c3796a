//! Users from a file: how it says that they log in.

use serde_json::{Value, json};

use super::{
    Engine, SECRET_LENGTH_MIN, hosts,
    people::{learn_values, told},
    shouted,
};
use crate::{
    call::{ANONYMOUS, Call, Edit},
    identity::{
        Identity, Role, Session,
        file::{AuthEntry, LoginEndpoint},
        token, totp,
    },
    wire::Outcome,
};

impl Engine<'_> {
    /// What the file holds of a user is masked before anything of it is sent.
    pub(super) fn mask_secrets_of(&mut self, entry: &AuthEntry) {
        let login = entry.login_endpoint_auth.as_ref();
        let password = login.and_then(|it| it.payload_user_pwd.as_ref()).map(|it| it.password.as_str());
        let payload = login.and_then(|it| it.payload_raw.as_deref());
        let fields = login.into_iter().flat_map(|it| &it.headers).chain(&entry.fixed_headers);
        let fields = fields.filter_map(|field| field.value.rsplit(' ').next());
        for (secret, what) in password
            .map(|it| (it, "PASSWORD"))
            .into_iter()
            .chain(payload.map(|it| (it, "LOGIN")))
            .chain(fields.map(|it| (it, "TOKEN")))
        {
            if secret.len() < SECRET_LENGTH_MIN {
                continue;
            }
            // As it stands, and as it is written in a JSON text and in a form.
            let quoted = Value::from(secret).to_string();
            let escaped =
                percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
            for form in [secret.to_owned(), quoted.trim_matches('"').to_owned(), escaped] {
                self.retired.push((form, format!("${}_{what}", shouted(&entry.name))));
            }
        }
    }

    /// Logs in a user of the file.
    pub(super) async fn log_in_by_file(&mut self, entry: &AuthEntry) -> Result<Identity, String> {
        let mut identity = Identity {
            id: self.next_id(),
            name: entry.name.clone(),
            role: entry.role.unwrap_or(Role::Low),
            values: entry
                .values
                .iter()
                .map(|(key, value)| (key.to_ascii_lowercase(), value.clone()))
                .collect(),
            session: Session::default(),
        };
        for field in &entry.fixed_headers {
            let secret = field.value.rsplit(' ').next().unwrap_or_default().to_owned();
            if secret.len() > identity.session.secret.len() {
                identity.session.secret = secret;
            }
            identity.session.headers.push((field.name.to_ascii_lowercase(), field.value.clone()));
        }
        if let Some(login) = &entry.login_endpoint_auth {
            if let Some(user) = &login.payload_user_pwd {
                identity.values.insert("username".to_owned(), Value::from(user.username.clone()));
                identity.values.insert("password".to_owned(), Value::from(user.password.clone()));
                identity
                    .values
                    .insert(user.username_field.to_ascii_lowercase(), Value::from(user.username.clone()));
            }
            self.log_in_at(login, entry, &mut identity).await?;
        }
        Ok(identity)
    }

    async fn log_in_at(
        &mut self,
        login: &LoginEndpoint,
        entry: &AuthEntry,
        identity: &mut Identity,
    ) -> Result<(), String> {
        if let Some(url) = &login.external_endpoint_url {
            let base = hosts::Base::parse(url).map_err(|error| error.to_string())?;
            hosts::permit(&base, &self.options.allowed).map_err(|error| error.to_string())?;
            if base.authority() != self.options.base.authority() {
                return Err("a login on another host than the target is not supported: give `fixedHeaders`"
                    .to_owned());
            }
        }
        let endpoint = login.endpoint.as_deref().or(login.external_endpoint_url.as_deref()).unwrap_or("/");
        let path = endpoint
            .split_once("://")
            .map_or(endpoint, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
        let media = login.content_type.as_deref().unwrap_or("application/json");
        let mut call = Call::bare(login.verb.as_deref().unwrap_or("POST"), path, ANONYMOUS);
        for field in &login.headers {
            call.edits.push(Edit::SetHeader(field.name.to_ascii_lowercase(), field.value.clone()));
        }
        let code = entry.totp.as_ref().map(|totp| {
            let now = self.options.unix_now + self.pace.elapsed().as_secs();
            totp::code(&totp.secret, now)
                .map(|code| (totp.field.clone(), code))
                .ok_or("`totp.secret` is no Base32")
        });
        let code = code.transpose()?;
        let payload = match (&login.payload_raw, &login.payload_user_pwd) {
            (Some(raw), _) => Some(raw.clone()),
            (None, Some(user)) => {
                let mut fields = vec![
                    (user.username_field.clone(), user.username.clone()),
                    (user.password_field.clone(), user.password.clone()),
                ];
                fields.extend(code);
                Some(payload(media, &fields))
            }
            (None, None) => None,
        };
        if let Some(payload) = payload {
            call.edits.push(Edit::SetHeader("content-type".to_owned(), media.to_owned()));
            call.edits.push(Edit::RawBody(payload.into_bytes()));
        }
        let answer = self.call(&call).await;
        if !answer.done() && answer.outcome != Outcome::Elsewhere {
            return Err(format!("the login was answered {}", told(&answer)));
        }
        learn_values(&mut identity.values, answer.json.as_ref());
        if login.expect_cookies {
            identity.session = token::cookies(&answer).ok_or("the login set no cookie")?;
            return Ok(());
        }
        let Some(how) = &login.token else {
            return self
                .adopt(identity, &answer)
                .await
                .map(drop)
                .ok_or_else(|| "the login gave no token and no cookie".to_owned());
        };
        let pointer = how.extract_from_field.as_deref().unwrap_or_default();
        let secret = answer.json.as_ref().and_then(|json| json.pointer(pointer)).and_then(Value::as_str);
        let secret = secret
            .ok_or_else(|| format!("there is no text at `{pointer}` of the login's answer"))?
            .to_owned();
        let value = match (&how.send_template, &how.header_prefix) {
            (Some(template), _) => template.replace("{token}", &secret),
            (None, prefix) => format!("{}{secret}", prefix.as_deref().unwrap_or_default()),
        };
        let name = how.http_header_name.as_deref().unwrap_or("authorization").to_ascii_lowercase();
        identity.session = Session { secret, headers: vec![(name, value)], ..Session::default() };
        Ok(())
    }
}

fn payload(media: &str, fields: &[(String, String)]) -> String {
    if media.contains("urlencoded") {
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        pairs.join("&")
    } else {
        let members: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        Value::Object(members).to_string()
    }
}
