// SPDX-License-Identifier: Apache-2.0
//! The budget of the process and how it is shared out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use durward_model::ObjectId;
use parking_lot::Mutex;

use crate::exhausted::{Exhausted, Resource, Scope};
use crate::room::WaitingRoom;
use crate::share::Share;
use crate::turn::Queue;

/// Bytes of the whole budget unless configured (1 GiB).
pub const TOTAL_BYTES_DEFAULT: u64 = 1 << 30;
/// Strangers together get this part of the whole.
const STRANGERS_PART: u64 = 16;
/// Caches together get this part of the whole.
const CACHES_PART: u64 = 16;
/// A credential gets this part of the whole.
const CREDENTIAL_PART: u64 = 4;
/// An organization gets this part of the whole.
const ORGANIZATION_PART: u64 = 2;
/// Most requests of one credential that wait for a turn.
const WAITING_PER_CREDENTIAL_MAX: usize = 256;
/// Most requests of one organization that wait for a turn.
const WAITING_PER_ORGANIZATION_MAX: usize = 1_024;
/// Fewest turns of an organization, so that one long query does not hold up all else.
const TURNS_MIN: usize = 2;
/// Writes of one organization that stand before its journal at once: it stores so many together,
/// and each has a thread.
const WRITES_MAX: usize = 64;
/// From this many known organizations or credentials on, those that hold nothing are forgotten.
const FORGET_FROM: usize = 64;

/// How large the budget and its shares are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Bytes of the whole.
    pub total_bytes: u64,
    /// Bytes of one credential.
    pub credential_bytes: u64,
    /// Bytes of one organization.
    pub organization_bytes: u64,
    /// Bytes of all callers together who have not proven who they are.
    pub strangers_bytes: u64,
    /// Bytes of all caches together.
    pub caches_bytes: u64,
    /// Pieces of heavy work that one organization has running at once.
    pub turns: usize,
    /// Writes of one organization that have a thread at once.
    pub writes: usize,
    /// Requests of one organization that may wait for a turn.
    pub waiting_per_organization: usize,
    /// Requests of one credential that may wait for a turn.
    pub waiting_per_credential: usize,
}

impl BudgetLimits {
    /// The usual shares of a whole, on a machine with so many processors.
    pub fn shared_out(total_bytes: u64, processors: usize) -> Self {
        Self {
            total_bytes,
            credential_bytes: total_bytes / CREDENTIAL_PART,
            organization_bytes: total_bytes / ORGANIZATION_PART,
            strangers_bytes: total_bytes / STRANGERS_PART,
            caches_bytes: total_bytes / CACHES_PART,
            turns: processors.max(TURNS_MIN),
            writes: WRITES_MAX,
            waiting_per_organization: WAITING_PER_ORGANIZATION_MAX,
            waiting_per_credential: WAITING_PER_CREDENTIAL_MAX,
        }
    }

    /// So much that nothing is ever refused: for the owner of the data folder, and for tests.
    pub fn unlimited() -> Self {
        Self {
            total_bytes: u64::MAX,
            credential_bytes: u64::MAX,
            organization_bytes: u64::MAX,
            strangers_bytes: u64::MAX,
            caches_bytes: u64::MAX,
            turns: tokio::sync::Semaphore::MAX_PERMITS,
            writes: tokio::sync::Semaphore::MAX_PERMITS,
            waiting_per_organization: usize::MAX,
            waiting_per_credential: usize::MAX,
        }
    }
}

/// Bytes in use, up to a limit.
#[derive(Debug)]
pub(crate) struct Counter {
    used: AtomicU64,
    max: u64,
    scope: Scope,
}

impl Counter {
    fn new(scope: Scope, max: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            max,
            scope,
        }
    }

    pub(crate) fn take(&self, bytes: u64) -> Result<(), Exhausted> {
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.max)
            });
        taken.map(|_| ()).map_err(|_| self.exhausted())
    }

    /// The refusal of whoever finds it used up.
    pub(crate) fn exhausted(&self) -> Exhausted {
        Exhausted {
            scope: self.scope,
            resource: Resource::Bytes(self.max),
        }
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// What one credential, or all strangers together, may use.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) counter: Counter,
    /// Where heavy work waits for its turn.
    pub(crate) queue: Queue,
    /// Where writes wait for theirs.
    pub(crate) writes: Queue,
    /// Where the bodies of strangers wait to be whole.
    pub(crate) room: Option<WaitingRoom>,
}

impl Party {
    fn new(scope: Scope, limits: &BudgetLimits) -> Arc<Self> {
        let (bytes, waiting) = match scope {
            Scope::Process => (limits.total_bytes, limits.waiting_per_organization),
            Scope::Organization => (limits.organization_bytes, limits.waiting_per_organization),
            Scope::Credential => (limits.credential_bytes, limits.waiting_per_credential),
            Scope::Strangers => (limits.strangers_bytes, limits.waiting_per_credential),
            Scope::Caches => (limits.caches_bytes, limits.waiting_per_credential),
        };
        Arc::new(Self {
            counter: Counter::new(scope, bytes),
            queue: Queue::new(scope, limits.turns, waiting),
            writes: Queue::new(scope, limits.writes, waiting),
            room: (scope == Scope::Strangers).then(WaitingRoom::default),
        })
    }
}

#[derive(Debug)]
struct Organization {
    party: Arc<Party>,
    /// By credential; none for the operator.
    credentials: HashMap<Option<ObjectId>, Arc<Party>>,
}

/// The budget of the process; cheap to clone, all clones are one.
#[derive(Clone, Debug)]
pub struct Budget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: BudgetLimits,
    process: Arc<Counter>,
    strangers: Arc<Party>,
    caches: Arc<Party>,
    organizations: Mutex<HashMap<String, Organization>>,
}

impl Budget {
    /// A budget with these limits, of which nothing is used.
    pub fn new(limits: BudgetLimits) -> Self {
        let strangers = Party::new(Scope::Strangers, &limits);
        Self {
            inner: Arc::new(Inner {
                limits,
                process: Arc::new(Counter::new(Scope::Process, limits.total_bytes)),
                strangers,
                caches: Party::new(Scope::Caches, &limits),
                organizations: Mutex::default(),
            }),
        }
    }

    /// A budget that refuses nothing.
    pub fn unlimited() -> Self {
        Self::new(BudgetLimits::unlimited())
    }

    /// The limits.
    pub fn limits(&self) -> &BudgetLimits {
        &self.inner.limits
    }

    /// The share that all callers have together who have not proven who they are.
    pub fn strangers(&self) -> Share {
        let strangers = &self.inner.strangers;
        Share::new(&self.inner.process, strangers, None)
    }

    /// The share of what the server keeps to be quicker the next time, and lets go of when there is
    /// no room for it.
    pub fn caches(&self) -> Share {
        Share::new(&self.inner.process, &self.inner.caches, None)
    }

    /// The share of a credential (none: the operator) of an organization.
    pub fn share(&self, organization: &str, credential: Option<ObjectId>) -> Share {
        let limits = &self.inner.limits;
        let mut organizations = self.inner.organizations.lock();
        if !organizations.contains_key(organization) {
            forget_unused(&mut organizations);
            let known = Organization {
                party: Party::new(Scope::Organization, limits),
                credentials: HashMap::new(),
            };
            organizations.insert(organization.to_owned(), known);
        }
        let Some(known) = organizations.get_mut(organization) else {
            return self.strangers();
        };
        if known.credentials.len() >= FORGET_FROM && !known.credentials.contains_key(&credential) {
            known.credentials.retain(|_, party| is_used(party));
        }
        let credentials = known.credentials.entry(credential);
        let party = credentials.or_insert_with(|| Party::new(Scope::Credential, limits));
        Share::new(&self.inner.process, party, Some(&known.party))
    }

    /// Bytes that are held now, by all callers together.
    pub fn used_bytes(&self) -> u64 {
        self.inner.process.used()
    }
}

/// Somebody else still has it: a share or a lease.
fn is_used(party: &Arc<Party>) -> bool {
    Arc::strong_count(party) > 1
}

fn forget_unused(organizations: &mut HashMap<String, Organization>) {
    if organizations.len() < FORGET_FROM {
        return;
    }
    organizations.retain(|_, known| {
        known.credentials.retain(|_, party| is_used(party));
        !known.credentials.is_empty() || is_used(&known.party)
    });
}
