// SPDX-License-Identifier: Apache-2.0
//! Names of the platform's own objects: `srn:<organization>::<Type>/<id>`.

/// Organization in the names of what every organization has.
const BUILT_IN: &str = "supersonrai";

/// Start of the names of one kind of object.
pub(super) fn prefix(organization: &str, kind: &str) -> String {
    format!("srn:{organization}::{kind}/")
}

/// Start of the names of built-in objects of a kind.
pub(super) fn built_in_prefix(kind: &str) -> String {
    prefix(BUILT_IN, kind)
}

/// The id in a name of this organization and kind.
pub(super) fn id_in<'s>(srn: &'s str, organization: &str, kind: &str) -> Option<&'s str> {
    srn.trim().strip_prefix(&prefix(organization, kind))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_own_organization_are_taken() {
        let srn = format!("{}abc", prefix("harbour", "SonraiUserToken"));
        assert_eq!(srn, "srn:harbour::SonraiUserToken/abc");
        assert_eq!(id_in(&srn, "harbour", "SonraiUserToken"), Some("abc"));
        assert_eq!(id_in(&srn, "elsewhere", "SonraiUserToken"), None);
        assert_eq!(id_in(&srn, "harbour", "SonraiUser"), None);
    }
}
