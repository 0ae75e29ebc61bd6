// SPDX-License-Identifier: Apache-2.0
//! Values that are stored in another form than the contract declares: whoever wrote them, they cost
//! no list its rows. What can be shown is shown, the rest is null, or what stands for null.

use durward_intel::members::Form;
use durward_model::Value;
use serde_json::Value as Json;

use crate::shown::Required;
use crate::values;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldPlan, Node};

type Context = RequestContext;

/// A value as a field shows it.
pub(super) fn node<'n>(field: &FieldPlan, value: Value) -> Node<'n, Context> {
    // Moments are texts to the engine, which takes any; so they are looked at here.
    let is_moment = field.declared_type() == "DateTime" && !field.is_list();
    match value {
        Value::Null | Value::Instant(_) => values::node(value),
        value if is_moment => match Form::Moment.fitted(&value) {
            Some(moment) => values::node(moment),
            None => Node::Null,
        },
        value => values::node(value),
    }
}

/// What to show instead of a value that could not be written. `fallback` gives what stands for a
/// value that must be there.
pub(super) fn instead<'n>(
    call: &Call<'_, Context>,
    value: &Value,
    fallback: impl FnOnce(Required) -> Value,
) -> Option<Node<'n, Context>> {
    let field = call.field;
    if !field.is_leaf() {
        return None;
    }
    let fitted = if field.is_list() {
        Value::List(texts(value).into_iter().map(Value::String).collect())
    } else {
        single(field.declared_type(), value).unwrap_or_default()
    };
    let required = Required::of(field.declared_type());
    let shown = match required.filter(|_| field.is_required() && fitted.is_null()) {
        Some(required) => fallback(required),
        None => fitted,
    };
    Some(values::node(shown))
}

fn single(declared: &str, value: &Value) -> Option<Value> {
    let form = match declared {
        "Int" => Form::Integer,
        "Float" => Form::Number,
        "Boolean" => Form::Flag,
        "DateTime" => Form::Moment,
        "String" | "ID" => {
            let text = Form::Text.fitted(value);
            return text.or_else(|| Some(values::stix(value).to_string().into()));
        }
        _ => return None,
    };
    let fitted = form.fitted(value)?;
    match fitted {
        // What the contract cannot hold is only in the object's STIX.
        Value::Int(number) if i32::try_from(number).is_err() => None,
        fitted => Some(fitted),
    }
}

/// A list of texts: objects are shown member by member, as environments are.
fn texts(value: &Value) -> Vec<String> {
    let plain = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::List(items) => items.iter().map(|item| plain(&item.to_json())).collect(),
        Value::Document(document) => match &**document {
            Json::Object(members) => {
                let members = members.iter();
                members
                    .map(|(name, json)| format!("{name}={}", plain(json)))
                    .collect()
            }
            Json::Array(items) => items.iter().map(plain).collect(),
            other => vec![plain(other)],
        },
        other => vec![plain(&values::stix(other))],
    }
}
