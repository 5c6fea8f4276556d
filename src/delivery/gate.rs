//! The gate that everything with the same token passes: one limited answer closes it for all, for
//! as long as GitHub asks. It adds up these waits against the run's `max_wait`, keeps a server that
//! asks for no wait from being hammered, and lets one request through first when it opens again.
//! No clock: times come in.

use std::time::Duration;

/// The shortest wait after a limited answer, whatever it asks for.
const SHORTEST: Duration = Duration::from_secs(1);

/// The wait when a limited answer says nothing that can be understood; it doubles each time.
/// Source: "Best practices for using the REST API": "wait for at least one minute".
const UNSAID: Duration = Duration::from_secs(60);

/// The longest wait that limits in a row can force on an answer that asks for none.
const LONGEST_FLOOR: Duration = Duration::from_secs(60);

/// How long the first request after a wait keeps the others back when it is not answered.
const PROBE: Duration = Duration::from_secs(5);

/// The gate of one token.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    state: State,
    /// How often the gate was closed by a request that had passed it since it was last closed.
    closings: u64,
    /// How many of these closings came in a row, with no other answer in between.
    in_a_row: u32,
    /// How many of those in a row did not say how long to wait.
    unsaid: u32,
    /// The sum of the waits so far.
    waited: Duration,
    max_wait: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open,
    Closed { until: Duration },
    Probing { since: Duration },
}

/// Says which closing of the gate a request has passed it after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass(u64);

/// A wait that would pass the run's `max_wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) Duration);

impl Gate {
    pub(super) fn new(max_wait: Duration) -> Self {
        let waited = Duration::ZERO;
        Self { state: State::Open, closings: 0, in_a_row: 0, unsaid: 0, waited, max_wait }
    }

    /// Returns when the next request may pass, as far as is known: `now` or later.
    pub(super) fn opens_at(&self, now: Duration) -> Duration {
        match self.state {
            State::Open => now,
            State::Closed { until } => until.max(now),
            State::Probing { since } => since.saturating_add(PROBE).max(now),
        }
    }

    /// Lets a request pass at `now`; the first one after a wait is the probe.
    pub(super) fn pass(&mut self, now: Duration) -> Pass {
        if let State::Closed { .. } = self.state {
            self.state = State::Probing { since: now };
        }
        Pass(self.closings)
    }

    /// Says that a request was answered, and not limited.
    pub(super) fn answered(&mut self, pass: Pass) {
        // What passed before the last closing says nothing about the time after it.
        if pass.0 == self.closings {
            self.in_a_row = 0;
            self.unsaid = 0;
        }
        self.ended_without_limit(pass);
    }

    /// Says that a request ended without an answer: no reason to keep the others back, nor to
    /// forget earlier limits.
    pub(super) fn ended_without_limit(&mut self, pass: Pass) {
        if let State::Probing { .. } = self.state
            && pass.0 == self.closings
        {
            self.state = State::Open;
        }
    }

    /// Closes the gate after a limited answer that came at `at` and `asked` for a wait.
    ///
    /// What was in flight already when the gate was closed extends the wait, but does not count as
    /// one more limit in a row: it is the same limit.
    ///
    /// # Errors
    /// When the waits would pass `max_wait` in sum; the gate is as before then.
    pub(super) fn limited(
        &mut self,
        pass: Pass,
        at: Duration,
        asked: Option<Duration>,
    ) -> Result<(), TooLong> {
        if pass.0 == self.closings {
            self.closings = self.closings.saturating_add(1);
            self.in_a_row = self.in_a_row.saturating_add(1);
            self.unsaid = self.unsaid.saturating_add(u32::from(asked.is_none()));
        }
        let wait = match asked {
            None => doubled(UNSAID, self.unsaid),
            Some(asked) if asked >= SHORTEST => asked,
            // A server that says "at once" and limits again is not taken at its word for long.
            Some(_) => doubled(SHORTEST, self.in_a_row).min(LONGEST_FLOOR),
        };
        let from = match self.state {
            State::Closed { until } => until.max(at),
            State::Open | State::Probing { .. } => at,
        };
        let until = at.saturating_add(wait).max(from);
        let waited = self.waited.saturating_add(until.saturating_sub(from));
        if waited > self.max_wait {
            return Err(TooLong(wait));
        }
        self.waited = waited;
        self.state = State::Closed { until };
        Ok(())
    }
}

/// Returns `base`, doubled for each time after the first.
fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(2u32.saturating_pow(times.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn gate() -> Gate {
        Gate::new(S(100_000))
    }

    #[test]
    fn a_server_that_asks_for_no_wait_gets_longer_and_longer_ones() {
        let mut gate = gate();
        let mut now = S(0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            let pass = gate.pass(now);
            assert_eq!(gate.limited(pass, now, Some(S(0))), Ok(()));
            waits.push((gate.opens_at(now) - now).as_secs());
            now = gate.opens_at(now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let pass = gate.pass(now);
        gate.answered(pass);
        let pass = gate.pass(now);
        assert_eq!(gate.limited(pass, now, Some(S(0))), Ok(()));
        assert_eq!(gate.opens_at(now), now + S(1), "another answer starts it anew");
    }

    #[test]
    fn a_wait_that_is_not_said_is_a_minute_and_doubles() {
        let mut gate = gate();
        let mut now = S(0);
        let mut waits = Vec::new();
        for asked in [None, None, Some(S(7)), None, None] {
            let pass = gate.pass(now);
            assert_eq!(gate.limited(pass, now, asked), Ok(()));
            waits.push((gate.opens_at(now) - now).as_secs());
            now = gate.opens_at(now);
        }
        assert_eq!(waits, [60, 120, 7, 240, 480]);
    }

    #[test]
    fn a_wait_that_is_said_is_believed_each_time_and_no_wait_at_all_is_not() {
        for (asked, expected) in [(S(0), [1, 2, 4]), (S(1), [1, 1, 1]), (S(5), [5, 5, 5])] {
            let mut gate = gate();
            let mut now = S(0);
            let waits = [(); 3].map(|()| {
                let pass = gate.pass(now);
                assert_eq!(gate.limited(pass, now, Some(asked)), Ok(()));
                let wait = (gate.opens_at(now) - now).as_secs();
                now = gate.opens_at(now);
                wait
            });
            assert_eq!(waits, expected, "{asked:?}");
        }
    }

    #[test]
    fn what_was_in_flight_extends_the_wait_without_counting_again() {
        let mut gate = gate();
        let passes = [gate.pass(S(0)), gate.pass(S(0)), gate.pass(S(0))];
        gate.limited(passes[0], S(1), Some(S(10))).unwrap();
        gate.limited(passes[1], S(2), Some(S(30))).unwrap();
        assert_eq!(gate.opens_at(S(2)), S(32));
        gate.limited(passes[2], S(3), Some(S(5))).unwrap();
        assert_eq!(gate.opens_at(S(3)), S(32), "a shorter wait never opens it earlier");
        assert_eq!((gate.in_a_row, gate.waited), (1, S(31)));
        // The answer of one that passed before the closing opens nothing and forgets nothing.
        gate.answered(passes[2]);
        assert_eq!((gate.opens_at(S(4)), gate.in_a_row), (S(32), 1));
    }

    #[test]
    fn one_request_goes_first_and_the_others_when_it_was_answered_or_after_five_seconds() {
        let closed = || {
            let mut gate = gate();
            let pass = gate.pass(S(0));
            gate.limited(pass, S(0), Some(S(10))).unwrap();
            (gate.pass(S(10)), gate)
        };
        let (probe, mut gate) = closed();
        assert_eq!(gate.opens_at(S(10)), S(15));
        assert_eq!(gate.opens_at(S(20)), S(20));
        gate.answered(probe);
        assert_eq!(gate.opens_at(S(11)), S(11));
        let (probe, mut gate) = closed();
        gate.ended_without_limit(probe);
        assert_eq!((gate.opens_at(S(11)), gate.in_a_row), (S(11), 1));
        let (probe, mut gate) = closed();
        gate.limited(probe, S(11), Some(S(10))).unwrap();
        assert_eq!((gate.opens_at(S(11)), gate.in_a_row), (S(21), 2));
    }

    #[test]
    fn the_sum_of_the_waits_ends_at_max_wait() {
        let mut gate = Gate::new(S(30));
        let pass = gate.pass(S(0));
        assert_eq!(gate.limited(pass, S(0), Some(S(20))), Ok(()));
        let pass = gate.pass(S(500));
        assert_eq!(gate.limited(pass, S(500), Some(S(11))), Err(TooLong(S(11))));
        let pass = gate.pass(S(500));
        assert_eq!(gate.limited(pass, S(500), Some(S(10))), Ok(()));
        let pass = gate.pass(S(510));
        assert_eq!(gate.limited(pass, S(510), Some(Duration::MAX)), Err(TooLong(Duration::MAX)));
    }
}
