// SPDX-License-Identifier: Apache-2.0
//! The kinds of core objects, read from `contracts/catalog/access.toml`.

mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

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
    /// Whether it never leaves the vault.
    pub secret: bool,
    /// What its values are, where that is said.
    pub value: Option<ValueKind>,
    /// The field of StrongDM that shows it; empty where the field's name tells the property.
    pub strongdm: String,
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

/// How StrongDM calls a kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StrongdmName {
    /// The service of its objects.
    pub service: String,
    /// The message of one.
    pub noun: String,
    /// What its ids begin with.
    pub prefix: String,
    /// The branch of the message, where several kinds share one.
    pub branch: String,
    /// The property that names the branch, where the objects of one kind have several.
    pub branch_property: String,
    /// The field with the start of a relationship.
    pub start_field: String,
    /// The field with its end.
    pub end_field: String,
    /// What activities call an object; empty for relationships, of which they name the ends.
    pub word: String,
    /// What activities call the making of one, its change and its end; empty where they say it
    /// otherwise.
    pub made: String,
    /// See `made`.
    pub changed: String,
    /// See `made`.
    pub ended: String,
}

static BUILT_IN: LazyLock<Result<Vec<KindEntry>, CatalogError>> =
    LazyLock::new(|| parse::parse(FILE));
static NONE: LazyLock<KindEntry> = LazyLock::new(KindEntry::default);

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

    /// Whether its living objects all have different names (users: addresses), so that a name
    /// tells whether an object is the one that was asked for.
    pub fn has_unique_name(self) -> bool {
        self.unique().next().is_some()
    }

    /// How StrongDM calls it; `None` when it does not know it.
    pub fn strongdm(self) -> Option<&'static StrongdmName> {
        self.entry().strongdm.first()
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
        let secret = properties.filter(|(_, property)| property.secret);
        TypeEntry {
            name: entry.type_name.clone(),
            class: entry.class.clone(),
            protected: true,
            secret: secret.map(|(name, _)| name.clone()).collect(),
            unique: unique.collect(),
        }
    })
}
