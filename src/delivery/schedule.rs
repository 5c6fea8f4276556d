//! Which dispatch is sent when: the whole of delivery's judgement, as a state machine without
//! clock, client or randomness. The driver asks what is [`next`](Schedule::next), does it, and
//! says what was [`answered`](Schedule::answered); times and jitter come in as arguments, so that
//! retries, limits, pace and stopping are tested with invented times.
//!
//! It owns the queue in plan order, what is delayed and in flight, a lane for each token, and how
//! each dispatch ended. Each call costs the logarithm of the numbers of dispatches and tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::gate::{Pass, TooLong};
use crate::delivery::lane::{Ended, Lane, Lanes, over};
use crate::delivery::outcome::{Ending, Outcome};
use crate::delivery::pace::{Cost, Pace, Priced};
use crate::delivery::retry::{Decision, decide, may_have_arrived};
use crate::delivery::{Job, Remedies, Settings};
use crate::github::{Answer, TokenId};

/// How long requests in flight may still take after the delivery was asked to stop.
pub const GRACE: Duration = Duration::from_secs(10);

/// A dispatch of the run: its place in plan order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub usize);

/// All jobs are dispatches.
impl Priced for JobId {
    fn cost(&self) -> Cost {
        Cost::Write
    }
}

/// What the driver does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send this one, and ask again at once.
    Start(JobId),
    /// Ask again at this time, or when something was answered.
    WaitUntil(Duration, Reason),
    /// Ask again when something was answered.
    WaitForAnswer,
    /// Every dispatch has ended; what may still be in flight is given up.
    Finished,
}

/// What a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// GitHub asked for it.
    Limit,
    /// Our own pace below GitHub's limits.
    Pace,
    /// The back-off of a failed dispatch.
    Retry,
    /// The run was interrupted, and requests are in flight.
    Stopping,
}

/// The state of one delivery.
#[derive(Debug)]
pub struct Schedule {
    jobs: Arc<[Job]>,
    records: Vec<Record>,
    lanes: Lanes<JobId>,
    in_flight: BTreeMap<JobId, Pass>,
    /// What ended since [`Schedule::take_ended`] was asked last.
    ended: Vec<JobId>,
    unfinished: usize,
    concurrency: usize,
    /// The names of the tokens' variables, for people.
    tokens: Vec<String>,
    remedies: Remedies,
    /// When requests in flight are given up, once the run was interrupted.
    stop_at: Option<Duration>,
}

/// What is known of one dispatch.
#[derive(Debug)]
struct Record {
    ending: Ending,
    /// Attempts that count: limited ones do not.
    tried: u32,
    done: bool,
}

/// An answer that came in: whose it was, and when.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    id: JobId,
    token: TokenId,
    pass: Pass,
    at: Duration,
    wall: Timestamp,
}

impl Schedule {
    /// Returns the schedule of a run that has sent nothing yet; `jobs` are in plan order.
    #[must_use]
    pub fn new(jobs: Arc<[Job]>, settings: &Settings) -> Self {
        let mut lanes = Lanes::new();
        for (at, job) in jobs.iter().enumerate() {
            let lane = || Lane::new(Pace::new(settings.per_minute), settings.max_wait);
            lanes.get_or(job.token, lane).ready(JobId(at));
        }
        let tokens: BTreeSet<TokenId> = jobs.iter().map(|job| job.token).collect();
        for token in tokens {
            lanes.look(token, Duration::ZERO);
        }
        let record = || Record { ending: Ending::unsent(Outcome::Skipped), tried: 0, done: false };
        Self {
            records: jobs.iter().map(|_| record()).collect(),
            unfinished: jobs.len(),
            jobs,
            lanes,
            in_flight: BTreeMap::new(),
            ended: Vec::new(),
            concurrency: settings.concurrency.get(),
            tokens: settings.tokens.clone(),
            remedies: settings.remedies,
            stop_at: None,
        }
    }

    /// Returns what to do at `now`.
    pub fn next(&mut self, now: Duration) -> Step {
        if let Some(stop_at) = self.stop_at {
            if now >= stop_at {
                self.give_up_in_flight();
            }
            return if self.in_flight.is_empty() {
                Step::Finished
            } else {
                Step::WaitUntil(stop_at, Reason::Stopping)
            };
        }
        let first = self.lanes.first(now);
        let full = self.in_flight.len() >= self.concurrency;
        if !full && let Some((job, token)) = first {
            self.start(job, token, now);
            return Step::Start(job);
        }
        if self.unfinished == 0 {
            return Step::Finished;
        }
        match self.lanes.again() {
            Some((at, reason)) if !full => Step::WaitUntil(at, reason),
            _ => Step::WaitForAnswer,
        }
    }

    /// Takes in what came of a dispatch at `at`, when the time of day was `wall`. `jitter` between
    /// 0 and 1 chooses its back-off, should it need one.
    pub fn answered(
        &mut self,
        id: JobId,
        at: Duration,
        wall: Timestamp,
        answer: Answer,
        jitter: f64,
    ) {
        let jobs = Arc::clone(&self.jobs);
        let (Some(pass), Some(job)) = (self.in_flight.remove(&id), jobs.get(id.0)) else { return };
        let Some(record) = self.records.get_mut(id.0) else { return };
        let Some(lane) = self.lanes.get_mut(job.token) else { return };
        lane.answered(at, Cost::Write, answer.requests);
        let token = self.tokens.get(job.token.0).map_or("the environment", String::as_str);
        let decision = decide(&answer, record.tried + 1, &job.repo, token, wall, jitter);
        record.ending.status = answer.result.as_ref().ok().map(|reply| reply.status);
        record.ending.may_have_arrived |= may_have_arrived(&answer);
        record.ending.renamed_to = answer.moved.or(record.ending.renamed_to.take());
        match (&decision, &answer.result) {
            (Decision::Limited(..), _) => {}
            (_, Ok(_)) => lane.gate.answered(pass),
            (_, Err(_)) => lane.gate.ended_without_limit(pass),
        }
        let arrival = Arrival { id, token: job.token, pass, at, wall };
        match decision {
            Decision::Delivered => {
                let said = answer.result.as_ref().ok().and_then(|reply| reply.limits.said_at());
                record.ending.answered_at = Some(said.unwrap_or(wall));
                self.end(id, Outcome::Delivered, None);
            }
            Decision::Failed(error) => self.end_undelivered(id, Outcome::Failed, error),
            Decision::Exhausted(error) => self.end_undelivered(id, Outcome::Exhausted, error),
            Decision::TokenRefused(error) => {
                self.end_undelivered(id, Outcome::Failed, error.clone());
                self.end_lane(job.token, Ended::Refused(error));
            }
            Decision::Retry(after, error) => {
                record.tried += 1;
                record.ending.error = Some(error);
                self.delayed(&arrival, after);
            }
            Decision::Limited(asked, error) => {
                record.ending.error = Some(error.clone());
                self.limited(&arrival, asked, &error);
            }
        }
        self.lanes.look(job.token, at);
    }

    /// Asks the run to stop at `now`: nothing new is started, and what is in flight has
    /// [`GRACE`] to be answered.
    pub fn interrupt(&mut self, now: Duration) {
        if self.stop_at.is_some() {
            return;
        }
        self.stop_at = Some(now.saturating_add(GRACE));
        for job in self.lanes.clear() {
            self.skip(job);
        }
    }

    /// Returns the dispatches that ended since this was asked last.
    pub fn take_ended(&mut self) -> Vec<JobId> {
        std::mem::take(&mut self.ended)
    }

    /// Returns how a dispatch ended, once it has.
    #[must_use]
    pub fn ending(&self, job: JobId) -> Option<&Ending> {
        self.records.get(job.0).filter(|record| record.done).map(|record| &record.ending)
    }

    /// Returns how often a dispatch was sent so far.
    #[must_use]
    pub fn attempts(&self, job: JobId) -> u32 {
        self.records.get(job.0).map_or(0, |record| record.ending.attempts)
    }

    /// Returns how each dispatch ended, in plan order.
    #[must_use]
    pub fn into_endings(self) -> Vec<Ending> {
        self.records.into_iter().map(|record| record.ending).collect()
    }

    fn start(&mut self, job: JobId, token: TokenId, now: Duration) {
        if let Some(pass) = self.lanes.start(job, token, now) {
            self.in_flight.insert(job, pass);
        }
        if let Some(record) = self.records.get_mut(job.0) {
            record.ending.attempts = record.ending.attempts.saturating_add(1);
        }
    }

    /// Keeps a dispatch back that failed.
    fn delayed(&mut self, arrival: &Arrival, after: Duration) {
        if !self.ends_with_lane(arrival.id, arrival.token)
            && let Some(lane) = self.lanes.get_mut(arrival.token)
        {
            lane.delay(arrival.id, arrival.at.saturating_add(after));
        }
    }

    /// Puts a dispatch that was limited back to its place, and closes the gate of its token.
    fn limited(&mut self, arrival: &Arrival, asked: Option<Duration>, error: &str) {
        let Arrival { id, token, pass, at, wall } = *arrival;
        if self.ends_with_lane(id, token) {
            return;
        }
        let Some(lane) = self.lanes.get_mut(token) else { return };
        lane.ready(id);
        if let Err(TooLong(wait)) = lane.gate.limited(pass, at, asked) {
            let after = over(wall, wait);
            let error = format!(
                "{error} asks for a longer wait than --max-wait allows: run again after {after}"
            );
            self.end_lane(token, Ended::Deferred(error, after));
        }
    }

    /// Ends a dispatch that would be sent again, when its lane or the run has ended.
    fn ends_with_lane(&mut self, job: JobId, token: TokenId) -> bool {
        if self.stop_at.is_some() {
            self.skip(job);
            return true;
        }
        let ended = self.lanes.get_mut(token).and_then(|lane| lane.ended.clone());
        match &ended {
            Some(ended) => self.end_as(job, ended),
            None => return false,
        }
        true
    }

    fn end_lane(&mut self, token: TokenId, ended: Ended) {
        let Some(lane) = self.lanes.get_mut(token) else { return };
        lane.ended = Some(ended.clone());
        for job in lane.clear() {
            self.end_as(job, &ended);
        }
    }

    fn end_as(&mut self, job: JobId, ended: &Ended) {
        match ended {
            Ended::Refused(error) => {
                let again = if self.attempts(job) > 0 { " again" } else { "" };
                let error = format!("not sent{again}, because {error}");
                self.end_undelivered(job, Outcome::Failed, error);
            }
            Ended::Deferred(error, after) => {
                if let Some(record) = self.records.get_mut(job.0) {
                    record.ending.retry_after = Some(*after);
                }
                self.end_undelivered(job, Outcome::Deferred, error.clone());
            }
        }
    }

    fn skip(&mut self, job: JobId) {
        let last = self.records.get(job.0).and_then(|record| record.ending.error.as_deref());
        let error = match last {
            Some(last) => format!("interrupted before it was sent again; before that: {last}"),
            None => "interrupted before it was sent".to_owned(),
        };
        let unsent = !self.may_have_arrived(job);
        let error = if unsent { format!("{error}; {}", self.remedies.unsent) } else { error };
        self.end_undelivered(job, Outcome::Skipped, error);
    }

    fn may_have_arrived(&self, job: JobId) -> bool {
        self.records.get(job.0).is_some_and(|record| record.ending.may_have_arrived)
    }

    fn give_up_in_flight(&mut self) {
        for (job, _) in std::mem::take(&mut self.in_flight) {
            if let Some(record) = self.records.get_mut(job.0) {
                record.ending.may_have_arrived = true;
            }
            let error = "interrupted while in flight".to_owned();
            self.end_undelivered(job, Outcome::Exhausted, error);
        }
    }

    /// Ends a dispatch that no answer says was delivered: one of its attempts may have been.
    fn end_undelivered(&mut self, job: JobId, outcome: Outcome, mut error: String) {
        if self.may_have_arrived(job) {
            error += "; whether it arrived is unknown: ";
            error += self.remedies.unknown;
        }
        self.end(job, outcome, Some(error));
    }

    fn end(&mut self, job: JobId, outcome: Outcome, error: Option<String>) {
        if let Some(record) = self.records.get_mut(job.0)
            && !record.done
        {
            record.done = true;
            record.ending.outcome = outcome;
            record.ending.error = error;
            self.ended.push(job);
            self.unfinished -= 1;
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
