// SPDX-License-Identifier: Apache-2.0
//! Does what `docs/adding-a-kind.md` says, word for word: its blocks are the only thing that is
//! added to the contracts, and then the new kind is asked through StrongDM's wire.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::Common;
use durward_access::{Access, Accesses, Kind, NewObject, Properties};
use durward_catalog::{Catalog, Vocabulary, kinds};
use durward_dialect_strongdm::{Contract, Dispatch, Services};
use durward_graph::CoreReader;
use durward_identity::{CredentialKind, NewCredential, Presented};
use durward_model::{Clock as _, ErrorKind, Value as Stored};
use durward_policy::Rights;
use durward_query::{CursorKey, RunOptions, run};
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, Value};

const TABLE: &str = "contracts/catalog/access.toml";
const SERVICE: &str = "contracts/proto/v1/sites.proto";
const FACTS: &str = "contracts/strongdm/facts.tsv";
const LINES_MAX: usize = 40;
const SECOND_MICROS: i64 = 1_000_000;

const NOT_FOUND: &str = "5";
const ALREADY_EXISTS: &str = "6";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page by the files that it names before them.
fn blocks() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(repository().join("docs/adding-a-kind.md")).unwrap();
    let mut blocks = BTreeMap::new();
    for (before, block) in page
        .split("\n```\n")
        .filter_map(|part| part.split_once("\n```"))
    {
        let file = before.trim_end().rsplit('\n').next().unwrap();
        let file = file.trim_end_matches(':').trim_matches('`').to_owned();
        let (_, text) = block.split_once('\n').unwrap();
        assert!(blocks.insert(file, format!("{text}\n")).is_none());
    }
    blocks
}

/// The contract of this repository with the page's service and facts.
fn contract(blocks: &BTreeMap<String, String>) -> Contract {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("v1/sites.proto");
    std::fs::create_dir(folder.path().join("v1")).unwrap();
    std::fs::write(&own, &blocks[SERVICE]).unwrap();
    let others = repository().join("contracts/proto");
    let mut files = vec![own];
    for part in [
        "v1",
        "grpc/health/v1",
        "grpc/reflection/v1",
        "grpc/reflection/v1alpha",
    ] {
        for entry in std::fs::read_dir(others.join(part)).unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    let mut compiler = protox::Compiler::new([folder.path(), &others]).unwrap();
    compiler.include_imports(true);
    compiler.open_files(&files).unwrap();
    let descriptors = compiler.file_descriptor_set().encode_to_vec();
    let facts = std::fs::read_to_string(repository().join(FACTS)).unwrap();
    Contract::read(&descriptors, &(facts + &blocks[FACTS])).unwrap()
}

/// A method of the new service.
struct Sites<'w>(&'w Common);

impl Sites<'_> {
    /// Calls a method with a request whose fields are set; what it answers, or the status.
    fn ask(&self, method: &str, set: &[(&str, Value)]) -> Result<DynamicMessage, String> {
        self.ask_of("Sites", method, set)
    }

    fn ask_of(
        &self,
        service: &str,
        method: &str,
        set: &[(&str, Value)],
    ) -> Result<DynamicMessage, String> {
        let contract = self.0.engine.contract();
        let known = contract.method(&format!("/v1.{service}/{method}")).unwrap();
        let mut request = DynamicMessage::new(known.input.clone());
        for (name, value) in set {
            request.set_field_by_name(name, value.clone());
        }
        let call = self
            .0
            .call(&format!("{service}.{method}"), &request.encode_to_vec());
        let answer = self.0.send(call);
        match answer.get("grpc-status") {
            "0" => {
                let output = known.output.clone();
                Ok(DynamicMessage::decode(output, &answer.body[5..]).unwrap())
            }
            status => Err(format!("{status} {}", answer.get("grpc-message"))),
        }
    }

    /// A site with these texts.
    fn site(&self, texts: &[(&str, &str)]) -> Value {
        let message = self.0.engine.contract().message("Site").unwrap();
        let mut site = DynamicMessage::new(message);
        for (name, text) in texts {
            site.set_field_by_name(name, Value::String((*text).to_owned()));
        }
        Value::Message(site)
    }

    fn listed(&self, filter: &str) -> Vec<String> {
        let filter = [("filter", Value::String(filter.to_owned()))];
        let answer = self.ask("List", &filter).unwrap();
        let sites = answer.get_field_by_name("sites").unwrap();
        let sites = sites.as_list().unwrap().iter();
        sites
            .map(|site| text(site.as_message().unwrap(), "name"))
            .collect()
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field).unwrap();
    value.as_str().unwrap().to_owned()
}

fn site_of(answer: &DynamicMessage) -> DynamicMessage {
    let site = answer.get_field_by_name("site").unwrap();
    site.as_message().unwrap().clone()
}

fn id(id: &str) -> (&'static str, Value) {
    ("id", Value::String(id.to_owned()))
}

#[test]
fn the_page_adds_a_kind() {
    let blocks = blocks();
    let files: Vec<&str> = blocks.keys().map(String::as_str).collect();
    assert_eq!(files, [TABLE, SERVICE, FACTS]);
    let lines: usize = blocks.values().map(|block| block.lines().count()).sum();
    assert!(lines < LINES_MAX, "{lines} lines of contract");

    kinds::testing::add(&blocks[TABLE]);
    assert!(Catalog::built_in().unwrap().is_protected("access_site"));
    assert!(Vocabulary::built_in().classes.contains("Site"));
    let kind = Kind::named("site").unwrap();
    let accesses = Arc::new(Accesses::default());
    let world = Common::new(contract(&blocks), |contract| {
        Arc::new(Services::new(contract, accesses, Arc::default()).unwrap()) as Arc<dyn Dispatch>
    });
    let sites = Sites(&world);
    let berlin = [
        ("name", "Berlin"),
        ("country", "DE"),
        ("access_key", "hunter2"),
    ];
    let made = site_of(
        &sites
            .ask("Create", &[("site", sites.site(&berlin))])
            .unwrap(),
    );
    let own = text(&made, "id");
    assert!(own.starts_with("st-"), "{own}");
    assert_eq!(text(&made, "access_key"), "", "it is never shown");
    asks_and_changes(&sites, &own);
    is_guarded(&world, kind);
    is_in_the_graph(&world, kind);

    world.clock.advance_micros(SECOND_MICROS);
    let before = world.clock.now();
    world.clock.advance_micros(SECOND_MICROS);
    sites.ask("Delete", &[id(&own)]).unwrap();
    let gone = sites.ask("Get", &[id(&own)]).unwrap_err();
    assert!(
        gone.starts_with(NOT_FOUND) && gone.contains("no such site"),
        "{gone}"
    );
    assert!(sites.listed("").is_empty());
    // The past stays.
    let contract = world.engine.contract();
    let mut meta = DynamicMessage::new(contract.message("GetRequestMetadata").unwrap());
    let mut moment = meta.get_field_by_name("snapshot_at").unwrap().into_owned();
    let seconds = Value::I64(before.as_micros() / SECOND_MICROS);
    let inner = moment.as_message_mut().unwrap();
    inner.set_field_by_name("seconds", seconds);
    meta.set_field_by_name("snapshot_at", moment);
    let then = sites.ask("Get", &[("meta", Value::Message(meta)), id(&own)]);
    assert_eq!(text(&site_of(&then.unwrap()), "name"), "Paris");
    let told = sites.ask_of("Activities", "List", &[]).unwrap();
    let told = told.get_field_by_name("activities").unwrap();
    let told = told.as_list().unwrap().iter();
    let told: Vec<String> = told
        .map(|one| text(one.as_message().unwrap(), "verb"))
        .collect();
    for verb in ["site created", "site updated", "site deleted"] {
        assert!(told.iter().any(|known| known == verb), "{verb}: {told:?}");
    }
}

fn asks_and_changes(sites: &Sites<'_>, own: &str) {
    let same = sites.site(&[("name", "Berlin")]);
    let taken = sites.ask("Create", &[("site", same)]).unwrap_err();
    assert!(taken.starts_with(ALREADY_EXISTS), "{taken}");
    assert!(taken.contains("site with this name"), "{taken}");
    let nameless = sites
        .ask("Create", &[("site", sites.site(&[]))])
        .unwrap_err();
    assert!(nameless.contains("name of the site"), "{nameless}");
    assert_eq!(sites.listed("name:ber* country:DE"), ["Berlin"]);
    assert!(sites.listed("country:FR").is_empty());
    let paris = sites.site(&[("name", "Paris"), ("country", "FR")]);
    let changed = sites.ask("Update", &[id(own), ("site", paris)]).unwrap();
    assert_eq!(text(&site_of(&changed), "id"), own);
    let read = sites.ask("Get", &[id(own)]).unwrap();
    assert_eq!(text(&site_of(&read), "country"), "FR");
}

/// The action that the table names is asked.
fn is_guarded(world: &Common, kind: Kind) {
    let now = world.clock.now();
    let caller = |token: &str| {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            ..Presented::default()
        };
        world.organizations.authenticate(&presented, now).unwrap()
    };
    let admin = caller(&world.output.api_token);
    let new = |name: &str| {
        let named = ("displayName".to_owned(), Stored::from(name));
        NewObject::entity(kind, Properties::from([named]))
    };
    for (right, allowed) in [
        ("strongdm:relay:create", true),
        ("strongdm:role:create", false),
    ] {
        let new_key = NewCredential {
            rights: Some(Rights::from_names([right]).unwrap()),
            ..NewCredential::own(&admin, CredentialKind::ApiToken, right).unwrap()
        };
        let few = admin.organization().create_credential(&admin, new_key);
        let few = caller(few.unwrap().secret.expose());
        let access = Access::new(Arc::clone(few.organization()));
        match access.create(&few, new(right)) {
            Ok(made) => {
                assert!(allowed, "{right}");
                access.delete(&admin, kind, made.object.id).unwrap();
            }
            Err(error) => {
                assert!(!allowed, "{right}: {error}");
                assert_eq!(error.kind(), ErrorKind::Forbidden);
            }
        }
    }
}

/// Other languages find it, and its secret lies sealed.
fn is_in_the_graph(world: &Common, kind: Kind) {
    let organizations = world.organizations.all();
    let view = organizations[0].store().view(None);
    let key = CursorKey::new(&[7; 32]);
    let options = RunOptions::new(world.clock.now(), key);
    let found = run(&view, "FIND Site WITH country = 'FR'", &options).unwrap();
    assert_eq!((found.rows, found.warnings), (1, Vec::new()));
    let reader = CoreReader::new(&view);
    let site = reader.live(kind.type_name())[0];
    let Stored::Bytes(sealed) = reader.secret(site, kind.sealed().unwrap()) else {
        panic!("nothing was sealed");
    };
    assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
}
