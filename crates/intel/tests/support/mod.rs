// SPDX-License-Identifier: Apache-2.0
//! A real store to import into.
#![allow(dead_code, reason = "each test uses a part")]

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::View;
use durward_graph::store::{Store, StoreOptions};
use durward_intel::{ImportError, ImportReport, Room, import_bundle};
use durward_journal::{HeadSigner, MemoryJournal};
use durward_model::ManualClock;
use durward_model::transaction::{Origin, Sequence};
use serde_json::{Value as Json, json};

#[derive(Debug)]
struct Unsigned;

impl HeadSigner for Unsigned {
    fn key_id(&self) -> String {
        "test".to_owned()
    }
    fn sign(&self, _message: &[u8]) -> Vec<u8> {
        vec![1]
    }
    fn verify(&self, _key_id: &str, _at: Sequence, _message: &[u8], signature: &[u8]) -> bool {
        signature == [1]
    }
}

pub(crate) struct Bench {
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

pub(crate) fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::new(
        folder.path(),
        Arc::new(ManualClock::new("2026-01-01".parse().unwrap())),
        Arc::new(Catalog::built_in().unwrap()),
        [3; 32],
        Arc::new(Unsigned),
    );
    options.journal = Some(Arc::new(MemoryJournal::default()));
    options.checkpoint = false;
    Bench {
        store: Store::create(options).unwrap(),
        _folder: folder,
    }
}

impl Bench {
    pub(crate) fn import(&self, objects: &Json) -> ImportReport {
        self.import_in(objects, &Room::unlimited()).unwrap()
    }

    pub(crate) fn import_in(
        &self,
        objects: &Json,
        room: &Room,
    ) -> Result<ImportReport, ImportError> {
        let text = json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string();
        import_bundle(&self.store, Origin::default(), "", text.as_bytes(), room)
    }

    pub(crate) fn view(&self) -> View {
        self.store.view(None)
    }
}

pub(crate) const TOOL: &str = "tool--8e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
pub(crate) const GROUP: &str = "intrusion-set--1e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
pub(crate) const USES: &str = "relationship--2e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
pub(crate) const NOTE: &str = "note--3e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
pub(crate) const GREEN: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";

pub(crate) fn live(view: &View, entity_type: &str) -> u64 {
    view.type_id(entity_type)
        .map_or(0, |type_id| view.live_count(type_id))
}
