//! What a revision means in a clone, and how its commits are related. Reads commits only, and reads
//! them as they were written: in a shallow clone libgit2 and git pretend that the oldest commit has
//! no parent.

use git2::{Oid, Repository};

use super::GitError;
use crate::names::CommitSha;

pub(super) fn raw_parents(repository: &Repository, commit: Oid) -> Vec<CommitSha> {
    let Ok(odb) = repository.odb() else { return Vec::new() };
    let Ok(object) = odb.read(commit) else { return Vec::new() };
    object
        .data()
        .split(|byte| *byte == b'\n')
        .take_while(|line| !line.is_empty())
        .filter_map(|line| std::str::from_utf8(line.strip_prefix(b"parent ")?).ok())
        .filter_map(|id| CommitSha::parse(id).ok())
        .collect()
}

/// Returns the merge commit at `HEAD`, when it is one that merges `commit`.
pub(super) fn merge_of(clone: &Repository, commit: &CommitSha) -> Option<Oid> {
    let head = clone.head().ok()?.peel_to_commit().ok()?.id();
    let parents = raw_parents(clone, head);
    (parents.len() > 1 && parents.get(1..)?.contains(commit)).then_some(head)
}

/// Returns the commit with that id, or that the tag with that id leads to, when it is here.
pub(super) fn readable_commit(repository: &Repository, id: &CommitSha) -> Option<Oid> {
    let id = Oid::from_str(id.as_str()).ok()?;
    let object = repository.find_object(id, None).ok()?;
    Some(object.peel_to_commit().ok()?.id())
}

pub(super) fn upstream(clone: &Repository) -> Option<Oid> {
    let head = clone.head().ok().filter(git2::Reference::is_branch)?;
    let upstream = git2::Branch::wrap(head).upstream().ok()?;
    Some(upstream.into_reference().peel_to_commit().ok()?.id())
}

/// Returns the commit that a revision names in the clone. The parents that a shallow clone hides
/// (`HEAD~1` after a checkout of depth 1) are read from the commit itself.
pub(super) fn revision_in(clone: &Repository, revision: &str) -> Result<CommitSha, GitError> {
    if let Ok(commit) = CommitSha::parse(revision) {
        return Ok(commit);
    }
    // An empty name is a mistake, such as a variable that is not set, and to git it may mean HEAD.
    if revision.is_empty() {
        return Err(missing_named(revision));
    }
    match clone.revparse_single(revision).and_then(|object| object.peel_to_commit()) {
        Ok(commit) => return sha(commit.id()),
        Err(_) if revision == "HEAD" && clone.head().is_err() => return Err(GitError::Unborn),
        Err(error) if error.code() == git2::ErrorCode::Ambiguous => {
            return Err(GitError::UnknownRevision {
                revision: crate::text::quoted(revision),
                cause: ": several objects begin with these digits".to_owned(),
                help: "give more digits".to_owned(),
            });
        }
        Err(_) => {}
    }
    if let Some(torn) = named_but_unreadable(clone, revision) {
        return sha(torn);
    }
    if let Some(child) = child_of(revision)
        && let Ok(child) = revision_in(clone, &child)
        && let Some(child) = readable_commit(clone, &child)
        && let Some(parent) = raw_parents(clone, child).into_iter().next()
    {
        return Ok(parent);
    }
    Err(missing_named(revision))
}

/// Returns the id that a branch or `HEAD` stands at in a damaged clone: the remote may have it.
fn named_but_unreadable(clone: &Repository, revision: &str) -> Option<Oid> {
    let reference = clone.resolve_reference_from_short_name(revision).ok()?;
    let id = reference.resolve().ok()?.target()?;
    clone.find_object(id, None).is_err().then_some(id)
}

/// Returns the revision whose first parent is meant, for one that ends in `^`, `~` or `~N`.
fn child_of(revision: &str) -> Option<String> {
    if let Some(child) = revision.strip_suffix("^1").or_else(|| revision.strip_suffix('^')) {
        return Some(child.to_owned()).filter(|child| !child.is_empty());
    }
    let (child, back) = revision.rsplit_once('~').filter(|(child, _)| !child.is_empty())?;
    // A clone is shallow by a few commits, or the way back is not known at all.
    match if back.is_empty() { 1 } else { back.parse::<u8>().ok()? } {
        0 => None,
        1 => Some(child.to_owned()),
        back => Some(format!("{child}~{}", back - 1)),
    }
}

pub(super) fn sha(id: Oid) -> Result<CommitSha, GitError> {
    CommitSha::parse(&id.to_string()).map_err(|bad| GitError::UnknownRevision {
        revision: id.to_string(),
        cause: format!(": {}", bad.message),
        help: bad.help,
    })
}

pub(super) fn missing_named(revision: &str) -> GitError {
    GitError::UnknownRevision {
        revision: crate::text::quoted(revision),
        cause: String::new(),
        help: "give a branch, a tag or a commit id; a commit that a shallow clone does not hold \
               can be given by its 40 digits"
            .to_owned(),
    }
}

/// Whether a revision can stand in what git is asked to fetch, and means there what was meant. An
/// empty one would be the remote's HEAD.
pub(super) fn is_plain(revision: &str) -> bool {
    let odd = |c: char| c.is_control() || ":~^*?[\\ @".contains(c);
    !(revision.is_empty() || revision.starts_with(['-', '+']) || revision.contains(odd))
}
