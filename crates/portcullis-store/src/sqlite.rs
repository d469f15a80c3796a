//! Opening a database: one file a kind of state, private to its owner, brought up to date step by step.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// How long a writer waits for another process (the command line beside a running gate) before it gives up.
const BUSY: Duration = Duration::from_secs(5);

/// Opens or creates the database at `path` with mode 0600, in WAL mode with foreign keys on, and runs the
/// steps of `migrations` that it has not seen: `user_version` counts the steps taken, so steps are only ever
/// appended.
///
/// # Errors
/// [`StoreError::Damaged`] for a file that is not a sound database, [`StoreError::Newer`] for one written by a
/// later version, [`StoreError::File`] or [`StoreError::Database`] for everything else.
pub fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    make_private(path)?;
    let mut connection = Connection::open(path).map_err(|e| StoreError::database(path, e))?;
    prepare(&connection).map_err(|e| StoreError::database(path, e))?;
    check(&connection, path)?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Creates the file if need be and takes everybody else's rights away. SQLite gives its `-wal` and `-shm`
/// files the mode of the database itself.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let failed = |e| StoreError::file(path, e);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(())
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A database handed in by somebody else must not run code of theirs (https://sqlite.org/security.html).
    connection.pragma_update(None, "trusted_schema", false)
}

fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| StoreError::database(path, e))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), detail: found }) }
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let failed = |e| StoreError::database(path, e);
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    // Immediate: two processes that open a fresh file at once must not both create its tables.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let taken = usize::try_from(found).map_err(|_| StoreError::Damaged {
        path: path.to_owned(),
        detail: format!("its format is {found}"),
    })?;
    for step in migrations.iter().skip(taken) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x INTEGER)";
    const SECOND: &str = "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7";

    #[test]
    fn the_file_is_private_and_steps_run_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.sqlite");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let db = open(&path, &[FIRST]).unwrap();
        db.execute("INSERT INTO a VALUES (1)", []).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let wal = dir.path().join("state.sqlite-wal");
        assert_eq!(fs::metadata(wal).unwrap().permissions().mode() & 0o777, 0o600);
        drop(db);
        let db = open(&path, &[FIRST, SECOND]).unwrap();
        let row: (i64, i64) = db.query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, (1, 7));
    }

    #[test]
    fn a_later_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.sqlite");
        drop(open(&path, &[FIRST, SECOND]).unwrap());
        assert!(matches!(open(&path, &[FIRST]), Err(StoreError::Newer { found: 2, known: 1, .. })));
    }

    #[test]
    fn damage_is_named_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.sqlite");
        fs::write(&path, "this is not a database, whatever its name says".repeat(200)).unwrap();
        let before = fs::read(&path).unwrap();
        let error = open(&path, &[FIRST]).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_failed_step_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.sqlite");
        assert!(open(&path, &[FIRST, "CREATE TABLE b (x); SELECT nonsense"]).is_err());
        let db = open(&path, &[FIRST]).unwrap();
        assert!(db.query_row("SELECT count(*) FROM b", [], |r| r.get::<_, i64>(0)).is_err());
    }
}
