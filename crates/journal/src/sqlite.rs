// SPDX-License-Identifier: Apache-2.0
//! The embedded engine: one SQLite file per organization.
//!
//! Write-ahead log with `synchronous=FULL`: one append is one SQL transaction and one flush,
//! however many transactions are in it. Records lie in one table by
//! `position = sequence * 65536 + part`.

mod schema;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durward_model::Instant;
use durward_model::transaction::{HASH_BYTES, Sequence};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use crate::engine::grant_lease;
use crate::error::During;
use crate::{
    Batch, FencingToken, Head, Journal, JournalError, Lease, ReadLimit, SignedHead,
    StoredTransaction, WRITER_LEASE, codec, private,
};

/// Records of one transaction have positions below the next multiple of this.
const PARTS: u64 = codec::RECORDS_MAX as u64;
/// Transactions that one step of a compaction rewrites.
const COMPACT_STEP: usize = 512;

/// The engine.
pub struct SqliteJournal {
    file: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    last: Mutex<Sequence>,
    appended: Condvar,
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteJournal")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl SqliteJournal {
    /// Opens a journal file; makes it when it does not exist.
    pub fn open(file: &Path) -> Result<Self, JournalError> {
        make_private(file)?;
        let writer = Connection::open(file).during("open the file")?;
        schema::prepare(&writer, file)?;
        let reader = Connection::open(file).during("open the file")?;
        schema::prepare_reader(&reader)?;
        let last = read_head(&reader)?.map_or(Sequence(0), |signed| signed.head.sequence);
        Ok(Self {
            file: file.to_owned(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            last: Mutex::new(last),
            appended: Condvar::new(),
        })
    }

    /// The journal file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Copies the whole journal as it is now into a new file, while appends go on.
    pub(crate) fn copy_to(&self, target: &Path) -> Result<(), JournalError> {
        let source = Connection::open(&self.file).during("open the file")?;
        schema::prepare_reader(&source)?;
        make_private(target)?;
        let mut target = Connection::open(target).during("make the backup file")?;
        target
            .pragma_update(None, "synchronous", "FULL")
            .during("set up the backup file")?;
        let backup =
            rusqlite::backup::Backup::new(&source, &mut target).during("start a backup")?;
        // All pages in one step: the copy is one read transaction, which appends do not disturb.
        while backup.step(-1).during("copy the journal")? != rusqlite::backup::StepResult::Done {}
        Ok(())
    }
}

/// SQLite gives its log and its index beside the file the mode that the file has.
fn make_private(file: &Path) -> Result<(), JournalError> {
    let made = match private::create_new(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => private::close_file(file),
        made => made.map(drop),
    };
    made.map_err(|source| JournalError::Files {
        action: "open",
        path: file.to_owned(),
        source,
    })
}

/// Version of the SQLite library that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

fn position(sequence: Sequence) -> Result<i64, JournalError> {
    let position = sequence
        .0
        .checked_mul(PARTS)
        .and_then(|position| i64::try_from(position).ok());
    position.ok_or(JournalError::BadBatch {
        reason: "its sequence is too large",
    })
}

fn sequence_of(position: i64) -> Sequence {
    Sequence(u64::try_from(position).unwrap_or_default() / PARTS)
}

fn head_from_row(row: &Row<'_>) -> rusqlite::Result<SignedHead> {
    let hash: [u8; HASH_BYTES] = row.get(1)?;
    let sequence: i64 = row.get(0)?;
    let head = Head {
        sequence: Sequence(u64::try_from(sequence).unwrap_or_default()),
        hash,
        committed_at: Instant::from_micros(row.get(2)?),
    };
    Ok(SignedHead {
        head,
        key_id: row.get(3)?,
        signature: row.get(4)?,
    })
}

fn read_head(connection: &Connection) -> Result<Option<SignedHead>, JournalError> {
    connection
        .prepare_cached("SELECT sequence, hash, committed_at, key_id, signature FROM head")
        .during("read the head")?
        .query_row([], head_from_row)
        .optional()
        .during("read the head")
}

fn read_transactions(
    connection: &Connection,
    from: Sequence,
    limit: ReadLimit,
) -> Result<Vec<StoredTransaction>, JournalError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT position, content FROM record WHERE position >= ? ORDER BY position",
        )
        .during("read records")?;
    let mut rows = statement.query([position(from)?]).during("read records")?;
    let mut found: Vec<StoredTransaction> = Vec::new();
    let mut bytes = 0usize;
    while let Some(row) = rows.next().during("read records")? {
        let position: i64 = row.get(0).during("read records")?;
        let content: Vec<u8> = row.get(1).during("read records")?;
        let sequence = sequence_of(position);
        let is_next = found.last().is_none_or(|last| last.sequence != sequence);
        if is_next && (found.len() >= limit.transactions.max(1) || bytes > limit.bytes) {
            break;
        }
        bytes = bytes.saturating_add(content.len());
        match found.last_mut() {
            Some(last) if !is_next => last.records.push(content),
            _ => found.push(StoredTransaction {
                sequence,
                records: vec![content],
            }),
        }
    }
    Ok(found)
}

fn insert_records(
    connection: &Connection,
    sequence: Sequence,
    records: &[Vec<u8>],
) -> Result<(), JournalError> {
    let mut statement = connection
        .prepare_cached("INSERT INTO record (position, content) VALUES (?, ?)")
        .during("append a record")?;
    let first = position(sequence)?;
    for (position, record) in (first..).zip(records) {
        statement
            .execute(params![position, record])
            .during("append a record")?;
    }
    Ok(())
}

fn current_lease(
    connection: &Connection,
    name: &str,
) -> Result<Option<(String, u64, Instant)>, JournalError> {
    connection
        .prepare_cached("SELECT holder, token, until FROM lease WHERE name = ?")
        .during("read a lease")?
        .query_row([name], |row| {
            let token: i64 = row.get(1)?;
            let token = u64::try_from(token).unwrap_or_default();
            Ok((row.get(0)?, token, Instant::from_micros(row.get(2)?)))
        })
        .optional()
        .during("read a lease")
}

impl Journal for SqliteJournal {
    fn head(&self) -> Result<Option<SignedHead>, JournalError> {
        read_head(&self.reader.lock())
    }

    fn append(
        &self,
        expected: Sequence,
        token: FencingToken,
        batch: &Batch,
    ) -> Result<Sequence, JournalError> {
        let mut connection = self.writer.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .during("begin an append")?;
        let current = current_lease(&transaction, WRITER_LEASE)?.map_or(0, |lease| lease.1);
        if token.0 < current {
            return Err(JournalError::Fenced {
                token: token.0,
                current,
            });
        }
        let head = read_head(&transaction)?.map_or(Sequence(0), |signed| signed.head.sequence);
        if head != expected {
            return Err(JournalError::Conflict { expected, head });
        }
        batch.check(expected)?;
        for one in &batch.transactions {
            insert_records(&transaction, one.sequence, &one.records)?;
        }
        let SignedHead {
            head,
            key_id,
            signature,
        } = &batch.head;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO head (id, sequence, hash, committed_at, key_id, signature)
                 VALUES (1, ?, ?, ?, ?, ?)",
            )
            .during("write the head")?
            .execute(params![
                i64::try_from(head.sequence.0).unwrap_or(i64::MAX),
                head.hash,
                head.committed_at.as_micros(),
                key_id,
                signature
            ])
            .during("write the head")?;
        transaction.commit().during("flush an append")?;
        *self.last.lock() = head.sequence;
        self.appended.notify_all();
        Ok(head.sequence)
    }

    fn read(
        &self,
        from: Sequence,
        limit: ReadLimit,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        read_transactions(&self.reader.lock(), from, limit)
    }

    fn watch(
        &self,
        from: Sequence,
        limit: ReadLimit,
        timeout: Duration,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        let mut last = self.last.lock();
        self.appended
            .wait_while_for(&mut last, |last| *last < from, timeout);
        drop(last);
        self.read(from, limit)
    }

    fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Instant,
        ttl: Duration,
    ) -> Result<Lease, JournalError> {
        let mut connection = self.writer.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .during("begin a lease")?;
        let lease = grant_lease(name, current_lease(&transaction, name)?, holder, now, ttl)?;
        let token = i64::try_from(lease.token.0).unwrap_or(i64::MAX);
        transaction
            .execute(
                "INSERT OR REPLACE INTO lease (name, holder, token, until) VALUES (?, ?, ?, ?)",
                params![name, holder, token, lease.until.as_micros()],
            )
            .during("write a lease")?;
        transaction.commit().during("write a lease")?;
        Ok(lease)
    }

    fn compact(&self, before: Sequence) -> Result<u64, JournalError> {
        let mut from = Sequence(1);
        let mut replaced = 0;
        let limit = ReadLimit {
            transactions: COMPACT_STEP,
            ..ReadLimit::default()
        };
        while from < before {
            let mut found = self.read(from, limit)?;
            found.retain(|stored| stored.sequence < before);
            let Some(last) = found.last() else { break };
            from = last.sequence.next();
            let mut connection = self.writer.lock();
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .during("begin a compaction")?;
            for StoredTransaction { sequence, records } in found {
                let damaged = |source| JournalError::Damaged { sequence, source };
                let erased = codec::erase(&records).map_err(damaged)?;
                if erased == records {
                    continue;
                }
                let (first, end) = (position(sequence)?, position(sequence.next())?);
                transaction
                    .execute(
                        "DELETE FROM record WHERE position >= ? AND position < ?",
                        params![first, end],
                    )
                    .during("compact a record")?;
                insert_records(&transaction, sequence, &erased)?;
                replaced += 1;
            }
            transaction.commit().during("flush a compaction")?;
        }
        Ok(replaced)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.reader
            .lock()
            .query_row("SELECT value FROM meta WHERE name = ?", [name], |row| {
                row.get(0)
            })
            .optional()
            .during("read a named value")
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), JournalError> {
        self.writer
            .lock()
            .execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
                params![name, value],
            )
            .during("write a named value")
            .map(drop)
    }
}
