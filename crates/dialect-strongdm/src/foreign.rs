// SPDX-License-Identifier: Apache-2.0
//! What happens to foreign bytes on their way in, without a server around it: for fuzzing.

use bytes::{Bytes, BytesMut};
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

use crate::complete::complete;
use crate::contract::{Contract, signed_name};
use crate::frame::{next_message, only_message};
use crate::health::{self, Health};
use crate::reflection;
use crate::request::decode;
use crate::status::Status;

/// Takes the body of a call to `path` through everything that reads it. Answers with whether it
/// was accepted.
///
/// # Errors
/// The status that a caller would get.
pub fn accept_foreign_bytes(contract: &Contract, path: &str, body: &[u8]) -> Result<bool, Status> {
    let pool = contract.pool();
    if reflection::is_reflection(path) {
        let mut buffer = BytesMut::from(body);
        let mut answered = false;
        while let Some(question) = next_message(&mut buffer, reflection::QUESTION_BYTES_MAX)
            .map_err(|error| Status::of(&error))?
        {
            reflection::answer(pool, &question)?;
            answered = true;
        }
        return Ok(answered);
    }
    let body = Bytes::copy_from_slice(body);
    let message = only_message(&body).map_err(|error| Status::of(&error))?;
    if matches!(path, health::CHECK | health::WATCH) {
        return Health::of(pool, &message, true).map(|_| true);
    }
    let Some(method) = signed_name(path).and_then(|_| contract.method(path)) else {
        return Ok(false);
    };
    let request = decode(method, message.clone())?;
    // Whatever was accepted can be told again, and extends to an answer.
    let told = request.encode_to_vec();
    decode(method, Bytes::from(told))?;
    let extended = complete(method, message.to_vec(), b"");
    if DynamicMessage::decode(method.output.clone(), message).is_ok() {
        DynamicMessage::decode(method.output.clone(), &*extended)
            .map_err(|error| Status::invalid(error.to_string()))?;
    }
    Ok(true)
}
