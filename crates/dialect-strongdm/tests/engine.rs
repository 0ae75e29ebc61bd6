// SPDX-License-Identifier: Apache-2.0
//! The engine between a client whose clock is wrong and services that misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

mod common;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::{Common, NOON};
use durward_dialect_strongdm::{Call, Contract, Dispatch, Reply, Source, Status};
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use prost_reflect::DynamicMessage;

const HOUR: i64 = 3600;
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(10);

/// Services that do what no service should.
#[derive(Default)]
struct Rogue {
    has_given_up: AtomicBool,
}

impl Dispatch for Rogue {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Status> {
        match call.method.signed_name.as_str() {
            "Roles.Get" => {
                let origin = call.caller.origin("test");
                assert_eq!(origin.user_agent, "strongdm-sdk-test/1");
                assert_eq!(call.user_agent, origin.user_agent);
                assert_eq!(origin.source_address, "192.0.2.7");
                assert_eq!(call.remote_address, origin.source_address);
                let id = call.message.get_field_by_name("id").unwrap();
                assert_eq!(id.as_str(), Some("r-1"));
                Ok(Reply::default())
            }
            "Roles.List" => Ok(Reply::encoded(vec![0x10; 5 << 20])),
            "Roles.Create" => {
                for _ in 0..2000 {
                    if call.is_given_up() {
                        self.has_given_up.store(true, Ordering::SeqCst);
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(Reply::default())
            }
            other => panic!("{other} has a defect"),
        }
    }
}

/// The engine over services that misbehave.
struct World {
    common: Common,
    rogue: Arc<Rogue>,
}

impl Deref for World {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl World {
    fn new() -> Self {
        let rogue = Arc::new(Rogue::default());
        let dispatch = Arc::clone(&rogue) as Arc<dyn Dispatch>;
        let common = Common::new(Contract::load().unwrap(), |_| dispatch);
        Self { common, rogue }
    }
}

#[test]
fn the_neighbouring_day_counts_close_to_midnight() {
    let world = World::new();
    let ask = |server: i64, client: i64| {
        world.clock.set(NOON.plus_seconds(server));
        let request = world.call_at("Roles.Get", b"\x12\x03r-1", NOON.plus_seconds(client));
        world.send(request).get("grpc-status").to_owned()
    };
    let midnight = 12 * HOUR;
    assert_eq!(ask(0, 0), "0");
    assert_eq!(ask(0, -24 * HOUR), "16");
    assert_eq!(ask(0, 24 * HOUR), "16");
    assert_eq!(ask(midnight - 299, midnight), "0");
    assert_eq!(ask(midnight - 400, midnight), "16");
    assert_eq!(ask(midnight + 299, midnight - 1), "0");
    assert_eq!(ask(midnight + 400, midnight - 1), "16");
}

#[test]
fn an_answer_gets_what_every_answer_has() {
    let world = World::new();
    let answer = world.send(world.call("Roles.Get", b"\x12\x03r-1"));
    assert_eq!(answer.get("grpc-status"), "0");
    assert_eq!(answer.body[0], 0);
    let contract = world.engine.contract();
    let output = contract.method("/v1.Roles/Get").unwrap().output.clone();
    let message = DynamicMessage::decode(output, &answer.body[5..]).unwrap();
    for name in ["meta", "rate_limit"] {
        assert!(message.has_field_by_name(name), "{name}");
    }
}

#[test]
fn what_a_service_does_wrong_becomes_a_status() {
    let world = World::new();
    let large = world.send(world.call("Roles.List", b""));
    assert_eq!(large.get("grpc-status"), "3");
    assert!(large.get("grpc-message").contains("smaller page limit"));
    // One that runs on the thread of the connection, and one that does not.
    for name in ["Accounts.Get", "Roles.Delete"] {
        let broken = world.send(world.call(name, b""));
        assert_eq!(broken.get("grpc-status"), "13");
        let said = broken.get("grpc-message");
        assert!(
            said.contains("request-1") && !said.contains("defect"),
            "{said}"
        );
    }
}

#[test]
fn work_ends_when_nobody_waits_for_it() {
    let world = World::new();
    let mut request = world.call("Roles.Create", b"");
    let timeout = "50m".parse().unwrap();
    request.headers_mut().insert("grpc-timeout", timeout);
    let late = world.runtime.block_on(async {
        let call = world.engine.answer(request, Source::default());
        tokio::time::timeout(LONG, call).await
    });
    assert_eq!(late.unwrap().headers()["grpc-status"], "4");
    world.wait_until_given_up();
    // The same when the client goes away.
    world.rogue.has_given_up.store(false, Ordering::SeqCst);
    let request = world.call("Roles.Create", b"");
    world.runtime.block_on(async {
        let call = world.engine.answer(request, Source::default());
        let gone = tokio::time::timeout(Duration::from_millis(50), call).await;
        assert!(gone.is_err());
    });
    world.wait_until_given_up();
}

impl World {
    fn wait_until_given_up(&self) {
        for _ in 0..500 {
            if self.rogue.has_given_up.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the work goes on");
    }
}

#[test]
fn streams_end_when_the_server_stops() {
    let world = World::new();
    let request = Request::post("/grpc.health.v1.Health/Watch")
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .body(Full::new(Bytes::from_static(&[0, 0, 0, 0, 0])))
        .unwrap();
    world.runtime.block_on(async {
        let response = world.engine.answer(request, Source::default()).await;
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap()[..], [0, 0, 0, 0, 2, 8, 1]);
        let silence = tokio::time::timeout(Duration::from_millis(50), body.frame()).await;
        assert!(silence.is_err());
        world.engine.stop();
        let rest = tokio::time::timeout(LONG, body.collect()).await;
        let rest = rest.unwrap().unwrap();
        assert_eq!(rest.trailers().unwrap()["grpc-status"], "14");
        assert_eq!(rest.to_bytes()[..], [0, 0, 0, 0, 2, 8, 2]);
    });
}
