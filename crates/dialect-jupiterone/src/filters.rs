// SPDX-License-Identifier: Apache-2.0
//! The argument `filters` of reads: metadata that an object must have.

use durward_graph::{EdgeRef, EntityRef, ObjectRef, RowSet, TypeId, View};
use serde_json::Value as Json;

use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError};

/// What `filters` asks for; each member that is there must fit one of its values.
#[derive(Debug, Default)]
pub(super) struct Filters {
    ids: Option<Vec<String>>,
    keys: Option<Vec<String>>,
    types: Option<Vec<String>>,
    classes: Option<Vec<String>>,
}

fn fits(wanted: Option<&Vec<String>>, own: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().any(|wanted| wanted == own))
}

impl Filters {
    /// The filters of a call.
    ///
    /// # Errors
    /// When it filters by properties, which this build leaves to J1QL.
    pub(super) fn of(call: &Call<'_, RequestContext>) -> Result<Self, FieldError> {
        if call
            .argument("propertyFilters")
            .is_some_and(|filters| !filters.is_null())
        {
            let field = format!("{}(propertyFilters:)", call.name());
            return Err(FieldError::unsupported(&field));
        }
        let members = call.argument("filters").and_then(Json::as_object);
        let texts = |name: &str| {
            let items = members?.get(name)?.as_array()?.iter();
            Some(items.filter_map(Json::as_str).map(str::to_owned).collect())
        };
        Ok(Self {
            ids: texts("_id"),
            keys: texts("_key"),
            types: texts("_type"),
            classes: texts("_class"),
        })
    }

    fn fits_entity(&self, view: &View, entity: EntityRef) -> bool {
        let id = || view.id_cipher().uuid_of(view.entity_id(entity));
        let has_class = |wanted: &Vec<String>| {
            let mut own = view.classes(entity).into_iter();
            own.any(|class| fits(Some(wanted), view.class_name(class)))
        };
        (self.ids.is_none() || fits(self.ids.as_ref(), &id()))
            && (self.keys.is_none() || fits(self.keys.as_ref(), &view.key(entity)))
            && fits(self.types.as_ref(), view.type_name(entity.type_id))
            && self.classes.as_ref().is_none_or(has_class)
    }

    fn fits_edge(&self, view: &View, edge: EdgeRef) -> bool {
        let id = || view.id_cipher().uuid_of(view.edge_id(edge));
        let verb = view
            .triple(edge.triple)
            .map_or("", |triple| view.verb_name(triple.verb));
        (self.ids.is_none() || fits(self.ids.as_ref(), &id()))
            && (self.keys.is_none() || fits(self.keys.as_ref(), &view.edge_key(edge)))
            && (self.types.is_none() || fits(self.types.as_ref(), &view.edge_type(edge)))
            && fits(self.classes.as_ref(), verb)
    }

    /// The objects that the argument `id`, `_id` or `_key` names; `None` when nothing names any.
    fn named(&self, view: &View, id: Option<&str>) -> Option<Vec<ObjectRef>> {
        let resolve = |text: &str| view.resolve(view.id_cipher().parse_uuid(text)?);
        match (id, &self.ids, &self.keys) {
            (Some(id), _, _) => Some(resolve(id).into_iter().collect()),
            (None, Some(ids), _) => Some(ids.iter().filter_map(|id| resolve(id)).collect()),
            (None, None, Some(keys)) => {
                let found = keys
                    .iter()
                    .flat_map(|key| view.find_by_key_any_namespace(key));
                Some(found.map(ObjectRef::Entity).collect())
            }
            (None, None, None) => None,
        }
    }

    /// The visible entities that are named and fit; `None` when nothing names any.
    pub(super) fn entities(
        &self,
        context: &RequestContext,
        id: Option<&str>,
    ) -> Option<Vec<EntityRef>> {
        let named = self.named(&context.view, id)?.into_iter();
        let mut found: Vec<EntityRef> = named
            .filter_map(|object| match object {
                ObjectRef::Entity(entity) => Some(entity),
                ObjectRef::Edge(_) => None,
            })
            .filter(|entity| context.sees_entity(*entity))
            .filter(|entity| self.fits_entity(&context.view, *entity))
            .collect();
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// The visible relationship that is named by an id and fits.
    pub(super) fn edge(&self, context: &RequestContext, id: Option<&str>) -> Option<EdgeRef> {
        let named = self.named(&context.view, id)?.into_iter();
        let mut edges = named.filter_map(|object| match object {
            ObjectRef::Edge(edge) => Some(edge),
            ObjectRef::Entity(_) => None,
        });
        edges.find(|edge| context.sees_edge(*edge) && self.fits_edge(&context.view, *edge))
    }

    /// Those of some entities of a type that have a type and a class that are asked for.
    pub(super) fn of_type(&self, view: &View, type_id: TypeId, rows: RowSet) -> RowSet {
        if !fits(self.types.as_ref(), view.type_name(type_id)) {
            return RowSet::empty(rows.universe());
        }
        let Some(classes) = &self.classes else {
            return rows;
        };
        let mut with_class = RowSet::empty(rows.universe());
        for class in classes {
            with_class = with_class.union(&super::reads::with_class(view, class, type_id, &rows));
        }
        with_class
    }
}
