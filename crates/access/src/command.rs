// SPDX-License-Identifier: Apache-2.0
//! Commands: making, changing and ending core objects.

mod account;
mod create;
mod delete;
mod grant;
mod membership;
mod names;
mod node;
mod policy;
mod port;
mod references;
mod resource;
mod role;
mod role_access;
mod secrets;
mod ssh_key;
mod update;

use std::collections::BTreeMap;
use std::fmt;

use durward_model::{ObjectId, Value};
use durward_policy::Rights;
use durward_vault::Secret;

pub(crate) use port::PortBook;

use crate::{Kind, Object};

/// Properties by name. In a change, null takes one away.
pub type Properties = BTreeMap<String, Value>;

/// An object to be made.
#[derive(Clone)]
pub struct NewObject {
    /// Its kind.
    pub kind: Kind,
    /// For a relationship, the objects at its start and its end.
    pub ends: Option<(ObjectId, ObjectId)>,
    /// Its properties; tags are properties whose names begin with `tag.`.
    pub properties: Properties,
    /// Credentials: sealed, never shown again; refused where the kind has no place for them.
    pub secrets: Properties,
    /// What a role lets its holders do; never more than the caller may.
    pub rights: Option<Rights>,
    /// Password of a user.
    pub password: Option<Secret<String>>,
    /// Name of the role that a user is assigned at once. It says what the user may do, so that
    /// without a permission level there is none.
    pub role: Option<String>,
    /// Whether a service account is suspended from the beginning.
    pub suspended: bool,
    /// Whether a node is refused whose name another node has. Names of most other kinds are unique
    /// in any case.
    pub is_name_unique: bool,
}

impl NewObject {
    /// An entity of a kind with these properties.
    pub fn entity(kind: Kind, properties: Properties) -> Self {
        Self {
            kind,
            ends: None,
            properties,
            secrets: Properties::new(),
            rights: None,
            password: None,
            role: None,
            suspended: false,
            is_name_unique: false,
        }
    }

    /// A relationship of a kind between two objects.
    pub fn relationship(kind: Kind, from: ObjectId, to: ObjectId, properties: Properties) -> Self {
        Self {
            ends: Some((from, to)),
            ..Self::entity(kind, properties)
        }
    }
}

/// A change of an object. What is not named stays.
#[derive(Clone, Default)]
pub struct ObjectChange {
    /// Properties that change; null takes one away.
    pub properties: Properties,
    /// Whether tags that are not named go.
    pub replace_tags: bool,
    /// Credentials that change; others stay.
    pub secrets: Properties,
    /// What a role lets its holders do.
    pub rights: Option<Rights>,
    /// New password of a user.
    pub password: Option<Secret<String>>,
    /// Whether a service account is suspended from now on. Users are suspended by their permission
    /// level, or by [`crate::Access::set_suspended`].
    pub suspended: Option<bool>,
    /// The ends of a relationship: they cannot change, and others than it has are refused.
    pub ends: Option<(ObjectId, ObjectId)>,
    /// The version that the caller saw; another one is a conflict.
    pub expected_version: Option<u32>,
    /// Whether a node is refused a name that another node has.
    pub is_name_unique: bool,
}

/// What a creation gives back.
pub struct Created {
    /// The object.
    pub object: Object,
    /// Its one-time token (services and nodes).
    pub token: Option<Secret<String>>,
}

impl fmt::Debug for NewObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("NewObject");
        debug.field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for ObjectChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObjectChange")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Created {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Created");
        debug.field("object", &self.object).finish_non_exhaustive()
    }
}
