// SPDX-License-Identifier: Apache-2.0
//! Tokens, the people and roles of the platform, and what the audit log tells of them.

use super::*;

const GENERATE: &str = "mutation ($seconds: Long!, $name: String!) {
  GenerateSonraiUserToken(input: {expiresIn: $seconds, name: $name}) {
    name srn resourceId createdDate expireAt token } }";
const LIST: &str = "{ SonraiUserTokens { count items { name srn createdDate expireAt } } }";
const DELETE: &str = "mutation ($srn: String!) { DeleteSonraiUserToken(input: {srn: $srn}) }";

fn generate(world: &World, name: &str, seconds: i64) -> Json {
    let made = world.ask(GENERATE, json!({"seconds": seconds, "name": name}));
    made["GenerateSonraiUserToken"].clone()
}

#[test]
fn tokens_are_made_listed_used_deleted_and_expire() {
    let world = World::new();
    let short = generate(&world, "short", 7_200);
    let long = generate(&world, "long", 2_592_000);
    assert_eq!(short["expireAt"], "2027-01-15T10:00:00.000Z");
    let listed = world.ask(LIST, json!({}));
    let names = values(&listed["SonraiUserTokens"], "name");
    assert_eq!(names, ["first sonrai token", "short", "long"]);
    assert!(!listed.to_string().contains(long["token"].as_str().unwrap()));
    let long_token = long["token"].as_str().unwrap();
    let who = world.ask_as(
        long_token,
        "{ SonraiCurrentUsers { items { email } } }",
        json!({}),
    );
    assert_eq!(
        who["SonraiCurrentUsers"]["items"],
        json!([{"email": "chief@harbour.example"}])
    );
    // One token makes the next.
    let next = json!({"seconds": "28800", "name": "next"});
    let next = world.ask_as(long_token, GENERATE, next)["GenerateSonraiUserToken"].take();
    let deleted = world.ask(DELETE, json!({"srn": next["srn"]}));
    assert_eq!(deleted, json!({"DeleteSonraiUserToken": true}));
    let again = world.refused_as(&world.token(), DELETE, json!({"srn": next["srn"]}));
    assert_eq!(again.0, "NOT_FOUND");
    world.pass(7_201);
    let names = values(&world.ask(LIST, json!({}))["SonraiUserTokens"], "name");
    assert_eq!(names, ["first sonrai token", "long"], "ended ones vanish");
    let gone = world.refused_as(&world.token(), DELETE, json!({"srn": short["srn"]}));
    assert_eq!(gone.0, "NOT_FOUND");
}

#[test]
fn lives_out_of_range_and_foreign_names_are_refused() {
    let world = World::new();
    for seconds in [
        json!(7_199),
        json!(2_592_001),
        json!(0),
        json!(-1),
        json!("many"),
    ] {
        let asked = json!({"seconds": seconds, "name": "x"});
        let (code, message) = world.refused_as(&world.token(), GENERATE, asked);
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
        assert!(message.contains("expiresIn must be"), "{message}");
    }
    let empty = json!({"seconds": 7200, "name": " "});
    assert_eq!(
        world.refused_as(&world.token(), GENERATE, empty).0,
        "BAD_USER_INPUT"
    );
    let made = generate(&world, "mine", 7_200);
    let srn = made["srn"].as_str().unwrap();
    let id = srn.rsplit('/').next().unwrap();
    // The administrator's other credentials are no tokens of this platform.
    let caller = world.caller(&world.output.api_token);
    let other = World::credential_id(&caller);
    let own = caller.organization().id().to_string();
    for wrong in [
        format!("srn:elsewhere::SonraiUserToken/{id}"),
        format!("srn:{own}::SonraiUser/{id}"),
        format!("srn:{own}::SonraiUserToken/{other}"),
        id.to_owned(),
        String::new(),
    ] {
        let refused = world.refused_as(&world.token(), DELETE, json!({"srn": wrong}));
        assert_eq!(refused.0, "NOT_FOUND", "{wrong}");
    }
    let key = world.key(json!({"permissions": [{"effect": "ALLOW",
        "actions": ["query:ReadGraphData"], "resources": ["*"]}]}));
    let asked = json!({"seconds": 7200, "name": "x"});
    assert_eq!(world.refused_as(&key, GENERATE, asked).0, "FORBIDDEN");
    assert_eq!(
        world.refused_as(&key, DELETE, json!({"srn": srn})).0,
        "FORBIDDEN"
    );
}

impl World {
    /// Public id of the credential of a caller.
    fn credential_id(caller: &Caller) -> String {
        let view = caller.organization().store().view(None);
        view.id_cipher().uuid_of(caller.credential().unwrap())
    }
}

#[test]
fn users_and_roles_are_the_accounts_and_roles_of_the_core() {
    let world = World::new();
    let found = world.ask(
        "{ SonraiUsers(where: {isActive: true, email: {op: ILIKE, value: \"CHIEF@%\"}}) {
             count items { srn email name isActive
               lastLogin day: lastLogin @formatDateTime(format: \"yyyy-MM-dd\") } }
           inactive: SonraiUsers(where: {isActive: false}) { count }
           SonraiCurrentUsers { items { srn lastLogin } } }",
        json!({}),
    );
    assert_eq!(found["SonraiUsers"]["count"], 1);
    let user = &found["SonraiUsers"]["items"][0];
    assert_eq!(user["isActive"], true);
    assert_eq!(found["inactive"]["count"], 0);
    let srn = user["srn"].as_str().unwrap();
    assert_eq!(found["SonraiCurrentUsers"]["items"][0]["srn"], srn);
    if let Some(last) = user["lastLogin"].as_str() {
        assert!(last.starts_with(user["day"].as_str().unwrap()));
    }
    let by_name = "query ($srn: String) { SonraiUsers(where: {srn: {value: $srn}}) { count } }";
    let one = world.ask(by_name, json!({"srn": srn}));
    assert_eq!(one["SonraiUsers"]["count"], 1);
    let roles = "query role($srn: String) {
      SonraiRoles(where: {srn: {value: $srn}}) { items { name expandedPermissions } } }";
    let role = world.ask(roles, json!({"srn": "srn:supersonrai::SonraiRole/Viewer"}));
    let role = &role["SonraiRoles"]["items"][0];
    assert_eq!(role["name"], "Viewer");
    let permissions = role["expandedPermissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("graph:read")));
    assert!(!permissions.contains(&json!("graph:write")));
}

#[test]
fn the_audit_log_tells_of_tokens_within_its_bounds() {
    let world = World::new();
    world.pass(60);
    let made = generate(&world, "watched", 7_200);
    world.pass(60);
    world.ask(DELETE, json!({"srn": made["srn"]}));
    let query = "query ($from: DateTime!, $to: DateTime, $srn: String) {
      SonraiAuditLogs(where: {fromDate: {value: $from}, toDate: {value: $to},
          resourceSrn: {value: $srn}}) {
        count items(orderBy: {createdDate: {order: ASC}}) {
          type eventName actionType createdDate message actor { email name } } } }";
    let start = START.as_millis();
    let ask = |from: Json, to: Json| {
        let variables = json!({"from": from, "to": to, "srn": made["srn"]});
        world.ask(query, variables)["SonraiAuditLogs"].take()
    };
    let all = ask(json!(start), json!("2030-01-01T00:00:00Z"));
    assert_eq!(values(&all, "actionType"), ["CREATE", "DELETE"]);
    let first = &all["items"][0];
    assert_eq!(first["type"], "SonraiUserToken");
    assert_eq!(first["eventName"], "credential created");
    assert_eq!(first["actor"]["email"], "chief@harbour.example");
    // Numbers, texts with numbers and dates are all instants.
    let late = (start + 90_000).to_string();
    assert_eq!(ask(json!(late), json!("2030-01-01"))["count"], 1);
    assert_eq!(
        ask(json!("2027-01-15T08:00:30Z"), json!(start + 90_000))["count"],
        1
    );
    assert_eq!(ask(json!("2029-01-01"), json!("2030-01-01"))["count"], 0);
    let newest = world.ask(
        "{ SonraiAuditLogs { items(limit: 1) { eventName resourceSrn } } }",
        json!({}),
    );
    assert_eq!(
        values(&newest["SonraiAuditLogs"], "eventName"),
        ["credential deleted"]
    );
    let wrong =
        world.refused("{ SonraiAuditLogs(where: {fromDate: {value: \"soon\"}}) { count } }");
    assert!(wrong.1.contains("must be a date"), "{}", wrong.1);
}
