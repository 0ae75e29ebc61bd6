// SPDX-License-Identifier: Apache-2.0
//! The types of imported cloud data, read from `contracts/catalog/aws.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::CatalogError;
use crate::dialects::SonraiName;
use crate::place::Text;

const FILE: Text = Text {
    file: "aws.toml",
    text: include_str!("../../../contracts/catalog/aws.toml"),
};

/// A type that importers name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloudType(&'static str);

macro_rules! known {
    ($($(#[$doc:meta])+ $constant:ident $name:literal;)+) => {
        impl CloudType {
            $($(#[$doc])+ pub const $constant: Self = Self($name);)+
        }

        /// Names of these.
        const KNOWN: &[&str] = &[$($name,)+];
    };
}

known! {
    /// An account.
    ACCOUNT "aws_account";
    /// An organizational unit, or the root above them.
    UNIT "aws_organizational_unit";
    /// A user.
    USER "aws_iam_user";
    /// A group of users.
    GROUP "aws_iam_group";
    /// A role.
    ROLE "aws_iam_role";
    /// A policy.
    POLICY "aws_iam_policy";
    /// A service of the cloud.
    SERVICE "aws_service";
    /// A provider of identities.
    PROVIDER "aws_identity_provider";
    /// Another principal.
    PRINCIPAL "aws_principal";
    /// Everyone.
    EVERYONE "everyone";
}

/// What the catalog says about a type of cloud data.
#[derive(Clone, Debug, Default)]
pub struct CloudEntry {
    /// The type in the graph.
    pub name: String,
    /// Class of its entities.
    pub class: String,
    /// How Sonrai calls it; empty where it does not know it.
    pub sonrai: SonraiName,
}

/// Relationships of a verb between types of cloud data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bond {
    verb: String,
    from: Vec<Spanned<String>>,
    to: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    r#type: Vec<RawType>,
    relationship: Vec<Bond>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawType {
    name: Spanned<String>,
    class: String,
    #[serde(default)]
    sonrai: SonraiName,
}

#[derive(Debug, Default)]
struct Table {
    types: Vec<CloudEntry>,
    bonds: Vec<Bond>,
}

static BUILT_IN: LazyLock<Result<Table, CatalogError>> = LazyLock::new(|| parse(FILE));
static NONE: LazyLock<CloudEntry> = LazyLock::new(CloudEntry::default);

impl CloudType {
    /// The type in the graph.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// What the catalog says about it.
    pub fn entry(self) -> &'static CloudEntry {
        let known = types().iter().find(|known| known.name == self.0);
        known.unwrap_or(&NONE)
    }

    /// The kind of its objects in Sonrai's names.
    pub fn sonrai(self) -> &'static str {
        &self.entry().sonrai.kind
    }
}

/// Every type of imported cloud data.
pub fn types() -> &'static [CloudEntry] {
    BUILT_IN.as_ref().map_or(&[], |table| &table.types)
}

/// The verbs of relationships between them.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    let table = BUILT_IN.as_ref().ok();
    let bonds = table.into_iter().flat_map(|table| &table.bonds);
    bonds.map(|bond| bond.verb.as_str())
}

/// Whether there are relationships of a verb from one type to another.
pub fn binds(from: &str, verb: &str, to: &str) -> bool {
    let has =
        |types: &[Spanned<String>], name: &str| types.iter().any(|known| known.get_ref() == name);
    let fits = |bond: &Bond| bond.verb == verb && has(&bond.from, from) && has(&bond.to, to);
    BUILT_IN
        .as_ref()
        .is_ok_and(|table| table.bonds.iter().any(fits))
}

/// Whether the types of the catalog can be used.
///
/// # Errors
/// The first mistake in the file.
pub(crate) fn check() -> Result<(), CatalogError> {
    match &*BUILT_IN {
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}

fn parse(file: Text) -> Result<Table, CatalogError> {
    let read: File = file.read()?;
    let mut seen = BTreeSet::new();
    for raw in &read.r#type {
        let (at, name) = (raw.name.span().start, raw.name.get_ref());
        if !seen.insert(name.as_str()) {
            return Err(file.wrong(at, format!("the type {name} is declared twice")));
        }
    }
    if let Some(name) = KNOWN.iter().find(|name| !seen.contains(*name)) {
        return Err(file.wrong(0, format!("the program needs the type {name}")));
    }
    let ends = read
        .relationship
        .iter()
        .flat_map(|bond| bond.from.iter().chain(&bond.to));
    for end in ends {
        if !seen.contains(end.get_ref().as_str()) {
            let reason = format!("there is no type {}", end.get_ref());
            return Err(file.wrong(end.span().start, reason));
        }
    }
    let types = read.r#type.into_iter().map(|raw| CloudEntry {
        name: raw.name.into_inner(),
        class: raw.class,
        sonrai: raw.sonrai,
    });
    Ok(Table {
        types: types.collect(),
        bonds: read.relationship,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let refusal = |from: &str, to: &str| {
            assert!(FILE.text.contains(from), "{from}");
            let text: &'static str = FILE.text.replacen(from, to, 1).leak();
            parse(Text { text, ..FILE }).unwrap_err().to_string()
        };
        let twice = refusal("name = \"aws_iam_role\"", "name = \"aws_iam_policy\"");
        assert!(
            twice.contains("aws.toml:27") && twice.contains("declared twice"),
            "{twice}"
        );
        let needed = refusal("name = \"everyone\"", "name = \"anyone\"");
        assert!(needed.contains("needs the type everyone"), "{needed}");
        let end = refusal("to = [\"aws_iam_user\"]", "to = [\"aws_iam_usher\"]");
        assert!(end.contains("there is no type aws_iam_usher"), "{end}");
    }

    /// The cells of the rows of a table of a page whose first cell names code.
    fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
    }

    fn names(cell: &str) -> impl Iterator<Item = &str> {
        cell.split(", ").map(|name| name.trim_matches('`'))
    }

    #[test]
    fn the_page_on_concepts_lists_the_same() {
        let page = include_str!("../../../docs/concepts.md");
        let part = page.split("**AWS.**").nth(1).unwrap();
        let part = part.split("\n## ").next().unwrap();
        let (first, second) = part.split_once("| verb |").unwrap();
        let mut told = Vec::new();
        for row in rows(first) {
            told.extend(names(row[0]).zip(names(row[1])));
        }
        told.sort_unstable();
        let listed: Vec<(&str, &str)> = types()
            .iter()
            .map(|known| (known.name.as_str(), known.class.as_str()))
            .collect();
        assert_eq!(told, listed);
        let told: BTreeSet<&str> = rows(second).flat_map(|row| names(row[0])).collect();
        assert_eq!(told, verbs().collect());
    }
}
