// SPDX-License-Identifier: Apache-2.0
//! One call for a page of a list, as StrongDM's clients ask for it.

use std::ops::Deref;
use std::sync::Arc;

use durward_access::Access;
use durward_listing::{Asker, Effort as _, Walks};
use durward_query::RunOptions;
use durward_vault::digest::sha256;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

use super::{PageRequest, request};
use crate::dispatch::Call;
use crate::filter::Filter;
use crate::status::Status;

/// One call for a page: the walk itself, with the filter and the page that are asked for.
#[derive(Debug)]
pub struct Walk<'w> {
    /// The filter.
    pub filter: Filter,
    /// The page that is asked for.
    pub request: PageRequest,
    list: durward_listing::Walk<'w>,
    call: &'w Call<'w>,
}

impl<'w> Deref for Walk<'w> {
    type Target = durward_listing::Walk<'w>;

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

impl<'w> Walk<'w> {
    /// Begins or goes on with a walk.
    ///
    /// # Errors
    /// When the filter, the cursor or another part of the request is wrong.
    pub fn open(call: &'w Call<'w>, access: &'w Access, walks: &'w Walks) -> Result<Self, Status> {
        let request = PageRequest::of(call)?;
        let filter = Filter::parse(&request::text(call.message, "filter"));
        let filter = filter.map_err(|error| Status::of(&error))?;
        call.check()?;
        call.hold(filter.memory_bytes())?;
        let asker = Asker {
            caller: call.caller,
            access,
            effort: call,
            walks,
        };
        let what = what(call, &request);
        let list = if request.cursor.is_empty() {
            durward_listing::Walk::begin(asker, &what, request.snapshot_at, request.skip)
        } else {
            durward_listing::Walk::resume(asker, &what, &request.cursor)?
        };
        Ok(Self {
            filter,
            request,
            list,
            call,
        })
    }

    /// The call.
    pub fn call(&self) -> &'w Call<'w> {
        self.call
    }

    /// Options for plans: what the caller may see, as long as somebody waits.
    pub fn options(&self) -> RunOptions {
        let mut options = self.list.options();
        options.limits.cancelled = Some(Arc::clone(self.call.given_up));
        options
    }
}

/// Everything that makes a list what it is, the instant, the place in it and the caller aside.
fn what(call: &Call<'_>, request: &PageRequest) -> String {
    let mut rest = DynamicMessage::new(call.method.input.clone());
    for (field, value) in call
        .message
        .fields()
        .filter(|(field, _)| field.name() != "meta")
    {
        rest.set_field(&field, value.clone());
    }
    let rest = sha256(&rest.encode_to_vec());
    let (method, order) = (&call.method.signed_name, &request.order_by);
    format!("{method}\n{rest:?}\n{order}")
}
