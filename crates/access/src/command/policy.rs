// SPDX-License-Identifier: Apache-2.0
//! Policies in the Cedar language.

use durward_policy::CedarPolicy;

use super::{Properties, names};
use crate::AccessError;
use crate::policies::POLICY;

/// Whether the text that is given is a policy; the error says where it is not. Done before the
/// write is planned: others must not wait for it.
pub(super) fn check(properties: &Properties) -> Result<(), AccessError> {
    CedarPolicy::parse(names::text(properties, POLICY)?)?;
    Ok(())
}
