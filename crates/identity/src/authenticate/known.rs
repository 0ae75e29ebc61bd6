// SPDX-License-Identifier: Apache-2.0
//! Credentials that were found once, kept fresh by the sequence of the graph.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use durward_graph::EntityRef;
use durward_graph::store::{Operation, Target};
use durward_model::transaction::{Origin, Sequence};
use durward_model::{Instant, Value};
use durward_vault::digest;
use parking_lot::RwLock;

use super::signed::DayKey;
use super::{AuthError, Presented};
use crate::credential::property;
use crate::organization::core_draft;
use crate::record::CredentialRecord;
use crate::{Caller, CredentialKind, Organization};

/// Most credentials that are remembered; beyond, all are forgotten and found anew.
const REMEMBERED_MAX: usize = 100_000;
/// How old the stored moment of last use may be before it is written again, in seconds.
const LAST_USED_SECONDS: i64 = 3600;

/// SHA-256 of a bearer token.
pub(super) type TokenHash = [u8; digest::DIGEST_BYTES];

/// The credentials that were used lately.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// By the hash of the token.
    by_hash: RwLock<HashMap<TokenHash, Arc<Known>>>,
    /// Granted access tokens, by their hash.
    granted: RwLock<HashMap<TokenHash, Arc<Granted>>>,
    /// By kind and public half.
    by_public_id: RwLock<HashMap<CredentialKind, HashMap<String, Arc<Known>>>>,
}

/// A credential that was found once. Rows are never reused, so where it lies stays true; what it
/// says is as of a sequence.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) organization: Arc<Organization>,
    pub(super) credential: EntityRef,
    state: ArcSwap<KnownState>,
    /// Keys for signatures, made when one is checked.
    pub(super) day_keys: ArcSwap<Vec<DayKey>>,
    /// Moment of last use that was sent to the store, in microseconds.
    last_used: AtomicI64,
}

#[derive(Debug)]
struct KnownState {
    sequence: Sequence,
    record: Arc<CredentialRecord>,
}

impl Remembered {
    /// The credential of this token, if it was used lately.
    pub(super) fn get(&self, hash: &TokenHash) -> Option<Arc<Known>> {
        self.by_hash.read().get(hash).cloned()
    }

    pub(super) fn insert(&self, hash: TokenHash, known: Arc<Known>) {
        let mut by_hash = self.by_hash.write();
        if by_hash.len() >= REMEMBERED_MAX {
            by_hash.clear();
        }
        by_hash.insert(hash, known);
    }

    /// The access token of this hash, if it was used lately.
    pub(super) fn granted(&self, hash: &TokenHash) -> Option<Arc<Granted>> {
        self.granted.read().get(hash).cloned()
    }

    pub(super) fn insert_granted(&self, hash: TokenHash, token: Arc<Granted>, now: Instant) {
        let mut granted = self.granted.write();
        if granted.len() >= REMEMBERED_MAX {
            granted.retain(|_, token| now < token.expires_at);
        }
        if granted.len() >= REMEMBERED_MAX {
            granted.clear();
        }
        granted.insert(hash, token);
    }

    /// The credential of this public half, if it was used lately.
    pub(super) fn of_public_id(&self, kind: CredentialKind, public_id: &str) -> Option<Arc<Known>> {
        let by_kind = self.by_public_id.read();
        by_kind.get(&kind)?.get(public_id).cloned()
    }

    pub(super) fn insert_public_id(
        &self,
        kind: CredentialKind,
        public_id: &str,
        known: Arc<Known>,
    ) {
        let mut by_kind = self.by_public_id.write();
        let by_id = by_kind.entry(kind).or_default();
        if by_id.len() >= REMEMBERED_MAX {
            by_id.clear();
        }
        by_id.insert(public_id.to_owned(), known);
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        self.by_hash.write().clear();
        self.granted.write().clear();
        self.by_public_id.write().clear();
    }
}

/// An access token whose signature is good: it holds as long as its client's secret.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) client: Arc<Known>,
    pub(super) generation: i64,
    pub(super) expires_at: Instant,
}

impl Granted {
    pub(super) fn admit(
        &self,
        presented: &Presented<'_>,
        now: Instant,
    ) -> Result<Caller, AuthError> {
        let is_current = |record: &CredentialRecord| {
            if record.generation != self.generation {
                return Err(AuthError::Revoked);
            }
            if self.expires_at <= now {
                return Err(AuthError::Expired);
            }
            Ok(true)
        };
        let record = self.client.admitted(presented, is_current, now)?;
        let kind = CredentialKind::CyralAccess;
        Ok(Caller::new(
            &self.client.organization,
            record,
            kind,
            Some(self.expires_at),
            presented,
        ))
    }
}

impl Known {
    pub(super) fn find(
        organization: Arc<Organization>,
        credential: EntityRef,
    ) -> Result<Self, AuthError> {
        let view = organization.head();
        let record = CredentialRecord::read(&organization, &view, credential, None)
            .map_err(AuthError::Unusable)?
            .ok_or(AuthError::Unknown)?;
        let last_used = record.last_used_at.map_or(i64::MIN, Instant::as_micros);
        let state = KnownState {
            sequence: view.sequence(),
            record: Arc::new(record),
        };
        Ok(Self {
            organization,
            credential,
            state: ArcSwap::from_pointee(state),
            day_keys: ArcSwap::default(),
            last_used: AtomicI64::new(last_used),
        })
    }

    /// The record as of the head.
    pub(super) fn record(&self) -> Result<Arc<CredentialRecord>, AuthError> {
        let snapshot = self.organization.store().snapshot();
        let state = self.state.load();
        if state.sequence == snapshot.sequence() {
            return Ok(Arc::clone(&state.record));
        }
        let view = snapshot.view(None);
        let earlier = Some(state.record.as_ref());
        let record = CredentialRecord::read(&self.organization, &view, self.credential, earlier)
            .map_err(AuthError::Unusable)?
            .ok_or(AuthError::Unknown)?;
        let record = Arc::new(record);
        let sequence = view.sequence();
        self.state.store(Arc::new(KnownState {
            sequence,
            record: Arc::clone(&record),
        }));
        Ok(record)
    }

    /// Lets whoever holds the secret in, if the credential is good at this moment.
    pub(super) fn admit(
        &self,
        presented: &Presented<'_>,
        is_secret: impl FnOnce(&CredentialRecord) -> Result<bool, AuthError>,
        now: Instant,
    ) -> Result<Caller, AuthError> {
        let record = self.admitted(presented, is_secret, now)?;
        let kind = record.kind;
        Ok(Caller::new(
            &self.organization,
            record,
            kind,
            None,
            presented,
        ))
    }

    fn admitted(
        &self,
        presented: &Presented<'_>,
        is_secret: impl FnOnce(&CredentialRecord) -> Result<bool, AuthError>,
        now: Instant,
    ) -> Result<Arc<CredentialRecord>, AuthError> {
        let organization = &self.organization;
        let record = self
            .record()
            .inspect_err(|error| organization.record_failure(presented, error, None, now))?;
        if let Err(error) = check(organization, &record, presented, is_secret, now) {
            organization.record_failure(presented, &error, Some(&record.name), now);
            return Err(error);
        }
        self.note_use(&record, now);
        Ok(record)
    }

    /// Writes the moment of use, unless a recent one is stored. Nobody waits for it.
    fn note_use(&self, record: &CredentialRecord, now: Instant) {
        let noted = self.last_used.load(Ordering::Relaxed);
        let due = Instant::from_micros(noted).plus_seconds(LAST_USED_SECONDS);
        if now < due && noted != i64::MIN {
            return;
        }
        let exchange = self.last_used.compare_exchange(
            noted,
            now.as_micros(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if exchange.is_err() {
            return;
        }
        let patch = Operation::PatchEntity {
            target: Target::Id(record.id),
            set: vec![(property::LAST_USED_ON.to_owned(), Value::from(now))],
            classes: None,
            expected_version: None,
        };
        let origin = Origin {
            actor: Some(record.principal.account),
            credential: Some(record.id),
            activity: "credential used".to_owned(),
            ..Origin::default()
        };
        self.organization
            .store()
            .submit_then(core_draft(origin, vec![patch]), |result| {
                if let Err(error) = result {
                    tracing::debug!(%error, "the last use of a credential was not noted");
                }
            });
    }
}

/// The secret first: whoever does not hold it learns nothing about the credential.
fn check(
    organization: &Organization,
    record: &CredentialRecord,
    presented: &Presented<'_>,
    is_secret: impl FnOnce(&CredentialRecord) -> Result<bool, AuthError>,
    now: Instant,
) -> Result<(), AuthError> {
    if !is_secret(record)? {
        return Err(AuthError::WrongSecret);
    }
    if !record.kind.entry().is_accepted {
        return Err(AuthError::NotAccepted);
    }
    if record.revoked {
        return Err(AuthError::Revoked);
    }
    if record.principal.expires_at.is_some_and(|end| end <= now) {
        return Err(AuthError::Expired);
    }
    if record.principal.account_suspended {
        return Err(AuthError::AccountSuspended);
    }
    if record.organization_suspended {
        return Err(AuthError::OrganizationSuspended);
    }
    let names_it = |name: &&str| {
        let name = name.trim();
        name == organization.id().as_str() || name == record.organization_name
    };
    if !presented.accounts.iter().all(names_it) {
        return Err(AuthError::WrongOrganization);
    }
    Ok(())
}
