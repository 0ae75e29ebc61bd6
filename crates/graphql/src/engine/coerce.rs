// SPDX-License-Identifier: Apache-2.0
//! Input values: variables against their declared types, and literals of the document into JSON.
//!
//! A single value where a list is declared becomes a list of one; defaults are put in; unknown
//! members, wrong kinds and nulls where none may be are refused. Values of custom scalars pass as
//! they are: their format is for the resolver to check.

use apollo_compiler::ast::{Argument, InputValueDefinition, Type, Value as Literal};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Node, Schema};
use serde_json::Value;

use super::node::JsonMap;

/// Where in a value something is wrong; written only when it is.
enum Place<'p> {
    Root(&'p str),
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root(name) => formatter.write_str(name),
            Self::Member(parent, name) => write!(formatter, "{parent}.{name}"),
            Self::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// The variables that an operation declares, coerced. The error is a sentence for the client.
pub(super) fn variables(
    schema: &Schema,
    operation: &Operation,
    given: &JsonMap,
) -> Result<JsonMap, String> {
    let mut coerced = JsonMap::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let shown = format!("${name}");
        let place = Place::Root(&shown);
        let value = match (given.get(name), &variable.default_value) {
            (Some(value), _) => json(schema, &variable.ty, value, &place)?,
            (None, Some(default)) => {
                let none = JsonMap::new();
                literal(schema, &variable.ty, default, &none, &place)?.unwrap_or(Value::Null)
            }
            (None, None) if variable.ty.is_non_null() => {
                return Err(format!(
                    "variable `{shown}` of type `{}` is missing",
                    variable.ty
                ));
            }
            (None, None) => continue,
        };
        coerced.insert(name.to_owned(), value);
    }
    Ok(coerced)
}

/// The arguments of one field or directive, coerced.
pub(super) fn arguments(
    schema: &Schema,
    definitions: &[Node<InputValueDefinition>],
    given: &[Node<Argument>],
    variables: &JsonMap,
) -> Result<JsonMap, String> {
    let mut coerced = JsonMap::new();
    for definition in definitions {
        let name = definition.name.as_str();
        let place = Place::Root(name);
        let written = given.iter().find(|argument| argument.name == name);
        let value = match written {
            Some(argument) => literal(schema, &definition.ty, &argument.value, variables, &place)?,
            None => None,
        };
        if let Some(value) = or_default(schema, definition, value, &place)? {
            coerced.insert(name.to_owned(), value);
        }
    }
    Ok(coerced)
}

/// Does any of these arguments depend on a variable?
pub(super) fn uses_variables(arguments: &[Node<Argument>]) -> bool {
    arguments
        .iter()
        .any(|argument| has_variable(&argument.value))
}

fn has_variable(value: &Literal) -> bool {
    match value {
        Literal::Variable(_) => true,
        Literal::List(items) => items.iter().any(|item| has_variable(item)),
        Literal::Object(members) => members.iter().any(|(_, member)| has_variable(member)),
        _ => false,
    }
}

/// Puts the default of a position in the place of an absent value.
fn or_default(
    schema: &Schema,
    definition: &InputValueDefinition,
    value: Option<Value>,
    place: &Place<'_>,
) -> Result<Option<Value>, String> {
    if let Some(value) = value {
        return Ok(Some(value));
    }
    if let Some(default) = &definition.default_value {
        return literal(schema, &definition.ty, default, &JsonMap::new(), place);
    }
    if definition.ty.is_non_null() {
        return Err(format!("`{place}` of type `{}` is missing", definition.ty));
    }
    Ok(None)
}

/// A JSON value as a value of a declared type.
fn json(schema: &Schema, ty: &Type, value: &Value, place: &Place<'_>) -> Result<Value, String> {
    if value.is_null() {
        return if ty.is_non_null() {
            Err(format!("`{place}` of type `{ty}` must not be null"))
        } else {
            Ok(Value::Null)
        };
    }
    let name = match ty {
        Type::List(item) | Type::NonNullList(item) => {
            let Value::Array(items) = value else {
                return Ok(Value::Array(vec![json(schema, item, value, place)?]));
            };
            let items = items.iter().enumerate();
            return items
                .map(|(index, each)| json(schema, item, each, &Place::Item(place, index)))
                .collect();
        }
        Type::Named(name) | Type::NonNullNamed(name) => name,
    };
    let coerced = match schema.types.get(name) {
        Some(ExtendedType::InputObject(input)) => match value {
            Value::Object(members) => return json_object(schema, input, members, place),
            _ => None,
        },
        Some(ExtendedType::Enum(all)) => enum_value(all, value),
        Some(ExtendedType::Scalar(scalar)) if !scalar.is_built_in() => Some(value.clone()),
        Some(ExtendedType::Scalar(_)) => built_in(name, value),
        _ => None,
    };
    coerced.ok_or_else(|| format!("`{place}` must be of type `{ty}`, not {}", shown(value)))
}

fn json_object(
    schema: &Schema,
    input: &InputObjectType,
    members: &JsonMap,
    place: &Place<'_>,
) -> Result<Value, String> {
    if let Some(unknown) = members
        .keys()
        .find(|key| !input.fields.contains_key(key.as_str()))
    {
        return Err(format!(
            "`{place}` has the member `{unknown}`, which `{}` does not know",
            input.name
        ));
    }
    let mut coerced = JsonMap::new();
    for (name, field) in &input.fields {
        let place = Place::Member(place, name);
        let value = match members.get(name.as_str()) {
            Some(value) => Some(json(schema, &field.ty, value, &place)?),
            None => None,
        };
        if let Some(value) = or_default(schema, field, value, &place)? {
            coerced.insert(name.to_string(), value);
        }
    }
    Ok(Value::Object(coerced))
}

/// A literal as a value of a declared type; none where it is a variable that was not given.
fn literal(
    schema: &Schema,
    ty: &Type,
    value: &Literal,
    variables: &JsonMap,
    place: &Place<'_>,
) -> Result<Option<Value>, String> {
    match value {
        Literal::Variable(name) => {
            let given = variables.get(name.as_str());
            if given.is_some_and(Value::is_null) && ty.is_non_null() {
                return Err(format!("`{place}` of type `{ty}` must not be null"));
            }
            return Ok(given.cloned());
        }
        Literal::Null => return json(schema, ty, &Value::Null, place).map(Some),
        _ => {}
    }
    if let Type::List(item) | Type::NonNullList(item) = ty {
        let one = |value: &Literal, place: &Place<'_>| -> Result<Value, String> {
            let coerced = literal(schema, item, value, variables, place)?;
            match coerced {
                Some(value) => Ok(value),
                None => json(schema, item, &Value::Null, place),
            }
        };
        let items = match value {
            Literal::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, each)| one(each, &Place::Item(place, index)))
                .collect::<Result<Vec<_>, _>>()?,
            single => vec![one(single, place)?],
        };
        return Ok(Some(Value::Array(items)));
    }
    let name = ty.inner_named_type();
    if let (Some(ExtendedType::InputObject(input)), Literal::Object(members)) =
        (schema.types.get(name), value)
    {
        let mut coerced = JsonMap::new();
        for (name, field) in &input.fields {
            let place = Place::Member(place, name);
            let written = members.iter().find(|(member, _)| member == name);
            let value = match written {
                Some((_, value)) => literal(schema, &field.ty, value, variables, &place)?,
                None => None,
            };
            if let Some(value) = or_default(schema, field, value, &place)? {
                coerced.insert(name.to_string(), value);
            }
        }
        return Ok(Some(Value::Object(coerced)));
    }
    let plain = plain(value, variables, place)?;
    json(schema, ty, &plain, place).map(Some)
}

/// A literal without a type: what custom scalars take. Variables inside are replaced.
fn plain(value: &Literal, variables: &JsonMap, place: &Place<'_>) -> Result<Value, String> {
    Ok(match value {
        Literal::Null => Value::Null,
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Enum(name) => Value::String(name.to_string()),
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or_default(),
        Literal::Int(number) => number_of(number.as_str(), place)?,
        Literal::Float(number) => number_of(number.as_str(), place)?,
        Literal::List(items) => Value::Array(
            items
                .iter()
                .map(|item| plain(item, variables, place))
                .collect::<Result<_, _>>()?,
        ),
        Literal::Object(members) => {
            let mut map = JsonMap::new();
            for (name, member) in members {
                map.insert(name.to_string(), plain(member, variables, place)?);
            }
            Value::Object(map)
        }
    })
}

fn number_of(text: &str, place: &Place<'_>) -> Result<Value, String> {
    text.parse()
        .map(Value::Number)
        .map_err(|_| format!("`{place}` holds the number {text}, which is out of range"))
}

fn enum_value(all: &EnumType, value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    all.values.contains_key(text).then(|| value.clone())
}

fn built_in(name: &str, value: &Value) -> Option<Value> {
    match (name, value) {
        ("Int", Value::Number(number)) => {
            let whole = number.as_i64().or_else(|| {
                let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
                (float.abs() <= f64::from(i32::MAX)).then_some(float as i64)
            })?;
            i32::try_from(whole).ok().map(Value::from)
        }
        ("Float", Value::Number(_))
        | ("Boolean", Value::Bool(_))
        | ("String" | "ID", Value::String(_)) => Some(value.clone()),
        ("ID", Value::Number(number)) if !number.is_f64() => {
            Some(Value::String(number.to_string()))
        }
        _ => None,
    }
}

fn shown(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "this text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
