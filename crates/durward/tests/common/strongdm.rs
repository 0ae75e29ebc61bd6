// SPDX-License-Identifier: Apache-2.0
//! StrongDM's calls with requests and answers as JSON, whose fields are named as in the contract.

use std::sync::Arc;

use durward_dialect_strongdm::Contract;
use durward_testkit::Server;
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Map, Value as Json, json};

use crate::wire::{Answer, Call, Wire};

/// The bytes before a message: a flag and its length.
const FRAME_BYTES: usize = 5;

/// Somebody with an access key.
pub struct Sdk {
    contract: Arc<Contract>,
    pub wire: Wire,
}

/// A refusal: gRPC's code and the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u8,
    pub message: String,
}

impl Sdk {
    /// The administrator of a server.
    pub fn chief(server: &Server) -> Self {
        let (access_key, secret) = server.credentials().strongdm();
        Self::of(server, access_key, secret)
    }

    pub fn of(server: &Server, access_key: &str, secret: &str) -> Self {
        Self {
            contract: Arc::new(Contract::load().unwrap()),
            wire: Wire::with_key(server, access_key, secret),
        }
    }

    /// Somebody else at the same server.
    pub fn with_key(&self, server: &Server, access_key: &str, secret: &str) -> Self {
        Self {
            contract: Arc::clone(&self.contract),
            wire: Wire::with_key(server, access_key, secret),
        }
    }

    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// A call of `Service.Method`, not sent yet.
    pub fn call(&self, name: &str, request: &Json) -> Call {
        let path = path_of(name);
        let method = self.contract.method(&path);
        let method = method.unwrap_or_else(|| panic!("there is no method {name}"));
        self.wire
            .call(&path, &encode(&method.input, request).encode_to_vec())
    }

    /// Calls `Service.Method`.
    pub fn ask(&mut self, name: &str, request: &Json) -> Result<Json, Refusal> {
        let call = self.call(name, request);
        let answer = self.wire.send(&call);
        self.read(name, &answer)
    }

    /// What an answer of `Service.Method` says.
    pub fn read(&self, name: &str, answer: &Answer) -> Result<Json, Refusal> {
        assert_eq!(answer.http_status, 200, "{name}: {answer:?}");
        let code: u8 = answer.code.parse().unwrap();
        if code != 0 {
            let message = answer.message.clone();
            assert_ne!(code, 13, "{name} failed inside: {message}");
            return Err(Refusal { code, message });
        }
        let method = self.contract.method(&path_of(name)).unwrap();
        let message = DynamicMessage::decode(method.output.clone(), &answer.body[FRAME_BYTES..]);
        Ok(decode(&message.unwrap()))
    }

    /// A call that must go well.
    pub fn ok(&mut self, name: &str, request: &Json) -> Json {
        let answer = self.ask(name, request);
        answer.unwrap_or_else(|refusal| panic!("{name} {request}: {refusal:?}"))
    }

    /// A call that must be refused with a code and a part of a sentence.
    pub fn refused(&mut self, name: &str, request: &Json, code: u8, part: &str) -> Refusal {
        match self.ask(name, request) {
            Ok(answer) => panic!("{name} {request} was let through: {answer}"),
            Err(refusal) => {
                assert_eq!(refusal.code, code, "{name} {request}: {refusal:?}");
                let message = &refusal.message;
                assert!(message.contains(part), "{name}: no {part:?} in {message:?}");
                refusal
            }
        }
    }

    /// Makes an object whose noun is `noun`, and answers with its id.
    pub fn made(&mut self, service: &str, noun: &str, object: &Json) -> String {
        let answer = self.ok(&format!("{service}.Create"), &json!({ noun: object }));
        id_in(&answer[noun])
    }

    /// All rows of a list.
    pub fn list(&mut self, service: &str, filter: &str) -> Vec<Json> {
        self.list_at(service, filter, None)
    }

    /// All rows of a list as they were at a second since 1970.
    pub fn list_at(&mut self, service: &str, filter: &str, at: Option<i64>) -> Vec<Json> {
        let mut request = json!({"meta": {}, "filter": filter});
        if let Some(seconds) = at {
            request["meta"]["snapshot_at"] = json!({"seconds": seconds});
        }
        self.rows(service, request)
    }

    /// All rows that a request for a list gives, page after page.
    pub fn rows(&mut self, service: &str, mut request: Json) -> Vec<Json> {
        let mut rows = Vec::new();
        request["meta"]["limit"] = json!(100);
        loop {
            let mut answer = self.ok(&format!("{service}.List"), &request);
            let next = answer["meta"]["next_cursor"].take();
            let fields = answer.as_object_mut().unwrap();
            fields.retain(|name, _| name != "meta" && name != "rate_limit");
            for value in fields.values_mut() {
                rows.append(value.as_array_mut().unwrap());
            }
            let cursor = next.as_str().unwrap_or_default();
            if cursor.is_empty() {
                return rows;
            }
            request["meta"]["cursor"] = json!(cursor);
        }
    }
}

/// The id of an object, which may be one of several kinds.
pub fn id_in(object: &Json) -> String {
    let inner = object.as_object().unwrap().values().next().unwrap();
    let id = object["id"].as_str().or_else(|| inner["id"].as_str());
    id.unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}

fn path_of(name: &str) -> String {
    format!("/v1.{}", name.replace('.', "/"))
}

fn encode(descriptor: &MessageDescriptor, json: &Json) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, value) in json.as_object().unwrap() {
        let field = descriptor.get_field_by_name(name);
        let field = field.unwrap_or_else(|| panic!("{} has no {name}", descriptor.full_name()));
        let value = match value {
            Json::Array(items) if field.is_list() => {
                Value::List(items.iter().map(|item| scalar(&field, item)).collect())
            }
            value => scalar(&field, value),
        };
        message.set_field(&field, value);
    }
    message
}

fn scalar(field: &FieldDescriptor, json: &Json) -> Value {
    let number = || json.as_i64().unwrap();
    match field.kind() {
        Kind::Message(inner) => Value::Message(encode(&inner, json)),
        Kind::String => Value::String(json.as_str().unwrap().to_owned()),
        Kind::Bool => Value::Bool(json.as_bool().unwrap()),
        Kind::Int32 => Value::I32(i32::try_from(number()).unwrap()),
        Kind::Int64 => Value::I64(number()),
        other => panic!("{}: {other:?}", field.full_name()),
    }
}

fn decode(message: &DynamicMessage) -> Json {
    let mut object = Map::new();
    for (field, value) in message.fields() {
        object.insert(field.name().to_owned(), shown(value));
    }
    Json::Object(object)
}

fn shown(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value),
        Value::Message(inner) => decode(inner),
        Value::List(items) => items.iter().map(shown).collect(),
        other => json!(format!("{other:?}")),
    }
}
