// SPDX-License-Identifier: Apache-2.0
//! The permissions of this dialect.

use durward_policy::Right;

/// Names of all permissions, as clients spell them.
pub const PERMISSIONS: [&str; 18] = [
    "Access Request",
    "Access Management",
    "Access Management Proxy Request",
    "Access Management Proxy Manage",
    "Approval Management",
    "Modify Integrations",
    "Modify Policies",
    "View Datamaps",
    "Modify Sidecars and Repositories",
    "View Sidecars and Repositories",
    "Modify Users",
    "Modify Roles",
    "Repo Crawler",
    "View Audit Logs",
    "View Integrations",
    "View Policies",
    "View Roles",
    "View Users",
];

/// Prefix of the rights that are permissions of this dialect.
const PREFIX: &str = "cyral:";

/// The right behind a permission.
pub(crate) fn right(name: &str) -> Option<Right> {
    Right::named(&format!("{PREFIX}{name}"))
}

/// Id of a permission, which is stable and tells its name.
pub(crate) fn id(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The permission of an id, or of a name in its place.
pub(crate) fn named(text: &str) -> Option<&'static str> {
    PERMISSIONS
        .into_iter()
        .find(|name| *name == text || id(name) == text)
}
