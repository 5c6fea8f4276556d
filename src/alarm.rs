//! The alarm: one issue in the monorepo that says who is failing, since when, why and what to do,
//! and one message to a webhook when that begins and when it ends. It remembers what failed from
//! run to run, in the issue itself, and so says each thing once. It never fails: an alarm that
//! cannot be raised is a warning, and hides nothing of what the run has done.
//!
//! The parts: `state` judges what a run changes, `words` says it, `memory` is the state in the
//! issue's text (all three are pure); `issue` and `webhook` do the I/O; [`sound`] is all of it.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::delivery::{Clock, Get, Put, Requests};
use crate::github::TokenId;
use crate::names::{CommitSha, RepoName};

mod issue;
mod memory;
mod state;
mod webhook;
mod words;

pub use state::{Change, Failure, Heard, Results, State, Trouble, Who, judge};
pub use webhook::{BadWebhook, Webhook};

use issue::{Issues, Told};
use words::{Subject, slack};

/// The variable with the webhook's address.
pub const WEBHOOK: &str = "ECOSYSTEM_NOTIFY_URL";

/// Where an alarm is raised, and by what means.
pub struct Alarm<'a, G, C> {
    /// The sender of the run's single requests.
    pub requests: &'a Requests<G, C>,
    /// By what the waits between two attempts at the webhook go.
    pub clock: &'a C,
    /// The monorepo.
    pub source: &'a RepoName,
    /// The token that speaks for the monorepo.
    pub token: TokenId,
    /// Whether there is to be an issue (`--issue-on-failure`).
    pub issue: bool,
    /// The webhook's address ([`WEBHOOK`]), as it was given.
    pub webhook: Option<&'a SecretString>,
}

/// A run that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What it tells.
    pub results: &'a Results,
    /// The address of its page.
    pub url: Option<&'a str>,
    /// The commit that it was for.
    pub head: Option<&'a CommitSha>,
    /// When it ended.
    pub at: Timestamp,
}

/// What came of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sounded {
    /// What the run has changed.
    pub change: Change,
    /// What is failing now: the `before` of the next run, where no issue remembers it.
    pub state: State,
    /// What could not be raised, and what to do about it: one line each, lower case.
    pub warnings: Vec<String>,
}

/// Raises, updates or ends the alarm after a run.
///
/// What was failing before the run, the issue remembers; where there is none, or it cannot be read,
/// `before` says it. With neither, each run that fails is a beginning, and none is an end.
pub async fn sound<G: Get + Put, C: Clock>(
    alarm: &Alarm<'_, G, C>,
    run: &Run<'_>,
    before: &State,
) -> Sounded {
    let Alarm { requests, clock, source, token, issue, webhook } = *alarm;
    let told = if issue {
        Issues { requests, source, token }.update(run, before).await
    } else {
        Told::default()
    };
    let Told { judged, mut warnings } = told;
    let (change, state) = judged.unwrap_or_else(|| judge(before, run.results, run.at, run.head));
    let subject = Subject { source, run_url: run.url };
    if let Some(address) = webhook
        && let Some(text) = slack::message(&subject, &change, &state)
    {
        let posted = match Webhook::parse(address) {
            Ok(webhook) => webhook.post(&text, clock).await,
            Err(bad) => Err(bad.to_string()),
        };
        if let Err(why) = posted {
            warnings.push(format!("the webhook in {WEBHOOK} got no message: {why}"));
        }
    }
    Sounded { change, state, warnings }
}

#[cfg(test)]
mod tests;
