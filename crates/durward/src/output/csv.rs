// SPDX-License-Identifier: Apache-2.0
//! Comma-separated values (RFC 4180).

use std::io::Write;

use super::Rows;

pub(super) fn print(rows: &Rows, output: &mut dyn Write) -> std::io::Result<()> {
    line(output, &rows.columns)?;
    for row in &rows.cells {
        line(output, row)?;
    }
    Ok(())
}

fn line(output: &mut dyn Write, cells: &[String]) -> std::io::Result<()> {
    let fields: Vec<String> = cells.iter().map(|cell| field(cell)).collect();
    write!(output, "{}\r\n", fields.join(","))
}

fn field(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
