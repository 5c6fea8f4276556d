//! A bare repository of our own that borrows the objects of a cousin's clone and of two stores that
//! are fetched into: one for the source ([`super::upstream`]), one for what the clone lacks of the
//! cousin's own origin. Trees and commits are written in it, and it is pushed from; the clone's
//! work tree, index, branches and settings take no part and stay as they are.
//!
//! libgit2 reads and writes objects; the git program does the network. An object that is not here
//! is fetched from where it must be, or is an error that names it: it never counts as empty.

mod absent;
mod export;
mod graft;
mod merging;
mod push;
mod shared;
mod stat;
mod trees;
mod worktree;

use std::cell::OnceCell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Odb, OdbLookupFlags, Repository};
use tempfile::TempDir;

use super::ancestry::Ancestry;
use super::command::Git;
use super::fetch::{Remote, directory, is_partial};
use super::files::{Entry, ObjectId};
pub use super::record::{CommitRecord, NewCommit, Signature};
pub use super::refs::Told;
use super::store::{Store, bare};
use super::{GitError, ObjectError, record};
pub(super) use absent::{DEPTH, TIMES, check_reference, depth_option};
pub use merging::FileMerge;
pub use push::PushRef;
pub(super) use trees::Kind;

/// What is found at a path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A directory, by its tree.
    Directory(ObjectId),
    /// A file, a symbolic link or a submodule.
    Entry(Entry),
    /// Nothing, because a part of the path is a file, a symbolic link or a submodule: its path.
    Through(Vec<u8>),
}

/// The repository that a sync works in, gone when dropped.
pub struct Workshop {
    dir: TempDir,
    repository: Repository,
    git: Git,
    /// The cousin's clone: where git is run for it, and whether it was made with a filter.
    clone: PathBuf,
    is_partial: bool,
    /// What is fetched of the cousin's own origin.
    own: Store,
    /// What is fetched of the source.
    upstream: Store,
    origin: OnceCell<Remote>,
    ancestry: Ancestry,
}

impl fmt::Debug for Workshop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workshop").field("dir", &self.dir).field("clone", &self.clone).finish()
    }
}

impl Workshop {
    /// Returns a workshop for a cousin's clone: full, shallow, partial, bare, a linked work tree or
    /// one that borrows objects itself.
    ///
    /// # Errors
    /// [`GitError`] when its directory cannot be made.
    pub fn new(git: &Git, clone: &Repository) -> Result<Self, GitError> {
        let scratch = |source| GitError::Scratch { source };
        let dir = tempfile::Builder::new().prefix("ecosystem-sync-").tempdir().map_err(scratch)?;
        let mut borrowed = Vec::new();
        let objects = super::refs::objects_of(clone);
        borrow(&fs::canonicalize(&objects).map_err(scratch)?, &mut borrowed, 0);
        let shallow = fs::read(clone.commondir().join("shallow")).unwrap_or_default();
        let made = Self::made(git, dir, borrowed, &shallow)?;
        Ok(Self { clone: directory(clone), is_partial: is_partial(clone), ..made })
    }

    /// Returns a workshop for a repository of which there is no clone here: all that is needed of
    /// it is fetched from its remote.
    ///
    /// # Errors
    /// [`GitError`] when its directory cannot be made.
    pub fn without_a_clone(git: &Git, remote: &Remote) -> Result<Self, GitError> {
        super::prepare();
        let scratch = |source| GitError::Scratch { source };
        let dir = tempfile::Builder::new().prefix("ecosystem-").tempdir().map_err(scratch)?;
        let made = Self::made(git, dir, Vec::new(), &[])?;
        made.set_origin(remote);
        Ok(made)
    }

    fn made(
        git: &Git,
        dir: TempDir,
        mut borrowed: Vec<PathBuf>,
        shallow: &[u8],
    ) -> Result<Self, GitError> {
        let own = Store::new(&dir.path().join("origin.git"), &borrowed, shallow)?;
        let upstream = Store::new(&dir.path().join("upstream.git"), &[], &[])?;
        borrowed.extend([own.objects(), upstream.objects()]);
        let repository = bare(&dir.path().join("workshop.git"), &borrowed, shallow)?;
        Ok(Self {
            repository,
            git: git.clone(),
            clone: dir.path().to_owned(),
            is_partial: false,
            own,
            upstream,
            origin: OnceCell::new(),
            ancestry: Ancestry::default(),
            dir,
        })
    }

    /// Says where the cousin's clone came from: objects that the clone lacks are fetched from
    /// there. It counts once.
    pub fn set_origin(&self, remote: &Remote) {
        drop(self.origin.set(remote.clone()));
    }

    /// Returns whether an object is here, or in the clone.
    #[must_use]
    pub fn has(&self, id: ObjectId) -> bool {
        let flags = OdbLookupFlags::NO_REFRESH;
        self.repository.odb().is_ok_and(|odb| odb.exists_ext(id, flags))
    }

    /// Returns the content of a blob of here or of the clone, fetched now when the clone is a
    /// partial one that lacks it.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be had.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        if !self.has(id) {
            self.obtain("blob", &[id].into())?;
        }
        let odb = self.repository.odb()?;
        match odb.read(id) {
            Ok(object) if object.kind() == ObjectType::Blob => Ok(object.data().to_vec()),
            Ok(other) => {
                let why = format!("it is a {}", other.kind().str());
                Err(ObjectError::Damaged { kind: "blob", id, why }.into())
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                Err(ObjectError::Absent { kind: "blob", id }.into())
            }
            Err(error) => {
                let why = error.message().to_owned();
                Err(ObjectError::Damaged { kind: "blob", id, why }.into())
            }
        }
    }

    /// Returns a commit of here or of the clone.
    ///
    /// # Errors
    /// [`GitError`] when it is not here or cannot be read.
    pub fn record(&self, commit: ObjectId) -> Result<CommitRecord, GitError> {
        Ok(record::read(&self.odb()?, commit)?)
    }

    /// Returns a commit's root tree.
    ///
    /// # Errors
    /// As [`Workshop::record`].
    pub fn root(&self, commit: ObjectId) -> Result<ObjectId, GitError> {
        Ok(self.record(commit)?.tree)
    }

    /// Writes a blob.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be written.
    pub fn write_blob(&self, content: &[u8]) -> Result<ObjectId, GitError> {
        self.write(ObjectType::Blob, content)
    }

    /// Writes a commit, which no ref leads to.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be written.
    pub fn commit(&self, commit: &NewCommit<'_>) -> Result<ObjectId, GitError> {
        self.write(ObjectType::Commit, &record::render(commit))
    }

    /// Writes an object unless it is here: libgit2 would mark what the clone has as new.
    fn write(&self, kind: ObjectType, content: &[u8]) -> Result<ObjectId, GitError> {
        let id = ObjectId::hash_object(kind, content)?;
        if self.has(id) {
            return Ok(id);
        }
        Ok(self.odb()?.write(kind, content)?)
    }

    fn odb(&self) -> Result<Odb<'_>, GitError> {
        Ok(self.repository.odb()?)
    }

    /// Lets what git has just fetched be seen.
    pub(super) fn refresh(&self) -> Result<(), GitError> {
        Ok(self.repository.odb()?.refresh()?)
    }

    /// Returns where the source is fetched into.
    pub(super) fn upstream(&self) -> &Store {
        &self.upstream
    }

    fn path(&self) -> &Path {
        self.repository.path()
    }
}

/// How deep repositories may borrow from each other. Source: git's `link_alt_odb_entries`.
const BORROWED_AT_MOST: usize = 5;

/// Collects an object directory and those that it borrows from in turn, each by its whole path:
/// what is relative there is not relative to us.
fn borrow(objects: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    if found.iter().any(|known| known == objects) {
        return;
    }
    found.push(objects.to_owned());
    let Ok(lines) = fs::read_to_string(objects.join("info").join("alternates")) else { return };
    for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let (Ok(path), true) = (fs::canonicalize(objects.join(line)), depth < BORROWED_AT_MOST) {
            borrow(&path, found, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests;
