// SPDX-License-Identifier: Apache-2.0
//! What may I: what is told about the rights of accounts, what their credentials tell of
//! themselves, and what happens when they do it.

use std::collections::{BTreeMap, BTreeSet};

use durward_policy::{Action, Right, Rights, Vocabulary};
use durward_testkit::{Answer, Client};
use serde_json::{Value as Json, json};

use crate::common::{NATIVE, OPENCTI, SONRAI, data, ok};
use crate::judge::{Account, Id, State};
use crate::organization::{Organization, bare};
use crate::reach::Moment;

/// Code of gRPC for what the caller may not do.
const DENIED: u8 = 7;
/// Code of gRPC for what is not there.
const NOT_FOUND: u8 = 5;
/// Actions that are explained for each account at each moment.
const EXPLAINED: usize = 2;
const EXPLAIN: &str = "query E($principal: String!, $action: String!, $at: DateTime) {
  explainAccess(principal: $principal, action: $action, object: \"organization\", at: $at) }";
pub const CREDENTIAL: &str = "mutation M($input: CreateCredentialInput!) {
  createCredential(input: $input) { secret credential { publicId } } }";

/// Calls that change nothing, and the actions that they ask for.
const CALLS: [(&str, Action); 21] = [
    ("Roles.List", Action::RoleList),
    ("Groups.List", Action::GroupList),
    ("Resources.List", Action::ResourceList),
    ("Nodes.List", Action::NodeList),
    ("Policies.List", Action::PolicyRead),
    ("AccountGrants.List", Action::GrantRead),
    ("AccountsGroups.List", Action::GroupMemberList),
    ("AccountAttachments.List", Action::RoleAssignmentList),
    ("GroupsRoles.List", Action::GroupRoleList),
    ("AccountResources.List", Action::EntitlementsRead),
    ("AccountPermissions.List", Action::PermissionsRead),
    ("RolesHistory.List", Action::AuditRoles),
    ("AccountResourcesHistory.List", Action::AuditGrants),
    ("Roles.Delete", Action::RoleDelete),
    ("Groups.Delete", Action::GroupDelete),
    ("Resources.Delete", Action::ResourceDelete),
    ("Nodes.Delete", Action::NodeDelete),
    ("Policies.Delete", Action::PolicyWrite),
    ("AccountGrants.Delete", Action::GrantWrite),
    ("AccountsGroups.Delete", Action::GroupMemberRemove),
    ("GroupsRoles.Delete", Action::GroupRoleUnassign),
];

pub fn texts<'t>(values: &'t Json, name: Option<&str>) -> BTreeSet<&'t str> {
    let values = values.as_array().unwrap().iter();
    let texts = values.map(|value| name.map_or(value, |name| &value[name]));
    texts.filter_map(Json::as_str).collect()
}

/// What an account may do, suspension counted.
fn held(state: &State, account: &str) -> Rights {
    if state.is_suspended(account) {
        return Rights::NONE;
    }
    state.rights(account)
}

/// What is told about the rights of accounts at a moment.
pub fn compare(organization: &mut Organization, moment: Moment<'_>) {
    let state = moment.state;
    let rows = organization
        .sdk
        .rows("AccountPermissions", moment.asked(json!({})));
    let mut told: BTreeMap<Id, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        let account = bare(row["account_id"].as_str().unwrap());
        let permission = row["permission"].as_str().unwrap();
        assert!(
            told.entry(account).or_default().insert(permission),
            "{row} is there twice"
        );
    }
    for account in state.accounts.keys() {
        let held = held(state, account);
        let all = Right::all().filter(|right| held.contains(*right));
        let expected: BTreeSet<&str> = all.filter_map(Right::strongdm_key).collect();
        let told = told.remove(account).unwrap_or_default();
        assert_eq!(told, expected, "AccountPermissions of {account} {moment:?}");
        for _ in 0..EXPLAINED {
            let action = organization.dice.pick(Action::all()).unwrap();
            let variables = json!({"principal": account, "action": action.name(),
                "at": moment.rfc3339()});
            let told = &data(&organization.chief, NATIVE, EXPLAIN, &variables)["explainAccess"];
            assert_eq!(
                told["allowed"],
                action.is_given_by(&held),
                "{action}, {told}"
            );
            assert_eq!(told["suspended"], state.is_suspended(account), "{told}");
            // Who is suspended has the rights still, and they count for nothing.
            for right in told["rights"].as_array().unwrap() {
                let known = Right::named(right["right"].as_str().unwrap()).unwrap();
                let has = state.rights(account).contains(known);
                assert_eq!(
                    right["account"], has,
                    "{action} of {account} {moment:?}: {told}"
                );
            }
        }
    }
}

/// What roles give, as two dialects tell it.
pub fn roles(organization: &Organization) {
    let state = &organization.state;
    let text = "{ SonraiRoles { items { name expandedPermissions } } }";
    let told = data(&organization.chief, SONRAI, text, &json!({}));
    let items = told["SonraiRoles"]["items"].as_array().unwrap().iter();
    let sonrai: BTreeMap<&str, BTreeSet<&str>> = items
        .map(|item| {
            (
                item["name"].as_str().unwrap(),
                texts(&item["expandedPermissions"], None),
            )
        })
        .collect();
    let told = ok(organization.chief.get("/v1/users/groups").unwrap());
    let groups = told["groups"].as_array().unwrap();
    for (id, role) in &state.roles {
        let names: BTreeSet<&str> = Right::all()
            .filter(|right| role.rights.contains(*right))
            .map(Right::name)
            .collect();
        assert_eq!(sonrai.get(role.name.as_str()), Some(&names), "{role:?}");
        let group = groups
            .iter()
            .find(|group| group["id"] == json!(id))
            .unwrap();
        let cyral = Vocabulary::Cyral.words().filter(|name| {
            let right = Right::of_cyral(name);
            right.is_some_and(|right| role.rights.contains(right))
        });
        let cyral: Vec<String> = cyral
            .map(|name| name.to_lowercase().replace(' ', "-"))
            .collect();
        let told = texts(&group["roles"], None);
        assert_eq!(told, cyral.iter().map(String::as_str).collect(), "{role:?}");
        let holders = state.assigned.values().filter(|(_, held)| held == id);
        let names = holders.map(|(holder, _)| match state.accounts.get(holder) {
            Some(account) => account.name.as_str(),
            None => state.groups[holder].as_str(),
        });
        let members = texts(&group["members"], None);
        assert_eq!(members, names.collect(), "members of {role:?}");
    }
}

/// Who is suspended, as four dialects tell it.
pub fn suspensions(organization: &mut Organization) {
    let accounts = organization.state.accounts.values();
    let active = |is_user: bool| -> BTreeSet<String> {
        let of_kind = accounts.clone().filter(|own| own.is_user || !is_user);
        let active = of_kind.filter(|own| !own.suspended);
        active.map(Account::shown).collect()
    };
    let (all, users) = (active(false), active(true));
    let chief = &organization.chief;
    let address = organization.server.credentials().json()["admin"]["email"].clone();
    let told = |rows: &Json, name: &str, is_active: &dyn Fn(&Json) -> bool| -> BTreeSet<String> {
        let rows = rows.as_array().unwrap().iter();
        let active = rows.filter(|row| is_active(row) && row["email"] != address);
        active
            .map(|row| row[name].as_str().unwrap().to_owned())
            .collect()
    };
    let text = "{ accounts(first: 500) { nodes { displayName email active } } }";
    let rows = data(chief, NATIVE, text, &json!({}));
    let rows = &rows["accounts"]["nodes"];
    assert_eq!(told(rows, "displayName", &|row| row["active"] == true), all);
    let text = "{ SonraiUsers { items { name email isActive } } }";
    let rows = data(chief, SONRAI, text, &json!({}));
    let rows = &rows["SonraiUsers"]["items"];
    assert_eq!(told(rows, "name", &|row| row["isActive"] == true), users);
    let text = "{ users(first: 500) { edges { node { name email: user_email account_status } } } }";
    let mut rows = data(chief, OPENCTI, text, &json!({}));
    let rows = rows["users"]["edges"].as_array_mut().unwrap().iter_mut();
    let rows = Json::Array(rows.map(|edge| edge["node"].take()).collect());
    assert_eq!(
        told(&rows, "name", &|row| row["account_status"] == "Active"),
        all
    );
    let rows = organization.sdk.list("Accounts", "").into_iter();
    let shown = rows.filter_map(|row| {
        let (branch, account) = row.as_object()?.iter().next()?;
        let (name, suspended) = match branch.as_str() {
            "user" => (&account["email"], &account["suspendedRO"]),
            "service" => (&account["name"], &account["suspended"]),
            _ => return None,
        };
        Some((name.as_str()?.to_owned(), *suspended == true))
    });
    let told = shown.filter(|(name, suspended)| !suspended && *name != address);
    let told = told.map(|(name, _)| name).collect::<BTreeSet<_>>();
    let accounts = organization.state.accounts.values();
    let active = accounts.filter(|account| !account.suspended);
    assert_eq!(told, active.map(|account| account.name.clone()).collect());
}

/// A credential of an account: its public id and its secret; nothing where it gets none.
fn credential(organization: &Organization, account: &str, kind: &str) -> (String, String) {
    let input = json!({"account": account, "kind": kind, "name": format!("{kind} {account}")});
    let made = data(
        &organization.chief,
        NATIVE,
        CREDENTIAL,
        &json!({ "input": input }),
    );
    let made = &made["createCredential"];
    let part = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    (part(&made["credential"]["publicId"]), part(&made["secret"]))
}

pub fn cyral_token(anonymous: &Client, id: &str, secret: &str) -> Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let path = "/v1/users/oidc/token";
    anonymous.send("POST", path, Some(form.as_bytes())).unwrap()
}

/// What every account finds that it may do, with credentials of its own.
pub fn done_by_themselves(organization: &mut Organization) {
    let accounts: Vec<Id> = organization.state.accounts.keys().cloned().collect();
    for account in accounts {
        let rights = held(&organization.state, &account);
        opencti(organization, &account, &rights);
        native(organization, &account, &rights);
        strongdm(organization, &account, &rights);
        cyral(organization, &account, &rights);
    }
}

fn opencti(organization: &Organization, account: &str, rights: &Rights) {
    let (_, secret) = credential(organization, account, "opencti_token");
    let client = organization.server.anonymous().with_token(&secret);
    let text = "{ me { capabilities { name } } }";
    let answer = client.graphql(OPENCTI, text, &json!({})).unwrap();
    if organization.state.is_suspended(account) {
        assert!(
            answer["data"]["me"].is_null(),
            "{account} is suspended: {answer}"
        );
        return;
    }
    let told = texts(&answer["data"]["me"]["capabilities"], Some("name"));
    let all = Right::all().filter(|right| rights.contains(*right));
    assert_eq!(
        told,
        all.filter_map(Right::capability).collect(),
        "me of {account}"
    );
}

fn native(organization: &Organization, account: &str, rights: &Rights) {
    let (_, secret) = credential(organization, account, "api_token");
    let client = organization.server.anonymous().with_token(&secret);
    let text = "query E($id: String!) { effectiveAccess(principal: $id) { nodes { grantedAt } } }";
    let answer = client
        .graphql(NATIVE, text, &json!({ "id": account }))
        .unwrap();
    let may = Action::EntitlementsRead.is_given_by(rights);
    assert_eq!(answer["errors"].is_null(), may, "{account}: {answer}");
}

fn strongdm(organization: &Organization, account: &str, rights: &Rights) {
    let (id, secret) = credential(organization, account, "strongdm_key");
    let mut sdk = organization
        .sdk
        .with_key(&organization.server, &id, &secret);
    let is_suspended = organization.state.is_suspended(account);
    for (call, action) in CALLS {
        let request = if call.ends_with("Delete") {
            json!({"id": missing(call)})
        } else {
            json!({"meta": {"limit": 1}})
        };
        let expected = match (is_suspended, action.is_given_by(rights)) {
            (true, _) => 16,
            (false, false) => DENIED,
            (false, true) if call.ends_with("Delete") => NOT_FOUND,
            (false, true) => 0,
        };
        let told = sdk.ask(call, &request);
        let code = told.as_ref().map_or_else(|refusal| refusal.code, |_| 0);
        assert_eq!(
            code, expected,
            "{call} by {account} with {rights:?}: {told:?}"
        );
    }
}

/// An id that nothing has.
fn missing(call: &str) -> String {
    let prefix = match call.split('.').next().unwrap() {
        "Roles" => "r",
        "Groups" => "group",
        "Resources" => "rs",
        "Nodes" => "n",
        "Policies" => "po",
        "AccountGrants" => "ag",
        "AccountsGroups" => "accountgroup",
        _ => "grouprole",
    };
    format!("{prefix}-00000000000000ff")
}

fn cyral(organization: &Organization, account: &str, rights: &Rights) {
    let state = &organization.state;
    let (id, secret) = credential(organization, account, "cyral_client");
    let token = cyral_token(&organization.server.anonymous(), &id, &secret);
    if state.is_suspended(account) {
        assert_ne!(token.status, 200, "{account} is suspended: {}", token.body);
        return;
    }
    let token = ok(token);
    let token = token["access_token"].as_str().unwrap();
    let client = organization.server.anonymous().with_token(token);
    let own = ok(client.get("/v1/users/users/_self").unwrap());
    assert_eq!(
        (&own["id"], &own["enabled"]),
        (&json!(account), &json!(true)),
        "{own}"
    );
    let may = Action::OwnAccessRead.is_given_by(rights);
    let answer = client
        .post("/v1/accessInfo?pageSize=1000", &json!({}))
        .unwrap();
    if !may {
        assert_eq!(answer.status, 403, "{account}: {}", answer.body);
        return;
    }
    let answer = ok(answer);
    let told = texts(&answer["results"], Some("repoID"));
    let reached = state.reached(crate::organization::now());
    let own = reached.iter().filter(|way| way.account == account);
    // Redis is no repository.
    let repositories = own.filter(|way| state.resources[&way.resource].kind != "redis");
    let expected = repositories.map(|way| way.resource.as_str()).collect();
    assert_eq!(told, expected, "accessInfo of {account}");
}
