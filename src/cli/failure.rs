//! Why a command did not do what was asked, and the exit code that says so: the one place that
//! maps the kinds of errors to codes. The table stands in the README.

use crate::actions::EventFileError;
use crate::delivery::Outcome;
use crate::ecosystem::Diagnosis;
use crate::git::GitError;
use crate::git::range::RangeError;
use crate::github::AppError;
use crate::github::api_url::BadApiUrl;
use crate::github::auth::AuthError;
use crate::github::client::ClientError;
use crate::report::{Dispatch, Report};
use crate::routing::TooComplex;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All delivered, or nothing to do.
    Done,
    /// At least one dispatch was not delivered.
    Undelivered,
    /// A validation found errors.
    Invalid,
    /// Usage, configuration or environment; nothing was sent.
    Misused,
    /// SIGINT, or Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// Returns the exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Undelivered | Self::Invalid => 1,
            Self::Misused => 2,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Returns how a run that was not interrupted ends.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let fine = |dispatch: &Dispatch| match dispatch.outcome {
            Outcome::Delivered | Outcome::Planned => true,
            Outcome::Skipped => dispatch.superseded,
            Outcome::Failed | Outcome::Exhausted | Outcome::Deferred => false,
        };
        if report.dispatches.iter().all(fine) { Self::Done } else { Self::Undelivered }
    }
}

/// An error that ends a command: what happened, and what to do next.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What happened, lower case; several lines where a file has several errors.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// The exit code's reason.
    pub exit: Exit,
}

impl Failure {
    /// Returns a failure of usage, configuration or environment.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let help = help.into();
        Self {
            message: message.into(),
            help: (!help.is_empty()).then_some(help),
            exit: Exit::Misused,
        }
    }
}

impl From<Diagnosis> for Failure {
    fn from(diagnosis: Diagnosis) -> Self {
        Self::new(diagnosis.to_string(), "nothing was sent")
    }
}

impl From<TooComplex> for Failure {
    fn from(error: TooComplex) -> Self {
        Self::new(error.to_string(), "simplify the pattern in ecosystem.json")
    }
}

macro_rules! with_its_own_help {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string(), error.help())
            }
        }
    )*};
}
with_its_own_help!(GitError, RangeError, EventFileError, AppError, AuthError, ClientError);

impl From<BadApiUrl> for Failure {
    fn from(bad: BadApiUrl) -> Self {
        Self::new(format!("GITHUB_API_URL: {}", bad.message), bad.help)
    }
}
