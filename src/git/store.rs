//! A bare repository of our own that the git program fetches into, as a partial clone of one
//! remote: commits alone at first, then the trees and blobs that are named. No object in it is
//! trusted for being there; what it proves is read from parent links and trees.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryInitOptions};

use super::command::{CommandError, Git, Place, git_path};
use super::fetch::Remote;
use super::files::ObjectId;
use super::{GitError, init};

/// A bare repository with one remote, `source`, that promises what was left out.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
}

/// How much comes with the objects that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    /// Nothing: a tree alone.
    Nothing,
    /// With a tree, all trees below it.
    Trees,
}

pub(super) const FETCH: [&str; 8] = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-prune",
    "--recurse-submodules=no",
    "--refmap=",
    "--no-auto-maintenance",
];

impl Store {
    /// Makes an empty one at `dir`, which borrows from other object directories.
    pub(super) fn new(dir: &Path, borrowed: &[PathBuf], shallow: &[u8]) -> Result<Self, GitError> {
        bare(dir, borrowed, shallow)?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Says which remote it is a partial clone of.
    pub(super) fn point_at(&self, remote: &Remote) -> Result<(), GitError> {
        let mut config = self.open()?.config()?;
        config.set_str("remote.source.url", remote.url())?;
        config.set_bool("remote.source.promisor", true)?;
        config.set_str("extensions.partialclone", "source")?;
        config.set_i32("core.repositoryformatversion", 1)?;
        Ok(())
    }

    /// Fetches refs or commits of the remote.
    pub(super) fn fetch(
        &self,
        git: &Git,
        remote: &Remote,
        options: &[&str],
        refspecs: &[&str],
    ) -> Result<(), CommandError> {
        let mut args = FETCH.to_vec();
        args.extend(options);
        args.extend(["--end-of-options", "source"]);
        args.extend(refspecs);
        let dir = self.path();
        remote.with_credentials(git, Place::Own(&dir), |context| git.run(context, &args).map(drop))
    }

    /// Fetches objects by their ids, all in one go, without saying what is here: the remote would
    /// take a commit that is here as if all its trees were.
    pub(super) fn bring<'i>(
        &self,
        git: &Git,
        remote: &Remote,
        with: With,
        ids: impl IntoIterator<Item = &'i ObjectId>,
    ) -> Result<(), GitError> {
        let lines: String = ids.into_iter().map(|id| format!("{id}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let mut args = FETCH.to_vec();
        args.push(match with {
            With::Nothing => "--filter=tree:0",
            With::Trees => "--filter=blob:none",
        });
        args.extend(["--stdin", "--end-of-options", "source"]);
        let input = file_of(lines.as_bytes()).map_err(|source| GitError::Scratch { source })?;
        let dir = self.path();
        remote.with_credentials(git, Place::Own(&dir), |context| {
            context.settings = &["fetch.negotiationAlgorithm=noop"];
            let input = rewound(&input).map_err(CommandError::NotStarted)?;
            git.run_with(context, &args, Some(input)).map(drop)
        })?;
        Ok(())
    }

    /// Returns where its history ends: the lines of its shallow list.
    pub(super) fn shallow(&self) -> Vec<u8> {
        fs::read(self.dir.join("shallow")).unwrap_or_default()
    }

    /// Returns the commit that a ref leads to.
    pub(super) fn commit(&self, reference: &str) -> Result<ObjectId, GitError> {
        let repository = self.open()?;
        let found = repository.find_reference(reference)?;
        // libgit2 peels only what it can read, and a commit's date may be beyond all numbers.
        if let Some(id) = found.target()
            && repository.odb()?.read_header(id)?.1 == git2::ObjectType::Commit
        {
            return Ok(id);
        }
        Ok(found.peel(git2::ObjectType::Commit)?.id())
    }

    /// Returns it as libgit2 reads it.
    pub(super) fn open(&self) -> Result<Repository, GitError> {
        Ok(Repository::open_bare(&self.dir)?)
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    fn path(&self) -> PathBuf {
        git_path(&self.dir)
    }
}

/// Makes a bare repository that borrows from other object directories. libgit2 makes it: git would
/// ask the user's settings for templates, reftable and SHA-256.
pub(super) fn bare(
    dir: &Path,
    borrowed: &[PathBuf],
    shallow: &[u8],
) -> Result<Repository, GitError> {
    let scratch = |source| GitError::Scratch { source };
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false);
    drop(init(dir, &options)?);
    let mut lines = Vec::new();
    for path in borrowed {
        lines.extend_from_slice(git_path(path).as_os_str().as_encoded_bytes());
        lines.push(b'\n');
    }
    if !lines.is_empty() {
        let info = dir.join("objects").join("info");
        fs::create_dir_all(&info).map_err(scratch)?;
        fs::write(info.join("alternates"), lines).map_err(scratch)?;
    }
    set_shallow(dir, shallow)?;
    Ok(Repository::open_bare(dir)?)
}

/// Says where the history of a repository of our own ends.
pub(super) fn set_shallow(dir: &Path, shallow: &[u8]) -> Result<(), GitError> {
    let file = dir.join("shallow");
    let done = match shallow {
        [] => fs::remove_file(&file).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }),
        lines => fs::write(&file, lines),
    };
    done.map_err(|source| GitError::Scratch { source })
}

/// Returns a temporary file with that content.
pub(super) fn file_of(content: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(content)?;
    Ok(file)
}

/// Returns a file to be read from its beginning, once more.
pub(super) fn rewound(file: &File) -> io::Result<File> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(file)
}
