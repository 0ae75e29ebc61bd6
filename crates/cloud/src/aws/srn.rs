// SPDX-License-Identifier: Apache-2.0
//! Names of imported things in the form that Sonrai's clients pass around:
//! `srn:<cloud>:<service>:<region>:<account>/<Type>/<Type>/<name>`.

/// The kind of an imported thing, as the lists of that dialect name it.
pub(super) mod kind {
    pub(in crate::aws) const USER: &str = "User";
    pub(in crate::aws) const GROUP: &str = "Group";
    pub(in crate::aws) const ROLE: &str = "Role";
    pub(in crate::aws) const POLICY: &str = "Policy";
    pub(in crate::aws) const ACCOUNT: &str = "Account";
}

/// Name of something of IAM, which knows no regions. What AWS itself manages is in no account.
pub(super) fn of_iam(account: &str, kind: &str, name: &str) -> String {
    format!("srn:aws:iam::{account}/{kind}/{kind}/{name}")
}

/// Name of an account.
pub(super) fn of_account(account: &str) -> String {
    let kind = kind::ACCOUNT;
    format!("srn:aws:organizations::{account}/{kind}/{kind}/{account}")
}
