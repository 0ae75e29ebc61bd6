// SPDX-License-Identifier: Apache-2.0
//! Columns for a person.

use std::io::Write;

use super::Rows;

/// Widest column in characters; longer cells are cut with an ellipsis.
const WIDTH_MAX: usize = 60;

pub(super) fn print(rows: &Rows, output: &mut dyn Write) -> std::io::Result<()> {
    let shown: Vec<Vec<String>> = rows
        .cells
        .iter()
        .map(|row| row.iter().map(|cell| one_line(cell)).collect())
        .collect();
    let width = |column: usize| {
        let cells = shown
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| length(cell));
        let header = rows.columns.get(column).map_or(0, |name| length(name));
        cells.chain([header]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.columns.len()).map(width).collect();
    if !rows.columns.is_empty() {
        line(output, &rows.columns, &widths)?;
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(output, &rules, &widths)?;
    }
    for row in &shown {
        line(output, row, &widths)?;
    }
    let count = shown.len();
    let noun = if count == 1 { "row" } else { "rows" };
    writeln!(output, "\n{count} {noun}")
}

fn line(output: &mut dyn Write, cells: &[String], widths: &[usize]) -> std::io::Result<()> {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        let pad = width.saturating_sub(length(cell)).saturating_add(2);
        text.extend(std::iter::repeat_n(' ', pad));
    }
    writeln!(output, "{}", text.trim_end())
}

fn one_line(cell: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let clean: String = cell.chars().map(visible).collect();
    if length(&clean) <= WIDTH_MAX {
        return clean;
    }
    let mut cut: String = clean.chars().take(WIDTH_MAX.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

fn length(text: &str) -> usize {
    text.chars().count()
}
