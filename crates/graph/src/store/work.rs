// SPDX-License-Identifier: Apache-2.0
//! What the writer's queue holds.

use std::fmt;

use durward_model::change::Change;
use durward_model::transaction::Origin;

use super::draft::{BulkCommit, Draft, Receipt};
use super::error::StoreError;
use super::lifeline::guarded;
use crate::ids::NextNumbers;
use crate::view::View;

/// Prepares changes against the state that it is given.
pub type Prepare = Box<dyn FnOnce(&View, NextNumbers) -> Result<Vec<Change>, StoreError> + Send>;

/// Makes a draft from the pending state, while nobody else can write.
pub type Plan = Box<dyn FnOnce(&View) -> Result<Draft, StoreError> + Send>;

type Answer = Box<dyn FnOnce(Result<Receipt, StoreError>) + Send>;

/// Where an answer goes. One that is dropped unanswered says that the writer ended with it. The
/// answer is somebody else's code: if it ends abnormally, the writer goes on.
pub(super) struct Reply(Option<Answer>);

impl Reply {
    pub(super) fn new(answer: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static) -> Self {
        Self(Some(Box::new(answer)))
    }

    pub(super) fn answer(mut self, result: Result<Receipt, StoreError>) {
        if let Some(answer) = self.0.take() {
            let _ = guarded("an answer", || answer(result));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            let _ = guarded("an answer", || answer(Err(StoreError::WriterEnded)));
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply(..)")
    }
}

/// One thing to do.
pub(super) enum Work {
    Draft {
        draft: Box<Draft>,
        reply: Reply,
    },
    Plan {
        plan: Plan,
        reply: Reply,
    },
    Activity(Origin),
    /// An activity whose record must be there before anything else is done.
    Note {
        origin: Origin,
        reply: Reply,
    },
    Bulk {
        commit: Box<BulkCommit>,
        reply: Reply,
    },
    BulkWith {
        origin: Origin,
        idempotency_key: String,
        prepare: Prepare,
        reply: Reply,
    },
    Checkpoint {
        reply: Reply,
    },
    Close {
        reply: Reply,
    },
}

impl Work {
    pub(super) fn refuse(self, error: StoreError) {
        match self {
            Self::Draft { reply, .. }
            | Self::Plan { reply, .. }
            | Self::Note { reply, .. }
            | Self::Bulk { reply, .. }
            | Self::BulkWith { reply, .. }
            | Self::Checkpoint { reply }
            | Self::Close { reply } => reply.answer(Err(error)),
            Self::Activity(_) => {}
        }
    }
}
