//! A cousin's repository in a rehearsal: bare, real and of the rehearsal's own, with what the cousin
//! had before the push. What a sync then does to it is read here, to be shown and to be held against
//! what it should be. Nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Repository, Time, Tree};

use super::Stage;
use crate::git::command::{Context, Git, Place, git_path};
use crate::git::files::ObjectId;
use crate::git::{GitError, prepare};

/// The branch that a cousin's pull requests go into.
pub const BRANCH: &str = "main";

/// Who commits what a cousin begins with.
const NAME: &str = "a rehearsal";
const EMAIL: &str = "rehearsal@localhost";

/// Who commits in a run of a workflow.
const BOT: &str = "github-actions[bot]";
const BOT_EMAIL: &str = "41898282+github-actions[bot]@users.noreply.github.com";

/// What is at a path of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing {
    /// The object's id; a submodule's commit.
    pub id: ObjectId,
    mode: i32,
}

impl Thing {
    /// Returns whether it is a directory.
    #[must_use]
    pub fn is_directory(self) -> bool {
        self.mode == i32::from(FileMode::Tree)
    }

    fn file_mode(self) -> FileMode {
        let others = [FileMode::Tree, FileMode::BlobExecutable, FileMode::Link, FileMode::Commit];
        let found = others.into_iter().find(|mode| i32::from(*mode) == self.mode);
        found.unwrap_or(FileMode::Blob)
    }
}

/// What a cousin begins with.
#[derive(Debug, Default)]
pub struct Seed {
    /// Things of the monorepo, each with the path where the cousin has it.
    pub things: Vec<(Vec<u8>, Thing)>,
    /// Files of the cousin's own, or as it has edited them.
    pub files: Vec<(Vec<u8>, Vec<u8>)>,
    /// The time of its commit, in seconds of Unix time.
    pub seconds: i64,
}

/// The checkout of a run of the cousin's workflow.
#[derive(Debug, Clone, Copy)]
pub struct Checkout<'a> {
    /// The repository's address at its host.
    pub url: &'a str,
    /// Where it is to be.
    pub dir: &'a Path,
    /// The only file that is written into the work tree: a sync looks at no other.
    pub file: &'a str,
}

impl Checkout<'_> {
    /// Makes it, of the newest commit alone, as GitHub's bot has it.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be cloned.
    pub fn make(&self, git: &Git) -> Result<(), GitError> {
        let to = git_path(self.dir);
        let bot = [("name", BOT), ("email", BOT_EMAIL)];
        let bot = bot.map(|(key, value)| format!("--config=user.{key}={value}"));
        let args =
            ["clone", "--quiet", "--origin=origin", "--depth=1", "--no-checkout", "--template="];
        let args = args.into_iter().map(str::to_owned).chain(bot);
        let args = args.chain(["--end-of-options".to_owned(), self.url.to_owned()]);
        let args = args.map(Into::into).chain([to.clone().into_os_string()]);
        // libgit2 reads no other form, whatever the user prefers.
        let settings = &["init.defaultRefFormat=files"];
        git.run(&Context { settings, ..Context::default() }, args)?;
        let here = Context { place: Place::Clone(&to), ..Context::default() };
        git.run(&here, ["checkout", "--quiet", "HEAD", "--", self.file])?;
        Ok(())
    }
}

/// A bare repository that the embedded GitHub hosts.
pub struct Bare {
    dir: PathBuf,
    repository: Repository,
}

impl Stage {
    /// Returns the monorepo as its host has it.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be read.
    pub fn monorepo(&self) -> Result<Bare, GitError> {
        Bare::open(&self.bare)
    }

    /// Makes a cousin's repository at `dir`. It holds objects of its own and borrows none, so that
    /// what a push does not bring is missing.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be made, or the monorepo lacks what the seed takes from it.
    pub fn cousin(&self, git: &Git, dir: &Path, seed: &Seed) -> Result<Bare, GitError> {
        let scratch = |source| GitError::Scratch { source };
        std::fs::create_dir_all(dir).map_err(scratch)?;
        let dir = std::fs::canonicalize(dir).map_err(scratch)?;
        crate::embedded_github::bare(&dir, BRANCH)?;
        self.copy_objects(git, &dir, seed)?;
        let cousin = Bare::open(&dir)?;
        cousin.begin(seed)?;
        Ok(cousin)
    }

    /// Copies all that the seed's things hold, as one pack.
    fn copy_objects(&self, git: &Git, to: &Path, seed: &Seed) -> Result<(), GitError> {
        let own = |(_, thing): &&(Vec<u8>, Thing)| thing.mode != i32::from(FileMode::Commit);
        let ids: BTreeSet<ObjectId> = seed.things.iter().filter(own).map(|it| it.1.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let scratch = |source| GitError::Scratch { source };
        let mut wanted = tempfile::tempfile().map_err(scratch)?;
        for id in ids {
            writeln!(wanted, "{id}").map_err(scratch)?;
        }
        wanted.rewind().map_err(scratch)?;
        let packs = to.join("objects").join("pack");
        std::fs::create_dir_all(&packs).map_err(scratch)?;
        let base = git_path(&packs.join("pack"));
        let here = Context { place: Place::Own(&self.bare), ..Context::default() };
        let args = ["pack-objects", "--quiet", "--revs", "--window=0", "--end-of-options"];
        let args = args.map(Into::into).into_iter().chain([base.into_os_string()]);
        git.run_with(&here, args, Some(wanted))?;
        Ok(())
    }
}

impl Bare {
    /// Opens the bare repository at `dir`.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, GitError> {
        prepare();
        Ok(Self { dir: dir.to_owned(), repository: Repository::open_bare(dir)? })
    }

    /// Returns where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Commits what a cousin begins with.
    fn begin(&self, seed: &Seed) -> Result<(), GitError> {
        let repository = &self.repository;
        let empty = repository.find_tree(repository.treebuilder(None)?.write()?)?;
        let mut features = TreeUpdateBuilder::new();
        for (path, thing) in &seed.things {
            features.upsert(path.as_slice(), thing.id, thing.file_mode());
        }
        let tree = repository.find_tree(features.create_updated(repository, &empty)?)?;
        let mut own = TreeUpdateBuilder::new();
        for (path, content) in &seed.files {
            own.upsert(path.as_slice(), repository.blob(content)?, FileMode::Blob);
        }
        let tree = repository.find_tree(own.create_updated(repository, &tree)?)?;
        let who = git2::Signature::new(NAME, EMAIL, &Time::new(seed.seconds, 0))?;
        let reference = format!("refs/heads/{BRANCH}");
        let message = "what the cousin had before the push\n";
        repository.commit(Some(&reference), &who, &who, message, &tree, &[])?;
        Ok(())
    }

    /// Returns where each branch stands, by its name.
    ///
    /// # Errors
    /// [`GitError`] when the refs cannot be read.
    pub fn branches(&self) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let mut found = BTreeMap::new();
        for reference in self.repository.references_glob("refs/heads/*")? {
            let reference = reference?;
            if let (Ok(name), Some(id)) = (reference.shorthand(), reference.target()) {
                found.insert(name.to_owned(), id);
            }
        }
        Ok(found)
    }

    /// Returns when a commit was made, in seconds of Unix time.
    ///
    /// # Errors
    /// [`GitError`] when there is no such commit.
    pub fn time(&self, commit: &str) -> Result<i64, GitError> {
        Ok(self.commit(commit)?.time().seconds())
    }

    /// Returns what is at a path of a commit.
    ///
    /// # Errors
    /// [`GitError`] when the commit or a tree on the way cannot be read.
    pub fn at(&self, commit: &str, path: &[u8]) -> Result<Option<Thing>, GitError> {
        let mut tree = self.commit(commit)?.tree()?;
        let mut names = path.split(|byte| *byte == b'/').peekable();
        while let Some(name) = names.next() {
            let found = tree.iter().find(|entry| entry.name_bytes() == name);
            let found = found.map(|entry| Thing { id: entry.id(), mode: entry.filemode() });
            match found {
                Some(thing) if names.peek().is_some() && thing.is_directory() => {
                    tree = self.repository.find_tree(thing.id)?;
                }
                found => return Ok(found.filter(|_| names.peek().is_none())),
            }
        }
        Ok(None)
    }

    /// Returns the content of a file of a commit; none where there is no file.
    ///
    /// # Errors
    /// As [`Bare::at`].
    pub fn file(&self, commit: &str, path: &[u8]) -> Result<Option<Vec<u8>>, GitError> {
        let Some(thing) = self.at(commit, path)? else { return Ok(None) };
        let object = self.repository.find_object(thing.id, None)?;
        Ok((object.kind() == Some(ObjectType::Blob))
            .then(|| object.into_blob().ok().map(|blob| blob.content().to_vec()))
            .flatten())
    }

    /// Returns every file, symbolic link and submodule below a path of a commit, by its path from
    /// there; that of what is no directory is empty.
    ///
    /// # Errors
    /// As [`Bare::at`].
    pub fn files(&self, commit: &str, path: &[u8]) -> Result<BTreeMap<Vec<u8>, Thing>, GitError> {
        let mut found = BTreeMap::new();
        match self.at(commit, path)? {
            Some(thing) if thing.is_directory() => {
                self.collect(thing.id, b"", &mut found)?;
            }
            Some(thing) => drop(found.insert(Vec::new(), thing)),
            None => {}
        }
        Ok(found)
    }

    fn collect(
        &self,
        tree: ObjectId,
        above: &[u8],
        found: &mut BTreeMap<Vec<u8>, Thing>,
    ) -> Result<(), GitError> {
        for entry in &self.repository.find_tree(tree)? {
            let path = [above, entry.name_bytes()].concat();
            let thing = Thing { id: entry.id(), mode: entry.filemode() };
            if thing.is_directory() {
                self.collect(thing.id, &[&path, &b"/"[..]].concat(), found)?;
            } else {
                found.insert(path, thing);
            }
        }
        Ok(())
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(super) fn tree(&self, commit: &str) -> Result<Tree<'_>, GitError> {
        Ok(self.commit(commit)?.tree()?)
    }

    fn commit(&self, id: &str) -> Result<git2::Commit<'_>, GitError> {
        Ok(self.repository.find_commit(ObjectId::from_str(id)?)?)
    }
}

#[cfg(test)]
mod amended;
