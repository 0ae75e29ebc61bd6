// SPDX-License-Identifier: Apache-2.0
//! JSON text appended straight to a buffer.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_graph::ValueRef;
use durward_model::Value;

/// Appends a value. Instants are epoch milliseconds, bytes are base64.
pub(crate) fn write_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Bool(true) => out.extend_from_slice(b"true"),
        ValueRef::Bool(false) => out.extend_from_slice(b"false"),
        ValueRef::Int(number) => write_int(number, out),
        ValueRef::Float(number) => write_float(number, out),
        ValueRef::String(text) => write_string(text, out),
        ValueRef::Instant(instant) => write_int(instant.as_millis(), out),
        ValueRef::Bytes(bytes) => write_string(&STANDARD.encode(bytes), out),
        ValueRef::List(items) => write_list(items, out),
        ValueRef::Document(json) => {
            // Writing to a vector cannot fail, and a JSON value always has a text.
            let _ = serde_json::to_writer(&mut *out, json);
        }
    }
}

fn write_list(items: &[Value], out: &mut Vec<u8>) {
    out.push(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_value(ValueRef::from(item), out);
    }
    out.push(b']');
}

pub(crate) fn write_int(number: i64, out: &mut Vec<u8>) {
    let _ = write!(out, "{number}");
}

/// A float that is a whole number is written as one, as most JSON writers of clients do.
pub(crate) fn write_float(number: f64, out: &mut Vec<u8>) {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        out.extend_from_slice(b"null");
    } else if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        write_int(number as i64, out);
    } else {
        let _ = write!(out, "{number}");
    }
}

/// Appends a text with quotes and escapes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text.as_bytes(), out);
    out.push(b'"');
}

fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(position) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, from) = rest.split_at(position);
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else {
            return;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                let _ = write!(out, "\\u{:04x}", u32::from(*other));
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends `"name":`.
pub(crate) fn write_name(name: &str, out: &mut Vec<u8>) {
    write_string(name, out);
    out.push(b':');
}

/// An object that is being written: keeps track of commas.
#[derive(Debug)]
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Writes a name; the value must follow on the buffer given back.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        write_name(name, self.out);
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        write_string(text, self.name(name));
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_model::Instant;
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_what_a_reader_reads_back() {
        let text = "a\"b\\c\nd\u{1}é😀";
        let values = [
            (Value::from(text), json!(text)),
            (Value::Int(-5), json!(-5)),
            (Value::Float(2.0), json!(2)),
            (Value::Float(0.25), json!(0.25)),
            (Value::Instant(Instant::from_millis(12)), json!(12)),
            (Value::from(vec!["x", "y"]), json!(["x", "y"])),
            (Value::Bytes(vec![1, 2]), json!("AQI=")),
            (
                Value::Document(json!({"k": [null]}).into()),
                json!({"k": [null]}),
            ),
            (Value::Null, json!(null)),
        ];
        for (value, expected) in values {
            let mut out = Vec::new();
            write_value(ValueRef::from(&value), &mut out);
            assert_eq!(
                serde_json::from_slice::<serde_json::Value>(&out).unwrap(),
                expected
            );
        }
    }
}
