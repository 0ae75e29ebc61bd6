// SPDX-License-Identifier: Apache-2.0
//! Which rights commands and readings ask for; any one of a list suffices. The catalog names the
//! actions, `policy` knows which rights are enough for each.

use std::sync::LazyLock;

use durward_catalog::kinds::Actions;
use durward_policy::{Action, Right};

use crate::Kind;

/// The rights of one kind.
#[derive(Clone, Copy, Default)]
struct Asked {
    read: &'static [Right],
    create: &'static [Right],
    update: &'static [Right],
    delete: &'static [Right],
    history: &'static [Right],
}

static ASKED: LazyLock<Vec<(Kind, Asked)>> = LazyLock::new(|| {
    // An action that there is not is given by no right; `check` tells of it at the start.
    let rights = |name: &str| Action::named(name).map_or(&[][..], Action::rights);
    let asked = |kind: Kind| {
        let actions = &kind.entry().actions;
        let asked = Asked {
            read: rights(&actions.read),
            create: rights(&actions.create),
            update: rights(&actions.update),
            delete: rights(&actions.delete),
            history: rights(&actions.history),
        };
        (kind, asked)
    };
    Kind::all().map(asked).collect()
});

fn asked(kind: Kind) -> Asked {
    let mut all = ASKED.iter();
    let found = all.find(|(other, _)| *other == kind);
    found.map_or_else(Asked::default, |(_, asked)| *asked)
}

/// Rights to see objects of a kind.
pub fn read(kind: Kind) -> &'static [Right] {
    asked(kind).read
}

/// Rights to make objects of a kind.
pub fn create(kind: Kind) -> &'static [Right] {
    asked(kind).create
}

/// Rights to change objects of a kind.
pub fn update(kind: Kind) -> &'static [Right] {
    asked(kind).update
}

/// Rights to end objects of a kind.
pub fn delete(kind: Kind) -> &'static [Right] {
    asked(kind).delete
}

/// Rights to see what became of objects of a kind.
pub fn history(kind: Kind) -> &'static [Right] {
    asked(kind).history
}

/// A kind that asks for an action which is none.
#[derive(Debug, thiserror::Error)]
#[error("contracts/catalog/access.toml: the kind {kind:?} asks for {action:?}, which is no action")]
pub struct UnknownAction {
    kind: Kind,
    action: String,
}

/// Whether every action that the catalog names is one.
///
/// # Errors
/// The first that is none.
pub fn check() -> Result<(), UnknownAction> {
    for kind in Kind::all() {
        let Actions {
            read,
            create,
            update,
            delete,
            history,
        } = &kind.entry().actions;
        let mut named = [read, create, update, delete, history].into_iter();
        if let Some(action) = named.find(|name| Action::named(name).is_none()) {
            let action = action.clone();
            return Err(UnknownAction { kind, action });
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn every_kind_asks_for_actions_that_there_are() {
        check().unwrap();
        assert_eq!(create(Kind::GRANT), Action::GrantWrite.rights());
        assert_eq!(history(Kind::SERVICE), Action::AuditUsers.rights());
        for kind in Kind::all() {
            let lists = [read(kind), create(kind), update(kind), delete(kind)];
            assert!(lists.iter().all(|rights| !rights.is_empty()), "{kind:?}");
        }
    }
}
