// SPDX-License-Identifier: Apache-2.0
//! Lists over imported cloud data: what they show, filter and sort, and to whom.

use durward_model::Value;

use super::*;

#[test]
fn the_hierarchy_is_the_organization_with_its_scopes() {
    let world = World::with_cloud();
    let query = "query ($filters: CloudHierarchyFilter) {
      CloudHierarchyList(where: $filters) { count items(orderBy: {scope: {order: ASC}}) {
        resourceId entryType scope parentScope rootScope scopeFriendlyName owners { email }
        account: scope @regex(match: \".*/([0-9]*)$\", replace: \"$1\") } } }";
    let all = world.ask(
        query,
        json!({"filters": {"cloudType": {"op": "EQ", "value": "aws"}}}),
    );
    let list = &all["CloudHierarchyList"];
    assert_eq!(list["count"], 6);
    let data = &list["items"][4];
    assert_eq!(
        data["scope"],
        "aws/r-9xk2/ou-9xk2-3hq7wv1p/ou-9xk2-m05tzk8c"
    );
    let account = &list["items"][5];
    let expected = json!({"resourceId": "603318259047", "entryType": "account",
        "scope": "aws/r-9xk2/ou-9xk2-3hq7wv1p/ou-9xk2-m05tzk8c/603318259047",
        "parentScope": "aws/r-9xk2/ou-9xk2-3hq7wv1p/ou-9xk2-m05tzk8c", "rootScope": "aws/r-9xk2",
        "scopeFriendlyName": "aws/Root/Workloads/Data/brackwater-data", "owners": [],
        "account": "603318259047"});
    assert_eq!(account, &expected);
    // As scripts ask for the root, and for the accounts that they may change.
    let management = json!({"filters": {
        "entryType": {"op": "EQ", "value": "managementAccount"},
        "resourceId": {"op": "EQ", "value": "810442207196"}}});
    let found = world.ask(query, management);
    assert_eq!(
        found["CloudHierarchyList"]["items"][0]["rootScope"],
        "aws/r-9xk2"
    );
    let accounts = json!({"filters": {"purpleEnabled": {"op": "EQ", "value": true},
        "entryType": {"op": "EQ", "value": "account"}, "active": {"op": "EQ", "value": "true"},
        "scope": {"op": "STARTS_WITH", "value": "aws/r-9xk2/ou-9xk2-3hq7wv1p/"}}});
    let found = world.ask(query, accounts);
    let ids = values(&found["CloudHierarchyList"], "resourceId");
    assert_eq!(ids, ["245907731864", "603318259047"]);
}

#[test]
fn principals_that_only_a_trust_policy_names_are_not_listed() {
    let world = World::with_cloud();
    let found = world.ask(
        "{ Users { count } Roles { count } Groups { count } Identities { count }
           all: ListResourceSummaries { count }
           policies: ListResourceSummaries(where: {type: {value: Policy}}) { count } }",
        json!({}),
    );
    // The README of the samples: 9 users, 5 groups, 10 roles, 8 managed policies, 3 accounts.
    assert_eq!(found["Users"]["count"], 9);
    assert_eq!(found["Roles"]["count"], 10);
    assert_eq!(found["Groups"]["count"], 5);
    assert_eq!(found["Identities"]["count"], 19);
    let policies = found["policies"]["count"].as_u64().unwrap();
    assert!(policies >= 8);
    assert_eq!(found["all"]["count"], 9 + 10 + 5 + 3 + policies);
}

#[test]
fn without_an_import_lists_are_empty() {
    let world = World::new();
    let found = world.ask(
        "{ CloudHierarchyList { count items { scope } } Users(where: {name: {value: \"x\"}}) {
             count items { name } } DescribeAWSDirectPolicy { count items { policyJson } } }",
        json!({}),
    );
    let nothing = json!({"count": 0, "items": []});
    for field in ["CloudHierarchyList", "Users", "DescribeAWSDirectPolicy"] {
        assert_eq!(found[field], nothing, "{field}");
    }
}

#[test]
fn policies_are_found_by_their_own_name_and_by_that_of_their_holder() {
    let world = World::with_cloud();
    let query = "query fetch($srn: String!) {
      DescribeAWSDirectPolicy(where: {srn: {op: EQ, value: $srn}}) { items { policyJson } } }";
    let documents = |srn: &str| -> Vec<Json> {
        let found = world.ask(query, json!({"srn": srn}));
        let texts = values(&found["DescribeAWSDirectPolicy"], "policyJson");
        texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    };
    let trust = documents("srn:aws:iam::603318259047/Role/Role/lake-loader");
    assert_eq!(trust[0]["Statement"][0]["Action"], "sts:AssumeRole");
    let managed = documents("srn:aws:iam::603318259047/Policy/Policy/LakeRead");
    assert_eq!(managed.len(), 1);
    let inline = world.ask(
        "{ DescribeAWSDirectPolicy(where: {srn: {op: REGEX,
             value: \"/Policy/Policy/(User|Role|Group)/\"}}) { items { srn policyJson } } }",
        json!({}),
    );
    let srn = values(&inline["DescribeAWSDirectPolicy"], "srn").remove(0);
    assert_eq!(documents(&srn).len(), 1);
    // srn:aws:iam::account/Policy/Policy/Kind/holder/name
    let parts: Vec<&str> = srn.split('/').collect();
    let holder = format!("{}/{}/{}/{}", parts[0], parts[3], parts[3], parts[4]);
    assert!(documents(&holder).contains(&documents(&srn)[0]));
    assert!(documents("srn:aws:s3::123456789012/DataContainer/my-bucket").is_empty());
}

#[test]
fn members_and_tags_are_shown_and_filtered() {
    let world = World::with_cloud();
    let found = world.ask(
        "query ($tags: [String], $from: Long) {
           Users(where: {isMemberOf: {count: {op: GT, value: 0},
               items: {and: [{or: [{srn: {op: CONTAINS, value: Analysts}}]} {}]}}}) {
             items(orderBy: {name: {order: DESC}}) { name isMemberOf { items { name
               hasMember { count } } } } }
           Identities(where: {tagSet: {op: LIKE, values: $tags}}) {
             items(limit: 1, offset: $from) {
               name tagSet team: tagSet @regex(match: \"team:(.*)\", replace: \"$1\") } } }",
        json!({"tags": ["team:%"], "from": 0}),
    );
    assert_eq!(
        values(&found["Users"], "name"),
        ["sven.aaltonen", "nadia.korhonen"]
    );
    let group = &found["Users"]["items"][0]["isMemberOf"]["items"][0];
    assert_eq!(
        group,
        &json!({"name": "Analysts", "hasMember": {"count": 2}})
    );
    let tagged = &found["Identities"]["items"][0];
    let tag = tagged["tagSet"][0].as_str().unwrap();
    assert_eq!(tagged["team"][0], tag.strip_prefix("team:").unwrap());
}

#[test]
fn pages_are_bounded_and_errors_are_clear() {
    let world = World::with_cloud();
    let put = |number: usize| Operation::PutEntity {
        entity_type: "aws_iam_user".to_owned(),
        classes: Some(vec!["User".to_owned()]),
        namespace: space(),
        key: format!("many-{number}"),
        properties: vec![(
            "srn".to_owned(),
            Value::from(format!("srn:many/{number:05}")),
        )],
        aliases: Vec::new(),
        mode: PutMode::Create,
    };
    for start in (0..10_000).step_by(1000) {
        world.write((start..start + 1000).map(put).collect());
    }
    let (code, message) = world.refused("{ Users { items(limit: -1) { srn } } }");
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.contains("more than 10000 items"), "{message}");
    let found = world.ask(
        "{ Users { count
             items(limit: 2, offset: 9998, orderBy: [{srn: {order: \"DESC\"}}]) { srn } }
           few: Users(where: {srn: {op: STARTS_WITH, value: \"srn:aws\"}}) {
             items(limit: \"-1\") { srn } } }",
        json!({}),
    );
    assert_eq!(found["Users"]["count"], 10_009);
    assert_eq!(
        values(&found["Users"], "srn"),
        ["srn:many/00001", "srn:many/00000"]
    );
    assert_eq!(found["few"]["items"].as_array().unwrap().len(), 9);
    for (query, expected) in [
        ("{ Users { items(limit: 10001) { srn } } }", "limit must be"),
        ("{ Users { items(limit: -2) { srn } } }", "limit must be"),
        ("{ Users { items(offset: -1) { srn } } }", "offset must"),
        (
            "{ Users { items(orderBy: {srn: {order: UP}}) { srn } } }",
            "ASC or DESC",
        ),
        (
            "{ Users(where: {name: {op: MATCHES, value: 1}}) { count } }",
            "op is not one of",
        ),
        (
            "{ Users(where: {displayName: {value: 1}}) { count } }",
            "displayName",
        ),
        (
            "{ SonraiUsers(where: {passwordHash: {value: 1}}) { count } }",
            "passwordHash",
        ),
        (
            "{ SonraiUsers { items(orderBy: {passwordHash: {order: ASC}}) { srn } } }",
            "passwordHash",
        ),
        ("{ SonraiUsers { items { passwordHash } } }", "passwordHash"),
        (
            "{ Users { count @regex(match: \"1\", replace: \"\") } }",
            "does not apply to count",
        ),
        (
            "{ Users { items(limit: 1) { name @regex(match: \"(\", replace: \"\") } } }",
            "no regular",
        ),
        (
            "{ Users { items(limit: 1) { srn @formatDateTime } } }",
            "no date",
        ),
    ] {
        let (_, message) = world.refused(query);
        assert!(message.contains(expected), "{query}: {message}");
    }
}

#[test]
fn a_row_condition_hides_everything_else_also_from_counts_and_relations() {
    let world = World::with_cloud();
    let key = world.key(json!({"permissions": [{"effect": "ALLOW",
        "actions": ["query:ReadGraphData"], "resources": ["*"],
        "condition": {"stringEquals": {
            "accountId": ["603318259047"], "_type": ["aws_iam_user"]}}}]}));
    let found = world.ask_as(
        &key,
        "{ Users { count items { account isMemberOf { count items { name } } } }
           inGroups: Users(where: {isMemberOf: {count: {op: GT, value: 0}}}) { count }
           Roles { count } DescribeAWSDirectPolicy { count } CloudHierarchyList { count } }",
        json!({}),
    );
    let user = json!({"account": "603318259047", "isMemberOf": {"count": 0, "items": []}});
    assert_eq!(found["Users"], json!({"count": 2, "items": [user, user]}));
    for field in [
        "inGroups",
        "Roles",
        "DescribeAWSDirectPolicy",
        "CloudHierarchyList",
    ] {
        assert_eq!(found[field]["count"], 0, "{field}");
    }
    for query in [
        "{ SonraiUsers { count } }",
        "{ SonraiRoles { count } }",
        "{ SonraiAuditLogs { count } }",
        "{ SonraiUserTokens { count } }",
    ] {
        assert_eq!(
            world.refused_as(&key, query, json!({})).0,
            "FORBIDDEN",
            "{query}"
        );
    }
}
