// SPDX-License-Identifier: Apache-2.0
//! Why an item is refused.

use durward_model::limits::{CLASSES_MAX, NAME_BYTES_MAX, OBJECT_BYTES_MAX, PROPERTIES_MAX};
use durward_model::value::ValueError;

use super::GROUPS_MAX;

/// Why an item is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// A member that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member that must be a text is something else or empty.
    #[error("{0} must be a text that is not empty")]
    NotText(&'static str),
    /// A name or key is too long.
    #[error("{0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// A name holds control characters.
    #[error("{0} holds control characters")]
    Control(&'static str),
    /// `_class` is not what it must be.
    #[error("_class must be a name or a list of at most {CLASSES_MAX} names")]
    BadClass,
    /// A property name that only the server may use.
    #[error("property {0} begins with an underscore, which is reserved")]
    Reserved(String),
    /// A property that the graph works out.
    #[error("property {property} of {entity_type} is worked out and cannot be set")]
    Derived {
        /// The property.
        property: String,
        /// The type of which it is.
        entity_type: String,
    },
    /// A property twice in one object.
    #[error("property {0} is given twice")]
    Twice(String),
    /// A property without a name, or with one that is too long.
    #[error("a property name must have 1 to {NAME_BYTES_MAX} bytes")]
    BadName,
    /// A property value that is not allowed.
    #[error("property {property}: {source}")]
    BadValue {
        /// The property.
        property: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A document that is nested too deep.
    #[error("property {0} is nested too deep")]
    TooDeep(String),
    /// Relationships carry plain values only.
    #[error("property {0} of a relationship must be a text, a number or a boolean")]
    NotPlain(String),
    /// Too many properties.
    #[error("an object may have at most {PROPERTIES_MAX} properties")]
    TooManyProperties,
    /// The object is too large.
    #[error("an object may have at most {OBJECT_BYTES_MAX} bytes")]
    TooLarge,
    /// The columns of the upload would be too large.
    #[error("this upload has too many different properties; send it in smaller parts")]
    TooManyCells,
    /// A type that only the core writes.
    #[error("type {0} is protected: only Durward itself writes it")]
    Protected(String),
    /// An end is not named, or named twice.
    #[error("{0} must be named by key or by id, and by one of them only")]
    BadEnd(&'static str),
    /// `_mapping` is not what it must be.
    #[error("_mapping: {0}")]
    BadMapping(&'static str),
    /// Too many kinds of objects in one upload.
    #[error("an upload may hold at most {GROUPS_MAX} combinations of type and class")]
    TooManyGroups,
    /// The arena of a part is full.
    #[error("the upload has too much text")]
    Full,
}
