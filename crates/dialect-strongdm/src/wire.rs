// SPDX-License-Identifier: Apache-2.0
//! The few forms of the protobuf wire that are written and read by hand.

/// Wire type of a variable-length integer.
pub(crate) const VARINT: u64 = 0;
pub(crate) const FIXED_64: u64 = 1;
/// Wire type of bytes, texts and messages.
pub(crate) const LENGTH: u64 = 2;
/// Wire types around the fields of a group, which only old contracts have.
pub(crate) const GROUP_START: u64 = 3;
pub(crate) const GROUP_END: u64 = 4;
pub(crate) const FIXED_32: u64 = 5;
/// Longest variable-length integer.
const VARINT_BYTES_MAX: u32 = 10;

/// Appends a variable-length integer.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends an integer field; one that is zero is left out, as `proto3` wants it.
pub fn put_integer(out: &mut Vec<u8>, number: u32, value: i64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3 | VARINT);
        put_varint(out, value as u64);
    }
}

/// Appends a field of bytes, text or a message, even when it is empty.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | LENGTH);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Numbers of the fields at the outermost level of a message, in their order; ends at the first
/// thing that is not well-formed.
pub(crate) fn field_numbers(message: &[u8]) -> FieldNumbers<'_> {
    FieldNumbers { rest: message }
}

#[derive(Debug)]
pub(crate) struct FieldNumbers<'m> {
    rest: &'m [u8],
}

impl Iterator for FieldNumbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (tag, rest) = take_varint(self.rest)?;
        let length = match tag & 7 {
            VARINT => {
                let (_, after) = take_varint(rest)?;
                rest.len() - after.len()
            }
            FIXED_64 => 8,
            FIXED_32 => 4,
            LENGTH => {
                let (length, after) = take_varint(rest)?;
                (rest.len() - after.len()).checked_add(usize::try_from(length).ok()?)?
            }
            _ => return None,
        };
        self.rest = rest.get(length..)?;
        u32::try_from(tag >> 3).ok()
    }
}

/// The variable-length integer at the beginning, and what follows it.
pub(crate) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut rest = bytes;
    for position in 0..VARINT_BYTES_MAX {
        let (byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7f) << (7 * position).min(63);
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_again() {
        let mut out = Vec::new();
        put_integer(&mut out, 1, 0);
        put_integer(&mut out, 2, 300);
        put_bytes(&mut out, 1000, b"text");
        put_integer(&mut out, 3, -1);
        assert_eq!(field_numbers(&out).collect::<Vec<_>>(), [2, 1000, 3]);
        assert_eq!(out.get(..3).unwrap(), [0x10, 0xac, 0x02]);
    }

    #[test]
    fn what_is_broken_ends_the_walk() {
        for broken in [
            &[0x0a, 0x05, 1][..],
            &[0xff; 12],
            &[0x0b],
            &[0x09, 1],
            &[0x08],
        ] {
            assert_eq!(field_numbers(broken).count(), 0, "{broken:?}");
        }
    }
}
