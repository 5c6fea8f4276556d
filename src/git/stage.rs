//! The repositories of a rehearsal: an author's, a bare one that is pushed to, and the shallow
//! checkout that a workflow run would have. All are real, made by the git program in a directory
//! of the rehearsal's own; an existing repository is read and pushed from, never changed.

pub mod cousin;
pub mod difference;

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use git2::Oid;

use super::command::{Context, Git, Place, git_path};
use super::fetch::{Remote, is_partial};
use super::refs::{Update, Writer};
use super::{GitError, open};
use crate::names::CommitSha;

/// The sample monorepo's history, in the format of `git fast-import`.
const SAMPLE: &[u8] = include_bytes!("../../fixtures/monorepo.fast-import");

/// A repository whose newest commit is about to be pushed.
#[derive(Debug)]
pub struct Author {
    dir: PathBuf,
    /// The branch that is pushed, without `refs/heads/`.
    pub branch: String,
    /// The commit that the remote has already; none when everything is new.
    pub before: Option<CommitSha>,
    /// The commit that is pushed.
    pub after: CommitSha,
    /// The first line of that commit's message.
    pub subject: String,
    /// The address of the repository's `origin`.
    pub origin: Option<String>,
    /// Whether it is a partial clone, in which objects are missing.
    pub is_partial: bool,
    /// Whether the repository is the rehearsal's own.
    own: bool,
    /// Where the objects are, so that a large repository is not copied.
    objects: PathBuf,
}

impl Author {
    /// Returns the sample monorepo, imported into `dir`.
    ///
    /// # Errors
    /// [`GitError`] when git cannot import it.
    pub fn sample(git: &Git, dir: &Path) -> Result<Self, GitError> {
        let scratch = |source| GitError::Scratch { source };
        std::fs::create_dir_all(dir).map_err(scratch)?;
        let path = git_path(dir);
        let here = || Context { place: Place::Own(&path), ..Context::default() };
        git.run(&here(), ["init", "--quiet", "--bare", "--template="])?;
        git.run(&here(), ["symbolic-ref", "HEAD", "refs/heads/main"])?;
        let mut history = tempfile::tempfile().map_err(scratch)?;
        history.write_all(SAMPLE).and_then(|()| history.rewind()).map_err(scratch)?;
        // The sample holds names that some systems cannot check out; it is never checked out whole.
        let import = [
            "-c",
            "core.ignorecase=false",
            "-c",
            "core.protectNTFS=false",
            "-c",
            "core.protectHFS=false",
            "fast-import",
            "--quiet",
        ];
        git.run_with(&here(), import, Some(history))?;
        Ok(Self { own: true, ..Self::existing(dir)? })
    }

    /// Returns the repository that `dir` lies in, with the last commit of its branch to be pushed.
    ///
    /// # Errors
    /// [`GitError`] when there is none, or no commit in it.
    pub fn existing(dir: &Path) -> Result<Self, GitError> {
        let repository = open(dir)?;
        let head = repository.head().map_err(|_unborn| GitError::Unborn)?;
        let commit = head.peel_to_commit()?;
        let id = |id: Oid| CommitSha::parse(&id.to_string()).ok();
        let branch = head.is_branch().then(|| head.shorthand().ok().map(ToOwned::to_owned));
        let origin = repository.find_remote("origin").ok();
        Ok(Self {
            dir: repository.workdir().unwrap_or_else(|| repository.path()).to_owned(),
            branch: branch.flatten().unwrap_or_else(|| "main".to_owned()),
            before: commit.parent_ids().next().and_then(id),
            after: id(commit.id()).ok_or(GitError::Unborn)?,
            subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())
                .into_owned(),
            origin: origin.and_then(|origin| origin.url().ok().map(ToOwned::to_owned)),
            is_partial: is_partial(&repository),
            own: false,
            objects: repository.commondir().join("objects"),
        })
    }

    /// Returns the repository's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// The repository on the server's side, and a checkout of it.
#[derive(Debug)]
pub struct Stage {
    /// Absolute, as git takes it.
    bare: PathBuf,
}

impl Stage {
    /// Returns an empty bare repository at `dir` that borrows the author's objects.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be made.
    pub fn new(git: &Git, dir: &Path, author: &Author) -> Result<Self, GitError> {
        let scratch = |source| GitError::Scratch { source };
        std::fs::create_dir_all(dir).map_err(scratch)?;
        // Whole, because the author pushes to it from another directory.
        let path = git_path(&std::fs::canonicalize(dir).map_err(scratch)?);
        let here = Context { place: Place::Own(&path), ..Context::default() };
        git.run(&here, ["init", "--quiet", "--bare", "--template="])?;
        git.run(&here, ["symbolic-ref", "HEAD", &format!("refs/heads/{}", author.branch)])?;
        // As GitHub does, so that a shallow checkout can fetch the commit before the push.
        git.run(&here, ["config", "uploadpack.allowFilter", "true"])?;
        git.run(&here, ["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        // The author's clone may itself be shallow.
        git.run(&here, ["config", "receive.shallowUpdate", "true"])?;
        let objects = std::fs::canonicalize(&author.objects).map_err(scratch)?;
        let line = format!("{}\n", git_path(&objects).display());
        std::fs::write(dir.join("objects/info/alternates"), line).map_err(scratch)?;
        Ok(Self { bare: path })
    }

    /// Pushes a commit from the author's repository to its branch.
    ///
    /// # Errors
    /// [`GitError`] when the push is refused.
    pub fn push(&self, git: &Git, author: &Author, commit: &CommitSha) -> Result<(), GitError> {
        let from = git_path(&author.dir);
        let to = self.bare.as_path();
        let refspec = format!("{commit}:refs/heads/{}", author.branch);
        let place = if author.own { Place::Own(&from) } else { Place::Clone(&from) };
        let context = Context { place, local_remote: true, ..Context::default() };
        let args = ["push", "--quiet", "--no-verify", "--end-of-options"].map(str::to_owned);
        let args = args.into_iter().chain([to.to_string_lossy().into_owned(), refspec]);
        git.run(&context, args)?;
        Ok(())
    }

    /// Writes refs below `refs/ecosystem/`, as earlier runs would have.
    ///
    /// # Errors
    /// [`GitError`] when one is refused.
    pub fn write(&self, git: &Git, updates: &[Update]) -> Result<(), GitError> {
        let remote = Remote::new(&self.bare.to_string_lossy(), Path::new("."), "", &[])?;
        let writer = Writer::new(git, &remote, &[self.bare.join("objects")], None)?;
        writer.write(updates)?;
        Ok(())
    }

    /// Makes the checkout that a workflow run would have: the pushed commit, at depth 1.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be cloned.
    pub fn checkout(&self, git: &Git, dir: &Path) -> Result<(), GitError> {
        let slash = if self.bare.to_string_lossy().starts_with('/') { "" } else { "/" };
        // git decodes what stands in a URL.
        let path = self.bare.to_string_lossy().replace('%', "%25");
        let url = format!("file://{slash}{path}");
        let to = git_path(dir);
        let context = Context { local_remote: true, ..Context::default() };
        let args = ["clone", "--quiet", "--depth=1", "--no-checkout", "--template="];
        let args = args.map(str::to_owned).into_iter();
        git.run(
            &context,
            args.chain(["--end-of-options".to_owned(), url, to.to_string_lossy().into_owned()]),
        )?;
        Ok(())
    }
}
