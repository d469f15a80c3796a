//! API keys: written in SQLite, answered from memory.
//!
//! Only the SHA-256 of a key is kept: it has 256 bits of chance, so a slow hash would add cost and no safety. The
//! command line writes to the same file beside a running gate, which notices by [`KeyStore::refresh`].

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use portcullis_core::{
    clock::Timestamp,
    ports::Keys,
    principal::{Mechanism, Principal},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{error::StoreError, sqlite};

/// The steps of `keys.sqlite`. Appended to, never edited. Times are microseconds since the Unix epoch, lists are
/// JSON arrays of strings.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE keys (
        id TEXT PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
        shown TEXT NOT NULL, scopes TEXT NOT NULL, roles TEXT NOT NULL, plan TEXT, tenant TEXT,
        created INTEGER NOT NULL, expires INTEGER, revoked INTEGER, last_used INTEGER
    ) WITHOUT ROWID;
"];

/// The most keys in one store: 200 bytes each in memory.
const KEYS_MAX: i64 = 1_000_000;

/// A use is noted when the last one noted is this long ago: a busy key must not be a busy cache line.
const USE_MICROS: u64 = 60 * 1_000_000;

/// The longest name, owner, scope, role, plan or tenant, in bytes.
const WORD_BYTES_MAX: usize = 256;

/// What is written down about a new key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewKey {
    /// SHA-256 of the key's text.
    pub sha256: [u8; 32],
    /// The beginning of the text, by which people tell keys apart.
    pub shown: Box<str>,
    /// The key's name, unique, also among revoked keys: the record says `who`, so a name is never reused.
    pub name: Box<str>,
    /// Whom the key stands for: the principal's id. Several keys may have one owner.
    pub owner: Box<str>,
    /// Its scopes.
    pub scopes: Vec<Arc<str>>,
    /// Its roles.
    pub roles: Vec<Arc<str>>,
    /// Its plan.
    pub plan: Option<Arc<str>>,
    /// Its owner's organisation.
    pub tenant: Option<Arc<str>>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// A key as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public handle: `key_` and twelve hexadecimal digits of its SHA-256.
    pub id: Arc<str>,
    /// What was written down when it was made.
    pub key: NewKey,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used: Option<Timestamp>,
}

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a key of that name already.
    #[error("there is a key named `{0}` already, perhaps a revoked one")]
    NameTaken(Box<str>),
    /// There is no such key.
    #[error("there is no key with the name or id `{0}`")]
    Unknown(Box<str>),
    /// A word that cannot be kept.
    #[error("a key's {what} is 1 to {WORD_BYTES_MAX} bytes without control characters; found `{found}`")]
    Word {
        /// Which.
        what: &'static str,
        /// The text, escaped.
        found: Box<str>,
    },
    /// The store is full.
    #[error("there are {KEYS_MAX} keys already")]
    Full,
}

/// The keys of a data directory.
pub struct KeyStore {
    path: PathBuf,
    provider: Arc<str>,
    connection: Mutex<Connection>,
    /// What the file said when last read.
    known: ArcSwap<HashMap<[u8; 32], Known>>,
    data_version: AtomicU64,
}

struct Known {
    principal: Arc<Principal>,
    id: Arc<str>,
    /// Microseconds; 0 for never.
    last_used: AtomicU64,
    /// What the file says about it.
    last_written: AtomicU64,
}

impl KeyStore {
    /// Opens `keys.sqlite` in the data directory and reads it. Principals carry `provider` as their provider.
    ///
    /// # Errors
    /// When the file cannot be used, is damaged, or comes from a later version.
    pub fn open(directory: &Path, provider: &str) -> Result<Self, KeyStoreError> {
        let path = directory.join("keys.sqlite");
        let connection = sqlite::open(&path, MIGRATIONS)?;
        let store = Self {
            path,
            provider: provider.into(),
            connection: Mutex::new(connection),
            known: ArcSwap::default(),
            data_version: AtomicU64::new(0),
        };
        store.read(&store.lock())?;
        Ok(store)
    }

    /// Writes a new key down; it is good at once.
    ///
    /// # Errors
    /// When the name is taken, a word cannot be kept, or the file cannot be written.
    pub fn create(&self, key: NewKey, now: Timestamp) -> Result<KeyRecord, KeyStoreError> {
        check_words(&key)?;
        let connection = self.lock();
        let failed = |error| KeyStoreError::Store(StoreError::database(&self.path, error));
        let count: i64 =
            connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).map_err(failed)?;
        if count >= KEYS_MAX {
            return Err(KeyStoreError::Full);
        }
        let id: String = key.sha256.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let record =
            KeyRecord { id: format!("key_{id}").into(), key, created: now, revoked: None, last_used: None };
        let key = &record.key;
        let inserted = connection
            .execute(
                "INSERT INTO keys (id, sha256, name, owner, shown, scopes, roles, plan, tenant, created, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (name) DO NOTHING",
                params![
                    &*record.id,
                    key.sha256,
                    &*key.name,
                    &*key.owner,
                    &*key.shown,
                    list(&key.scopes),
                    list(&key.roles),
                    key.plan.as_deref(),
                    key.tenant.as_deref(),
                    micros(now),
                    key.expires.map(micros)
                ],
            )
            .map_err(failed)?;
        if inserted == 0 {
            return Err(KeyStoreError::NameTaken(record.key.name));
        }
        self.read(&connection)?;
        Ok(record)
    }

    /// All keys, revoked ones too, in the order of their making.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<KeyRecord>, KeyStoreError> {
        self.flush_uses()?;
        Ok(self.rows(&self.lock())?)
    }

    /// Ends a key, given by name or id. Ending it again changes nothing.
    ///
    /// # Errors
    /// When there is no such key, or the file cannot be written.
    pub fn revoke(&self, name_or_id: &str, now: Timestamp) -> Result<KeyRecord, KeyStoreError> {
        let connection = self.lock();
        let failed = |error| KeyStoreError::Store(StoreError::database(&self.path, error));
        // A name may look like an id; the exact name is what the operator has in mind.
        let id: Option<String> = connection
            .query_row(
                "SELECT id FROM keys WHERE name = ?1 OR id = ?1 ORDER BY name = ?1 DESC LIMIT 1",
                [name_or_id],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)?;
        let unknown = || KeyStoreError::Unknown(name_or_id.into());
        let id = id.ok_or_else(unknown)?;
        connection
            .execute(
                "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL",
                params![id, micros(now)],
            )
            .map_err(failed)?;
        self.read(&connection)?;
        self.rows(&connection)?.into_iter().find(|record| *record.id == *id).ok_or_else(unknown)
    }

    /// The principal of the key with that name or id, for `explain --as key:NAME`; `None` when it is unknown,
    /// revoked or expired.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn principal(
        &self,
        name_or_id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Principal>>, KeyStoreError> {
        let rows = self.rows(&self.lock())?;
        let found = rows
            .iter()
            .find(|it| *it.key.name == *name_or_id)
            .or_else(|| rows.iter().find(|it| *it.id == *name_or_id));
        Ok(found.and_then(|record| self.find(&record.key.sha256, now)))
    }

    /// Reads the file again if another process has changed it; whether it has. To be called every second or so.
    ///
    /// # Errors
    /// When the file cannot be read; what was known stays known.
    pub fn refresh(&self) -> Result<bool, KeyStoreError> {
        let connection = self.lock();
        if self.version(&connection)? == self.data_version.load(Ordering::Relaxed) {
            return Ok(false);
        }
        self.write_uses(&connection)?;
        self.read(&connection)?;
        Ok(true)
    }

    /// Writes down which keys were used since the last time; how many. To be called every minute and at the end.
    ///
    /// # Errors
    /// When the file cannot be written; what could not be written is tried again next time.
    pub fn flush_uses(&self) -> Result<usize, KeyStoreError> {
        self.write_uses(&self.lock())
    }

    fn write_uses(&self, connection: &Connection) -> Result<usize, KeyStoreError> {
        let failed = |error| KeyStoreError::Store(StoreError::database(&self.path, error));
        let known = self.known.load();
        let used: Vec<(&Known, u64)> = known
            .values()
            .map(|it| (it, it.last_used.load(Ordering::Relaxed)))
            .filter(|(it, last_used)| *last_used > it.last_written.load(Ordering::Relaxed))
            .collect();
        if used.is_empty() {
            return Ok(0);
        }
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        {
            let mut update = transaction
                .prepare_cached("UPDATE keys SET last_used = max(coalesce(last_used, 0), ?2) WHERE id = ?1")
                .map_err(failed)?;
            for (known, last_used) in &used {
                update
                    .execute(params![&*known.id, i64::try_from(*last_used).unwrap_or(i64::MAX)])
                    .map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)?;
        for (known, last_used) in &used {
            known.last_written.store(*last_used, Ordering::Relaxed);
        }
        Ok(used.len())
    }

    fn version(&self, connection: &Connection) -> Result<u64, KeyStoreError> {
        let version: i64 = connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| StoreError::database(&self.path, error))?;
        Ok(version.unsigned_abs())
    }

    /// Makes what the file says known. The version is read first: a change in between is then read again.
    fn read(&self, connection: &Connection) -> Result<(), KeyStoreError> {
        let version = self.version(connection)?;
        let before = self.known.load();
        let mut known = HashMap::new();
        for record in self.rows(connection)? {
            if record.revoked.is_some() {
                continue;
            }
            let written = record.last_used.map_or(0, Timestamp::as_micros);
            let noted = before.get(&record.key.sha256).map_or(0, |it| it.last_used.load(Ordering::Relaxed));
            let principal = Principal {
                id: (&*record.key.owner).into(),
                provider: Arc::clone(&self.provider),
                mechanism: Mechanism::ApiKey,
                credential: Some(Arc::clone(&record.id)),
                tenant: record.key.tenant,
                roles: record.key.roles,
                scopes: record.key.scopes,
                plan: record.key.plan,
                expires: record.key.expires,
            };
            known.insert(
                record.key.sha256,
                Known {
                    principal: Arc::new(principal),
                    id: record.id,
                    last_used: AtomicU64::new(written.max(noted)),
                    last_written: AtomicU64::new(written),
                },
            );
        }
        self.known.store(Arc::new(known));
        self.data_version.store(version, Ordering::Relaxed);
        Ok(())
    }

    fn rows(&self, connection: &Connection) -> Result<Vec<KeyRecord>, StoreError> {
        let failed = |error| StoreError::database(&self.path, error);
        let mut statement = connection
            .prepare_cached(
                "SELECT id, sha256, name, owner, shown, scopes, roles, plan, tenant, created, expires, revoked, last_used
                 FROM keys ORDER BY created, id",
            )
            .map_err(failed)?;
        let rows = statement.query_map([], |row| Ok(record(row))).map_err(failed)?;
        rows.map(|row| {
            row.map_err(failed)?.map_err(|_| StoreError::Invalid { path: self.path.clone(), what: "key" })
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // SQLite rolls an unfinished change back, so what a panic left behind is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys for KeyStore {
    fn find(&self, sha256: &[u8; 32], now: Timestamp) -> Option<Arc<Principal>> {
        let known = self.known.load();
        let found = known.get(sha256)?;
        if found.principal.expires.is_some_and(|end| end <= now) {
            return None;
        }
        let now = now.as_micros();
        if now.saturating_sub(found.last_used.load(Ordering::Relaxed)) >= USE_MICROS {
            found.last_used.store(now, Ordering::Relaxed);
        }
        Some(Arc::clone(&found.principal))
    }
}

/// A row as a record; `Err` when it is not what this program writes.
fn record(row: &Row<'_>) -> Result<KeyRecord, Box<dyn std::error::Error>> {
    let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(index)?.map(|at| Timestamp::from_micros(at.unsigned_abs())))
    };
    let text = |index: usize| row.get::<_, Option<String>>(index);
    Ok(KeyRecord {
        id: row.get::<_, String>(0)?.into(),
        key: NewKey {
            sha256: row.get(1)?,
            name: row.get::<_, String>(2)?.into(),
            owner: row.get::<_, String>(3)?.into(),
            shown: row.get::<_, String>(4)?.into(),
            scopes: serde_json::from_str(&row.get::<_, String>(5)?)?,
            roles: serde_json::from_str(&row.get::<_, String>(6)?)?,
            plan: text(7)?.map(Into::into),
            tenant: text(8)?.map(Into::into),
            expires: time(10)?,
        },
        created: time(9)?.unwrap_or_default(),
        revoked: time(11)?,
        last_used: time(12)?,
    })
}

fn check_words(key: &NewKey) -> Result<(), KeyStoreError> {
    let check = |what: &'static str, word: &str| {
        let good = !word.is_empty() && word.len() <= WORD_BYTES_MAX && !word.chars().any(char::is_control);
        let found = || word.escape_debug().take(64).collect::<String>().into();
        if good { Ok(()) } else { Err(KeyStoreError::Word { what, found: found() }) }
    };
    check("name", &key.name)?;
    check("owner", &key.owner)?;
    key.scopes.iter().try_for_each(|it| check("scope", it))?;
    key.roles.iter().try_for_each(|it| check("role", it))?;
    key.plan.iter().try_for_each(|it| check("plan", it))?;
    key.tenant.iter().try_for_each(|it| check("tenant", it))
}

fn list(words: &[Arc<str>]) -> String {
    serde_json::to_string(words).unwrap_or_else(|_| "[]".to_owned())
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn key(seed: u8) -> NewKey {
        NewKey {
            sha256: [seed; 32],
            shown: "pcl_Ab12Cd".into(),
            name: format!("key {seed}").into(),
            owner: "shop".into(),
            scopes: vec!["read".into(), "wri\"te".into()],
            roles: vec!["partner".into()],
            plan: Some("gold".into()),
            tenant: None,
            expires: Some(at(2_000)),
        }
    }

    fn open(directory: &Path) -> KeyStore {
        KeyStore::open(directory, "api_keys").unwrap()
    }

    #[test]
    fn a_key_lives_from_creation_to_revocation() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        assert!(store.find(&[1; 32], at(1_000)).is_none());
        let record = store.create(key(1), at(1_000)).unwrap();
        assert_eq!(&*record.id, "key_010101010101");
        let principal = store.find(&[1; 32], at(1_000)).unwrap();
        assert_eq!((&*principal.id, principal.mechanism), ("shop", Mechanism::ApiKey));
        assert!(principal.has_scope("wri\"te") && principal.has_role("partner"));
        assert_eq!(principal.credential.as_deref(), Some("key_010101010101"));
        assert!(store.find(&[2; 32], at(1_000)).is_none());
        let revoked = store.revoke("key 1", at(1_500)).unwrap();
        assert_eq!(revoked.revoked, Some(at(1_500)));
        assert!(store.find(&[1; 32], at(1_500)).is_none());
        assert_eq!(store.revoke("key_010101010101", at(1_600)).unwrap().revoked, Some(at(1_500)));
    }

    #[test]
    fn a_key_ends_by_itself() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.create(key(1), at(1_000)).unwrap();
        assert!(store.find(&[1; 32], at(1_999)).is_some());
        assert!(store.find(&[1; 32], at(2_000)).is_none());
        assert!(store.principal("key 1", at(1_999)).unwrap().is_some());
        assert!(store.principal("key 1", at(2_000)).unwrap().is_none());
    }

    #[test]
    fn keys_outlive_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let record = open(directory.path()).create(key(1), at(1_000)).unwrap();
        let store = open(directory.path());
        assert!(store.find(&[1; 32], at(1_001)).is_some());
        let listed = store.list().unwrap();
        assert_eq!(listed[0].key, record.key);
        assert_eq!(listed[0].created, at(1_000));
    }

    #[test]
    fn a_running_gate_notices_what_the_command_line_writes() {
        let directory = tempfile::tempdir().unwrap();
        let (gate, command) = (open(directory.path()), open(directory.path()));
        // Opening the file writes to it.
        gate.refresh().unwrap();
        assert!(!gate.refresh().unwrap());
        command.create(key(1), at(1_000)).unwrap();
        assert!(gate.find(&[1; 32], at(1_000)).is_none(), "never the file on the path of a request");
        assert!(gate.refresh().unwrap());
        assert!(gate.find(&[1; 32], at(1_000)).is_some());
        assert!(!gate.refresh().unwrap());
        command.revoke("key 1", at(1_001)).unwrap();
        assert!(gate.refresh().unwrap());
        assert!(gate.find(&[1; 32], at(1_001)).is_none());
    }

    #[test]
    fn uses_are_written_in_batches_and_survive_a_refresh() {
        let directory = tempfile::tempdir().unwrap();
        let (gate, command) = (open(directory.path()), open(directory.path()));
        command.create(key(1), at(1_000)).unwrap();
        gate.refresh().unwrap();
        gate.find(&[1; 32], at(1_100)).unwrap();
        gate.find(&[1; 32], at(1_130)).unwrap();
        command.create(key(2), at(1_140)).unwrap();
        gate.refresh().unwrap();
        assert_eq!(command.list().unwrap()[0].last_used, Some(at(1_100)));
        assert_eq!(gate.flush_uses().unwrap(), 0);
        gate.find(&[1; 32], at(1_200)).unwrap();
        assert_eq!(gate.flush_uses().unwrap(), 1);
        assert_eq!(gate.list().unwrap()[0].last_used, Some(at(1_200)));
    }

    #[test]
    fn refuses_taken_names_unknown_keys_and_bad_words() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.create(key(1), at(1_000)).unwrap();
        store.revoke("key 1", at(1_001)).unwrap();
        let again = NewKey { name: "key 1".into(), ..key(2) };
        assert_eq!(
            store.create(again, at(1_002)).unwrap_err().to_string(),
            "there is a key named `key 1` already, perhaps a revoked one"
        );
        assert_eq!(
            store.revoke("nobody", at(1_002)).unwrap_err().to_string(),
            "there is no key with the name or id `nobody`"
        );
        for bad in [
            NewKey { name: "".into(), ..key(3) },
            NewKey { owner: "a\nb".into(), ..key(3) },
            NewKey { scopes: vec!["x".repeat(257).into()], ..key(3) },
        ] {
            assert!(matches!(store.create(bad, at(1_003)), Err(KeyStoreError::Word { .. })));
        }
        assert!(store.create(key(1), at(1_004)).is_err(), "the same key twice");
    }
}
