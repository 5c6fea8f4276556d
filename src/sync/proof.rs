//! Proves that a result holds what it should, from the directories alone. It shares no code with
//! what made the result: it says for each path what has to be there and compares. What the maker
//! claims (a rename, a place beside, a conflict) is believed only where the directories bear it
//! out. The content of a merged file is merged once more, and its lines are held to laws that hold
//! for every merge, whoever made it.
//!
//! A proof finds faults of this program, not of the two sides: what it finds must stop the sync.

mod lines;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::BTreeSet;

pub use violation::{Fault, Violation};

use super::merge::{Conflict, ConflictKind, Contents, FileMerge, Merge, Rename, Renamer};
use crate::git::files::{Entry, Files, Mode};

/// Returns what is wrong with a copy: `result` must be `theirs`, and for the paths for which
/// `preserve` holds `ours`.
#[must_use]
pub fn prove_copy(
    ours: &Files,
    theirs: &Files,
    result: &Files,
    preserve: &dyn Fn(&[u8]) -> bool,
) -> Vec<Violation> {
    let mut found = kept(ours, result, preserve);
    let preserved: BTreeSet<&Vec<u8>> = ours.keys().filter(|path| preserve(path)).collect();
    let mut expected = theirs.clone();
    expected.retain(|path, _| !preserve(path) && !is_barred(path, &preserved));
    compare(&expected, result, preserve, &mut found);
    found.extend(two_kinds(result));
    found
}

/// Returns what is wrong with a merge: each path must be what the two sides make of it, or stand in
/// a conflict that is listed.
///
/// # Errors
/// When a blob cannot be read or merged.
pub fn prove_merge<C: Contents>(
    contents: &mut C,
    base: &Files,
    ours: &Files,
    theirs: &Files,
    merge: &Merge,
    preserve: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Violation>, C::Error> {
    let free = |files: &Files| {
        let free = files.iter().filter(|(path, _)| !preserve(path));
        free.map(|(path, entry)| (path.clone(), *entry)).collect::<Files>()
    };
    let mut proof = Proof {
        contents,
        base: free(base),
        ours: free(ours),
        theirs: free(theirs),
        expected: Files::new(),
        due: Vec::new(),
        found: kept(ours, &merge.files, preserve),
    };
    proof.renames(&merge.renames)?;
    proof.expect()?;
    proof.moves(ours, &merge.conflicts, preserve);
    compare(&proof.expected, &merge.files, preserve, &mut proof.found);
    proof.conflicts(merge);
    proof.found.extend(two_kinds(&merge.files));
    proof.found.sort();
    proof.found.dedup();
    Ok(proof.found)
}

/// Returns each path that is to be preserved and was touched.
fn kept(ours: &Files, result: &Files, preserve: &dyn Fn(&[u8]) -> bool) -> Vec<Violation> {
    let paths: BTreeSet<&Vec<u8>> = ours.keys().chain(result.keys()).collect();
    paths
        .into_iter()
        .filter(|path| ours.get(*path) != result.get(*path) && preserve(path))
        .map(|path| Violation { path: path.clone(), fault: Fault::Preserved })
        .collect()
}

/// Compares what is not preserved with what should be there.
fn compare(
    expected: &Files,
    result: &Files,
    preserve: &dyn Fn(&[u8]) -> bool,
    found: &mut Vec<Violation>,
) {
    let paths: BTreeSet<&Vec<u8>> = expected.keys().chain(result.keys()).collect();
    for path in paths {
        let fault = match (expected.get(path), result.get(path)) {
            (Some(due), Some(is)) if due.id != is.id => Fault::Content,
            (Some(due), Some(is)) if due.mode != is.mode => Fault::Mode,
            (Some(_), None) => Fault::Missing,
            (None, Some(_)) if !preserve(path) => Fault::Unexpected,
            _ => continue,
        };
        found.push(Violation { path: path.clone(), fault });
    }
}

/// Returns each path of a result that is a file and a directory.
fn two_kinds(result: &Files) -> impl Iterator<Item = Violation> {
    let is_taken = |path: &&Vec<u8>| {
        let below = if path.is_empty() { Vec::new() } else { [path.as_slice(), b"/"].concat() };
        let mut after = result.range(below.clone()..).filter(|(other, _)| other != path);
        after.next().is_some_and(|(other, _)| other.starts_with(&below))
    };
    let taken = result.keys().filter(is_taken);
    taken
        .map(|path| Violation { path: path.clone(), fault: Fault::TwoKinds })
        .collect::<Vec<_>>()
        .into_iter()
}

/// Returns whether something lies where `path` would be a directory, or below it.
fn is_barred(path: &[u8], taken: &BTreeSet<&Vec<u8>>) -> bool {
    let mut parts = path.to_vec();
    let mut above = std::iter::from_fn(|| {
        let at = parts.iter().rposition(|byte| *byte == b'/');
        (!parts.is_empty()).then(|| {
            parts.truncate(at.unwrap_or_default());
            parts.clone()
        })
    });
    if above.any(|above| taken.contains(&above)) {
        return true;
    }
    let below = if path.is_empty() { Vec::new() } else { [path, b"/"].concat() };
    let next = taken.range::<Vec<u8>, _>(&below..).find(|other| other.as_slice() != path);
    next.is_some_and(|next| next.starts_with(&below))
}

/// Returns whether one of two paths would be a directory above the other.
fn cannot_both_be(one: &[u8], other: &[u8]) -> bool {
    let is_above = |above: &[u8], path: &[u8]| match path.strip_prefix(above) {
        Some(rest) => above.is_empty() && !rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    };
    is_above(one, other) || is_above(other, one)
}

/// The three directories without what is preserved, and what follows from them.
struct Proof<'c, C> {
    contents: &'c mut C,
    base: Files,
    ours: Files,
    theirs: Files,
    /// What has to be in the result.
    expected: Files,
    /// The conflicts that have to be listed.
    due: Vec<Conflict>,
    found: Vec<Violation>,
}

impl<C: Contents> Proof<'_, C> {
    fn fault(&mut self, path: &[u8], fault: Fault) {
        self.found.push(Violation { path: path.to_vec(), fault });
    }

    /// Puts each renamed file under its new name in all three, where it really was renamed.
    fn renames(&mut self, renames: &[Rename]) -> Result<(), C::Error> {
        for Rename { from, to, by } in renames {
            let sides = match by {
                Renamer::Ours => [(&self.ours, true), (&self.theirs, false)],
                Renamer::Theirs => [(&self.theirs, true), (&self.ours, false)],
                Renamer::Both => [(&self.ours, true), (&self.theirs, true)],
            };
            let moved = |(side, renamed): (&Files, bool)| {
                side.contains_key(from) != renamed && side.contains_key(to) == renamed
            };
            let Some(old) = self.base.get(from).copied() else {
                self.fault(to, Fault::RenameUntrue);
                continue;
            };
            let new: Vec<Entry> = sides
                .iter()
                .filter(|side| side.1)
                .filter_map(|side| side.0.get(to))
                .copied()
                .collect();
            let mut is_true = !self.base.contains_key(to) && sides.into_iter().all(moved);
            for new in new {
                is_true = is_true && self.is_the_same(old, new)?;
            }
            if !is_true {
                self.fault(to, Fault::RenameUntrue);
                continue;
            }
            for side in [&mut self.base, &mut self.ours, &mut self.theirs] {
                if let Some(entry) = side.remove(from) {
                    side.insert(to.clone(), entry);
                }
            }
        }
        Ok(())
    }

    /// Returns whether one can be the other under a new name.
    fn is_the_same(&mut self, old: Entry, new: Entry) -> Result<bool, C::Error> {
        if old.id == new.id {
            return Ok(old.mode == new.mode || old.mode.is_file() && new.mode.is_file());
        }
        if !old.mode.is_file() || !new.mode.is_file() {
            return Ok(false);
        }
        Ok(lines::are_alike(&self.contents.blob(old.id)?, &self.contents.blob(new.id)?))
    }

    /// Finds out what has to be at each path.
    fn expect(&mut self) -> Result<(), C::Error> {
        let paths: BTreeSet<Vec<u8>> =
            self.ours.keys().chain(self.theirs.keys()).cloned().collect();
        for path in paths {
            let sides = [&self.base, &self.ours, &self.theirs].map(|side| side.get(&path).copied());
            let entry = match sides {
                [base, ours, theirs] if base == ours => theirs,
                [base, ours, theirs] if base == theirs || ours == theirs => ours,
                [base, Some(ours), Some(theirs)] => Some(self.both(&path, base, ours, theirs)?),
                [_, Some(ours), None] => {
                    self.conflict(&path, ConflictKind::DeletedUpstream);
                    Some(ours)
                }
                [_, None, theirs] => {
                    self.conflict(&path, ConflictKind::DeletedHere);
                    theirs
                }
            };
            self.expected.extend(entry.map(|entry| (path, entry)));
        }
        Ok(())
    }

    fn conflict(&mut self, path: &[u8], kind: ConflictKind) {
        let marked = matches!(kind, ConflictKind::Content | ConflictKind::BothAdded);
        self.due.push(Conflict { path: path.to_vec(), kind, marked });
    }

    /// Returns what a path has to be that both sides changed or added.
    fn both(
        &mut self,
        path: &[u8],
        base: Option<Entry>,
        ours: Entry,
        theirs: Entry,
    ) -> Result<Entry, C::Error> {
        let base = base.filter(|base| base.mode.is_file());
        if !(ours.mode.is_file() && theirs.mode.is_file()) {
            self.conflict(
                path,
                match (ours.mode, theirs.mode) {
                    (Mode::Symlink, Mode::Symlink) => ConflictKind::Symlink,
                    (Mode::Submodule, Mode::Submodule) => ConflictKind::Submodule,
                    _ => ConflictKind::Kind,
                },
            );
            return Ok(ours);
        }
        if base.is_none() && ours.mode != theirs.mode {
            self.conflict(path, ConflictKind::Mode);
        }
        let follows = base.is_some_and(|base| base.mode == ours.mode);
        let mode = if follows { theirs.mode } else { ours.mode };
        let id = match base {
            _ if ours.id == theirs.id => ours.id,
            Some(base) if base.id == ours.id => theirs.id,
            Some(base) if base.id == theirs.id => ours.id,
            _ => self.merged(path, base, ours, theirs)?,
        };
        Ok(Entry { mode, id })
    }

    /// Merges the lines of a file once more, and looks at what comes of it.
    fn merged(
        &mut self,
        path: &[u8],
        base: Option<Entry>,
        ours: Entry,
        theirs: Entry,
    ) -> Result<crate::git::files::ObjectId, C::Error> {
        let (here, upstream) = (self.contents.blob(ours.id)?, self.contents.blob(theirs.id)?);
        // Not even one line of such a file means anything without the others.
        let lfs = b"version https://git-lfs.github.com/spec/";
        if here.starts_with(lfs) || upstream.starts_with(lfs) {
            self.conflict(path, ConflictKind::Pointer);
            return Ok(ours.id);
        }
        let (id, marked) =
            match self.contents.merge_file(base.map(|base| base.id), ours.id, theirs.id)? {
                FileMerge::Clean { id } => (id, false),
                FileMerge::Conflict { id } => (id, true),
                FileMerge::Binary => {
                    self.conflict(path, ConflictKind::Binary);
                    return Ok(ours.id);
                }
            };
        if marked {
            let added = base.is_none();
            self.conflict(
                path,
                if added { ConflictKind::BothAdded } else { ConflictKind::Content },
            );
        }
        let before = match base {
            Some(base) => self.contents.blob(base.id)?,
            None => Vec::new(),
        };
        let merged = self.contents.blob(id)?;
        for fault in lines::check(&before, &here, &upstream, &merged, marked) {
            self.fault(path, fault);
        }
        Ok(id)
    }

    /// Moves aside what cannot stay, as it is listed, where there is a reason for it.
    fn moves(&mut self, ours: &Files, listed: &[Conflict], preserve: &dyn Fn(&[u8]) -> bool) {
        for Conflict { path, kind, .. } in listed {
            let ConflictKind::InTheWay { beside } = kind else { continue };
            let stays = ours.contains_key(path);
            let is_below = |other: &&Vec<u8>| {
                other != &path && cannot_both_be(path, other) && other.starts_with(path)
            };
            let (moved, reason): (Vec<Vec<u8>>, bool) = if stays {
                let moved: Vec<_> = self.expected.keys().filter(is_below).cloned().collect();
                let reason = self.expected.contains_key(path) || preserve(path);
                (moved, reason)
            } else {
                let kept = ours.keys().filter(|path| preserve(path));
                let reason = self.expected.keys().chain(kept).any(|other| is_below(&other));
                (
                    self.expected.contains_key(path).then(|| path.clone()).into_iter().collect(),
                    reason,
                )
            };
            let is_free = |beside: &Vec<u8>| {
                let kept = ours.keys().filter(|path| preserve(path));
                let mut taken = self.expected.keys().chain(kept);
                !taken.any(|other| other == beside || cannot_both_be(other, beside))
                    && beside.starts_with(path)
            };
            let named = beside.as_ref().map_or(path.is_empty(), is_free);
            if !reason || moved.is_empty() || !named {
                self.fault(path, Fault::MoveUntrue);
                continue;
            }
            for old in moved {
                let Some(entry) = self.expected.remove(&old) else { continue };
                let rest = old.strip_prefix(path.as_slice()).unwrap_or_default();
                let new = beside.as_ref().map(|beside| [beside.as_slice(), rest].concat());
                for conflict in self.due.iter_mut().filter(|conflict| conflict.path == old) {
                    conflict.marked = conflict.marked && new.is_some();
                    conflict.path.clone_from(new.as_ref().unwrap_or(&old));
                }
                self.expected.extend(new.map(|new| (new, entry)));
            }
        }
    }

    /// Compares the conflicts that are listed with those that there are.
    fn conflicts(&mut self, merge: &Merge) {
        let due = std::mem::take(&mut self.due);
        for due in due.iter().filter(|due| !merge.conflicts.contains(due)) {
            self.fault(&due.path, Fault::Unlisted);
        }
        for listed in &merge.conflicts {
            let is_gone = |from: &Vec<u8>| {
                self.base.contains_key(from)
                    && !self.ours.contains_key(from)
                    && !self.theirs.contains_key(from)
            };
            let founded = match &listed.kind {
                // Those were looked at when they were moved.
                ConflictKind::InTheWay { .. } => true,
                ConflictKind::RenamedHereDeletedUpstream { from }
                | ConflictKind::DeletedHereRenamedUpstream { from } => {
                    is_gone(from) && merge.files.contains_key(&listed.path)
                }
                ConflictKind::RenamedApart { from, upstream } => {
                    is_gone(from)
                        && self.ours.contains_key(&listed.path)
                        && self.theirs.contains_key(upstream)
                }
                _ => due.contains(listed),
            };
            if !founded {
                self.fault(&listed.path, Fault::Unfounded);
            }
        }
    }
}
