//! The work tree of a person's clone, changed as `git apply` changes it: the paths that differ, and
//! neither `HEAD` nor the index. Everything is checked before the first file is written; what the
//! person changed or added is never lost, and nothing is written through a symbolic link. Content
//! is written as it is stored: no filter runs, and line ends stay.

mod disk;

use std::collections::{BTreeMap, BTreeSet};

use git2::Repository;

use super::trees::join;
use super::{GitError, ObjectError, ObjectId, Workshop};
use crate::git::files::{Entry, Files, Mode};
use disk::{Disk, State};

/// One path that is to change, from the root of the work tree.
#[derive(Debug)]
struct Change {
    path: Vec<u8>,
    before: Option<Entry>,
    after: Option<Entry>,
}

impl Workshop {
    /// Writes what differs between two states of the directory `into` into the clone's work tree.
    /// It must be in the first state at each path that differs, or in the second already.
    ///
    /// # Errors
    /// [`GitError`] that lists the paths where it is not, and those that lie behind a symbolic link
    /// or cannot be a file's; nothing was written then. Also when a file cannot be written.
    pub fn apply_to_worktree(
        &self,
        clone: &Repository,
        before: &Files,
        after: &Files,
        into: &[u8],
    ) -> Result<(), GitError> {
        let Some(root) = clone.workdir() else {
            let why = "is a bare repository: it has no work tree";
            let path = clone.path().as_os_str().as_encoded_bytes().to_vec();
            return Err(ObjectError::WorkTree { paths: vec![(path, why)] }.into());
        };
        let disk = Disk::new(root, is_mode_kept(clone));
        let changes = changes(before, after, into);
        let wanted = Wanted::new(&changes);
        let mut refused = Vec::new();
        for change in &changes {
            if let Some(why) = obstacle(&disk, change, &wanted)? {
                refused.push((change.path.clone(), why));
            }
        }
        if !refused.is_empty() {
            return Err(ObjectError::WorkTree { paths: refused }.into());
        }
        let blobs = changes.iter().filter_map(|change| change.after);
        let blobs = blobs.filter(|entry| entry.mode != Mode::Submodule).map(|entry| entry.id);
        self.bring_own_blobs(&blobs.collect::<BTreeSet<ObjectId>>())?;
        self.write_changes(&disk, &changes)
    }

    fn write_changes(&self, disk: &Disk<'_>, changes: &[Change]) -> Result<(), GitError> {
        // What is below a directory goes before the directory.
        for change in changes.iter().rev() {
            if change.before.is_some() && disk.is(&change.path, change.before)? {
                disk.remove(&change.path)?;
            }
        }
        for change in changes {
            let Some(after) = change.after else { continue };
            if disk.is(&change.path, Some(after))? {
                continue;
            }
            let content = match after.mode {
                Mode::Submodule => Vec::new(),
                _ => self.blob(after.id)?,
            };
            disk.write(&change.path, after.mode, &content)?;
        }
        Ok(())
    }
}

fn changes(before: &Files, after: &Files, into: &[u8]) -> Vec<Change> {
    let paths: BTreeSet<&Vec<u8>> = before.keys().chain(after.keys()).collect();
    let change = |path: &Vec<u8>| {
        let (before, after) = (before.get(path).copied(), after.get(path).copied());
        let mut whole = Vec::new();
        match path.as_slice() {
            b"" => whole.extend_from_slice(into),
            path => join(&mut whole, into, path),
        }
        (before != after).then_some(Change { path: whole, before, after })
    };
    paths.into_iter().filter_map(change).collect()
}

/// What is to be, by the paths that change.
struct Wanted<'c> {
    removed: BTreeSet<&'c [u8]>,
    written: BTreeMap<&'c [u8], Entry>,
}

impl<'c> Wanted<'c> {
    fn new(changes: &'c [Change]) -> Self {
        let is_removed = |change: &&Change| change.before.is_some() && change.after.is_none();
        let removed = changes.iter().filter(is_removed).map(|change| change.path.as_slice());
        let written = |change: &'c Change| Some((change.path.as_slice(), change.after?));
        Self { removed: removed.collect(), written: changes.iter().filter_map(written).collect() }
    }

    /// Returns whether a path is already as it is to be.
    fn is_written(&self, disk: &Disk<'_>, path: &[u8]) -> Result<bool, ObjectError> {
        let Some(entry) = self.written.get(path) else { return Ok(false) };
        disk.is(path, Some(*entry))
    }

    /// Returns whether a path is to go, and something below it to come.
    fn is_above_written(&self, change: &Change) -> bool {
        let below = [change.path.as_slice(), b"/"].concat();
        let mut behind = self.written.range(below.as_slice()..);
        change.after.is_none() && behind.next().is_some_and(|(path, _)| path.starts_with(&below))
    }
}

/// Whether the executable bit on disk means anything.
fn is_mode_kept(clone: &Repository) -> bool {
    cfg!(unix) && clone.config().and_then(|config| config.get_bool("core.filemode")).unwrap_or(true)
}

/// Returns why a path cannot be changed, if it cannot.
fn obstacle(
    disk: &Disk<'_>,
    change: &Change,
    wanted: &Wanted<'_>,
) -> Result<Option<&'static str>, ObjectError> {
    if let Some(why) = bad_path(&change.path, change.after) {
        return Ok(Some(why));
    }
    let slashes = change.path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    for (end, _) in slashes {
        let above = change.path.get(..end).unwrap_or_default();
        match disk.state(above)? {
            State::Directory => {}
            State::Nothing => break,
            // It makes room, and is looked at by itself.
            _ if wanted.removed.contains(above) => return Ok(None),
            // It has made room already.
            _ if change.after.is_none() && wanted.is_written(disk, above)? => return Ok(None),
            State::Symlink => return Ok(Some("lies behind a symbolic link")),
            State::Other => return Ok(Some("lies below what is no directory")),
        }
    }
    if disk.is(&change.path, change.after)? {
        return Ok(None);
    }
    if disk.is(&change.path, change.before)? {
        let is_kept = change.before.is_some_and(|before| before.mode == Mode::Submodule)
            && !disk.is_empty(&change.path)?;
        return Ok(is_kept.then_some("holds a submodule's files"));
    }
    Ok(match (disk.state(&change.path)?, change.before) {
        (State::Nothing, _) => Some("was deleted here"),
        (State::Directory, None) if disk.holds_only(&change.path, &wanted.removed)? => None,
        (State::Directory, Some(_)) if wanted.is_above_written(change) => None,
        (State::Directory, _) => Some("holds files that would be lost"),
        (_, None) => Some("is there and not of the commit"),
        (_, Some(_)) => Some("was changed here"),
    })
}

/// Returns why a path cannot be one of a work tree, if it cannot. Source: git's `verify_path`.
fn bad_path(path: &[u8], after: Option<Entry>) -> Option<&'static str> {
    use gix_validate::path::component;
    let is_symlink = after.is_some_and(|after| after.mode == Mode::Symlink);
    let options = component::Options { protect_windows: cfg!(windows), ..Default::default() };
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let mode = (parts.peek().is_none() && is_symlink).then_some(component::Mode::Symlink);
        if gix_validate::path::component(part.into(), mode, options).is_err() || part.contains(&0) {
            return Some("cannot be the path of a file");
        }
    }
    None
}
