// SPDX-License-Identifier: Apache-2.0
//! One function for each row of the table.

pub(crate) mod access;
pub(crate) mod graph;
mod load;
mod past;
mod point;
pub(crate) mod queries;
pub(crate) mod small;
mod table;
mod writing;

use serde_json::{Value, json};

/// Where queries are asked.
const GRAPHQL: &str = "/jupiterone/graphql";
const NATIVE: &str = "/durward/graphql";
/// The scope of the graph.
const SCOPE: &str = "bench";

const QUERY: &str = "query($query:String!,$at:DateTime,$cursor:String){queryV1(query:$query,\
    at:$at,cursor:$cursor,flags:{variableResultSize:true}){type data cursor}}";

/// The body of a J1QL query whose answer comes whole, up to 1 MiB.
fn j1ql(text: &str, at: Option<&str>) -> Value {
    let mut variables = json!({"query": text});
    if let (Some(at), Some(members)) = (at, variables.as_object_mut()) {
        members.insert("at".to_owned(), at.into());
    }
    json!({"query": QUERY, "variables": variables})
}

/// A command for the load client.
fn ask(body: &Value, warmup: u32, repetitions: u32) -> Value {
    json!({
        "do": "ask", "path": GRAPHQL, "body": body, "warmup": warmup,
        "repetitions": repetitions, "seconds_max": 4.0,
    })
}
