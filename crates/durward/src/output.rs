// SPDX-License-Identifier: Apache-2.0
//! How query results are printed.

mod csv;
mod table;
mod tree;

use std::io::Write;

use serde_json::Value as Json;

use crate::arguments::OutputFormat;

/// What kind of result there is, as J1QL tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultKind {
    /// Entities.
    List,
    /// Rows.
    Table,
    /// Vertices and edges.
    Tree,
}

impl ResultKind {
    /// The kind that a server names.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "list" => Some(Self::List),
            "table" => Some(Self::Table),
            "tree" => Some(Self::Tree),
            _ => None,
        }
    }
}

/// Prints a result. `columns` are those that the query names, in its order; JSON objects, in which
/// rows arrive, have none.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn print(
    kind: ResultKind,
    data: &Json,
    format: OutputFormat,
    columns: &[String],
    output: &mut dyn Write,
) -> std::io::Result<()> {
    match format {
        OutputFormat::Json => writeln!(output, "{data:#}"),
        OutputFormat::Tree => tree::print(kind, data, output),
        OutputFormat::Table => table::print(&rows(kind, data, columns), output),
        OutputFormat::Csv => csv::print(&rows(kind, data, columns), output),
    }
}

/// A result as columns.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    columns: Vec<String>,
    cells: Vec<Vec<String>>,
}

/// Columns shown of an entity, where it is shown as a row.
const ENTITY_COLUMNS: [&str; 4] = ["_type", "_class", "displayName", "_key"];

fn rows(kind: ResultKind, data: &Json, columns: &[String]) -> Rows {
    match kind {
        ResultKind::Table => table_rows(data, columns),
        ResultKind::List => entity_rows(data.as_array().map_or(&[], Vec::as_slice)),
        ResultKind::Tree => {
            let vertices = data.get("vertices").and_then(Json::as_array);
            entity_rows(vertices.map_or(&[], Vec::as_slice))
        }
    }
}

fn table_rows(data: &Json, named: &[String]) -> Rows {
    let items = data.as_array().map_or(&[][..], Vec::as_slice);
    let mut columns: Vec<String> = named.to_vec();
    for name in items
        .iter()
        .filter_map(Json::as_object)
        .flat_map(|row| row.keys())
    {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let cell = |row: &Json, name: &String| row.get(name).map(text).unwrap_or_default();
    let cells = items
        .iter()
        .map(|row| columns.iter().map(|name| cell(row, name)).collect())
        .collect();
    Rows { columns, cells }
}

fn entity_rows(entities: &[Json]) -> Rows {
    let cell = |item: &Json, name: &str| {
        let entity = item.get("entity").unwrap_or(item);
        entity.get(name).map(text).unwrap_or_default()
    };
    let row = |item: &Json| ENTITY_COLUMNS.iter().map(|name| cell(item, name)).collect();
    Rows {
        columns: ENTITY_COLUMNS
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        cells: entities.iter().map(row).collect(),
    }
}

/// A value as one line of text.
fn text(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(kind: ResultKind, data: &Json, format: OutputFormat) -> String {
        let mut output = Vec::new();
        print(kind, data, format, &["u.name".to_owned()], &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn tables_line_up_and_csv_is_quoted() {
        let data = json!([{"u.name": "ann", "n": 1}, {"u.name": "b, \"c\"\nd", "n": null}]);
        let table = printed(ResultKind::Table, &data, OutputFormat::Table);
        assert_eq!(
            table,
            "u.name    n\n--------  -\nann       1\nb, \"c\" d\n\n2 rows\n"
        );
        let csv = printed(ResultKind::Table, &data, OutputFormat::Csv);
        assert_eq!(csv, "u.name,n\r\nann,1\r\n\"b, \"\"c\"\"\nd\",\r\n");
    }

    #[test]
    fn trees_hang_edges_below_their_start() {
        let vertex = |id: &str, name: &str| {
            let entity = json!({"_type": ["t"], "displayName": name});
            json!({"id": id, "entity": entity, "properties": {}})
        };
        let data = json!({"vertices": [vertex("1", "a"), vertex("2", "b")], "edges": [
            {"fromVertexId": "1", "toVertexId": "2", "relationship": {"_class": "HAS"}}]});
        let tree = printed(ResultKind::Tree, &data, OutputFormat::Tree);
        assert_eq!(tree, "a (t)\n  HAS b (t)\n");
    }
}
