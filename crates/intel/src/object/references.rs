// SPDX-License-Identifier: Apache-2.0
//! References by content: external references, kill-chain phases, markings of parts.

use serde_json::{Map, Value as Json};

/// Members of an external reference that OpenCTI shows.
const TEXTS: [&str; 4] = ["source_name", "description", "url", "external_id"];

/// An external reference whose texts are texts; a number is one too.
pub(super) fn external(item: Json) -> Option<Map<String, Json>> {
    let Json::Object(mut reference) = item else {
        return None;
    };
    for name in TEXTS {
        let Some(json) = reference.get_mut(name) else {
            continue;
        };
        match json {
            Json::String(_) | Json::Null => {}
            Json::Number(number) => *json = Json::String(number.to_string()),
            _ => return None,
        }
    }
    Some(reference)
}

/// The names of a chain and of its phase.
pub(super) fn phase(item: &Json) -> Option<(String, String)> {
    let part = |member| {
        let text = item.get(member).and_then(Json::as_str);
        text.filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    part("kill_chain_name").zip(part("phase_name"))
}

/// The ids of the markings of parts of an object.
pub(super) fn granular(markings: &Json) -> Option<Vec<String>> {
    let mut ids = Vec::new();
    for item in markings.as_array()? {
        match (item.get("marking_ref"), item.get("lang")) {
            (Some(Json::String(id)), _) => ids.push(id.clone()),
            (None, Some(Json::String(_))) => {}
            _ => return None,
        }
    }
    Some(ids)
}
