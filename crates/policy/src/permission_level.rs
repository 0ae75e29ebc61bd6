// SPDX-License-Identifier: Apache-2.0
//! StrongDM's permission levels of accounts and the rights that each gives.

use crate::{Right, Rights};

/// A permission level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionLevel {
    /// May do everything that StrongDM has a permission for.
    Admin,
    /// The same; the first of an organization.
    RootAdmin,
    /// Manages users, roles and grants; sees resources and the log.
    TeamLeader,
    /// Manages resources, nodes, secret stores and roles; gives access.
    DatabaseAdmin,
    /// Sees and checks resources and nodes.
    DatabaseOperator,
    /// Reads everything, changes nothing.
    Auditor,
    /// Uses what it was given.
    User,
    /// A service account: uses what it was given.
    Service,
    /// A suspended account: nothing.
    Suspended,
    /// The account of a node.
    Relay,
    /// A token for administration; its own permissions are stored with it.
    AdminToken,
    /// A token that provisions users and groups.
    ScimToken,
    /// A token that follows and decides requests.
    ServiceNowToken,
}

/// Name of the level that suspends.
pub const LEVEL_SUSPENDED: &str = "suspended";
/// Name of the level of a user for whom nobody named one, and of one whose suspension ends.
pub const LEVEL_DEFAULT: &str = "user";

const LEVELS: [(PermissionLevel, &str); 13] = [
    (PermissionLevel::Admin, "admin"),
    (PermissionLevel::RootAdmin, "root-admin"),
    (PermissionLevel::TeamLeader, "multi-team-leader"),
    (PermissionLevel::DatabaseAdmin, "database-admin"),
    (PermissionLevel::DatabaseOperator, "database-operator"),
    (PermissionLevel::Auditor, "auditor"),
    (PermissionLevel::User, LEVEL_DEFAULT),
    (PermissionLevel::Service, "service"),
    (PermissionLevel::Suspended, LEVEL_SUSPENDED),
    (PermissionLevel::Relay, "relay"),
    (PermissionLevel::AdminToken, "admin-token"),
    (PermissionLevel::ScimToken, "scim-token"),
    (PermissionLevel::ServiceNowToken, "servicenow-token"),
];

/// Each entry is a whole key, or all keys of an object (`role:`), or all that end so (`:read`).
const TEAM_LEADER: &[&str] = &[
    "user:list",
    "user:create",
    "user:update",
    "user:delete",
    "user:suspend",
    "user:assign",
    "user:create_service_account",
    "user:initiate_password_reset",
    "role:",
    "grant:",
    "group:",
    "accountgroup:",
    "grouprole:",
    "accessrequest:",
    "workflow:",
    "approvalflow:",
    "entitlements:",
    "permissionset:read",
    "datasource:list",
    "relay:list",
    "audit:activities",
    "audit:users",
    "audit:groups",
    "audit:roles",
    "audit:accountgrants",
    "audit:accessrequests",
];
const DATABASE_ADMIN: &[&str] = &[
    "datasource:",
    "relay:",
    "role:",
    "secretstore:",
    "secretengine:",
    "managedsecret:create",
    "managedsecret:delete",
    "managedsecret:list",
    "managedsecret:read",
    "managedsecret:rotate",
    "managedsecret:update",
    "managedsecret:validate",
    "discoveryconnector:",
    "resourcelock:",
    "remoteidentity:read",
    "remoteidentitygroup:read",
    "user:list",
    "user:assign",
    "group:read",
    "accountgroup:read",
    "grouprole:",
    "grant:",
    "entitlements:",
    "accessrequest:",
    "audit:datasources",
    "audit:nodes",
    "audit:roles",
    "audit:secretstores",
    "audit:secretengines",
];
const DATABASE_OPERATOR: &[&str] = &[
    "datasource:list",
    "datasource:healthcheck",
    "relay:list",
    "secretstore:list",
    "secretstore:status",
    "resourcelock:list",
    "accessrequest:requester",
];
const AUDITOR: &[&str] = &[
    ":list",
    ":read",
    ":status",
    "audit:",
    "organization:view_settings",
    "organization:list_children",
    "accessrequest:requester",
];
const USER: &[&str] = &["accessrequest:requester"];
const SCIM: &[&str] = &[
    "user:list",
    "user:create",
    "user:update",
    "user:delete",
    "user:suspend",
    "group:",
    "accountgroup:",
];
const SERVICE_NOW: &[&str] = &[
    "accessrequest:list",
    "workflow:list",
    "approvalflow:list",
    "user:list",
    "datasource:list",
];

impl PermissionLevel {
    /// The level of this name, such as `multi-team-leader`; the empty name is a user.
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::User);
        }
        let (level, _) = LEVELS.iter().find(|(_, known)| *known == name)?;
        Some(*level)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        LEVELS
            .iter()
            .find(|(level, _)| *level == self)
            .map_or("", |(_, name)| *name)
    }

    /// All levels.
    pub fn all() -> impl Iterator<Item = Self> {
        LEVELS.iter().map(|(level, _)| *level)
    }

    /// The rights that an account has by its level, beside those of its roles.
    pub fn rights(self) -> Rights {
        let keys = match self {
            Self::Admin | Self::RootAdmin => &[":"][..],
            Self::TeamLeader => TEAM_LEADER,
            Self::DatabaseAdmin => DATABASE_ADMIN,
            Self::DatabaseOperator => DATABASE_OPERATOR,
            Self::Auditor => AUDITOR,
            Self::User | Self::Service => USER,
            Self::ScimToken => SCIM,
            Self::ServiceNowToken => SERVICE_NOW,
            Self::Suspended | Self::Relay | Self::AdminToken => &[],
        };
        let given = |key: &str| keys.iter().any(|pattern| fits(pattern, key));
        Right::all()
            .filter(|right| right.strongdm_key().is_some_and(given))
            .collect()
    }
}

fn fits(pattern: &str, key: &str) -> bool {
    pattern == ":"
        || pattern == key
        || (pattern.ends_with(':') && key.starts_with(pattern))
        || (pattern.starts_with(':') && key.ends_with(pattern))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::{Action, Vocabulary};

    #[test]
    fn every_pattern_gives_something() {
        let lists = [
            TEAM_LEADER,
            DATABASE_ADMIN,
            DATABASE_OPERATOR,
            AUDITOR,
            USER,
            SCIM,
            SERVICE_NOW,
        ];
        for pattern in lists.into_iter().flatten() {
            assert!(
                Vocabulary::StrongDm.words().any(|key| fits(pattern, key)),
                "{pattern}"
            );
        }
        for level in PermissionLevel::all() {
            assert_eq!(PermissionLevel::named(level.name()), Some(level));
            assert!(level.rights().is_within(&PermissionLevel::Admin.rights()));
        }
        assert_eq!(PermissionLevel::named(""), Some(PermissionLevel::User));
        assert_eq!(PermissionLevel::named("king"), None);
    }

    #[test]
    fn levels_let_do_what_they_say() {
        use PermissionLevel as Level;
        for (level, action, may) in [
            (Level::Admin, Action::UserSetPermissionLevel, true),
            (Level::RootAdmin, Action::PolicyWrite, true),
            (Level::Auditor, Action::AuditQueries, true),
            (Level::Auditor, Action::UserList, true),
            (Level::Auditor, Action::RoleCreate, false),
            (Level::Auditor, Action::GroupCreate, false),
            (Level::TeamLeader, Action::UserCreate, true),
            (Level::TeamLeader, Action::UserSetPermissionLevel, false),
            (Level::TeamLeader, Action::TokenCreate, false),
            (Level::TeamLeader, Action::ResourceCreate, false),
            (Level::DatabaseAdmin, Action::ResourceDelete, true),
            (Level::DatabaseAdmin, Action::UserCreate, false),
            (Level::DatabaseAdmin, Action::ManagedSecretRetrieve, false),
            (Level::DatabaseOperator, Action::ResourceHealthcheck, true),
            (Level::DatabaseOperator, Action::ResourceCreate, false),
            (Level::User, Action::UserList, false),
            (Level::Service, Action::ResourceList, false),
            (Level::ScimToken, Action::GroupMemberAdd, true),
        ] {
            assert_eq!(
                action.is_given_by(&level.rights()),
                may,
                "{level:?} {action}"
            );
        }
        assert_eq!(Level::Admin.rights().names().len(), 104);
        assert_eq!(Level::Suspended.rights(), Rights::NONE);
    }
}
