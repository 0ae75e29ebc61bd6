// SPDX-License-Identifier: Apache-2.0
//! Properties of core objects that code names.

/// What people call an object.
pub const DISPLAY_NAME: &str = "displayName";
/// The address of a user.
pub const EMAIL: &str = "email";
/// The names of a person.
pub const FIRST_NAME: &str = "firstName";
/// See [`FIRST_NAME`].
pub const LAST_NAME: &str = "lastName";
/// What the provider of identities calls an object.
pub const EXTERNAL_ID: &str = "externalId";
/// What a user may do without any role.
pub const PERMISSION_LEVEL: &str = "permissionLevel";
/// The account to which a user reports.
pub const MANAGER: &str = "managerId";
/// Whether an account is suspended.
pub const SUSPENDED: &str = "suspended";
/// The digest of a user's password.
pub const PASSWORD_HASH: &str = "passwordHash";
/// Rights that a role gives, or a credential has.
pub const RIGHTS: &str = "rights";
/// Whether a new organization has the object.
pub const BUILT_IN: &str = "builtIn";
/// What sort of resource, node or credential it is.
pub const KIND: &str = "kind";
/// Whether a node ever called.
pub const STATE: &str = "state";
/// When a credential was last used.
pub const LAST_USED_ON: &str = "lastUsedOn";
