// SPDX-License-Identifier: Apache-2.0
//! Who is connected, for how long, and who must go when there is no room.
//!
//! A connection is a stranger's until a request on it has proven a credential. There is always room
//! for one more: when the strangers have all of theirs, the oldest that asks for nothing goes, so
//! that idle connections cannot lock anybody out. Connections of known callers are kept, up to a
//! limit for each organization.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Most connections, however many descriptors there are.
const CONNECTIONS_MAX: u64 = 10_000;
/// Descriptors that are kept for journals, files and what else the process opens.
const DESCRIPTORS_RESERVED: u64 = 128;
/// Fewest connections, however few descriptors there are.
const CONNECTIONS_MIN: u64 = 64;
/// How long a stranger's connection may ask for nothing: handshakes and headers come within it.
const STRANGER_IDLE: Duration = Duration::from_secs(15);
/// How long the connection of a known caller may ask for nothing.
const KNOWN_IDLE: Duration = Duration::from_mins(5);
/// How long a connection that is idle has to say that it ends.
const LEAVE: Duration = Duration::from_secs(2);
/// How long a client may leave an answer unread.
const UNREAD_MAX: Duration = Duration::from_secs(30);
/// How long a newcomer is not taken for one that asks for nothing.
const NEWCOMER: Duration = Duration::from_secs(3);
/// How often a busy connection is looked at.
const GLANCE: Duration = Duration::from_secs(5);

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    /// All together.
    pub(crate) total: usize,
    /// Those of strangers.
    strangers: usize,
    /// Those of strangers from one address.
    strangers_per_address: usize,
    /// Those of known callers.
    known: usize,
    /// Those of known callers of one organization.
    known_per_organization: usize,
}

impl ConnectionLimits {
    /// The limits for a process that may open so many descriptors.
    pub(crate) fn within(descriptors: u64) -> Self {
        let total = descriptors
            .saturating_sub(DESCRIPTORS_RESERVED)
            .clamp(CONNECTIONS_MIN, CONNECTIONS_MAX) as usize;
        let known = total - total / 8;
        Self {
            total,
            strangers: total / 2,
            strangers_per_address: total / 4,
            known,
            known_per_organization: known / 2,
        }
    }
}

/// All connections of the process.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    registry: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    next: u64,
    /// Oldest first.
    strangers: BTreeMap<u64, Arc<Connection>>,
    strangers_by_address: HashMap<IpAddr, usize>,
    known: usize,
    known_by_organization: HashMap<String, usize>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    address: IpAddr,
    connections: Arc<Connections>,
    /// Organization of the first caller who proved a credential.
    organization: OnceLock<String>,
    /// Requests that are not answered whole.
    open: AtomicUsize,
    /// Answers that are being sent.
    sending: AtomicUsize,
    moved: Mutex<Instant>,
    evicted: CancellationToken,
}

impl Connections {
    /// No connections yet.
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            registry: Mutex::default(),
        }
    }

    /// How many connections there may be.
    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    /// Takes a new connection in; another one may have to go for it. None when all the room is
    /// taken by known callers.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Arc<Connection>> {
        let address = network_of(address);
        let mut registry = self.registry.lock();
        let from_here = registry.strangers_by_address.get(&address).copied();
        let is_address_full = from_here.unwrap_or(0) >= self.limits.strangers_per_address;
        let strangers = registry.strangers.len();
        let is_full =
            strangers >= self.limits.strangers || strangers + registry.known >= self.limits.total;
        if is_address_full || is_full {
            let victim = registry.victim(is_address_full.then_some(address))?;
            registry.forget(&victim);
            victim.evicted.cancel();
            tracing::debug!(address = %victim.address, "a connection went to make room");
        }
        let number = registry.next;
        registry.next += 1;
        let connection = Arc::new(Connection {
            number,
            address,
            connections: Arc::clone(self),
            organization: OnceLock::new(),
            open: AtomicUsize::new(0),
            sending: AtomicUsize::new(0),
            moved: Mutex::new(Instant::now()),
            evicted: CancellationToken::new(),
        });
        registry.strangers.insert(number, Arc::clone(&connection));
        *registry.strangers_by_address.entry(address).or_default() += 1;
        Some(connection)
    }

    /// Connections of strangers and of known callers.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let registry = self.registry.lock();
        (registry.strangers.len(), registry.known)
    }

    fn leave(&self, connection: &Connection) {
        let mut registry = self.registry.lock();
        match connection.organization.get() {
            Some(organization) => {
                registry.known -= 1;
                count_down(&mut registry.known_by_organization, organization);
            }
            None => registry.forget(connection),
        }
    }
}

impl Registry {
    /// The oldest stranger who asks for nothing, else the oldest; from one address if told.
    fn victim(&self, from: Option<IpAddr>) -> Option<Arc<Connection>> {
        let fits = |stranger: &&Arc<Connection>| from.is_none_or(|from| stranger.address == from);
        let mut strangers = self.strangers.values().filter(fits);
        let oldest = strangers.clone().next();
        // Whoever came just now has had no time to ask.
        let now = Instant::now();
        let idle = strangers.find(|stranger| {
            stranger.open.load(Ordering::Relaxed) == 0
                && now.duration_since(*stranger.moved.lock()) >= NEWCOMER
        });
        idle.or(oldest).cloned()
    }

    fn forget(&mut self, stranger: &Connection) {
        if self.strangers.remove(&stranger.number).is_some() {
            count_down(&mut self.strangers_by_address, &stranger.address);
        }
    }
}

/// What limits of an address hold for: of IPv6 the network that one subscriber has.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        other => other,
    }
}

fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Connection {
    /// A caller of an organization proved a credential on this connection.
    pub(crate) fn prove(&self, organization: &str) {
        if self.organization.get().is_some() {
            return;
        }
        let limits = &self.connections.limits;
        let mut registry = self.connections.registry.lock();
        let of_it = registry.known_by_organization.get(organization).copied();
        if registry.known >= limits.known
            || of_it.unwrap_or(0) >= limits.known_per_organization
            || !registry.strangers.contains_key(&self.number)
            || self.organization.set(organization.to_owned()).is_err()
        {
            return;
        }
        registry.forget(self);
        registry.known += 1;
        let of_it = registry
            .known_by_organization
            .entry(organization.to_owned());
        *of_it.or_default() += 1;
    }

    /// A request begins; it is over when the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenRequest {
            connection: Arc::clone(self),
            is_sending: false,
        }
    }

    /// Done when the connection must end: it was evicted, or waited for too long.
    pub(crate) async fn must_end(&self) {
        tokio::select! {
            () = self.evicted.cancelled() => {}
            () = self.passed(LEAVE) => {}
        }
    }

    /// Done when the connection has asked for nothing for so long that it may say good-bye, and
    /// then ends: clients of HTTP/2 are told that what they send from then on was not looked at.
    pub(crate) async fn is_idle(&self) {
        self.passed(Duration::ZERO).await;
    }

    /// Done when the deadline has passed; `leave` is what the idle have beyond it.
    async fn passed(&self, leave: Duration) {
        loop {
            let deadline = self.deadline(leave);
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    fn deadline(&self, leave: Duration) -> Instant {
        let moved = *self.moved.lock();
        if self.open.load(Ordering::Relaxed) == 0 {
            let idle = match self.organization.get() {
                Some(_) => KNOWN_IDLE,
                None => STRANGER_IDLE,
            };
            moved + idle + leave
        } else if self.sending.load(Ordering::Relaxed) > 0 {
            (Instant::now() + GLANCE).min(moved + UNREAD_MAX)
        } else {
            Instant::now() + GLANCE
        }
    }

    fn note_moved(&self) {
        *self.moved.lock() = Instant::now();
    }
}

/// Says that a connection is gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Leaving(pub(crate) Arc<Connection>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.connections.leave(&self.0);
    }
}

/// A request that is not answered whole yet.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    connection: Arc<Connection>,
    is_sending: bool,
}

impl OpenRequest {
    /// From now on the client is expected to read.
    pub(crate) fn sends(&mut self) {
        if !self.is_sending {
            self.is_sending = true;
            self.connection.note_moved();
            self.connection.sending.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The client took some of the answer.
    pub(crate) fn moved(&self) {
        self.connection.note_moved();
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.connection.note_moved();
        if self.is_sending {
            self.connection.sending.fetch_sub(1, Ordering::Relaxed);
        }
        self.connection.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(descriptors: u64) -> Arc<Connections> {
        Arc::new(Connections::new(ConnectionLimits::within(descriptors)))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[tokio::test]
    async fn the_oldest_idle_stranger_goes() {
        let connections = connections(1024);
        let limit = connections.limits.strangers_per_address;
        let all: Vec<_> = (0..limit)
            .map(|_| connections.admit(address(1)).unwrap())
            .collect();
        let _busy = all[0].begin();
        for stranger in &all {
            *stranger.moved.lock() = Instant::now().checked_sub(NEWCOMER).unwrap();
        }
        let _new = connections.admit(address(1)).unwrap();
        assert!(!all[0].evicted.is_cancelled(), "it asks for something");
        assert!(all[1].evicted.is_cancelled());
        assert!(!all[2].evicted.is_cancelled());
        assert_eq!(connections.counts(), (limit, 0));
    }

    #[tokio::test]
    async fn known_callers_stay() {
        let connections = connections(1024);
        let known = connections.admit(address(1)).unwrap();
        known.prove("a");
        let strangers: Vec<_> = (0..5000u32)
            .filter_map(|number| connections.admit(address((number % 200) as u8)))
            .collect();
        assert_eq!(strangers.len(), 5000, "there is always room for one more");
        assert!(!known.evicted.is_cancelled());
        assert_eq!(connections.counts().1, 1);
        drop(Leaving(Arc::clone(&known)));
        assert_eq!(connections.counts().1, 0);
    }

    #[tokio::test]
    async fn one_organization_cannot_have_all_of_them() {
        let connections = connections(1024);
        let mut kept = Vec::new();
        for _ in 0..2000 {
            if let Some(connection) = connections.admit(address(1)) {
                connection.prove("greedy");
                kept.push(connection);
            }
        }
        let (_, known) = connections.counts();
        assert_eq!(known, connections.limits.known_per_organization);
        let other = connections.admit(address(1)).unwrap();
        other.prove("other");
        assert_eq!(connections.counts().1, known + 1);
    }

    #[tokio::test]
    async fn who_asks_for_nothing_goes_in_time() {
        let connections = connections(1024);
        let begun = Instant::now();
        let stranger = connections.admit(address(1)).unwrap();
        let around = |deadline: Instant, wanted: Duration| {
            let left = deadline.duration_since(begun);
            (wanted..wanted + Duration::from_secs(1)).contains(&left)
        };
        assert!(around(stranger.deadline(Duration::ZERO), STRANGER_IDLE));
        stranger.prove("a");
        assert!(around(stranger.deadline(Duration::ZERO), KNOWN_IDLE));

        *stranger.moved.lock() = begun.checked_sub(KNOWN_IDLE).unwrap();
        stranger.is_idle().await;
        *stranger.moved.lock() = begun.checked_sub(KNOWN_IDLE + LEAVE).unwrap();
        stranger.must_end().await;
    }

    #[tokio::test]
    async fn who_does_not_read_goes_in_time() {
        let connections = connections(1024);
        let known = connections.admit(address(1)).unwrap();
        known.prove("a");
        let mut request = known.begin();
        *known.moved.lock() = Instant::now().checked_sub(KNOWN_IDLE).unwrap();
        assert!(
            known.deadline(Duration::ZERO) > Instant::now(),
            "work may take its time"
        );
        request.sends();
        assert!(
            known.deadline(Duration::ZERO) > Instant::now(),
            "it was sent just now"
        );
        *known.moved.lock() = Instant::now().checked_sub(UNREAD_MAX).unwrap();
        known.must_end().await;
    }

    #[tokio::test]
    async fn who_went_is_told() {
        let connections = connections(0);
        let all: Vec<_> = (0..CONNECTIONS_MIN)
            .map(|_| connections.admit(address(1)).unwrap())
            .collect();
        all[0].must_end().await;
    }
}
