// SPDX-License-Identifier: Apache-2.0
//! Random trees: printed and parsed again, they are equal.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::words::is_reserved;
use super::super::{
    Alternative, ArithmeticOperator, Binary, Call, CompareOperator, Comparison, Condition,
    Direction, Expression, Function, Group, ListItem, Name, Node, Number, PathPart, Query,
    Reference, RegexLiteral, ReturnItem, Returns, Selector, SelectorKind, SortKey, Span, Step,
    Unit, Value, Verbs, parse,
};

fn span() -> Span {
    Span::default()
}

fn alias() -> impl Strategy<Value = Name> {
    "[a-zA-Z_][a-zA-Z0-9_é]{0,5}"
        .prop_filter("reserved", |word| !is_reserved(word))
        .prop_map(|text| Name { text, span: span() })
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::Integer),
        (-100_i64..100).prop_map(Number::Integer),
        any::<f64>()
            .prop_filter("in range", |number| number.abs() < 9.2e18)
            .prop_map(Number::Decimal),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    select(vec![
        Unit::Minute,
        Unit::Hour,
        Unit::Day,
        Unit::Week,
        Unit::Month,
        Unit::Year,
    ])
}

fn reference() -> impl Strategy<Value = Reference> {
    let segment = prop_oneof![
        3 => "[a-zA-Z_][a-zA-Z0-9_]{0,4}",
        1 => "[a-zA-Z0-9.:@'/-]{1,5}",
        1 => select(vec!["date", "now", "limit", "AND", "true", "count", "tree", "a b"])
            .prop_map(str::to_owned),
    ];
    (vec(segment, 1..4), any::<bool>()).prop_map(|(segments, every_property)| Reference {
        segments,
        every_property,
        span: span(),
    })
}

fn leaf() -> impl Strategy<Value = Expression> {
    prop_oneof![
        any::<String>().prop_map(Expression::Text),
        number().prop_map(Expression::Number),
        (number(), unit()).prop_map(|(amount, unit)| Expression::Duration { amount, unit }),
        any::<bool>().prop_map(Expression::Boolean),
        Just(Expression::Undefined),
        Just(Expression::Now),
        (-62_135_596_800_000_i64..=253_402_300_799_999).prop_map(Expression::Date),
        "[a-z][a-z0-9.-]{0,5}".prop_map(|text| Expression::Parameter(Name { text, span: span() })),
        "[a-o][a-z0-9-]{0,5}".prop_map(|text| Expression::Variable(Name { text, span: span() })),
        "[a-z][a-z0-9-]{0,5}".prop_map(|text| Expression::Template(Name { text, span: span() })),
        reference().prop_map(Expression::Reference),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let operator = select(vec![
        ArithmeticOperator::Add,
        ArithmeticOperator::Subtract,
        ArithmeticOperator::Multiply,
        ArithmeticOperator::Divide,
        ArithmeticOperator::Power,
    ]);
    leaf().prop_recursive(5, 24, 3, move |inner| {
        let call = |function, arguments| {
            Expression::Call(Box::new(Call {
                function,
                arguments,
                span: span(),
            }))
        };
        prop_oneof![
            (operator.clone(), inner.clone(), inner.clone()).prop_map(|(operator, left, right)| {
                Expression::Binary(Box::new(Binary {
                    operator,
                    left,
                    right,
                }))
            }),
            inner
                .clone()
                .prop_map(move |argument| call(Function::Abs, vec![argument])),
            vec(inner, 1..4).prop_map(move |arguments| call(Function::Coalesce, arguments)),
            Just(call(Function::Count, vec![Expression::Everything])),
        ]
    })
}

fn regex() -> impl Strategy<Value = RegexLiteral> {
    (
        r"([a-z.+^$|() ]|\\[.d\]\[\\]|\[[a-z/]{1,3}\]|/){1,6}",
        any::<bool>(),
    )
        .prop_map(|(pattern, ignore_case)| RegexLiteral {
            pattern,
            ignore_case,
            span: span(),
        })
}

fn value(queries: BoxedStrategy<Query>) -> impl Strategy<Value = (CompareOperator, Value)> {
    let any_operator = select(vec![
        CompareOperator::Equal,
        CompareOperator::NotEqual,
        CompareOperator::Less,
        CompareOperator::LessOrEqual,
        CompareOperator::Greater,
        CompareOperator::GreaterOrEqual,
        CompareOperator::Contains,
        CompareOperator::StartsWith,
        CompareOperator::EndsWith,
        CompareOperator::NotContains,
        CompareOperator::NotStartsWith,
        CompareOperator::NotEndsWith,
    ]);
    let matching = select(vec![CompareOperator::Equal, CompareOperator::NotContains]);
    let equality = select(vec![CompareOperator::Equal, CompareOperator::NotEqual]);
    let item = prop_oneof![
        3 => expression().prop_map(ListItem::Expression),
        1 => regex().prop_map(ListItem::Regex),
    ];
    let list = vec(vec(item, 1..3), 1..4).prop_filter("two entries", |list| {
        list.iter().map(Vec::len).sum::<usize>() > 1
    });
    prop_oneof![
        4 => (any_operator, expression().prop_map(Value::Expression)),
        1 => (matching.clone(), regex().prop_map(Value::Regex)),
        2 => (matching, list.prop_map(Value::List)),
        1 => (equality, queries.prop_map(|query| Value::Subquery(Box::new(query)))),
    ]
}

fn condition(queries: BoxedStrategy<Query>) -> BoxedStrategy<Condition> {
    (expression(), value(queries))
        .prop_map(|(left, (operator, value))| {
            let comparison = Comparison {
                left,
                operator,
                value,
                span: span(),
            };
            Condition::Comparison(Box::new(comparison))
        })
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(Condition::And),
                vec(inner, 2..4).prop_map(Condition::Or),
            ]
        })
        .boxed()
}

fn selector() -> impl Strategy<Value = Selector> {
    let name = || "[a-zA-Z_][a-z]{0,5}";
    let named = || {
        prop_oneof![name(), Just("Order".to_owned()), Just("unique".to_owned())]
            .prop_filter("ends a selector", |name| {
                super::super::words::may_be_selected(name)
            })
            .prop_map(|name| {
                if name.starts_with(char::is_uppercase) {
                    Alternative::Class(name)
                } else {
                    Alternative::Type(name)
                }
            })
    };
    let alternative = prop_oneof![
        4 => named(),
        1 => name().prop_map(Alternative::SmartClass),
        1 => Just(Alternative::Any),
    ];
    let kind = prop_oneof![
        1 => Just(SelectorKind::Any),
        1 => any::<String>().prop_map(SelectorKind::Text),
        4 => named().prop_map(|only| SelectorKind::OneOf(vec![only])),
        1 => vec(alternative, 1..4).prop_map(SelectorKind::OneOf),
    ];
    (vec(name(), 0..3), kind).prop_map(|(smart_classes, kind)| Selector {
        smart_classes,
        kind,
        span: span(),
    })
}

fn node(queries: BoxedStrategy<Query>) -> impl Strategy<Value = Node> {
    (
        selector(),
        option::weighted(0.3, condition(queries)),
        option::of(alias()),
    )
        .prop_map(|(selector, filter, alias)| Node {
            selector,
            filter,
            alias,
        })
}

fn path(queries: BoxedStrategy<Query>) -> impl Strategy<Value = Vec<PathPart>> {
    let verb = || {
        prop_oneof![9 => "[A-Z]{3,6}", 1 => Just("RELATES".to_owned())]
            .prop_filter("ends a selector", |verb| {
                super::super::words::may_be_selected(verb)
            })
    };
    let verbs = prop_oneof![Just(Verbs::Any), vec(verb(), 1..3).prop_map(Verbs::OneOf)];
    let direction = select(vec![
        Direction::Any,
        Direction::LeftToRight,
        Direction::RightToLeft,
    ]);
    let step = (
        any::<bool>(),
        verbs,
        direction,
        option::of(alias()),
        node(queries),
    )
        .prop_map(|(negated, verbs, direction, alias, node)| {
            let step = Step {
                negated,
                verbs,
                direction,
                alias,
                node,
                span: span(),
            };
            PathPart::Step(Box::new(step))
        })
        .boxed();
    let first = step.clone();
    let part = step.prop_recursive(3, 6, 3, move |inner| {
        (
            first.clone(),
            vec(inner, 0..3),
            any::<bool>(),
            option::of(alias()),
        )
            .prop_map(|(first, mut rest, optional, alias)| {
                rest.insert(0, first);
                PathPart::Group(Group {
                    parts: rest,
                    optional,
                    alias,
                    span: span(),
                })
            })
    });
    vec(part, 0..3)
}

fn item() -> impl Strategy<Value = ReturnItem> {
    let name = prop_oneof![
        alias(),
        any::<String>().prop_map(|text| Name { text, span: span() }),
    ];
    prop_oneof![
        9 => (expression(), option::of(name)),
        1 => Just((Expression::Everything, None)),
    ]
    .prop_map(|(expression, alias)| {
        let text = expression.to_string();
        ReturnItem {
            expression,
            alias,
            text,
            span: span(),
        }
    })
}

fn returns() -> impl Strategy<Value = Returns> {
    prop_oneof![
        1 => any::<bool>().prop_map(|unique| Returns::Tree { unique, span: span() }),
        4 => (any::<bool>(), vec(item(), 1..4))
            .prop_map(|(unique, items)| Returns::Items { unique, items }),
    ]
}

fn sort_key() -> impl Strategy<Value = SortKey> {
    (expression(), any::<bool>()).prop_map(|(expression, descending)| {
        let text = expression.to_string();
        SortKey {
            expression,
            descending,
            text,
            span: span(),
        }
    })
}

/// Queries whose filters hold subqueries out of `queries`.
fn query(queries: BoxedStrategy<Query>) -> impl Strategy<Value = Query> {
    let head = (any::<bool>(), node(queries.clone()), path(queries.clone()));
    let tail = (
        option::weighted(0.3, condition(queries.clone())),
        option::of(returns()),
        vec(sort_key(), 0..3),
        option::of(0..=u64::from(u32::MAX)),
        option::of(1_u64..=10_000),
        option::weighted(0.3, condition(queries)),
    );
    (head, tail).prop_map(
        |((unique, start, path), (filter, returns, order, skip, limit, having))| Query {
            unique,
            start,
            path,
            filter,
            returns,
            order,
            skip,
            limit,
            having,
            span: span(),
        },
    )
}

fn subquery() -> BoxedStrategy<Query> {
    (selector(), alias())
        .prop_map(|(selector, name)| {
            let node = Node {
                selector,
                filter: None,
                alias: Some(name.clone()),
            };
            let column = Reference {
                segments: vec![name.text, "x".to_owned()],
                every_property: false,
                span: span(),
            };
            let expression = Expression::Reference(column);
            let text = expression.to_string();
            let items = vec![ReturnItem {
                expression,
                alias: None,
                text,
                span: span(),
            }];
            Query {
                unique: false,
                start: node,
                path: Vec::new(),
                filter: None,
                returns: Some(Returns::Items {
                    unique: false,
                    items,
                }),
                order: Vec::new(),
                skip: None,
                limit: None,
                having: None,
                span: span(),
            }
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 384,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn printed_trees_parse_to_equal_trees(query in query(subquery())) {
        let text = query.to_string();
        let parsed = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&parsed, &query, "{}", text);
        prop_assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), words in vec(select(vec![
        "FIND", "WITH", "THAT", "AS", "WHERE", "RETURN", "UNIQUE", "TREE", "ORDER", "BY", "SKIP",
        "LIMIT", "HAVING", "AND", "OR", "TO", "RELATES", "User", "u", "(", ")", "?", "=", "!", "!=",
        ".", "*", "/", "/x/i", "'s'", "1", "days", "date.now", "date(2020)", "count(", ",", "|",
        "^", "-", "<<", ">>", "[a b]", "#S", "${param.p}", "{{v}}", ";", "//", "/*", "*/",
    ]), 0..30)) {
        for text in [text, words.join(" "), words.concat()] {
            match parse(&text) {
                Ok(query) => {
                    let printed = query.to_string();
                    let again = parse(&printed);
                    prop_assert_eq!(again.as_ref(), Ok(&query));
                    prop_assert_eq!(again.map(|query| query.to_string()), Ok(printed));
                }
                Err(error) => {
                    let span = error.span();
                    prop_assert!(span.line >= 1 && span.column >= 1);
                    prop_assert!(span.start <= span.end && span.end as usize <= text.len());
                }
            }
        }
    }
}
