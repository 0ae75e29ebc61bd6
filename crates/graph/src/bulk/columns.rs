// SPDX-License-Identifier: Apache-2.0
//! Columns that grow value by value, or by whole columns, and choose their form as they go.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

use durward_model::change::{ABSENT_CODE, ColumnValues};
use durward_model::limits::{LIST_ITEMS_MAX, VALUE_BYTES_MAX};
use durward_model::value::ValueError;
use durward_model::{StringArena, Value};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::scan::{Scalar, split_texts};

/// Most distinct values that a column keeps in a dictionary.
const DICTIONARY_MAX: usize = 65_536;
/// From so many distinct values on, a column of one upload may be found to repeat too little.
const DICTIONARY_PROBE: usize = 1024;

/// Hash of a client-chosen key, seeded per process so that nobody can prepare collisions.
pub(crate) fn key_hash(text: &[u8]) -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    xxh3_64_with_seed(
        text,
        *SEED.get_or_init(|| RandomState::new().build_hasher().finish()),
    )
}

/// A column under construction.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    form: Form,
    rows: usize,
    /// Whether the dictionary is given up early when few values repeat (columns of one upload).
    hasty: bool,
}

#[derive(Debug)]
enum Form {
    Bools(Vec<u8>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(StringArena),
    Coded {
        codes: Vec<u32>,
        dictionary: Dictionary,
    },
    Mixed(Vec<Value>),
}

#[derive(Debug, Default)]
struct Dictionary {
    values: Vec<Value>,
    table: HashTable<(u64, u32)>,
}

impl Dictionary {
    fn text(&mut self, text: &str) -> u32 {
        let hash = key_hash(text.as_bytes());
        let Self { values, table } = self;
        let same = |(_, code): &(u64, u32)| {
            values.get(*code as usize).and_then(Value::as_str) == Some(text)
        };
        if let Some((_, code)) = table.find(hash, same) {
            return *code;
        }
        let code = values.len() as u32;
        table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
        values.push(Value::from(text));
        code
    }

    fn value(&mut self, value: Value) -> u32 {
        let hash = match &value {
            Value::String(text) => return self.text(text),
            other => value_hash(other),
        };
        let Self { values, table } = self;
        let same = |(_, code): &(u64, u32)| {
            values
                .get(*code as usize)
                .is_some_and(|known| same_value(known, &value))
        };
        if let Some((_, code)) = table.find(hash, same) {
            return *code;
        }
        let code = values.len() as u32;
        table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
        values.push(value);
        code
    }
}

/// Whether two values are the same in kind and content (1 and 1.0 are not).
pub(crate) fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same_value(left, right))
        }
        _ => left == right,
    }
}

/// Hash of a value, seeded as [`key_hash`] is.
pub(crate) fn value_hash(value: &Value) -> u64 {
    match value {
        Value::Int(value) => key_hash(&value.to_le_bytes()),
        Value::Float(value) => key_hash(&value.to_bits().to_be_bytes()),
        Value::Bool(value) => key_hash(&[u8::from(*value)]),
        Value::String(text) => key_hash(text.as_bytes()),
        Value::List(items) => items.iter().fold(7, |hash: u64, item| {
            hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ value_hash(item)
        }),
        other => key_hash(format!("{other:?}").as_bytes()),
    }
}

impl ColumnBuilder {
    /// A column whose first `rows` rows are absent.
    pub(crate) fn new(rows: usize, hasty: bool) -> Self {
        let codes = vec![ABSENT_CODE; rows];
        Self {
            form: Form::Coded {
                codes,
                dictionary: Dictionary::default(),
            },
            rows,
            hasty,
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Makes rows absent up to `rows`.
    pub(crate) fn pad(&mut self, rows: usize) {
        while self.rows < rows {
            self.push_absent();
        }
    }

    fn push_absent(&mut self) {
        self.rows += 1;
        if matches!(self.form, Form::Ints(_) | Form::Floats(_) | Form::Texts(_)) {
            self.loosen();
        }
        match &mut self.form {
            Form::Bools(values) => values.push(2),
            Form::Coded { codes, .. } => codes.push(ABSENT_CODE),
            Form::Mixed(values) => values.push(Value::Null),
            Form::Ints(_) | Form::Floats(_) | Form::Texts(_) => {}
        }
    }

    /// Adds the value of the next row.
    pub(crate) fn push(&mut self, scalar: &Scalar<'_>) -> Result<(), ValueError> {
        match scalar {
            Scalar::Null => self.push_absent(),
            Scalar::Bool(value) => self.push_bool(*value),
            Scalar::Int(value) => self.push_int(*value),
            Scalar::Float(value) => self.push_float(*value),
            Scalar::Text(text) => {
                if text.len() > VALUE_BYTES_MAX {
                    return Err(ValueError::TooLarge { bytes: text.len() });
                }
                self.push_text(text);
            }
            other => self.push_value(value_of(other)?),
        }
        Ok(())
    }

    fn push_bool(&mut self, value: bool) {
        if self.is_blank() {
            let absent = vec![2; self.rows];
            self.form = Form::Bools(absent);
        }
        match &mut self.form {
            Form::Bools(values) => {
                values.push(u8::from(value));
                self.rows += 1;
            }
            _ => self.push_value(Value::Bool(value)),
        }
    }

    fn push_int(&mut self, value: i64) {
        if self.rows == 0 {
            self.form = Form::Ints(Vec::new());
        }
        match &mut self.form {
            Form::Ints(values) => {
                values.push(value);
                self.rows += 1;
            }
            _ => self.push_value(Value::Int(value)),
        }
    }

    fn push_float(&mut self, value: f64) {
        if self.rows == 0 {
            self.form = Form::Floats(Vec::new());
        }
        match &mut self.form {
            Form::Floats(values) => {
                values.push(value);
                self.rows += 1;
            }
            _ => self.push_value(Value::Float(value)),
        }
    }

    fn push_text(&mut self, text: &str) {
        match &mut self.form {
            Form::Coded { codes, dictionary } => {
                codes.push(dictionary.text(text));
                self.rows += 1;
                self.judge();
            }
            Form::Texts(arena) => {
                if arena.push(text).is_ok() {
                    self.rows += 1;
                } else {
                    self.push_value(Value::from(text));
                }
            }
            _ => self.push_value(Value::from(text)),
        }
    }

    /// Adds any value.
    pub(crate) fn push_value(&mut self, value: Value) {
        if value.is_null() {
            return self.push_absent();
        }
        match &self.form {
            Form::Coded { .. } | Form::Mixed(_) => {}
            _ => self.loosen(),
        }
        self.rows += 1;
        match &mut self.form {
            Form::Coded { codes, dictionary } => {
                codes.push(dictionary.value(value));
                self.judge();
            }
            Form::Mixed(values) => values.push(value),
            _ => {}
        }
    }

    /// Whether every row so far is absent.
    fn is_blank(&self) -> bool {
        matches!(&self.form, Form::Coded { dictionary, .. } if dictionary.values.is_empty())
    }

    /// Gives a dictionary up that does not pay.
    fn judge(&mut self) {
        let Form::Coded { codes, dictionary } = &self.form else {
            return;
        };
        let distinct = dictionary.values.len();
        let unique = self.hasty && distinct >= DICTIONARY_PROBE && distinct >= codes.len() / 8 * 7;
        if distinct <= DICTIONARY_MAX && !unique {
            return;
        }
        self.form = plain_form(codes, &dictionary.values);
    }

    /// Turns a form that takes one kind only into one that takes anything.
    fn loosen(&mut self) {
        let form = std::mem::replace(&mut self.form, Form::Mixed(Vec::new()));
        let values = finished(form);
        let mut dictionary = Dictionary::default();
        let mut codes = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            let value = values.get(row);
            codes.push(if value.is_null() {
                ABSENT_CODE
            } else {
                dictionary.value(value)
            });
            if dictionary.values.len() > DICTIONARY_MAX {
                self.form = Form::Mixed((0..values.len()).map(|row| values.get(row)).collect());
                return;
            }
        }
        self.form = Form::Coded { codes, dictionary };
    }

    /// Adds all rows of another column.
    pub(crate) fn append(&mut self, column: &ColumnValues) {
        match (&mut self.form, column) {
            (Form::Bools(rows), ColumnValues::Bools(more)) => rows.extend_from_slice(more),
            (Form::Ints(rows), ColumnValues::Ints(more)) => rows.extend_from_slice(more),
            (Form::Floats(rows), ColumnValues::Floats(more)) => rows.extend_from_slice(more),
            (
                Form::Coded { codes, dictionary },
                ColumnValues::Coded {
                    codes: more,
                    dictionary: other,
                },
            ) => {
                let map: Vec<u32> = other
                    .iter()
                    .map(|value| dictionary.value(value.clone()))
                    .collect();
                codes.extend(
                    more.iter()
                        .map(|code| map.get(*code as usize).copied().unwrap_or(ABSENT_CODE)),
                );
                self.rows += column.len();
                return self.judge();
            }
            _ => return self.append_slowly(column),
        }
        self.rows += column.len();
    }

    fn append_slowly(&mut self, column: &ColumnValues) {
        match column {
            ColumnValues::Texts(texts) => texts.iter().for_each(|text| self.push_text(text)),
            ColumnValues::Ints(values) => values.iter().for_each(|value| self.push_int(*value)),
            ColumnValues::Floats(values) => values.iter().for_each(|value| self.push_float(*value)),
            ColumnValues::Coded { codes, dictionary } => {
                for code in codes {
                    match dictionary.get(*code as usize) {
                        Some(Value::String(text)) => self.push_text(text),
                        Some(Value::Bool(value)) => self.push_bool(*value),
                        Some(value) => self.push_value(value.clone()),
                        None => self.push_absent(),
                    }
                }
            }
            ColumnValues::Bools(values) => {
                for value in values {
                    match value {
                        0 | 1 => self.push_bool(*value == 1),
                        _ => self.push_absent(),
                    }
                }
            }
            ColumnValues::Mixed(values) => {
                for value in values {
                    self.push_value(value.clone());
                }
            }
        }
    }

    /// The column, in the form that suits its content.
    pub(crate) fn finish(self) -> ColumnValues {
        match finished(self.form) {
            ColumnValues::Coded { codes, dictionary }
                if dictionary.len() >= DICTIONARY_PROBE && dictionary.len() > codes.len() / 2 =>
            {
                match plain_form(&codes, &dictionary) {
                    Form::Mixed(_) => ColumnValues::Coded { codes, dictionary },
                    form => finished(form),
                }
            }
            values => values,
        }
    }
}

/// The rows of a dictionary column without the dictionary.
fn plain_form(codes: &[u32], dictionary: &[Value]) -> Form {
    let mut arena = StringArena::new();
    let all_texts = codes.iter().all(|code| {
        dictionary
            .get(*code as usize)
            .and_then(Value::as_str)
            .is_some_and(|text| arena.push(text).is_ok())
    });
    if all_texts {
        return Form::Texts(arena);
    }
    let value = |code: &u32| dictionary.get(*code as usize).cloned().unwrap_or_default();
    Form::Mixed(codes.iter().map(value).collect())
}

fn finished(form: Form) -> ColumnValues {
    match form {
        Form::Bools(values) => ColumnValues::Bools(values),
        Form::Ints(values) => ColumnValues::Ints(values),
        Form::Floats(values) => ColumnValues::Floats(values),
        Form::Texts(values) => ColumnValues::Texts(values),
        Form::Coded { codes, dictionary } => ColumnValues::Coded {
            codes,
            dictionary: dictionary.values,
        },
        Form::Mixed(values) => ColumnValues::Mixed(values),
    }
}

/// The property value of a member.
pub(crate) fn value_of(scalar: &Scalar<'_>) -> Result<Value, ValueError> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Int(*value),
        Scalar::Float(value) => Value::Float(*value),
        Scalar::Text(Cow::Borrowed(text)) => Value::from(*text),
        Scalar::Text(Cow::Owned(text)) => Value::from(text.as_str()),
        Scalar::Texts(list) => {
            let items = split_texts(list);
            if items.len() > LIST_ITEMS_MAX {
                return Err(ValueError::TooManyItems { items: items.len() });
            }
            if list.len() > VALUE_BYTES_MAX {
                return Err(ValueError::TooLarge { bytes: list.len() });
            }
            Value::from(items)
        }
        Scalar::Nested(json) => return Value::from_json(json),
    })
}

/// The rows of a column at these positions, in their order.
pub(crate) fn permuted(column: &ColumnValues, order: &[u32]) -> ColumnValues {
    let pick = |row: &u32| *row as usize;
    match column {
        ColumnValues::Bools(values) => ColumnValues::Bools(
            order
                .iter()
                .map(|row| values.get(pick(row)).copied().unwrap_or(2))
                .collect(),
        ),
        ColumnValues::Ints(values) => ColumnValues::Ints(
            order
                .iter()
                .map(|row| values.get(pick(row)).copied().unwrap_or(0))
                .collect(),
        ),
        ColumnValues::Floats(values) => ColumnValues::Floats(
            order
                .iter()
                .map(|row| values.get(pick(row)).copied().unwrap_or(0.0))
                .collect(),
        ),
        ColumnValues::Coded { codes, dictionary } => ColumnValues::Coded {
            codes: order
                .iter()
                .map(|row| codes.get(pick(row)).copied().unwrap_or(ABSENT_CODE))
                .collect(),
            dictionary: dictionary.clone(),
        },
        ColumnValues::Texts(_) | ColumnValues::Mixed(_) => {
            let mut builder = ColumnBuilder::new(0, false);
            if let ColumnValues::Texts(texts) = column {
                builder.form = Form::Texts(StringArena::new());
                for row in order {
                    builder.push_text(texts.get(pick(row)).unwrap_or(""));
                }
            } else {
                for row in order {
                    builder.push_value(column.get(pick(row)));
                }
            }
            finished(builder.form)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
