// SPDX-License-Identifier: Apache-2.0
//! From filter groups to conditions.

use durward_graph::View;
use durward_model::{Instant, Value};
use serde_json::Value as Json;

use super::operators::{join, on_property, without_negation};
use super::{Filter, FilterGroup, FilterMode, FilterOperator, Key, Keys};
use crate::error::QueryError;
use crate::plan::{
    Comparison, Condition, EdgePattern, Expression, Metadata, NodePattern, Operand, Part, Property,
    Relation, Repeat, Slot, Source, Step, Way,
};

/// Slots of a path inside a condition; each has its own, whatever surrounds it.
const EDGE: Slot = Slot(1);
const NODE: Slot = Slot(2);

/// Lowers the groups of one request.
pub struct Lowering<'l> {
    keys: &'l dyn Keys,
    view: &'l View,
    now: Instant,
}

impl std::fmt::Debug for Lowering<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lowering").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<'l> Lowering<'l> {
    /// Lowers by the meaning of some keys, with ids as a view resolves them, at an instant that
    /// relative dates count from.
    pub fn new(keys: &'l dyn Keys, view: &'l View, now: Instant) -> Self {
        Self { keys, view, now }
    }

    /// The condition that a group sets on the object in a slot.
    pub fn group(&self, slot: Slot, group: &FilterGroup) -> Result<Condition, QueryError> {
        if group.is_empty() {
            return Ok(Condition::All(Vec::new()));
        }
        let mut members = Vec::new();
        for filter in &group.filters {
            members.push(self.filter(slot, filter)?);
        }
        for inner in group.groups.iter().filter(|inner| !inner.is_empty()) {
            members.push(self.group(slot, inner)?);
        }
        Ok(join(group.mode, members))
    }

    fn filter(&self, slot: Slot, filter: &Filter) -> Result<Condition, QueryError> {
        let mut any = Vec::with_capacity(filter.keys.len());
        for name in &filter.keys {
            let key = self.keys.key(name);
            let key = key.ok_or_else(|| QueryError::UnknownKey { key: name.clone() })?;
            any.push(self.key(slot, name, &key, filter)?);
        }
        Ok(Condition::Any(any))
    }

    fn key(
        &self,
        slot: Slot,
        name: &str,
        key: &Key,
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        match key {
            Key::Properties(names) => {
                let properties: Vec<Property> = names.iter().map(|one| Property::of(one)).collect();
                self.on_properties(slot, &properties, filter)
            }
            Key::Moment(moment) => {
                self.on_properties(slot, &[Property::Metadata(*moment)], filter)
            }
            Key::Absent => self.on_properties(slot, &[Property::Named("".into())], filter),
            Key::Ids => per_value(filter, |values| {
                Ok(compare_any(slot, Metadata::Id, self.uuids(values)))
            }),
            Key::Type => self.per_name(filter, |kind| self.keys.of_type(slot, kind)),
            Key::Linked { verbs, way } => self.linked(slot, name, verbs, *way, filter),
            Key::LinkedProperties { verbs, way, properties } => {
                self.linked_properties(slot, verbs, *way, properties, filter)
            }
            Key::FromId => self.at_ends(slot, name, filter, &[Metadata::FromId]),
            Key::ToId => self.at_ends(slot, name, filter, &[Metadata::ToId]),
            Key::FromOrToId => {
                self.at_ends(slot, name, filter, &[Metadata::FromId, Metadata::ToId])
            }
            Key::FromTypes => self.ends_of_type(slot, name, filter, &[false]),
            Key::ToTypes => self.ends_of_type(slot, name, filter, &[true]),
            Key::FromOrToTypes => self.ends_of_type(slot, name, filter, &[false, true]),
            Key::Regarding | Key::DynamicRegarding => self.regarding(slot, name, filter),
        }
    }

    /// A key of several properties: any of them, but all of them where something must be absent.
    fn on_properties(
        &self,
        slot: Slot,
        properties: &[Property],
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        let conditions = properties.iter().map(|one| on_property(slot, one, filter, self.now));
        let mut conditions = conditions.collect::<Result<Vec<_>, _>>()?;
        let wants_absence = match (filter.operator, filter.values.is_empty()) {
            (FilterOperator::Nil, _) | (FilterOperator::Eq, true) => true,
            (FilterOperator::NotNil, _) | (FilterOperator::NotEq, true) => false,
            (operator, _) => without_negation(operator).1,
        };
        match conditions.len() {
            1 => Ok(conditions.pop().unwrap_or(Condition::All(Vec::new()))),
            _ if wants_absence => Ok(Condition::All(conditions)),
            _ => Ok(Condition::Any(conditions)),
        }
    }

    fn uuids(&self, ids: &[Json]) -> Vec<Value> {
        let cipher = self.view.id_cipher();
        let objects = ids.iter().filter_map(Json::as_str).flat_map(|id| self.keys.objects(id));
        objects.map(|id| Value::String(cipher.uuid_of(id))).collect()
    }

    fn per_name(
        &self,
        filter: &Filter,
        condition: impl Fn(&str) -> Condition,
    ) -> Result<Condition, QueryError> {
        per_value(filter, |values| {
            let names = values.iter().filter_map(Json::as_str);
            Ok(Condition::Any(names.map(&condition).collect()))
        })
    }

    fn at_ends(
        &self,
        slot: Slot,
        name: &str,
        filter: &Filter,
        ends: &[Metadata],
    ) -> Result<Condition, QueryError> {
        only_positive(name, filter)?;
        per_value(filter, |values| {
            let uuids = self.uuids(values);
            let at = |end: &Metadata| compare_any(slot, *end, uuids.clone());
            Ok(Condition::Any(ends.iter().map(at).collect()))
        })
    }

    fn ends_of_type(
        &self,
        slot: Slot,
        name: &str,
        filter: &Filter,
        ends: &[bool],
    ) -> Result<Condition, QueryError> {
        only_positive(name, filter)?;
        self.per_name(filter, |kind| {
            let at = |is_end: &bool| self.keys.end_of_type(slot, *is_end, kind);
            Condition::Any(ends.iter().map(at).collect())
        })
    }

    fn linked(
        &self,
        slot: Slot,
        name: &str,
        verbs: &[String],
        way: Way,
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        let verbs = (!verbs.is_empty()).then(|| verbs.to_vec());
        let any = || exists(slot, verbs.clone(), way, vec![Source::Any], None);
        match (filter.operator, filter.values.is_empty()) {
            (FilterOperator::Nil, _) | (FilterOperator::Eq, true) => return Ok(not(any())),
            (FilterOperator::NotNil, _) | (FilterOperator::NotEq, true) => return Ok(any()),
            (FilterOperator::Eq | FilterOperator::NotEq, false) => {}
            (operator, _) => return Err(not_with(operator, name)),
        }
        per_value(filter, |values| {
            let ids = values.iter().filter_map(Json::as_str);
            let sources = vec![Source::Ids(ids.flat_map(|id| self.keys.objects(id)).collect())];
            Ok(exists(slot, verbs.clone(), way, sources, None))
        })
    }

    fn linked_properties(
        &self,
        slot: Slot,
        verbs: &[String],
        way: Way,
        properties: &[String],
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        let (positive, negated) = match (filter.operator, filter.values.is_empty()) {
            (FilterOperator::Eq, true) | (FilterOperator::Nil, _) => (FilterOperator::NotNil, true),
            (FilterOperator::NotEq, true) | (FilterOperator::NotNil, _) => {
                (FilterOperator::NotNil, false)
            }
            (operator, _) => without_negation(operator),
        };
        let lists = match filter.values.is_empty() || positive == FilterOperator::Within {
            true => vec![filter.values.clone()],
            false => filter.values.iter().map(|value| vec![value.clone()]).collect(),
        };
        let properties: Vec<Property> = properties.iter().map(|one| Property::of(one)).collect();
        let mut members = Vec::with_capacity(lists.len());
        for values in lists {
            let one = Filter { values, operator: positive, ..filter.clone() };
            let there = self.on_properties(NODE, &properties, &one)?;
            let verbs = (!verbs.is_empty()).then(|| verbs.to_vec());
            let exists = exists(slot, verbs, way, vec![Source::Any], Some(there));
            members.push(if negated { not(exists) } else { exists });
        }
        Ok(join(filter.mode, members))
    }

    /// `regardingOf`: `[{key: "relationship_type", values}, {key: "id", values}, ...]`.
    fn regarding(
        &self,
        slot: Slot,
        name: &str,
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        let mut verbs: Option<Vec<String>> = None;
        let mut sources = vec![Source::Any];
        let mut there = None;
        let (mut forced, mut reversed, mut inferred) = (false, false, false);
        for member in &filter.values {
            let key = member.get("key").map(|key| match key {
                Json::Array(keys) => keys.first().and_then(Json::as_str).unwrap_or_default(),
                other => other.as_str().unwrap_or_default(),
            });
            let values = match member.get("values") {
                Some(Json::Array(values)) => values.as_slice(),
                _ => &[],
            };
            let is_true = || values.iter().any(|value| *value == true || *value == "true");
            let texts = || values.iter().filter_map(Json::as_str);
            match key.unwrap_or_default() {
                "relationship_type" if !values.is_empty() => {
                    let named: Option<Vec<_>> = texts().map(|kind| self.keys.verbs(kind)).collect();
                    verbs = named.map(|named| named.into_iter().flatten().collect());
                }
                "id" if !values.is_empty() => {
                    let ids = texts().flat_map(|id| self.keys.objects(id)).collect();
                    sources = vec![Source::Ids(ids)];
                }
                "relationship_type" | "id" => {}
                "dynamic" => {
                    let mut any = Vec::with_capacity(values.len());
                    for value in values {
                        let group = FilterGroup::parse(value)?.unwrap_or_default();
                        any.push(self.group(NODE, &group)?);
                    }
                    there = Some(Condition::Any(any));
                }
                "direction_forced" => forced = is_true(),
                "direction_reverse" => reversed = is_true(),
                "is_inferred" => inferred = is_true(),
                other => {
                    return Err(QueryError::UnknownKey { key: format!("{name}.{other}") });
                }
            }
        }
        let way = match (forced, reversed) {
            (false, _) => Way::Either,
            (true, false) => Way::Out,
            (true, true) => Way::In,
        };
        // Nothing in the graph is inferred.
        let found = match inferred {
            true => Condition::Any(Vec::new()),
            false => exists(slot, verbs, way, sources, there),
        };
        match filter.operator {
            FilterOperator::Eq => Ok(found),
            FilterOperator::NotEq => Ok(not(found)),
            operator => Err(not_with(operator, name)),
        }
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn not_with(operator: FilterOperator, key: &str) -> QueryError {
    QueryError::unsupported(format!("the filter operator {} with the key {key}", operator.name()))
}

/// A relationship leads from the object in a slot to one that fits.
fn exists(
    slot: Slot,
    verbs: Option<Vec<String>>,
    way: Way,
    sources: Vec<Source>,
    there: Option<Condition>,
) -> Condition {
    let step = Step {
        edge: EdgePattern { slot: EDGE, verbs, way, filter: None },
        node: NodePattern { slot: NODE, sources, filter: there },
        repeat: Repeat::ONCE,
    };
    Condition::Exists(slot, vec![Part::Step(step)])
}

fn compare_any(slot: Slot, property: Metadata, values: Vec<Value>) -> Condition {
    Condition::Compare(Comparison {
        left: Expression::Property(slot, Property::Metadata(property)),
        relation: Relation::Equal,
        negated: false,
        every: false,
        fold: false,
        right: vec![Operand::Value(Expression::Literal(Value::List(values)))],
    })
}

/// Applies `eq` and `not_eq` over several values as the mode says.
fn per_value(
    filter: &Filter,
    condition: impl Fn(&[Json]) -> Result<Condition, QueryError>,
) -> Result<Condition, QueryError> {
    let negated = match filter.operator {
        FilterOperator::Eq => false,
        FilterOperator::NotEq => true,
        // Every object has an id and a kind.
        FilterOperator::Nil => return Ok(Condition::Any(Vec::new())),
        FilterOperator::NotNil => return Ok(Condition::All(Vec::new())),
        operator => return Err(not_with(operator, &filter.keys.join(", "))),
    };
    if filter.values.is_empty() {
        return Ok(if negated { Condition::All(vec![]) } else { Condition::Any(vec![]) });
    }
    match (filter.mode, negated) {
        (FilterMode::Or, false) => condition(&filter.values),
        (FilterMode::And, true) => Ok(not(condition(&filter.values)?)),
        (mode, negated) => {
            let mut members = Vec::with_capacity(filter.values.len());
            for value in &filter.values {
                let one = condition(std::slice::from_ref(value))?;
                members.push(if negated { not(one) } else { one });
            }
            Ok(join(mode, members))
        }
    }
}

/// Keys of the ends of a relationship know no negation.
fn only_positive(key: &str, filter: &Filter) -> Result<(), QueryError> {
    match filter.operator {
        FilterOperator::NotEq => Err(not_with(filter.operator, key)),
        _ => Ok(()),
    }
}
