// SPDX-License-Identifier: Apache-2.0
//! How the nouns that are entities lie in the graph.

use durward_access::{Kind, resource_kind};
use durward_catalog::StrongdmName;
use durward_catalog::kinds::property;
use durward_model::Value;

use super::{Branch, Fields};
use crate::contract::{Contract, Method};
use crate::services::objects::{self, ObjectService};

impl Fields {
    /// The fields of the noun of a method, where that is an entity of the graph.
    pub fn of_method(contract: &Contract, method: &Method) -> Option<Self> {
        let noun = method.noun.as_ref()?;
        let service = objects::named(&method.service)?;
        if service.kinds.iter().any(|kind| kind.is_relationship()) {
            return None;
        }
        let locate = |name: &str| branch(service, name);
        Some(Self::of(contract, noun, &method.id_prefix, locate))
    }
}

/// How the branch of a name lies in the graph; the name is empty for the only one.
fn branch(service: &ObjectService, name: &str) -> Option<Branch> {
    let plain = |entity_type| Branch {
        name: name.to_owned(),
        entity_type,
        only: None,
        category: "",
    };
    let mut names = service.names();
    let of_kind = |(_, of_kind): &(Kind, &'static StrongdmName)| {
        of_kind.branch == name || !of_kind.branch_property.is_empty()
    };
    let Some((kind, of_kind)) = names.find(of_kind) else {
        let stored = durward_identity::CredentialKind::StrongdmKey.as_str();
        return (name == "token").then(|| Branch {
            only: Some((property::KIND, Value::from(stored))),
            ..plain(durward_catalog::CREDENTIAL)
        });
    };
    let property = of_kind.branch_property.as_str();
    let only = (!property.is_empty()).then(|| (property, Value::from(name)));
    let category = if kind == Kind::RESOURCE {
        category(resource_kind::named(name)?)
    } else {
        ""
    };
    Some(Branch {
        only,
        category,
        ..plain(kind.type_name())
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
