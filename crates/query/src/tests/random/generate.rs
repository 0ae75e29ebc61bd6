// SPDX-License-Identifier: Apache-2.0
//! Random edits, conditions and query texts.

use std::fmt::Write as _;

use durward_model::Value;

use crate::RowCondition;
use crate::fixture::{Edit, Plain, Properties};

/// A small generator of numbers, the same for the same seed everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 17
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'p>(&mut self, choices: &[&'p str]) -> &'p str {
        choices[self.below(choices.len())]
    }
}

const TYPES: [(&str, &[&str]); 3] = [("ta", &["Ka"]), ("tb", &["Ka", "Kb"]), ("tc", &["Kb"])];
const VERBS: [&str; 3] = ["HAS", "USES", "IS"];
const WORDS: [&str; 4] = ["red", "green", "blue", "redgreen"];

fn value(dice: &mut Dice) -> (String, Value) {
    match dice.below(6) {
        0 | 1 => ("n".to_owned(), Value::Int(dice.below(4) as i64)),
        2 => ("s".to_owned(), dice.pick(&WORDS).into()),
        3 => {
            let words: Vec<&str> = (0..dice.between(1, 3)).map(|_| dice.pick(&WORDS)).collect();
            ("l".to_owned(), words.into())
        }
        4 => ("b".to_owned(), Value::Bool(dice.one_in(2))),
        _ => ("tag.hot".to_owned(), Value::Bool(dice.one_in(2))),
    }
}

fn properties(dice: &mut Dice, most: usize) -> Properties {
    let mut properties: Properties = Vec::new();
    for _ in 0..dice.below(most + 1) {
        let (name, value) = value(dice);
        if !properties.iter().any(|(known, _)| *known == name) {
            properties.push((name, value));
        }
    }
    properties
}

pub(super) fn edits(dice: &mut Dice, plain: &Plain, is_first: bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut left: Vec<u32> = plain.entities.iter().map(|entity| entity.number).collect();
    let mut edges: Vec<(u32, u32, u32)> = plain
        .edges
        .iter()
        .map(|edge| (edge.number, edge.from, edge.to))
        .collect();
    for _ in 0..if is_first { 0 } else { dice.below(4) } {
        match dice.below(3) {
            0 if !left.is_empty() => {
                let number = left.swap_remove(dice.below(left.len()));
                edges.retain(|(_, from, to)| *from != number && *to != number);
                edits.push(Edit::Delete { number });
            }
            1 if !edges.is_empty() => {
                let (number, ..) = edges.swap_remove(dice.below(edges.len()));
                edits.push(Edit::Unrelate { number });
            }
            _ if !left.is_empty() => {
                let number = left.swap_remove(dice.below(left.len()));
                let mut properties = properties(dice, 3);
                if dice.one_in(2) {
                    properties.retain(|(name, _)| name != "n");
                    properties.push(("n".to_owned(), Value::Null));
                }
                edits.push(Edit::Patch { number, properties });
            }
            _ => {}
        }
    }
    if is_first || dice.one_in(2) {
        for _ in 0..dice.between(1, if is_first { 9 } else { 3 }) {
            let (name, classes) = TYPES[dice.below(TYPES.len())];
            edits.push(Edit::Create {
                key: format!("{name}:{}", dice.next()),
                entity_type: name.to_owned(),
                classes: classes.iter().map(|class| (*class).to_owned()).collect(),
                properties: properties(dice, 4),
            });
        }
    } else if !left.is_empty() {
        for _ in 0..dice.below(16) {
            edits.push(Edit::Relate {
                from: left[dice.below(left.len())],
                verb: dice.pick(&VERBS).to_owned(),
                to: left[dice.below(left.len())],
                properties: properties(dice, 2),
            });
        }
    }
    edits
}

pub(super) fn condition(dice: &mut Dice) -> RowCondition {
    let one = |dice: &mut Dice| match dice.below(6) {
        0 => ("_class".to_owned(), Value::from(dice.pick(&["Ka", "Kb"]))),
        1 => (
            "_type".to_owned(),
            Value::from(dice.pick(&["ta", "tb", "tc"])),
        ),
        2 => (
            "_scope".to_owned(),
            Value::from(dice.pick(&["test", "other"])),
        ),
        _ => value(dice),
    };
    let lists = (0..dice.below(4)).map(|_| (0..dice.between(1, 2)).map(|_| one(dice)).collect());
    RowCondition::any_of(lists.collect())
}

/// The names that a query gives, as it is put together.
struct Names {
    nodes: Vec<String>,
    edges: Vec<String>,
    /// Whether a negated part has the name `x0`.
    has_absent: bool,
}

pub(super) fn query(dice: &mut Dice) -> String {
    let mut names = Names {
        nodes: vec!["a0".to_owned()],
        edges: Vec::new(),
        has_absent: false,
    };
    let mut path = node(dice, Some("a0"));
    let steps = dice.below(4);
    parts(dice, steps, true, &mut names, &mut path);
    let filter = match dice.below(4) {
        0 => format!(" WHERE {}", path_condition(dice, &names, 2)),
        _ => String::new(),
    };
    let (unique, returns) = returns(dice, &names);
    let unique = if unique { "UNIQUE " } else { "" };
    format!("FIND {unique}{path}{filter}{returns}")
}

fn node(dice: &mut Dice, alias: Option<&str>) -> String {
    let selector = match dice.below(12) {
        0..3 => "*",
        3 => "Ka",
        4 => "Kb",
        5 => "ta",
        6 => "tb",
        7 => "tc",
        8 => "(ta|Kb)",
        9 => "#hot Ka",
        10 => "#hot",
        _ => "'red'",
    };
    let filter = match dice.below(3) {
        0 => format!(" WITH {}", node_condition(dice, 2)),
        _ => String::new(),
    };
    let alias = alias.map_or_else(String::new, |name| format!(" AS {name}"));
    format!("{selector}{filter}{alias}")
}

fn parts(dice: &mut Dice, steps: usize, may_negate: bool, names: &mut Names, path: &mut String) {
    let mut left = steps;
    let mut may_group = may_negate;
    while left > 0 {
        if may_group && dice.one_in(4) {
            let inside = dice.between(1, left);
            path.push_str(" (");
            let negated = dice.one_in(5);
            if negated {
                let mut silent = Names {
                    nodes: Vec::new(),
                    edges: Vec::new(),
                    has_absent: false,
                };
                step(dice, true, false, &mut silent, path);
            } else {
                parts(dice, inside, false, names, path);
            }
            path.push_str(if dice.one_in(3) { ")" } else { ")?" });
            if dice.one_in(3) && !negated {
                let name = format!("g{}", names.nodes.len());
                let _ = write!(path, " AS {name}");
                names.nodes.push(name);
            }
            left -= inside;
            continue;
        }
        if may_negate && dice.one_in(5) {
            let mut silent = Names {
                nodes: Vec::new(),
                edges: Vec::new(),
                has_absent: false,
            };
            for number in 0..left {
                step(dice, number == 0, false, &mut silent, path);
            }
            path.push_str(" AS x0");
            names.has_absent = true;
            return;
        }
        step(dice, false, true, names, path);
        may_group = true;
        left -= 1;
    }
}

fn step(dice: &mut Dice, negated: bool, named: bool, names: &mut Names, path: &mut String) {
    let verb = match dice.below(5) {
        0 => "RELATES TO",
        1 => "(HAS|USES)",
        2 => "USES",
        3 => "IS",
        _ => "HAS",
    };
    let verb = if negated && verb.starts_with('R') {
        "HAS"
    } else {
        verb
    };
    let way = match dice.below(5) {
        0 => " >>",
        1 => " <<",
        _ => "",
    };
    let bang = if negated { "!" } else { "" };
    let mut edge_alias = String::new();
    if named && dice.one_in(3) {
        let name = format!("e{}", names.edges.len());
        edge_alias = format!(" AS {name}");
        names.edges.push(name);
    }
    let alias = format!("n{}", names.nodes.len());
    let node = node(dice, named.then_some(alias.as_str()));
    if named {
        names.nodes.push(alias);
    }
    let _ = write!(path, " THAT {bang}{verb}{way}{edge_alias} {node}");
}

fn property(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "n", "n", "s", "l", "b", "tag.hot", "_class", "_type", "_scope",
    ])
}

fn literal(dice: &mut Dice) -> String {
    match dice.below(8) {
        0..3 => dice.below(4).to_string(),
        3 => "true".to_owned(),
        4 => "undefined".to_owned(),
        5 => format!("'{}'", dice.pick(&["Ka", "Kb", "ta", "test", "other"])),
        _ => format!("'{}'", dice.pick(&WORDS)),
    }
}

fn comparison(dice: &mut Dice, left: &str) -> String {
    match dice.below(12) {
        0 => format!("{left} != {}", literal(dice)),
        1 => format!("{left} = ({} OR {})", literal(dice), literal(dice)),
        2 => format!("{left} = ({} AND {})", literal(dice), literal(dice)),
        3 => format!(
            "{left} != ({} AND {} OR {})",
            literal(dice),
            literal(dice),
            literal(dice)
        ),
        4 => format!(
            "{left} {} {}",
            dice.pick(&["<", "<=", ">", ">="]),
            dice.below(4)
        ),
        5 => format!(
            "{left} {} 'red'",
            dice.pick(&["~=", "^=", "$=", "!~=", "!^=", "!$="])
        ),
        6 => format!("{left} = /^RED/i"),
        7 => format!(
            "{left} = (FIND {} AS x RETURN x.{})",
            node(dice, None),
            property(dice)
        ),
        8 => format!("{left} != (FIND {} AS x RETURN x.n)", node(dice, None)),
        _ => format!("{left} = {}", literal(dice)),
    }
}

fn node_condition(dice: &mut Dice, depth: usize) -> String {
    match dice.below(4) {
        0 if depth > 0 => {
            let (left, right) = (
                node_condition(dice, depth - 1),
                node_condition(dice, depth - 1),
            );
            format!("({left} {} {right})", dice.pick(&["AND", "OR"]))
        }
        1 => format!("n {} n * 2 - 1", dice.pick(&["=", ">", "!="])),
        _ => {
            let left = property(dice);
            comparison(dice, left)
        }
    }
}

fn any_name(dice: &mut Dice, names: &Names) -> String {
    if !names.edges.is_empty() && dice.one_in(4) {
        return names.edges[dice.below(names.edges.len())].clone();
    }
    names.nodes[dice.below(names.nodes.len())].clone()
}

fn value_of(dice: &mut Dice, names: &Names) -> String {
    let name = any_name(dice, names);
    let property = if name.starts_with('e') {
        dice.pick(&["n", "s", "_class"])
    } else {
        property(dice)
    };
    format!("{name}.{property}")
}

fn path_condition(dice: &mut Dice, names: &Names, depth: usize) -> String {
    match dice.below(5) {
        0 if depth > 0 => {
            let left = path_condition(dice, names, depth - 1);
            let right = path_condition(dice, names, depth - 1);
            format!("({left} {} {right})", dice.pick(&["AND", "OR"]))
        }
        1 => {
            let (left, right) = (value_of(dice, names), value_of(dice, names));
            format!("{left} {} {right}", dice.pick(&["=", "!=", "<"]))
        }
        _ => {
            let left = value_of(dice, names);
            comparison(dice, &left)
        }
    }
}

fn aggregate(dice: &mut Dice, names: &Names) -> String {
    match dice.below(6) {
        0 | 1 => format!("count({})", any_name(dice, names)),
        2 => format!("count({})", value_of(dice, names)),
        3 => "count(*)".to_owned(),
        _ => {
            let name = any_name(dice, names);
            format!("{}({name}.n)", dice.pick(&["sum", "avg", "min", "max"]))
        }
    }
}

fn returns(dice: &mut Dice, names: &Names) -> (bool, String) {
    let order = |dice: &mut Dice, column: &str| match dice.below(3) {
        0 => format!(" ORDER BY {column}{}", dice.pick(&["", " DESC"])),
        _ => String::new(),
    };
    match dice.below(10) {
        0 => (false, order(dice, "a0.n")),
        1 => (false, format!(" RETURN {}", any_name(dice, names))),
        2 => {
            let (one, two) = (any_name(dice, names), any_name(dice, names));
            (false, format!(" RETURN {one}, {two}"))
        }
        3 => (false, " RETURN TREE".to_owned()),
        4 | 5 => {
            let first = aggregate(dice, names);
            let order = order(dice, "c");
            (
                false,
                format!(
                    " RETURN {first} AS c, {} AS d{order}",
                    aggregate(dice, names)
                ),
            )
        }
        6 | 7 => {
            let key = value_of(dice, names);
            let order = order(dice, "c");
            let absent = if names.has_absent {
                ", count(x0) AS x, count(x0.n) AS y"
            } else {
                ""
            };
            (
                false,
                format!(
                    " RETURN {key} AS k, {} AS c{absent}{order}",
                    aggregate(dice, names)
                ),
            )
        }
        _ => {
            let (one, two) = (value_of(dice, names), value_of(dice, names));
            let order = order(dice, "y");
            let third = match dice.below(3) {
                _ if names.has_absent => ", x0.n AS z, coalesce(x0.s, 7) AS w".to_owned(),
                0 => format!(", coalesce({one}, {two}, 'none') AS z"),
                1 => format!(", merge({one}, {two}) AS z"),
                _ => String::new(),
            };
            (
                dice.one_in(2),
                format!(" RETURN {one} AS x, {two} AS y{third}{order}"),
            )
        }
    }
}
