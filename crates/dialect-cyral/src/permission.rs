// SPDX-License-Identifier: Apache-2.0
//! The permissions of this dialect, which are rights of the core.

use durward_policy::Right;

/// Names of all permissions as clients spell them, in one order.
pub fn permissions() -> Vec<&'static str> {
    Right::cyral_names().collect()
}

/// Id of a permission, which is stable and tells its name.
pub(crate) fn id(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The permission of an id, or of a name in its place.
pub(crate) fn named(text: &str) -> Option<&'static str> {
    Right::cyral_names().find(|name| *name == text || id(name) == text)
}
