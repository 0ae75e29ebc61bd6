// SPDX-License-Identifier: Apache-2.0
//! Who gives way when the share of strangers is used up.
//!
//! Strangers hold nothing but bodies that are not whole yet. Whoever sends one slowly, or never to
//! its end, must not keep out those whose call is there in a moment: the oldest gives way.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Bodies on their way, oldest first.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom {
    places: Mutex<Places>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

/// One body's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<'r> {
    room: &'r WaitingRoom,
    number: u64,
    leave: Arc<Notify>,
}

impl WaitingRoom {
    /// Takes the newest place.
    pub(crate) fn enter(&self) -> Place<'_> {
        let mut places = self.places.lock();
        let number = places.next;
        places.next += 1;
        let leave = Arc::new(Notify::new());
        places.waiting.insert(number, Arc::clone(&leave));
        Place {
            room: self,
            number,
            leave,
        }
    }

    /// Something was given back.
    pub(crate) fn note_given_back(&self) {
        self.given_back.notify_waiters();
    }
}

impl Place<'_> {
    /// Done when this one has to give way.
    pub(crate) async fn must_leave(&self) {
        self.leave.notified().await;
    }

    /// Sends the oldest of the others away. False when there is none.
    pub(crate) fn send_oldest_away(&self) -> bool {
        let mut places = self.room.places.lock();
        let oldest = places
            .waiting
            .keys()
            .copied()
            .find(|number| *number != self.number);
        let Some(leave) = oldest.and_then(|number| places.waiting.remove(&number)) else {
            return false;
        };
        leave.notify_one();
        true
    }

    /// Resolves when something is given back after this was called.
    pub(crate) fn given_back(&self) -> tokio::sync::futures::Notified<'_> {
        self.room.given_back.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.places.lock().waiting.remove(&self.number);
    }
}
