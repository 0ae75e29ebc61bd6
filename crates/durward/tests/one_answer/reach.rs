// SPDX-License-Identifier: Apache-2.0
//! Who reaches what: every way to ask it, beside what was done.

use std::collections::{BTreeMap, BTreeSet};

use durward_model::Instant;
use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::{self, NATIVE, data, rows_at};
use crate::judge::{Id, State, Way};
use crate::organization::{Organization, bare, now, timestamp};

/// Pairs of account and resource that are explained at each moment.
const EXPLAINED: usize = 8;
pub const EFFECTIVE: &str = "query E($principal: String!, $at: DateTime) {
  effectiveAccess(principal: $principal, at: $at, first: 500) { nodes { resource { id }
    role { id } grant { id } group { id } forbidden } pageInfo { endCursor } } }";
pub const EXPLAIN: &str = "query E($principal: String!, $object: String!, $at: DateTime) {
  explainAccess(principal: $principal, action: \"connect\", object: $object, at: $at) }";

/// A moment to ask about: a past one, now, or one to come, which means now.
#[derive(Clone, Copy)]
pub struct Moment<'s> {
    pub at: Option<Instant>,
    pub state: &'s State,
}

/// A way without its group: what lists show that have one row for each role or grant.
type Row = (Id, Id, String);

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

impl Moment<'_> {
    /// The instant that an answer is about.
    pub fn instant(&self) -> Instant {
        self.at.map_or_else(now, |at| at.min(now()))
    }

    /// The moment as GraphQL takes it; null for now.
    pub fn rfc3339(&self) -> Json {
        json!(self.at.map(|at| at.to_string()))
    }

    /// A request of StrongDM about this moment.
    pub fn asked(&self, mut request: Json) -> Json {
        request["meta"] = json!({});
        if let Some(at) = self.at {
            request["meta"]["snapshot_at"] = timestamp(at);
        }
        request
    }

    /// Objects that are asked about one by one: all of now, half of the past.
    fn some<'a, T>(&self, objects: &'a BTreeMap<Id, T>) -> impl Iterator<Item = &'a Id> {
        objects
            .keys()
            .step_by(if self.at.is_some() { 2 } else { 1 })
    }

    fn expected(&self) -> BTreeSet<Way> {
        self.state.reached(self.instant())
    }
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "at {:?}", self.at.map(|at| at.to_string()))
    }
}

fn without_groups<'w>(ways: impl Iterator<Item = &'w Way>) -> BTreeSet<Row> {
    ways.map(|way| (way.account.clone(), way.resource.clone(), way.by.clone()))
        .collect()
}

/// Rows, each of which must be there once.
fn set<T: Ord + std::fmt::Debug>(rows: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut found = BTreeSet::new();
    for row in rows {
        let shown = format!("{row:?}");
        assert!(found.insert(row), "{shown} is there twice");
    }
    found
}

/// Asks everybody everything about a moment.
pub fn compare(organization: &mut Organization, moment: Moment<'_>) {
    account_resources(organization, moment);
    entitlements(organization, moment);
    effective_access(organization, moment);
    explanations(organization, moment);
    graph(organization, moment);
}

fn account_resources(organization: &mut Organization, moment: Moment<'_>) {
    let ways = moment.expected();
    let mut check = |filter: &str, fits: &dyn Fn(&Way) -> bool| {
        let request = moment.asked(json!({ "filter": filter }));
        let rows = organization.sdk.rows("AccountResources", request);
        let told = set(rows.iter().map(|row| {
            let by = [text(&row["role_id"]), text(&row["account_grant_id"])].concat();
            (
                bare(text(&row["account_id"])),
                bare(text(&row["resource_id"])),
                by,
            )
        }));
        let expected = without_groups(ways.iter().filter(|way| fits(way)));
        assert_eq!(told, expected, "AccountResources {filter:?} {moment:?}");
    };
    check("", &|_| true);
    for account in moment.some(&moment.state.accounts) {
        check(&format!("account_id:a-{account}"), &|way| {
            way.account == *account
        });
    }
    for resource in moment.some(&moment.state.resources) {
        check(&format!("resource_id:rs-{resource}"), &|way| {
            way.resource == *resource
        });
    }
    for role in moment.some(&moment.state.roles) {
        let by = format!("r-{role}");
        check(&format!("role_id:{by}"), &|way| way.by == by);
    }
}

fn entitlements(organization: &mut Organization, moment: Moment<'_>) {
    let ways = moment.expected();
    let mut ask = |service: &str, field: &str, id: String| {
        let service = format!("Granted{service}Entitlements");
        let rows = organization
            .sdk
            .rows(&service, moment.asked(json!({ field: id })));
        rows.into_iter()
    };
    for account in moment.some(&moment.state.accounts) {
        let rows = ask("Account", "account_id", format!("a-{account}"));
        let told = set(rows.map(|row| Way {
            account: account.clone(),
            resource: bare(text(&row["resource_id"])),
            by: text(&row["origin_id"]).to_owned(),
            group: bare(text(&row["group_id"])),
        }));
        let expected = ways.iter().filter(|way| way.account == *account);
        assert_eq!(
            told,
            expected.cloned().collect(),
            "entitlements of {account} {moment:?}"
        );
    }
    for resource in moment.some(&moment.state.resources) {
        let rows = ask("Resource", "resource_id", format!("rs-{resource}"));
        let told = set(rows.map(|row| Way {
            account: bare(text(&row["account_id"])),
            resource: resource.clone(),
            by: text(&row["origin_id"]).to_owned(),
            group: bare(text(&row["group_id"])),
        }));
        let expected = ways.iter().filter(|way| way.resource == *resource);
        assert_eq!(
            told,
            expected.cloned().collect(),
            "entitlements to {resource} {moment:?}"
        );
    }
    for role in moment.some(&moment.state.roles) {
        let rows = ask("Role", "role_id", format!("r-{role}"));
        let told = set(rows.map(|row| bare(text(&row["resource_id"]))));
        assert_eq!(
            told,
            moment.state.reached_by(role),
            "entitlements of {role} {moment:?}"
        );
    }
    let rows = organization
        .sdk
        .rows("RoleResources", moment.asked(json!({})));
    let told = set(rows
        .iter()
        .map(|row| (bare(text(&row["role_id"])), bare(text(&row["resource_id"])))));
    let roles = moment.state.roles.keys();
    let pairs = roles.flat_map(|role| {
        let reached = moment.state.reached_by(role).into_iter();
        reached.map(move |resource| (role.clone(), resource))
    });
    assert_eq!(told, pairs.collect(), "RoleResources {moment:?}");
}

/// The ways that rows of effective access tell, and whether each is forbidden.
fn told_ways(account: &str, rows: &[Json]) -> BTreeMap<Way, bool> {
    let mut told = BTreeMap::new();
    for row in rows {
        let by = match row["role"]["id"].as_str() {
            Some(role) => format!("r-{role}"),
            None => format!("ag-{}", text(&row["grant"]["id"])),
        };
        let way = Way {
            account: account.to_owned(),
            resource: text(&row["resource"]["id"]).to_owned(),
            by,
            group: text(&row["group"]["id"]).to_owned(),
        };
        let known = told.insert(way, row["forbidden"].as_bool().unwrap());
        assert!(known.is_none(), "{row} is there twice");
    }
    told
}

/// Every open way of an account, and whether a policy forbids it.
fn expected_ways(account: &str, moment: Moment<'_>) -> BTreeMap<Way, bool> {
    let ways = moment.state.ways(moment.instant()).into_iter();
    let own = ways.filter(|way| way.account == account);
    own.map(|way| {
        let is_forbidden = moment.state.is_forbidden(account, &way.resource);
        (way, is_forbidden)
    })
    .collect()
}

fn effective_access(organization: &mut Organization, moment: Moment<'_>) {
    for account in moment.state.accounts.keys() {
        let variables = json!({"principal": account, "at": moment.rfc3339()});
        let answer = data(&organization.chief, NATIVE, EFFECTIVE, &variables);
        let page = &answer["effectiveAccess"];
        assert!(page["pageInfo"]["endCursor"].is_null(), "{page}");
        let told = told_ways(account, page["nodes"].as_array().unwrap());
        assert_eq!(
            told,
            expected_ways(account, moment),
            "effectiveAccess of {account} {moment:?}"
        );
    }
}

/// Whether an explanation says what is so.
fn check_explanation(told: &Json, account: &str, resource: &str, moment: Moment<'_>) {
    let ways = expected_ways(account, moment).into_keys();
    let open: BTreeSet<(String, Id)> = ways
        .filter(|way| way.resource == resource)
        .map(|way| (way.by, way.group))
        .collect();
    let is_suspended = moment.state.is_suspended(account);
    let is_forbidden = moment.state.is_forbidden(account, resource);
    let place = || format!("{account} to {resource} {moment:?}: {told}");
    assert_eq!(
        told["allowed"],
        !open.is_empty() && !is_forbidden,
        "{}",
        place()
    );
    assert_eq!(told["suspended"], is_suspended, "{}", place());
    let speaking = told["forbiddenBy"].as_array().unwrap();
    assert_eq!(!speaking.is_empty(), is_forbidden, "{}", place());
    // A suspended account is told which ways it would have.
    if is_suspended {
        return;
    }
    let paths = told["paths"].as_array().unwrap().iter();
    let paths = paths.filter(|path| path["validity"] == "open");
    let told = set(paths.map(|path| {
        let (mut by, mut group) = (String::new(), Id::new());
        for step in path["steps"].as_array().unwrap() {
            match text(&step["kind"]) {
                "group" => text(&step["id"]).clone_into(&mut group),
                "role" => by = format!("r-{}", text(&step["id"])),
                _ => by = format!("ag-{}", text(&step["id"])),
            }
        }
        (by, group)
    }));
    assert_eq!(told, open, "{account} to {resource} {moment:?}");
}

/// Pairs of account and resource: half of those with an open way, the others as they come.
fn pairs(organization: &mut Organization, moment: Moment<'_>, count: usize) -> Vec<(Id, Id)> {
    let dice = &mut organization.dice;
    let ways: Vec<Way> = moment.state.ways(moment.instant()).into_iter().collect();
    let mut found = Vec::new();
    for _ in 0..count {
        let way = dice.pick(&ways).filter(|_| dice.once_in(2));
        let pair = match way {
            Some(way) => Some((way.account.clone(), way.resource.clone())),
            None => dice
                .pick(moment.state.accounts.keys())
                .zip(dice.pick(moment.state.resources.keys()))
                .map(|(account, resource)| (account.clone(), resource.clone())),
        };
        found.extend(pair);
    }
    found
}

fn explanations(organization: &mut Organization, moment: Moment<'_>) {
    for (account, resource) in pairs(organization, moment, EXPLAINED) {
        let variables = json!({"principal": account, "object": resource, "at": moment.rfc3339()});
        let mut answer = data(&organization.chief, NATIVE, EXPLAIN, &variables);
        check_explanation(&answer["explainAccess"].take(), &account, &resource, moment);
    }
}

/// The part of roles as the graph shows it, where policies say nothing.
fn graph(organization: &Organization, moment: Moment<'_>) {
    let client = common::jupiterone(&organization.server);
    graph_of(&client, moment, &|_| true);
}

/// What the graph shows to somebody who sees the objects with some names: the rows of which
/// everything is seen.
pub fn graph_of(client: &Client, moment: Moment<'_>, sees: &dyn Fn(&str) -> bool) {
    let state = moment.state;
    let at = moment.rfc3339();
    let ask = |query: &str| {
        let rows = rows_at(client, query, &at).into_iter();
        let names = ["account", "group", "role", "resource"];
        set(rows.map(|row| names.map(|name| text(&row[name]).to_owned())))
    };
    let is_seen = |row: &[String; 4]| row.iter().all(|name| name.is_empty() || sees(name));
    let told = ask("FIND access_role AS r THAT ALLOWS access_resource AS x
         RETURN r.displayName AS role, x.displayName AS resource");
    let mut expected = BTreeSet::new();
    for (id, role) in &state.roles {
        let name = |resource: &Id| state.resources[resource].name.clone();
        let reached = state.reached_by(id);
        let rows = reached.iter();
        expected.extend(rows.map(|id| [String::new(), String::new(), role.name.clone(), name(id)]));
    }
    expected.retain(is_seen);
    assert_eq!(told, expected, "roles in the graph {moment:?}");
    let own = ask("FIND (account|account_service) WITH suspended != true AS a
         THAT ASSIGNED >> access_role AS r THAT ALLOWS >> access_resource AS x
         RETURN a.displayName AS account, r.displayName AS role, x.displayName AS resource");
    let by_group = ask("FIND (account|account_service) WITH suspended != true AS a
         THAT HAS << account_group AS g THAT ASSIGNED >> access_role AS r
         THAT ALLOWS >> access_resource AS x
         RETURN a.displayName AS account, g.displayName AS group, r.displayName AS role,
         x.displayName AS resource");
    let ways = state.ways(moment.instant()).into_iter();
    let expected = ways.filter_map(|way| {
        let role = &state.roles.get(way.by.strip_prefix("r-")?)?.name;
        let group = state.groups.get(&way.group).cloned().unwrap_or_default();
        let account = state.accounts[&way.account].shown();
        let resource = state.resources[&way.resource].name.clone();
        Some([account, group, role.clone(), resource])
    });
    let expected = expected.filter(is_seen).collect();
    let told: BTreeSet<_> = own.union(&by_group).cloned().collect();
    assert_eq!(told, expected, "accounts in the graph {moment:?}");
}

/// The history of what accounts reach, at every moment: policies are left out of it.
pub fn histories(organization: &mut Organization, moments: &[Moment<'_>]) {
    let request = json!({"meta": {}, "filter": ""});
    let rows = organization.sdk.rows("AccountResourcesHistory", request);
    let mut changes: Vec<(Instant, Row, bool)> = Vec::new();
    for row in &rows {
        let of = &row["account_resource"];
        let by = [text(&of["role_id"]), text(&of["account_grant_id"])].concat();
        let path = (
            bare(text(&of["account_id"])),
            bare(text(&of["resource_id"])),
            by,
        );
        changes.push((
            instant_of(&row["timestamp"]),
            path,
            row["deleted_at"].is_null(),
        ));
    }
    for moment in moments {
        let at = moment.instant();
        let mut open = BTreeSet::new();
        let mut then: Vec<_> = changes.iter().filter(|(when, ..)| *when <= at).collect();
        then.sort_by_key(|(when, _, begins)| (*when, *begins));
        for (when, path, begins) in then {
            let is_change = if *begins {
                open.insert(path.clone())
            } else {
                open.remove(path)
            };
            assert!(is_change, "{path:?} begins or ends twice, {when}");
        }
        let expected = without_groups(moment.state.ways(at).iter());
        assert_eq!(open, expected, "AccountResourcesHistory {moment:?}");
    }
}

fn instant_of(timestamp: &Json) -> Instant {
    let part = |name: &str| timestamp[name].as_i64().unwrap_or_default();
    Instant::from_micros(part("seconds") * 1_000_000 + part("nanos") / 1000)
}

/// The command line, which asks the running server or reads the data folder.
pub fn command_line(
    organization: &mut Organization,
    moment: Moment<'_>,
    count: usize,
    target: &[&str],
) {
    let at = moment.rfc3339();
    let run = |words: &[&str]| {
        let mut all = words.to_vec();
        if let Some(at) = at.as_str() {
            all.extend(["--at", at]);
        }
        all.extend(target);
        serde_json::from_str::<Json>(&common::done(&all)).unwrap()
    };
    for (account, known) in moment.state.accounts.iter().take(count) {
        let who = if known.level.is_some() {
            &known.name
        } else {
            account
        };
        let rows = run(&["access", "list", who, "--format", "json"]);
        let told = told_ways(account, rows.as_array().unwrap());
        assert_eq!(
            told,
            expected_ways(account, moment),
            "access list {who} {moment:?}"
        );
    }
    for (account, resource) in pairs(organization, moment, count / 2) {
        let words = [
            "access", "explain", &account, "connect", &resource, "--json",
        ];
        check_explanation(&run(&words), &account, &resource, moment);
    }
}
