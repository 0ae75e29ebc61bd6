// SPDX-License-Identifier: Apache-2.0
//! Ids of organizations.

use std::fmt;

use durward_vault::{VaultError, random};

/// Id of an organization: sixteen lower-case hexadecimal digits, drawn at random. It is also the
/// name of its folder and the value of account headers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(String);

const DIGITS: usize = 16;

impl OrganizationId {
    /// A new id.
    pub fn generate() -> Result<Self, VaultError> {
        random::hex::<{ DIGITS / 2 }>().map(Self)
    }

    /// An id from its text, or `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == DIGITS
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        plain.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for OrganizationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OrganizationId({})", self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_form_is_read() {
        let id = OrganizationId::generate().unwrap();
        assert_eq!(OrganizationId::parse(id.as_str()), Some(id));
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789ABCDEF",
            "../../../../../..",
            "0123456789abcdefg",
        ] {
            assert_eq!(OrganizationId::parse(wrong), None, "{wrong}");
        }
    }
}
