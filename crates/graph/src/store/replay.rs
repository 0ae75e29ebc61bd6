// SPDX-License-Identifier: Apache-2.0
//! Opening: the checkpoint if there is a usable one, then the journal after it, verified.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use durward_catalog::Catalog;
use durward_journal::{
    ChainCursor, Encoder, Envelope, Erasures, FencingToken, Finding, FindingKind, FolderLock, Head,
    HeadSigner, Journal, JournalError, Opened, ReadLimit, SaltSource, SqliteJournal, SystemSalts,
    WRITER_LEASE, backup, codec, private,
};
use durward_model::transaction::Sequence;
use durward_model::{Clock, IdCipher, ObjectNumber, RelationshipNumber};

use super::checkpointer::{CheckpointFile, Checkpointer};
use super::error::StoreError;
use super::idempotency::Window;
use super::options::StoreOptions;
use super::unique::UniqueIndex;
use crate::checkpoint::{self, CheckpointContext};
use crate::state::{Snapshot, StateWriter};

/// Name of the lock file in the folder of an organization.
const LOCK_FILE: &str = "store.lock";
/// Name of the checkpoint file in the folder of an organization.
const CHECKPOINT_FILE: &str = "checkpoint";
const META_KEY_SEED: &str = "key_seed";
const META_ID_CHECK: &str = "id_check";
const LEASE_HOLDER: &str = "embedded";
const LEASE_TTL: Duration = Duration::from_secs(30);
/// Transactions decoded ahead of the fold.
const REPLAY_STEP: ReadLimit = ReadLimit {
    transactions: 1024,
    bytes: 4 << 20,
};
const STEPS_AHEAD: usize = 2;

/// Everything that a running store needs.
pub(super) struct OpenedStore {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) sqlite: Option<Arc<SqliteJournal>>,
    pub(super) signer: Arc<dyn HeadSigner>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) encoder: Encoder,
    pub(super) token: FencingToken,
    pub(super) start: Start,
    pub(super) lock: FolderLock,
}

/// Where the writer begins.
pub(super) struct Start {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) state: StateWriter,
    pub(super) unique: UniqueIndex,
    pub(super) window: Window,
    pub(super) head: Head,
    pub(super) checkpointer: Checkpointer,
    /// Why the checkpoint that was there is not used.
    pub(super) discarded: Option<String>,
}

/// Makes the folder and the journal of a new store.
pub(super) fn create(options: &StoreOptions) -> Result<(), StoreError> {
    let folder = &options.folder;
    private::create_folder(folder).map_err(|source| StoreError::System {
        action: "make the folder of the store",
        source,
    })?;
    let _lock = FolderLock::acquire_named(folder, LOCK_FILE)?;
    let file = backup::journal_file(folder);
    let is_taken = match &options.journal {
        Some(journal) => journal.meta(META_ID_CHECK)?.is_some(),
        None => file.exists(),
    };
    if is_taken {
        let problem = "holds a store already";
        return Err(StoreError::Folder {
            folder: folder.clone(),
            problem,
        });
    }
    let journal: Arc<dyn Journal> = match &options.journal {
        Some(journal) => Arc::clone(journal),
        None => Arc::new(SqliteJournal::open(&file)?),
    };
    let mut seed = [0u8; 8];
    for (byte, random) in seed.iter_mut().zip(SystemSalts::new()?.next_salt()) {
        *byte = random;
    }
    journal.set_meta(META_KEY_SEED, &seed)?;
    journal.set_meta(META_ID_CHECK, &id_check(&IdCipher::new(&options.id_secret)))?;
    Ok(())
}

/// Opens a store that was created before.
pub(super) fn open(options: StoreOptions) -> Result<OpenedStore, StoreError> {
    let folder = options.folder;
    let file = backup::journal_file(&folder);
    if options.journal.is_none() && !file.exists() {
        return Err(missing(folder));
    }
    let lock = FolderLock::acquire_named(&folder, LOCK_FILE)?;
    let sqlite = match &options.journal {
        Some(_) => None,
        None => Some(Arc::new(SqliteJournal::open(&file)?)),
    };
    let embedded = sqlite
        .as_ref()
        .map(|sqlite| Arc::clone(sqlite) as Arc<dyn Journal>);
    let Some(journal) = options.journal.or(embedded) else {
        return Err(missing(folder));
    };
    let cipher = IdCipher::new(&options.id_secret);
    match journal.meta(META_ID_CHECK)? {
        None => return Err(missing(folder)),
        Some(check) if check != id_check(&cipher) => {
            return Err(StoreError::WrongSecret { folder });
        }
        Some(_) => {}
    }
    let key_seed = key_seed(&*journal)?;
    let lease = journal.lease(WRITER_LEASE, LEASE_HOLDER, options.clock.now(), LEASE_TTL)?;
    let encoder = encoder(options.salts)?;
    let file = options.file_seal.filter(|_| options.checkpoint);
    let file = file.map(|seal| CheckpointFile {
        path: folder.join(CHECKPOINT_FILE),
        seal,
        then: options.on_checkpoint,
    });
    let empty = Snapshot::new(cipher, Arc::clone(&options.catalog), key_seed);
    let (base, discarded) = base(&*journal, &*options.head_signer, file.as_ref(), empty)?;
    let checkpoint_sequence = base.head.sequence;
    let replayed = replay(&*journal, &*options.head_signer, base)?;
    let mut state = replayed.state;
    let snapshot = state.publish();
    let view = snapshot.view(None);
    let limits = (options.checkpoint_transactions, options.checkpoint_bytes);
    let start = Start {
        unique: UniqueIndex::read(&view, &options.catalog),
        window: replayed.window,
        head: replayed.head,
        checkpointer: Checkpointer::start(file, limits, checkpoint_sequence)?,
        discarded,
        snapshot,
        state,
    };
    Ok(OpenedStore {
        journal,
        sqlite,
        signer: options.head_signer,
        clock: options.clock,
        catalog: options.catalog,
        encoder,
        token: lease.token,
        start,
        lock,
    })
}

fn missing(folder: PathBuf) -> StoreError {
    StoreError::Folder {
        folder,
        problem: "holds no store",
    }
}

/// The seed that the store was created with.
fn key_seed(journal: &dyn Journal) -> Result<u64, StoreError> {
    let seed = journal.meta(META_KEY_SEED)?.unwrap_or_default();
    Ok(seed
        .first_chunk::<8>()
        .copied()
        .map_or(0, u64::from_le_bytes))
}

/// An encoder with these salts or those of the system.
fn encoder(salts: Option<Box<dyn SaltSource>>) -> Result<Encoder, StoreError> {
    let salts = match salts {
        Some(salts) => salts,
        None => Box::new(SystemSalts::new()?),
    };
    let encoder = Encoder::new(salts).map_err(|source| JournalError::Encode {
        sequence: Sequence(0),
        source,
    })?;
    Ok(encoder)
}

/// An id that nothing else tells, by which another secret is noticed.
fn id_check(cipher: &IdCipher) -> Vec<u8> {
    let last = ObjectNumber::Relationship(RelationshipNumber(u32::MAX));
    cipher.id_of(last).0.to_le_bytes().to_vec()
}

/// A state in the making.
pub(super) struct Replayed {
    pub(super) state: StateWriter,
    pub(super) window: Window,
    pub(super) head: Head,
}

/// The checkpoint, or the empty state and why the checkpoint that is there cannot be used.
fn base(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    file: Option<&CheckpointFile>,
    empty: Snapshot,
) -> Result<(Replayed, Option<String>), StoreError> {
    let mut discarded = None;
    if let Some(file) = file.filter(|file| file.path.exists()) {
        match from_checkpoint(journal, signer, file, &empty)? {
            Ok(base) => return Ok((base, None)),
            Err(reason) => {
                let folder = file.path.display();
                tracing::error!(
                    %reason, %folder,
                    "the checkpoint is not used; the whole journal is folded instead"
                );
                discarded = Some(reason);
            }
        }
    }
    let base = Replayed {
        state: StateWriter::new(empty),
        window: Window::default(),
        head: Head::empty(),
    };
    Ok((base, discarded))
}

/// A checkpoint counts only if the organization sealed it and the journal has the transaction that
/// it ends with.
fn from_checkpoint(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    file: &CheckpointFile,
    empty: &Snapshot,
) -> Result<Result<Replayed, String>, StoreError> {
    let context = CheckpointContext {
        cipher: empty.cipher.clone(),
        catalog: Arc::clone(&empty.catalog),
        key_seed: empty.key_seed,
        seal: Arc::clone(&file.seal),
    };
    let (snapshot, extra) = match checkpoint::read(&file.path, &context) {
        Ok(read) => read,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let head = Head {
        sequence: snapshot.sequence(),
        hash: extra.head,
        committed_at: snapshot.committed_at(),
    };
    let one = ReadLimit {
        transactions: 1,
        bytes: 0,
    };
    let stored = journal.read(head.sequence, one)?;
    let inspected = stored
        .first()
        .filter(|stored| stored.sequence == head.sequence)
        .and_then(|stored| codec::inspect(&stored.records).ok());
    let belongs = inspected.as_ref().is_some_and(|found| {
        found.envelope.hash == head.hash && found.envelope.committed_at == head.committed_at
    });
    match inspected.filter(|_| belongs) {
        None => Ok(Err("it does not belong to this journal".to_owned())),
        Some(found) if found.is_erased && !is_explained(journal, signer, &found.envelope)? => {
            Ok(Err("its last transaction has lost its content".to_owned()))
        }
        Some(_) => Ok(Ok(Replayed {
            state: StateWriter::new(snapshot),
            window: Window::from_bytes(&extra.more),
            head,
        })),
    }
}

/// Whether a signed erasure record names a transaction whose content is gone.
fn is_explained(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    erased: &Envelope,
) -> Result<bool, StoreError> {
    let records = Erasures::read(journal, signer, erased.sequence)?;
    Ok(records
        .iter()
        .any(|record| record.names(erased.sequence, &erased.hash)))
}

type Step = Result<Vec<(Sequence, Result<Opened, JournalError>)>, JournalError>;

/// Folds everything after `base` and compares the end with the signed head. Records are decoded on
/// a second thread.
pub(super) fn replay(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    mut base: Replayed,
) -> Result<Replayed, StoreError> {
    let mut cursor = ChainCursor::after(&base.head);
    std::thread::scope(|scope| {
        let (sender, steps) = sync_channel::<Step>(STEPS_AHEAD);
        let from = cursor.next();
        scope.spawn(move || {
            let mut from = from;
            loop {
                let step = decode_step(journal, &mut from);
                let is_over = !matches!(&step, Ok(step) if !step.is_empty());
                if sender.send(step).is_err() || is_over {
                    break;
                }
            }
        });
        while let Ok(step) = steps.recv() {
            for (place, opened) in step? {
                let opened = opened?;
                if opened.transaction.is_none() {
                    return Err(lost(journal, signer, &mut cursor, &opened.envelope));
                }
                fold(&mut base, &mut cursor, place, opened)?;
            }
        }
        Ok::<_, StoreError>(())
    })?;
    let signed = journal.head()?;
    match cursor
        .compare_head(signed.as_ref(), signer)
        .into_iter()
        .next()
    {
        Some(finding) => Err(StoreError::Unsound { finding }),
        None => Ok(base),
    }
}

/// A transaction without content cannot be folded; whether that is right is told by what follows.
fn lost(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    cursor: &mut ChainCursor,
    envelope: &Envelope,
) -> StoreError {
    let sequence = cursor.next();
    if let Some(finding) = cursor.accept(envelope.sequence, Some(envelope)) {
        return StoreError::Unsound { finding };
    }
    match is_explained(journal, signer, envelope) {
        Ok(true) => StoreError::Compacted { sequence },
        Ok(false) => StoreError::Unsound {
            finding: Finding {
                sequence,
                kind: FindingKind::ErasedWithoutRecord,
            },
        },
        Err(error) => error,
    }
}

fn decode_step(journal: &dyn Journal, from: &mut Sequence) -> Step {
    let stored = journal.read(*from, REPLAY_STEP)?;
    if let Some(last) = stored.last() {
        *from = last.sequence.next();
    }
    let decode = |stored: durward_journal::StoredTransaction| {
        let sequence = stored.sequence;
        let opened = codec::open(&stored.records);
        (
            sequence,
            opened.map_err(|source| JournalError::Damaged { sequence, source }),
        )
    };
    Ok(stored.into_iter().map(decode).collect())
}

fn fold(
    base: &mut Replayed,
    cursor: &mut ChainCursor,
    place: Sequence,
    opened: Opened,
) -> Result<(), StoreError> {
    if let Some(finding) = cursor.accept(place, Some(&opened.envelope)) {
        return Err(StoreError::Unsound { finding });
    }
    let Some(transaction) = opened.transaction else {
        return Err(StoreError::Compacted { sequence: place });
    };
    base.window.read_back(&transaction);
    base.head = Head {
        sequence: place,
        hash: opened.envelope.hash,
        committed_at: transaction.committed_at,
    };
    Ok(base.state.apply_owned(transaction)?)
}
