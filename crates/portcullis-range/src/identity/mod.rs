//! Who calls: passwords, tokens, API keys, and all the ways to be careless about them.

pub(crate) mod token;

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::Value;

pub(crate) use self::token::Keys;
use crate::{
    app::App,
    http::{call::Cx, route::Route},
    weakness::Weakness,
};

/// Rounds of PBKDF2. Far too few for real passwords; enough for a range that logs in hundreds of times a second.
const ROUNDS: u32 = 1_000;

/// A caller who proved something.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: u64,
    pub(crate) admin: bool,
    /// The token's own id.
    pub(crate) token: String,
}

/// A password in PHC string form.
pub(crate) fn password_hash(password: &str, salt: &str) -> String {
    let mut out = [0_u8; 32];
    if let Some(rounds) = NonZeroU32::new(ROUNDS) {
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut out);
    }
    format!("$pbkdf2-sha256$i={ROUNDS}${salt}${}", STANDARD_NO_PAD.encode(out))
}

/// Whether the password is this user's. Takes as long where there is no such user, unless `hasty`.
pub(crate) fn password_fits(user: Option<&Value>, password: &str, hasty: bool) -> bool {
    let Some(user) = user else {
        if !hasty {
            let _ = password_hash(password, "no such user");
        }
        return false;
    };
    let stored = user.get("password_hash").and_then(Value::as_str).unwrap_or_default();
    let salt = stored.split('$').nth(3).unwrap_or_default();
    let sent = password_hash(password, salt);
    aws_lc_rs::constant_time::verify_slices_are_equal(sent.as_bytes(), stored.as_bytes()).is_ok()
}

/// The caller by `Authorization`.
pub(crate) async fn bearer(cx: &Cx, route: &Route) -> Option<Session> {
    let field = cx.call.header("authorization")?;
    let (scheme, credential) = field.split_once(' ')?;
    let nobody = Session { user: 0, admin: false, token: String::new() };
    match route.id {
        "listStock" if cx.on(Weakness::AuthGarbageAccepted) => return Some(nobody),
        "listPickings" if cx.on(Weakness::AuthOtherScheme) && scheme.eq_ignore_ascii_case("basic") => {
            return Some(nobody);
        }
        _ => {}
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mobile = route.path.starts_with("/mobile/");
    let claims = token::verify(&cx.app, credential.trim(), mobile).await?;
    session(&cx.app, &claims)
}

/// The caller by a token alone.
pub(crate) async fn by_token(app: &App, token: &str) -> Option<Session> {
    session(app, &token::verify(app, token, false).await?)
}

/// The caller by name, for those who believe what they are told.
pub(crate) fn by_name(app: &App, name: &str) -> Option<Session> {
    session(app, &serde_json::json!({"sub": name}))
}

/// The caller by `X-API-Key`.
pub(crate) fn api_key(cx: &Cx, _: &Route) -> Option<Session> {
    let key = cx.call.header("x-api-key").filter(|it| !it.is_empty())?;
    let mut state = cx.app.state();
    let owner = state.table("api_keys").get(key).and_then(|it| it.get("owner_id")).and_then(Value::as_u64);
    match owner {
        Some(user) => Some(Session { user, admin: false, token: String::new() }),
        None if cx.on(Weakness::AuthApiKeyUnchecked) => {
            Some(Session { user: 0, admin: false, token: String::new() })
        }
        None => None,
    }
}

/// What stands behind valid claims: a user that is still there, and a session that was not ended.
fn session(app: &App, claims: &Value) -> Option<Session> {
    let name = claims.get("sub").and_then(Value::as_str)?;
    let token = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
    let mut state = app.state();
    if state.is_marked(&format!("revoked {token}")) {
        return None;
    }
    let user = state.user_named(name)?;
    let from = user.get("sessions_from").and_then(Value::as_u64).unwrap_or_default();
    let generation = claims.get("gen").and_then(Value::as_u64).unwrap_or(from);
    if generation < from {
        return None;
    }
    Some(Session {
        user: user.get("id").and_then(Value::as_u64)?,
        admin: user.get("is_admin").and_then(Value::as_bool).unwrap_or_default()
            || user.get("role").and_then(Value::as_str) == Some("admin"),
        token: token.to_owned(),
    })
}
