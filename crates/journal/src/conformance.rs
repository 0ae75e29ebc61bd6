// SPDX-License-Identifier: Apache-2.0
//! What every engine must do, as a suite that an engine's tests call: [`run`].

use std::sync::Arc;
use std::time::Duration;

use durward_model::change::{Change, EntityBatch, RelationshipBatch, RelationshipKeys, Triple};
use durward_model::transaction::{Hash, Origin, Sequence, Transaction};
use durward_model::{EntityNumber, Instant, Namespace, RelationshipNumber, StringArena};

use crate::head::TestSigner;
use crate::salt::CountingSalts;
use crate::{
    Batch, EncodedTransaction, Encoder, FencingToken, FindingKind, Head, Journal, JournalError,
    ReadLimit, VerifyOptions, WRITER_LEASE, codec, verify,
};

/// Opens the journal that is tested; called again, it opens the same one.
pub type Opener = Box<dyn Fn() -> Result<Arc<dyn Journal>, JournalError>>;

type Open<'a> = &'a dyn Fn() -> Result<Arc<dyn Journal>, JournalError>;
type Case = fn(Open<'_>) -> Result<(), JournalError>;

const CASES: &[(&str, Case)] = &[
    ("appends and reads in order", appends_and_reads),
    ("refuses what does not follow", refuses_conflicts),
    ("keeps everything over a reopening", survives_reopening),
    (
        "keeps transactions of several records whole",
        keeps_records_together,
    ),
    ("wakes watchers", wakes_watchers),
    ("leases and fences", leases_and_fences),
    ("compacts and the chain holds", compacts),
    ("keeps named values", keeps_named_values),
];

/// Runs the suite; `fresh` gives each case a journal of its own.
///
/// # Panics
/// When the engine does not conform.
pub fn run(fresh: &dyn Fn() -> Opener) {
    for (name, case) in CASES {
        let open = fresh();
        let result = case(&*open);
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

/// Builds chained batches for tests.
#[derive(Debug)]
pub struct ChainBuilder {
    encoder: Encoder,
    head: Head,
}

impl ChainBuilder {
    /// Goes on after a head.
    pub fn after(head: Head) -> Result<Self, JournalError> {
        let encoder = Encoder::new(Box::new(CountingSalts::default())).map_err(|source| {
            JournalError::Encode {
                sequence: head.sequence,
                source,
            }
        })?;
        Ok(Self { encoder, head })
    }

    /// The head after what was built so far.
    pub fn head(&self) -> Head {
        self.head
    }

    /// A batch of transactions with these changes.
    pub fn batch(&mut self, all: Vec<Vec<Change>>) -> Result<Batch, JournalError> {
        let tested = Origin {
            activity: "tested".to_owned(),
            ..Origin::default()
        };
        let mut transactions = Vec::new();
        for changes in all {
            transactions.push(self.encode(tested.clone(), changes)?);
        }
        Ok(Batch {
            transactions,
            head: self.head.sign(&TestSigner(1)),
        })
    }

    /// A batch of one activity without changes.
    pub fn activity(&mut self, origin: Origin) -> Result<Batch, JournalError> {
        let transactions = vec![self.encode(origin, Vec::new())?];
        Ok(Batch {
            transactions,
            head: self.head.sign(&TestSigner(1)),
        })
    }

    fn encode(
        &mut self,
        origin: Origin,
        changes: Vec<Change>,
    ) -> Result<EncodedTransaction, JournalError> {
        let sequence = self.head.sequence.next();
        let transaction = Transaction {
            sequence,
            committed_at: Instant::from_micros(sequence.0 as i64 * 10),
            origin,
            idempotency_key: String::new(),
            changes,
        };
        let encoded = self
            .encoder
            .encode(&transaction, &self.head.hash)
            .map_err(|source| JournalError::Encode { sequence, source })?;
        self.head = Head {
            sequence,
            hash: encoded.hash,
            committed_at: transaction.committed_at,
        };
        Ok(encoded)
    }
}

/// A change that adds one entity.
///
/// # Panics
/// Never: one key fits.
pub fn one_entity(number: u32) -> Change {
    let mut keys = StringArena::new();
    let pushed = keys.push(&format!("key {number}"));
    assert!(pushed.is_ok(), "one key fits an arena");
    Change::CreateEntities(EntityBatch {
        entity_type: "thing".to_owned(),
        classes: vec!["Thing".to_owned()],
        namespace: Namespace::new("api", ""),
        first: EntityNumber(number),
        keys,
        columns: Vec::new(),
    })
}

/// A change that adds many relationships whose ends do not compress.
pub fn many_relationships(count: u32) -> Change {
    let scatter = |number: u32| number.wrapping_mul(0x9e37_79b9) ^ (number >> 3);
    Change::CreateRelationships(RelationshipBatch {
        triple: Triple::entities("thing", "HAS", "thing"),
        relationship_type: "thing_has_thing".to_owned(),
        namespace: Namespace::new("api", ""),
        first: RelationshipNumber(0),
        from: (0..count).map(scatter).collect(),
        to: (0..count)
            .map(|number| scatter(number ^ 0x5555_5555))
            .collect(),
        keys: RelationshipKeys::Conventional,
        columns: Vec::new(),
    })
}

const NO_TOKEN: FencingToken = FencingToken(0);
const FIRST: Sequence = Sequence(1);

fn appends_and_reads(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    assert!(journal.head()?.is_none(), "a new journal is empty");
    assert!(journal.read(FIRST, ReadLimit::default())?.is_empty());
    let mut chain = ChainBuilder::after(Head::empty())?;
    let batch = chain.batch((0..5).map(|number| vec![one_entity(number)]).collect())?;
    assert_eq!(journal.append(Sequence(0), NO_TOKEN, &batch)?, Sequence(5));
    let head = journal.head()?;
    assert_eq!(head.as_ref(), Some(&batch.head));
    let limit = ReadLimit {
        transactions: 2,
        ..ReadLimit::default()
    };
    let found = journal.read(Sequence(2), limit)?;
    let sequences: Vec<u64> = found.iter().map(|stored| stored.sequence.0).collect();
    assert_eq!(
        sequences,
        [2, 3],
        "in order, from the asked place, as many as asked"
    );
    for (stored, sent) in found.iter().zip(batch.transactions.iter().skip(1)) {
        assert_eq!(stored.records, sent.records, "byte for byte");
    }
    let by_bytes = journal.read(
        FIRST,
        ReadLimit {
            transactions: 100,
            bytes: 1,
        },
    )?;
    assert_eq!(
        by_bytes.len(),
        1,
        "one comes always, and none after the bytes are used up"
    );
    Ok(())
}

fn refuses_conflicts(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let mut chain = ChainBuilder::after(Head::empty())?;
    let first = chain.batch(vec![vec![one_entity(0)]])?;
    let second = chain.batch(vec![vec![one_entity(1)], vec![one_entity(2)]])?;
    journal.append(Sequence(0), NO_TOKEN, &first)?;
    let again = journal.append(Sequence(0), NO_TOKEN, &first);
    assert!(
        matches!(
            again,
            Err(JournalError::Conflict {
                expected: Sequence(0),
                head: FIRST
            })
        ),
        "{again:?}"
    );
    let mut gap = second.clone();
    gap.transactions.remove(0);
    let refused = journal.append(FIRST, NO_TOKEN, &gap);
    assert!(
        matches!(refused, Err(JournalError::BadBatch { .. })),
        "{refused:?}"
    );
    let mut empty = second.clone();
    empty.transactions.clear();
    assert!(
        journal.append(FIRST, NO_TOKEN, &empty).is_err(),
        "nothing to append"
    );
    assert_eq!(
        journal.read(FIRST, ReadLimit::default())?.len(),
        1,
        "nothing half done"
    );
    journal.append(FIRST, NO_TOKEN, &second)?;
    Ok(())
}

fn survives_reopening(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let mut chain = ChainBuilder::after(Head::empty())?;
    let batch = chain.batch(vec![vec![one_entity(0)], Vec::new()])?;
    journal.append(Sequence(0), NO_TOKEN, &batch)?;
    drop(journal);
    let journal = open()?;
    assert_eq!(journal.head()?.as_ref(), Some(&batch.head));
    assert_eq!(journal.read(FIRST, ReadLimit::default())?.len(), 2);
    let found = journal.watch(FIRST, ReadLimit::default(), Duration::ZERO)?;
    assert_eq!(found.len(), 2, "a watcher sees what was there before");
    Ok(())
}

fn keeps_records_together(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let mut chain = ChainBuilder::after(Head::empty())?;
    let change = many_relationships(1_300_000);
    let batch = chain.batch(vec![vec![change.clone()], vec![one_entity(0)]])?;
    journal.append(Sequence(0), NO_TOKEN, &batch)?;
    let found = journal.read(
        FIRST,
        ReadLimit {
            transactions: 1,
            bytes: 1,
        },
    )?;
    let records = found
        .first()
        .map(|stored| stored.records.as_slice())
        .unwrap_or_default();
    assert!(records.len() > 1, "the transaction needs several records");
    let opened = codec::open(records);
    let changes = opened
        .ok()
        .and_then(|opened| opened.transaction)
        .map(|read| read.changes);
    assert!(changes == Some(vec![change]), "it comes back whole");
    Ok(())
}

fn wakes_watchers(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let nothing = journal.watch(FIRST, ReadLimit::default(), Duration::from_millis(5))?;
    assert!(nothing.is_empty(), "a watcher gives up in time");
    let watching = Arc::clone(&journal);
    let watcher = std::thread::spawn(move || {
        watching.watch(FIRST, ReadLimit::default(), Duration::from_secs(30))
    });
    let batch = ChainBuilder::after(Head::empty())?.batch(vec![Vec::new()])?;
    journal.append(Sequence(0), NO_TOKEN, &batch)?;
    let woken = watcher.join().map(|result| result.map(|found| found.len()));
    assert!(matches!(woken, Ok(Ok(1))), "{woken:?}");
    Ok(())
}

fn leases_and_fences(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let at = Instant::from_micros;
    let ttl = Duration::from_micros(10);
    let first = journal.lease(WRITER_LEASE, "one", at(0), ttl)?;
    let renewed = journal.lease(WRITER_LEASE, "one", at(5), ttl)?;
    assert_eq!(
        (renewed.token, renewed.until),
        (first.token, at(15)),
        "renewing keeps the token"
    );
    let early = journal.lease(WRITER_LEASE, "two", at(14), ttl);
    assert!(
        matches!(early, Err(JournalError::LeaseHeld { .. })),
        "{early:?}"
    );
    let second = journal.lease(WRITER_LEASE, "two", at(15), ttl)?;
    assert!(
        second.token > first.token,
        "a later holder has a greater token"
    );
    let batch = ChainBuilder::after(Head::empty())?.batch(vec![Vec::new()])?;
    let fenced = journal.append(Sequence(0), first.token, &batch);
    assert!(
        matches!(fenced, Err(JournalError::Fenced { .. })),
        "{fenced:?}"
    );
    drop(journal);
    let journal = open()?;
    assert!(
        journal.append(Sequence(0), first.token, &batch).is_err(),
        "over a reopening too"
    );
    journal.append(Sequence(0), second.token, &batch)?;
    Ok(())
}

fn compacts(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    let mut chain = ChainBuilder::after(Head::empty())?;
    let mut all = vec![vec![many_relationships(10_000)]];
    all.extend((0..4).map(|number| vec![one_entity(number)]));
    journal.append(Sequence(0), NO_TOKEN, &chain.batch(all)?)?;
    let before = hashes(&*journal)?;
    assert_eq!(journal.compact(Sequence(4))?, 3);
    assert_eq!(
        journal.compact(Sequence(4))?,
        0,
        "a second time there is nothing to do"
    );
    assert_eq!(hashes(&*journal)?, before, "hashes stay");
    let report = verify(&*journal, &TestSigner(1), &VerifyOptions::default())?;
    assert_eq!((report.transactions, report.erased), (5, 3));
    let gone = |finding: &crate::Finding| finding.kind == FindingKind::ErasedWithoutRecord;
    let named = report.findings.iter().filter(|finding| gone(finding));
    assert_eq!(
        named.count(),
        3,
        "contents go only with a record: {report:?}"
    );
    let found = journal.read(FIRST, ReadLimit::default())?;
    let is_there = |stored: &crate::StoredTransaction| {
        codec::open(&stored.records).is_ok_and(|opened| opened.transaction.is_some())
    };
    let there: Vec<bool> = found.iter().map(is_there).collect();
    assert_eq!(there, [false, false, false, true, true]);
    let size = found
        .first()
        .map(|stored| stored.records.iter().map(Vec::len).sum::<usize>());
    assert!(
        size.is_some_and(|bytes| bytes < 1000),
        "contents are gone: {size:?}"
    );
    Ok(())
}

fn hashes(journal: &dyn Journal) -> Result<Vec<Hash>, JournalError> {
    let mut hashes = Vec::new();
    for stored in journal.read(FIRST, ReadLimit::default())? {
        let sequence = stored.sequence;
        let (envelope, _) = codec::check(&stored.records)
            .map_err(|source| JournalError::Damaged { sequence, source })?;
        hashes.push(envelope.hash);
    }
    Ok(hashes)
}

fn keeps_named_values(open: Open<'_>) -> Result<(), JournalError> {
    let journal = open()?;
    assert_eq!(journal.meta("a")?, None);
    journal.set_meta("a", b"1")?;
    journal.set_meta("a", b"2")?;
    drop(journal);
    assert_eq!(open()?.meta("a")?, Some(b"2".to_vec()));
    Ok(())
}
