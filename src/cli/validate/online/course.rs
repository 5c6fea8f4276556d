//! How the asking goes on: whether anybody could be reached at all, and which waits are news. Pure:
//! answers and times come in.

use std::time::{Duration, Instant};

use crate::onboarding::online::Facts;

/// When so many cousins could not be reached, and none could, the others are not asked about.
const GIVE_UP: usize = 20;

/// How often it is looked whether everything waits.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// How many cousins could be asked about.
pub(super) struct Reached {
    total: usize,
    done: usize,
    unreachable: usize,
}

impl Reached {
    /// Returns that none of `total` was asked about yet.
    pub(super) const fn none_of(total: usize) -> Self {
        Self { total, done: 0, unreachable: 0 }
    }

    /// Counts one more, and returns whether so many were tried in vain that the others would be
    /// too.
    pub(super) fn nobody(&mut self, facts: &Facts) -> bool {
        self.done += 1;
        self.unreachable += usize::from(facts.is_unreachable());
        self.unreachable == self.done && self.done >= GIVE_UP && self.done < self.total
    }
}

/// Until when the wait was that was told last.
pub(super) struct Told(Instant);

impl Told {
    /// Returns that no wait was told yet.
    pub(super) const fn nothing(now: Instant) -> Self {
        Self(now)
    }

    /// Returns whether a wait is to be told: the same one, a look later, is not.
    pub(super) fn is_news(&mut self, wait: Duration, now: Instant) -> bool {
        let until = now + wait;
        let news = until > self.0 + LOOK;
        if news {
            self.0 = until;
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::delivery::requests::Unanswered;
    use crate::github::Reply;
    use crate::onboarding::online::Seen;

    const S: fn(u64) -> Duration = Duration::from_secs;

    /// Returns after how many cousins it is given up when these, of `total`, can be reached.
    fn given_up(total: usize, reachable: &[usize]) -> Option<usize> {
        let mut reached = Reached::none_of(total);
        let seen = |at: usize| match reachable.contains(&at) {
            true => Seen::Answered(Box::new(Reply { status: 404, ..Reply::default() })),
            false => Seen::Unanswered(Unanswered::Unreachable("why".to_owned())),
        };
        (0..total).find(|at| reached.nobody(&Facts::only(seen(*at)))).map(|at| at + 1)
    }

    #[test]
    fn it_is_given_up_when_twenty_of_more_were_tried_and_nobody_was_reached() {
        for (total, reachable, expected) in [
            (100, &[][..], Some(20)),
            (21, &[], Some(20)),
            (20, &[], None),
            (100, &[0], None),
            (100, &[19], None),
            (100, &[20], Some(20)),
        ] {
            assert_eq!(given_up(total, reachable), expected, "{total} {reachable:?}");
        }
    }

    #[test]
    fn a_wait_is_told_once_and_a_longer_one_again() {
        let start = Instant::now();
        let mut told = Told::nothing(start);
        let mut is_news = |at: u64, wait: u64| told.is_news(S(wait), start + S(at));
        assert!(!is_news(0, 1), "who looks every second has seen it soon enough");
        assert!(is_news(0, 11));
        assert!((1..11).all(|at| !is_news(at, 11 - at)), "the same one");
        assert!(is_news(12, 60));
        assert!(!is_news(13, 60), "a second more is how late the look was");
        assert!(is_news(20, 60));
    }
}
