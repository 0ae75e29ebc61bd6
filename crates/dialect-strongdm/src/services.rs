// SPDX-License-Identifier: Apache-2.0
//! What answers the calls: each service by its module, and the rest as not supported.

mod access_history;
mod account_permissions;
mod account_resources;
mod activities;
mod entitlements;
mod history;
mod lists;
pub(crate) mod objects;
mod role_resources;
mod timestamp;

use std::collections::HashMap;
use std::sync::Arc;

use durward_access::{Access, Accesses};
use durward_identity::OrganizationId;
use durward_listing::Walks;
use parking_lot::Mutex;

use crate::codec::Codec;
use crate::contract::{Contract, ContractError, Verb};
use crate::dispatch::{Call, Dispatch, Reply};
use crate::filter::Fields;
use crate::replay::Replays;
use crate::status::Status;

use activities::Activities;
use lists::refuse_order;

/// All services.
#[derive(Debug)]
pub struct Services {
    accesses: Arc<Accesses>,
    codec: Codec,
    /// What filters of the services of entities may name, by service.
    fields: HashMap<String, Fields>,
    /// By organization: the answers of one do not push out those of another.
    replays: Mutex<HashMap<OrganizationId, Arc<Replays>>>,
    walks: Arc<Walks>,
    activities: Activities,
}

impl Services {
    /// The services of a contract, on the accesses of a server and what its lists remember.
    ///
    /// # Errors
    /// When the contract lacks what they need.
    pub fn new(
        contract: &Contract,
        accesses: Arc<Accesses>,
        walks: Arc<Walks>,
    ) -> Result<Self, ContractError> {
        let lists = contract
            .methods()
            .filter(|method| method.verb == Verb::List);
        let fields = lists.filter_map(|method| {
            let fields = Fields::of_method(contract, method)?;
            Some((method.service.clone(), fields))
        });
        Ok(Self {
            accesses,
            codec: Codec::load(contract)?,
            fields: fields.collect(),
            replays: Mutex::default(),
            walks,
            activities: Activities::default(),
        })
    }

    pub(crate) fn access(&self, call: &Call<'_>) -> Access {
        self.accesses.of(call.caller.organization())
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.codec
    }

    pub(crate) fn fields(&self, service: &str) -> Option<&Fields> {
        self.fields.get(service)
    }

    pub(crate) fn walks(&self) -> &Walks {
        &self.walks
    }

    pub(crate) fn activities(&self) -> &Activities {
        &self.activities
    }

    pub(crate) fn replays(&self, call: &Call<'_>) -> Arc<Replays> {
        let organization = call.caller.organization().id().clone();
        Arc::clone(self.replays.lock().entry(organization).or_default())
    }
}

impl Dispatch for Services {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Status> {
        if let Some(service) = objects::named(&call.method.service) {
            return objects::answer(self, service, call);
        }
        lists::answer(self, call)
    }
}
