// SPDX-License-Identifier: Apache-2.0

mod hostile;
mod judging;
mod random;
mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_model::{Instant, ObjectId};

use super::*;

fn principal() -> CedarPrincipal {
    CedarPrincipal {
        id: "a-1".to_owned(),
        account_type: "user".to_owned(),
        name: "Ada Vine".to_owned(),
        email: "ada@example.org".to_owned(),
        permission_level: "user".to_owned(),
        groups: vec!["g-1".to_owned()],
        roles: vec!["r-1".to_owned(), "r-2".to_owned()],
        tags: tags(&[("team", "blue")]),
        ..CedarPrincipal::default()
    }
}

fn resource() -> CedarResource {
    CedarResource {
        id: "rs-1".to_owned(),
        kind: "postgres".to_owned(),
        name: "orders".to_owned(),
        hostname: "db.example.org".to_owned(),
        port: 5432,
        tags: tags(&[("env", "prod")]),
        objects: Vec::new(),
    }
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn set(texts: &[&str]) -> PolicySet {
    PolicySet::compile(
        texts
            .iter()
            .enumerate()
            .map(|(position, text)| NamedPolicy {
                id: ObjectId(position as u64 + 1),
                name: Arc::from(format!("p{}", position + 1)),
                policy: Arc::new(
                    CedarPolicy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")),
                ),
            }),
    )
}

/// 2026-11-25 is a Wednesday.
fn at(time: &str) -> CedarContext {
    CedarContext {
        now: time.parse::<Instant>().unwrap(),
        source_address: Some("10.1.2.3".parse().unwrap()),
    }
}

fn decide(texts: &[&str], action: &CedarName) -> CedarVerdict {
    set(texts).decide(&CedarRequest {
        principal: &principal(),
        action,
        resource: &resource(),
        context: at("2026-11-25T09:30:15Z"),
    })
}

fn connect(texts: &[&str]) -> CedarVerdict {
    decide(texts, &CedarName::connect().unwrap())
}

fn numbers(statements: &[StatementRef]) -> Vec<(u64, usize)> {
    statements
        .iter()
        .map(|one| (one.policy.0, one.statement))
        .collect()
}
