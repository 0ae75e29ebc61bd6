// SPDX-License-Identifier: Apache-2.0
//! The walk over all root fields of the four schemas.

use std::collections::{BTreeMap, BTreeSet};

use durward_budget::Budget;
use durward_dialect_jupiterone::JupiterOne;
use durward_dialect_native::Native;
use durward_dialect_opencti::OpenCti;
use durward_dialect_sonrai::Sonrai;
use durward_graphql::engine::{Guard, OperationKind};
use durward_graphql::{Endpoint, GraphQl};
use durward_policy::{Action, Right, Rights};
use serde_json::{Value, json};

use crate::common::{self, NATIVE, code, data};
use crate::schema::{Root, Schema};
use crate::table::{self, Rows};
use crate::world::{Caller, HIDDEN, MARK, World};

const TABLE: &str = include_str!("fields.tsv");
const CREATE: &str =
    "mutation C($input: CreateCredentialInput!) { createCredential(input: $input) { secret } }";

/// The contracts that the server has.
fn contracts() -> GraphQl {
    let caches = Budget::unlimited().caches();
    let graphql = GraphQl::new(Native, &caches).unwrap();
    let graphql = graphql.with(JupiterOne).unwrap().with(OpenCti).unwrap();
    graphql.with(Sonrai).unwrap()
}

/// The root fields of a contract, and of the schema that the server shows, which are the same.
fn roots(endpoint: &dyn Endpoint, shown: &Schema) -> Vec<Root> {
    let of = |kind: &'static str, operation: OperationKind| {
        let fields = endpoint.root_fields(operation).into_iter();
        fields.map(move |field| Root {
            kind,
            field: field.to_owned(),
        })
    };
    let queries = of("query", OperationKind::Query);
    let mut roots: Vec<Root> = queries
        .chain(of("mutation", OperationKind::Mutation))
        .collect();
    roots.sort();
    assert_eq!(shown.roots(), roots, "{}", endpoint.name());
    roots
}

/// Asks every root field of every contract.
fn each(world: &World, mut ask: impl FnMut(&Asked<'_>)) {
    for endpoint in contracts().endpoints() {
        let path = format!("/{}/graphql", endpoint.name());
        let schema = Schema::read(&world.server.client(), &path);
        for root in roots(endpoint.as_ref(), &schema) {
            let (text, variables) =
                schema.document(&root, &|field, argument| world.id_for(field, argument));
            ask(&Asked {
                endpoint: endpoint.as_ref(),
                path: &path,
                root: &root,
                text,
                variables,
            });
        }
    }
}

/// Asks every root field as everybody.
pub fn walk(world: &World) {
    let mut got = Rows::new();
    each(world, |asked| {
        let (name, root) = (asked.endpoint.name(), asked.root);
        for stranger in &world.strangers {
            let (answer, body) = asked.by(stranger);
            assert_eq!(
                answer, "refused",
                "{} asks {name} {root:?}: {body}",
                stranger.name
            );
        }
        let answers = [
            (&world.narrow, MARK),
            (&world.conditioned, HIDDEN),
            (&world.foreign, MARK),
        ]
        .map(|(caller, mark)| {
            let (answer, body) = asked.by(caller);
            let rest = body.replace(&world.address, "");
            match (rest.contains(mark), rest.len() < body.len()) {
                (true, _) => format!("{answer}, shows {mark}: {body}"),
                (false, true) => format!("{answer}, own account"),
                (false, false) => answer,
            }
        });
        let key = [name, root.kind, &root.field].map(str::to_owned).to_vec();
        got.insert(key, answers.to_vec());
    });
    table::compare("authorization/fields.tsv", &table::read(TABLE, 3), &got);
}

/// Asks every root field with each right that its action needs, which is enough, and with all but
/// those, which is not. Both in the organization that the walk does not look at.
pub fn exact_rights_are_enough_and_needed(world: &World) {
    let mut holders = Holders::new(world);
    let mut wrong = Vec::new();
    each(world, |asked| {
        let (name, root) = (asked.endpoint.name(), asked.root);
        let kind = match root.kind {
            "query" => OperationKind::Query,
            _ => OperationKind::Mutation,
        };
        let guard = asked.endpoint.root_guard(kind, &root.field).unwrap();
        let is_executed = asked.endpoint.executed().contains(&root.field.as_str());
        for rights in enough(guard) {
            let told = format!("{name} {root:?} with {rights:?}");
            let (answer, body) = asked.by(holders.with(rights));
            let is_right = if is_executed {
                answer != "forbidden" && answer != "unsupported"
            } else {
                answer == "unsupported"
            };
            if !is_right {
                wrong.push(format!("{told}: {answer}: {body}"));
            }
        }
        for one_of in guard.asked() {
            if one_of.iter().any(|action| action.is_everybodys()) {
                continue;
            }
            let (answer, body) = asked.by(holders.with(all_but(one_of)));
            if answer != "forbidden" {
                wrong.push(format!("{name} {root:?} without: {answer}: {body}"));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sets of rights that just suffice: each right that gives one of the actions, with the first
/// that gives one of each further list of actions.
fn enough(guard: &Guard) -> Vec<BTreeSet<&'static str>> {
    let first = |one_of: &[Action]| one_of[0].rights().first().map(|right| right.name());
    let mut sets = Vec::new();
    for (position, one_of) in guard.asked().enumerate() {
        let others = guard
            .asked()
            .enumerate()
            .filter(|(other, _)| *other != position);
        let others: BTreeSet<&str> = others.filter_map(|(_, one_of)| first(one_of)).collect();
        for action in one_of {
            // Only a token that can be renewed does that.
            if action.is_everybodys() && *action != Action::OwnTokenRenew {
                sets.push(others.clone());
            }
            let with = |right: &Right| {
                let mut set = others.clone();
                set.insert(right.name());
                set
            };
            sets.extend(action.rights().iter().map(with));
        }
    }
    sets
}

/// Names of all rights that give none of some actions.
fn all_but(actions: &[Action]) -> BTreeSet<&'static str> {
    let gives = |name: &&str| {
        let rights = Rights::from_names([*name]).unwrap();
        actions.iter().any(|action| action.is_given_by(&rights))
    };
    let mut names: BTreeSet<&str> = Rights::ALL.names_one_by_one().into_iter().collect();
    names.retain(|name| !gives(name));
    names
}

/// Credentials with certain rights, made when they are first needed.
struct Holders<'w> {
    world: &'w World,
    account: Value,
    known: BTreeMap<BTreeSet<&'static str>, Caller>,
}

impl<'w> Holders<'w> {
    fn new(world: &'w World) -> Self {
        let chief = &world.foreign.client;
        let account = data(chief, NATIVE, "{ caller { id } }", &json!({}));
        Self {
            world,
            account: account["caller"]["id"].clone(),
            known: BTreeMap::new(),
        }
    }

    fn with(&mut self, rights: BTreeSet<&'static str>) -> &Caller {
        let (world, account) = (self.world, &self.account);
        let number = self.known.len();
        self.known.entry(rights).or_insert_with_key(|rights| {
            let input = json!({"account": account, "kind": "api_token", "rights": rights,
                "name": format!("holder {number}")});
            let made = data(
                &world.foreign.client,
                NATIVE,
                CREATE,
                &json!({"input": input}),
            );
            let secret = made["createCredential"]["secret"].as_str().unwrap();
            Caller {
                name: "holder",
                client: world.server.anonymous().with_token(secret),
            }
        })
    }
}

struct Asked<'a> {
    endpoint: &'a dyn Endpoint,
    path: &'a str,
    root: &'a Root,
    text: String,
    variables: Value,
}

impl Asked<'_> {
    /// What a caller is answered, in one word, and the whole answer.
    fn by(&self, caller: &Caller) -> (String, String) {
        let body = json!({"query": self.text, "variables": self.variables});
        let answer = caller.client.post(self.path, &body).unwrap();
        let json = answer.json().unwrap();
        let is_opencti = self.endpoint.name() == "opencti";
        let data = &json["data"][&self.root.field];
        let code = code(&json);
        let word = match (code, answer.status, is_opencti) {
            ("", 200, _) if data.is_null() => "null",
            ("", 200, _) => "answered",
            ("AUTH_REQUIRED", 200, true) | ("UNAUTHENTICATED", 401, false) => "refused",
            ("FORBIDDEN_ACCESS", 200, true) | ("FORBIDDEN", 200, false) => "forbidden",
            ("UNSUPPORTED_ERROR", 200, true) | ("NOT_SUPPORTED", 200, false) => "unsupported",
            ("NOT_FOUND", 200, false) => "absent",
            ("FUNCTIONAL_ERROR", 200, true) | ("BAD_USER_INPUT", 200, false) => "invalid",
            (other, status, _) => {
                return (format!("{status} {other}"), answer.body);
            }
        };
        if !matches!(word, "null" | "answered") && !data.is_null() {
            return (format!("{word} in part"), answer.body);
        }
        (word.to_owned(), answer.body)
    }
}

/// What the key with a row condition does see, so that seeing nothing is no accident.
pub fn condition_lets_the_rest_through(world: &World) {
    let client = &world.conditioned.client;
    let boxes = common::rows(client, "FIND harbour_box AS b RETURN b.team AS team");
    assert_eq!(boxes, [json!({"team": "blue"})]);
    let text = "{ entities { totalCount nodes { type relationships { nodes { id } } } } }";
    let seen = common::data(client, NATIVE, text, &json!({}));
    let node = json!({"type": "harbour_box", "relationships": {"nodes": []}});
    assert_eq!(seen["entities"], json!({"totalCount": 1, "nodes": [node]}));
}

/// The shared paths choose the schema before they authenticate, so that each client is refused in
/// the way that it understands.
pub fn refusals_on_shared_paths(world: &World) {
    let documents: BTreeMap<&str, (&str, u16)> = BTreeMap::from([
        ("{ organization { name } }", ("UNAUTHENTICATED", 401)),
        (
            "{ queryV1(query: \"FIND *\") { type } }",
            ("UNAUTHENTICATED", 401),
        ),
        ("{ me { id } }", ("AUTH_REQUIRED", 200)),
        ("{ SonraiCurrentUsers { count } }", ("UNAUTHENTICATED", 401)),
    ]);
    for endpoint in contracts().endpoints() {
        let path = format!("/{}/graphql", endpoint.name());
        for stranger in &world.strangers {
            let asked = json!({"query": "{ __schema { types { name } } }"});
            let answer = stranger.client.post(&path, &asked).unwrap().json().unwrap();
            assert!(
                matches!(code(&answer), "UNAUTHENTICATED" | "AUTH_REQUIRED"),
                "{answer}"
            );
            assert!(answer["data"]["__schema"].is_null(), "{answer}");
        }
    }
    for path in ["/", "/graphql", "/rules/graphql"] {
        for (document, (expected, status)) in &documents {
            for stranger in &world.strangers {
                let answer = stranger
                    .client
                    .post(path, &json!({"query": document}))
                    .unwrap();
                let json = answer.json().unwrap();
                let got = (code(&json), answer.status);
                assert_eq!(
                    got,
                    (*expected, *status),
                    "{} at {path}: {json}",
                    stranger.name
                );
            }
        }
    }
}
