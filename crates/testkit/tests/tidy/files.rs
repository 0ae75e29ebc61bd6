// SPDX-License-Identifier: Apache-2.0
//! Reading the repository's own files.

use std::path::Path;

/// Folders that hold no sources of this repository.
const LEFT_OUT: [&str; 8] = [
    ".git",
    ".venv",
    "target",
    "node_modules",
    "__pycache__",
    "benches/data",
    "fuzz/artifacts",
    "fuzz/corpus",
];

/// A text file.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Whether the name ends in this extension.
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// Whether the file is made of tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }
}

/// Every text file of the repository, in order of path.
pub(crate) fn files() -> Vec<File> {
    let root = durward_testkit::repository();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let shown = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            let name = entry.file_name();
            let left_out = LEFT_OUT.iter().any(|out| *out == shown || name == *out);
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !left_out {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push(File { path: shown, text });
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(found.len() > 20, "the repository was not found");
    found
}

/// Name, line and length of every function; the code is formatted, so a function ends at the
/// first `}` as far to the right as it began. Test modules at the end of a file are left out.
pub(crate) fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        // A declaration in a trait has no body.
        let mut ends = lines[number..]
            .iter()
            .filter_map(|line| line.chars().next_back());
        if ends.find(|sign| matches!(sign, '{' | ';')) != Some('{') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let Some(more) = lines[number..].iter().position(|line| **line == end) else {
            continue;
        };
        found.push((name.to_owned(), number + 1, more + 1));
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let before_name = words.find(|word| {
        !word.starts_with("pub") && !["const", "async", "unsafe", "extern", "in"].contains(word)
    })?;
    if before_name != "fn" || line.trim_end().ends_with('}') {
        return None;
    }
    words.next()?.split(['(', '<']).next()
}

/// The targets of `[text](target)`, outside code blocks.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second part between back-quotes is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        let mut rest = prose.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, behind)) = after.split_once(')') else {
                break;
            };
            found.push(target.to_owned());
            rest = behind;
        }
    }
    found
}

/// The anchor that a heading gets.
pub(crate) fn slug(heading: &str) -> String {
    let mut anchor = String::new();
    for sign in heading.trim().to_lowercase().chars() {
        match sign {
            ' ' => anchor.push('-'),
            '-' | '_' => anchor.push(sign),
            _ if sign.is_alphanumeric() => anchor.push(sign),
            _ => {}
        }
    }
    anchor
}

#[test]
fn functions_are_measured_and_links_found() {
    let code = "impl A {\n    pub(crate) const fn long(\n    ) {\n        a\n    }\n}\n\
                trait B {\n    fn no_body(\n    );\n}\nfn short() {\n}\n\
                #[cfg(test)]\nfn not_counted() {\n}\n";
    let expected = [("long".to_owned(), 2, 4), ("short".to_owned(), 11, 2)];
    assert_eq!(functions(code), expected);
    let text = "see [a](b.md#c) and `[x](y)` and [d](e)\n```\n[no](no)\n```\n";
    assert_eq!(links(text), ["b.md#c", "e"]);
    assert_eq!(slug(" The model: `a_b` & c"), "the-model-a_b--c");
}
