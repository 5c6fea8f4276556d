//! Time for a delivery: the system's, or a virtual one that jumps instead of waiting, with which
//! rehearsals, benches and tests see an hour of limits in an instant. Only what drives looks at a
//! clock, the loop of a delivery and the turnstile of `requests`; what judges gets times.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

/// A clock that a delivery runs by.
pub trait Clock: Send + Sync {
    /// Returns the time since the run's start.
    fn now(&self) -> Duration;

    /// Returns the time of day.
    fn wall(&self) -> Timestamp;

    /// Returns when the time since the run's start is `until` or more. `busy` says that requests
    /// are in flight, whose answers may end the wait earlier.
    fn wait_until(&self, until: Duration, busy: bool) -> impl Future<Output = ()> + Send;
}

/// The system's clock; the run starts when it is made.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Returns a clock whose run starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait_until(&self, until: Duration, _busy: bool) {
        tokio::time::sleep(until.saturating_sub(self.now())).await;
    }
}

/// A wait that a [`VirtualClock`] was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it was asked for.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// A clock that stands still, except that a wait with nothing in flight moves it on once every
/// other task that is ready has had its turn, and [`VirtualClock::advance`] does. Where several
/// wait it moves to the earliest end of all waits. Clones are handles of the same clock: the
/// embedded GitHub can count its limits by it.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    start: Timestamp,
    now: watch::Sender<Duration>,
    waits: Arc<Mutex<Vec<Wait>>>,
    /// The ends of the waits that go on, and how many there are of each.
    ends: Arc<Mutex<BTreeMap<Duration, usize>>>,
}

/// How many rounds of the scheduler a clock stands still for waits whose time has come and that have
/// not had their turn; more than two are those that nobody polls any more.
const PATIENCE: usize = 4;

/// A wait that goes on, for as long as its future is there.
struct Waiting<'a>(&'a VirtualClock, Duration);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut ends = self.0.ends();
        if let Some(count) = ends.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                ends.remove(&self.1);
            }
        }
    }
}

impl VirtualClock {
    /// Returns a clock whose run starts at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            start,
            now: watch::Sender::new(Duration::ZERO),
            waits: Arc::default(),
            ends: Arc::default(),
        }
    }

    /// Moves the clock on by `step`, as a server that takes its time would.
    pub fn advance(&self, step: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(step));
    }

    /// Returns the waits that were asked for, in order; one that was asked for again is there once.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Wait>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<Duration, usize>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, until: Duration) -> Waiting<'_> {
        *self.ends().entry(until).or_default() += 1;
        Waiting(self, until)
    }

    fn note(&self, wait: Wait) {
        let mut waits = self.lock();
        if waits.last().is_none_or(|last| last.until != wait.until) {
            waits.push(wait);
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.now.borrow()
    }

    fn wall(&self) -> Timestamp {
        self.start.checked_add(self.now()).unwrap_or(Timestamp::MAX)
    }

    async fn wait_until(&self, until: Duration, busy: bool) {
        self.note(Wait { from: self.now(), until });
        let _waiting = self.wait(until);
        if busy {
            // An error would mean that the clock is gone, but `self` holds it.
            let _ = self.now.subscribe().wait_for(|now| *now >= until).await;
            return;
        }
        while self.now() < until {
            // Whatever can go on at this time goes on first; it may end the wait.
            tokio::task::yield_now().await;
            let now = self.now();
            let is_due = || self.ends().keys().next().is_some_and(|end| *end <= now);
            for _ in 0..PATIENCE {
                if is_due() {
                    tokio::task::yield_now().await;
                }
            }
            let earliest = self.ends().keys().copied().find(|end| *end > now).unwrap_or(until);
            self.now.send_modify(|now| *now = earliest.max(*now));
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[tokio::test]
    async fn a_virtual_wait_jumps_unless_something_is_in_flight() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let server = clock.clone();
        clock.wait_until(S(3600), false).await;
        assert_eq!(server.wall().as_second(), 3600);
        clock.wait_until(S(60), false).await;
        assert_eq!(clock.now(), S(3600), "time never goes back");
        tokio::select! {
            biased;
            () = clock.wait_until(S(3605), true) => panic!("it moved while something was in flight"),
            () = tokio::task::yield_now() => {}
        }
        let (asked, ()) = tokio::join!(clock.wait_until(S(3605), true), async {
            server.advance(S(4));
            tokio::task::yield_now().await;
            server.advance(S(1));
        });
        let () = asked;
        assert_eq!(clock.now(), S(3605));
        let waits: Vec<_> = clock.waits().iter().map(|wait| wait.until.as_secs()).collect();
        assert_eq!(waits, [3600, 60, 3605]);
    }

    #[tokio::test]
    async fn what_can_go_on_goes_on_before_the_clock_jumps() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let ((), seen) = tokio::join!(clock.wait_until(S(10), false), async { clock.now() });
        assert_eq!((seen, clock.now()), (S(0), S(10)));
    }

    #[tokio::test]
    async fn of_several_waits_the_earliest_ends_first_whoever_moves_the_clock() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let seen = |until, busy| {
            let clock = clock.clone();
            async move {
                clock.wait_until(S(until), busy).await;
                clock.now()
            }
        };
        let (first, second, third) = tokio::join!(seen(60, false), seen(3, true), seen(8, true));
        assert_eq!((first, second, third), (S(60), S(3), S(8)));
        for (end, until, given_up) in [(61, 70, true), (71, 80, false)] {
            let mut other = Box::pin(seen(end, true));
            tokio::select! {
                biased;
                _ = &mut other => panic!("nobody moved the clock"),
                () = tokio::task::yield_now() => {}
            }
            let kept = (!given_up).then_some(other);
            assert_eq!(seen(until, false).await, S(until), "who is not polled holds nobody back");
            drop(kept);
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let clock = VirtualClock::new(Timestamp::MAX);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.wall(), Timestamp::MAX);
    }

    #[tokio::test]
    async fn the_system_clock_is_not_early() {
        let clock = SystemClock::start();
        clock.wait_until(Duration::from_millis(20), true).await;
        assert!(clock.now() >= Duration::from_millis(20));
    }
}
