// SPDX-License-Identifier: Apache-2.0
//! J1QL through `queryV1` and `queryV2`, at once or deferred.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_budget::Share;
use durward_graph::View;
use durward_model::{ErrorKind, Instant, Value};
use durward_query::{
    PageSize, QueryError, QueryPage, RunOptions, check, run as run_query, warnings,
};
use serde_json::{Value as Json, json};

use crate::errors;
use durward_graphql::context::RequestContext;
use durward_graphql::deferred::{DeferredResults, Owner};
use durward_graphql::engine::{Call, FieldError, JsonMap, Node, Object};

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// Rows of a page, unless the client takes whatever size the server likes.
const PAGE_ROWS: u64 = 250;
/// Bytes of a page where the client takes whatever size the server likes.
const PAGE_BYTES: usize = 1 << 20;

/// What is asked, whatever the version.
struct Asked {
    text: String,
    at: Option<Instant>,
    options: RunOptions,
    remember: bool,
}

/// `queryV1`
pub(super) async fn first_version(call: Call<'_, Context>) -> Answer<'_> {
    let flags = call.argument("flags").and_then(Json::as_object);
    let flag = |name: &str| {
        flags
            .and_then(|flags| flags.get(name))
            .and_then(Json::as_bool)
            .unwrap_or(false)
    };
    let asked = asked(&call, flag("rowMetadata"), flag("variableResultSize"))?;
    if call.text_argument("deferredFormat") == Some("CSV") {
        return Err(FieldError::unsupported("queryV1(deferredFormat: CSV)"));
    }
    if call.bool_argument("dryRun") == Some(true) {
        let (kind, warnings) = off_thread(call.context, asked, |view, asked| {
            let kind = check(&asked.text, &asked.options)?;
            Ok((kind, warnings(view, &asked.text, &asked.options)?))
        })
        .await?;
        call.context.warn(&warnings);
        return Ok(Node::json(json!({
            "type": kind.as_str(), "data": null, "correlationId": call.context.request_id(),
        })));
    }
    if call.text_argument("deferredResponse") == Some("FORCE") {
        return deferred(call.context, asked);
    }
    let page = run(call.context, asked).await?;
    call.context.warn(&page.warnings);
    let correlation = call.context.request_id().to_owned();
    Ok(Node::object(Direct { page, correlation }))
}

/// `queryV2`: always deferred.
pub(super) fn second_version<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let row_metadata = call.bool_argument("returnRowMetadata").unwrap_or(false);
    let asked = asked(call, row_metadata, true)?;
    check(&asked.text, &asked.options).map_err(|error| errors::of(&error))?;
    deferred(call.context, asked)
}

fn asked(
    call: &Call<'_, Context>,
    row_metadata: bool,
    variable_result_size: bool,
) -> Result<Asked, FieldError> {
    let context = call.context;
    let at = call
        .text_argument("at")
        .map(str::parse::<Instant>)
        .transpose();
    let at = at.map_err(|error| errors::invalid(format!("at: {error}")))?;
    let page = if variable_result_size {
        PageSize::Bytes(PAGE_BYTES)
    } else {
        PageSize::Rows(PAGE_ROWS)
    };
    let options = RunOptions {
        parameters: BTreeMap::new(),
        variables: variables(call.argument("variables"))?,
        now: context.now(),
        scope_filters: scope_filters(call.argument("scopeFilters"))?,
        include_deleted: call.bool_argument("includeDeleted").unwrap_or(false),
        row_condition: context.row_condition(),
        limits: context.limits(),
        page,
        cursor: call.text_argument("cursor").map(str::to_owned),
        row_metadata,
        cursor_key: context.cursor_key(),
        account_id: context.account_id(),
    };
    Ok(Asked {
        text: call.text_argument("query").unwrap_or_default().to_owned(),
        at,
        options,
        remember: call.bool_argument("remember").unwrap_or(false),
    })
}

fn variables(argument: Option<&Json>) -> Result<BTreeMap<String, Value>, FieldError> {
    let members = match argument {
        None => return Ok(BTreeMap::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(errors::invalid("variables must be an object")),
    };
    let value = |(name, json): (&String, &Json)| {
        let value = Value::from_json(json);
        value
            .map(|value| (name.clone(), value))
            .map_err(|error| errors::invalid(format!("variable {name:?}: {error}")))
    };
    // Clients put their own switches beside the variables of the query.
    members
        .iter()
        .filter(|(_, json)| !json.is_object())
        .map(value)
        .collect()
}

fn scope_filters(argument: Option<&Json>) -> Result<Vec<BTreeMap<String, Value>>, FieldError> {
    let items = match argument {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    };
    let filter = |item: &Json| {
        let members = item.as_object();
        let members =
            members.ok_or_else(|| errors::invalid("scopeFilters must be a list of objects"))?;
        members
            .iter()
            .map(|(name, json)| {
                let value = Value::from_json(json)
                    .map_err(|error| errors::invalid(format!("scopeFilters {name:?}: {error}")))?;
                Ok((name.clone(), value))
            })
            .collect()
    };
    items.into_iter().map(filter).collect()
}

async fn run(context: &Context, asked: Asked) -> Result<QueryPage, FieldError> {
    if asked.remember {
        context.record("query remembered", &asked.text);
    }
    let run = |view: &View, asked: &Asked| run_query(view, &asked.text, &asked.options);
    off_thread(context, asked, run).await
}

/// Works on a query off the threads that serve connections, and stops when the client goes away.
async fn off_thread<T: Send + 'static>(
    context: &Context,
    asked: Asked,
    work: impl FnOnce(&View, &Asked) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, FieldError> {
    let view = context.store()?.view(asked.at);
    let guard = context.cancel_guard(&asked.options.limits);
    let result = context.off_thread(move || work(&view, &asked)).await;
    drop(guard);
    result?.map_err(|error| errors::of(&error))
}

/// A page that is answered at once. Its rows are JSON text already and are not read again.
struct Direct {
    page: QueryPage,
    correlation: String,
}

impl Object<Context> for Direct {
    fn type_name(&self) -> &'static str {
        "QueryV1Response"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        Ok(match call.name() {
            "type" => Node::text(self.page.kind.as_str()),
            "data" => Node::Raw(self.page.data.as_slice().into()),
            "totalCount" => self
                .page
                .total_count
                .map_or(Node::Null, |total| Node::json(total.into())),
            "cursor" => Node::optional_text(self.page.cursor.as_deref()),
            "correlationId" => Node::text(self.correlation.as_str()),
            // `url` is that of a deferred answer.
            _ => Node::Null,
        })
    }
}

fn head(page: &QueryPage, correlation: &str) -> JsonMap {
    let mut document = JsonMap::new();
    document.insert("type".to_owned(), page.kind.as_str().into());
    document.insert("correlationId".to_owned(), correlation.into());
    if let Some(total) = page.total_count {
        document.insert("totalCount".to_owned(), total.into());
    }
    if let Some(cursor) = &page.cursor {
        document.insert("cursor".to_owned(), cursor.as_str().into());
    }
    if !page.warnings.is_empty() {
        let warnings = json!({"warnings": page.warnings});
        document.insert("extensions".to_owned(), warnings);
    }
    document
}

/// The members of `head` and `data`, whose value is JSON text already.
fn with_data(head: &JsonMap, data: &[u8]) -> Vec<u8> {
    let mut text = serde_json::to_vec(head).unwrap_or_default();
    text.pop();
    if text.len() > 1 {
        text.push(b',');
    }
    text.extend_from_slice(b"\"data\":");
    text.extend_from_slice(data);
    text.push(b'}');
    text
}

/// Starts a query and answers with the URL of its result. One document serves all clients: it has
/// no `cursor` on the last page, and its `url` is its own address.
fn deferred<'n>(context: &Context, asked: Asked) -> Answer<'n> {
    if asked.remember {
        context.record("query remembered", &asked.text);
    }
    let token = durward_vault::random::base64_url::<32>();
    let token = token.map_err(|_| errors::internal())?;
    let url = context.result_url(&token);
    let correlation = context.request_id().to_owned();
    let answer = json!({
        "type": "deferred", "data": null, "url": url, "correlationId": correlation,
    });
    let view = context.store()?.view(asked.at);
    let results = Arc::clone(&context.services.deferred);
    let caller = context.caller().map_err(|error| errors::of(error))?;
    if !results.begin(&token, Owner::of(caller), context.now()) {
        let message = "too many deferred queries run at present; try again later";
        return Err(FieldError::new(
            errors::code(ErrorKind::Unavailable),
            message,
        ));
    }
    let share = context.lease().share().clone();
    let pending = Pending {
        results,
        token,
        share: share.clone(),
        document: None,
        correlation,
    };
    // The question waits for its turn longer than the request that brought it.
    let waits = share.lease_of(context.lease().used_bytes());
    let waits = waits.map_err(|error| durward_graphql::context::field_error(&error))?;
    tokio::spawn(async move {
        match share.turn().await {
            Ok(turn) => {
                tokio::task::spawn_blocking(move || {
                    let document = document(&view, &asked, &pending.correlation, &url);
                    drop((turn, waits));
                    pending.complete(document);
                });
            }
            Err(error) => {
                let document = failure(&error.to_string(), &pending.correlation);
                pending.complete(document);
            }
        }
    });
    Ok(Node::json(answer))
}

/// The document of a deferred query.
fn document(view: &View, asked: &Asked, correlation: &str, url: &str) -> Vec<u8> {
    match run_query(view, &asked.text, &asked.options) {
        Ok(page) => {
            let mut head = head(&page, correlation);
            head.insert("status".to_owned(), "COMPLETED".into());
            head.insert("url".to_owned(), url.into());
            with_data(&head, &page.data)
        }
        Err(error) => failure(&error.to_string(), correlation),
    }
}

/// A result that somebody waits for: whatever becomes of the query, they get an answer.
struct Pending {
    results: Arc<DeferredResults>,
    token: String,
    /// Whose budget the document takes.
    share: Share,
    document: Option<Vec<u8>>,
    correlation: String,
}

impl Pending {
    fn complete(mut self, document: Vec<u8>) {
        self.document = Some(document);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let broken = || failure("an internal error occurred", &self.correlation);
        let document = self.document.take().unwrap_or_else(broken);
        let too_much = || {
            let why = "too many results wait to be fetched; try again later";
            failure(why, &self.correlation)
        };
        let (document, held) = match self.share.lease_of(document.len() as u64) {
            Ok(held) => (document, Some(held)),
            Err(error) => (failure(&error.to_string(), &self.correlation), None),
        };
        self.results.finish(&self.token, document, held, too_much);
    }
}

fn failure(error: &str, correlation: &str) -> Vec<u8> {
    let document = json!({"status": "FAILED", "error": error, "correlationId": correlation});
    document.to_string().into_bytes()
}
