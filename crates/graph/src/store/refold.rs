// SPDX-License-Identifier: Apache-2.0
//! Whether a state is what the journal says.

use std::sync::Arc;

use durward_journal::{Journal, JournalError, ReadLimit, VerifyOptions, codec};
use durward_model::transaction::Sequence;

use super::error::StoreError;
use crate::state::{Snapshot, StateWriter};

/// What comparing a state with its journal gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateCheck {
    /// It is what the journal says, about every moment.
    Same,
    /// It says something else; the half sentence tells where.
    Differs(String),
    /// It was not compared, and why.
    Skipped(String),
}

/// Folds the journal from its beginning to the transaction that `state` ends with.
pub(super) fn compare(
    journal: &dyn Journal,
    state: &Snapshot,
    options: &VerifyOptions,
) -> Result<StateCheck, StoreError> {
    let catalog = Arc::clone(&state.catalog);
    let empty = Snapshot::new(state.cipher.clone(), catalog, state.key_seed);
    let mut writer = StateWriter::new(empty);
    let mut from = Sequence(1);
    while from <= state.sequence() {
        options.check_wanted()?;
        let mut found = journal.read(from, ReadLimit::default())?;
        found.retain(|stored| stored.sequence <= state.sequence());
        let Some(last) = found.last() else { break };
        from = last.sequence.next();
        for stored in found {
            let sequence = stored.sequence;
            let opened = codec::open(&stored.records)
                .map_err(|source| JournalError::Damaged { sequence, source })?;
            let Some(transaction) = opened.transaction else {
                let why = format!("the content of transaction {} was erased", sequence.0);
                return Ok(StateCheck::Skipped(why));
            };
            if let Err(error) = writer.apply_owned(transaction) {
                return Ok(StateCheck::Differs(error.to_string()));
            }
        }
    }
    let folded = writer.publish();
    Ok(match state.difference(&folded) {
        None => StateCheck::Same,
        Some(what) => StateCheck::Differs(what),
    })
}
