//! Where head and another branch parted. Only a clone with its whole history can tell: a shallow
//! one may be wrong and not only silent. Elsewhere the commits are fetched into a scratch
//! repository, without trees.

use git2::{Oid, Repository};

use super::GitError;
use super::command::Git;
use super::fetch::{self, Depth, Remote, Scratch};
use super::revision::{missing_named, readable_commit, sha};
use crate::names::CommitSha;

/// Returns where `head` and a branch of the remote (its full name) or a commit parted; none when
/// they share no history.
pub(super) fn merge_base(
    git: &Git,
    clone: Option<&Repository>,
    remote: Option<&Remote>,
    with: &str,
    head: Oid,
) -> Result<Option<CommitSha>, GitError> {
    let Some(clone) = clone.filter(|clone| !fetch::is_shallow(clone)) else {
        return at_remote(git, remote, with, head);
    };
    // A clone that lacks some of its commits cannot tell either.
    let parted_here = |other: Option<Oid>| other.and_then(|other| parted(clone, other, head).ok());
    let known = match with.strip_prefix("refs/heads/") {
        Some(branch) => tip_of(clone, &format!("refs/remotes/origin/{branch}")),
        None => CommitSha::parse(with).ok().and_then(|sha| readable_commit(clone, &sha)),
    };
    if let Some(found) = parted_here(known) {
        return Ok(found);
    }
    at_remote(git, remote, with, head).or_else(|error| {
        // The clone's own branch may be another than the remote's: it serves where that is out of
        // reach. One that holds head already would say that nothing is new, and cannot know it.
        let id = head.to_string();
        let hides = |base: &CommitSha| remote.is_some() && base.as_str() == id;
        parted_here(tip_of(clone, with))
            .filter(|found| !found.as_ref().is_some_and(hides))
            .ok_or(error)
    })
}

fn at_remote(
    git: &Git,
    remote: Option<&Remote>,
    with: &str,
    head: Oid,
) -> Result<Option<CommitSha>, GitError> {
    let Some(remote) = remote else {
        return Err(missing_named(with));
    };
    let scratch = Scratch::new(remote)?;
    let head = head.to_string();
    scratch.fetch(git, remote, Depth::History, &[("other", with), ("tip", &head)])?;
    parted(&scratch.repository, scratch.commit("other")?, scratch.commit("tip")?)
}

fn parted(repository: &Repository, a: Oid, b: Oid) -> Result<Option<CommitSha>, GitError> {
    match repository.merge_base(a, b) {
        Ok(base) => sha(base).map(Some),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn tip_of(clone: &Repository, reference: &str) -> Option<Oid> {
    Some(clone.find_reference(reference).ok()?.peel_to_commit().ok()?.id())
}
