//! Whose a branch for updates is, where cousins are rebased: most of its commits are upstream's or
//! copies of the cousin's own, and say nothing of us.

use std::collections::HashSet;

use super::replay::key;
use crate::git::files::ObjectId;
use crate::git::upstream::CommitRecord;
use crate::git::workshop::Workshop;
use crate::names::CommitSha;
use crate::sync::message::{Own, rebased_from};
use crate::sync::outcome::Trouble;
use crate::sync::record::id;

/// What a branch is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What each commit is, where it is ours.
    pub own: Vec<Option<Own>>,
    /// Whether the branch may be moved: no commit of a person's would be lost.
    pub is_ours: bool,
    /// The commit of the cousin that was rebased, where the branch is ours.
    pub rebased: Option<CommitSha>,
}

/// Returns whose a branch is, given by its tip and by its commits beyond the cousin's `base`.
///
/// It is ours when its tip is and each commit below is upstream's, ours of the same rebase, or a copy
/// of one that `base` has: by the same author, of the same time, with the same message. The tip names
/// its own tree, so a copy that a person has changed makes the tip another. What else there is is a
/// person's.
///
/// # Errors
/// A history cannot be read.
pub fn standing(
    workshop: &Workshop,
    upstream: ObjectId,
    base: ObjectId,
    tip: ObjectId,
    commits: &[CommitRecord],
) -> Result<Standing, Trouble> {
    if commits.is_empty() {
        return Ok(Standing { is_ours: true, ..Standing::default() });
    }
    let not_upstreams: HashSet<CommitSha> =
        workshop.commits_beyond(tip, upstream)?.into_iter().map(|it| it.id).collect();
    let own = workshop.commits_beyond(base, upstream)?;
    let originals: HashSet<_> = own.iter().filter(|it| it.parents.len() <= 1).map(key).collect();
    let mut found = Standing { is_ours: true, ..Standing::default() };
    let last = commits.iter().find(|it| id(it).is_ok_and(|id| id == tip));
    found.rebased = last.filter(|it| Own::read(&it.message, it.tree).is_some()).and_then(from);
    for record in commits {
        if !not_upstreams.contains(&record.id) {
            found.own.push(None);
            continue;
        }
        let ours = Own::read(&record.message, record.tree);
        let is_copy = record.parents.len() <= 1 && originals.contains(&key(record));
        found.is_ours &= is_copy || ours.is_some() && from(record) == found.rebased;
        found.own.push(ours);
    }
    // A branch that was moved to one of upstream's commits has no tip of ours, and what another
    // method has made is ours throughout.
    found.is_ours &= found.rebased.is_some();
    found.is_ours |= found.own.iter().all(Option::is_some);
    Ok(found)
}

fn from(record: &CommitRecord) -> Option<CommitSha> {
    rebased_from(&record.message)
}
