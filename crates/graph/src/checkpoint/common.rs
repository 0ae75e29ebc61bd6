// SPDX-License-Identifier: Apache-2.0
//! The section of a checkpoint that everything else depends on.

use std::sync::Arc;

use durward_model::transaction::{HASH_BYTES, Sequence};
use durward_model::{EntityNumber, Instant, Namespace, ObjectNumber, RelationshipNumber};

use super::CheckpointExtra;
use super::codec::{Damage, Decoder, Encoder};
use crate::ids::ClassId;
use crate::state::Snapshot;
use crate::state::aliases::AliasLife;
use crate::state::timeline::Tick;
use crate::symbols::Interner;

/// How many sections of either kind follow, and the numbers given out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) types: usize,
    pub(super) triples: usize,
    pub(super) entities: u32,
    pub(super) relationships: u32,
}

pub(super) fn write_common(out: &mut Encoder, snapshot: &Snapshot, extra: &CheckpointExtra) {
    out.number(snapshot.sequence.0);
    out.signed(snapshot.committed_at.as_micros());
    out.blob(&extra.head);
    out.blob(&extra.more);
    out.text(&snapshot.catalog.derivations());
    let numbers = snapshot.next_numbers();
    out.length(snapshot.types.len());
    out.length(snapshot.triples.len());
    out.small(numbers.entity.0);
    out.small(numbers.relationship.0);
    let symbols = &snapshot.symbols;
    for names in [
        &symbols.types,
        &symbols.verbs,
        &symbols.properties,
        &symbols.classes,
        &symbols.edge_types,
    ] {
        out.length(names.len());
        for name in names.iter() {
            out.text(name);
        }
    }
    out.length(symbols.class_sets.len());
    for set in symbols.class_sets.iter() {
        out.length(set.len());
        for class in set.iter() {
            out.small(u32::from(class.0));
        }
    }
    out.length(symbols.namespaces.len());
    for namespace in symbols.namespaces.iter() {
        out.text(&namespace.source);
        out.text(&namespace.scope);
    }
    out.small(snapshot.timeline.last().0);
    let (mut sequence, mut instant) = (0, 0);
    for (next, when) in snapshot.timeline.iter() {
        out.number(next.0 - sequence);
        out.signed(when.as_micros().wrapping_sub(instant));
        sequence = next.0;
        instant = when.as_micros();
    }
    write_aliases(out, snapshot);
}

fn write_aliases(out: &mut Encoder, snapshot: &Snapshot) {
    let aliases = snapshot.aliases.sorted();
    out.length(aliases.len());
    for (alias, lives) in aliases {
        out.text(alias);
        out.length(lives.len());
        for life in lives {
            let (kind, number) = match life.object {
                ObjectNumber::Entity(EntityNumber(number)) => (0, number),
                ObjectNumber::Relationship(RelationshipNumber(number)) => (1, number),
            };
            out.byte(kind);
            out.small(number);
            out.small(life.from.0);
            out.small(life.until.map_or(0, |until| until.0));
        }
    }
}

fn read_names(from: &mut Decoder<'_>, names: &mut Interner<Arc<str>>) -> Result<(), Damage> {
    for number in 0..from.length()? {
        if names.intern(from.text()?) as usize != number {
            return Err("a name occurs twice".to_owned());
        }
    }
    Ok(())
}

pub(super) fn read_common(
    bytes: &[u8],
    snapshot: &mut Snapshot,
) -> Result<(CheckpointExtra, Counts), Damage> {
    let from = &mut Decoder::new(bytes);
    snapshot.sequence = Sequence(from.number()?);
    snapshot.committed_at = Instant::from_micros(from.signed()?);
    let head: [u8; HASH_BYTES] = from
        .blob()?
        .try_into()
        .map_err(|_| "the head hash has a wrong length".to_owned())?;
    let more = from.blob()?.to_vec();
    if from.text()? != snapshot.catalog.derivations() {
        return Err("the catalog worked properties out by other rules".to_owned());
    }
    let counts = Counts {
        types: from.number()? as usize,
        triples: from.number()? as usize,
        entities: from.small()?,
        relationships: from.small()?,
    };
    let symbols = &mut snapshot.symbols;
    read_names(from, &mut symbols.types)?;
    read_names(from, &mut symbols.verbs)?;
    read_names(from, &mut symbols.properties)?;
    read_names(from, &mut symbols.classes)?;
    read_names(from, &mut symbols.edge_types)?;
    for number in 0..from.length()? {
        let len = from.length()?;
        let class = |_| from.small().map(|class| ClassId(class as u16));
        let set = (0..len).map(class).collect::<Result<Vec<_>, _>>()?;
        if symbols.class_sets.intern_owned(set.into()) as usize != number {
            return Err("a class set occurs twice".to_owned());
        }
    }
    for number in 0..from.length()? {
        let namespace = Namespace::new(from.text()?, from.text()?);
        if symbols.namespaces.intern_owned(namespace) as usize != number {
            return Err("a namespace occurs twice".to_owned());
        }
    }
    let (mut sequence, mut instant) = (0u64, 0i64);
    for _ in 0..from.small()? {
        sequence = sequence
            .checked_add(from.number()?)
            .ok_or("a sequence is too large")?;
        instant = instant.wrapping_add(from.signed()?);
        snapshot
            .timeline
            .push(Sequence(sequence), Instant::from_micros(instant));
    }
    read_aliases(from, snapshot)?;
    from.end()?;
    Ok((CheckpointExtra { head, more }, counts))
}

fn read_aliases(from: &mut Decoder<'_>, snapshot: &mut Snapshot) -> Result<(), Damage> {
    for _ in 0..from.length()? {
        let alias = from.text()?;
        for _ in 0..from.length()? {
            let object = match (from.byte()?, from.small()?) {
                (0, number) => ObjectNumber::Entity(EntityNumber(number)),
                (_, number) => ObjectNumber::Relationship(RelationshipNumber(number)),
            };
            let (begun, until) = (Tick(from.small()?), from.small()?);
            let until = (until > 0).then_some(Tick(until));
            snapshot.aliases.restore(
                alias,
                AliasLife {
                    object,
                    from: begun,
                    until,
                },
            );
        }
    }
    Ok(())
}
