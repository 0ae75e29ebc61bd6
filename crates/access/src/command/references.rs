// SPDX-License-Identifier: Apache-2.0
//! Ids of other objects among the properties of a resource: what they name must be there when they
//! are set. What they name may end later; then they name nothing.

use durward_catalog::ids;
use durward_catalog::kinds::property;
use durward_graph::View;

use crate::{AccessError, Kind, reader};

/// Properties that hold ids.
pub(super) const REFERENCES: &[&str] = &[SECRET_STORE, PROXY_CLUSTER];

const SECRET_STORE: &str = "secretStoreId";
const PROXY_CLUSTER: &str = "proxyClusterId";
/// The kind of nodes that are proxy clusters.
const PROXY_CLUSTER_KIND: &str = "proxy_cluster";

/// Refuses an id that names nothing of the right kind.
pub(super) fn check(view: &View, property: &str, id: &str) -> Result<(), AccessError> {
    let (what, is_there) = match property {
        _ if id.is_empty() => return Ok(()),
        // There are no secret stores in this build.
        SECRET_STORE => ("the secret store", false),
        _ => ("the proxy cluster", is_proxy_cluster(view, id)),
    };
    if is_there {
        return Ok(());
    }
    Err(AccessError::invalid(what, format!("{id:?} does not exist")))
}

fn is_proxy_cluster(view: &View, id: &str) -> bool {
    let node = ids::parse_prefixed_or_bare(Kind::NODE.prefix(), id)
        .and_then(|id| reader::entity(view, id, &[Kind::NODE]));
    node.is_some_and(|node| reader::text(view, node, property::KIND) == PROXY_CLUSTER_KIND)
}
