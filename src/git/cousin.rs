//! The cousin's own clone, as far as a sync has to know it: which branch its pull requests go into,
//! who commits there, and a local branch that is set when nothing is pushed. Its work tree and
//! index are not looked at.

use git2::{ErrorCode, Repository};

use super::GitError;
use super::files::ObjectId;

/// The branch that pull requests go into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name, without `refs/heads/`; none where the clone is at no branch.
    pub branch: Option<String>,
    /// The commit that is built on.
    pub commit: ObjectId,
}

/// Returns the branch that is named, else the one that is checked out.
///
/// A branch that is named and not checked out is taken as `origin` has it, as far as the clone
/// knows, else as the clone has it.
///
/// # Errors
/// There is no such branch, or no commit on it.
pub fn base(clone: &Repository, named: Option<&str>) -> Result<Base, GitError> {
    let head = clone.head();
    let current = head.as_ref().ok().filter(|head| head.is_branch());
    let current = current.and_then(|head| head.shorthand().ok()).map(str::to_owned);
    let Some(named) = named.filter(|named| current.as_deref() != Some(*named)) else {
        let commit = head.and_then(|head| head.peel_to_commit());
        let commit = commit.map_err(|error| match error.code() {
            ErrorCode::UnbornBranch | ErrorCode::NotFound => GitError::Unborn,
            _ => GitError::Libgit2(error),
        })?;
        return Ok(Base { branch: current, commit: commit.id() });
    };
    let candidates = [format!("refs/remotes/origin/{named}"), format!("refs/heads/{named}")];
    let found = candidates
        .iter()
        .find_map(|name| clone.find_reference(name).and_then(|found| found.peel_to_commit()).ok());
    let commit = found.ok_or_else(|| GitError::UnknownRevision {
        revision: crate::text::quoted(named),
        cause: ": it is neither a branch of the clone nor one of origin that the clone knows"
            .to_owned(),
        help: "fetch it, or name a branch that is there with --base".to_owned(),
    })?;
    Ok(Base { branch: Some(named.to_owned()), commit: commit.id() })
}

/// Returns the default branch of `origin`, as far as the clone knows it.
#[must_use]
pub fn default_branch(clone: &Repository) -> Option<String> {
    let head = clone.find_reference("refs/remotes/origin/HEAD").ok()?;
    let target = head.symbolic_target().ok().flatten()?;
    target.strip_prefix("refs/remotes/origin/").map(str::to_owned)
}

/// Returns the name and e-mail address that git would commit with there.
#[must_use]
pub fn identity(clone: &Repository) -> Option<(Vec<u8>, Vec<u8>)> {
    let signature = clone.signature().ok()?;
    Some((signature.name_bytes().to_vec(), signature.email_bytes().to_vec()))
}

/// Returns where a local branch stands.
#[must_use]
pub fn branch(clone: &Repository, name: &str) -> Option<ObjectId> {
    clone.find_reference(&format!("refs/heads/{name}")).ok()?.target()
}

/// Returns whether a local branch is checked out, here or in a linked work tree.
#[must_use]
pub fn is_checked_out(clone: &Repository, name: &str) -> bool {
    let common = clone.commondir();
    let linked = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
    let heads = linked.map(|entry| entry.path().join("HEAD")).chain([common.join("HEAD")]);
    let wanted = format!("ref: refs/heads/{name}");
    heads
        .filter_map(|head| std::fs::read_to_string(head).ok())
        .any(|head| head.trim_end() == wanted)
}

/// Sets a local branch, if it still stands where it is expected to.
///
/// # Errors
/// It stands elsewhere, or cannot be written.
pub fn set_branch(
    clone: &Repository,
    name: &str,
    new: ObjectId,
    expected: Option<ObjectId>,
) -> Result<(), GitError> {
    let reference = format!("refs/heads/{name}");
    let message = "ecosystem sync";
    match expected {
        Some(old) => clone.reference_matching(&reference, new, true, old, message)?,
        None => clone.reference(&reference, new, false, message)?,
    };
    Ok(())
}
