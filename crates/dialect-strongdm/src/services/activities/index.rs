// SPDX-License-Identifier: Apache-2.0
//! What is remembered of the journal's transactions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use durward_identity::{Organization, OrganizationId};
use durward_model::transaction::Sequence;
use parking_lot::Mutex;

use super::describe::{Activity, describe};
use crate::status::Status;

/// Most transactions that are read at a time.
const BLOCK: u64 = 256;
/// Most transactions of an organization that are remembered.
const KNOWN_MAX: usize = 50_000;
/// How many changed objects cost as much as one transaction.
const CHANGES_PER_COST: usize = 100;

/// The activities of all organizations that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Activities {
    organizations: Mutex<HashMap<OrganizationId, Arc<Mutex<Known>>>>,
}

/// Transactions by sequence; those that are no activity are known as such.
#[derive(Debug, Default)]
struct Known {
    by_sequence: BTreeMap<u64, Option<Arc<Activity>>>,
}

/// Some transactions in the order in which they are read.
pub(super) struct Block {
    pub(super) found: Vec<(u64, Option<Arc<Activity>>)>,
    /// How many transactions they count for.
    pub(super) cost: usize,
}

impl Activities {
    /// Transactions from `next` on, not beyond the ends of a range; at least one.
    pub(super) fn block(
        &self,
        organization: &Organization,
        (first, last): (u64, u64),
        next: u64,
        is_backwards: bool,
    ) -> Result<Block, Status> {
        let (from, until) = if is_backwards {
            (next.saturating_sub(BLOCK - 1).max(first), next)
        } else {
            (next, next.saturating_add(BLOCK - 1).min(last))
        };
        let known = self.of(organization);
        let cost = fill(&known, organization, from, until)?;
        let known = known.lock();
        let range = known.by_sequence.range(from..=until);
        let mut found: Vec<_> = range.map(|(at, known)| (*at, known.clone())).collect();
        if is_backwards {
            found.reverse();
        }
        Ok(Block { found, cost })
    }

    /// One transaction as an activity; `None` when it is none.
    pub(super) fn one(
        &self,
        organization: &Organization,
        sequence: Sequence,
    ) -> Result<Option<Arc<Activity>>, Status> {
        let at = sequence.0;
        if at == 0 || sequence > organization.store().snapshot().sequence() {
            return Ok(None);
        }
        let known = self.of(organization);
        fill(&known, organization, at, at)?;
        let known = known.lock();
        Ok(known.by_sequence.get(&at).cloned().flatten())
    }

    fn of(&self, organization: &Organization) -> Arc<Mutex<Known>> {
        let mut organizations = self.organizations.lock();
        let known = organizations.entry(organization.id().clone()).or_default();
        Arc::clone(known)
    }
}

/// Reads what is not known yet of a range. Answers what that and the range cost.
fn fill(
    known: &Mutex<Known>,
    organization: &Organization,
    from: u64,
    until: u64,
) -> Result<usize, Status> {
    let width = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut cost = width.saturating_add(1);
    let missing = {
        let known = known.lock();
        let is_missing = |at: &u64| !known.by_sequence.contains_key(at);
        let first = (from..=until).find(is_missing);
        let last = (from..=until).rev().find(is_missing);
        first.zip(last)
    };
    let Some((from, until)) = missing else {
        return Ok(cost);
    };
    let limit = usize::try_from(until - from + 1).unwrap_or(usize::MAX);
    let mut fresh: BTreeMap<u64, Option<Arc<Activity>>> = BTreeMap::new();
    let mut next = from;
    // One at a time: an upload among them may be as large as all others.
    while next <= until {
        let read = organization.store().transactions(Sequence(next), 1);
        let read = read.map_err(|error| Status::of(&durward_access::AccessError::Store(error)))?;
        let Some(transaction) = read.first().filter(|read| read.sequence.0 <= until) else {
            break;
        };
        let described = describe(organization, transaction);
        cost = cost.saturating_add(described.changed / CHANGES_PER_COST);
        next = transaction.sequence.0.saturating_add(1);
        fresh.insert(transaction.sequence.0, described.activity.map(Arc::new));
    }
    let mut known = known.lock();
    for at in from..=until {
        // What lost its content is no activity any more; `audit export` tells of it.
        let activity = fresh.remove(&at).flatten();
        known.by_sequence.entry(at).or_insert(activity);
    }
    while known.by_sequence.len() > KNOWN_MAX.saturating_add(limit) {
        // What lies farthest from what is read now goes.
        let oldest = known.by_sequence.first_key_value().map(|(at, _)| *at);
        if oldest.is_some_and(|oldest| oldest < from) {
            known.by_sequence.pop_first();
        } else {
            known.by_sequence.pop_last();
        }
    }
    Ok(cost)
}
