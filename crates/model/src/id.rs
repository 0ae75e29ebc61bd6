// SPDX-License-Identifier: Apache-2.0
//! Object ids: a keyed permutation of dense numbers, and their spellings.

use std::fmt;

/// Dense number of an entity in creation order, from 0. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityNumber(pub u32);

/// Dense number of a relationship in creation order, from 0. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationshipNumber(pub u32);

/// Number of an object of either sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectNumber {
    /// An entity.
    Entity(EntityNumber),
    /// A relationship.
    Relationship(RelationshipNumber),
}

/// Public id of an object: 64 bits that tell a stranger nothing. [`IdCipher`] turns it into the
/// object's number and back, so that no index of ids is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u64);

/// The keyed permutation between numbers and ids of one organization.
#[derive(Clone)]
pub struct IdCipher {
    keys: [u64; ROUNDS],
    tag_key: u64,
}

const ROUNDS: usize = 6;
const RELATIONSHIP_BIT: u64 = 1 << 32;
/// Every number fits in 33 bits; an id that decodes to more was never given out.
const NUMBER_MAX: u64 = (1 << 33) - 1;

impl IdCipher {
    /// A cipher from 32 secret random bytes, kept with the organization.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut state = [0u64; 4];
        for (word, bytes) in state.iter_mut().zip(secret.chunks_exact(8)) {
            *word = bytes
                .iter()
                .fold(0, |value, byte| (value << 8) | u64::from(*byte));
        }
        let [first, second, third, fourth] = state;
        let mut keys = [0u64; ROUNDS];
        let mut running = first ^ 0x9e37_79b9_7f4a_7c15;
        for (round, key) in keys.iter_mut().enumerate() {
            running = mix(running ^ second.rotate_left(round as u32 * 7) ^ third);
            *key = running;
        }
        Self {
            keys,
            tag_key: mix(fourth ^ running),
        }
    }

    /// The id of an object.
    pub fn id_of(&self, number: ObjectNumber) -> ObjectId {
        let plain = match number {
            ObjectNumber::Entity(EntityNumber(number)) => u64::from(number),
            ObjectNumber::Relationship(RelationshipNumber(number)) => {
                u64::from(number) | RELATIONSHIP_BIT
            }
        };
        let (mut left, mut right) = ((plain >> 32) as u32, plain as u32);
        for key in &self.keys {
            (left, right) = (right, left ^ round(right, *key));
        }
        ObjectId((u64::from(left) << 32) | u64::from(right))
    }

    /// The number behind an id, or `None` for an id that this organization never gave out. Whether
    /// an object of that number exists is for the graph to say.
    pub fn number_of(&self, id: ObjectId) -> Option<ObjectNumber> {
        let (mut left, mut right) = ((id.0 >> 32) as u32, id.0 as u32);
        for key in self.keys.iter().rev() {
            (left, right) = (right ^ round(left, *key), left);
        }
        let plain = (u64::from(left) << 32) | u64::from(right);
        if plain > NUMBER_MAX {
            return None;
        }
        let number = plain as u32;
        Some(if plain & RELATIONSHIP_BIT == 0 {
            ObjectNumber::Entity(EntityNumber(number))
        } else {
            ObjectNumber::Relationship(RelationshipNumber(number))
        })
    }

    /// The id as a UUID of version 8 (RFC 9562): 64 bits of id and 58 bits of check value, so that
    /// a UUID made elsewhere is not taken for one of ours.
    pub fn uuid_of(&self, id: ObjectId) -> String {
        let check = self.check(id);
        let high = (id.0 >> 16) & 0xffff_ffff_ffff;
        let middle = 0x8000 | ((id.0 >> 4) & 0x0fff);
        let low = (0b10 << 62) | ((id.0 & 0xf) << 58) | check;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 16,
            high & 0xffff,
            middle,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// The id in a UUID that [`IdCipher::uuid_of`] wrote (either case), or `None`.
    pub fn parse_uuid(&self, text: &str) -> Option<ObjectId> {
        if text.len() != 36 {
            return None;
        }
        let mut value: u128 = 0;
        for (position, byte) in text.bytes().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            value = (value << 4) | u128::from(char::from(byte).to_digit(16)?);
        }
        let (upper, lower) = ((value >> 64) as u64, value as u64);
        if (upper >> 12) & 0xf != 8 || lower >> 62 != 0b10 {
            return None;
        }
        let id = ObjectId(((upper >> 16) << 16) | ((upper & 0xfff) << 4) | ((lower >> 58) & 0xf));
        (lower & ((1 << 58) - 1) == self.check(id)).then_some(id)
    }

    fn check(&self, id: ObjectId) -> u64 {
        mix(id.0 ^ self.tag_key) >> 6
    }
}

impl fmt::Debug for IdCipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdCipher(..)")
    }
}

impl ObjectId {
    /// Sixteen lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }

    /// An id from exactly sixteen hexadecimal digits.
    pub fn parse_hex(text: &str) -> Option<Self> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain
            .then(|| u64::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ObjectId({:016x})", self.0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// The finalizer of SplitMix64: a well-mixed bijection of 64 bits.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn round(half: u32, key: u64) -> u32 {
    (mix(u64::from(half) ^ key) >> 32) as u32
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn numbers() -> Vec<ObjectNumber> {
        [0, 1, 2, 77, u32::MAX]
            .into_iter()
            .flat_map(|n| {
                [
                    ObjectNumber::Entity(EntityNumber(n)),
                    ObjectNumber::Relationship(RelationshipNumber(n)),
                ]
            })
            .collect()
    }

    #[test]
    fn ids_and_uuids_go_both_ways() {
        let cipher = IdCipher::new(&[7; 32]);
        for number in numbers() {
            let id = cipher.id_of(number);
            assert_eq!(cipher.number_of(id), Some(number));
            let uuid = cipher.uuid_of(id);
            assert_eq!(uuid.as_bytes()[14], b'8', "{uuid}");
            assert_eq!(cipher.parse_uuid(&uuid), Some(id));
            assert_eq!(cipher.parse_uuid(&uuid.to_uppercase()), Some(id));
            assert_eq!(ObjectId::parse_hex(&id.to_hex()), Some(id));
        }
    }

    #[test]
    fn foreign_ids_are_refused() {
        let cipher = IdCipher::new(&[7; 32]);
        let other = IdCipher::new(&[8; 32]);
        let id = other.id_of(ObjectNumber::Entity(EntityNumber(5)));
        assert_eq!(cipher.parse_uuid(&other.uuid_of(id)), None);
        assert_eq!(
            cipher.parse_uuid("3f9a1d52-0c4e-4b6a-9d3e-1a2b3c4d5e6f"),
            None
        );
        let decoded = (0..2000u64)
            .filter(|n| cipher.number_of(ObjectId(*n)).is_some())
            .count();
        assert_eq!(decoded, 0, "guessed ids must not decode");
        assert_eq!(ObjectId::parse_hex("+123456789abcdef"), None);
    }
}
