// SPDX-License-Identifier: Apache-2.0
//! What an import may hold, and whether anybody still waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_budget::{Budget, Exhausted, Lease, Share};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

/// The room of one import: what it holds is charged here, and between its steps it asks here
/// whether it is still wanted.
#[derive(Debug)]
pub struct Room {
    lease: Lease,
    is_given_up: Arc<AtomicBool>,
}

/// Why an import ends before it wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It needs more than the caller may hold.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// Nobody waits for it any more.
    #[error("the import was given up before it wrote anything")]
    GivenUp,
}

impl ClientMessage for Stop {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exhausted(exhausted) => exhausted.kind(),
            Self::GivenUp => ErrorKind::Timeout,
        }
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

impl Room {
    /// Room on the share of a caller. The import ends at its next step once the flag is set.
    pub fn new(share: &Share, is_given_up: Arc<AtomicBool>) -> Self {
        Self {
            lease: share.lease(),
            is_given_up,
        }
    }

    /// Room without an end: for the owner of the data folder.
    pub fn unlimited() -> Self {
        let share = Budget::unlimited().share("", None);
        Self::new(&share, Arc::default())
    }

    /// Bytes that the import holds here.
    pub fn used_bytes(&self) -> u64 {
        self.lease.used_bytes()
    }

    /// Holds so many bytes more.
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Stop> {
        self.go_on()?;
        Ok(self.lease.add(bytes as u64)?)
    }

    /// Lets go of so many bytes that were held before.
    pub(crate) fn let_go(&self, bytes: usize) {
        self.lease.release(bytes as u64);
    }

    /// Room for one step, which ends with it.
    pub(crate) fn step(&self) -> Self {
        Self::new(self.lease.share(), Arc::clone(&self.is_given_up))
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether somebody still waits.
    pub(crate) fn go_on(&self) -> Result<(), Stop> {
        if self.is_given_up.load(Ordering::Relaxed) {
            return Err(Stop::GivenUp);
        }
        Ok(())
    }
}
