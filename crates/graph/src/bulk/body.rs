// SPDX-License-Identifier: Apache-2.0
//! Upload bodies: one JSON object with lists of items, or one item a line.

use super::item::{ItemError, ItemRules, PartBuilder};
use super::part::Part;
use super::rejected::{ItemSort, Rejections};
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
    /// An item is not valid JSON, and where it ends cannot be told.
    #[error("item {index} of {list} is not a valid object: {source}")]
    Broken {
        /// Which list.
        list: &'static str,
        /// Position in it, from 0.
        index: usize,
        /// What is wrong.
        source: ScanError,
    },
    /// The upload as a whole is too much.
    #[error("item {index} of {list}: {source}")]
    Item {
        /// Which list.
        list: &'static str,
        /// Position in it, from 0.
        index: usize,
        /// What is wrong.
        source: ItemError,
    },
}

/// Reads a whole body. Items that are wrong are left out and told of; the others arrive.
pub fn read_body(body: &[u8], kind: BodyKind, rules: ItemRules<'_>) -> Result<Part, BodyError> {
    let text = utf8(body)?;
    let mut scanner = Scanner::new(text);
    let mut builder = PartBuilder::new(rules);
    let mut rejected = Rejections::default();
    let mut seen = Vec::new();
    scanner.expect(b'{').map_err(BodyError::Json)?;
    if !scanner.take(b'}') {
        loop {
            let name = scanner.string().map_err(BodyError::Json)?;
            scanner.expect(b':').map_err(BodyError::Json)?;
            let list = list_of(&name, kind)?;
            seen.push(list);
            read_list(&mut scanner, list, &mut builder, &mut rejected)?;
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
        _ => Ok(finished(builder, rejected)),
    }
}

fn finished(builder: PartBuilder<'_>, rejected: Rejections) -> Part {
    let mut part = builder.finish();
    part.rejected = rejected;
    part
}

/// Name of the list that lines are.
const LINES: &str = "the lines";

/// Reads items, one a line, entities and relationships told apart by their members. Empty lines are
/// skipped; lines that are wrong are left out and told of, counted from 0.
pub fn read_lines(lines: &[u8], rules: ItemRules<'_>) -> Result<Part, BodyError> {
    let mut builder = PartBuilder::new(rules);
    let mut rejected = Rejections::default();
    let mut members = Members::new();
    for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        members.clear();
        let Ok(line) = std::str::from_utf8(line) else {
            rejected.add(ItemSort::Entity, LINES, index, &members, "it is not UTF-8");
            continue;
        };
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
        let list = if is_relationship(&members) {
            List::Relationships
        } else {
            List::Entities
        };
        if let Err(source) = read {
            let reason = format!("it is not a valid object: {source}");
            rejected.add(list.sort(&members), LINES, index, &members, &reason);
            continue;
        }
        let added = list.add(&mut builder, &members);
        take_note(added, list, LINES, index, &members, &mut rejected)?;
    }
    Ok(finished(builder, rejected))
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

    fn add(self, builder: &mut PartBuilder<'_>, members: &Members<'_>) -> Result<(), ItemError> {
        match self {
            Self::Entities => builder.entity(members),
            Self::Relationships => builder.relationship(members),
            Self::DeleteEntities => builder.removal(members, false),
            Self::DeleteRelationships => builder.removal(members, true),
        }
    }

    /// What an item of this list is.
    fn sort(self, members: &Members<'_>) -> ItemSort {
        match self {
            Self::Entities => ItemSort::Entity,
            Self::Relationships if members.iter().any(|(name, _)| name == "_mapping") => {
                ItemSort::Mapped
            }
            Self::Relationships => ItemSort::Relationship,
            Self::DeleteEntities => ItemSort::EntityRemoval,
            Self::DeleteRelationships => ItemSort::RelationshipRemoval,
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
    rejected: &mut Rejections,
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
        let start = scanner.clone();
        let read = scanner
            .object(&mut members)
            .and_then(|()| scanner.check_item_end());
        match read {
            Ok(()) => {
                let added = list.add(builder, &members);
                take_note(added, list, name, index, &members, rejected)?;
            }
            Err(source) => {
                // The item is wrong, but where it ends can be told: its neighbours are as they are.
                *scanner = start;
                if !scanner.skip_item() {
                    return Err(BodyError::Broken {
                        list: name,
                        index,
                        source,
                    });
                }
                let reason = format!("it is not a valid object: {source}");
                rejected.add(list.sort(&members), name, index, &members, &reason);
            }
        }
        if !scanner.take(b',') {
            scanner.expect(b']').map_err(BodyError::Json)?;
            break;
        }
    }
    Ok(())
}

/// An item that is wrong is left out, unless the upload as a whole is.
fn take_note(
    added: Result<(), ItemError>,
    list: List,
    name: &'static str,
    index: usize,
    members: &Members<'_>,
    rejected: &mut Rejections,
) -> Result<(), BodyError> {
    match added {
        Ok(()) => Ok(()),
        Err(source) if source.is_of_upload() => Err(BodyError::Item {
            list: name,
            index,
            source,
        }),
        Err(error) => {
            rejected.add(list.sort(members), name, index, members, &error.to_string());
            Ok(())
        }
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
    use durward_catalog::Catalog;
    use durward_model::Value;
    use durward_model::change::RelationshipKeys;

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
    fn wrong_items_are_left_out_and_named() {
        let part = read(
            r#"{"entities":[
                {"_key":"a","_type":"t","_class":"C","n":1,"s":"x"},
                {"_key":"b","_class":"C"},
                {"_key":"c","_type":"t","_class":"C","n":2,"s":{},"z":3},
                7,
                {"_key":"d","_type":"u","_class":"C","n":tru, "z":[{"]":1}]},
                {"_key":"e","_type":"t","_class":"C","s":"y"}],
              "relationships":[
                {"_key":"k","_type":"r","_class":"HAS","_fromEntityKey":"a",
                 "_toEntityKey":"b","w":[]},
                {"_key":"l","_type":"r","_class":"HAS","_fromEntityKey":"a",
                 "_toEntityKey":"e","w":1}]}"#,
            BodyKind::Upload,
        )
        .unwrap();
        let group = &part.entities.groups[0];
        assert_eq!(group.keys.iter().collect::<Vec<_>>(), ["a", "e"]);
        let cells = |name: &str| {
            let column = group.columns.iter().find(|column| column.property == name);
            [0, 1].map(|row| column.unwrap().values.get(row))
        };
        assert_eq!(cells("n"), [Value::Int(1), Value::Null]);
        assert_eq!(cells("s"), [Value::from("x"), Value::from("y")]);
        let group = &part.relationships.groups[0];
        let RelationshipKeys::Explicit(keys) = &group.keys else {
            panic!("these have keys of their own");
        };
        assert_eq!(keys.iter().collect::<Vec<_>>(), ["l"]);
        assert_eq!(group.columns[0].values.get(0), Value::Int(1));
        let told = part.rejected.items.iter();
        let told: Vec<_> = told
            .map(|item| (item.list, item.index, item.key.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("entities", 1, "b"),
                ("entities", 2, "c"),
                ("entities", 3, ""),
                ("entities", 4, "d"),
                ("relationships", 0, "k"),
            ]
        );
        assert_eq!(
            (part.rejected.entities, part.rejected.relationships),
            (4, 1)
        );
        assert!(part.rejected.types.all, "one of them has no type");
    }

    #[test]
    fn says_what_is_wrong_with_an_item_or_a_body() {
        let deep = format!(
            r#"{{"entities":[{{"_key":"a","_type":"t","_class":"C","_rawData":{}1{}}}]}}"#,
            "[".repeat(110),
            "]".repeat(110)
        );
        for (body, text) in [
            (
                r#"{"entities":[1]}"#,
                "item 0 of entities: it is not a valid object: expected '{', found '1' at byte 13",
            ),
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
            (
                &deep,
                "item 0 of entities (_key \"a\"): property _rawData is nested too deep",
            ),
        ] {
            let part = read(body, BodyKind::Entities).unwrap();
            assert_eq!(part.rejected.items[0].sentence(), text);
            assert!(part.counts().is_empty(), "{body}");
        }
        for (body, text) in [
            (r#"{"entities":{}}"#, "entities must be a list of objects"),
            (r#"{"entitys":[]}"#, "member entitys is not known here"),
            (r"{}", "the body has no member entities"),
        ] {
            let error = read(body, BodyKind::Entities).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        for cut in [
            r#"{"entities":[{"_key":"#,
            r#"{"entities":[{"_key":}]]"#,
            r#"{"entities":[{"_key":"a]}"#,
        ] {
            assert!(matches!(
                read(cut, BodyKind::Entities),
                Err(BodyError::Broken { index: 0, .. } | BodyError::Json(_))
            ));
        }
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
