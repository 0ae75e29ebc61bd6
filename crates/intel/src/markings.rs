// SPDX-License-Identifier: Apache-2.0
//! Markings that everybody knows: those of the Traffic Light Protocol, in both of its versions.

use serde_json::{Map, Value as Json};

/// Prefix of the ids of markings.
pub(crate) const ID_PREFIX: &str = "marking-definition--";
/// STIX extension by which markings of version 2.0 say what they are.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// A marking of the Traffic Light Protocol.
#[derive(Debug)]
pub(crate) struct Tlp {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its place in the order: what is higher is shown to fewer.
    pub(crate) order: i64,
    /// Its colour.
    pub(crate) color: &'static str,
    /// The tail of the id that it has here: OpenCTI's, which is that of version 1 where it has one.
    tail: &'static str,
    /// The tail of its id in version 2.0.
    tail_2: Option<&'static str>,
}

const fn tlp(
    name: &'static str,
    order: i64,
    color: &'static str,
    tail: &'static str,
    tail_2: Option<&'static str>,
) -> Tlp {
    Tlp {
        name,
        order,
        color,
        tail,
        tail_2,
    }
}

/// All of them. WHITE and CLEAR are one marking under two names; the later name is its own.
const ALL: [Tlp; 6] = [
    tlp(
        "TLP:CLEAR",
        1,
        "#ffffff",
        "613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Some("94868c89-83c2-464b-929b-a1a8aa3c8487"),
    ),
    tlp(
        "TLP:WHITE",
        1,
        "#ffffff",
        "613f2e26-407d-48c7-9eca-b8e91df99dc9",
        None,
    ),
    tlp(
        "TLP:GREEN",
        2,
        "#2e7d32",
        "34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Some("bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ),
    tlp(
        "TLP:AMBER",
        3,
        "#d84315",
        "f88d31f6-486f-44da-b317-01333bde0b82",
        Some("55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    ),
    tlp(
        "TLP:AMBER+STRICT",
        4,
        "#d84315",
        "826578e1-40ad-459f-bc73-ede076f81f37",
        Some("939a9414-2ddd-4d32-a0cd-375ea402b003"),
    ),
    tlp(
        "TLP:RED",
        5,
        "#c62828",
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        Some("e828b379-4e03-4974-9ac4-e53a884c97c1"),
    ),
];

impl Tlp {
    /// The id that it has here.
    pub(crate) fn id(&self) -> String {
        format!("{ID_PREFIX}{}", self.tail)
    }
}

/// The marking of a name.
pub(crate) fn named(name: &str) -> Option<&'static Tlp> {
    ALL.iter().find(|tlp| tlp.name.eq_ignore_ascii_case(name))
}

/// The marking of an id, in either version.
pub(crate) fn of_id(id: &str) -> Option<&'static Tlp> {
    let tail = id.strip_prefix(ID_PREFIX)?;
    ALL.iter()
        .find(|tlp| tlp.tail == tail || tlp.tail_2 == Some(tail))
}

/// What the extension of version 2.0 says about a marking, if it has one.
pub(crate) fn of_extension(members: &Map<String, Json>) -> Option<&Json> {
    members
        .get("extensions")?
        .get(TLP_2_EXTENSION)?
        .get("tlp_2_0")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn both_versions_lead_to_one_marking() {
        for tlp in &ALL {
            let id = tlp.id();
            assert_eq!(of_id(&id).unwrap().id(), id);
            let later = tlp.tail_2.map(|tail| format!("{ID_PREFIX}{tail}"));
            assert!(later.is_none_or(|later| of_id(&later).unwrap().id() == id));
        }
        assert_eq!(
            of_id(&named("tlp:white").unwrap().id()).unwrap().name,
            "TLP:CLEAR"
        );
        assert!(of_id("marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168").is_none());
    }
}
