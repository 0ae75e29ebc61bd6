// SPDX-License-Identifier: Apache-2.0
//! Every route and every GraphQL root field, asked by everybody who must not get anything.
//!
//! `authorization/*.tsv` say what each one answers. A new route or root field fails these tests
//! until it has a row; whoever adds one decides there what strangers get to see. Which root fields
//! there are, and what each asks of its caller, the contracts say.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    reason = "tests may panic, and their support is not a public API"
)]

mod common;
#[path = "authorization/cyral.rs"]
mod cyral;
#[path = "authorization/fields.rs"]
mod fields;
#[path = "authorization/routes.rs"]
mod routes;
#[path = "authorization/schema.rs"]
mod schema;
#[path = "authorization/table.rs"]
mod table;
#[path = "authorization/world.rs"]
mod world;

use world::World;

#[test]
fn nobody_gets_what_is_not_theirs() {
    let world = World::start();
    let before = world.state();
    fields::walk(&world);
    fields::exact_rights_are_enough_and_needed(&world);
    fields::condition_lets_the_rest_through(&world);
    routes::walk(&world);
    assert_eq!(world.state(), before, "a stranger changed something");
    cyral::permissions(&world);
    let verified = common::ok(world.server.client().get("/audit/verify").unwrap());
    assert_eq!(verified["sound"], true, "{verified}");
}
