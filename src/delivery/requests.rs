//! Sends single requests of many tasks at once under the rules that a delivery keeps: each token
//! has one gate (a limit that one request meets stops all that use the token, and no other) and one
//! pace below GitHub's limits; what fails is sent again after a back-off; never too many are in
//! flight. Who asks gets the answer that is final and judges it; nothing here knows what was asked
//! for.
//!
//! The parts: [`Requests`] sends one request until its answer is final, which the pure `verdict`
//! decides; `turnstile` lets the tasks wait; `queue` says whose turn it is.

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::clock::Clock;
use crate::delivery::lane::Ended;
use crate::delivery::pace::Cost;
use crate::delivery::schedule::Reason;
use crate::github::{Answer, Client, Read, Reply, TokenId, Write};

mod queue;
mod turnstile;
mod verdict;

use queue::{Landing, Queue};
use turnstile::Turnstile;
use verdict::{Asked, Verdict, judge};

/// Whoever sends a read, once.
pub trait Get: Send + Sync + 'static {
    /// Sends the read and returns what came of it.
    fn get(&self, read: &Read, token: TokenId) -> impl Future<Output = Answer> + Send;

    /// Takes the secrets that it sends out of a text that the server sent back.
    fn redacted(&self, text: String) -> String {
        text
    }
}

impl Get for Client {
    async fn get(&self, read: &Read, token: TokenId) -> Answer {
        Self::get(self, read, token).await
    }

    fn redacted(&self, text: String) -> String {
        Self::redacted(self, text)
    }
}

/// Whoever sends a write, once.
pub trait Put: Send + Sync + 'static {
    /// Sends the write and returns what came of it.
    fn put(&self, write: &Write, token: TokenId) -> impl Future<Output = Answer> + Send;
}

impl Put for Client {
    async fn put(&self, write: &Write, token: TokenId) -> Answer {
        self.write(write, token).await
    }
}

/// What may be chosen about the requests of a run.
#[derive(Debug, Clone)]
pub struct RequestSettings {
    /// How many requests are in flight at a time, at most, over all tokens. GitHub allows 100.
    pub concurrency: NonZeroUsize,
    /// How long a token may wait in sum because GitHub asked for it.
    pub max_wait: Duration,
    /// The names of the tokens' variables, by [`TokenId`]: see [`crate::github::Tokens::labels`].
    pub tokens: Vec<String>,
}

impl Default for RequestSettings {
    /// The same concurrency and wait as a delivery's.
    fn default() -> Self {
        let super::Settings { concurrency, max_wait, tokens, .. } = super::Settings::default();
        Self { concurrency, max_wait, tokens }
    }
}

/// The sender of a run's single requests, for any number of tasks at once.
///
/// A request that waits holds no place among those in flight. Those that wait go first come, first
/// served, as far as their tokens let them. A future that is dropped gives back what it held; one
/// that is kept must be polled, because one of those that wait watches the clock for the others.
pub struct Requests<G, C> {
    get: Arc<G>,
    turnstile: Turnstile<C>,
    tokens: Vec<String>,
    jitter: fn() -> f64,
}

/// Why there is no final answer. The texts are for people: lower case, one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// GitHub refused the token (401). Every later request with it ends so, without being sent.
    #[error("{0}")]
    TokenRefused(String),
    /// A limit asks for a longer wait than the run may take, until this time. Every later request
    /// with the token ends so, without being sent.
    #[error("{0}")]
    Deferred(String, Timestamp),
    /// The server failed or was not reached as often as it is tried.
    #[error("{0}")]
    Unreachable(String),
    /// There is no token to send this one with; others with the same id may have one.
    #[error("{0}")]
    NoToken(String),
    /// It was to create something, and nobody knows whether it has: it must be looked for before it
    /// is created again. A read never ends so.
    #[error("{0}")]
    Unknown(String),
}

impl From<Ended> for Unanswered {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Refused(error) => Self::TokenRefused(error),
            Ended::Deferred(error, after) => Self::Deferred(error, after),
        }
    }
}

impl<G: Get, C: Clock> Requests<G, C> {
    /// Returns a sender that has sent nothing yet. `jitter` returns a number between 0 and 1 for
    /// each back-off; [`crate::delivery::random`] does.
    #[must_use]
    pub fn new(get: Arc<G>, clock: C, settings: RequestSettings, jitter: fn() -> f64) -> Self {
        let RequestSettings { concurrency, max_wait, tokens } = settings;
        let queue = Queue::new(concurrency.get(), max_wait);
        Self { get, turnstile: Turnstile::new(clock, queue), tokens, jitter }
    }

    /// Sends a read until its answer is final, and returns that: any status that is no limit and no
    /// failure of the server's.
    ///
    /// A limit is waited for; a failure of the server or the network, and a body that broke off,
    /// is tried five times in all. A redirect that was refused is an answer, and so is a 404.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn get(&self, read: &Read, token: TokenId) -> Result<Reply, Unanswered> {
        self.send(Asked::Read(read), token, || self.get.get(read, token)).await
    }

    /// Returns the name of the token's variable, for messages.
    #[must_use]
    pub fn label(&self, token: TokenId) -> &str {
        self.tokens.get(token.0).map_or("the environment", String::as_str)
    }

    /// Sends what was asked for until its answer is final.
    async fn send<F: Future<Output = Answer>>(
        &self,
        asked: Asked<'_>,
        token: TokenId,
        once: impl Fn() -> F,
    ) -> Result<Reply, Unanswered> {
        let cost = match asked {
            Asked::Read(_) => Cost::Read,
            Asked::Write(_) => Cost::Write,
        };
        let mut place = self.turnstile.enter(token, cost);
        let mut attempt = 1;
        loop {
            place.turn().await?;
            let Answer { requests, result, .. } = once().await;
            let wall = self.turnstile.clock.wall();
            let heard = if result.is_ok() { Landing::Answered } else { Landing::Lost };
            match judge(result, attempt, asked, self.label(token), wall, (self.jitter)()) {
                Verdict::Limited(asked, error) => {
                    place.landed(requests, Landing::Limited { asked, error, wall });
                    place.again(Duration::ZERO);
                }
                Verdict::Retry(after) => {
                    place.landed(requests, heard);
                    place.again(after);
                    attempt += 1;
                }
                Verdict::TokenRefused(error) => {
                    place.landed(requests, Landing::Refused(error.clone()));
                    return Err(Unanswered::TokenRefused(error));
                }
                Verdict::Answered(reply) => {
                    place.landed(requests, heard);
                    return Ok(*reply);
                }
                Verdict::NoToken(error) => {
                    place.landed(requests, heard);
                    return Err(Unanswered::NoToken(error));
                }
                Verdict::Unreachable(error) => {
                    place.landed(requests, heard);
                    return Err(Unanswered::Unreachable(error));
                }
                Verdict::Unknown(error) => {
                    place.landed(requests, heard);
                    return Err(Unanswered::Unknown(error));
                }
            }
        }
    }

    /// Returns the clock that the requests go by.
    pub(super) fn clock(&self) -> &C {
        &self.turnstile.clock
    }

    /// Takes the run's tokens out of a text that the server sent.
    pub(super) fn redacted(&self, text: String) -> String {
        self.get.redacted(text)
    }

    /// Returns how long all that is to be sent still waits, and for what, while nothing is in flight.
    #[must_use]
    pub fn waiting(&self) -> Option<(Duration, Reason)> {
        self.turnstile.waiting()
    }

    /// Returns how many requests went out so far, redirects included. One that is in flight counts
    /// when it has ended.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.turnstile.sent()
    }
}

impl<G: Get + Put, C: Clock> Requests<G, C> {
    /// Sends a write until its answer is final, as [`Requests::get`] does with a read.
    ///
    /// One that [creates](Write::creates) something is sent again only after a limit, or when no
    /// connection came about.
    ///
    /// # Errors
    /// See [`Unanswered`]; [`Unanswered::Unknown`] says that it may have created it.
    pub async fn write(&self, write: &Write, token: TokenId) -> Result<Reply, Unanswered> {
        self.send(Asked::Write(write), token, || self.get.put(write, token)).await
    }
}

impl<G, C> fmt::Debug for Requests<G, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
