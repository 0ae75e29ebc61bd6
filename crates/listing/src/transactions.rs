// SPDX-License-Identifier: Apache-2.0
//! The transactions of the journal in short: who, when, what was touched, without values.
//!
//! A transaction is read whole once, and then remembered in short: an upload of a million objects
//! lies between the others, and every reader of the audit passes by it.

use std::sync::Arc;

use durward_graph::store::Told;
use durward_identity::Organization;
use durward_model::change::{Cell, Change, Column, PatchColumn, Triple};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{EntityNumber, Instant, ObjectNumber, RelationshipNumber};
use durward_vault::digest::sha256;

use crate::{Effort, ListError, Walks};

/// Transactions that are remembered together.
const BLOCK: u64 = 256;
/// Most objects that are named of one change.
const NAMED_MAX: usize = 100;
/// What the name of a property takes, approximately.
const NAME_BYTES: usize = 48;
/// How many changed objects cost as much as one transaction to look at.
const CHANGES_PER_COST: u64 = 100;

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Did {
    /// It made objects.
    Made,
    /// It changed objects.
    Changed,
    /// It ended objects.
    Ended,
    /// It gave an object another name.
    Named,
    /// It took a name from an object.
    Unnamed,
}

/// What a change did it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Entities of a type.
    Entities(String),
    /// Relationships of a triple.
    Relationships(Triple),
    /// One object, of which nothing else is told.
    Object,
}

/// One change in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSummary {
    /// What it did.
    pub did: Did,
    /// To what.
    pub subject: Subject,
    /// How many objects it touched.
    pub count: u64,
    /// The first of them, a hundred at most.
    pub first: Vec<ObjectNumber>,
    /// Names of the properties that it set or took away, sorted; `_class` for the classes.
    pub properties: Vec<String>,
}

impl ChangeSummary {
    /// A change in short.
    pub fn of(change: &Change) -> Self {
        let (did, subject, count) = told(change);
        Self {
            did,
            subject,
            count: count as u64,
            first: numbers(change),
            properties: properties(change),
        }
    }
}

/// One transaction in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its position.
    pub sequence: Sequence,
    /// When it was committed.
    pub committed_at: Instant,
    /// Who, how, from where.
    pub origin: Origin,
    /// What it changed, in order.
    pub changes: Vec<ChangeSummary>,
}

impl Summary {
    /// How many objects it touched.
    pub fn changed(&self) -> u64 {
        let counts = self.changes.iter().map(|change| change.count);
        counts.fold(0, u64::saturating_add)
    }

    /// What it takes in memory, approximately.
    fn bytes(&self) -> usize {
        let origin = &self.origin;
        let texts = [
            &origin.activity,
            &origin.request_id,
            &origin.source_address,
            &origin.user_agent,
            &origin.detail,
        ];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        let changes = self.changes.iter().map(|change| {
            size_of::<ChangeSummary>()
                + change.first.len() * size_of::<ObjectNumber>()
                + change.properties.len() * NAME_BYTES
        });
        size_of::<Self>() + texts + changes.sum::<usize>()
    }

    fn of(transaction: Transaction) -> Self {
        Self {
            sequence: transaction.sequence,
            committed_at: transaction.committed_at,
            changes: transaction.changes.iter().map(ChangeSummary::of).collect(),
            origin: transaction.origin,
        }
    }
}

type Block = Arc<Vec<Arc<Summary>>>;

/// Which transactions are asked for, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The oldest.
    pub first: Sequence,
    /// The newest.
    pub last: Sequence,
    /// Whether the newest are asked for first.
    pub is_backwards: bool,
}

impl Walks {
    /// Hands over transactions from `next` on in the direction of the range until `take` has enough
    /// (and answers so), or until as much was looked at as `cost` allows. Answers where to go on;
    /// none when the range is at its end. One whose content was erased comes with the words that
    /// stand for it.
    ///
    /// # Errors
    /// When nobody waits any more, or the journal cannot be read.
    pub fn transactions(
        &self,
        organization: &Organization,
        range: Range,
        next: Sequence,
        cost: u64,
        effort: &dyn Effort,
        take: &mut dyn FnMut(&Arc<Summary>) -> Result<bool, ListError>,
    ) -> Result<Option<Sequence>, ListError> {
        let mut next = next.0;
        let mut looked_at = 0_u64;
        while range.first.0.max(1) <= next && next <= range.last.0 {
            effort.check()?;
            if looked_at > cost {
                return Ok(Some(Sequence(next)));
            }
            let (block, fresh) = self.block(organization, next)?;
            looked_at = looked_at.saturating_add(fresh);
            let number = block_of(next);
            while block_of(next) == number && (range.first.0.max(1)..=range.last.0).contains(&next)
            {
                let at = block.binary_search_by_key(&next, |known| known.sequence.0);
                let found = at.ok().and_then(|at| block.get(at));
                looked_at = looked_at.saturating_add(1);
                if let Some(found) = found
                    && !take(found)?
                {
                    return Ok(Some(Sequence(next)));
                }
                next = if range.is_backwards {
                    next - 1
                } else {
                    next.saturating_add(1)
                };
            }
        }
        Ok(None)
    }

    /// One transaction in short; `None` when there is none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn transaction(
        &self,
        organization: &Organization,
        sequence: Sequence,
    ) -> Result<Option<Arc<Summary>>, ListError> {
        if sequence.0 == 0 || sequence > organization.store().snapshot().sequence() {
            return Ok(None);
        }
        let (block, _) = self.block(organization, sequence.0)?;
        let at = block.binary_search_by_key(&sequence, |known| known.sequence);
        Ok(at.ok().and_then(|at| block.get(at)).cloned())
    }

    /// The block with a transaction, and what reading it cost.
    fn block(&self, organization: &Organization, at: u64) -> Result<(Block, u64), ListError> {
        let first = block_of(at).saturating_mul(BLOCK);
        let name = sha256(format!("transactions {first}").as_bytes());
        let known: Option<Block> = self.get(organization.id(), &name);
        let last = known.as_ref().and_then(|block| block.last());
        let last = last.map(|summary| summary.sequence.0);
        if let Some(block) = &known
            && last.is_some_and(|last| last >= at)
        {
            return Ok((Arc::clone(block), 0));
        }
        let mut block = known.as_deref().cloned().unwrap_or_default();
        let until = first.saturating_add(BLOCK - 1);
        let mut next = last.map_or(first, |last| last.saturating_add(1));
        let mut cost = 0_u64;
        // One at a time: an upload among them may be as large as all others.
        while next <= until {
            let told = organization.store().trail(Sequence(next), 1)?;
            let found = told
                .into_iter()
                .next()
                .map(|Told { transaction, .. }| transaction);
            let Some(transaction) = found.filter(|found| found.sequence.0 <= until) else {
                break;
            };
            next = transaction.sequence.0.saturating_add(1);
            let summary = Summary::of(transaction);
            cost = cost.saturating_add(summary.changed() / CHANGES_PER_COST);
            block.push(Arc::new(summary));
        }
        let block = Arc::new(block);
        let bytes = block.iter().map(|summary| summary.bytes()).sum();
        self.keep_sized(organization.id(), name, &block, bytes);
        Ok((block, cost))
    }
}

fn block_of(sequence: u64) -> u64 {
    sequence / BLOCK
}

/// What a change did, to what, and to how many.
fn told(change: &Change) -> (Did, Subject, usize) {
    let (did, subject, count) = match change {
        Change::CreateEntities(batch) => (
            Did::Made,
            Subject::Entities(batch.entity_type.clone()),
            batch.len(),
        ),
        Change::PatchEntities(patch) => (
            Did::Changed,
            Subject::Entities(patch.entity_type.clone()),
            patch.entities.len(),
        ),
        Change::DeleteEntities {
            entity_type,
            entities,
        } => (
            Did::Ended,
            Subject::Entities(entity_type.clone()),
            entities.len(),
        ),
        Change::CreateRelationships(batch) => (
            Did::Made,
            Subject::Relationships(batch.triple.clone()),
            batch.len(),
        ),
        Change::PatchRelationships(patch) => (
            Did::Changed,
            Subject::Relationships(patch.triple.clone()),
            patch.relationships.len(),
        ),
        Change::DeleteRelationships {
            triple,
            relationships,
        } => (
            Did::Ended,
            Subject::Relationships(triple.clone()),
            relationships.len(),
        ),
        Change::AddAlias { .. } => (Did::Named, Subject::Object, 1),
        Change::RemoveAlias { .. } => (Did::Unnamed, Subject::Object, 1),
    };
    (did, subject, count)
}

/// The first objects of a change.
fn numbers(change: &Change) -> Vec<ObjectNumber> {
    let consecutive = |first: u32, count: usize| {
        (0..count.min(NAMED_MAX) as u32).map(move |offset| first.saturating_add(offset))
    };
    let entities = |numbers: &[EntityNumber]| {
        let first = numbers.iter().take(NAMED_MAX).copied();
        first.map(ObjectNumber::Entity).collect()
    };
    let relationships = |numbers: &[RelationshipNumber]| {
        let first = numbers.iter().take(NAMED_MAX).copied();
        first.map(ObjectNumber::Relationship).collect()
    };
    match change {
        Change::CreateEntities(batch) => consecutive(batch.first.0, batch.len())
            .map(|number| ObjectNumber::Entity(EntityNumber(number)))
            .collect(),
        Change::CreateRelationships(batch) => consecutive(batch.first.0, batch.len())
            .map(|number| ObjectNumber::Relationship(RelationshipNumber(number)))
            .collect(),
        Change::PatchEntities(patch) => entities(&patch.entities),
        Change::DeleteEntities { entities: gone, .. } => entities(gone),
        Change::PatchRelationships(patch) => relationships(&patch.relationships),
        Change::DeleteRelationships {
            relationships: gone,
            ..
        } => relationships(gone),
        Change::AddAlias { object, .. } | Change::RemoveAlias { object, .. } => vec![*object],
    }
}

/// Names of the properties that a change sets or takes away, sorted.
fn properties(change: &Change) -> Vec<String> {
    let is_changed =
        |column: &&PatchColumn| column.cells.iter().any(|cell| !matches!(cell, Cell::Keep));
    let of_patch = |columns: &[PatchColumn]| {
        let changed = columns.iter().filter(is_changed);
        changed
            .map(|column| column.property.clone())
            .collect::<Vec<_>>()
    };
    let of_batch = |columns: &[Column]| {
        let names = columns.iter().map(|column| column.property.clone());
        names.collect::<Vec<_>>()
    };
    let mut names = match change {
        Change::CreateEntities(batch) => of_batch(&batch.columns),
        Change::CreateRelationships(batch) => of_batch(&batch.columns),
        Change::PatchEntities(patch) => {
            let mut names = of_patch(&patch.columns);
            names.extend(patch.classes.as_ref().map(|_| "_class".to_owned()));
            names
        }
        Change::PatchRelationships(patch) => of_patch(&patch.columns),
        _ => Vec::new(),
    };
    names.sort_unstable();
    names.dedup();
    names
}
