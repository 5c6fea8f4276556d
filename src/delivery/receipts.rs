//! Receipts: whether the workflow of a cousin really started. GitHub answers 204 to a dispatch
//! whether anybody listens or not, so after the 204s the runs of each cousin are looked at until
//! every dispatch has one or the deadline has come. It sends nothing but reads, through
//! [`Requests`], and judges no outcome: what is not confirmed was delivered all the same.
//!
//! This file is the driver, one loop like the delivery's. `rounds` says who is asked about when,
//! `listing` asks, `matching` tells whose run is whose.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};

use crate::delivery::clock::Clock;
use crate::delivery::requests::{Get, Requests};
use crate::github::TokenId;
use crate::names::RepoName;

mod listing;
mod matching;
mod rounds;
#[cfg(test)]
mod tests;

use listing::{Heard, Trouble};
use rounds::{Rounds, Step};

/// A dispatch that was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The cousin.
    pub repo: RepoName,
    /// Its present name, where a redirect told one.
    pub moved_to: Option<RepoName>,
    /// The token that speaks for it, which is to read its workflow runs.
    pub token: TokenId,
    /// The event's id, 32 hexadecimal digits. Anything else is found in no run's name.
    pub dispatch_id: String,
    /// When it was answered 204, by GitHub's clock: see [`super::Ending::answered_at`].
    pub answered_at: Timestamp,
}

/// Whether the workflow run of a dispatch was seen. A run's page is there when GitHub gave a link
/// that is fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// A run has the dispatch's id in its name.
    Confirmed {
        /// The run's page.
        url: Option<String>,
    },
    /// A run was started at the time, and its name does not tell by what.
    Probable {
        /// The run's page.
        url: Option<String>,
    },
    /// No run was seen.
    Unconfirmed {
        /// Why, and what to do: lower case, on one line.
        why: String,
    },
}

impl Confirmation {
    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Probable { .. } => "probable",
            Self::Unconfirmed { .. } => "unconfirmed",
        }
    }

    /// Returns the run's page.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Confirmed { url } | Self::Probable { url } => url.as_deref(),
            Self::Unconfirmed { .. } => None,
        }
    }

    /// Returns the warning about a dispatch without a run, for the cousin `repo`.
    #[must_use]
    pub fn warning(&self, repo: &RepoName) -> Option<String> {
        match self {
            Self::Confirmed { .. } | Self::Probable { .. } => None,
            Self::Unconfirmed { why } => {
                Some(format!("{repo}: delivered, but not confirmed: {why}"))
            }
        }
    }
}

/// How many dispatches have what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many are confirmed.
    pub confirmed: usize,
    /// How many are probable.
    pub probable: usize,
    /// How many have no run so far.
    pub unconfirmed: usize,
}

/// The receipts of a run's dispatches, as far as they are known.
#[derive(Debug)]
pub struct Receipts {
    rounds: Rounds,
}

impl Receipts {
    /// Returns what is known of these dispatches before it was looked: nothing. `timeout` is for
    /// all of them together, from the first [`Receipts::look`] on; with none, each cousin is asked
    /// about once.
    #[must_use]
    pub fn new(dispatched: &[Dispatched], timeout: Duration) -> Self {
        Self { rounds: Rounds::new(dispatched, timeout) }
    }

    /// Looks for the runs until nothing more can be known or the time is over, and tells `observe`
    /// after each answer how far it is.
    ///
    /// What is asked at the deadline has 5 s to be answered. The future may be dropped at any time:
    /// what was heard until then is kept, requests in flight are given up, and another call goes on
    /// where it was left.
    pub async fn look<G: Get, C: Clock + 'static>(
        &mut self,
        requests: &Arc<Requests<G, C>>,
        mut observe: impl FnMut(Tally),
    ) {
        let clock = requests.clock();
        let mut flights: JoinSet<Heard> = JoinSet::new();
        let mut asked: HashMap<Id, usize> = HashMap::new();
        self.rounds.start(clock.now(), clock.wall());
        loop {
            let until = match self.rounds.next(clock.now()) {
                Step::Finished => break,
                Step::Ask(cousin, question) => {
                    let requests = Arc::clone(requests);
                    let flight =
                        flights.spawn(async move { listing::ask(&requests, &question).await });
                    asked.insert(flight.id(), cousin);
                    continue;
                }
                Step::WaitUntil(until) => until,
            };
            let busy = !flights.is_empty();
            tokio::select! {
                biased;
                Some(flight) = flights.join_next_with_id(), if busy => {
                    let (flight, heard) = flight.unwrap_or_else(|error| (error.id(), broken_down()));
                    if let Some(cousin) = asked.remove(&flight) {
                        self.rounds.heard(cousin, clock.now(), heard);
                        observe(self.rounds.tally());
                    }
                }
                () = clock.wait_until(until, busy) => {}
            }
        }
        flights.shutdown().await;
    }

    /// Returns how many dispatches have what, so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.rounds.tally()
    }

    /// Returns what is known of each dispatch so far, in the order in which they were given.
    #[must_use]
    pub fn confirmations(&self) -> Vec<Confirmation> {
        self.rounds.confirmations()
    }
}

/// A request whose task ended by itself: so that its cousin is asked about again.
fn broken_down() -> Heard {
    let why = "the request for its runs broke down".to_owned();
    Heard { trouble: Some(Trouble { why, lasting: false }), ..Heard::default() }
}
