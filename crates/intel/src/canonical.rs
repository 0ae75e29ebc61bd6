// SPDX-License-Identifier: Apache-2.0
//! Canonical JSON (RFC 8785), over which deterministic STIX ids are computed.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// The canonical text of a JSON value: members sorted by UTF-16 code units, no spaces, numbers as
/// ECMAScript prints them.
pub(crate) fn canonical_json(json: &Json) -> String {
    let mut text = String::new();
    write_value(json, &mut text);
    text
}

fn write_value(json: &Json, text: &mut String) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => text.push_str(&whole.to_string()),
            None => text.push_str(&number_text(number.as_f64().unwrap_or_default())),
        },
        Json::String(value) => write_string(value, text),
        Json::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_value(item, text);
            }
            text.push(']');
        }
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
            text.push('{');
            for (position, name) in names.into_iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write_value(members.get(name).unwrap_or(&Json::Null), text);
            }
            text.push('}');
        }
    }
}

/// RFC 8785, 3.2.2.2: the seven short escapes, `\u00xx` for other controls, nothing else.
fn write_string(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{9}' => text.push_str("\\t"),
            '\u{a}' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\u{d}' => text.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// ECMAScript's Number::toString: shortest digits, exponents from 1e21 up and below 1e-6.
fn number_text(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if size >= 1e21 {
        return format!("{number:e}").replace('e', "e+");
    }
    if size < 1e-6 {
        return format!("{number:e}");
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn follows_the_specification() {
        let value =
            json!({"b": 1.0, "a": [1e21, 1e-7, 1234.5, -0.0], "\u{20ac}": "\u{1f}\n\u{20ac}/\""});
        let expected =
            "{\"a\":[1e+21,1e-7,1234.5,0],\"b\":1,\"\u{20ac}\":\"\\u001f\\n\u{20ac}/\\\"\"}";
        assert_eq!(canonical_json(&value), expected);
    }
}
