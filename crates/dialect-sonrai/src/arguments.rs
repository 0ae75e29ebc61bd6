// SPDX-License-Identifier: Apache-2.0
//! The arguments of `items`: limit, offset, order.

use serde_json::Value as Json;

use super::{Context, errors};
use durward_graphql::engine::{Call, FieldError};

/// Most items of one answer.
pub(super) const ITEMS_MAX: u64 = 10_000;

/// Which items of a list are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// How many at most; `None` for all.
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
    /// Fields, and whether the largest comes first.
    pub(super) order: Vec<(String, bool)>,
}

impl Page {
    pub(super) fn asked(call: &Call<'_, Context>) -> Result<Self, FieldError> {
        Ok(Self {
            limit: limit(call.argument("limit"))?,
            offset: match call.argument("offset") {
                None => 0,
                Some(json) => whole("offset", json)?
                    .try_into()
                    .map_err(|_| errors::invalid("offset must not be negative"))?,
            },
            order: order(call.argument("orderBy"))?,
        })
    }

    /// How many items to fetch: one too many tells that all of them are too many.
    pub(super) fn fetched(&self) -> u64 {
        self.limit.unwrap_or(ITEMS_MAX + 1)
    }

    /// Refuses an answer of more items than there may be.
    pub(super) fn check(&self, found: u64) -> Result<(), FieldError> {
        if self.limit.is_none() && found > ITEMS_MAX {
            let message = format!(
                "more than {ITEMS_MAX} items match; ask for them page by page with limit and \
                 offset, or narrow the list down with where"
            );
            return Err(errors::invalid(message));
        }
        Ok(())
    }
}

fn limit(json: Option<&Json>) -> Result<Option<u64>, FieldError> {
    let Some(json) = json else { return Ok(None) };
    match whole("limit", json)? {
        -1 => Ok(None),
        limit => match u64::try_from(limit) {
            Ok(limit) if limit <= ITEMS_MAX => Ok(Some(limit)),
            _ => Err(errors::invalid(format!(
                "limit must be 0 to {ITEMS_MAX}, or -1 for all"
            ))),
        },
    }
}

/// A whole number, which clients may write as a text.
pub(super) fn whole(name: &str, json: &Json) -> Result<i64, FieldError> {
    let text = || json.as_str()?.trim().parse().ok();
    let number = json.as_i64().or_else(text);
    number.ok_or_else(|| errors::invalid(format!("{name} must be a whole number")))
}

fn order(json: Option<&Json>) -> Result<Vec<(String, bool)>, FieldError> {
    let mut keys = Vec::new();
    for object in json.and_then(Json::as_array).into_iter().flatten() {
        let members = object.as_object().into_iter().flatten();
        let mut members = members.filter(|(_, member)| !member.is_null());
        let Some((field, sorted)) = members.next() else {
            continue;
        };
        if members.next().is_some() {
            return Err(errors::invalid(
                "each object of orderBy names one field; give a list to order by several",
            ));
        }
        let descending = match sorted.get("order").and_then(Json::as_str) {
            Some("ASC") => false,
            Some("DESC") => true,
            _ => return Err(errors::invalid("order must be ASC or DESC")),
        };
        keys.push((field.clone(), descending));
    }
    Ok(keys)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_bounded_and_may_be_texts() {
        assert_eq!(limit(None).unwrap(), None);
        assert_eq!(limit(Some(&json!(-1))).unwrap(), None);
        assert_eq!(limit(Some(&json!("25"))).unwrap(), Some(25));
        for wrong in [json!(-2), json!(ITEMS_MAX + 1), json!("x"), json!(1.5)] {
            assert!(limit(Some(&wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn orders_name_one_field_each() {
        let two = json!([{"name": {"order": "DESC"}}, {"srn": {"order": "ASC"}}]);
        let expected = vec![("name".to_owned(), true), ("srn".to_owned(), false)];
        assert_eq!(order(Some(&two)).unwrap(), expected);
        let both = json!([{"name": {"order": "DESC"}, "srn": {"order": "ASC"}}]);
        assert!(order(Some(&both)).is_err());
        assert!(order(Some(&json!([{"name": {"order": "UP"}}]))).is_err());
    }
}
