// SPDX-License-Identifier: Apache-2.0
//! `grpc.health.v1`: what a load balancer asks. It needs no credential and tells no more than
//! `/readyz` does.

use bytes::Bytes;
use durward_model::ErrorKind;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::status::Status;
use crate::wire::put_integer;

/// Path of the question that is answered once.
pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";
/// Path of the question that is answered whenever the answer changes.
pub(crate) const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REQUEST: &str = "grpc.health.v1.HealthCheckRequest";

/// Whether a service is served, as the protocol numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Serving = 1,
    NotServing = 2,
    Unknown = 3,
}

impl Health {
    /// The answer to a question.
    pub(crate) fn of(
        pool: &DescriptorPool,
        message: &Bytes,
        is_ready: bool,
    ) -> Result<Self, Status> {
        let unreadable = |_| Status::invalid("the message is not a valid HealthCheckRequest");
        let request = pool
            .get_message_by_name(REQUEST)
            .ok_or_else(|| Status::new(ErrorKind::Internal, "the contract lacks the question"))?;
        let request = DynamicMessage::decode(request, message.clone()).map_err(unreadable)?;
        let service = request.get_field_by_name("service");
        let service = service.as_deref().and_then(prost_reflect::Value::as_str);
        let service = service.unwrap_or_default();
        let is_known = service.is_empty() || pool.get_service_by_name(service).is_some();
        Ok(match (is_known, is_ready) {
            (false, _) => Self::Unknown,
            (true, true) => Self::Serving,
            (true, false) => Self::NotServing,
        })
    }

    /// The encoded answer.
    pub(crate) fn message(self) -> Vec<u8> {
        let mut out = Vec::new();
        put_integer(&mut out, 1, self as i64);
        out
    }

    /// The answer to `Check`, for which a service that is not known is an error.
    pub(crate) fn checked(self) -> Result<Vec<u8>, Status> {
        if self == Self::Unknown {
            let why = "there is no such service";
            return Err(Status::new(ErrorKind::NotFound, why));
        }
        Ok(self.message())
    }
}
