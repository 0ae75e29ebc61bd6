// SPDX-License-Identifier: Apache-2.0
//! The meaning of J1QL, spelled out: every path is listed, every rule is applied to the list.
//! Slow and plain on purpose; the executor is compared with it.

mod output;
mod values;

use crate::fixture::{Plain, PlainEdge, PlainEntity};
use crate::j1ql::{
    Alternative, Condition, Direction, Node, PathPart, Query, SelectorKind, Step, Verbs,
};

pub(super) use output::{Answer, answer, sorted};

/// Whether a property of an entity has a value, as row conditions mean it.
pub(super) fn matches(entity: &PlainEntity, name: &str, value: &durward_model::Value) -> bool {
    values::same(&values::entity_value(entity, name), value)
}

/// What an element of the query is bound to: numbers of the plain graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Bound {
    Nothing,
    Entity(u32),
    Edge(u32),
}

/// One path: what every element is bound to, where it stands, what it used, what it skipped.
#[derive(Clone, Debug)]
struct Path {
    row: Vec<Bound>,
    at: u32,
    used: Vec<u32>,
    skipped: Vec<usize>,
    taken: Vec<usize>,
}

/// A query part with the numbers of its elements.
enum Part<'q> {
    Step {
        step: &'q Step,
        edge: usize,
        node: usize,
    },
    Group {
        parts: Vec<Part<'q>>,
        optional: bool,
        alias: Option<usize>,
        block: usize,
        inside: Vec<usize>,
    },
}

pub(super) struct Naive<'a> {
    pub(super) plain: &'a Plain,
    pub(super) query: &'a Query,
    pub(super) now_millis: i64,
    /// Public ids by number.
    pub(super) uuid: &'a dyn Fn(Bound) -> String,
}

fn number_parts<'q>(parts: &'q [PathPart], next: &mut usize, blocks: &mut usize) -> Vec<Part<'q>> {
    let mut numbered = Vec::new();
    for part in parts {
        numbered.push(match part {
            PathPart::Step(step) => {
                *next += 2;
                Part::Step {
                    step,
                    edge: *next - 2,
                    node: *next - 1,
                }
            }
            PathPart::Group(group) => {
                *blocks += 1;
                let block = *blocks;
                let first = *next;
                let parts = number_parts(&group.parts, next, blocks);
                let alias = group.alias.as_ref().map(|_| {
                    *next += 1;
                    *next - 1
                });
                let inside = (first..*next).collect();
                Part::Group {
                    parts,
                    optional: group.optional,
                    alias,
                    block,
                    inside,
                }
            }
        });
    }
    numbered
}

impl Naive<'_> {
    pub(super) fn entity(&self, number: u32) -> &PlainEntity {
        self.plain
            .entities
            .iter()
            .find(|one| one.number == number)
            .unwrap()
    }

    pub(super) fn edge(&self, number: u32) -> &PlainEdge {
        self.plain
            .edges
            .iter()
            .find(|one| one.number == number)
            .unwrap()
    }

    /// All rows, after skipped blocks are dropped and `WHERE` is applied.
    pub(super) fn rows(&self) -> Vec<Vec<Bound>> {
        let (mut next, mut blocks) = (1, 0);
        let parts = number_parts(&self.query.path, &mut next, &mut blocks);
        let mut paths = Vec::new();
        for entity in &self.plain.entities {
            if !self.fits(entity, &self.query.start) {
                continue;
            }
            let mut row = vec![Bound::Nothing; next];
            row[0] = Bound::Entity(entity.number);
            let start = Path {
                row,
                at: entity.number,
                used: vec![],
                skipped: vec![],
                taken: vec![],
            };
            self.walk(&parts.iter().collect::<Vec<_>>(), false, start, &mut paths);
        }
        let (mut inside, mut aliases) = (Vec::new(), Vec::new());
        collect_blocks(&parts, &mut inside, &mut aliases);
        for (_, places) in &mut inside {
            places.extend(&aliases);
        }
        let kept = paths
            .iter()
            .filter(|path| !is_beaten(path, &paths, &inside));
        let rows = kept.map(|path| path.row.clone());
        rows.filter(|row| {
            self.query
                .filter
                .as_ref()
                .is_none_or(|one| self.path_holds(one, row))
        })
        .collect()
    }

    /// Lists every way to walk `parts` from a path. `positive` forgets the `!` of the first part.
    fn walk(&self, parts: &[&Part<'_>], positive: bool, path: Path, found: &mut Vec<Path>) {
        let Some((first, rest)) = parts.split_first() else {
            found.push(path);
            return;
        };
        match first {
            Part::Step { step, .. } if step.negated && !positive => {
                let mut inner = Vec::new();
                self.walk(parts, true, path.clone(), &mut inner);
                if inner.is_empty() {
                    found.push(path);
                }
            }
            Part::Step { step, edge, node } => {
                for (used, other) in self.hops(step, path.at) {
                    if path.used.contains(&used) || !self.fits(self.entity(other), &step.node) {
                        continue;
                    }
                    let mut longer = path.clone();
                    longer.row[*edge] = Bound::Edge(used);
                    longer.row[*node] = Bound::Entity(other);
                    longer.at = other;
                    longer.used.push(used);
                    self.walk(rest, false, longer, found);
                }
            }
            Part::Group {
                parts: inner,
                optional,
                alias,
                block,
                ..
            } => {
                let mut ends = Vec::new();
                let inner: Vec<&Part<'_>> = inner.iter().collect();
                self.walk(&inner, false, path.clone(), &mut ends);
                for end in &mut ends {
                    end.taken.push(*block);
                }
                if *optional {
                    let mut skipped = path;
                    skipped.skipped.push(*block);
                    ends.push(skipped);
                }
                for mut end in ends {
                    if let Some(alias) = alias {
                        end.row[*alias] = Bound::Entity(end.at);
                    }
                    self.walk(rest, false, end, found);
                }
            }
        }
    }

    /// The relationships of a step from a node, and where they lead.
    fn hops(&self, step: &Step, at: u32) -> Vec<(u32, u32)> {
        let mut hops = Vec::new();
        for edge in &self.plain.edges {
            let fits = match &step.verbs {
                Verbs::Any => true,
                Verbs::OneOf(verbs) => verbs.contains(&edge.verb),
            };
            if !fits {
                continue;
            }
            let out = edge.from == at && step.direction != Direction::RightToLeft;
            let back = edge.to == at && step.direction != Direction::LeftToRight;
            if out {
                hops.push((edge.number, edge.to));
            }
            if back && !(out && edge.from == edge.to) {
                hops.push((edge.number, edge.from));
            }
        }
        hops
    }

    fn fits(&self, entity: &PlainEntity, node: &Node) -> bool {
        let class = |name: &String| entity.classes.contains(name);
        let kind = match &node.selector.kind {
            SelectorKind::Any => true,
            SelectorKind::Text(text) => {
                let all: Vec<String> = entity
                    .properties
                    .values()
                    .flat_map(values::texts)
                    .chain([entity.key.clone()])
                    .map(|text| text.to_lowercase())
                    .collect();
                text.split_whitespace()
                    .all(|word| all.iter().any(|text| text.contains(&word.to_lowercase())))
            }
            SelectorKind::OneOf(alternatives) => alternatives.iter().any(|one| match one {
                Alternative::Class(name) => class(name),
                Alternative::Type(name) => entity.entity_type == *name,
                Alternative::SmartClass(name) => values::is_smart(entity, name),
                Alternative::Any => true,
            }),
        };
        kind && node
            .selector
            .smart_classes
            .iter()
            .all(|name| values::is_smart(entity, name))
            && node
                .filter
                .as_ref()
                .is_none_or(|filter| self.node_holds(filter, entity))
    }

    fn node_holds(&self, condition: &Condition, entity: &PlainEntity) -> bool {
        let read = |name: &[String]| values::entity_value(entity, &name.join("."));
        values::holds(self, condition, &read)
    }

    fn path_holds(&self, condition: &Condition, row: &[Bound]) -> bool {
        values::holds(self, condition, &|name| self.value_of(name, row))
    }

    /// `alias.property` of a row.
    pub(super) fn value_of(&self, name: &[String], row: &[Bound]) -> durward_model::Value {
        let elements = crate::j1ql::names::elements(self.query);
        let place = elements
            .iter()
            .position(|one| !one.is_negated && one.is_named(&name[0]));
        let Some(place) = place else {
            assert!(elements.iter().any(|one| one.is_named(&name[0])));
            return durward_model::Value::Null;
        };
        let bound = row[place];
        match (bound, name.len()) {
            (Bound::Nothing, _) => durward_model::Value::Null,
            (bound, 1) => (self.uuid)(bound).into(),
            (Bound::Entity(number), _) => {
                values::entity_value(self.entity(number), &name[1..].join("."))
            }
            (Bound::Edge(number), _) => values::edge_value(self.edge(number), &name[1..].join(".")),
        }
    }
}

/// The elements inside each block, and the aliases of blocks: these are second names of nodes, not
/// parts of a path.
fn collect_blocks(
    parts: &[Part<'_>],
    into: &mut Vec<(usize, Vec<usize>)>,
    aliases: &mut Vec<usize>,
) {
    for part in parts {
        if let Part::Group {
            parts,
            block,
            inside,
            alias,
            ..
        } = part
        {
            into.push((*block, inside.clone()));
            aliases.extend(*alias);
            collect_blocks(parts, into, aliases);
        }
    }
}

/// Whether another path is the same, but for a block that this one skipped.
fn is_beaten(path: &Path, paths: &[Path], inside: &[(usize, Vec<usize>)]) -> bool {
    path.skipped.iter().any(|block| {
        let (_, own) = inside.iter().find(|(number, _)| number == block).unwrap();
        paths.iter().any(|other| {
            other.taken.contains(block)
                && (0..path.row.len())
                    .all(|place| own.contains(&place) || path.row[place] == other.row[place])
        })
    })
}
