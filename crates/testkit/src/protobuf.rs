// SPDX-License-Identifier: Apache-2.0
//! As much of the protobuf wire format as requests for objects and pages need.

/// Wire type of lengths followed by bytes.
const LENGTH_DELIMITED: u64 = 2;

/// Appends a field that holds a text or a message.
pub fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, (number << 3) | LENGTH_DELIMITED);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field that holds a whole number.
pub fn put_number(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The fields of a message: number, and the bytes of those that have a length.
#[derive(Debug)]
pub struct Fields<'a>(
    /// What is not read yet.
    pub &'a [u8],
);

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let length = match tag & 7 {
            0 => {
                self.varint()?;
                0
            }
            1 => 8,
            LENGTH_DELIMITED => self.varint()? as usize,
            5 => 4,
            _ => return None,
        };
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((tag >> 3, bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back() {
        let mut message = Vec::new();
        put_number(&mut message, 3, 1000);
        put_bytes(&mut message, 2, b"abc");
        let fields: Vec<_> = Fields(&message).collect();
        assert_eq!(fields, [(3, &b""[..]), (2, &b"abc"[..])]);
        assert_eq!(Fields(message.get(..5).unwrap()).count(), 1);
    }
}
