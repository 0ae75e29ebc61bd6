// SPDX-License-Identifier: Apache-2.0
//! What a client says of the page that it wants (`meta`).

use durward_model::Instant;
use prost_reflect::{DynamicMessage, Value};

use super::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};
use crate::dispatch::Call;
use crate::status::Status;

/// The page that a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the page before ended; empty for the first.
    pub cursor: String,
    /// Rows before the page, where it is asked for by its number.
    pub skip: u64,
    /// Most rows.
    pub rows: usize,
    /// `field`, `-field`, or empty.
    pub order_by: String,
    /// The instant that is asked about; `None` is now.
    pub snapshot_at: Option<Instant>,
}

impl PageRequest {
    /// Reads the request of a call.
    ///
    /// # Errors
    /// When a number is negative.
    pub fn of(call: &Call<'_>) -> Result<Self, Status> {
        let meta = message(call.message, "meta");
        let integer = |name: &str| match meta.as_ref().and_then(|meta| value(meta, name)) {
            Some(Value::I32(number)) => number,
            _ => 0,
        };
        let text = |name: &str| match meta.as_ref().and_then(|meta| value(meta, name)) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let rows = match usize::try_from(integer("limit")) {
            Ok(0) => PAGE_ROWS_DEFAULT,
            Ok(rows) => rows.min(PAGE_ROWS_MAX),
            Err(_) => return Err(Status::invalid("the limit of a page is negative")),
        };
        let Ok(page) = u64::try_from(integer("page")) else {
            return Err(Status::invalid("the number of a page is negative"));
        };
        Ok(Self {
            cursor: text("cursor"),
            // The first page is number 1, or no number at all.
            skip: page.saturating_sub(1).saturating_mul(rows as u64),
            rows,
            order_by: text("order_by"),
            snapshot_at: snapshot_at(call),
        })
    }
}

/// The instant that a call asks about, if its method can be asked about the past. `None` is now,
/// which an instant to come is too.
pub fn snapshot_at(call: &Call<'_>) -> Option<Instant> {
    if !call.method.has_snapshots {
        return None;
    }
    let meta = message(call.message, "meta")?;
    let timestamp = message(&meta, "snapshot_at")?;
    instant(&timestamp).filter(|instant| *instant < call.now)
}

/// A `google.protobuf.Timestamp`; empty and epoch zero are none.
pub(crate) fn instant(timestamp: &DynamicMessage) -> Option<Instant> {
    let seconds = match value(timestamp, "seconds") {
        Some(Value::I64(seconds)) => seconds,
        _ => 0,
    };
    let nanos = match value(timestamp, "nanos") {
        Some(Value::I32(nanos)) => i64::from(nanos),
        _ => 0,
    };
    let micros = seconds.saturating_mul(1_000_000);
    let micros = micros.saturating_add(nanos.div_euclid(1000));
    (seconds != 0 || nanos != 0).then(|| Instant::from_micros(micros))
}

fn value(message: &DynamicMessage, name: &str) -> Option<Value> {
    let value = message.get_field_by_name(name)?;
    Some(value.into_owned())
}

fn message(message: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    if !message.has_field_by_name(name) {
        return None;
    }
    match value(message, name)? {
        Value::Message(inner) => Some(inner),
        _ => None,
    }
}

/// A text field of a request; empty when it has none.
pub(crate) fn text(request: &DynamicMessage, name: &str) -> String {
    match value(request, name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
