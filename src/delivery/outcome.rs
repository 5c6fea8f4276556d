//! How a dispatch ends: in exactly one [`Outcome`], with what the report says beside it. Nothing
//! here decides anything.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::github::Moved;

/// The one way in which a dispatch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// GitHub answered 204.
    Delivered,
    /// Refused for good: sending it again would be refused again.
    Failed,
    /// Tried as often as it is tried; whether one of the attempts arrived may be unknown.
    Exhausted,
    /// GitHub's limits ask for a longer wait than the run may take.
    Deferred,
    /// Interrupted before it was sent, or before it was tried again.
    Skipped,
    /// A dry run: it would have been sent.
    Planned,
}

impl Outcome {
    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Exhausted => "exhausted",
            Self::Deferred => "deferred",
            Self::Skipped => "skipped",
            Self::Planned => "planned",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How one dispatch ended, for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The outcome.
    pub outcome: Outcome,
    /// How often it was sent, whatever came of it.
    pub attempts: u32,
    /// Whether one of the attempts arrived, or may have: the server failed, or the answer was lost.
    pub may_have_arrived: bool,
    /// The status of the last answer; none when there was no answer.
    pub status: Option<u16>,
    /// What went wrong and what to do, lower case, on one line.
    pub error: Option<String>,
    /// Where a redirect led: `ecosystem.json` should follow.
    pub renamed_to: Option<Moved>,
    /// For a deferred dispatch, the time after which to run again.
    pub retry_after: Option<Timestamp>,
    /// For a delivered dispatch, when that was: by GitHub's clock, in whole seconds, or by this
    /// machine's where the answer does not tell.
    pub answered_at: Option<Timestamp>,
}

impl Ending {
    /// Returns the ending of a dispatch that was never sent.
    #[must_use]
    pub fn unsent(outcome: Outcome) -> Self {
        Self {
            outcome,
            attempts: 0,
            may_have_arrived: false,
            status: None,
            error: None,
            renamed_to: None,
            retry_after: None,
            answered_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_one_word_in_text_and_json() {
        for outcome in [
            Outcome::Delivered,
            Outcome::Failed,
            Outcome::Exhausted,
            Outcome::Deferred,
            Outcome::Skipped,
            Outcome::Planned,
        ] {
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("\"{outcome}\""));
        }
        assert_eq!(format!("{:<10}|", Outcome::Failed), "failed    |");
    }
}
