//! Carries a plan out: sends each dispatch at GitHub's pace until it has ended in one
//! [`Outcome`]. This file is the driver of dispatches: one loop that starts what the [`Schedule`]
//! says, on a `JoinSet`, and waits for an answer, the clock or the wish to stop. All judgement is
//! in the schedule and below it, which know no clock and no client; the driver knows no rule.
//! Single requests, whose answers are wanted for themselves, are sent by [`requests`].

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

use crate::github::{Answer, Client, TokenId, TransportError, TransportKind};
use crate::names::RepoName;

pub mod clock;
mod gate;
mod lane;
pub mod outcome;
pub mod pace;
pub mod receipts;
pub mod requests;
pub mod retry;
pub mod schedule;
pub mod stop;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use outcome::{Ending, Outcome};
pub use receipts::{Confirmation, Receipts};
pub use requests::{Get, Put, RequestSettings, Requests, Unanswered};
pub use schedule::{JobId, Reason, Schedule, Step};
pub use stop::{Stop, Stopped};

/// One dispatch, ready to be sent.
#[derive(Debug, Clone)]
pub struct Job {
    /// The cousin.
    pub repo: RepoName,
    /// The request's body, as `event` makes it.
    pub body: Body,
    /// The token that speaks for the cousin.
    pub token: TokenId,
}

/// A request's body, made each time that it is sent: the bodies of a push that changed much and
/// concerns many would together take gigabytes.
#[derive(Clone)]
pub struct Body(Arc<dyn Fn() -> Vec<u8> + Send + Sync>);

impl Body {
    /// Returns a body that `make` makes, the same each time.
    pub fn new(make: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        (self.0)()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

/// What a user may choose about a delivery.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many requests are in flight at a time, at most. GitHub allows 100.
    pub concurrency: NonZeroUsize,
    /// How many requests a token sends in a minute, at most; more than [`pace::PER_MINUTE`] also
    /// lifts the limit of each hour.
    pub per_minute: NonZeroU32,
    /// How long a token may wait in sum because GitHub asked for it.
    pub max_wait: Duration,
    /// The names of the tokens' variables, by [`TokenId`]: see [`crate::github::Tokens::labels`].
    pub tokens: Vec<String>,
    /// What to do about a dispatch that has not ended.
    pub remedies: Remedies,
}

/// What to do about a dispatch that has not ended: what a receiver knows of it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedies {
    /// Where it may have arrived.
    pub unknown: &'static str,
    /// Where it was not sent.
    pub unsent: &'static str,
}

impl Remedies {
    /// Of the events of a push: each has an id.
    pub const OF_A_PUSH: Self = Self {
        unknown: "run again, receivers know a repeat by its dispatch_id",
        unsent: "run again for the same range",
    };
    /// Of an event without an id.
    pub const OF_AN_EVENT: Self = Self {
        unknown: "see whether it arrived before you send it again: it has no dispatch_id",
        unsent: "send it again",
    };
    /// Of an event that has one.
    pub const OF_A_KNOWN_EVENT: Self = Self {
        unknown: "send it again, receivers know a repeat by its dispatch_id",
        unsent: "send it again",
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::MIN.saturating_add(15),
            per_minute: pace::PER_MINUTE,
            max_wait: Duration::from_secs(15 * 60),
            tokens: Vec::new(),
            remedies: Remedies::OF_A_PUSH,
        }
    }
}

/// Whoever sends a dispatch, once.
pub trait Sender: Send + Sync + 'static {
    /// Sends the dispatch and returns what came of it.
    fn send(&self, job: &Job) -> impl Future<Output = Answer> + Send;
}

impl Sender for Client {
    async fn send(&self, job: &Job) -> Answer {
        self.dispatch(&job.repo, job.token, &job.body.bytes()).await
    }
}

/// What a delivery works with.
#[derive(Debug)]
pub struct Means<S, C, J> {
    /// Sends.
    pub sender: Arc<S>,
    /// Tells the time, and waits.
    pub clock: C,
    /// Returns a number between 0 and 1 for each back-off; [`random`] does.
    pub jitter: J,
}

/// What a delivery tells while it runs, for a progress line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A dispatch is sent, for the first time or again (`attempt` counts from 1).
    Started {
        /// Which one.
        job: JobId,
        /// How often it has been sent now.
        attempt: u32,
    },
    /// A dispatch was answered; it may be sent again.
    Answered {
        /// Which one.
        job: JobId,
        /// The answer.
        answer: &'a Answer,
    },
    /// Nothing more is started until this time since the run's start, or an answer.
    Waiting {
        /// Until when.
        until: Duration,
        /// What for.
        reason: Reason,
    },
    /// A dispatch has ended.
    Ended {
        /// Which one.
        job: JobId,
        /// How.
        ending: &'a Ending,
    },
}

/// Delivers `jobs`, which are in plan order, and returns how each ended, in the same order.
///
/// Once `stopped` is triggered nothing new starts, and what is in flight has 10 s to be answered.
/// Nothing is left running when it returns; when its future is dropped, requests in flight are
/// given up.
pub async fn deliver<S: Sender, C: Clock>(
    jobs: Arc<[Job]>,
    settings: &Settings,
    means: Means<S, C, impl FnMut() -> f64>,
    mut stopped: Stopped,
    mut observe: impl FnMut(Event<'_>),
) -> Vec<Ending> {
    let Means { sender, clock, mut jitter } = means;
    let mut schedule = Schedule::new(Arc::clone(&jobs), settings);
    let mut flights = JoinSet::new();
    let mut started: HashMap<Id, JobId> = HashMap::new();
    let mut interrupted = false;
    let mut waiting = None;
    loop {
        if stopped.is_stopped() && !interrupted {
            interrupted = true;
            schedule.interrupt(clock.now());
        }
        let step = schedule.next(clock.now());
        for job in schedule.take_ended() {
            if let Some(ending) = schedule.ending(job) {
                observe(Event::Ended { job, ending });
            }
        }
        let until = match step {
            Step::Finished => break,
            Step::Start(id) => {
                observe(Event::Started { job: id, attempt: schedule.attempts(id) });
                let (sender, jobs) = (Arc::clone(&sender), Arc::clone(&jobs));
                let flight = flights.spawn(async move {
                    match jobs.get(id.0) {
                        Some(job) => sender.send(job).await,
                        None => lost("there is no such dispatch"),
                    }
                });
                started.insert(flight.id(), id);
                continue;
            }
            Step::WaitForAnswer => None,
            Step::WaitUntil(until, reason) => {
                if waiting.replace((until, reason)) != Some((until, reason)) {
                    observe(Event::Waiting { until, reason });
                }
                Some(until)
            }
        };
        let busy = !flights.is_empty();
        tokio::select! {
            biased;
            Some(flight) = flights.join_next_with_id(), if busy => {
                let (flight, answer) = landed(flight);
                if let Some(job) = started.remove(&flight) {
                    observe(Event::Answered { job, answer: &answer });
                    schedule.answered(job, clock.now(), clock.wall(), answer, jitter());
                }
            }
            () = stopped.stopped(), if !interrupted => {}
            () = clock.wait_until(until.unwrap_or_default(), busy), if until.is_some() => {}
        }
    }
    flights.shutdown().await;
    schedule.into_endings()
}

/// Returns the answer of a flight; one that broke down counts as lost, so that its dispatch ends.
fn landed(flight: Result<(Id, Answer), JoinError>) -> (Id, Answer) {
    flight.unwrap_or_else(|error| (error.id(), lost("the sending task broke down")))
}

fn lost(cause: &str) -> Answer {
    let error = TransportError { kind: TransportKind::Broken, cause: cause.to_owned(), sent: true };
    Answer { requests: 1, moved: None, result: Err(error) }
}

/// Returns a number from 0 to 1, another each time: the jitter of real runs.
#[must_use]
pub fn random() -> f64 {
    // Each RandomState has other keys, which is all the randomness that a back-off needs.
    let bits = RandomState::new().build_hasher().finish();
    let fraction = u32::try_from(bits >> 32).unwrap_or(u32::MAX);
    f64::from(fraction) / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "delivery/driver_tests.rs"]
mod tests;
