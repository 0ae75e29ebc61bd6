// SPDX-License-Identifier: Apache-2.0
//! The difference between the staged parts of a job and the graph, as the changes of one
//! transaction.

mod cells;
mod edges;
mod endings;
mod ends;
mod entities;
mod gather;
mod mapping;
mod marks;
mod order;
mod parallel;
mod relationships;
#[cfg(test)]
mod tests;

use durward_catalog::Catalog;
use durward_model::change::Change;
use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Namespace, Value};

use super::partial::PartialTypes;
use super::staging::{StagedPart, StagingError};
use crate::ids::NextNumbers;
use crate::view::View;

/// How a job changes its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// What was uploaded replaces the namespace: what is absent is deleted.
    Diff,
    /// What was uploaded is added or updated, only the properties named change, and only what is
    /// listed for removal is deleted.
    Patch,
    /// As patch, for relationships whose ends are in other namespaces.
    CrossScope,
}

/// What a job is about.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// The namespace that it writes.
    pub namespace: Namespace,
    /// How.
    pub mode: SyncMode,
    /// Types whose absent objects stay (their collection was not complete).
    pub partial: PartialTypes,
    /// What every uploaded object gets from the job, whatever the upload says.
    pub stamp: Vec<(String, Value)>,
}

/// What a job did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffReport {
    /// What happened to entities.
    pub entities: Outcomes,
    /// What happened to relationships.
    pub relationships: Outcomes,
    /// What happened to mapped relationships.
    pub mapped: Outcomes,
    /// Why single objects were left out: a sample.
    pub messages: Vec<String>,
    /// Identical twins that were counted once.
    pub twins: u64,
}

/// Counts of one sort of object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// New ones.
    pub created: u64,
    /// Changed ones.
    pub updated: u64,
    /// Ended ones.
    pub deleted: u64,
    /// Ones that were as uploaded already.
    pub unchanged: u64,
    /// Ones that could not be made.
    pub create_errors: u64,
    /// Ones that could not be changed.
    pub update_errors: u64,
    /// Ones that could not be ended.
    pub delete_errors: u64,
}

/// The changes that a job comes to.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The changes, in the order in which they must be applied. Empty when all is as uploaded.
    pub changes: Vec<Change>,
    /// Sequence of the state that was compared.
    pub based_on: Sequence,
    /// Numbers from which new objects were numbered.
    pub base: NextNumbers,
    /// What they do.
    pub report: DiffReport,
}

/// Why a job cannot be finalized.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// The staged parts cannot be read.
    #[error("the staged uploads cannot be read")]
    Staging(#[from] StagingError),
    /// Different objects have one key.
    #[error(
        "{count} keys were uploaded more than once with different content, {key:?} among them; \
         correct the upload, or send it with ignoreDuplicates=true to let the last one win"
    )]
    Duplicates {
        /// How many.
        count: u64,
        /// One of them.
        key: String,
    },
    /// The namespace is Durward's own.
    #[error("objects of source durward are protected: only Durward itself writes them")]
    Protected,
    /// More objects than there are numbers.
    #[error("the graph cannot hold more than 4,294,967,295 objects of one sort")]
    Full,
}

impl DiffError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Staging(error) => error.kind(),
            Self::Duplicates { .. } | Self::Full => ErrorKind::Invalid,
            Self::Protected => ErrorKind::Forbidden,
        }
    }
}

/// Most messages about single objects that a report keeps.
pub const MESSAGES_MAX: usize = 50;

impl DiffReport {
    pub(crate) fn message(&mut self, text: impl FnOnce() -> String) {
        if self.messages.len() < MESSAGES_MAX {
            self.messages.push(text());
        }
    }
}

/// What a comparison reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    pub(crate) view: &'c View,
    pub(crate) spec: &'c JobSpec,
    pub(crate) catalog: &'c Catalog,
    /// What is in the namespace.
    pub(crate) members: marks::Members<'c>,
    /// Whether the namespace holds nothing yet, so that nothing needs to be looked up.
    pub(crate) blank: bool,
}

/// Compares staged parts with a view of the head and gives the changes that make the namespace
/// equal to them.
pub fn prepare(
    view: &View,
    spec: &JobSpec,
    parts: &[StagedPart],
    catalog: &Catalog,
) -> Result<Prepared, DiffError> {
    prepare_from(view, view.snapshot().next_numbers(), spec, parts, catalog)
}

/// As [`prepare`], for a view of a state that is not published yet, whose next numbers are `base`.
pub fn prepare_from(
    view: &View,
    base: NextNumbers,
    spec: &JobSpec,
    parts: &[StagedPart],
    catalog: &Catalog,
) -> Result<Prepared, DiffError> {
    if spec.namespace.source == Namespace::DURWARD {
        return Err(DiffError::Protected);
    }
    let mut report = DiffReport::default();
    let members = marks::Members::new(view, &spec.namespace);
    let context = Context {
        view,
        spec,
        catalog,
        members,
        blank: members.is_empty(),
    };
    let mut gathered = gather::gather(parts, &mut report)?;
    gathered.stamp(&spec.stamp);
    let mut outcome = entities::compare(context, &mut gathered, base, &mut report)?;
    let mut edges = edges::gather(context, &gathered, &mut outcome, parts, &mut report)?;
    mapping::add(context, &gathered, &mut outcome, &mut edges, &mut report)?;
    edges.finish();
    let removals = std::mem::take(&mut gathered.removals);
    let related = relationships::compare(context, edges, &mut outcome, &removals, &mut report)?;
    let mut changes = related.deletions;
    changes.append(&mut outcome.deletions);
    entities::fill_keys(&mut gathered, &mut outcome, &spec.namespace);
    changes.append(&mut outcome.creations);
    changes.append(&mut outcome.mapped_creations);
    changes.append(&mut outcome.patches);
    let mut next = base.relationship.0;
    for mut batch in related.creations {
        let Change::CreateRelationships(rows) = &mut batch else {
            continue;
        };
        rows.first = durward_model::RelationshipNumber(next);
        let count = u32::try_from(rows.len()).map_err(|_| DiffError::Full)?;
        next = next.checked_add(count).ok_or(DiffError::Full)?;
        changes.push(batch);
    }
    changes.extend(related.patches);
    Ok(Prepared {
        changes,
        based_on: view.sequence(),
        base,
        report,
    })
}
