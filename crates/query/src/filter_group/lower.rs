// SPDX-License-Identifier: Apache-2.0
//! From filter groups to conditions.

use durward_graph::View;
use durward_model::{Instant, Value};
use serde_json::Value as Json;

use super::operators::{join, on_expression, without_negation};
use super::regarding::Regarding;
use super::{Filter, FilterGroup, FilterMode, FilterOperator, KeyMeaning, KeyTable};
use crate::error::QueryError;
use crate::limits::Meter;
use crate::plan::{
    CONDITION_COPIES, Comparison, Condition, EdgePattern, Expression, Function, NodePattern,
    Operand, Part, Property, Relation, Repeat, Slot, Source, Step, Way,
};

/// Slots of a path inside a condition, which has slots of its own.
const EDGE: Slot = Slot(1);
const NODE: Slot = Slot(2);

/// What a group of filters speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// The entity in a slot.
    Entity(Slot),
    /// The relationship in a slot, and its ends.
    Relationship { edge: Slot, from: Slot, to: Slot },
}

impl Target {
    /// The slot of the object itself.
    pub(super) fn slot(self) -> Slot {
        match self {
            Self::Entity(slot) | Self::Relationship { edge: slot, .. } => slot,
        }
    }

    fn ends(self, key: &str) -> Result<(Slot, Slot), QueryError> {
        match self {
            Self::Relationship { from, to, .. } => Ok((from, to)),
            Self::Entity(_) => Err(QueryError::UnknownKey {
                key: key.to_owned(),
            }),
        }
    }
}

/// Lowers the groups of one request.
#[derive(Debug)]
pub(super) struct Lowering<'l> {
    pub(super) view: &'l View,
    pub(super) table: &'l KeyTable,
    pub(super) now: Instant,
    pub(super) meter: &'l Meter,
}

impl Lowering<'_> {
    pub(super) fn group(
        &self,
        group: &FilterGroup,
        target: Target,
    ) -> Result<Condition, QueryError> {
        if group.is_empty() {
            return Ok(Condition::All(Vec::new()));
        }
        let mut members = Vec::new();
        for filter in &group.filters {
            members.push(self.filter(filter, target)?);
        }
        for inner in group.groups.iter().filter(|inner| !inner.is_empty()) {
            members.push(self.group(inner, target)?);
        }
        Ok(join(group.mode, members))
    }

    fn filter(&self, filter: &Filter, target: Target) -> Result<Condition, QueryError> {
        let mut any = Vec::with_capacity(filter.keys.len());
        for key in &filter.keys {
            let meaning = self.table.keys.get(key);
            let meaning = meaning.ok_or_else(|| QueryError::UnknownKey { key: key.clone() })?;
            any.push(self.key(key, meaning, filter, target)?);
        }
        Ok(any_of(any))
    }

    fn key(
        &self,
        key: &str,
        meaning: &KeyMeaning,
        filter: &Filter,
        target: Target,
    ) -> Result<Condition, QueryError> {
        match meaning {
            KeyMeaning::Properties(names) => self.on_properties(target.slot(), names, filter),
            KeyMeaning::FirstOf {
                properties,
                otherwise,
            } => {
                let shown = first_of(target.slot(), properties, otherwise);
                on_expression(&shown, filter, self.now, self.meter)
            }
            KeyMeaning::Reference { verbs, way } => {
                self.reference(key, Some(verbs), *way, filter, target)
            }
            KeyMeaning::ConnectedTo => self.reference(key, None, Way::Either, filter, target),
            KeyMeaning::ReferenceProperty {
                verbs,
                way,
                properties,
            } => self.reference_property(verbs, *way, properties, filter, target),
            KeyMeaning::Ids => self.ids(filter, target.slot()),
            KeyMeaning::EntityType => self.kinds(filter, target),
            KeyMeaning::RelationshipType => {
                target.ends(key)?;
                self.verbs(filter, target.slot())
            }
            KeyMeaning::FromId | KeyMeaning::ToId | KeyMeaning::FromOrToId => {
                let ends = positive_ends(key, meaning, filter, target)?;
                at_any(&ends, |slot| self.ids(filter, slot))
            }
            KeyMeaning::FromTypes | KeyMeaning::ToTypes | KeyMeaning::FromOrToTypes => {
                let ends = positive_ends(key, meaning, filter, target)?;
                at_any(&ends, |slot| self.kinds(filter, Target::Entity(slot)))
            }
            KeyMeaning::RegardingOf | KeyMeaning::DynamicRegardingOf => {
                self.regarding(key, filter, target)
            }
            KeyMeaning::DynamicFrom => {
                let (from, _) = target.ends(key)?;
                self.dynamic(key, &filter.values, from)
            }
            KeyMeaning::DynamicTo => {
                let (_, to) = target.ends(key)?;
                self.dynamic(key, &filter.values, to)
            }
            KeyMeaning::NotSupported => {
                Err(QueryError::unsupported(format!("the filter key {key}")))
            }
        }
    }

    /// A key of several properties: any of them, but all of them where something must be absent.
    fn on_properties(
        &self,
        slot: Slot,
        names: &[String],
        filter: &Filter,
    ) -> Result<Condition, QueryError> {
        let conditions = names.iter().map(|name| {
            let property = Expression::Property(slot, Property::of(name));
            on_expression(&property, filter, self.now, self.meter)
        });
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

    /// The object is one of those that the values name.
    fn ids(&self, filter: &Filter, slot: Slot) -> Result<Condition, QueryError> {
        let cipher = self.view.id_cipher();
        per_value(filter, |values| {
            let ids = values.iter().filter_map(Json::as_str);
            let ids = ids.flat_map(|id| self.table.resolve(self.view, id));
            let uuids = ids.map(|id| Value::String(cipher.uuid_of(id))).collect();
            self.counted(compare_any(slot, "_id", uuids))
        })
    }

    /// The object is of one of the kinds that the values name.
    fn kinds(&self, filter: &Filter, target: Target) -> Result<Condition, QueryError> {
        if let Target::Relationship { edge, .. } = target {
            return self.verbs(filter, edge);
        }
        let slot = target.slot();
        per_value(filter, |values| {
            let (mut types, mut any) = (Vec::new(), Vec::new());
            for kind in values.iter().filter_map(Json::as_str) {
                let Some((of_type, says)) = self.table.kind_within(kind) else {
                    types.extend(self.table.types_of(kind).into_iter().map(Value::from));
                    continue;
                };
                any.push(Condition::All(vec![
                    Condition::equals(slot, "_type", of_type.as_str().into()),
                    Condition::equals(slot, &self.table.within.property, says.as_str().into()),
                ]));
            }
            if !types.is_empty() {
                any.push(compare_any(slot, "_type", types));
            }
            self.counted(any_of(any))
        })
    }

    fn verbs(&self, filter: &Filter, slot: Slot) -> Result<Condition, QueryError> {
        per_value(filter, |values| {
            let kinds = values.iter().filter_map(Json::as_str);
            let names = kinds
                .flat_map(|kind| self.table.verbs_of(kind))
                .map(Value::from);
            self.counted(compare_any(slot, "_class", names.collect()))
        })
    }

    fn reference(
        &self,
        key: &str,
        verbs: Option<&Vec<String>>,
        way: Way,
        filter: &Filter,
        target: Target,
    ) -> Result<Condition, QueryError> {
        let any = || exists(target.slot(), verbs.cloned(), way, vec![Source::Any], None);
        match (filter.operator, filter.values.is_empty()) {
            (FilterOperator::Nil, _) | (FilterOperator::Eq, true) => return Ok(not(any())),
            (FilterOperator::NotNil, _) | (FilterOperator::NotEq, true) => return Ok(any()),
            (FilterOperator::Eq | FilterOperator::NotEq, false) => {}
            (operator, _) => return Err(not_with(operator, key)),
        }
        per_value(filter, |values| {
            let ids = values.iter().filter_map(Json::as_str);
            let ids = ids
                .flat_map(|id| self.table.resolve(self.view, id))
                .collect();
            self.counted(exists(
                target.slot(),
                verbs.cloned(),
                way,
                vec![Source::Ids(ids)],
                None,
            ))
        })
    }

    fn reference_property(
        &self,
        verbs: &[String],
        way: Way,
        properties: &[String],
        filter: &Filter,
        target: Target,
    ) -> Result<Condition, QueryError> {
        let (positive, negated) = match (filter.operator, filter.values.is_empty()) {
            (FilterOperator::Eq, true) | (FilterOperator::Nil, _) => (FilterOperator::NotNil, true),
            (FilterOperator::NotEq, true) | (FilterOperator::NotNil, _) => {
                (FilterOperator::NotNil, false)
            }
            (operator, _) => without_negation(operator),
        };
        let lists = if filter.values.is_empty() || positive == FilterOperator::Within {
            vec![filter.values.clone()]
        } else {
            filter
                .values
                .iter()
                .map(|value| vec![value.clone()])
                .collect()
        };
        let mut members = Vec::with_capacity(lists.len());
        for values in lists {
            let one = Filter {
                values,
                operator: positive,
                ..filter.clone()
            };
            let there = self.on_properties(NODE, properties, &one)?;
            let verbs = Some(verbs.to_vec());
            let found = exists(target.slot(), verbs, way, vec![Source::Any], Some(there));
            let found = self.counted(found)?;
            members.push(if negated { not(found) } else { found });
        }
        Ok(join(filter.mode, members))
    }

    /// A condition whose own memory is counted.
    fn counted(&self, condition: Condition) -> Result<Condition, QueryError> {
        self.meter.bytes(CONDITION_COPIES * condition.own_bytes())?;
        Ok(condition)
    }

    fn regarding(
        &self,
        key: &str,
        filter: &Filter,
        target: Target,
    ) -> Result<Condition, QueryError> {
        let asked = Regarding::parse(key, &filter.values)?;
        let verbs = (!asked.relationship_types.is_empty()).then(|| {
            asked
                .relationship_types
                .iter()
                .flat_map(|kind| self.table.verbs_of(kind))
                .collect()
        });
        let sources = if asked.ids.is_empty() {
            vec![Source::Any]
        } else {
            let ids = asked
                .ids
                .iter()
                .flat_map(|id| self.table.resolve(self.view, id));
            vec![Source::Ids(ids.collect())]
        };
        let there = if asked.groups.is_empty() {
            None
        } else {
            Some(self.dynamic(key, asked.groups, NODE)?)
        };
        // Nothing in the graph is inferred.
        let found = if asked.is_inferred {
            Condition::Any(Vec::new())
        } else {
            self.counted(exists(target.slot(), verbs, asked.way, sources, there))?
        };
        match filter.operator {
            FilterOperator::Eq => Ok(found),
            FilterOperator::NotEq => Ok(not(found)),
            operator => Err(not_with(operator, key)),
        }
    }

    /// Filter groups as values: any of them.
    fn dynamic(&self, key: &str, values: &[Json], slot: Slot) -> Result<Condition, QueryError> {
        if values.is_empty() {
            return Err(QueryError::invalid(format!(
                "the filter key {key} needs a filter group"
            )));
        }
        let mut any = Vec::with_capacity(values.len());
        for value in values {
            let group = FilterGroup::from_json(value)?;
            any.push(self.group(&group, Target::Entity(slot))?);
        }
        Ok(Condition::Any(any))
    }
}

/// The value that an answer shows: the first property that is there, else a fixed value.
pub(super) fn first_of(slot: Slot, properties: &[String], otherwise: &Value) -> Expression {
    let properties = properties
        .iter()
        .map(|name| Expression::Property(slot, Property::of(name)));
    let fixed = (!otherwise.is_null()).then(|| Expression::Literal(otherwise.clone()));
    Expression::Call(Function::Coalesce, properties.chain(fixed).collect())
}

fn at_any(
    slots: &[Slot],
    condition: impl Fn(Slot) -> Result<Condition, QueryError>,
) -> Result<Condition, QueryError> {
    let any = slots.iter().map(|slot| condition(*slot));
    Ok(Condition::Any(any.collect::<Result<_, _>>()?))
}

/// Any of these holds.
fn any_of(mut conditions: Vec<Condition>) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => {
            conditions.extend(last);
            Condition::Any(conditions)
        }
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn not_with(operator: FilterOperator, key: &str) -> QueryError {
    QueryError::unsupported(format!(
        "the filter operator {} with the key {key}",
        operator.name()
    ))
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
        edge: EdgePattern {
            slot: EDGE,
            verbs,
            way,
            filter: None,
        },
        node: NodePattern {
            slot: NODE,
            sources,
            filter: there,
        },
        repeat: Repeat::ONCE,
    };
    Condition::Exists(slot, vec![Part::Step(step)])
}

fn compare_any(slot: Slot, property: &str, values: Vec<Value>) -> Condition {
    Condition::Compare(Comparison {
        left: Expression::Property(slot, Property::of(property)),
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
        return Ok(if negated {
            Condition::All(vec![])
        } else {
            Condition::Any(vec![])
        });
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

/// The ends of a relationship that a key speaks of; these keys know no negation.
fn positive_ends(
    key: &str,
    meaning: &KeyMeaning,
    filter: &Filter,
    target: Target,
) -> Result<Vec<Slot>, QueryError> {
    if filter.operator == FilterOperator::NotEq {
        return Err(not_with(filter.operator, key));
    }
    let (from, to) = target.ends(key)?;
    Ok(match meaning {
        KeyMeaning::FromId | KeyMeaning::FromTypes => vec![from],
        KeyMeaning::ToId | KeyMeaning::ToTypes => vec![to],
        _ => vec![from, to],
    })
}
