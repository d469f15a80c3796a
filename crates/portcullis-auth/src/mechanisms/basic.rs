//! HTTP Basic (RFC 7617) against a file of argon2id hashes (RFC 9106).
//!
//! A check costs tens of milliseconds and megabytes, so it is handed out as work, its success is remembered for
//! seconds under a keyed hash, and an unknown user costs the same as a wrong password (CWE-208).

use std::{fmt, sync::Arc, time::Duration};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use hashbrown::HashMap;
use portcullis_core::{
    clock::{Entropy, Timestamp},
    principal::{Mechanism, Principal},
    secret::Secret,
};
use zeroize::Zeroize;

use crate::{
    mechanisms::{Attempt, PasswordVerdict, Waited, Work},
    presented::{Presented, authorization_place},
    recent::Recent,
    refusal::{Fault, Refusal},
};

/// The longest user name and password together, in bytes, before encoding.
pub const CREDENTIAL_BYTES_MAX: usize = 1024;
/// The most users in one file.
pub const USERS_MAX: usize = 100_000;
/// The dearest hash that a users file may demand: beyond, a few calls exhaust memory (CWE-400).
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
const REMEMBERED_MAX: usize = 4_096;

/// The users of one file.
#[derive(Debug)]
pub struct Users {
    by_name: HashMap<Box<str>, User>,
    /// What unknown users are checked against.
    nobody: Arc<PasswordHash>,
}

#[derive(Debug)]
struct User {
    hash: Arc<PasswordHash>,
    roles: Vec<Arc<str>>,
}

/// A line of a users file that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct UserLineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Users {
    /// Reads a users file: one `name:$argon2id$…[:role,role]` a line; empty lines and lines beginning with `#` are
    /// skipped.
    ///
    /// # Errors
    /// Every line that is not understood, names a user twice, or demands a hash beyond the bounds.
    pub fn parse(text: &str) -> Result<Self, Vec<UserLineError>> {
        let mut by_name = HashMap::new();
        let mut errors = Vec::new();
        let mut dearest = (argon2::Params::DEFAULT_M_COST, argon2::Params::DEFAULT_T_COST, 1);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let added = parse_line(line).and_then(|(name, user, cost)| {
                if by_name.len() >= USERS_MAX {
                    return Err("the file has more than 100000 users");
                }
                dearest = if by_name.is_empty() { cost } else { dearest.max(cost) };
                by_name.insert(name, user).map_or(Ok(()), |_| Err("the user is named twice"))
            });
            if let Err(what) = added {
                errors.push(UserLineError { line: index + 1, what });
            }
        }
        let (memory, passes, lanes) = dearest;
        // Nobody can know a password whose hash is all zeros.
        let zeros = "A".repeat(43);
        let nobody = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$cG9ydGN1bGxpczAwMDA${zeros}");
        match PasswordHash::new(&nobody) {
            Ok(nobody) if errors.is_empty() => Ok(Self { by_name, nobody: Arc::new(nobody) }),
            Ok(_) => Err(errors),
            Err(_) => Err(vec![UserLineError { line: 1, what: "the hash parameters cannot be used" }]),
        }
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

type Cost = (u32, u32, u32);

fn parse_line(line: &str) -> Result<(Box<str>, User, Cost), &'static str> {
    let (name, rest) = line.split_once(':').ok_or("expected `name:$argon2id$…[:role,role]`")?;
    if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
        return Err("the user's name is empty, too long, or has control characters");
    }
    let (hash, roles) = rest.split_once(':').unwrap_or((rest, ""));
    let hash =
        PasswordHash::new(hash).map_err(|_| "the password hash is not in PHC form (`$argon2id$v=19$m=…`)")?;
    if hash.algorithm.as_str() != "argon2id" {
        return Err("the password hash is not argon2id");
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err("the password hash has no salt or no hash");
    }
    let params = argon2::Params::try_from(&hash).map_err(|_| "the hash parameters cannot be used")?;
    let cost = (params.m_cost(), params.t_cost(), params.p_cost());
    if cost.0 > MEMORY_KIB_MAX || cost.1 > PASSES_MAX || cost.2 > LANES_MAX {
        return Err("the hash parameters exceed m=262144, t=16, p=16");
    }
    let roles = roles.split(',').map(str::trim).filter(|role| !role.is_empty()).map(Arc::from).collect();
    Ok((name.into(), User { hash: Arc::new(hash), roles }, cost))
}

/// Makes the hash that belongs into a users file, with RFC 9106's cost for small memories (19 MiB, 2 passes).
///
/// # Errors
/// When the password is longer than argon2 takes.
pub fn hash_password(password: &[u8], entropy: &dyn Entropy) -> Result<String, PasswordHashError> {
    let mut salt = [0u8; 16];
    entropy.fill(&mut salt);
    Argon2::default()
        .hash_password_with_salt(password, &salt)
        .map(|it| it.to_string())
        .map_err(|_| PasswordHashError)
}

/// The password cannot be hashed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct PasswordHashError;

/// What a provider of HTTP Basic is told.
#[derive(Clone, Debug)]
pub struct BasicSettings {
    /// The provider's name.
    pub name: Arc<str>,
    /// How long a success is remembered; zero to check every call.
    pub remember: Duration,
    /// The plan of every user.
    pub plan: Option<Arc<str>>,
    /// Scopes of every user.
    pub scopes: Vec<Arc<str>>,
}

/// Believes those who know their password.
pub struct BasicProvider {
    settings: BasicSettings,
    users: Users,
    remembered: Arc<Recent<Remembered>>,
    /// Boxed: it holds two states of the digest, a kilobyte.
    remember_key: Box<hmac::Key>,
}

#[derive(Clone)]
struct Remembered {
    principal: Arc<Principal>,
    until: Timestamp,
}

impl BasicProvider {
    /// A provider with those users. The key of the remembered hashes is drawn here and lives as long as it does.
    pub fn new(settings: BasicSettings, users: Users, entropy: &dyn Entropy) -> Self {
        let mut random = [0u8; 32];
        entropy.fill(&mut random);
        let remember_key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, &random));
        random.zeroize();
        Self { settings, users, remembered: Arc::new(Recent::new(REMEMBERED_MAX)), remember_key }
    }

    /// The provider's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// Checks the credential of a request: from memory where it was right a moment ago, else as work.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp, waited: &Waited) -> Attempt {
        let credential = match presented.scheme("Basic") {
            Ok(Some(credential)) => credential,
            Ok(None) => return Attempt::Absent,
            Err(fault) => return Attempt::Refused(self.refusal(fault)),
        };
        match waited.password(&self.settings.name) {
            Some(PasswordVerdict::Right(principal)) => return Attempt::Accepted(Arc::clone(principal)),
            Some(PasswordVerdict::Wrong) => return Attempt::Refused(self.refusal(Fault::PasswordWrong)),
            None => {}
        }
        let pair = match decode(credential) {
            Ok(pair) => pair,
            Err(fault) => return Attempt::Refused(self.refusal(fault)),
        };
        let digest = self.digest(pair.reveal());
        if let Some(remembered) = self.remembered.find(&digest)
            && now < remembered.until
        {
            return Attempt::Accepted(remembered.principal);
        }
        Attempt::Waits(Work::Password(self.work(pair, digest)))
    }

    fn work(&self, pair: Secret<String>, digest: [u8; 32]) -> PasswordCheck {
        let name = pair.reveal().split_once(':').map_or("", |(name, _)| name);
        let user = self.users.by_name.get(name);
        let principal = user.map(|user| {
            Arc::new(Principal {
                id: name.into(),
                provider: Arc::clone(&self.settings.name),
                mechanism: Mechanism::Basic,
                credential: None,
                tenant: None,
                roles: user.roles.clone(),
                scopes: self.settings.scopes.clone(),
                plan: self.settings.plan.clone(),
                expires: None,
            })
        });
        PasswordCheck {
            provider: Arc::clone(&self.settings.name),
            hash: Arc::clone(user.map_or(&self.users.nobody, |user| &user.hash)),
            pair,
            principal,
            remembered: Arc::clone(&self.remembered),
            remember: self.settings.remember,
            digest,
        }
    }

    fn digest(&self, pair: &str) -> [u8; 32] {
        hmac::sign(&self.remember_key, pair.as_bytes()).as_ref().try_into().unwrap_or_default()
    }

    fn refusal(&self, fault: Fault) -> Refusal {
        Refusal::new(fault, &self.settings.name, authorization_place())
    }
}

/// `name:password` out of the base64 of RFC 7617 §2.
fn decode(credential: &str) -> Result<Secret<String>, Fault> {
    if credential.len() > CREDENTIAL_BYTES_MAX.div_ceil(3) * 4 {
        return Err(Fault::CredentialOversized);
    }
    let bytes = STANDARD.decode(credential).map_err(|_| Fault::CredentialMalformed)?;
    let pair = match String::from_utf8(bytes) {
        Ok(pair) => Secret::new(pair),
        Err(error) => {
            error.into_bytes().zeroize();
            return Err(Fault::CredentialMalformed);
        }
    };
    let text = pair.reveal();
    if !text.contains(':') || text.chars().any(char::is_control) {
        return Err(Fault::CredentialMalformed);
    }
    Ok(pair)
}

/// A password check to be run off the data threads.
pub struct PasswordCheck {
    provider: Arc<str>,
    hash: Arc<PasswordHash>,
    pair: Secret<String>,
    principal: Option<Arc<Principal>>,
    remembered: Arc<Recent<Remembered>>,
    remember: Duration,
    digest: [u8; 32],
}

impl PasswordCheck {
    /// The provider that asked for it.
    pub const fn provider(&self) -> &Arc<str> {
        &self.provider
    }

    /// Computes the hash: tens of milliseconds of CPU, about 19 MiB of memory with the usual cost.
    pub fn run(self, now: Timestamp) -> PasswordVerdict {
        let password = self.pair.reveal().split_once(':').map_or("", |(_, password)| password);
        let right = Argon2::default().verify_password(password.as_bytes(), &*self.hash).is_ok();
        match self.principal {
            Some(principal) if right => {
                if !self.remember.is_zero() {
                    let remembered =
                        Remembered { principal: Arc::clone(&principal), until: now.plus(self.remember) };
                    self.remembered.insert(self.digest, remembered);
                }
                PasswordVerdict::Right(principal)
            }
            _ => PasswordVerdict::Wrong,
        }
    }
}

impl fmt::Debug for PasswordCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordCheck").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl fmt::Debug for BasicProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicProvider").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    struct Seed;

    impl Entropy for Seed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    /// The smallest hash that argon2 knows, so that tests are quick.
    fn users() -> Users {
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let hash = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_with_salt(b"open: sesame", b"saltsaltsaltsalt")
            .unwrap();
        Users::parse(&format!("# users\nali:{hash}:admin, reader\n\nzoe:{hash}\n")).unwrap()
    }

    fn provider() -> BasicProvider {
        let settings = BasicSettings {
            name: "batch".into(),
            remember: Duration::from_secs(30),
            plan: None,
            scopes: vec![],
        };
        BasicProvider::new(settings, users(), &Seed)
    }

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::AUTHORIZATION, value.parse().unwrap())])
    }

    fn basic(pair: &str) -> HeaderMap {
        headers(&format!("Basic {}", STANDARD.encode(pair)))
    }

    /// What the provider says, `waits` followed by what came of the wait.
    fn check(provider: &BasicProvider, headers: &HeaderMap, now: u64) -> String {
        let presented = Presented::new(headers, None);
        let now = Timestamp::from_secs(now);
        match provider.check(&presented, now, &Waited::default()) {
            Attempt::Absent => "absent".into(),
            Attempt::Accepted(it) => format!("{} [{}]", it.id, it.roles.join(" ")),
            Attempt::Refused(refusal) => refusal.fault.facts().0.into(),
            Attempt::Waits(Work::Password(work)) => match work.run(now) {
                PasswordVerdict::Right(it) => format!("waits, then {}", it.id),
                PasswordVerdict::Wrong => "waits, then wrong".into(),
            },
            Attempt::Waits(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn judges_credentials() {
        let provider = provider();
        for (value, expected) in [
            (basic("ali:open: sesame"), "waits, then ali"),
            (basic("ali:wrong"), "waits, then wrong"),
            (basic("nobody:open: sesame"), "waits, then wrong"),
            (basic(":"), "waits, then wrong"),
            (basic("no colon"), "auth/credential_malformed"),
            (basic("ali:\u{0}"), "auth/credential_malformed"),
            (headers("Basic"), "auth/credential_malformed"),
            (headers("Basic !!!"), "auth/credential_malformed"),
            (headers("Basic YWxpOm9wZW4"), "auth/credential_malformed"),
            (headers("Bearer abc"), "absent"),
            (basic(&"x".repeat(CREDENTIAL_BYTES_MAX + 3)), "auth/credential_oversized"),
        ] {
            assert_eq!(check(&provider, &value, 1_000), expected, "{value:?}");
        }
    }

    #[test]
    fn remembers_successes_for_a_while_and_never_failures() {
        let provider = provider();
        let right = basic("ali:open: sesame");
        assert_eq!(check(&provider, &right, 1_000), "waits, then ali");
        assert_eq!(check(&provider, &right, 1_029), "ali [admin reader]");
        assert_eq!(check(&provider, &right, 1_030), "waits, then ali");
        let wrong = basic("ali:wrong");
        assert_eq!(check(&provider, &wrong, 1_000), "waits, then wrong");
        assert_eq!(check(&provider, &wrong, 1_000), "waits, then wrong");
    }

    #[test]
    fn unknown_users_are_checked_at_the_same_cost() {
        let users = users();
        let known = argon2::Params::try_from(&*users.by_name["ali"].hash).unwrap();
        let nobody = argon2::Params::try_from(&*users.nobody).unwrap();
        assert_eq!((known.m_cost(), known.t_cost()), (nobody.m_cost(), nobody.t_cost()));
    }

    #[test]
    fn makes_hashes_that_it_takes() {
        let hash = hash_password(b"secret", &Seed).unwrap();
        assert!(Argon2::default().verify_password(b"secret", &PasswordHash::new(&hash).unwrap()).is_ok());
        assert!(Users::parse(&format!("a:{hash}")).is_ok());
    }

    #[test]
    fn reports_every_bad_line() {
        let good = hash_password(b"x", &Seed).unwrap();
        let text = format!(
            "a:{good}\na:{good}\nb\nc:plain\nd:$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
             e:$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n:{good}"
        );
        let errors = Users::parse(&text).unwrap_err();
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        line 2: the user is named twice
        line 3: expected `name:$argon2id$…[:role,role]`
        line 4: the password hash is not in PHC form (`$argon2id$v=19$m=…`)
        line 5: the password hash is not argon2id
        line 6: the hash parameters exceed m=262144, t=16, p=16
        line 7: the user's name is empty, too long, or has control characters
        ");
    }

    #[test]
    fn never_prints_a_password() {
        let provider = provider();
        let map = basic("ali:open: sesame");
        let attempt = provider.check(&Presented::new(&map, None), Timestamp::default(), &Waited::default());
        assert!(!format!("{attempt:?}").contains("sesame"));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in "\\PC{0,100}") {
            let _ = decode(&text);
        }
    }
}
