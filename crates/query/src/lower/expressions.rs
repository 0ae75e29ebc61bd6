// SPDX-License-Identifier: Apache-2.0
//! Values of J1QL.

use durward_model::Value;

use super::Lowering;
use super::conditions::literal;
use super::output::TableParts;
use crate::error::QueryError;
use crate::execute::{arithmetic, call};
use crate::j1ql;
use crate::j1ql::names::Element;
use crate::j1ql::{ArithmeticOperator, Binary, J1qlError, Number, Reference};
use crate::limits::held_bytes;
use crate::plan::{Aggregate, AggregateFunction, Arithmetic, Expression, Function, Property, Slot};

/// How often a value of a variable is held at once: in the plan, in what is made of it, and in the
/// form by which it is looked up.
const LITERAL_COPIES: usize = 3;

/// Where an expression stands, which decides what its names mean.
pub(super) enum Place<'p> {
    /// `WITH` of a node: names are its properties.
    Node(Slot),
    /// `WHERE`: names begin with an alias.
    Path,
    /// `RETURN`: aliases, aggregates and `unwind`.
    Column(&'p mut TableParts),
    /// `ORDER BY` and `HAVING`: columns as well.
    Result(&'p mut TableParts),
}

impl Lowering<'_, '_> {
    /// Lowers a value; what is the same for every row becomes a literal.
    pub(super) fn expression(
        &self,
        expression: &j1ql::Expression,
        place: &mut Place<'_>,
    ) -> Result<Expression, QueryError> {
        let value = match expression {
            j1ql::Expression::Text(text) => {
                if let Place::Result(parts) = place
                    && let Some(column) = parts.column_named(text)
                {
                    return Ok(Expression::Column(column));
                }
                Value::from(text.as_str())
            }
            j1ql::Expression::Number(number) => number_value(*number),
            j1ql::Expression::Duration { amount, unit } => {
                let unit = Value::Int(unit.milliseconds());
                arithmetic(Arithmetic::Multiply, &number_value(*amount), &unit)
            }
            j1ql::Expression::Boolean(truth) => Value::Bool(*truth),
            j1ql::Expression::Undefined => Value::Null,
            j1ql::Expression::Now => Value::Int(self.context.now.as_millis()),
            j1ql::Expression::Date(millis) => Value::Int(*millis),
            j1ql::Expression::Parameter(name) => {
                let value = self.context.parameters.get(&name.text);
                self.copy(value)?.ok_or_else(|| {
                    QueryError::invalid(format!(
                        "Parameter \"{}\" at {} is not defined",
                        name.text, name.span
                    ))
                })?
            }
            j1ql::Expression::Variable(name) => {
                let value = self.context.variables.get(&name.text);
                self.copy(value)?.ok_or_else(|| {
                    QueryError::invalid(format!(
                        "Variable \"{}\" at {} is not defined",
                        name.text, name.span
                    ))
                })?
            }
            j1ql::Expression::Template(name) => {
                return Err(QueryError::invalid(format!(
                    "Placeholder \"{}\" at {} must be filled in before the query runs",
                    name.text, name.span
                )));
            }
            j1ql::Expression::Reference(reference) => return self.reference(reference, place),
            j1ql::Expression::Call(call) => return self.call(call, place),
            j1ql::Expression::Binary(binary) => {
                self.check_hyphens(binary, place)?;
                let left = self.expression(&binary.left, place)?;
                let right = self.expression(&binary.right, place)?;
                return Ok(combined(binary.operator, left, right));
            }
            j1ql::Expression::Everything => {
                return Err(QueryError::invalid("* cannot stand in an expression"));
            }
        };
        Ok(Expression::Literal(value))
    }

    fn call(&self, one: &j1ql::Call, place: &mut Place<'_>) -> Result<Expression, QueryError> {
        if one.function.is_aggregate() {
            return self.aggregate(one, place);
        }
        if one.function == j1ql::Function::Unwind {
            return self.unwind(one, place);
        }
        let arguments = one
            .arguments
            .iter()
            .map(|argument| self.expression(argument, place));
        let arguments: Vec<Expression> = arguments.collect::<Result<_, _>>()?;
        let function = function_of(one.function);
        if arguments.iter().all(literal) {
            let values = arguments.into_iter().map(|argument| match argument {
                Expression::Literal(value) => value,
                _ => Value::Null,
            });
            return Ok(Expression::Literal(call(
                function,
                values,
                self.context.meter,
            )?));
        }
        Ok(Expression::Call(function, arguments))
    }

    fn aggregate(
        &self,
        call: &j1ql::Call,
        place: &mut Place<'_>,
    ) -> Result<Expression, QueryError> {
        let (Place::Column(parts) | Place::Result(parts)) = place else {
            return Err(QueryError::invalid(format!(
                "Function \"{}\" at {} is only allowed in RETURN, ORDER BY and HAVING",
                call.function.name(),
                call.span
            )));
        };
        let function = match call.function {
            j1ql::Function::Min => AggregateFunction::Min,
            j1ql::Function::Max => AggregateFunction::Max,
            j1ql::Function::Avg => AggregateFunction::Avg,
            j1ql::Function::Sum => AggregateFunction::Sum,
            _ => AggregateFunction::Count,
        };
        let argument = match call.arguments.as_slice() {
            [j1ql::Expression::Everything] => None,
            [argument] => {
                let before = parts.aggregates.len();
                let lowered = self.expression(argument, &mut Place::Column(parts))?;
                let mut nested = parts.aggregates.len() > before;
                lowered.visit(&mut |inner| nested |= matches!(inner, Expression::Aggregated(_)));
                if nested {
                    return Err(QueryError::invalid(format!(
                        "Function \"{}\" at {} cannot take another aggregate",
                        call.function.name(),
                        call.span
                    )));
                }
                Some(lowered)
            }
            _ => {
                return Err(QueryError::invalid(
                    "an aggregate takes exactly one argument",
                ));
            }
        };
        Ok(Expression::Aggregated(
            parts.add_aggregate(Aggregate { function, argument }),
        ))
    }

    fn unwind(&self, call: &j1ql::Call, place: &mut Place<'_>) -> Result<Expression, QueryError> {
        let (Place::Column(parts) | Place::Result(parts)) = place else {
            return Err(QueryError::invalid(format!(
                "Function \"unwind\" at {} is only allowed in RETURN and ORDER BY",
                call.span
            )));
        };
        let Some(argument) = call.arguments.first() else {
            return Err(QueryError::invalid("unwind takes exactly one argument"));
        };
        let list = self.expression(argument, &mut Place::Column(parts))?;
        let mut nested = false;
        list.visit(&mut |inner| {
            nested |= matches!(inner, Expression::Aggregated(_) | Expression::Unwound(_));
        });
        if nested {
            return Err(QueryError::invalid(format!(
                "Function \"unwind\" at {} takes neither an aggregate nor another unwind",
                call.span
            )));
        }
        Ok(Expression::Unwound(parts.add_unwind(list)))
    }

    fn reference(
        &self,
        reference: &Reference,
        place: &mut Place<'_>,
    ) -> Result<Expression, QueryError> {
        if reference.every_property {
            return Err(QueryError::invalid(format!(
                "\"{}.*\" at {} can only be a whole column",
                reference.key(),
                reference.span
            )));
        }
        match place {
            Place::Node(slot) => Ok(Expression::Property(*slot, Property::of(&reference.key()))),
            Place::Path => {
                let slot = self.slot_named(reference.alias()).ok_or_else(|| {
                    QueryError::J1ql(J1qlError::UnknownFilterSelector {
                        name: j1ql::shown(reference.alias()),
                        valid: self.valid_names(false),
                        at: reference.span,
                    })
                })?;
                Ok(of_slot(slot, reference))
            }
            Place::Column(_) => Ok(of_returned(self.return_slot(reference)?, reference)),
            Place::Result(parts) => {
                if let Some(column) = parts.column_named(&reference.key()) {
                    return Ok(Expression::Column(column));
                }
                let value = of_returned(self.return_slot(reference)?, reference);
                Ok(parts.column_of(&value).map_or(value, Expression::Column))
            }
        }
    }

    /// The slot that a name in `RETURN` means; none for what is negated away, which no row holds.
    pub(super) fn return_slot(&self, reference: &Reference) -> Result<Option<Slot>, QueryError> {
        let name = reference.alias();
        if let Some(slot) = self.slot_named(name) {
            return Ok(Some(slot));
        }
        if self.elements.iter().any(|element| element.is_named(name)) {
            return Ok(None);
        }
        Err(QueryError::J1ql(J1qlError::UnknownReturnSelector {
            name: j1ql::shown(name),
            valid: self.valid_names(true),
            at: reference.span,
        }))
    }

    pub(super) fn slot_named(&self, name: &str) -> Option<Slot> {
        let is_meant = |element: &Element<'_>| !element.is_negated && element.is_named(name);
        let position = self.elements.iter().position(is_meant);
        position.map(|position| Slot(position as u16))
    }

    /// The names that the query has, those of negated parts too where `negated` says so.
    fn valid_names(&self, negated: bool) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let usable = self
            .elements
            .iter()
            .filter(|one| negated || !one.is_negated);
        for name in usable.filter_map(|element| element.name) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// A copy of a value that the query is told, charged for: a short text may name it often.
    fn copy(&self, value: Option<&Value>) -> Result<Option<Value>, QueryError> {
        let Some(value) = value else { return Ok(None) };
        self.context
            .meter
            .bytes(LITERAL_COPIES * held_bytes(value))?;
        Ok(Some(value.clone()))
    }

    /// `tag.special-name` would be `tag.special` less `name`: refused where that cannot be meant.
    fn check_hyphens(&self, binary: &Binary, place: &Place<'_>) -> Result<(), QueryError> {
        let Some((first, names)) = hyphenated(binary) else {
            return Ok(());
        };
        let is_meant = |name: &&Reference| match place {
            Place::Node(_) => false,
            Place::Path | Place::Column(_) => self.slot_named(name.alias()).is_some(),
            Place::Result(parts) => {
                self.slot_named(name.alias()).is_some() || parts.column_named(&name.key()).is_some()
            }
        };
        if names.iter().all(is_meant) {
            return Ok(());
        }
        let names = names.iter();
        let tail = names.fold(String::new(), |tail, name| tail + "-" + &name.key());
        let meant = match (place, first.property()) {
            (Place::Node(_), _) | (_, None) => format!("[{}{tail}]", first.key()),
            (_, Some(property)) => format!("{}.[{property}{tail}]", first.alias()),
        };
        Err(QueryError::J1ql(J1qlError::UnbracketedName {
            written: j1ql::shown(&format!("{}{tail}", first.key())),
            meant: j1ql::shown(&meant),
            at: first.span,
        }))
    }
}

/// The names of a subtraction that is written like one name: `a.b-c-d`, without a blank.
fn hyphenated(binary: &Binary) -> Option<(&Reference, Vec<&Reference>)> {
    let j1ql::Expression::Reference(last) = &binary.right else {
        return None;
    };
    if binary.operator != ArithmeticOperator::Subtract || !last.is_bare() {
        return None;
    }
    let (first, mut names) = match &binary.left {
        j1ql::Expression::Reference(first) if !first.every_property => (first, Vec::new()),
        j1ql::Expression::Binary(inner) => hyphenated(inner)?,
        _ => return None,
    };
    let end = names
        .last()
        .map_or(first.span.end, |name: &&Reference| name.span.end);
    if last.span.start != end.saturating_add(1) {
        return None;
    }
    names.push(last);
    Some((first, names))
}

/// A property of something that may be returned, or null where no row holds it.
fn of_returned(slot: Option<Slot>, reference: &Reference) -> Expression {
    match slot {
        Some(slot) => of_slot(slot, reference),
        None => Expression::Literal(Value::Null),
    }
}

fn of_slot(slot: Slot, reference: &Reference) -> Expression {
    match reference.property() {
        Some(property) => Expression::Property(slot, Property::of(&property)),
        None => Expression::Object(slot),
    }
}

fn number_value(number: Number) -> Value {
    match number {
        Number::Integer(number) => Value::Int(number),
        Number::Decimal(number) => Value::Float(number),
    }
}

fn function_of(function: j1ql::Function) -> Function {
    match function {
        j1ql::Function::Coalesce => Function::Coalesce,
        j1ql::Function::Merge => Function::Merge,
        j1ql::Function::Abs => Function::Abs,
        j1ql::Function::Sqrt => Function::Sqrt,
        j1ql::Function::Ceil => Function::Ceil,
        j1ql::Function::Floor => Function::Floor,
        j1ql::Function::Round => Function::Round,
        _ => Function::Concat,
    }
}

/// Arithmetic of two values; a value at once where both are.
fn combined(operator: ArithmeticOperator, left: Expression, right: Expression) -> Expression {
    let operator = match operator {
        ArithmeticOperator::Add => Arithmetic::Add,
        ArithmeticOperator::Subtract => Arithmetic::Subtract,
        ArithmeticOperator::Multiply => Arithmetic::Multiply,
        ArithmeticOperator::Divide => Arithmetic::Divide,
        ArithmeticOperator::Power => Arithmetic::Power,
    };
    match (&left, &right) {
        (Expression::Literal(left), Expression::Literal(right)) => {
            Expression::Literal(arithmetic(operator, left, right))
        }
        _ => Expression::Arithmetic(operator, Box::new(left), Box::new(right)),
    }
}
