// SPDX-License-Identifier: Apache-2.0
//! Changing an object.

use std::collections::BTreeSet;

use durward_catalog::kinds::property;
use durward_graph::store::{Operation, StoreError, Target};
use durward_graph::{EdgeRef, EntityRef, ObjectRef, View};
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
    /// Changes an object. What the change does not name stays.
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
        caller.require_action(action::update(kind))?;
        names::check_settable(kind, &change.properties)?;
        let mut change = change;
        if kind == Kind::POLICY {
            super::policy::check(&change.properties)?;
        }
        if kind == Kind::RESOURCE {
            super::ssh_key::renew(&self.view(None), id, &mut change)?;
        }
        let hash = change.password.take();
        let hash = hash.map(|password| self.organization().hash_password(&password));
        let hash = hash.transpose()?;
        let sent: BTreeSet<String> = change.properties.keys().cloned().collect();
        let written = self.commit(caller, action::update(kind), move |access, caller, view| {
            access.plan_update(caller, view, kind, id, change, hash)
        });
        let (receipt, found) = written.map_err(|error| taken(kind, error))?;
        let view = self.as_committed(&receipt);
        let changed = Object::read(&view, kind, found);
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
        mut change: ObjectChange,
        password_hash: Option<String>,
    ) -> Result<Planned<ObjectRef>, AccessError> {
        let found = seen(caller, view, kind, id)?;
        names::check_required(kind, &change.properties, false)?;
        let entity = match found {
            ObjectRef::Entity(entity) => entity,
            ObjectRef::Edge(edge) => {
                self.check_bond(caller, view, kind, edge)?;
                return plan_relationship(view, kind, edge, change);
            }
        };
        let known = Some((view, entity));
        self.seal_secrets(kind, known, &change.secrets, &mut change.properties)?;
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
        clear_other_tags(&pending.before, &mut pending.change);
        let mut book = self.book();
        match kind {
            Kind::USER => self.change_user(caller, &mut pending)?,
            Kind::SERVICE => self.change_service(caller, &mut pending)?,
            Kind::ROLE => self.change_role(caller, &mut pending)?,
            Kind::RESOURCE => super::resource::change_resource(&mut pending, &mut book)?,
            Kind::NODE => super::node::change_node(&mut pending)?,
            _ => {}
        }
        check_not_renamed(&pending)?;
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
            outcome: ObjectRef::Entity(entity),
        })
    }
}

/// A change of the properties of a relationship, where its kind has any.
fn plan_relationship(
    view: &View,
    kind: Kind,
    edge: EdgeRef,
    mut change: ObjectChange,
) -> Result<Planned<ObjectRef>, AccessError> {
    if !kind.ends().is_some_and(|ends| ends.changes) {
        let what = format!("changing a {}", kind.noun());
        return Err(AccessError::Unsupported { what });
    }
    let before = Object::of_edge(view, kind, edge);
    if change.ends.is_some() && change.ends != before.ends {
        let what = format!("the ends of the {}", kind.noun());
        return Err(AccessError::invalid(what, "cannot change"));
    }
    if let Some(expected) = change
        .expected_version
        .filter(|asked| *asked != before.version)
    {
        let found = before.version;
        let conflict = StoreError::VersionConflict {
            operation: 0,
            expected,
            found,
        };
        return Err(conflict.into());
    }
    clear_other_tags(&before, &mut change);
    Ok(Planned {
        activity: format!("{} updated", kind.noun()),
        operations: vec![Operation::PatchRelationship {
            target: before.id,
            set: change.properties.into_iter().collect(),
        }],
        outcome: ObjectRef::Edge(edge),
    })
}

/// What a new organization has keeps its name: others look for it by that.
fn check_not_renamed(pending: &Pending<'_>) -> Result<(), AccessError> {
    if pending.before.flag(property::BUILT_IN) && pending.changes(property::DISPLAY_NAME) {
        let what = format!("a built-in {}", pending.before.kind.noun());
        return Err(AccessError::invalid(what, "cannot be renamed"));
    }
    Ok(())
}

/// With [`ObjectChange::replace_tags`], tags that the change does not name go.
fn clear_other_tags(before: &Object, change: &mut ObjectChange) {
    if !change.replace_tags {
        return;
    }
    let before = before.properties.keys();
    for name in before.filter(|name| name.starts_with(TAG_PREFIX)) {
        let tags = &mut change.properties;
        tags.entry(name.clone()).or_insert(Value::Null);
    }
}
