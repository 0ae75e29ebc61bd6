// SPDX-License-Identifier: Apache-2.0
//! How much a caller may send, and what it is answered beyond.

use durward_dialect_strongdm::wire::put_bytes;

use crate::wire::{Wire, framed};
use crate::{INVALID_ARGUMENT, MESSAGE_BYTES_MAX, PROBE, UNAUTHENTICATED, common};

/// Most bytes of somebody who names no living key.
const STRANGER_BYTES_MAX: usize = 64 << 10;

#[test]
fn who_names_no_living_key_sends_little() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let invented = wire
        .call(PROBE, b"")
        .with("x-sdm-authentication", "auth-0123456789abcdef");
    for bytes in [
        STRANGER_BYTES_MAX,
        STRANGER_BYTES_MAX + 1,
        MESSAGE_BYTES_MAX,
    ] {
        let call = invented.with_body(framed(&vec![0; bytes]));
        wire.fails(&call, UNAUTHENTICATED, "authentication failed");
    }
    // A living key alone proves nothing, but may send a whole message.
    let living = wire.call(PROBE, b"").with("x-sdm-signature", "AQID");
    let call = living.with_body(framed(&vec![0; MESSAGE_BYTES_MAX]));
    wire.fails(&call, UNAUTHENTICATED, "authentication failed");
}

#[test]
fn a_message_of_too_many_parts_is_refused_before_it_is_read() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    // Tags of a role: each takes two bytes on the wire and hundreds in memory.
    let request = |count: usize| {
        let (mut tags, mut role, mut request) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            put_bytes(&mut tags, 1, b"");
        }
        put_bytes(&mut role, 4, &tags);
        put_bytes(&mut request, 2, &role);
        request
    };
    let many = wire.call("/v1.Roles/Create", &request(1_000_000));
    wire.fails(
        &many,
        INVALID_ARGUMENT,
        "more parts than a request may have",
    );
    let few = wire.call("/v1.Roles/Create", &request(2));
    wire.fails(&few, INVALID_ARGUMENT, "is given twice");
}
