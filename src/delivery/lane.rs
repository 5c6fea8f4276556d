//! What the dispatches of one token share: their queue, their gate and their pace. A lane answers
//! one question, "which dispatch may start, or when is it worth looking again?", and knows no other
//! lane, so that one token's limit never delays another's dispatches.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::gate::{Gate, Pass};
use crate::delivery::pace::Pace;
use crate::delivery::schedule::{JobId, Reason};

/// The dispatches of one token, and what holds them back.
#[derive(Debug)]
pub(super) struct Lane {
    /// What may be sent as far as itself goes, in plan order.
    ready: BTreeSet<JobId>,
    /// What is sent again, by when.
    delayed: BTreeSet<(Duration, JobId)>,
    /// What closes after a limited answer.
    pub(super) gate: Gate,
    pace: Pace,
    /// Why nothing of this lane is sent any more.
    pub(super) ended: Option<Ended>,
    /// What the schedule knows of this lane, to be taken back before it changes.
    pub(super) known: Look,
}

/// Why a lane ended.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// The token was refused.
    Refused(String),
    /// A limit asks for a longer wait than the run may take.
    Deferred(String, Timestamp),
}

/// What a lane can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The dispatch that may start now.
    pub(super) first: Option<JobId>,
    /// When to look again although nothing was answered, and what that is waited for.
    pub(super) again: Option<(Duration, Reason)>,
}

impl Lane {
    pub(super) fn new(pace: Pace, max_wait: Duration) -> Self {
        Self {
            ready: BTreeSet::new(),
            delayed: BTreeSet::new(),
            gate: Gate::new(max_wait),
            pace,
            ended: None,
            known: Look::default(),
        }
    }

    /// Puts a dispatch at its place in plan order.
    pub(super) fn ready(&mut self, job: JobId) {
        self.ready.insert(job);
    }

    /// Keeps a dispatch back until `until`.
    pub(super) fn delay(&mut self, job: JobId, until: Duration) {
        self.delayed.insert((until, job));
    }

    /// Takes out all that was not started, in plan order.
    pub(super) fn clear(&mut self) -> BTreeSet<JobId> {
        let mut all = std::mem::take(&mut self.ready);
        all.extend(std::mem::take(&mut self.delayed).into_iter().map(|(_, job)| job));
        all
    }

    /// Returns what can be done at `now`.
    pub(super) fn look(&mut self, now: Duration) -> Look {
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
        match self.pace.free_at(now) {
            // Only an answer makes a place free.
            None => Look::default(),
            Some(pace) if pace.max(gate) <= now => Look { first: Some(first), again: retry },
            Some(pace) if pace > gate => Look { first: None, again: Some((pace, Reason::Pace)) },
            Some(_) => Look { first: None, again: Some((gate, Reason::Limit)) },
        }
    }

    /// Notes that a dispatch starts.
    pub(super) fn start(&mut self, job: JobId, now: Duration) -> Pass {
        self.ready.remove(&job);
        self.pace.sent();
        self.gate.pass(now)
    }

    /// Notes that a dispatch was answered after so many requests.
    pub(super) fn answered(&mut self, at: Duration, requests: u32) {
        self.pace.answered(at, requests);
    }
}
