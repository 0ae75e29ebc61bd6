// SPDX-License-Identifier: Apache-2.0
//! Journeys through one organization with a clock of its own.

mod accounts;
mod concurrent;
mod guarded;
mod journey;
mod limits;
mod model;
mod policies;

use std::ops::ControlFlow;
use std::sync::Arc;

use durward_graph::EntityRef;
use durward_identity::Caller;
pub(crate) use durward_identity::testing::World;
use durward_model::{ObjectId, Value};

use crate::{Access, Kind, NewObject, ObjectChange, Properties, Reached, Reaching};

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

/// The ways of an account, or those to one resource.
pub(crate) fn ways(
    reaching: &Reaching<'_>,
    account: EntityRef,
    to: Option<EntityRef>,
) -> Vec<Reached> {
    let (mut found, to) = (Vec::new(), to.map(|resource| [resource]));
    let to = to.as_ref().map(<[_; 1]>::as_slice);
    let _ = reaching.of_account(account, to, &mut |reached| {
        found.push(reached);
        ControlFlow::Continue(())
    });
    found
}

pub(crate) fn change(pairs: &[(&str, &str)]) -> ObjectChange {
    ObjectChange {
        properties: properties(pairs),
        ..ObjectChange::default()
    }
}
