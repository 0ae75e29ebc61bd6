// SPDX-License-Identifier: Apache-2.0
//! Lists: filters, search, order, pages.

use crate::context::RequestContext;
use crate::engine::{Call, FieldError, Node};
use crate::opencti::errors;
use crate::opencti::relationship::EdgeSort;
use crate::opencti::roots::ListRoot;

type Answer<'a> = Result<Node<'a, RequestContext>, FieldError>;

pub(super) fn entities<'a>(call: &Call<'a, RequestContext>, _root: &ListRoot) -> Answer<'a> {
    Err(errors::unsupported(call.name()))
}
pub(super) fn relationships<'a>(call: &Call<'a, RequestContext>, _sort: EdgeSort) -> Answer<'a> {
    Err(errors::unsupported(call.name()))
}
pub(super) fn users<'a>(call: &Call<'a, RequestContext>) -> Answer<'a> {
    Err(errors::unsupported(call.name()))
}
