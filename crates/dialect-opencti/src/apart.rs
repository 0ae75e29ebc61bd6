// SPDX-License-Identifier: Apache-2.0
//! OpenCTI types that share a type of the graph, told apart in filters: identities, locations and
//! threat actors.

use durward_query::filter_group::{Filter, FilterGroup, FilterMode, FilterOperator};
use serde_json::{Value as Json, json};

use crate::keys;

/// The filter that tells an OpenCTI type apart from others of the same type of the graph:
/// identities, locations and threat actors.
pub(super) fn told_apart(opencti: &str) -> Option<FilterGroup> {
    let equal = |key: &str, value: &str| {
        one(keys::filter(
            key,
            FilterOperator::Eq,
            FilterMode::Or,
            vec![value.into()],
        ))
    };
    let individual = || FilterGroup {
        mode: FilterMode::Or,
        filters: Vec::new(),
        groups: vec![
            equal("x_opencti_type", "Threat-Actor-Individual"),
            equal("resource_level", "individual"),
        ],
    };
    let both = keys::all;
    let organization = || equal("identity_class", "organization");
    Some(match opencti.to_ascii_lowercase().as_str() {
        "organization" => both(vec![
            organization(),
            one(not_equal("x_opencti_type", "SecurityPlatform")),
        ]),
        "sector" => equal("identity_class", "class"),
        "system" => equal("identity_class", "system"),
        "securityplatform" => FilterGroup {
            mode: FilterMode::Or,
            filters: Vec::new(),
            groups: vec![
                equal("identity_class", "securityplatform"),
                both(vec![
                    organization(),
                    equal("x_opencti_type", "SecurityPlatform"),
                ]),
            ],
        },
        "individual" => {
            let others = ["organization", "class", "system", "securityplatform"];
            let others = others.iter().map(|class| Json::from(*class)).collect();
            one(keys::filter(
                "identity_class",
                FilterOperator::NotEq,
                FilterMode::And,
                others,
            ))
        }
        "city" | "country" | "region" | "administrative-area" | "position" => {
            equal("x_opencti_location_type", opencti)
        }
        "threat-actor-individual" => individual(),
        "threat-actor-group" => FilterGroup {
            mode: FilterMode::And,
            filters: vec![
                not_equal("x_opencti_type", "Threat-Actor-Individual"),
                not_equal("resource_level", "individual"),
            ],
            groups: Vec::new(),
        },
        _ => return None,
    })
}

fn not_equal(key: &str, value: &str) -> Filter {
    keys::filter(
        key,
        FilterOperator::NotEq,
        FilterMode::Or,
        vec![value.into()],
    )
}

fn one(filter: Filter) -> FilterGroup {
    FilterGroup {
        mode: FilterMode::And,
        filters: vec![filter],
        groups: Vec::new(),
    }
}

/// Any of these types, those that share a type of the graph told apart.
pub(super) fn of_types(types: &[String]) -> FilterGroup {
    let of_type = |name: &String| {
        let values = vec![Json::from(name.as_str())];
        let mut group = one(keys::filter(
            "entity_type",
            FilterOperator::Eq,
            FilterMode::Or,
            values,
        ));
        group.groups.extend(told_apart(name));
        group
    };
    FilterGroup {
        mode: FilterMode::Or,
        filters: Vec::new(),
        groups: types.iter().map(of_type).collect(),
    }
}

/// Replaces filters on types that name one which shares its type of the graph with others.
pub(super) fn with_types_told_apart(group: FilterGroup) -> FilterGroup {
    let mut groups: Vec<FilterGroup> = group
        .groups
        .into_iter()
        .map(with_types_told_apart)
        .collect();
    let mut filters = Vec::new();
    for filter in group.filters {
        let names: Vec<String> = filter
            .values
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
        let is_shared = names.iter().any(|name| told_apart(name).is_some());
        match (filter.keys.as_slice(), filter.operator) {
            ([key], FilterOperator::Eq) if is_shared && key == "entity_type" => {
                groups.push(FilterGroup {
                    mode: filter.mode,
                    ..of_types(&names)
                });
            }
            ([key], FilterOperator::NotEq) if is_shared && key == "entity_type" => {
                groups.push(FilterGroup {
                    mode: filter.mode,
                    ..of_other_types(&names)
                });
            }
            ([key], FilterOperator::Eq) if is_shared && END_TYPES.contains(&key.as_str()) => {
                groups.push(with_ends_told_apart(filter));
            }
            _ => filters.push(filter),
        }
    }
    FilterGroup {
        mode: group.mode,
        filters,
        groups,
    }
}

/// None of one type, for each of these.
fn of_other_types(types: &[String]) -> FilterGroup {
    let other = |name: &String| {
        let values = vec![Json::from(name.as_str())];
        let not_of_type =
            keys::filter("entity_type", FilterOperator::NotEq, FilterMode::Or, values);
        let apart = told_apart(name).map(negated);
        FilterGroup {
            mode: FilterMode::Or,
            filters: vec![not_of_type],
            groups: apart.into_iter().collect(),
        }
    };
    FilterGroup {
        mode: FilterMode::And,
        filters: Vec::new(),
        groups: types.iter().map(other).collect(),
    }
}

/// The opposite of a group that [`told_apart`] made.
fn negated(group: FilterGroup) -> FilterGroup {
    let opposite = |mode: FilterMode| match mode {
        FilterMode::And => FilterMode::Or,
        FilterMode::Or => FilterMode::And,
    };
    let negate = |filter: Filter| Filter {
        operator: match filter.operator {
            FilterOperator::Eq => FilterOperator::NotEq,
            _ => FilterOperator::Eq,
        },
        mode: opposite(filter.mode),
        ..filter
    };
    FilterGroup {
        mode: opposite(group.mode),
        filters: group.filters.into_iter().map(negate).collect(),
        groups: group.groups.into_iter().map(negated).collect(),
    }
}

/// Filters of relationships on the types of their ends, and on what that end is filtered instead.
const END_TYPES: [&str; 3] = ["fromTypes", "toTypes", "elementWithTargetTypes"];

/// The same as a filter of relationships, types of ends told apart where types of the graph are
/// shared.
pub(super) fn with_ends_told_apart(filter: Filter) -> FilterGroup {
    let ends: &[&str] = match filter.keys.first().map(String::as_str) {
        Some("fromTypes") => &["dynamicFrom"],
        Some("toTypes") => &["dynamicTo"],
        Some("elementWithTargetTypes") => &["dynamicFrom", "dynamicTo"],
        _ => return one(filter),
    };
    let names: Vec<String> = filter
        .values
        .iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect();
    if names.iter().all(|name| told_apart(name).is_none()) {
        return one(filter);
    }
    let any = to_json(&FilterGroup {
        mode: filter.mode,
        ..of_types(&names)
    });
    let at_end =
        |key: &&str| keys::filter(key, FilterOperator::Eq, FilterMode::Or, vec![any.clone()]);
    FilterGroup {
        mode: FilterMode::Or,
        filters: ends.iter().map(at_end).collect(),
        groups: Vec::new(),
    }
}

/// A group as clients write it.
fn to_json(group: &FilterGroup) -> Json {
    let mode = |mode: FilterMode| match mode {
        FilterMode::And => "and",
        FilterMode::Or => "or",
    };
    let filters = group.filters.iter().map(|filter| {
        json!({
            "key": filter.keys, "values": filter.values, "mode": mode(filter.mode),
            "operator": filter.operator.name(),
        })
    });
    json!({
        "mode": mode(group.mode),
        "filters": filters.collect::<Vec<_>>(),
        "filterGroups": group.groups.iter().map(to_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(group: &FilterGroup) -> String {
        to_json(group).to_string()
    }

    #[test]
    fn other_types_are_the_opposite_of_types() {
        let others = names(&of_other_types(&["City".to_owned()]));
        assert_eq!(
            others.matches(r#""operator":"not_eq""#).count(),
            2,
            "{others}"
        );
        assert!(!others.contains(r#""operator":"eq""#), "{others}");
        for name in [
            "City",
            "Individual",
            "Threat-Actor-Individual",
            "Threat-Actor-Group",
        ] {
            let group = told_apart(name);
            assert_eq!(group.clone().map(negated).map(negated), group, "{name}");
        }
    }

    #[test]
    fn types_of_ends_are_told_apart_at_their_end() {
        let of = |key: &str, name: &str| {
            let values = vec![Json::from(name)];
            names(&with_ends_told_apart(keys::filter(
                key,
                FilterOperator::Eq,
                FilterMode::Or,
                values,
            )))
        };
        assert!(of("fromTypes", "City").contains("dynamicFrom"));
        assert!(of("toTypes", "City").contains("dynamicTo"));
        let either = of("elementWithTargetTypes", "City");
        assert!(
            either.contains("dynamicFrom") && either.contains("dynamicTo"),
            "{either}"
        );
        assert!(!of("fromTypes", "Malware").contains("dynamicFrom"));
    }
}
