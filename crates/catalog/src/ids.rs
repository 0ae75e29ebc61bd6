// SPDX-License-Identifier: Apache-2.0
//! One id, several spellings: each dialect writes the 64 bits in its own way, and each way is read
//! back without a look-up.
//!
//! The two plain ones belong to the model: a UUID of version 8 ([`IdCipher::uuid_of`]; JupiterOne,
//! OpenCTI, Durward's own schema) and sixteen hexadecimal digits ([`ObjectId::to_hex`]; Cyral).

use durward_model::{IdCipher, ObjectId};

/// The digits behind a prefix that tells the kind (`rs-0123456789abcdef`), as StrongDM shows them.
pub fn prefixed(prefix: &str, id: ObjectId) -> String {
    format!("{prefix}{id}")
}

/// The id in a text of this prefix; `None` for another prefix or another shape.
pub fn parse_prefixed(prefix: &str, text: &str) -> Option<ObjectId> {
    ObjectId::parse_hex(text.strip_prefix(prefix)?)
}

/// The same where upper and lower case do not matter.
pub fn parse_prefixed_folded(prefix: &str, text: &str) -> Option<ObjectId> {
    let (start, digits) = text.split_at_checked(prefix.len())?;
    let is_own = start.eq_ignore_ascii_case(prefix);
    is_own.then(|| ObjectId::parse_hex(digits))?
}

/// The id in a text with this prefix or without any.
pub fn parse_prefixed_or_bare(prefix: &str, text: &str) -> Option<ObjectId> {
    ObjectId::parse_hex(text.strip_prefix(prefix).unwrap_or(text))
}

/// `srn:<organization>::<kind>/<uuid>`, as Sonrai names the platform's own objects.
pub fn srn(cipher: &IdCipher, organization: &str, kind: &str, id: ObjectId) -> String {
    srn_prefix(organization, kind) + &cipher.uuid_of(id)
}

/// What the names of one kind of object begin with.
pub fn srn_prefix(organization: &str, kind: &str) -> String {
    format!("srn:{organization}::{kind}/")
}

/// The id in a name of this organization and kind.
pub fn parse_srn(
    cipher: &IdCipher,
    organization: &str,
    kind: &str,
    text: &str,
) -> Option<ObjectId> {
    let text = text.trim().strip_prefix("srn:")?;
    let text = text.strip_prefix(organization)?.strip_prefix("::")?;
    cipher.parse_uuid(text.strip_prefix(kind)?.strip_prefix('/')?)
}

/// `<type>--<uuid>`, for objects whose source gave them no STIX id of their own.
pub fn stix(cipher: &IdCipher, stix_type: &str, id: ObjectId) -> String {
    format!("{stix_type}--{}", cipher.uuid_of(id))
}

/// The id in a STIX id that was made of it, whatever type it names.
pub fn parse_stix(cipher: &IdCipher, text: &str) -> Option<ObjectId> {
    cipher.parse_uuid(text.split_once("--")?.1)
}

/// The id in a text of any spelling, for people who copy it from one tool into another.
pub fn parse_any(cipher: &IdCipher, text: &str) -> Option<ObjectId> {
    let text = text.trim();
    let behind = |separator| text.rsplit_once(separator).map_or(text, |(_, rest)| rest);
    let uuid = cipher.parse_uuid(behind('/'));
    let hex = || ObjectId::parse_hex(behind('-'));
    uuid.or_else(|| parse_stix(cipher, text)).or_else(hex)
}

#[cfg(test)]
mod tests {
    use durward_model::{EntityNumber, ObjectNumber};
    use proptest::prelude::*;

    use super::*;

    fn cipher() -> IdCipher {
        IdCipher::new(&[7; 32])
    }

    #[test]
    fn each_dialect_has_its_way() {
        let cipher = cipher();
        let id = cipher.id_of(ObjectNumber::Entity(EntityNumber(3)));
        let (uuid, hex) = (cipher.uuid_of(id), id.to_hex());
        let shown = prefixed("rs-", id);
        assert_eq!(shown, format!("rs-{hex}"));
        assert_eq!(parse_prefixed("a-", &shown), None);
        assert_eq!(parse_prefixed("rs-", &shown.to_uppercase()), None);
        assert_eq!(
            parse_prefixed_folded("rs-", &shown.to_uppercase()),
            Some(id)
        );
        assert_eq!(parse_prefixed_or_bare("rs-", &hex), Some(id));
        let name = srn(&cipher, "harbour", "SonraiUser", id);
        assert_eq!(name, format!("srn:harbour::SonraiUser/{uuid}"));
        assert_eq!(parse_srn(&cipher, "elsewhere", "SonraiUser", &name), None);
        assert_eq!(
            parse_srn(&cipher, "harbour", "SonraiUserToken", &name),
            None
        );
        assert_eq!(stix(&cipher, "user", id), format!("user--{uuid}"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(secret: [u8; 32], number: u32, noise in ".{0,60}") {
            let cipher = IdCipher::new(&secret);
            let id = cipher.id_of(ObjectNumber::Entity(EntityNumber(number)));
            let written = [
                cipher.uuid_of(id),
                id.to_hex(),
                prefixed("rs-", id),
                srn(&cipher, "harbour", "SonraiUser", id),
                stix(&cipher, "user", id),
            ];
            for text in &written {
                prop_assert_eq!(parse_any(&cipher, text), Some(id), "{}", text);
            }
            let [_, _, prefixed, srn, stix] = &written;
            prop_assert_eq!(parse_prefixed("rs-", prefixed), Some(id));
            prop_assert_eq!(parse_srn(&cipher, "harbour", "SonraiUser", srn), Some(id));
            prop_assert_eq!(parse_stix(&cipher, stix), Some(id));
            prop_assert_eq!(parse_any(&cipher, &noise), None);
        }
    }
}
