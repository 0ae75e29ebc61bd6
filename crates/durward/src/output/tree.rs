// SPDX-License-Identifier: Apache-2.0
//! Vertices and edges, indented below where they begin.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::Value as Json;

use super::{ResultKind, rows, table, text};

/// Deepest indentation that is printed.
const DEPTH_MAX: usize = 32;

struct Tree<'a> {
    names: BTreeMap<&'a str, String>,
    edges: BTreeMap<&'a str, Vec<(String, &'a str)>>,
}

/// Prints a tree. Other kinds of results are printed as a table.
pub(super) fn print(kind: ResultKind, data: &Json, output: &mut dyn Write) -> std::io::Result<()> {
    if kind != ResultKind::Tree {
        return table::print(&rows(kind, data, &[]), output);
    }
    let list = |name: &str| {
        data.get(name)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
    };
    let mut tree = Tree {
        names: BTreeMap::new(),
        edges: BTreeMap::new(),
    };
    for vertex in list("vertices") {
        let Some(id) = vertex.get("id").and_then(Json::as_str) else {
            continue;
        };
        let entity = vertex.get("entity").unwrap_or(vertex);
        let part = |name: &str| entity.get(name).map(text).unwrap_or_default();
        tree.names
            .insert(id, format!("{} ({})", part("displayName"), part("_type")));
    }
    let mut reached = BTreeSet::new();
    for edge in list("edges") {
        let end = |name: &str| edge.get(name).and_then(Json::as_str);
        let Some((from, to)) = end("fromVertexId").zip(end("toVertexId")) else {
            continue;
        };
        let verb = edge
            .pointer("/relationship/_class")
            .map(text)
            .unwrap_or_default();
        tree.edges.entry(from).or_default().push((verb, to));
        reached.insert(to);
    }
    let mut printed = BTreeSet::new();
    let starts = tree.names.keys().filter(|id| !reached.contains(*id));
    for start in starts.chain(tree.names.keys()) {
        if !printed.contains(start) {
            branch(&tree, start, "", 0, &mut printed, output)?;
        }
    }
    Ok(())
}

fn branch<'a>(
    tree: &Tree<'a>,
    id: &'a str,
    verb: &str,
    depth: usize,
    printed: &mut BTreeSet<&'a str>,
    output: &mut dyn Write,
) -> std::io::Result<()> {
    let name = tree.names.get(id).map_or("", String::as_str);
    let is_new = printed.insert(id);
    let edges = tree.edges.get(id).map_or(&[][..], Vec::as_slice);
    let mark = if is_new || edges.is_empty() {
        ""
    } else {
        " …"
    };
    let verb = if verb.is_empty() {
        String::new()
    } else {
        format!("{verb} ")
    };
    writeln!(output, "{}{verb}{name}{mark}", "  ".repeat(depth))?;
    if is_new && depth < DEPTH_MAX {
        for (verb, to) in edges {
            branch(tree, to, verb, depth.saturating_add(1), printed, output)?;
        }
    }
    Ok(())
}
