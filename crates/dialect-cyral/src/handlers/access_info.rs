// SPDX-License-Identifier: Apache-2.0
//! Which repositories the caller can reach.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use durward_access::property;
use durward_access::{Kind, Object};
use durward_graph::ObjectRef;
use serde_json::{Value as Json, json};

use super::{Call, repo_conf, repos, user_accounts};
use crate::Answer;
use crate::core;
use crate::error::ApiError;
use crate::fields;

/// Rows of a page, unless the request says otherwise, and at most.
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 1000;

/// `POST /v1/accessInfo`: a page; a short one is the last.
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let name = fields::text(&body, "repoName")?;
    let (labels, types) = (
        fields::texts(&body, "repoTags")?,
        fields::texts(&body, "repoTypes")?,
    );
    let fits = |repo: &Object, of_type: &str| {
        let held = core::texts(repo, "labels");
        let has = |label: &String| held.iter().any(|held| held.contains(label.as_str()));
        repo.text(property::DISPLAY_NAME).contains(name)
            && labels.iter().all(has)
            && (types.is_empty() || types.iter().any(|wanted| wanted == of_type))
    };
    let reached = reached(call);
    let size = call.page_size(PAGE_DEFAULT, PAGE_MAX)?;
    let after = call.query("pageAfter");
    let mut rows = Vec::new();
    let mut is_past = after.is_none();
    for repo in &reached {
        let Some(of_type) = repos::type_of(repo) else {
            continue;
        };
        if is_past && fits(repo, of_type) && rows.len() < size {
            rows.push(row(repo, of_type));
        }
        is_past = is_past || after.as_deref() == Some(repo.id.to_hex().as_str());
    }
    if !is_past {
        return Err(ApiError::invalid(
            "the cursor \"pageAfter\" names no repository",
        ));
    }
    Ok(Answer::json(&json!({"results": rows})))
}

fn row(repo: &Object, of_type: &str) -> Json {
    let accounts = user_accounts::of(repo);
    let names = accounts
        .iter()
        .map(|account| json!({"name": account.get("name")}));
    let gateway = repo_conf::gateway_of(repo);
    let part = |name: &str| gateway.and_then(|gateway| gateway.get(name)).cloned();
    json!({
        "repoID": repo.id.to_hex(),
        "repoName": repo.text(property::DISPLAY_NAME),
        "repoType": of_type,
        "userAccounts": names.collect::<Vec<_>>(),
        "accessGatewaySidecarId": part("sidecarId").unwrap_or_else(|| json!("")),
        "accessGatewayBindingId": part("bindingId").unwrap_or_else(|| json!("")),
    })
}

/// The resources that the caller's account reaches now, in order of creation.
fn reached(call: &Call<'_>) -> Vec<Object> {
    let Some(ObjectRef::Entity(account)) = call.core().own_account() else {
        return Vec::new();
    };
    let view = call.access.view(None);
    let now = call.access.organization().now();
    let mut resources = BTreeSet::new();
    let reaching = call.access.reaching(call.caller, &view, now);
    let _ = reaching.of_account(account, None, &mut |reached| {
        if !reached.is_forbidden {
            resources.insert(reached.path.resource);
        }
        ControlFlow::Continue(())
    });
    let read = |resource| Object::of_entity(&view, Kind::RESOURCE, resource);
    resources.into_iter().map(read).collect()
}
