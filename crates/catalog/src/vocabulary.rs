// SPDX-License-Identifier: Apache-2.0
//! Names that are known although nothing has them yet.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::place::Text;
use crate::{Catalog, CatalogError, Kind, cloud, stix};

const VOCABULARY: Text = Text {
    file: "vocabulary.toml",
    text: include_str!("../../../contracts/catalog/vocabulary.toml"),
};

/// What the names of properties with dates end with.
const DATE_ENDINGS: [&str; 8] = ["On", "At", "Date", "Time", "_on", "_at", "_date", "_time"];

/// Names that queries may use although nothing has them yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Classes.
    pub classes: BTreeSet<String>,
    /// Verbs of relationships.
    pub verbs: BTreeSet<String>,
    /// Types of entities: those of the catalog.
    #[serde(skip)]
    pub types: BTreeSet<String>,
    /// Properties.
    pub properties: BTreeSet<String>,
    /// Properties that hold a date, although their names do not say so.
    pub dates: BTreeSet<String>,
}

impl Vocabulary {
    /// The names that are built into the binary, those of the catalog's types included.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Vocabulary> = LazyLock::new(|| {
            // Its test reads the files; a file that cannot be read leaves names without hints.
            let mut vocabulary = Vocabulary::read().unwrap_or_default();
            vocabulary.add_catalog();
            vocabulary
        });
        &BUILT_IN
    }

    /// The types of the catalog, their classes, and the verbs of its relationships.
    fn add_catalog(&mut self) {
        for entry in Catalog::built_in().unwrap_or_default().types() {
            self.types.insert(entry.name.clone());
            self.classes.extend(entry.class.iter().cloned());
        }
        for known in stix::types() {
            self.types.insert(known.entity_type.clone());
            self.classes.insert(known.class.clone());
        }
        for known in cloud::types() {
            self.types.insert(known.name.clone());
            self.classes.insert(known.class.clone());
        }
        let of_kinds = Kind::all().filter_map(|kind| Some(kind.ends()?.verb.as_str()));
        let verbs = of_kinds.chain(cloud::verbs());
        self.verbs.extend(verbs.map(str::to_owned));
    }

    fn read() -> Result<Self, CatalogError> {
        VOCABULARY.read()
    }

    /// Whether the values of a property are dates, by its name.
    pub fn is_date(&self, property: &str) -> bool {
        let ends = |ending: &&str| {
            property.strip_suffix(ending).is_some_and(|stem| {
                // `On` ends `createdOn`, but neither `ON` nor `On`.
                stem.ends_with(|last: char| last.is_lowercase() || last.is_ascii_digit())
            })
        };
        self.dates.contains(property) || DATE_ENDINGS.iter().any(ends)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_holds_the_known_names_and_tells_dates() {
        let own = Vocabulary::read().unwrap();
        let mut others = Vocabulary::default();
        others.add_catalog();
        assert!(own.classes.is_disjoint(&others.classes), "said twice");
        assert!(own.verbs.is_disjoint(&others.verbs), "said twice");
        let vocabulary = Vocabulary::built_in();
        assert!(vocabulary.types.contains("intrusion_set"));
        assert!(vocabulary.types.contains("aws_iam_user") && vocabulary.verbs.contains("TRUSTS"));
        assert!(vocabulary.types.contains("access_role") && vocabulary.verbs.contains("HAS"));
        assert!(vocabulary.classes.contains("Gateway") && vocabulary.classes.contains("Risk"));
        for date in [
            "createdOn",
            "_beginOn",
            "last_seen",
            "expires_at",
            "startDate",
        ] {
            assert!(vocabulary.is_date(date), "{date}");
        }
        for other in ["sizeGb", "On", "flat", "ON", "format", "version"] {
            assert!(!vocabulary.is_date(other), "{other}");
        }
    }
}
