// SPDX-License-Identifier: Apache-2.0
//! Imports of files, over a real store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests may panic, and their support is not a public API"
)]

mod support;

use std::io::Write;
use std::path::PathBuf;

use durward_catalog::Catalog;
use durward_dialect_sync::import::ImportRequest;
use durward_dialect_sync::import_files;
use durward_model::Namespace;
use durward_model::transaction::Origin;
use serde_json::json;
use support::{World, entity, link};

/// Entities and relationships read, created and unchanged, and twins.
fn import(world: &World, folder: &std::path::Path, files: &[PathBuf], scope: &str) -> [u64; 7] {
    let catalog = Catalog::built_in().unwrap();
    let staging = folder.join("import");
    let request = ImportRequest {
        files,
        scope,
        patch: false,
        is_partial: false,
        dry_run: false,
        staging: &staging,
        seal: std::sync::Arc::new(durward_journal::file_seal::TestSeal(1)),
        origin: Origin::default(),
    };
    let report = import_files(&world.store, &catalog, &request, &|_| {}).unwrap();
    assert!(!staging.exists());
    let (entities, relationships) = (report.changes.entities, report.changes.relationships);
    [
        report.read.entities,
        report.read.relationships,
        entities.created,
        relationships.created,
        entities.unchanged,
        relationships.unchanged,
        report.changes.twins,
    ]
}

#[tokio::test]
async fn files_import_as_one_job_and_name_a_broken_line() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let plain = folder.path().join("entities.json");
    std::fs::write(
        &plain,
        format!("{}\n{}", entity("a", "A"), entity("b", "B")),
    )
    .unwrap();
    let packed = folder.path().join("rest");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(encoder, "{}\n\n{}", link("a", "b"), entity("c", "C")).unwrap();
    std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
    let files = [plain.clone(), packed];
    assert_eq!(
        import(&world, folder.path(), &files, "import"),
        [3, 1, 3, 1, 0, 0, 0]
    );
    assert_eq!(
        import(&world, folder.path(), &files, "import"),
        [3, 1, 0, 0, 3, 1, 0]
    );
    let lines = [
        entity("a", "A2").to_string(),
        String::new(),
        json!({"_key": 1, "_type": "box", "_class": "Host"}).to_string(),
        "{\"_key\":\"z\", \"_type\":\"box\"".to_owned(),
        entity("d", "D").to_string(),
    ];
    std::fs::write(&plain, lines.join("\n")).unwrap();
    let staging = folder.path().join("import");
    let request = ImportRequest {
        files: &[plain],
        scope: "import",
        patch: false,
        is_partial: false,
        dry_run: false,
        staging: &staging,
        seal: std::sync::Arc::new(durward_journal::file_seal::TestSeal(1)),
        origin: Origin::default(),
    };
    let catalog = Catalog::built_in().unwrap();
    let report = import_files(&world.store, &catalog, &request, &|_| {}).unwrap();
    let told: Vec<String> = report.rejected.iter().map(ToString::to_string).collect();
    assert!(
        told[0].ends_with("line 3: _key must be a text that is not empty"),
        "{told:?}"
    );
    assert!(
        told[1].contains("line 4: it is not a valid object"),
        "{told:?}"
    );
    let changes = &report.changes.entities;
    assert_eq!(
        (changes.created, changes.updated, changes.deleted),
        (1, 1, 0)
    );
    assert!(report.partial.has("box") && report.rejected_count == 2);
    assert!(!staging.exists());
}

#[tokio::test]
async fn real_graphs_arrive_whole() {
    let shared = std::env::var_os("DURWARD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = shared.join("data/graph");
    if !data.exists() {
        eprintln!("SKIPPED: no shared folder with real graphs; set DURWARD_SHARED to it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    // Eight relationships of the first set stand in it twice, word by word.
    for (set, end, nodes, links, twins) in [
        ("aws-permissions", "jsonl.gz", 27_682, 283_123, 8),
        ("k8s-org", "jsonl", 2611, 8006, 0),
    ] {
        let files =
            ["entities", "relationships"].map(|name| data.join(set).join(format!("{name}.{end}")));
        let counts = import(&world, folder.path(), &files, set);
        assert_eq!(
            counts,
            [nodes, links, nodes, links - twins, 0, 0, twins],
            "{set}"
        );
        let first = world.view().find_by_key_any_namespace("gh:org:etcd-io");
        assert_eq!(first.is_empty(), set != "k8s-org");
    }
    let files = ["entities", "relationships"]
        .map(|name| data.join("k8s-org").join(format!("{name}.jsonl")));
    let again = import(&world, folder.path(), &files, "k8s-org");
    assert_eq!(again, [2611, 8006, 0, 0, 2611, 8006, 0]);
    let view = world.view();
    let org = view.find_by_key(&Namespace::new("api", "k8s-org"), "gh:org:etcd-io");
    assert!(org.is_some());
}
