// SPDX-License-Identifier: Apache-2.0
//! Every noun goes in as a message and comes out as the same message.

use durward_access::Properties;
use durward_access::object::TAG_PREFIX;
use durward_model::{Instant, ObjectId, Value};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Wire};

use super::decode::{Given, Purpose};
use super::{Codec, Flow, Item, Noun};
use crate::contract::Contract;
use crate::mapping::Meaning;

const CREATED: Instant = Instant::from_micros(1_700_000_000_123_456);
const ID: ObjectId = ObjectId(0x1111_2222_3333_4444);
const START: ObjectId = ObjectId(0x5555_6666_7777_8888);
const END: ObjectId = ObjectId(0x9999_aaaa_bbbb_cccc);

/// A message in which every field is set.
fn full(message: &MessageDescriptor) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let value = sample(&field);
        let value = if field.is_list() && field.name() == "pairs" {
            // Two tags of one name would be refused.
            Wire::List(vec![value])
        } else if field.is_list() {
            Wire::List(vec![value.clone(), value])
        } else {
            value
        };
        filled.set_field(&field, value);
    }
    filled
}

fn sample(field: &FieldDescriptor) -> Wire {
    match field.kind() {
        Kind::String => Wire::String(format!("a value of {}", field.name())),
        // Whole microseconds, where it is a part of a moment.
        Kind::Int32 => Wire::I32((field.number() as i32 + 1) * 1000),
        Kind::Int64 => Wire::I64(i64::from(field.number()) + 1),
        Kind::Bool => Wire::Bool(true),
        Kind::Message(message) => Wire::Message(full(&message)),
        other => panic!("no sample of {other:?}"),
    }
}

/// The message with which a client would send this branch of a noun.
fn sent(contract: &Contract, noun: &Noun, branch: &str) -> Wire {
    let message = contract.message(noun.name()).unwrap();
    if branch.is_empty() {
        return Wire::Message(full(&message));
    }
    let mut wrapper = DynamicMessage::new(message.clone());
    let field = message.get_field_by_name(branch).unwrap();
    wrapper.set_field(&field, sample(&field));
    Wire::Message(wrapper)
}

fn read(noun: &Noun, sent: &Wire, purpose: Purpose) -> Given {
    noun.read(Some(sent), purpose).unwrap()
}

fn branches(noun: &Noun) -> Vec<String> {
    let mut branches: Vec<String> = noun.branches.keys().cloned().collect();
    branches.sort();
    branches
}

#[test]
fn every_noun_is_answered_as_it_was_sent() {
    let contract = Contract::load().unwrap();
    let codec = Codec::load(&contract).unwrap();
    let mut count = 0;
    for name in super::objects::all().iter().map(|service| service.noun) {
        let noun = codec.noun(name).unwrap();
        for branch in branches(noun) {
            let sent = sent(&contract, noun, &branch);
            let given = read(noun, &sent, Purpose::Create);
            let item = Item {
                id: ID,
                ends: Some((START, END)),
                created_at: CREATED,
                properties: &given.properties,
                branch: &branch,
            };
            let bytes = noun.encode(&item).unwrap();
            let descriptor = contract.message(name).unwrap();
            let answer = DynamicMessage::decode(descriptor, &*bytes).unwrap();
            assert_eq!(answer.encode_to_vec(), bytes, "{name} {branch}");
            compare(noun, &branch, &sent, &Wire::Message(answer));
            count += 1;
        }
    }
    assert_eq!(count, 119 + 3 + 4 + 15);
}

/// Compares what came out with what went in, field by field.
fn compare(noun: &Noun, branch: &str, sent: &Wire, answer: &Wire) {
    let inner = |wire: &Wire| {
        let message = wire.as_message().unwrap();
        if branch.is_empty() {
            return message.clone();
        }
        let inner = message.get_field_by_name(branch).unwrap();
        inner.as_message().unwrap().clone()
    };
    let (sent, answer) = (inner(sent), inner(answer));
    for field in &noun.branch(branch).unwrap().table.fields {
        let (was, is) = (
            sent.get_field(&field.descriptor),
            answer.get_field(&field.descriptor),
        );
        let name = field.descriptor.full_name();
        let text = |prefix: &str, id: ObjectId| Wire::String(format!("{prefix}{id}"));
        match &field.meaning {
            Meaning::Id(prefix) => assert_eq!(*is, text(prefix, ID), "{name}"),
            Meaning::Start(prefix) => assert_eq!(*is, text(prefix, START), "{name}"),
            Meaning::End(prefix) => assert_eq!(*is, text(prefix, END), "{name}"),
            Meaning::CreatedAt => {
                let created = super::decode::read_instant(is.as_message().unwrap());
                assert_eq!(created.unwrap(), Some(CREATED), "{name}");
            }
            Meaning::Password => assert_eq!(is.as_str(), Some(""), "{name}"),
            Meaning::Tags => {
                let pairs = is.as_message().unwrap().get_field_by_name("pairs");
                assert_eq!(pairs.unwrap().as_list().unwrap().len(), 1, "{name}");
            }
            Meaning::Property(_) if field.flow == Flow::In => {
                assert!(!answer.has_field(&field.descriptor), "{name}");
            }
            // Not set, so shown only where another field sets the same property.
            Meaning::Property(_) if matches!(field.flow, Flow::Out | Flow::Old) => {}
            Meaning::Property(property) if property == "customHeaders" => {}
            Meaning::Property(_) => assert_eq!(is, was, "{name}"),
        }
    }
}

#[test]
fn what_a_client_leaves_empty_is_cleared_unless_it_is_kept() {
    let contract = Contract::load().unwrap();
    let codec = Codec::load(&contract).unwrap();
    let noun = codec.noun("Resource").unwrap();
    let message = contract.message("Resource").unwrap();
    let field = message.get_field_by_name("postgres").unwrap();
    let mut empty = DynamicMessage::new(message);
    let inner = contract.message("Postgres").unwrap();
    empty.set_field(&field, Wire::Message(DynamicMessage::new(inner)));
    let empty = Wire::Message(empty);

    let replaced = read(noun, &empty, Purpose::Replace).properties;
    assert_eq!(replaced["database"], Value::Null);
    assert_eq!(replaced["hostname"], Value::Null);
    assert_eq!(replaced["overrideDatabase"], Value::Bool(false));
    assert_eq!(replaced["username"], Value::Null);
    for kept in ["password", "portOverride", "bindInterface"] {
        assert!(!replaced.contains_key(kept), "{kept}");
    }
    let made = read(noun, &empty, Purpose::Create).properties;
    assert_eq!(made["portOverride"], Value::Int(0));
    assert!(!made.contains_key("database") && !made.contains_key("healthy"));
}

#[test]
fn secrets_are_kept_apart() {
    let contract = Contract::load().unwrap();
    let codec = Codec::load(&contract).unwrap();
    let noun = codec.noun("Resource").unwrap();
    for branch in branches(noun) {
        let sent = sent(&contract, noun, &branch);
        let given = read(noun, &sent, Purpose::Create);
        for field in &noun.branch(&branch).unwrap().table.fields {
            let Meaning::Property(property) = &field.meaning else {
                continue;
            };
            let is_secret = contract.flags(&field.descriptor).write_only;
            assert_eq!(
                given.secrets.contains_key(property),
                is_secret,
                "{property}"
            );
            assert!(!is_secret || !given.properties.contains_key(property));
        }
    }
    let sent = sent(&contract, noun, "http_auth");
    let given = read(noun, &sent, Purpose::Create);
    let header = "customHeaders.a value of name";
    assert_eq!(given.secrets[header], Value::from("a value of value"));
    let shown = given.properties["customHeaders"].to_json().to_string();
    assert!(!shown.contains("a value of value"), "{shown}");
}

#[test]
fn what_a_client_never_gets_back_has_a_place_in_the_catalog() {
    let contract = Contract::load().unwrap();
    let codec = Codec::load(&contract).unwrap();
    let mut count = 0;
    for service in crate::services::objects::all() {
        let noun = codec.noun(service.noun).unwrap();
        for (kind, name) in service.names() {
            let of_kind =
                |branch: &String| name.branch.is_empty() || name.branch == branch.as_str();
            for branch in branches(noun).into_iter().filter(of_kind) {
                let fields = &noun.branch(&branch).unwrap().table.fields;
                let is_secret = |field: &&crate::codec::Field| {
                    field.flow == Flow::In && matches!(field.meaning, Meaning::Property(_))
                };
                let secrets = fields.iter().filter(is_secret).count();
                assert!(secrets == 0 || kind.sealed().is_some(), "{kind:?} {branch}");
                count += secrets;
            }
        }
    }
    assert!(count > 0);
}

#[test]
fn a_tag_cannot_be_given_twice() {
    let contract = Contract::load().unwrap();
    let codec = Codec::load(&contract).unwrap();
    let noun = codec.noun("Group").unwrap();
    let mut group = full(&contract.message("Group").unwrap());
    assert!(
        noun.read(Some(&Wire::Message(group.clone())), Purpose::Create)
            .is_ok()
    );
    let tags = group
        .get_field_by_name_mut("tags")
        .unwrap()
        .as_message_mut()
        .unwrap();
    let pairs = tags
        .get_field_by_name_mut("pairs")
        .unwrap()
        .as_list_mut()
        .unwrap();
    pairs.push(pairs[0].clone());
    assert!(
        noun.read(Some(&Wire::Message(group)), Purpose::Create)
            .is_err()
    );
}

#[test]
fn moments_outside_of_the_calendar_are_refused() {
    let contract = Contract::load().unwrap();
    let timestamp = |seconds: i64, nanos: i32| {
        let pool = contract.pool();
        let message = pool.get_message_by_name("google.protobuf.Timestamp");
        let mut message = DynamicMessage::new(message.unwrap());
        message.set_field_by_number(1, Wire::I64(seconds));
        message.set_field_by_number(2, Wire::I32(nanos));
        super::decode::read_instant(&message)
    };
    assert_eq!(timestamp(0, 0).unwrap(), None);
    assert_eq!(
        timestamp(1, 1_999).unwrap(),
        Some(Instant::from_micros(1_000_001))
    );
    assert_eq!(timestamp(-62_135_596_800, 0).unwrap(), None);
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (1, -1), (1, i32::MAX)] {
        assert!(timestamp(seconds, nanos).is_err(), "{seconds} {nanos}");
    }
}

#[test]
fn tags_are_found_among_the_properties() {
    let mut properties = Properties::new();
    for name in ["aaa", "tag", "tag.b", "tag.a", "tagged", "zzz"] {
        properties.insert(name.to_owned(), Value::from(name));
    }
    let tags: Vec<_> = super::encode::tags(&properties).collect();
    assert_eq!(tags, [("a", "tag.a"), ("b", "tag.b")]);
    assert_eq!(TAG_PREFIX, "tag.");
}
