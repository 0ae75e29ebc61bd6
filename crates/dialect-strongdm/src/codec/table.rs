// SPDX-License-Identifier: Apache-2.0
//! Tables of fields, made from descriptors once.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::contract::Contract;
use crate::mapping::{self, IdFields, Meaning};

const TIMESTAMP: &str = "google.protobuf.Timestamp";
const DURATION: &str = "google.protobuf.Duration";

/// Form of a field on the wire and in the graph.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A text.
    Text,
    /// Texts.
    Texts,
    /// A whole number.
    Integer,
    /// A truth value.
    Bool,
    /// A moment; an empty one is none.
    Timestamp,
    /// A span of time, in seconds in the graph.
    Duration,
    /// A message that is no object: a JSON document in the graph.
    Document(Box<Table>),
    /// Several of them.
    Documents(Box<Table>),
    /// What core objects do not have.
    Other,
}

/// Which way a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It is set and read.
    Both,
    /// It is set and read, and an empty one on update keeps what is stored.
    Kept,
    /// It is only read; what a client sends is ignored.
    Out,
    /// It is read and set by old clients only: where the field that came in its place is absent.
    Old,
    /// It is only set: a secret.
    In,
}

/// One field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) descriptor: FieldDescriptor,
    pub(crate) number: u32,
    pub(crate) meaning: Meaning,
    pub(crate) shape: Shape,
    pub(crate) flow: Flow,
}

/// The fields of one message in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) fields: Vec<Field>,
}

impl Table {
    /// The table of a noun.
    pub(crate) fn of_noun(contract: &Contract, message: &MessageDescriptor, ids: IdFields) -> Self {
        let describe = |field: FieldDescriptor| {
            let meaning = mapping::meaning(message.name(), field.name(), ids);
            let flags = contract.flags(&field);
            let is_generated = matches!(
                &meaning,
                Meaning::Property(property) if mapping::is_generated(property)
            );
            let flow = if flags.write_only {
                Flow::In
            } else if mapping::is_old_twin(message.name(), field.name()) {
                Flow::Old
            } else if flags.read_only {
                Flow::Out
            } else if is_generated {
                Flow::Kept
            } else {
                Flow::Both
            };
            Field {
                number: field.number(),
                shape: shape(&field),
                descriptor: field,
                meaning,
                flow,
            }
        };
        Self::sorted(message.fields().map(describe).collect())
    }

    /// The table of a message that is no object.
    fn of_document(message: &MessageDescriptor) -> Self {
        let describe = |field: FieldDescriptor| Field {
            number: field.number(),
            shape: shape(&field),
            meaning: Meaning::Property(mapping::camel_case(field.name())),
            descriptor: field,
            flow: Flow::Both,
        };
        Self::sorted(message.fields().map(describe).collect())
    }

    fn sorted(mut fields: Vec<Field>) -> Self {
        fields.sort_by_key(|field| field.number);
        Self { fields }
    }
}

fn shape(field: &FieldDescriptor) -> Shape {
    match field.kind() {
        Kind::String if field.is_list() => Shape::Texts,
        Kind::Message(message) if field.is_list() => {
            Shape::Documents(Box::new(Table::of_document(&message)))
        }
        _ if field.is_list() => Shape::Other,
        Kind::String => Shape::Text,
        Kind::Int32 | Kind::Int64 | Kind::Uint32 => Shape::Integer,
        Kind::Bool => Shape::Bool,
        Kind::Message(message) => match message.full_name() {
            TIMESTAMP => Shape::Timestamp,
            DURATION => Shape::Duration,
            _ => Shape::Document(Box::new(Table::of_document(&message))),
        },
        _ => Shape::Other,
    }
}
