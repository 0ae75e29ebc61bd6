// SPDX-License-Identifier: Apache-2.0
//! Upload bodies: one JSON object with lists of items, or one item a line.

use super::item::{ItemError, ItemRules, PartBuilder};
use super::part::Part;
use super::scan::{Members, Scalar, ScanError, Scanner};

/// What a body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// `entities`.
    Entities,
    /// `relationships`.
    Relationships,
    /// Both, and removals.
    Upload,
}

/// Why a body is refused. Nothing of it is kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is not UTF-8.
    #[error("the body is not UTF-8 (byte {at})")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// It is not JSON of the expected shape.
    #[error("the body is not valid JSON: {0}")]
    Json(ScanError),
    /// A list is something else.
    #[error("{list} must be a list of objects")]
    NotList {
        /// Which list.
        list: String,
    },
    /// The list that the path names is not there.
    #[error("the body has no member {list}")]
    NoList {
        /// Which list.
        list: &'static str,
    },
    /// A member that this call does not know.
    #[error("member {name} is not known here")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// An item is not valid JSON, or not an object.
    #[error("item {index} of {list} is not a valid object: {source}")]
    Broken {
        /// Which list.
        list: &'static str,
        /// Position in it, from 0.
        index: usize,
        /// What is wrong.
        source: ScanError,
    },
    /// An item is refused.
    #[error("item {index} of {list}{}: {source}", key_note(.key))]
    Item {
        /// Which list.
        list: &'static str,
        /// Position in it, from 0.
        index: usize,
        /// Its natural key, if it has one.
        key: String,
        /// What is wrong.
        source: ItemError,
    },
}

fn key_note(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!(" (_key {key:?})")
    }
}

/// Reads a whole body.
pub fn read_body(body: &[u8], kind: BodyKind, rules: ItemRules<'_>) -> Result<Part, BodyError> {
    let text = utf8(body)?;
    let mut scanner = Scanner::new(text);
    let mut builder = PartBuilder::new(rules);
    let mut seen = Vec::new();
    scanner.expect(b'{').map_err(BodyError::Json)?;
    if !scanner.take(b'}') {
        loop {
            let name = scanner.string().map_err(BodyError::Json)?;
            scanner.expect(b':').map_err(BodyError::Json)?;
            let list = list_of(&name, kind)?;
            seen.push(list);
            read_list(&mut scanner, list, &mut builder)?;
            if !scanner.take(b',') {
                scanner.expect(b'}').map_err(BodyError::Json)?;
                break;
            }
        }
    }
    if !scanner.is_at_end() {
        return Err(BodyError::Json(scanner.error("more text follows the body")));
    }
    match kind {
        BodyKind::Entities if !seen.contains(&List::Entities) => {
            Err(BodyError::NoList { list: "entities" })
        }
        BodyKind::Relationships if !seen.contains(&List::Relationships) => Err(BodyError::NoList {
            list: "relationships",
        }),
        _ => Ok(builder.finish()),
    }
}

/// Reads items, one a line, entities and relationships told apart by their members. Empty lines are
/// skipped; an error names the line from 0.
pub fn read_lines(lines: &[u8], rules: ItemRules<'_>) -> Result<Part, BodyError> {
    let text = utf8(lines)?;
    let mut builder = PartBuilder::new(rules);
    let mut members = Members::new();
    for (index, line) in text.split('\n').enumerate() {
        let mut scanner = Scanner::new(line);
        if scanner.is_at_end() {
            continue;
        }
        let read = scanner.object(&mut members).and_then(|()| {
            if scanner.is_at_end() {
                Ok(())
            } else {
                Err(scanner.error("more text follows the object"))
            }
        });
        read.map_err(|source| BodyError::Broken {
            list: "the lines",
            index,
            source,
        })?;
        let added = if is_relationship(&members) {
            builder.relationship(&members)
        } else {
            builder.entity(&members)
        };
        added.map_err(|source| item_error("the lines", index, &members, source))?;
    }
    Ok(builder.finish())
}

fn is_relationship(members: &Members<'_>) -> bool {
    members.iter().any(|(name, _)| {
        matches!(
            name.as_ref(),
            "_fromEntityKey" | "_toEntityKey" | "_fromEntityId" | "_toEntityId" | "_mapping"
        )
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Entities,
    Relationships,
    DeleteEntities,
    DeleteRelationships,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Relationships => "relationships",
            Self::DeleteEntities => "deleteEntities",
            Self::DeleteRelationships => "deleteRelationships",
        }
    }
}

fn list_of(name: &str, kind: BodyKind) -> Result<List, BodyError> {
    match (name, kind) {
        ("entities", BodyKind::Entities | BodyKind::Upload) => Ok(List::Entities),
        ("relationships", BodyKind::Relationships | BodyKind::Upload) => Ok(List::Relationships),
        ("deleteEntities", BodyKind::Upload) => Ok(List::DeleteEntities),
        ("deleteRelationships", BodyKind::Upload) => Ok(List::DeleteRelationships),
        _ => Err(BodyError::Unknown {
            name: name.chars().take(64).collect(),
        }),
    }
}

fn read_list(
    scanner: &mut Scanner<'_>,
    list: List,
    builder: &mut PartBuilder<'_>,
) -> Result<(), BodyError> {
    let name = list.name();
    if scanner.peek() != Some(b'[') {
        // A null list is an absent one; anything else is refused with the name of the list.
        return match scanner.value().map_err(BodyError::Json)? {
            Scalar::Null => Ok(()),
            _ => Err(BodyError::NotList {
                list: name.to_owned(),
            }),
        };
    }
    scanner.expect(b'[').map_err(BodyError::Json)?;
    if scanner.take(b']') {
        return Ok(());
    }
    let mut members = Members::new();
    for index in 0usize.. {
        let broken = |source| BodyError::Broken {
            list: name,
            index,
            source,
        };
        scanner.object(&mut members).map_err(broken)?;
        let added = match list {
            List::Entities => builder.entity(&members),
            List::Relationships => builder.relationship(&members),
            List::DeleteEntities => builder.removal(&members, false),
            List::DeleteRelationships => builder.removal(&members, true),
        };
        added.map_err(|source| item_error(name, index, &members, source))?;
        if !scanner.take(b',') {
            scanner.expect(b']').map_err(BodyError::Json)?;
            break;
        }
    }
    Ok(())
}

fn item_error(
    list: &'static str,
    index: usize,
    members: &Members<'_>,
    source: ItemError,
) -> BodyError {
    let key = members
        .iter()
        .find(|(name, _)| name == "_key")
        .map(|(_, value)| match value {
            Scalar::Text(text) => text.chars().take(200).collect(),
            _ => String::new(),
        });
    BodyError::Item {
        list,
        index,
        key: key.unwrap_or_default(),
        source,
    }
}

fn utf8(body: &[u8]) -> Result<&str, BodyError> {
    std::str::from_utf8(body).map_err(|error| BodyError::NotUtf8 {
        at: error.valid_up_to(),
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use durward_model::change::RelationshipKeys;
    use durward_model::{Catalog, Value};

    use super::*;

    fn read(body: &str, kind: BodyKind) -> Result<Part, BodyError> {
        let catalog = Catalog::built_in().unwrap();
        let rules = ItemRules {
            catalog: &catalog,
            patch: false,
            ignore_illegal_properties: false,
        };
        read_body(body.as_bytes(), kind, rules)
    }

    #[test]
    fn reads_entities_and_relationships_into_columns() {
        let part = read(
            r#"{"entities":[
                {"_key":"a","_type":"box","_class":["Host","Device"],"n":1,"tag":"x"},
                {"_key":"b","_type":"box","_class":["Host","Device"],"tag":"x","on":true},
                {"_key":"c","_type":"cat","_class":"Animal"}],
              "relationships":[
                {"_key":"a|HAS|b","_type":"t","_class":"HAS",
                 "_fromEntityKey":"a","_toEntityKey":"b"},
                {"_key":"own","_type":"t","_class":"has",
                 "_fromEntityKey":"b","_toEntityKey":"a","w":2.5}],
              "deleteEntities":[{"_key":"z"}]}"#,
            BodyKind::Upload,
        )
        .unwrap();
        let boxes = &part.entities.groups[0];
        assert_eq!(boxes.keys.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(boxes.classes.as_deref().unwrap(), ["Host", "Device"]);
        let cell = |name: &str, row| {
            let column = boxes
                .columns
                .iter()
                .find(|column| column.property == name)
                .unwrap();
            column.values.get(row)
        };
        assert_eq!((cell("n", 0), cell("n", 1)), (Value::Int(1), Value::Null));
        assert_eq!(
            (cell("tag", 1), cell("on", 0)),
            (Value::from("x"), Value::Null)
        );
        let groups = &part.relationships.groups;
        assert_eq!(groups[0].keys, RelationshipKeys::Conventional);
        let RelationshipKeys::Explicit(keys) = &groups[1].keys else {
            panic!("the second group has keys of its own");
        };
        assert_eq!(keys.get(0), Some("own"));
        assert_eq!(
            (groups[1].verb.as_str(), &groups[1].from, &groups[1].to),
            ("HAS", &vec![1], &vec![0])
        );
        assert_eq!(part.counts().removals, 1);
    }

    #[test]
    fn names_the_wrong_item() {
        let error = read(
            r#"{"entities":[{"_key":"a","_type":"t","_class":"C"},{"_key":"b","_class":"C"}]}"#,
            BodyKind::Entities,
        );
        let text = error.unwrap_err().to_string();
        assert_eq!(text, "item 1 of entities (_key \"b\"): _type is missing");
        for (body, text) in [
            (r#"{"entities":{}}"#, "entities must be a list of objects"),
            (
                r#"{"entities":[1]}"#,
                "item 0 of entities is not a valid object: expected '{', found '1' at byte 13",
            ),
            (r#"{"entitys":[]}"#, "member entitys is not known here"),
            (r"{}", "the body has no member entities"),
            (
                r#"{"entities":[{"_key":"a","_type":"account","_class":"User"}]}"#,
                "item 0 of entities (_key \"a\"): type account is protected: \
                 only Durward itself writes it",
            ),
            (
                r#"{"entities":[{"_key":"a","_type":"t","_class":"C","_x":1}]}"#,
                "item 0 of entities (_key \"a\"): property _x begins with an underscore, \
                 which is reserved",
            ),
            (
                r#"{"entities":[{"_key":"a","_type":"t","_class":"C","x":{}}]}"#,
                "item 0 of entities (_key \"a\"): property x: \
                 nested objects are not property values",
            ),
            (
                r#"{"entities":[{"_key":"a","_type":"t","_class":"C","x":1,"x":2}]}"#,
                "item 0 of entities (_key \"a\"): property x is given twice",
            ),
        ] {
            assert_eq!(
                read(body, BodyKind::Entities).unwrap_err().to_string(),
                text
            );
        }
        assert!(matches!(
            read(r#"{"entities":[{"_key":"#, BodyKind::Entities),
            Err(BodyError::Broken { index: 0, .. })
        ));
    }

    #[test]
    fn lines_may_mix_both() {
        let catalog = Catalog::built_in().unwrap();
        let rules = ItemRules {
            catalog: &catalog,
            patch: false,
            ignore_illegal_properties: false,
        };
        let lines = "{\"_key\":\"a\",\"_type\":\"t\",\"_class\":\"C\"}\r\n\n\
             {\"_type\":\"r\",\"_class\":\"HAS\",\
             \"_fromEntityKey\":\"a\",\"_toEntityKey\":\"a\"}\n";
        let counts = read_lines(lines.as_bytes(), rules).unwrap().counts();
        assert_eq!((counts.entities, counts.relationships), (1, 1));
    }
}
