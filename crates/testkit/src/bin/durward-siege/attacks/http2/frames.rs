// SPDX-License-Identifier: Apache-2.0
//! As much of HTTP/2's framing and header compression as doing it wrong takes.

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// Appends a frame.
pub(super) fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Appends a frame of settings.
pub(super) fn settings(out: &mut Vec<u8>, values: &[(u16, u32)]) {
    let mut payload = Vec::new();
    for (name, value) in values {
        payload.extend_from_slice(&name.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frame(out, SETTINGS, 0, 0, &payload);
}

/// The header block of a request.
pub(super) fn block(method: &str, path: &str) -> Vec<u8> {
    let mut out = Vec::new();
    literal(&mut out, ":method", method);
    literal(&mut out, ":scheme", "http");
    literal(&mut out, ":path", path);
    literal(&mut out, ":authority", "siege");
    out
}

/// Appends a header without compression.
pub(super) fn literal(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(0);
    text(out, name);
    text(out, value);
}

/// Appends a text with its length.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    const PREFIX: usize = 127;
    let mut length = text.len();
    if length < PREFIX {
        out.push(length as u8);
    } else {
        out.push(PREFIX as u8);
        length -= PREFIX;
        while length >= 128 {
            out.push((length % 128) as u8 | 128);
            length /= 128;
        }
        out.push(length as u8);
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_texts_are_laid_out_as_the_standards_say() {
        let mut out = Vec::new();
        frame(&mut out, PING, 0, 1, &[7; 8]);
        assert_eq!(out.get(..9), Some(&[0, 0, 8, 6, 0, 0, 0, 0, 1][..]));
        let mut out = Vec::new();
        text(&mut out, &"a".repeat(127 + 128));
        assert_eq!(out.get(..4), Some(&[127, 128, 1, b'a'][..]));
        let mut out = Vec::new();
        literal(&mut out, "ab", "c");
        assert_eq!(out, b"\x00\x02ab\x01c");
    }
}
