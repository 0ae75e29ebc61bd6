// SPDX-License-Identifier: Apache-2.0
//! What OpenCTI's filter keys and type names mean in the graph.

mod attributes;

use std::collections::{BTreeMap, BTreeSet};

use durward_catalog::{Kind, OPENCTI_TYPE, stix};
use durward_intel::import::STIX_SOURCE;
use durward_intel::kinds;
use durward_model::Namespace;
use durward_query::filter_group::{
    Filter, FilterGroup, FilterMode, FilterOperator, KeyMeaning, KeyTable, KindsWithin,
};
use durward_query::plan::Way;
use serde_json::Value as Json;

use crate::CONTRACT;
use crate::keys::attributes::{NEVER_STORED, RENAMED};
use crate::relationship::REFERENCE_VERBS;
use crate::user::user_types;
use crate::{names, shown};
use durward_graphql::context::RequestContext;

/// Internal key: the STIX type of a relationship, which only STIX relationships have.
pub(super) const STIX_RELATIONSHIP: &str = "__stix_relationship";

/// Internal key: the start of a relationship, which an end that is no relationship has not.
pub(super) const RELATIONSHIP_END: &str = "__start_of_end";
/// Name of the abstract type of all STIX objects.
pub(super) const STIX_OBJECT: &str = "Stix-Object";

/// The meaning of all keys in lists whose rows are of these types of the contract.
pub(super) fn table(context: &RequestContext, types_of_rows: &[&str]) -> KeyTable {
    let stored = stored_properties(context);
    let stored = stored.iter().map(String::as_str);
    let mut table = KeyTable::default()
        .with_properties(contract_fields())
        .with_properties(stored)
        .with_properties(NEVER_STORED);
    table.keys.extend(shown::meanings(types_of_rows));
    let name = table.keys.get("name").cloned();
    table
        .keys
        .extend(name.map(|name| ("representative".to_owned(), name)));
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
    let kinds = names::told_apart();
    table.within = KindsWithin {
        property: OPENCTI_TYPE.to_owned(),
        kinds: kinds
            .map(|(of, name)| (name.to_lowercase(), (of.to_owned(), name.to_owned())))
            .collect(),
    };
    table.verbs = verbs(context);
    table.namespaces = vec![Namespace::new(STIX_SOURCE, "")];
    table
}

/// Names of all fields of the contract's types: the attributes that a filter may name.
fn contract_fields() -> BTreeSet<&'static str> {
    let lines = CONTRACT.lines().filter_map(|line| line.strip_prefix("  "));
    let names = lines
        .filter_map(|line| line.split(['(', ':']).next())
        .map(str::trim);
    names
        .filter(|name| !name.is_empty() && !name.contains(' '))
        .collect()
}

/// Properties that STIX objects and relationships of the graph have.
fn stored_properties(context: &RequestContext) -> BTreeSet<String> {
    let view = &context.view;
    let types = view.types().into_iter();
    let types = types.filter(|type_id| stix::of_entity_type(view.type_name(*type_id)).is_some());
    let of_types = types.flat_map(|type_id| view.properties_of_type(type_id));
    of_types
        .map(|property| view.property_name(property).to_owned())
        .collect()
}

/// Graph types by the names of OpenCTI's types, concrete and abstract; those that are told apart
/// within a type mean less than it.
fn types() -> BTreeMap<String, Vec<String>> {
    let mut types = BTreeMap::from([(
        Kind::USER.opencti().to_lowercase(),
        user_types().map(str::to_owned).to_vec(),
    )]);
    for known in stix::types() {
        let whole = known.told.is_none().then_some(&known.opencti);
        let whole = whole.into_iter().flatten();
        for name in known.parents.iter().chain(whole).chain([&known.name]) {
            let own: &mut Vec<String> = types.entry(name.to_lowercase()).or_default();
            if !own.contains(&known.entity_type) {
                own.push(known.entity_type.clone());
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
    verbs.insert(
        "stix-sighting-relationship".to_owned(),
        vec![kinds::SIGHTED.to_owned()],
    );
    let view = &context.view;
    let mut core: Vec<String> = view
        .triples()
        .iter()
        .map(|triple| view.verb_name(triple.verb).to_owned())
        .collect();
    core.retain(|verb| {
        verb != kinds::SIGHTED
            && !REFERENCE_VERBS
                .iter()
                .any(|(reference, _)| reference == verb)
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
    Filter {
        keys: vec![key.to_owned()],
        values,
        operator,
        mode,
    }
}

/// Groups that must all hold.
pub(super) fn all(groups: Vec<FilterGroup>) -> FilterGroup {
    FilterGroup {
        mode: FilterMode::And,
        filters: Vec::new(),
        groups,
    }
}
