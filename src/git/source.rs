//! Where the commits of a range come from. A base that is not in the clone is looked for rung by
//! rung: in the clone, from `origin` into the clone, from the remote into a scratch repository.
//! When no rung has it, every path at head counts as changed, and the result says so: "cannot
//! tell" never becomes "nothing changed".

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use serde::Serialize;

use super::changes::Changes;
use super::command::{Credential, Git};
use super::fetch::{self, Depth, Remote, Scratch};
use super::parting;
use super::range::{Base, Comparison, Head, Reason};
use super::revision::{
    is_plain, merge_of, missing_named, raw_parents, readable_commit, revision_in, sha, upstream,
};
use super::tree::Trees;
use super::{GitError, open, refs};
use crate::names::CommitSha;
use crate::routing::Reach;

/// The rung on which the range was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// The objects were in the clone.
    Local,
    /// The base was fetched into the clone.
    Fetched,
    /// Both were fetched into a scratch repository.
    Scratch,
    /// The base could not be had.
    None,
}

/// What was compared, and what came of it.
#[derive(Debug)]
pub struct Compared {
    /// The base; none is the empty tree.
    pub base: Option<CommitSha>,
    /// Why this range.
    pub reason: Reason,
    /// Where it was found.
    pub found_by: FoundBy,
    /// Whether the comparison is with what cousins last saw.
    pub complete: bool,
    /// What differs.
    pub changes: Changes,
    /// What could not be had, for people: one sentence a fallback.
    pub fallbacks: Vec<String>,
}

/// The monorepo's objects: the user's clone, the remote, and a scratch repository when needed.
pub struct Source<'g> {
    pub(super) git: &'g Git,
    pub(super) clone: Option<Repository>,
    pub(super) remote: Option<Remote>,
    pub(super) scratch: Option<Scratch>,
    /// The commit in question; set by [`Source::find_head`].
    pub(super) head: Option<Oid>,
    /// Whether head had to be fetched into the clone.
    pub(super) head_fetched: bool,
    /// Whether head is the merge that GitHub made for a pull request.
    pub(super) head_is_merge: bool,
    /// What was fetched into the clone beforehand.
    pub(super) brought: BTreeSet<CommitSha>,
    /// Head's trees, once it is known that it will be compared with several commits.
    pub(super) trees: Option<Trees>,
}

/// What [`Source::open`] needs to know about the outside.
#[derive(Debug)]
pub struct Outside<'a> {
    /// `--remote URL`: work without a clone.
    pub remote: Option<&'a str>,
    /// GitHub's own address, such as `https://github.com`: tokens go there only.
    pub server: &'a str,
    /// Tokens that may be needed to fetch a private repository, in order.
    pub credentials: &'a [Credential],
}

impl<'g> Source<'g> {
    /// Returns the monorepo that `dir` lies in, or with [`Outside::remote`] the one there.
    ///
    /// # Errors
    /// As [`open`] and [`Remote::new`].
    pub fn open(dir: &Path, outside: &Outside<'_>, git: &'g Git) -> Result<Self, GitError> {
        let (clone, remote) = match outside.remote {
            Some(url) => (None, Some(Remote::new(url, dir, outside.server, outside.credentials)?)),
            None => {
                let clone = open(dir)?;
                // An origin that cannot be used is no error until something has to be fetched.
                let remote = Remote::origin(&clone, outside.server, outside.credentials)
                    .inspect_err(|error| tracing::warn!("origin is not used: {error}"))
                    .unwrap_or_default();
                (Some(clone), remote)
            }
        };
        Ok(Self {
            git,
            clone,
            remote,
            scratch: None,
            head: None,
            head_fetched: false,
            head_is_merge: false,
            brought: BTreeSet::new(),
            trees: None,
        })
    }

    /// Returns the work tree of the user's clone, when there is one.
    #[must_use]
    pub fn work_tree(&self) -> Option<&Path> {
        self.clone.as_ref()?.workdir()
    }

    /// Returns the full name of the branch that is checked out in the clone.
    #[must_use]
    pub fn checked_out(&self) -> Option<String> {
        let head = self.clone.as_ref()?.find_reference("HEAD").ok()?;
        head.symbolic_target().ok().flatten().map(ToOwned::to_owned)
    }

    /// Returns the name of the branch that `origin` follows by default, as the clone knows it.
    #[must_use]
    pub fn default_branch(&self) -> Option<String> {
        const REMOTE: &str = "refs/remotes/origin/";
        let head = self.clone.as_ref()?.find_reference("refs/remotes/origin/HEAD").ok()?;
        let target = head.symbolic_target().ok().flatten()?;
        target.strip_prefix(REMOTE).map(ToOwned::to_owned)
    }

    /// Returns the address of the remote, when there is one.
    #[must_use]
    pub fn remote_url(&self) -> Option<&str> {
        self.remote.as_ref().map(Remote::url)
    }

    /// Finds the head commit, climbing the ladder for it, and returns its id.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be had: without a head nothing can be said at all.
    pub fn find_head(&mut self, head: &Head) -> Result<CommitSha, GitError> {
        let found = match (head, &self.clone) {
            (Head::Revision(revision), Some(clone)) => revision_in(clone, revision)?,
            (Head::Revision(revision), None) => return self.scratch_head(revision, None),
            (Head::MergeOf(commit), Some(clone)) => match merge_of(clone, commit) {
                Some(merge) => {
                    self.head_is_merge = true;
                    sha(merge)?
                }
                None => commit.clone(),
            },
            (Head::Commit(commit) | Head::MergeOf(commit), _) => commit.clone(),
        };
        let mut cause = None;
        if let Some(clone) = &self.clone {
            if let Some(commit) = readable_commit(clone, &found) {
                self.head = Some(commit);
                return sha(commit);
            }
            // A name was found in the clone, and so should be what it stands at.
            if matches!(head, Head::Revision(revision) if found.as_str() != revision) {
                cause = Some("what the clone has of it cannot be read, see `git fsck`".to_owned());
            }
            if let Some(remote) = &self.remote {
                tracing::info!("{} is not in the clone, fetching it from origin", found.short());
                match fetch::into_clone(self.git, clone, remote, [&found]) {
                    Ok(()) => {
                        if let Some(commit) = readable_commit(clone, &found) {
                            self.head = Some(commit);
                            self.head_fetched = true;
                            return sha(commit);
                        }
                    }
                    Err(error) => cause = cause.or_else(|| Some(error.cause())),
                }
            }
        }
        self.scratch_head(found.as_str(), cause)
    }

    fn scratch_head(
        &mut self,
        revision: &str,
        earlier: Option<String>,
    ) -> Result<CommitSha, GitError> {
        let nowhere = match earlier {
            None => "it is not in the clone, and there is no origin",
            Some(_) => "there is no origin to fetch it from",
        };
        let unknown = |cause: String, help: String| {
            let cause = match earlier.filter(|earlier| *earlier != cause) {
                Some(earlier) => format!(": {earlier}; {cause}"),
                None => format!(": {cause}"),
            };
            GitError::UnknownRevision { revision: crate::text::quoted(revision), cause, help }
        };
        let Some(remote) = &self.remote else {
            return Err(unknown(nowhere.to_owned(), "fetch it, or name another commit".to_owned()));
        };
        if !is_plain(revision) {
            return Err(unknown(
                "without a clone only ids, branches and tags are known".to_owned(),
                "give a commit id, branch or tag that the remote has".to_owned(),
            ));
        }
        let scratch = Scratch::new(remote)?;
        scratch
            .fetch(self.git, remote, Depth::Trees, &[("head", revision)])
            .map_err(|error| unknown(error.cause(), error.help()))?;
        let commit = scratch.commit("head")?;
        self.head = Some(commit);
        self.scratch = Some(scratch);
        // Whatever the clone holds, it does not hold head.
        self.clone = None;
        sha(commit)
    }

    /// Returns a file of head's tree; none when there is none at that path.
    ///
    /// # Errors
    /// [`GitError`] when the tree or blob cannot be had, or has more than `limit` bytes.
    pub fn file_at_head(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, GitError> {
        let (Some(repository), Some(head)) = (self.repository(), self.head) else {
            return Ok(None);
        };
        let tree = repository.find_commit(head)?.tree()?;
        let entry = match tree.get_path(Path::new(path)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) => entry,
            Ok(_) => return Ok(None),
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // What is here already is asked for its size before it is read.
        let header = repository.odb()?.read_header(entry.id());
        if let Ok((size, _)) = header
            && size > limit
        {
            return Err(GitError::TooLarge { path: path.to_owned(), size, limit });
        }
        match (&self.scratch, &self.remote) {
            (Some(scratch), Some(remote)) => scratch.blob(self.git, remote, entry.id()).map(Some),
            _ => fetch::blob_of_clone(self.git, repository, self.remote.as_ref(), entry.id())
                .map(Some),
        }
    }

    /// Compares head with the first base that can be had.
    ///
    /// # Errors
    /// [`GitError::UnknownRevision`] for a base that the user named and nobody has, and
    /// [`GitError::UnreadableHead`]; any other base that is missing makes every path count.
    pub fn compare(
        &mut self,
        comparison: &Comparison,
        reach: &Reach,
    ) -> Result<Compared, GitError> {
        let head = self.head.ok_or(GitError::Unborn)?;
        let mut fallbacks = Vec::new();
        for (rank, base) in comparison.bases.iter().enumerate() {
            let attempt = self.locate(base, head).and_then(|located| {
                let Some(located) = located else { return Ok(None) };
                self.climb(located.as_ref(), head, reach).map(|found| Some((located, found)))
            });
            match attempt {
                Ok(Some((located, (found_by, changes)))) => {
                    let is_root = located.is_none() && self.parents(head).is_empty();
                    let reason = match comparison.reason {
                        Reason::NewBranch | Reason::Local if is_root => Reason::FirstCommit,
                        reason => reason,
                    };
                    // What cousins last saw was to be had by the first base only.
                    let complete = reason != Reason::ForcedPush || rank == 0;
                    return Ok(Compared {
                        base: located.map(|base| self.peeled(base)),
                        reason,
                        found_by,
                        complete,
                        changes,
                        fallbacks,
                    });
                }
                Ok(None) => {}
                Err(error) if matches!(base, Base::Revision(_)) => return Err(error),
                Err(error @ GitError::UnreadableHead { .. }) => return Err(error),
                Err(error) => fallbacks.push(error.to_string()),
            }
        }
        let (_, changes) = self.climb(None, head, reach)?;
        Ok(Compared {
            base: None,
            reason: comparison.reason,
            found_by: FoundBy::None,
            complete: false,
            changes,
            fallbacks,
        })
    }

    /// Compares head with one commit, or with the empty tree. When the commit cannot be had, every
    /// path at head counts as changed, and the result says so.
    ///
    /// # Errors
    /// [`GitError`] when head's own trees cannot be read.
    pub fn compare_with(
        &mut self,
        base: Option<&CommitSha>,
        reach: &Reach,
    ) -> Result<Compared, GitError> {
        let head = self.head.ok_or(GitError::Unborn)?;
        let reason = Reason::Watermarks;
        let (found_by, complete, changes, fallbacks) = match self.climb(base, head, reach) {
            Ok((found_by, changes)) => (found_by, true, changes, Vec::new()),
            Err(error) if base.is_none() => return Err(error),
            Err(error @ GitError::UnreadableHead { .. }) => return Err(error),
            Err(error) => {
                let (_, changes) = self.climb(None, head, reach)?;
                (FoundBy::None, false, changes, vec![error.to_string()])
            }
        };
        let found_by = match base {
            Some(base) if found_by == FoundBy::Local && self.brought.contains(base) => {
                FoundBy::Fetched
            }
            _ => found_by,
        };
        let base = base.filter(|_| complete).cloned().map(|base| self.peeled(base));
        Ok(Compared { base, reason, found_by, complete, changes, fallbacks })
    }

    /// Returns the remote; none when the clone has no origin that can be used.
    #[must_use]
    pub fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Returns the directories that hold the objects which were read.
    #[must_use]
    pub fn objects(&self) -> Vec<PathBuf> {
        let scratch = self.scratch.as_ref().map(|scratch| &scratch.repository);
        [scratch, self.clone.as_ref()].into_iter().flatten().map(refs::objects_of).collect()
    }

    /// Returns the commit itself for the id of a tag that leads to one.
    fn peeled(&self, id: CommitSha) -> CommitSha {
        let commit = [self.clone.as_ref(), self.scratch.as_ref().map(|own| &own.repository)]
            .into_iter()
            .flatten()
            .find_map(|repository| readable_commit(repository, &id));
        commit.and_then(|commit| sha(commit).ok()).unwrap_or(id)
    }

    pub(super) fn repository(&self) -> Option<&Repository> {
        self.scratch.as_ref().map(|scratch| &scratch.repository).or(self.clone.as_ref())
    }

    /// Returns the commit that a base means: `Some(None)` is the empty tree, `None` says that this
    /// base does not apply here.
    fn locate(&self, base: &Base, head: Oid) -> Result<Option<Option<CommitSha>>, GitError> {
        let clone = self.clone.as_ref();
        Ok(match base {
            Base::Commit(commit) => Some(Some(commit.clone())),
            Base::Empty => Some(None),
            Base::Revision(revision) => Some(Some(match (CommitSha::parse(revision), clone) {
                (Ok(commit), _) => commit,
                (Err(_), Some(clone)) => revision_in(clone, revision)?,
                (Err(_), None) => self.remote_revision(revision)?,
            })),
            Base::Upstream => clone.and_then(upstream).map(sha).transpose()?.map(Some),
            Base::FirstParent => Some(self.parents(head).into_iter().next()),
            Base::FirstParentOfMerge => match self.parents(head).as_slice() {
                [first, _, ..] if self.head_is_merge => Some(Some(first.clone())),
                _ => None,
            },
            Base::MergeBase(commit) => Some(self.merge_base(commit.as_str(), head)?),
            Base::MergeBaseWithBranch(branch) => {
                Some(self.merge_base(&format!("refs/heads/{branch}"), head)?)
            }
        })
    }

    /// Returns where a revision of the remote and head parted; none when they share no history.
    fn merge_base(&self, with: &str, head: Oid) -> Result<Option<CommitSha>, GitError> {
        parting::merge_base(self.git, self.clone.as_ref(), self.remote.as_ref(), with, head)
    }

    /// Returns the commit that a branch or tag of the remote stands at.
    fn remote_revision(&self, revision: &str) -> Result<CommitSha, GitError> {
        let (Some(remote), Some(scratch)) = (&self.remote, &self.scratch) else {
            return Err(missing_named(revision));
        };
        if !is_plain(revision) {
            return Err(missing_named(revision));
        }
        scratch.fetch(self.git, remote, Depth::Trees, &[("named", revision)]).map_err(|error| {
            GitError::UnknownRevision {
                revision: crate::text::quoted(revision),
                cause: format!(": {error}"),
                help: error.help(),
            }
        })?;
        sha(scratch.commit("named")?)
    }

    /// Returns the parents as the commit itself names them: in a shallow clone libgit2 and git
    /// pretend that the oldest commit has none.
    fn parents(&self, commit: Oid) -> Vec<CommitSha> {
        self.repository().map(|repository| raw_parents(repository, commit)).unwrap_or_default()
    }
}
