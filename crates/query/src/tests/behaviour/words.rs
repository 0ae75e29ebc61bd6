// SPDX-License-Identifier: Apache-2.0
//! Words that are not what they seem: without quotes or brackets, dates in texts, names of negated
//! parts, names that nothing has.

use durward_model::{Instant, Value};
use serde_json::json;

use super::super::examples::options;
use super::super::graph::Company;
use super::{error_of, names_with, rows_with};
use crate::fixture::{Edit, Fixture};
use crate::{PageSize, RowCondition, RunOptions, check, explain, run, warnings};

#[test]
fn a_word_without_quotes_is_refused_where_a_value_is_compared_with() {
    let company = Company::new();
    for (query, word, column) in [
        ("FIND User WITH active = tru", "tru", 25),
        ("FIND User WITH username != bob", "bob", 28),
        ("FIND User WITH username ~= bob.x", "bob.x", 28),
        ("FIND User WITH username = ('a' OR bob)", "bob", 35),
        ("FIND User WITH username = ('a' AND bob)", "bob", 36),
        ("FIND User WITH username = [bob]", "bob", 27),
        ("FIND User AS u WHERE u.username = bob", "bob", 35),
        ("FIND User AS u WHERE u.username = u", "u", 35),
        (
            "FIND User AS u RETURN u.active, count(u) AS n HAVING n > many",
            "many",
            58,
        ),
        (
            "FIND User WITH username = (FIND Person WITH firstName = Al RETURN Person.x)",
            "Al",
            57,
        ),
    ] {
        let error = error_of(&company, query).to_string();
        let begin = format!(
            "Error parsing query. Unexpected token \"{word}\" at line 1 column {column}. Did you \
             mean \"'{word}'\"?"
        );
        assert!(error.starts_with(&begin), "{query}: {error}");
        assert!(check(query, &options()).is_err(), "{query}");
    }
    let names = |query: &str| names_with(&company, query, &options());
    assert_eq!(
        names("FIND User WITH active = true AND mfaEnabled != undefined"),
        ["u1", "u2"]
    );
    assert_eq!(names("FIND User WITH username = 'bob'"), ["u2"]);
    let query = "FIND User AS u THAT IS Person AS p WHERE u.email = p.email RETURN u.username";
    assert_eq!(
        rows_with(&company, query, &options())
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // Two aliases are the same object or not.
    let query =
        "FIND User AS a THAT HAS UserGroup THAT HAS User AS b WHERE a = b RETURN a.username";
    assert_eq!(rows_with(&company, query, &options()), json!([]));
}

#[test]
fn names_with_special_characters_stand_in_brackets() {
    let company = Company::new();
    for (query, written, meant) in [
        (
            "FIND * WITH tag.special-name = 1",
            "tag.special-name",
            "[tag.special-name]",
        ),
        ("FIND * WITH tag.a-b-c = 1", "tag.a-b-c", "[tag.a-b-c]"),
        ("FIND * WITH tag.env-2 = 1", "tag.env-2", "[tag.env-2]"),
        (
            "FIND * WITH tag.env-2-b = 1",
            "tag.env-2-b",
            "[tag.env-2-b]",
        ),
        (
            "FIND * AS x WHERE x.tag.env-2 = 1",
            "x.tag.env-2",
            "x.[tag.env-2]",
        ),
        (
            "FIND * WITH special-name = 1",
            "special-name",
            "[special-name]",
        ),
        (
            "FIND * AS x WHERE x.tag.a-b = 1",
            "x.tag.a-b",
            "x.[tag.a-b]",
        ),
        ("FIND * AS x RETURN x.tag.a-b", "x.tag.a-b", "x.[tag.a-b]"),
        ("FIND * AS x RETURN x.n ORDER BY x.a-b", "x.a-b", "x.[a-b]"),
    ] {
        let error = error_of(&company, query).to_string();
        assert!(
            error.contains(&format!("Unexpected token \"{written}\"")),
            "{error}"
        );
        assert!(
            error.contains(&format!("Did you mean \"{meant}\"?")),
            "{error}"
        );
        let repaired = query.replace(written, meant);
        assert!(check(&repaired, &options()).is_ok(), "{repaired}");
    }
    for (query, meant) in [
        ("FIND * WITH tag.aws:name = 1", "[tag.aws:name]"),
        ("FIND * AS x WHERE x.tag.aws:name = 1", "x.[tag.aws:name]"),
        ("FIND * AS x RETURN x.a@b", "x.[a@b]"),
    ] {
        let error = error_of(&company, query).to_string();
        assert!(
            error.ends_with(&format!("Did you mean \"{meant}\"?")),
            "{error}"
        );
    }
    for query in [
        "FIND DataStore AS d RETURN d.sizeGb-d.other",
        "FIND DataStore WITH sizeGb - other > 1",
        "FIND DataStore AS d RETURN d.sizeGb AS a, d.other AS b ORDER BY a-b",
        "FIND User WITH createdOn > date.now-7days",
        "FIND User WITH createdOn-1 > 5",
        "FIND User AS u RETURN u.tag.age - 2",
        "FIND User AS u RETURN u.count-2",
    ] {
        assert!(check(query, &options()).is_ok(), "{query}");
    }
}

/// Events whose day is a number, an instant and a text.
fn calendar() -> Fixture {
    let mut fixture = Fixture::new();
    let day = |day: i64| Instant::from_millis(1_704_067_200_000 + day * 86_400_000);
    let edits = (0..4).map(|number| {
        let when = day(number);
        Edit::Create {
            key: format!("key:{number}"),
            entity_type: "event".to_owned(),
            classes: vec!["Event".to_owned()],
            properties: vec![
                ("n".to_owned(), Value::Int(number)),
                ("sizeGb".to_owned(), Value::Int(number)),
                ("createdOn".to_owned(), Value::Int(when.as_millis())),
                ("seen".to_owned(), Value::Instant(when)),
                ("updatedAt".to_owned(), Value::from(when.to_string())),
                ("label".to_owned(), Value::from(when.to_string())),
            ],
        }
    });
    fixture.commit(&edits.collect::<Vec<_>>());
    fixture
}

pub(super) fn numbers(fixture: &Fixture, query: &str, options: &RunOptions) -> Vec<i64> {
    let view = fixture.snapshot.view(None);
    let page = run(&view, query, options).unwrap_or_else(|error| panic!("{query}: {error}"));
    let rows: serde_json::Value = serde_json::from_slice(&page.data).unwrap();
    let rows = rows.as_array().unwrap().iter();
    let mut numbers: Vec<i64> = rows.map(|row| row["e.n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_text_that_is_a_date_is_compared_with_dates_as_one() {
    let fixture = calendar();
    let mut options = options();
    options.now = Instant::from_millis(1_704_067_200_000 + 10 * 86_400_000);
    options
        .variables
        .insert("day".to_owned(), "2024-01-03".into());
    let days = vec!["2024-01-02", "2024-01-03T00:00:00Z"];
    options
        .variables
        .insert("days".to_owned(), Value::from(days));
    let many: Vec<String> = (1..=15).map(|day| format!("2024-02-{day:02}")).collect();
    let many = many
        .into_iter()
        .chain(["2024-01-01".to_owned()])
        .collect::<Vec<_>>();
    options
        .variables
        .insert("many".to_owned(), Value::from(many));
    for property in ["createdOn", "seen", "updatedAt"] {
        for (condition, expected) in [
            ("> '2024-01-02'", vec![2, 3]),
            (">= '2024-01-02'", vec![1, 2, 3]),
            ("< '2024-01-02T00:00:00.001Z'", vec![0, 1]),
            ("<= '2024-01-02 00:00'", vec![0, 1]),
            ("= '2024-01-02'", vec![1]),
            ("!= '2024-01-02'", vec![0, 2, 3]),
            ("= ('2024-01-02' OR '2024-01-04T01:00+01:00')", vec![1, 3]),
            ("> ${day}", vec![3]),
            ("= ${days}", vec![1, 2]),
            ("= ${many}", vec![0]),
            ("> date(2024-01-03)", vec![3]),
            ("> date.now - 8 days", vec![3]),
            ("> 'no date'", vec![]),
            ("= '2024'", vec![]),
        ] {
            for query in [
                format!("FIND Event WITH {property} {condition} AS e RETURN e.n"),
                format!("FIND Event AS e WHERE e.{property} {condition} RETURN e.n"),
            ] {
                assert_eq!(numbers(&fixture, &query, &options), expected, "{query}");
            }
        }
        let query = format!("FIND Event AS e WHERE '2024-01-02' < e.{property} RETURN e.n");
        assert_eq!(numbers(&fixture, &query, &options), [2, 3], "{query}");
    }
    for (query, expected) in [
        // A number whose property is no date stays a number, a text that is none stays a text.
        (
            "FIND Event WITH sizeGb < '2024-01-02' AS e RETURN e.n",
            vec![],
        ),
        (
            "FIND Event WITH label = '2024-01-02' AS e RETURN e.n",
            vec![],
        ),
        (
            "FIND Event WITH updatedAt ^= '2024-01-02' AS e RETURN e.n",
            vec![1],
        ),
        (
            "FIND Event WITH createdOn + 1 day > '2024-01-04' AS e RETURN e.n",
            vec![3],
        ),
        (
            "FIND Event AS e RETURN max(e.createdOn) AS c, e.n HAVING c > '2024-01-03'",
            vec![3],
        ),
    ] {
        assert_eq!(numbers(&fixture, query, &options), expected, "{query}");
    }
}

#[test]
fn what_is_negated_away_may_be_returned_and_is_null() {
    let company = Company::new();
    let rows = |query: &str| rows_with(&company, query, &options());
    assert_eq!(
        rows("FIND User AS u THAT !ASSIGNED AS a AccessRole AS r RETURN u.username, r.name, a.x"),
        json!([{"u.username": "alice", "r.name": null, "a.x": null}])
    );
    assert_eq!(
        rows("FIND User THAT !ASSIGNED AccessRole RETURN AccessRole.x AS x, ASSIGNED._class AS y"),
        json!([{"x": null, "y": null}])
    );
    assert_eq!(
        rows("FIND User AS u THAT !ASSIGNED AccessRole AS r RETURN count(r) AS n, count(u) AS m"),
        json!([{"n": 0, "m": 1}])
    );
    assert_eq!(
        rows("FIND User AS u THAT !ASSIGNED AccessRole AS r RETURN r.x, r.* ORDER BY r.x"),
        json!([{"r.x": null}])
    );
    let names = |query: &str| names_with(&company, query, &options());
    assert_eq!(
        names("FIND User AS u THAT !ASSIGNED AccessRole AS r RETURN u, r"),
        ["u1"]
    );
    assert_eq!(
        names("FIND User AS u THAT !ASSIGNED AccessRole AS r RETURN r"),
        [""; 0]
    );
    // The first that rows hold has the name.
    assert_eq!(
        rows("FIND User AS u THAT !HAS User THAT OWNS Device RETURN User.username")
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    let error = error_of(
        &company,
        "FIND User AS u THAT !IS Person AS p WHERE p.x = 1",
    )
    .to_string();
    assert_eq!(
        error,
        "Invalid predicate filter selector provided: \"p\", valid predicate filter selectors are: \
         \"u\" at line 1 column 43"
    );
}

fn warned(company: &Company, query: &str, options: &RunOptions) -> Vec<String> {
    let view = company.fixture.snapshot.view(None);
    let page = run(&view, query, options).unwrap();
    assert_eq!(warnings(&view, query, options).unwrap(), page.warnings);
    page.warnings
}

#[test]
fn names_that_nothing_has_are_warned_of_with_the_nearest() {
    let company = Company::new();
    for (query, expected) in [
        (
            "FIND Usr",
            vec!["unknown class \"Usr\" at line 1 column 6; did you mean \"User\"?"],
        ),
        (
            "FIND user",
            vec!["unknown type \"user\" at line 1 column 6; did you mean \"User\"?"],
        ),
        (
            "FIND okta_usr",
            vec!["unknown type \"okta_usr\" at line 1 column 6; did you mean \"okta_user\"?"],
        ),
        (
            "FIND Xylophone",
            vec!["unknown class \"Xylophone\" at line 1 column 6"],
        ),
        (
            "FIND User THAT ASIGNED AccessRole",
            vec!["unknown verb \"ASIGNED\" at line 1 column 11; did you mean \"ASSIGNED\"?"],
        ),
        (
            "FIND User WITH emial = 'x' AND Active = true",
            vec![
                "unknown property \"emial\" at line 1 column 16; did you mean \"email\"?",
                "unknown property \"Active\" at line 1 column 32; did you mean \"active\"?",
            ],
        ),
        (
            "FIND User AS u WHERE u.usernam = 'x' RETURN u.sizeGB AS q ORDER BY q, u.zzqqxx",
            vec![
                "unknown property \"usernam\" at line 1 column 22; did you mean \"username\"?",
                "unknown property \"sizeGB\" at line 1 column 45; did you mean \"sizeGb\"?",
                "unknown property \"zzqqxx\" at line 1 column 71",
            ],
        ),
        (
            "FIND User WITH username = (FIND Persn AS p RETURN p.x1)",
            vec![
                "unknown class \"Persn\" at line 1 column 33; did you mean \"Person\"?",
                "unknown property \"x1\" at line 1 column 51",
            ],
        ),
        // Known to the catalog, or there.
        (
            "FIND Risk WITH probability > 1 THAT MITIGATES Control",
            vec![],
        ),
        (
            "FIND (User|#Hot|*) THAT RELATES TO * WITH tag.Production = true AND _beginOn > 1",
            vec![],
        ),
        (
            "FIND User AS u RETURN u.username AS who, count(u) AS n HAVING n > 1 ORDER BY n",
            vec![],
        ),
    ] {
        let found = warned(&company, query, &options());
        assert_eq!(found, expected, "{query}");
    }
    let many: Vec<String> = (0..50).map(|number| format!("zz{number}qq = 1")).collect();
    let query = format!("FIND User WITH {}", many.join(" AND "));
    assert_eq!(warned(&company, &query, &options()).len(), 20);
    let view = company.fixture.snapshot.view(None);
    assert!(
        explain(&view, "FIND Usr", &options())
            .unwrap()
            .contains("warning: unknown class")
    );
    let mut rows = options();
    rows.page = PageSize::Rows(1);
    let first = run(&view, "FIND User WITH zz9 = undefined", &rows).unwrap();
    assert_eq!(first.warnings.len(), 1);
    rows.cursor = first.cursor;
    assert!(
        run(&view, "FIND User WITH zz9 = undefined", &rows)
            .unwrap()
            .warnings
            .is_empty()
    );
}

/// Neither a warning nor its absence, nor the cost that `explain` tells, may speak of what a caller
/// does not see.
#[test]
fn warnings_and_costs_say_nothing_of_hidden_things() {
    let (with, without) = (hidden(true), hidden(false));
    let mut narrow = options();
    narrow.row_condition = Some(RowCondition::any_of(vec![vec![(
        "open".to_owned(),
        Value::Bool(true),
    )]]));
    for query in [
        "FIND secret_vault",
        "FIND secret_vaul",
        "FIND Hidden",
        "FIND Hiddn",
        "FIND * THAT GUARDS *",
        "FIND * THAT GUARD *",
        "FIND * WITH combination = 1",
        "FIND * WITH combinatio = 1",
        "FIND * THAT HAS AS h * WHERE h.shade = 1",
        "FIND open_door",
        "FIND open_doo",
        "FIND * WITH colour = 1",
        "FIND open_door THAT OPENS open_door",
        "FIND open_door (THAT RELATES TO *)? RETURN TREE",
        "FIND open_door AS a THAT OPENS AS o * AS b RETURN a.colour, count(b) AS n",
    ] {
        let tell = |fixture: &Fixture| {
            let view = fixture.snapshot.view(None);
            let page = run(&view, query, &narrow).unwrap();
            let plan = explain(&view, query, &narrow).unwrap();
            (page.warnings, page.rows, plan)
        };
        let (seen, unseen) = (tell(&with), tell(&without));
        assert_eq!(seen, unseen, "{query}");
        let is_plain = ["FIND open_door", "FIND * WITH colour = 1"].contains(&query);
        assert!(!is_plain || seen.0.is_empty(), "{query}: {:?}", seen.0);
        assert!(!seen.2.contains("looked at"), "{}", seen.2);
    }
    let view = with.snapshot.view(None);
    assert!(
        explain(&view, "FIND *", &options())
            .unwrap()
            .contains("looked at")
    );
    assert!(
        run(&view, "FIND secret_vault", &options())
            .unwrap()
            .warnings
            .is_empty()
    );
}

/// Two open doors, and where asked for a hidden vault with names of its own.
fn hidden(is_there: bool) -> Fixture {
    let entity =
        |key: &str, kind: &str, class: &str, properties: Vec<(&str, Value)>| Edit::Create {
            key: key.to_owned(),
            entity_type: kind.to_owned(),
            classes: vec![class.to_owned()],
            properties: properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        };
    let door = |key: &str| {
        let colour = ("colour", Value::from("red"));
        entity(
            key,
            "open_door",
            "Door",
            vec![("open", Value::Bool(true)), colour],
        )
    };
    let relate = |from, verb: &str, to, properties| Edit::Relate {
        from,
        verb: verb.to_owned(),
        to,
        properties,
    };
    let mut fixture = Fixture::new();
    fixture.commit(&[door("one"), door("two")]);
    fixture.commit(&[relate(0, "OPENS", 1, vec![])]);
    if is_there {
        let combination = ("combination", Value::Int(1));
        fixture.commit(&[entity("vault", "secret_vault", "Hidden", vec![combination])]);
        fixture.commit(&[
            relate(0, "GUARDS", 2, vec![("shade".to_owned(), Value::Int(1))]),
            relate(0, "OPENS", 2, vec![]),
        ]);
    } else {
        // The same number of transactions, so that the sequence is the same.
        fixture.commit(&[]);
        fixture.commit(&[]);
    }
    fixture
}
