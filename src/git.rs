//! The monorepo as git keeps it: which commits a run compares ([`range`]), where their objects
//! come from ([`source`], [`fetch`]), what differs between them ([`changes`]), and the repositories
//! of a rehearsal ([`stage`]), which are served (`serve`) and kept (`hosted`) as GitHub would. And
//! the cousin as a sync sees it: its clone ([`cousin`]), the source's trusted branch ([`upstream`]),
//! and a repository of our own to work in ([`workshop`]). libgit2 reads and writes objects; the git
//! program does the network, through the one constructor in [`command`]. No other module knows
//! either of them, but for the ids of libgit2.

mod ancestry;
pub mod changes;
pub mod command;
mod command_error;
pub mod cousin;
pub mod fetch;
pub mod files;
pub mod history;
pub(crate) mod hosted;
pub mod interrupt;
mod ladder;
mod object_error;
mod parting;
mod porcelain;
pub mod range;
mod record;
pub mod refs;
mod revision;
#[cfg(test)]
mod sandbox;
pub(crate) mod serve;
pub mod source;
pub mod stage;
mod store;
pub mod tree;
pub mod upstream;
pub mod workshop;

use std::path::{Path, PathBuf};
use std::sync::Once;

pub use git2::Repository;
use git2::{ErrorCode, RepositoryInitOptions, RepositoryOpenFlags};

use command::CommandError;
pub use object_error::ObjectError;

/// Why the monorepo could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository.
    #[error("{} is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// There is nothing at all at that path.
    #[error("there is no directory {}", .0.display())]
    NoDirectory(PathBuf),
    /// The repository is of a kind that libgit2 does not read.
    #[error("cannot open the repository: {message}")]
    Unsupported {
        /// What libgit2 says.
        message: String,
        /// What to do.
        help: String,
        /// Whether a clone of it would be read: it is the clone that is odd, not the history.
        by_remote: bool,
    },
    /// The branch has no commit yet.
    #[error("the branch has no commit yet")]
    Unborn,
    /// A revision leads nowhere.
    #[error("cannot find the commit {revision}{cause}")]
    UnknownRevision {
        /// The revision, quoted.
        revision: String,
        /// Why, beginning with a colon, or nothing.
        cause: String,
        /// What to do.
        help: String,
    },
    /// The remote's address is refused.
    #[error("{message}")]
    BadRemote {
        /// Why.
        message: String,
        /// What to write.
        help: String,
    },
    /// No temporary directory for the scratch repository.
    #[error("cannot make a temporary directory: {source}")]
    Scratch {
        /// Why.
        source: std::io::Error,
    },
    /// Head's trees cannot be read, here or from the remote.
    #[error("cannot read the tree of {head}: {cause}")]
    UnreadableHead {
        /// The commit.
        head: String,
        /// Why.
        cause: String,
    },
    /// Both commits are there, and a tree of one of them cannot be read.
    #[error("cannot compare {base} with {head}: {cause}")]
    Incomparable {
        /// The base.
        base: String,
        /// The head.
        head: String,
        /// Why, on each rung that was tried.
        cause: String,
    },
    /// A file of head's tree is larger than anything that is read.
    #[error("{path} has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its bytes.
        size: usize,
        /// The most that is read.
        limit: usize,
    },
    /// An object is not here or not what it should be, or a place cannot be written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The git program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// libgit2 failed.
    #[error("{}", .0.message())]
    Libgit2(#[from] git2::Error),
}

impl GitError {
    /// Returns what went wrong, without the name of the commit that everything here is about.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::UnknownRevision { cause, .. } if !cause.is_empty() => {
                cause.trim_start_matches(": ").to_owned()
            }
            Self::UnreadableHead { cause, .. } => cause.clone(),
            error => error.to_string(),
        }
    }

    /// Returns what to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotARepository(_) => "run it in a clone, or name one with -C DIR",
            Self::NoDirectory(_) => "see that -C names a directory that exists",
            Self::Unsupported { help, .. }
            | Self::UnknownRevision { help, .. }
            | Self::BadRemote { help, .. } => return help.clone(),
            Self::TooLarge { .. } => "see whether that is the right file",
            Self::Unborn => "commit something first",
            Self::Scratch { .. } => "set TMPDIR to a directory that can be written",
            Self::UnreadableHead { .. } | Self::Incomparable { .. } => {
                "run `git fsck` to see whether the repository is whole; a damaged clone can be \
                 cloned anew"
            }
            Self::Object(error) => error.help(),
            Self::Command(error) => error.help(),
            Self::Libgit2(_) => "run `git fsck` to see whether the repository is whole",
        }
        .to_owned()
    }
}

/// Returns the repository that `dir` lies in: a work tree, a linked one or a bare repository.
///
/// # Errors
/// Says when there is none, and when libgit2 does not read its kind, what to do instead.
pub fn open(dir: &Path) -> Result<Repository, GitError> {
    prepare();
    let none: [&Path; 0] = [];
    Repository::open_ext(dir, RepositoryOpenFlags::empty(), none).map_err(|error| {
        if error.code() == ErrorCode::NotFound {
            if !dir.exists() {
                return GitError::NoDirectory(dir.to_owned());
            }
            return GitError::NotARepository(dir.to_owned());
        }
        unsupported(&error)
    })
}

/// Makes a repository of our own.
pub(crate) fn init(dir: &Path, options: &RepositoryInitOptions) -> Result<Repository, GitError> {
    prepare();
    Ok(Repository::init_opts(dir, options)?)
}

fn unsupported(error: &git2::Error) -> GitError {
    let message = crate::text::shown(error.message().as_bytes()).into_owned();
    let (help, by_remote) = if message.contains("refstorage") {
        let help = "its refs are in the reftable format, which libgit2 does not read: run `git refs \
                    migrate --ref-format=files` in a copy, and name that with -C DIR";
        (help, true)
    } else if message.contains("objectformat") || message.contains("sha256") {
        let help = "its objects have SHA-256 ids, and GitHub's events speak of SHA-1: use a SHA-1 \
                    repository";
        (help, false)
    } else {
        ("see `git status` there, or name another clone with -C DIR", true)
    };
    GitError::Unsupported { message, help: help.to_owned(), by_remote }
}

/// Sets libgit2's global options, once for the process.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // git does not hash again what it reads from a pack either; the walk reads many trees.
        git2::opts::strict_hash_verification(false);
        // Each tree is read once: a cache of them is only memory to fill and to free.
        git2::opts::enable_caching(false);
        #[expect(
            unsafe_code,
            reason = "these set global options of libgit2, before its first use, under a Once. The \
                      owner of the clone is not checked: a container job's workspace belongs to \
                      another user, we only read objects, and the git program still checks"
        )]
        // SAFETY: no other thread uses libgit2 yet.
        unsafe {
            let _ = git2::opts::set_verify_owner_validation(false);
            let _ = git2::opts::set_extensions(&[
                "partialclone",
                "worktreeconfig",
                "relativeworktrees",
                "preciousobjects",
            ]);
        }
    });
}
