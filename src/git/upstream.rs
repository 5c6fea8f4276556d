//! The repository that features come from: its one trusted branch, fetched without blobs and no
//! deeper than is needed, and of the trees and blobs only those of a feature.
//!
//! A commit counts as upstream's when parent links lead to it from the branch's tip, and for no
//! other reason: a host shows the commits of every fork under the parent's address. So no commit is
//! ever fetched by its id, and the store has no objects of the cousin's, nor does the source get to
//! hear which commits the cousin has.

mod objects;
mod whole;

use std::fmt;

use git2::Repository;

use super::ancestry::Ancestry;
use super::command::{CommandError, Git};
use super::fetch::Remote;
use super::files::ObjectId;
pub use super::record::CommitRecord;
use super::workshop::{DEPTH, TIMES, Workshop, check_reference, depth_option};
use super::{GitError, ObjectError, record};
use crate::names::CommitSha;

/// Where the tip of the branch is kept in the store.
const TIP: &str = "refs/upstream/tip";

/// Why upstream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The branch's name is none.
    #[error("{branch} cannot be the name of a branch")]
    BadBranch {
        /// The name, quoted.
        branch: String,
    },
    /// There is no such branch.
    #[error("{url} has no branch {branch}")]
    NoSuchBranch {
        /// The name, quoted.
        branch: String,
        /// The source's address.
        url: String,
    },
    /// The source does not say which branch is its default.
    #[error("{url} does not say which branch is its default")]
    NoDefaultBranch {
        /// The source's address.
        url: String,
    },
    /// The source sends less of its history than it was asked for.
    #[error("the history of {branch} at {url} cannot be had as a whole: {commit} is not sent")]
    Incomplete {
        /// The branch, quoted.
        branch: String,
        /// The source's address.
        url: String,
        /// A commit that is lacking.
        commit: ObjectId,
    },
    /// The source does not send an object that its own history names.
    #[error("{url} does not send the {kind} {id}")]
    NotSent {
        /// The source's address.
        url: String,
        /// What it is.
        kind: &'static str,
        /// Its id.
        id: ObjectId,
    },
    /// git failed, or an object is none that git writes.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl UpstreamError {
    /// Returns what to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::BadBranch { .. } => {
                "write the branch without refs/heads/, as in \"main\"; see git-check-ref-format(1)"
            }
            Self::NoSuchBranch { .. } => {
                "see its branches with `git ls-remote --heads`, then name one as \"branch\" in \
                 subscriptions.json, or leave that out for the default branch"
            }
            Self::NoDefaultBranch { .. } => "name one as \"branch\" in subscriptions.json",
            Self::Incomplete { .. } => {
                "try again: the branch may have been rewritten meanwhile; a source that is itself a \
                 shallow clone cannot be followed"
            }
            Self::NotSent { .. } => {
                "see whether it is whole with `git fsck`; a server must let objects be fetched by \
                 their ids (`uploadpack.allowAnySHA1InWant`), as GitHub does"
            }
            Self::Git(error) => return error.help(),
        }
        .to_owned()
    }
}

impl From<ObjectError> for UpstreamError {
    fn from(error: ObjectError) -> Self {
        Self::Git(error.into())
    }
}

/// How a commit is related to the one that was applied last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is the same.
    Same,
    /// It descends from the last.
    Ahead,
    /// The last descends from it: a rollback.
    Behind,
    /// Neither, or the last is not in the branch's history: that was rewritten.
    Apart,
}

/// The trusted branch of the source, fetched into a workshop.
pub struct Upstream<'w> {
    workshop: &'w Workshop,
    git: Git,
    remote: Remote,
    branch: String,
    tip: ObjectId,
    depth: u32,
    ancestry: Ancestry,
    store: Repository,
}

impl fmt::Debug for Upstream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("branch", &self.branch).field("tip", &self.tip).finish()
    }
}

impl<'w> Upstream<'w> {
    /// Fetches the newest commits of a branch, without trees; without a name it is the remote's
    /// default branch. A workshop has one upstream.
    ///
    /// # Errors
    /// [`UpstreamError`] when there is no such branch or the remote cannot be reached.
    pub fn fetch(
        workshop: &'w Workshop,
        git: &Git,
        remote: Remote,
        branch: Option<&str>,
    ) -> Result<Self, UpstreamError> {
        let branch = match branch {
            Some(branch) => branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned(),
            None => default_branch(workshop, &remote)?,
        };
        let reference = format!("refs/heads/{branch}");
        let quoted = || crate::text::quoted(&branch);
        if branch == "HEAD" || branch.starts_with('-') || check_reference(&reference).is_err() {
            return Err(UpstreamError::BadBranch { branch: quoted() });
        }
        workshop.upstream().point_at(&remote)?;
        let store = workshop.upstream().open()?;
        let mut upstream = Self {
            workshop,
            git: git.clone(),
            remote,
            branch: branch.clone(),
            tip: ObjectId::ZERO_SHA1,
            depth: DEPTH,
            ancestry: Ancestry::default(),
            store,
        };
        upstream.fetch_commits(&depth_option(DEPTH))?;
        upstream.tip = workshop.upstream().commit(TIP)?;
        Ok(upstream)
    }

    /// Returns the branch's name, without `refs/heads/`.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Returns the commit that the branch stood at when it was fetched.
    #[must_use]
    pub fn tip(&self) -> ObjectId {
        self.tip
    }

    /// Returns the commit when it is the tip or an ancestor of it, proven by parent links; the
    /// history is deepened until it is found or known to hold no such commit.
    ///
    /// # Errors
    /// [`UpstreamError`] when more of the history is needed and cannot be had.
    pub fn find(&mut self, commit: &CommitSha) -> Result<Option<CommitRecord>, UpstreamError> {
        let id = id_of(commit)?;
        loop {
            let odb = self.store.odb().map_err(GitError::from)?;
            let reach = self.ancestry.reach(&odb, self.tip)?;
            if reach.commits.contains(&id) {
                return Ok(Some(record::read(&odb, id)?));
            }
            if reach.missing.is_empty() {
                return Ok(None);
            }
            drop(odb);
            self.deepen(reach.missing.iter().next().copied())?;
        }
    }

    /// Returns how `new` is related to `last`; both are looked for in the branch's history, which
    /// is deepened until that is certain.
    ///
    /// # Errors
    /// As [`Upstream::find`].
    pub fn relation(
        &mut self,
        new: &CommitSha,
        last: &CommitSha,
    ) -> Result<Relation, UpstreamError> {
        let (new, last) = (id_of(new)?, id_of(last)?);
        loop {
            let odb = self.store.odb().map_err(GitError::from)?;
            let all = self.ancestry.reach(&odb, self.tip)?;
            let has = |from: ObjectId, to: ObjectId| -> Result<bool, ObjectError> {
                let is_upstream = all.commits.contains(&from);
                Ok(is_upstream && self.ancestry.reach(&odb, from)?.commits.contains(&to))
            };
            if new == last && all.commits.contains(&new) {
                return Ok(Relation::Same);
            }
            if has(new, last)? {
                return Ok(Relation::Ahead);
            }
            if has(last, new)? {
                return Ok(Relation::Behind);
            }
            if all.missing.is_empty() {
                return Ok(Relation::Apart);
            }
            drop(odb);
            self.deepen(all.missing.iter().next().copied())?;
        }
    }

    /// Returns the commits that `to` has and `since` has not, merges too, parents before their
    /// children; without `since` the whole history of `to`.
    ///
    /// # Errors
    /// As [`Upstream::find`]; both must be of the branch's history.
    pub fn commits(
        &mut self,
        since: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<Vec<CommitRecord>, UpstreamError> {
        let since = since.map(id_of).transpose()?;
        let to = id_of(to)?;
        loop {
            let odb = self.store.odb().map_err(GitError::from)?;
            let all = self.ancestry.reach(&odb, self.tip)?;
            let is_here = |id: &ObjectId| all.commits.contains(id);
            if is_here(&to)
                && since.as_ref().is_none_or(is_here)
                && let Some(beyond) = self.ancestry.beyond(&odb, to, since)?
            {
                let read = |id| record::read(&odb, id).map_err(UpstreamError::from);
                return beyond.into_iter().map(read).collect();
            }
            if all.missing.is_empty() {
                let id = Some(to).filter(|to| !is_here(to)).or(since).unwrap_or(to);
                return Err(ObjectError::Absent { kind: "commit", id }.into());
            }
            drop(odb);
            self.deepen(all.missing.iter().next().copied())?;
        }
    }

    /// Fetches so many times more of the history, in the end all of it.
    fn deepen(&mut self, lacking: Option<ObjectId>) -> Result<(), UpstreamError> {
        // A source that has sent all it has, and yet lacks a commit, would be asked for ever.
        if let (Some(commit), true) = (lacking, self.workshop.upstream().shallow().is_empty()) {
            let (branch, url) = (crate::text::quoted(&self.branch), self.remote.url().to_owned());
            return Err(UpstreamError::Incomplete { branch, url, commit });
        }
        self.depth = self.depth.saturating_mul(TIMES);
        tracing::info!(depth = self.depth, "fetching more of the source's history");
        let was = self.workshop.upstream().shallow();
        self.fetch_commits(&depth_option(self.depth))?;
        let is_stuck = self.workshop.upstream().shallow() == was;
        if let (Some(commit), true) =
            (lacking, is_stuck && depth_option(self.depth) == "--unshallow")
        {
            let (branch, url) = (crate::text::quoted(&self.branch), self.remote.url().to_owned());
            return Err(UpstreamError::Incomplete { branch, url, commit });
        }
        Ok(())
    }

    fn fetch_commits(&self, depth: &str) -> Result<(), UpstreamError> {
        let refspec = format!("+refs/heads/{}:{TIP}", self.branch);
        let options = ["--filter=tree:0", depth];
        let fetched =
            self.workshop.upstream().fetch(&self.git, &self.remote, &options, &[&refspec]);
        fetched.map_err(|error| match error {
            CommandError::Failed { message, .. }
                if message.contains("couldn't find remote ref") =>
            {
                let branch = crate::text::quoted(&self.branch);
                UpstreamError::NoSuchBranch { branch, url: self.remote.url().to_owned() }
            }
            error => UpstreamError::Git(error.into()),
        })?;
        self.seen()
    }

    /// Lets what git has just fetched be seen.
    fn seen(&self) -> Result<(), UpstreamError> {
        self.store.odb().and_then(|odb| odb.refresh()).map_err(GitError::from)?;
        Ok(self.workshop.refresh()?)
    }
}

fn default_branch(workshop: &Workshop, remote: &Remote) -> Result<String, UpstreamError> {
    let found = workshop.default_branch(remote)?;
    let branch = found.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let unsaid = || UpstreamError::NoDefaultBranch { url: remote.url().to_owned() };
    branch.map(str::to_owned).ok_or_else(unsaid)
}

fn id_of(commit: &CommitSha) -> Result<ObjectId, UpstreamError> {
    Ok(ObjectId::from_str(commit.as_str()).map_err(GitError::from)?)
}

#[cfg(test)]
mod tests;
