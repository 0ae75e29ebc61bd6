// SPDX-License-Identifier: Apache-2.0
//! Operands: `{op, value | values | function, caseSensitive}`.

use durward_model::{Instant, Number, Value};
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::fields::{FieldKind, FieldSource, FieldValue};
use crate::error::QueryError;
use crate::limits::Meter;
use crate::pattern::Pattern;
use crate::plan::{Comparison, Condition, Expression, Operand, Relation, Slot};

/// Most values of one operand.
const VALUES_MAX: usize = 10_000;
/// Longest pattern in characters.
const PATTERN_CHARACTERS_MAX: usize = 1_000;
/// Most days that a relative date may lie away (about 274 years).
const OFFSET_DAYS_MAX: i64 = 100_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// How a value must relate to those of the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Between,
    StartsWith,
    Contains,
    NotContains,
    Like,
    ILike,
    InList,
    Regex,
}

impl Operator {
    const NAMES: [(&'static str, Self); 14] = [
        ("EQ", Self::Eq),
        ("NEQ", Self::Neq),
        ("GT", Self::Gt),
        ("GTE", Self::Gte),
        ("LT", Self::Lt),
        ("LTE", Self::Lte),
        ("BETWEEN", Self::Between),
        ("STARTS_WITH", Self::StartsWith),
        ("CONTAINS", Self::Contains),
        ("NOT_CONTAINS", Self::NotContains),
        ("LIKE", Self::Like),
        ("ILIKE", Self::ILike),
        ("IN_LIST", Self::InList),
        ("REGEX", Self::Regex),
    ];

    fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, own)| *own == self);
        found.map_or("", |(name, _)| name)
    }

    fn read(field: &str, json: Option<&Json>) -> Result<Self, QueryError> {
        let text = match json {
            None | Some(Json::Null) => return Ok(Self::Eq),
            Some(Json::String(text)) => text,
            Some(_) => return Err(invalid(field, "op must be the name of an operator")),
        };
        let found = Self::NAMES.iter().find(|(name, _)| name == text);
        found.map(|(_, operator)| *operator).ok_or_else(|| {
            let known: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            invalid(field, &format!("op is not one of {}", known.join(", ")))
        })
    }

    fn magnitude(self) -> Option<Relation> {
        match self {
            Self::Gt => Some(Relation::Greater),
            Self::Gte => Some(Relation::GreaterOrEqual),
            Self::Lt => Some(Relation::Less),
            Self::Lte => Some(Relation::LessOrEqual),
            _ => None,
        }
    }
}

/// One operand on one field.
struct Asked<'a> {
    field: &'a str,
    value: &'a FieldValue,
    slot: Slot,
    fold: bool,
    patterns: PatternLimits<'a>,
}

/// How many patterns there may be, and who counts what they take.
#[derive(Clone, Copy)]
pub(super) struct PatternLimits<'m> {
    pub(super) left: usize,
    pub(super) meter: &'m Meter,
}

/// The condition that an operand sets on a field. Null and an operand without members hold for all.
pub(super) fn condition(
    field: &str,
    json: &Json,
    value: &FieldValue,
    slot: Slot,
    now: Instant,
    patterns: PatternLimits<'_>,
) -> Result<Condition, QueryError> {
    let members = match json {
        Json::Null => return Ok(Condition::All(Vec::new())),
        Json::Object(members) => members,
        _ => return Err(invalid(field, "an operand must be an object")),
    };
    if members.is_empty() {
        return Ok(Condition::All(Vec::new()));
    }
    let operator = Operator::read(field, members.get("op"))?;
    let fold = match members.get("caseSensitive") {
        None | Some(Json::Null | Json::Bool(true)) => false,
        Some(Json::Bool(false)) => true,
        Some(_) => return Err(invalid(field, "caseSensitive must be true or false")),
    };
    let asked = Asked {
        field,
        value,
        slot,
        fold,
        patterns,
    };
    let values = values(field, members, now)?;
    if members.get("value").is_some_and(Json::is_null) && values.is_empty() {
        return asked.absent(operator);
    }
    if values.is_empty() && operator != Operator::InList {
        return Err(invalid(
            field,
            &format!("{} needs a value", operator.name()),
        ));
    }
    asked.lower(operator, &values)
}

/// The values of an operand, whichever member holds them.
fn values(field: &str, members: &Map<String, Json>, now: Instant) -> Result<Vec<Json>, QueryError> {
    let mut found: Vec<Json> = Vec::new();
    let mut given = 0_usize;
    for name in ["value", "values"] {
        match members.get(name) {
            None | Some(Json::Null) => {}
            Some(Json::Array(items)) => {
                given += 1;
                found.extend(items.iter().cloned());
            }
            Some(single) => {
                given += 1;
                found.push(single.clone());
            }
        }
    }
    if let Some(function) = members.get("function").filter(|json| !json.is_null()) {
        given += 1;
        found.push(relative(field, function, now)?);
    }
    if given > 1 {
        return Err(invalid(
            field,
            "give only one of value, values and function",
        ));
    }
    if found.len() > VALUES_MAX {
        return Err(invalid(
            field,
            &format!("an operand has at most {VALUES_MAX} values"),
        ));
    }
    Ok(found)
}

/// `{dateTimeNow: {offsetDays}}` as epoch milliseconds.
fn relative(field: &str, function: &Json, now: Instant) -> Result<Json, QueryError> {
    let wrong = || invalid(field, "the only function is {dateTimeNow: {offsetDays}}");
    let members = function.as_object().ok_or_else(wrong)?;
    let (Some(Json::Object(arguments)), 1) = (members.get("dateTimeNow"), members.len()) else {
        return Err(wrong());
    };
    let days = match arguments.get("offsetDays") {
        None | Some(Json::Null) => 0,
        Some(json) => whole(json).ok_or_else(wrong)?,
    };
    if !(-OFFSET_DAYS_MAX..=OFFSET_DAYS_MAX).contains(&days) {
        let message = format!("offsetDays must lie within {OFFSET_DAYS_MAX} days");
        return Err(invalid(field, &message));
    }
    let moment = now.plus_seconds(days.saturating_mul(SECONDS_PER_DAY));
    Ok(moment.as_millis().into())
}

fn whole(json: &Json) -> Option<i64> {
    json.as_i64()
        .or_else(|| json.as_str()?.trim().parse::<i64>().ok())
}

impl Asked<'_> {
    fn lower(&self, operator: Operator, values: &[Json]) -> Result<Condition, QueryError> {
        if let Some(relation) = operator.magnitude() {
            return self.compare_magnitude(operator, relation, values);
        }
        match operator {
            Operator::Eq | Operator::InList => self.equals_any(values),
            Operator::Neq => Ok(not(self.equals_any(values)?)),
            Operator::Between => self.between(values),
            Operator::StartsWith => self.text(operator, Relation::StartsWith, values),
            Operator::Contains => self.text(operator, Relation::Contains, values),
            Operator::NotContains => Ok(not(self.text(operator, Relation::Contains, values)?)),
            _ => self.patterns(operator, values),
        }
    }

    /// The field has no value, or has one.
    fn absent(&self, operator: Operator) -> Result<Condition, QueryError> {
        let null = || Operand::Value(Expression::Literal(Value::Null));
        let each = self.value.expressions(self.slot).into_iter();
        let absent = each.map(|left| compare(left, Relation::Equal, false, vec![null()]));
        let absent = Condition::All(absent.collect());
        match operator {
            Operator::Eq => Ok(absent),
            Operator::Neq => Ok(not(absent)),
            _ => Err(invalid(
                self.field,
                &format!("{} needs a value", operator.name()),
            )),
        }
    }

    fn equals_any(&self, values: &[Json]) -> Result<Condition, QueryError> {
        let operands = values
            .iter()
            .map(|json| Ok(Operand::Value(Expression::Literal(self.typed(json)?))));
        let operands: Result<Vec<Operand>, QueryError> = operands.collect();
        Ok(self.any(Relation::Equal, &operands?))
    }

    fn compare_magnitude(
        &self,
        operator: Operator,
        relation: Relation,
        values: &[Json],
    ) -> Result<Condition, QueryError> {
        let [value] = values else {
            let message = format!("{} takes one value", operator.name());
            return Err(invalid(self.field, &message));
        };
        self.require(operator, &[FieldKind::Number, FieldKind::Moment])?;
        let operand = Operand::Value(Expression::Literal(self.typed(value)?));
        Ok(self.any(relation, &[operand]))
    }

    fn between(&self, values: &[Json]) -> Result<Condition, QueryError> {
        let [from, to] = values else {
            return Err(invalid(self.field, "BETWEEN takes two values"));
        };
        self.require(Operator::Between, &[FieldKind::Number, FieldKind::Moment])?;
        let bound = |relation, json: &Json| -> Result<Condition, QueryError> {
            let operand = Operand::Value(Expression::Literal(self.typed(json)?));
            Ok(self.any(relation, &[operand]))
        };
        Ok(Condition::All(vec![
            bound(Relation::GreaterOrEqual, from)?,
            bound(Relation::LessOrEqual, to)?,
        ]))
    }

    fn text(
        &self,
        operator: Operator,
        relation: Relation,
        values: &[Json],
    ) -> Result<Condition, QueryError> {
        self.require(operator, &[FieldKind::Text])?;
        let operands = values
            .iter()
            .map(|json| Ok(Operand::Value(Expression::Literal(self.typed(json)?))));
        let operands: Result<Vec<Operand>, QueryError> = operands.collect();
        Ok(self.any(relation, &operands?))
    }

    fn patterns(&self, operator: Operator, values: &[Json]) -> Result<Condition, QueryError> {
        self.require(operator, &[FieldKind::Text])?;
        let fold = self.fold || operator == Operator::ILike;
        if values.len() > self.patterns.left {
            return Err(invalid(self.field, "too many patterns in one request"));
        }
        let mut operands = Vec::with_capacity(values.len());
        for json in values {
            let Value::String(text) = self.typed(json)? else {
                return Err(invalid(self.field, "a pattern must be a text"));
            };
            let written = if operator == Operator::Regex {
                text
            } else {
                wildcards(&text)
            };
            operands.push(Operand::Pattern(self.pattern(&written, fold)?));
        }
        Ok(self.any(Relation::Equal, &operands))
    }

    fn pattern(&self, text: &str, fold: bool) -> Result<Regex, QueryError> {
        if text.chars().count() > PATTERN_CHARACTERS_MAX {
            let message = format!("a pattern has at most {PATTERN_CHARACTERS_MAX} characters");
            return Err(invalid(self.field, &message));
        }
        let pattern = Pattern {
            text,
            ignore_case: fold,
            any_line: false,
        };
        pattern.compile(self.patterns.meter, |_| {
            let message = "this is no regular expression that can be searched: lookaround \
                           and back references are not known";
            invalid(self.field, message)
        })
    }

    /// Any value of the field relates so to any operand.
    fn any(&self, relation: Relation, operands: &[Operand]) -> Condition {
        let fold = self.fold && self.value.kind == FieldKind::Text;
        let each = self.value.expressions(self.slot).into_iter();
        let mut any: Vec<Condition> = each
            .map(|left| compare(left, relation, fold, operands.to_vec()))
            .collect();
        match any.len() {
            1 => any.pop().unwrap_or(Condition::Any(Vec::new())),
            _ => Condition::Any(any),
        }
    }

    fn require(&self, operator: Operator, kinds: &[FieldKind]) -> Result<(), QueryError> {
        if kinds.contains(&self.value.kind) {
            return Ok(());
        }
        let what = match self.value.kind {
            FieldKind::Text => "texts",
            FieldKind::Number => "numbers",
            FieldKind::Boolean => "truth values",
            FieldKind::Moment => "dates",
        };
        let message = format!("{} does not compare {what}", operator.name());
        Err(invalid(self.field, &message))
    }

    /// A value of the operand as a value of the field's kind.
    fn typed(&self, json: &Json) -> Result<Value, QueryError> {
        let typed = typed(self.value.kind, json);
        let typed = typed.ok_or_else(|| {
            let wanted = match self.value.kind {
                FieldKind::Text => "a text",
                FieldKind::Number => "a number that fits in 64 bits",
                FieldKind::Boolean => "true or false",
                FieldKind::Moment => "a date, or milliseconds since 1970",
            };
            invalid(self.field, &format!("the value must be {wanted}"))
        })?;
        Ok(match (&self.value.source, typed) {
            (FieldSource::NotFlag(_), Value::Bool(value)) => Value::Bool(!value),
            (_, typed) => typed,
        })
    }
}

/// Clients send numbers and truth values as texts, and the other way round.
fn typed(kind: FieldKind, json: &Json) -> Option<Value> {
    match (kind, json) {
        (FieldKind::Text, Json::String(text)) => Some(Value::from(text.as_str())),
        (FieldKind::Text, Json::Number(_) | Json::Bool(_)) => Some(Value::from(json.to_string())),
        (FieldKind::Number, Json::Number(number)) => {
            Number::from_json(number).ok().map(Value::from)
        }
        (FieldKind::Number, Json::String(text)) => {
            let number = Number::parse(text.trim())?;
            number.ok().map(Value::from)
        }
        (FieldKind::Boolean, Json::Bool(value)) => Some(Value::Bool(*value)),
        (FieldKind::Boolean, Json::String(text)) => match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            text if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
            _ => None,
        },
        (FieldKind::Moment, json) => {
            let millis = whole(json).map(Instant::from_millis);
            let date = || json.as_str()?.parse::<Instant>().ok();
            millis.or_else(date).map(Value::Instant)
        }
        _ => None,
    }
}

/// How many patterns a condition has.
pub(super) fn patterns_in(condition: &Condition) -> usize {
    match condition {
        Condition::All(members) | Condition::Any(members) => members.iter().map(patterns_in).sum(),
        Condition::Not(inner) => patterns_in(inner),
        Condition::Compare(comparison) => {
            let right = comparison.right.iter();
            right
                .filter(|one| matches!(one, Operand::Pattern(_)))
                .count()
        }
        Condition::Exists(..) | Condition::Text(..) => 0,
    }
}

/// A pattern in which `%` is any text.
fn wildcards(text: &str) -> String {
    let parts: Vec<String> = text.split('%').map(regex::escape).collect();
    format!("(?s)^{}$", parts.join(".*"))
}

fn compare(left: Expression, relation: Relation, fold: bool, right: Vec<Operand>) -> Condition {
    Condition::Compare(Comparison {
        left,
        relation,
        negated: false,
        every: false,
        fold,
        right,
    })
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn invalid(field: &str, message: &str) -> QueryError {
    QueryError::invalid(format!("where.{field}: {message}"))
}

/// Whether an operand on a number of objects asks for at least one, or for none.
pub(super) fn some_or_none(field: &str, json: &Json) -> Result<Option<bool>, QueryError> {
    let Some(members) = json.as_object() else {
        return Err(invalid(field, "count takes an operand"));
    };
    if members.is_empty() {
        return Ok(None);
    }
    let operator = Operator::read(field, members.get("op"))?;
    let value = members.get("value").and_then(whole);
    match (operator, value) {
        (Operator::Gt | Operator::Neq, Some(0)) | (Operator::Gte, Some(1)) => Ok(Some(true)),
        (Operator::Eq | Operator::Lte, Some(0)) | (Operator::Lt, Some(1)) => Ok(Some(false)),
        (Operator::Gte, Some(0)) => Ok(None),
        _ => Err(QueryError::unsupported(format!(
            "where.{field}.count with anything but none and at least one"
        ))),
    }
}
