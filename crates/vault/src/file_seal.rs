// SPDX-License-Identifier: Apache-2.0
//! The key that seals the files of an organization's data folder.

use std::fmt;

use aws_lc_rs::hmac;
use durward_journal::FileSeal;
use durward_journal::file_seal::{TAG_BYTES, Tag};

use crate::digest;

/// HMAC-SHA256 under a key derived from the organization's own.
pub(crate) struct FileSealKey(hmac::Key);

impl FileSealKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl FileSeal for FileSealKey {
    fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }

    fn is_tag(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        digest::equal(&self.tag(purpose, parts), tag)
    }
}

impl fmt::Debug for FileSealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FileSealKey")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_depend_on_key_purpose_and_every_part() {
        let key = FileSealKey::new(b"one");
        let tag = key.tag("purpose", &[b"ab", b"c"]);
        assert!(key.is_tag("purpose", &[b"ab", b"c"], &tag));
        assert!(!key.is_tag("purpose", &[b"a", b"bc"], &tag));
        assert!(!key.is_tag("purpose", &[b"abc"], &tag));
        assert!(!key.is_tag("other", &[b"ab", b"c"], &tag));
        assert!(!key.is_tag("purpose", &[b"ab", b"c"], &[]));
        assert!(!FileSealKey::new(b"two").is_tag("purpose", &[b"ab", b"c"], &tag));
    }
}
