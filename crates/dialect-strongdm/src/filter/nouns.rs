// SPDX-License-Identifier: Apache-2.0
//! How the nouns that are entities lie in the graph.

use durward_access::{kind, resource_kind};
use durward_model::Value;

use super::{Branch, Fields};
use crate::contract::{Contract, Method};

impl Fields {
    /// The fields of the noun of a method, where that is an entity of the graph.
    pub fn of_method(contract: &Contract, method: &Method) -> Option<Self> {
        let noun = method.noun.as_ref()?;
        let locate = branch_of(noun.name())?;
        Some(Self::of(contract, noun, &method.id_prefix, locate))
    }
}

fn branch_of(noun: &str) -> Option<fn(&str) -> Option<Branch>> {
    Some(match noun {
        "Account" => account,
        "Group" => |_| Some(plain(kind::GROUP_TYPE)),
        "Role" => |_| Some(plain(kind::ROLE_TYPE)),
        "Policy" => |_| Some(plain(kind::POLICY_TYPE)),
        "Node" => |name| Some(node(name)),
        "Resource" => resource,
        _ => return None,
    })
}

fn plain(entity_type: &'static str) -> Branch {
    Branch {
        name: String::new(),
        entity_type,
        only: None,
        category: "",
    }
}

fn account(name: &str) -> Option<Branch> {
    let entity_type = match name {
        "user" => kind::USER_TYPE,
        "service" => kind::SERVICE_TYPE,
        "token" => durward_identity::credential::CREDENTIAL_TYPE,
        _ => return None,
    };
    let stored = durward_identity::CredentialKind::StrongdmKey.as_str();
    Some(Branch {
        name: name.to_owned(),
        only: (name == "token").then(|| ("kind", Value::from(stored))),
        ..plain(entity_type)
    })
}

fn node(name: &str) -> Branch {
    Branch {
        name: name.to_owned(),
        only: Some(("kind", Value::from(name))),
        ..plain(kind::NODE_TYPE)
    }
}

fn resource(name: &str) -> Option<Branch> {
    let known = resource_kind::named(name)?;
    Some(Branch {
        name: known.name.to_owned(),
        only: Some(("kind", Value::from(known.name))),
        category: category(known),
        ..plain(kind::RESOURCE_TYPE)
    })
}

/// What StrongDM calls a sort of resources.
pub(crate) fn category(known: &resource_kind::ResourceKind) -> &'static str {
    match known.class {
        "Host" | "NetworkEndpoint" => "server",
        "Cluster" => "cluster",
        "Application" => "website",
        "Account" | "Group" => "cloud",
        _ => "datasource",
    }
}
