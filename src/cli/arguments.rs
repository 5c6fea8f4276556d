//! The arguments that several commands take, and how their values are read.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::ValueEnum;

use crate::delivery::Settings;
use crate::names::RepoName;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for people
    Human,
    /// One JSON document
    Json,
}

/// How to deliver.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Delivery")]
pub(super) struct Delivery {
    /// Requests in flight at a time, 1 to 100
    #[arg(long, value_name = "N", default_value = "16", value_parser = concurrency)]
    pub(super) concurrency: NonZeroUsize,
    /// Requests a minute; more than 80 also lifts the limit of 500 an hour
    #[arg(long, value_name = "N", default_value = "80", value_parser = per_minute)]
    pub(super) per_minute: NonZeroU32,
    /// Time for one request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// How long to wait in sum when GitHub limits the rate; what would wait longer is deferred
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds_or_none)]
    pub(super) max_wait: Duration,
}

impl Default for Delivery {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            concurrency: settings.concurrency,
            per_minute: settings.per_minute,
            timeout: Duration::from_secs(30),
            max_wait: settings.max_wait,
        }
    }
}

/// Whether it is looked for what was started.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Delivery")]
pub(super) struct Confirming {
    /// After sending, look for the workflow runs that were started, for up to so long [default: off;
    /// 120 without a value]
    ///
    /// GitHub takes an event whether a workflow listens or not. A run is confirmed when its name has
    /// the `dispatch_id`, probable when it was started at the time; a dispatch without a run is a
    /// warning. On private repositories the token needs "actions: read".
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "120", value_parser = seconds_or_none)]
    confirm: Option<Duration>,
    /// Count a dispatch as failed when no workflow run was seen; `dispatch --watermarks` sends it again
    #[arg(long, requires = "confirm")]
    require_confirmation: bool,
}

impl Confirming {
    /// Returns how it is looked for what was started, where it is.
    pub(super) fn asked(self) -> Option<Confirm> {
        self.confirm.map(|timeout| Confirm { timeout, required: self.require_confirmation })
    }
}

/// How it is looked for what was started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confirm {
    /// For how long, in all.
    pub(super) timeout: Duration,
    /// Whether what was not seen to start has failed.
    pub(super) required: bool,
}

pub(super) fn repo_name(text: &str) -> Result<RepoName, String> {
    RepoName::parse(text).map_err(|bad| format!("{}; {}", bad.message, bad.help))
}

pub(super) fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|n: &NonZeroUsize| n.get() <= 100)
        .ok_or_else(|| "GitHub allows 1 to 100 requests at a time".to_owned())
}

fn per_minute(text: &str) -> Result<NonZeroU32, String> {
    text.parse().ok().ok_or_else(|| "not a whole number of 1 or more".to_owned())
}

pub(super) fn seconds_or_none(text: &str) -> Result<Duration, String> {
    // A month is longer than any run; more would only overflow somewhere.
    text.parse()
        .ok()
        .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| duration.as_secs() <= 31 * 24 * 3600)
        .ok_or_else(|| "not a number of seconds".to_owned())
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let duration = seconds_or_none(text)?;
    if duration.is_zero() { Err("must be more than 0".to_owned()) } else { Ok(duration) }
}
