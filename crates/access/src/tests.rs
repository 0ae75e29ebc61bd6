// SPDX-License-Identifier: Apache-2.0
//! Journeys through one organization with a clock of its own.

mod concurrent;
mod journey;
mod limits;
mod model;
mod policies;

use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_identity::{
    Caller, InitOptions, InitOutput, OpenOptions, Organizations, PasswordCost, Presented, init,
};
use durward_model::{Clock as _, Instant, ManualClock, ObjectId, Value};

use crate::{Access, Kind, NewObject, ObjectChange, Properties};

const START: Instant = Instant::from_millis(1_800_000_000_000);

/// A data folder with one open organization.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    organizations: Organizations,
    output: InitOutput,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let data = folder.path().join("data");
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let output = init(&InitOptions {
            data: data.clone(),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "admin@example.com".to_owned(),
            clock: clock.clone(),
            catalog: Arc::clone(&catalog),
            password_cost: PasswordCost::Minimal,
        })
        .unwrap();
        let organizations = Organizations::open(&OpenOptions {
            data,
            master_key_file: None,
            clock: clock.clone(),
            catalog,
            password_cost: PasswordCost::Minimal,
            checkpoint: false,
            budget: Budget::unlimited(),
        })
        .unwrap();
        Self {
            _folder: folder,
            clock,
            organizations,
            output,
        }
    }

    pub(crate) fn admin(&self) -> Caller {
        self.caller(&self.output.api_token)
    }

    /// Whoever holds a token.
    pub(crate) fn caller(&self, token: &str) -> Caller {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            user_agent: "test",
            source_address: "192.0.2.1",
            request_id: "r1",
            ..Presented::default()
        };
        self.organizations
            .authenticate(&presented, self.clock.now())
            .unwrap()
    }

    pub(crate) fn access(&self) -> Access {
        Access::new(Arc::clone(self.admin().organization()))
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn pass(&self, micros: i64) {
        self.clock.advance_micros(micros);
    }

    /// The present; a second passes.
    pub(crate) fn tick(&self) -> Instant {
        let now = self.clock.now();
        self.clock.advance_micros(1_000_000);
        now
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
