// SPDX-License-Identifier: Apache-2.0
//! Random policies and requests: what the index finds equals what Cedar finds among all.

use cedar_policy::{Authorizer, PolicyId};
use proptest::prelude::*;

use super::super::facts::{Closure, facts};
use super::*;

const PRINCIPALS: [&str; 8] = [
    "principal",
    r#"principal == StrongDM::Account::"a-1""#,
    r#"principal == StrongDM::Account::"*""#,
    r#"principal in StrongDM::Role::"r-1""#,
    r#"principal in StrongDM::Role::"r-3""#,
    r#"principal in StrongDM::Group::"*""#,
    "principal is StrongDM::Account",
    r#"principal is StrongDM::Account in StrongDM::Group::"g-1""#,
];
const ACTIONS: [&str; 6] = [
    "action",
    r#"action == StrongDM::Action::"connect""#,
    r#"action == SQL::Action::"select""#,
    r#"action == SQL::Action::"*""#,
    r#"action in [SQL::Action::"select", StrongDM::Action::"*", StrongDM::Action::"connect"]"#,
    "action in []",
];
const RESOURCES: [&str; 8] = [
    "resource",
    r#"resource == StrongDM::Resource::"rs-1""#,
    r#"resource == StrongDM::Resource::"rs-2""#,
    r#"resource == Postgres::Database::"*""#,
    r#"resource == Postgres::Database::"orders""#,
    "resource is StrongDM::Resource",
    "resource is SSH::Server",
    r#"resource is Postgres::Database in StrongDM::Resource::"rs-2""#,
];
const CONDITIONS: [&str; 7] = [
    "",
    r#"when { resource.sdm.hasTag("env") }"#,
    r#"when { resource.sdm.getTag("zone") == "eu" }"#,
    r#"unless { principal.email like "*@example.org" }"#,
    r#"when { resource == Postgres::Database::"*" }"#,
    "when { context.nothing }",
    "when { context.utcNow.hour < 12 }",
];

fn statement() -> impl Strategy<Value = String> {
    let pick = |texts: &'static [&'static str]| proptest::sample::select(texts);
    (
        pick(&["permit", "forbid"]),
        pick(&PRINCIPALS),
        pick(&ACTIONS),
        pick(&RESOURCES),
        pick(&CONDITIONS),
    )
        .prop_map(|(effect, principal, action, resource, condition)| {
            format!("{effect} ({principal}, {action}, {resource}) {condition};")
        })
}

fn asked() -> impl Strategy<Value = (CedarPrincipal, CedarName, CedarResource)> {
    let action = proptest::sample::select(vec![
        ("StrongDM::Action", "connect"),
        ("SQL::Action", "select"),
        ("SQL::Action", "drop"),
    ]);
    let kind = proptest::sample::select(vec!["postgres", "ssh_cert", "raw_tcp"]);
    (any::<[bool; 5]>(), action, kind).prop_map(|(bits, (action_type, action), kind)| {
        let mut who = principal();
        let mut what = resource();
        let [is_ada, has_roles, has_groups, is_tagged, is_table] = bits;
        if !is_ada {
            who.id = "a-2".to_owned();
            who.email = "bo@example.net".to_owned();
        }
        if !has_roles {
            who.roles.clear();
        }
        if !has_groups {
            who.groups.clear();
        }
        if !is_tagged {
            what.tags = tags(&[("zone", "eu")]);
            what.id = "rs-2".to_owned();
        }
        what.kind = kind.to_owned();
        if is_table {
            what.objects = vec![CedarName::new("Postgres::Table", "t").unwrap()];
        }
        (who, CedarName::new(action_type, action).unwrap(), what)
    })
}

/// Every statement of one effect in one set of Cedar's: which are satisfied, and which fail.
fn among_all(policies: &[String], request: &CedarRequest<'_>, forbids: bool) -> [Vec<u64>; 2] {
    let mut all = cedar_policy::PolicySet::new();
    for (position, text) in policies.iter().enumerate() {
        for statement in CedarPolicy::parse(text).unwrap().statements {
            if statement.forbids == forbids {
                let id = PolicyId::new((position + 1).to_string());
                all.add(statement.policy.new_id(id)).unwrap();
            }
        }
    }
    let closure = Closure::of(request).unwrap();
    let (request, entities) = facts(request, &closure).unwrap();
    let response = Authorizer::new().is_authorized(&request, &all, &entities);
    let number = |id: &PolicyId| -> u64 { id.to_string().parse().unwrap() };
    let mut satisfied: Vec<u64> = response.diagnostics().reason().map(number).collect();
    let failed = response.diagnostics().errors().map(|error| {
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        number(error.policy_id())
    });
    let mut failed: Vec<u64> = failed.collect();
    satisfied.sort_unstable();
    failed.sort_unstable();
    [satisfied, failed]
}

fn ids(statements: &[StatementRef]) -> Vec<u64> {
    statements.iter().map(|one| one.policy.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_index_finds_what_cedar_finds_among_all(
        policies in proptest::collection::vec(statement(), 0..24),
        (who, action, what) in asked(),
    ) {
        let request = CedarRequest {
            principal: &who,
            action: &action,
            resource: &what,
            context: at("2026-11-25T09:30:15Z"),
        };
        let texts: Vec<&str> = policies.iter().map(String::as_str).collect();
        let verdict = set(&texts).decide(&request);
        let [mut forbidden, failed_forbids] = among_all(&policies, &request, true);
        let [permitted, failed_permits] = among_all(&policies, &request, false);
        forbidden.extend(&failed_forbids);
        forbidden.sort_unstable();
        let mut failed = failed_forbids;
        failed.extend(failed_permits);
        failed.sort_unstable();
        let reported: Vec<u64> =
            verdict.errors.iter().map(|error| error.statement.policy.0).collect();
        prop_assert_eq!(ids(&verdict.forbidden_by), forbidden);
        prop_assert_eq!(ids(&verdict.permitted_by), permitted);
        prop_assert_eq!(reported, failed);
    }

    /// Whatever else is written, a forbid that matches stays decisive.
    #[test]
    fn a_forbid_always_wins(
        mut policies in proptest::collection::vec(statement(), 0..12),
        position in 0_usize..12,
        (who, action, what) in asked(),
    ) {
        let position = position.min(policies.len());
        policies.insert(position, "forbid (principal, action, resource);".to_owned());
        let texts: Vec<&str> = policies.iter().map(String::as_str).collect();
        let verdict = set(&texts).decide(&CedarRequest {
            principal: &who,
            action: &action,
            resource: &what,
            context: at("2026-11-25T09:30:15Z"),
        });
        prop_assert!(verdict.is_forbidden());
        prop_assert!(ids(&verdict.forbidden_by).contains(&(position as u64 + 1)));
    }
}
