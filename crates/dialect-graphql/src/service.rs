// SPDX-License-Identifier: Apache-2.0
//! All GraphQL schemas of a server behind one door.
//!
//! On paths that the dialects share, the owner of the document's root fields decides which one
//! answers; then what the client says of itself; then it is the native schema. Which status an
//! unauthenticated caller gets is the dialect's affair, so the choice comes before authentication.

use durward_budget::Share;
use durward_model::ErrorKind;

use crate::context::{RequestContext, field_error};
use crate::contracts;
use crate::engine::{Engine, OperationKind, Outcome, Payload, Request, RootIndex, SchemaError};
use crate::jupiterone::JupiterOne;
use crate::native::Native;
use crate::opencti::OpenCti;
use crate::sonrai::Sonrai;

/// The schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaName {
    /// Durward's own.
    Durward,
    /// JupiterOne's.
    JupiterOne,
    /// OpenCTI's.
    OpenCti,
    /// Sonrai's.
    Sonrai,
}

/// What the headers of a request tell about the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientHints {
    /// It named an organization as JupiterOne's clients do.
    pub is_jupiterone: bool,
    /// Its user agent is OpenCTI's client, or it sent one of that client's headers.
    pub is_opencti: bool,
    /// It named an organization or its query as Sonrai's clients do.
    pub is_sonrai: bool,
}

/// An answer with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// Code of the first error, for logs and metrics.
    pub first_code: Option<String>,
    /// Whole seconds after which to try again, where the caller may.
    pub retry_after_seconds: Option<u32>,
}

/// How much a payload asks, for rate limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Root fields.
    pub operations: u32,
    /// J1QL queries among them.
    pub queries: u32,
}

/// The engines of all schemas.
#[derive(Debug)]
pub struct GraphQl {
    durward: Engine<Native>,
    jupiterone: Engine<JupiterOne>,
    opencti: Engine<OpenCti>,
    sonrai: Engine<Sonrai>,
    roots: RootIndex,
}

impl GraphQl {
    /// Reads all contracts. What is kept ready is charged to `caches`.
    ///
    /// # Errors
    /// When a contract is not valid, which a test excludes.
    pub fn new(caches: &Share) -> Result<Self, SchemaError> {
        Ok(Self {
            durward: Engine::new(Native, contracts::DURWARD, "durward.graphql")?.charged_to(caches),
            jupiterone: Engine::new(JupiterOne, contracts::JUPITERONE, "jupiterone.graphql")?
                .charged_to(caches),
            opencti: Engine::new(OpenCti, contracts::OPENCTI, "opencti.graphql")?
                .charged_to(caches),
            sonrai: Engine::new(Sonrai, contracts::SONRAI, "sonrai.graphql")?.charged_to(caches),
            roots: RootIndex::new(caches),
        })
    }

    /// The schema that answers a payload on a shared path.
    pub fn choose(&self, payload: &Payload, hints: ClientHints) -> SchemaName {
        let hinted = match hints {
            ClientHints {
                is_opencti: true, ..
            } => SchemaName::OpenCti,
            ClientHints {
                is_jupiterone: true,
                ..
            } => SchemaName::JupiterOne,
            ClientHints {
                is_sonrai: true, ..
            } => SchemaName::Sonrai,
            _ => SchemaName::Durward,
        };
        let Some(request) = first_request(payload) else {
            return hinted;
        };
        let Some(roots) = self.roots.find(request) else {
            return hinted;
        };
        let Some(first) = roots.names.first() else {
            return hinted;
        };
        let owners: Vec<SchemaName> = SCHEMAS
            .into_iter()
            .filter(|schema| self.has_root(*schema, roots.kind, first))
            .collect();
        match owners.as_slice() {
            [] => hinted,
            _ if owners.contains(&hinted) => hinted,
            [first, ..] => *first,
        }
    }

    /// Whether a schema has a root field.
    pub fn has_root(&self, schema: SchemaName, kind: OperationKind, field: &str) -> bool {
        match schema {
            SchemaName::Durward => self.durward.schema().has_root_field(kind, field),
            SchemaName::JupiterOne => self.jupiterone.schema().has_root_field(kind, field),
            SchemaName::OpenCti => self.opencti.schema().has_root_field(kind, field),
            SchemaName::Sonrai => self.sonrai.schema().has_root_field(kind, field),
        }
    }

    /// All root fields of a schema, by kind.
    pub fn root_fields(&self, schema: SchemaName, kind: OperationKind) -> Vec<&str> {
        match schema {
            SchemaName::Durward => self.durward.schema().root_fields(kind),
            SchemaName::JupiterOne => self.jupiterone.schema().root_fields(kind),
            SchemaName::OpenCti => self.opencti.schema().root_fields(kind),
            SchemaName::Sonrai => self.sonrai.schema().root_fields(kind),
        }
    }

    /// Whether a payload may be answered on a thread that serves connections: it asks for little,
    /// or for what goes off that thread by itself.
    pub fn is_quick(&self, schema: SchemaName, payload: &Payload) -> bool {
        let Payload::One(request) = payload else {
            return false;
        };
        if !matches!(schema, SchemaName::Durward | SchemaName::JupiterOne) {
            return false;
        }
        let Some(roots) = self.roots.find(request) else {
            // What cannot be read is refused.
            return true;
        };
        if roots.kind == OperationKind::Mutation {
            return roots.count <= QUICK_WRITES_MAX && roots.depth <= QUICK_WRITE_DEPTH_MAX;
        }
        let mut names = roots.names.iter();
        roots.count <= QUICK_ROOTS_MAX
            && roots.depth <= QUICK_DEPTH_MAX
            && names.all(|name| QUICK_ROOTS.contains(&name.as_str()))
    }

    /// Whether a payload is one request to change something. It waits for the writer, which stores
    /// many of them together.
    pub fn is_write(&self, payload: &Payload) -> bool {
        let Payload::One(request) = payload else {
            return false;
        };
        let roots = self.roots.find(request);
        roots.is_some_and(|roots| roots.kind == OperationKind::Mutation)
    }

    /// How much a payload asks.
    pub fn cost(&self, payload: &Payload) -> Cost {
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
            let is_query =
                |name: &&String| matches!(name.as_str(), "queryV1" | "queryV2" | "query");
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
        schema: SchemaName,
        context: &RequestContext,
        payload: Payload,
    ) -> Answer {
        let refused = match context.caller() {
            Ok(_) => None,
            Err(_) if context.allows_introspection() && self.is_introspection(&payload) => None,
            Err(error) => Some(field_error(error)),
        };
        let reply = match (schema, refused) {
            (SchemaName::OpenCti, _) => self.opencti.answer_payload(context, payload).await,
            (SchemaName::JupiterOne, Some(error)) => {
                self.jupiterone.refuse(Outcome::Refused, error).into()
            }
            (SchemaName::Durward, Some(error)) => {
                self.durward.refuse(Outcome::Refused, error).into()
            }
            (SchemaName::Sonrai, Some(error)) => self.sonrai.refuse(Outcome::Refused, error).into(),
            (SchemaName::Sonrai, None) => self.sonrai.answer_payload(context, payload).await,
            (SchemaName::JupiterOne, None) => {
                self.jupiterone.answer_payload(context, payload).await
            }
            (SchemaName::Durward, None) => self.durward.answer_payload(context, payload).await,
        };
        Answer {
            status: status(schema, reply.outcome, reply.first_code.as_deref()),
            body: reply.body,
            retry_after_seconds: retry_after_seconds(reply.first_code.as_deref()),
            first_code: reply.first_code,
        }
    }

    /// An answer that holds one error, in the schema's shape.
    pub fn refusal(&self, schema: SchemaName, kind: ErrorKind, message: &str) -> Answer {
        let error = match (schema, kind) {
            (SchemaName::OpenCti, ErrorKind::Unauthenticated) => {
                crate::opencti::errors::auth_required()
            }
            _ => crate::engine::FieldError::new(crate::context::code(kind), message),
        };
        let response = match schema {
            SchemaName::OpenCti => self.opencti.refuse(Outcome::Malformed, error),
            SchemaName::JupiterOne => self.jupiterone.refuse(Outcome::Malformed, error),
            SchemaName::Durward => self.durward.refuse(Outcome::Malformed, error),
            SchemaName::Sonrai => self.sonrai.refuse(Outcome::Malformed, error),
        };
        let status = match (schema, kind) {
            (SchemaName::OpenCti, _) => 200,
            (_, ErrorKind::RateLimited) => 429,
            (_, ErrorKind::Unauthenticated) => 401,
            (_, ErrorKind::Unavailable) => 503,
            _ => 400,
        };
        Answer {
            status,
            body: response.body,
            retry_after_seconds: retry_after_seconds(response.first_code.as_deref()),
            first_code: response.first_code,
        }
    }

    /// Whether a payload asks for nothing but types.
    fn is_introspection(&self, payload: &Payload) -> bool {
        let Payload::One(request) = payload else {
            return false;
        };
        self.roots
            .find(request)
            .is_some_and(|roots| roots.names.is_empty())
    }
}

const SCHEMAS: [SchemaName; 4] = [
    SchemaName::JupiterOne,
    SchemaName::OpenCti,
    SchemaName::Sonrai,
    SchemaName::Durward,
];

fn first_request(payload: &Payload) -> Option<&Request> {
    match payload {
        Payload::One(request) => Some(request),
        Payload::Many(requests) => requests.iter().find_map(|item| item.as_ref().ok()),
    }
}

/// The HTTP status of a reply. OpenCTI's client takes anything but 200 for a broken server.
fn status(schema: SchemaName, outcome: Outcome, first_code: Option<&str>) -> u16 {
    match (schema, outcome, first_code) {
        (SchemaName::OpenCti, _, _) => 200,
        (_, _, Some("UNAUTHENTICATED")) => 401,
        (_, _, Some("TOO_MANY_REQUESTS")) => 429,
        (_, Outcome::Malformed, _) => 400,
        _ => 200,
    }
}

/// When to try again after a share was used up. What holds it mostly ends within one request.
fn retry_after_seconds(first_code: Option<&str>) -> Option<u32> {
    match first_code {
        Some("TOO_MANY_REQUESTS" | "SERVICE_UNAVAILABLE") => Some(RETRY_AFTER_SECONDS),
        _ => None,
    }
}

/// Root fields that read one object, or run off the threads that serve connections by themselves.
const QUICK_ROOTS: [&str; 8] = [
    "caller",
    "entity",
    "explain",
    "iamGetAccount",
    "organization",
    "query",
    "queryV1",
    "queryV2",
];
/// So many of them may be asked at once.
const QUICK_ROOTS_MAX: usize = 4;
/// No field below one object leads to others within this depth.
const QUICK_DEPTH_MAX: usize = 2;

/// So many writes may be asked at once: each waits for the writer, which stores many of them
/// together, and takes no thread while it waits.
const QUICK_WRITES_MAX: usize = 16;
/// What was written may be told with its own fields (`updateEntity { vertex { id } }`).
const QUICK_WRITE_DEPTH_MAX: usize = 3;

/// Seconds after which a refused caller may try again.
const RETRY_AFTER_SECONDS: u32 = 2;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_budget::Budget;
    use serde_json::json;

    use super::*;
    use crate::engine::decode;

    #[test]
    fn writes_take_no_thread_while_they_wait() {
        let caches = Budget::unlimited().caches();
        let graphql = GraphQl::new(&caches).unwrap();
        let told = |document: &str| {
            let body = json!({ "query": document }).to_string();
            let payload = decode(body.as_bytes(), &caches.lease()).unwrap();
            let is_quick = graphql.is_quick(SchemaName::JupiterOne, &payload);
            (is_quick, graphql.is_write(&payload))
        };
        let write = "createEntity(entityKey:\"k\",entityType:\"t\",entityClass:[\"Record\"])";
        assert_eq!(
            told(&format!("mutation{{{write}{{vertex{{id}}}}}}")),
            (true, true)
        );
        let deep = format!("mutation{{{write}{{vertex{{entity{{_id}}}}}}}}");
        assert_eq!(told(&deep), (false, true));
        let many = format!("{write}{{vertex{{id}}}}");
        let many = ["a:", "b:"].map(|alias| format!("{alias}{many}")).concat();
        let many = many.repeat(QUICK_WRITES_MAX);
        assert_eq!(told(&format!("mutation{{{many}}}")), (false, true));
        assert_eq!(told("{iamGetAccount{id}}"), (true, false));
        assert_eq!(told("{listVerticesV2{vertices{id}}}"), (false, false));
        assert_eq!(told("{"), (true, false), "it is refused");
    }
}
