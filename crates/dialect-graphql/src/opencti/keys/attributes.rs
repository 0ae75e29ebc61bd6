// SPDX-License-Identifier: Apache-2.0
//! Attributes whose names in OpenCTI are not those of the properties in the graph.

use super::STIX_RELATIONSHIP;

/// Attributes that OpenCTI knows and that are never stored here: filters on them find nothing.
pub(super) const NEVER_STORED: [&str; 16] = [
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
    "is_inferred",
    "rule",
    "refreshed_at",
];

/// Names that several properties stand behind.
pub(super) const RENAMED: [(&str, &[&str]); 15] = [
    ("created_at", &["_createdOn"]),
    ("updated_at", &["_beginOn"]),
    ("alias", ALIASES),
    ("aliases", ALIASES),
    ("x_opencti_aliases", ALIASES),
    ("attribute_abstract", &["attribute_abstract", "abstract"]),
    ("indicator_pattern", &["pattern"]),
    ("representative", &["displayName"]),
    ("user_email", &["email"]),
    (
        "observable_value",
        &["value", "name", "path", "key", "displayName"],
    ),
    (
        "collection_layers",
        &["collection_layers", "x_mitre_collection_layers"],
    ),
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
    ("attribute_count", &["attribute_count", "count"]),
];
const ALIASES: &[&str] = &["aliases", "x_opencti_aliases", "x_mitre_aliases"];
