// SPDX-License-Identifier: Apache-2.0
//! Writing leaf values as the contract declares them, leniently where no client could mind: an
//! integer for a `Float`, a whole number for an `Int`, numbers and booleans for a `String`.

use serde_json::{Number, Value};

use super::node::Node;
use super::plan::Shape;

/// Writes a text with its quotes.
pub(super) fn text(buffer: &mut Vec<u8>, text: &str) {
    json(buffer, text);
}

/// Writes anything that serializes; into memory that cannot fail.
pub(super) fn json<T: serde::Serialize + ?Sized>(buffer: &mut Vec<u8>, value: &T) {
    let start = buffer.len();
    if serde_json::to_writer(&mut *buffer, value).is_err() {
        buffer.truncate(start);
        buffer.extend_from_slice(b"null");
    }
}

/// Writes a leaf that is not null. The error says why the value does not fit its declared type.
pub(super) fn leaf<C>(
    buffer: &mut Vec<u8>,
    shape: &Shape,
    node: Node<'_, C>,
) -> Result<(), String> {
    match node {
        Node::Boolean(value) => boolean(buffer, shape, value),
        Node::Int(value) => integer(buffer, shape, value),
        Node::Float(value) => float(buffer, shape, value),
        Node::Text(value) => string(buffer, shape, &value),
        Node::Json(value) => json_leaf(buffer, shape, &value),
        Node::Raw(bytes) if bytes.is_empty() => Err("the value is no JSON".to_owned()),
        Node::Raw(bytes) if matches!(shape, Shape::Custom) => {
            buffer.extend_from_slice(&bytes);
            Ok(())
        }
        Node::Raw(bytes) => match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => json_leaf(buffer, shape, &value),
            Err(_) => Err("the value is no JSON".to_owned()),
        },
        Node::Object(_) => Err(misfit("an object", shape)),
        Node::List(_) | Node::Rows(_) | Node::Lazy(_) => Err(misfit("a list", shape)),
        Node::Null | Node::Failed(_) => Err(misfit("nothing", shape)),
    }
}

fn json_leaf(buffer: &mut Vec<u8>, shape: &Shape, value: &Value) -> Result<(), String> {
    if matches!(shape, Shape::Custom) {
        json(buffer, value);
        return Ok(());
    }
    match value {
        Value::Bool(value) => boolean(buffer, shape, *value),
        Value::String(value) => string(buffer, shape, value),
        Value::Number(value) => number(buffer, shape, value),
        Value::Array(_) => Err(misfit("a list", shape)),
        Value::Object(_) => Err(misfit("an object", shape)),
        Value::Null => Err(misfit("null", shape)),
    }
}

fn number(buffer: &mut Vec<u8>, shape: &Shape, value: &Number) -> Result<(), String> {
    if let Some(value) = value.as_i64() {
        return integer(buffer, shape, value);
    }
    match (shape, value.as_u64(), value.as_f64()) {
        (Shape::Text, Some(value), _) => {
            text(buffer, &value.to_string());
            Ok(())
        }
        (Shape::Float, Some(value), _) => {
            json(buffer, &value);
            Ok(())
        }
        (_, None, Some(value)) => float(buffer, shape, value),
        _ => Err(misfit("this number", shape)),
    }
}

fn boolean(buffer: &mut Vec<u8>, shape: &Shape, value: bool) -> Result<(), String> {
    let written: &[u8] = match (shape, value) {
        (Shape::Boolean | Shape::Custom, true) => b"true",
        (Shape::Boolean | Shape::Custom, false) => b"false",
        (Shape::Text, true) => b"\"true\"",
        (Shape::Text, false) => b"\"false\"",
        _ => return Err(misfit("a boolean", shape)),
    };
    buffer.extend_from_slice(written);
    Ok(())
}

fn integer(buffer: &mut Vec<u8>, shape: &Shape, value: i64) -> Result<(), String> {
    match shape {
        Shape::Int if i32::try_from(value).is_err() => {
            return Err(format!("{value} does not fit an Int of 32 bits"));
        }
        Shape::Int | Shape::Float | Shape::Custom => json(buffer, &value),
        Shape::Text => {
            buffer.push(b'"');
            json(buffer, &value);
            buffer.push(b'"');
        }
        _ => return Err(misfit("an integer", shape)),
    }
    Ok(())
}

fn float(buffer: &mut Vec<u8>, shape: &Shape, value: f64) -> Result<(), String> {
    if !value.is_finite() {
        return Err(misfit("a number without a JSON form", shape));
    }
    match shape {
        Shape::Float | Shape::Custom => json(buffer, &value),
        Shape::Int if value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX) => {
            json(buffer, &(value as i64));
        }
        Shape::Text => {
            buffer.push(b'"');
            json(buffer, &value);
            buffer.push(b'"');
        }
        _ => return Err(misfit("a number", shape)),
    }
    Ok(())
}

fn string(buffer: &mut Vec<u8>, shape: &Shape, value: &str) -> Result<(), String> {
    match shape {
        Shape::Text | Shape::Custom => {}
        Shape::Enum(all) if all.values.contains_key(value) => {}
        Shape::Enum(all) => {
            return Err(format!("the value is none of the enum `{}`", all.name));
        }
        _ => return Err(misfit("a text", shape)),
    }
    text(buffer, value);
    Ok(())
}

fn misfit(given: &str, shape: &Shape) -> String {
    let wanted = match shape {
        Shape::Int => "an Int",
        Shape::Float => "a Float",
        Shape::Boolean => "a Boolean",
        Shape::Text => "a String",
        Shape::Enum(_) => "an enum value",
        Shape::Custom => "a scalar",
        Shape::Composite => "an object",
        Shape::List(_) => "a list",
    };
    format!("{given} stands where the contract declares {wanted}")
}
