//! GitHub's rate limits with real counting, for each token by itself. The clock is the caller's:
//! everything here takes the time as an argument.
//!
//! Source of the numbers: GitHub's "Rate limits for the REST API". Two things are not documented
//! there and are decided here: a refused request costs nothing, and `retry-after` is the exact
//! time after which the same request passes (GitHub mostly says 60).

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_secs(3600);

/// Seconds to wait after too many requests at once, for which there is no better time than the
/// minute that GitHub's documentation asks for when it names no other.
const CONCURRENCY_WAIT: i64 = 60;

/// Which limits are on, and their numbers; `None` turns one off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests an hour for a person's or an App's token. Off means off as on GitHub Enterprise
    /// Server: answers carry no `x-ratelimit-…` headers.
    pub primary: Option<u32>,
    /// Requests an hour for the `GITHUB_TOKEN` of a workflow run.
    pub built_in: Option<u32>,
    /// Requests an hour without a token.
    pub anonymous: Option<u32>,
    /// Requests at a time.
    pub concurrent: Option<u32>,
    /// Points in any minute; a write is [`Cost::WRITE`], a read [`Cost::READ`].
    pub points_per_minute: Option<u32>,
    /// Content-creating requests in any minute.
    pub content_per_minute: Option<u32>,
    /// Content-creating requests in any hour.
    pub content_per_hour: Option<u32>,
    /// The status of a refusal: GitHub answers 403 or 429 and does not say which when.
    pub refusal_status: u16,
}

impl Limits {
    /// Returns what github.com enforces.
    #[must_use]
    pub fn github() -> Self {
        Self {
            primary: Some(5_000),
            built_in: Some(1_000),
            anonymous: Some(60),
            concurrent: Some(100),
            points_per_minute: Some(900),
            content_per_minute: Some(80),
            content_per_hour: Some(500),
            refusal_status: 403,
        }
    }

    /// Returns no limits at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            primary: None,
            built_in: None,
            anonymous: None,
            concurrent: None,
            points_per_minute: None,
            content_per_minute: None,
            content_per_hour: None,
            refusal_status: 403,
        }
    }
}

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Points of the secondary limit.
    pub points: u32,
    /// Whether it creates content.
    pub content: bool,
}

impl Cost {
    /// The cost of a GET or HEAD.
    pub const READ: Self = Self { points: 1, content: false };
    /// The cost of a dispatch. That it counts as content is not documented, and is the careful
    /// assumption.
    pub const WRITE: Self = Self { points: 5, content: true };
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The hour's requests are used up.
    Primary,
    /// One of the secondary limits; the request passes after this many seconds.
    Secondary { retry_after: i64 },
}

/// The hour's account, as the `x-ratelimit-…` headers show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) limit: u32,
    pub(super) used: u32,
    pub(super) remaining: u32,
    /// Seconds since 1970.
    pub(super) reset: i64,
}

/// What one token has used.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    hour: Option<(Timestamp, u32)>,
    points: VecDeque<(Timestamp, u32)>,
    content: VecDeque<Timestamp>,
    in_flight: u32,
}

impl Ledger {
    /// Counts a request that has begun; each is ended by [`Ledger::end`].
    pub(super) fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// Counts a request that has ended.
    pub(super) fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Lets a request that has begun pass and counts it, or says which limit stops it.
    pub(super) fn admit(
        &mut self,
        limits: &Limits,
        hourly: Option<u32>,
        cost: Cost,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.forget_until(now);
        let used = self.hour.map_or(0, |(_, used)| used);
        if hourly.is_some_and(|limit| used >= limit) {
            return Err(Refusal::Primary);
        }
        if limits.concurrent.is_some_and(|limit| self.in_flight > limit) {
            return Err(Refusal::Secondary { retry_after: CONCURRENCY_WAIT });
        }
        let waits = [
            self.points_wait(limits.points_per_minute, cost),
            self.content_wait(limits.content_per_minute, cost, MINUTE, now),
            self.content_wait(limits.content_per_hour, cost, HOUR, now),
        ];
        if let Some(free_at) = waits.into_iter().flatten().max() {
            return Err(Refusal::Secondary { retry_after: whole_seconds(free_at, now) });
        }
        self.hour = Some((self.hour.map_or(now, |(start, _)| start), used + 1));
        self.points.push_back((now, cost.points));
        if cost.content {
            self.content.push_back(now);
        }
        Ok(())
    }

    /// Returns the hour's account at `now`, under a limit of `limit` requests.
    pub(super) fn quota(&self, limit: u32, now: Timestamp) -> Quota {
        let (start, used) =
            self.hour.filter(|(start, _)| now < later(*start, HOUR)).unwrap_or((now, 0));
        let reset = later(start, HOUR);
        let whole = i64::from(reset.subsec_nanosecond() > 0);
        Quota {
            limit,
            used: used.min(limit),
            remaining: limit.saturating_sub(used),
            reset: reset.as_second() + whole,
        }
    }

    /// Returns when enough points are free again, if they are not now.
    fn points_wait(&self, limit: Option<u32>, cost: Cost) -> Option<Timestamp> {
        let limit = limit?;
        let mut spent: u32 = self.points.iter().map(|(_, points)| points).sum();
        let mut free_at = None;
        for (at, points) in &self.points {
            if spent + cost.points <= limit {
                break;
            }
            spent -= points;
            free_at = Some(later(*at, MINUTE));
        }
        free_at
    }

    /// Returns when one more content-creating request fits into the window, if it does not now.
    fn content_wait(
        &self,
        limit: Option<u32>,
        cost: Cost,
        window: SignedDuration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let limit = usize::try_from(limit?).unwrap_or(usize::MAX);
        if !cost.content {
            return None;
        }
        // The request that leaves the window next is the oldest of the last `limit`.
        let oldest = self.content.len().checked_sub(limit)?;
        let free_at = later(*self.content.get(oldest)?, window);
        (free_at > now).then_some(free_at)
    }

    /// Drops what no window reaches any more.
    fn forget_until(&mut self, now: Timestamp) {
        if self.hour.is_some_and(|(start, _)| later(start, HOUR) <= now) {
            self.hour = None;
        }
        while self.points.front().is_some_and(|(at, _)| later(*at, MINUTE) <= now) {
            self.points.pop_front();
        }
        while self.content.front().is_some_and(|at| later(*at, HOUR) <= now) {
            self.content.pop_front();
        }
    }
}

/// Returns the time `by` after `at`; at the end of time it stays there.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns the seconds from `now` until `at`, rounded up, and at least 1.
fn whole_seconds(at: Timestamp, now: Timestamp) -> i64 {
    let wait = at.duration_since(now);
    (wait.as_secs() + i64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn admit(ledger: &mut Ledger, limits: &Limits, cost: Cost, now: Timestamp) -> Option<Refusal> {
        ledger.admit(limits, limits.primary, cost, now).err()
    }

    fn only(change: impl FnOnce(&mut Limits)) -> Limits {
        let mut limits = Limits::none();
        change(&mut limits);
        limits
    }

    #[test]
    fn each_limit_lets_exactly_its_number_pass_and_says_when_the_next_one_does() {
        let wait = |retry_after| Some(Refusal::Secondary { retry_after });
        let table = [
            (only(|l| l.content_per_minute = Some(80)), Cost::WRITE, 80, wait(60), 60),
            (only(|l| l.content_per_hour = Some(500)), Cost::WRITE, 500, wait(3600), 3600),
            (only(|l| l.points_per_minute = Some(900)), Cost::WRITE, 180, wait(60), 60),
            (only(|l| l.points_per_minute = Some(900)), Cost::READ, 900, wait(60), 60),
            (only(|l| l.primary = Some(5_000)), Cost::READ, 5_000, Some(Refusal::Primary), 3600),
        ];
        for (limits, cost, number, refusal, after) in table {
            let mut ledger = Ledger::default();
            for n in 0..number {
                assert_eq!(admit(&mut ledger, &limits, cost, at(0)), None, "{n} {limits:?}");
            }
            assert_eq!(admit(&mut ledger, &limits, cost, at(0)), refusal, "{limits:?}");
            let almost = at(after) - SignedDuration::from_nanos(1);
            assert!(admit(&mut ledger, &limits, cost, almost).is_some(), "{limits:?}");
            assert_eq!(admit(&mut ledger, &limits, cost, at(after)), None, "{limits:?}");
        }
    }

    #[test]
    fn the_window_slides_with_each_request() {
        let limits = only(|l| l.content_per_minute = Some(2));
        let mut ledger = Ledger::default();
        let mut ask = |second| admit(&mut ledger, &limits, Cost::WRITE, at(second));
        assert_eq!(ask(0), None);
        assert_eq!(ask(50), None);
        assert_eq!(ask(55), Some(Refusal::Secondary { retry_after: 5 }));
        assert_eq!(ask(60), None, "the first has left the window, the second has not");
        assert_eq!(ask(61), Some(Refusal::Secondary { retry_after: 49 }));
        assert_eq!(ask(110), None);
    }

    #[test]
    fn reads_are_not_stopped_by_the_limit_on_content() {
        let limits = only(|l| l.content_per_minute = Some(1));
        let mut ledger = Ledger::default();
        assert_eq!(admit(&mut ledger, &limits, Cost::WRITE, at(0)), None);
        assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(0)), None);
        assert!(admit(&mut ledger, &limits, Cost::WRITE, at(0)).is_some());
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let limits = Limits { primary: Some(1), ..Limits::none() };
        let mut ledger = Ledger::default();
        admit(&mut ledger, &limits, Cost::READ, at(0));
        for _ in 0..5 {
            assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(1)), Some(Refusal::Primary));
        }
        let quota = Quota { limit: 1, used: 1, remaining: 0, reset: at(3600).as_second() };
        assert_eq!(ledger.quota(1, at(1)), quota);
    }

    #[test]
    fn the_hour_begins_with_the_first_request_and_then_anew() {
        let limits = Limits::github();
        let mut ledger = Ledger::default();
        for second in [10, 20] {
            assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(second)), None);
        }
        let quota = ledger.quota(5_000, at(30));
        assert_eq!((quota.used, quota.remaining), (2, 4_998));
        assert_eq!(quota.reset, at(3_610).as_second());
        assert_eq!(ledger.quota(5_000, at(3_610)).used, 0);
        assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(3_700)), None);
        assert_eq!(ledger.quota(5_000, at(3_700)).reset, at(7_300).as_second());
    }

    #[test]
    fn the_hundred_and_first_at_a_time_is_refused_until_one_has_ended() {
        let limits = only(|l| l.concurrent = Some(100));
        let mut ledger = Ledger::default();
        for _ in 0..100 {
            ledger.begin();
            assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(0)), None);
        }
        ledger.begin();
        let refusal = admit(&mut ledger, &limits, Cost::READ, at(0));
        assert_eq!(refusal, Some(Refusal::Secondary { retry_after: 60 }));
        ledger.end();
        assert_eq!(admit(&mut ledger, &limits, Cost::READ, at(0)), None);
    }
}
