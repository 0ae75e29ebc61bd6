// SPDX-License-Identifier: Apache-2.0
//! The root fields of a served schema, and a valid document for each of them.

use std::collections::BTreeMap;

use durward_testkit::Client;
use serde_json::{Map, Value, json};

use crate::common::data;

const INTROSPECTION: &str = "{ __schema {
  queryType { name } mutationType { name }
  types {
    kind name enumValues { name }
    fields(includeDeprecated: true) { name args { ...Input } type { ...Type } }
    inputFields { ...Input }
  }
} }
fragment Input on __InputValue { name type { ...Type } }
fragment Type on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}";
/// Fields of an object that are followed, so that answers show the objects behind pages.
const FOLLOWED: [&str; 13] = [
    "edges",
    "node",
    "nodes",
    "items",
    "vertices",
    "entity",
    "vertex",
    "edge",
    "relationship",
    "credential",
    "account",
    "from",
    "to",
];
/// How deep they are followed.
const DEPTH: usize = 3;
/// How deep the required members of an input are filled.
const INPUT_DEPTH: usize = 8;
/// Lists of inputs further inside are left empty: filter groups hold filter groups.
const LIST_DEPTH: usize = 3;

/// A schema as the server describes it.
pub struct Schema {
    types: BTreeMap<String, Value>,
    query: String,
    mutation: String,
}

/// A root field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// `query` or `mutation`.
    pub kind: &'static str,
    /// Its name.
    pub field: String,
}

/// The id to give for an argument of a root field.
pub type IdOf<'a> = &'a dyn Fn(&str, &str) -> String;

impl Schema {
    /// Asks a server for the schema at a path.
    pub fn read(client: &Client, path: &str) -> Self {
        let schema = data(client, path, INTROSPECTION, &json!({}))["__schema"].take();
        let name = |of: &str| schema[of]["name"].as_str().unwrap_or_default().to_owned();
        let types = schema["types"].as_array().unwrap().iter();
        Self {
            query: name("queryType"),
            mutation: name("mutationType"),
            types: types
                .map(|each| (each["name"].as_str().unwrap().to_owned(), each.clone()))
                .collect(),
        }
    }

    /// All root fields.
    pub fn roots(&self) -> Vec<Root> {
        let of = |kind: &'static str, name: &str| {
            let fields = self.types[name]["fields"].as_array().unwrap().iter();
            fields
                .map(move |field| Root {
                    kind,
                    field: field["name"].as_str().unwrap().to_owned(),
                })
                .collect::<Vec<_>>()
        };
        let mut roots = of("query", &self.query);
        roots.extend(of("mutation", &self.mutation));
        roots.sort();
        roots
    }

    /// A document that asks one root field for everything near it, with its variables.
    pub fn document(&self, root: &Root, id_of: IdOf<'_>) -> (String, Value) {
        let owner = if root.kind == "query" {
            &self.query
        } else {
            &self.mutation
        };
        let fields = self.types[owner]["fields"].as_array().unwrap();
        let field = fields
            .iter()
            .find(|field| field["name"] == root.field.as_str())
            .unwrap();
        let (mut declared, mut given, mut variables) = (vec![], vec![], Map::new());
        for argument in field["args"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            let kind = &argument["type"];
            if kind["kind"] != "NON_NULL" && name != "id" {
                continue;
            }
            declared.push(format!("${name}: {}", written(kind)));
            given.push(format!("{name}: ${name}"));
            let value = self.value(kind, name, &|argument| id_of(&root.field, argument), 0);
            variables.insert(name.to_owned(), value);
        }
        let list = |items: Vec<String>| {
            if items.is_empty() {
                String::new()
            } else {
                format!("({})", items.join(", "))
            }
        };
        let selection = self.selection(named(&field["type"]), DEPTH);
        let (declared, given) = (list(declared), list(given));
        let text = format!(
            "{} W{declared} {{ {}{given} {selection} }}",
            root.kind, root.field
        );
        (text, Value::Object(variables))
    }

    fn selection(&self, name: &str, depth: usize) -> String {
        let found = &self.types[name];
        let kind = found["kind"].as_str().unwrap();
        if matches!(kind, "SCALAR" | "ENUM") {
            return String::new();
        }
        let mut parts = vec!["__typename".to_owned()];
        for field in found["fields"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap();
            let arguments = field["args"].as_array().unwrap();
            if arguments
                .iter()
                .any(|argument| argument["type"]["kind"] == "NON_NULL")
            {
                continue;
            }
            let of = named(&field["type"]);
            let is_leaf = matches!(self.types[of]["kind"].as_str(), Some("SCALAR" | "ENUM"));
            if is_leaf {
                parts.push(name.to_owned());
            } else if depth > 0 && FOLLOWED.contains(&name) {
                parts.push(format!("{name} {}", self.selection(of, depth - 1)));
            }
        }
        format!("{{ {} }}", parts.join(" "))
    }

    fn value(&self, of: &Value, name: &str, id_of: &dyn Fn(&str) -> String, depth: usize) -> Value {
        assert!(depth < INPUT_DEPTH, "an input that never ends: {name}");
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&of["ofType"], name, id_of, depth),
            "LIST" if depth > LIST_DEPTH => json!([]),
            "LIST" => json!([self.value(&of["ofType"], name, id_of, depth + 1)]),
            "ENUM" => self.types[named(of)]["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => {
                let members = self.types[named(of)]["inputFields"]
                    .as_array()
                    .unwrap()
                    .iter();
                let required = members.filter(|member| member["type"]["kind"] == "NON_NULL");
                let member = |member: &Value| {
                    let name = member["name"].as_str().unwrap();
                    (
                        name.to_owned(),
                        self.value(&member["type"], name, id_of, depth + 1),
                    )
                };
                Value::Object(required.map(member).collect())
            }
            _ => scalar(named(of), name, id_of),
        }
    }
}

fn scalar(of: &str, name: &str, id_of: &dyn Fn(&str) -> String) -> Value {
    match (of, name) {
        ("Long", "expiresIn") => json!(7200),
        ("Int" | "Long" | "Float", _) => json!(1),
        ("Boolean", _) => json!(false),
        ("DateTime", _) => json!("2026-01-01T00:00:00.000Z"),
        ("JSON", _) => json!({}),
        (_, "query" | "j1ql") => json!("FIND * AS x RETURN x"),
        (_, "email") => json!("somebody@elsewhere.example"),
        (_, "role") => json!("administrator"),
        ("ID" | "String" | "StixRef" | "StixId", _) => json!(id_of(name)),
        (_, _) => json!("value"),
    }
}

/// The name of a type without its wrappers.
fn named(of: &Value) -> &str {
    match of["name"].as_str() {
        Some(name) => name,
        None => named(&of["ofType"]),
    }
}

/// A type as documents write it.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => of["name"].as_str().unwrap().to_owned(),
    }
}
