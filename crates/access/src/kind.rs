// SPDX-License-Identifier: Apache-2.0
//! The kinds of objects that this crate keeps, and how they lie in the graph.

/// A kind of core object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An account of a person.
    User,
    /// An account of a machine.
    Service,
    /// A group of accounts.
    Group,
    /// A role.
    Role,
    /// A database, server, cluster, website or cloud to which access is given.
    Resource,
    /// A gateway, relay or proxy cluster.
    Node,
    /// A policy in the Cedar language.
    Policy,
    /// That a group has an account.
    GroupMember,
    /// That an account is assigned a role.
    Assignment,
    /// That a group is assigned a role.
    GroupRole,
    /// That an account or group may reach a resource, for a time.
    Grant,
}

/// How a kind lies in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Entities of one type.
    Entity {
        /// The type.
        entity_type: &'static str,
    },
    /// Relationships.
    Relationship {
        /// Types at the start.
        from: &'static [&'static str],
        /// The verb.
        verb: &'static str,
        /// Types at the end.
        to: &'static [&'static str],
        /// The `_type` of the relationship.
        relationship_type: &'static str,
    },
}

/// Entity type of users.
pub const USER_TYPE: &str = "account";
/// Entity type of services.
pub const SERVICE_TYPE: &str = "account_service";
/// Entity type of groups.
pub const GROUP_TYPE: &str = "account_group";
/// Entity type of roles.
pub const ROLE_TYPE: &str = "access_role";
/// Entity type of resources.
pub const RESOURCE_TYPE: &str = "access_resource";
/// Entity type of nodes.
pub const NODE_TYPE: &str = "access_node";
/// Entity type of policies.
pub const POLICY_TYPE: &str = "access_policy";
/// Verb between a group and its accounts.
pub const HAS: &str = "HAS";
/// Verb between accounts or groups and their roles.
pub const ASSIGNED: &str = "ASSIGNED";
/// Verb between accounts, groups or roles and the resources that they may reach.
pub const ALLOWS: &str = "ALLOWS";

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::User,
        Self::Service,
        Self::Group,
        Self::Role,
        Self::Resource,
        Self::Node,
        Self::Policy,
        Self::GroupMember,
        Self::Assignment,
        Self::GroupRole,
        Self::Grant,
    ];

    /// How it lies in the graph.
    pub fn shape(self) -> Shape {
        const ACCOUNTS: &[&str] = &[USER_TYPE, SERVICE_TYPE];
        const HOLDERS: &[&str] = &[USER_TYPE, SERVICE_TYPE, GROUP_TYPE];
        const GROUPS: &[&str] = &[GROUP_TYPE];
        let entity = |entity_type| Shape::Entity { entity_type };
        match self {
            Self::User => entity(USER_TYPE),
            Self::Service => entity(SERVICE_TYPE),
            Self::Group => entity(GROUP_TYPE),
            Self::Role => entity(ROLE_TYPE),
            Self::Resource => entity(RESOURCE_TYPE),
            Self::Node => entity(NODE_TYPE),
            Self::Policy => entity(POLICY_TYPE),
            Self::GroupMember => Shape::Relationship {
                from: GROUPS,
                verb: HAS,
                to: ACCOUNTS,
                relationship_type: "account_group_has_account",
            },
            Self::Assignment => Shape::Relationship {
                from: ACCOUNTS,
                verb: ASSIGNED,
                to: &[ROLE_TYPE],
                relationship_type: "account_assigned_access_role",
            },
            Self::GroupRole => Shape::Relationship {
                from: GROUPS,
                verb: ASSIGNED,
                to: &[ROLE_TYPE],
                relationship_type: "account_group_assigned_access_role",
            },
            Self::Grant => Shape::Relationship {
                from: HOLDERS,
                verb: ALLOWS,
                to: &[RESOURCE_TYPE],
                relationship_type: "account_allows_access_resource",
            },
        }
    }

    /// The entity type; `None` for relationships.
    pub fn entity_type(self) -> Option<&'static str> {
        match self.shape() {
            Shape::Entity { entity_type } => Some(entity_type),
            Shape::Relationship { .. } => None,
        }
    }

    /// What people call one of it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service account",
            Self::Group => "group",
            Self::Role => "role",
            Self::Resource => "resource",
            Self::Node => "node",
            Self::Policy => "policy",
            Self::GroupMember => "group membership",
            Self::Assignment => "role assignment",
            Self::GroupRole => "role of a group",
            Self::Grant => "grant",
        }
    }

    /// Whether its living objects all have different names (users: addresses), so that a name
    /// tells whether an object is the one that was asked for.
    pub fn has_unique_name(self) -> bool {
        match self {
            Self::User
            | Self::Service
            | Self::Group
            | Self::Role
            | Self::Resource
            | Self::Policy => true,
            Self::Node | Self::GroupMember | Self::Assignment | Self::GroupRole | Self::Grant => {
                false
            }
        }
    }
}
