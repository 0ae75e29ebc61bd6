// SPDX-License-Identifier: Apache-2.0
//! Who may do what with which credentials, and the rule that nobody gets more by it than they have.

use durward_catalog::Kind;
use durward_catalog::credentials::Outlives;
use durward_graph::{CoreReader, View};
use durward_model::Instant;
use durward_policy::{AccessPolicy, Action, PermissionLevel, Right, Rights};

use crate::credential::CredentialSummary;
use crate::effective::account_rights;
use crate::{Caller, CredentialKind, IdentityError};

/// What is done with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    See,
    Make,
    Change,
    Delete,
}

/// The rights any of which allows an act on credentials of a kind, whoever owns them.
pub(crate) fn managing(kind: CredentialKind, act: Act) -> &'static [Right] {
    let actions = &kind.entry().actions;
    let name = match act {
        Act::See => &actions.see,
        Act::Make => &actions.make,
        Act::Change => &actions.change,
        Act::Delete => &actions.end,
    };
    // An action that there is not is given by no right.
    Action::named(name).map_or(&[], Action::rights)
}

/// As [`managing`], with the rights that suffice for the caller's own.
pub(crate) fn managing_own(kind: CredentialKind, act: Act) -> Vec<Right> {
    let own = match act {
        Act::See => Action::OwnTokenList,
        // Who may make one may as well make another in its place.
        Act::Make | Act::Change => Action::OwnTokenCreate,
        Act::Delete => Action::OwnTokenDelete,
    };
    [own.rights(), managing(kind, act)].concat()
}

/// Whether a caller may see the credentials of a kind that others own.
pub(crate) fn sees_others(caller: &Caller, kind: CredentialKind) -> bool {
    caller.authorize_any(managing(kind, Act::See)).allowed
}

/// Refuses a caller that may not do this; one that may not even see it learns nothing. Whoever
/// changes or ends a credential of another account must have every right that it gives.
pub(crate) fn require_act(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
    act: Act,
) -> Result<(), IdentityError> {
    if caller.account() == Some(known.account) {
        caller.require_any(&managing_own(known.kind, act))?;
        let is_itself = caller.credential() == Some(known.id);
        return match act {
            Act::Change | Act::Delete if !is_itself => require_not_lesser(caller, view, known),
            _ => Ok(()),
        };
    }
    let rights = managing(known.kind, act);
    if !caller.authorize_any(rights).allowed && !sees_others(caller, known.kind) {
        return Err(IdentityError::NotFound { what: "credential" });
    }
    caller.require_any(rights)?;
    if act == Act::See {
        return Ok(());
    }
    require_not_lesser(caller, view, known)
}

/// Refuses a caller that may less than a credential. What every person may does not make a
/// credential strong.
fn require_not_lesser(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
) -> Result<(), IdentityError> {
    let given = rights_of_owner(view, known)?.intersect(known.rights);
    caller.require_all(&given.beyond(&PermissionLevel::User.rights()))
}

/// Whether a credential makes its successor, or looks at its like, where its kind can.
pub(crate) fn is_renewal(caller: &Caller, kind: CredentialKind) -> bool {
    kind.entry().renews && caller.credential_kind() == Some(kind)
}

/// Refuses a temporary credential that would make one which outlives it: whoever comes by it for
/// a moment must not stay. The catalog says for which kinds that does not hold.
pub(crate) fn require_no_longer_life(
    caller: &Caller,
    kind: CredentialKind,
    end: Option<Instant>,
) -> Result<(), IdentityError> {
    let Some(own_end) = caller.temporary_until() else {
        return Ok(());
    };
    let may_outlive = match &kind.entry().outlives {
        Outlives::None => false,
        Outlives::Any => true,
        Outlives::Kind(maker) => {
            caller.credential_kind().map(CredentialKind::as_str) == Some(maker)
        }
    };
    if may_outlive || end.is_some_and(|end| end <= own_end) {
        return Ok(());
    }
    let why = format!(
        "a temporary credential cannot make one that outlives it: name an end, at {own_end} at \
         the latest"
    );
    Err(caller.deny(why))
}

/// What the owner of a credential may do; nothing for a node.
fn rights_of_owner(view: &View, known: &CredentialSummary) -> Result<Rights, IdentityError> {
    let reader = CoreReader::new(view);
    match reader.by_id(known.account, &Kind::ACCOUNTS.map(Kind::type_name)) {
        Some(owner) => account_rights(reader, owner),
        None => Ok(Rights::NONE),
    }
}

/// Refuses rights that the caller lacks itself, with a sentence that names them.
pub(crate) fn require_within(caller: &Caller, rights: Rights) -> Result<(), IdentityError> {
    let lacking = Right::all().filter(|right| rights.contains(*right) && !caller.may(*right));
    let lacking: Vec<&str> = lacking.map(Right::name).collect();
    let Some((first, others)) = lacking.split_first() else {
        return Ok(());
    };
    let more = match others.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let why = format!("a credential cannot have rights that its maker lacks: {first}{more}");
    Err(caller.deny(why))
}

/// Refuses a caller that would gain by holding the secret of a credential: by its rights, by what
/// its owner may do, or because a policy that bounds the caller does not bound it.
pub(crate) fn require_no_gain(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
) -> Result<(), IdentityError> {
    let of_owner = rights_of_owner(view, known)?;
    if caller.account() == Some(known.account) {
        caller.require_all(&of_owner.intersect(known.rights))?;
    } else {
        caller.require_all(&of_owner)?;
    }
    require_same_bounds(caller, view, known)
}

/// Refuses a caller bounded by a policy that does not bound this credential.
pub(crate) fn require_same_bounds(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
) -> Result<(), IdentityError> {
    let bounds = CredentialSummary::policies(view, known.id);
    let is_missing = |text: &String| text != AccessPolicy::ALLOW_ALL && !bounds.contains(text);
    if caller.policy_texts().iter().any(is_missing) {
        let why = "a policy that bounds the caller does not bound that credential".to_owned();
        return Err(caller.deny(why));
    }
    Ok(())
}
