//! Files of a work tree, looked at and written without following a symbolic link.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid};

use crate::git::ObjectError;
use crate::git::files::{Entry, Mode};

/// A work tree.
pub(super) struct Disk<'r> {
    root: &'r Path,
    is_mode_kept: bool,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Nothing,
    Directory,
    Symlink,
    Other,
}

impl<'r> Disk<'r> {
    pub(super) fn new(root: &'r Path, is_mode_kept: bool) -> Self {
        Self { root, is_mode_kept }
    }

    pub(super) fn state(&self, path: &[u8]) -> Result<State, ObjectError> {
        let file = self.file(path)?;
        Ok(match metadata(&file).map_err(failed("read", path))? {
            None => State::Nothing,
            Some(found) if found.is_symlink() => State::Symlink,
            Some(found) if found.is_dir() => State::Directory,
            Some(_) => State::Other,
        })
    }

    /// Returns whether that, and nothing else, is at a path. A submodule is its directory: what is
    /// in it is its own business.
    pub(super) fn is(&self, path: &[u8], entry: Option<Entry>) -> Result<bool, ObjectError> {
        let file = self.file(path)?;
        let found = metadata(&file).map_err(failed("read", path))?;
        let (Some(found), Some(entry)) = (&found, entry) else {
            return Ok(found.is_none() && entry.is_none());
        };
        let content = match entry.mode {
            Mode::Submodule => return Ok(found.is_dir()),
            Mode::Symlink if found.is_symlink() => {
                let target = fs::read_link(&file).map_err(failed("read", path))?;
                target.into_os_string().into_encoded_bytes()
            }
            Mode::File | Mode::Executable if found.is_file() => {
                let is_executable = is_executable(found);
                if self.is_mode_kept && is_executable != (entry.mode == Mode::Executable) {
                    return Ok(false);
                }
                fs::read(&file).map_err(failed("read", path))?
            }
            _ => return Ok(false),
        };
        Ok(Oid::hash_object(ObjectType::Blob, &content).is_ok_and(|id| id == entry.id))
    }

    pub(super) fn is_empty(&self, path: &[u8]) -> Result<bool, ObjectError> {
        let file = self.file(path)?;
        let mut entries = fs::read_dir(file).map_err(failed("read", path))?;
        Ok(entries.next().is_none())
    }

    /// Returns whether everything below a directory is among the paths given.
    pub(super) fn holds_only(
        &self,
        path: &[u8],
        known: &BTreeSet<&[u8]>,
    ) -> Result<bool, ObjectError> {
        let mut open = vec![path.to_vec()];
        while let Some(path) = open.pop() {
            for entry in fs::read_dir(self.file(&path)?).map_err(failed("read", &path))? {
                let entry = entry.map_err(failed("read", &path))?;
                let mut below = path.clone();
                below.push(b'/');
                below.extend_from_slice(entry.file_name().as_encoded_bytes());
                if known.contains(below.as_slice()) {
                    continue;
                }
                if !entry.file_type().map_err(failed("read", &below))?.is_dir() {
                    return Ok(false);
                }
                open.push(below);
            }
        }
        Ok(true)
    }

    /// Removes a file, a symbolic link or an empty directory, and the directories above it that
    /// have nothing else. What is there no more is no error.
    pub(super) fn remove(&self, path: &[u8]) -> Result<(), ObjectError> {
        let file = self.file(path)?;
        let removed = match self.state(path)? {
            State::Nothing => return Ok(()),
            State::Directory => fs::remove_dir(&file),
            State::Symlink | State::Other => fs::remove_file(&file),
        };
        removed.map_err(failed("remove", path))?;
        let mut above = file.parent();
        while let Some(directory) = above.filter(|directory| *directory != self.root) {
            if fs::remove_dir(directory).is_err() {
                break;
            }
            above = directory.parent();
        }
        Ok(())
    }

    /// Writes what is not there, with the directories above it. Empty directories make room.
    pub(super) fn write(&self, path: &[u8], mode: Mode, content: &[u8]) -> Result<(), ObjectError> {
        for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = path.get(..end).unwrap_or_default();
            match self.state(above)? {
                State::Directory => {}
                // create_dir fails where something else has come up meanwhile.
                _ => fs::create_dir(self.file(above)?).map_err(failed("make", above))?,
            }
        }
        let file = self.file(path)?;
        if self.state(path)? == State::Directory {
            remove_empty(&file).map_err(failed("remove", path))?;
        }
        match mode {
            Mode::Submodule => fs::create_dir(&file),
            Mode::Symlink => link(content, &file),
            Mode::File | Mode::Executable => create(&file, mode == Mode::Executable, content),
        }
        .map_err(failed("write", path))
    }

    #[cfg(unix)]
    fn file(&self, path: &[u8]) -> Result<PathBuf, ObjectError> {
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path);
        Ok(self.root.join(path))
    }

    #[cfg(not(unix))]
    fn file(&self, path: &[u8]) -> Result<PathBuf, ObjectError> {
        let why = "its name is none that this system can have";
        let path = std::str::from_utf8(path)
            .map_err(|_| ObjectError::BadEntry { path: path.to_owned(), why })?;
        Ok(self.root.join(path))
    }
}

fn failed(what: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> ObjectError {
    let path = path.to_owned();
    move |source| ObjectError::File { what, path, source }
}

/// Returns what is at a path, a link itself and not what it leads to. Below a file is nothing.
fn metadata(file: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(file) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Removes a directory in which there are only directories.
fn remove_empty(directory: &Path) -> io::Result<()> {
    let mut all = vec![directory.to_owned()];
    let mut at = 0;
    while let Some(next) = all.get(at).cloned() {
        at += 1;
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                all.push(entry.path());
            }
        }
    }
    all.iter().rev().try_for_each(fs::remove_dir)
}

fn create(file: &Path, is_executable: bool, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    set_mode(&mut options, is_executable);
    options.open(file)?.write_all(content)
}

#[cfg(unix)]
fn set_mode(options: &mut fs::OpenOptions, is_executable: bool) {
    let mode = if is_executable { 0o777 } else { 0o666 };
    std::os::unix::fs::OpenOptionsExt::mode(options, mode);
}

#[cfg(not(unix))]
fn set_mode(_: &mut fs::OpenOptions, _: bool) {}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn link(target: &[u8], file: &Path) -> io::Result<()> {
    let target: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(target);
    std::os::unix::fs::symlink(target, file)
}

/// As git does where links need a right that few have: a file with the target in it.
#[cfg(not(unix))]
fn link(target: &[u8], file: &Path) -> io::Result<()> {
    create(file, false, target)
}
