// SPDX-License-Identifier: Apache-2.0
//! Measures decisions: `cargo run --release -p durward-policy --example decision_speed`. With
//! `--json` the last line is an object with the two figures that have a target.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measure reads the clock and may panic"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant as Clock;

use durward_model::{Instant, ObjectId};
use durward_policy::{
    Action, CedarContext, CedarName, CedarPolicy, CedarPrincipal, CedarRequest, CedarResource,
    Context, NamedPolicy, Object, PolicySet, Principal, Rights, authorize_action,
};

const ROUNDS: usize = 15;
/// Policies, and those of them about everything, for which there is a target.
const TARGET: (usize, usize) = (1_000, 20);

/// The median of some rounds, in microseconds for one call. It counts the time that this thread had
/// a processor, where the system tells it: other work on the machine then hardly matters.
fn median_us(calls: u32, mut call: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let before = processor_seconds();
            let clock = Clock::now();
            for _ in 0..calls {
                call();
            }
            let clock = clock.elapsed().as_secs_f64();
            let took = match (before, processor_seconds()) {
                (Some(before), Some(after)) => after - before,
                _ => clock,
            };
            took * 1e6 / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().unwrap()
}

/// How long this thread has had a processor.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// The slowest of the decisions by built-in rights.
fn built_in() -> f64 {
    let mut slowest: f64 = 0.0;
    let now = Context {
        now: Instant::from_millis(1_000),
    };
    for (what, names) in [
        ("first right fits", vec!["accounts:read"]),
        ("third right fits", vec!["strongdm:user:list"]),
        ("refused", vec!["graph:read"]),
    ] {
        let principal = Principal {
            account: ObjectId(1),
            account_suspended: false,
            account_rights: Rights::ALL,
            credential_rights: Rights::from_names(names).unwrap(),
            policies: Vec::new(),
            expires_at: Some(Instant::from_millis(5_000)),
            organization: "o".to_owned(),
        };
        let took = median_us(500_000, || {
            let principal = black_box(&principal);
            let decision =
                authorize_action(principal, Action::UserList, Object::Organization, &now);
            black_box(decision);
        });
        println!("built-in, {what}: {took:.3} us");
        slowest = slowest.max(took);
    }
    slowest
}

/// Policies as administrators write them: most name an account, a role, a resource or a kind.
fn texts(count: usize, wide: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            if number < wide {
                return format!(
                    "forbid (principal, action == StrongDM::Action::\"connect\", resource) when {{ \
                     resource.sdm.hasTag(\"env\") && resource.sdm.getTag(\"env\") == \"e{number}\" \
                     && context.utcNow.hour < 6 }};"
                );
            }
            match number % 4 {
                0 => format!(
                    "forbid (principal == StrongDM::Account::\"a-{number}\", action, resource);"
                ),
                1 => format!(
                    "permit (principal in StrongDM::Role::\"r-{}\", action, resource) when {{ \
                     principal.email like \"*@example.org\" }};",
                    number % 100
                ),
                2 => format!(
                    "forbid (principal in StrongDM::Role::\"r-{}\", action == SQL::Action::\"drop\", \
                     resource == Postgres::Database::\"*\");",
                    number % 100
                ),
                _ => format!(
                    "forbid (principal, action == StrongDM::Action::\"connect\", \
                     resource == StrongDM::Resource::\"rs-{number}\") unless {{ \
                     context.utcNow.dayOfWeek > 1 && context.utcNow.dayOfWeek < 7 }};"
                ),
            }
        })
        .collect()
}

fn cedar(count: usize, wide: usize) -> f64 {
    let start = Clock::now();
    let parsed: Vec<_> = texts(count, wide)
        .iter()
        .map(|text| Arc::new(CedarPolicy::parse(text).unwrap()))
        .collect();
    let parsing = start.elapsed();
    let start = Clock::now();
    let named = parsed
        .iter()
        .enumerate()
        .map(|(number, policy)| NamedPolicy {
            id: ObjectId(number as u64),
            name: Arc::from(format!("policy {number}")),
            policy: Arc::clone(policy),
        });
    let set = PolicySet::compile(named);
    let compiling = start.elapsed();
    let tags: BTreeMap<String, String> = [("env", "prod"), ("team", "blue"), ("zone", "eu")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let principal = CedarPrincipal {
        id: "a-400".to_owned(),
        account_type: "user".to_owned(),
        email: "ada@example.org".to_owned(),
        roles: (0..4)
            .map(|number| format!("r-{}", number * 7 + 1))
            .collect(),
        groups: (0..3).map(|number| format!("g-{number}")).collect(),
        tags: tags.clone(),
        ..CedarPrincipal::default()
    };
    let resource = CedarResource {
        id: "rs-503".to_owned(),
        kind: "postgres".to_owned(),
        name: "orders".to_owned(),
        hostname: "db.example.org".to_owned(),
        port: 5432,
        tags,
        objects: Vec::new(),
    };
    let action = CedarName::connect().unwrap();
    let request = CedarRequest {
        principal: &principal,
        action: &action,
        resource: &resource,
        context: CedarContext {
            now: "2026-11-25T09:30:15Z".parse().unwrap(),
            source_address: Some("10.1.2.3".parse().unwrap()),
        },
    };
    let verdict = set.decide(&request);
    let took = median_us(200, || {
        black_box(set.decide(black_box(&request)));
    });
    println!(
        "{count} policies, {wide} of them about everything: {took:.1} us (forbidden by {}, \
         permitted by {}, errors {}); parsed in {parsing:.0?}, compiled in {compiling:.0?}",
        verdict.forbidden_by.len(),
        verdict.permitted_by.len(),
        verdict.errors.len(),
    );
    took
}

fn main() {
    let built_in = built_in();
    let mut policies = 0.0;
    for (count, wide) in [
        (0, 0),
        (10, 2),
        (1_000, 0),
        (1_000, 20),
        (1_000, 100),
        (5_000, 20),
    ] {
        let took = cedar(count, wide);
        if (count, wide) == TARGET {
            policies = took;
        }
    }
    if std::env::args().any(|word| word == "--json") {
        println!("{{\"built_in_us\":{built_in},\"policies_us\":{policies}}}");
    }
}
