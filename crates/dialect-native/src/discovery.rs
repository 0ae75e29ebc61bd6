// SPDX-License-Identifier: Apache-2.0
//! What there is: classes, types, verbs, triplets and properties, with counts of what the caller
//! may see at the instant.

use std::collections::{BTreeMap, BTreeSet};

use durward_graph::{Direction, EdgeRef, RowSet, TripleMeta, TypeId};
use serde_json::{Value as Json, json};

use super::entities::{types_by_name, with_class};
use super::moment::Moment;
use super::values::kind;
use super::{Answer, Context};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node};
use durward_listing::Effort as _;

/// Name of the pseudo type of ends that are relationships.
const RELATIONSHIP: &str = "relationship";

/// Reads the graph at the instant asked for, off the threads that serve connections.
async fn read(
    call: &Call<'_, Context>,
    read: impl FnOnce(&Moment, &Reading) -> Result<Json, FieldError> + Send + 'static,
) -> Result<Json, FieldError> {
    let moment = Moment::asked(call)?;
    call.context
        .read(move |reading| read(&moment, reading))
        .await
}

/// `classes`
pub(super) async fn classes(call: Call<'_, Context>) -> Answer<'_> {
    let counts = read(&call, |moment, reading| {
        let counts = class_counts(moment, reading)?.into_iter();
        Ok(counts
            .map(|(name, count)| json!({"name": name, "count": count}))
            .collect())
    });
    Ok(Node::json(counts.await?))
}

pub(super) fn class_counts(
    moment: &Moment,
    reading: &Reading,
) -> Result<BTreeMap<String, u64>, FieldError> {
    let view = &moment.view;
    let mut counts = BTreeMap::new();
    for class in view.class_ids() {
        reading.check()?;
        let name = view.class_name(class);
        let members = view
            .types_with_class(class)
            .into_iter()
            .map(|(type_id, _)| {
                with_class(moment, name, type_id, &moment.rows(type_id)).len() as u64
            });
        let count: u64 = members.sum();
        if count > 0 {
            counts.insert(name.to_owned(), count);
        }
    }
    Ok(counts)
}

/// `types`, by name.
pub(super) async fn types(call: Call<'_, Context>) -> Answer<'_> {
    let class = call.text_argument("class").map(str::to_owned);
    let with_properties = call.lookahead().selects(&["properties"]);
    let found = read(&call, move |moment, reading| {
        let mut found = Vec::new();
        for (name, type_id) in types_by_name(moment) {
            reading.check()?;
            let rows = moment.rows(type_id);
            let members = match &class {
                Some(class) => with_class(moment, class, type_id, &rows),
                None => RowSet::clone(&rows),
            };
            if members.is_empty() {
                continue;
            }
            let properties = if with_properties {
                properties_of(moment, type_id, &members, reading)?
            } else {
                Json::Null
            };
            found.push(json!({
                "name": name, "count": members.len(), "properties": properties,
                "classes": classes_of(moment, type_id, &members),
            }));
        }
        Ok(found.into())
    });
    Ok(Node::json(found.await?))
}

/// The classes that some entities of a type carry.
fn classes_of(moment: &Moment, type_id: TypeId, rows: &RowSet) -> Vec<String> {
    let view = &moment.view;
    let names = view
        .class_ids()
        .into_iter()
        .map(|class| view.class_name(class));
    let carried = names.filter(|name| !with_class(moment, name, type_id, rows).is_empty());
    let sorted: BTreeSet<String> = carried.map(str::to_owned).collect();
    sorted.into_iter().collect()
}

/// `properties` of a type, by name.
pub(super) async fn properties(call: Call<'_, Context>) -> Answer<'_> {
    let name = call.text_argument("type").unwrap_or_default().to_owned();
    let found = read(&call, move |moment, reading| {
        match moment.view.type_id(&name) {
            Some(type_id) => properties_of(moment, type_id, &moment.rows(type_id), reading),
            None => Ok(json!([])),
        }
    });
    Ok(Node::json(found.await?))
}

/// How many of some entities of a type have each property, and values of which kinds.
pub(super) fn properties_of(
    moment: &Moment,
    type_id: TypeId,
    rows: &RowSet,
    reading: &Reading,
) -> Result<Json, FieldError> {
    let view = &moment.view;
    let mut found = BTreeMap::new();
    for property in view.properties_of_type(type_id) {
        reading.check()?;
        let Some(column) = view.column(type_id, property) else {
            continue;
        };
        let mut kinds = BTreeSet::new();
        let mut count = 0_u64;
        for kind in rows.iter().filter_map(|row| column.value_ref(row, kind)) {
            kinds.insert(kind);
            count = count.saturating_add(1);
        }
        if count > 0 {
            found.insert(view.property_name(property), (kinds, count));
        }
    }
    let summaries = found.into_iter();
    Ok(summaries
        .map(|(name, (kinds, count))| json!({"name": name, "kinds": kinds, "count": count}))
        .collect())
}

/// `verbs`, by name.
pub(super) async fn verbs(call: Call<'_, Context>) -> Answer<'_> {
    let found = read(&call, |moment, reading| {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for triple in moment.view.triples() {
            let count = visible_edges(moment, triple, reading)?;
            if count > 0 {
                let sum = counts
                    .entry(moment.view.verb_name(triple.verb))
                    .or_default();
                *sum = sum.saturating_add(count);
            }
        }
        let counts = counts.into_iter();
        Ok(counts
            .map(|(name, count)| json!({"name": name, "count": count}))
            .collect())
    });
    Ok(Node::json(found.await?))
}

/// `triplets`, by their names.
pub(super) async fn triplets(call: Call<'_, Context>) -> Answer<'_> {
    let [from, verb, to] =
        ["from", "verb", "to"].map(|name| call.text_argument(name).map(str::to_owned));
    let found = read(&call, move |moment, reading| {
        let fits = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        let mut counts = BTreeMap::new();
        for triple in moment.view.triples() {
            let names = names(moment, triple);
            if !(fits(&from, names.0) && fits(&verb, names.1) && fits(&to, names.2)) {
                continue;
            }
            let count = visible_edges(moment, triple, reading)?;
            if count > 0 {
                counts.insert(names, count);
            }
        }
        let mut triplets = Vec::with_capacity(counts.len());
        for ((from, verb, to), count) in counts {
            triplets.push(json!({"from": from, "verb": verb, "to": to, "count": count}));
        }
        Ok(triplets.into())
    });
    Ok(Node::json(found.await?))
}

fn names(moment: &Moment, triple: TripleMeta) -> (&str, &str, &str) {
    let view = &moment.view;
    let end = |type_id: TypeId| {
        if type_id.is_relationship() {
            RELATIONSHIP
        } else {
            view.type_name(type_id)
        }
    };
    (
        end(triple.from),
        view.verb_name(triple.verb),
        end(triple.to),
    )
}

/// How many relationships of a triple the caller may see: those both of whose ends are visible.
pub(super) fn visible_edges(
    moment: &Moment,
    triple: TripleMeta,
    reading: &Reading,
) -> Result<u64, FieldError> {
    reading.check()?;
    let view = &moment.view;
    if !moment.is_restricted() {
        return Ok(view.edge_count(triple.id));
    }
    if triple.from.is_relationship() || triple.to.is_relationship() {
        let live = view.live_edge_rows(triple.id);
        let edges = live.iter().map(|edge| EdgeRef {
            triple: triple.id,
            edge,
        });
        return Ok(edges.filter(|edge| moment.sees_edge(*edge)).count() as u64);
    }
    let (starts, ends) = (moment.rows(triple.from), moment.rows(triple.to));
    let is_whole = |type_id: TypeId, rows: &RowSet| rows.len() as u64 == view.live_count(type_id);
    if is_whole(triple.from, &starts) && is_whole(triple.to, &ends) {
        return Ok(view.edge_count(triple.id));
    }
    let (rows, others, way) = if starts.len() <= ends.len() {
        (starts, ends, Direction::Out)
    } else {
        (ends, starts, Direction::In)
    };
    let adjacency = view.adjacency(triple.id, way);
    let mut count = 0_u64;
    for row in rows.iter() {
        adjacency.for_each(row, |other| count += u64::from(others.contains(other)));
    }
    Ok(count)
}
