// SPDX-License-Identifier: Apache-2.0
//! Runs plans: sets where the result allows it, paths where it does not.

mod binding;
mod chain;
mod check;
mod compare;
mod engine;
mod explain;
mod formula;
mod gate;
mod group;
mod list;
mod object;
mod order;
mod page;
mod pairs;
mod reduce;
mod room;
mod rows;
mod select;
mod sets;
mod steps;
mod table;
mod tree;
mod walk;

use durward_graph::{ObjectRef, RowSet, TypeId, View};

use crate::condition::RowCondition;
use crate::cursor::{Cursor, fingerprint};
use crate::error::QueryError;
use crate::limits::{Limits, Meter, STEPS_MAX};
use crate::plan::{Output, Plan, Slot, optimize};
use crate::result::{QueryPage, ResultKind, RunOptions};
use crate::unknown::Names;

pub(crate) use compare::{holds as holds_relation, matches_pattern, millis_of};
pub(crate) use formula::{arithmetic, call};
pub(crate) use page::{After, Position, Receiver};
pub use page::{PAGE_BYTES_DEFAULT, PAGE_ROWS_DEFAULT, PageSize};
pub(crate) use table::inline as inline_columns;
pub(crate) use walk::Choice;

use binding::Binding;
pub(crate) use engine::Engine;
use page::{PageWriter, WrittenPage};
use steps::total_steps;

/// Runs a plan and gives one page of its result.
pub fn run_plan(view: &View, plan: Plan, options: &RunOptions) -> Result<QueryPage, QueryError> {
    let (view, position, _) = open_cursor(view, options)?;
    let work = Work {
        meter: Meter::new(&options.limits),
        position: &position,
        now: options.now,
        names: None,
        receiver: None,
    };
    run_at(&view, plan, options, work)
}

/// Runs a plan and hands its whole result on in chunks; the cursor and the page size do not count.
pub fn stream_plan(
    view: &View,
    plan: Plan,
    options: &RunOptions,
    receiver: &mut (dyn FnMut(&[u8]) -> Result<(), QueryError> + Send),
) -> Result<QueryPage, QueryError> {
    let work = Work {
        meter: Meter::new(&options.limits),
        position: &Position::default(),
        now: options.now,
        names: None,
        receiver: Some(receiver),
    };
    run_at(view, plan, options, work)
}

/// What one run starts with.
pub(crate) struct Work<'w> {
    /// What has been counted so far.
    pub(crate) meter: Meter,
    /// Where the page begins.
    pub(crate) position: &'w Position,
    /// `date.now`.
    pub(crate) now: durward_model::Instant,
    /// Names to warn of when nothing has them.
    pub(crate) names: Option<&'w Names>,
    /// Who gets the whole result, instead of a page.
    pub(crate) receiver: Option<Receiver<'w>>,
}

/// The view, the place and the `now` that a cursor fixes; those given when there is none.
pub(crate) fn open_cursor(
    view: &View,
    options: &RunOptions,
) -> Result<(View, Position, Option<Cursor>), QueryError> {
    let Some(text) = &options.cursor else {
        return Ok((view.clone(), Position::default(), None));
    };
    let cursor = Cursor::open(text, &options.cursor_key)?;
    if cursor.sequence > view.snapshot().sequence() {
        return Err(QueryError::Cursor);
    }
    let view = view.snapshot().view(Some(cursor.instant));
    Ok((view, cursor.position.clone(), Some(cursor)))
}

/// Runs a plan at a view and a place.
pub(crate) fn run_at(
    view: &View,
    plan: Plan,
    options: &RunOptions,
    work: Work<'_>,
) -> Result<QueryPage, QueryError> {
    let plan = prepare(plan)?;
    let steps = total_steps(&plan, 0)?;
    room::with_room(steps, || run_prepared(view, &plan, options, work))
}

fn run_prepared(
    view: &View,
    plan: &Plan,
    options: &RunOptions,
    work: Work<'_>,
) -> Result<QueryPage, QueryError> {
    let Work {
        meter,
        position,
        now,
        names,
        receiver,
    } = work;
    let mark = mark(plan, options);
    if let Some(text) = options.cursor.as_ref().filter(|_| receiver.is_none())
        && Cursor::open(text, &options.cursor_key)?.fingerprint != mark
    {
        return Err(QueryError::Cursor);
    }
    let engine = engine(view, options, meter)?;
    let size = if receiver.is_some() {
        PageSize::Whole
    } else {
        options.page
    };
    let (page, total_count) = execute(
        &engine,
        plan,
        options.row_metadata,
        size,
        position,
        receiver,
    )?;
    // The last page tells how many there are, however they were found: whether it is told must not
    // depend on what the caller may not see.
    let counted = page
        .next
        .is_none()
        .then(|| position.written.saturating_add(page.rows));
    let total_count = total_count.or(counted);
    let cursor = page.next.map(|position| {
        let sealed = Cursor {
            fingerprint: mark,
            sequence: view.sequence(),
            instant: view.instant(),
            now,
            position,
        };
        sealed.seal(&options.cursor_key)
    });
    Ok(QueryPage {
        kind: kind(plan),
        data: page.data,
        rows: page.rows,
        total_count,
        cursor,
        warnings: names.map_or_else(Vec::new, |names| names.warnings(&engine)),
    })
}

/// The live entities of a type that fulfil a row condition.
pub(crate) fn visible_rows(
    view: &View,
    limits: &Limits,
    account_id: &str,
    condition: &RowCondition,
    type_id: TypeId,
) -> Result<RowSet, QueryError> {
    let meter = Meter::new(limits);
    let engine = Engine::new(view, meter, account_id, Some(condition), false)?;
    let rows = engine.visible(type_id)?;
    Ok(RowSet::clone(&rows))
}

pub(crate) fn engine(
    view: &View,
    options: &RunOptions,
    meter: Meter,
) -> Result<Engine, QueryError> {
    Engine::new(
        view,
        meter,
        &options.account_id,
        options.row_condition.as_ref(),
        options.include_deleted,
    )
}

fn kind(plan: &Plan) -> ResultKind {
    match plan.output {
        Output::List(_) => ResultKind::List,
        Output::Table(_) => ResultKind::Table,
        Output::Tree => ResultKind::Tree,
    }
}

/// What a cursor of this query must carry.
fn mark(plan: &Plan, options: &RunOptions) -> [u8; 8] {
    fingerprint(format_args!(
        "{plan:?} {} {:?} {} {}",
        options.include_deleted, options.row_condition, options.row_metadata, options.account_id
    ))
}

fn prepare(plan: Plan) -> Result<Plan, QueryError> {
    let steps = total_steps(&plan, 0)?;
    if steps > STEPS_MAX {
        return Err(QueryError::invalid(format!(
            "the query has {steps} steps; at most {STEPS_MAX} are allowed"
        )));
    }
    Ok(optimize(plan))
}

fn execute(
    engine: &Engine,
    plan: &Plan,
    row_metadata: bool,
    size: PageSize,
    position: &Position,
    receiver: Option<Receiver<'_>>,
) -> Result<(WrittenPage, Option<u64>), QueryError> {
    engine.meter.check()?;
    let written = write(engine, plan, row_metadata, size, position, receiver)?;
    // What went wrong where nothing could be returned must not pass as an answer.
    engine.meter.check()?;
    Ok(written)
}

fn write(
    engine: &Engine,
    plan: &Plan,
    row_metadata: bool,
    size: PageSize,
    position: &Position,
    receiver: Option<Receiver<'_>>,
) -> Result<(WrittenPage, Option<u64>), QueryError> {
    // The receiver may outlive the engine; here both are needed for the same time.
    let receiver = receiver.map(|receiver| receiver as Receiver<'_>);
    match &plan.output {
        Output::Tree => {
            let (data, rows) = tree::write_tree(engine, plan)?;
            let mut page = WrittenPage {
                data,
                rows,
                next: None,
            };
            if let Some(receiver) = receiver {
                receiver(&page.data)?;
                page.data.clear();
            }
            Ok((page, Some(rows)))
        }
        Output::List(slots) => {
            let page = PageWriter::new(
                &engine.meter,
                size,
                plan.skip,
                plan.limit,
                position,
                receiver,
            );
            list::write_list(engine, plan, slots, position, page)
        }
        Output::Table(table) => {
            let page = PageWriter::new(
                &engine.meter,
                size,
                plan.skip,
                plan.limit,
                position,
                receiver,
            );
            table::write_table(engine, plan, table, row_metadata, position, page)
        }
    }
}

/// The plan as text, with what was chosen and how large it turned out.
pub fn explain_plan(view: &View, plan: Plan, options: &RunOptions) -> Result<String, QueryError> {
    explain_with(view, plan, options, Meter::new(&options.limits), None)
}

/// The same for a plan whose making was counted already.
pub(crate) fn explain_with(
    view: &View,
    plan: Plan,
    options: &RunOptions,
    meter: Meter,
    names: Option<&Names>,
) -> Result<String, QueryError> {
    let plan = prepare(plan)?;
    let steps = total_steps(&plan, 0)?;
    room::with_room(steps, || explained(view, &plan, options, meter, names))
}

fn explained(
    view: &View,
    plan: &Plan,
    options: &RunOptions,
    meter: Meter,
    names: Option<&Names>,
) -> Result<String, QueryError> {
    let engine = engine(view, options, meter)?;
    engine.start_notes();
    let outcome = execute(
        &engine,
        plan,
        false,
        options.page,
        &Position::default(),
        None,
    )
    .map(|_| ());
    let warnings = names.map_or_else(Vec::new, |names| names.warnings(&engine));
    let error = outcome.err();
    Ok(explain::explain(&engine, plan, error.as_ref(), &warnings))
}

/// One page of the objects of a list, for front ends that shape them themselves.
#[derive(Clone, Debug, Default)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ObjectRef>,
    /// How many there are on all pages together.
    pub total_count: u64,
    /// For each object, a cursor that goes on behind it.
    pub cursors: Vec<String>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The objects of a list in order.
fn ordered(
    view: &View,
    plan: &Plan,
    slots: &[Slot],
    options: &RunOptions,
    meter: Meter,
) -> Result<Vec<Binding>, QueryError> {
    room::with_room(total_steps(plan, 0)?, || {
        let engine = engine(view, options, meter)?;
        engine.meter.check()?;
        let all = list::ordered_objects(&engine, plan, slots)?;
        engine.meter.check()?;
        Ok(all)
    })
}

/// All objects of a list in order, for front ends that page them themselves.
pub fn objects_of(
    view: &View,
    plan: Plan,
    options: &RunOptions,
) -> Result<Vec<ObjectRef>, QueryError> {
    let plan = prepare(plan)?;
    let Output::List(slots) = &plan.output else {
        return Err(QueryError::unsupported("the objects of a table"));
    };
    let all = ordered(view, &plan, slots, options, Meter::new(&options.limits))?;
    Ok(all.into_iter().filter_map(Binding::object).collect())
}

/// One page of the objects of a list. Every cursor fixes the instant. `meter` has counted what the
/// plan takes.
pub(crate) fn run_objects(
    view: &View,
    plan: Plan,
    meter: Meter,
    options: &RunOptions,
    position: &Position,
    now: durward_model::Instant,
    first: u64,
) -> Result<ObjectPage, QueryError> {
    let plan = prepare(plan)?;
    let Output::List(slots) = &plan.output else {
        return Err(QueryError::unsupported("a page of objects of a table"));
    };
    let mark = mark(&plan, options);
    if let Some(text) = &options.cursor
        && Cursor::open(text, &options.cursor_key)?.fingerprint != mark
    {
        return Err(QueryError::Cursor);
    }
    let all = ordered(view, &plan, slots, options, meter)?;
    let skip = match position.after {
        After::Offset(offset) => offset,
        _ => 0,
    };
    let start = usize::try_from(skip).unwrap_or(usize::MAX);
    let count = usize::try_from(first).unwrap_or(usize::MAX);
    let mut page = ObjectPage {
        total_count: all.len() as u64,
        has_more: all.len() > start.saturating_add(count),
        ..ObjectPage::default()
    };
    for (number, binding) in (skip..).zip(all.into_iter().skip(start).take(count)) {
        let offset = number.saturating_add(1);
        let cursor = Cursor {
            fingerprint: mark,
            sequence: view.sequence(),
            instant: view.instant(),
            now,
            position: Position {
                written: offset,
                after: After::Offset(offset),
            },
        };
        page.cursors.push(cursor.seal(&options.cursor_key));
        page.objects.extend(binding.object());
    }
    Ok(page)
}

/// Some objects of a list by their position, and how many there are. `meter` has counted what the
/// plan takes.
pub(crate) fn objects_from(
    view: &View,
    plan: Plan,
    meter: Meter,
    options: &RunOptions,
    offset: u64,
    limit: u64,
) -> Result<(Vec<ObjectRef>, u64), QueryError> {
    let plan = prepare(plan)?;
    let Output::List(slots) = &plan.output else {
        return Err(QueryError::unsupported("a page of objects of a table"));
    };
    let all = ordered(view, &plan, slots, options, meter)?;
    let count = all.len() as u64;
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = all.into_iter().skip(start).take(limit);
    Ok((page.filter_map(binding::Binding::object).collect(), count))
}
