// SPDX-License-Identifier: Apache-2.0
//! Changing an object.

use std::collections::BTreeSet;

use durward_graph::store::{Operation, Target};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::{ObjectId, Value};

use super::create::taken;
use super::{ObjectChange, names};
use crate::access::{Planned, seen};
use crate::object::TAG_PREFIX;
use crate::{Access, AccessError, Kind, Object, action};

/// A change on its way: the object as it is, and what is asked.
pub(super) struct Pending<'a> {
    pub(super) view: &'a View,
    pub(super) entity: EntityRef,
    pub(super) before: Object,
    pub(super) change: ObjectChange,
    /// Digest of a new password.
    pub(super) password_hash: Option<String>,
    /// Operations beside the patch.
    pub(super) operations: Vec<Operation>,
    /// New classes.
    pub(super) classes: Option<Vec<String>>,
    /// What the journal calls it, where it is more than an update.
    pub(super) activity: Option<String>,
}

impl Pending<'_> {
    /// The text of a property as it will be.
    pub(super) fn text(&self, name: &str) -> String {
        match self.change.properties.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(_) => String::new(),
            None => self.before.text(name).to_owned(),
        }
    }

    /// Whether a property is named by the change.
    pub(super) fn names(&self, name: &str) -> bool {
        self.change.properties.contains_key(name)
    }

    /// Whether a text property will not be what it was.
    pub(super) fn changes(&self, name: &str) -> bool {
        self.names(name) && self.text(name) != self.before.text(name)
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.change.properties.insert(name.to_owned(), value.into());
    }
}

impl Access {
    /// Changes an entity. What the change does not name stays.
    ///
    /// # Errors
    /// When the caller may not, an input is wrong, a name is taken, or there is no such object.
    pub fn update(
        &self,
        caller: &Caller,
        kind: Kind,
        id: ObjectId,
        change: ObjectChange,
    ) -> Result<Object, AccessError> {
        caller.require_any(action::update(kind))?;
        names::check_settable(&change.properties)?;
        let mut change = change;
        if kind == Kind::Policy {
            super::policy::check(&change.properties)?;
        }
        if kind == Kind::Resource {
            super::ssh_key::renew(&self.view(None), id, &mut change)?;
        }
        let hash = change.password.take();
        let hash = hash.map(|password| self.organization().hash_password(&password));
        let hash = hash.transpose()?;
        let sent: BTreeSet<String> = change.properties.keys().cloned().collect();
        let written = self.commit(caller, action::update(kind), move |access, caller, view| {
            access.plan_update(caller, view, kind, id, change, hash)
        });
        let (receipt, entity) = written.map_err(|error| taken(kind, error))?;
        let view = self.as_committed(&receipt);
        let changed = Object::of_entity(&view, kind, entity);
        Ok(Access::answered(caller, &view, changed, |name| {
            sent.contains(name)
        }))
    }

    fn plan_update(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        id: ObjectId,
        change: ObjectChange,
        password_hash: Option<String>,
    ) -> Result<Planned<EntityRef>, AccessError> {
        let ObjectRef::Entity(entity) = seen(caller, view, kind, id)? else {
            let what = format!("changing a {}", kind.noun());
            return Err(AccessError::Unsupported { what });
        };
        let mut pending = Pending {
            view,
            entity,
            before: Object::of_entity(view, kind, entity),
            change,
            password_hash,
            operations: Vec::new(),
            classes: None,
            activity: None,
        };
        clear_other_tags(&mut pending);
        let mut book = self.book();
        match kind {
            Kind::User => self.change_user(caller, &mut pending)?,
            Kind::Service => self.change_service(caller, &mut pending)?,
            Kind::Group => super::membership::change_group(&mut pending)?,
            Kind::Role => self.change_role(caller, &mut pending)?,
            Kind::Resource => self.change_resource(&mut pending, &mut book)?,
            Kind::Node => super::node::change_node(&mut pending)?,
            _ => super::policy::change_policy(&mut pending)?,
        }
        let patch = Operation::PatchEntity {
            target: Target::Id(id),
            set: pending.change.properties.into_iter().collect(),
            classes: pending.classes,
            expected_version: pending.change.expected_version,
        };
        let mut operations = vec![patch];
        operations.extend(pending.operations);
        let activity = pending.activity;
        Ok(Planned {
            activity: activity.unwrap_or_else(|| format!("{} updated", kind.noun())),
            operations,
            outcome: entity,
        })
    }
}

/// With [`ObjectChange::replace_tags`], tags that the change does not name go.
fn clear_other_tags(pending: &mut Pending<'_>) {
    if !pending.change.replace_tags {
        return;
    }
    let before = pending.before.properties.keys();
    for name in before.filter(|name| name.starts_with(TAG_PREFIX)) {
        let tags = &mut pending.change.properties;
        tags.entry(name.clone()).or_insert(Value::Null);
    }
}
