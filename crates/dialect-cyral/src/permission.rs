// SPDX-License-Identifier: Apache-2.0
//! The permissions of this dialect.

use durward_policy::Vocabulary;

/// Names of all permissions as clients spell them, in one order.
pub fn permissions() -> Vec<&'static str> {
    Vocabulary::Cyral.words().collect()
}

/// Id of a permission, which is stable and tells its name.
pub(crate) fn id(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The permission of an id, or of a name in its place.
pub(crate) fn named(text: &str) -> Option<&'static str> {
    Vocabulary::Cyral
        .words()
        .find(|name| *name == text || id(name) == text)
}
