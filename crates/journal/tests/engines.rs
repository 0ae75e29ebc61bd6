// SPDX-License-Identifier: Apache-2.0
//! Every engine passes the conformance suite.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::Arc;

use durward_journal::faults::FaultInjecting;
use durward_journal::{Journal, MemoryJournal, SqliteJournal, conformance};

#[test]
fn memory() {
    conformance::run(&|| {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        Box::new(move || Ok(Arc::clone(&journal)))
    });
}

#[test]
fn sqlite() {
    conformance::run(&|| {
        let folder = tempfile::tempdir().unwrap();
        Box::new(move || {
            let journal = SqliteJournal::open(&folder.path().join("journal.sqlite"))?;
            Ok(Arc::new(journal))
        })
    });
}

#[test]
fn a_decorator_changes_nothing_while_no_fault_is_planned() {
    conformance::run(&|| {
        let journal: Arc<dyn Journal> = FaultInjecting::new(Arc::new(MemoryJournal::new()));
        Box::new(move || Ok(Arc::clone(&journal)))
    });
}
