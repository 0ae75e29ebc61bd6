// SPDX-License-Identifier: Apache-2.0
//! StrongDM's gRPC wire, spoken wrongly on purpose.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests may panic"
)]

mod common;
#[path = "grpc/limits.rs"]
mod limits;
#[path = "grpc/old.rs"]
mod old;
#[path = "grpc/wire.rs"]
mod wire;

use durward_dialect_strongdm::Contract;
use durward_model::{Clock as _, SystemClock};
use hyper::Method;
use wire::{DAY, Wire, framed};

const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
const UNAUTHENTICATED: u8 = 16;
/// A method that nobody has built: whoever gets there is let in.
const PROBE: &str = "/v1.AuthorizationPolicies/List";
const MESSAGE_BYTES_MAX: usize = 4 << 20;

#[test]
fn frames_are_checked_before_anything_else() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let good = wire.call(PROBE, b"");
    wire.fails(
        &good,
        UNIMPLEMENTED,
        "AuthorizationPolicies.List is not supported",
    );
    let bodies: [(Vec<u8>, &str); 8] = [
        (vec![], "no message"),
        (vec![0, 0, 0], "shorter"),
        (vec![0, 0, 0, 0, 9, 1], "shorter"),
        (vec![0, 0, 0, 0, 0, 1], "more than one"),
        ([framed(b""), framed(b"")].concat(), "more than one"),
        (vec![1, 0, 0, 0, 0], "compressed"),
        (vec![7, 0, 0, 0, 0], "flag"),
        (vec![0, 255, 255, 255, 255], "larger than 4194304"),
    ];
    for (body, part) in bodies {
        wire.fails(&good.with_body(body), INVALID_ARGUMENT, part);
    }
    wire.fails(&good, UNIMPLEMENTED, "not supported");
}

#[test]
fn messages_are_taken_in_any_number_of_pieces_up_to_four_megabytes() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    // A field that no contract has: tolerated, and signed like everything else.
    let unknown = [0x82, 0xf8, 0x01, 3, b'n', b'e', b'w'];
    let mut call = wire.call(PROBE, &unknown);
    for piece_bytes in [0, 1, 4, 6] {
        call.piece_bytes = piece_bytes;
        wire.fails(&call, UNIMPLEMENTED, "not supported");
    }
    let length = MESSAGE_BYTES_MAX - 7;
    let mut head = vec![0x82, 0xf8, 0x01];
    for shift in [0, 7, 14] {
        head.push((length >> shift) as u8 & 0x7f | 0x80);
    }
    head.push((length >> 21) as u8);
    let largest = [head, vec![b'x'; length]].concat();
    assert_eq!(largest.len(), MESSAGE_BYTES_MAX);
    wire.fails(&wire.call(PROBE, &largest), UNIMPLEMENTED, "not supported");
    let larger = wire.call(PROBE, &[largest, vec![0]].concat());
    wire.fails(&larger, INVALID_ARGUMENT, "larger than 4194304");
    wire.fails(&call, UNIMPLEMENTED, "not supported");
}

#[test]
fn strangers_learn_nothing() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let good = wire.call(PROBE, b"");
    let first = wire.fails(&good.with("x-sdm-signature", ""), UNAUTHENTICATED, "failed");
    assert_eq!(first.message, "authentication failed");
    let mut twice = good.clone();
    twice.headers.push(good.headers[0].clone());
    let another = wire.call("/v1.Accounts/List", b"").headers[1].1.clone();
    let broken = wire.call(PROBE, b"\x0a\x7f");
    let strangers = [
        ("no key", good.with("x-sdm-authentication", "")),
        (
            "no signature, no frame",
            good.with("x-sdm-signature", "").with_body([]),
        ),
        (
            "an unknown key",
            good.with("x-sdm-authentication", "auth-0123456789abcdef"),
        ),
        (
            "a huge key",
            good.with("x-sdm-authentication", &"a".repeat(9000)),
        ),
        ("not base64", good.with("x-sdm-signature", "!!!!")),
        ("a short signature", good.with("x-sdm-signature", "AQID")),
        (
            "a signature of another method",
            good.with("x-sdm-signature", &another),
        ),
        ("another message", good.with_body(framed(&[0x0a, 0x00]))),
        ("a broken message", broken.with("x-sdm-signature", &another)),
        ("two keys", twice),
        ("two days ago", wire.call_of_day(PROBE, b"", -2 * DAY)),
        ("in two days", wire.call_of_day(PROBE, b"", 2 * DAY)),
        (
            "an unknown method",
            wire.call_of_day("/v1.Accounts/Steal", b"", 2 * DAY),
        ),
        (
            "an unknown service",
            wire.call_of_day("/v1.Nothing/List", b"", 2 * DAY),
        ),
    ];
    for (name, call) in strangers {
        let answer = wire.fails(&call, UNAUTHENTICATED, "failed");
        assert_eq!(answer, first, "{name}");
    }
    wire.fails(
        &broken,
        INVALID_ARGUMENT,
        "not a valid AuthorizationPolicyListRequest",
    );
}

#[test]
fn the_day_before_and_after_are_refused_away_from_midnight() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let second = SystemClock.now().as_micros() / 1_000_000 % DAY;
    if (600..DAY - 600).contains(&second) {
        for days in [-1, 1] {
            let call = wire.call_of_day(PROBE, b"", days * DAY);
            wire.fails(&call, UNAUTHENTICATED, "authentication failed");
        }
    }
    wire.fails(&wire.call(PROBE, b""), UNIMPLEMENTED, "not supported");
}

#[test]
fn every_method_refuses_strangers_and_knows_the_signer() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let contract = Contract::load().unwrap();
    let mut paths: Vec<&str> = contract.methods().map(|method| &*method.path).collect();
    paths.sort_unstable();
    assert!(paths.len() > 200);
    for path in paths {
        let call = wire.call(path, b"");
        let strangers = [
            call.with("x-sdm-authentication", ""),
            call.with("x-sdm-signature", &"A".repeat(44)),
            call.with("authorization", "Bearer x")
                .with("x-sdm-signature", ""),
        ];
        for stranger in strangers {
            wire.fails(&stranger, UNAUTHENTICATED, "authentication failed");
        }
        let answer = wire.send(&call);
        assert_eq!(answer.http_status, 200, "{path}: {answer:?}");
        assert_ne!(
            answer.code,
            UNAUTHENTICATED.to_string(),
            "{path}: {answer:?}"
        );
        assert_ne!(answer.code, "13", "{path}: {answer:?}");
    }
}

#[test]
fn what_does_not_exist_is_not_supported() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    for path in [
        "/v1.Accounts/Steal",
        "/v1.RoleGrants/List",
        "/v2.Accounts/List",
        "/v1.A.B/C",
    ] {
        let answer = wire.fails(&wire.call(path, b""), UNIMPLEMENTED, "there is no method");
        assert!(answer.message.ends_with(path), "{answer:?}");
    }
    let odd = wire.call("/v1.%C3%B6/List", b"");
    wire.fails(&odd, UNIMPLEMENTED, "there is no method");
}

#[test]
fn what_is_no_call_gets_a_plain_answer() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let good = wire.call(PROBE, b"");
    for content_type in ["application/grpc+proto", "application/grpc; charset=utf-8"] {
        let mut call = good.clone();
        content_type.clone_into(&mut call.content_type);
        wire.fails(&call, UNIMPLEMENTED, "not supported");
    }
    let others = [
        (Method::POST, "application/grpc-web", 415),
        (Method::POST, "application/grpc+json", 415),
        (Method::GET, "application/grpc", 405),
        (Method::POST, "application/json", 404),
    ];
    for (method, content_type, status) in others {
        let mut call = good.clone();
        call.method = method;
        content_type.clone_into(&mut call.content_type);
        let answer = wire.send(&call);
        assert_eq!(answer.http_status, status, "{content_type}: {answer:?}");
        assert!(
            answer.code.is_empty() && !answer.body.is_empty(),
            "{answer:?}"
        );
    }
}

#[test]
fn deadlines_are_read_and_kept() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let good = wire.call(PROBE, b"");
    wire.fails(
        &good.with("grpc-timeout", "20S"),
        UNIMPLEMENTED,
        "not supported",
    );
    wire.fails(
        &good.with("grpc-timeout", "1n"),
        DEADLINE_EXCEEDED,
        "deadline",
    );
    wire.fails(
        &good.with("grpc-timeout", "soon"),
        INVALID_ARGUMENT,
        "grpc-timeout",
    );
}

#[test]
fn a_rate_limit_says_when_to_come_back() {
    let server = common::start_configured("[limits]\nrate_preset = \"jupiterone\"\n");
    let mut wire = Wire::new(&server);
    let call = wire.call(PROBE, b"");
    let refused = (0..3000)
        .map(|_| wire.send(&call))
        .find(|answer| answer.code != UNIMPLEMENTED.to_string())
        .unwrap();
    assert_eq!(refused.code, RESOURCE_EXHAUSTED.to_string(), "{refused:?}");
    let text = String::from_utf8_lossy(&refused.details).into_owned();
    assert!(
        text.contains("type.googleapis.com/v1.RateLimitMetadata"),
        "{text}"
    );
    assert!(text.contains("credential"), "{text}");
}
