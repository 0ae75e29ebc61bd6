// SPDX-License-Identifier: Apache-2.0
//! The door between the engine and the services: an authenticated, decoded call on one side, an
//! encoded answer or a status on the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_budget::Lease;
use durward_identity::Caller;
use durward_listing::{Effort, ListError};
use durward_model::Instant;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

use crate::contract::{Contract, Method, Verb};
use crate::status::Status;

/// What answers calls.
pub trait Dispatch: Send + Sync {
    /// Answers one call. It may block: the engine calls it off the threads that serve connections,
    /// unless [`Dispatch::is_quick`] says otherwise.
    ///
    /// # Errors
    /// Why it fails, as the client is to see it.
    fn call(&self, call: &Call<'_>) -> Result<Reply, Status>;

    /// Whether a method always answers from memory within half a millisecond, so that it may run
    /// on the thread of the connection.
    fn is_quick(&self, method: &Method) -> bool {
        method.verb == Verb::Get
    }
}

/// One call. The caller is authenticated, within its rate limits, and may take one of the method's
/// actions; where there are several the service decides further.
#[derive(Debug)]
pub struct Call<'c> {
    /// The contract, for descriptors.
    pub contract: &'c Contract,
    /// What is called.
    pub method: &'c Method,
    /// Who calls. Its `origin` has the address and user agent already.
    pub caller: &'c Caller,
    /// The request; unknown fields are tolerated.
    pub message: &'c DynamicMessage,
    /// SHA-256 over the signed name and the request as it was sent. The same request sent again by
    /// the same credential has the same digest.
    pub digest: &'c [u8; 32],
    /// The present, read once for the call.
    pub now: Instant,
    /// When the client stops waiting, if it said so.
    pub deadline: Option<Instant>,
    /// Address of the client.
    pub remote_address: &'c str,
    /// What the client says that it is (`x-sdm-user-agent`).
    pub user_agent: &'c str,
    pub(crate) given_up: &'c Arc<AtomicBool>,
    pub(crate) lease: &'c Lease,
}

impl Call<'_> {
    /// Whether nobody waits for the answer any more: the client went away or its deadline passed.
    /// Long work looks at this now and then and ends; what is committed stays committed.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

impl Effort for Call<'_> {
    fn check(&self) -> Result<(), ListError> {
        if self.is_given_up() {
            return Err(ListError::GivenUp);
        }
        Ok(())
    }

    fn hold(&self, bytes: usize) -> Result<(), ListError> {
        let held = self.lease.add(bytes as u64);
        held.map_err(|error| ListError::Exhausted {
            error,
            at: self.now,
        })
    }

    fn release(&self, bytes: usize) {
        self.lease.release(bytes as u64);
    }
}

/// An answer: the encoded message. `meta` and `rate_limit` are added by the engine where the
/// answer's type has them and they are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub(crate) message: Vec<u8>,
}

impl Reply {
    /// An answer that is encoded already.
    pub fn encoded(message: Vec<u8>) -> Self {
        Self { message }
    }

    /// An answer that is not.
    pub fn of(message: &DynamicMessage) -> Self {
        Self::encoded(message.encode_to_vec())
    }
}

/// Supports no method at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsupported;

impl Dispatch for Unsupported {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Status> {
        Err(Status::unsupported(&call.method.signed_name))
    }

    fn is_quick(&self, _method: &Method) -> bool {
        true
    }
}
