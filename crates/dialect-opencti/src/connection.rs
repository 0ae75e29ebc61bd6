// SPDX-License-Identifier: Apache-2.0
//! Connections: a page of nodes with cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// The GraphQL type of the edges of a connection.
fn edge_type(connection: &str) -> String {
    let stem = connection.strip_suffix("Connection").unwrap_or(connection);
    // The one contract type whose name does not follow the rule.
    let plural = if stem == "StixSightingRelationship" {
        "s"
    } else {
        ""
    };
    format!("{stem}{plural}Edge")
}

/// A page of nodes. Whoever lists makes the nodes; this gives them their GraphQL shape.
pub(super) struct Connection {
    /// Name of the GraphQL type, such as `MalwareConnection`.
    type_name: String,
    edge_type: String,
    /// The nodes and the cursor of each.
    nodes: Vec<(String, Shown)>,
    /// The cursors of the first and the last row, shown or not.
    ends: Option<(String, String)>,
    /// Whether more follow.
    has_next: bool,
    /// Whether some come before.
    has_previous: bool,
    /// All that match, over all pages.
    total: u64,
}

/// Something that can be shown any number of times.
pub(super) type Shown = std::sync::Arc<dyn Object<RequestContext>>;

impl Connection {
    /// A page of a longer list.
    pub(super) fn page(
        type_name: &str,
        nodes: Vec<(String, Shown)>,
        ends: Option<(String, String)>,
        has_next: bool,
        has_previous: bool,
        total: u64,
    ) -> Self {
        let edge_type = edge_type(type_name);
        let type_name = type_name.to_owned();
        Self {
            type_name,
            edge_type,
            nodes,
            ends,
            has_next,
            has_previous,
            total,
        }
    }

    /// A connection that holds all of a short list.
    pub(super) fn whole(type_name: &str, nodes: Vec<Shown>) -> Self {
        let total = nodes.len() as u64;
        let nodes = nodes
            .into_iter()
            .enumerate()
            .map(|(position, node)| (position_cursor(position), node))
            .collect::<Vec<_>>();
        let ends = nodes.first().zip(nodes.last());
        let ends = ends.map(|((first, _), (last, _))| (first.clone(), last.clone()));
        Self::page(type_name, nodes, ends, false, false, total)
    }

    /// A connection without nodes.
    pub(super) fn empty(type_name: &str) -> Self {
        Self::whole(type_name, Vec::new())
    }
}

fn position_cursor(position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("[{position}]"))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("type_name", &self.type_name)
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl Object<RequestContext> for Connection {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn field<'a>(
        &'a self,
        call: &Call<'a, RequestContext>,
    ) -> Result<Node<'a, RequestContext>, FieldError> {
        match call.name() {
            "edges" => {
                let edge_type = self.edge_type.as_str();
                let edge = |(cursor, node): &'a (String, Shown)| {
                    Node::object(Edge {
                        type_name: edge_type,
                        cursor,
                        node: &**node,
                    })
                };
                Ok(Node::rows(self.nodes.iter().map(edge)))
            }
            "pageInfo" => Ok(Node::object(PageInfo {
                start: self.ends.as_ref().map_or("", |(first, _)| first),
                end: self.ends.as_ref().map_or("", |(_, last)| last),
                has_next: self.has_next,
                has_previous: self.has_previous,
                total: self.total,
            })),
            other => Err(FieldError::unsupported(other)),
        }
    }
}

struct Edge<'e> {
    type_name: &'e str,
    cursor: &'e str,
    node: &'e dyn Object<RequestContext>,
}

impl Object<RequestContext> for Edge<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn field<'a>(
        &'a self,
        call: &Call<'a, RequestContext>,
    ) -> Result<Node<'a, RequestContext>, FieldError> {
        match call.name() {
            "node" => Ok(Node::object_ref(self.node)),
            "cursor" => Ok(Node::text(self.cursor)),
            other => Err(FieldError::unsupported(other)),
        }
    }
}

struct PageInfo<'p> {
    start: &'p str,
    end: &'p str,
    has_next: bool,
    has_previous: bool,
    total: u64,
}

impl Object<RequestContext> for PageInfo<'_> {
    fn type_name(&self) -> &'static str {
        "PageInfo"
    }

    fn field<'a>(
        &'a self,
        call: &Call<'a, RequestContext>,
    ) -> Result<Node<'a, RequestContext>, FieldError> {
        Ok(match call.name() {
            "startCursor" => Node::text(self.start),
            "endCursor" => Node::text(self.end),
            "hasNextPage" => Node::Boolean(self.has_next),
            "hasPreviousPage" => Node::Boolean(self.has_previous),
            "globalCount" => Node::Int(i64::try_from(self.total).unwrap_or(i64::MAX)),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}
