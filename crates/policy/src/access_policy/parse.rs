// SPDX-License-Identifier: Apache-2.0
//! From JSON text to a policy.

use std::fmt;
use std::marker::PhantomData;

use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{
    AccessPolicy, CONDITION_ITEMS_MAX, Effect, NAMES_MAX, Names, POLICY_BYTES_MAX, STATEMENTS_MAX,
    Statement,
};
use crate::Right;

const EVERYTHING: &str = "*";
/// JupiterOne's prose writes this action without its service.
const SHORT_READ_GRAPH: &str = "ReadGraphData";
const RESOURCE_KINDS: [&str; 9] = [
    "account",
    "api",
    "compliance-standard",
    "dashboard",
    "entity",
    "integration",
    "powerup",
    "settings-category",
    "parameter",
];

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is longer than a policy may be.
    #[error("the policy has {bytes} bytes; at most {POLICY_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is not JSON, or not of a policy's shape.
    #[error("the policy is not valid at line {line}, column {column}: {reason}")]
    Invalid {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1; the end of what is wrong.
        column: usize,
        /// What is wrong.
        reason: String,
    },
}

impl PolicyError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl ClientMessage for PolicyError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

pub(super) fn parse(text: &str) -> Result<AccessPolicy, PolicyError> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(PolicyError::TooLong { bytes: text.len() });
    }
    let written: AnObject<WrittenPolicy> = serde_json::from_str(text).map_err(|error| {
        let whole = error.to_string();
        let suffix = format!(" at line {} column {}", error.line(), error.column());
        let reason = whole.strip_suffix(&suffix).unwrap_or(&whole).to_owned();
        PolicyError::Invalid {
            line: error.line(),
            column: error.column().max(1),
            reason,
        }
    })?;
    Ok(AccessPolicy {
        statements: written.0.permissions.0,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPolicy {
    permissions: Bounded<Statement, STATEMENTS_MAX>,
}

/// An object with named members; derived readers would take a list of their values as well.
struct AnObject<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AnObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// A list that is not empty and not longer than `MAX`.
struct Bounded<T, const MAX: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Bounded<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        match items.len() {
            0 => Err(D::Error::custom("the list must not be empty")),
            count if count > MAX => Err(D::Error::custom(format!(
                "the list has {count} items; at most {MAX} may be"
            ))),
            _ => Ok(Self(items)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStatement {
    effect: Effect,
    actions: Bounded<ActionName, NAMES_MAX>,
    resources: Bounded<ResourceName, NAMES_MAX>,
    #[serde(default)]
    condition: Option<AnObject<WrittenCondition>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCondition {
    #[serde(rename = "stringEquals")]
    string_equals: PropertyValues,
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let AnObject(written) = AnObject::<WrittenStatement>::deserialize(deserializer)?;
        let actions = names(written.actions.0.into_iter().map(|name| name.0));
        let resources = names(written.resources.0.into_iter().map(|name| name.0));
        let condition = written
            .condition
            .map(|condition| condition.0.string_equals.0);
        if condition.is_some() {
            if written.effect == Effect::Deny {
                return Err(D::Error::custom(
                    "a condition may stand only where effect is ALLOW",
                ));
            }
            let reads = |rights: &Vec<Right>| rights.iter().all(|r| *r == Right::READ_GRAPH);
            if matches!(&actions, Names::These(rights) if !reads(rights)) {
                return Err(D::Error::custom(
                    "a condition may stand only with the action query:ReadGraphData or *",
                ));
            }
            if resources != Names::All {
                return Err(D::Error::custom(
                    "a condition may stand only with the resource *",
                ));
            }
        }
        Ok(Self {
            effect: written.effect,
            actions,
            resources,
            condition,
        })
    }
}

/// `*` anywhere in a list stands for all.
fn names<T>(items: impl Iterator<Item = Option<T>>) -> Names<T> {
    items
        .collect::<Option<Vec<T>>>()
        .map_or(Names::All, Names::These)
}

impl<'de> Deserialize<'de> for Effect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "ALLOW" => Ok(Self::Allow),
            "DENY" => Ok(Self::Deny),
            other => Err(D::Error::custom(format!(
                "{:?} is not an effect; write ALLOW or DENY in capitals",
                shortened(other)
            ))),
        }
    }
}

const WRONG_PROPERTIES: &str = "a condition takes 1 to 32 properties";
const _: () = assert!(CONDITION_ITEMS_MAX == 32, "the sentence names the number");

/// An action; `None` is the lone `*`.
struct ActionName(Option<Right>);

impl<'de> Deserialize<'de> for ActionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.as_str() {
            EVERYTHING => Ok(Self(None)),
            SHORT_READ_GRAPH => Ok(Self(Some(Right::READ_GRAPH))),
            full => match Right::of_jupiterone_action(full) {
                Some(right) => Ok(Self(Some(right))),
                None if full.contains('*') => Err(D::Error::custom(format!(
                    "{:?} holds a partial wildcard; write a full action or a lone *",
                    shortened(full)
                ))),
                None => Err(D::Error::custom(format!(
                    "{:?} is not an action; there are {}",
                    shortened(full),
                    known_actions()
                ))),
            },
        }
    }
}

/// A resource; `None` is the lone `*`.
struct ResourceName(Option<String>);

impl<'de> Deserialize<'de> for ResourceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == EVERYTHING {
            return Ok(Self(None));
        }
        if name.contains('*') {
            return Err(D::Error::custom(format!(
                "{:?} holds a partial wildcard; write a full resource or a lone *",
                shortened(&name)
            )));
        }
        let known = name
            .split_once(':')
            .is_some_and(|(kind, id)| RESOURCE_KINDS.contains(&kind) && !id.is_empty());
        if known {
            return Ok(Self(Some(name)));
        }
        Err(D::Error::custom(format!(
            "{:?} is not a resource; write KIND:ID with one of the kinds {}",
            shortened(&name),
            RESOURCE_KINDS.join(", ")
        )))
    }
}

/// The content of `stringEquals`: each property once, with one value or a list of values.
struct PropertyValues(Vec<(String, Vec<String>)>);

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a property must equal a string or one of a list of strings"
)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for PropertyValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, Vec<String>)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of properties and the strings they must equal")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, Vec<String>)> = Vec::new();
                while let Some((property, values)) = map.next_entry::<String, OneOrMany>()? {
                    // Each is compared with those before it: not with thousands.
                    if members.len() >= CONDITION_ITEMS_MAX {
                        return Err(A::Error::custom(WRONG_PROPERTIES));
                    }
                    let values = match values {
                        OneOrMany::One(value) => vec![value],
                        OneOrMany::Many(values) => values,
                    };
                    if members.iter().any(|(known, _)| *known == property) {
                        let name = shortened(&property);
                        return Err(A::Error::custom(format!("{name:?} stands twice")));
                    }
                    if values.is_empty() || values.len() > CONDITION_ITEMS_MAX {
                        return Err(A::Error::custom(format!(
                            "a property takes 1 to {CONDITION_ITEMS_MAX} values"
                        )));
                    }
                    members.push((property, values));
                }
                Ok(members)
            }
        }
        let members = deserializer.deserialize_map(Members)?;
        if members.is_empty() {
            return Err(D::Error::custom(WRONG_PROPERTIES));
        }
        Ok(Self(members))
    }
}

fn known_actions() -> String {
    Right::all()
        .filter_map(Right::jupiterone_action)
        .collect::<Vec<_>>()
        .join(", ")
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
