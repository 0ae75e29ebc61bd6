// SPDX-License-Identifier: Apache-2.0
//! Journeys through one organization with a clock of its own.

mod concurrent;
mod guarded;
mod journey;
mod limits;
mod model;
mod policies;

use std::sync::Arc;

use durward_identity::Caller;
pub(crate) use durward_identity::testing::World;
use durward_model::{ObjectId, Value};

use crate::{Access, Kind, NewObject, ObjectChange, Properties};

/// The access of a world's organization.
pub(crate) trait AccessOf {
    fn access(&self) -> Access;
}

impl AccessOf for World {
    fn access(&self) -> Access {
        Access::new(Arc::clone(self.admin().organization()))
    }
}

pub(crate) fn properties(pairs: &[(&str, &str)]) -> Properties {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect()
}

pub(crate) fn made(
    access: &Access,
    caller: &Caller,
    kind: Kind,
    pairs: &[(&str, &str)],
) -> ObjectId {
    let new = NewObject::entity(kind, properties(pairs));
    access.create(caller, new).unwrap().object.id
}

pub(crate) fn bound(
    access: &Access,
    caller: &Caller,
    kind: Kind,
    from: ObjectId,
    to: ObjectId,
) -> ObjectId {
    let new = NewObject::relationship(kind, from, to, Properties::new());
    access.create(caller, new).unwrap().object.id
}

pub(crate) fn change(pairs: &[(&str, &str)]) -> ObjectChange {
    ObjectChange {
        properties: properties(pairs),
        ..ObjectChange::default()
    }
}
