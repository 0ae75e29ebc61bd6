// SPDX-License-Identifier: Apache-2.0
//! The space in which a natural key is unique.

/// Source and scope of an object. A `_key` is unique among the living entities of one namespace,
/// and among the living relationships of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace {
    /// Who wrote the object: `durward`, `api`, `integration-external`, `stix`, `system-mapper`, ...
    pub source: String,
    /// The scope inside the source; empty where the source has only one.
    pub scope: String,
}

impl Namespace {
    /// Source of the objects that only commands of the core may write.
    pub const DURWARD: &'static str = "durward";

    /// A namespace of these two names.
    pub fn new(source: impl Into<String>, scope: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            scope: scope.into(),
        }
    }

    /// The namespace of Durward's own protected objects.
    pub fn durward() -> Self {
        Self::new(Self::DURWARD, "")
    }
}
