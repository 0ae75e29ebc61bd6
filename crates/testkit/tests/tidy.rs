// SPDX-License-Identifier: Apache-2.0
//! House rules that no compiler checks: sizes, headers, leftovers, foreign paths, dead links.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

#[path = "tidy/files.rs"]
mod support;

use support::{File, files, functions, links, slug};

/// A file holds one concept.
const FILE_LINES_MAX: usize = 500;
/// A function fits a screen.
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Tables and generated code, which may be as long as they are.
const LONG_FILES: [&str; 2] = [
    "contracts/proto/v1/authorization_policies.proto",
    "contracts/proto/v1/resource.proto",
];

/// Kinds of files that carry a licence header, with their comment sign.
const HEADERS: [(&str, &str); 6] = [
    ("rs", "//"),
    ("ts", "//"),
    ("tsx", "//"),
    ("proto", "//"),
    ("py", "#"),
    ("sh", "#"),
];

/// Hosts of package registries: the tools know them, files need not.
const REGISTRY_HOSTS: [&str; 6] = [
    "index.crates.io",
    "static.crates.io",
    "pypi.org",
    "pythonhosted.org",
    "registry.npmjs.org",
    "deb.debian.org",
];

/// Files that must name a registry.
const MAY_NAME_REGISTRIES: [&str; 4] = [
    "Cargo.lock",
    "deny.toml",
    "package-lock.json",
    "crates/testkit/tests/tidy.rs",
];

/// Crates that know rights; all others ask whether a caller may take an action.
const MAY_NAME_RIGHTS: [&str; 2] = ["policy", "identity"];

/// Crates whose `Right` is another one: the right side of a comparison.
const HAVE_ANOTHER_RIGHT: [&str; 1] = ["query"];

/// Ways to ask for a right instead of an action.
const RIGHTS: [&str; 3] = ["Right", "require_any", "authorize_any"];

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// The places where `is_wrong` holds for a line of a file.
fn lines_where(files: &[File], is_wrong: impl Fn(&File, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if is_wrong(file, line) {
                found.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    found
}

#[test]
fn code_files_are_short() {
    let mut found = Vec::new();
    for file in files()
        .iter()
        .filter(|file| HEADERS.iter().any(|(end, _)| file.is(end)))
    {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX && !LONG_FILES.contains(&file.path.as_str()) {
            found.push(format!("{} ({lines})", file.path));
        }
    }
    assert_none("files over 500 lines", &found);
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    for file in files()
        .iter()
        .filter(|file| file.is("rs") && !file.is_test())
    {
        for (name, line, length) in functions(&file.text) {
            if length > FUNCTION_LINES_MAX {
                found.push(format!("{}:{line} {name} ({length})", file.path));
            }
        }
    }
    assert_none("functions over 70 lines", &found);
}

#[test]
fn rust_lines_are_short() {
    let is_long = |file: &File, line: &str| {
        file.is("rs") && line.chars().count() > COLUMNS_MAX && !is_mostly_text(line)
    };
    assert_none("lines over 100 columns", &lines_where(&files(), is_long));
}

/// Whether one text literal takes most of a line: queries and JSON in tests are easier to read
/// whole.
fn is_mostly_text(line: &str) -> bool {
    let (Some(first), Some(last)) = (line.find('"'), line.rfind('"')) else {
        return false;
    };
    last.saturating_sub(first) > COLUMNS_MAX / 2
}

#[test]
fn code_files_carry_the_licence_header() {
    let mut found = Vec::new();
    for file in files() {
        let by_name = HEADERS
            .iter()
            .find(|(end, _)| file.is(end))
            .map(|(_, sign)| *sign);
        let sign = by_name.or(file.text.starts_with("#!").then_some("#"));
        let Some(sign) = sign else { continue };
        let header = format!("{sign} SPDX-License-Identifier: Apache-2.0");
        // A script may have its interpreter in front.
        if !file.text.lines().take(2).any(|line| line == header) {
            found.push(file.path);
        }
    }
    assert_none(
        "files without `SPDX-License-Identifier: Apache-2.0` at the top",
        &found,
    );
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    // Put together here, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let is_left = |file: &File, line: &str| {
        let words = line.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
        !file.is("lock") && words.into_iter().any(|word| marks.contains(&word))
    };
    assert_none("marks of unfinished work", &lines_where(&files(), is_left));
}

#[test]
fn no_module_is_commented_out() {
    let is_out = |file: &File, line: &str| {
        let rest = line.trim_start().strip_prefix("//");
        let rest = rest.map(|rest| rest.trim_start().trim_start_matches("pub "));
        let name = rest.and_then(|rest| rest.strip_prefix("mod ")?.strip_suffix(';'));
        file.is("rs") && name.is_some_and(|name| !name.contains(' '))
    };
    assert_none(
        "modules that are commented out",
        &lines_where(&files(), is_out),
    );
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let folders = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let names_one = |file: &File, line: &str| {
        folders.iter().any(|folder| {
            line.match_indices(folder).any(|(at, _)| {
                // Inside a longer path or an address it is something else.
                let before = line[..at].chars().next_back();
                !file.path.starts_with("samples/")
                    && !before.is_some_and(|sign| sign.is_alphanumeric() || "._-}*".contains(sign))
            })
        })
    };
    assert_none("paths of one machine", &lines_where(&files(), names_one));
}

#[test]
fn no_file_names_a_registry() {
    let names_one = |file: &File, line: &str| {
        let may = MAY_NAME_REGISTRIES
            .iter()
            .any(|name| file.path.ends_with(name));
        !may && REGISTRY_HOSTS.iter().any(|host| line.contains(host))
    };
    assert_none(
        "hosts of package registries",
        &lines_where(&files(), names_one),
    );
}

#[test]
fn rights_are_named_where_actions_are_decided() {
    let may = [&MAY_NAME_RIGHTS[..], &HAVE_ANOTHER_RIGHT].concat();
    let mut found = Vec::new();
    for file in files()
        .iter()
        .filter(|file| file.is("rs") && !file.is_test())
    {
        let folder = file.path.strip_prefix("crates/");
        let folder = folder.and_then(|path| path.split('/').next());
        if folder.is_none_or(|folder| may.contains(&folder)) {
            continue;
        }
        let product = file.text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in product.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let mut words = code.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
            if words.any(|word| RIGHTS.contains(&word)) {
                found.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    assert_none(
        "rights outside of `policy` and `identity` (ask `Caller::require_action` for an `Action`, \
         which a contract names; words of a vendor are a `Vocabulary`)",
        &found,
    );
}

#[test]
fn links_in_documents_resolve() {
    let all = files();
    let root = durward_testkit::repository();
    let mut found = Vec::new();
    for file in all.iter().filter(|file| file.is("md")) {
        for link in links(&file.text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = root.join(&file.path).parent().unwrap().to_path_buf();
            let target = if path.is_empty() {
                root.join(&file.path)
            } else {
                folder.join(path)
            };
            let good = if anchor.is_empty() {
                target.exists()
            } else {
                let text = std::fs::read_to_string(&target).unwrap_or_default();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                headings.any(|line| slug(line.trim_start_matches('#')) == anchor)
            };
            if !good {
                found.push(format!("{}: {link}", file.path));
            }
        }
    }
    assert_none("links that lead nowhere", &found);
}
