// SPDX-License-Identifier: Apache-2.0
//! Relationships: triples, neighbours, ends, values and dates.

use durward_model::{Instant, Namespace, Value};

use super::{Adjacency, ColumnView, TripleMeta, View};
use crate::ids::{Direction, EdgeRef, EntityRef, PropertyId, TripleId, TypeId, VerbId};
use crate::rowset::RowSet;

impl View {
    /// All triples that have or had relationships.
    pub fn triples(&self) -> Vec<TripleMeta> {
        self.snapshot()
            .triples
            .iter()
            .map(|table| table.meta)
            .collect()
    }

    /// The triples that fit; `None` fits everything.
    pub fn triples_matching(
        &self,
        from: Option<TypeId>,
        verb: Option<VerbId>,
        to: Option<TypeId>,
    ) -> Vec<TripleMeta> {
        if let (Some(from), Some(verb), Some(to)) = (from, verb, to) {
            let id = self.snapshot().triple_ids.get(&(from.0, verb.0, to.0));
            return id
                .and_then(|id| self.triple(TripleId(*id)))
                .into_iter()
                .collect();
        }
        let fits = |meta: &TripleMeta| {
            from.is_none_or(|from| meta.from == from)
                && verb.is_none_or(|verb| meta.verb == verb)
                && to.is_none_or(|to| meta.to == to)
        };
        self.snapshot()
            .triples
            .iter()
            .map(|table| table.meta)
            .filter(fits)
            .collect()
    }

    /// One triple.
    pub fn triple(&self, id: TripleId) -> Option<TripleMeta> {
        self.triple_table(id).map(|table| table.meta)
    }

    /// How many relationships of a triple live at the instant.
    pub fn edge_count(&self, id: TripleId) -> u64 {
        let Some(table) = self.triple_table(id) else {
            return 0;
        };
        match self.tick() {
            None => table.edges.live() as u64,
            Some(tick) => {
                let created = u64::from(table.records.limit(Some(tick)));
                created.saturating_sub(table.edges.ended.ended_by(tick) as u64)
            }
        }
    }

    /// How many edge rows a triple had at the instant, ended ones included.
    pub fn edge_rows(&self, id: TripleId) -> u32 {
        self.triple_table(id)
            .map_or(0, |table| table.records.limit(self.tick()))
    }

    /// The edge rows that live at the instant.
    pub fn live_edge_rows(&self, id: TripleId) -> RowSet {
        self.triple_table(id).map_or(RowSet::empty(0), |table| {
            table.records.live_rows(self.tick())
        })
    }

    /// Whether a relationship lives at the instant.
    pub fn is_edge_live(&self, edge: EdgeRef) -> bool {
        let table = self.triple_table(edge.triple);
        table.is_some_and(|table| table.records.is_live(edge.edge, self.tick()))
    }

    /// The neighbours along a triple, resolved once for this view.
    pub fn adjacency(&self, id: TripleId, direction: Direction) -> Adjacency {
        let Some(table) = self.triple_table(id) else {
            return Adjacency::empty();
        };
        let past = self
            .tick()
            .map(|tick| (tick, table.records.limit(Some(tick))));
        Adjacency::new(&table.edges, direction, past)
    }

    /// Both ends of a relationship, live or ended; `None` for one that never existed.
    pub fn edge_ends(&self, edge: EdgeRef) -> Option<(EntityRef, EntityRef)> {
        let table = self.triple_table(edge.triple)?;
        let (from, to) = table.edges.ends(edge.edge)?;
        Some((
            EntityRef {
                type_id: table.meta.from,
                row: from,
            },
            EntityRef {
                type_id: table.meta.to,
                row: to,
            },
        ))
    }

    /// The `_type` of a relationship.
    pub fn edge_type(&self, edge: EdgeRef) -> String {
        self.edge_type_str(edge).to_owned()
    }

    /// The `_type` of a relationship, borrowed.
    pub fn edge_type_str(&self, edge: EdgeRef) -> &str {
        let Some(table) = self.triple_table(edge.triple) else {
            return "";
        };
        let types = &self.snapshot().symbols.edge_types;
        types
            .get(table.types.get(edge.edge))
            .map_or("", |name| name)
    }

    /// The natural key of a relationship.
    pub fn edge_key(&self, edge: EdgeRef) -> String {
        let Some(table) = self.triple_table(edge.triple) else {
            return String::new();
        };
        if let Some(key) = table
            .keys
            .as_ref()
            .and_then(|keys| keys.at(edge.edge).as_str())
        {
            return key.to_owned();
        }
        let Some((from, to)) = self.edge_ends(edge) else {
            return String::new();
        };
        let verb = self.verb_name(table.meta.verb);
        format!("{}|{verb}|{}", self.end_key(from), self.end_key(to))
    }

    /// How an end appears in a conventional key: an entity by its key, a relationship by its id.
    fn end_key(&self, end: EntityRef) -> String {
        match end.as_relationship() {
            Some(_) => self.entity_id(end).to_hex(),
            None => self.key(end),
        }
    }

    /// Whether that key is the conventional one, which is not stored.
    pub fn edge_key_is_conventional(&self, edge: EdgeRef) -> bool {
        self.triple_table(edge.triple).is_none_or(|table| {
            table
                .keys
                .as_ref()
                .is_none_or(|keys| keys.at(edge.edge).is_null())
        })
    }

    /// The namespace of a relationship.
    pub fn edge_namespace(&self, edge: EdgeRef) -> Namespace {
        let table = self.triple_table(edge.triple);
        table.map_or(Namespace::default(), |table| {
            self.namespace_in(&table.records, edge.edge)
        })
    }

    /// The values of a property by edge row.
    pub fn edge_column(&self, id: TripleId, property: PropertyId) -> Option<ColumnView> {
        let column = self.triple_table(id)?.records.column(property)?;
        Some(self.open(column, self.edge_rows(id)))
    }

    /// The properties that relationships of a triple have or had.
    pub fn properties_of_triple(&self, id: TripleId) -> Vec<PropertyId> {
        let columns = self
            .triple_table(id)
            .map_or(&[][..], |table| table.records.columns());
        columns.iter().map(|(property, _)| *property).collect()
    }

    /// One value of a relationship.
    pub fn edge_value(&self, edge: EdgeRef, property: PropertyId) -> Value {
        let table = self.triple_table(edge.triple);
        let column = table.and_then(|table| table.records.column(property));
        column.map_or(Value::Null, |column| self.read(column, edge.edge))
    }

    /// All values of a relationship, no nulls.
    pub fn edge_properties(&self, edge: EdgeRef) -> Vec<(PropertyId, Value)> {
        let Some(table) = self.triple_table(edge.triple) else {
            return Vec::new();
        };
        self.read_row(&table.records, edge.edge, true)
    }

    /// When a relationship was created.
    pub fn edge_created_at(&self, edge: EdgeRef) -> Instant {
        let table = self.triple_table(edge.triple);
        table.map_or(Instant::MIN, |table| {
            self.created_in(&table.records, edge.edge)
        })
    }

    /// When it was last changed, up to the instant; its creation if never.
    pub fn edge_updated_at(&self, edge: EdgeRef) -> Instant {
        let table = self.triple_table(edge.triple);
        table.map_or(Instant::MIN, |table| {
            self.updated_in(&table.records, edge.edge)
        })
    }

    /// When it ended, if that was not after the instant.
    pub fn edge_ended_at(&self, edge: EdgeRef) -> Option<Instant> {
        self.ended_in(&self.triple_table(edge.triple)?.records, edge.edge)
    }

    /// 1 at creation, one more with each later transaction that changed it.
    pub fn edge_version(&self, edge: EdgeRef) -> u32 {
        let table = self.triple_table(edge.triple);
        table.map_or(0, |table| table.records.version(edge.edge, self.tick()).0)
    }

    /// The live relationships at either end of an entity (or relationship), each once.
    pub fn edges_of(&self, end: EntityRef) -> Vec<EdgeRef> {
        let mut found = Vec::new();
        for table in self.snapshot().triples.iter() {
            let meta = table.meta;
            for (direction, of) in [(Direction::Out, meta.from), (Direction::In, meta.to)] {
                if of == end.type_id {
                    self.adjacency(meta.id, direction)
                        .for_each_edge(end.row, |_, edge| {
                            found.push(EdgeRef {
                                triple: meta.id,
                                edge,
                            });
                        });
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
