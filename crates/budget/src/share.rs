// SPDX-License-Identifier: Apache-2.0
//! The part of one caller.

use std::sync::Arc;

use crate::budget::{Counter, Party};
use crate::exhausted::Exhausted;
use crate::lease::Lease;
use crate::room::WaitingRoom;
use crate::turn::{Queue, Turn};

/// What one caller may use; cheap to clone.
#[derive(Clone, Debug)]
pub struct Share {
    process: Arc<Counter>,
    /// The credential, or all strangers.
    own: Arc<Party>,
    organization: Option<Arc<Party>>,
}

impl Share {
    pub(crate) fn new(
        process: &Arc<Counter>,
        own: &Arc<Party>,
        organization: Option<&Arc<Party>>,
    ) -> Self {
        Self {
            process: Arc::clone(process),
            own: Arc::clone(own),
            organization: organization.map(Arc::clone),
        }
    }

    /// A lease that holds nothing yet.
    pub fn lease(&self) -> Lease {
        Lease::new(self.clone())
    }

    /// A lease of so many bytes.
    ///
    /// # Errors
    /// When a share is used up.
    pub fn lease_of(&self, bytes: u64) -> Result<Lease, Exhausted> {
        let lease = self.lease();
        lease.add(bytes)?;
        Ok(lease)
    }

    /// Waits until the organization may run one more piece of heavy work. It must not be held while
    /// another is awaited.
    ///
    /// # Errors
    /// When too many wait already.
    pub async fn turn(&self) -> Result<Turn, Exhausted> {
        self.turn_in(|party| &party.queue).await
    }

    /// Waits until the organization may bring one more write before its journal. There are many of
    /// these turns, since many writes are stored together.
    ///
    /// # Errors
    /// When too many wait already.
    pub async fn write_turn(&self) -> Result<Turn, Exhausted> {
        self.turn_in(|party| &party.writes).await
    }

    async fn turn_in(&self, queue: impl Fn(&Party) -> &Queue) -> Result<Turn, Exhausted> {
        // In the credential's queue first: one credential cannot fill that of its organization.
        let own = queue(&self.own).take().await?;
        let organization = match &self.organization {
            Some(organization) => Some(queue(organization).take().await?),
            None => None,
        };
        Ok(Turn::new(own, organization))
    }

    /// Bytes that the credential (or all strangers) holds now.
    pub fn used_bytes(&self) -> u64 {
        self.own.counter.used()
    }

    pub(crate) fn take(&self, bytes: u64) -> Result<(), Exhausted> {
        self.own.counter.take(bytes)?;
        if let Some(organization) = &self.organization
            && let Err(error) = organization.counter.take(bytes)
        {
            self.own.counter.give_back(bytes);
            return Err(error);
        }
        if let Err(error) = self.process.take(bytes) {
            if let Some(organization) = &self.organization {
                organization.counter.give_back(bytes);
            }
            self.own.counter.give_back(bytes);
            return Err(error);
        }
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.process.give_back(bytes);
        if let Some(organization) = &self.organization {
            organization.counter.give_back(bytes);
        }
        self.own.counter.give_back(bytes);
        if let Some(room) = &self.own.room {
            room.note_given_back();
        }
    }

    /// The refusal of somebody who had to give way.
    pub(crate) fn strangers_exhausted(&self) -> Exhausted {
        self.own.counter.exhausted()
    }

    /// Where bodies wait to be whole, of callers who have not proven who they are.
    pub(crate) fn waiting_room(&self) -> Option<&WaitingRoom> {
        self.own.room.as_ref()
    }
}
