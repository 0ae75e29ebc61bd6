// SPDX-License-Identifier: Apache-2.0
//! `grpc.reflection`: the contract for tools that have no copy of it, such as grpcurl.
//!
//! They cannot sign, so reflection is for everybody where anonymous introspection is switched on,
//! and elsewhere for callers with a bearer token (any native API token will do).

use bytes::Bytes;
use durward_model::ErrorKind;
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, Value};

use crate::status::Status;
use crate::wire::{put_bytes, put_integer};

const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// Both versions have the same messages.
const REQUEST: &str = "grpc.reflection.v1.ServerReflectionRequest";
/// Longest question.
pub(crate) const QUESTION_BYTES_MAX: usize = 16 << 10;

/// Status codes inside an answer.
const NOT_FOUND: i64 = 5;
const INVALID_ARGUMENT: i64 = 3;

/// Numbers of the fields of an answer.
mod field {
    pub(super) const VALID_HOST: u32 = 1;
    pub(super) const ORIGINAL_REQUEST: u32 = 2;
    pub(super) const FILES: u32 = 4;
    pub(super) const EXTENSION_NUMBERS: u32 = 5;
    pub(super) const SERVICES: u32 = 6;
    pub(super) const ERROR: u32 = 7;
}

/// Whether a path is that of reflection.
pub(crate) fn is_reflection(path: &str) -> bool {
    PATHS.contains(&path)
}

/// The answer to one question.
///
/// # Errors
/// When the message is not a question at all, which ends the conversation.
pub(crate) fn answer(pool: &DescriptorPool, message: &Bytes) -> Result<Vec<u8>, Status> {
    let request = pool
        .get_message_by_name(REQUEST)
        .ok_or_else(|| Status::new(ErrorKind::Internal, "the contract lacks the question"))?;
    let unreadable = |_| Status::invalid("the message is not a valid ServerReflectionRequest");
    let request = DynamicMessage::decode(request, message.clone()).map_err(unreadable)?;
    let mut out = Vec::new();
    if let Some(Value::String(host)) = request.get_field_by_name("host").as_deref()
        && !host.is_empty()
    {
        put_bytes(&mut out, field::VALID_HOST, host.as_bytes());
    }
    put_bytes(&mut out, field::ORIGINAL_REQUEST, message);
    let asked = request.fields().find(|(field, _)| field.name() != "host");
    let (number, content) = match asked {
        Some((field, value)) => reply(pool, field.name(), value),
        None => error(INVALID_ARGUMENT, "the question is empty"),
    };
    put_bytes(&mut out, number, &content);
    Ok(out)
}

/// Number and content of the answering field.
fn reply(pool: &DescriptorPool, question: &str, value: &Value) -> (u32, Vec<u8>) {
    let text = value.as_str().unwrap_or_default();
    match question {
        "list_services" => {
            let mut out = Vec::new();
            for service in pool.services() {
                let mut name = Vec::new();
                put_bytes(&mut name, 1, service.full_name().as_bytes());
                put_bytes(&mut out, 1, &name);
            }
            (field::SERVICES, out)
        }
        "file_by_filename" => file(pool.get_file_by_name(text)),
        "file_containing_symbol" => {
            // The name of a method or field is that of its service or message and one word more.
            let outer = text.rsplit_once('.').map_or("", |(outer, _)| outer);
            file(containing(pool, text).or_else(|| containing(pool, outer)))
        }
        "all_extension_numbers_of_type" if pool.get_message_by_name(text).is_some() => {
            let mut out = Vec::new();
            put_bytes(&mut out, 1, text.as_bytes());
            (field::EXTENSION_NUMBERS, out)
        }
        // The contract has no extensions.
        _ => file(None),
    }
}

fn file(found: Option<FileDescriptor>) -> (u32, Vec<u8>) {
    let Some(file) = found else {
        return error(NOT_FOUND, "there is no such thing");
    };
    let mut out = Vec::new();
    put_bytes(&mut out, 1, &file.encode_to_vec());
    (field::FILES, out)
}

fn containing(pool: &DescriptorPool, name: &str) -> Option<FileDescriptor> {
    let service = pool.get_service_by_name(name);
    service
        .map(|service| service.parent_file())
        .or_else(|| {
            pool.get_message_by_name(name)
                .map(|found| found.parent_file())
        })
        .or_else(|| pool.get_enum_by_name(name).map(|found| found.parent_file()))
}

fn error(code: i64, sentence: &str) -> (u32, Vec<u8>) {
    let mut out = Vec::new();
    put_integer(&mut out, 1, code);
    put_bytes(&mut out, 2, sentence.as_bytes());
    (field::ERROR, out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::contract::Contract;

    /// The answering field's name and the answer.
    fn ask(number: u32, text: &str) -> (String, DynamicMessage) {
        let contract = Contract::load().unwrap();
        let mut question = Vec::new();
        put_bytes(&mut question, 1, b"here");
        put_bytes(&mut question, number, text.as_bytes());
        let bytes = answer(contract.pool(), &Bytes::from(question)).unwrap();
        let name = "grpc.reflection.v1.ServerReflectionResponse";
        let response = contract.pool().get_message_by_name(name).unwrap();
        let response = DynamicMessage::decode(response, &*bytes).unwrap();
        let host = response.get_field_by_name("valid_host").unwrap();
        assert_eq!(host.as_str(), Some("here"));
        assert!(response.has_field_by_name("original_request"));
        let fields = response.fields();
        let mut replies = fields.filter(|(field, _)| field.containing_oneof().is_some());
        let (field, value) = replies.next().unwrap();
        let Value::Message(message) = value else {
            panic!("{value:?}");
        };
        (field.name().to_owned(), message.clone())
    }

    #[test]
    fn services_and_files_are_found() {
        let (kind, services) = ask(7, "*");
        assert_eq!(kind, "list_services_response");
        let services = services.get_field_by_name("service").unwrap();
        assert_eq!(services.as_list().unwrap().len(), 75 + 3);
        for symbol in ["v1.Accounts", "v1.Accounts.List", "v1.User", "v1.Tags.Pair"] {
            let (kind, _) = ask(4, symbol);
            assert_eq!(kind, "file_descriptor_response", "{symbol}");
        }
        let (kind, _) = ask(3, "google/protobuf/timestamp.proto");
        assert_eq!(kind, "file_descriptor_response");
        assert_eq!(ask(6, "v1.User").0, "all_extension_numbers_response");
    }

    #[test]
    fn what_is_not_there_is_an_error_inside_the_conversation() {
        for (number, text) in [
            (3, "none.proto"),
            (4, "v1.Nothing"),
            (4, ""),
            (6, "v1.No"),
            (5, ""),
        ] {
            let (kind, error) = ask(number, text);
            assert_eq!(kind, "error_response", "{text}");
            let code = error.get_field_by_name("error_code").unwrap();
            assert_eq!(code.as_i32(), Some(5));
        }
    }
}
