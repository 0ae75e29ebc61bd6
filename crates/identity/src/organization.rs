// SPDX-License-Identifier: Apache-2.0
//! One open organization: its graph store and its vault.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_budget::{Budget, Share};
use durward_catalog::Catalog;
use durward_graph::store::{Draft, Operation, Privilege, Receipt, Store, StoreOptions};
use durward_graph::{CoreReader, View};
use durward_journal::HeadSigner;
use durward_model::transaction::Origin;
use durward_model::{Clock, Instant, ObjectId, Value};
use durward_vault::{MasterKeys, Vault};

use crate::credential::property;
use crate::effective::SUSPENDED;
use crate::failures::RECORDED_MAX;
use crate::heads::KnownHeads;
use crate::tally::Tally;
use crate::{IdentityError, OrganizationId, PasswordCost};

/// Type of the entity that stands for the organization.
pub(crate) const ORGANIZATION_TYPE: &str = "organization";
/// Natural key of that entity.
pub(crate) const ORGANIZATION_KEY: &str = "organization";

/// What all organizations of a process share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) master: Arc<MasterKeys>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) password_cost: PasswordCost,
    pub(crate) checkpoint: bool,
    pub(crate) heads: Arc<KnownHeads>,
    pub(crate) budget: Budget,
}

/// An organization: the tenant. Nothing of one is visible in another.
pub struct Organization {
    id: OrganizationId,
    folder: PathBuf,
    store: Arc<Store>,
    vault: Arc<Vault>,
    heads: Arc<KnownHeads>,
    clock: Arc<dyn Clock>,
    password_cost: PasswordCost,
    failures: Tally,
    refusals: Tally,
    budget: Budget,
}

impl Organization {
    /// Makes the vault and the empty journal of a new organization in an empty folder.
    pub(crate) fn create(
        folder: &Path,
        id: &OrganizationId,
        shared: &Shared,
    ) -> Result<Self, IdentityError> {
        let vault = Arc::new(Vault::create(folder, id.as_str(), &shared.master)?);
        let shared = Shared {
            // It is remembered from its first opening on, when it is in its place.
            heads: Arc::new(KnownHeads::none()),
            ..shared.clone()
        };
        let (options, _) = store_options(folder, id, &vault, &shared);
        let store = Store::create(options)?;
        Ok(Self::new(folder, id, store, vault, &shared))
    }

    /// Opens an organization in its folder, unless that is older than what is remembered.
    pub(crate) fn open(
        folder: &Path,
        id: &OrganizationId,
        shared: &Shared,
    ) -> Result<Self, IdentityError> {
        let vault = Arc::new(Vault::open(folder, id.as_str(), &shared.master)?);
        let (options, is_accepted) = store_options(folder, id, &vault, shared);
        let store = Store::open(options)?;
        shared.heads.check(id, &vault, &store)?;
        is_accepted.store(true, Ordering::Relaxed);
        Ok(Self::new(folder, id, store, vault, shared))
    }

    fn new(
        folder: &Path,
        id: &OrganizationId,
        store: Store,
        vault: Arc<Vault>,
        shared: &Shared,
    ) -> Self {
        Self {
            id: id.clone(),
            folder: folder.to_owned(),
            store: Arc::new(store),
            vault,
            heads: Arc::clone(&shared.heads),
            clock: Arc::clone(&shared.clock),
            password_cost: shared.password_cost,
            failures: Tally::new(RECORDED_MAX),
            refusals: Tally::new(1),
            budget: shared.budget.clone(),
        }
    }

    /// Its id.
    pub fn id(&self) -> &OrganizationId {
        &self.id
    }

    /// What one of its credentials may make the process hold.
    pub fn share(&self, credential: Option<ObjectId>) -> Share {
        self.budget.share(self.id.as_str(), credential)
    }

    /// The folder with everything of it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its graph.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Its vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Its name.
    pub fn name(&self) -> String {
        let view = self.head();
        let reader = CoreReader::new(&view);
        let entity = reader.by_key(ORGANIZATION_TYPE, ORGANIZATION_KEY);
        entity
            .and_then(|entity| reader.text(entity, property::NAME))
            .unwrap_or_default()
    }

    /// Whether its credentials are refused.
    pub fn is_suspended(&self) -> bool {
        let view = self.head();
        let reader = CoreReader::new(&view);
        let entity = reader.by_key(ORGANIZATION_TYPE, ORGANIZATION_KEY);
        entity.is_none_or(|entity| reader.flag(entity, SUSPENDED))
    }

    pub(crate) fn head(&self) -> View {
        self.store.view(None)
    }

    /// Closes the store in good order.
    pub(crate) fn close(&self) -> Result<(), IdentityError> {
        self.record_all(self.failures.all());
        self.record_all(self.refusals.all());
        self.store.close()?;
        self.remember_head();
        Ok(())
    }

    /// Remembers outside the data folder how far this organization is.
    pub(crate) fn remember_head(&self) {
        let (sequence, hash) = self.store.head();
        self.heads.remember(&self.id, &self.vault, sequence, &hash);
    }

    pub(crate) fn failures(&self) -> &Tally {
        &self.failures
    }

    /// Refused commands and readings.
    pub(crate) fn refusals(&self) -> &Tally {
        &self.refusals
    }

    /// Records how many refusals were left out in the minutes that are over. To be called from
    /// time to time: without it they are told at the next refusal, or at the stop.
    pub fn tell_refusals(&self) {
        let now = self.now();
        self.record_all(self.failures.ended(now));
        self.record_all(self.refusals.ended(now));
    }

    pub(crate) fn record_all(&self, origins: Vec<Origin>) {
        for origin in origins {
            self.store.record(origin);
        }
    }

    pub(crate) fn password_cost(&self) -> PasswordCost {
        self.password_cost
    }

    /// Writes with the privilege of the core and waits until it is durable and visible.
    pub(crate) fn submit(
        &self,
        origin: Origin,
        operations: Vec<Operation>,
    ) -> Result<Receipt, IdentityError> {
        Ok(self.store.submit(core_draft(origin, operations))?)
    }

    /// As [`Organization::submit_core_once`] without an idempotency key.
    pub fn submit_core(
        &self,
        origin: Origin,
        operations: Vec<Operation>,
    ) -> Result<Receipt, IdentityError> {
        self.submit(origin, operations)
    }

    /// Writes with the privilege of the core: for commands of the crates above, once they have
    /// decided that the caller may. The same actor's repetition of a key gets the first receipt.
    pub fn submit_core_once(
        &self,
        origin: Origin,
        idempotency_key: &str,
        operations: Vec<Operation>,
    ) -> Result<Receipt, IdentityError> {
        let mut draft = core_draft(origin, operations);
        idempotency_key.clone_into(&mut draft.idempotency_key);
        Ok(self.store.submit(draft)?)
    }

    /// Suspends or resumes the whole organization.
    pub(crate) fn set_suspended(
        &self,
        origin: Origin,
        suspended: bool,
    ) -> Result<(), IdentityError> {
        let patch = Operation::PatchEntity {
            target: durward_graph::store::Target::Key(
                durward_model::Namespace::durward(),
                ORGANIZATION_KEY.to_owned(),
            ),
            set: vec![(SUSPENDED.to_owned(), Value::from(suspended))],
            classes: None,
            expected_version: None,
        };
        self.submit(origin, vec![patch]).map(|_| ())
    }
}

pub(crate) fn core_draft(origin: Origin, operations: Vec<Operation>) -> Draft {
    Draft {
        origin,
        idempotency_key: String::new(),
        privilege: Privilege::Core,
        operations,
    }
}

/// How the store of an organization is opened. Its checkpoints are remembered outside the folder
/// once the flag is set: a store that is refused for its age writes one when it is closed again,
/// and must not pass for the newest next time.
fn store_options(
    folder: &Path,
    id: &OrganizationId,
    vault: &Arc<Vault>,
    shared: &Shared,
) -> (StoreOptions, Arc<AtomicBool>) {
    let head_signer: Arc<dyn HeadSigner> = vault.head_key();
    let clock = Arc::clone(&shared.clock);
    let catalog = Arc::clone(&shared.catalog);
    let mut options = StoreOptions::new(folder, clock, catalog, vault.id_secret(), head_signer);
    options.checkpoint = shared.checkpoint;
    options.file_seal = Some(vault.file_seal());
    let (heads, vault, id) = (Arc::clone(&shared.heads), Arc::clone(vault), id.clone());
    let is_accepted = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_accepted);
    options.on_checkpoint = Some(Box::new(move |head| {
        if asked.load(Ordering::Relaxed) {
            heads.remember(&id, &vault, head.sequence, &head.hash);
        }
    }));
    (options, is_accepted)
}

impl fmt::Debug for Organization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Organization")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
