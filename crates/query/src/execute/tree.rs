// SPDX-License-Identifier: Apache-2.0
//! Trees: the distinct entities and relationships of all paths.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use durward_graph::EdgeRef;

use super::binding::Binding;
use super::engine::Engine;
use super::object::ObjectJson;
use super::rows::{Prepared, RowPlan};
use super::sets::TypedSet;
use crate::error::QueryError;
use crate::plan::Plan;

/// Bytes that one object takes while a tree is put together.
const OBJECT_BYTES: usize = 64;

/// `{vertices: [...], edges: [...]}` and the number of vertices.
pub(crate) fn write_tree(engine: &Engine, plan: &Plan) -> Result<(Vec<u8>, u64), QueryError> {
    let objects = collect(engine, plan)?;
    let json = ObjectJson::new(engine);
    let mut out = b"{\"vertices\":".to_vec();
    let vertices = objects
        .iter()
        .filter(|object| matches!(object, Binding::Entity(_)));
    let count = vertices.clone().count() as u64;
    write_array(engine, &json, vertices, &mut out)?;
    out.extend_from_slice(b",\"edges\":");
    let edges = objects
        .iter()
        .filter(|object| matches!(object, Binding::Edge(_)));
    write_array(engine, &json, edges, &mut out)?;
    out.push(b'}');
    Ok((out, count))
}

fn write_array<'o>(
    engine: &Engine,
    json: &ObjectJson<'_>,
    objects: impl Iterator<Item = &'o Binding>,
    out: &mut Vec<u8>,
) -> Result<(), QueryError> {
    out.push(b'[');
    for (position, object) in objects.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let before = out.len();
        json.write(*object, out);
        engine.meter.tick(1)?;
        engine.meter.bytes(out.len() - before)?;
    }
    out.push(b']');
    Ok(())
}

fn collect(engine: &Engine, plan: &Plan) -> Result<BTreeSet<Binding>, QueryError> {
    let prepared = Prepared::new(engine, plan)?;
    let starts = prepared.reduce(engine)?;
    if prepared.chain.is_linear() && prepared.sets_suffice() {
        return collect_by_sets(engine, &prepared, starts);
    }
    let mut objects = BTreeSet::new();
    let rows = RowPlan::Paths {
        starts,
        with_edges: true,
    };
    engine.note(|| rows.describe());
    rows.run(engine, &prepared, Vec::new(), &mut |bindings, _| {
        for binding in bindings {
            if *binding != Binding::Empty && objects.insert(*binding) {
                engine.meter.bytes(OBJECT_BYTES)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(objects)
}

/// Every relationship between nodes that are both on paths is on one itself, when no relationship
/// can be needed twice.
fn collect_by_sets(
    engine: &Engine,
    prepared: &Prepared,
    starts: TypedSet,
) -> Result<BTreeSet<Binding>, QueryError> {
    let mut objects = BTreeSet::new();
    let mut set = starts;
    for step in prepared.chain.steps() {
        add_nodes(engine, &set, &mut objects)?;
        let keep = step.keep.borrow().clone().unwrap_or_default();
        let mut next: Vec<durward_graph::EntityRef> = Vec::new();
        for hop in &step.hops {
            let (Some(from), Some(to)) = (set.get(hop.from), keep.get(hop.to)) else {
                continue;
            };
            let allowed = match &step.edge_gate {
                Some(gate) => Some(gate.full(engine, hop.triple)?),
                None => None,
            };
            let forward = hop.forward(engine);
            for row in from {
                engine.meter.tick(forward.degree(row) as u64 + 1)?;
                let mut added = 0;
                forward.for_each_edge(row, |other, edge| {
                    let fits = allowed.as_ref().is_none_or(|rows| rows.contains(edge));
                    if fits && to.contains(other) {
                        let edge = EdgeRef {
                            triple: hop.triple,
                            edge,
                        };
                        added += usize::from(objects.insert(Binding::Edge(edge)));
                        next.push(durward_graph::EntityRef {
                            type_id: hop.to,
                            row: other,
                        });
                    }
                });
                engine.meter.bytes(added * OBJECT_BYTES)?;
            }
        }
        next.sort_unstable();
        next.dedup();
        set = reached(engine, &next);
    }
    add_nodes(engine, &set, &mut objects)?;
    engine.note(|| format!("tree of {} objects by sets", objects.len()));
    Ok(objects)
}

fn reached(engine: &Engine, nodes: &[durward_graph::EntityRef]) -> TypedSet {
    nodes
        .chunk_by(|left, right| left.type_id == right.type_id)
        .filter_map(|chunk| {
            let type_id = chunk.first()?.type_id;
            let universe = if type_id.is_relationship() {
                u32::MAX
            } else {
                engine.view.rows(type_id)
            };
            let rows = chunk.iter().map(|node| node.row).collect();
            Some((type_id, durward_graph::RowSet::from_sorted(rows, universe)))
        })
        .collect()
}

fn add_nodes(
    engine: &Engine,
    set: &TypedSet,
    objects: &mut BTreeSet<Binding>,
) -> Result<(), QueryError> {
    for node in set.iter() {
        engine.meter.tick(1)?;
        if objects.insert(Binding::node(&engine.view, node)) {
            engine.meter.bytes(OBJECT_BYTES)?;
        }
    }
    Ok(())
}
