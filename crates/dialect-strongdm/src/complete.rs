// SPDX-License-Identifier: Apache-2.0
//! Adds to an answer what every answer has. A message may be extended by appending fields, so the
//! answer is not decoded for it.

use crate::contract::Method;
use crate::wire::{field_numbers, put_bytes};

/// The answer with `meta` and `rate_limit`, where its type has them and it lacks them. Some clients
/// take a missing `meta` for something to crash on.
pub(crate) fn complete(method: &Method, mut message: Vec<u8>, rate_limit: &[u8]) -> Vec<u8> {
    let mut meta = method.meta_number;
    let mut limit = method.rate_limit_number;
    for number in field_numbers(&message) {
        meta = meta.filter(|wanted| *wanted != number);
        limit = limit.filter(|wanted| *wanted != number);
        if meta.is_none() && limit.is_none() {
            break;
        }
    }
    if let Some(number) = meta {
        put_bytes(&mut message, number, &[]);
    }
    if let Some(number) = limit {
        put_bytes(&mut message, number, rate_limit);
    }
    message
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use prost_reflect::prost::Message as _;
    use prost_reflect::{DynamicMessage, Value};

    use super::*;
    use crate::contract::Contract;
    use crate::wire::put_integer;

    #[test]
    fn what_a_service_set_stays_and_the_rest_is_added() {
        let contract = Contract::load().unwrap();
        let mut limit = Vec::new();
        put_integer(&mut limit, 1, 7);
        for method in contract.methods() {
            let bytes = complete(method, Vec::new(), &limit);
            let message = DynamicMessage::decode(method.output.clone(), &*bytes).unwrap();
            let given = |name: &str| message.has_field_by_name(name);
            assert!(given("rate_limit"), "{}", method.path);
            assert_eq!(
                given("meta"),
                method.meta_number.is_some(),
                "{}",
                method.path
            );
        }
        let list = contract.method("/v1.Roles/List").unwrap();
        let mut message = DynamicMessage::new(list.output.clone());
        let mut meta = DynamicMessage::new(contract.message("ListResponseMetadata").unwrap());
        meta.set_field_by_name("next_cursor", Value::String("more".to_owned()));
        message.set_field_by_name("meta", Value::Message(meta));
        let bytes = complete(list, message.encode_to_vec(), &limit);
        let again = DynamicMessage::decode(list.output.clone(), &*bytes).unwrap();
        assert_eq!(
            again.get_field_by_name("meta"),
            message.get_field_by_name("meta")
        );
        assert!(again.has_field_by_name("rate_limit"));
    }
}
