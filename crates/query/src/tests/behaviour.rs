// SPDX-License-Identifier: Apache-2.0
//! What callers rely on besides the meaning of queries: errors, pages, limits, shapes, secrets.

mod bounds;
mod numbers;
mod pages;
mod shapes;
mod words;

use serde_json::Value as Json;

use super::examples::options;
use super::graph::Company;
use crate::{QueryError, RunOptions, run};

fn rows_with(company: &Company, query: &str, options: &RunOptions) -> Json {
    let view = company.fixture.snapshot.view(None);
    let page = run(&view, query, options).unwrap_or_else(|error| panic!("{query}: {error}"));
    serde_json::from_slice(&page.data).unwrap()
}

fn names_with(company: &Company, query: &str, options: &RunOptions) -> Vec<&'static str> {
    let rows = rows_with(company, query, options);
    let mut names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| company.name(&row["id"]))
        .collect();
    names.sort_unstable();
    names
}

fn error_of(company: &Company, query: &str) -> QueryError {
    run(&company.fixture.snapshot.view(None), query, &options()).unwrap_err()
}

#[test]
fn mistakes_are_named() {
    let company = Company::new();
    let cases = [
        (
            "FIND User AS u RETURN x.a",
            "Invalid return selector provided: \"x\", valid return selectors are: \"u\" at line 1 \
             column 23",
        ),
        (
            "FIND User AS u THAT IS Person WHERE z.a = 1 RETURN u.a",
            "Invalid predicate filter selector provided: \"z\", \
             valid predicate filter selectors are: \"u, IS, Person\" at line 1 column 37",
        ),
        (
            "FIND User AS u THAT !IS Person AS p\nRETURN z.a",
            "Invalid return selector provided: \"z\", valid return selectors are: \"u, IS, p\" at \
             line 2 column 8",
        ),
        (
            "FIND User LIMIT 10001",
            "\"limit\" must be a value between 1 and 10000",
        ),
        (
            "FIND User LIMIT 0",
            "\"limit\" must be a value between 1 and 10000",
        ),
        (
            "FIND User WITH a = ${param.nothing}",
            "Parameter \"nothing\" at line 1 column 20 is not defined",
        ),
        (
            "FIND User WITH a = {{x}}",
            "Placeholder \"x\" at line 1 column 20 must be filled in before the query runs",
        ),
        (
            "FIND User AS u WHERE count(u) > 1",
            "Function \"count\" at line 1 column 22 is only allowed in RETURN, ORDER BY and HAVING",
        ),
        (
            "FIND User AS u RETURN u.a, count(u) AS n ORDER BY u.b",
            "ORDER BY of grouped rows must name a column or an aggregate",
        ),
        (
            "FIND User HAVING a > 1",
            "HAVING needs columns to filter by",
        ),
    ];
    for (query, message) in cases {
        let error = error_of(&company, query);
        assert_eq!(error.to_string(), message, "{query}");
        assert_eq!(error.kind(), durward_model::ErrorKind::Invalid);
    }
    let error = error_of(&company, "FIND User WITH a = /(/").to_string();
    assert!(
        error.starts_with("Invalid regular expression \"(\" at line 1 column 20"),
        "{error}"
    );
}

#[test]
fn variables_and_scopes_restrict() {
    let company = Company::new();
    let mut options = options();
    options.variables.insert("who".to_owned(), "bob".into());
    let query = "FIND User WITH username = ${who}";
    assert_eq!(names_with(&company, query, &options), ["u2"]);
    let scope = |name: &str, value: durward_model::Value| [(name.to_owned(), value)].into();
    options.scope_filters = vec![scope("active", true.into())];
    assert_eq!(names_with(&company, "FIND User", &options), ["u1", "u2"]);
    assert_eq!(
        names_with(&company, "FIND Person THAT IS User", &options),
        [""; 0]
    );
    // The start entities of a subquery are restricted too.
    let query = "FIND User WITH username = (FIND Person AS p RETURN p.firstName)";
    assert_eq!(names_with(&company, query, &options), [""; 0]);
    options.scope_filters = vec![scope("_scope", "test".into()), scope("none", 1.into())];
    assert_eq!(
        names_with(&company, "FIND User", &options),
        ["u1", "u2", "u3"]
    );
}

#[test]
fn having_order_and_unwind_work_together() {
    let company = Company::new();
    let rows = |query: &str| rows_with(&company, query, &options());
    assert_eq!(
        rows("FIND Person AS p RETURN unwind(p.email) AS mail, count(p) AS n ORDER BY mail"),
        serde_json::json!([
            {"mail": "aa@home.io", "n": 1},
            {"mail": "alice@x.io", "n": 1},
            {"mail": "bob@x.io", "n": 1},
        ])
    );
    assert_eq!(
        rows(
            "FIND Person AS p RETURN p.firstName, unwind(p.email) AS mail ORDER BY mail DESC LIMIT 2"
        ),
        serde_json::json!([
            {"p.firstName": "Bob", "mail": "bob@x.io"},
            {"p.firstName": "Alice", "mail": "alice@x.io"},
        ])
    );
    assert_eq!(
        rows(
            "FIND DataStore AS d RETURN d.classification AS c, count(d) AS n, sum(d.sizeGb) AS s \
             HAVING count(d) > 1 OR s = 50 ORDER BY max(d.sizeGb) DESC, c"
        ),
        serde_json::json!([
            {"c": "critical", "n": 2, "s": 300},
            {"c": "internal", "n": 1, "s": 50},
        ])
    );
    assert_eq!(
        rows("FIND DataStore AS d RETURN d.displayName AS name HAVING name ^= 'l'"),
        serde_json::json!([{"name": "logs"}])
    );
    assert_eq!(
        rows(
            "FIND DataStore AS d RETURN round(avg(d.sizeGb)) AS a, min(d.sizeGb) AS i, max(d.sizeGb) AS x"
        ),
        serde_json::json!([{"a": 117, "i": 50, "x": 200}])
    );
}

#[test]
fn explain_shows_the_plan_and_what_was_done() {
    let company = Company::new();
    let view = company.fixture.snapshot.view(None);
    let query = "FIND UserGroup THAT HAS >> User AS u THAT !OWNS Device RETURN count(u)";
    let text = crate::explain(&view, query, &options()).unwrap();
    for part in [
        "table of 1 columns, grouped",
        "from class UserGroup (slot 0)",
        "over HAS forwards to class User",
        "without any path",
        "run at sequence 2",
        "start: 1 nodes",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
