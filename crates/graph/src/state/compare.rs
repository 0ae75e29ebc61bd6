// SPDX-License-Identifier: Apache-2.0
//! Whether two states say the same, past included, however each is laid out in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Snapshot;
use super::column::Column;
use super::records::Records;
use super::tables::{TripleTable, TypeTable};
use crate::symbols::Symbols;
use crate::view::{TripleMeta, ValueRef};

/// What differs; `None` when nothing does.
type Difference = Option<String>;

/// One of two states, and the other.
struct Two<'s> {
    left: &'s Snapshot,
    right: &'s Snapshot,
}

impl Snapshot {
    /// The first thing in which two states differ, as half a sentence; `None` when they say the
    /// same about every moment. Names of types and ids are told, values never.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let two = Two {
            left: self,
            right: other,
        };
        if (self.sequence, self.committed_at) != (other.sequence, other.committed_at) {
            return Some("the last transaction differs".to_owned());
        }
        if self.next_numbers() != other.next_numbers() {
            return Some("the number of objects differs".to_owned());
        }
        if !self.timeline.iter().eq(other.timeline.iter()) {
            return Some("the list of changing transactions differs".to_owned());
        }
        if self.aliases.sorted() != other.aliases.sorted() {
            return Some("an alias differs".to_owned());
        }
        two.types().or_else(|| two.triples())
    }
}

impl Two<'_> {
    fn types(&self) -> Difference {
        let name = |snapshot: &Snapshot, at: usize| {
            let name = snapshot.symbols.types.get(at as u32);
            name.map_or_else(String::new, ToString::to_string)
        };
        let names = |snapshot: &Snapshot| -> BTreeSet<String> {
            let tables = snapshot.types.iter().enumerate();
            let used = tables.filter(|(_, table)| table.records.rows() > 0);
            used.map(|(at, _)| name(snapshot, at)).collect()
        };
        if names(self.left) != names(self.right) {
            return Some("the types differ".to_owned());
        }
        self.left.types.iter().enumerate().find_map(|(at, table)| {
            let name = name(self.left, at);
            let other = self.right.symbols.types.find(name.as_str());
            let other = other.and_then(|id| self.right.types.get(id as usize));
            let other = other.cloned().unwrap_or_default();
            self.entities(table, &other)
                .map(|what| format!("{what} of an entity of type {name:?} differs"))
        })
    }

    fn entities(&self, left: &TypeTable, right: &TypeTable) -> Difference {
        let rows = left.records.rows();
        let classes = |symbols: &Symbols, set: u32| -> Vec<String> {
            let set = symbols.class_sets.get(set);
            let classes = set.map_or(&[][..], |set| set);
            let name = |id: u32| symbols.classes.get(id).map(ToString::to_string);
            let names = classes.iter().map(|class| name(u32::from(class.0)));
            names.map(Option::unwrap_or_default).collect()
        };
        let of_left = |set| classes(&self.left.symbols, set);
        let of_right = |set| classes(&self.right.symbols, set);
        if let Some(what) = self.records(&left.records, &right.records) {
            return Some(what);
        }
        if (0..rows).any(|row| left.keys.get(row) != right.keys.get(row)) {
            return Some("the key".to_owned());
        }
        let same = |row| {
            let (one, two) = (left.classes.get(row), right.classes.get(row));
            of_left(one) == of_right(two)
        };
        if !(0..rows).all(same) {
            return Some("a class".to_owned());
        }
        let before = left.class_undo.iter();
        let before = before.map(|undo| (undo.row, undo.tick, of_left(undo.old)));
        let after = right.class_undo.iter();
        let after = after.map(|undo| (undo.row, undo.tick, of_right(undo.old)));
        (!before.eq(after)).then(|| "an earlier class".to_owned())
    }

    fn triples(&self) -> Difference {
        let names = |snapshot: &Snapshot| -> BTreeSet<[String; 3]> {
            let used = snapshot.triples.iter();
            let used = used.filter(|table| table.records.rows() > 0);
            used.map(|table| triple_names(snapshot, &table.meta))
                .collect()
        };
        if names(self.left) != names(self.right) {
            return Some("the kinds of relationships differ".to_owned());
        }
        self.left.triples.iter().find_map(|table| {
            let names = triple_names(self.left, &table.meta);
            let mut others = self.right.triples.iter();
            let other = others.find(|other| triple_names(self.right, &other.meta) == names);
            let [from, verb, to] = &names;
            self.relationships(table, other?)
                .map(|what| format!("{what} of a relationship {from} {verb} {to} differs"))
        })
    }

    fn relationships(&self, left: &TripleTable, right: &TripleTable) -> Difference {
        if let Some(what) = self.records(&left.records, &right.records) {
            return Some(what);
        }
        let rows = left.records.rows();
        let names = (
            &self.left.symbols.edge_types,
            &self.right.symbols.edge_types,
        );
        let same = |row| names.0.get(left.types.get(row)) == names.1.get(right.types.get(row));
        if !(0..rows).all(same) {
            return Some("the type".to_owned());
        }
        let (keys, other_keys) = (left.keys.as_deref(), right.keys.as_deref());
        if let Some(what) = columns(rows, keys, other_keys) {
            return Some(format!("the key: {what}"));
        }
        let living = |table: &TripleTable| {
            let mut edges = table.edges.current();
            edges.sort_by_key(|edge| edge.edge);
            let ends = edges.iter().map(|edge| (edge.edge, edge.from, edge.to));
            ends.collect::<Vec<_>>()
        };
        let ended = |table: &TripleTable| {
            let ended = table.edges.ended.iter();
            let ended = ended.map(|it| (it.edge.edge, it.edge.from, it.edge.to, it.tick));
            let mut ended: Vec<_> = ended.collect();
            ended.sort_unstable();
            ended
        };
        let same = living(left) == living(right) && ended(left) == ended(right);
        (!same).then(|| "an end".to_owned())
    }

    /// Lifetimes, changes, namespaces and properties.
    fn records(&self, left: &Records, right: &Records) -> Difference {
        let rows = left.rows();
        if rows != right.rows() {
            return Some("the number".to_owned());
        }
        let born = |records: &Records, row| {
            let tick = records.extents.of_row(row).map(|extent| extent.tick);
            (records.extents.number(row), tick, records.ended_at(row))
        };
        if (0..rows).any(|row| born(left, row) != born(right, row)) {
            return Some("the lifetime".to_owned());
        }
        let changes = |records: &Records| -> Vec<_> {
            let changes = records.changes().map(|change| (change.row, change.tick));
            changes.collect()
        };
        if changes(left) != changes(right) {
            return Some("the list of changes".to_owned());
        }
        let names = (
            &self.left.symbols.namespaces,
            &self.right.symbols.namespaces,
        );
        let same = |row| {
            let of_left = names.0.get(left.namespaces.get(row));
            of_left == names.1.get(right.namespaces.get(row))
        };
        if !(0..rows).all(same) {
            return Some("the namespace".to_owned());
        }
        let named = |snapshot: &Snapshot, records: &Records| -> Vec<(String, Arc<Column>)> {
            let name = |id: u32| snapshot.symbols.properties.get(id).map(ToString::to_string);
            let columns = records.columns().iter();
            let columns = columns.map(|(id, column)| (name(id.0), Arc::clone(column)));
            columns
                .map(|(name, column)| (name.unwrap_or_default(), column))
                .collect()
        };
        let (of_left, of_right) = (named(self.left, left), named(self.right, right));
        let names = of_left.iter().chain(&of_right).map(|(name, _)| name);
        let names: BTreeSet<&String> = names.collect();
        names.into_iter().find_map(|name| {
            let find = |columns: &[(String, Arc<Column>)]| {
                let found = columns.iter().find(|(known, _)| known == name);
                found.map(|(_, column)| Arc::clone(column))
            };
            let (one, two) = (find(&of_left), find(&of_right));
            columns(rows, one.as_deref(), two.as_deref())
                .map(|what| format!("{what} of property {name:?}"))
        })
    }
}

fn triple_names(snapshot: &Snapshot, meta: &TripleMeta) -> [String; 3] {
    let text = |name: Option<&Arc<str>>| name.map_or_else(String::new, ToString::to_string);
    let symbols = &snapshot.symbols;
    [
        text(symbols.types.get(u32::from(meta.from.0))),
        text(symbols.verbs.get(u32::from(meta.verb.0))),
        text(symbols.types.get(u32::from(meta.to.0))),
    ]
}

/// A column that is not there holds nothing.
fn columns(rows: u32, left: Option<&Column>, right: Option<&Column>) -> Difference {
    let at = |column: Option<&Column>, row: u32, other: Option<&Column>| {
        let one = column.map_or(ValueRef::Null, |column| column.at(row));
        is_same(one, other.map_or(ValueRef::Null, |other| other.at(row)))
            && is_hole(column, row) == is_hole(other, row)
    };
    if !(0..rows).all(|row| at(left, row, right)) {
        return Some("a value".to_owned());
    }
    let count = |column: Option<&Column>| column.map_or(0, |column| column.undo_log().len());
    if count(left) != count(right) {
        return Some("the number of earlier values".to_owned());
    }
    let (Some(left), Some(right)) = (left, right) else {
        return None;
    };
    let mut pairs = left.undo_log().iter().zip(right.undo_log().iter());
    let same = pairs.all(|(one, two)| {
        (one.row, one.tick) == (two.row, two.tick)
            && is_same(left.old_value(one), right.old_value(two))
    });
    (!same).then(|| "an earlier value".to_owned())
}

/// Whether a row points at a place of the dictionary that holds nothing: it reads as absent, and is
/// grouped apart from what is.
fn is_hole(column: Option<&Column>, row: u32) -> bool {
    column.is_some_and(|column| {
        let code = column.code_at(row);
        code.is_some_and(|code| code != 0) && column.at(row).is_null()
    })
}

/// Bit by bit: a number that is none is the same as itself.
fn is_same(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Float(left), ValueRef::Float(right)) => left.to_bits() == right.to_bits(),
        _ => left == right,
    }
}
