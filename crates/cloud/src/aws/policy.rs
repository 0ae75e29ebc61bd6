// SPDX-License-Identifier: Apache-2.0
//! What a policy allows and denies, service by service.

use std::collections::BTreeMap;

use durward_catalog::CloudType;
use durward_catalog::kinds::verb::ALLOWS;
use durward_model::Value;

use crate::aws::builder::{Builder, Properties};
use crate::aws::document::Statement;

/// Actions and resources listed on one relationship; a policy that names more is cut there and the
/// relationship says so.
const LISTED_MAX: usize = 500;

#[derive(Debug, Default)]
struct Grant {
    actions: Vec<String>,
    excluded_actions: Vec<String>,
    resources: Vec<String>,
    excluded_resources: Vec<String>,
    /// Whether some statement has no condition.
    unconditional: bool,
}

/// Key of the entity of an AWS service by its action prefix; `*` is every service.
pub(super) fn service_key(prefix: &str) -> String {
    format!("aws:service:{prefix}")
}

/// Makes sure that the entity of a service is there.
pub(super) fn ensure_service(builder: &mut Builder, prefix: &str) {
    let name = if prefix == "*" {
        "every AWS service"
    } else {
        prefix
    };
    let properties = Properties::new(name)
        .text("servicePrefix", prefix)
        .text("vendor", "AWS");
    builder.entity_if_absent(&service_key(prefix), CloudType::SERVICE, properties);
}

/// Writes an `ALLOWS` or `DENIES` from a policy to each service that its statements speak of.
pub(super) fn emit(builder: &mut Builder, policy_key: &str, statements: &[Statement]) {
    let mut grants: BTreeMap<(bool, String), Grant> = BTreeMap::new();
    for statement in statements {
        let prefixes = if statement.inverted {
            vec!["*".to_owned()]
        } else {
            let prefix = |action: &String| match action.split_once(':') {
                Some((prefix, _)) => prefix.to_ascii_lowercase(),
                None => "*".to_owned(),
            };
            let mut prefixes: Vec<String> = statement.actions.iter().map(prefix).collect();
            prefixes.sort();
            prefixes.dedup();
            prefixes
        };
        for prefix in prefixes {
            let grant = grants
                .entry((statement.allows, prefix.clone()))
                .or_default();
            add(grant, statement, &prefix);
        }
    }
    for ((allows, prefix), grant) in grants {
        ensure_service(builder, &prefix);
        let verb = if allows { ALLOWS } else { "DENIES" };
        builder.relationship(policy_key, verb, &service_key(&prefix), properties(grant));
    }
}

fn add(grant: &mut Grant, statement: &Statement, prefix: &str) {
    let of_service = |action: &&String| {
        let own = action
            .split_once(':')
            .map(|(own, _)| own.to_ascii_lowercase());
        own.is_none_or(|own| own == prefix)
    };
    if statement.inverted {
        grant
            .excluded_actions
            .extend(statement.actions.iter().cloned());
    } else {
        grant
            .actions
            .extend(statement.actions.iter().filter(of_service).cloned());
    }
    grant.resources.extend(statement.resources.iter().cloned());
    grant
        .excluded_resources
        .extend(statement.not_resources.iter().cloned());
    grant.unconditional |= statement.condition_keys.is_empty();
}

fn properties(grant: Grant) -> Properties {
    let all_actions = !grant.excluded_actions.is_empty()
        || grant
            .actions
            .iter()
            .any(|action| action.ends_with(":*") || action == "*");
    let all_resources =
        !grant.excluded_resources.is_empty() || grant.resources.iter().any(|item| item == "*");
    let mut properties = Properties::default()
        .value("allActions", all_actions)
        .value("allResources", all_resources)
        .value("conditional", !grant.unconditional);
    let mut is_cut = false;
    let lists = [
        ("actions", grant.actions),
        ("excludedActions", grant.excluded_actions),
        ("resources", grant.resources),
        ("excludedResources", grant.excluded_resources),
    ];
    for (name, mut items) in lists {
        items.sort();
        items.dedup();
        is_cut |= items.len() > LISTED_MAX;
        items.truncate(LISTED_MAX);
        if !items.is_empty() {
            properties = properties.value(name, Value::from(items));
        }
    }
    if is_cut {
        properties.value("listsAreCut", true)
    } else {
        properties
    }
}
