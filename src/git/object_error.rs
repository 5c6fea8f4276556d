//! Why objects cannot be read or written as asked: one that is not here, a tree that git would not
//! write, a place that cannot be written. Each names the object or the path; nothing is guessed
//! about what is absent.

use git2::Oid;

use super::tree::TreeError;
use crate::text::shown;

/// Why objects cannot be read or written as asked.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// An object is needed and not here.
    #[error("the {kind} {id} is not here")]
    Absent {
        /// What it is.
        kind: &'static str,
        /// Its id.
        id: Oid,
    },
    /// An object is here and is not what it should be.
    #[error("the {kind} {id} cannot be read: {why}")]
    Damaged {
        /// What it should be.
        kind: &'static str,
        /// Its id.
        id: Oid,
        /// Why.
        why: String,
    },
    /// An entry of a tree, or a path to be written, is none that git writes.
    #[error("the entry {} is refused: {why}", place(path))]
    BadEntry {
        /// Its path.
        path: Vec<u8>,
        /// Why.
        why: &'static str,
    },
    /// A directory is larger than anything that is read.
    #[error("the directory is too large: {limit}, at {}", place(path))]
    TooLarge {
        /// Where the limit was passed.
        path: Vec<u8>,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A directory is to be written below something that is none.
    #[error("{} is not a directory, so nothing can be put below it", place(path))]
    NotADirectory {
        /// What is in the way.
        path: Vec<u8>,
    },
    /// The work tree holds what would be lost, or what would lead elsewhere.
    #[error("the work tree is left as it is: {}", list(paths))]
    WorkTree {
        /// The paths, each with why.
        paths: Vec<(Vec<u8>, &'static str)>,
    },
    /// A file of the work tree cannot be read or written.
    #[error("cannot {what} {}: {source}", place(path))]
    File {
        /// What was attempted.
        what: &'static str,
        /// Its path.
        path: Vec<u8>,
        /// Why.
        source: std::io::Error,
    },
    /// The history that is here does not tell, and more of it cannot be had.
    #[error("cannot tell which commits {tip} has beyond {base}: the history is cut off")]
    CutOff {
        /// The newer commit.
        tip: Oid,
        /// The older one.
        base: Oid,
    },
}

impl ObjectError {
    /// Returns what to do next.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Absent { .. } | Self::Damaged { .. } => {
                "run `git fsck` in the clone; one that is shallow or partial needs an origin that \
                 can be reached"
            }
            Self::BadEntry { .. } => "see `git ls-tree` there; a repository with it is damaged",
            Self::TooLarge { .. } => "subscribe to a smaller directory",
            Self::NotADirectory { .. } => "name another directory, or remove what is in the way",
            Self::WorkTree { .. } => "commit, move or remove them, then try again",
            Self::File { .. } => "see who may write there, and whether the disk is full",
            Self::CutOff { .. } => "fetch the whole history with `git fetch --unshallow`",
        }
    }
}

impl From<TreeError> for ObjectError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Missing(id) => Self::Absent { kind: "tree", id },
            TreeError::Damaged(id, why) => Self::Damaged { kind: "tree", id, why },
        }
    }
}

/// How many paths an error lists.
const LISTED: usize = 20;

fn place(path: &[u8]) -> String {
    format!("\"{}\"", shown(path))
}

fn list(paths: &[(Vec<u8>, &'static str)]) -> String {
    let mut listed: Vec<String> =
        paths.iter().take(LISTED).map(|(path, why)| format!("{} {why}", place(path))).collect();
    if let Some(more) = paths.len().checked_sub(LISTED).filter(|more| *more > 0) {
        listed.push(format!("and {more} more"));
    }
    listed.join("; ")
}
