// SPDX-License-Identifier: Apache-2.0
//! What the ids of each kind begin with.

use std::collections::BTreeMap;

use crate::Contract;

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
    fn nouns_have_their_prefixes() {
        let prefixes = Prefixes::of(&Contract::load().unwrap());
        assert_eq!(prefixes.of_noun("Account"), "a-");
        assert_eq!(prefixes.of_noun("Resource"), "rs-");
        assert_eq!(prefixes.of_noun("AccountGroup"), "accountgroup-");
        assert_eq!(prefixes.of_noun("AccountResource"), "");
    }
}
