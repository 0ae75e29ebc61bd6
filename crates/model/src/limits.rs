// SPDX-License-Identifier: Apache-2.0
//! Limits that hold for every object, in whatever dialect it arrives.

/// Largest size of one value in bytes (1 MiB).
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Largest sum of the values of one object in bytes (4 MiB).
pub const OBJECT_BYTES_MAX: usize = 4 << 20;
/// Longest natural key in bytes.
pub const KEY_BYTES_MAX: usize = 4096;
/// Longest name of a type, class, verb or property in bytes.
pub const NAME_BYTES_MAX: usize = 512;
/// Most properties that one object may carry.
pub const PROPERTIES_MAX: usize = 2000;
/// Most elements of one list value.
pub const LIST_ITEMS_MAX: usize = 100_000;
/// Most classes that one entity may carry.
pub const CLASSES_MAX: usize = 64;
/// Most distinct entity types of one organization.
pub const TYPES_MAX: usize = 60_000;
