// SPDX-License-Identifier: Apache-2.0
//! All attacks, by name. A new one is a function in a file of its kind and a row here.

mod connections;
mod credentials;
mod graphql;
mod grpc;
mod http2;
mod policies;
mod queries;
mod sync;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::field::Field;

/// How an attack ended: an error says that it won by a measure of its own.
pub(crate) type Ended = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// How many times the usual duration it takes to do harm.
    pub(crate) weight: u32,
    pub(crate) run: fn(Arc<Field>) -> Ended,
}

/// Those that are let to make the graph of the server larger.
pub(crate) const GROWING: [&str; 2] = ["query-writes", "import-labels"];

macro_rules! attacks {
    ($($weight:literal, $name:literal => $run:expr;)*) => {
        &[$(Attack { name: $name, weight: $weight, run: |field| Box::pin($run(field)) }),*]
    };
}

/// In the order in which they are made.
pub(crate) const ATTACKS: &[Attack] = attacks! {
    2, "body-nodes-8m" => graphql::nodes_8m;
    3, "body-nodes-63m" => graphql::nodes_63m;
    1, "body-nodes-chunked" => graphql::nodes_chunked;
    3, "body-nodes-known" => graphql::nodes_known;
    1, "body-deep-json" => graphql::deep_json;
    1, "body-batches" => graphql::batches;
    1, "body-multipart" => graphql::multipart;
    1, "body-every-route" => graphql::every_route;
    1, "body-every-route-known" => graphql::every_route_known;
    1, "document-fields" => graphql::document_fields;
    1, "document-aliases" => graphql::document_aliases;
    1, "document-fragments" => graphql::document_fragments;
    1, "document-overlaps" => graphql::document_overlaps;
    1, "document-variety" => graphql::document_variety;
    1, "document-introspection" => graphql::document_introspection;
    1, "document-values" => graphql::document_values;
    2, "grpc-invented-key" => grpc::invented_key;
    1, "grpc-stolen-key-id" => grpc::stolen_key_id;
    1, "grpc-wrong-signature" => grpc::wrong_signature;
    2, "grpc-empty-parts" => grpc::empty_parts;
    1, "grpc-watchers" => grpc::watchers;
    1, "grpc-large-filters" => grpc::large_filters;
    3, "query-neighbors" => queries::neighbors;
    3, "query-cross-products" => queries::cross_products;
    3, "query-sorted" => queries::sorted;
    1, "query-trees" => queries::trees;
    1, "query-leavers" => queries::leavers;
    1, "query-deferred" => queries::deferred;
    1, "query-long-lists" => queries::long_lists;
    1, "query-writes" => queries::writes;
    1, "query-audits" => queries::audits;
    1, "query-nesting" => queries::nesting;
    1, "query-patterns" => queries::patterns;
    1, "query-filters" => queries::filters;
    3, "policy-bombs" => policies::all;
    1, "tcp-idle" => connections::idle;
    7, "tcp-idle-many" => connections::idle_many;
    1, "tcp-idle-again" => connections::idle_again;
    1, "tcp-half-handshakes" => connections::half_handshakes;
    1, "tcp-churn" => connections::churn;
    1, "http1-half-heads" => connections::half_heads;
    1, "http1-idle" => connections::idle_after_request;
    7, "http1-idle-known" => connections::idle_known;
    1, "http1-slow-heads" => connections::slow_heads;
    1, "http1-slow-bodies" => connections::slow_bodies;
    2, "http1-slow-known-bodies" => connections::slow_known_bodies;
    1, "http1-endless-chunks" => connections::endless_chunks;
    1, "http1-long-heads" => connections::long_heads;
    2, "http1-slow-readers" => connections::slow_readers;
    1, "http1-unread-pipelines" => connections::unread_pipelines;
    1, "http2-idle" => http2::idle;
    7, "http2-idle-many" => http2::idle_many;
    1, "http2-open-streams" => http2::open_streams;
    1, "http2-rapid-reset" => http2::rapid_reset;
    1, "http2-continuation" => http2::continuation;
    1, "http2-header-bomb" => http2::header_bomb;
    1, "http2-control-frames" => http2::control_frames;
    1, "http2-unread-pings" => http2::unread_pings;
    1, "http2-crumbs" => http2::crumbs;
    2, "http2-closed-windows" => http2::closed_windows;
    1, "sync-slow-uploads" => sync::slow_uploads;
    3, "sync-large-uploads" => sync::large_uploads;
    1, "sync-gzip-bombs" => sync::gzip_bombs;
    1, "sync-many-jobs" => sync::many_jobs;
    2, "sync-events" => sync::events;
    1, "sync-upload-urls" => sync::upload_urls;
    3, "import-labels" => sync::labels;
    1, "credential-guesses" => credentials::guesses;
    1, "credential-token-requests" => credentials::token_requests;
    1, "credential-refused" => credentials::refused;
    1, "credential-refused-signed" => credentials::refused_signed;
};
