// SPDX-License-Identifier: Apache-2.0
//! Keys, numbers, ids and aliases: how objects are named and found.

use std::sync::Arc;

use durward_model::{EntityNumber, Namespace, ObjectId, ObjectNumber, RelationshipNumber};

use super::View;
use crate::ids::{Direction, EdgeRef, EntityRef, ObjectRef, TripleId, TypeId};

impl View {
    /// The natural key.
    pub fn key(&self, entity: EntityRef) -> String {
        self.key_str(entity).to_owned()
    }

    /// The natural key, borrowed.
    pub fn key_str(&self, entity: EntityRef) -> &str {
        let table = self.type_table(entity.type_id);
        table
            .and_then(|table| table.keys.get(entity.row))
            .unwrap_or("")
    }

    /// Number of an entity. One that never existed has the number that is never given out.
    pub fn entity_number(&self, entity: EntityRef) -> EntityNumber {
        let table = self.type_table(entity.type_id);
        let number = table.and_then(|table| table.records.extents.number(entity.row));
        EntityNumber(number.unwrap_or(u32::MAX))
    }

    /// Number of a relationship. One that never existed has the number that is never given out.
    pub fn edge_number(&self, edge: EdgeRef) -> RelationshipNumber {
        let table = self.triple_table(edge.triple);
        let number = table.and_then(|table| table.records.extents.number(edge.edge));
        RelationshipNumber(number.unwrap_or(u32::MAX))
    }

    /// The entity of a number, whether it lives or not.
    pub fn entity_of(&self, number: EntityNumber) -> Option<EntityRef> {
        let (owner, row) = self.snapshot().entities.get(number.0)?;
        Some(EntityRef {
            type_id: TypeId(owner as u16),
            row,
        })
    }

    /// The relationship of a number, whether it lives or not.
    pub fn edge_of(&self, number: RelationshipNumber) -> Option<EdgeRef> {
        let (owner, edge) = self.snapshot().relationships.get(number.0)?;
        Some(EdgeRef {
            triple: TripleId(owner),
            edge,
        })
    }

    /// Public id of an entity, or of a relationship under [`TypeId::RELATIONSHIP`].
    pub fn entity_id(&self, entity: EntityRef) -> ObjectId {
        let number = match entity.as_relationship() {
            Some(number) => ObjectNumber::Relationship(number),
            None => ObjectNumber::Entity(self.entity_number(entity)),
        };
        self.id_cipher().id_of(number)
    }

    /// Public id of a relationship.
    pub fn edge_id(&self, edge: EdgeRef) -> ObjectId {
        self.id_cipher()
            .id_of(ObjectNumber::Relationship(self.edge_number(edge)))
    }

    /// The object of an id, if it exists and lives at the instant.
    pub fn resolve(&self, id: ObjectId) -> Option<ObjectRef> {
        match self.id_cipher().number_of(id)? {
            ObjectNumber::Entity(number) => {
                let entity = self.entity_of(number)?;
                self.is_live(entity).then_some(ObjectRef::Entity(entity))
            }
            ObjectNumber::Relationship(number) => {
                let edge = self.edge_of(number)?;
                self.is_edge_live(edge).then_some(ObjectRef::Edge(edge))
            }
        }
    }

    pub(crate) fn namespace_number(&self, namespace: &Namespace) -> Option<u32> {
        self.snapshot().symbols.namespaces.find(namespace)
    }

    /// Whether a number is that of a live entity with this key, in this namespace if one is given.
    fn is_keyed(&self, number: u32, namespace: Option<u32>, key: &str) -> Option<EntityRef> {
        let entity = self.entity_of(EntityNumber(number))?;
        let table = self.type_table(entity.type_id)?;
        if table.keys.get(entity.row)? != key {
            return None;
        }
        let records = &table.records;
        let here = namespace.is_none_or(|wanted| records.namespaces.get(entity.row) == wanted);
        (here && self.is_live(entity)).then_some(entity)
    }

    /// The live entity with this key in this namespace. Where deleted ones count as live, the
    /// newest comes first.
    pub fn find_by_key(&self, namespace: &Namespace, key: &str) -> Option<EntityRef> {
        let namespace = self.namespace_number(namespace)?;
        let index = &self.snapshot().key_index;
        let hash = index.hash(key);
        if self.includes_deleted() {
            let mut newest = None;
            index.find(hash, |number| {
                if self.is_keyed(number, Some(namespace), key).is_some() {
                    newest = newest.max(Some(number));
                }
                None::<()>
            });
            return self.entity_of(EntityNumber(newest?));
        }
        index.find(hash, |number| self.is_keyed(number, Some(namespace), key))
    }

    /// The live entities with this key, in whatever namespace, oldest first.
    pub fn find_by_key_any_namespace(&self, key: &str) -> Vec<EntityRef> {
        let index = &self.snapshot().key_index;
        let mut numbers = Vec::new();
        index.find(index.hash(key), |number| {
            if self.is_keyed(number, None, key).is_some() {
                numbers.push(number);
            }
            None::<()>
        });
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .filter_map(|number| self.entity_of(EntityNumber(number)))
            .collect()
    }

    /// As [`View::find_by_key`] for many keys at once, which is faster.
    pub fn find_by_keys<'k>(
        &self,
        namespace: &Namespace,
        keys: impl Iterator<Item = &'k str>,
    ) -> Vec<Option<EntityRef>> {
        let Some(namespace) = self.namespace_number(namespace) else {
            return keys.map(|_| None).collect();
        };
        let index = &self.snapshot().key_index;
        let reader = index.reader();
        let find = |key: &str| {
            reader.find(index.hash(key), |number| {
                self.is_keyed(number, Some(namespace), key)
            })
        };
        keys.map(find).collect()
    }

    /// The live relationship with this key in this namespace, conventional keys included.
    pub fn find_edge_by_key(&self, namespace: &Namespace, key: &str) -> Option<EdgeRef> {
        let number = self.namespace_number(namespace)?;
        let index = &self.snapshot().edge_key_index;
        let explicit = index.find(index.hash(key), |relationship| {
            let edge = self.edge_of(RelationshipNumber(relationship))?;
            let table = self.triple_table(edge.triple)?;
            let same = table.keys.as_ref()?.at(edge.edge).as_str() == Some(key)
                && table.records.namespaces.get(edge.edge) == number;
            (same && self.is_edge_live(edge)).then_some(edge)
        });
        explicit.or_else(|| self.find_conventional(number, key))
    }

    /// Looks at every way to read a key as `from|VERB|to`.
    fn find_conventional(&self, namespace: u32, key: &str) -> Option<EdgeRef> {
        for (start, _) in key.match_indices('|') {
            let (from, rest) = (key.get(..start)?, key.get(start + 1..)?);
            let Some((verb, to)) = rest.split_once('|') else {
                break;
            };
            let Some(verb) = self.verb_id(verb) else {
                continue;
            };
            let (starts, ends) = (self.ends_by_key(from), self.ends_by_key(to));
            for from in &starts {
                for to in &ends {
                    for triple in
                        self.triples_matching(Some(from.type_id), Some(verb), Some(to.type_id))
                    {
                        let found = self.find_between(triple.id, *from, *to, namespace);
                        if found.is_some() {
                            return found;
                        }
                    }
                }
            }
        }
        None
    }

    /// What an end of a conventional key may be: entities by their key, relationships by their id.
    fn ends_by_key(&self, key: &str) -> Vec<EntityRef> {
        let mut found = self.find_by_key_any_namespace(key);
        if let Some(ObjectRef::Edge(edge)) =
            ObjectId::parse_hex(key).and_then(|id| self.resolve(id))
        {
            found.push(EntityRef::relationship(self.edge_number(edge)));
        }
        found
    }

    fn find_between(
        &self,
        triple: TripleId,
        from: EntityRef,
        to: EntityRef,
        namespace: u32,
    ) -> Option<EdgeRef> {
        let table = self.triple_table(triple)?;
        let mut found = None;
        self.adjacency(triple, Direction::Out)
            .find(from.row, to.row, |edge| {
                let here = table.records.namespaces.get(edge) == namespace;
                let conventional = table
                    .keys
                    .as_ref()
                    .is_none_or(|keys| keys.at(edge).is_null());
                if found.is_none() && here && conventional {
                    found = Some(EdgeRef { triple, edge });
                }
            });
        found
    }

    /// The live object that an alias names.
    pub fn find_alias(&self, alias: &str) -> Option<ObjectRef> {
        let lives = self.snapshot().aliases.lives(alias).iter();
        let mut holding = lives.filter(|life| life.holds(self.tick()));
        holding.find_map(|life| match life.object {
            ObjectNumber::Entity(number) => {
                let entity = self.entity_of(number)?;
                self.is_live(entity).then_some(ObjectRef::Entity(entity))
            }
            ObjectNumber::Relationship(number) => {
                let edge = self.edge_of(number)?;
                self.is_edge_live(edge).then_some(ObjectRef::Edge(edge))
            }
        })
    }

    /// The aliases of an object at the instant, ascending.
    pub fn aliases(&self, object: ObjectRef) -> Vec<String> {
        let number = match object {
            ObjectRef::Entity(entity) => match entity.as_relationship() {
                Some(number) => ObjectNumber::Relationship(number),
                None => ObjectNumber::Entity(self.entity_number(entity)),
            },
            ObjectRef::Edge(edge) => ObjectNumber::Relationship(self.edge_number(edge)),
        };
        let aliases = &self.snapshot().aliases;
        let holds = |alias: &&Arc<str>| {
            let mut lives = aliases.lives(alias).iter();
            lives.any(|life| life.object == number && life.holds(self.tick()))
        };
        aliases
            .of_object(number)
            .iter()
            .filter(holds)
            .map(ToString::to_string)
            .collect()
    }
}
