//! How other commits are related to head: whether it lies in their history, and how many commits
//! it has beyond them. Only a clone with its whole history can tell; a shallow one lies. Elsewhere
//! the remote is asked for commits alone, without trees. It says "unknown" rather than guess.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository};

use super::GitError;
use super::fetch::{self, Depth, Scratch};
use super::revision::{raw_parents, readable_commit};
use super::source::Source;
use crate::names::CommitSha;

/// So many commits are asked about one by one, for what head has beyond each; with more the whole
/// history is fetched once.
const ONE_BY_ONE: usize = 3;

/// A repository that has the whole history of head and of other commits, without trees perhaps.
pub struct History<'s> {
    whole: Whole<'s>,
    head: Oid,
}

enum Whole<'s> {
    Clone(&'s Repository),
    Scratch(Box<Scratch>),
}

/// Where a commit stands as seen from head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many commits head has that are not in its history.
    pub behind: usize,
    /// When it was committed, in seconds since 1970.
    pub committed: i64,
}

impl History<'_> {
    fn repository(&self) -> &Repository {
        match &self.whole {
            Whole::Clone(clone) => clone,
            Whole::Scratch(scratch) => &scratch.repository,
        }
    }

    /// Returns whether head is the commit or lies in its history; none when that cannot be told.
    #[must_use]
    pub fn is_in(&self, commit: &CommitSha) -> Option<bool> {
        let commit = readable_commit(self.repository(), commit)?;
        if commit == self.head {
            return Some(true);
        }
        self.repository().graph_descendant_of(commit, self.head).ok()
    }

    /// Returns where a commit stands; none when it or its history cannot be read.
    #[must_use]
    pub fn standing(&self, commit: &CommitSha) -> Option<Standing> {
        let repository = self.repository();
        let commit = repository.find_commit(readable_commit(repository, commit)?).ok()?;
        let (behind, _) = repository.graph_ahead_behind(self.head, commit.id()).ok()?;
        Some(Standing { behind, committed: commit.time().seconds() })
    }
}

impl Source<'_> {
    /// Fetches those of the commits that are not here, all in one go, so that comparing with each
    /// needs no fetch of its own. What cannot be had this way is looked for when it is needed.
    pub fn bring(&mut self, commits: &BTreeSet<CommitSha>) {
        if commits.len() > 1 {
            self.trees.get_or_insert_default();
        }
        let Some(remote) = &self.remote else { return };
        let lacks = |repository: &Repository| -> Vec<CommitSha> {
            let is_missing = |commit: &&CommitSha| readable_commit(repository, commit).is_none();
            commits.iter().filter(is_missing).cloned().collect()
        };
        if let Some(clone) = &self.clone {
            let missing = lacks(clone);
            if missing.is_empty() {
                return;
            }
            tracing::info!("fetching {} commits from origin", missing.len());
            match fetch::into_clone(self.git, clone, remote, &missing) {
                Ok(()) => self.brought.extend(missing),
                Err(error) => tracing::info!("not fetched: {error}"),
            }
        } else if let Some(scratch) = &self.scratch {
            let missing = lacks(&scratch.repository);
            let names: Vec<String> = (0..missing.len()).map(|n| format!("base-{n}")).collect();
            let names = names.iter().map(String::as_str);
            let wanted: Vec<_> = names.zip(missing.iter().map(CommitSha::as_str)).collect();
            if wanted.is_empty() {
                return;
            }
            if let Err(error) = scratch.fetch(self.git, remote, Depth::Trees, &wanted) {
                tracing::info!("not fetched: {error}");
            }
        }
    }

    /// Returns of each commit whether head is it or lies in its history; none where that cannot be
    /// told. Each comes with the full name of a ref of the remote that stands at it.
    pub fn is_in(
        &mut self,
        commits: &BTreeMap<CommitSha, String>,
    ) -> BTreeMap<CommitSha, Option<bool>> {
        let mut known = BTreeMap::new();
        let (Some(head), Some(repository)) = (self.head, self.repository()) else { return known };
        let parents = raw_parents(repository, head);
        let mut open = BTreeMap::new();
        for (commit, reference) in commits {
            let same = commit.as_str() == head.to_string();
            if same || parents.contains(commit) {
                known.insert(commit.clone(), Some(same));
            } else {
                open.insert(commit, reference);
            }
        }
        if open.is_empty() {
            return known;
        }
        if !self.is_whole() && open.len() <= ONE_BY_ONE {
            for (commit, reference) in &open {
                let is_in = self.is_behind(head, reference).map(|beyond| !beyond);
                known.insert((*commit).clone(), is_in);
            }
            open.retain(|commit, _| known.get(*commit).is_none_or(Option::is_none));
            if open.is_empty() {
                return known;
            }
        }
        let wanted: BTreeSet<CommitSha> = open.keys().map(|commit| (*commit).clone()).collect();
        let history = self.history(&wanted);
        if let Err(error) = &history {
            tracing::info!("the history cannot be had: {error}");
        }
        for commit in wanted {
            let is_in = history.as_ref().ok().and_then(|history| history.is_in(&commit));
            known.insert(commit, is_in);
        }
        known
    }

    /// Returns when a commit was committed, in seconds since 1970; none when it is not here.
    #[must_use]
    pub fn committed(&self, commit: &CommitSha) -> Option<i64> {
        let own = self.scratch.as_ref().map(|scratch| &scratch.repository);
        [own, self.clone.as_ref()].into_iter().flatten().find_map(|repository| {
            let found = repository.find_commit(readable_commit(repository, commit)?).ok()?;
            Some(found.time().seconds())
        })
    }

    /// Returns head's history and that of the other commits.
    ///
    /// # Errors
    /// [`GitError`] when it is neither here nor to be had from the remote.
    pub fn history(&mut self, commits: &BTreeSet<CommitSha>) -> Result<History<'_>, GitError> {
        let head = self.head.ok_or(GitError::Unborn)?;
        if self.is_whole() {
            self.bring(commits);
            if let Some(clone) = &self.clone {
                return Ok(History { whole: Whole::Clone(clone), head });
            }
        }
        let remote = self.remote.as_ref().ok_or_else(|| GitError::UnknownRevision {
            revision: head.to_string(),
            cause: ": its whole history is not in the clone, and there is no origin".to_owned(),
            help: "fetch it with `git fetch --unshallow`".to_owned(),
        })?;
        let scratch = Scratch::new(remote)?;
        let head_id = head.to_string();
        let names: Vec<String> = (0..commits.len()).map(|n| format!("other-{n}")).collect();
        let others = names.iter().map(String::as_str).zip(commits.iter().map(CommitSha::as_str));
        let wanted: Vec<(&str, &str)> =
            [("head", head_id.as_str())].into_iter().chain(others).collect();
        scratch.fetch(self.git, remote, Depth::History, &wanted)?;
        Ok(History { whole: Whole::Scratch(Box::new(scratch)), head })
    }

    /// Whether the clone has its whole history, and head in it.
    fn is_whole(&self) -> bool {
        let clone = self.clone.as_ref().filter(|clone| !fetch::is_shallow(clone));
        clone.zip(self.head).is_some_and(|(clone, head)| clone.find_commit(head).is_ok())
    }

    /// Returns whether head has commits that are not in the history of a ref of the remote; none
    /// when the remote does not say. It sends those commits only: of a long history the few that
    /// are new. Source: git-fetch(1), `--shallow-exclude`.
    fn is_behind(&self, head: Oid, reference: &str) -> Option<bool> {
        let remote = self.remote.as_ref()?;
        let scratch = Scratch::new(remote).ok()?;
        match scratch.fetch_beyond(self.git, remote, reference, head) {
            Ok(()) => Some(true),
            Err(error) if error.to_string().contains("no commits selected") => Some(false),
            Err(error) => {
                tracing::info!("the remote does not tell what is new since {reference}: {error}");
                None
            }
        }
    }
}
