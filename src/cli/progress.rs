//! The progress line on a terminal while dispatches are sent: how many are done, and what is
//! waited for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::delivery::{Event, Reason};

/// A line that is drawn over while a delivery runs and gone when it is done.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Returns the line for `total` dispatches, which draws nothing unless `shown`.
    pub(super) fn new(total: usize, shown: bool) -> Self {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_message("sending");
        Self { bar }
    }

    /// Lets `write` print on standard error without the line in its way.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes up what the delivery tells; `now` is the time since its start.
    pub(super) fn take(&self, event: &Event<'_>, now: Duration) {
        match event {
            Event::Ended { .. } => self.bar.inc(1),
            Event::Started { .. } => self.bar.set_message("sending"),
            Event::Answered { .. } => {}
            Event::Waiting { until, reason } => {
                let seconds = until.saturating_sub(now).as_secs() + 1;
                let what = match reason {
                    Reason::Limit => "GitHub's rate limit",
                    Reason::Pace => "the pace below GitHub's rate limits",
                    Reason::Retry => "the next attempt",
                    Reason::Stopping => "what is in flight (interrupt again to stop now)",
                };
                self.bar.set_message(format!("waiting {seconds} s for {what}"));
                if *reason != Reason::Retry {
                    self.aside(|| tracing::info!("waiting {seconds} s for {what}"));
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
