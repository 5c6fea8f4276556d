//! What upstream's changes to a feature are counted from: what the lock file of the commit that is
//! worked on says, and for each feature by itself. A branch that holds a person's commits has a
//! lock file of its own, and features that are brought together need not have been so far.

use crate::git::upstream::{Relation, Upstream};
use crate::git::workshop::{Found, Workshop};
use crate::names::CommitSha;
use crate::subscriptions::Subscription;
use crate::sync::lock::Locked;
use crate::sync::outcome::Trouble;
use crate::sync::record::Onto;
use crate::sync::verify::follow;

/// What upstream's changes are counted from.
#[derive(Debug, Clone, Copy)]
pub enum Since<'l> {
    /// The commit that the cousin has.
    Commit(&'l Locked),
    /// What it held: the branch was rewritten since.
    Tree(&'l Locked),
    /// The cousin has none.
    Nothing,
}

impl<'l> Since<'l> {
    /// Returns what a feature's changes up to a commit are counted from.
    ///
    /// # Errors
    /// The commit takes back what there is, or the branch was rewritten and nobody said that this
    /// was meant.
    pub fn of(
        upstream: &mut Upstream<'_>,
        locked: Option<&'l Locked>,
        commit: &CommitSha,
        allow_rewritten: bool,
    ) -> Result<Self, Trouble> {
        let Some(locked) = locked else { return Ok(Self::Nothing) };
        Ok(match follow(upstream, commit, &locked.commit, allow_rewritten)? {
            Relation::Apart => Self::Tree(locked),
            _ => Self::Commit(locked),
        })
    }

    /// Returns the commit that is counted from, where the branch still holds it.
    #[must_use]
    pub const fn commit(&self) -> Option<&'l CommitSha> {
        match self {
            Self::Commit(locked) => Some(&locked.commit),
            Self::Tree(_) | Self::Nothing => None,
        }
    }
}

/// Returns how a commit of the cousin has a feature. None where that is another source's, and where
/// it was put elsewhere and is not at the directory that is named now: merged from what it was, a
/// directory that is not there is one that the cousin has deleted. Who has moved the files along has
/// moved the feature.
///
/// # Errors
/// The cousin's trees cannot be read.
pub fn had<'l>(
    workshop: &Workshop,
    onto: &'l Onto,
    subscription: &Subscription,
    source: &str,
) -> Result<Option<&'l Locked>, Trouble> {
    let Some(locked) = onto.lock.get(&subscription.feature).filter(|it| it.source == source) else {
        return Ok(None);
    };
    let is_there = locked.into == subscription.into.to_string() || {
        let found = workshop.at(onto.root, subscription.into.as_bytes())?;
        !matches!(found, Found::Nothing | Found::Through(_))
    };
    Ok(is_there.then_some(locked))
}
