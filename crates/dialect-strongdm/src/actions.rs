// SPDX-License-Identifier: Apache-2.0
//! What is asked of the caller of each method: the actions of the kinds that a service is about,
//! and what `contracts/strongdm/actions.toml` says.

use std::collections::BTreeMap;

use durward_access::{Kind, action};
use durward_policy::Action;
use serde::Deserialize;

use crate::contract::{ContractError, Verb};
use crate::services::objects;

const CONTRACT: &str = include_str!("../../../contracts/strongdm/actions.toml");
/// What the services of histories end with.
const HISTORY: &str = "History";

/// What the contract says beside the catalog, by method. What is asked for is taken out.
pub(crate) struct Actions(BTreeMap<String, Vec<Action>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    methods: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    action: String,
}

impl Actions {
    /// Reads the contract.
    pub(crate) fn read() -> Result<Self, ContractError> {
        let file: File = toml::from_str(CONTRACT).map_err(|error| ContractError::Actions {
            reason: error.to_string(),
        })?;
        let mut methods: BTreeMap<String, Vec<Action>> = BTreeMap::new();
        for Row { name, action } in file.methods {
            let known = Action::named(&action);
            let known = known.ok_or_else(|| wrong(&name, &format!("no action is {action:?}")))?;
            methods.entry(name).or_default().push(known);
        }
        Ok(Self(methods))
    }

    /// The actions of a method, of which any lets a caller through.
    pub(crate) fn take(
        &mut self,
        service: &str,
        method: &str,
        verb: Verb,
    ) -> Result<Vec<Action>, ContractError> {
        let name = format!("{service}.{method}");
        let mut actions = of_kinds(service, verb);
        actions.extend(self.0.remove(&name).unwrap_or_default());
        if actions.is_empty() {
            return Err(wrong(&name, "it names no action"));
        }
        Ok(actions)
    }

    /// Refuses rows that are about no method.
    pub(crate) fn check_all_taken(&self) -> Result<(), ContractError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(wrong(name, "there is no such method")),
        }
    }
}

/// What the catalog asks for, where a service is about kinds of core objects.
fn of_kinds(service: &str, verb: Verb) -> Vec<Action> {
    let of_objects = objects::named(service);
    let past = || objects::named(service.strip_suffix(HISTORY)?);
    let (kinds, asked): (_, fn(Kind) -> Action) = match (of_objects, verb) {
        (Some(service), Verb::Create) => (&service.kinds, action::create),
        (Some(service), Verb::Update) => (&service.kinds, action::update),
        (Some(service), Verb::Delete) => (&service.kinds, action::delete),
        (Some(service), Verb::Get | Verb::List) => (&service.kinds, action::read),
        (None, Verb::List) => match past() {
            Some(service) => (&service.kinds, action::history),
            None => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    kinds.iter().map(|kind| asked(*kind)).collect()
}

fn wrong(method: &str, reason: &str) -> ContractError {
    ContractError::Actions {
        reason: format!("{method}: {reason}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_speaks_for_services_of_objects() {
        let mut actions = Actions::read().unwrap();
        let mut take = |service: &str, method: &str, verb| actions.take(service, method, verb);
        let roles = take("Roles", "Delete", Verb::Delete).unwrap();
        assert_eq!(roles, [Action::RoleDelete]);
        let past = take("RolesHistory", "List", Verb::List).unwrap();
        assert_eq!(past, [Action::AuditRoles]);
        let accounts = take("Accounts", "Delete", Verb::Delete).unwrap();
        assert!(accounts.contains(&Action::UserDelete));
        assert!(accounts.contains(&Action::OwnTokenDelete));
        let enumerate = take("Resources", "EnumerateTags", Verb::Other).unwrap();
        assert_eq!(enumerate, [Action::ResourceList]);
    }

    #[test]
    fn a_method_without_an_action_is_a_defect() {
        let mut actions = Actions::read().unwrap();
        let error = actions.take("Roles", "Steal", Verb::Other).unwrap_err();
        assert!(error.to_string().contains("Roles.Steal"), "{error}");
        let error = actions.check_all_taken().unwrap_err();
        assert!(error.to_string().contains("no such method"), "{error}");
    }
}
