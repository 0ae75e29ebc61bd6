// SPDX-License-Identifier: Apache-2.0
//! The tables of expected answers, and the comparison with what was answered.

use std::collections::BTreeMap;

/// Rows by their key, which is all but the last columns.
pub type Rows = BTreeMap<Vec<String>, Vec<String>>;

/// Reads a table of tab-separated columns, of which the first `keys` name the row.
pub fn read(text: &str, keys: usize) -> Rows {
    let mut rows = Rows::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let answers = columns.split_off(keys);
        assert!(
            rows.insert(columns, answers).is_none(),
            "twice in the table: {line}"
        );
    }
    rows
}

/// Fails when something answered that has no row, or answered otherwise than its row says, or when
/// a row is about something that is no more.
pub fn compare(table: &str, expected: &Rows, got: &Rows) {
    let line = |key: &Vec<String>, answers: &Vec<String>| {
        format!("{}\t{}", key.join("\t"), answers.join("\t"))
    };
    let mut problems = Vec::new();
    for (key, answers) in got {
        match expected.get(key) {
            None => problems.push(format!("no row for\n{}", line(key, answers))),
            Some(row) if row != answers => {
                problems.push(format!(
                    "row\n{}\nbut\n{}",
                    line(key, row),
                    line(key, answers)
                ));
            }
            Some(_) => {}
        }
    }
    let gone = expected.iter().filter(|(key, _)| !got.contains_key(*key));
    problems.extend(gone.map(|(key, row)| format!("nothing there for\n{}", line(key, row))));
    assert!(
        problems.is_empty(),
        "{table} and the server differ:\n{}",
        problems.join("\n")
    );
}
