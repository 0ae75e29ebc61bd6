// SPDX-License-Identifier: Apache-2.0
//! Reading core objects and what binds them from a view.

pub use durward_graph::Link;
use durward_graph::{CoreReader, Direction, EdgeRef, EntityRef, ObjectRef, TripleId, TypeId, View};
use durward_model::{Instant, ObjectId, ObjectNumber, Value};

use crate::kind::{Kind, Shape};

/// Whether an entity is of a kind.
pub fn is_of_kind(view: &View, entity: EntityRef, kind: Kind) -> bool {
    kind.entity_type()
        .is_some_and(|name| view.type_id(name) == Some(entity.type_id))
}

/// The living object of this id and kind.
pub fn find(view: &View, kind: Kind, id: ObjectId) -> Option<ObjectRef> {
    let found = view.resolve(id)?;
    fits(view, kind, found).then_some(found)
}

/// The object of this id and kind, whether it lives or not.
pub fn find_ever(view: &View, kind: Kind, id: ObjectId) -> Option<ObjectRef> {
    let found = match view.id_cipher().number_of(id)? {
        ObjectNumber::Entity(number) => ObjectRef::Entity(view.entity_of(number)?),
        ObjectNumber::Relationship(number) => ObjectRef::Edge(view.edge_of(number)?),
    };
    fits(view, kind, found).then_some(found)
}

fn fits(view: &View, kind: Kind, object: ObjectRef) -> bool {
    match object {
        ObjectRef::Entity(entity) => is_of_kind(view, entity, kind),
        ObjectRef::Edge(edge) => triples(view, kind).contains(&edge.triple),
    }
}

/// The living entity of this id, if it is of one of these kinds.
pub fn entity(view: &View, id: ObjectId, kinds: &[Kind]) -> Option<EntityRef> {
    let ObjectRef::Entity(found) = view.resolve(id)? else {
        return None;
    };
    let fits = kinds.iter().any(|kind| is_of_kind(view, found, *kind));
    fits.then_some(found)
}

/// The triples in which relationships of a kind lie; none for kinds of entities.
pub fn triples(view: &View, kind: Kind) -> Vec<TripleId> {
    let Shape::Relationship { from, verb, to, .. } = kind.shape() else {
        return Vec::new();
    };
    let Some(verb) = view.verb_id(verb) else {
        return Vec::new();
    };
    let ids = |names: &[&str]| -> Vec<TypeId> {
        names.iter().filter_map(|name| view.type_id(name)).collect()
    };
    let (from, to) = (ids(from), ids(to));
    let mut found = Vec::new();
    for start in &from {
        for end in &to {
            let triples = view.triples_matching(Some(*start), Some(verb), Some(*end));
            found.extend(triples.into_iter().map(|triple| triple.id));
        }
    }
    found
}

/// The living relationships of a verb that start at an entity and end at entities of a type.
pub fn links_out(view: &View, entity: EntityRef, verb: &str, to: &str) -> Vec<Link> {
    CoreReader::new(view).links(entity, verb, to, Direction::Out)
}

/// The living relationships of a verb that end at an entity and start at entities of a type.
pub fn links_in(view: &View, entity: EntityRef, verb: &str, from: &str) -> Vec<Link> {
    CoreReader::new(view).links(entity, verb, from, Direction::In)
}

/// A text property of an entity; empty when there is none.
pub fn text(view: &View, entity: EntityRef, property: &str) -> String {
    let found = CoreReader::new(view).text(entity, property);
    found.unwrap_or_default()
}

/// Whether a property of an entity is true.
pub fn flag(view: &View, entity: EntityRef, property: &str) -> bool {
    CoreReader::new(view).flag(entity, property)
}

/// A property of an entity.
pub fn value(view: &View, entity: EntityRef, property: &str) -> Value {
    CoreReader::new(view).value(entity, property)
}

/// A moment among the properties of a relationship.
pub fn edge_instant(view: &View, edge: EdgeRef, property: &str) -> Option<Instant> {
    CoreReader::new(view).edge_instant(edge, property)
}
