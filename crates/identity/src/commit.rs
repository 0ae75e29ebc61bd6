// SPDX-License-Identifier: Apache-2.0
//! Commands are judged again where they are written.
//!
//! Between the moment when a request is let in and the moment when its change is written, others
//! write: the credential may be revoked, the account suspended, a role taken away. So every command
//! is planned on the writer's thread, by its caller as the pending state has it.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use durward_graph::store::{Draft, Operation, Privilege, Receipt, StoreError};
use durward_graph::{ObjectRef, View};
use durward_model::ErrorKind;
use durward_model::transaction::Origin;
use parking_lot::Mutex;

use crate::record::CredentialRecord;
use crate::{Caller, IdentityError};

/// What a command wants written.
#[derive(Debug)]
pub struct Planned<T> {
    /// Who, how and from where.
    pub origin: Origin,
    /// As [`Draft::idempotency_key`].
    pub idempotency_key: String,
    /// Whether protected objects may be touched.
    pub privilege: Privilege,
    /// What is written.
    pub operations: Vec<Operation>,
    /// What the command gets back once it is written.
    pub outcome: T,
}

impl<T> Planned<T> {
    /// A command of the core.
    pub fn core(origin: Origin, operations: Vec<Operation>, outcome: T) -> Self {
        Self {
            origin,
            idempotency_key: String::new(),
            privilege: Privilege::Core,
            operations,
            outcome,
        }
    }
}

/// A command of this crate, to be written.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is the end of plans, which may refuse"
)]
pub(crate) fn planned(
    caller: &Caller,
    activity: &str,
    operations: Vec<Operation>,
) -> Result<Planned<()>, IdentityError> {
    Ok(Planned::core(caller.origin(activity), operations, ()))
}

impl Caller {
    /// This caller as a state of its organization has it.
    ///
    /// # Errors
    /// When its credential, account or organization would not be let in any more.
    pub fn renewed(&self, view: &View) -> Result<Self, IdentityError> {
        let Some(record) = self.record_handle() else {
            return Ok(self.clone());
        };
        let organization = self.organization();
        let Some(ObjectRef::Entity(credential)) = view.resolve(record.id) else {
            return Err(IdentityError::Ended);
        };
        let earlier = Some(record.as_ref());
        let fresh = CredentialRecord::read(organization, view, credential, earlier)?;
        let fresh = fresh.ok_or(IdentityError::Ended)?;
        let is_over = |end| end <= self.now();
        let is_ended = fresh.revoked
            || fresh.generation != record.generation
            || fresh.principal.account_suspended
            || fresh.organization_suspended
            || fresh.principal.expires_at.is_some_and(is_over)
            || self.temporary_until().is_some_and(is_over);
        if is_ended {
            return Err(IdentityError::Ended);
        }
        Ok(self.with_record(Arc::new(fresh)))
    }

    /// This caller as the published state has it: for what is used later than it was given out.
    ///
    /// # Errors
    /// Those of [`Caller::renewed`].
    pub fn at_present(&self) -> Result<Self, IdentityError> {
        self.renewed(&self.organization().store().view(None))
    }

    /// Plans a write on the writer's thread from a state in which everything that was accepted
    /// before is seen, for this caller as that state has it, and waits until it is durable and
    /// visible. `plan` decides what the caller may, and must not block.
    ///
    /// # Errors
    /// When the caller would not be let in any more, the plan refuses, or the store does.
    pub fn commit<T, E, P>(&self, plan: P) -> Result<(Receipt, T), E>
    where
        T: Send + 'static,
        E: From<IdentityError> + From<StoreError> + Send + 'static,
        P: FnOnce(&Self, &View) -> Result<Planned<T>, E> + Send + 'static,
    {
        let (sender, receiver) = sync_channel(1);
        self.commit_then(plan, move |result| drop(sender.send(result)));
        let closed = || Err(StoreError::Closed.into());
        receiver.recv().unwrap_or_else(|_| closed())
    }

    /// As [`Caller::commit`], but calls `then` instead of waiting. It runs on the writer's thread
    /// and must not block.
    pub fn commit_then<T, E, P>(
        &self,
        plan: P,
        then: impl FnOnce(Result<(Receipt, T), E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: From<IdentityError> + From<StoreError> + Send + 'static,
        P: FnOnce(&Self, &View) -> Result<Planned<T>, E> + Send + 'static,
    {
        let planner = self.clone();
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let planned = move |view: &View| {
            let renewed = planner.renewed(view).map_err(E::from);
            let (draft, kept) = match renewed.and_then(|caller| plan(&caller, view)) {
                Ok(planned) => {
                    let draft = Draft {
                        origin: planned.origin,
                        idempotency_key: planned.idempotency_key,
                        privilege: planned.privilege,
                        operations: planned.operations,
                    };
                    (Ok(draft), Ok(planned.outcome))
                }
                Err(error) => (Err(refused()), Err(error)),
            };
            *filled.lock() = Some(kept);
            draft
        };
        let answered = move |receipt: Result<Receipt, StoreError>| {
            let kept = slot.lock().take();
            then(match (receipt, kept) {
                (Ok(receipt), Some(Ok(outcome))) => Ok((receipt, outcome)),
                (_, Some(Err(error))) => Err(error),
                (Err(error), _) => Err(error.into()),
                (Ok(_), None) => Err(StoreError::Closed.into()),
            });
        };
        let store = self.organization().store();
        store.submit_planned_then(planned, answered);
    }
}

/// What the store hears of a plan that refused; the caller gets the reason itself.
fn refused() -> StoreError {
    StoreError::Preparation {
        kind: ErrorKind::Forbidden,
        reason: "the command was refused".to_owned(),
    }
}
