// SPDX-License-Identifier: Apache-2.0
//! From the syntax tree of J1QL to a plan, and the functions that answer a J1QL text.

mod conditions;
mod expressions;
mod output;

use std::collections::BTreeMap;

use durward_graph::View;
use durward_model::{Instant, Value};

use crate::error::QueryError;
use crate::execute::{Position, Work, explain_with, open_cursor, run_at};
use crate::j1ql::names::{Element, ElementKind, elements};
use crate::j1ql::{
    Alternative, Direction, Group, Node, PathPart, Query, Selector, SelectorKind, Step, Verbs,
    parse,
};
use crate::limits::Meter;
use crate::plan::{
    Comparison, Condition, EdgePattern, Expression, NodePattern, Operand, Part, Plan, Property,
    Relation, Repeat, Slot, SlotInfo, SlotKind, Source, Way,
};
use crate::result::{QueryPage, RunOptions};
use crate::unknown::Names;

/// Memory that a byte of query text takes at most while it is tokens, a tree, a plan and what is
/// made of the plan.
const BYTES_OF_TEXT_BYTE: usize = 256;

/// Answers a J1QL text with one page of its result.
pub fn run(view: &View, text: &str, options: &RunOptions) -> Result<QueryPage, QueryError> {
    let meter = Meter::new(&options.limits);
    let (view, position, cursor) = open_cursor(view, options)?;
    let is_first = cursor.is_none();
    let now = cursor.map_or(options.now, |cursor| cursor.now);
    let query = read(text, &meter)?;
    let plan = lower_at(&query, options, now, &meter)?;
    let names = is_first.then(|| Names::of(&query));
    let work = Work {
        meter,
        position: &position,
        now,
        names: names.as_ref(),
        receiver: None,
    };
    run_at(&view, plan, options, work)
}

/// Answers a J1QL text with its whole result, handed on in chunks of bytes. Neither a cursor nor
/// the page size count.
pub fn stream(
    view: &View,
    text: &str,
    options: &RunOptions,
    receiver: &mut (dyn FnMut(&[u8]) -> Result<(), QueryError> + Send),
) -> Result<QueryPage, QueryError> {
    let meter = Meter::new(&options.limits);
    let query = read(text, &meter)?;
    let plan = lower_at(&query, options, options.now, &meter)?;
    let names = Names::of(&query);
    let work = Work {
        meter,
        position: &Position::default(),
        now: options.now,
        names: Some(&names),
        receiver: Some(receiver),
    };
    run_at(view, plan, options, work)
}

/// The plan of a J1QL text as an indented tree, with the ways that were chosen and the sizes that
/// were met. The query is run for it.
pub fn explain(view: &View, text: &str, options: &RunOptions) -> Result<String, QueryError> {
    let meter = Meter::new(&options.limits);
    let query = read(text, &meter)?;
    let plan = lower_at(&query, options, options.now, &meter)?;
    explain_with(view, plan, options, meter, Some(&Names::of(&query)))
}

/// The plan of a J1QL text.
pub fn lower(text: &str, options: &RunOptions) -> Result<Plan, QueryError> {
    let meter = Meter::new(&options.limits);
    lower_at(&read(text, &meter)?, options, options.now, &meter)
}

/// Names in a J1QL text that nothing has, as sentences; see [`QueryPage::warnings`].
pub fn warnings(view: &View, text: &str, options: &RunOptions) -> Result<Vec<String>, QueryError> {
    let meter = Meter::new(&options.limits);
    let query = read(text, &meter)?;
    let engine = crate::execute::engine(view, options, meter)?;
    Ok(Names::of(&query).warnings(&engine))
}

fn read(text: &str, meter: &Meter) -> Result<Query, QueryError> {
    meter.bytes(text.len().saturating_mul(BYTES_OF_TEXT_BYTE))?;
    Ok(parse(text)?)
}

fn lower_at(
    query: &Query,
    options: &RunOptions,
    now: Instant,
    meter: &Meter,
) -> Result<Plan, QueryError> {
    let context = Context {
        parameters: &options.parameters,
        variables: &options.variables,
        now,
        scope: &options.scope_filters,
        meter,
    };
    Lowering::new(&context, query).plan(query)
}

/// What a query is told besides its text.
#[derive(Debug)]
struct Context<'c> {
    parameters: &'c BTreeMap<String, Value>,
    variables: &'c BTreeMap<String, Value>,
    now: Instant,
    scope: &'c [BTreeMap<String, Value>],
    meter: &'c Meter,
}

/// Lowers one query; subqueries have a lowering of their own.
struct Lowering<'c, 'q> {
    context: &'c Context<'c>,
    elements: Vec<Element<'q>>,
    /// The slot of the next element met on the way through the text.
    next: usize,
}

impl<'c, 'q> Lowering<'c, 'q> {
    fn new(context: &'c Context<'c>, query: &'q Query) -> Self {
        Self {
            context,
            elements: elements(query),
            next: 0,
        }
    }

    fn plan(mut self, query: &'q Query) -> Result<Plan, QueryError> {
        let slots = self.elements.iter().map(|element| SlotInfo {
            kind: match element.kind {
                ElementKind::Node(_) => SlotKind::Node,
                ElementKind::Relationship(_) => SlotKind::Edge,
                ElementKind::Group(_) => SlotKind::Reached,
            },
            name: element.name.map(str::to_owned),
        });
        let slots: Vec<SlotInfo> = slots.collect();
        let mut start = self.node(&query.start)?;
        restrict(&mut start, self.context.scope);
        let parts = self.parts(&query.path)?;
        let filter = query.filter.as_ref();
        let path_filter = filter
            .map(|filter| self.path_condition(filter))
            .transpose()?;
        let mut plan = Plan {
            slots,
            start,
            parts,
            path_filter,
            output: crate::plan::Output::Tree,
            order: Vec::new(),
            skip: query.skip.unwrap_or(0),
            limit: query.limit,
        };
        self.output(query, &mut plan)?;
        Ok(plan)
    }

    fn take_slot(&mut self) -> Slot {
        let slot = Slot(self.next as u16);
        self.next += 1;
        slot
    }

    fn node(&mut self, node: &Node) -> Result<NodePattern, QueryError> {
        let slot = self.take_slot();
        let (sources, mut filter) = select(&node.selector, slot);
        if let Some(with) = &node.filter {
            let with = self.node_condition(with, slot)?;
            filter = Some(match filter {
                Some(filter) => filter.and(with),
                None => with,
            });
        }
        Ok(NodePattern {
            slot,
            sources,
            filter,
        })
    }

    /// Parts of a sequence. A negated step takes all that follows it in the sequence along.
    fn parts(&mut self, path: &'q [PathPart]) -> Result<Vec<Part>, QueryError> {
        let mut parts = Vec::new();
        for (position, part) in path.iter().enumerate() {
            match part {
                PathPart::Step(step) if step.negated => {
                    let mut inner = vec![Part::Step(self.step(step)?)];
                    inner.extend(self.parts(path.get(position + 1..).unwrap_or_default())?);
                    parts.push(Part::Without(inner));
                    return Ok(parts);
                }
                PathPart::Step(step) => parts.push(Part::Step(self.step(step)?)),
                PathPart::Group(group) => self.group(group, &mut parts)?,
            }
        }
        Ok(parts)
    }

    fn group(&mut self, group: &'q Group, parts: &mut Vec<Part>) -> Result<(), QueryError> {
        let inner = self.parts(&group.parts)?;
        let reached = group.alias.as_ref().map(|_| self.take_slot());
        if group.optional {
            parts.push(Part::Optional {
                parts: inner,
                reached,
            });
        } else {
            parts.extend(inner);
            parts.extend(reached.map(Part::Reached));
        }
        Ok(())
    }

    fn step(&mut self, step: &'q Step) -> Result<crate::plan::Step, QueryError> {
        let slot = self.take_slot();
        let edge = EdgePattern {
            slot,
            verbs: match &step.verbs {
                Verbs::Any => None,
                Verbs::OneOf(verbs) => Some(verbs.clone()),
            },
            way: match step.direction {
                Direction::Any => Way::Either,
                Direction::LeftToRight => Way::Out,
                Direction::RightToLeft => Way::In,
            },
            filter: None,
        };
        Ok(crate::plan::Step {
            edge,
            node: self.node(&step.node)?,
            repeat: Repeat::ONCE,
        })
    }
}

/// What a selector means: where the entities come from, and what they must fulfil besides.
fn select(selector: &Selector, slot: Slot) -> (Vec<Source>, Option<Condition>) {
    let mut conditions: Vec<Condition> = selector
        .smart_classes
        .iter()
        .map(|name| smart_class(slot, name))
        .collect();
    let sources = match &selector.kind {
        SelectorKind::Any => vec![Source::Any],
        SelectorKind::Text(text) => {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            vec![if words.is_empty() {
                Source::Any
            } else {
                Source::Text(words)
            }]
        }
        SelectorKind::OneOf(alternatives) => {
            let is_smart = |one: &Alternative| matches!(one, Alternative::SmartClass(_));
            if alternatives.iter().any(is_smart) {
                let any = alternatives.iter().map(|one| as_condition(slot, one));
                conditions.push(Condition::Any(any.collect()));
                vec![Source::Any]
            } else {
                alternatives.iter().map(as_source).collect()
            }
        }
    };
    let filter = match conditions.len() {
        0 => None,
        _ => Some(Condition::All(conditions)),
    };
    (sources, filter)
}

fn as_source(alternative: &Alternative) -> Source {
    match alternative {
        Alternative::Class(name) => Source::Class(name.clone()),
        Alternative::Type(name) => Source::Type(name.clone()),
        Alternative::SmartClass(_) | Alternative::Any => Source::Any,
    }
}

fn as_condition(slot: Slot, alternative: &Alternative) -> Condition {
    match alternative {
        Alternative::Class(name) => Condition::equals(slot, "_class", name.as_str().into()),
        Alternative::Type(name) => Condition::equals(slot, "_type", name.as_str().into()),
        Alternative::SmartClass(name) => smart_class(slot, name),
        Alternative::Any => Condition::All(Vec::new()),
    }
}

/// A smart class is stored as a tag: `tag.Name = true`, or the name among `tags`.
fn smart_class(slot: Slot, name: &str) -> Condition {
    Condition::Any(vec![
        Condition::equals(slot, &format!("tag.{name}"), Value::Bool(true)),
        Condition::equals(slot, "tags", name.into()),
    ])
}

/// Restricts the start entities to those that fit any of the scopes.
pub(crate) fn restrict(start: &mut NodePattern, scopes: &[BTreeMap<String, Value>]) {
    if scopes.is_empty() {
        return;
    }
    let slot = start.slot;
    let equals = |name: &String, value: &Value| {
        Condition::Compare(Comparison {
            left: Expression::Property(slot, Property::of(name)),
            relation: Relation::Equal,
            negated: false,
            every: false,
            fold: false,
            right: vec![Operand::Value(Expression::Literal(value.clone()))],
        })
    };
    let scopes = scopes.iter().map(|scope| {
        Condition::All(
            scope
                .iter()
                .map(|(name, value)| equals(name, value))
                .collect(),
        )
    });
    let scope = Condition::Any(scopes.collect());
    start.filter = Some(match start.filter.take() {
        Some(filter) => scope.and(filter),
        None => scope,
    });
}
