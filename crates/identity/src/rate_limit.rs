// SPDX-License-Identifier: Apache-2.0
//! Rate limits per organization and credential.
//!
//! Each bucket fills with requests and drains evenly. A request that does not fit into all of its
//! buckets is refused and counted in none, so the buckets are looked at together, under one lock.

use std::collections::HashMap;
use std::hash::Hash;

use durward_model::{Instant, ObjectId};
use parking_lot::Mutex;

use crate::{Caller, OrganizationId};

/// Most buckets that are kept; drained ones go first.
const BUCKETS_MAX: usize = 100_000;
const MICROS: i64 = 1_000_000;

/// So many requests in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests.
    pub requests: u32,
    /// Seconds.
    pub window_seconds: u32,
}

/// Which quotas hold. Without any, nothing is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RatePlan {
    /// Operations of one organization.
    pub organization: Option<Quota>,
    /// Operations of one credential.
    pub credential: Option<Quota>,
    /// J1QL queries of one organization.
    pub queries: Option<Quota>,
}

impl RatePlan {
    /// Nothing is limited.
    pub const UNLIMITED: Self = Self {
        organization: None,
        credential: None,
        queries: None,
    };
    /// JupiterOne's own figures.
    pub const JUPITERONE: Self = Self {
        organization: Some(Quota {
            requests: 2000,
            window_seconds: 120,
        }),
        credential: Some(Quota {
            requests: 1000,
            window_seconds: 60,
        }),
        queries: Some(Quota {
            requests: 120,
            window_seconds: 120,
        }),
    };

    /// The plan of this name, as the configuration writes it; `100/60` is so many operations of
    /// each credential in so many seconds.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "unlimited" => Some(Self::UNLIMITED),
            "jupiterone" => Some(Self::JUPITERONE),
            own => Some(Self {
                credential: Some(Quota::parse(own)?),
                ..Self::UNLIMITED
            }),
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateCost {
    /// Operations: root fields, calls.
    pub operations: u32,
    /// J1QL queries among them.
    pub queries: u32,
}

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketKind {
    /// Operations of the organization.
    Organization,
    /// Operations of the credential.
    Credential,
    /// J1QL queries of the organization.
    Queries,
}

/// State of one bucket after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// What it counts.
    pub kind: BucketKind,
    /// Its quota.
    pub quota: Quota,
    /// How many requests still fit.
    pub remaining: u32,
    /// Whole seconds, rounded up, until it is empty.
    pub reset_seconds: u32,
}

/// The answer, with what response headers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateVerdict {
    /// Whether the request may go on.
    pub allowed: bool,
    /// The buckets that the request touches; none when nothing limits it.
    pub buckets: Vec<BucketState>,
    /// Operations that were counted: none for a refused request.
    pub counted: u32,
    /// Whole seconds after which the same request would fit; zero when it does.
    pub retry_after_seconds: u32,
}

impl RateVerdict {
    /// The bucket in which the fewest requests still fit.
    pub fn tightest(&self) -> Option<&BucketState> {
        self.buckets.iter().min_by_key(|bucket| bucket.remaining)
    }

    /// Whole seconds until all buckets are empty.
    pub fn reset_seconds(&self) -> u32 {
        self.buckets
            .iter()
            .map(|bucket| bucket.reset_seconds)
            .max()
            .unwrap_or(0)
    }
}

/// Counts requests.
#[derive(Debug)]
pub struct RateLimits {
    plan: RatePlan,
    buckets: Mutex<HashMap<Key, Instant>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: BucketKind,
    organization: OrganizationId,
    credential: Option<ObjectId>,
}

struct Demand {
    key: Key,
    quota: Quota,
    cost: u32,
}

impl RateLimits {
    /// Limits after a plan.
    pub fn new(plan: RatePlan) -> Self {
        Self {
            plan,
            buckets: Mutex::default(),
        }
    }

    /// Counts a request of a caller, or refuses it.
    pub fn check(&self, caller: &Caller, cost: RateCost, now: Instant) -> RateVerdict {
        self.count(caller.organization().id(), caller.credential(), cost, now)
    }

    fn count(
        &self,
        organization: &OrganizationId,
        credential: Option<ObjectId>,
        cost: RateCost,
        now: Instant,
    ) -> RateVerdict {
        let demands = self.demands(organization, credential, cost);
        if demands.is_empty() {
            let counted = cost.operations;
            return RateVerdict {
                allowed: true,
                buckets: Vec::new(),
                counted,
                retry_after_seconds: 0,
            };
        }
        let mut buckets = self.buckets.lock();
        // A bucket is the moment at which it will be empty.
        let empty_at = |buckets: &HashMap<Key, Instant>, key: &Key| {
            buckets.get(key).copied().unwrap_or(now).max(now)
        };
        let wait = demands
            .iter()
            .map(|demand| demand.wait_micros(empty_at(&buckets, &demand.key), now))
            .max()
            .unwrap_or(0);
        let allowed = wait == 0;
        let mut states = Vec::with_capacity(demands.len());
        for demand in demands {
            let mut empty = empty_at(&buckets, &demand.key);
            if allowed {
                empty = empty.plus_micros(demand.quota.micros(demand.cost));
                buckets.insert(demand.key.clone(), empty);
            }
            states.push(demand.quota.state(demand.key.kind, empty, now));
        }
        if buckets.len() > BUCKETS_MAX {
            buckets.retain(|_, empty| *empty > now);
        }
        RateVerdict {
            allowed,
            buckets: states,
            counted: if allowed { cost.operations } else { 0 },
            retry_after_seconds: seconds_up(wait),
        }
    }

    fn demands(
        &self,
        organization: &OrganizationId,
        credential: Option<ObjectId>,
        cost: RateCost,
    ) -> Vec<Demand> {
        let demand = |kind, quota: Option<Quota>, credential, cost| {
            let key = Key {
                kind,
                organization: organization.clone(),
                credential,
            };
            quota
                .filter(|_| cost > 0)
                .map(|quota| Demand { key, quota, cost })
        };
        let all = [
            demand(
                BucketKind::Organization,
                self.plan.organization,
                None,
                cost.operations,
            ),
            demand(
                BucketKind::Credential,
                self.plan.credential,
                credential,
                cost.operations,
            ),
            demand(BucketKind::Queries, self.plan.queries, None, cost.queries),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Demand {
    /// How long until the demand fits.
    fn wait_micros(&self, empty: Instant, now: Instant) -> i64 {
        let filled = empty.plus_micros(self.quota.micros(self.cost));
        let over = filled.as_micros().saturating_sub(now.as_micros());
        over.saturating_sub(self.quota.window_micros()).max(0)
    }
}

impl Quota {
    fn parse(text: &str) -> Option<Self> {
        let (requests, seconds) = text.split_once('/')?;
        let quota = Self {
            requests: requests.parse().ok()?,
            window_seconds: seconds.parse().ok()?,
        };
        (quota.requests > 0 && quota.window_seconds > 0).then_some(quota)
    }

    fn window_micros(self) -> i64 {
        i64::from(self.window_seconds) * MICROS
    }

    /// Time in which so many requests drain.
    fn micros(self, requests: u32) -> i64 {
        let window = i128::from(self.window_micros());
        let micros = window * i128::from(requests) / i128::from(self.requests.max(1));
        i64::try_from(micros).unwrap_or(i64::MAX)
    }

    fn state(self, kind: BucketKind, empty: Instant, now: Instant) -> BucketState {
        let filled = empty.as_micros().saturating_sub(now.as_micros()).max(0);
        let free = i128::from(self.window_micros().saturating_sub(filled).max(0));
        let window = i128::from(self.window_micros().max(1));
        let remaining = free * i128::from(self.requests) / window;
        BucketState {
            kind,
            quota: self,
            remaining: u32::try_from(remaining).unwrap_or(self.requests),
            reset_seconds: seconds_up(filled),
        }
    }
}

fn seconds_up(micros: i64) -> u32 {
    u32::try_from(micros.saturating_add(MICROS - 1) / MICROS).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    const ONE: RateCost = RateCost {
        operations: 1,
        queries: 0,
    };

    fn id(digit: &str) -> OrganizationId {
        OrganizationId::parse(&digit.repeat(16)).unwrap()
    }

    fn start() -> Instant {
        Instant::from_millis(1_000_000)
    }

    #[test]
    fn without_a_plan_nothing_is_limited() {
        let limits = RateLimits::new(RatePlan::named("unlimited").unwrap());
        for _ in 0..10_000 {
            let verdict = limits.count(&id("a"), Some(ObjectId(1)), ONE, start());
            assert!(verdict.allowed && verdict.tightest().is_none());
        }
        for unusable in ["fast", "0/60", "5/0", "5/", "5/60/2", "-1/60"] {
            assert_eq!(RatePlan::named(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn buckets_fill_refuse_and_drain() {
        let limits = RateLimits::new(RatePlan::JUPITERONE);
        let ask = |credential, now| limits.count(&id("a"), Some(ObjectId(credential)), ONE, now);
        let first = ask(1, start());
        let tightest = first.tightest().unwrap();
        assert_eq!(
            (tightest.kind, tightest.remaining),
            (BucketKind::Credential, 999)
        );
        assert_eq!(first.reset_seconds(), 1);
        assert!((1..1000).all(|_| ask(1, start()).allowed));
        let refused = ask(1, start());
        assert_eq!(
            (
                refused.allowed,
                refused.counted,
                refused.retry_after_seconds
            ),
            (false, 0, 1)
        );
        assert_eq!(refused.reset_seconds(), 60);
        // The refused one was not counted in the bucket of the organization either.
        assert_eq!(refused.buckets.first().unwrap().remaining, 1000);
        assert!((0..1000).all(|_| ask(2, start()).allowed));
        assert_eq!(
            ask(3, start()).tightest().unwrap().kind,
            BucketKind::Organization
        );
        assert!(!ask(3, start()).allowed);
        assert!(
            limits
                .count(&id("b"), Some(ObjectId(1)), ONE, start())
                .allowed
        );
        let later = start().plus_seconds(6);
        assert!((0..100).all(|_| ask(3, later).allowed));
        assert!(!ask(3, later).allowed);
        assert!(ask(1, start().plus_seconds(120)).allowed);
    }

    #[test]
    fn an_operator_sets_a_quota_for_each_credential() {
        let limits = RateLimits::new(RatePlan::named("2/3600").unwrap());
        let ask = |credential| limits.count(&id("a"), Some(ObjectId(credential)), ONE, start());
        assert!(ask(1).allowed && ask(1).allowed);
        assert_eq!(ask(1).retry_after_seconds, 1800);
        assert!(ask(2).allowed);
    }

    #[test]
    fn queries_have_a_bucket_of_their_own() {
        let limits = RateLimits::new(RatePlan::JUPITERONE);
        let query = RateCost {
            operations: 1,
            queries: 1,
        };
        let ask = |cost| limits.count(&id("a"), None, cost, start());
        assert!((0..120).all(|_| ask(query).allowed));
        let refused = ask(query);
        assert_eq!(refused.tightest().unwrap().kind, BucketKind::Queries);
        assert!(!refused.allowed);
        assert!(ask(ONE).allowed);
        let batch = RateCost {
            operations: 5000,
            queries: 0,
        };
        assert!(!ask(batch).allowed);
    }
}
