//! The three-way merge of a directory: what upstream changed since the base goes into what the
//! cousin has. It works on flattened directories and asks for the content of a file only where both
//! sides changed it, or where one may have renamed it; blobs are read and written through
//! [`Contents`], and nothing else of it does I/O.
//!
//! The rules are git's, with three differences. Where git would put both versions of something side
//! by side that is no text, ours stays and the conflict is listed. Where a file meets a directory,
//! ours stays in its place and upstream's is moved, whichever of them is the file. A directory is
//! not taken for renamed because most of its files were: what the other side adds to it stays where
//! it was added.
//!
//! Nothing is dropped without a word: each path on which the sides disagree is in
//! [`Merge::conflicts`].

mod beside;
mod conflict;
mod contents;
mod entry;
#[cfg(test)]
pub(crate) mod memory;
mod renames;
mod similarity;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use conflict::{Conflict, ConflictKind};
pub use contents::{Contents, FileMerge};

use crate::git::files::{Entry, Files, ObjectId};
use entry::{Decision, Triple};
use renames::{Changed, Renames};

/// A merged directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// What it holds.
    pub files: Files,
    /// What could not be decided, sorted by path; a path may be there twice.
    pub conflicts: Vec<Conflict>,
    /// The renamed files into whose new names changes of the other side went, sorted.
    pub renames: Vec<Rename>,
}

/// A file that one side renamed and the other changed, or that both renamed to the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rename {
    /// Its name in the base.
    pub from: Vec<u8>,
    /// Its new name.
    pub to: Vec<u8>,
    /// Who renamed it.
    pub by: Renamer,
}

/// Who renamed a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Renamer {
    /// The cousin.
    Ours,
    /// Upstream.
    Theirs,
    /// Both.
    Both,
}

/// Merges what changed from `base` to `theirs` into `ours`. A path for which `preserve` holds is
/// what it is in `ours`.
///
/// # Errors
/// When a blob cannot be read or written.
pub fn three_way<C: Contents>(
    contents: &mut C,
    base: &Files,
    ours: &Files,
    theirs: &Files,
    preserve: &dyn Fn(&[u8]) -> bool,
) -> Result<Merge, C::Error> {
    let mut merge = Merge::default();
    let mut changed = Changed::new();
    for (path, triple) in union(base, ours, theirs) {
        let same = triple.base == triple.ours && triple.ours == triple.theirs;
        if !same && !preserve(path) {
            changed.insert(path, triple);
        } else if let Some(entry) = triple.ours {
            merge.files.insert(path.clone(), entry);
        }
    }
    if changed.is_empty() {
        return Ok(merge);
    }
    let (here, upstream) = renames::find(contents, &changed)?;
    follow(&mut merge, &mut changed, &here, &upstream);
    let lines = decide(&mut merge, &changed);
    merge_lines(contents, &mut merge, lines)?;
    beside::settle(&mut merge.files, &mut merge.conflicts, ours, preserve);
    merge.conflicts.sort();
    merge.renames.sort();
    Ok(merge)
}

/// Returns what makes `ours` exactly `theirs`, but for the paths for which `preserve` holds. What of
/// `theirs` would be a directory in place of a preserved file, or a file in place of a directory
/// with one, is left out.
#[must_use]
pub fn copy(ours: &Files, theirs: &Files, preserve: &dyn Fn(&[u8]) -> bool) -> Files {
    let mut kept = Files::new();
    let mut occupied = BTreeSet::new();
    for (path, entry) in ours.iter().filter(|(path, _)| preserve(path)) {
        kept.insert(path.clone(), *entry);
        occupied.extend(above(path));
    }
    let mut files = kept.clone();
    for (path, entry) in theirs {
        let in_the_way =
            occupied.contains(path.as_slice()) || above(path).any(|path| kept.contains_key(path));
        if !in_the_way && !preserve(path) {
            files.insert(path.clone(), *entry);
        }
    }
    files
}

/// Returns each directory above a path, the empty one too.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inner = path
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| path.get(..at).unwrap_or_default());
    inner.chain((!path.is_empty()).then_some(&[] as &[u8]))
}

/// Returns each path of the three, in order, with what it is in them.
fn union<'a>(
    base: &'a Files,
    ours: &'a Files,
    theirs: &'a Files,
) -> impl Iterator<Item = (&'a Vec<u8>, Triple)> {
    let (mut base, mut ours, mut theirs) =
        (base.iter().peekable(), ours.iter().peekable(), theirs.iter().peekable());
    std::iter::from_fn(move || {
        let path = [base.peek(), ours.peek(), theirs.peek()]
            .into_iter()
            .flatten()
            .map(|(path, _)| *path)
            .min()?;
        let triple = Triple {
            base: base.next_if(|next| next.0 == path).map(|next| *next.1),
            ours: ours.next_if(|next| next.0 == path).map(|next| *next.1),
            theirs: theirs.next_if(|next| next.0 == path).map(|next| *next.1),
        };
        Some((path, triple))
    })
}

/// Brings what became of a renamed file together under its new name.
fn follow<'a>(
    merge: &mut Merge,
    changed: &mut Changed<'a>,
    here: &Renames<'a>,
    upstream: &Renames<'a>,
) {
    let sources: BTreeSet<&[u8]> = here.keys().chain(upstream.keys()).copied().collect();
    for from in sources {
        let Some(old) = changed.get(from).copied() else { continue };
        let mut list = |path: &[u8], kind| {
            merge.conflicts.push(Conflict { path: path.to_vec(), kind, marked: false });
        };
        let (to, by) = match (here.get(from), upstream.get(from)) {
            (Some(ours), Some(theirs)) if ours == theirs => (*ours, Renamer::Both),
            (Some(ours), Some(theirs)) => {
                let upstream = theirs.to_vec();
                list(ours, ConflictKind::RenamedApart { from: from.to_vec(), upstream });
                continue;
            }
            (Some(to), None) => (*to, Renamer::Ours),
            (None, Some(to)) => (*to, Renamer::Theirs),
            (None, None) => continue,
        };
        let Some(new) = changed.get_mut(to) else { continue };
        let (old_side, new_side) = match by {
            Renamer::Both if new.ours == new.theirs => continue,
            Renamer::Both => {
                new.base = old.base;
                merge.renames.push(Rename { from: from.to_vec(), to: to.to_vec(), by });
                continue;
            }
            Renamer::Ours => (old.theirs, &mut new.theirs),
            Renamer::Theirs => (old.ours, &mut new.ours),
        };
        if old_side == old.base {
            continue;
        }
        if old_side.is_none() {
            let from = from.to_vec();
            list(
                to,
                match by {
                    Renamer::Theirs => ConflictKind::DeletedHereRenamedUpstream { from },
                    _ => ConflictKind::RenamedHereDeletedUpstream { from },
                },
            );
            continue;
        }
        // What the other side has added there is another file, and what it made a link or a
        // submodule is no longer the one that was renamed: each stays where it is.
        if new_side.is_some() || !is_same_kind(old_side, old.base) {
            continue;
        }
        *new_side = old_side;
        new.base = old.base;
        changed.remove(from);
        merge.renames.push(Rename { from: from.to_vec(), to: to.to_vec(), by });
    }
}

/// Returns whether two entries are files, or links, or submodules.
fn is_same_kind(one: Option<Entry>, other: Option<Entry>) -> bool {
    one.zip(other).is_some_and(|(one, other)| {
        one.mode == other.mode || one.mode.is_file() && other.mode.is_file()
    })
}

/// A file whose lines have to be merged.
#[derive(Debug)]
struct Lines {
    path: Vec<u8>,
    base: Option<ObjectId>,
    ours: Entry,
    theirs: ObjectId,
}

/// Puts in what can be decided by entries alone, and returns the rest.
fn decide(merge: &mut Merge, changed: &Changed<'_>) -> Vec<Lines> {
    let mut lines = Vec::new();
    for (path, triple) in changed {
        let conflict = match triple.decide() {
            Decision::Settled { entry, conflict } => {
                merge.files.extend(entry.map(|entry| (path.to_vec(), entry)));
                conflict
            }
            Decision::Lines { base, ours, theirs, conflict } => {
                lines.push(Lines { path: path.to_vec(), base, ours, theirs });
                conflict
            }
        };
        let list = |kind| Conflict { path: path.to_vec(), kind, marked: false };
        merge.conflicts.extend(conflict.map(list));
    }
    lines
}

/// Returns whether a file only names another one that Git LFS keeps: with markers in it, it would
/// name none.
fn is_pointer(content: &[u8]) -> bool {
    content.starts_with(b"version https://git-lfs.github.com/spec/")
}

/// Merges the files that both sides changed.
fn merge_lines<C: Contents>(
    contents: &mut C,
    merge: &mut Merge,
    lines: Vec<Lines>,
) -> Result<(), C::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let blobs =
        lines.iter().flat_map(|file| file.base.into_iter().chain([file.ours.id, file.theirs]));
    contents.prepare(&blobs.collect())?;
    for Lines { path, base, ours, theirs } in lines {
        let mode = ours.mode;
        let is_pointer =
            is_pointer(&contents.blob(ours.id)?) || is_pointer(&contents.blob(theirs)?);
        let merged = match is_pointer {
            true => FileMerge::Binary,
            false => contents.merge_file(base, ours.id, theirs)?,
        };
        let (id, conflict) = match merged {
            FileMerge::Binary if is_pointer => (ours.id, Some(ConflictKind::Pointer)),
            FileMerge::Clean { id } => (id, None),
            FileMerge::Conflict { id } if base.is_some() => (id, Some(ConflictKind::Content)),
            FileMerge::Conflict { id } => (id, Some(ConflictKind::BothAdded)),
            FileMerge::Binary => (ours.id, Some(ConflictKind::Binary)),
        };
        if let Some(kind) = conflict {
            let marked = matches!(kind, ConflictKind::Content | ConflictKind::BothAdded);
            merge.conflicts.push(Conflict { path: path.clone(), kind, marked });
        }
        merge.files.insert(path, Entry { mode, id });
    }
    Ok(())
}
