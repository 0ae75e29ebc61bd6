// SPDX-License-Identifier: Apache-2.0
//! Names of imported things in the form that Sonrai's clients pass around:
//! `srn:<cloud>:<service>:<region>:<account>/<Type>/<Type>/<name>`.

use durward_catalog::CloudType;

/// Name of something of IAM, which knows no regions. What AWS itself manages is in no account.
pub(super) fn of_iam(account: &str, of: CloudType, name: &str) -> String {
    let kind = of.sonrai();
    format!("srn:aws:iam::{account}/{kind}/{kind}/{name}")
}

/// Name of an account.
pub(super) fn of_account(account: &str) -> String {
    let kind = CloudType::ACCOUNT.sonrai();
    format!("srn:aws:organizations::{account}/{kind}/{kind}/{account}")
}
