// SPDX-License-Identifier: Apache-2.0
//! Deterministic ids against a table of objects and the ids that OpenCTI's rules give them.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use durward_intel::standard_id;

const TABLE: &str = include_str!("data/standard_ids.tsv");

#[test]
fn every_rule_gives_the_known_id() {
    let mut checked = 0;
    for line in TABLE.lines() {
        let (object, expected) = line.split_once('\t').unwrap();
        let object = serde_json::from_str(object).unwrap();
        let stix_type = expected.split("--").next().unwrap();
        assert_eq!(
            standard_id(stix_type, &object).as_deref(),
            Some(expected),
            "{line}"
        );
        checked += 1;
    }
    assert_eq!(checked, 93);
}

#[test]
fn what_lacks_its_contributing_properties_has_no_deterministic_id() {
    let object = serde_json::from_str(r#"{"name": "  ", "created": null}"#).unwrap();
    for stix_type in [
        "malware",
        "incident",
        "indicator",
        "x-mitre-analytic",
        "url",
    ] {
        assert_eq!(standard_id(stix_type, &object), None, "{stix_type}");
    }
}
