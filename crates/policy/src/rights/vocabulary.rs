// SPDX-License-Identifier: Apache-2.0
//! The words in which clients of a dialect speak of rights. Dialects know these words and sets of
//! rights, and never a right by itself.

use super::{CYRAL_PREFIX, OPENCTI_PREFIX, Right, Rights, SONRAI_PREFIX, STRONGDM_PREFIX};

/// Whose words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// Capabilities of OpenCTI.
    OpenCti,
    /// Permission keys of StrongDM.
    StrongDm,
    /// Permissions of Cyral.
    Cyral,
    /// What roles of Sonrai give.
    Sonrai,
}

impl Vocabulary {
    /// The word for a right, if there is one.
    pub(crate) fn word_for(self, right: Right) -> Option<&'static str> {
        right.name().strip_prefix(match self {
            Self::OpenCti => OPENCTI_PREFIX,
            Self::StrongDm => STRONGDM_PREFIX,
            Self::Cyral => CYRAL_PREFIX,
            Self::Sonrai => SONRAI_PREFIX,
        })
    }

    /// All words, in one order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Right::all().filter_map(move |right| self.word_for(right))
    }

    /// The words for what is in a set, in the same order.
    pub fn words_of(self, rights: &Rights) -> Vec<&'static str> {
        let held = Right::all().filter(|right| rights.contains(*right));
        held.filter_map(|right| self.word_for(right)).collect()
    }

    /// What a word stands for, with all that it includes.
    pub fn meaning(self, word: &str) -> Option<Rights> {
        let right = Right::all().find(|right| self.word_for(*right) == Some(word))?;
        Some(Rights::NONE.with(right))
    }

    /// What of a set these words cannot tell.
    pub fn untold(self, rights: &Rights) -> Rights {
        let held = Right::all().filter(|right| rights.contains(*right));
        held.filter(|right| self.word_for(*right).is_none())
            .collect()
    }
}
