//! Trees, read entry by entry from their bytes and written the same way. libgit2 would put the
//! entries of a hostile tree into an order of its own; here what git would not write is refused,
//! with the path.

use std::collections::HashSet;

use git2::ObjectType;

use super::{Found, GitError, ObjectError, ObjectId, Workshop};
use crate::git::files::{Entry, Files, Mode};
use crate::git::tree::{Tree, TreeError};

/// How many entries a directory may have, those of its directories and they themselves included.
const ENTRIES: usize = 1_000_000;

/// How deep its directories may lie in each other.
const DEPTH: usize = 1_000;

/// How long all its paths together may be, in bytes.
const BYTES: usize = 256 << 20;

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::git) enum Kind {
    Directory(ObjectId),
    Entry(Entry),
}

/// What is done with an entry: its name, mode and id, as they stand in the tree.
pub(in crate::git) type Each<'e> = dyn FnMut(&[u8], u32, ObjectId) -> Result<(), ObjectError> + 'e;

/// What is read so far.
#[derive(Default)]
struct Flattened {
    files: Files,
    /// Directories that are still to be read, with how deep they lie.
    open: Vec<(Vec<u8>, ObjectId, usize)>,
    /// How many more entries there may be.
    entries: usize,
    /// How many more bytes their paths may have.
    bytes: usize,
}

impl Workshop {
    /// Returns what is found at a path of a tree; the empty path is the tree itself. Only the trees
    /// on the way are read.
    ///
    /// # Errors
    /// [`GitError`] when one of them is not to be had or is none that git writes.
    pub fn at(&self, tree: ObjectId, path: &[u8]) -> Result<Found, GitError> {
        let mut tree = tree;
        if path.is_empty() {
            return Ok(Found::Directory(tree));
        }
        let mut end = 0;
        for name in path.split(|byte| *byte == b'/') {
            let start = end;
            end = start + name.len() + usize::from(start > 0);
            let here = path.get(..end).unwrap_or(path);
            let found = self.lookup(tree, name, here)?;
            match found {
                None => return Ok(Found::Nothing),
                Some(Kind::Directory(id)) if here.len() < path.len() => tree = id,
                Some(Kind::Directory(id)) => return Ok(Found::Directory(id)),
                Some(Kind::Entry(entry)) if here.len() == path.len() => {
                    return Ok(Found::Entry(entry));
                }
                Some(Kind::Entry(_)) => return Ok(Found::Through(here.to_owned())),
            }
        }
        Ok(Found::Nothing)
    }

    /// Returns the entry of that name; `path` is where it would be. A name that is there twice is
    /// refused: nobody can say which of them is meant.
    pub(in crate::git) fn lookup(
        &self,
        tree: ObjectId,
        name: &[u8],
        path: &[u8],
    ) -> Result<Option<Kind>, GitError> {
        let mut found = None;
        self.read_tree(tree, |entry_name, mode, id| {
            if entry_name != name {
                return Ok(());
            }
            let bad = |why| ObjectError::BadEntry { path: path.to_owned(), why };
            let kind = kind(mode, id).ok_or_else(|| bad("its mode is none that git writes"))?;
            match found.replace(kind) {
                None => Ok(()),
                Some(_) => Err(bad("it is there twice")),
            }
        })?;
        Ok(found)
    }

    /// Returns everything below a tree.
    ///
    /// # Errors
    /// [`GitError`] when a tree is not to be had, is none that git writes, or the whole is larger
    /// than anything that is read.
    pub fn files(&self, tree: ObjectId) -> Result<Files, GitError> {
        self.files_within(tree, ENTRIES, BYTES)
    }

    pub(super) fn files_within(
        &self,
        tree: ObjectId,
        entries: usize,
        bytes: usize,
    ) -> Result<Files, GitError> {
        let mut all = Flattened { entries, bytes, ..Flattened::default() };
        all.open.push((Vec::new(), tree, 0));
        while let Some((path, id, depth)) = all.open.pop() {
            if depth > DEPTH {
                return Err(too_large(&path, "its directories lie more than 1,000 deep"));
            }
            self.flatten(&mut all, &path, id, depth)?;
        }
        Ok(all.files)
    }

    fn flatten(
        &self,
        all: &mut Flattened,
        directory: &[u8],
        tree: ObjectId,
        depth: usize,
    ) -> Result<(), GitError> {
        // The names of what is no directory: with the order of the entries, all that can clash.
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        self.read_ordered(tree, directory, |name, mode, id| {
            let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
            join(&mut path, directory, name);
            let Some(entries) = all.entries.checked_sub(1) else {
                return Err(too_large_entry(&path, "it has more than 1,000,000 entries"));
            };
            let Some(bytes) = all.bytes.checked_sub(path.len()) else {
                return Err(too_large_entry(&path, "its paths have more than 256 MiB"));
            };
            (all.entries, all.bytes) = (entries, bytes);
            let bad = |path: Vec<u8>, why| ObjectError::BadEntry { path, why };
            match kind(mode, id) {
                None => return Err(bad(path, "its mode is none that git writes")),
                Some(Kind::Directory(_)) if names.contains(name) => {
                    return Err(bad(path, "it is there twice"));
                }
                Some(Kind::Directory(id)) => all.open.push((path, id, depth + 1)),
                Some(Kind::Entry(entry)) => {
                    names.insert(name.to_owned());
                    all.files.insert(path, entry);
                }
            }
            Ok(())
        })
    }

    /// As [`Workshop::read_tree`], of a tree whose names are names and stand in git's order.
    fn read_ordered(
        &self,
        tree: ObjectId,
        directory: &[u8],
        mut each: impl FnMut(&[u8], u32, ObjectId) -> Result<(), ObjectError>,
    ) -> Result<(), GitError> {
        let mut last: Option<(Vec<u8>, bool)> = None;
        self.read_tree(tree, |name, mode, id| {
            let bad = |why| {
                let mut path = Vec::new();
                join(&mut path, directory, name);
                Err(ObjectError::BadEntry { path, why })
            };
            if let Some(why) = bad_name(name) {
                return bad(why);
            }
            let is_tree = is_tree(mode);
            if let Some((last, was_tree)) = &last {
                match sort_key(last, *was_tree).cmp(sort_key(name, is_tree)) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => return bad("it is there twice"),
                    std::cmp::Ordering::Greater => return bad("it is out of order"),
                }
            }
            last = Some((name.to_owned(), is_tree));
            each(name, mode, id)
        })
    }

    /// Hands on each entry of a tree as it stands there. A tree of the cousin that its clone lacks
    /// is fetched.
    pub(super) fn read_tree(
        &self,
        tree: ObjectId,
        mut each: impl FnMut(&[u8], u32, ObjectId) -> Result<(), ObjectError>,
    ) -> Result<(), GitError> {
        if !self.has(tree) && tree != ObjectId::hash_object(ObjectType::Tree, b"")? {
            self.obtain("tree", &[tree].into())?;
        }
        self.read_tree_here(tree, &mut each)
    }

    /// As [`Workshop::read_tree`], of a tree that must be here.
    pub(in crate::git) fn read_tree_here(
        &self,
        tree: ObjectId,
        each: &mut Each<'_>,
    ) -> Result<(), GitError> {
        let odb = self.odb()?;
        let mut read = match Tree::read(&odb, tree) {
            Ok(read) => read,
            // git knows the tree without entries, whether it is stored or not.
            Err(TreeError::Missing(id)) if id == ObjectId::hash_object(ObjectType::Tree, b"")? => {
                return Ok(());
            }
            Err(error) => return Err(ObjectError::from(error).into()),
        };
        while let Some(entry) = read.take().map_err(ObjectError::from)? {
            each(entry.name(), entry.mode(), entry.id())?;
        }
        Ok(())
    }

    /// Writes trees such that everything below the topmost is what is given; none when that is
    /// nothing. Reads no object.
    ///
    /// # Errors
    /// [`GitError`] that names a path that no tree can hold: `.git`, an empty name, or one below a
    /// file. What is itself a file (the empty path) is no directory.
    pub fn write_tree(&self, files: &Files) -> Result<Option<ObjectId>, GitError> {
        // Directories that are being written, the topmost first: where its name begins in the
        // path, and its bytes. In the order of paths each is closed before what comes behind it.
        let mut open: Vec<Vec<u8>> = vec![Vec::new()];
        let mut current: Vec<&[u8]> = Vec::new();
        for (path, entry) in files {
            let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
            check_path(path, &parts, files)?;
            let name = parts.pop().unwrap_or_default();
            let shared = current.iter().zip(&parts).take_while(|(a, b)| a == b).count();
            self.close(&mut open, &mut current, shared)?;
            for part in parts.get(shared..).unwrap_or_default() {
                open.push(Vec::new());
                current.push(part);
            }
            if let Some(bytes) = open.last_mut() {
                put(bytes, entry.mode.raw(), name, entry.id);
            }
        }
        self.close(&mut open, &mut current, 0)?;
        match open.pop() {
            Some(bytes) if !bytes.is_empty() => self.write(ObjectType::Tree, &bytes).map(Some),
            _ => Ok(None),
        }
    }

    /// Writes the directories below the first `kept`, each into the one above it.
    fn close(
        &self,
        open: &mut Vec<Vec<u8>>,
        current: &mut Vec<&[u8]>,
        kept: usize,
    ) -> Result<(), GitError> {
        while current.len() > kept {
            let (Some(bytes), Some(name)) = (open.pop(), current.pop()) else { break };
            let id = self.write(ObjectType::Tree, &bytes)?;
            if let Some(above) = open.last_mut() {
                put(above, TREE, name, id);
            }
        }
        Ok(())
    }
}

/// The mode of a directory.
pub(super) const TREE: u32 = 0o040_000;

/// Appends an entry to a tree's bytes.
pub(super) fn put(bytes: &mut Vec<u8>, mode: u32, name: &[u8], id: ObjectId) {
    bytes.extend_from_slice(format!("{mode:o} ").as_bytes());
    bytes.extend_from_slice(name);
    bytes.push(0);
    bytes.extend_from_slice(id.as_bytes());
}

pub(super) fn is_tree(mode: u32) -> bool {
    mode & 0o170_000 == TREE
}

fn kind(mode: u32, id: ObjectId) -> Option<Kind> {
    if mode == TREE {
        return Some(Kind::Directory(id));
    }
    Mode::from_raw(mode).map(|mode| Kind::Entry(Entry { mode, id }))
}

/// Returns what a tree's entries are ordered by: a directory's name has a slash behind it, another
/// has an end. Source: git's `base_name_compare`.
pub(super) fn sort_key(name: &[u8], is_tree: bool) -> impl Iterator<Item = u8> {
    name.iter().copied().chain(is_tree.then_some(b'/'))
}

pub(super) fn join(path: &mut Vec<u8>, directory: &[u8], name: &[u8]) {
    path.extend_from_slice(directory);
    if !directory.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

/// Returns why a name cannot be one, if it cannot.
fn bad_name(name: &[u8]) -> Option<&'static str> {
    match name {
        b"" => Some("its name is empty"),
        b"." | b".." => Some("its name leads elsewhere"),
        name if name.contains(&b'/') => Some("its name holds a slash"),
        name if name.contains(&0) => Some("its name holds a NUL"),
        _ => None,
    }
}

fn check_path(path: &[u8], parts: &[&[u8]], files: &Files) -> Result<(), ObjectError> {
    let bad = |why| ObjectError::BadEntry { path: path.to_owned(), why };
    if parts.len() > DEPTH {
        return Err(bad("it lies more than 1,000 directories deep"));
    }
    if let Some(why) = parts.iter().find_map(|part| bad_name(part)) {
        return Err(bad(why));
    }
    if parts.iter().any(|part| part.eq_ignore_ascii_case(b".git")) {
        return Err(bad("git keeps .git for itself"));
    }
    let mut end = 0;
    for part in parts.iter().take(parts.len().saturating_sub(1)) {
        end += part.len() + usize::from(end > 0);
        if path.get(..end).is_some_and(|above| files.contains_key(above)) {
            return Err(bad("what is above it is no directory"));
        }
    }
    Ok(())
}

fn too_large(path: &[u8], limit: &'static str) -> GitError {
    too_large_entry(path, limit).into()
}

fn too_large_entry(path: &[u8], limit: &'static str) -> ObjectError {
    let start = path.get(..path.len().min(200)).unwrap_or_default();
    ObjectError::TooLarge { path: start.to_owned(), limit }
}
