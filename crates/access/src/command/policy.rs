// SPDX-License-Identifier: Apache-2.0
//! Policies in the Cedar language.

use durward_policy::CedarPolicy;

use super::create::Extra;
use super::update::Pending;
use super::{NewObject, Properties, names};
use crate::AccessError;
use crate::policies::POLICY;

const NAME: &str = "the name of the policy";

pub(super) fn new_policy(new: &mut NewObject) -> Result<Extra, AccessError> {
    names::require_name(&mut new.properties, NAME)?;
    Ok(Extra::default())
}

pub(super) fn change_policy(pending: &mut Pending<'_>) -> Result<(), AccessError> {
    if pending.names("displayName") {
        names::require_name(&mut pending.change.properties, NAME)?;
    }
    Ok(())
}

/// Whether the text that is given is a policy; the error says where it is not. Done before the
/// write is planned: others must not wait for it.
pub(super) fn check(properties: &Properties) -> Result<(), AccessError> {
    CedarPolicy::parse(names::text(properties, POLICY)?)?;
    Ok(())
}
