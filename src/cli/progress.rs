//! What is seen while requests are sent: on a terminal a line with how many of something are done
//! and what is waited for, elsewhere (a CI log) a line for each wait that is long enough to be
//! wondered at.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;
use crate::delivery::{Event, Reason};

/// A wait from this long on is told in a log.
const LONG: Duration = Duration::from_secs(10);

/// Shows how it goes on; on a terminal the line is gone when it is done.
pub(super) struct Progress<'o> {
    output: &'o Output,
    bar: ProgressBar,
    doing: &'static str,
    total: usize,
    ended: Cell<usize>,
}

impl<'o> Progress<'o> {
    /// Returns the progress of `total` things that are done by `doing`, none of which has ended.
    pub(super) fn new(total: usize, doing: &'static str, output: &'o Output) -> Self {
        let target = if output.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(doing);
        if output.shows_progress() {
            // The seconds go on while nothing else does.
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        Self { output, bar, doing, total, ended: Cell::new(0) }
    }

    /// Lets `write` print on standard error without the line in its way.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes up what the delivery tells; `now` is the time since its start.
    pub(super) fn take(&self, event: &Event<'_>, now: Duration) {
        match event {
            Event::Ended { .. } => self.one_more(),
            Event::Started { .. } => self.going_on(),
            Event::Answered { .. } => {}
            Event::Waiting { until, reason } => self.waiting(until.saturating_sub(now), *reason),
        }
    }

    /// Counts one more that has ended.
    pub(super) fn one_more(&self) {
        self.ended.set(self.ended.get() + 1);
        self.bar.inc(1);
    }

    /// Counts all that have ended so far.
    pub(super) fn so_far(&self, ended: usize) {
        self.ended.set(ended);
        self.bar.set_position(ended as u64);
    }

    /// Shows that nothing is waited for any more.
    pub(super) fn going_on(&self) {
        self.bar.set_message(self.doing);
    }

    /// Shows what is waited for.
    pub(super) fn waiting(&self, wait: Duration, reason: Reason) {
        let seconds = wait.as_secs() + 1;
        let what = match reason {
            Reason::Limit => "GitHub's rate limit",
            Reason::Pace => "the pace below GitHub's rate limits",
            Reason::Retry => "the next attempt",
            Reason::Stopping => "what is in flight (interrupt again to stop now)",
        };
        let waiting = format!("waiting {seconds} s for {what}");
        if wait >= LONG && !self.output.shows_progress() {
            let done = format!("{} of {} done", self.ended.get(), self.total);
            self.output.note(&format!("{waiting}; {done}"));
        } else {
            self.aside(|| tracing::info!("{waiting}"));
        }
        self.bar.set_message(waiting);
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
