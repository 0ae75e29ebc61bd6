// SPDX-License-Identifier: Apache-2.0
//! The access of one organization: readings, and what commands share.

use std::collections::HashMap;
use std::sync::Arc;

use durward_graph::store::{Operation, Receipt};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::{Caller, Organization, OrganizationId};
use durward_model::{Instant, ObjectId};
use durward_policy::Action;
use durward_query::Visibility;
use parking_lot::{Mutex, MutexGuard};

use crate::policies::PolicyCache;
use crate::rules::RuleBook;
use crate::{AccessError, Kind, Object, action, reader};

/// The commands and readings of one organization. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    organization: Arc<Organization>,
    /// What plans remember from one to the next; only the writer's thread looks at it.
    book: Arc<Mutex<RuleBook>>,
    policies: Arc<PolicyCache>,
}

/// What a command wants written.
pub(crate) struct Planned<T> {
    /// What the journal calls it.
    pub(crate) activity: String,
    /// What is written.
    pub(crate) operations: Vec<Operation>,
    /// What the command gets back once it is written.
    pub(crate) outcome: T,
}

/// The accesses of all open organizations, each made when first asked for.
#[derive(Debug, Default)]
pub struct Accesses {
    by_organization: Mutex<HashMap<OrganizationId, Access>>,
}

impl Accesses {
    /// The access of an organization.
    pub fn of(&self, organization: &Arc<Organization>) -> Access {
        let mut known = self.by_organization.lock();
        let access = known
            .entry(organization.id().clone())
            .or_insert_with(|| Access::new(Arc::clone(organization)));
        // An organization that was closed and opened again is another one.
        if !Arc::ptr_eq(&access.organization, organization) {
            *access = Access::new(Arc::clone(organization));
        }
        access.clone()
    }
}

/// What a caller may see of a view; `None` is everything.
#[derive(Debug)]
pub struct Sight(Option<Visibility>);

impl Sight {
    /// What `caller` may see of `view`.
    pub fn of(caller: &Caller, view: &View) -> Self {
        let account_id = caller.organization().id().as_str();
        let condition = caller.core_condition();
        Self(condition.map(|condition| Visibility::new(view, condition, account_id)))
    }

    /// Whether an object is seen.
    pub fn sees(&self, object: ObjectRef) -> bool {
        match (&self.0, object) {
            (None, _) => true,
            (Some(visibility), ObjectRef::Entity(entity)) => visibility.sees_entity(entity),
            (Some(visibility), ObjectRef::Edge(edge)) => visibility.sees_edge(edge),
        }
    }

    /// Whether everything is seen.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }
}

impl Access {
    /// The access of an open organization.
    pub fn new(organization: Arc<Organization>) -> Self {
        Self {
            organization,
            book: Arc::default(),
            policies: Arc::default(),
        }
    }

    /// The organization.
    pub fn organization(&self) -> &Arc<Organization> {
        &self.organization
    }

    /// The state at an instant; `None` is now.
    pub fn view(&self, at: Option<Instant>) -> View {
        self.organization.store().view(at)
    }

    /// The state at an instant, and the instant at which grants must be valid: now, where none is
    /// named or it lies ahead.
    pub(crate) fn moment(&self, at: Option<Instant>) -> (View, Instant) {
        let (view, now) = (self.view(at), self.organization.now());
        (view, at.map_or(now, |at| at.min(now)))
    }

    /// One living object, as it is in `view`.
    ///
    /// # Errors
    /// When the caller may not list the kind, or there is no such object that it may see.
    pub fn get(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        id: ObjectId,
    ) -> Result<Object, AccessError> {
        caller.require_action(action::read(kind))?;
        let found = seen(caller, view, kind, id)?;
        Ok(Object::read(view, kind, found))
    }

    /// The living objects of a kind in `view` that the caller may see, in order of creation.
    ///
    /// # Errors
    /// When the caller may not list the kind.
    pub fn list(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
    ) -> Result<Vec<ObjectRef>, AccessError> {
        caller.require_action(action::read(kind))?;
        let sight = Sight::of(caller, view);
        let mut all = living(view, kind);
        if !sight.is_everything() {
            all.retain(|object| sight.sees(*object));
        }
        Ok(all)
    }

    /// An object as the answer to a write shows it to whoever wrote: whole, if that caller may
    /// read it; else what it sent.
    pub(crate) fn answered(
        caller: &Caller,
        view: &View,
        mut object: Object,
        is_sent: impl Fn(&str) -> bool,
    ) -> Object {
        let may_read = caller.allows(action::read(object.kind));
        if !may_read || seen(caller, view, object.kind, object.id).is_err() {
            object.properties.retain(|name, _| is_sent(name));
        }
        object
    }

    pub(crate) fn policies(&self) -> &PolicyCache {
        &self.policies
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, RuleBook> {
        self.book.lock()
    }

    /// Plans a write on the writer's thread, for the caller as it is there, and waits until it is
    /// durable and visible. The caller must be allowed `action`, and what else the plan asks for;
    /// what gives anybody more reach needs the right to give it.
    pub(crate) fn commit<T, P>(
        &self,
        caller: &Caller,
        action: Action,
        plan: P,
    ) -> Result<(Receipt, T), AccessError>
    where
        T: Send + 'static,
        P: FnOnce(&Self, &Caller, &View) -> Result<Planned<T>, AccessError> + Send + 'static,
    {
        let access = self.clone();
        caller.commit(move |caller, view| {
            caller.require_action(action)?;
            let planned = plan(&access, caller, view)?;
            access.require_giving(caller, view, &planned.operations)?;
            let origin = caller.origin(&planned.activity);
            Ok(durward_identity::Planned::core(
                origin,
                planned.operations,
                planned.outcome,
            ))
        })
    }
}

/// The living objects of a kind, in order of creation.
pub fn living(view: &View, kind: Kind) -> Vec<ObjectRef> {
    if !kind.is_relationship() {
        let Some(type_id) = view.type_id(kind.type_name()) else {
            return Vec::new();
        };
        let rows = view.live_rows(type_id);
        let entities = rows.iter().map(|row| EntityRef { type_id, row });
        return entities.map(ObjectRef::Entity).collect();
    }
    let mut edges = Vec::new();
    for triple in reader::triples(view, kind) {
        let rows = view.live_edge_rows(triple);
        let of_triple = rows
            .iter()
            .map(|edge| durward_graph::EdgeRef { triple, edge });
        edges.extend(of_triple);
    }
    edges.sort_by_key(|edge| view.edge_number(*edge));
    edges.into_iter().map(ObjectRef::Edge).collect()
}

/// The living object of this id that the caller may see.
pub(crate) fn seen(
    caller: &Caller,
    view: &View,
    kind: Kind,
    id: ObjectId,
) -> Result<ObjectRef, AccessError> {
    let found = reader::find(view, kind, id);
    let found = found.filter(|object| Sight::of(caller, view).sees(*object));
    found.ok_or(AccessError::NotFound { what: kind.noun() })
}
