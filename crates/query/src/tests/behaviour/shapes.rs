// SPDX-License-Identifier: Apache-2.0
//! Shapes of results, deleted entities, secrets.

use serde_json::{Value as Json, json};

use super::super::examples::options;
use super::super::graph::Company;
use super::{names_with, rows_with};
use crate::fixture::{Edit, Fixture, committed_at};
use crate::run;

#[test]
fn entities_and_relationships_have_jupiterones_shape() {
    let company = Company::new();
    let rows = rows_with(&company, "FIND Host", &options());
    let created = committed_at(1).as_millis();
    assert_eq!(
        rows,
        json!([{
            "id": company.id("h1"),
            "entity": {
                "_id": company.id("h1"), "_key": "key:h1", "_type": ["aws_instance"],
                "_class": ["Host"], "_source": "api", "_scope": "test", "_accountId": "acme",
                "_version": 1, "_createdOn": created, "_beginOn": created, "_deleted": false,
                "displayName": "web-1",
            },
            "properties": {"ipAddress": ["10.0.0.5", "54.1.2.3"], "platform": "linux"},
        }])
    );
    let tree = rows_with(
        &company,
        "FIND AccessPolicy THAT ALLOWS Database RETURN TREE",
        &options(),
    );
    let edge = &tree["edges"][0];
    assert_eq!(edge["fromVertexId"], json!(company.id("ap1")));
    assert_eq!(edge["toVertexId"], json!(company.id("d3")));
    assert_eq!(edge["relationship"]["_class"], "ALLOWS");
    assert_eq!(
        edge["relationship"]["_type"],
        "aws_iam_policy_allows_aws_rds_cluster"
    );
    assert_eq!(
        edge["properties"],
        json!({"admin": false, "permission": "rds:Describe"})
    );
}

#[test]
fn rows_refer_to_their_objects_when_asked() {
    let company = Company::new();
    let mut options = options();
    options.row_metadata = true;
    let query = "FIND Host AS h THAT HAS AS e Finding AS f WITH severity = 'low' RETURN h.platform";
    let rows = rows_with(&company, query, &options);
    let reference =
        |name: &str| json!({"id": company.id(name), "entity": {"_id": company.id(name)}});
    assert_eq!(
        rows,
        json!([{
            "h.platform": "linux",
            "_meta": {"byAlias": {
                "h": reference("h1"), "e": reference("e18"), "f": reference("f2"),
            }},
        }])
    );
    let unique = rows_with(&company, &query.replace("FIND", "FIND UNIQUE"), &options);
    assert_eq!(unique, json!([{"h.platform": "linux"}]));
}

#[test]
fn all_properties_become_columns() {
    let company = Company::new();
    let rows = rows_with(&company, "FIND Account AS a RETURN a.*", &options());
    let row = rows[0].as_object().unwrap();
    assert_eq!(row["a.displayName"], "prod");
    assert_eq!(row["a._type"], json!(["aws_account"]));
    assert_eq!(row["a._key"], "key:ac1");
}

#[test]
fn deleted_entities_come_back_only_when_asked() {
    let mut company = Company::new();
    let user = company
        .fixture
        .plain
        .entities
        .iter()
        .find(|one| one.key == "key:u3")
        .unwrap();
    let delete = Edit::Delete {
        number: user.number,
    };
    company.fixture.commit(&[delete]);
    assert_eq!(names_with(&company, "FIND User", &options()), ["u1", "u2"]);
    let mut with_deleted = options();
    with_deleted.include_deleted = true;
    for query in [
        "FIND User",
        "FIND User WITH _key = 'key:u3' OR active = true",
    ] {
        assert_eq!(
            names_with(&company, query, &with_deleted),
            ["u1", "u2", "u3"],
            "{query}"
        );
    }
    let rows = rows_with(&company, "FIND User WITH _deleted = true", &with_deleted);
    assert_eq!(rows[0]["entity"]["_deleted"], true);
    assert_eq!(
        rows[0]["entity"]["_endOn"],
        json!(committed_at(3).as_millis())
    );
    // What was there before is there at its instant.
    let past = company.fixture.snapshot.view(Some(committed_at(2)));
    let page = run(&past, "FIND User THAT ASSIGNED AccessRole", &options()).unwrap();
    assert_eq!(page.rows, 2);
}

#[test]
fn secrets_are_as_if_they_were_absent() {
    let mut fixture = Fixture::new();
    let properties = vec![
        ("displayName".to_owned(), "a key".into()),
        ("secretHash".to_owned(), "hush".into()),
    ];
    fixture.commit(&[Edit::Create {
        key: "credential:1".to_owned(),
        entity_type: "credential".to_owned(),
        classes: vec!["AccessKey".to_owned()],
        properties,
    }]);
    let view = fixture.snapshot.view(None);
    let ask = |query: &str| run(&view, query, &options()).unwrap();
    assert_eq!(ask("FIND credential").rows, 1);
    for query in [
        "FIND credential",
        "FIND credential AS c RETURN c.*",
        "FIND credential AS c RETURN c.secretHash",
        "FIND credential AS c RETURN TREE",
        "FIND credential AS c RETURN max(c.secretHash)",
        "FIND credential AS c RETURN c.displayName ORDER BY c.secretHash",
        "FIND credential AS c RETURN concat(c.secretHash, 'x') AS x",
    ] {
        let text = String::from_utf8(ask(query).data).unwrap();
        assert!(!text.contains("hush"), "{query} gives {text}");
    }
    for query in [
        "FIND credential WITH secretHash = 'hush'",
        "FIND credential WITH secretHash ~= 'h'",
        "FIND credential WITH secretHash != undefined",
        "FIND 'hush'",
        "FIND credential AS c WHERE c.secretHash = 'hush'",
    ] {
        assert_eq!(ask(query).rows, 0, "{query}");
    }
    let counted: Json =
        serde_json::from_slice(&ask("FIND credential AS c RETURN count(c.secretHash) AS n").data)
            .unwrap();
    assert_eq!(counted, json!([{"n": 0}]));
}
