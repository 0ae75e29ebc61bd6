// SPDX-License-Identifier: Apache-2.0
//! The bulk export. A page waits for its turn, and is charged to its caller until it is sent.

use axum::extract::{Extension, Query};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use durward_budget::Lease;
use serde_json::Value as Json;

use super::{Access, blocking};
use crate::access::SyncAccess;
use crate::error::SyncError;
use crate::export::{self, PageRequest};

type Page = Result<Response, SyncError>;

/// The text of a page that stays charged until the last of it is sent.
struct Charged {
    text: Vec<u8>,
    _lease: Lease,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

pub(super) async fn entities(access: Access, Query(page): Query<PageRequest>) -> Page {
    answer(access, page, export::entities).await
}

pub(super) async fn relationships(access: Access, Query(page): Query<PageRequest>) -> Page {
    answer(access, page, export::relationships).await
}

async fn answer(
    access: Access,
    page: PageRequest,
    make: fn(&SyncAccess, &PageRequest, &Lease) -> Result<Json, SyncError>,
) -> Page {
    let access = allowed(access)?;
    let turn = access.share.turn().await?;
    let charged = blocking(move || {
        let _turn = turn;
        let lease = access.share.lease();
        let page = make(&access, &page, &lease)?;
        let text = page.to_string().into_bytes();
        drop(page);
        lease.set(text.len() as u64)?;
        Ok(Charged {
            text,
            _lease: lease,
        })
    });
    let body = Bytes::from_owner(charged.await?);
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

fn allowed(access: Access) -> Result<SyncAccess, SyncError> {
    let Extension(access) = access.ok_or(SyncError::Unauthenticated)?;
    if let Some(seconds) = access.too_many {
        return Err(SyncError::TooMany(seconds));
    }
    if access.is_allowed {
        Ok(access)
    } else {
        Err(SyncError::Forbidden(
            "this credential may not export the graph",
        ))
    }
}
