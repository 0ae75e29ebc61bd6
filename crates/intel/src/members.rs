// SPDX-License-Identifier: Apache-2.0
//! Which values the members of STIX objects take, by name: a name means the same in every type that
//! OpenCTI has. What arrives otherwise is made fit where nothing is lost, else refused by name.
//!
//! The tables agree with the contract of OpenCTI; a test of the dialect compares them.

mod tables;

use durward_catalog::stix;
use durward_model::limits::LIST_ITEMS_MAX;
use durward_model::{Instant, Value};
use serde_json::Value as Json;

use self::tables::{FLAGS, INTEGERS, LISTS, MOMENTS, NUMBERS, TEXTS};
use crate::kinds;
use crate::object::ObjectError;

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A moment.
    Moment,
}

/// What a member holds, where its name says it.
pub fn form(name: &str) -> Option<Form> {
    let tables = [
        (TEXTS, Form::Text),
        (MOMENTS, Form::Moment),
        (LISTS, Form::Texts),
        (INTEGERS, Form::Integer),
        (FLAGS, Form::Flag),
        (NUMBERS, Form::Number),
    ];
    tables
        .into_iter()
        .find(|(names, _)| names.binary_search(&name).is_ok())
        .map(|(_, form)| form)
}

impl Form {
    /// What it is, in a sentence.
    pub fn described(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Moment => "a timestamp",
        }
    }

    /// A value in this form, where nothing is lost by it: `85.0` and `"85"` are whole numbers,
    /// `"true"` is true, a number is a text too, one text is a list of one. `None` otherwise.
    pub fn fitted(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (_, Value::Null) => Some(Value::Null),
            (Self::Integer, value) => integer(value).map(Value::Int),
            (Self::Number, Value::Int(_) | Value::Float(_))
            | (Self::Flag, Value::Bool(_))
            | (Self::Moment, Value::Instant(_)) => Some(value.clone()),
            (Self::Number, Value::String(text)) => number(text).map(Value::Float),
            (Self::Flag, Value::String(text)) => flag(text).map(Value::Bool),
            (Self::Text, value) => text(value).map(Value::String),
            (Self::Texts, Value::List(items)) => {
                let texts = items.iter().map(|item| text(item).map(Value::String));
                texts.collect::<Option<Vec<_>>>().map(Value::List)
            }
            (Self::Texts, value) => Some(Value::List(vec![Value::String(text(value)?)])),
            (Self::Moment, Value::String(text)) => text.parse::<Instant>().ok().map(Value::Instant),
            _ => None,
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        // Beyond 2^53 a float may stand for another whole number than was written.
        Value::Float(number) if number.fract() == 0.0 && number.abs() <= 2f64.powi(53) => {
            Some(*number as i64)
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Instant(instant) => Some(instant.to_rfc3339_millis()),
        _ => None,
    }
}

/// The value of a member of an object of a type.
///
/// # Errors
/// When it is too large, or not what the member holds.
pub(crate) fn value(stix_type: &str, name: &str, json: Json) -> Result<Value, ObjectError> {
    if let Json::Array(items) = &json
        && items.len() > LIST_ITEMS_MAX
    {
        return Err(ObjectError::TooLong {
            member: name.to_owned(),
            limit: LIST_ITEMS_MAX,
        });
    }
    let value = match Value::from_json(&json) {
        Ok(value) => value,
        // Lists of several kinds of plain values are lists of texts where texts are expected.
        Err(_) if form(name) == Some(Form::Texts) && is_plain_list(&json) => mixed(&json),
        Err(_) => Value::Document(json.into()),
    };
    let is_known = stix::named(stix_type).is_some() || kinds::is_relationship(stix_type);
    if is_known && name == "hashes" && !are_hashes(&value) {
        return Err(ObjectError::Wrong {
            member: name.to_owned(),
            expected: "an object of texts",
        });
    }
    let Some(form) = form(name) else {
        return Ok(value);
    };
    if form == Form::Moment {
        return moment(name, value, is_known);
    }
    if !is_known {
        return Ok(value);
    }
    form.fitted(&value).ok_or_else(|| wrong(name, form))
}

/// Numbers stay what they are: some producers write file times.
fn moment(name: &str, value: Value, is_known: bool) -> Result<Value, ObjectError> {
    match value {
        Value::Int(_) | Value::Float(_) => Ok(value),
        Value::String(_) => {
            let moment = Form::Moment.fitted(&value);
            moment.ok_or_else(|| wrong(name, Form::Moment))
        }
        value if is_known && !value.is_null() => Err(wrong(name, Form::Moment)),
        value => Ok(value),
    }
}

fn wrong(name: &str, form: Form) -> ObjectError {
    ObjectError::Wrong {
        member: name.to_owned(),
        expected: form.described(),
    }
}

fn are_hashes(value: &Value) -> bool {
    let Value::Document(document) = value else {
        return false;
    };
    let hashes = document.as_object();
    hashes.is_some_and(|hashes| hashes.values().all(Json::is_string))
}

fn is_plain_list(json: &Json) -> bool {
    let items = json.as_array();
    items.is_some_and(|items| !items.iter().any(|item| item.is_object() || item.is_array()))
}

fn mixed(json: &Json) -> Value {
    let items = json.as_array().into_iter().flatten();
    let values = items.filter_map(|item| Value::from_json(item).ok());
    Value::List(values.filter(|value| !value.is_null()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tables_are_in_order_and_apart() {
        let tables = [TEXTS, MOMENTS, LISTS, INTEGERS, FLAGS, NUMBERS];
        for table in tables {
            assert!(table.is_sorted(), "{table:?}");
        }
        let mut all = tables.concat();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "one name, one form");
    }

    #[test]
    fn what_loses_nothing_is_made_fit_and_the_rest_is_refused() {
        let ok = |name: &str, json: Json| value("malware", name, json).unwrap();
        assert_eq!(ok("confidence", json!(85.0)), Value::Int(85));
        assert_eq!(ok("confidence", json!("85")), Value::Int(85));
        assert_eq!(ok("is_family", json!("true")), Value::Bool(true));
        assert_eq!(ok("name", json!(3)), Value::from("3"));
        assert_eq!(ok("aliases", json!("one")), Value::List(vec!["one".into()]));
        let mixed = Value::List(vec!["one".into(), "2".into()]);
        assert_eq!(ok("aliases", json!(["one", 2, null])), mixed);
        for (name, json, expected) in [
            ("confidence", json!(85.5), "a whole number"),
            ("confidence", json!(true), "a whole number"),
            ("is_family", json!("perhaps"), "true or false"),
            ("is_family", json!(1), "true or false"),
            ("name", json!({"en": "x"}), "a text"),
            ("description", json!(["x"]), "a text"),
            ("aliases", json!([{"a": 1}]), "a list of texts"),
            ("latitude", json!("north"), "a number"),
            ("created", json!("soon"), "a timestamp"),
            ("first_seen", json!({"year": 2024}), "a timestamp"),
        ] {
            let error = value("malware", name, json).unwrap_err();
            assert_eq!(error.to_string(), format!("its {name} is not {expected}"));
        }
        // Types that OpenCTI does not have keep what they bring.
        let own = value("x-sensor", "confidence", json!(85.5)).unwrap();
        assert_eq!(own, Value::Float(85.5));
    }
}
