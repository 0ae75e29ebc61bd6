// SPDX-License-Identifier: Apache-2.0
//! Rate limits of the routes that are no GraphQL: each request counts as one operation.

use durward_identity::{Caller, RateCost, RateVerdict};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use crate::server::Server;

/// Counts one request of a caller.
pub(crate) fn count_one(server: &Server, caller: &Caller) -> RateVerdict {
    let cost = RateCost {
        operations: 1,
        queries: 0,
    };
    server.rates.check(caller, cost, server.clock.now())
}

/// The caller asks too often; it may ask again after so many seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMany(pub(crate) u32);

impl ClientMessage for TooMany {
    fn kind(&self) -> ErrorKind {
        ErrorKind::RateLimited
    }

    fn client_message(&self) -> String {
        format!("too many requests; try again in {} seconds", self.0)
    }
}
