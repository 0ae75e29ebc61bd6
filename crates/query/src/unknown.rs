// SPDX-License-Identifier: Apache-2.0
//! Names in a query that nothing has: classes, types, verbs and properties.
//!
//! Such a query is answered like any other, mostly with nothing; what is told beside the answer is
//! the nearest name that there is. Neither the warning nor its absence may tell a caller of what it
//! does not see, so a caller with a row condition is warned of every name that the catalog has not
//! and no visible object carries, and is hinted at names of the catalog only.

use std::collections::BTreeMap;

use durward_catalog::Vocabulary;
use durward_graph::{ClassCover, EdgeRef, View};

use crate::error::QueryError;
use crate::execute::Engine;
use crate::j1ql::names::{Element, elements};
use crate::j1ql::suggest::closest;
use crate::j1ql::{
    Alternative, Comparison, Condition, Expression, ListItem, Node, PathPart, Query, Reference,
    ReturnItem, Returns, SelectorKind, Span, Value, Verbs, shown,
};
use crate::plan::Metadata;

/// Most warnings of one query.
const WARNINGS_MAX: usize = 20;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Class,
    Type,
    Verb,
    Property,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Type => "type",
            Self::Verb => "verb",
            Self::Property => "property",
        }
    }
}

/// The names that a query uses, each with its first place.
#[derive(Debug, Default)]
pub(crate) struct Names {
    places: BTreeMap<(Kind, String), Span>,
}

impl Names {
    /// The names in a query and its subqueries.
    pub(crate) fn of(query: &Query) -> Self {
        let mut names = Self::default();
        names.query(query);
        names
    }

    fn add(&mut self, kind: Kind, name: &str, at: Span) {
        self.places.entry((kind, name.to_owned())).or_insert(at);
    }

    fn query(&mut self, query: &Query) {
        let elements = elements(query);
        self.node(&query.start);
        self.path(&query.path);
        let columns: Vec<&str> = match &query.returns {
            Some(Returns::Items { items, .. }) => {
                for item in items {
                    self.expression(&item.expression, Place::Path(&elements));
                }
                items.iter().map(ReturnItem::column_name).collect()
            }
            _ => Vec::new(),
        };
        let result = Place::Result(&elements, &columns);
        for key in &query.order {
            self.expression(&key.expression, result);
        }
        if let Some(having) = &query.having {
            self.condition(having, result);
        }
        if let Some(filter) = &query.filter {
            self.condition(filter, Place::Path(&elements));
        }
    }

    fn path(&mut self, parts: &[PathPart]) {
        for part in parts {
            match part {
                PathPart::Step(step) => {
                    if let Verbs::OneOf(verbs) = &step.verbs {
                        for verb in verbs {
                            self.add(Kind::Verb, verb, step.span);
                        }
                    }
                    self.node(&step.node);
                }
                PathPart::Group(group) => self.path(&group.parts),
            }
        }
    }

    fn node(&mut self, node: &Node) {
        if let SelectorKind::OneOf(alternatives) = &node.selector.kind {
            for alternative in alternatives {
                match alternative {
                    Alternative::Class(name) => self.add(Kind::Class, name, node.selector.span),
                    Alternative::Type(name) => self.add(Kind::Type, name, node.selector.span),
                    Alternative::SmartClass(_) | Alternative::Any => {}
                }
            }
        }
        if let Some(filter) = &node.filter {
            self.condition(filter, Place::Node);
        }
    }

    fn condition(&mut self, condition: &Condition, place: Place<'_>) {
        match condition {
            Condition::And(members) | Condition::Or(members) => {
                for member in members {
                    self.condition(member, place);
                }
            }
            Condition::Comparison(comparison) => self.comparison(comparison, place),
        }
    }

    fn comparison(&mut self, comparison: &Comparison, place: Place<'_>) {
        self.expression(&comparison.left, place);
        match &comparison.value {
            Value::Expression(value) => self.expression(value, place),
            Value::List(groups) => {
                for item in groups.iter().flatten() {
                    if let ListItem::Expression(value) = item {
                        self.expression(value, place);
                    }
                }
            }
            Value::Subquery(query) => self.query(query),
            Value::Regex(_) => {}
        }
    }

    fn expression(&mut self, expression: &Expression, place: Place<'_>) {
        match expression {
            Expression::Reference(reference) => self.reference(reference, place),
            Expression::Call(call) => {
                for argument in &call.arguments {
                    self.expression(argument, place);
                }
            }
            Expression::Binary(binary) => {
                self.expression(&binary.left, place);
                self.expression(&binary.right, place);
            }
            _ => {}
        }
    }

    fn reference(&mut self, reference: &Reference, place: Place<'_>) {
        let key = match place {
            Place::Node => Some(reference.key()),
            Place::Result(_, columns) if columns.contains(&&*reference.key()) => None,
            Place::Path(elements) | Place::Result(elements, _) => {
                let is_alias = elements.iter().any(|one| one.is_named(reference.alias()));
                reference.property().filter(|_| is_alias)
            }
        };
        if let Some(key) = key {
            self.add(Kind::Property, &key, reference.span);
        }
    }

    /// One sentence for each name that nothing has. What cannot be found out for want of time or
    /// memory is not warned of.
    pub(crate) fn warnings(&self, engine: &Engine) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut known: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
        let mut places: Vec<_> = self.places.iter().collect();
        places.sort_by_key(|(_, at)| at.start);
        for ((kind, name), at) in places {
            if warnings.len() == WARNINGS_MAX {
                break;
            }
            if is_in_catalog(*kind, name) || is_in_graph(engine, *kind, name).unwrap_or(true) {
                continue;
            }
            let known = known
                .entry(*kind)
                .or_insert_with(|| known_names(engine, *kind));
            let nearest = closest(name, known.iter().copied());
            let hint =
                nearest.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            warnings.push(format!(
                "unknown {} \"{}\" at {at}{hint}",
                kind.noun(),
                shown(name)
            ));
        }
        warnings
    }
}

/// Where an expression stands.
#[derive(Clone, Copy)]
enum Place<'p> {
    /// `WITH`: whole references are properties.
    Node,
    /// An alias comes first.
    Path(&'p [Element<'p>]),
    /// The same, but a reference may be a column too.
    Result(&'p [Element<'p>], &'p [&'p str]),
}

fn is_in_catalog(kind: Kind, name: &str) -> bool {
    let vocabulary = Vocabulary::built_in();
    match kind {
        Kind::Class => vocabulary.classes.contains(name),
        Kind::Type => vocabulary.types.contains(name),
        Kind::Verb => vocabulary.verbs.contains(name),
        Kind::Property => {
            vocabulary.properties.contains(name)
                || Metadata::ALL.iter().any(|(known, _)| *known == name)
        }
    }
}

/// Whether anything that the caller sees has the name. Without a row condition this is one look-up.
fn is_in_graph(engine: &Engine, kind: Kind, name: &str) -> Result<bool, QueryError> {
    let view = &engine.view;
    let is_there = match kind {
        Kind::Class => view.class_id(name).is_some(),
        Kind::Type => view.type_id(name).is_some(),
        Kind::Verb => view.verb_id(name).is_some(),
        Kind::Property => view.property_id(name).is_some(),
    };
    if !is_there || !engine.has_condition() {
        return Ok(is_there);
    }
    match kind {
        Kind::Class => sees_class(engine, name),
        Kind::Type => match view.type_id(name) {
            Some(type_id) => Ok(!engine.visible(type_id)?.is_empty()),
            None => Ok(false),
        },
        Kind::Verb => sees_verb(engine, name),
        Kind::Property => sees_property(engine, name),
    }
}

fn sees_class(engine: &Engine, name: &str) -> Result<bool, QueryError> {
    let Some(class) = engine.view.class_id(name) else {
        return Ok(false);
    };
    for (type_id, cover) in engine.view.types_with_class(class) {
        engine.meter.check()?;
        let visible = engine.visible(type_id)?;
        let is_seen = match cover {
            ClassCover::All => !visible.is_empty(),
            ClassCover::Some(rows) => !visible.intersect(&rows).is_empty(),
        };
        if is_seen {
            return Ok(true);
        }
    }
    Ok(false)
}

fn sees_verb(engine: &Engine, name: &str) -> Result<bool, QueryError> {
    let Some(verb) = engine.view.verb_id(name) else {
        return Ok(false);
    };
    for triple in engine.triples.iter().filter(|triple| triple.verb == verb) {
        for edge in &engine.view.live_edge_rows(triple.id) {
            engine.meter.tick(1)?;
            let edge = EdgeRef {
                triple: triple.id,
                edge,
            };
            if engine.is_edge_visible(edge) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn sees_property(engine: &Engine, name: &str) -> Result<bool, QueryError> {
    let view = &engine.view;
    let Some(property) = view.property_id(name) else {
        return Ok(false);
    };
    for type_id in view.types() {
        let Some(column) = view.column(type_id, property) else {
            continue;
        };
        for row in &*engine.visible(type_id)? {
            engine.meter.tick(1)?;
            if !column.at(row).is_null() {
                return Ok(true);
            }
        }
    }
    for triple in &engine.triples {
        let Some(column) = view.edge_column(triple.id, property) else {
            continue;
        };
        for edge in &view.live_edge_rows(triple.id) {
            engine.meter.tick(1)?;
            let own = EdgeRef {
                triple: triple.id,
                edge,
            };
            if !column.at(edge).is_null() && engine.is_edge_visible(own) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The names that may be hinted at, those of the graph first. A class may be meant by a type and
/// the other way round: only the first letter tells them apart.
fn known_names(engine: &Engine, kind: Kind) -> Vec<&str> {
    let vocabulary = Vocabulary::built_in();
    let mut known: Vec<&str> = Vec::new();
    if !engine.has_condition() {
        known.extend(in_graph(&engine.view, kind));
    }
    let (own, other) = match kind {
        Kind::Class => (&vocabulary.classes, Some(&vocabulary.types)),
        Kind::Type => (&vocabulary.types, Some(&vocabulary.classes)),
        Kind::Verb => (&vocabulary.verbs, None),
        Kind::Property => (&vocabulary.properties, None),
    };
    known.extend(own.iter().map(String::as_str));
    known.extend(other.into_iter().flatten().map(String::as_str));
    if kind == Kind::Property {
        known.extend(Metadata::ALL.iter().map(|(name, _)| *name));
    }
    known
}

/// The names of a kind in the graph; those of secret properties are not among them.
fn in_graph(view: &View, kind: Kind) -> Vec<&str> {
    let classes = || view.class_ids().into_iter().map(|id| view.class_name(id));
    let types = || view.types().into_iter().map(|id| view.type_name(id));
    match kind {
        Kind::Class => classes().chain(types()).collect(),
        Kind::Type => types().chain(classes()).collect(),
        Kind::Verb => view
            .verb_ids()
            .into_iter()
            .map(|id| view.verb_name(id))
            .collect(),
        Kind::Property => {
            let of_types = view
                .types()
                .into_iter()
                .flat_map(|id| view.properties_of_type(id));
            let triples = view.triples().into_iter();
            let of_triples = triples.flat_map(|triple| view.properties_of_triple(triple.id));
            let mut properties: Vec<_> = of_types.chain(of_triples).collect();
            properties.sort_unstable();
            properties.dedup();
            properties
                .into_iter()
                .map(|id| view.property_name(id))
                .collect()
        }
    }
}
