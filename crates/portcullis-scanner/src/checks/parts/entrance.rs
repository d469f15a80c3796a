//! Logging in: some services answer a failed login with 200, so a login is one only where it gave something.

use serde_json::Value;

use crate::{
    call::{ANONYMOUS, Call},
    identity::Identity,
    wire::Answer,
    world::World,
};

/// Values of an identity by which it is named, as a rule.
const KEYS: [&str; 3] = ["username", "email", "id"];

/// A login with this name and password; `None` where it is not known how.
pub fn login_call(world: &World, who: &Identity, password: &str) -> Option<Call> {
    let login = world.login.as_ref()?;
    let good = world.good(login.operation)?;
    let name = login.name.name().to_ascii_lowercase();
    let by_name = KEYS.iter().find(|key| name.contains(**key)).and_then(|key| who.values.get(*key));
    let value = by_name.or_else(|| KEYS.iter().find_map(|key| who.values.get(*key)))?;
    let mut call = good.call.clone().by(ANONYMOUS);
    call.set(&login.name, value.clone());
    call.set(&login.password, Value::from(password));
    Some(call)
}

/// The token of a successful login; for cookie sessions the cookie. `None`: it failed, whatever its status.
pub fn entered(world: &World, answer: &Answer) -> Option<String> {
    let login = world.login.as_ref()?;
    if !answer.done() {
        return None;
    }
    match &login.token {
        Some(pointer) => {
            let token = answer.json.as_ref()?.pointer(pointer)?;
            token.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
        }
        None => answer.header("set-cookie").map(str::to_owned),
    }
}

/// Whether names of users are no secret here: an answer that anybody gets lists one of ours.
pub fn names_are_public(world: &World) -> bool {
    let open = world.samples.iter().filter(|it| it.call.by == ANONYMOUS && it.answer.done());
    let names: Vec<&str> = world.identities.iter().filter_map(|it| it.text("username")).collect();
    open.filter(|it| it.call.body.is_none() && it.call.parameters.is_empty())
        .any(|it| names.iter().any(|name| name.len() >= 3 && it.answer.holds(name)))
}
