// SPDX-License-Identifier: Apache-2.0
//! Kinds of resources: a table from `contracts/access/resource-kinds.tsv`.

use std::sync::OnceLock;

const TABLE: &str = include_str!("../../../contracts/access/resource-kinds.tsv");

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceKind {
    /// Its name, such as `postgres`; the value of the property `kind`.
    pub name: &'static str,
    /// The class of its entities, such as `Database`.
    pub class: &'static str,
    /// The type of repository that it is, where Cyral has one.
    pub repository: Option<&'static str>,
}

/// All kinds, in the order of the table.
pub fn all() -> &'static [ResourceKind] {
    static KINDS: OnceLock<Vec<ResourceKind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
        rows.filter_map(|line| {
            let mut cells = line.split('\t');
            Some(ResourceKind {
                name: cells.next()?,
                class: cells.next()?,
                repository: cells.next().filter(|cell| !cell.is_empty()),
            })
        })
        .collect()
    })
}

/// The kind of this name. Case, `_` and `-` do not count: clients write `sshCert` and `amazon_eks`.
pub fn named(name: &str) -> Option<&'static ResourceKind> {
    let wanted = folded(name);
    all().iter().find(|kind| folded(kind.name) == wanted)
}

/// A name without case, `_` and `-`.
pub fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_in_every_spelling() {
        assert!(all().len() >= 119);
        assert_eq!(named("amazonEKS").unwrap().name, "amazon_eks");
        assert_eq!(named("sshCert").unwrap().class, "Host");
        assert_eq!(named("postgres").unwrap().repository, Some("postgresql"));
        assert_eq!(named("toaster"), None);
    }
}
