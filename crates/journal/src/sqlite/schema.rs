// SPDX-License-Identifier: Apache-2.0
//! Tables and settings of the SQLite engine.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::JournalError;
use crate::error::During;

/// Marks the file as one of ours ("DwJ1").
const APPLICATION_ID: i64 = 0x4477_4a31;
/// Version of the tables.
const SCHEMA_VERSION: i64 = 1;
/// Pages of write-ahead log after which it is folded into the file: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4096;
/// The log shrinks to this many bytes after a large append.
const LOG_BYTES_KEPT: i64 = 64 << 20;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENTS_KEPT: usize = 32;

const TABLES: &str = "
CREATE TABLE record (position INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    committed_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
";

/// Makes the tables of a new file, checks those of an old one, and makes appends durable.
pub(super) fn prepare(connection: &Connection, file: &Path) -> Result<(), JournalError> {
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .during("set up the file")?;
    let application = read_pragma(connection, "application_id")?;
    let version = read_pragma(connection, "user_version")?;
    let not_ours = || JournalError::NotAJournal {
        file: file.to_owned(),
    };
    match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => {}
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => {
            let supported = SCHEMA_VERSION;
            return Err(JournalError::NewerFormat {
                file: file.to_owned(),
                found,
                supported,
            });
        }
        (0, 0) if is_empty(connection)? => create(connection)?,
        _ => return Err(not_ours()),
    }
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .during("set up the file")?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .during("set up the file")?;
    connection
        .pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
        .during("set up the file")?;
    connection
        .pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)
        .during("set up the file")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Settings of a connection that only reads.
pub(super) fn prepare_reader(connection: &Connection) -> Result<(), JournalError> {
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .during("set up the file")?;
    connection
        .pragma_update(None, "query_only", true)
        .during("set up the file")
}

fn create(connection: &Connection) -> Result<(), JournalError> {
    let script = format!(
        "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    );
    connection.execute_batch(&script).during("make the tables")
}

fn is_empty(connection: &Connection) -> Result<bool, JournalError> {
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .during("look at the tables")?;
    Ok(tables == 0)
}

fn read_pragma(connection: &Connection, name: &str) -> Result<i64, JournalError> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .during("read the format")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn appends_are_flushed_and_preparing_twice_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite");
        for _ in 0..2 {
            let connection = Connection::open(&file).unwrap();
            prepare(&connection, &file).unwrap();
            assert_eq!(
                read_pragma(&connection, "synchronous").unwrap(),
                2,
                "2 is FULL"
            );
            let mode: String = connection
                .pragma_query_value(None, "journal_mode", |row| row.get(0))
                .unwrap();
            assert_eq!(mode, "wal");
        }
    }

    #[test]
    fn refuses_newer_files_and_files_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("newer.sqlite");
        let connection = Connection::open(&file).unwrap();
        prepare(&connection, &file).unwrap();
        connection.pragma_update(None, "user_version", 2).unwrap();
        let Err(error) = prepare(&connection, &file) else {
            panic!("must be refused")
        };
        assert!(
            matches!(error, JournalError::NewerFormat { found: 2, .. }),
            "{error}"
        );

        let file = folder.path().join("other.sqlite");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("CREATE TABLE a (b)").unwrap();
        let Err(error) = prepare(&connection, &file) else {
            panic!("must be refused")
        };
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");
    }
}
