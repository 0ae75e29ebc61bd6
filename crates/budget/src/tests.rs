// SPDX-License-Identifier: Apache-2.0
//! Tests of shares, leases, turns and JSON under a lease.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use durward_model::error::ClientMessage as _;
use durward_model::{ErrorKind, ObjectId};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use proptest::prelude::*;

use crate::body::{self, BodyError, BodyLimits};
use crate::json::{self, JsonError};
use crate::{Budget, BudgetLimits, Scope};

const MIB: u64 = 1 << 20;

/// A body of so many frames of three bytes.
struct Threes(usize);

impl Body for Threes {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.0 = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"123")))))
    }
}

fn budget() -> Budget {
    Budget::new(BudgetLimits::shared_out(64 * MIB, 2))
}

#[test]
fn each_share_ends_where_it_should() {
    let budget = budget();
    let first = budget.share("a", Some(ObjectId(1)));
    let held = first.lease_of(16 * MIB).unwrap();
    let refused = first.lease_of(1).unwrap_err();
    assert_eq!(refused.scope, Scope::Credential);
    assert_eq!(refused.kind(), ErrorKind::RateLimited);

    let _second = budget
        .share("a", Some(ObjectId(2)))
        .lease_of(16 * MIB)
        .unwrap();
    let refused = budget
        .share("a", Some(ObjectId(3)))
        .lease_of(1)
        .unwrap_err();
    assert_eq!(refused.scope, Scope::Organization);

    let _third = budget
        .share("b", Some(ObjectId(1)))
        .lease_of(16 * MIB)
        .unwrap();
    let _fourth = budget
        .share("c", Some(ObjectId(1)))
        .lease_of(13 * MIB)
        .unwrap();
    let _stranger = budget.strangers().lease_of(2 * MIB).unwrap();
    let refused = budget
        .share("c", Some(ObjectId(2)))
        .lease_of(2 * MIB)
        .unwrap_err();
    assert_eq!(refused.scope, Scope::Process);
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(
        budget.strangers().lease_of(3 * MIB).unwrap_err().scope,
        Scope::Strangers
    );

    drop(held);
    assert!(
        budget
            .share("c", Some(ObjectId(2)))
            .lease_of(2 * MIB)
            .is_ok()
    );
}

#[test]
fn what_was_refused_is_not_held() {
    let budget = budget();
    let share = budget.share("a", None);
    let lease = share.lease_of(MIB).unwrap();
    assert!(lease.add(u64::MAX).is_err());
    assert!(lease.add(20 * MIB).is_err());
    assert_eq!(lease.used_bytes(), MIB);
    drop(lease);
    assert_eq!((share.used_bytes(), budget.used_bytes()), (0, 0));
}

#[test]
fn a_proven_caller_carries_its_own_bytes() {
    let budget = budget();
    let lease = budget.strangers().lease_of(3 * MIB).unwrap();
    let share = budget.share("a", Some(ObjectId(7)));
    let lease = lease.moved_to(&share).unwrap();
    assert_eq!(budget.strangers().used_bytes(), 0);
    assert!(share.used_bytes() >= 3 * MIB);
    drop(lease);
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn organizations_that_hold_nothing_are_forgotten() {
    let budget = budget();
    let kept = budget.share("kept", None).lease_of(15 * MIB).unwrap();
    for number in 0..10_000 {
        drop(
            budget
                .share(&format!("passing {number}"), None)
                .lease_of(1)
                .unwrap(),
        );
        drop(budget.share("kept", Some(ObjectId(number))));
    }
    assert!(budget.share("kept", None).lease_of(2 * MIB).is_err());
    drop(kept);
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn every_node_is_charged() {
    let text = format!("[{}]", vec![r#"{"":0}"#; 100_000].join(","));
    let budget = budget();
    let lease = budget.strangers().lease();
    let refused = json::from_slice(text.as_bytes(), &lease).unwrap_err();
    assert!(matches!(refused, JsonError::Exhausted(error) if error.scope == Scope::Strangers));

    let lease = Budget::unlimited().strangers().lease();
    let value = json::from_slice(text.as_bytes(), &lease).unwrap();
    assert_eq!(value.as_array().unwrap().len(), 100_000);
    // Each is a node in an array, a map, and a member.
    assert!(lease.used_bytes() > 100_000 * 300, "{}", lease.used_bytes());
}

#[tokio::test]
async fn writes_and_heavy_work_do_not_wait_for_each_other() {
    let limits = BudgetLimits {
        writes: 2,
        ..BudgetLimits::shared_out(MIB, 1)
    };
    let share = Budget::new(limits).share("a", None);
    let mut writes = Vec::new();
    for _ in 0..limits.writes {
        writes.push(share.write_turn().await.unwrap());
    }
    let one_more = share.write_turn();
    tokio::pin!(one_more);
    let now = Duration::from_millis(20);
    assert!(tokio::time::timeout(now, &mut one_more).await.is_err());
    assert!(tokio::time::timeout(now, share.turn()).await.is_ok());
    writes.pop();
    assert!(one_more.await.is_ok());
}

#[test]
fn a_value_weighs_what_was_charged_for_it() {
    for text in [
        r#"{"a":[1,2.5,"x",null],"b":{"":true}}"#,
        r#""text""#,
        "[]",
        "7",
    ] {
        let lease = budget().strangers().lease();
        let value = json::from_slice(text.as_bytes(), &lease).unwrap();
        assert_eq!(json::weight(&value), lease.used_bytes(), "{text}");
    }
}

#[test]
fn json_is_read_as_serde_json_reads_it() {
    let lease = Budget::unlimited().strangers().lease();
    for text in [
        r#"{"a":[1,-2,3.5,"x\n",null,true,{"b":{}}],"a":2}"#,
        "18446744073709551615",
        "1e400",
        "[1,]",
        "{} x",
        "",
        &"[".repeat(200),
    ] {
        let ours = json::from_slice(text.as_bytes(), &lease);
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
            (ours, theirs) => panic!("{text}: {ours:?} but {theirs:?}"),
        }
    }
}

#[tokio::test]
async fn turns_are_per_organization() {
    let budget = Budget::new(BudgetLimits {
        waiting_per_credential: 1,
        ..BudgetLimits::shared_out(MIB, 2)
    });
    let busy = budget.share("busy", Some(ObjectId(1)));
    let (first, second) = (busy.turn().await.unwrap(), busy.turn().await.unwrap());
    let waits = tokio::spawn({
        let busy = busy.clone();
        async move { busy.turn().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let refused = busy.turn().await.unwrap_err();
    assert_eq!(refused.scope, Scope::Credential);
    let quiet = budget.share("quiet", Some(ObjectId(1)));
    drop(quiet.turn().await.unwrap());
    drop(first);
    assert!(waits.await.unwrap().is_ok());
    drop(second);
}

proptest! {
    #[test]
    fn all_is_given_back(steps in prop::collection::vec((any::<bool>(), 0u64..200_000), 0..200)) {
        let budget = budget();
        let share = budget.share("a", None);
        let lease = share.lease();
        let mut held = 0u64;
        for (grows, bytes) in steps {
            if grows {
                if lease.add(bytes).is_ok() {
                    held += bytes;
                }
            } else {
                let bytes = bytes.min(held);
                lease.release(bytes);
                held -= bytes;
            }
            prop_assert_eq!(lease.used_bytes(), held);
            prop_assert!(share.used_bytes() >= held);
            prop_assert!(share.used_bytes() <= held + held / 4 + 16_384);
        }
        drop(lease);
        prop_assert_eq!(budget.used_bytes(), 0);
    }
}

#[tokio::test]
async fn a_body_is_kept_up_to_its_limit() {
    let budget = budget();
    let lease = budget.share("a", None).lease();
    let limits = BodyLimits {
        bytes_max: 1000,
        drained_bytes_max: 5000,
    };
    let whole = body::read(Full::new(Bytes::from(vec![1; 1000])), limits, &lease).await;
    assert_eq!(whole.unwrap().len(), 1000);
    assert_eq!(lease.used_bytes(), 1000);

    let parts = Threes;
    let lease = budget.share("a", None).lease();
    let kept = body::read(parts(333), limits, &lease).await.unwrap();
    assert_eq!(kept.len(), 999);
    assert!(
        (999..=2048).contains(&lease.used_bytes()),
        "{}",
        lease.used_bytes()
    );

    let mut long = parts(1000);
    let refused = body::read(&mut long, limits, &lease).await.unwrap_err();
    assert_eq!(refused, BodyError::TooLarge { bytes_max: 1000 });
    assert!(long.frame().await.is_none(), "a refused body is read on");

    let strangers = budget.strangers().lease_of(4 * MIB - 100).unwrap();
    let refused = body::read(parts(300), limits, &strangers).await;
    assert!(matches!(refused, Err(BodyError::Exhausted(error)) if error.scope == Scope::Strangers));
}

/// A body that begins and never ends.
struct Endless(bool);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Pending
        } else {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; 60_000])))))
        }
    }
}

#[tokio::test]
async fn unfinished_bodies_of_strangers_give_way() {
    let budget = budget();
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let lease = budget.strangers().lease();
            tokio::spawn(
                async move { body::read(Endless(false), BodyLimits::STRANGER, &lease).await },
            )
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(budget.strangers().used_bytes() > 3 * MIB);
    for _ in 0..100 {
        let lease = budget.strangers().lease();
        let read = body::read(Threes(20_000), BodyLimits::STRANGER, &lease).await;
        assert_eq!(read.unwrap().len(), 60_000);
    }
    let mut away = 0;
    for body in slow {
        if body.is_finished() {
            assert!(matches!(body.await.unwrap(), Err(BodyError::Exhausted(_))));
            away += 1;
        } else {
            body.abort();
        }
    }
    assert!(away > 100, "{away}");
}
