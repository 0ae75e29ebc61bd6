// SPDX-License-Identifier: Apache-2.0
//! Names of entities in Cedar, and which types the kinds of resources have.

use std::str::FromStr;
use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

/// The id that stands for every entity of its type.
pub(super) const ANY: &str = "*";

/// Longest name of a type of entities: Cedar's parser reads it.
const NAME_BYTES_MAX: usize = 512;

/// The entity that every entity of a type is in.
pub(super) fn any_of(kind: &EntityTypeName) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(ANY))
}

/// A text that is no name of a type of entities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a type of entities such as Postgres::Database")]
pub struct NotAnEntityType {
    /// The text, shortened.
    pub text: String,
}

/// The name of an entity as policies write it, such as `Postgres::Table::"orders"`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CedarName(pub(super) EntityUid);

impl CedarName {
    /// An entity of a type such as `Postgres::Table`.
    pub fn new(entity_type: &str, id: &str) -> Result<Self, NotAnEntityType> {
        let wrong = || NotAnEntityType {
            text: entity_type.chars().take(64).collect(),
        };
        if entity_type.len() > NAME_BYTES_MAX {
            return Err(wrong());
        }
        let kind = EntityTypeName::from_str(entity_type).map_err(|_| wrong())?;
        Ok(Self(EntityUid::from_type_name_and_id(
            kind,
            EntityId::new(id),
        )))
    }

    /// `StrongDM::Action::"connect"`: to reach a resource at all.
    pub fn connect() -> Option<Self> {
        CONNECT.clone()
    }
}

impl std::fmt::Debug for CedarName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl std::fmt::Display for CedarName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

static CONNECT: LazyLock<Option<CedarName>> =
    LazyLock::new(|| CedarName::new("StrongDM::Action", "connect").ok());

/// The types of Durward's own entities.
pub(super) struct Types {
    pub(super) account: EntityTypeName,
    pub(super) role: EntityTypeName,
    pub(super) group: EntityTypeName,
    pub(super) resource: EntityTypeName,
    pub(super) tags: EntityTypeName,
    pub(super) external_role: EntityTypeName,
    pub(super) external_group: EntityTypeName,
    kinds: Vec<(&'static str, EntityTypeName)>,
}

/// Kinds of resources by how their names begin, the longer ones first where they overlap, and the
/// type of the thing that lies behind.
const KINDS: [(&str, &str); 43] = [
    ("azure_postgres", "Postgres::Database"),
    ("azure_mysql", "MySQL::Database"),
    ("aurora_postgres", "Postgres::Database"),
    ("aurora_mysql", "MySQL::Database"),
    ("rds_postgres", "Postgres::Database"),
    ("mtls_postgres", "Postgres::Database"),
    ("mtls_mysql", "MySQL::Database"),
    ("postgres", "Postgres::Database"),
    ("greenplum", "Postgres::Database"),
    ("cockroach", "Postgres::Database"),
    ("redshift", "Postgres::Database"),
    ("citus", "Postgres::Database"),
    ("mysql", "MySQL::Database"),
    ("clustrix", "MySQL::Database"),
    ("maria", "MySQL::Database"),
    ("memsql", "MySQL::Database"),
    ("single_store", "MySQL::Database"),
    ("click_house_my_sql", "MySQL::Database"),
    ("click_house", "ClickHouse::Database"),
    ("mongo", "Mongo::Database"),
    ("document_db", "Mongo::Database"),
    ("sql_server", "SQLServer::Database"),
    ("oracle", "Oracle::Database"),
    ("redis", "Redis::Database"),
    ("elasticache", "Redis::Database"),
    ("snow", "Snowflake::Database"),
    ("db_2", "DB2::Database"),
    ("big_query", "BigQuery::Database"),
    ("athena", "Athena::Database"),
    ("presto", "Trino::Database"),
    ("trino", "Trino::Database"),
    ("ssh", "SSH::Server"),
    ("rdp", "RDP::Server"),
    ("kubernetes", "Kubernetes::Cluster"),
    ("amazon_eks", "Kubernetes::Cluster"),
    ("google_gke", "Kubernetes::Cluster"),
    ("aks", "Kubernetes::Cluster"),
    ("http", "HTTP::Website"),
    ("aws", "AWS::Account"),
    ("gcp", "GCP::Project"),
    ("azure", "Azure::Tenant"),
    ("mcp", "MCP::Server"),
    ("llm", "LLM::Model"),
];

/// The types; none only if one of the names above were not a name, which a test rules out.
pub(super) fn types() -> Option<&'static Types> {
    static TYPES: LazyLock<Option<Types>> = LazyLock::new(|| {
        let named = |name: &str| EntityTypeName::from_str(name).ok();
        let kinds = KINDS
            .iter()
            .map(|(kind, name)| Some((*kind, named(name)?)))
            .collect::<Option<Vec<_>>>()?;
        Some(Types {
            account: named("StrongDM::Account")?,
            role: named("StrongDM::Role")?,
            group: named("StrongDM::Group")?,
            resource: named("StrongDM::Resource")?,
            tags: named("StrongDM::Tags")?,
            external_role: named("External::Role")?,
            external_group: named("External::Group")?,
            kinds,
        })
    });
    TYPES.as_ref()
}

impl Types {
    /// The type of what lies behind a kind of resource.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&EntityTypeName> {
        let (_, name) = self
            .kinds
            .iter()
            .find(|(begin, _)| kind.starts_with(begin))?;
        Some(name)
    }
}

pub(super) fn entity(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}
