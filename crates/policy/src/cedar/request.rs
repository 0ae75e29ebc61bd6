// SPDX-License-Identifier: Apache-2.0
//! What a decision is asked about: who wants to do what to which resource, and when.

use std::collections::BTreeMap;
use std::net::IpAddr;

use durward_model::Instant;

use super::CedarName;

/// An account, as policies see it: `principal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CedarPrincipal {
    /// Id as policies write it, such as `a-0123456789abcdef`.
    pub id: String,
    /// `user` or `service`: `principal.accountType`.
    pub account_type: String,
    /// `principal.name`.
    pub name: String,
    /// `principal.email`; empty for services.
    pub email: String,
    /// `principal.externalId`; empty where there is none.
    pub external_id: String,
    /// `principal.permissionLevel`, such as `admin`.
    pub permission_level: String,
    /// Whether another system provisions the account: `principal.isManagedUser`.
    pub is_managed: bool,
    /// Ids of its groups: `principal in StrongDM::Group::"group-…"`.
    pub groups: Vec<String>,
    /// Ids of its roles, those of its groups too: `principal in StrongDM::Role::"r-…"`.
    pub roles: Vec<String>,
    /// Names of its groups elsewhere: `principal in External::Group::"…"`.
    pub external_groups: Vec<String>,
    /// Names of its roles elsewhere: `principal in External::Role::"…"`.
    pub external_roles: Vec<String>,
    /// `principal.tags.env`, `principal.tags.getTag("env")`, `principal.getTag("env")`.
    pub tags: BTreeMap<String, String>,
}

/// A resource, as policies see it: `resource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CedarResource {
    /// Id as policies write it, such as `rs-0123456789abcdef`.
    pub id: String,
    /// StrongDM's name of its kind, such as `postgres`: `resource.kind`.
    pub kind: String,
    /// `resource.name`.
    pub name: String,
    /// `resource.hostname`; empty where there is none.
    pub hostname: String,
    /// `resource.port`; 0 where there is none.
    pub port: i64,
    /// `resource.tags.env`, `resource.sdm.getTag("env")`, and so on.
    pub tags: BTreeMap<String, String>,
    /// Things in it that are acted upon, the innermost first, such as `Postgres::Table::"orders"`.
    pub objects: Vec<CedarName>,
}

/// The circumstances, as policies see them: `context`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CedarContext {
    /// The moment of the decision: `context.now`, `context.utcNow.minuteOfDay`.
    pub now: Instant,
    /// Where the request comes from, if known: `context.network.clientIp`.
    pub source_address: Option<IpAddr>,
}

/// A question to a [`super::PolicySet`].
#[derive(Clone, Copy, Debug)]
pub struct CedarRequest<'a> {
    /// Who.
    pub principal: &'a CedarPrincipal,
    /// What, such as `StrongDM::Action::"connect"` or `SQL::Action::"select"`.
    pub action: &'a CedarName,
    /// To which resource.
    pub resource: &'a CedarResource,
    /// Under which circumstances.
    pub context: CedarContext,
}
