// SPDX-License-Identifier: Apache-2.0
//! Services whose nouns are core objects: accounts, groups, roles, resources, nodes, policies, and
//! what binds them.

mod answer;
mod create;
mod delete;
mod read;
mod resource;
mod shown;
mod tags;
mod token;
mod update;

use durward_access::{Access, AccessError, Kind};
use durward_catalog::ids;
use durward_identity::IdentityError;
use durward_model::{ErrorKind, ObjectId};

use crate::codec::Noun;
use crate::contract::Verb;
use crate::dispatch::{Call, Reply};
use crate::services::Services;
use crate::status::Status;

pub(crate) use shown::Shown;

/// One service of core objects.
#[derive(Debug)]
pub(crate) struct ObjectService {
    name: &'static str,
    noun: &'static str,
    /// What people call one of its objects.
    what: &'static str,
    /// Kinds of its objects.
    pub(crate) kinds: &'static [Kind],
}

const SERVICES: &[ObjectService] = &[
    service(
        "Accounts",
        "Account",
        "account",
        &[Kind::User, Kind::Service],
    ),
    service("Groups", "Group", "group", &[Kind::Group]),
    service("Roles", "Role", "role", &[Kind::Role]),
    service("Resources", "Resource", "resource", &[Kind::Resource]),
    service("Nodes", "Node", "node", &[Kind::Node]),
    service("Policies", "Policy", "policy", &[Kind::Policy]),
    service(
        "AccountsGroups",
        "AccountGroup",
        "group membership",
        &[Kind::GroupMember],
    ),
    service(
        "GroupsRoles",
        "GroupRole",
        "role of a group",
        &[Kind::GroupRole],
    ),
    service(
        "AccountAttachments",
        "AccountAttachment",
        "role assignment",
        &[Kind::Assignment],
    ),
    service("AccountGrants", "AccountGrant", "grant", &[Kind::Grant]),
];

const fn service(
    name: &'static str,
    noun: &'static str,
    what: &'static str,
    kinds: &'static [Kind],
) -> ObjectService {
    ObjectService {
        name,
        noun,
        what,
        kinds,
    }
}

/// The service of this name, if its nouns are core objects.
pub(crate) fn named(name: &str) -> Option<&'static ObjectService> {
    SERVICES.iter().find(|service| service.name == name)
}

/// What every method of these services works with.
pub(crate) struct Context<'c> {
    pub(crate) services: &'c Services,
    pub(crate) service: &'static ObjectService,
    pub(crate) call: &'c Call<'c>,
    pub(crate) access: Access,
    pub(crate) noun: &'c Noun,
}

/// Answers a call of one of these services.
pub(crate) fn answer(
    services: &Services,
    service: &'static ObjectService,
    call: &Call<'_>,
) -> Result<Reply, Status> {
    let unsupported = || Status::unsupported(&call.method.signed_name);
    let context = Context {
        services,
        service,
        call,
        access: services.access(call),
        noun: services
            .codec()
            .noun(service.noun)
            .ok_or_else(unsupported)?,
    };
    match call.method.verb {
        Verb::Create => create::create(&context),
        Verb::Get => read::get(&context),
        Verb::Update => update::update(&context),
        Verb::Delete => delete::delete(&context),
        Verb::List => super::lists::objects(&context),
        Verb::Other => match call.method.signed_name.as_str() {
            "Resources.EnumerateTags" => tags::enumerate(&context),
            "Resources.Healthcheck" => resource::healthcheck(&context),
            _ => Err(unsupported()),
        },
    }
}

impl Context<'_> {
    /// Whether the service is the one of accounts, tokens among them.
    pub(crate) fn has_tokens(&self) -> bool {
        self.service.kinds.contains(&Kind::User)
    }

    /// The only kind of the service, or the first.
    pub(crate) fn kind(&self) -> Kind {
        self.service.kinds.first().copied().unwrap_or(Kind::User)
    }

    /// The id in a text of a request; one of another prefix or shape names nothing.
    pub(crate) fn id(&self, text: &str) -> Result<ObjectId, Status> {
        if text.is_empty() {
            let why = format!("the id of the {} is missing", self.service.what);
            return Err(Status::invalid(why));
        }
        ids::parse_prefixed(self.noun.prefix(), text).ok_or_else(|| self.not_found())
    }

    pub(crate) fn not_found(&self) -> Status {
        let what = self.service.what;
        Status::new(ErrorKind::NotFound, format!("there is no such {what}"))
    }
}

/// An error of the core as a status.
pub(crate) fn failed(error: &AccessError) -> Status {
    Status::of(error)
}

/// An error of identity as a status.
pub(crate) fn refused(error: &IdentityError) -> Status {
    Status::of(error)
}
