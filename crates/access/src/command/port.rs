// SPDX-License-Identifier: Apache-2.0
//! Loopback addresses and ports under which clients reach resources.

use std::collections::BTreeSet;

use durward_graph::{EntityRef, View};
use durward_model::Value;

use crate::kind::RESOURCE_TYPE;

/// First and last port that is given out.
const PORT_FIRST: i64 = 10_000;
const PORT_LAST: i64 = 65_535;
/// Property with the port.
pub(super) const PORT: &str = "portOverride";
/// Property with the address.
pub(super) const ADDRESS: &str = "bindInterface";
/// The address that is used first; more follow when its ports are all taken.
pub(super) const ADDRESS_FIRST: &str = "127.0.0.1";

/// Which ports are taken; read from the graph when first needed.
#[derive(Debug, Default)]
pub(crate) struct PortBook {
    taken: Option<BTreeSet<i64>>,
    next: i64,
}

impl PortBook {
    /// A port that no living resource has; once all are taken, one that is used on another address.
    pub(super) fn give(&mut self, view: &View) -> i64 {
        let taken = self.taken.get_or_insert_with(|| read(view));
        let mut port = self.next.max(PORT_FIRST);
        for _ in PORT_FIRST..=PORT_LAST {
            if port > PORT_LAST {
                port = PORT_FIRST;
            }
            if taken.insert(port) {
                break;
            }
            port += 1;
        }
        self.next = port + 1;
        port.min(PORT_LAST)
    }

    /// Notes a port that a client chose.
    pub(super) fn take(&mut self, port: i64) {
        if let Some(taken) = &mut self.taken {
            taken.insert(port);
        }
    }
}

fn read(view: &View) -> BTreeSet<i64> {
    let (Some(type_id), Some(property)) = (view.type_id(RESOURCE_TYPE), view.property_id(PORT))
    else {
        return BTreeSet::new();
    };
    let rows = view.live_rows(type_id);
    let ports =
        rows.iter().filter_map(
            |row| match view.value(EntityRef { type_id, row }, property) {
                Value::Int(port) => Some(port),
                _ => None,
            },
        );
    ports.collect()
}
