// SPDX-License-Identifier: Apache-2.0
//! What OpenCTI's filter keys and type names mean in the graph.

use std::collections::{BTreeMap, BTreeSet};

use durward_intel::import::STIX_SOURCE;
use durward_intel::kinds;
use durward_model::Namespace;
use durward_query::filter_group::{Filter, FilterGroup, FilterMode, FilterOperator, KeyMeaning, KeyTable};
use durward_query::plan::Way;
use serde_json::{Value as Json, json};

use crate::context::RequestContext;
use crate::contracts;
use crate::opencti::names;
use crate::opencti::relationship::REFERENCE_VERBS;
use crate::opencti::user::USER_TYPES;

/// Internal key: the STIX type of a relationship, which only STIX relationships have.
pub(super) const STIX_RELATIONSHIP: &str = "__stix_relationship";

/// Attributes that OpenCTI knows and that are never stored here: filters on them find nothing.
const NEVER_STORED: [&str; 16] = [
    "authorized_members.id",
    "computed_reliability",
    "source_reliability",
    "creator_id",
    "creator",
    "opinionsMetrics",
    "pir_score",
    "workflow_id",
    "x_opencti_workflow_id",
    "objectAssignee",
    "objectParticipant",
    "objectOrganization",
    "members_user",
    "is_inferred",
    "rule",
    "refreshed_at",
];

/// Names that several properties stand behind.
const RENAMED: [(&str, &[&str]); 15] = [
    ("created_at", &["_createdOn"]),
    ("updated_at", &["_beginOn"]),
    ("alias", ALIASES),
    ("aliases", ALIASES),
    ("x_opencti_aliases", ALIASES),
    ("attribute_abstract", &["attribute_abstract", "abstract"]),
    ("indicator_pattern", &["pattern"]),
    ("representative", &["displayName"]),
    ("user_email", &["email"]),
    ("observable_value", &["value", "name", "path", "key", "displayName"]),
    ("collection_layers", &["collection_layers", "x_mitre_collection_layers"]),
    (
        "bulkSearchKeywords",
        &["name", "aliases", "x_opencti_aliases", "value", "url", "path", "displayName"],
    ),
    ("hash", &["hash"]),
    (STIX_RELATIONSHIP, &["relationship_type"]),
    ("attribute_count", &["attribute_count", "count"]),
];
const ALIASES: &[&str] = &["aliases", "x_opencti_aliases", "x_mitre_aliases"];

/// The meaning of all keys.
pub(super) fn table(context: &RequestContext) -> KeyTable {
    let stored = stored_properties(context);
    let stored = stored.iter().map(String::as_str);
    let mut table = KeyTable::default()
        .with_properties(contract_fields())
        .with_properties(stored)
        .with_properties(NEVER_STORED)
        // Types are told apart by it, whether or not an object has it yet.
        .with_properties(["x_opencti_type"]);
    for (key, properties) in RENAMED {
        let properties = properties.iter().map(|name| (*name).to_owned()).collect();
        table = table.with(key, KeyMeaning::Properties(properties));
    }
    for (key, verb, way) in [
        ("createdBy", kinds::CREATED_BY, Way::Out),
        ("objectMarking", kinds::MARKED, Way::Out),
        ("objectLabel", kinds::LABELED, Way::Out),
        ("externalReferences", kinds::REFERS, Way::Out),
        ("killChainPhases", kinds::IN_PHASE, Way::Out),
        ("objects", kinds::CONTAINS, Way::Out),
        ("objectContains", kinds::CONTAINS, Way::Out),
        ("containers", kinds::CONTAINS, Way::In),
        ("sightedBy", kinds::SIGHTED, Way::Out),
        ("toSightingId", kinds::SIGHTED, Way::Out),
    ] {
        table = table.with_reference(key, verb, way);
    }
    for (key, meaning) in [
        ("id", KeyMeaning::Ids),
        ("ids", KeyMeaning::Ids),
        ("internal_id", KeyMeaning::Ids),
        ("standard_id", KeyMeaning::Ids),
        ("x_opencti_stix_ids", KeyMeaning::Ids),
        ("entity_type", KeyMeaning::EntityType),
        ("relationship_type", KeyMeaning::RelationshipType),
        ("fromId", KeyMeaning::FromId),
        ("toId", KeyMeaning::ToId),
        ("fromOrToId", KeyMeaning::FromOrToId),
        ("fromTypes", KeyMeaning::FromTypes),
        ("toTypes", KeyMeaning::ToTypes),
        ("elementWithTargetTypes", KeyMeaning::FromOrToTypes),
        ("regardingOf", KeyMeaning::RegardingOf),
        ("dynamicRegardingOf", KeyMeaning::DynamicRegardingOf),
        ("dynamicFrom", KeyMeaning::DynamicFrom),
        ("dynamicTo", KeyMeaning::DynamicTo),
        ("connectedToId", KeyMeaning::ConnectedTo),
    ] {
        table = table.with(key, meaning);
    }
    table.types = types();
    table.verbs = verbs(context);
    table.namespaces = vec![Namespace::new(STIX_SOURCE, "")];
    table
}

/// Names of all fields of the contract's types: the attributes that a filter may name.
fn contract_fields() -> BTreeSet<&'static str> {
    let lines = contracts::OPENCTI.lines().filter_map(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split(['(', ':']).next()).map(str::trim);
    names.filter(|name| !name.is_empty() && !name.contains(' ')).collect()
}

/// Properties that STIX objects and relationships of the graph have.
fn stored_properties(context: &RequestContext) -> BTreeSet<String> {
    let view = &context.view;
    let types = view.types().into_iter();
    let types = types.filter(|type_id| names::kind_of(view.type_name(*type_id)).is_some());
    let of_types = types.flat_map(|type_id| view.properties_of_type(type_id));
    of_types.map(|property| view.property_name(property).to_owned()).collect()
}

/// Graph types by the names of OpenCTI's types, concrete and abstract.
fn types() -> BTreeMap<String, Vec<String>> {
    let mut types = BTreeMap::from([("user".to_owned(), USER_TYPES.map(str::to_owned).to_vec())]);
    for kind in kinds::KINDS {
        for name in names::possible_names(kind) {
            let parents = names::parent_types(name, kind.sort).into_iter();
            for known in parents.chain([name, kind.stix_type]) {
                let own: &mut Vec<String> = types.entry(known.to_lowercase()).or_default();
                let graph_type = kinds::entity_type(kind.stix_type);
                if !own.contains(&graph_type) {
                    own.push(graph_type);
                }
            }
        }
    }
    types
}

/// Verbs by the names of relationship types that are not simply their capitals.
fn verbs(context: &RequestContext) -> BTreeMap<String, Vec<String>> {
    let mut verbs: BTreeMap<String, Vec<String>> = REFERENCE_VERBS
        .iter()
        .map(|(verb, name)| ((*name).to_owned(), vec![(*verb).to_owned()]))
        .collect();
    verbs.insert("stix-sighting-relationship".to_owned(), vec![kinds::SIGHTED.to_owned()]);
    let view = &context.view;
    let mut core: Vec<String> =
        view.triples().iter().map(|triple| view.verb_name(triple.verb).to_owned()).collect();
    core.retain(|verb| {
        verb != kinds::SIGHTED && !REFERENCE_VERBS.iter().any(|(reference, _)| reference == verb)
    });
    core.sort();
    core.dedup();
    for parent in names::RELATIONSHIP_PARENTS {
        verbs.insert(parent.to_owned(), core.clone());
    }
    verbs
}

/// One filter on one key.
pub(super) fn filter(
    key: &str,
    operator: FilterOperator,
    mode: FilterMode,
    values: Vec<Json>,
) -> Filter {
    Filter { keys: vec![key.to_owned()], values, operator, mode }
}

/// Groups that must all hold.
pub(super) fn all(groups: Vec<FilterGroup>) -> FilterGroup {
    FilterGroup { mode: FilterMode::And, filters: Vec::new(), groups }
}

/// The filter that tells an OpenCTI type apart from others of the same type of the graph:
/// identities, locations and threat actors.
pub(super) fn told_apart(opencti: &str) -> Option<FilterGroup> {
    let equal = |key: &str, value: &str| {
        one(filter(key, FilterOperator::Eq, FilterMode::Or, vec![value.into()]))
    };
    let individual = || FilterGroup {
        mode: FilterMode::Or,
        filters: Vec::new(),
        groups: vec![
            equal("x_opencti_type", "Threat-Actor-Individual"),
            equal("resource_level", "individual"),
        ],
    };
    Some(match opencti.to_ascii_lowercase().as_str() {
        "organization" => equal("identity_class", "organization"),
        "sector" => equal("identity_class", "class"),
        "system" => equal("identity_class", "system"),
        "securityplatform" => equal("identity_class", "securityplatform"),
        "individual" => {
            let others = ["organization", "class", "system", "securityplatform"];
            let others = others.iter().map(|class| Json::from(*class)).collect();
            one(filter("identity_class", FilterOperator::NotEq, FilterMode::And, others))
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
    filter(key, FilterOperator::NotEq, FilterMode::Or, vec![value.into()])
}

fn one(filter: Filter) -> FilterGroup {
    FilterGroup { mode: FilterMode::And, filters: vec![filter], groups: Vec::new() }
}

/// Any of these types, those that share a type of the graph told apart.
pub(super) fn of_types(types: &[String]) -> FilterGroup {
    let of_type = |name: &String| {
        let values = vec![Json::from(name.as_str())];
        let mut group = one(filter("entity_type", FilterOperator::Eq, FilterMode::Or, values));
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
    let mut groups: Vec<FilterGroup> =
        group.groups.into_iter().map(with_types_told_apart).collect();
    let mut filters = Vec::new();
    for filter in group.filters {
        let names: Vec<String> =
            filter.values.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        let is_shared = names.iter().any(|name| told_apart(name).is_some());
        match (filter.keys.as_slice(), filter.operator) {
            ([key], FilterOperator::Eq) if is_shared && key == "entity_type" => {
                groups.push(FilterGroup { mode: filter.mode, ..of_types(&names) });
            }
            ([key], FilterOperator::NotEq) if is_shared && key == "entity_type" => {
                groups.push(FilterGroup { mode: filter.mode, ..of_other_types(&names) });
            }
            ([key], FilterOperator::Eq) if is_shared && END_TYPES.contains(&key.as_str()) => {
                groups.push(with_ends_told_apart(filter));
            }
            _ => filters.push(filter),
        }
    }
    FilterGroup { mode: group.mode, filters, groups }
}

/// None of one type, for each of these.
fn of_other_types(types: &[String]) -> FilterGroup {
    let other = |name: &String| {
        let values = vec![Json::from(name.as_str())];
        let not_of_type = filter("entity_type", FilterOperator::NotEq, FilterMode::Or, values);
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
    let names: Vec<String> =
        filter.values.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    if names.iter().all(|name| told_apart(name).is_none()) {
        return one(filter);
    }
    let any = to_json(&FilterGroup { mode: filter.mode, ..of_types(&names) });
    let at_end = |key: &&str| {
        self::filter(key, FilterOperator::Eq, FilterMode::Or, vec![any.clone()])
    };
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
        assert_eq!(others.matches(r#""operator":"not_eq""#).count(), 2, "{others}");
        assert!(!others.contains(r#""operator":"eq""#), "{others}");
        for name in ["City", "Individual", "Threat-Actor-Individual", "Threat-Actor-Group"] {
            let group = told_apart(name);
            assert_eq!(group.clone().map(negated).map(negated), group, "{name}");
        }
    }

    #[test]
    fn types_of_ends_are_told_apart_at_their_end() {
        let of = |key: &str, name: &str| {
            let values = vec![Json::from(name)];
            names(&with_ends_told_apart(filter(key, FilterOperator::Eq, FilterMode::Or, values)))
        };
        assert!(of("fromTypes", "City").contains("dynamicFrom"));
        assert!(of("toTypes", "City").contains("dynamicTo"));
        let either = of("elementWithTargetTypes", "City");
        assert!(either.contains("dynamicFrom") && either.contains("dynamicTo"), "{either}");
        assert!(!of("fromTypes", "Malware").contains("dynamicFrom"));
    }
}
