// SPDX-License-Identifier: Apache-2.0
//! The kinds of core objects, read from `contracts/catalog/access.toml`.

mod parse;
pub mod property;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::dialects::{CyralName, SonraiName, StrongdmName};
use crate::place::Text;
use crate::{CatalogError, TypeEntry, UniqueProperty};

const FILE: Text = Text {
    file: "access.toml",
    text: include_str!("../../../contracts/catalog/access.toml"),
};

/// A kind of core objects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(u8);

/// Names the kinds on which code branches, each with its number. Kinds that the catalog has beyond
/// these come after them.
macro_rules! known {
    ($($(#[$doc:meta])+ $constant:ident $number:literal $name:literal;)+) => {
        impl Kind {
            $($(#[$doc])+ pub const $constant: Self = Self($number);)+
        }

        /// Names and numbers of these.
        const KNOWN: &[(&str, Kind)] = &[$(($name, Kind::$constant),)+];
    };
}

known! {
    /// An account of a person.
    USER 0 "user";
    /// An account of a machine.
    SERVICE 1 "service_account";
    /// A group of accounts.
    GROUP 2 "group";
    /// A role.
    ROLE 3 "role";
    /// A database, server, cluster, website or cloud to which access is given.
    RESOURCE 4 "resource";
    /// A gateway, relay or proxy cluster.
    NODE 5 "node";
    /// A policy in the Cedar language.
    POLICY 6 "policy";
    /// That a group has an account.
    GROUP_MEMBER 7 "group_member";
    /// That an account is assigned a role.
    ASSIGNMENT 8 "assignment";
    /// That a group is assigned a role.
    GROUP_ROLE 9 "group_role";
    /// That an account or group may reach a resource, for a time.
    GRANT 10 "grant";
}

/// Verbs that readings and commands know.
pub mod verb {
    /// Between a group and its accounts.
    pub const HAS: &str = "HAS";
    /// Between accounts or groups and their roles.
    pub const ASSIGNED: &str = "ASSIGNED";
    /// Between accounts, groups or roles and the resources that they may reach.
    pub const ALLOWS: &str = "ALLOWS";
    /// Between accounts or nodes and their credentials.
    pub const OWNS: &str = "OWNS";
}

/// What the catalog says about a kind.
#[derive(Clone, Debug, Default)]
pub struct KindEntry {
    /// How the catalog calls it.
    pub name: String,
    /// What people call one of it.
    pub noun: String,
    /// The type of its entities, or of its relationships.
    pub type_name: String,
    /// Its ends, where it is a kind of relationships.
    pub ends: Option<Ends>,
    /// Classes of its entities.
    pub class: Vec<String>,
    /// Properties of which something is to be said, by name.
    pub properties: BTreeMap<String, Property>,
    /// Names of the actions asked for what is done to it.
    pub actions: Actions,
    /// Properties of the objects that a new organization has.
    pub built_in: Vec<BTreeMap<String, String>>,
    /// How StrongDM calls it: its name, then older ones.
    pub strongdm: Vec<StrongdmName>,
    /// How Sonrai calls it; empty where it does not know it.
    pub sonrai: SonraiName,
    /// How OpenCTI calls it; empty where it does not know it.
    pub opencti: String,
    /// How Cyral calls it, where not by its noun.
    pub cyral: CyralName,
}

/// The ends of a kind of relationships.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Kinds at the start.
    pub from: Vec<Kind>,
    /// What sentences call the start.
    pub start: String,
    /// The verb.
    pub verb: String,
    /// Kinds at the end.
    pub to: Vec<Kind>,
    /// What sentences call the end.
    pub end: String,
    /// Whether there may be several between the same two objects.
    pub several: bool,
    /// Whether it can change, and not only be made and ended.
    pub changes: bool,
    /// Whether who makes, changes or ends it must have every right of the account at its start.
    pub guarded: bool,
}

/// What the catalog says about a property.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Property {
    /// What sentences call it.
    pub noun: String,
    /// Whether an object without it is refused.
    pub required: bool,
    /// Whether living objects of the kind all have different ones.
    pub unique: Option<Unique>,
    /// Whether it never leaves the vault, and who writes it.
    pub secret: Option<SecretKind>,
    /// What its values are, where that is said.
    pub value: Option<ValueKind>,
    /// The field of StrongDM that shows it; empty where the field's name tells the property.
    pub strongdm: String,
}

/// Who writes a secret property.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SecretKind {
    /// Commands of its own.
    Own,
    /// All commands: what clients send and are never shown again is sealed in it.
    Sealed,
}

/// What the values of a property are.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Texts.
    Text,
    /// Moments.
    Instant,
}

/// How values of a unique property are compared.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Unique {
    /// As they are.
    Exact,
    /// Without regard to case.
    Folded,
}

/// Names of the actions asked for what is done to a kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    /// To see its objects.
    pub read: String,
    /// To make one.
    pub create: String,
    /// To change one.
    pub update: String,
    /// To end one.
    pub delete: String,
    /// To see what became of them.
    pub history: String,
}

static BUILT_IN: LazyLock<Result<Vec<KindEntry>, CatalogError>> =
    LazyLock::new(|| parse::parse(file()));
static NONE: LazyLock<KindEntry> = LazyLock::new(KindEntry::default);

#[cfg(not(feature = "testing"))]
fn file() -> Text {
    FILE
}

#[cfg(feature = "testing")]
use testing::file;

/// Kinds beside those of the built-in file.
#[cfg(feature = "testing")]
pub mod testing {
    use std::sync::OnceLock;

    use super::{FILE, Text};

    static ADDED: OnceLock<&str> = OnceLock::new();

    /// Adds kinds to the file, once, before anything has looked at it. Whether they fit,
    /// [`crate::Catalog::built_in`] tells.
    pub fn add(kinds: &str) {
        ADDED.get_or_init(|| format!("{}\n{kinds}", FILE.text).leak());
    }

    pub(super) fn file() -> Text {
        let text = ADDED.get().copied().unwrap_or(FILE.text);
        Text { text, ..FILE }
    }
}

/// All kinds at the place of their number; none where the catalog cannot be used, which
/// [`check`] tells.
fn entries() -> &'static [KindEntry] {
    BUILT_IN.as_deref().unwrap_or_default()
}

/// Whether the kinds of the catalog can be used.
///
/// # Errors
/// The first mistake in the file.
pub(crate) fn check() -> Result<(), CatalogError> {
    match &*BUILT_IN {
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}

impl Kind {
    /// The kinds of accounts.
    pub const ACCOUNTS: [Self; 2] = [Self::USER, Self::SERVICE];

    /// The kinds whose objects can hold roles and grants.
    pub const HOLDERS: [Self; 3] = [Self::USER, Self::SERVICE, Self::GROUP];

    /// All kinds.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + Clone {
        (0..entries().len()).map(|number| Self(number as u8))
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.entry().name == name)
    }

    /// The kind whose entities are of this type.
    pub fn of_type(entity_type: &str) -> Option<Self> {
        Self::all().find(|kind| !kind.is_relationship() && kind.type_name() == entity_type)
    }

    /// What the catalog says about it.
    pub fn entry(self) -> &'static KindEntry {
        entries().get(usize::from(self.0)).unwrap_or(&NONE)
    }

    /// The type of its entities, or of its relationships.
    pub fn type_name(self) -> &'static str {
        &self.entry().type_name
    }

    /// Its ends, where it is a kind of relationships.
    pub fn ends(self) -> Option<&'static Ends> {
        self.entry().ends.as_ref()
    }

    /// Whether its objects are relationships.
    pub fn is_relationship(self) -> bool {
        self.ends().is_some()
    }

    /// What people call one of it.
    pub fn noun(self) -> &'static str {
        &self.entry().noun
    }

    /// What sentences call the unique properties of the kind.
    pub fn unique(self) -> impl Iterator<Item = (&'static str, &'static Property)> {
        let properties = self.entry().properties.iter();
        let unique = properties.filter(|(_, property)| property.unique.is_some());
        unique.map(|(name, property)| (name.as_str(), property))
    }

    /// Whether a property never leaves the vault.
    pub fn is_secret(self, property: &str) -> bool {
        let known = self.entry().properties.get(property);
        known.is_some_and(|known| known.secret.is_some())
    }

    /// The property in which secrets of its objects are sealed; `None` where it has none.
    pub fn sealed(self) -> Option<&'static str> {
        let mut properties = self.entry().properties.iter();
        let found = properties.find(|(_, property)| property.secret == Some(SecretKind::Sealed))?;
        Some(found.0)
    }

    /// Whether its living objects all have different names (users: addresses), so that a name
    /// tells whether an object is the one that was asked for.
    pub fn has_unique_name(self) -> bool {
        self.unique().next().is_some()
    }

    /// The kind of its objects in Sonrai's names.
    pub fn sonrai(self) -> &'static str {
        &self.entry().sonrai.kind
    }

    /// How OpenCTI calls it.
    pub fn opencti(self) -> &'static str {
        &self.entry().opencti
    }

    /// What Cyral's sentences call one of it.
    pub fn cyral_noun(self) -> &'static str {
        match self.entry().cyral.noun.as_str() {
            "" => self.noun(),
            own => own,
        }
    }

    /// How StrongDM calls it; `None` when it does not know it.
    pub fn strongdm(self) -> Option<&'static StrongdmName> {
        self.entry().strongdm.first()
    }

    /// What its ids begin with where the prefix tells the kind; nothing where StrongDM does not
    /// know it.
    pub fn prefix(self) -> &'static str {
        self.strongdm().map_or("", |name| &name.prefix)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.entry().name)
    }
}

/// The types of the kinds of entities.
pub(crate) fn types() -> impl Iterator<Item = TypeEntry> {
    let entities = entries().iter().filter(|entry| entry.ends.is_none());
    entities.map(|entry| {
        let unique = entry.properties.iter().filter_map(|(name, property)| {
            Some(UniqueProperty {
                property: name.clone(),
                fold: property.unique? == Unique::Folded,
            })
        });
        let properties = entry.properties.iter();
        let secret = properties.filter(|(_, property)| property.secret.is_some());
        TypeEntry {
            name: entry.type_name.clone(),
            class: entry.class.clone(),
            protected: true,
            secret: secret.map(|(name, _)| name.clone()).collect(),
            unique: unique.collect(),
        }
    })
}
