// SPDX-License-Identifier: Apache-2.0
//! Entities: those of a plan, and those of the whole graph by type, class and words.

use std::sync::Arc;

use durward_graph::{ClassCover, EntityRef, ObjectRef, RowSet, TypeId};
use durward_query::plan::{Plan, Source};
use durward_query::{Visibility, objects_of};

use crate::{ListError, Page, Place, Walk};

/// What an object takes while it is found: in a set, and in lists that are made of it.
const FINDING_BYTES: usize = 64;

/// Which entities of the graph are asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Of this type.
    pub entity_type: Option<String>,
    /// Of this class.
    pub class: Option<String>,
    /// With all of these words.
    pub words: Vec<String>,
}

impl Walk<'_> {
    /// The core objects of a plan. While they are found as much is charged as all that there are
    /// could take.
    ///
    /// # Errors
    /// When the caller may not hold that, when nobody waits any more, or when the query fails.
    pub fn objects_of_plan(
        &self,
        plan: Plan,
        options: &durward_query::RunOptions,
    ) -> Result<Vec<ObjectRef>, ListError> {
        let effort = self.effort();
        effort.check()?;
        let view = &self.view;
        let at_most = plan.start.sources.iter().map(|source| match source {
            Source::Ids(ids) => ids.len(),
            Source::Type(name) => {
                let live = view.type_id(name).map(|type_id| view.live_count(type_id));
                usize::try_from(live.unwrap_or_default()).unwrap_or(usize::MAX)
            }
            _ => 0,
        });
        let charged = at_most.sum::<usize>().saturating_mul(FINDING_BYTES);
        effort.hold(charged)?;
        let objects = objects_of(view, plan, options)?;
        effort.release(charged);
        effort.hold(objects.len().saturating_mul(size_of::<ObjectRef>()))?;
        Ok(objects)
    }

    /// What the caller's row condition lets through of the graph; none where it sees everything.
    pub fn visibility(&self) -> Option<Visibility> {
        let account = self.caller().organization().id().as_str();
        let condition = self.caller().row_condition()?;
        Some(Visibility::new(&self.view, condition, account))
    }

    /// A page of the entities of the graph that fit and that the caller may see, by name of their
    /// type and then in order of creation.
    ///
    /// # Errors
    /// When nobody waits any more.
    pub fn entities(
        &self,
        selection: &Selection,
        first: usize,
    ) -> Result<Page<EntityRef>, ListError> {
        let visibility = self.visibility();
        let types = self.types_by_name();
        let start = types
            .iter()
            .position(|(_, id)| part(*id) == self.start.part);
        let start = start.unwrap_or_default();
        let mut page = Page {
            rows: Vec::new(),
            next: None,
            total: 0,
        };
        for (at, (name, type_id)) in types.iter().enumerate() {
            let wanted = selection.entity_type.as_deref();
            if wanted.is_some_and(|wanted| wanted != *name) {
                continue;
            }
            self.effort().check()?;
            let rows = self.matching(visibility.as_ref(), selection, *type_id);
            page.total = page.total.saturating_add(rows.len() as u64);
            if at < start || page.next.is_some() {
                continue;
            }
            let before = if at == start { self.start.offset } else { 0 };
            let skip = usize::try_from(before).unwrap_or(usize::MAX);
            let room = first.saturating_sub(page.rows.len());
            let taken = page.rows.len();
            let of_type = rows.iter().skip(skip).take(room);
            let type_id = *type_id;
            page.rows
                .extend(of_type.map(|row| EntityRef { type_id, row }));
            let passed = skip.saturating_add(page.rows.len() - taken);
            if passed < rows.len() {
                page.next = Some(self.cursor(Place {
                    part: part(type_id),
                    offset: passed as u64,
                }));
            }
        }
        Ok(page)
    }

    /// The types at the instant of the walk by name.
    pub fn types_by_name(&self) -> Vec<(&str, TypeId)> {
        let view = &self.view;
        let types = view.types().into_iter();
        let mut types: Vec<_> = types.map(|id| (view.type_name(id), id)).collect();
        types.sort_unstable();
        types
    }

    fn matching(
        &self,
        visibility: Option<&Visibility>,
        selection: &Selection,
        type_id: TypeId,
    ) -> Arc<RowSet> {
        let view = &self.view;
        let rows = match visibility {
            None => Arc::new(view.live_rows(type_id)),
            Some(visibility) => visibility.rows(type_id),
        };
        let rows = match &selection.class {
            None => rows,
            Some(class) => {
                let types = view
                    .class_id(class)
                    .map(|class| view.types_with_class(class));
                let mut types = types.unwrap_or_default().into_iter();
                match types.find(|(own, _)| *own == type_id) {
                    None => Arc::new(RowSet::empty(rows.universe())),
                    Some((_, ClassCover::All)) => rows,
                    Some((_, ClassCover::Some(members))) => Arc::new(rows.intersect(&members)),
                }
            }
        };
        if selection.words.is_empty() || rows.is_empty() {
            return rows;
        }
        Arc::new(rows.intersect(&view.search_text(type_id, &selection.words)))
    }
}

/// A type as the part of a list. Part 0 is where every list begins, whichever type is first.
fn part(type_id: TypeId) -> u64 {
    u64::from(type_id.0).saturating_add(1)
}
