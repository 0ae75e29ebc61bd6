// SPDX-License-Identifier: Apache-2.0
//! What is said about wrong texts, and where.

use durward_model::ErrorKind;

use super::super::errors::{J1qlError, Span};
use super::super::parse;

fn message(text: &str) -> String {
    match parse(text) {
        Ok(query) => panic!("{text} was read as {query}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            error.to_string()
        }
    }
}

/// Asserts the error of each text, without what all of them begin with.
fn check(pairs: &[(&str, &str)]) {
    for (text, expected) in pairs {
        assert_eq!(
            message(text),
            format!("Error parsing query. {expected}"),
            "{text}"
        );
    }
}

#[test]
fn names_the_token_and_its_place() {
    check(&[
        ("", r#"Unexpected token "end of query" at line 1 column 1"#),
        ("User", r#"Unexpected token "User" at line 1 column 1"#),
        (
            "FIND",
            r#"Unexpected token "end of query" at line 1 column 5"#,
        ),
        (
            "FIND User WITH",
            r#"Unexpected token "end of query" at line 1 column 15"#,
        ),
        (
            "FIND User WITH active",
            r#"Unexpected token "end of query" at line 1 column 22"#,
        ),
        (
            "FIND User\nWITH active = = true",
            r#"Unexpected token "=" at line 2 column 15"#,
        ),
        (
            "FIND Üser 'é' 5",
            r#"Unexpected token "'é'" at line 1 column 11"#,
        ),
        (
            "FIND User\r\n\tTHAT HAS\n RETURN u",
            r#"Unexpected token "RETURN" at line 3 column 2"#,
        ),
        (
            "FIND User THAT HAS >> << Host",
            r#"Unexpected token "<<" at line 1 column 23"#,
        ),
        (
            "FIND User THAT !(!HAS) Host",
            r#"Unexpected token "!" at line 1 column 18"#,
        ),
        (
            "FIND User THAT (HAS|!IS) Host",
            r#"Unexpected token "!" at line 1 column 21"#,
        ),
        (
            "FIND User -> Host",
            r#"Unexpected token "-" at line 1 column 11"#,
        ),
        (
            "FIND User AS count",
            r#"Unexpected token "count" at line 1 column 14"#,
        ),
        (
            "FIND User AS u RETURN u.x AS limit",
            r#"Unexpected token "limit" at line 1 column 30"#,
        ),
        (
            "FIND User AS u AS v",
            r#"Unexpected token "AS" at line 1 column 16"#,
        ),
        (
            "FIND User LIMIT 5 LIMIT 6",
            r#"Unexpected token "LIMIT" at line 1 column 19"#,
        ),
        (
            "FIND User LIMIT many",
            r#"Unexpected token "many" at line 1 column 17"#,
        ),
        ("FIND User;;", r#"Unexpected token ";" at line 1 column 11"#),
        ("FIND User) ", r#"Unexpected token ")" at line 1 column 10"#),
        (
            "FIND User ()",
            r#"Unexpected token ")" at line 1 column 12"#,
        ),
        (
            "FIND User WITH a = ()",
            r#"Unexpected token ")" at line 1 column 21"#,
        ),
        (
            "FIND User WITH a = ((1 OR 2))",
            r#"Unexpected token "OR" at line 1 column 24"#,
        ),
        (
            "FIND User WITH (a = 1",
            r#"Unexpected token "end of query" at line 1 column 22"#,
        ),
        (
            "FIND User WITH (a) AND b = 1",
            r#"Unexpected token "AND" at line 1 column 20"#,
        ),
        (
            "FIND User WITH a = 1 OR b",
            r#"Unexpected token "end of query" at line 1 column 26"#,
        ),
        (
            "FIND User WITH a < /x/",
            r#"Unexpected token "/x/" at line 1 column 20"#,
        ),
        (
            "FIND User WITH a = /x/g",
            r#"Unexpected token "g" at line 1 column 23"#,
        ),
        (
            "FIND User WITH a > (FIND B RETURN B.x)",
            r#"Unexpected token "(" at line 1 column 20"#,
        ),
        (
            "FIND User WITH a @ 1",
            r#"Unexpected token "@" at line 1 column 18"#,
        ),
        (
            "FIND User WITH a = ${}",
            r#"Unexpected token "${}" at line 1 column 20"#,
        ),
        (
            "FIND User WITH a = {x}",
            r#"Unexpected token "{" at line 1 column 20"#,
        ),
        (
            "FIND User WITH [ ] = 1",
            r#"Unexpected token "[]" at line 1 column 16"#,
        ),
        (
            "FIND # User",
            r##"Unexpected token "#" at line 1 column 6"##,
        ),
        (
            "FIND User RETURN sum(*)",
            r#"Unexpected token "*" at line 1 column 22"#,
        ),
        (
            "FIND User RETURN User. 'x'",
            r#"Unexpected token "'x'" at line 1 column 24"#,
        ),
    ]);
    let long = format!("FIND User {}", "é".repeat(1000));
    let shown = format!(
        r#"Unexpected token "{}..." at line 1 column 11"#,
        "é".repeat(64)
    );
    check(&[(&long, &shown)]);
}

#[test]
fn suggests_what_may_stand_there() {
    for (text, token, suggestion) in [
        ("FNID User", "FNID", Some("FIND")),
        ("FIND User WTIH active = true", "WTIH", Some("WITH")),
        ("FIND User WITH active = true ADN b = 1", "ADN", Some("AND")),
        ("FIND User AS u RETRUN u.x", "RETRUN", Some("RETURN")),
        ("FIND User tath HAS Host", "tath", Some("THAT")),
        ("FIND User ODER BY User.x", "ODER", Some("ORDER")),
        ("FIND User ORDER YB User.x", "YB", Some("BY")),
        ("FIND User LIMT 5", "LIMT", Some("LIMIT")),
        ("FIND User WITH a > date.now - 7 dasy", "dasy", Some("days")),
        ("FIND User AS u RETURN cuont(u)", "cuont", Some("count")),
        (
            "FIND User AS u RETURN coalesc(u.x, 1)",
            "coalesc",
            Some("coalesce"),
        ),
        (
            "FIND User AS u RETURN nothing_like_it(u)",
            "nothing_like_it",
            None,
        ),
        ("FIND User Host", "Host", None),
        ("FIND User WITH a = 1 b = 2", "b", None),
        // A keyword that is right somewhere else is no slip of the pen.
        ("FIND User AS u ASC", "ASC", None),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.suggestion(), suggestion, "{text}");
        let start = text.find(token).unwrap() + 1;
        assert_eq!(
            (error.line(), error.column() as usize),
            (1, start),
            "{text}"
        );
        let hint = suggestion.map_or(String::new(), |word| format!(". Did you mean \"{word}\"?"));
        assert_eq!(
            error.to_string(),
            format!(
                "Error parsing query. Unexpected token \"{token}\" at line 1 column {start}{hint}"
            )
        );
    }
}

#[test]
fn says_what_else_is_wrong() {
    check(&[
        ("FIND 'User", "Unterminated string at line 1 column 6"),
        ("FIND 'User\\'", "Unterminated string at line 1 column 6"),
        ("FIND User /* x", "Unterminated comment at line 1 column 11"),
        (
            "FIND User WITH a = /x\n/",
            "Unterminated regular expression at line 1 column 20",
        ),
        (
            "FIND User WITH a = /[x/",
            "Unterminated regular expression at line 1 column 20",
        ),
        (
            "FIND User WITH a = /x\\",
            "Unterminated regular expression at line 1 column 20",
        ),
        (
            "FIND User WITH [a = 1",
            "Unterminated property name at line 1 column 16",
        ),
        (
            "FIND User WITH a = ${param.x",
            "Unterminated placeholder at line 1 column 20",
        ),
        (
            "FIND User WITH a = {{x}",
            "Unterminated placeholder at line 1 column 20",
        ),
        (
            "FIND User WITH a = date(2021",
            "Unterminated date at line 1 column 20",
        ),
        (
            "FIND User WITH a = date(2021-13)",
            r#"Invalid date "2021-13" at line 1 column 20"#,
        ),
        (
            "FIND User RETURN abs()",
            r#"Function "abs" needs one argument at line 1 column 18"#,
        ),
        (
            "FIND User RETURN count(a, b)",
            r#"Function "count" needs one argument at line 1 column 18"#,
        ),
        (
            "FIND User RETURN merge()",
            r#"Function "merge" needs at least one argument at line 1 column 18"#,
        ),
        (
            "FIND A WITH a = (FIND B)",
            "A subquery must return exactly one property at line 1 column 17",
        ),
        (
            "FIND A WITH a = (FIND B RETURN TREE)",
            "A subquery must return exactly one property at line 1 column 17",
        ),
        (
            "FIND A WITH a = (FIND B RETURN B.*)",
            "A subquery must return exactly one property at line 1 column 17",
        ),
        (
            "FIND A WITH a = (FIND B RETURN B.x, B.y)",
            "A subquery must return exactly one property at line 1 column 17",
        ),
    ]);
}

#[test]
fn limits_have_ranges() {
    for limit in ["0", "10001", "-1", "1.5", "99999999999999999999999"] {
        assert_eq!(
            message(&format!("FIND User LIMIT {limit}")),
            r#""limit" must be a value between 1 and 10000"#
        );
    }
    assert_eq!(
        parse("FIND User LIMIT 10000 SKIP 0").unwrap().limit,
        Some(10_000)
    );
    assert_eq!(
        message("FIND User SKIP -1"),
        r#""skip" must be a value between 0 and 4294967295"#
    );
}

#[test]
fn unknown_aliases_are_listed_with_the_known_ones() {
    let valid = vec!["a".to_owned(), "b".to_owned()];
    let at = Span::default();
    let error = J1qlError::UnknownReturnSelector {
        name: "x".into(),
        valid: valid.clone(),
        at,
    };
    assert_eq!(
        error.to_string(),
        "Invalid return selector provided: \"x\", valid return selectors are: \"a, b\" at line 0 \
         column 0"
    );
    let error = J1qlError::UnknownFilterSelector {
        name: "x".into(),
        valid,
        at,
    };
    assert!(
        error
            .to_string()
            .starts_with(r#"Invalid predicate filter selector provided: "x""#)
    );
}
