// SPDX-License-Identifier: Apache-2.0
//! A key that a condition bounds, in every dialect that takes it: it sees what fits, and nothing
//! that it could learn of the rest.

use serde_json::json;

use crate::common::tokens::{key, policy};
use crate::common::{self, JUPITERONE, NATIVE, OPENCTI, SONRAI};
use crate::world::World;

/// In everything that must not be seen.
const HIDDEN: &str = "reefmark";

#[test]
fn a_condition_holds_in_every_dialect() {
    let mut world = World::start();
    let chief = common::jupiterone(&world.server);
    for (team, name) in [("blue", "harbour"), ("red", HIDDEN)] {
        for (kind, class) in [
            ("boat", "Host"),
            ("aws_iam_user", "User"),
            ("aws_iam_role", "AccessRole"),
            ("aws_iam_group", "UserGroup"),
            ("aws_iam_policy", "AccessPolicy"),
            ("intrusion_set", "ThreatActor"),
        ] {
            let properties = json!({"displayName": name, "name": name, "team": team, "srn": name});
            common::create(&chief, &format!("{name}-{kind}"), kind, class, &properties);
        }
    }
    let role = json!({"name": HIDDEN});
    world.sdk.made("Roles", "role", &role);
    let group = json!({"name": HIDDEN});
    world.sdk.made("Groups", "group", &group);
    world.person(HIDDEN, "user");
    let postgres = json!({"name": HIDDEN, "hostname": "db", "username": "u", "password": "p",
        "database": "d", "port": 5432});
    world
        .sdk
        .made("Resources", "resource", &json!({ "postgres": postgres }));
    let conditions = [
        policy(&json!({"actions": ["query:ReadGraphData"],
            "condition": {"stringEquals": {"team": "blue"}}})),
        policy(&json!({"actions": ["*"], "condition": {"stringEquals": {"team": "blue"}}})),
    ];
    for text in conditions {
        let (_, blue) = key(&chief, "blue", &text, None);
        let blue = world.server.anonymous().with_token(&blue);
        let documents = [
            (
                JUPITERONE,
                "{ queryV1(query: \"FIND * AS x RETURN x.*\") { data } }",
            ),
            (
                JUPITERONE,
                "{ queryV1(query: \"FIND * AS x RETURN x._type, count(x) AS n\") { data } }",
            ),
            (
                JUPITERONE,
                "{ queryV1(query: \"FIND 'reefmark'\") { data } }",
            ),
            (
                JUPITERONE,
                "{ queryV1(query: \"FIND * THAT RELATES TO * RETURN TREE\") { data } }",
            ),
            (
                NATIVE,
                "{ entities(first: 500) { nodes { properties relationships { nodes { id } }
                history { nodes { properties } } } } }",
            ),
            (
                NATIVE,
                "{ entities(search: \"reefmark\") { totalCount nodes { properties } } }",
            ),
            (NATIVE, "{ accounts { nodes { displayName email } } }"),
            (NATIVE, "{ auditTrail { nodes { changes detail } } }"),
            (
                NATIVE,
                "{ credentials { nodes { name account { displayName } } } }",
            ),
            (
                NATIVE,
                "{ types { name } verbs { name } triplets { from verb to } }",
            ),
            (OPENCTI, "{ users { edges { node { name user_email } } } }"),
            (
                OPENCTI,
                "{ intrusionSets { pageInfo { globalCount } edges { node { name } } } }",
            ),
            (
                OPENCTI,
                "{ stixCoreObjects(search: \"reefmark\") { edges { node { id } } } }",
            ),
            (
                SONRAI,
                "{ SonraiUsers { count items { srn name } } SonraiRoles { items { name } } }",
            ),
            (
                SONRAI,
                "{ Users { count items { name srn } } Roles { count items { name srn } } }",
            ),
            (
                SONRAI,
                "{ Identities { count items { name srn } } Groups { items { name } } }",
            ),
            (SONRAI, "{ SonraiAuditLogs { items { actorSrn } } }"),
        ];
        world.without_trace(|_| {
            for (path, document) in documents {
                let answer = blue.graphql(path, document, &json!({})).unwrap();
                let told = answer.to_string();
                assert!(!told.contains(HIDDEN), "{document}: {told}");
                let is_count = told.contains("globalCount\":2") || told.contains("count\":4");
                assert!(!is_count, "{document}: {told}");
            }
            for path in [
                "/entities",
                "/relationships",
                "/persister/synchronization/jobs",
                "/v1/repos",
                "/v1/users/groups",
                "/v1/users/serviceAccounts",
                "/v1/sidecars",
                "/audit/verify",
            ] {
                let answer = blue.get(path).unwrap();
                assert!(!answer.body.contains(HIDDEN), "{path}: {}", answer.body);
                assert_eq!(answer.status, 403, "{path}: {}", answer.body);
            }
        });
        let seen = common::rows(&blue, "FIND boat AS b RETURN b.displayName AS n");
        assert_eq!(seen, [json!({"n": "harbour"})]);
    }
}
