// SPDX-License-Identifier: Apache-2.0
//! What a query can name in `WHERE`, `RETURN` and `ORDER BY`.
//!
//! An alias given with `AS` is a name. Without one, a node that selects a single class or type is
//! named by it, and a step over a single verb by the verb. `*`, a quoted text, smart classes alone,
//! alternatives and `RELATES TO` have no such implicit name. Where a name repeats, the first
//! element of the query has it.

use super::ast::{
    Alternative, Group, Name, Node, PathPart, Query, Selector, SelectorKind, Step, Verbs,
};

/// The thing that an element stands for.
#[derive(Clone, Copy, Debug)]
pub enum ElementKind<'q> {
    /// Entities.
    Node(&'q Node),
    /// The relationships of a step.
    Relationship(&'q Step),
    /// The entities that a group leads to; listed only if the group has an alias.
    Group(&'q Group),
}

/// One thing of a query that may have a name.
#[derive(Clone, Copy, Debug)]
pub struct Element<'q> {
    /// What it is.
    pub kind: ElementKind<'q>,
    /// The alias, else the implicit name, if there is one.
    pub name: Option<&'q str>,
    /// Whether the name was given with `AS`.
    pub is_explicit: bool,
    /// Whether it is part of a negated step or follows one in the same sequence, so that no row
    /// holds it and nothing can refer to it.
    pub is_negated: bool,
    /// Whether it is inside an optional group, so that a row may lack it.
    pub is_optional: bool,
}

impl Element<'_> {
    /// Whether `name` means this element. Names are case-sensitive, but verbs are not.
    pub fn is_named(&self, name: &str) -> bool {
        let is_verb = matches!(self.kind, ElementKind::Relationship(_)) && !self.is_explicit;
        self.name
            .is_some_and(|own| own == name || (is_verb && own.eq_ignore_ascii_case(name)))
    }
}

/// All nodes, relationships and named groups of a query in the order of the text; a step's
/// relationship comes before its node, a group after what is in it. Subqueries are not entered.
pub fn elements(query: &Query) -> Vec<Element<'_>> {
    let mut elements = Vec::new();
    let place = Place {
        is_negated: false,
        is_optional: false,
    };
    add_node(&query.start, place, &mut elements);
    add_path(&query.path, place, &mut elements);
    elements
}

/// The element that `name` means, unless it is negated away.
pub fn resolve<'e, 'q>(elements: &'e [Element<'q>], name: &str) -> Option<&'e Element<'q>> {
    elements
        .iter()
        .find(|element| !element.is_negated && element.is_named(name))
}

/// The names that the query can use, without repeats, in the order of the text.
pub fn usable_names(elements: &[Element<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for element in elements.iter().filter(|element| !element.is_negated) {
        if let Some(name) = element.name
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[derive(Clone, Copy)]
struct Place {
    is_negated: bool,
    is_optional: bool,
}

fn add_path<'q>(parts: &'q [PathPart], mut place: Place, elements: &mut Vec<Element<'q>>) {
    for part in parts {
        match part {
            PathPart::Step(step) => {
                place.is_negated |= step.negated;
                let kind = ElementKind::Relationship(step);
                elements.push(element(
                    kind,
                    step.alias.as_ref(),
                    verb_name(&step.verbs),
                    place,
                ));
                add_node(&step.node, place, elements);
            }
            PathPart::Group(group) => {
                let inner = Place {
                    is_optional: place.is_optional || group.optional,
                    ..place
                };
                add_path(&group.parts, inner, elements);
                if group.alias.is_some() {
                    let kind = ElementKind::Group(group);
                    elements.push(element(kind, group.alias.as_ref(), None, place));
                }
            }
        }
    }
}

fn add_node<'q>(node: &'q Node, place: Place, elements: &mut Vec<Element<'q>>) {
    let implicit = selector_name(&node.selector);
    elements.push(element(
        ElementKind::Node(node),
        node.alias.as_ref(),
        implicit,
        place,
    ));
}

fn element<'q>(
    kind: ElementKind<'q>,
    alias: Option<&'q Name>,
    implicit: Option<&'q str>,
    place: Place,
) -> Element<'q> {
    Element {
        kind,
        name: alias.map(|alias| alias.text.as_str()).or(implicit),
        is_explicit: alias.is_some(),
        is_negated: place.is_negated,
        is_optional: place.is_optional,
    }
}

/// The implicit name of a node.
pub fn selector_name(selector: &Selector) -> Option<&str> {
    match &selector.kind {
        SelectorKind::OneOf(alternatives) => match alternatives.as_slice() {
            [Alternative::Class(name) | Alternative::Type(name)] => Some(name),
            _ => None,
        },
        SelectorKind::Any | SelectorKind::Text(_) => None,
    }
}

/// The implicit name of a relationship.
pub fn verb_name(verbs: &Verbs) -> Option<&str> {
    match verbs {
        Verbs::OneOf(verbs) => match verbs.as_slice() {
            [verb] => Some(verb),
            _ => None,
        },
        Verbs::Any => None,
    }
}
