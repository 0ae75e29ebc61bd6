// SPDX-License-Identifier: Apache-2.0
//! Putting answers together, and reading what all requests have.

use durward_model::Instant;
use prost_reflect::Value as Wire;

use crate::codec::decode::read_instant;
use crate::contract::Method;
use crate::dispatch::{Call, Reply};
use crate::status::Status;
use crate::wire::put_bytes;

/// An answer on its way.
pub(super) struct Answer<'m> {
    method: &'m Method,
    bytes: Vec<u8>,
}

impl<'m> Answer<'m> {
    pub(super) fn of(method: &'m Method) -> Self {
        Self {
            method,
            bytes: Vec::new(),
        }
    }

    /// Adds the noun.
    pub(super) fn noun(mut self, message: &[u8]) -> Self {
        if let Some(field) = &self.method.output_noun {
            put_bytes(&mut self.bytes, field.number(), message);
        }
        self
    }

    /// Adds a text.
    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        if let Some(field) = self.method.output.get_field_by_name(name) {
            put_bytes(&mut self.bytes, field.number(), text.as_bytes());
        }
        self
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn reply(self) -> Reply {
        Reply::encoded(self.bytes)
    }
}

/// A text field of the request; empty when it has none.
pub(super) fn request_text(call: &Call<'_>, name: &str) -> String {
    let value = call.message.get_field_by_name(name);
    let text = value.as_ref().and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}

/// The instant that is asked about: `None` for now, which every instant to come is too.
pub(super) fn snapshot_at(call: &Call<'_>) -> Result<Option<Instant>, Status> {
    let meta = call.message.get_field_by_name("meta");
    let Some(meta) = meta.as_ref().and_then(|meta| meta.as_message()) else {
        return Ok(None);
    };
    let asked = meta.get_field_by_name("snapshot_at");
    let Some(Wire::Message(asked)) = asked.as_deref() else {
        return Ok(None);
    };
    let instant = read_instant(asked)?;
    Ok(instant.filter(|instant| *instant < call.now))
}
