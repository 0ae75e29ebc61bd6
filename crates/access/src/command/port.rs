// SPDX-License-Identifier: Apache-2.0
//! Loopback addresses and ports under which clients reach resources.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use durward_catalog::Kind;
use durward_graph::{EntityRef, View};
use durward_model::Value;

use crate::reader;

/// First and last port that is given out.
const PORT_FIRST: i64 = 10_000;
const PORT_LAST: i64 = 65_535;
/// Property with the port.
pub(super) const PORT: &str = "portOverride";
/// Property with the address.
pub(super) const ADDRESS: &str = "bindInterface";
/// The address that is used first; the next ones follow when its ports are all taken.
pub(super) const ADDRESS_FIRST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Which ports are taken; read from the graph when first needed.
#[derive(Debug, Default)]
pub(crate) struct PortBook {
    by_address: Option<BTreeMap<String, Ports>>,
}

/// The ports of one address.
#[derive(Debug, Default)]
struct Ports {
    taken: BTreeSet<i64>,
    next: i64,
    /// Whether the last one was given. Ports that are free again are found after a restart.
    is_full: bool,
}

impl Ports {
    fn give(&mut self) -> Option<i64> {
        while !self.is_full {
            let port = self.next.max(PORT_FIRST);
            self.is_full = port > PORT_LAST;
            self.next = port + 1;
            if !self.is_full && self.taken.insert(port) {
                return Some(port);
            }
        }
        None
    }
}

impl PortBook {
    /// An address and a port that no living resource has; on the address that is asked for, if it
    /// has one left.
    pub(super) fn give(&mut self, view: &View, asked: &str) -> (String, i64) {
        let by_address = self.by_address.get_or_insert_with(|| read(view));
        let mut address = asked.parse().unwrap_or(ADDRESS_FIRST);
        loop {
            let name = address.to_string();
            let ports = by_address.entry(name.clone()).or_default();
            if let Some(port) = ports.give() {
                return (name, port);
            }
            address = Ipv4Addr::from(u32::from(address).wrapping_add(1));
        }
    }

    /// Notes a port that a client chose for a resource. Answers `false` when another living
    /// resource has it.
    pub(super) fn take(
        &mut self,
        view: &View,
        own: Option<EntityRef>,
        address: &str,
        port: i64,
    ) -> bool {
        let by_address = self.by_address.get_or_insert_with(|| read(view));
        let ports = by_address.entry(address.to_owned()).or_default();
        // What is noted may be free again: the graph knows.
        ports.taken.insert(port) || !is_held(view, own, address, port)
    }
}

/// Whether a living resource, another than this one, has a port of an address.
fn is_held(view: &View, own: Option<EntityRef>, address: &str, port: i64) -> bool {
    let (Some(type_id), Some(property)) = (
        view.type_id(Kind::RESOURCE.type_name()),
        view.property_id(PORT),
    ) else {
        return false;
    };
    let Some(column) = view.column(type_id, property) else {
        return false;
    };
    let same_port = column.select_equal(&view.live_rows(type_id), &Value::Int(port));
    same_port.iter().any(|row| {
        let resource = EntityRef { type_id, row };
        Some(resource) != own && reader::text(view, resource, ADDRESS) == address
    })
}

fn read(view: &View) -> BTreeMap<String, Ports> {
    let mut by_address: BTreeMap<String, Ports> = BTreeMap::new();
    let Some(type_id) = view.type_id(Kind::RESOURCE.type_name()) else {
        return by_address;
    };
    for row in &view.live_rows(type_id) {
        let resource = EntityRef { type_id, row };
        if let Value::Int(port) = reader::value(view, resource, PORT) {
            let address = reader::text(view, resource, ADDRESS);
            by_address.entry(address).or_default().taken.insert(port);
        }
    }
    by_address
}
