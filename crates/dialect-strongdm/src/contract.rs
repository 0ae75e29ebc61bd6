// SPDX-License-Identifier: Apache-2.0
//! The contract at run time: descriptors of all messages, the methods by path, and the facts that
//! no `.proto` file carries (`contracts/strongdm/facts.tsv`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use durward_model::ErrorKind;
use durward_policy::Action;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::actions::Actions;

/// Package of all StrongDM services and messages.
pub const PACKAGE: &str = "v1";
/// What each path begins with.
const PATH_START: &str = "/v1.";

static DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
static FACTS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../contracts/strongdm/facts.tsv"
));

/// The contract that is built in is not valid: a defect of the build.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The descriptors cannot be read.
    #[error("the descriptors cannot be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A line of the facts cannot be read.
    #[error("the facts have an unreadable line: {line:?}")]
    Fact {
        /// The line.
        line: String,
    },
    /// A method does not say what it asks of its caller.
    #[error("contracts/strongdm/actions.toml: {reason}")]
    Actions {
        /// What is wrong.
        reason: String,
    },
    /// The facts or the engine name something that the descriptors do not have.
    #[error("the contract has no {what}")]
    Missing {
        /// What is missing.
        what: String,
    },
}

impl ContractError {
    /// Always a defect.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

/// What a method does with its noun, told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Makes one.
    Create,
    /// Reads one.
    Get,
    /// Replaces one.
    Update,
    /// Ends one.
    Delete,
    /// Reads many.
    List,
    /// Anything else.
    Other,
}

/// One method of one service.
#[derive(Clone, Debug)]
pub struct Method {
    /// Path of the request: `/v1.AccountGrants/Create`.
    pub path: String,
    /// Name of the service without its package: `AccountGrants`.
    pub service: String,
    /// Its own name: `Create`.
    pub name: String,
    /// The name that a client signs, also a good label for the log: `AccountGrants.Create`.
    pub signed_name: String,
    /// What it does.
    pub verb: Verb,
    /// Any of these lets a caller through.
    pub actions: Vec<Action>,
    /// Type of the request.
    pub input: MessageDescriptor,
    /// Type of the answer.
    pub output: MessageDescriptor,
    /// Main message of the service, such as `AccountGrant`; none for `ControlPanel` and services
    /// that only old clients know.
    pub noun: Option<MessageDescriptor>,
    /// The field of the request that holds the noun.
    pub input_noun: Option<FieldDescriptor>,
    /// The field of the answer that holds the noun, repeated when the method lists; of
    /// `EnumerateTags` the tags.
    pub output_noun: Option<FieldDescriptor>,
    /// What ids of the noun begin with (`ag-`); empty where the service makes none.
    pub id_prefix: String,
    /// Whether `meta.snapshot_at` can ask for an earlier state.
    pub has_snapshots: bool,
    /// Whether only clients of the past call it.
    pub is_legacy: bool,
    /// Number of the field `meta` in the answer.
    pub(crate) meta_number: Option<u32>,
    /// Number of the field `rate_limit` in the answer.
    pub(crate) rate_limit_number: Option<u32>,
}

/// What is known of a field beside its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldFlags {
    /// Clients are told to set it.
    pub required: bool,
    /// What a client sends in it is ignored.
    pub read_only: bool,
    /// It is never returned, and an empty one on update keeps what is stored.
    pub write_only: bool,
    /// It is a secret or belongs to one, and may live in a secret store.
    pub credential: bool,
    /// The list in the answer of a method that lists.
    pub items: bool,
    /// It is no part of what users of the SDKs see.
    pub wire_only: bool,
    /// A text that holds the JSON of access rules; it is kept and returned verbatim.
    pub access_rules: bool,
}

/// Everything about the wire.
#[derive(Clone, Debug)]
pub struct Contract {
    pool: DescriptorPool,
    by_path: HashMap<String, Arc<Method>>,
    fields: HashMap<String, FieldFlags>,
    wrappers: BTreeMap<String, String>,
}

impl Contract {
    /// Reads the built-in contract: a few milliseconds, once in a process.
    ///
    /// # Errors
    /// When the build embedded something that does not fit together.
    pub fn load() -> Result<Self, ContractError> {
        Self::read(DESCRIPTORS, FACTS)
    }

    /// Reads a contract: descriptors of the messages and services, and what these do not say.
    ///
    /// # Errors
    /// When the two do not fit together.
    pub fn read(descriptors: &[u8], facts: &str) -> Result<Self, ContractError> {
        let pool = DescriptorPool::decode(descriptors)?;
        let facts = Facts::read(facts)?;
        let mut actions = Actions::read()?;
        let mut by_path = HashMap::new();
        for service in pool.services().filter(|s| s.package_name() == PACKAGE) {
            for method in service.methods() {
                let method = describe(&pool, &facts, &mut actions, service.name(), &method)?;
                by_path.insert(method.path.clone(), Arc::new(method));
            }
        }
        actions.check_all_taken()?;
        Ok(Self {
            pool,
            by_path,
            fields: facts.fields,
            wrappers: facts.wrappers,
        })
    }

    /// The descriptors of all messages, services and enums, those of health and reflection too.
    pub fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The StrongDM method at a path.
    pub fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.by_path.get(path)
    }

    /// All StrongDM methods, in no order.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.by_path.values()
    }

    /// A message of StrongDM by its name without the package (`Account`, `Tags.Pair`).
    ///
    /// # Errors
    /// When there is none.
    pub fn message(&self, name: &str) -> Result<MessageDescriptor, ContractError> {
        message(&self.pool, name)
    }

    /// What is known of a field beside its type.
    pub fn flags(&self, field: &FieldDescriptor) -> FieldFlags {
        self.fields
            .get(field.full_name())
            .copied()
            .unwrap_or_default()
    }

    /// Whether a message is a polymorphic wrapper (`Account`, `Resource`, ...): exactly one branch
    /// of its one `oneof` is set in each. Answers with the name of the `oneof`.
    pub fn wrapper(&self, message: &MessageDescriptor) -> Option<&str> {
        self.wrappers.get(message.full_name()).map(String::as_str)
    }
}

/// The name that a client signs when it calls a path, if the path can be one of StrongDM's:
/// `/v1.AccountGrants/Create` is signed as `AccountGrants.Create`.
pub fn signed_name(path: &str) -> Option<String> {
    let (service, method) = path.strip_prefix(PATH_START)?.split_once('/')?;
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (is_name(service) && is_name(method)).then(|| format!("{service}.{method}"))
}

fn message(pool: &DescriptorPool, name: &str) -> Result<MessageDescriptor, ContractError> {
    let full = format!("{PACKAGE}.{name}");
    pool.get_message_by_name(&full)
        .ok_or(ContractError::Missing { what: full })
}

fn describe(
    pool: &DescriptorPool,
    facts: &Facts,
    actions: &mut Actions,
    service: &str,
    method: &prost_reflect::MethodDescriptor,
) -> Result<Method, ContractError> {
    let missing = || ContractError::Missing {
        what: format!("facts of {service}"),
    };
    let service_facts = facts.services.get(service).ok_or_else(missing)?;
    let noun = match service_facts.noun.as_str() {
        "" => None,
        name => Some(message(pool, name)?),
    };
    let holds_noun = |message: &MessageDescriptor| {
        let noun = noun.as_ref()?;
        message
            .fields()
            .find(|field| matches!(field.kind(), Kind::Message(ty) if ty == *noun))
    };
    let (input, output) = (method.input(), method.output());
    let number = |name| output.get_field_by_name(name).map(|field| field.number());
    let verb = match method.name() {
        "Create" => Verb::Create,
        "Get" => Verb::Get,
        "Update" => Verb::Update,
        "Delete" => Verb::Delete,
        "List" => Verb::List,
        _ => Verb::Other,
    };
    Ok(Method {
        path: format!("{PATH_START}{service}/{}", method.name()),
        service: service.to_owned(),
        name: method.name().to_owned(),
        signed_name: format!("{service}.{}", method.name()),
        verb,
        actions: actions.take(service, method.name(), verb)?,
        input_noun: holds_noun(&input),
        output_noun: holds_noun(&output).or_else(|| facts.items(&output)),
        noun: noun.clone(),
        id_prefix: service_facts.id_prefix.clone(),
        has_snapshots: service_facts.has_snapshots && matches!(verb, Verb::Get | Verb::List),
        is_legacy: service_facts.is_legacy,
        meta_number: number("meta"),
        rate_limit_number: number("rate_limit"),
        input,
        output,
    })
}

#[derive(Debug, Default)]
struct ServiceFacts {
    noun: String,
    id_prefix: String,
    has_snapshots: bool,
    is_legacy: bool,
}

#[derive(Debug, Default)]
struct Facts {
    services: HashMap<String, ServiceFacts>,
    fields: HashMap<String, FieldFlags>,
    wrappers: BTreeMap<String, String>,
}

impl Facts {
    /// The list in an answer, where it is not of the noun.
    fn items(&self, output: &MessageDescriptor) -> Option<FieldDescriptor> {
        let flags = |field: &FieldDescriptor| self.fields.get(field.full_name()).copied();
        output
            .fields()
            .find(|field| flags(field).is_some_and(|flags| flags.items))
    }

    fn read(text: &str) -> Result<Self, ContractError> {
        let mut facts = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let unreadable = || ContractError::Fact {
                line: line.to_owned(),
            };
            let mut columns = line.split('\t');
            let mut column = || columns.next().ok_or_else(unreadable);
            let (kind, parent, name, flags) = (column()?, column()?, column()?, column()?);
            let flags = flags.split(';').filter(|flag| !flag.is_empty());
            match kind {
                "service" => {
                    let service = ServiceFacts::read(flags).ok_or_else(unreadable)?;
                    facts.services.insert(parent.to_owned(), service);
                }
                "field" => {
                    let field = FieldFlags::read(flags).ok_or_else(unreadable)?;
                    let name = format!("{PACKAGE}.{parent}.{name}");
                    facts.fields.insert(name, field);
                }
                "oneof" => {
                    let wrapper = format!("{PACKAGE}.{parent}");
                    facts.wrappers.insert(wrapper, name.to_owned());
                }
                // Messages that describe a status: the status itself says the same.
                "message" => {}
                _ => return Err(unreadable()),
            }
        }
        Ok(facts)
    }
}

impl ServiceFacts {
    fn read<'f>(flags: impl Iterator<Item = &'f str>) -> Option<Self> {
        let mut facts = Self {
            has_snapshots: true,
            ..Self::default()
        };
        for flag in flags {
            match flag.split_once('=').unwrap_or((flag, "")) {
                ("noun", noun) => noun.clone_into(&mut facts.noun),
                ("id_prefix", prefix) => prefix.clone_into(&mut facts.id_prefix),
                ("no_snapshot", _) => facts.has_snapshots = false,
                ("legacy", _) => facts.is_legacy = true,
                _ => return None,
            }
        }
        Some(facts)
    }
}

impl FieldFlags {
    fn read<'f>(flags: impl Iterator<Item = &'f str>) -> Option<Self> {
        let mut found = Self::default();
        for flag in flags {
            match flag {
                "required" => found.required = true,
                "read_only" => found.read_only = true,
                "write_only" => found.write_only = true,
                "credential" => found.credential = true,
                "items" => found.items = true,
                "wire_only" => found.wire_only = true,
                "conv=access_rules" | "conv=access_rule" => found.access_rules = true,
                _ => return None,
            }
        }
        Some(found)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_whole() {
        let contract = Contract::load().unwrap();
        let legacy = contract.methods().filter(|method| method.is_legacy);
        assert_eq!(legacy.count(), 2);
        assert_eq!(contract.methods().count(), 201 + 2);
        let services: std::collections::BTreeSet<&String> =
            contract.methods().map(|method| &method.service).collect();
        assert_eq!(services.len(), 73 + 2);
        assert_eq!(contract.wrappers.len(), 6);
        for method in contract.methods() {
            assert_eq!(
                signed_name(&method.path).as_deref(),
                Some(&*method.signed_name)
            );
            assert!(method.rate_limit_number.is_some(), "{}", method.path);
            assert!(
                matches!(method.verb, Verb::Other)
                    || method.input_noun.is_none()
                    || matches!(method.verb, Verb::Create | Verb::Update),
                "{}",
                method.path
            );
        }
        // Every fact is about something that exists.
        for name in contract.fields.keys() {
            let (message, field) = name.rsplit_once('.').unwrap();
            let message = contract.pool.get_message_by_name(message).unwrap();
            assert!(message.get_field_by_name(field).is_some(), "{name}");
        }
    }

    #[test]
    fn a_method_knows_its_noun() {
        let contract = Contract::load().unwrap();
        let create = contract.method("/v1.Accounts/Create").unwrap();
        assert_eq!(create.verb, Verb::Create);
        assert_eq!(create.signed_name, "Accounts.Create");
        assert_eq!(create.id_prefix, "a-");
        assert_eq!(create.input_noun.as_ref().unwrap().name(), "account");
        let noun = create.noun.as_ref().unwrap();
        assert_eq!(contract.wrapper(noun), Some("account"));
        let list = contract.method("/v1.Accounts/List").unwrap();
        let items = list.output_noun.as_ref().unwrap();
        assert!(items.is_list() && contract.flags(items).items);
        let user = contract.message("User").unwrap();
        let flags = contract.flags(&user.get_field_by_name("password").unwrap());
        assert!(flags.write_only);
        assert!(contract.method("/v1.Accounts/Steal").is_none());
    }

    #[test]
    fn only_paths_of_the_package_have_a_signed_name() {
        assert_eq!(
            signed_name("/v1.Nodes/TCPProbe").as_deref(),
            Some("Nodes.TCPProbe")
        );
        for path in [
            "/v1.Nodes",
            "/v2.Nodes/List",
            "/v1./List",
            "/v1.A/b/c",
            "/v1.A.B/c",
            "",
        ] {
            assert_eq!(signed_name(path), None, "{path}");
        }
    }
}
