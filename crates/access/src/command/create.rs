// SPDX-License-Identifier: Apache-2.0
//! Making an object.

use std::collections::BTreeSet;

use durward_catalog::kinds::Ends;
use durward_graph::View;
use durward_graph::store::{Operation, PutMode, Receipt, StoreError, Target};
use durward_identity::Caller;
use durward_model::{Namespace, Value};
use durward_vault::{Secret, random};

use super::{Created, NewObject, Properties, names};
use crate::access::Planned;
use crate::{Access, AccessError, Kind, Object, action, reader};

type Token = Option<Secret<String>>;

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
        caller.require_action(action::create(kind))?;
        names::check_settable(kind, &new.properties)?;
        if kind == Kind::POLICY {
            super::policy::check(&new.properties)?;
        }
        if kind == Kind::RESOURCE {
            super::ssh_key::give(&mut new.properties, &mut new.secrets)?;
        }
        let hash = new.password.take();
        let hash = hash.map(|password| self.organization().hash_password(&password));
        let hash = hash.transpose()?;
        let sent: BTreeSet<String> = new.properties.keys().cloned().collect();
        let written = self.commit(caller, action::create(kind), move |access, caller, view| {
            names::check_required(kind, &new.properties, true)?;
            access.seal_secrets(kind, None, &new.secrets, &mut new.properties)?;
            let planned = match kind.ends() {
                None => access.plan_entity(caller, view, new, hash),
                Some(ends) => access.plan_relationship(caller, view, new, ends),
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
        password_hash: Option<String>,
    ) -> Result<(Vec<Operation>, Token), AccessError> {
        let kind = new.kind;
        let mut book = self.book();
        let extra = match kind {
            Kind::USER => self.new_user(caller, view, &mut new, password_hash)?,
            Kind::SERVICE => self.new_service(caller, &mut new)?,
            Kind::ROLE => super::role::new_role(caller, view, &mut new)?,
            Kind::RESOURCE => super::resource::new_resource(view, &mut new, &mut book)?,
            Kind::NODE => self.new_node(caller, view, &mut new)?,
            _ => Extra::default(),
        };
        let put = Operation::PutEntity {
            entity_type: kind.type_name().to_owned(),
            classes: extra.classes,
            namespace: Namespace::durward(),
            key: natural_key(kind)?,
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
        ends: &'static Ends,
    ) -> Result<(Vec<Operation>, Token), AccessError> {
        let kind = new.kind;
        let (from, to) = new.ends.ok_or_else(|| {
            AccessError::invalid(format!("the {}", kind.noun()), "needs both of its ends")
        })?;
        let found = super::membership::ends(caller, view, ends, (from, to))?;
        if kind == Kind::GRANT {
            self.check_grant(view, found, &mut new.properties)?;
        } else {
            self.check_membership(caller, view, kind, found)?;
        }
        let key = if ends.several {
            Some(natural_key(kind)?)
        } else {
            None
        };
        let put = Operation::PutRelationship {
            from: Target::Id(from),
            verb: ends.verb.clone(),
            to: Target::Id(to),
            relationship_type: kind.type_name().to_owned(),
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

/// A key of the graph for a new object.
fn natural_key(kind: Kind) -> Result<String, AccessError> {
    let noun = kind.noun().replace(' ', "_");
    Ok(format!("{noun}:{}", random::hex::<8>()?))
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
            property: taken_property(kind, &what),
        },
        other => other,
    }
}

/// What sentences call the property whose value another object has.
fn taken_property(kind: Kind, what: &str) -> &'static str {
    if kind.is_relationship() {
        return "pair of ends";
    }
    let mut unique = kind.unique();
    let named = unique.find(|(name, _)| what.contains(&format!(" with {name} ")));
    named.map_or("name", |(_, property)| &property.noun)
}
