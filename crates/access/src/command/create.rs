// SPDX-License-Identifier: Apache-2.0
//! Making an object.

use std::collections::BTreeSet;

use durward_graph::View;
use durward_graph::store::{Operation, PutMode, Receipt, StoreError, Target};
use durward_identity::Caller;
use durward_model::{Namespace, Value};
use durward_vault::{Secret, random};

use super::{Created, NewObject, Properties, names};
use crate::access::Planned;
use crate::kind::Shape;
use crate::{Access, AccessError, Kind, Object, action, reader};

type Token = Option<Secret<String>>;

/// How the store calls a subdomain that another resource has.
const SUBDOMAIN_TAKEN: &str = " with subdomain ";

/// What one kind adds to the making of its objects.
#[derive(Default)]
pub(super) struct Extra {
    /// Operations after the one that makes the object.
    pub(super) operations: Vec<Operation>,
    /// The one-time token.
    pub(super) token: Option<Secret<String>>,
    /// Classes, where they depend on the properties.
    pub(super) classes: Option<Vec<String>>,
}

impl Access {
    /// Makes an object.
    ///
    /// # Errors
    /// When the caller may not, an input is wrong, or a name is taken.
    pub fn create(&self, caller: &Caller, mut new: NewObject) -> Result<Created, AccessError> {
        let kind = new.kind;
        caller.require_any(action::create(kind))?;
        names::check_settable(&new.properties)?;
        if kind == Kind::Policy {
            super::policy::check(&new.properties)?;
        }
        if kind == Kind::Resource {
            super::ssh_key::give(&mut new.properties, &mut new.secrets)?;
        }
        let hash = new.password.take();
        let hash = hash.map(|password| self.organization().hash_password(&password));
        let hash = hash.transpose()?;
        let sent: BTreeSet<String> = new.properties.keys().cloned().collect();
        let written = self.commit(caller, action::create(kind), move |access, caller, view| {
            let planned = match kind.shape() {
                Shape::Entity { entity_type } => {
                    access.plan_entity(caller, view, new, entity_type, hash)
                }
                Shape::Relationship {
                    verb,
                    relationship_type,
                    ..
                } => access.plan_relationship(caller, view, new, verb, relationship_type),
            };
            let (operations, token) = planned?;
            Ok(Planned {
                activity: format!("{} created", kind.noun()),
                operations,
                outcome: token,
            })
        });
        let (receipt, token) = written.map_err(|error| taken(kind, error))?;
        let (view, made) = self.made(kind, &receipt)?;
        let object = Access::answered(caller, &view, made, |name| sent.contains(name));
        Ok(Created { object, token })
    }

    fn plan_entity(
        &self,
        caller: &Caller,
        view: &View,
        mut new: NewObject,
        entity_type: &str,
        password_hash: Option<String>,
    ) -> Result<(Vec<Operation>, Token), AccessError> {
        let kind = new.kind;
        let mut book = self.book();
        let extra = match kind {
            Kind::User => super::account::new_user(caller, view, &mut new, password_hash)?,
            Kind::Service => self.new_service(caller, &mut new)?,
            Kind::Group => super::membership::new_group(&mut new)?,
            Kind::Role => super::role::new_role(caller, view, &mut new)?,
            Kind::Resource => self.new_resource(view, &mut new, &mut book)?,
            Kind::Node => self.new_node(caller, view, &mut new)?,
            _ => super::policy::new_policy(&mut new)?,
        };
        let put = Operation::PutEntity {
            entity_type: entity_type.to_owned(),
            classes: extra.classes,
            namespace: Namespace::durward(),
            key: format!("{}:{}", kind.noun().replace(' ', "_"), random::hex::<8>()?),
            properties: present(new.properties),
            aliases: Vec::new(),
            mode: PutMode::Create,
        };
        let mut operations = vec![put];
        operations.extend(extra.operations);
        Ok((operations, extra.token))
    }

    fn plan_relationship(
        &self,
        caller: &Caller,
        view: &View,
        mut new: NewObject,
        verb: &str,
        relationship_type: &str,
    ) -> Result<(Vec<Operation>, Token), AccessError> {
        let kind = new.kind;
        let (from, to) = new.ends.ok_or_else(|| {
            AccessError::invalid(format!("the {}", kind.noun()), "needs both of its ends")
        })?;
        let key = if kind == Kind::Grant {
            self.check_grant(caller, view, (from, to), &mut new.properties)?;
            Some(format!("grant:{}", random::hex::<8>()?))
        } else {
            self.check_membership(caller, view, kind, (from, to))?;
            None
        };
        let put = Operation::PutRelationship {
            from: Target::Id(from),
            verb: verb.to_owned(),
            to: Target::Id(to),
            relationship_type: relationship_type.to_owned(),
            namespace: Namespace::durward(),
            key,
            properties: present(new.properties),
            mode: PutMode::Create,
        };
        Ok((vec![put], None))
    }

    /// The object that a receipt's first operation made, as it was made, and that state.
    fn made(&self, kind: Kind, receipt: &Receipt) -> Result<(View, Object), AccessError> {
        let missing = || AccessError::NotFound { what: kind.noun() };
        let id = receipt.results.first().ok_or_else(missing)?.id;
        let view = self.as_committed(receipt);
        let found = reader::find(&view, kind, id).ok_or_else(missing)?;
        let made = Object::read(&view, kind, found);
        Ok((view, made))
    }

    /// The state right after a write; the head, when nothing was written since.
    pub(super) fn as_committed(&self, receipt: &Receipt) -> View {
        let head = self.view(None);
        if head.sequence() == receipt.sequence {
            head
        } else {
            self.view(Some(receipt.committed_at))
        }
    }
}

/// Properties without nulls.
pub(super) fn present(properties: Properties) -> Vec<(String, Value)> {
    let present = properties.into_iter().filter(|(_, value)| !value.is_null());
    present.collect()
}

/// A refusal of the store because a unique value is taken, said in terms of the kind.
pub(super) fn taken(kind: Kind, error: AccessError) -> AccessError {
    match error {
        AccessError::Store(StoreError::AlreadyExists { what, .. }) => AccessError::AlreadyExists {
            what: kind.noun(),
            property: match kind {
                Kind::User => "e-mail address",
                Kind::Resource if what.contains(SUBDOMAIN_TAKEN) => "subdomain",
                Kind::GroupMember | Kind::Assignment | Kind::GroupRole => "pair of ends",
                _ => "name",
            },
        },
        other => other,
    }
}
