// SPDX-License-Identifier: Apache-2.0
//! What a message takes in memory once it is decoded, told from its bytes.
//!
//! Two bytes of the wire, an empty message in a list, become hundreds. So it is asked before
//! anything is decoded. The figures are upper ends: a test compares them with what is taken.

use prost_reflect::{Kind, MessageDescriptor};

use crate::wire::{FIXED_32, FIXED_64, GROUP_END, GROUP_START, LENGTH, VARINT, take_varint};

/// What the first field of a message takes: room for eleven of them.
const FIRST_FIELD_BYTES: u64 = 768;
/// What a field or an item of a list takes beside its own bytes, lists that grow included.
const FIELD_BYTES: u64 = 224;
/// Deepest nesting that is looked into; decoding refuses what is deeper.
const DEPTH_MAX: usize = 100;

/// Bytes that a message of this type takes once it is decoded. Ends at the first thing that is not
/// well-formed, as decoding does.
pub(crate) fn decoded_bytes(message: &MessageDescriptor, bytes: &[u8]) -> u64 {
    weigh(message, bytes, 0)
}

fn weigh(message: &MessageDescriptor, bytes: &[u8], depth: usize) -> u64 {
    let mut weight = 0u64;
    let mut rest = bytes;
    if !rest.is_empty() {
        weight += FIRST_FIELD_BYTES;
    }
    while let Some((tag, after)) = take_varint(rest) {
        weight = weight.saturating_add(FIELD_BYTES);
        let length = match tag & 7 {
            VARINT => match take_varint(after) {
                Some((_, end)) => after.len() - end.len(),
                None => return weight,
            },
            FIXED_64 => 8,
            FIXED_32 => 4,
            // What stands in a group is weighed as if it stood beside it.
            GROUP_START | GROUP_END => 0,
            LENGTH => {
                let Some((length, start)) = take_varint(after) else {
                    return weight;
                };
                let Some(content) = usize::try_from(length)
                    .ok()
                    .and_then(|length| start.get(..length))
                else {
                    return weight;
                };
                let inner = content_bytes(message, tag >> 3, content, depth);
                weight = weight.saturating_add(inner);
                (after.len() - start.len()).saturating_add(content.len())
            }
            _ => return weight,
        };
        match after.get(length..) {
            Some(next) => rest = next,
            None => return weight,
        }
    }
    weight
}

/// What the content of a field takes: a text, a message, numbers in a row, or something unknown.
fn content_bytes(message: &MessageDescriptor, number: u64, content: &[u8], depth: usize) -> u64 {
    let field = u32::try_from(number).ok();
    let kind = field.and_then(|number| message.get_field(number));
    let bytes = content.len() as u64;
    match kind.map(|field| field.kind()) {
        Some(Kind::Message(inner)) if depth < DEPTH_MAX => weigh(&inner, content, depth + 1),
        Some(Kind::String | Kind::Bytes | Kind::Message(_)) | None => bytes,
        Some(_) => bytes.saturating_mul(FIELD_BYTES),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use bytes::Bytes;
    use prost_reflect::DynamicMessage;

    use super::*;
    use crate::contract::Contract;

    /// Bytes of memory that the process has.
    fn resident() -> u64 {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    /// What other tests of the process may take or give back meanwhile.
    const NOISE_BYTES: u64 = 8 << 20;

    #[test]
    fn no_message_takes_more_than_is_told() {
        let contract = Contract::load().unwrap();
        let tags = contract.message("Tags").unwrap();
        let shapes: [(&str, &[u8]); 6] = [
            ("empty items", &[0x0a, 0]),
            ("items with an empty field", &[0x0a, 2, 0x0a, 0]),
            (
                "items with two texts",
                &[0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'b'],
            ),
            ("unknown numbers", &[0x78, 1]),
            ("unknown texts", &[0x7a, 0]),
            ("unknown groups", &[0x7b, 0x7c]),
        ];
        for (name, shape) in shapes {
            let bytes = Bytes::from(shape.repeat(100_000));
            let told = decoded_bytes(&tags, &bytes);
            let before = resident();
            let message = DynamicMessage::decode(tags.clone(), bytes).unwrap();
            let taken = resident().saturating_sub(before);
            assert!(taken <= told + NOISE_BYTES, "{name}: {taken} of {told}");
            drop(message);
        }
        // And not much more is told of what real clients send.
        let mut request = vec![0x0a, 0, 0x12, 0x80, 0x80, 0x10];
        request.extend(std::iter::repeat_n(b'x', 256 << 10));
        let list = contract.method("/v1.Roles/List").unwrap();
        let told = decoded_bytes(&list.input, &request);
        assert!(told < request.len() as u64 + 2048, "{told}");
    }
}
