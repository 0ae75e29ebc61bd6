// SPDX-License-Identifier: Apache-2.0
//! Policies that users write, in the Cedar language.
//!
//! A grant gives access, a policy can only take it away: one matching `forbid` refuses, whatever
//! `permit` statements say; these are named as explanation, with their annotations. A request of
//! which no statement speaks is decided by its grants alone.
//!
//! What statements can name, without a schema:
//!
//! - `principal`: a `StrongDM::Account::"a-…"` with `accountType`, `name`, `email`, `externalId`,
//!   `isManagedUser`, `permissionLevel` and `tags`; it is in its `StrongDM::Role`s and
//!   `StrongDM::Group`s, `External::Role`s and `External::Group`s.
//! - `action`: `StrongDM::Action::"connect"`, `SQL::Action::"select"` and so on.
//! - `resource`: a `StrongDM::Resource::"rs-…"`, or something in one, with `id`, `kind`, `name`,
//!   `hostname`, `port`, `tags` and `sdm` (the resource itself). It also counts as what lies behind
//!   it, by name and id: `Postgres::Database::"orders"`, `SSH::Server::"web"`.
//! - `context`: `now` (a datetime), `utcNow` with `year`, `month`, `day`, `hour`, `minute`,
//!   `second`, `minuteOfDay` and `dayOfWeek` (Sunday is 1), and, when known, `network.clientIp`.
//!
//! Tags are read as `resource.tags.env`, `resource.sdm.getTag("env")` or `resource.getTag("env")`.
//! The id `"*"` stands for every entity of its type.
//!
//! A `forbid` whose condition cannot be judged (it reads a tag that is not there, say) refuses, and
//! the verdict says why: what was meant to protect must not vanish by a mistake. A `permit` whose
//! condition cannot be judged does not count.

mod facts;
mod names;
mod parse;
mod repetition;
mod request;
mod rewrite;
mod set;
mod size;
mod stack;
mod tokens;
mod verdict;

pub use names::{CedarName, NotAnEntityType};
pub use parse::{CEDAR_BYTES_MAX, CEDAR_STATEMENTS_MAX, CedarPolicy, CedarSyntaxError};
pub use repetition::REPEATED_MAX;
pub use request::{CedarContext, CedarPrincipal, CedarRequest, CedarResource};
pub use set::{NamedPolicy, PolicySet};
pub use tokens::{DEPTH_MAX, OPERATORS_MAX};
pub use verdict::{CedarVerdict, StatementError, StatementRef};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests;
