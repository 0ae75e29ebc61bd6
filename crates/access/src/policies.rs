// SPDX-License-Identifier: Apache-2.0
//! The policies of an organization at an instant, and what they are told about accounts and
//! resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_catalog::kinds::property;
use durward_graph::{EntityRef, View};
use durward_model::{Instant, ObjectId, Value};
use durward_policy::{
    CedarContext, CedarName, CedarPolicy, CedarPrincipal, CedarRequest, CedarResource,
    CedarVerdict, NamedPolicy, PolicySet,
};
use parking_lot::Mutex;

use crate::effective::{accounts_of, groups_of, roles_of};
use crate::{Access, Kind, Object, reader};

/// Property of a policy with its text.
pub(crate) const POLICY: &str = "policy";
/// Most accounts for which a change of one resource is judged while nobody else writes.
const FREED_MAX: usize = 200;
/// Compiled sets that are kept: the present, and a few past instants.
const KEPT_MAX: usize = 8;

/// Which policies a set was compiled from: entity and version.
type Mark = Vec<(EntityRef, u32)>;

/// Compiled sets by what they were compiled from.
#[derive(Debug, Default)]
pub(crate) struct PolicyCache {
    kept: Mutex<Vec<(Mark, Arc<PolicySet>)>>,
}

impl PolicyCache {
    /// The policies of a published state.
    fn of(&self, view: &View) -> Arc<PolicySet> {
        let mark = mark(view);
        let mut kept = self.kept.lock();
        if let Some(position) = kept.iter().position(|(known, _)| *known == mark) {
            let entry = kept.remove(position);
            let set = Arc::clone(&entry.1);
            kept.push(entry);
            return set;
        }
        let (set, is_whole) = compile(view, &mark);
        let set = Arc::new(set);
        if !is_whole {
            // Read again the next time; until then it is safe.
            return set;
        }
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push((mark, Arc::clone(&set)));
        set
    }
}

fn mark(view: &View) -> Mark {
    let Some(type_id) = view.type_id(Kind::POLICY.type_name()) else {
        return Mark::new();
    };
    let rows = view.live_rows(type_id);
    let policies = rows.iter().map(|row| EntityRef { type_id, row });
    policies
        .map(|policy| (policy, view.version(policy)))
        .collect()
}

/// The policies made ready, and whether all that can be read was.
fn compile(view: &View, policies: &Mark) -> (PolicySet, bool) {
    let mut is_whole = true;
    let named = policies.iter().map(|(policy, _)| {
        // What was stored was parsed before it was stored, by this version or an older one.
        let parsed = CedarPolicy::parse(&reader::text(view, *policy, POLICY));
        NamedPolicy {
            id: view.entity_id(*policy),
            name: reader::text(view, *policy, property::DISPLAY_NAME).into(),
            policy: Arc::new(parsed.unwrap_or_else(|error| {
                is_whole &= !error.is_passing;
                CedarPolicy::unreadable(&error)
            })),
        }
    });
    let set = PolicySet::compile(named);
    (set, is_whole)
}

impl Access {
    /// What the policies say about an account's action on a resource, at the instant of `view`.
    pub(crate) fn verdict(
        &self,
        view: &View,
        account: EntityRef,
        action: &CedarName,
        resource: EntityRef,
        at: Instant,
    ) -> CedarVerdict {
        let set = self.policies().of(view);
        if set.statement_count() == 0 {
            return CedarVerdict::default();
        }
        set.decide(&CedarRequest {
            principal: &principal(view, account),
            action,
            resource: &resource_facts(view, resource),
            context: context(at),
        })
    }

    /// Whether a change of a resource frees somebody who reaches it of a policy that forbids to
    /// connect. With more accounts than can be looked at where it is asked, it may.
    pub(crate) fn frees(&self, view: &View, resource: EntityRef, set: &[(String, Value)]) -> bool {
        // Policies that were accepted a moment ago and are not published yet are not looked at.
        let policies = self.policies().of(&self.view(None));
        let Some(action) = CedarName::connect().filter(|_| policies.has_forbids()) else {
            return false;
        };
        let before = resource_facts(view, resource);
        let mut object = Object::of_entity(view, Kind::RESOURCE, resource);
        object.properties.extend(set.iter().cloned());
        let after = facts_of(&object);
        if before == after {
            return false;
        }
        let now = self.organization().now();
        let accounts = accounts_of(view, resource, now);
        if accounts.len() > FREED_MAX {
            return true;
        }
        accounts.into_iter().any(|account| {
            let principal = principal(view, account);
            let is_forbidden = |resource| {
                let verdict = policies.decide(&CedarRequest {
                    principal: &principal,
                    action: &action,
                    resource,
                    context: context(now),
                });
                verdict.is_forbidden()
            };
            is_forbidden(&before) && !is_forbidden(&after)
        })
    }

    /// Decides for one account about many resources.
    pub(crate) fn gate(&self, view: &View, account: EntityRef, at: Instant) -> Gate {
        let set = self.policies().of(view);
        let is_silent = set.statement_count() == 0;
        let action = if is_silent {
            None
        } else {
            CedarName::connect()
        };
        Gate {
            asked: action.map(|action| (set, action, principal(view, account), context(at))),
        }
    }
}

/// Whether policies let one account connect to resources.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Nothing where there are no policies.
    asked: Option<(Arc<PolicySet>, CedarName, CedarPrincipal, CedarContext)>,
}

impl Gate {
    /// Whether no policy forbids to connect.
    pub(crate) fn allows(&self, view: &View, resource: EntityRef) -> bool {
        let Some((set, action, principal, context)) = &self.asked else {
            return true;
        };
        let verdict = set.decide(&CedarRequest {
            principal,
            action,
            resource: &resource_facts(view, resource),
            context: *context,
        });
        !verdict.is_forbidden()
    }
}

fn context(at: Instant) -> CedarContext {
    CedarContext {
        now: at,
        source_address: None,
    }
}

/// An account as policies see it.
pub(crate) fn principal(view: &View, account: EntityRef) -> CedarPrincipal {
    let is_service = view.type_id(Kind::SERVICE.type_name()) == Some(account.type_id);
    let kind = if is_service {
        Kind::SERVICE
    } else {
        Kind::USER
    };
    let object = Object::of_entity(view, kind, account);
    let groups = groups_of(view, account).into_iter();
    let roles = roles_of(view, account).into_iter();
    CedarPrincipal {
        id: shown(kind.prefix(), object.id),
        account_type: if is_service { "service" } else { "user" }.to_owned(),
        name: object.text(property::DISPLAY_NAME).to_owned(),
        email: object.text(property::EMAIL).to_owned(),
        external_id: object.text(property::EXTERNAL_ID).to_owned(),
        permission_level: object.text(property::PERMISSION_LEVEL).to_owned(),
        is_managed: !object.text("managedBy").is_empty(),
        groups: groups
            .map(|(group, _)| shown(Kind::GROUP.prefix(), view.entity_id(group)))
            .collect(),
        roles: roles
            .map(|held| shown(Kind::ROLE.prefix(), view.entity_id(held.role)))
            .collect(),
        external_groups: Vec::new(),
        external_roles: Vec::new(),
        tags: tags(&object),
    }
}

/// A resource as policies see it.
pub(crate) fn resource_facts(view: &View, resource: EntityRef) -> CedarResource {
    facts_of(&Object::of_entity(view, Kind::RESOURCE, resource))
}

fn facts_of(object: &Object) -> CedarResource {
    CedarResource {
        id: shown(Kind::RESOURCE.prefix(), object.id),
        kind: object.text(property::KIND).to_owned(),
        name: object.text(property::DISPLAY_NAME).to_owned(),
        hostname: object.text("hostname").to_owned(),
        port: match object.properties.get("port") {
            Some(Value::Int(port)) => *port,
            _ => 0,
        },
        tags: tags(object),
        objects: Vec::new(),
    }
}

fn tags(object: &Object) -> BTreeMap<String, String> {
    let tags = object.tags();
    tags.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An id as policies write it.
fn shown(prefix: &str, id: ObjectId) -> String {
    format!("{prefix}{id}")
}
