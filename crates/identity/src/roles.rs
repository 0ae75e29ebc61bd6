// SPDX-License-Identifier: Apache-2.0
//! The built-in roles. They are entities of the graph like every role; commands may add others.

use durward_policy::{Right, Rights};

/// Name of the role with every right.
pub const ADMINISTRATOR: &str = "Administrator";
/// Name of the role that reads and writes data.
pub const EDITOR: &str = "Editor";
/// Name of the role that reads.
pub const VIEWER: &str = "Viewer";

const VIEWER_RIGHTS: [Right; 12] = [
    Right::READ_GRAPH,
    Right::READ_RAW_DATA,
    Right::READ_ACCOUNT_ENTITY,
    Right::READ_COMPLIANCE_STANDARD,
    Right::READ_COMPLIANCE_SUMMARY,
    Right::VIEW_DASHBOARD,
    Right::READ_SETTINGS,
    Right::READ_PARAMETER,
    Right::LIST_PARAMETERS,
    Right::READ_ACCESS,
    Right::READ_RESOURCES,
    Right::MANAGE_OWN_CREDENTIALS,
];
const VIEWER_CAPABILITIES: [&str; 2] = ["KNOWLEDGE", "EXPLORE"];
const EDITOR_RIGHTS: [Right; 7] = [
    Right::WRITE_GRAPH,
    Right::SYNCHRONIZE,
    Right::WRITE_PARAMETER,
    Right::DELETE_PARAMETER,
    Right::READ_ACCOUNTS,
    Right::READ_ORGANIZATION,
    Right::MANAGE_RESOURCES,
];
const EDITOR_CAPABILITIES: [&str; 7] = [
    "KNOWLEDGE_KNUPDATE_KNDELETE",
    "KNOWLEDGE_KNUPDATE_KNMERGE",
    "KNOWLEDGE_KNUPLOAD",
    "KNOWLEDGE_KNASKIMPORT",
    "KNOWLEDGE_KNENRICHMENT",
    "KNOWLEDGE_KNGETEXPORT_KNASKEXPORT",
    "EXPLORE_EXUPDATE_EXDELETE",
];

/// Name and rights of each built-in role.
pub(crate) fn built_in() -> [(&'static str, Rights); 3] {
    let capabilities = |names: &[&str]| -> Rights {
        names
            .iter()
            .filter_map(|name| Right::of_capability(name))
            .collect()
    };
    let viewer = VIEWER_RIGHTS.into_iter().collect::<Rights>();
    let viewer = viewer.union(capabilities(&VIEWER_CAPABILITIES));
    let editor = EDITOR_RIGHTS.into_iter().collect::<Rights>();
    let editor = editor
        .union(capabilities(&EDITOR_CAPABILITIES))
        .union(viewer);
    [
        (ADMINISTRATOR, Rights::ALL),
        (EDITOR, editor),
        (VIEWER, viewer),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn roles_contain_each_other() {
        let [(_, administrator), (_, editor), (_, viewer)] = built_in();
        assert!(viewer.is_within(&editor) && editor.is_within(&administrator));
        assert!(!viewer.contains(Right::WRITE_GRAPH));
        assert!(!editor.contains(Right::MANAGE_CREDENTIALS));
        for name in VIEWER_CAPABILITIES.iter().chain(&EDITOR_CAPABILITIES) {
            assert!(
                editor.contains(Right::of_capability(name).unwrap()),
                "{name}"
            );
        }
    }
}
