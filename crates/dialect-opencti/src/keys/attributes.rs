// SPDX-License-Identifier: Apache-2.0
//! Attributes whose names in OpenCTI are not those of the properties in the graph.

use super::{RELATIONSHIP_END, STIX_RELATIONSHIP};

/// Attributes that OpenCTI knows and that are never stored here: filters on them find nothing.
pub(super) const NEVER_STORED: [&str; 15] = [
    "authorized_members.id",
    "computed_reliability",
    "source_reliability",
    "creator_id",
    "creator",
    "opinionsMetrics",
    "pir_score",
    "workflow_id",
    "x_opencti_workflow_id",
    "objectAssignee",
    "objectParticipant",
    "objectOrganization",
    "members_user",
    "rule",
    "refreshed_at",
];

/// Names that several properties stand behind.
pub(super) const RENAMED: [(&str, &[&str]); 9] = [
    ("created_at", &["_createdOn"]),
    ("updated_at", &["_beginOn"]),
    (
        "alias",
        &["aliases", "x_opencti_aliases", "x_mitre_aliases"],
    ),
    ("indicator_pattern", &["pattern"]),
    ("user_email", &["email"]),
    (
        "bulkSearchKeywords",
        &[
            "name",
            "aliases",
            "x_opencti_aliases",
            "value",
            "url",
            "path",
            "displayName",
        ],
    ),
    ("hash", &["hash"]),
    (STIX_RELATIONSHIP, &["relationship_type"]),
    (RELATIONSHIP_END, &["_fromEntityId"]),
];
