// SPDX-License-Identifier: Apache-2.0
//! Every action is asked for somewhere, or stands in the list of those whose operation is absent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use durward_policy::Action;

/// Actions that nothing asks for yet: name and what is absent.
const ABSENT: &str = "docs/compatibility/absent-actions.tsv";
/// Names are found in these kinds of files below `contracts`.
const CONTRACTS: [&str; 3] = ["graphql", "toml", "tsv"];

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap().to_path_buf()
}

/// The texts of the files below a folder that a condition picks by their path.
fn texts(folder: &Path, is_wanted: &dyn Fn(&Path) -> bool, out: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, is_wanted, out);
        } else if is_wanted(&path) {
            out.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Whether a word stands in a text by itself.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let after = text
            .get(start + word.len()..)
            .and_then(|rest| rest.chars().next());
        !after.is_some_and(|next| next.is_alphanumeric() || next == '_')
    })
}

#[test]
fn every_action_has_a_caller_or_its_operation_is_absent() {
    let (mut contracts, mut sources) = (String::new(), String::new());
    let ends = |path: &Path, end: &str| path.extension().is_some_and(|found| found == end);
    let is_contract = |path: &Path| CONTRACTS.iter().any(|end| ends(path, end));
    texts(&workspace().join("contracts"), &is_contract, &mut contracts);
    let is_source = |path: &Path| {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let is_test = |part: &&str| part.starts_with("test");
        ends(path, "rs")
            && parts.contains(&"src")
            && !parts.contains(&"policy")
            && !parts.iter().any(is_test)
    };
    texts(&workspace().join("crates"), &is_source, &mut sources);
    let list = fs::read_to_string(workspace().join(ABSENT)).unwrap();
    let rows = list.lines().filter(|line| !line.starts_with('#'));
    let mut absent: BTreeMap<&str, &str> = rows
        .map(|row| {
            row.split_once('\t')
                .unwrap_or_else(|| panic!("{ABSENT}: {row}"))
        })
        .collect();
    let mut wrong = Vec::new();
    for action in Action::all() {
        let name = action.name();
        let is_asked = contracts.contains(&format!("\"{name}\""))
            || has_word(&sources, &format!("Action::{action:?}"));
        match (is_asked, absent.remove(name)) {
            (false, None) => wrong.push(format!("{name} is asked for nowhere")),
            (true, Some(what)) => wrong.push(format!("{name} ({what}) is asked for")),
            (false, Some("")) => wrong.push(format!("{name}: nothing says what is absent")),
            _ => {}
        }
    }
    wrong.extend(
        absent
            .into_keys()
            .map(|name| format!("{name} is no action")),
    );
    assert!(wrong.is_empty(), "{ABSENT}:\n  {}", wrong.join("\n  "));
}
