// SPDX-License-Identifier: Apache-2.0
//! Documents made to hurt: each is refused with a clear error, and none takes long, which the
//! time that these tests take shows.

use std::fmt::Write as _;

use durward_budget::{Budget, BudgetLimits};
use serde_json::json;

use super::super::cache::TextCache;
use super::super::limits::{CACHED_DOCUMENTS_MAX, DEPTH_MAX};
use super::{ask, code_of, engine, numbered, run, send};

#[track_caller]
fn refused(document: &str, said: &str) {
    let answer = ask(document, json!({}));
    let code = code_of(&answer);
    assert!(code.starts_with("GRAPHQL_"), "{code}");
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains(said), "{message}");
    assert!(answer["errors"].as_array().unwrap().len() <= 20);
}

#[test]
fn a_hundred_thousand_levels() {
    let deep = 100_000;
    refused(&"{a".repeat(deep), "");
    refused(
        &format!("{}id{}", "{person".repeat(deep), "}".repeat(deep)),
        "",
    );
    refused(
        &format!(
            "{{ echo(where: {}1{}) }}",
            "[".repeat(deep),
            "]".repeat(deep)
        ),
        "",
    );
    refused(
        &format!(
            "{{ echo(where: {}1{}) }}",
            "{a:".repeat(deep),
            "}".repeat(deep)
        ),
        "",
    );
    refused(
        &format!(
            "query($v: {}Int{}) {{ one }}",
            "[".repeat(deep),
            "]".repeat(deep)
        ),
        "",
    );
    refused(
        &format!("{{ {}one{} }}", "... {".repeat(deep), "}".repeat(deep)),
        "",
    );
}

#[test]
fn depth_is_counted_through_fragments() {
    let nest = |levels: usize| {
        format!(
            "{{ person {{ {}id{} }} }}",
            "friend {".repeat(levels),
            "}".repeat(levels)
        )
    };
    let answer = ask(&nest(DEPTH_MAX - 2), json!({}));
    assert!(answer.get("data").is_some(), "{answer}");
    refused(&nest(DEPTH_MAX - 1), "nested deeper than 32");
    let mut chain = "{ person { ...F0 } }".to_owned();
    for level in 0..40 {
        write!(
            chain,
            " fragment F{level} on Person {{ friend {{ ...F{} }} }}",
            level + 1
        )
        .unwrap();
    }
    chain.push_str(" fragment F40 on Person { id }");
    refused(&chain, "nested deeper");
    let mut spreads = "{ person { ...F0 } }".to_owned();
    for level in 0..900 {
        write!(
            spreads,
            " fragment F{level} on Person {{ ...F{} }}",
            level + 1
        )
        .unwrap();
    }
    spreads.push_str(" fragment F900 on Person { id }");
    refused(&spreads, "nested deeper than 100");
}

#[test]
fn fragments_that_double() {
    let mut document = "{ person { ...F0 } }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        write!(
            document,
            " fragment F{level} on Person {{\n               a: friend {{ ...F{next} }} b: friend {{ ...F{next} }} }}"
        )
        .unwrap();
    }
    document.push_str(" fragment F30 on Person { id }");
    refused(&document, "more than 20000 fields");
}

#[test]
fn fragments_that_include_themselves() {
    refused(
        "{ person { ...A } } fragment A on Person { ...A }",
        "`A` includes itself",
    );
    refused(
        "{ person { ...A } } fragment A on Person { friend { ...B } }
         fragment B on Person { boss { ...A } }",
        "includes itself",
    );
}

#[test]
fn ten_thousand_aliases() {
    let fields = numbered(10_000, |number| format!(" a{number}: one"));
    refused(&format!("{{{fields} }}"), "more than 1000 aliases");
    let few = numbered(900, |number| format!(" a{number}: one"));
    let answer = ask(&format!("{{{few} }}"), json!({}));
    assert_eq!(answer["data"].as_object().unwrap().len(), 900);
}

#[test]
fn too_many_fields_tokens_and_definitions() {
    let fields = " one".repeat(21_000);
    refused(&format!("{{{fields} }}"), "more than 20000 fields");
    refused(&format!("{{{} }}", " one".repeat(61_000)), "token");
    let operations = numbered(2_000, |number| format!(" query Q{number} {{ one }}"));
    refused(&operations, "definitions");
    let variables = numbered(600, |number| format!(" $v{number}: Int"));
    refused(&format!("query({variables}) {{ one }}"), "500 variables");
}

#[test]
fn a_megabyte_of_garbage() {
    let mut state = 1_u32;
    let mut garbage = String::new();
    while garbage.len() < 1_000_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        garbage.push(char::from(32 + ((state >> 24) % 95) as u8));
    }
    refused(&garbage, "");
    refused(&"\"".repeat(1_000_000), "");
    refused(&"(".repeat(1_000_000), "");
    refused(&"é".repeat(1_000_000), "longer than");
    refused(&format!("{{ {} }}", "x".repeat(900_000)), "does not");
    let body = "[".repeat(1_000_000);
    assert!(send(&engine(), body.as_bytes()).has_errors);
    let body = format!(
        "{{\"query\":\"{{one}}\",\"variables\":{}",
        "{\"a\":".repeat(100_000)
    );
    assert!(send(&engine(), body.as_bytes()).has_errors);
}

#[test]
fn the_cache_is_bounded() {
    let limits = BudgetLimits {
        caches_bytes: 4 << 20,
        ..BudgetLimits::unlimited()
    };
    let budget = Budget::new(limits);
    let cache = TextCache::new(CACHED_DOCUMENTS_MAX, &budget.caches());
    for number in 0..CACHED_DOCUMENTS_MAX + 10 {
        cache.put(&format!("{number}"), number, 0);
    }
    assert_eq!(cache.len(), CACHED_DOCUMENTS_MAX);
    assert_eq!(cache.get("0"), None);
    assert_eq!(cache.get("2005"), Some(2005));
    for number in 0..100 {
        cache.put(&format!("{number}{}", " ".repeat(100_000)), number, 0);
    }
    assert!(cache.len() < 100, "the text is counted too");
    for number in 0..10 {
        cache.put(&format!("{number}"), number, 1 << 20);
    }
    assert_eq!(cache.len(), 3, "and what it takes");
    assert!(budget.used_bytes() <= 4 << 20);
    cache.put("too large for it", 1, 5 << 20);
    assert_eq!(cache.get("too large for it"), None);
    cache.put(&" ".repeat(200_000), 1, 0);
    assert_eq!(cache.get(&" ".repeat(200_000)), None);
    cache.put("1", 1, 0);
    cache.put("1", 2, 1);
    assert_eq!((cache.len(), cache.get("1")), (1, Some(2)));
    cache.note_planned(1_000_000);
    assert_eq!(cache.len(), 0);
    assert!(budget.used_bytes() <= 4096, "a lease keeps a little ahead");
}

#[test]
fn refused_documents_are_not_kept() {
    let engine = engine();
    run(&engine, "{ nope }", json!({}));
    assert!(format!("{engine:?}").contains("entries: 0"), "{engine:?}");
    run(&engine, "{ one }", json!({}));
    run(&engine, "{ one }", json!({}));
    assert!(format!("{engine:?}").contains("entries: 1"), "{engine:?}");
}
