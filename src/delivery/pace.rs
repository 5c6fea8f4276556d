//! How fast one token may send: exact sliding windows, so that no 60 s (and no hour) ever holds
//! more requests than GitHub's limits, whenever the server counted them. No clock: times come in.
//!
//! A token bucket would not do: a full bucket of 80 and its refill let 159 requests through in the
//! first minute.
//!
//! The server counts a request at some time between its sending and its answer. So a request holds
//! its place in a window from when it is sent until the window's length after its *answer*: then
//! it is out of every window that a later request can be counted in, whatever the latencies were.
//! Only the redirects of a request are known no earlier than its answer: they are counted then.
//!
//! Dispatches are all of one kind, and each takes one place. Single requests are reads and writes,
//! which GitHub counts differently: what each takes of a window is its [`Cost`].

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

/// GitHub's limit for requests that create content, each minute. Whether dispatches count is not
/// documented, so it is assumed. Source: "Rate limits for the REST API".
pub const PER_MINUTE: NonZeroU32 = NonZeroU32::new(80).unwrap();

/// GitHub's limit for requests that create content, each hour. Source: as above.
pub const PER_HOUR: NonZeroU32 = NonZeroU32::new(500).unwrap();

/// GitHub's secondary limit for one token, in points a minute. Source: as above.
const POINTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(900).unwrap();

/// What a POST, PATCH, PUT or DELETE counts, in points; a GET is one point. Source: as above.
const POINTS_OF_A_WRITE: usize = 5;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a request counts for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A GET.
    Read,
    /// A request that writes, which may create content: that it does is assumed of all.
    Write,
}

/// Whatever is held to a pace and knows what it costs.
pub trait Priced {
    /// Returns what it counts for the server.
    fn cost(&self) -> Cost;
}

/// The pace of one token.
#[derive(Debug, Clone)]
pub struct Pace {
    windows: Vec<Window>,
    /// The time of the latest answer: places end in the order in which they were answered.
    latest: Duration,
}

#[derive(Debug, Clone)]
struct Window {
    limit: usize,
    length: Duration,
    /// How many places a read and a write take.
    places: (usize, usize),
    /// How many places are taken by requests that are in flight.
    in_flight: usize,
    /// When the requests that still hold a place were answered, oldest first.
    answered: VecDeque<Duration>,
}

impl Pace {
    /// Returns a pace of `per_minute` requests a minute and, unless that is more than GitHub's own
    /// 80, of 500 an hour: who asks for more knows the server's limits.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        let mut windows = vec![Window::new(per_minute, MINUTE, (1, 1))];
        if per_minute <= PER_MINUTE {
            windows.push(Window::new(PER_HOUR, HOUR, (1, 1)));
        }
        Self { windows, latest: Duration::ZERO }
    }

    /// Returns GitHub's own pace for reads and writes side by side: 900 points a minute, of which a
    /// write takes 5, and 80 writes a minute and 500 an hour.
    #[must_use]
    pub fn of_github() -> Self {
        let windows = vec![
            Window::new(POINTS_PER_MINUTE, MINUTE, (1, POINTS_OF_A_WRITE)),
            Window::new(PER_MINUTE, MINUTE, (0, 1)),
            Window::new(PER_HOUR, HOUR, (0, 1)),
        ];
        Self { windows, latest: Duration::ZERO }
    }

    /// Returns when a request of this cost may be sent: `now` or later; none when that depends on
    /// the answer of one that is in flight.
    pub fn free_at(&mut self, now: Duration, cost: Cost) -> Option<Duration> {
        self.windows.iter_mut().try_fold(now, |at, window| Some(at.max(window.free_at(now, cost)?)))
    }

    /// Takes the places of a request that is sent now.
    pub fn sent(&mut self, cost: Cost) {
        for window in &mut self.windows {
            window.in_flight += window.taken_by(cost);
        }
    }

    /// Says that a request was answered at `at`, and that it took `requests` in all: none when it
    /// never reached the server, more than one when redirects were followed.
    pub fn answered(&mut self, at: Duration, cost: Cost, requests: u32) {
        self.latest = self.latest.max(at);
        let requests = usize::try_from(requests).unwrap_or(usize::MAX);
        for window in &mut self.windows {
            let taken = window.taken_by(cost);
            window.in_flight = window.in_flight.saturating_sub(taken);
            // A window that is full is full, however many more there were.
            let places = requests.saturating_mul(taken).min(window.limit);
            window.answered.extend(std::iter::repeat_n(self.latest, places));
        }
    }
}

impl Window {
    fn new(limit: NonZeroU32, length: Duration, places: (usize, usize)) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        Self { limit, length, places, in_flight: 0, answered: VecDeque::new() }
    }

    fn taken_by(&self, cost: Cost) -> usize {
        match cost {
            Cost::Read => self.places.0,
            Cost::Write => self.places.1,
        }
    }

    fn free_at(&mut self, now: Duration, cost: Cost) -> Option<Duration> {
        let length = self.length;
        let over = |answered: Duration| answered.saturating_add(length);
        while self.answered.front().is_some_and(|first| over(*first) <= now) {
            self.answered.pop_front();
        }
        let taken = self.taken_by(cost);
        let too_many = (self.in_flight + self.answered.len() + taken).saturating_sub(self.limit);
        match too_many.checked_sub(1) {
            Some(last) if taken > 0 => self.answered.get(last).copied().map(over),
            _ => Some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn pace(per_minute: u32) -> Pace {
        Pace::new(NonZeroU32::new(per_minute).unwrap())
    }

    #[test]
    fn a_whole_window_goes_at_once_and_the_next_a_minute_after_the_answers() {
        let mut pace = pace(3);
        for _ in 0..3 {
            assert_eq!(pace.free_at(S(0), Cost::Write), Some(S(0)));
            pace.sent(Cost::Write);
        }
        assert_eq!(pace.free_at(S(0), Cost::Write), None, "only an answer can tell");
        pace.answered(S(2), Cost::Write, 1);
        assert_eq!(pace.free_at(S(2), Cost::Write), Some(S(62)));
        pace.answered(S(5), Cost::Write, 1);
        pace.answered(S(9), Cost::Write, 1);
        assert_eq!(pace.free_at(S(10), Cost::Write), Some(S(62)));
        assert_eq!(pace.free_at(S(62), Cost::Write), Some(S(62)));
        pace.sent(Cost::Write);
        assert_eq!(pace.free_at(S(62), Cost::Write), Some(S(65)));
    }

    #[test]
    fn redirects_count_and_what_never_arrived_does_not() {
        let mut pace = pace(2);
        pace.sent(Cost::Write);
        pace.answered(S(1), Cost::Write, 0);
        pace.sent(Cost::Write);
        pace.answered(S(2), Cost::Write, 4);
        assert_eq!(pace.free_at(S(3), Cost::Write), Some(S(62)));
        pace.sent(Cost::Write);
        pace.answered(S(3), Cost::Write, u32::MAX);
        assert_eq!(pace.free_at(S(62), Cost::Write), Some(S(3603)), "the hour is full too");
    }

    #[test]
    fn the_hour_holds_unless_more_than_githubs_pace_was_asked_for() {
        for (per_minute, hourly) in [(1, true), (80, true), (81, false), (u32::MAX, false)] {
            assert_eq!(pace(per_minute).windows.len() == 2, hourly, "{per_minute}");
        }
        let mut pace = pace(80);
        for number in 0..500 {
            let at = pace.free_at(S(0), Cost::Write).unwrap();
            assert_eq!(at, S(number / 80 * 60));
            pace.sent(Cost::Write);
            pace.answered(at, Cost::Write, 1);
        }
        assert_eq!(pace.free_at(S(361), Cost::Write), Some(S(3600)));
    }

    #[test]
    fn times_at_the_end_of_time_do_not_overflow() {
        let mut pace = pace(1);
        pace.sent(Cost::Write);
        pace.answered(Duration::MAX, Cost::Write, 1);
        assert_eq!(pace.free_at(S(0), Cost::Write), Some(Duration::MAX));
    }

    #[test]
    fn a_write_counts_five_points_and_as_content_and_a_read_neither() {
        let mut pace = Pace::of_github();
        for _ in 0..80 {
            assert_eq!(pace.free_at(S(0), Cost::Write), Some(S(0)));
            pace.sent(Cost::Write);
            pace.answered(S(0), Cost::Write, 1);
        }
        assert_eq!(pace.free_at(S(0), Cost::Write), Some(S(60)), "80 that create content");
        for _ in 0..500 {
            assert_eq!(pace.free_at(S(1), Cost::Read), Some(S(1)));
            pace.sent(Cost::Read);
        }
        assert_eq!(
            pace.free_at(S(1), Cost::Read),
            Some(S(60)),
            "900 points, 400 of them the writes'"
        );
        for _ in 0..500 {
            pace.answered(S(30), Cost::Read, 1);
        }
        // The 400 points of the writes are over, the 500 of the reads are not.
        assert_eq!(pace.free_at(S(60), Cost::Write), Some(S(60)));
        for _ in 0..400 {
            pace.sent(Cost::Read);
        }
        assert_eq!(pace.free_at(S(60), Cost::Read), Some(S(90)));
        for number in 80..500 {
            let at = S(3 * number);
            assert_eq!(pace.free_at(at, Cost::Write), Some(at), "{number}");
            pace.sent(Cost::Write);
            pace.answered(at, Cost::Write, 1);
        }
        assert_eq!(pace.free_at(S(1_500), Cost::Write), Some(S(3_600)));
    }

    /// When a request was sent, answered, and counted by the server.
    type Request = (u64, u64, u64);

    /// Sends `latencies.len()` requests as early as `pace` allows, at most `concurrency` at a time,
    /// and returns them.
    fn run(mut pace: Pace, latencies: &[(u64, f64)], concurrency: usize) -> Vec<Request> {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap();
        let mut requests: Vec<Request> = Vec::new();
        let mut flying: Vec<u64> = Vec::new();
        let mut now = 0;
        for &(latency, counted) in latencies {
            loop {
                let free = pace.free_at(Duration::from_millis(now), Cost::Write).map(ms);
                let next_answer = flying.iter().copied().min();
                if free == Some(now) && flying.len() < concurrency {
                    break;
                }
                now = match (free.filter(|_| flying.len() < concurrency), next_answer) {
                    (Some(free), Some(answer)) => free.min(answer),
                    (Some(at), None) | (None, Some(at)) => at,
                    (None, None) => panic!("nothing can ever happen"),
                };
                while let Some(at) = flying.iter().position(|answer| *answer <= now) {
                    flying.swap_remove(at);
                    pace.answered(Duration::from_millis(now), Cost::Write, 1);
                }
            }
            pace.sent(Cost::Write);
            flying.push(now + latency);
            requests.push((now, now + latency, now + (latency as f64 * counted) as u64));
        }
        requests
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_window_holds_more_than_its_limit_and_no_wait_is_needless(
            limit in 1u32..12,
            concurrency in 1usize..9,
            latencies in proptest::collection::vec((0u64..90_000, 0.0..=1.0), 1..60),
        ) {
            let requests = run(pace(limit), &latencies, concurrency);
            for &(_, _, counted) in &requests {
                let window = requests.iter().filter(|(_, _, at)| (counted..counted + 60_000).contains(at));
                prop_assert!(window.count() <= limit as usize);
            }
            // A request that waited would have been one too many a millisecond earlier.
            for (number, &(sent, _, _)) in requests.iter().enumerate() {
                let before = &requests[..number];
                let Some(&(previous, _, _)) = before.last() else { continue };
                if sent == previous {
                    continue;
                }
                let held = |end: u64| before.iter().filter(|(_, answered, _)| answered + end > sent - 1).count();
                prop_assert!(held(60_000) >= limit as usize || held(0) >= concurrency);
            }
        }

        #[test]
        fn no_hour_holds_more_than_500(
            latencies in proptest::collection::vec((0u64..2_000, 0.0..=1.0), 1_100),
        ) {
            let requests = run(pace(80), &latencies, 16);
            let mut counted: Vec<u64> = requests.iter().map(|(_, _, at)| *at).collect();
            counted.sort_unstable();
            for (limit, length) in [(80, 60_000), (500, 3_600_000)] {
                for (first, after) in counted.iter().zip(counted.iter().skip(limit)) {
                    prop_assert!(after - first >= length, "{first} and {after}: {limit}");
                }
            }
        }
    }
}
