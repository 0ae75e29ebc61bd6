// SPDX-License-Identifier: Apache-2.0
//! What can be asked of the core, and which rights let it be done.

#[macro_use]
mod define;
mod table;

use std::fmt;
use std::sync::LazyLock;

use crate::decision::{authorize_any, authorize_everybody};
use crate::{Context, Decision, Object, Principal, Right, Rights, Vocabulary};

pub use table::Action;

static RIGHTS: LazyLock<Vec<Vec<Right>>> = LazyLock::new(|| {
    let named = |names: &str| names.split(" | ").filter_map(Right::named).collect();
    table::ACTIONS
        .iter()
        .map(|entry| named(entry.rights))
        .collect()
});

impl Action {
    /// All actions.
    pub fn all() -> impl Iterator<Item = Self> {
        table::ACTIONS.iter().map(|entry| entry.action)
    }

    /// The action of this name, such as `user:create`.
    pub fn named(name: &str) -> Option<Self> {
        let entry = table::ACTIONS.iter().find(|entry| entry.name == name)?;
        Some(entry.action)
    }

    /// Its name, such as `user:create`.
    pub fn name(self) -> &'static str {
        table::ACTIONS
            .get(self as usize)
            .map_or("", |entry| entry.name)
    }

    /// The rights of which any is enough; none where everybody may.
    pub fn rights(self) -> &'static [Right] {
        RIGHTS
            .get(self as usize)
            .map_or(&[][..], |rights| rights.as_slice())
    }

    /// Whether whoever is let in may, without any right.
    pub fn is_everybodys(self) -> bool {
        let entry = table::ACTIONS.get(self as usize);
        entry.is_some_and(|entry| entry.rights == define::EVERYBODY)
    }

    /// Whether a set of rights is enough for it, suspension, expiry and policies aside.
    pub fn is_given_by(self, rights: &Rights) -> bool {
        self.is_everybodys() || self.rights().iter().any(|right| rights.contains(*right))
    }

    /// The words of a dialect of which any is enough; none where a caller needs no right.
    pub fn words(self, vocabulary: Vocabulary) -> Vec<&'static str> {
        let words = self.rights().iter();
        words
            .filter_map(|right| vocabulary.word_for(*right))
            .collect()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Decides whether a principal may take an action on an object.
pub fn authorize_action(
    principal: &Principal,
    action: Action,
    object: Object<'_>,
    context: &Context,
) -> Decision {
    authorize_actions(principal, &[action], object, context)
}

/// Decides whether a principal may take any of some actions on an object.
pub fn authorize_actions(
    principal: &Principal,
    actions: &[Action],
    object: Object<'_>,
    context: &Context,
) -> Decision {
    if actions.iter().any(|action| action.is_everybodys()) {
        return authorize_everybody(principal, *context);
    }
    let rights = actions.iter().flat_map(|action| action.rights());
    let rights: Vec<Right> = rights.copied().collect();
    authorize_any(principal, &rights, object, context)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
