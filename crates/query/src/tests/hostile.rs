// SPDX-License-Identifier: Apache-2.0
//! Inputs that nest or chain as far as they can, on a small stack: an error or an answer, never the
//! end of the process. Each goes the whole way: read, lowered, printed, run, explained, dropped.

use std::thread;

use serde_json::{Value as Json, json};

use super::examples::options;
use super::graph::Company;
use crate::filter_group::FilterGroup;
use crate::limits::Limits;
use crate::plan::Slot;
use crate::where_filter::{self, FieldKind, FieldSource, FieldTable};
use crate::{check, explain, run, stream, warnings};

/// Half of what threads that run queries have, in a build that is not optimized.
const STACK_BYTES: usize = 1 << 20;
const MANY: usize = 100_000;

fn on_a_small_stack(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK_BYTES);
        let handle = builder.spawn_scoped(scope, work).unwrap();
        handle.join().unwrap();
    });
}

/// The same nested `count` times, and as often as a text may hold it.
fn nested(begin: &str, open: &str, inner: &str, close: &str, end: &str) -> Vec<String> {
    let whole = |count: usize| {
        let (open, close) = (open.repeat(count), close.repeat(count));
        format!("{begin}{open}{inner}{close}{end}")
    };
    let fits = (crate::j1ql::QUERY_BYTES_MAX - begin.len() - inner.len() - end.len())
        / (open.len() + close.len()).max(1);
    [17, 64, 65, 129, fits, MANY].map(whole).into()
}

fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    for (begin, open, inner, close, end) in [
        ("FIND User WITH ", "(", "active = true", ")", ""),
        ("FIND User WITH ", "(", "active", ")", " = true"),
        (
            "FIND User WITH ",
            "(active = true OR ",
            "active = false",
            ")",
            "",
        ),
        ("FIND User WITH active = ", "(", "1", ")", ""),
        ("FIND User WITH active = (1 OR ", "(", "1", ")", ")"),
        (
            "FIND User WITH ",
            "active = true AND ",
            "active = true",
            "",
            "",
        ),
        (
            "FIND User WITH ",
            "active = true OR ",
            "active = true",
            "",
            "",
        ),
        ("FIND User WITH username = /", "(", "a", ")", "/"),
        ("FIND User WITH username = /", "(a|", "b", ")*", "/"),
        ("FIND User WITH username = /", "a?", "a", "", "/"),
        ("FIND User WITH username = /", "[[a]&&", "[a]", "]", "/"),
        ("FIND User WITH username = /", "(?i:", "a", "){2}", "/"),
        ("FIND User AS u RETURN ", "abs(", "u.x", ")", ""),
        ("FIND User AS u RETURN ", "concat(u.x, ", "u.x", ")", ""),
        ("FIND User AS u RETURN ", "(", "u.x", ")", ""),
        ("FIND User AS u RETURN ", "(1 + ", "u.x", ")", ""),
        ("FIND User AS u RETURN ", "", "u.x", " + 1", ""),
        ("FIND User AS u RETURN ", "", "u.x", " ^ 1", ""),
        ("FIND User AS u RETURN ", "1 - ", "u.x", "", ""),
        ("FIND User AS u RETURN ", "- ", "1", "", ""),
        (
            "FIND User AS u RETURN u.x ORDER BY ",
            "abs(",
            "u.x",
            ")",
            "",
        ),
        (
            "FIND User AS u RETURN u.x AS x HAVING ",
            "(",
            "x = 1",
            ")",
            "",
        ),
        (
            "FIND User AS u RETURN count(u.x) AS x HAVING ",
            "(",
            "x = 1",
            ")",
            "",
        ),
        ("FIND User AS u WHERE ", "(", "u.x = 1", ")", ""),
        (
            "FIND User AS u WHERE ",
            "u.x = 1 OR u.y = u.z AND ",
            "u.x = 1",
            "",
            "",
        ),
        ("FIND User ", "(THAT HAS UserGroup ", "", ")", ""),
        ("FIND User ", "(THAT RELATES TO * ", "", ")?", ""),
        ("FIND User ", "(THAT HAS UserGroup)? ", "", "", ""),
        ("FIND User ", "THAT RELATES TO * ", "", "", ""),
        ("FIND User ", "THAT !HAS * ", "", "", ""),
        ("FIND User ", "(THAT !HAS * ", "", ")", ""),
        ("FIND User ", "THAT RELATES TO * ", "", "", "RETURN TREE"),
        (
            "FIND User ",
            "THAT RELATES TO * ",
            "",
            "",
            "RETURN count(*)",
        ),
        (
            "",
            "FIND User WITH username = (",
            "FIND User AS u RETURN u.x",
            " RETURN User.x)",
            "",
        ),
        (
            "FIND User AS u WHERE u.x = ",
            "(FIND User AS u WHERE u.x = ",
            "1",
            " RETURN u.x)",
            "",
        ),
        ("FIND ", "#a ", "User", "", ""),
        ("FIND (", "User|", "User", "", ")"),
        ("FIND User THAT (", "HAS|", "HAS", "", ") *"),
        ("FIND User AS u RETURN ", "u.x, ", "u.x", "", ""),
        (
            "FIND User AS u RETURN u.x ORDER BY ",
            "u.x, ",
            "u.x",
            "",
            "",
        ),
        ("FIND User AS u RETURN u", ".x", "", "", ""),
        ("FIND User AS u RETURN u", "[x]", "", "", ""),
        ("FIND User WITH tag", ".a-a", "", "", " = 1"),
        ("FIND User WITH tag", ".a:a", "", "", " = 1"),
        ("FIND User /*", "/*", "", "*/", ""),
        ("FIND '", "a ", "", "", "'"),
        ("FIND User WITH x = date(", "(", "", ")", ")"),
        ("FIND User WITH x = ${", "{", "", "}", "}"),
    ] {
        texts.extend(nested(begin, open, inner, close, end));
    }
    texts
}

#[test]
fn no_query_ends_the_process() {
    let company = Company::new();
    let texts = texts();
    on_a_small_stack(|| {
        let view = company.fixture.snapshot.view(None);
        let mut options = options();
        // Enough to go as deep as there is a way; no test waits for all paths.
        options.limits.paths = 2_000;
        for text in &texts {
            if let Ok(query) = crate::j1ql::parse(text) {
                let printed = query.to_string();
                assert_eq!(crate::j1ql::parse(&printed).ok().as_ref(), Some(&query));
            }
            let checked = check(text, &options);
            if let Err(error) = run(&view, text, &options) {
                assert!(error.to_string().len() < 20_000, "{error}");
            }
            if checked.is_ok() && text.len() < 8_000 {
                let _plan = explain(&view, text, &options);
                let _names = warnings(&view, text, &options);
                let _sent = stream(&view, text, &options, &mut |_| Ok(()));
            }
        }
    });
}

/// JSON that nests deeper than any reader lets through; whoever drops it needs a stack of its own.
fn deep(levels: usize, wrap: &dyn Fn(Json) -> Json, inner: Json) -> Json {
    (0..levels).fold(inner, |inside, _| wrap(inside))
}

/// Takes JSON apart without recursion.
fn drop_flat(json: Json) {
    let mut left = vec![json];
    while let Some(one) = left.pop() {
        match one {
            Json::Array(items) => left.extend(items),
            Json::Object(members) => left.extend(members.into_iter().map(|(_, member)| member)),
            _ => {}
        }
    }
}

#[test]
fn no_filter_ends_the_process() {
    let group = |inner: Json| json!({"mode": "or", "filters": [], "filterGroups": [inner]});
    let filter = json!({"mode": "and", "filters": [{"key": "name", "values": ["a"]}],
        "filterGroups": []});
    let wheres = |inner: Json| json!({"and": [inner]});
    let source = FieldSource::Property("name".to_owned());
    let table = FieldTable::default().with_value("name", FieldKind::Text, source);
    on_a_small_stack(|| {
        for levels in [1, 31, 32, 33, 1000, MANY] {
            // serde_json's macro copies what it wraps, so deep ones are put together by hand.
            let wrap = |key: &'static str| {
                move |inner: Json| {
                    let mut object = serde_json::Map::new();
                    object.insert(key.to_owned(), Json::Array(vec![inner]));
                    Json::Object(object)
                }
            };
            let groups = deep(levels, &wrap("filterGroups"), filter.clone());
            assert_eq!(
                FilterGroup::from_json(&groups).is_ok(),
                levels <= 32,
                "{levels}"
            );
            drop_flat(groups);
            for key in ["and", "or"] {
                let operand = json!({"name": {"value": "a"}});
                let object = deep(levels, &wrap(key), operand);
                let now = super::graph::NOW;
                let lowered = where_filter::condition(
                    Some(&object),
                    &table,
                    Slot(0),
                    now,
                    &Limits::default(),
                );
                assert_eq!(lowered.is_ok(), levels <= 32, "{key} {levels}");
                drop_flat(object);
            }
        }
        let small = deep(2, &group, filter.clone());
        assert!(FilterGroup::from_json(&small).is_ok());
        let small = deep(2, &wheres, json!({"name": {"value": "a"}}));
        let now = super::graph::NOW;
        assert!(
            where_filter::condition(Some(&small), &table, Slot(0), now, &Limits::default()).is_ok()
        );
    });
}

#[test]
fn products_of_keys_values_and_words_have_limits() {
    let many = |count: usize| vec![json!("name"); count];
    let keys = json!({"filters": [{"key": many(1_000), "values": many(1_000)}]});
    let error = FilterGroup::from_json(&keys).unwrap_err().to_string();
    assert_eq!(error, "too many comparisons in one request");
    let words = "a ".repeat(200_000);
    let words = json!({"filters": [{"key": "name", "operator": "search", "values": [words]}]});
    assert!(FilterGroup::from_json(&words).is_err());
    let wild = json!({"filters": [{"key": "name", "operator": "wildcard", "values": many(257)}]});
    let error = FilterGroup::from_json(&wild).unwrap_err().to_string();
    assert_eq!(error, "too many wildcards in one request");
    let plain = json!({"filters": [{"key": "name", "values": many(10_000)}]});
    assert!(FilterGroup::from_json(&plain).is_ok());
}
