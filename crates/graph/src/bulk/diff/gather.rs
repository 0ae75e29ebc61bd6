// SPDX-License-Identifier: Apache-2.0
//! All staged entities together: one group a type and class list, and an index of their keys.

use std::collections::{HashMap, HashSet};

use durward_model::change::{Column, ColumnValues};
use durward_model::{StringArena, Value};
use hashbrown::HashTable;

use super::super::columns::{ColumnBuilder, key_hash, same_value};
use super::super::part::{EntityGroup, Removal};
use super::super::staging::StagedPart;
use super::cells::staged_ref;
use super::parallel::map_in_order;
use super::{DiffError, DiffReport};

/// Number of an entity that is not there.
pub(crate) const NO_NUMBER: u32 = u32::MAX;

/// All staged entities.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) groups: Vec<Group>,
    /// Group and row of each key.
    index: HashTable<Place>,
    pub(crate) removals: Vec<Removal>,
}

/// Group and row of an uploaded entity.
type Place = (u32, u32);

/// Entities of one type and class list.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) entity_type: String,
    pub(crate) classes: Option<Vec<String>>,
    pub(crate) by_id: bool,
    pub(crate) keys: StringArena,
    pub(crate) columns: Vec<Column>,
    /// Row and column of explicit nulls, ascending.
    pub(crate) nulls: Vec<(u32, u32)>,
    /// Rows that a later one replaces.
    pub(crate) dead: HashSet<u32>,
    /// Number of each entity, once it is known.
    pub(crate) numbers: Vec<u32>,
    builders: Vec<ColumnBuilder>,
    column_index: HashMap<String, usize>,
}

impl Group {
    /// Whether a row says anything, be it a null, in a property.
    pub(crate) fn sets(&self, row: u32, property: &str) -> bool {
        let at = self
            .columns
            .iter()
            .position(|column| column.property == property);
        at.is_some_and(|at| {
            let is_null = self.nulls.binary_search(&(row, at as u32)).is_ok();
            let values = self.columns.get(at).map(|column| &column.values);
            is_null || values.is_some_and(|values| !staged_ref(values, row as usize).is_null())
        })
    }
}

struct Twin {
    first: Place,
    second: Place,
    last_wins: bool,
}

impl Gathered {
    /// Group and row of a key.
    pub(crate) fn find(&self, key: &str) -> Option<Place> {
        let hash = key_hash(key.as_bytes());
        self.index
            .find(hash, |place| key_at(&self.groups, *place) == key)
            .copied()
    }

    /// Gives every entity what the job says of all of them. Those that are named by id may belong
    /// to another job's namespace, and keep what they have.
    pub(crate) fn stamp(&mut self, stamp: &[(String, Value)]) {
        for group in self.groups.iter_mut().filter(|group| !group.by_id) {
            let rows = group.keys.len();
            group.columns.extend(constant_columns(stamp, rows));
        }
    }

    fn append(&mut self, part: &EntityGroup, last_wins: bool, twins: &mut Vec<Twin>) {
        let known = self.groups.iter().position(|group| {
            group.entity_type == part.entity_type
                && group.by_id == part.by_id
                && group.classes == part.classes
        });
        let at = known.unwrap_or(self.groups.len());
        if known.is_none() {
            self.groups.push(Group::of(part));
        }
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        let first_row = group.keys.len() as u32;
        let columns = group.append_columns(part);
        group.nulls.extend(
            part.nulls.iter().filter_map(|(row, column)| {
                Some((first_row + row, *columns.get(*column as usize)?))
            }),
        );
        for (row, key) in part.keys.iter().enumerate() {
            if let Some(group) = self.groups.get_mut(at) {
                // An arena of 4 GiB of keys cannot come to be: parts are limited, and numbers end
                // first.
                let _ = group.keys.push(key);
            }
            let place = (at as u32, first_row + row as u32);
            if part.by_id {
                continue;
            }
            let groups = &self.groups;
            let entry = self.index.entry(
                key_hash(key.as_bytes()),
                |other| key_at(groups, *other) == key,
                |other| key_hash(key_at(groups, *other).as_bytes()),
            );
            match entry {
                hashbrown::hash_table::Entry::Occupied(entry) => {
                    twins.push(Twin {
                        first: *entry.get(),
                        second: place,
                        last_wins,
                    });
                    if last_wins {
                        *entry.into_mut() = place;
                    }
                }
                hashbrown::hash_table::Entry::Vacant(entry) => {
                    entry.insert(place);
                }
            }
        }
    }

    /// Tells identical twins from different ones.
    fn settle(&mut self, twins: &[Twin], report: &mut DiffReport) -> Result<(), DiffError> {
        let mut different = 0;
        let mut example = String::new();
        for twin in twins {
            let (first, second) = (twin.first, twin.second);
            let loser = if twin.last_wins { first } else { second };
            if !self.is_same(first, second) && !twin.last_wins {
                different += 1;
                if example.is_empty() {
                    key_at(&self.groups, second).clone_into(&mut example);
                }
            }
            report.twins += 1;
            if let Some(group) = self.groups.get_mut(loser.0 as usize) {
                group.dead.insert(loser.1);
            }
        }
        match different {
            0 => Ok(()),
            count => Err(DiffError::Duplicates {
                count,
                key: example,
            }),
        }
    }

    fn is_same(&self, first: Place, second: Place) -> bool {
        let Some(group) = self
            .groups
            .get(first.0 as usize)
            .filter(|_| first.0 == second.0)
        else {
            return false;
        };
        let null_columns = |row: u32| -> Vec<u32> {
            let from = group.nulls.partition_point(|null| null.0 < row);
            let nulls = group
                .nulls
                .iter()
                .skip(from)
                .take_while(|null| null.0 == row);
            nulls.map(|null| null.1).collect()
        };
        let same_columns = group.columns.iter().all(|column| {
            let (one, two) = (first.1 as usize, second.1 as usize);
            same_value(&column.values.get(one), &column.values.get(two))
        });
        same_columns && null_columns(first.1) == null_columns(second.1)
    }
}

fn key_at(groups: &[Group], (group, row): Place) -> &str {
    let found = groups
        .get(group as usize)
        .and_then(|group| group.keys.get(row as usize));
    found.unwrap_or_default()
}

impl Group {
    fn of(part: &EntityGroup) -> Self {
        Self {
            entity_type: part.entity_type.clone(),
            classes: part.classes.clone(),
            by_id: part.by_id,
            keys: StringArena::new(),
            columns: Vec::new(),
            nulls: Vec::new(),
            dead: HashSet::new(),
            numbers: Vec::new(),
            builders: Vec::new(),
            column_index: HashMap::new(),
        }
    }

    /// Appends the columns of a part; gives the position of each.
    fn append_columns(&mut self, part: &EntityGroup) -> Vec<u32> {
        append_columns(
            &mut self.column_index,
            &mut self.builders,
            self.keys.len(),
            &part.columns,
        )
    }

    fn finish(&mut self) {
        let rows = self.keys.len();
        self.keys.shrink_to_fit();
        let builders = std::mem::take(&mut self.builders);
        self.columns = finish_columns(&mut self.column_index, builders, rows);
    }
}

/// Columns that have one value in all rows.
pub(crate) fn constant_columns(
    stamp: &[(String, Value)],
    rows: usize,
) -> impl Iterator<Item = Column> + '_ {
    stamp.iter().map(move |(property, value)| Column {
        property: property.clone(),
        values: ColumnValues::Coded {
            codes: vec![0; rows],
            dictionary: vec![value.clone()],
        },
    })
}

/// Appends columns to builders that hold `rows` rows each (or fewer); gives the position of each.
pub(crate) fn append_columns(
    index: &mut HashMap<String, usize>,
    builders: &mut Vec<ColumnBuilder>,
    rows: usize,
    columns: &[Column],
) -> Vec<u32> {
    let mut positions = Vec::with_capacity(columns.len());
    for column in columns {
        let at = if let Some(at) = index.get(&column.property) {
            *at
        } else {
            builders.push(ColumnBuilder::new(0, false));
            index.insert(column.property.clone(), builders.len() - 1);
            builders.len() - 1
        };
        if let Some(builder) = builders.get_mut(at) {
            builder.pad(rows);
            builder.append(&column.values);
        }
        positions.push(at as u32);
    }
    positions
}

/// The finished columns, all of `rows` rows, in the order of their positions.
pub(crate) fn finish_columns(
    index: &mut HashMap<String, usize>,
    builders: Vec<ColumnBuilder>,
    rows: usize,
) -> Vec<Column> {
    let mut names = vec![String::new(); builders.len()];
    for (name, at) in index.drain() {
        if let Some(slot) = names.get_mut(at) {
            *slot = name;
        }
    }
    let columns = names.into_iter().zip(builders);
    columns
        .map(|(property, mut builder)| {
            builder.pad(rows);
            Column {
                property,
                values: builder.finish(),
            }
        })
        .collect()
}

/// Reads all entity sections.
pub(crate) fn gather(parts: &[StagedPart], report: &mut DiffReport) -> Result<Gathered, DiffError> {
    let total: u64 = parts.iter().map(|part| part.counts.entities).sum();
    if total >= u64::from(u32::MAX) {
        return Err(DiffError::Full);
    }
    let mut gathered = Gathered::default();
    gathered.index.reserve(total as usize, |_| 0);
    let mut twins = Vec::new();
    map_in_order(parts, StagedPart::entities, |section, part| {
        for group in section.groups {
            gathered.append(&group, part.ignore_duplicates, &mut twins);
        }
        gathered.removals.extend(section.removals);
    })?;
    gathered.groups.iter_mut().for_each(Group::finish);
    gathered.settle(&twins, report)?;
    Ok(gathered)
}
