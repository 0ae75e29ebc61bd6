// SPDX-License-Identifier: Apache-2.0
//! The first objects of an organization.

use durward_catalog::Kind;
use durward_catalog::kinds::verb::ASSIGNED;
use durward_graph::store::{Operation, PutMode, Target};
use durward_model::{Namespace, Value};
use durward_policy::Rights;
use durward_vault::random;

use crate::IdentityError;
use crate::credential::property;
use crate::effective::SUSPENDED;
use crate::issue::named;
use crate::organization::{ORGANIZATION_KEY, ORGANIZATION_TYPE};
use crate::password::{EMAIL, PASSWORD_HASH};

/// Property of objects that a new organization has.
const BUILT_IN: &str = "builtIn";
const JUPITERONE_ACCOUNT: &str = "jupiterone_account";

/// Operations that make an account with a role; `position` others come before them.
pub(crate) fn account_operations(
    email: &str,
    password_hash: Option<String>,
    role: Target,
    position: usize,
) -> Result<Vec<Operation>, IdentityError> {
    let account = Operation::PutEntity {
        entity_type: Kind::USER.type_name().to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: format!("account:{}", random::hex::<8>()?),
        properties: named([
            (EMAIL, Value::from(email)),
            (property::NAME, Value::from(email)),
            (SUSPENDED, Value::from(false)),
            (
                PASSWORD_HASH,
                password_hash.map_or(Value::Null, Value::from),
            ),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    };
    let assignment = Operation::PutRelationship {
        from: Target::Result(position),
        verb: ASSIGNED.to_owned(),
        to: role,
        relationship_type: Kind::ASSIGNMENT.type_name().to_owned(),
        namespace: Namespace::durward(),
        key: None,
        properties: Vec::new(),
        mode: PutMode::Create,
    };
    Ok(vec![account, assignment])
}

/// Operation that makes a role.
pub(crate) fn role_operation(name: &str, rights: Rights) -> Operation {
    Operation::PutEntity {
        entity_type: Kind::ROLE.type_name().to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: format!("role:{}", name.to_lowercase()),
        properties: named([
            (property::NAME, Value::from(name)),
            (property::RIGHTS, Value::from(rights.names())),
            (BUILT_IN, Value::from(true)),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// Operation that makes the entity of the organization.
pub(crate) fn organization_operation(name: &str) -> Operation {
    Operation::PutEntity {
        entity_type: ORGANIZATION_TYPE.to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: ORGANIZATION_KEY.to_owned(),
        properties: named([
            (property::NAME, Value::from(name)),
            (SUSPENDED, Value::from(false)),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// Operation that makes the entity by which JupiterOne's clients find their account.
pub(crate) fn jupiterone_account_operation(name: &str) -> Operation {
    Operation::PutEntity {
        entity_type: JUPITERONE_ACCOUNT.to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: JUPITERONE_ACCOUNT.to_owned(),
        properties: named([(property::NAME, Value::from(name))]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// Operations that make the objects which every organization has, as the catalog says.
pub(crate) fn built_in_operations() -> Vec<Operation> {
    let of_kind = |kind: Kind| {
        let objects = kind.entry().built_in.iter().zip(1..);
        objects.map(move |(properties, number)| {
            let texts = properties.iter();
            let texts = texts.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
            Operation::PutEntity {
                entity_type: kind.type_name().to_owned(),
                classes: None,
                namespace: Namespace::durward(),
                key: format!("{}:built-in-{number}", kind.entry().name),
                properties: texts
                    .chain([(BUILT_IN.to_owned(), Value::from(true))])
                    .collect(),
                aliases: Vec::new(),
                mode: PutMode::Create,
            }
        })
    };
    Kind::all().flat_map(of_kind).collect()
}
