// SPDX-License-Identifier: Apache-2.0
//! Policies in the Cedar language.

use durward_policy::CedarPolicy;

use super::create::Extra;
use super::update::Pending;
use super::{NewObject, names};
use crate::AccessError;

/// Property of a policy with its text.
pub(crate) const POLICY: &str = "policy";
const NAME: &str = "the name of the policy";

pub(super) fn new_policy(new: &mut NewObject) -> Result<Extra, AccessError> {
    names::require_name(&mut new.properties, NAME)?;
    check(names::text(&new.properties, POLICY)?)?;
    Ok(Extra::default())
}

pub(super) fn change_policy(pending: &mut Pending<'_>) -> Result<(), AccessError> {
    if pending.names("displayName") {
        names::require_name(&mut pending.change.properties, NAME)?;
    }
    if pending.names(POLICY) {
        check(&pending.text(POLICY))?;
    }
    Ok(())
}

/// Whether a text is a policy; the error says where it is not.
fn check(text: &str) -> Result<(), AccessError> {
    match CedarPolicy::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(AccessError::invalid("the policy", error.to_string())),
    }
}
