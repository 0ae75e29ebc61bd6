// SPDX-License-Identifier: Apache-2.0
//! An explanation in sentences.

use super::{Explanation, PathState, PathValidity, PolicyState, RightState};

/// Most rights that one sentence lists.
const RIGHTS_MAX: usize = 8;

pub(super) fn of_action(told: &Explanation) -> Vec<String> {
    let may = if told.allowed { "may" } else { "may not" };
    let mut why = vec![format!(
        "{} {may} {} on {} at {}.",
        told.principal, told.action, told.object, told.at
    )];
    why.extend(of_account(told));
    let held = listed(&told.rights, |right| right.account && right.credential);
    if let Some(held) = held {
        why.push(format!("The account and the credential have {held}."));
    } else {
        let narrowed = listed(&told.rights, |right| right.account && !right.credential);
        why.push(match narrowed {
            Some(names) => {
                format!("The account has {names}, but the credential was not made for it.")
            }
            None => match listed(&told.rights, |_| true) {
                Some(names) => format!("The account has none of {names}."),
                None => "It takes no right: everybody who is let in may do it.".to_owned(),
            },
        });
    }
    why.extend(
        told.credential_policies
            .iter()
            .map(|policy| match policy.statement {
                Some(statement) => format!(
                    "Statement {statement} of a policy of the credential {} {}.",
                    policy.effect, policy.right
                ),
                None => format!(
                    "A policy of the credential does not allow {}.",
                    policy.right
                ),
            }),
    );
    why
}

pub(super) fn of_access(told: &Explanation) -> Vec<String> {
    let can = if told.allowed { "can" } else { "cannot" };
    let mut why = vec![format!(
        "{} {can} {} to {} at {}.",
        told.principal, told.action, told.object, told.at
    )];
    why.extend(of_account(told));
    if told.paths.is_empty() {
        why.push("No role and no grant leads to it.".to_owned());
    }
    why.extend(told.paths.iter().map(of_path));
    why.extend(told.forbidden_by.iter().map(|policy| {
        let which = named(policy);
        let message = policy.annotations.get("error");
        match (&policy.error, message) {
            (Some(reason), _) => format!(
                "{which} forbids, and whether it applies cannot be judged ({reason}): it counts as \
                 forbidden."
            ),
            (None, Some(message)) => format!("{which} forbids it: {message}."),
            (None, None) => format!("{which} forbids it."),
        }
    }));
    why.extend(
        told.permitted_by
            .iter()
            .map(|policy| format!("{} permits it.", named(policy))),
    );
    if told.forbidden_by.is_empty() && told.permitted_by.is_empty() {
        why.push("No policy speaks of it.".to_owned());
    }
    why
}

fn of_account(told: &Explanation) -> Vec<String> {
    let mut why = Vec::new();
    if told.suspended {
        why.push("The account is suspended.".to_owned());
    }
    if let Some(end) = &told.credential_expired_at {
        why.push(format!("The credential expired at {end}."));
    }
    why
}

fn of_path(path: &PathState) -> String {
    let steps: Vec<String> = path
        .steps
        .iter()
        .map(|step| match step.name.as_str() {
            "" => format!("{} {}", step.kind, step.id),
            name => format!("{} {name:?}", step.kind),
        })
        .collect();
    let way = if steps.is_empty() {
        "A grant leads to it".to_owned()
    } else {
        format!("It is reached by {}", steps.join(", "))
    };
    match (path.validity, &path.valid_from, &path.valid_until) {
        (PathValidity::NotYet, Some(from), _) => format!("{way}, but not before {from}."),
        (PathValidity::Ended, _, Some(until)) => format!("{way}, but that ended at {until}."),
        (_, Some(from), Some(until)) => format!("{way}, from {from} until {until}."),
        (_, Some(from), None) => format!("{way}, since {from}."),
        (_, None, Some(until)) => format!("{way}, until {until}."),
        _ => format!("{way}."),
    }
}

fn named(policy: &PolicyState) -> String {
    format!(
        "Statement {} of the policy {:?}",
        policy.statement, policy.name
    )
}

/// Names of the rights that fit, joined; none if none fits.
fn listed(rights: &[RightState], fits: impl Fn(&RightState) -> bool) -> Option<String> {
    let names: Vec<&str> = rights
        .iter()
        .filter(|right| fits(right))
        .map(|right| right.right)
        .collect();
    let shown: Vec<&str> = names.iter().copied().take(RIGHTS_MAX).collect();
    let rest = names.len().saturating_sub(shown.len());
    match (shown.is_empty(), rest) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, rest) => Some(format!("{} and {rest} more", shown.join(", "))),
    }
}
