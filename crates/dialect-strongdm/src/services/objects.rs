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

use std::sync::LazyLock;

use durward_access::{Access, AccessError, Kind};
use durward_catalog::StrongdmName;
use durward_catalog::ids;
use durward_identity::IdentityError;
use durward_model::{ErrorKind, ObjectId};

use crate::codec::Noun;
use crate::contract::Verb;
use crate::dispatch::{Call, Reply};
use crate::mapping::IdFields;
use crate::services::Services;
use crate::status::Status;

pub(crate) use shown::Shown;

/// One service of core objects, as the catalog names it.
#[derive(Debug)]
pub(crate) struct ObjectService {
    name: &'static str,
    pub(crate) noun: &'static str,
    /// What people call one of its objects.
    what: String,
    /// Kinds of its objects, each with how StrongDM calls it here.
    names: Vec<(Kind, &'static StrongdmName)>,
    /// The kinds alone.
    pub(crate) kinds: Vec<Kind>,
}

static SERVICES: LazyLock<Vec<ObjectService>> = LazyLock::new(|| {
    let mut services: Vec<ObjectService> = Vec::new();
    for kind in Kind::all() {
        for name in &kind.entry().strongdm {
            let known = services.iter().position(|known| known.name == name.service);
            match known.and_then(|at| services.get_mut(at)) {
                Some(service) => {
                    service.what = service.noun.to_lowercase();
                    service.names.push((kind, name));
                    service.kinds.push(kind);
                }
                None => services.push(ObjectService {
                    name: &name.service,
                    noun: &name.noun,
                    what: kind.noun().to_owned(),
                    names: vec![(kind, name)],
                    kinds: vec![kind],
                }),
            }
        }
    }
    services
});

/// All services whose nouns are core objects.
pub(crate) fn all() -> &'static [ObjectService] {
    &SERVICES
}

/// The service of this name, if its nouns are core objects.
pub(crate) fn named(name: &str) -> Option<&'static ObjectService> {
    SERVICES.iter().find(|service| service.name == name)
}

impl ObjectService {
    /// How StrongDM calls a kind in this service.
    pub(crate) fn name_of(&self, kind: Kind) -> Option<&'static StrongdmName> {
        let mut names = self.names.iter();
        names
            .find(|(known, _)| *known == kind)
            .map(|(_, name)| *name)
    }

    /// The fields of its noun that hold ids.
    pub(crate) fn id_fields(&self) -> IdFields {
        let Some((kind, name)) = self.names().next() else {
            return IdFields::default();
        };
        let ends = kind.ends();
        IdFields {
            prefix: &name.prefix,
            start: ends.map(|ends| (name.start_field.as_str(), id_prefix(&ends.from))),
            end: ends.map(|ends| (name.end_field.as_str(), id_prefix(&ends.to))),
        }
    }

    /// The kinds of its objects, each with how StrongDM calls it.
    pub(crate) fn names(&self) -> impl Iterator<Item = (Kind, &'static StrongdmName)> + '_ {
        self.names.iter().copied()
    }
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
        self.service.kinds.contains(&Kind::USER)
    }

    /// The only kind of the service, or the first.
    pub(crate) fn kind(&self) -> Kind {
        self.service.kinds.first().copied().unwrap_or(Kind::USER)
    }

    /// Makes messages of the service's noun.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown::as_noun(self.services.codec(), self.service.noun)
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
        let what = &self.service.what;
        Status::new(ErrorKind::NotFound, format!("there is no such {what}"))
    }
}

/// What the ids of objects of these kinds, of one noun, begin with.
pub(crate) fn id_prefix(kinds: &[Kind]) -> &'static str {
    kinds.first().map_or("", |kind| kind.prefix())
}

/// An error of the core as a status.
pub(crate) fn failed(error: &AccessError) -> Status {
    Status::of(error)
}

/// An error of identity as a status.
pub(crate) fn refused(error: &IdentityError) -> Status {
    Status::of(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn the_catalog_names_services_as_the_contract_does() {
        let contract = Contract::load().unwrap();
        for service in all() {
            let ids = service.id_fields();
            let methods = contract
                .methods()
                .filter(|method| method.service == service.name);
            let methods: Vec<_> = methods.collect();
            assert!(!methods.is_empty(), "{service:?}");
            for method in methods.iter().filter(|method| method.verb != Verb::Other) {
                let noun = method.noun.as_ref().unwrap();
                assert_eq!(noun.name(), service.noun);
                assert_eq!(method.id_prefix, ids.prefix, "{}", service.name);
                for (field, _) in ids.start.into_iter().chain(ids.end) {
                    assert!(
                        noun.get_field_by_name(field).is_some(),
                        "{field} of {}",
                        service.noun
                    );
                }
                for (kind, _) in service.names() {
                    let fields = kind.entry().properties.values();
                    for entry in fields.filter(|entry| entry.value.is_some()) {
                        let field = noun.get_field_by_name(&entry.strongdm);
                        assert!(field.is_some(), "{} of {}", entry.strongdm, service.noun);
                    }
                }
            }
        }
    }
}
