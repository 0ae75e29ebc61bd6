// SPDX-License-Identifier: Apache-2.0
//! What policies say about requests.

use super::*;

fn forbids(condition: &str) -> bool {
    let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
    let verdict = connect(&[&text]);
    assert_eq!(verdict.errors, [], "{condition}");
    verdict.is_forbidden()
}

#[test]
fn the_vendors_examples_mean_what_they_say() {
    let select = CedarName::new("SQL::Action", "select").unwrap();
    let delete = CedarName::new("SQL::Action", "delete").unwrap();
    for (text, on_connect, on_select, on_delete) in [
        ("permit (principal, action, resource);", "p", "p", "p"),
        ("forbid (principal, action, resource);", "f", "f", "f"),
        (
            r#"permit (principal, action == SQL::Action::"select",
                       resource == Postgres::Database::"*");"#,
            "-",
            "p",
            "-",
        ),
        (
            r#"forbid (principal, action == StrongDM::Action::"connect", resource);"#,
            "f",
            "-",
            "-",
        ),
        (
            r#"forbid (principal, action == SQL::Action::"delete",
                       resource == Postgres::Database::"*");"#,
            "-",
            "-",
            "f",
        ),
        (
            r#"forbid (principal, action == StrongDM::Action::"connect",
                       resource == StrongDM::Resource::"rs-1");"#,
            "f",
            "-",
            "-",
        ),
    ] {
        let asked = [
            (CedarName::connect().unwrap(), on_connect),
            (select.clone(), on_select),
            (delete.clone(), on_delete),
        ];
        for (action, expected) in asked {
            let verdict = decide(&[text], &action);
            let said = match (verdict.is_forbidden(), verdict.permitted_by.is_empty()) {
                (true, true) => "f",
                (false, false) => "p",
                (false, true) => "-",
                (true, false) => "both",
            };
            assert_eq!(said, expected, "{text} on {action}");
        }
    }
}

#[test]
fn heads_match_ids_memberships_types_and_the_wildcard() {
    for (head, matches) in [
        (
            r#"principal == StrongDM::Account::"a-1", action, resource"#,
            true,
        ),
        (
            r#"principal == StrongDM::Account::"a-2", action, resource"#,
            false,
        ),
        (
            r#"principal == StrongDM::Account::"*", action, resource"#,
            true,
        ),
        (
            r#"principal == StrongDM::Role::"*", action, resource"#,
            true,
        ),
        (
            r#"principal in StrongDM::Role::"r-2", action, resource"#,
            true,
        ),
        (
            r#"principal in StrongDM::Role::"r-3", action, resource"#,
            false,
        ),
        (
            r#"principal in StrongDM::Group::"g-1", action, resource"#,
            true,
        ),
        (
            r#"principal in External::Group::"*", action, resource"#,
            false,
        ),
        ("principal is StrongDM::Account, action, resource", true),
        ("principal is StrongDM::Role, action, resource", false),
        (
            r#"principal is StrongDM::Account in StrongDM::Role::"r-1", action, resource"#,
            true,
        ),
        (
            r#"principal, action == StrongDM::Action::"*", resource"#,
            true,
        ),
        (r#"principal, action == SQL::Action::"*", resource"#, false),
        (
            r#"principal, action in [SQL::Action::"select", StrongDM::Action::"connect"], resource"#,
            true,
        ),
        (
            r#"principal, action, resource == Postgres::Database::"orders""#,
            true,
        ),
        (
            r#"principal, action, resource == Postgres::Database::"rs-1""#,
            true,
        ),
        (
            r#"principal, action, resource == Postgres::Database::"users""#,
            false,
        ),
        (
            r#"principal, action, resource == MySQL::Database::"*""#,
            false,
        ),
        (
            r#"principal, action, resource in StrongDM::Resource::"*""#,
            true,
        ),
        ("principal, action, resource is StrongDM::Resource", true),
        ("principal, action, resource is Postgres::Database", true),
        ("principal, action, resource is SSH::Server", false),
        (
            r#"principal, action, resource is Postgres::Database in StrongDM::Resource::"rs-1""#,
            true,
        ),
        (
            r#"principal, action, resource is SSH::Server in StrongDM::Resource::"rs-1""#,
            false,
        ),
    ] {
        let verdict = connect(&[&format!("forbid ({head});")]);
        assert_eq!(verdict.is_forbidden(), matches, "{head}");
        assert_eq!(verdict.errors, []);
    }
}

#[test]
fn conditions_read_attributes_tags_and_circumstances() {
    for (condition, holds) in [
        (r#"principal.email == "ada@example.org""#, true),
        (r#"principal.accountType == "service""#, false),
        (
            r#"principal.permissionLevel == "user" && !principal.isManagedUser"#,
            true,
        ),
        (r#"principal.externalId == """#, true),
        (
            r#"principal.tags has team && principal.tags.team == "blue""#,
            true,
        ),
        (
            r#"principal.tags.hasTag("team") && principal.tags.getTag("team") == "red""#,
            false,
        ),
        (r#"principal.hasTag("team")"#, true),
        (
            r#"resource.sdm.hasTag("env") && resource.sdm.getTag("env") == "prod""#,
            true,
        ),
        (
            r#"resource has sdm && resource.sdm.tags.env like "pr*""#,
            true,
        ),
        ("resource.tags has zone", false),
        (
            r#"resource.hasTag("env") && resource.getTag("env") == "prod""#,
            true,
        ),
        (
            r#"resource.name == "orders" && resource.port == 5432"#,
            true,
        ),
        (
            r#"resource.kind == "postgres" && resource.id == "rs-1""#,
            true,
        ),
        (r#"resource == Postgres::Database::"*""#, true),
        (r#"resource != Postgres::Database::"*""#, false),
        (r#"StrongDM::Resource::"rs-1" == resource"#, true),
        (
            "resource is Postgres::Database && resource is StrongDM::Resource",
            true,
        ),
        (
            r#"resource is Postgres::Database in StrongDM::Resource::"rs-2""#,
            false,
        ),
        (r#"resource.sdm == StrongDM::Resource::"rs-1""#, true),
        (r#"action == StrongDM::Action::"*""#, true),
        (
            r#"principal in [StrongDM::Role::"r-9", StrongDM::Role::"r-1"]"#,
            true,
        ),
        (
            "context.utcNow.dayOfWeek == 4 && context.utcNow.minuteOfDay == 570",
            true,
        ),
        (
            "context.utcNow.year == 2026 && context.utcNow.hour < 9",
            false,
        ),
        (r#"context.now > datetime("2026-11-25T09:30:00Z")"#, true),
        (
            r#"context has network && context.network.clientIp.isInRange(ip("10.0.0.0/8"))"#,
            true,
        ),
        ("context has location", false),
    ] {
        assert_eq!(forbids(condition), holds, "{condition}");
    }
}

#[test]
fn an_object_inside_a_resource_counts_as_the_resource() {
    let mut resource = resource();
    resource.objects = vec![
        CedarName::new("Postgres::Table", "public.cards").unwrap(),
        CedarName::new("Postgres::Schema", "public").unwrap(),
    ];
    for (head, matches) in [
        (r#"resource == Postgres::Table::"public.cards""#, true),
        ("resource is Postgres::Table", true),
        (r#"resource in Postgres::Schema::"public""#, true),
        (r#"resource == Postgres::Database::"*""#, true),
        (r#"resource == StrongDM::Resource::"rs-1""#, true),
        (r#"resource == Postgres::Table::"public.users""#, false),
    ] {
        let text =
            format!("forbid (principal, action, {head}) when {{ resource.sdm.hasTag(\"env\") }};");
        let verdict = set(&[&text]).decide(&CedarRequest {
            principal: &principal(),
            action: &CedarName::new("SQL::Action", "select").unwrap(),
            resource: &resource,
            context: at("2026-11-25T09:30:15Z"),
        });
        assert_eq!(verdict.is_forbidden(), matches, "{head}");
        assert_eq!(verdict.errors, []);
    }
    assert!(CedarName::new("Postgres Table", "x").is_err());
}

#[test]
fn a_forbid_wins_and_everything_is_named() {
    let verdict = connect(&[
        r#"permit (principal, action, resource); forbid (principal == StrongDM::Account::"a-9",
           action, resource);"#,
        r#"@error("only by day") forbid (principal, action, resource)
           when { context.utcNow.hour > 8 };"#,
        r#"@justify("why?") permit (principal in StrongDM::Role::"r-1", action, resource);"#,
    ]);
    assert!(verdict.is_forbidden());
    assert_eq!(numbers(&verdict.forbidden_by), [(2, 1)]);
    assert_eq!(numbers(&verdict.permitted_by), [(1, 1), (3, 1)]);
    assert_eq!(verdict.forbidden_by[0].message(), Some("only by day"));
    assert_eq!(
        verdict.forbidden_by[0].to_string(),
        "statement 1 of the policy \"p2\""
    );
    let justify = verdict.permitted_by[1].annotations.get("justify");
    assert_eq!(justify.map(String::as_str), Some("why?"));
    assert_eq!(connect(&[]), CedarVerdict::default());
}

#[test]
fn a_forbid_that_cannot_be_judged_refuses_and_a_permit_does_not_count() {
    let condition = r#"when { resource.sdm.getTag("zone") == "eu" };"#;
    let verdict = connect(&[
        &format!("forbid (principal, action, resource) {condition}"),
        &format!("permit (principal, action, resource) {condition}"),
        &format!("forbid (principal == StrongDM::Account::\"a-2\", action, resource) {condition}"),
    ]);
    assert_eq!(numbers(&verdict.forbidden_by), [(1, 1)]);
    assert_eq!(verdict.permitted_by, []);
    let failed: Vec<_> = verdict
        .errors
        .iter()
        .map(|error| error.statement.policy.0)
        .collect();
    assert_eq!(failed, [1, 2]);
    assert!(
        verdict.errors[0].reason.contains("zone"),
        "{}",
        verdict.errors[0].reason
    );
}

#[test]
fn every_moment_and_address_can_be_asked_about() {
    let text = "forbid (principal, action, resource) when { context.utcNow.year < 1970 };";
    for (now, before) in [
        (Instant::MIN, true),
        (Instant::MAX, false),
        (Instant::from_micros(-1), true),
    ] {
        for address in [None, Some("::1".parse().unwrap())] {
            let verdict = set(&[text]).decide(&CedarRequest {
                principal: &principal(),
                action: &CedarName::connect().unwrap(),
                resource: &resource(),
                context: CedarContext {
                    now,
                    source_address: address,
                },
            });
            assert_eq!(verdict.errors, []);
            assert_eq!(verdict.is_forbidden(), before, "{now:?}");
        }
    }
}
