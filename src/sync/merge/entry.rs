//! What becomes of one path, from what it is in the base and on both sides. Decides all that can be
//! decided without reading a blob, and says which blobs have to be merged.

use super::ConflictKind;
use crate::git::files::{Entry, Mode, ObjectId};

/// What a path is in the three directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Triple {
    pub(super) base: Option<Entry>,
    pub(super) ours: Option<Entry>,
    pub(super) theirs: Option<Entry>,
}

/// What a path becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// This, or nothing; with what is to be told.
    Settled { entry: Option<Entry>, conflict: Option<ConflictKind> },
    /// A file whose lines have to be merged.
    Lines { base: Option<ObjectId>, ours: Entry, theirs: ObjectId, conflict: Option<ConflictKind> },
}

impl Triple {
    /// Returns whether the two sides changed it, and not in the same way.
    pub(super) fn is_disputed(&self) -> bool {
        self.ours != self.theirs && self.base != self.ours && self.base != self.theirs
    }

    /// Returns what it becomes.
    pub(super) fn decide(&self) -> Decision {
        let settled = |entry, conflict| Decision::Settled { entry, conflict };
        if !self.is_disputed() {
            let untouched = self.base == self.ours;
            return settled(if untouched { self.theirs } else { self.ours }, None);
        }
        match (self.ours, self.theirs) {
            (Some(ours), Some(theirs)) if ours.mode.is_file() && theirs.mode.is_file() => {
                files(self.base.filter(|base| base.mode.is_file()), ours, theirs)
            }
            (Some(ours), Some(theirs)) => {
                let kind = match (ours.mode, theirs.mode) {
                    (Mode::Symlink, Mode::Symlink) => ConflictKind::Symlink,
                    (Mode::Submodule, Mode::Submodule) => ConflictKind::Submodule,
                    _ => ConflictKind::Kind,
                };
                settled(Some(ours), Some(kind))
            }
            (Some(ours), None) => settled(Some(ours), Some(ConflictKind::DeletedUpstream)),
            (None, theirs) => settled(theirs, Some(ConflictKind::DeletedHere)),
        }
    }
}

/// Returns what a file becomes that differs from the base on both sides: its mode and its content
/// are merged on their own.
fn files(base: Option<Entry>, ours: Entry, theirs: Entry) -> Decision {
    let (mode, conflict) = match base {
        _ if ours.mode == theirs.mode => (ours.mode, None),
        Some(base) if base.mode == ours.mode => (theirs.mode, None),
        Some(_) => (ours.mode, None),
        None => (ours.mode, Some(ConflictKind::Mode)),
    };
    let base = base.map(|base| base.id);
    let id = if base == Some(ours.id) {
        theirs.id
    } else if ours.id == theirs.id || base == Some(theirs.id) {
        ours.id
    } else {
        let ours = Entry { mode, id: ours.id };
        return Decision::Lines { base, ours, theirs: theirs.id, conflict };
    };
    Decision::Settled { entry: Some(Entry { mode, id }), conflict }
}
