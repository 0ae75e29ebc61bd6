// SPDX-License-Identifier: Apache-2.0
//! The contracts that the product ships.

use super::super::OperationKind;
use super::super::document::Prepared;
use super::super::schema::Schema;

const DURWARD: &str = include_str!("../../../../../contracts/graphql/durward.graphql");
const JUPITERONE: &str = include_str!("../../../../../contracts/graphql/jupiterone.graphql");
const OPENCTI: &str = include_str!("../../../../../contracts/graphql/opencti.graphql");

#[track_caller]
fn accepts(schema: &Schema, document: &str) {
    if let Err(refused) = Prepared::new(schema, document) {
        panic!("{document}\n{refused:?}");
    }
}

#[test]
fn no_root_field_belongs_to_two_dialects() {
    let schemas = [OPENCTI, JUPITERONE, DURWARD].map(|sdl| Schema::parse(sdl, "contract").unwrap());
    for kind in [OperationKind::Query, OperationKind::Mutation] {
        let mut all: Vec<&str> = Vec::new();
        for schema in &schemas {
            all.extend(schema.root_fields(kind));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

#[test]
fn opencti_accepts_what_its_client_asks() {
    let schema = Schema::parse(OPENCTI, "opencti").unwrap();
    assert!(
        schema
            .possible_types("StixDomainObject")
            .contains(&"IntrusionSet")
    );
    assert_eq!(schema.enum_values("OrderingMode"), ["asc", "desc"]);
    accepts(&schema, "query healthCheck { about { version } }");
    accepts(
        &schema,
        "query IntrusionSets($filters: FilterGroup, $search: String, $first: Int, $after: ID,
                $orderBy: IntrusionSetsOrdering, $orderMode: OrderingMode) {
           intrusionSets(filters: $filters, search: $search, first: $first, after: $after,
                orderBy: $orderBy, orderMode: $orderMode) {
             edges { node { id standard_id entity_type parent_types name
               createdBy {
                 ... on Identity { id name ... on Organization { x_opencti_reliability } }
               }
               objectMarking { id definition } objectLabel { id value }
               externalReferences { edges { node { id url } } } } }
             pageInfo { startCursor endCursor hasNextPage hasPreviousPage globalCount } } }",
    );
    accepts(
        &schema,
        "query StixCoreRelationship($id: String!) { stixCoreRelationship(id: $id) {
           id relationship_type from { ... on BasicObject { id entity_type }
             ... on AttackPattern { name } ... on Malware { name } }
           to { ... on BasicObject { id } } } }",
    );
    accepts(
        &schema,
        "mutation MalwareAdd($input: MalwareAddInput!) {
           malwareAdd(input: $input) { id standard_id entity_type parent_types } }",
    );
    accepts(
        &schema,
        "mutation StixDomainObjectEdit($id: ID!, $input: [EditInput]!) {
           stixDomainObjectEdit(id: $id) { fieldPatch(input: $input) { id standard_id } } }",
    );
}

#[test]
fn jupiterone_accepts_what_its_clients_ask() {
    let schema = Schema::parse(JUPITERONE, "jupiterone").unwrap();
    accepts(
        &schema,
        "query J1QL_v2($query: String!, $variables: JSON, $flags: QueryV1Flags,
                $includeDeleted: Boolean, $cursor: String) {
           queryV1(query: $query, variables: $variables, deferredResponse: DISABLED, flags: $flags,
                includeDeleted: $includeDeleted, cursor: $cursor) {
             type data cursor __typename } }",
    );
    accepts(
        &schema,
        "query($q: String!, $d: DeferredResponseOption, $s: [JSON!], $at: DateTime) {
           queryV1(query: $q, deferredResponse: $d, scopeFilters: $s, at: $at) { type url } }",
    );
    accepts(
        &schema,
        "mutation CreateEntity($entityKey: String!, $entityType: String!, $entityClass: [String!]!,
                $properties: JSON) {
           createEntity(entityKey: $entityKey, entityType: $entityType, entityClass: $entityClass,
                properties: $properties) { entity { _id } vertex { id entity { _id } } } }",
    );
    accepts(
        &schema,
        "mutation($t: TokenInput!) { createToken(token: $t) { id token name policy revoked } }",
    );
    accepts(
        &schema,
        "query($i: Boolean!) { findIntegrationDefinition(integrationType: \"x\") { id
           configFields @include(if: $i) { key configFields { key configFields { key } } } } }",
    );
}

#[test]
fn the_native_contract_reads_any_instant() {
    let schema = Schema::parse(DURWARD, "durward").unwrap();
    accepts(
        &schema,
        "query($at: DateTime) {
           organization(at: $at) { id name sequence }
           classes(at: $at) { name count } types(at: $at) { name } verbs(at: $at) { name }
           triplets(at: $at) { from verb to count } properties(type: \"user\", at: $at) { name }
           entity(id: \"x\", at: $at) { id properties
             relationships(direction: OUT) { nodes { verb to { ... on Entity { type } } } } }
           entities(class: \"User\", first: 3, at: $at) { nodes { id } pageInfo { endCursor } }
           query(j1ql: \"FIND User\", at: $at) { data cursor }
           auditTrail(first: 3) { nodes { hash } } }",
    );
    let roots = schema.root_fields(OperationKind::Query);
    for root in roots {
        let arguments = &schema.compiled().get_object("Query").unwrap().fields[root].arguments;
        assert!(
            arguments.iter().any(|each| each.name == "at"),
            "{root} has no `at`"
        );
    }
}
