// SPDX-License-Identifier: Apache-2.0
//! Moments and ids as fields of rows.

use durward_catalog::ids;
use durward_model::{Instant, ObjectId};

use crate::wire::{put_bytes, put_integer};

/// Appends a moment; nothing for none.
pub(crate) fn put_moment(out: &mut Vec<u8>, number: u32, moment: Option<Instant>) {
    let Some(micros) = moment.map(Instant::as_micros) else {
        return;
    };
    let mut timestamp = Vec::with_capacity(16);
    put_integer(&mut timestamp, 1, micros.div_euclid(1_000_000));
    put_integer(&mut timestamp, 2, micros.rem_euclid(1_000_000) * 1000);
    put_bytes(out, number, &timestamp);
}

/// Appends an id behind its prefix.
pub(crate) fn put_id(out: &mut Vec<u8>, number: u32, prefix: &str, id: ObjectId) {
    put_text(out, number, &ids::prefixed(prefix, id));
}

/// Appends a text; nothing for an empty one.
pub(crate) fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, number, text.as_bytes());
    }
}
