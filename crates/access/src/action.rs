// SPDX-License-Identifier: Apache-2.0
//! Which rights commands and readings ask for; any one of a list suffices.

use durward_policy::{Action, Right};

use crate::Kind;

/// Rights to see objects of a kind.
pub fn read(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::User | Kind::Service => Action::UserList,
        Kind::Group => Action::GroupList,
        Kind::Role => Action::RoleList,
        Kind::Assignment => Action::RoleAssignmentList,
        Kind::Resource => Action::ResourceList,
        Kind::Node => Action::NodeList,
        Kind::Policy => Action::PolicyRead,
        Kind::GroupMember => Action::GroupMemberList,
        Kind::GroupRole => Action::GroupRoleList,
        Kind::Grant => Action::GrantRead,
    }
    .rights()
}

/// Rights to make objects of a kind.
pub fn create(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::User => Action::UserCreate,
        Kind::Service => Action::ServiceCreate,
        Kind::Group => Action::GroupCreate,
        Kind::Role => Action::RoleCreate,
        Kind::Resource => Action::ResourceCreate,
        Kind::Node => Action::NodeCreate,
        Kind::Policy => Action::PolicyWrite,
        Kind::GroupMember => Action::GroupMemberAdd,
        Kind::Assignment => Action::RoleAssign,
        Kind::GroupRole => Action::GroupRoleAssign,
        Kind::Grant => Action::GrantWrite,
    }
    .rights()
}

/// Rights to change objects of a kind.
pub fn update(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::User => Action::UserUpdate,
        Kind::Service => Action::ServiceUpdate,
        Kind::Group => Action::GroupUpdate,
        Kind::Role => Action::RoleUpdate,
        Kind::Resource => Action::ResourceUpdate,
        Kind::Node => Action::NodeUpdate,
        _ => return create(kind),
    }
    .rights()
}

/// Rights to end objects of a kind.
pub fn delete(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::User => Action::UserDelete,
        Kind::Service => Action::ServiceDelete,
        Kind::Group => Action::GroupDelete,
        Kind::Role => Action::RoleDelete,
        Kind::GroupMember => Action::GroupMemberRemove,
        Kind::Assignment => Action::RoleUnassign,
        Kind::GroupRole => Action::GroupRoleUnassign,
        Kind::Resource => Action::ResourceDelete,
        Kind::Node => Action::NodeDelete,
        _ => return create(kind),
    }
    .rights()
}

/// Rights to see what became of objects of a kind.
pub fn history(kind: Kind) -> &'static [Right] {
    match kind {
        Kind::User | Kind::Service => Action::AuditUsers,
        Kind::Group | Kind::GroupMember | Kind::GroupRole => Action::AuditGroups,
        Kind::Role | Kind::Assignment => Action::AuditRoles,
        Kind::Resource => Action::AuditResources,
        Kind::Node => Action::AuditNodes,
        Kind::Policy => Action::AuditPolicies,
        Kind::Grant => Action::AuditGrants,
    }
    .rights()
}
