//! Which paths of upstream may be written into a cousin. Whoever can write to the monorepo must not
//! thereby decide what git does in a clone of the cousin (`.git` in any spelling), what its
//! workflows do and who reviews, what a sync does there, or where a file below a link ends up. All
//! that is refused is listed, each with its place and the reason.
//!
//! Only what a sync changes counts: what was in the cousin and stays as it was is nobody's new
//! write. Pure: the targets of links come in as an argument.

mod fold;
mod links;
mod names;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use refusal::{Reason, Refusal, Refused};

use crate::git::files::{Files, Mode, ObjectId};
use fold::fold;

/// What a sync is about to do to a cousin.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// The cousin before, by paths from its root: all of it, so that collisions with what lies
    /// beside the feature are found.
    pub before: &'a Files,
    /// The same with what comes from upstream, without the lock file of the sync.
    pub after: &'a Files,
    /// The directory of the feature in the cousin, empty for its root; where the feature is a file,
    /// that file.
    pub into: &'a [u8],
    /// What the links of [`links_to_read`] hold.
    pub targets: &'a BTreeMap<ObjectId, Vec<u8>>,
    /// Whether upstream may write workflows, actions and code owners.
    pub allow_workflows: bool,
}

/// Returns the blobs that [`check`] has to know: the links of the cousin after a sync, where the
/// sync changes one.
#[must_use]
pub fn links_to_read(before: &Files, after: &Files) -> BTreeSet<ObjectId> {
    let links = || after.iter().filter(|(_, entry)| entry.mode == Mode::Symlink);
    if links().all(|(path, entry)| before.get(path) == Some(entry)) {
        return BTreeSet::new();
    }
    links().map(|(_, entry)| entry.id).collect()
}

/// Checks everything that a sync changes.
///
/// # Errors
/// Returns all that may not be written, sorted by path.
pub fn check(write: &Write<'_>) -> Result<(), Refused> {
    let Write { before, after, into, targets, allow_workflows } = *write;
    let mut refusals = Vec::new();
    for (path, entry) in after.iter().filter(|(path, entry)| before.get(*path) != Some(entry)) {
        let is_link = entry.mode == Mode::Symlink;
        let reason = names::spelling(path, is_link)
            .or_else(|| place(path, !entry.mode.is_file(), allow_workflows));
        refusals.extend(reason.map(|reason| Refusal { path: path.clone(), reason }));
    }
    // A workflow that upstream takes away no longer runs.
    for (path, entry) in before.iter().filter(|(path, _)| !after.contains_key(*path)) {
        let reason = place(path, !entry.mode.is_file(), allow_workflows);
        refusals.extend(reason.map(|reason| Refusal { path: path.clone(), reason }));
    }
    refusals.extend(links::check(before, after, into, targets));
    refusals.extend(fold::collisions(before, after));
    if refusals.is_empty() {
        return Ok(());
    }
    refusals.sort();
    Err(Refused(refusals))
}

/// Checks the directory into which a feature is to be brought. The root is the empty path.
///
/// # Errors
/// Returns why nothing may be written there.
pub fn check_into(into: &[u8], allow_workflows: bool) -> Result<(), Refusal> {
    if into.is_empty() {
        return Ok(());
    }
    match names::spelling(into, false).or_else(|| place(into, false, allow_workflows)) {
        Some(reason) => Err(Refusal { path: into.to_vec(), reason }),
        None => Ok(()),
    }
}

/// Returns why nothing from upstream is written at a place, whatever it is.
fn place(path: &[u8], is_opaque: bool, allow_workflows: bool) -> Option<Reason> {
    let folded = fold(path);
    if names::is_our_own(&folded) {
        return Some(Reason::OurOwn);
    }
    (!allow_workflows && names::decides(&folded, is_opaque)).then_some(Reason::Workflow)
}
