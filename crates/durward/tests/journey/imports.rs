// SPDX-License-Identifier: Apache-2.0
//! The samples, imported through a server and into a folder; and jobs that outlive a server.

use std::collections::BTreeMap;

use durward_testkit::{Server, repository};
use serde_json::{Value, json};

use crate::common::{
    self, JOBS, NATIVE, count, data, done, done_at, jupiterone, ok, sample, start_job, text_of,
};

/// What the AWS samples hold, counted by hand: entities by type.
const AWS_TYPES: [(&str, u64); 8] = [
    // Three of the organization, and two that roles trust.
    ("aws_account", 5),
    ("aws_iam_group", 5),
    // Eight managed, six in users, groups and roles.
    ("aws_iam_policy", 14),
    // Ten, and one of a trusted account.
    ("aws_iam_role", 11),
    ("aws_iam_user", 9),
    ("aws_identity_provider", 1),
    // The root is one.
    ("aws_organizational_unit", 3),
    // Fifteen that policies speak of, six that take on roles.
    ("aws_service", 21),
];
/// And relationships by the types of their ends and the verb.
const AWS_TRIPLETS: [(&str, &str, &str, u64); 18] = [
    ("aws_account", "HAS", "aws_iam_group", 5),
    ("aws_account", "HAS", "aws_iam_policy", 6),
    ("aws_account", "HAS", "aws_iam_role", 10),
    ("aws_account", "HAS", "aws_iam_user", 9),
    ("aws_iam_group", "ASSIGNED", "aws_iam_policy", 7),
    ("aws_iam_group", "HAS", "aws_iam_user", 7),
    ("aws_iam_policy", "ALLOWS", "aws_service", 24),
    ("aws_iam_policy", "DENIES", "aws_service", 6),
    ("aws_iam_policy", "LIMITS", "aws_iam_role", 1),
    ("aws_iam_policy", "LIMITS", "aws_iam_user", 2),
    ("aws_iam_role", "ASSIGNED", "aws_iam_policy", 11),
    ("aws_iam_role", "TRUSTS", "aws_account", 4),
    ("aws_iam_role", "TRUSTS", "aws_iam_role", 2),
    ("aws_iam_role", "TRUSTS", "aws_identity_provider", 1),
    ("aws_iam_role", "TRUSTS", "aws_service", 6),
    ("aws_iam_user", "ASSIGNED", "aws_iam_policy", 3),
    ("aws_organizational_unit", "HAS", "aws_account", 3),
    (
        "aws_organizational_unit",
        "HAS",
        "aws_organizational_unit",
        2,
    ),
];

/// The files of the AWS sample.
pub fn aws_files() -> Vec<String> {
    let folder = repository().join("samples/aws");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inner = std::fs::read_dir(path).unwrap();
            files.extend(inner.map(|entry| text_of(&entry.unwrap().path())));
        }
    }
    files.sort();
    files
}

fn types(server: &Server) -> BTreeMap<String, u64> {
    let answer = data(
        &server.client(),
        NATIVE,
        "{ types { name count } }",
        &json!({}),
    );
    let items = answer["types"].as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item["name"].as_str().unwrap().to_owned(),
                item["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn triplets(server: &Server) -> BTreeMap<String, u64> {
    let text = "{ triplets { from verb to count } }";
    let answer = data(&server.client(), NATIVE, text, &json!({}));
    let items = answer["triplets"].as_array().unwrap().iter();
    let name = |item: &Value| {
        ["from", "verb", "to"]
            .map(|part| item[part].as_str().unwrap())
            .join(" ")
    };
    items
        .map(|item| (name(item), item["count"].as_u64().unwrap()))
        .collect()
}

/// What is there now and was not before.
fn added(before: &BTreeMap<String, u64>, after: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let fresh = |(name, count): (String, u64)| {
        let count = count - before.get(&name).copied().unwrap_or(0);
        (count > 0).then_some((name, count))
    };
    after.into_iter().filter_map(fresh).collect()
}

#[test]
fn the_company_comes_in_once() {
    let server = common::start();
    let files = [
        sample("company/entities.ndjson"),
        sample("company/relationships.ndjson"),
    ];
    let words = [
        "import", "graph", &files[0], &files[1], "--scope", "meridian",
    ];
    let said = done_at(&server, &words);
    let expected = "scope meridian: 699 entities created, 1414 relationships created\n";
    assert_eq!(said, expected);
    assert_eq!(
        done_at(&server, &words),
        "scope meridian: nothing changed\n"
    );
    let client = jupiterone(&server);
    let mine = "FIND * WITH _scope = 'meridian' AS x RETURN count(x)";
    assert_eq!(count(&client, mine), 699);
    // A second import that lacks the relationships and one entity takes them away.
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let fewer = server.data().with_file_name("fewer.ndjson");
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&fewer, rest).unwrap();
    let said = done_at(
        &server,
        &["import", "graph", &text_of(&fewer), "--scope", "meridian"],
    );
    let expected = "scope meridian: 1 entities deleted, 1414 relationships deleted\n";
    assert_eq!(said, expected);
    let patched = done_at(
        &server,
        &[
            "import", "graph", &files[0], "--scope", "meridian", "--patch",
        ],
    );
    assert_eq!(patched, "scope meridian: 1 entities created\n");
    assert_eq!(count(&client, mine), 699);
}

#[test]
fn what_aws_prints_becomes_a_graph() {
    let server = common::start();
    let (types_before, triplets_before) = (types(&server), triplets(&server));
    let files = aws_files();
    let mut words = vec!["import", "aws"];
    words.extend(files.iter().map(String::as_str));
    words.extend(["--scope", "brackwater"]);
    done_at(&server, &words);
    let expected: BTreeMap<String, u64> = AWS_TYPES
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    assert_eq!(added(&types_before, types(&server)), expected);
    let name = |from: &str, verb: &str, to: &str| format!("{from} {verb} {to}");
    let expected: BTreeMap<String, u64> = AWS_TRIPLETS
        .iter()
        .map(|(from, verb, to, count)| (name(from, verb, to), *count))
        .collect();
    assert_eq!(added(&triplets_before, triplets(&server)), expected);
    assert_eq!(
        done_at(&server, &words),
        "scope brackwater: nothing changed\n"
    );
    let client = jupiterone(&server);
    let outsiders = "FIND aws_iam_role WITH displayName = 'forgotten-partner' AS r THAT TRUSTS >> \
        aws_account AS a RETURN count(a)";
    assert!(count(&client, outsiders) >= 1);
}

#[test]
fn every_type_of_stix_comes_in_once() {
    let server = common::start();
    let file = sample("stix/every-type.json");
    let said = done_at(&server, &["import", "stix", &file]);
    let bundle: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let objects = bundle["objects"].as_array().unwrap().len();
    let created = format!("{file}: {objects} created, 0 updated, 0 unchanged; ");
    assert!(said.starts_with(&created), "{said} of {objects}");
    let again = done_at(&server, &["import", "stix", &file]);
    let unchanged = format!("{file}: 0 created, 0 updated, {objects} unchanged; 0 shared");
    assert!(again.starts_with(&unchanged), "{again}");
}

#[test]
fn a_folder_takes_the_same_imports_without_a_server() {
    let mut server = common::start();
    let files = aws_files();
    let company = [
        sample("company/entities.ndjson"),
        sample("company/relationships.ndjson"),
    ];
    let stix = sample("stix/every-type.json");
    let mut aws = vec!["import", "aws"];
    aws.extend(files.iter().map(String::as_str));
    let imports = [
        aws,
        vec!["import", "graph", &company[0], &company[1], "--scope", "c"],
        vec!["import", "stix", &stix],
    ];
    for words in &imports {
        done_at(&server, words);
    }
    let (types_online, triplets_online) = (types(&server), triplets(&server));
    let mut offline = common::start();
    offline.stop().unwrap();
    let folder = text_of(&offline.data());
    for words in &imports {
        done(&[&words[..], &["--data", &folder]].concat());
    }
    offline.restart().unwrap();
    assert_eq!(types(&offline), types_online);
    assert_eq!(triplets(&offline), triplets_online);
    server.stop().unwrap();
}

#[test]
fn an_open_job_outlives_the_server() {
    let mut server = common::start();
    let entity = |key: &str| json!({"_key": key, "_type": "late_item", "_class": "Record"});
    let job = start_job(&server.client(), "late", "DIFF");
    common::job_call(
        &server.client(),
        &job,
        "entities",
        &json!({"entities": [entity("a")]}),
    );
    server.restart().unwrap();
    common::job_call(
        &server.client(),
        &job,
        "entities",
        &json!({"entities": [entity("b")]}),
    );
    server.kill9().unwrap();
    server.restart().unwrap();
    let read = ok(server.client().get(&format!("{JOBS}/{job}")).unwrap());
    assert_eq!(read["job"]["status"], "AWAITING_UPLOADS");
    assert_eq!(read["job"]["numEntitiesUploaded"], 2, "{read}");
    let client = jupiterone(&server);
    assert_eq!(count(&client, "FIND late_item AS x RETURN count(x)"), 0);
    let ended = common::job_call(&client, &job, "finalize", &json!({}));
    assert_eq!(ended["job"]["status"], "FINISHED", "{ended}");
    assert_eq!(count(&client, "FIND late_item AS x RETURN count(x)"), 2);
    server.restart().unwrap();
    let again = common::job_call(&server.client(), &job, "finalize", &json!({}));
    assert_eq!(
        again["job"], ended["job"],
        "finalizing again answers the same"
    );
}

#[test]
fn an_upload_url_needs_no_credential_and_works_once() {
    let server = common::start();
    let client = server.client();
    let job = start_job(&client, "by-url", "DIFF");
    let given = common::job_call(&client, &job, "uploadUrl", &json!({}));
    let url = given["uploadUrl"].as_str().unwrap();
    let path = url.strip_prefix(server.url()).unwrap();
    let entity = json!({"_key": "a", "_type": "url_item", "_class": "Record"});
    let body = json!({"entities": [entity]}).to_string();
    let put = || {
        server
            .anonymous()
            .send("PUT", path, Some(body.as_bytes()))
            .unwrap()
    };
    assert_eq!(ok(put())["job"]["numEntitiesUploaded"], 1);
    assert_eq!(put().status, 404);
    common::job_call(&client, &job, "finalize", &json!({}));
    assert_eq!(
        count(&jupiterone(&server), "FIND url_item AS x RETURN count(x)"),
        1
    );
}
