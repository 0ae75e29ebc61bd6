// SPDX-License-Identifier: Apache-2.0
//! The configuration reference in `docs/operating.md` is what the program prints.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::process::Command;

#[test]
fn the_reference_in_the_docs_is_the_programs() {
    let file = durward_testkit::repository().join("docs/operating.md");
    let text = std::fs::read_to_string(file).unwrap();
    let block = text
        .split_once("```toml\n")
        .and_then(|(_, rest)| rest.split_once("```"));
    let (block, _) = block.unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_durward"))
        .args(["config", "reference"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        block, printed,
        "copy what `durward config reference` prints into docs/operating.md"
    );
}

#[test]
fn every_key_is_explained() {
    let file = durward_testkit::repository().join("docs/operating.md");
    let text = std::fs::read_to_string(file).unwrap();
    let block = text
        .split_once("```toml\n")
        .and_then(|(_, rest)| rest.split_once("```"));
    let (block, rest) = block.unwrap();
    let mut section = "";
    for line in block.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ") {
            let row = format!("| `{section}.{key}` | ");
            assert!(
                rest.contains(&row),
                "docs/operating.md does not explain {section}.{key}"
            );
        }
    }
}
