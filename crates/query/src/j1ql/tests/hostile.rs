// SPDX-License-Identifier: Apache-2.0
//! Texts made to hurt: each ends quickly, with a tree or one error.

use std::fs;
use std::path::Path;

use super::super::errors::J1qlError;
use super::super::{
    LIST_ITEMS_MAX, NESTING_MAX, OPERATORS_MAX, QUERY_BYTES_MAX, STEPS_MAX, SUBQUERY_NESTING_MAX,
    parse,
};
use super::texts::{EXAMPLES, GRAPH_QUERIES};

/// `start`, then `piece` until the text is as long as it may be.
fn filled(start: &str, piece: &str) -> String {
    format!(
        "{start}{}",
        piece.repeat((QUERY_BYTES_MAX - start.len()) / piece.len())
    )
}

#[test]
fn longest_texts_of_one_piece() {
    let starts = [
        "",
        "FIND ",
        "FIND a WITH ",
        "FIND a WITH b = ",
        "FIND a RETURN ",
        "FIND a THAT ",
    ];
    let pieces = [
        "(",
        "((FIND a WITH b=",
        ")",
        "AND ",
        "OR ",
        "a=1 AND ",
        "NOT ",
        "!",
        "'",
        "\"",
        "\\",
        "/",
        "/*",
        "//",
        "/a/",
        "[",
        "[a]",
        "a.",
        ".",
        "1+",
        "1^",
        "-",
        "1",
        "9.",
        "a^(",
        "count(",
        "date(",
        "date ",
        "date(1",
        "#",
        "#a",
        "#a ",
        "${",
        "${a}",
        "{{",
        "<<",
        ">>",
        "THAT ",
        "THAT a b ",
        "(THAT a b ",
        "a,",
        "a|",
        "\n",
        "=",
        "*",
        "?",
        "é",
        "\u{0}",
        "FIND ",
        "WITH ",
        "b=(FIND a WITH ",
        "'x'=(",
        "x AS y,",
    ];
    for start in starts {
        for piece in pieces {
            let text = filled(start, piece);
            if let Ok(query) = parse(&text) {
                query.to_string();
            }
        }
    }
}

#[test]
fn every_prefix_and_every_gap_of_good_queries() {
    for text in EXAMPLES.iter().chain(GRAPH_QUERIES) {
        for (at, character) in text.char_indices() {
            let (head, tail) = text.split_at(at);
            let _prefix = parse(head);
            let _gap = parse(&format!("{head}{}", &tail[character.len_utf8()..]));
            let _more = parse(&format!("{head}/{tail}"));
        }
    }
}

#[test]
fn limits_hold_on_the_spot() {
    let nested = |levels: usize| {
        format!(
            "FIND a WITH {}b = 1{}",
            "(".repeat(levels),
            ")".repeat(levels)
        )
    };
    assert!(parse(&nested(NESTING_MAX)).is_ok());
    let error = parse(&nested(NESTING_MAX + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Error parsing query. Parts nested deeper than 64 levels at line 1 column 77"
    );

    let calls = |levels: usize| {
        format!(
            "FIND a RETURN {}a.b{}",
            "abs(".repeat(levels),
            ")".repeat(levels)
        )
    };
    assert!(parse(&calls(NESTING_MAX)).is_ok());
    assert!(matches!(
        parse(&calls(NESTING_MAX + 1)),
        Err(J1qlError::TooDeep { .. })
    ));

    let subqueries = |levels: usize| {
        let open = "FIND a WITH b = (".repeat(levels);
        format!(
            "{open}FIND a RETURN a.b{}",
            " RETURN a.b)".repeat(levels).replacen(" RETURN a.b", "", 1)
        )
    };
    assert!(parse(&subqueries(SUBQUERY_NESTING_MAX)).is_ok());
    assert!(matches!(
        parse(&subqueries(SUBQUERY_NESTING_MAX + 1)),
        Err(J1qlError::TooDeep { .. })
    ));

    let steps = |count: usize| format!("FIND a{}", " THAT b c".repeat(count));
    assert!(parse(&steps(STEPS_MAX)).is_ok());
    assert!(matches!(
        parse(&steps(STEPS_MAX + 1)),
        Err(J1qlError::TooManySteps { .. })
    ));

    for operator in ["+", "*", "^"] {
        let sum = |count: usize| format!("FIND a RETURN a{}", format!("{operator}a").repeat(count));
        assert!(parse(&sum(OPERATORS_MAX)).is_ok());
        assert!(matches!(
            parse(&sum(OPERATORS_MAX + 1)),
            Err(J1qlError::TooManyOperators { .. })
        ));
    }

    let list = |count: usize| format!("FIND a WITH b = (1{})", ",2".repeat(count - 1));
    assert!(parse(&list(LIST_ITEMS_MAX)).is_ok());
    assert!(matches!(
        parse(&list(LIST_ITEMS_MAX + 1)),
        Err(J1qlError::TooManyItems { .. })
    ));

    let long = " ".repeat(QUERY_BYTES_MAX - 6) + "FIND a";
    assert!(parse(&long).is_ok());
    assert_eq!(
        parse(&(long + " ")),
        Err(J1qlError::TooLong {
            bytes: QUERY_BYTES_MAX + 1
        })
    );
    assert!(matches!(
        parse(&"AND ".repeat(60_000)),
        Err(J1qlError::TooLong { .. })
    ));
}

#[test]
fn numbers_of_any_length() {
    let with = |number: &str| parse(&format!("FIND a WITH b = {number}"));
    for number in [
        &*"9".repeat(400),
        "9223372036854775808",
        "-9223372036854775809",
        "1000000000000000000000.0",
    ] {
        let error = with(number).unwrap_err();
        assert!(
            matches!(error, J1qlError::NumberOutOfRange { .. }),
            "{number}: {error}"
        );
    }
    let zeros = format!("0.{}", "0".repeat(60_000));
    assert!(with(&zeros).is_ok());
    for (written, printed) in [
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("007", "7"),
        ("2.0", "2.0"),
    ] {
        assert_eq!(
            with(written).unwrap().to_string(),
            format!("FIND a WITH b = {printed}")
        );
    }
}

/// The seeds of the fuzz target, and what it once found.
#[test]
fn fuzz_seeds_replay() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/j1ql");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        replayed += 1;
        let Ok(query) = parse(&text) else { continue };
        let printed = query.to_string();
        if printed.len() <= QUERY_BYTES_MAX {
            assert_eq!(parse(&printed).as_ref(), Ok(&query), "{text}");
        }
    }
    assert!(replayed >= EXAMPLES.len());
}
