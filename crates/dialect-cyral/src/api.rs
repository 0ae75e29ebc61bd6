// SPDX-License-Identifier: Apache-2.0
//! One answer for every request: the route, the decision, the handler.

use std::fmt;

use durward_access::Accesses;
use durward_identity::{AuthError, Caller};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use durward_policy::{Action, Guard, Vocabulary};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::Answer;
use crate::contract::{Contract, ContractError};
use crate::error::ApiError;
use crate::handlers::{Call, Handler};
use crate::routing::{Found, Parameters, Routing, Target};
use crate::token::{self, TokenService};

/// Largest JSON body in bytes: an object of the graph is not larger.
const JSON_BYTES_MAX: usize = 4 << 20;
/// Largest form in bytes.
const FORM_BYTES_MAX: usize = 64 << 10;

/// A request, as far as this dialect is concerned.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path, still encoded.
    pub path: &'a str,
    /// What follows the question mark; empty for nothing.
    pub query: &'a str,
    /// Value of the `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Its body.
    pub body: &'a [u8],
    /// Who asks; it counts only where [`Reading::needs_caller`] says so.
    pub caller: Result<&'a Caller, &'a AuthError>,
    /// The access of every organization.
    pub accesses: &'a Accesses,
    /// Grants tokens.
    pub tokens: &'a dyn TokenService,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Asked");
        debug
            .field("method", &self.method)
            .field("path", &self.path);
        debug.finish_non_exhaustive()
    }
}

/// How the body of a request is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Most bytes.
    pub body_bytes_max: usize,
    /// Whether the route is only for callers with a credential in the header.
    pub needs_caller: bool,
}

/// The interface.
pub struct CyralApi {
    routing: Routing,
}

impl fmt::Debug for CyralApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CyralApi").finish_non_exhaustive()
    }
}

impl CyralApi {
    /// The interface of this build.
    ///
    /// # Errors
    /// When the contract is not usable.
    pub fn new() -> Result<Self, ContractError> {
        let contract = Contract::built_in()?;
        Ok(Self {
            routing: Routing::new(&contract)?,
        })
    }

    /// Whether a path is this dialect's to answer, be there a route or not.
    pub fn owns(path: &str) -> bool {
        Routing::owns(path)
    }

    /// How the body of such a request is to be read.
    pub fn reading(&self, method: &str, path: &str) -> Reading {
        let (is_form, is_open) = match self.routing.find(method, path) {
            Found::Route(target, _) => (target.form, target.guard == Guard::Open),
            _ => (false, true),
        };
        Reading {
            body_bytes_max: if is_form {
                FORM_BYTES_MAX
            } else {
                JSON_BYTES_MAX
            },
            needs_caller: !is_open,
        }
    }

    /// The answer to a caller who has to come again later.
    pub fn later(error: &dyn ClientMessage, retry_after_seconds: u32) -> Answer {
        let mut answer = ApiError::of(error).answer();
        let seconds = HeaderValue::from(retry_after_seconds);
        answer.headers.push((header::RETRY_AFTER, seconds));
        answer
    }

    /// The answer to a body that broke off or is larger than [`CyralApi::reading`] allows.
    pub fn unreadable(&self, method: &str, path: &str, is_too_large: bool) -> Answer {
        if !is_too_large {
            return ApiError::invalid("the body broke off").answer();
        }
        let limit = self.reading(method, path).body_bytes_max;
        let message = format!("the body is larger than {limit} bytes");
        let mut answer = ApiError::invalid(message).answer();
        answer.status = StatusCode::PAYLOAD_TOO_LARGE;
        answer
    }

    /// The answer when something broke while a request was answered.
    pub fn broken() -> Answer {
        ApiError::new(ErrorKind::Internal, "an internal error occurred").answer()
    }

    /// Answers a request.
    pub fn answer(&self, asked: &Asked<'_>) -> Answer {
        match self.routing.find(asked.method, asked.path) {
            Found::Route(target, _) if target.form => {
                token::answer(asked, target.handler.is_some())
            }
            Found::Route(target, parameters) => {
                run(asked, target, &parameters).unwrap_or_else(|error| error.answer())
            }
            Found::OtherMethods(methods) => other_method(asked, &methods),
            Found::Nothing => {
                let message = format!("there is nothing at {}", asked.path);
                ApiError::not_found(message).answer()
            }
        }
    }
}

fn run(asked: &Asked<'_>, target: &Target, parameters: &Parameters) -> Result<Answer, ApiError> {
    let Guard::Action(action) = target.guard else {
        return match target.handler {
            Some(Handler::Open(handler)) => handler(),
            _ => Err(not_supported(asked)),
        };
    };
    let caller = asked.caller.map_err(|error| ApiError::of(error))?;
    admit(caller, action)?;
    let Some(Handler::Known(handler)) = target.handler else {
        return Err(not_supported(asked));
    };
    let access = asked.accesses.of(caller.organization());
    let call = Call {
        access: &access,
        caller,
        action,
        parameters,
        query: asked.query,
        body: asked.body,
    };
    handler(&call)
}

/// Lets a caller through who may take the action; others are told which permissions they lack.
fn admit(caller: &Caller, action: Action) -> Result<(), ApiError> {
    caller.require_action(action).map_err(|_| {
        let needed = action.words(Vocabulary::Cyral).join("\" or \"");
        ApiError::new(
            ErrorKind::Forbidden,
            format!("this needs the permission \"{needed}\""),
        )
    })
}

fn not_supported(asked: &Asked<'_>) -> ApiError {
    let message = format!("{} {} is not supported", asked.method, asked.path);
    ApiError::new(ErrorKind::Unsupported, message)
}

fn other_method(asked: &Asked<'_>, methods: &[&str]) -> Answer {
    let message = format!("{} is not possible at {}", asked.method, asked.path);
    let mut answer = ApiError::new(ErrorKind::Unsupported, message).answer();
    answer.status = StatusCode::METHOD_NOT_ALLOWED;
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        answer
            .headers
            .push((header::ALLOW, value) as (HeaderName, HeaderValue));
    }
    answer
}
