// SPDX-License-Identifier: Apache-2.0
//! How dialects call what the catalog describes.

use serde::Deserialize;

/// How StrongDM calls a kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StrongdmName {
    /// The service of its objects.
    pub service: String,
    /// The message of one.
    pub noun: String,
    /// What its ids begin with.
    pub prefix: String,
    /// The branch of the message, where several kinds share one.
    pub branch: String,
    /// The property that names the branch, where the objects of one kind have several.
    pub branch_property: String,
    /// The field with the start of a relationship.
    pub start_field: String,
    /// The field with its end.
    pub end_field: String,
    /// What activities call an object; empty for relationships, of which they name the ends.
    pub word: String,
    /// What activities call the making of one, its change and its end; empty where they say it
    /// otherwise.
    pub made: String,
    /// See `made`.
    pub changed: String,
    /// See `made`.
    pub ended: String,
}

/// How Sonrai calls something.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct SonraiName {
    /// Its kind, in the names of its objects; empty where they have none.
    #[serde(default)]
    pub kind: String,
    /// The root fields that list its objects as they lie in the graph.
    #[serde(default)]
    pub lists: Vec<String>,
}

/// How Cyral calls a kind.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct CyralName {
    /// What sentences call one of it, where not by its noun.
    pub noun: String,
    /// What they begin with when there is none of an id: clients look for it.
    pub missing: String,
}
