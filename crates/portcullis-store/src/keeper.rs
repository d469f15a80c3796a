//! What must outlive the process: quotas and bans, written to `state.sqlite` once a second by a thread of its own.
//!
//! A process that is killed loses at most the last second of spending. The disk may be slow or full: the path
//! of a request never notices, and [`Keeper::fault`] says so to the operator.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use portcullis_core::clock::{Clock, Entropy, Timestamp};
use rusqlite::{Connection, params};

use crate::{
    bans::{Ban, ProcessBans, Subject},
    counters::{Capacity, ProcessCounters},
    error::StoreError,
    quotas::Row,
    sqlite,
};

/// The steps of `state.sqlite`. Appended to, never edited.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE quotas (key BLOB PRIMARY KEY, spent INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE bans (
        kind TEXT NOT NULL, subject TEXT NOT NULL, until INTEGER NOT NULL, since INTEGER NOT NULL,
        why TEXT NOT NULL, PRIMARY KEY (kind, subject)
    ) WITHOUT ROWID;
"];

/// How often changes are written.
const PERIOD: Duration = Duration::from_secs(1);

/// Rounds between two sweeps of what has ended.
const SWEEP_ROUNDS: u32 = 60;

/// The state of a process, restored from its data directory.
pub struct State {
    /// The counters.
    pub counters: Arc<ProcessCounters>,
    /// The bans.
    pub bans: Arc<ProcessBans>,
    /// Keeps both on disk for as long as it lives.
    pub keeper: Keeper,
}

/// Restores counters and bans from the data directory and keeps them there from now on. The secret under which
/// counters are keyed is made at the first start and lies in `counters.key`, mode 0600: quotas on disk would be
/// meaningless under another.
///
/// # Errors
/// When the directory or a file in it cannot be used, is damaged, or comes from a later version.
pub fn open(
    directory: &Path,
    capacity: Capacity,
    clock: Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Result<State, StoreError> {
    let key = secret(&directory.join("counters.key"), entropy)?;
    let path = directory.join("state.sqlite");
    let connection = sqlite::open(&path, MIGRATIONS)?;
    let counters = Arc::new(ProcessCounters::with_key(capacity, key));
    let bans = Arc::new(ProcessBans::default());
    restore(&connection, &path, &counters, &bans, clock.now())?;
    let work =
        Work { connection, path: path.clone(), counters: Arc::clone(&counters), bans: Arc::clone(&bans) };
    let keeper = Keeper::start(work, clock).map_err(|e| StoreError::file(&path, e))?;
    Ok(State { counters, bans, keeper })
}

/// The thread that writes. Dropping it writes what is left and waits for that.
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Default)]
struct Orders {
    stop: bool,
    /// Flushes asked for and done.
    asked: u64,
    done: u64,
    fault: Option<Arc<str>>,
}

impl Keeper {
    fn start(mut work: Work, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("state".into()).spawn(move || {
            let mut round = 0u32;
            while its.wait() {
                round = round.wrapping_add(1);
                its.turn(&mut work, clock.now(), round.is_multiple_of(SWEEP_ROUNDS));
            }
            its.turn(&mut work, clock.now(), true);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Why the last write failed; `None` when all is well. What could not be written is tried again each second.
    pub fn fault(&self) -> Option<Arc<str>> {
        self.shared.lock().fault.clone()
    }

    /// Writes what has changed up to now, and waits for it: for the command line and for tests.
    pub fn flush(&self) {
        let mut orders = self.shared.lock();
        orders.asked += 1;
        let asked = orders.asked;
        self.shared.changed.notify_all();
        while orders.done < asked && !orders.stop {
            orders = self.shared.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the panic hook; there is nothing left to write with.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next round; `false` when it is time to stop.
    fn wait(&self) -> bool {
        let orders = self.lock();
        let idle = |orders: &mut Orders| !orders.stop && orders.asked == orders.done;
        let (orders, _) =
            self.changed.wait_timeout_while(orders, PERIOD, idle).unwrap_or_else(PoisonError::into_inner);
        !orders.stop
    }

    fn turn(&self, work: &mut Work, now: Timestamp, sweep: bool) {
        let asked = self.lock().asked;
        let fault = work.write(now, sweep).err().map(|error| {
            let source = std::error::Error::source(&error).map(|it| format!(": {it}")).unwrap_or_default();
            Arc::from(format!("{error}{source}"))
        });
        let mut orders = self.lock();
        orders.fault = fault;
        orders.done = asked;
        self.changed.notify_all();
    }
}

struct Work {
    connection: Connection,
    path: PathBuf,
    counters: Arc<ProcessCounters>,
    bans: Arc<ProcessBans>,
}

impl Work {
    fn write(&mut self, now: Timestamp, sweep: bool) -> Result<(), StoreError> {
        if sweep {
            self.bans.forget_ended(now);
        }
        let rows = self.counters.take_changed();
        let bans = self.bans.take_changed();
        if rows.is_empty() && bans.is_empty() && !sweep {
            return Ok(());
        }
        save(&mut self.connection, &rows, &bans, sweep.then_some(now)).map_err(|error| {
            self.counters.put_back(&rows);
            self.bans.put_back(bans);
            StoreError::database(&self.path, error)
        })
    }
}

fn save(
    connection: &mut Connection,
    rows: &[Row],
    bans: &[(Subject, Option<Ban>)],
    ended_by: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut put = transaction.prepare_cached(
            "INSERT INTO quotas VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET spent = excluded.spent, ends = excluded.ends",
        )?;
        for row in rows {
            put.execute(params![row.key.to_be_bytes(), signed(row.spent), signed(row.ends)])?;
        }
        let mut drop = transaction.prepare_cached("DELETE FROM bans WHERE kind = ?1 AND subject = ?2")?;
        let mut put =
            transaction.prepare_cached("INSERT OR REPLACE INTO bans VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (subject, ban) in bans {
            let (kind, name) = match subject {
                Subject::Address(ip) => ("address", ip.to_string()),
                Subject::Principal(id) => ("principal", id.to_string()),
            };
            match ban {
                Some(ban) => put.execute(params![
                    kind,
                    name,
                    signed(ban.until.as_micros()),
                    signed(ban.since.as_micros()),
                    &*ban.why
                ])?,
                None => drop.execute(params![kind, name])?,
            };
        }
        if let Some(now) = ended_by {
            transaction.execute("DELETE FROM quotas WHERE ends <= ?1", [signed(now.as_secs())])?;
        }
    }
    transaction.commit()
}

fn restore(
    connection: &Connection,
    path: &Path,
    counters: &ProcessCounters,
    bans: &ProcessBans,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = |e| StoreError::database(path, e);
    let mut quotas =
        connection.prepare("SELECT key, spent, ends FROM quotas WHERE ends > ?1").map_err(failed)?;
    let mut rows = quotas.query([signed(now.as_secs())]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let key: [u8; 16] = row.get(0).map_err(failed)?;
        let (spent, ends): (i64, i64) = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
        counters.restore(Row { key: u128::from_be_bytes(key), spent: unsigned(spent), ends: unsigned(ends) });
    }
    let mut held = connection
        .prepare("SELECT kind, subject, until, since, why FROM bans WHERE until > ?1 ORDER BY until DESC")
        .map_err(failed)?;
    let mut rows = held.query([signed(now.as_micros())]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (kind, name): (String, String) = (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
        let (until, since): (i64, i64) = (row.get(2).map_err(failed)?, row.get(3).map_err(failed)?);
        let why: String = row.get(4).map_err(failed)?;
        let invalid = || StoreError::Invalid { path: path.to_owned(), what: "ban" };
        let subject = match kind.as_str() {
            "address" => Subject::Address(name.parse().map_err(|_| invalid())?),
            "principal" => Subject::Principal(name.into()),
            _ => return Err(invalid()),
        };
        let (until, since) = (unsigned(until), unsigned(since));
        bans.restore(Ban {
            subject,
            until: Timestamp::from_micros(until),
            since: Timestamp::from_micros(since),
            why: why.into(),
        });
    }
    Ok(())
}

/// SQLite's integers are signed; nothing here comes near their end.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn secret(path: &Path, entropy: &dyn Entropy) -> Result<[u8; 16], StoreError> {
    let failed = |e| StoreError::file(path, e);
    let mut key = [0; 16];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            entropy.fill(&mut key);
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut file = fs::File::open(path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            let whole = length == 16 && file.read_exact(&mut key).is_ok();
            whole.then_some(key).ok_or_else(|| StoreError::Invalid {
                path: path.to_owned(),
                what: "key (16 bytes are expected)",
            })
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{
        clock::ManualClock,
        limit::{CalendarPeriod, Quota},
        ports::{Bans, Counters},
    };

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const SMALL: Capacity = Capacity { rates_max: 64, quotas_max: 64 };
    const DAILY: Quota = Quota { count: 5, period: CalendarPeriod::Day };

    fn start(directory: &Path, seed: u8) -> State {
        open(directory, SMALL, Arc::new(ManualClock::at(NOW)), &Fixed(seed)).unwrap()
    }

    fn spend(state: &State, cost: u64) -> bool {
        let key = state.counters.key("daily", b"alice");
        state.counters.quota(key, &DAILY, cost, NOW).allowed
    }

    #[test]
    fn a_restart_hands_out_no_new_day_and_lifts_no_ban() {
        let dir = tempfile::tempdir().unwrap();
        let state = start(dir.path(), 1);
        assert!(spend(&state, 5) && !spend(&state, 1));
        let ban = |subject, until| Ban { subject, until, since: NOW, why: "guessed passwords".into() };
        let later = NOW.plus(Duration::from_secs(60));
        state.bans.add(ban(Subject::Address("2001:db8::1".parse().unwrap()), later), NOW);
        state.bans.add(ban(Subject::Principal("mallory".into()), crate::bans::FOREVER), NOW);
        state.bans.add(ban(Subject::Principal("bob".into()), later), NOW);
        state.keeper.flush();
        state.bans.remove(&Subject::Principal("bob".into()));
        let listed = state.bans.list(NOW);
        drop(state);

        let state = start(dir.path(), 2);
        assert!(!spend(&state, 1), "the same secret, the same count");
        assert_eq!(state.bans.list(NOW), listed);
        assert!(state.bans.principal("bob", NOW).is_none());
        assert_eq!(state.keeper.fault(), None);
    }

    #[test]
    fn a_killed_process_keeps_what_was_flushed() {
        let dir = tempfile::tempdir().unwrap();
        let state = start(dir.path(), 1);
        assert!(spend(&state, 3));
        state.keeper.flush();
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        let state = start(copy.path(), 1);
        assert!(!spend(&state, 3) && spend(&state, 2));
    }

    #[test]
    fn a_failed_write_is_told_and_made_good() {
        let dir = tempfile::tempdir().unwrap();
        let state = start(dir.path(), 1);
        let other = Connection::open(dir.path().join("state.sqlite")).unwrap();
        other.execute_batch("ALTER TABLE quotas RENAME TO away").unwrap();
        assert!(spend(&state, 5));
        state.keeper.flush();
        let fault = state.keeper.fault().unwrap();
        assert!(fault.contains("no such table"), "{fault}");
        other.execute_batch("ALTER TABLE away RENAME TO quotas").unwrap();
        state.keeper.flush();
        assert_eq!(state.keeper.fault(), None);
        drop(state);
        assert!(!spend(&start(dir.path(), 1), 1));
    }

    #[test]
    fn a_cut_key_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("counters.key"), "short").unwrap();
        let error = open(dir.path(), SMALL, Arc::new(ManualClock::at(NOW)), &Fixed(1)).err().unwrap();
        assert!(matches!(error, StoreError::Invalid { .. }));
    }
}
