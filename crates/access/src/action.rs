// SPDX-License-Identifier: Apache-2.0
//! Which actions commands and readings ask for. The catalog names them, `policy` knows who may take
//! each.

use std::sync::LazyLock;

use durward_catalog::kinds::Actions;
use durward_policy::Action;

use crate::Kind;

/// Taken for an action that there is not: few may take it. [`check`] tells of it at the start.
const STRICT: Action = Action::OrganizationUpdate;

/// The actions of one kind.
#[derive(Clone, Copy)]
struct Asked {
    read: Action,
    create: Action,
    update: Action,
    delete: Action,
    history: Action,
}

static ASKED: LazyLock<Vec<(Kind, Asked)>> = LazyLock::new(|| {
    let action = |name: &str| Action::named(name).unwrap_or(STRICT);
    let asked = |kind: Kind| {
        let actions = &kind.entry().actions;
        let asked = Asked {
            read: action(&actions.read),
            create: action(&actions.create),
            update: action(&actions.update),
            delete: action(&actions.delete),
            history: action(&actions.history),
        };
        (kind, asked)
    };
    Kind::all().map(asked).collect()
});

fn asked(kind: Kind, part: fn(&Asked) -> Action) -> Action {
    let mut all = ASKED.iter();
    let found = all.find(|(other, _)| *other == kind);
    found.map_or(STRICT, |(_, asked)| part(asked))
}

/// To see objects of a kind.
pub fn read(kind: Kind) -> Action {
    asked(kind, |asked| asked.read)
}

/// To make objects of a kind.
pub fn create(kind: Kind) -> Action {
    asked(kind, |asked| asked.create)
}

/// To change objects of a kind.
pub fn update(kind: Kind) -> Action {
    asked(kind, |asked| asked.update)
}

/// To end objects of a kind.
pub fn delete(kind: Kind) -> Action {
    asked(kind, |asked| asked.delete)
}

/// To see what became of objects of a kind.
pub fn history(kind: Kind) -> Action {
    asked(kind, |asked| asked.history)
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
        assert_eq!(create(Kind::GRANT), Action::GrantWrite);
        assert_eq!(history(Kind::SERVICE), Action::AuditUsers);
    }
}
