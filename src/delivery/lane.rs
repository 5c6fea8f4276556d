//! What the requests of one token share: their queue, their gate and their pace. A lane answers
//! one question, "which request may start, or when is it worth looking again?", and knows no other
//! lane, so that one token's limit never delays another's requests. [`Lanes`] asks it of all
//! tokens at a price that does not grow with their number. A request is a key of any kind; the
//! least goes first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::gate::{Gate, Pass};
use crate::delivery::pace::{Cost, Pace, Priced};
use crate::delivery::schedule::Reason;
use crate::github::TokenId;

/// The requests of one token, and what holds them back.
#[derive(Debug)]
pub(super) struct Lane<K> {
    /// What may be sent as far as itself goes.
    ready: BTreeSet<K>,
    /// What is sent again, by when.
    delayed: BTreeSet<(Duration, K)>,
    /// What closes after a limited answer.
    pub(super) gate: Gate,
    pace: Pace,
    /// Why nothing of this lane is sent any more.
    pub(super) ended: Option<Ended>,
    /// What [`Lanes`] knows of this lane, to be taken back before it changes.
    known: Look<K>,
}

/// Why a lane ended.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The token was refused.
    Refused(String),
    /// A limit asks for a longer wait than the run may take.
    Deferred(String, Timestamp),
}

/// Returns when a wait that begins at `wall` is over, for people: up to the full second, because a
/// moment too early would meet the limit again.
pub(super) fn over(wall: Timestamp, wait: Duration) -> Timestamp {
    let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
    Timestamp::from_second(wall.as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX)
}

/// What a lane can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look<K> {
    /// The request that may start now.
    first: Option<K>,
    /// When to look again although nothing was answered, and what that is waited for.
    again: Option<(Duration, Reason)>,
}

impl<K> Look<K> {
    /// Nothing can be done before something was answered.
    const NOTHING: Self = Self { first: None, again: None };
}

impl<K: Copy + Ord + Priced> Lane<K> {
    pub(super) fn new(pace: Pace, max_wait: Duration) -> Self {
        Self {
            ready: BTreeSet::new(),
            delayed: BTreeSet::new(),
            gate: Gate::new(max_wait),
            pace,
            ended: None,
            known: Look::NOTHING,
        }
    }

    /// Puts a request at its place in the order.
    pub(super) fn ready(&mut self, job: K) {
        self.ready.insert(job);
    }

    /// Keeps a request back until `until`.
    pub(super) fn delay(&mut self, job: K, until: Duration) {
        self.delayed.insert((until, job));
    }

    /// Takes out one that was not started, if it is there.
    pub(super) fn remove(&mut self, job: K) {
        if !self.ready.remove(&job) {
            self.delayed.retain(|(_, one)| *one != job);
        }
    }

    /// Takes out all that was not started, in order.
    pub(super) fn clear(&mut self) -> BTreeSet<K> {
        let mut all = std::mem::take(&mut self.ready);
        all.extend(std::mem::take(&mut self.delayed).into_iter().map(|(_, job)| job));
        all
    }

    /// Returns what can be done at `now`.
    fn look(&mut self, now: Duration) -> Look<K> {
        while let Some((until, job)) = self.delayed.first().copied()
            && until <= now
        {
            self.delayed.pop_first();
            self.ready.insert(job);
        }
        let retry = self.delayed.first().map(|(until, _)| (*until, Reason::Retry));
        let Some(first) = self.ready.first().copied() else {
            return Look { first: None, again: retry };
        };
        let gate = self.gate.opens_at(now);
        match self.pace.free_at(now, first.cost()) {
            // Only an answer makes a place free.
            None => Look::NOTHING,
            Some(pace) if pace.max(gate) <= now => Look { first: Some(first), again: retry },
            Some(pace) if pace > gate => Look { first: None, again: Some((pace, Reason::Pace)) },
            Some(_) => Look { first: None, again: Some((gate, Reason::Limit)) },
        }
    }

    /// Notes that a request starts.
    fn start(&mut self, job: K, now: Duration) -> Pass {
        self.ready.remove(&job);
        self.pace.sent(job.cost());
        self.gate.pass(now)
    }

    /// Notes that a request was answered after so many on the wire.
    pub(super) fn answered(&mut self, at: Duration, cost: Cost, requests: u32) {
        self.pace.answered(at, cost, requests);
    }
}

/// The lanes of all tokens: which request is the first that may start, and when to look again.
#[derive(Debug)]
pub(super) struct Lanes<K> {
    lanes: BTreeMap<TokenId, Lane<K>>,
    /// The first request of each lane that may start now.
    startable: BTreeSet<(K, TokenId)>,
    /// When to look at a lane again.
    wakes: BTreeSet<(Duration, Reason, TokenId)>,
}

impl<K: Copy + Ord + Priced> Lanes<K> {
    pub(super) fn new() -> Self {
        Self { lanes: BTreeMap::new(), startable: BTreeSet::new(), wakes: BTreeSet::new() }
    }

    /// Returns the lane of a token. After a change to it, [`Lanes::look`] must be called.
    pub(super) fn get_mut(&mut self, token: TokenId) -> Option<&mut Lane<K>> {
        self.lanes.get_mut(&token)
    }

    /// Returns the lane of a token, which `make` makes when there is none. After a change to it,
    /// [`Lanes::look`] must be called.
    pub(super) fn get_or(
        &mut self,
        token: TokenId,
        make: impl FnOnce() -> Lane<K>,
    ) -> &mut Lane<K> {
        self.lanes.entry(token).or_insert_with(make)
    }

    /// Brings what is known of a lane up to date.
    pub(super) fn look(&mut self, token: TokenId, now: Duration) {
        let Some(lane) = self.lanes.get_mut(&token) else { return };
        let look = lane.look(now);
        let known = std::mem::replace(&mut lane.known, look);
        if let Some(job) = known.first {
            self.startable.remove(&(job, token));
        }
        if let Some((at, reason)) = known.again {
            self.wakes.remove(&(at, reason, token));
        }
        self.startable.extend(look.first.map(|job| (job, token)));
        self.wakes.extend(look.again.map(|(at, reason)| (at, reason, token)));
    }

    /// Returns the first request that may start at `now`, and its token.
    pub(super) fn first(&mut self, now: Duration) -> Option<(K, TokenId)> {
        while let Some((_, _, token)) = self.wakes.first().copied().filter(|(at, ..)| *at <= now) {
            self.look(token, now);
        }
        self.startable.first().copied()
    }

    /// Returns when the first of the lanes is to be looked at again, and what it waits for.
    pub(super) fn again(&self) -> Option<(Duration, Reason)> {
        self.wakes.first().map(|(at, reason, _)| (*at, *reason))
    }

    /// Notes that a request starts.
    pub(super) fn start(&mut self, job: K, token: TokenId, now: Duration) -> Option<Pass> {
        let pass = self.lanes.get_mut(&token).map(|lane| lane.start(job, now));
        self.look(token, now);
        pass
    }

    /// Takes out all that was not started, lane by lane.
    pub(super) fn clear(&mut self) -> Vec<K> {
        self.startable.clear();
        self.wakes.clear();
        self.lanes
            .values_mut()
            .flat_map(|lane| {
                lane.known = Look::NOTHING;
                lane.clear()
            })
            .collect()
    }
}
