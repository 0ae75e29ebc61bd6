// SPDX-License-Identifier: Apache-2.0
//! Hashes and exact sameness of values. Lists are never nested, so nothing here recurses deeply.

use durward_model::Value;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::view::ValueRef;

/// Hash of a value: values that are the same have the same hash.
pub(crate) fn hash_value(value: ValueRef<'_>, seed: u64) -> u64 {
    match value {
        ValueRef::Null => mix(seed),
        ValueRef::Bool(truth) => mix(seed ^ 2 ^ u64::from(truth)),
        ValueRef::Int(number) => mix(seed.rotate_left(8) ^ number as u64),
        ValueRef::Float(number) => mix(seed.rotate_left(16) ^ number.to_bits()),
        ValueRef::Instant(instant) => mix(seed.rotate_left(24) ^ instant.as_micros() as u64),
        ValueRef::String(text) => xxh3_64_with_seed(text.as_bytes(), seed),
        ValueRef::Bytes(bytes) => xxh3_64_with_seed(bytes, seed ^ 5),
        ValueRef::List(items) => items.iter().fold(mix(seed ^ 7), |hash, item| {
            mix(hash
                ^ match item {
                    Value::List(inner) => inner.len() as u64,
                    other => hash_value(ValueRef::from(other), seed),
                })
        }),
        ValueRef::Document(json) => xxh3_64_with_seed(json.to_string().as_bytes(), seed ^ 9),
    }
}

/// Whether two values are the same in kind and content (floats by their bits).
pub(crate) fn same_value(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Float(one), ValueRef::Float(two)) => one.to_bits() == two.to_bits(),
        (ValueRef::List(one), ValueRef::List(two)) => {
            one.len() == two.len()
                && one
                    .iter()
                    .zip(two)
                    .all(|(left, right)| match (left, right) {
                        (Value::Float(one), Value::Float(two)) => one.to_bits() == two.to_bits(),
                        _ => left == right,
                    })
        }
        _ => left == right,
    }
}

/// A well-mixed bijection of 64 bits.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    value ^ (value >> 32)
}
