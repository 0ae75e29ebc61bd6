// SPDX-License-Identifier: Apache-2.0
//! What answers the calls: each service by its module, and the rest as not supported.

pub(crate) mod objects;

use std::sync::Arc;

use durward_access::{Access, Accesses};

use crate::codec::Codec;
use crate::contract::{Contract, ContractError};
use crate::dispatch::{Call, Dispatch, Reply};
use crate::replay::Replays;
use crate::status::Status;

/// All services.
#[derive(Debug)]
pub struct Services {
    accesses: Arc<Accesses>,
    codec: Codec,
    replays: Replays,
}

impl Services {
    /// The services of a contract, on the accesses of a server.
    ///
    /// # Errors
    /// When the contract lacks what they need.
    pub fn new(contract: &Contract, accesses: Arc<Accesses>) -> Result<Self, ContractError> {
        Ok(Self {
            accesses,
            codec: Codec::load(contract)?,
            replays: Replays::default(),
        })
    }

    pub(crate) fn access(&self, call: &Call<'_>) -> Access {
        self.accesses.of(call.caller.organization())
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.codec
    }

    pub(crate) fn replays(&self) -> &Replays {
        &self.replays
    }
}

impl Dispatch for Services {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Status> {
        if let Some(service) = objects::named(&call.method.service) {
            return objects::answer(self, service, call);
        }
        Err(Status::unsupported(&call.method.signed_name))
    }
}
