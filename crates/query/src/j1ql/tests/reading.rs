// SPDX-License-Identifier: Apache-2.0
//! What texts mean. Mostly shown by the canonical text, which has no two readings.

use super::super::names::{ElementKind, elements, resolve, usable_names};
use super::super::{
    CompareOperator, Condition, Direction, Expression, ListItem, Number, PathPart, Query, Returns,
    SelectorKind, Value, Verbs, parse,
};
use super::texts::{BENCHMARKS, EXAMPLES, GRAPH_QUERIES};

fn read(text: &str) -> Query {
    parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Asserts that each text has the canonical text beside it.
fn check_canonical(pairs: &[(&str, &str)]) {
    for (text, canonical) in pairs {
        assert_eq!(read(text).to_string(), *canonical, "{text}");
        assert_eq!(read(canonical).to_string(), *canonical);
    }
}

#[test]
fn reads_all_known_queries_and_prints_them_unchanged() {
    assert_eq!(
        (EXAMPLES.len(), GRAPH_QUERIES.len(), BENCHMARKS.len()),
        (46, 16, 7)
    );
    for text in EXAMPLES.iter().chain(GRAPH_QUERIES).chain(BENCHMARKS) {
        let canonical = match *text {
            "find Database" => "FIND Database".to_owned(),
            "'alice' WITH _class = 'User'" => format!("FIND {text}"),
            r#"FIND "10.0.0.5""# => "FIND '10.0.0.5'".to_owned(),
            spaced if spaced.contains("( FIND ") => {
                spaced.replace("( FIND ", "(FIND ").replace(" )", ")")
            }
            same => same.to_owned(),
        };
        assert_eq!(read(text).to_string(), canonical);
    }
}

#[test]
fn words_have_no_case_and_blanks_no_meaning() {
    check_canonical(&[
        (
            "find\tunique User as u\r\nthat relates TO * where u.x=1 return u.x as y \
             order by y desc,u.x asc skip 1 limit 2 having y>1;",
            "FIND UNIQUE User AS u THAT RELATES TO * WHERE u.x = 1 RETURN u.x AS y \
             ORDER BY y DESC, u.x SKIP 1 LIMIT 2 HAVING y > 1",
        ),
        (
            "FIND/*a*/User// the rest\nWITH a=TRUE/**/AND b=NULL",
            "FIND User WITH a = true AND b = undefined",
        ),
        (
            "FIND User LIMIT 5 RETURN User SKIP 0",
            "FIND User RETURN User SKIP 0 LIMIT 5",
        ),
        (
            "FIND User as u WITH active = true",
            "FIND User WITH active = true AS u",
        ),
        (
            "FIND User AS u RETURN u.a, u.b, LIMIT 3",
            "FIND User AS u RETURN u.a, u.b LIMIT 3",
        ),
        (
            "FIND User RETURN UNIQUE [a b]",
            "FIND User RETURN UNIQUE [a b]",
        ),
        (
            "FIND Tree RETURN tree[a b], unique.x",
            "FIND (Tree) RETURN [tree].[a b], [unique].x",
        ),
        (
            "FIND User RETURN UNIQUE tree",
            "FIND User RETURN UNIQUE TREE",
        ),
        ("UNIQUE 'x y' RETURN *", "FIND UNIQUE 'x y' RETURN *"),
        ("\u{feff}FIND\u{a0}User", "FIND User"),
    ]);
}

#[test]
fn selectors() {
    check_canonical(&[
        ("FIND #A #B", "FIND #A #B *"),
        ("FIND #A WITH x = 1", "FIND #A * WITH x = 1"),
        ("FIND #A ( THAT HAS User )?", "FIND #A * (THAT HAS User)?"),
        ("FIND #A (User|b)", "FIND #A (User|b)"),
        ("FIND #A 'text'", "FIND #A 'text'"),
        ("FIND (User|#B|*|okta_user)", "FIND (User|#B|*|okta_user)"),
        ("FIND (User)", "FIND User"),
        (
            "FIND Order ORDER BY Order.x",
            "FIND (Order) ORDER BY [Order].x",
        ),
        ("FIND #A LIMIT 5", "FIND #A * LIMIT 5"),
        ("FIND (Unique)", "FIND (Unique)"),
        (r#"FIND "it's \"x\" \\""#, r#"FIND 'it\'s "x" \\'"#),
    ]);
    assert_eq!(
        read("FIND 'two words'").start.selector.kind,
        SelectorKind::Text("two words".into())
    );
}

#[test]
fn steps_and_groups() {
    check_canonical(&[
        ("FIND A THAT has TO B", "FIND A THAT HAS B"),
        (
            "FIND A THAT RELATES << TO AS r B",
            "FIND A THAT RELATES TO << AS r B",
        ),
        ("FIND A THAT ! RELATES B", "FIND A THAT !RELATES TO B"),
        (
            "FIND A THAT (!has|Uses) AS x >> B",
            "FIND A THAT !(HAS|USES) >> AS x B",
        ),
        ("FIND A THAT !(HAS) B", "FIND A THAT !HAS B"),
        ("FIND A THAT (RELATES|HAS) B", "FIND A THAT (RELATES|HAS) B"),
        (
            "FIND A (THAT HAS B (THAT USES C)? THAT IS D) as g (that has E) ? AS h THAT IS F",
            "FIND A (THAT HAS B (THAT USES C)? THAT IS D) AS g (THAT HAS E)? AS h THAT IS F",
        ),
        (
            "FIND A WITH b = c (THAT HAS B)?",
            "FIND A WITH b = c (THAT HAS B)?",
        ),
        (
            "FIND A WITH b = (1 OR 2) (THAT HAS B)",
            "FIND A WITH b = (1 OR 2) (THAT HAS B)",
        ),
    ]);
    let query = read("FIND A THAT !assigned << AS r b THAT RELATES TO C");
    let [PathPart::Step(first), PathPart::Step(second)] = query.path.as_slice() else {
        panic!("two steps");
    };
    assert!(first.negated && !second.negated);
    assert_eq!(first.direction, Direction::RightToLeft);
    assert_eq!(first.verbs, Verbs::OneOf(vec!["ASSIGNED".into()]));
    assert_eq!(first.alias.as_ref().unwrap().text, "r");
    assert_eq!(
        (second.direction, &second.verbs),
        (Direction::Any, &Verbs::Any)
    );
    assert_eq!((second.span.line, second.span.column), (1, 33));
}

#[test]
fn conditions_bind_as_documented() {
    check_canonical(&[
        (
            "FIND A WITH a=1 OR b=2 AND c=3",
            "FIND A WITH a = 1 OR b = 2 AND c = 3",
        ),
        (
            "FIND A WITH (a=1 OR b=2) AND c=3",
            "FIND A WITH (a = 1 OR b = 2) AND c = 3",
        ),
        (
            "FIND A WITH ((a=1) OR (b=2 AND c=3))",
            "FIND A WITH a = 1 OR b = 2 AND c = 3",
        ),
        (
            "FIND A WITH (a + 1) * 2 > 3 AND b = 1",
            "FIND A WITH (a + 1) * 2 > 3 AND b = 1",
        ),
        (
            "FIND A WITH ((a) + 1) > (b - 1)",
            "FIND A WITH a + 1 > b - 1",
        ),
        ("FIND A WITH ((a + 1) > 2)", "FIND A WITH a + 1 > 2"),
        ("FIND A WITH a > (b + 1) * 2", "FIND A WITH a > (b + 1) * 2"),
        (
            "FIND A WITH limit = 5 AND order.by != 1",
            "FIND A WITH [limit] = 5 AND [order].by != 1",
        ),
        (
            "FIND A WITH a!='x' AND b<=1 AND c>=1 AND d~='x' AND e^='x' AND f$='x' AND g!~='x' \
             AND h!^='x' AND i!$='x' AND j<1 AND k>1",
            "FIND A WITH a != 'x' AND b <= 1 AND c >= 1 AND d ~= 'x' AND e ^= 'x' AND f $= 'x' \
             AND g !~= 'x' AND h !^= 'x' AND i !$= 'x' AND j < 1 AND k > 1",
        ),
    ]);
    let Some(Condition::Or(conditions)) = read("FIND A WITH a=1 OR b=2 AND c=3").start.filter
    else {
        panic!("OR binds weaker");
    };
    assert!(matches!(&conditions[1], Condition::And(inner) if inner.len() == 2));
}

#[test]
fn values() {
    check_canonical(&[
        (
            "FIND A WITH a = ('x', 'y' OR undefined)",
            "FIND A WITH a = ('x' OR 'y' OR undefined)",
        ),
        (
            "FIND A WITH a = (1 AND 2 OR 3)",
            "FIND A WITH a = (1 AND 2 OR 3)",
        ),
        ("FIND A WITH a = ('x')", "FIND A WITH a = 'x'"),
        ("FIND A WITH a = (/x/i)", "FIND A WITH a = /x/i"),
        (
            "FIND A WITH a !~= (/x/ OR /y/i)",
            "FIND A WITH a !~= (/x/ OR /y/i)",
        ),
        (
            r"FIND A WITH a = /^[^/]+\/\d[\]/]/",
            r"FIND A WITH a = /^[^\/]+\/\d[\]\/]/",
        ),
        (
            r"FIND A WITH a = b / 2 AND c = /d \/ 2/",
            r"FIND A WITH a = b / 2 AND c = /d \/ 2/",
        ),
        ("FIND A WITH a.and / 2 = b", "FIND A WITH a.and / 2 = b"),
        ("FIND A WITH a = // comment\n /b/", "FIND A WITH a = /b/"),
        (
            "FIND A WITH a = -5 AND b = 1.50 AND c = 3 -2",
            "FIND A WITH a = -5 AND b = 1.5 AND c = 3 - 2",
        ),
        (
            "FIND A WITH a = ${ param.x } AND b = ${y}",
            "FIND A WITH a = ${param.x} AND b = ${y}",
        ),
        ("FIND A WITH a = {{ p }}", "FIND A WITH a = {{p}}"),
        (
            "FIND A WITH [tag.a-b] = 1 AND tag.[c:d] = 2",
            "FIND A WITH [tag.a-b] = 1 AND tag.[c:d] = 2",
        ),
        (
            "FIND A WITH tag.2fa = 1 AND x[y z].w = 2",
            "FIND A WITH tag.[2fa] = 1 AND x.[y z].w = 2",
        ),
        (
            "FIND A WITH a = ('x' WITH b = 1 AS c RETURN c.d)",
            "FIND A WITH a = (FIND 'x' WITH b = 1 AS c RETURN c.d)",
        ),
        (
            "FIND A AS a WHERE a.x = 2 ^ 3 ^ 2",
            "FIND A AS a WHERE a.x = 2 ^ 3 ^ 2",
        ),
        (
            "FIND A AS a WHERE a.x = (2 ^ 3) ^ 2",
            "FIND A AS a WHERE a.x = (2 ^ 3) ^ 2",
        ),
        (
            "FIND A AS a WHERE a.x = 1 - (2 - 3) - 4",
            "FIND A AS a WHERE a.x = 1 - (2 - 3) - 4",
        ),
        (
            "FIND A AS a WHERE a.x = 1 + (2 * 3)",
            "FIND A AS a WHERE a.x = 1 + 2 * 3",
        ),
    ]);
}

#[test]
fn dates() {
    check_canonical(&[
        (
            "FIND A WITH a > Date.now -24hr",
            "FIND A WITH a > date.now - 24 hours",
        ),
        (
            "FIND A WITH a > date.now-7days",
            "FIND A WITH a > date.now - 7 days",
        ),
        (
            "FIND A WITH a > date.now + 1.5 Yr - 2mos",
            "FIND A WITH a > date.now + 1.5 years - 2 months",
        ),
        (
            "FIND A WITH a > date.now - 2 weeks - 3mins",
            "FIND A WITH a > date.now - 2 weeks - 3 minutes",
        ),
        (
            "FIND A WITH date.now.x = 1 AND a = date",
            "FIND A WITH [date].now.x = 1 AND a = [date]",
        ),
        (
            "FIND A WITH a > date(2021-01-01) AND b < DATE ( '2021-01-01T02:00+02:00' )",
            "FIND A WITH a > date(2021-01-01T00:00:00.000Z) AND b < date(2021-01-01T00:00:00.000Z)",
        ),
        (
            "FIND A AS date (THAT HAS B)?",
            "FIND A AS date (THAT HAS B)?",
        ),
    ]);
}

#[test]
fn columns_are_named_by_their_text() {
    let query = read(
        "FIND A AS a RETURN count(  a ) , a.x+1 AS n, concat(a.b,/* c */'  ',\n a.c) \
         AS \"Two words\", a, a.*, *",
    );
    let Some(Returns::Items {
        items,
        unique: false,
    }) = query.returns
    else {
        panic!("columns")
    };
    let names: Vec<_> = items
        .iter()
        .map(|item| (item.column_name(), item.text.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("count( a )", "count( a )"),
            ("n", "a.x+1"),
            ("Two words", "concat(a.b, '  ', a.c)"),
            ("a", "a"),
            ("a.*", "a.*"),
            ("*", "*"),
        ]
    );
    assert!(matches!(&items[3].expression, Expression::Reference(name) if name.is_bare()));
    assert!(matches!(&items[4].expression, Expression::Reference(name) if name.every_property));
    assert_eq!(items[5].expression, Expression::Everything);
}

#[test]
fn references_split_into_alias_and_key() {
    let query = read("FIND A WITH tag.Prod = 1 AS a RETURN a.tag.[x-y]");
    let Some(Condition::Comparison(filter)) = &query.start.filter else {
        panic!("comparison")
    };
    let Expression::Reference(key) = &filter.left else {
        panic!("reference")
    };
    assert_eq!(
        (key.key().as_str(), filter.operator),
        ("tag.Prod", CompareOperator::Equal)
    );
    assert_eq!(
        filter.value,
        Value::Expression(Expression::Number(Number::Integer(1)))
    );
    let Some(Returns::Items { items, .. }) = &query.returns else {
        panic!("columns")
    };
    let Expression::Reference(column) = &items[0].expression else {
        panic!("reference")
    };
    assert_eq!(
        (column.alias(), column.property().as_deref()),
        ("a", Some("tag.x-y"))
    );
}

#[test]
fn lists_are_alternatives_of_things_that_hold_together() {
    let query = read("FIND A WITH a = (1, 2 AND /x/)");
    let Some(Condition::Comparison(filter)) = &query.start.filter else {
        panic!("comparison")
    };
    let Value::List(alternatives) = &filter.value else {
        panic!("list")
    };
    assert_eq!(
        alternatives.iter().map(Vec::len).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(matches!(&alternatives[1][1], ListItem::Regex(regex) if regex.pattern == "x"));
}

#[test]
fn names_of_a_query_in_order() {
    let query = read(
        "FIND User (THAT has AS h Group THAT IS (A|B))? AS g THAT USES * \
         THAT !OWNS Device THAT HAS User",
    );
    let elements = elements(&query);
    let seen: Vec<_> = elements
        .iter()
        .map(|one| {
            let kind = match one.kind {
                ElementKind::Node(_) => 'n',
                ElementKind::Relationship(_) => 'r',
                ElementKind::Group(_) => 'g',
            };
            (
                kind,
                one.name.unwrap_or("-"),
                one.is_explicit,
                one.is_optional,
                one.is_negated,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ('n', "User", false, false, false),
            ('r', "h", true, true, false),
            ('n', "Group", false, true, false),
            ('r', "IS", false, true, false),
            ('n', "-", false, true, false),
            ('g', "g", true, false, false),
            ('r', "USES", false, false, false),
            ('n', "-", false, false, false),
            ('r', "OWNS", false, false, true),
            ('n', "Device", false, false, true),
            ('r', "HAS", false, false, true),
            ('n', "User", false, false, true),
        ]
    );
    assert_eq!(
        usable_names(&elements),
        ["User", "h", "Group", "IS", "g", "USES"]
    );
    assert!(resolve(&elements, "uses").is_some());
    assert!(resolve(&elements, "user").is_none());
    assert!(resolve(&elements, "Device").is_none());
}
