//! What one run knows of an App's installation for an owner: which of the owner's repositories it
//! is to reach, the tokens that were minted for them, and what was refused. It sends nothing and
//! reads no clock; whoever asks GitHub takes the installation's one turn, so that many who need a
//! token at a time make one request.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::meaning::{Found, Refusal, Who};
use super::minted::Minted;
use super::{App, Permissions};
use crate::github::answer::Answer;
use crate::names::RepoName;

/// For how many repositories a token can be asked. Source: "Create an installation access token
/// for an app" ("up to 500 repositories").
const A_TOKEN: usize = 500;

/// An App's installation for one owner.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) app: Arc<App>,
    pub(crate) who: Who,
    pub(crate) permissions: Permissions,
    /// Held by whoever asks GitHub.
    pub(crate) turn: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The repositories; each token is for [`A_TOKEN`] of them.
    names: Vec<RepoName>,
    /// Their places, by their keys.
    places: HashMap<String, usize>,
    found: Option<Result<Found, Refusal>>,
    tokens: BTreeMap<usize, Minted>,
    /// What is out of reach, by its key, and why.
    left_out: HashMap<String, Refusal>,
    /// How often somebody has asked and failed.
    failures: u64,
    last_failure: Option<Box<Answer>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} repositories, {} tokens", self.names.len(), self.tokens.len())
    }
}

impl Installation {
    /// Returns the installation for the owner of a repository, of which nothing is known yet.
    pub(crate) fn new(app: Arc<App>, owner: &str, permissions: Permissions) -> Self {
        let who = Who { app: app.id().to_owned(), owner: owner.to_owned() };
        Self { app, who, permissions, turn: Semaphore::new(1), state: Mutex::default() }
    }

    /// Returns what the token is called.
    pub(crate) fn label(&self) -> String {
        let Who { app, owner } = &self.who;
        format!("the App {app} (installation of {owner})")
    }

    /// Adds a repository that the tokens are to reach.
    pub(crate) fn reach(&self, repo: &RepoName) {
        let mut state = self.state();
        if !state.places.contains_key(&repo.key()) {
            let place = state.names.len();
            state.places.insert(repo.key(), place);
            state.names.push(repo.clone());
        }
    }

    /// Returns the token for a repository, or why there is none; `None` when GitHub is to be asked.
    pub(crate) fn known(&self, repo: &RepoName, now: Instant) -> Option<Result<Minted, Refusal>> {
        let state = self.state();
        if let Some(Err(refusal)) = &state.found {
            return Some(Err(refusal.clone()));
        }
        let key = repo.key();
        let Some(place) = state.places.get(&key) else {
            return Some(Err(Refusal::not_on(&self.who, repo)));
        };
        if let Some(refusal) = state.left_out.get(&key) {
            return Some(Err(refusal.clone()));
        }
        let token = state.tokens.get(&(place / A_TOKEN));
        token.filter(|token| !token.is_stale(now)).map(|token| Ok(token.clone()))
    }

    /// Returns how often asking has failed so far.
    pub(crate) fn failures(&self) -> u64 {
        self.state().failures
    }

    /// Returns how asking failed, when it has since `failures` were counted: who waited for the
    /// turn meanwhile need not ask the same again.
    pub(crate) fn failed_since(&self, failures: u64) -> Option<Box<Answer>> {
        let state = self.state();
        if state.failures == failures { None } else { state.last_failure.clone() }
    }

    /// Notes that asking failed, in a way that passes.
    pub(crate) fn failed(&self, answer: &Answer) {
        let mut state = self.state();
        state.failures += 1;
        state.last_failure = Some(Box::new(answer.clone()));
    }

    /// Returns what GitHub knows of the installation, if it was asked.
    pub(crate) fn found(&self) -> Option<Result<Found, Refusal>> {
        self.state().found.clone()
    }

    /// Notes what GitHub knows of the installation, or that it will give no token.
    pub(crate) fn settle(&self, found: Result<Found, Refusal>) {
        self.state().found = Some(found);
    }

    /// Returns the repositories, as far as they are in reach, that share a token with this one.
    pub(crate) fn together_with(&self, repo: &RepoName) -> Vec<RepoName> {
        let state = self.state();
        let Some(place) = state.places.get(&repo.key()) else { return Vec::new() };
        let chunk = state.names.iter().skip(place / A_TOKEN * A_TOKEN).take(A_TOKEN);
        chunk.filter(|name| !state.left_out.contains_key(&name.key())).cloned().collect()
    }

    /// Notes that a repository is out of reach.
    pub(crate) fn leave_out(&self, repo: &RepoName, why: Refusal) {
        self.state().left_out.insert(repo.key(), why);
    }

    /// Notes the token of a repository and those that share it.
    pub(crate) fn keep(&self, repo: &RepoName, token: Minted) {
        let mut state = self.state();
        if let Some(place) = state.places.get(&repo.key()).copied() {
            state.tokens.insert(place / A_TOKEN, token);
        }
    }

    /// Forgets a token that GitHub refused, unless it is another by now.
    pub(crate) fn forget(&self, refused: &Minted) {
        self.state().tokens.retain(|_, token| token.number != refused.number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "installation_tests.rs"]
mod tests;
