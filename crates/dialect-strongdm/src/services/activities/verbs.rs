// SPDX-License-Identifier: Apache-2.0
//! Verbs of activities: StrongDM's own where it has one for what was done.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use durward_catalog::Kind;
use durward_catalog::kinds::property;

/// What a transaction did, as far as the verb depends on it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Whether it changed anything that clients of this dialect can see.
    pub(super) is_core: bool,
    /// Properties that were set.
    pub(super) columns: BTreeSet<String>,
    /// Whether a service account is concerned.
    pub(super) has_service: bool,
    /// Sort of the resource.
    pub(super) category: &'static str,
    /// Kind of the credential.
    pub(super) credential_kind: String,
    /// Sort of the token.
    pub(super) token_type: String,
    /// Whether a role had rules before.
    pub(super) had_rules: bool,
    /// Whether it has rules now.
    pub(super) has_rules: bool,
}

/// Activities beside those of the catalog's kinds that always go by the same verb. Those without a
/// verb are none of this dialect.
const PLAIN: &[(&str, &str)] = &[
    ("account suspended", "user suspended"),
    ("account reinstated", "user reinstated"),
    ("password set", "user password changed"),
    ("account role set", "user added to role"),
    (
        "authentication failed",
        "failed login attempt from the local client",
    ),
    ("access denied", "access denied"),
    ("organization suspended", "organization setting updated"),
    ("organization resumed", "organization setting updated"),
    ("credential used", ""),
];

/// What the catalog says of the making, changing and ending of its kinds.
static OF_KINDS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let names = Kind::all().filter_map(|kind| Some((kind.noun(), kind.strongdm()?)));
    let verbs = names.flat_map(|(noun, name)| {
        let done = [
            ("created", &name.made),
            ("updated", &name.changed),
            ("deleted", &name.ended),
        ];
        let said = done.into_iter().filter(|(_, verb)| !verb.is_empty());
        said.map(move |(done, verb)| (format!("{noun} {done}"), verb.as_str()))
    });
    verbs.collect()
});

/// The verb of an activity; `None` when it is of no concern to this dialect.
pub(super) fn verb(activity: &str, facts: &Facts) -> Option<String> {
    if let Some((_, verb)) = PLAIN.iter().find(|(known, _)| *known == activity) {
        return (!verb.is_empty()).then(|| (*verb).to_owned());
    }
    if let Some(verb) = OF_KINDS.get(activity) {
        return Some((*verb).to_owned());
    }
    let verb = match activity {
        "user created" | "account created" if facts.has_service => "service account created",
        "user created" | "account created" => "user added",
        "user updated" => return Some(of_user(facts).to_owned()),
        "role updated" => return Some(of_role(facts).to_owned()),
        "node updated" if facts.columns.contains(property::DISPLAY_NAME) => "relay name updated",
        "node updated" => "relay updated",
        "resource created" => return Some(format!("{} added", facts.category)),
        "resource updated" | "resource deleted" => {
            let done = activity.trim_start_matches("resource ");
            return Some(format!("{} {done}", facts.category));
        }
        "credential created" => return Some(of_token(facts, "created")),
        "credential revoked" | "credential deleted" => return Some(of_token(facts, "deleted")),
        "credential rekeyed" => return Some(of_token(facts, "rekeyed")),
        other if facts.is_core && !other.is_empty() => other,
        _ => return None,
    };
    Some(verb.to_owned())
}

fn of_user(facts: &Facts) -> &'static str {
    let sets = |name: &str| facts.columns.contains(name);
    if sets(property::PERMISSION_LEVEL) {
        "user type changed"
    } else if facts.columns.len() == 1 && sets(property::PASSWORD_HASH) {
        "user password changed"
    } else {
        "user updated"
    }
}

fn of_role(facts: &Facts) -> &'static str {
    match (
        facts.columns.contains("accessRules"),
        facts.had_rules,
        facts.has_rules,
    ) {
        (true, false, true) => "access rules created",
        (true, true, false) => "access rules deleted",
        (true, _, _) => "access rules updated",
        _ => "role updated",
    }
}

fn of_token(facts: &Facts, done: &str) -> String {
    if facts.token_type.starts_with("admin") {
        format!("admin token {done}")
    } else if facts.token_type.starts_with("scim") {
        format!("SCIM token {done}")
    } else if facts.credential_kind == "service_token" && done == "rekeyed" {
        "service account rekeyed".to_owned()
    } else if facts.credential_kind == "strongdm_key" && done == "deleted" {
        "API key deleted".to_owned()
    } else {
        format!("credential {done}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_those_of_clients() {
        let with = |columns: &[&str]| Facts {
            is_core: true,
            category: "datasource",
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            ..Facts::default()
        };
        let of = |activity: &str, columns: &[&str]| verb(activity, &with(columns));
        assert_eq!(of("user created", &[]).as_deref(), Some("user added"));
        let level = of("user updated", &["permissionLevel", "suspended"]);
        assert_eq!(level.as_deref(), Some("user type changed"));
        assert_eq!(
            of("resource deleted", &[]).as_deref(),
            Some("datasource deleted")
        );
        let rules = of("role updated", &["accessRules"]);
        assert_eq!(rules.as_deref(), Some("access rules updated"));
        assert_eq!(of("credential used", &[]), None);
        assert_eq!(verb("entity created", &Facts::default()), None);
        assert_eq!(of("workflow run", &[]).as_deref(), Some("workflow run"));
    }
}
