// SPDX-License-Identifier: Apache-2.0
use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0i64..4).prop_map(Value::Int),
        (0u8..4).prop_map(|n| Value::Float(f64::from(n))),
        "[ab]{0,2}".prop_map(Value::from),
        proptest::collection::vec("[ab]{0,1}", 0..3).prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn keeps_every_value_in_every_form(
        parts in proptest::collection::vec(
            proptest::collection::vec(value(), 0..9), 0..5),
        kind in 0usize..7,
    ) {
        let keep = |value: &&Value| match kind {
            0 => true,
            1 => matches!(value, Value::Bool(_) | Value::Null),
            2 => matches!(value, Value::Int(_)),
            3 => matches!(value, Value::Float(_)),
            4 => matches!(value, Value::String(_)),
            5 => matches!(value, Value::String(_) | Value::Null),
            _ => matches!(value, Value::Int(_) | Value::String(_)),
        };
        let mut whole = ColumnBuilder::new(0, false);
        let mut expected = Vec::new();
        for part in &parts {
            let mut column = ColumnBuilder::new(0, true);
            for value in part.iter().filter(keep) {
                match value {
                    Value::String(text) => column.push_text(text),
                    Value::Int(value) => column.push_int(*value),
                    Value::Float(value) => column.push_float(*value),
                    Value::Bool(value) => column.push_bool(*value),
                    other => column.push_value(other.clone()),
                }
                expected.push(value.clone());
            }
            whole.append(&column.finish());
        }
        prop_assert_eq!(whole.len(), expected.len());
        let values = whole.finish();
        prop_assert_eq!(values.len(), expected.len());
        let order: Vec<u32> = (0..expected.len() as u32).rev().collect();
        let turned = permuted(&values, &order);
        for (row, value) in expected.iter().enumerate() {
            prop_assert!(same_value(&values.get(row), value));
            prop_assert!(same_value(&turned.get(expected.len() - 1 - row), value));
        }
    }
}

#[test]
fn unique_texts_leave_the_dictionary_and_come_back_for_nulls() {
    let mut column = ColumnBuilder::new(0, true);
    for row in 0..5000 {
        column.push_text(&format!("name {row}"));
    }
    assert!(matches!(column.form, Form::Texts(_)));
    column.pad(5001);
    let values = column.finish();
    assert_eq!(values.get(4999), Value::from("name 4999"));
    assert_eq!((values.get(5000), values.len()), (Value::Null, 5001));
}
