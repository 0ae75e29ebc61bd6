// SPDX-License-Identifier: Apache-2.0
//! Why somebody may or may not do something, at any instant.

use durward_catalog::ids;
use durward_catalog::kinds::property;
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::Instant;
use durward_policy::{
    AccountState, Action, CedarName, Context, Explanation, GrantPath, Object as PolicyObject,
    PathStep, Principal, Question, Rights,
};

use crate::access::{Sight, living};
use crate::effective::{AccessPath, Via, all_paths_between};
use crate::{Access, AccessError, Kind, reader};

/// The object of questions about rights: the organization as a whole.
pub const ORGANIZATION: &str = "organization";
/// Entity type of the action that a name alone means.
const ACTION_TYPE: &str = "StrongDM::Action";
/// That action.
const CONNECT: &str = "connect";

impl Access {
    /// Explains whether an account may take an action on an object, as of an instant.
    ///
    /// `principal` is an e-mail address, a name or an id of an account. `action` is an action of
    /// policies (`connect`, `SQL::Action::"select"`) on a resource, named by name or id; or a
    /// built-in action (`role:create`) on `organization`.
    ///
    /// # Errors
    /// When the caller may not see effective access, or something that is named is not there.
    pub fn explain(
        &self,
        caller: &Caller,
        question: &Question,
        at: Option<Instant>,
    ) -> Result<Explanation, AccessError> {
        caller.require_action(Action::EntitlementsRead)?;
        let (view, at) = self.moment(at);
        let account = self.account_named(caller, &view, &question.principal)?;
        if question.object == ORGANIZATION {
            let action = Action::named(&question.action).ok_or_else(|| {
                let reason = format!("{:?} is not one on the organization", question.action);
                AccessError::invalid("the action", reason)
            })?;
            let principal = self.principal_of(&view, account)?;
            let object = PolicyObject::Organization;
            let context = Context { now: at };
            return Ok(Explanation::of_action(
                question, &principal, action, object, &context,
            ));
        }
        let action = action_named(&question.action)?;
        let resource = resource_named(caller, &view, &question.object)?;
        let paths = all_paths_between(&view, account, resource);
        let paths: Vec<GrantPath> = paths.iter().map(|path| told(&view, path)).collect();
        let verdict = self.verdict(&view, account, &action, resource, at);
        let state = AccountState {
            suspended: reader::flag(&view, account, property::SUSPENDED),
            credential_ends: None,
        };
        Ok(Explanation::of_access(
            question, state, &paths, &verdict, at,
        ))
    }

    /// The account of this e-mail address, name or id that the caller may see.
    ///
    /// # Errors
    /// When there is none.
    pub fn account_named(
        &self,
        caller: &Caller,
        view: &View,
        name: &str,
    ) -> Result<EntityRef, AccessError> {
        let kinds = [Kind::USER, Kind::SERVICE];
        let found =
            ids::parse_any(view.id_cipher(), name).and_then(|id| reader::entity(view, id, &kinds));
        let found = found.or_else(|| {
            let users = named(view, Kind::USER, property::EMAIL, name);
            users.or_else(|| named(view, Kind::SERVICE, property::DISPLAY_NAME, name))
        });
        seen(caller, view, found, "account")
    }

    /// An account with all that it may do, as if it used a credential without limits of its own.
    fn principal_of(&self, view: &View, account: EntityRef) -> Result<Principal, AccessError> {
        let organization = self.organization();
        Ok(Principal {
            account: view.entity_id(account),
            account_suspended: reader::flag(view, account, property::SUSPENDED),
            account_rights: organization.rights_of_account(view, account)?,
            credential_rights: Rights::ALL,
            policies: Vec::new(),
            expires_at: None,
            organization: organization.id().to_string(),
        })
    }
}

/// The resource of this name or id.
fn resource_named(caller: &Caller, view: &View, name: &str) -> Result<EntityRef, AccessError> {
    let found = ids::parse_any(view.id_cipher(), name)
        .and_then(|id| reader::entity(view, id, &[Kind::RESOURCE]));
    let found = found.or_else(|| named(view, Kind::RESOURCE, property::DISPLAY_NAME, name));
    seen(caller, view, found, "resource")
}

fn seen(
    caller: &Caller,
    view: &View,
    found: Option<EntityRef>,
    what: &'static str,
) -> Result<EntityRef, AccessError> {
    let sight = Sight::of(caller, view);
    let found = found.filter(|entity| sight.sees(ObjectRef::Entity(*entity)));
    found.ok_or(AccessError::NotFound { what })
}

fn named(view: &View, kind: Kind, property: &str, name: &str) -> Option<EntityRef> {
    let wanted = name.trim().to_lowercase();
    let entities = living(view, kind)
        .into_iter()
        .filter_map(|object| match object {
            ObjectRef::Entity(entity) => Some(entity),
            ObjectRef::Edge(_) => None,
        });
    let mut entities = entities.filter(|entity| {
        let known = reader::text(view, *entity, property);
        known.to_lowercase() == wanted
    });
    entities.next()
}

/// An action as policies name it.
fn action_named(text: &str) -> Result<CedarName, AccessError> {
    let plain = text.replace('"', "");
    // Nothing speaks of an action that does not exist, and what nothing forbids is allowed: a slip
    // of the pen must not turn a refusal into a yes.
    if !plain.contains("::") && plain != CONNECT {
        let reason = format!(
            "{plain:?} does not exist; other actions than {CONNECT} are named in full, such as \
             SQL::Action::\"select\""
        );
        return Err(AccessError::invalid("the action", reason));
    }
    let (kind, id) = plain.rsplit_once("::").unwrap_or((ACTION_TYPE, &plain));
    if id.is_empty() {
        return Err(AccessError::invalid("the action", "must not be empty"));
    }
    CedarName::new(kind, id).map_err(|error| AccessError::invalid("the action", error.to_string()))
}

/// A path as explanations tell it.
fn told(view: &View, path: &AccessPath) -> GrantPath {
    let step = |kind: &str, entity: EntityRef| PathStep {
        kind: kind.to_owned(),
        id: view.entity_id(entity).to_hex(),
        name: reader::text(view, entity, property::DISPLAY_NAME),
    };
    let mut steps = Vec::new();
    match path.via {
        Via::Role { role, group } => {
            steps.extend(group.map(|group| step("group", group)));
            steps.push(step("role", role));
        }
        Via::Grant { grant, group } => {
            steps.extend(group.map(|group| step("group", group)));
            steps.push(PathStep {
                kind: "grant".to_owned(),
                id: view.edge_id(grant).to_hex(),
                name: String::new(),
            });
        }
    }
    GrantPath {
        steps,
        valid_from: Some(path.granted_at),
        valid_until: path.expires_at,
    }
}
