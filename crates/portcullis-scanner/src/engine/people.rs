//! Getting users: from a file, or by registering some; logging them in, and in again when they fall out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Engine, Unfinished};
use crate::{
    call::{ANONYMOUS, Call, Edit, IdentityId},
    identity::{Identity, Role, Session, discover::Door, token},
    learn::{Fill, Generator, ground},
    model::Place,
    wire::{Answer, Outcome},
    world::Login,
};

impl Engine<'_> {
    /// Gets A, B and whoever the file names.
    pub(super) async fn meet_people(&mut self) {
        let entries = std::mem::take(&mut self.options.users);
        for entry in &entries {
            self.mask_secrets_of(entry);
            match self.log_in_by_file(entry).await {
                Ok(identity) => self.world.identities.push(identity),
                Err(why) => self.note(format!("user `{}` of the file cannot log in: {why}", entry.name)),
            }
        }
        self.options.users = entries;
        for (role, name) in [(Role::A, "A"), (Role::B, "B")] {
            if self.world.who(role).is_some() || self.options.bounds.read_only {
                continue;
            }
            match self.register(role, name).await {
                Ok(identity) => self.world.identities.push(identity),
                Err(why) => {
                    self.note(format!("no user {name}: {why}"));
                    break;
                }
            }
        }
    }

    pub(super) fn next_id(&self) -> IdentityId {
        let last = self.world.identities.iter().chain(&self.clones).map(|identity| identity.id.0).max();
        IdentityId(last.unwrap_or_default() + 1)
    }

    /// A new user, used for one trial.
    pub(super) async fn fresh(&mut self, role: Role) -> Result<Identity, String> {
        let name = format!("clone {} of {role:?}", self.clones.len() + 1);
        let mut identity = self.register(Role::Disposable, &name).await?;
        identity.role = role;
        self.clones.push(identity.clone());
        Ok(identity)
    }

    /// Registers a user and logs it in.
    pub(crate) async fn register(&mut self, role: Role, name: &str) -> Result<Identity, String> {
        if self.doors.register.is_empty() {
            return Err("no operation registers users".to_owned());
        }
        let mut why = String::new();
        for door in self.doors.register.clone().iter().take(3) {
            for fill in [Fill::All, Fill::Required] {
                let mut call = self.filled(door, fill);
                let values = self.person(door, &mut call);
                let answer = self.call(&call).await;
                if !answer.done() {
                    why = format!("registering was answered {}", told(&answer));
                    continue;
                }
                let mut identity = Identity {
                    id: self.next_id(),
                    name: name.to_owned(),
                    role,
                    values,
                    session: Session::default(),
                };
                learn_values(&mut identity.values, answer.json.as_ref());
                match self.log_in(&mut identity, Some(&answer)).await {
                    Ok(()) => {
                        self.know_register(door, &call, &answer);
                        return Ok(identity);
                    }
                    Err(refused) => why = refused,
                }
            }
        }
        Err(why)
    }

    /// The door's call with every slot filled.
    fn filled(&mut self, door: &Door, fill: Fill) -> Call {
        let mut call = Call::of(door.operation, ANONYMOUS);
        if let Some(operation) = self.world.model.operation(door.operation) {
            let mut generator =
                Generator { schemas: &self.world.model.schemas, chance: &mut self.chance, fill };
            ground(operation, &mut generator, &mut call);
        }
        call
    }

    /// Puts a new person's name, address and password into a call, and says what was put.
    fn person(&mut self, door: &Door, call: &mut Call) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        let mut script_chance = |letters: usize| {
            use rand_chacha::rand_core::RngCore as _;
            (0..letters).map(|_| char::from(b'a' + (self.chance.next_u64() % 26) as u8)).collect::<String>()
        };
        let (word, password) = (script_chance(10), format!("Aa1!{}", script_chance(10)));
        let digits: String = script_chance(9).bytes().map(|it| char::from(b'0' + (it % 10))).collect();
        for slot in self.world.slots.get(door.operation.0).into_iter().flatten() {
            let name = slot.place.name().to_ascii_lowercase();
            let value = if slot.place == door.password || door.repeated.contains(&slot.place) {
                password.clone()
            } else if name.contains("mail") {
                format!("{word}@example.com")
            } else if name.contains("phone") || name.contains("mobile") || name == "number" {
                format!("9{digits}")
            } else if ["user", "login", "name", "account", "nick"].iter().any(|it| name.contains(it)) {
                word.clone()
            } else {
                continue;
            };
            if call.value(&slot.place).is_some_and(Value::is_string)
                || Some(&slot.place) == door.name.as_ref()
                || slot.place == door.password
            {
                call.set(&slot.place, Value::from(value.clone()));
                values.insert(name, Value::from(value));
            }
        }
        values.insert("password".to_owned(), Value::from(password));
        values
    }

    /// Logs in through the operation that does, or takes what the registration gave.
    pub(super) async fn log_in(
        &mut self,
        identity: &mut Identity,
        registered: Option<&Answer>,
    ) -> Result<(), String> {
        let mut why = "no operation logs users in".to_owned();
        for door in self.doors.login.clone().iter().take(3) {
            let Some(name_place) = &door.name else { continue };
            let mut call = self.filled(door, Fill::Required);
            let wanted = name_place.name().to_ascii_lowercase();
            let is = |key: &str| identity.values.get(key).cloned();
            let like = || {
                identity.values.iter().find(|(key, _)| wanted.contains(key.as_str()) || key.contains(&wanted))
            };
            let name = is(&wanted)
                .or_else(|| like().map(|(_, value)| value.clone()))
                .or_else(|| is("username"))
                .or_else(|| is("email"))
                .or_else(|| is("name"));
            let Some(name) = name else { continue };
            let Some(password) = is("password") else { continue };
            call.set(name_place, name);
            call.set(&door.password, password);
            let answer = self.call(&call).await;
            if !answer.done() {
                why = format!("logging in was answered {}", told(&answer));
                continue;
            }
            learn_values(&mut identity.values, answer.json.as_ref());
            if let Some(pointer) = self.adopt(identity, &answer).await {
                self.know_login(door, &call, &answer, pointer);
                return Ok(());
            }
            why = "the login gave no token and no cookie".to_owned();
        }
        if let Some(answer) = registered
            && self.adopt(identity, answer).await.is_some()
        {
            return Ok(());
        }
        Err(why)
    }

    /// Takes token or cookies from an answer, and finds how they are presented. Gives where the token stood; empty for
    /// cookies.
    pub(super) async fn adopt(&mut self, identity: &mut Identity, answer: &Answer) -> Option<String> {
        if let Some((pointer, secret)) = answer.json.as_ref().and_then(token::find) {
            let ways = token::presentations(&self.world.model, &secret);
            identity.session = self.presented(ways).await?;
            return Some(pointer);
        }
        identity.session = token::cookies(answer)?;
        Some(String::new())
    }

    /// The first way that an operation which turns nobody in accepts; the likeliest where none can be tried.
    async fn presented(&mut self, ways: Vec<Session>) -> Option<Session> {
        let known = self.world.identities.iter().find(|identity| !identity.session.secret.is_empty());
        if let Some(known) = known {
            // What worked for one works for the next.
            let shape = |session: &Session| {
                let name = |list: &[(String, String)]| list.first().map(|it| it.0.clone());
                let word = session
                    .headers
                    .first()
                    .and_then(|it| it.1.strip_suffix(&session.secret))
                    .map(str::to_owned);
                (name(&session.headers), name(&session.query), name(&session.cookies), word)
            };
            let wanted = shape(&known.session);
            return ways.into_iter().find(|way| shape(way) == wanted);
        }
        let probe = self.world.model.all().find(|(_, operation)| {
            let asks = operation
                .security
                .as_ref()
                .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| !way.is_empty()));
            let bare = operation.parameters.iter().all(|slot| !slot.required) && operation.body.is_none();
            asks && bare && !operation.effect.changes_state()
        });
        let Some((index, _)) = probe else { return ways.into_iter().next() };
        let call = Call::of(index, ANONYMOUS);
        for way in &ways {
            let mut call = call.clone();
            for (name, value) in &way.headers {
                call.edits.push(Edit::SetHeader(name.clone(), value.clone()));
            }
            for (name, value) in &way.query {
                call.set(&Place::Query(name.as_str().into()), Value::from(value.clone()));
            }
            for (name, value) in &way.cookies {
                call.edits.push(Edit::SetHeader("cookie".to_owned(), format!("{name}={value}")));
            }
            if self.call(&call).await.done() {
                return Some(way.clone());
            }
        }
        ways.into_iter().next()
    }

    /// A further session of a user, or a new one in place of one that was lost.
    pub(super) async fn log_in_again(&mut self, id: IdentityId) -> Result<Identity, String> {
        let mut identity = self.identity(id).cloned().ok_or("no such user")?;
        let entry = self.options.users.iter().find(|entry| entry.name == identity.name).cloned();
        match entry {
            Some(entry) => {
                let again = self.log_in_by_file(&entry).await?;
                identity.session = again.session;
            }
            None => self.log_in(&mut identity, None).await?,
        }
        Ok(identity)
    }

    /// Whether those that the scan needs can still call; who cannot is logged in again, or replaced by a new user where
    /// we made it ourselves. Says whether somebody had fallen out; who stays out makes the scan incomplete.
    pub(crate) async fn revive(&mut self) -> bool {
        let Some(probe) = self.liveness_probe() else { return false };
        let needed: Vec<Identity> =
            self.world.identities.iter().filter(|it| it.id != ANONYMOUS).cloned().collect();
        let mut fell_out = false;
        for own in needed {
            let answer = self.call(&self.own(&probe, own.id)).await;
            // Who is told that it may not is known; nothing is learnt where no answer came.
            let known = answer.done() || answer.outcome == Outcome::Forbidden;
            if known || matches!(answer.outcome, Outcome::Limited | Outcome::Unreached) {
                continue;
            }
            fell_out = true;
            self.retire(&own);
            let again = match self.log_in_again(own.id).await {
                Err(_) if self.made_here(&own) => self.register(own.role, &own.name).await,
                again => again,
            };
            match again {
                Ok(again) => {
                    if let Some(place) = self.world.identities.iter_mut().find(|it| it.id == own.id) {
                        *place = Identity { id: own.id, ..again };
                    }
                }
                Err(why) => {
                    let lost = Unfinished::Logins(format!("{}: {why}", own.name));
                    self.note(lost.to_string());
                    self.lost.get_or_insert(lost);
                }
            }
        }
        fell_out
    }

    /// Whether a user was registered by the scan rather than named by a file.
    fn made_here(&self, identity: &Identity) -> bool {
        !self.options.users.iter().any(|entry| entry.name == identity.name)
    }

    /// A call that anybody logged in may make and nobody else.
    fn liveness_probe(&self) -> Option<Call> {
        let turned_away = |index| {
            self.world
                .samples
                .iter()
                .any(|it| it.call.operation == Some(index) && it.answer.outcome == Outcome::Unauthenticated)
        };
        let asks = |operation: &crate::model::Operation| {
            operation
                .security
                .as_ref()
                .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| !way.is_empty()))
        };
        self.world
            .reached()
            .filter(|(index, operation, good)| {
                good.recipe.is_empty()
                    && !operation.effect.changes_state()
                    && (asks(operation) || turned_away(*index))
            })
            .map(|(.., good)| good.call.clone())
            .min_by_key(|call| call.parameters.len())
    }

    /// The call with the values of the identity where it had another's.
    pub(crate) fn own(&self, call: &Call, id: IdentityId) -> Call {
        let mut call = call.clone().by(id);
        let own = call
            .operation
            .and_then(|index| self.world.good(index))
            .map(|good| good.own.clone())
            .unwrap_or_default();
        for (place, key) in own {
            if let Some(value) = self.identity(id).and_then(|identity| identity.values.get(&key)) {
                call.set(&place, value.clone());
            }
        }
        call
    }

    fn know_login(&mut self, door: &Door, call: &Call, answer: &Answer, token: String) {
        let Some(name) = door.name.clone() else { return };
        self.know_good(call, answer, Vec::new());
        let register = self.doors.register.first().map(|it| it.operation);
        let logout = self.doors.logout.first().copied();
        let token = Some(token).filter(|pointer| !pointer.is_empty());
        self.world.login = Some(Login {
            operation: door.operation,
            name,
            password: door.password.clone(),
            token,
            register,
            logout,
        });
    }

    fn know_register(&mut self, door: &Door, call: &Call, answer: &Answer) {
        let fresh = self.world.slots(door.operation).iter().map(|slot| slot.place.clone());
        let fresh = fresh.filter(|place| {
            let name = place.name().to_ascii_lowercase();
            call.value(place).is_some_and(Value::is_string)
                && ["mail", "phone", "mobile", "user", "login", "name", "account", "nick", "number"]
                    .iter()
                    .any(|it| name.contains(it))
        });
        let fresh = fresh.collect();
        self.know_good(call, answer, fresh);
    }
}

/// Remembers scalars of an answer by their names; what is known already stays.
pub(super) fn learn_values(values: &mut BTreeMap<String, Value>, json: Option<&Value>) {
    fn walk(value: &Value, values: &mut BTreeMap<String, Value>, depth: usize) {
        let Some(members) = value.as_object().filter(|_| depth < 3) else { return };
        for (name, member) in members {
            if member.is_string() || member.is_number() {
                values.entry(name.to_ascii_lowercase()).or_insert_with(|| member.clone());
            }
            walk(member, values, depth + 1);
        }
    }
    if let Some(json) = json {
        walk(json, values, 0);
    }
}

/// An answer in a few words.
pub(super) fn told(answer: &Answer) -> String {
    match &answer.fault {
        Some(fault) => fault.clone(),
        None => format!("{} {}", answer.status, answer.text().chars().take(120).collect::<String>()),
    }
}
