// SPDX-License-Identifier: Apache-2.0
//! Reading core objects and what binds them from a view.

use durward_catalog::CREDENTIAL;
use durward_catalog::kinds::verb::OWNS;
pub use durward_graph::Link;
use durward_graph::{CoreReader, Direction, EdgeRef, EntityRef, ObjectRef, TripleId, TypeId, View};
use durward_model::{Instant, ObjectId, ObjectNumber, Value};

use crate::Kind;

/// Whether an entity is of a kind.
pub fn is_of_kind(view: &View, entity: EntityRef, kind: Kind) -> bool {
    !kind.is_relationship() && view.type_id(kind.type_name()) == Some(entity.type_id)
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
    let Some(ends) = kind.ends() else {
        return Vec::new();
    };
    let Some(verb) = view.verb_id(&ends.verb) else {
        return Vec::new();
    };
    let ids = |kinds: &[Kind]| -> Vec<TypeId> {
        let types = kinds.iter().map(|kind| kind.type_name());
        types.filter_map(|name| view.type_id(name)).collect()
    };
    let (from, to) = (ids(&ends.from), ids(&ends.to));
    let mut found = Vec::new();
    for start in &from {
        for end in &to {
            let triples = view.triples_matching(Some(*start), Some(verb), Some(*end));
            found.extend(triples.into_iter().map(|triple| triple.id));
        }
    }
    found
}

/// The living relationships of a verb that start at an entity and end at entities of a kind.
pub fn links_out(view: &View, entity: EntityRef, verb: &str, to: Kind) -> Vec<Link> {
    CoreReader::new(view).links(entity, verb, to.type_name(), Direction::Out)
}

/// The living relationships of a verb that end at an entity and start at entities of a kind.
pub fn links_in(view: &View, entity: EntityRef, verb: &str, from: Kind) -> Vec<Link> {
    CoreReader::new(view).links(entity, verb, from.type_name(), Direction::In)
}

/// The living credentials of an account or node.
pub fn credentials_of(view: &View, owner: EntityRef) -> Vec<EntityRef> {
    CoreReader::new(view).ends(owner, OWNS, CREDENTIAL, Direction::Out)
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
