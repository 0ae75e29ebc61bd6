// SPDX-License-Identifier: Apache-2.0
//! Numbers: kept exactly, compared exactly, or refused.

use durward_model::Value;

use super::super::examples::options;
use super::words::numbers;
use crate::fixture::{Edit, Fixture};
use crate::{check, run};

#[test]
fn whole_numbers_are_exact_up_to_63_bits_and_refused_beyond() {
    let mut fixture = Fixture::new();
    let big = 9_007_199_254_740_992_i64;
    let edits = [big, big + 1, i64::MAX].map(|number| Edit::Create {
        key: format!("key:{number}"),
        entity_type: "event".to_owned(),
        classes: vec![],
        properties: vec![("n".to_owned(), Value::Int(number))],
    });
    fixture.commit(&edits);
    let asked = |condition: &str| {
        let query = format!("FIND event WITH n {condition} AS e RETURN e.n");
        numbers(&fixture, &query, &options())
    };
    assert_eq!(asked("= 9007199254740993"), [big + 1]);
    assert_eq!(asked("> 9007199254740992"), [big + 1, i64::MAX]);
    assert_eq!(asked("< 9007199254740993"), [big]);
    assert_eq!(asked("<= 9007199254740992.0"), [big]);
    assert_eq!(asked("= 9007199254740992.0"), [big]);
    assert_eq!(asked(">= 9223372036854775807"), [i64::MAX]);
    let query = "FIND event AS e RETURN e.n AS n, count(e) AS c ORDER BY n";
    let page = run(&fixture.snapshot.view(None), query, &options()).unwrap();
    assert!(
        String::from_utf8(page.data)
            .unwrap()
            .contains("9007199254740993")
    );
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999.5",
    ] {
        let error = check(&format!("FIND event WITH n = {number}"), &options()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("Number out of range at line 1 column 2"),
            "{error}"
        );
    }
}
