// SPDX-License-Identifier: Apache-2.0
//! The value of `regardingOf`: a list of small filters of its own.

use serde_json::Value as Json;

use crate::error::QueryError;
use crate::plan::Way;

/// What `[{key: "relationship_type", values}, {key: "id", values}, ...]` asks for.
#[derive(Debug)]
pub(super) struct Regarding<'j> {
    pub(super) relationship_types: Vec<&'j str>,
    pub(super) ids: Vec<&'j str>,
    /// Filter groups of which the other object fulfils any.
    pub(super) groups: &'j [Json],
    pub(super) way: Way,
    pub(super) is_inferred: bool,
}

impl<'j> Regarding<'j> {
    pub(super) fn parse(key: &str, members: &'j [Json]) -> Result<Self, QueryError> {
        let mut asked = Self {
            relationship_types: Vec::new(),
            ids: Vec::new(),
            groups: &[],
            way: Way::Either,
            is_inferred: false,
        };
        let (mut is_forced, mut is_reversed) = (false, false);
        for member in members {
            let name = match member.get("key") {
                Some(Json::Array(keys)) => keys.first().and_then(Json::as_str),
                Some(name) => name.as_str(),
                None => None,
            };
            let values = match member.get("values") {
                Some(Json::Array(values)) => values.as_slice(),
                _ => &[],
            };
            let is_true = values
                .iter()
                .any(|value| *value == true || *value == "true");
            match name.unwrap_or_default() {
                "relationship_type" => {
                    asked
                        .relationship_types
                        .extend(values.iter().filter_map(Json::as_str));
                }
                "id" => asked.ids.extend(values.iter().filter_map(Json::as_str)),
                "dynamic" => asked.groups = values,
                "direction_forced" => is_forced = is_true,
                "direction_reverse" => is_reversed = is_true,
                "is_inferred" => asked.is_inferred = is_true,
                other => {
                    return Err(QueryError::UnknownKey {
                        key: format!("{key}.{other}"),
                    });
                }
            }
        }
        asked.way = match (is_forced, is_reversed) {
            (false, _) => Way::Either,
            (true, false) => Way::Out,
            (true, true) => Way::In,
        };
        Ok(asked)
    }
}
