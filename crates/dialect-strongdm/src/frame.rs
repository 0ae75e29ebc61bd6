// SPDX-License-Identifier: Apache-2.0
//! The five bytes before each message: a flag and the length.

use bytes::{BufMut as _, Bytes, BytesMut};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

/// Largest message in either direction, in bytes (4 MiB): what gRPC clients take by default. A
/// larger answer would fail inside the client, and some clients then repeat the call for ever.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Length of the head of a frame.
pub(crate) const HEAD_BYTES: usize = 5;

/// What is wrong with a frame. Clients cannot make such by mistake: a proxy or a stranger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There is no frame.
    #[error("the request has no message")]
    Missing,
    /// It ends early.
    #[error("the message is shorter than its frame says")]
    Truncated,
    /// Something follows it.
    #[error("the request has more than one message, or bytes after it")]
    Trailing,
    /// It is compressed.
    #[error("the message is compressed, which is not supported")]
    Compressed,
    /// Its flag has no meaning.
    #[error("the message has an unknown flag")]
    UnknownFlag,
    /// It is too large.
    #[error("the message is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

impl ClientMessage for FrameError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

/// The one message of a unary call.
pub fn only_message(body: &Bytes) -> Result<Bytes, FrameError> {
    if body.is_empty() {
        return Err(FrameError::Missing);
    }
    let length = length(body, MESSAGE_BYTES_MAX)?.ok_or(FrameError::Truncated)?;
    let message = body.slice(HEAD_BYTES..);
    match message.len().cmp(&length) {
        std::cmp::Ordering::Less => Err(FrameError::Truncated),
        std::cmp::Ordering::Equal => Ok(message),
        std::cmp::Ordering::Greater => Err(FrameError::Trailing),
    }
}

/// Takes the first message out of what a stream brought so far; none when it is not whole yet.
pub(crate) fn next_message(
    buffer: &mut BytesMut,
    bytes_max: usize,
) -> Result<Option<Bytes>, FrameError> {
    let Some(length) = length(buffer, bytes_max)? else {
        return Ok(None);
    };
    if buffer.len() - HEAD_BYTES < length {
        return Ok(None);
    }
    let mut frame = buffer.split_to(HEAD_BYTES + length);
    Ok(Some(frame.split_off(HEAD_BYTES).freeze()))
}

/// The length in a head; none when the head is not whole.
fn length(bytes: &[u8], bytes_max: usize) -> Result<Option<usize>, FrameError> {
    match bytes.first() {
        None | Some(0) => {}
        Some(1) => return Err(FrameError::Compressed),
        Some(_) => return Err(FrameError::UnknownFlag),
    }
    let Some(length) = bytes.get(1..).and_then(|rest| rest.first_chunk::<4>()) else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > bytes_max {
        return Err(FrameError::TooLarge { bytes_max });
    }
    Ok(Some(length))
}

/// A message in its frame.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD_BYTES + message.len());
    frame.put_u8(0);
    // Messages are at most four megabytes long.
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn only(bytes: &[u8]) -> Result<Bytes, FrameError> {
        only_message(&Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn one_message_is_one_frame() {
        assert_eq!(only(&[0, 0, 0, 0, 2, 7, 8]).unwrap(), [7, 8].as_slice());
        assert_eq!(only(&framed(b"")).unwrap(), b"".as_slice());
        let wrong = [
            (&[][..], FrameError::Missing),
            (&[0, 0, 0], FrameError::Truncated),
            (&[0, 0, 0, 0, 2, 7], FrameError::Truncated),
            (&[0, 0, 0, 0, 1, 7, 8], FrameError::Trailing),
            (&[1, 0, 0, 0, 1, 7], FrameError::Compressed),
            (&[9], FrameError::UnknownFlag),
            (
                &[0, 0, 64, 0, 1],
                FrameError::TooLarge { bytes_max: 4 << 20 },
            ),
        ];
        for (bytes, error) in wrong {
            assert_eq!(only(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn a_stream_gives_messages_as_they_become_whole() {
        let mut buffer = BytesMut::new();
        for byte in [&framed(b"one")[..], &framed(b"two!")].concat() {
            let before = buffer.len();
            buffer.put_u8(byte);
            match next_message(&mut buffer, 100).unwrap() {
                Some(message) if before == 7 => assert_eq!(message, "one"),
                Some(message) => assert_eq!((message, before), ("two!".into(), 8)),
                None => {}
            }
        }
        assert!(buffer.is_empty());
    }
}
