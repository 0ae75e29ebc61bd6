// SPDX-License-Identifier: Apache-2.0
//! All GraphQL schemas of a server behind one door.
//!
//! On paths that the dialects share, the owner of the document's root fields decides which one
//! answers; then what the client says of itself; then it is the last one registered. Which status
//! an unauthenticated caller gets is the dialect's affair, so the choice comes before
//! authentication.

use std::sync::Arc;

use durward_budget::Share;
use http::HeaderMap;

use crate::context::RequestContext;
use crate::endpoint::{Answer, Endpoint, Served, endpoint};
use crate::engine::{OperationKind, Payload, Request, RootFields, RootIndex, SchemaError};

/// How much a payload asks, for rate limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Root fields.
    pub operations: u32,
    /// Queries of the graph among them.
    pub queries: u32,
}

/// The schemas of a server.
#[derive(Debug)]
pub struct GraphQl {
    caches: Share,
    roots: RootIndex,
    endpoints: Vec<Arc<dyn Endpoint>>,
    /// Answers where nothing tells who else should.
    last: Arc<dyn Endpoint>,
}

impl GraphQl {
    /// A server with one dialect. What it keeps ready is charged to `caches`.
    ///
    /// # Errors
    /// When the contract is not valid, which a test excludes.
    pub fn new<D: Served>(last: D, caches: &Share) -> Result<Self, SchemaError> {
        Ok(Self {
            caches: caches.clone(),
            roots: RootIndex::new(caches),
            endpoints: Vec::new(),
            last: endpoint(last, caches)?.into(),
        })
    }

    /// The same with one dialect more. Where root fields or headers speak for several dialects,
    /// the one that was added first answers.
    ///
    /// # Errors
    /// When the contract is not valid, which a test excludes.
    pub fn with<D: Served>(mut self, dialect: D) -> Result<Self, SchemaError> {
        let added = endpoint(dialect, &self.caches)?;
        self.endpoints.push(added.into());
        Ok(self)
    }

    /// All schemas.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<dyn Endpoint>> {
        self.endpoints.iter().chain([&self.last])
    }

    /// The schema of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Endpoint>> {
        self.endpoints().find(|endpoint| endpoint.name() == name)
    }

    /// The schema whose clients send such headers.
    pub fn hinted(&self, headers: &HeaderMap) -> &Arc<dyn Endpoint> {
        let mut endpoints = self.endpoints.iter();
        let hinted = endpoints.find(|endpoint| endpoint.is_asked_by(headers));
        hinted.unwrap_or(&self.last)
    }

    /// The schema that answers a payload on a shared path, when the client says of itself that it
    /// is one of `hinted`.
    pub fn choose<'a>(
        &'a self,
        payload: &Payload,
        hinted: &'a Arc<dyn Endpoint>,
    ) -> &'a Arc<dyn Endpoint> {
        let roots = first_request(payload).and_then(|request| self.roots.find(request));
        let Some(roots) = roots else {
            return hinted;
        };
        let Some(first) = roots.names.first() else {
            return hinted;
        };
        if hinted.has_root(roots.kind, first) {
            return hinted;
        }
        let mut endpoints = self.endpoints();
        let owner = endpoints.find(|endpoint| endpoint.has_root(roots.kind, first));
        owner.unwrap_or(hinted)
    }

    /// Whether a payload may be answered on a thread that serves connections: it asks for little,
    /// or for what goes off that thread by itself.
    pub fn is_quick(&self, endpoint: &dyn Endpoint, payload: &Payload) -> bool {
        match payload {
            Payload::One(_) => endpoint.is_quick(self.roots_of_one(payload).as_ref()),
            Payload::Many(_) => false,
        }
    }

    /// Whether a payload is one request to change something. It waits for the writer, which stores
    /// many of them together.
    pub fn is_write(&self, payload: &Payload) -> bool {
        let roots = self.roots_of_one(payload);
        roots.is_some_and(|roots| roots.kind == OperationKind::Mutation)
    }

    /// How much a payload asks of a schema.
    pub fn cost(&self, endpoint: &dyn Endpoint, payload: &Payload) -> Cost {
        let mut cost = Cost::default();
        let requests: Vec<&Request> = match payload {
            Payload::One(request) => vec![request],
            Payload::Many(requests) => requests
                .iter()
                .filter_map(|item| item.as_ref().ok())
                .collect(),
        };
        for request in requests {
            let Some(roots) = self.roots.find(request) else {
                cost.operations = cost.operations.saturating_add(1);
                continue;
            };
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            cost.operations = cost.operations.saturating_add(count(roots.count.max(1)));
            let is_query = |name: &&String| endpoint.query_roots().contains(&name.as_str());
            let queries = roots.names.iter().filter(is_query).count();
            if queries > 0 {
                // The same field under many aliases runs many times.
                let others = roots.names.len().saturating_sub(queries);
                let queries = roots.count.saturating_sub(others);
                cost.queries = cost.queries.saturating_add(count(queries));
            }
        }
        cost
    }

    /// Executes a payload. An unauthenticated caller gets the schema's own kind of refusal.
    pub async fn answer(
        &self,
        endpoint: &dyn Endpoint,
        context: &RequestContext,
        payload: Payload,
    ) -> Answer {
        let asks_for_types = || {
            let roots = self.roots_of_one(&payload);
            roots.is_some_and(|roots| roots.names.is_empty())
        };
        let is_introspection = context.caller().is_err() && asks_for_types();
        endpoint.answer(context, payload, is_introspection).await
    }

    fn roots_of_one(&self, payload: &Payload) -> Option<RootFields> {
        match payload {
            Payload::One(request) => self.roots.find(request),
            Payload::Many(_) => None,
        }
    }
}

fn first_request(payload: &Payload) -> Option<&Request> {
    match payload {
        Payload::One(request) => Some(request),
        Payload::Many(requests) => requests.iter().find_map(|item| item.as_ref().ok()),
    }
}
