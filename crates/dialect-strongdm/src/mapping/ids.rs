// SPDX-License-Identifier: Apache-2.0
//! Ids as StrongDM writes them: a prefix that tells the kind, and sixteen hexadecimal digits.

use std::collections::BTreeMap;

use durward_model::ObjectId;

use crate::Contract;

/// An id behind its prefix.
pub fn show(prefix: &str, id: ObjectId) -> String {
    format!("{prefix}{id}")
}

/// The id in a text; `None` for another prefix or another shape.
pub fn parse(prefix: &str, text: &str) -> Option<ObjectId> {
    ObjectId::parse_hex(text.strip_prefix(prefix)?)
}

/// What the ids of each noun begin with.
#[derive(Clone, Debug)]
pub struct Prefixes(BTreeMap<String, String>);

impl Prefixes {
    /// Reads them from the contract.
    pub fn of(contract: &Contract) -> Self {
        let methods = contract
            .methods()
            .filter(|method| !method.id_prefix.is_empty());
        let prefixes = methods.filter_map(|method| {
            let noun = method.noun.as_ref()?.name().to_owned();
            Some((noun, method.id_prefix.clone()))
        });
        Self(prefixes.collect())
    }

    /// The prefix of a noun such as `Account`; empty when it has none.
    pub fn of_noun(&self, noun: &str) -> &str {
        self.0.get(noun).map_or("", String::as_str)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_own_prefix_only() {
        let id = ObjectId(0x0123_4567_89ab_cdef);
        assert_eq!(show("rs-", id), "rs-0123456789abcdef");
        assert_eq!(parse("rs-", "rs-0123456789abcdef"), Some(id));
        for wrong in [
            "r-0123456789abcdef",
            "rs-0123456789abcde",
            "rs-0123456789abcdef0",
            "rs-0123456789abcdeg",
            "0123456789abcdef",
            "rs-",
            "",
        ] {
            assert_eq!(parse("rs-", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nouns_have_their_prefixes() {
        let prefixes = Prefixes::of(&Contract::load().unwrap());
        assert_eq!(prefixes.of_noun("Account"), "a-");
        assert_eq!(prefixes.of_noun("Resource"), "rs-");
        assert_eq!(prefixes.of_noun("AccountGroup"), "accountgroup-");
        assert_eq!(prefixes.of_noun("AccountResource"), "");
    }
}
