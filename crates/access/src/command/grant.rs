// SPDX-License-Identifier: Apache-2.0
//! Grants: access of an account or group to one resource, for a time.

use durward_graph::{EntityRef, View};
use durward_model::{Instant, Value};

use super::Properties;
use crate::effective::{self, VALID_FROM, VALID_UNTIL};
use crate::{Access, AccessError, Kind};

impl Access {
    /// The times make sense, and no grant of the same ends holds at any moment
    /// at which this one would. Without a start it begins now; without an end it lasts.
    pub(super) fn check_grant(
        &self,
        view: &View,
        (holder, resource): (EntityRef, EntityRef),
        properties: &mut Properties,
    ) -> Result<(), AccessError> {
        let start = instant(properties, VALID_FROM)?;
        let start = start.unwrap_or_else(|| self.organization().now());
        properties.insert(VALID_FROM.to_owned(), Value::from(start));
        let end = instant(properties, VALID_UNTIL)?;
        if end.is_some_and(|end| end <= start) {
            return Err(AccessError::invalid(
                "the end of the grant",
                "must lie after its start",
            ));
        }
        check_overlap(view, (holder, resource), start, end)
    }
}

/// Refuses a grant that another of the same ends overlaps: of two it would not be clear which one
/// a revocation ends.
fn check_overlap(
    view: &View,
    (holder, resource): (EntityRef, EntityRef),
    start: Instant,
    end: Option<Instant>,
) -> Result<(), AccessError> {
    let known = effective::edges_between(view, holder, resource);
    let overlaps = known.into_iter().any(|grant| {
        let (from, until) = effective::times(view, grant);
        until.is_none_or(|until| start < until) && end.is_none_or(|end| from < end)
    });
    if overlaps {
        return Err(AccessError::AlreadyExists {
            what: Kind::GRANT.noun(),
            property: "account and resource for an overlapping time",
        });
    }
    Ok(())
}

fn instant(properties: &Properties, name: &str) -> Result<Option<Instant>, AccessError> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Instant(instant)) => Ok(Some(*instant)),
        Some(_) => Err(AccessError::invalid(
            format!("the property {name:?}"),
            "must be a moment",
        )),
    }
}
