// SPDX-License-Identifier: Apache-2.0
//! Requests for every method, with ids of one organization in them.

use std::collections::BTreeMap;

use durward_dialect_strongdm::{Contract, Method, Verb};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};

use crate::wire::Wire;

/// In everything that belongs to the first organization.
pub const MARK: &str = "harbourmark";
const NAME_MAX: usize = 40;

/// Ids of the first organization, by the service whose nouns they are.
pub struct Ids(BTreeMap<&'static str, String>);

/// A field and its value; `@Roles` is the id of the role that was made before.
type Field = (&'static str, &'static str);

/// What is made, in order: service (with `#` and a number for another of the same), branch of a
/// polymorphic noun, fields.
const MADE: &[(&str, &str, &[Field])] = &[
    (
        "Accounts",
        "user",
        &[
            ("email", "harbourmark@example.com"),
            ("first_name", "harbourmark"),
            ("last_name", "harbourmark"),
        ],
    ),
    ("Roles", "", &[("name", "harbourmark role")]),
    ("Groups", "", &[("name", "harbourmark group")]),
    (
        "Resources",
        "redis",
        &[("name", "harbourmark cache"), ("hostname", "harbourmark")],
    ),
    ("Nodes", "relay", &[("name", "harbourmark relay")]),
    (
        "Policies",
        "",
        &[("name", "harbourmark policy"), ("policy", "")],
    ),
    (
        "AccountAttachments",
        "",
        &[("account_id", "@Accounts"), ("role_id", "@Roles")],
    ),
    (
        "AccountsGroups",
        "",
        &[("account_id", "@Accounts"), ("group_id", "@Groups")],
    ),
    (
        "GroupsRoles",
        "",
        &[("group_id", "@Groups"), ("role_id", "@Roles")],
    ),
    (
        "AccountGrants",
        "",
        &[("account_id", "@Accounts"), ("resource_id", "@Resources")],
    ),
    ("PeeringGroups", "", &[("name", "harbourmark peering")]),
    ("PeeringGroups#2", "", &[("name", "harbourmark peer")]),
    (
        "PeeringGroupNodes",
        "",
        &[("group_id", "@PeeringGroups"), ("node_id", "@Nodes")],
    ),
    (
        "PeeringGroupResources",
        "",
        &[
            ("group_id", "@PeeringGroups"),
            ("resource_id", "@Resources"),
        ],
    ),
    (
        "PeeringGroupPeers",
        "",
        &[
            ("group_id", "@PeeringGroups"),
            ("peers_with_group_id", "@PeeringGroups#2"),
        ],
    ),
    ("IdentitySets", "", &[("name", "harbourmark set")]),
    (
        "IdentityAliases",
        "",
        &[
            ("account_id", "@Accounts"),
            ("identity_set_id", "@IdentitySets"),
            ("username", "harbourmark"),
        ],
    ),
];

/// The service whose objects another one shows by an older name.
fn present_name(service: &str) -> &str {
    match service {
        "RemoteIdentities" => "IdentityAliases",
        "RemoteIdentityGroups" => "IdentitySets",
        other => other,
    }
}

impl Ids {
    /// Makes one object of each service.
    pub fn make(contract: &Contract, chief: &mut Wire) -> Self {
        let mut ids = Self(BTreeMap::new());
        for (service, branch, fields) in MADE {
            let method = find(contract, service, Verb::Create);
            let noun_field = method.input_noun.clone().unwrap();
            let Kind::Message(noun_type) = noun_field.kind() else {
                panic!("{service} has no noun");
            };
            let mut noun = DynamicMessage::new(noun_type);
            if branch.is_empty() {
                ids.fill(&mut noun, fields);
            } else {
                let field = noun.descriptor().get_field_by_name(branch).unwrap();
                let Kind::Message(inner) = field.kind() else {
                    panic!("{branch} is no message");
                };
                let mut inner = DynamicMessage::new(inner);
                ids.fill(&mut inner, fields);
                noun.set_field(&field, Value::Message(inner));
            }
            let mut request = DynamicMessage::new(method.input.clone());
            request.set_field(&noun_field, Value::Message(noun));
            let call = chief.call(&method.path, &request.encode_to_vec());
            let answer = chief.send(&call);
            assert_eq!(answer.code, "0", "{service}: {answer:?}");
            let answer = DynamicMessage::decode(method.output.clone(), &answer.body[5..]).unwrap();
            let made = answer.get_field(&method.output_noun.clone().unwrap());
            let made = id_of(made.as_message().unwrap()).unwrap();
            ids.0.insert(service, made);
        }
        ids
    }

    fn fill(&self, message: &mut DynamicMessage, fields: &[Field]) {
        for (name, value) in fields {
            let value = match value.strip_prefix('@') {
                Some(service) => self.0[service].clone(),
                None => (*value).to_owned(),
            };
            message.set_field_by_name(name, Value::String(value));
        }
    }

    /// A request that names objects of the first organization wherever it can.
    pub fn request(&self, method: &Method) -> Vec<u8> {
        let mut request = DynamicMessage::new(method.input.clone());
        self.name_objects(&mut request, &method.service, 0);
        request.encode_to_vec()
    }

    fn name_objects(&self, message: &mut DynamicMessage, service: &str, depth: usize) {
        let of_service = |service: &str| self.0.get(present_name(service)).cloned();
        let is_peering = service.starts_with("PeeringGroup");
        let fields: Vec<_> = message.descriptor().fields().collect();
        let mut has_branch = false;
        for field in fields {
            if field.is_list() || field.is_map() {
                continue;
            }
            let value = match (field.name(), field.kind()) {
                ("id", Kind::String) => of_service(service),
                ("account_id", Kind::String) => of_service("Accounts"),
                ("role_id", Kind::String) => of_service("Roles"),
                ("group_id", Kind::String) if is_peering => of_service("PeeringGroups"),
                ("group_id", Kind::String) => of_service("Groups"),
                ("peers_with_group_id", Kind::String) => of_service("PeeringGroups#2"),
                ("identity_set_id" | "remote_identity_group_id", Kind::String) => {
                    of_service("IdentitySets")
                }
                ("resource_id", Kind::String) => of_service("Resources"),
                ("node_id", Kind::String) => of_service("Nodes"),
                ("filter", Kind::String) => of_service(service).map(|id| format!("id:{id}")),
                _ => None,
            };
            if let Some(value) = value {
                message.set_field(&field, Value::String(value));
                continue;
            }
            let is_branch = field.containing_oneof().is_some();
            if let Kind::Message(inner) = field.kind()
                && is_noun(&inner, depth)
                && !(is_branch && has_branch)
            {
                has_branch |= is_branch;
                let mut inner = DynamicMessage::new(inner);
                self.name_objects(&mut inner, service, depth + 1);
                message.set_field(&field, Value::Message(inner));
            }
        }
    }

    /// What the first organization's administrator sees of everything that was made.
    pub fn state(&self, contract: &Contract, chief: &mut Wire) -> Vec<Vec<u8>> {
        let read = |(service, id): (&&str, &String)| {
            let method = find(contract, service, Verb::Get);
            let mut request = DynamicMessage::new(method.input.clone());
            request.set_field_by_name("id", Value::String(id.clone()));
            let call = chief.call(&method.path, &request.encode_to_vec());
            let answer = chief.send(&call);
            assert_eq!(answer.code, "0", "{service}: {answer:?}");
            let mut message =
                DynamicMessage::decode(method.output.clone(), &answer.body[5..]).unwrap();
            message.clear_field_by_name("rate_limit");
            message.encode_to_vec()
        };
        self.0.iter().map(read).collect()
    }
}

/// Whether a message may hold names of objects: nouns and their branches, not metadata.
fn is_noun(message: &MessageDescriptor, depth: usize) -> bool {
    depth < 2
        && message.package_name() == "v1"
        && !message.name().ends_with("Metadata")
        && message.name().len() < NAME_MAX
}

fn find<'c>(contract: &'c Contract, service: &str, verb: Verb) -> &'c Method {
    let service = service.split('#').next().unwrap();
    let mut methods = contract.methods();
    methods
        .find(|method| method.service == service && method.verb == verb)
        .unwrap()
}

fn id_of(message: &DynamicMessage) -> Option<String> {
    if let Some(id) = message.get_field_by_name("id") {
        return id.as_str().map(str::to_owned);
    }
    let mut fields = message.fields();
    let (_, branch) = fields.next()?;
    id_of(branch.as_message()?)
}
