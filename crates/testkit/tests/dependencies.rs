// SPDX-License-Identifier: Apache-2.0
//! A crate depends only on crates above it in the list, and heavy libraries stay behind one crate.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// The crates from the top to the bottom; `testkit` is for tests only.
const ORDER: [&str; 23] = [
    "model",
    "catalog",
    "budget",
    "journal",
    "graph",
    "query",
    "vault",
    "policy",
    "identity",
    "access",
    "listing",
    "cloud",
    "intel",
    "graphql",
    "dialect-jupiterone",
    "dialect-opencti",
    "dialect-sonrai",
    "dialect-native",
    "dialect-strongdm",
    "dialect-cyral",
    "dialect-sync",
    "gateway",
    "console",
];

/// Libraries that only the named folders may depend on.
const BEHIND: [(&str, &[&str]); 11] = [
    ("cedar-policy", &["policy"]),
    ("cedar-policy-formatter", &["policy"]),
    ("logos", &["policy"]),
    ("apollo-compiler", &["graphql"]),
    ("prost-reflect", &["dialect-strongdm"]),
    ("russh", &["gateway"]),
    ("sqlparser", &["gateway"]),
    ("rusqlite", &["journal"]),
    ("tokio-postgres", &["journal"]),
    ("argon2", &["identity"]),
    ("anyhow", &["durward", "testkit"]),
];

/// The packages of the workspace that are crates of the product, by folder.
fn crates() -> BTreeMap<String, Package> {
    let manifest = durward_testkit::repository().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .unwrap();
    let mut found = BTreeMap::new();
    for package in metadata.packages {
        let folder = package.manifest_path.parent().unwrap();
        if folder.parent().and_then(|parent| parent.file_name()) == Some("crates") {
            found.insert(folder.file_name().unwrap().to_owned(), package);
        }
    }
    assert!(found.len() > 5, "found only {:?}", found.keys());
    found
}

/// What a package needs outside its tests.
fn needed(package: &Package) -> impl Iterator<Item = &str> {
    let real = package.dependencies.iter();
    real.filter(|needed| needed.kind != DependencyKind::Development)
        .map(|needed| &*needed.name)
}

/// The place of a folder in the order; the binary is below all others.
fn place(folder: &str) -> usize {
    match folder {
        "durward" => ORDER.len(),
        _ => ORDER
            .iter()
            .position(|name| *name == folder)
            .unwrap_or_else(|| {
                unreachable!("crates/{folder} is not in the list of the design: add it to ORDER")
            }),
    }
}

#[test]
fn packages_are_named_after_their_folders() {
    for (folder, package) in crates() {
        let expected = match folder.as_str() {
            "durward" => "durward".to_owned(),
            other => format!("durward-{other}"),
        };
        assert_eq!(package.name.as_str(), expected);
    }
}

#[test]
fn dependencies_point_upwards() {
    let mut wrong = Vec::new();
    for (folder, package) in crates() {
        for needed in needed(&package) {
            let Some(other) = needed.strip_prefix("durward-") else {
                continue;
            };
            if other == "testkit" {
                wrong.push(format!("{folder} -> testkit (tests only)"));
            } else if folder != "testkit" && place(other) >= place(&folder) {
                wrong.push(format!("{folder} -> {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges against the order: {wrong:#?}");
}

#[test]
fn heavy_libraries_stay_behind_one_crate() {
    let mut wrong = Vec::new();
    for (folder, package) in crates() {
        for needed in needed(&package) {
            let rule = BEHIND.iter().find(|(name, _)| *name == needed);
            if rule.is_some_and(|(_, folders)| !folders.contains(&folder.as_str())) {
                wrong.push(format!("{folder} -> {needed}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "libraries outside their crate: {wrong:#?}"
    );
}

#[test]
fn every_crate_uses_the_workspace_lints() {
    for (folder, package) in crates() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "crates/{folder}/Cargo.toml"
        );
    }
}

/// The fuzz targets are a workspace of their own: nothing else notices that its lock file is old.
#[test]
fn the_lock_file_of_the_fuzz_targets_is_as_new_as_the_crates() {
    let path = durward_testkit::repository().join("fuzz/Cargo.lock");
    let text = std::fs::read_to_string(path).unwrap();
    let mut compared = 0;
    for package in crates().values() {
        let locked = text
            .split("[[package]]")
            .find(|entry| entry.contains(&format!("\nname = \"{}\"\n", package.name)));
        // The targets do not need every crate.
        let Some(locked) = locked else { continue };
        for needed in needed(package).filter(|name| name.starts_with("durward-")) {
            assert!(
                locked.contains(&format!("\"{needed}\"")),
                "fuzz/Cargo.lock does not know that {} needs {needed}: run `cargo check` in fuzz",
                package.name
            );
        }
        compared += 1;
    }
    assert!(
        compared > 5,
        "only {compared} crates are in fuzz/Cargo.lock"
    );
}
