//! The pull request of a sync: its text ([`Proposal`]; of the one that brings a cousin in,
//! [`Invitation`]), what it remembers ([`Marker`]), what is to be
//! done ([`decide`]) and the doing ([`Proposals`]). There is one open pull request for a branch, its
//! text is ours and rolls on with the branch; what a person writes below it, and a pull request that
//! a person has closed, are left alone. What others wrote stands in code spans that it cannot leave.

use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::sync::dependencies;
use crate::sync::message::{UpstreamCommit, defused, last_columns};
use crate::text::shown;

mod body;
mod decision;
mod error;
mod invitation;
mod labels;
mod listing;
mod marker;
mod pulls;

pub(in crate::sync) use body::plain;
pub use decision::{Action, Standing, Wanted, decide};
pub use error::ProposalError;
pub use invitation::Invitation;
pub use labels::LABELS;
pub(in crate::sync) use labels::set as set_labels;
pub use listing::Pull;
pub use marker::Marker;
pub use pulls::{Opened, Proposals};

/// How long a title gets, in columns, before what is in it is defused, which may make a path half as
/// long again: GitHub takes 256 characters.
const TITLE: usize = 170;

/// What a pull request proposes. Everything but the names was written by others.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// The features that it brings, at least one.
    pub features: &'a [FeaturePath],
    /// The cousin's directory that they are brought to; `.` is its root.
    pub into: &'a FeaturePath,
    /// The monorepo.
    pub source: &'a RepoName,
    /// The page of the server that both are on, such as `https://github.com`.
    pub server: &'a str,
    /// The upstream commit that was applied before; none the first time.
    pub previous: Option<&'a CommitSha>,
    /// The upstream commit that is brought.
    pub commit: &'a CommitSha,
    /// The tree, in hexadecimal, of what is proposed: when a person closes the pull request, it is
    /// not opened again before this is another.
    pub tree: &'a str,
    /// How it is applied, in a word: `merge`, `copy` …
    pub method: &'a str,
    /// The upstream commits that it brings, oldest first.
    pub commits: &'a [UpstreamCommit],
    /// The files of the cousin that change.
    pub files: &'a [FileChange],
    /// What changed in the dependencies.
    pub dependencies: &'a [dependencies::Change],
    /// What a person must decide.
    pub conflicts: &'a [ConflictNote],
    /// What else the reader must know or do, each a sentence of ours.
    pub notes: &'a [String],
    /// The page of the run.
    pub run_url: Option<&'a str>,
}

/// A file of the cousin that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path from the cousin's root.
    pub path: Vec<u8>,
    /// What happens to it.
    pub status: FileStatus,
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileStatus {
    /// It was not there.
    Added,
    /// Its content or mode changes.
    Modified,
    /// It is gone.
    Deleted,
}

/// A conflict, and what it is in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictNote {
    /// The file's path from the cousin's root.
    pub path: Vec<u8>,
    /// What is in conflict, without a full stop: `both sides changed the same lines`.
    pub what: String,
}

impl Proposal<'_> {
    /// Returns the title, on one line: what is brought, from where.
    #[must_use]
    pub fn title(&self) -> String {
        let from = format!(" from {}@{}", self.source, self.commit.short());
        let what = match self.features {
            [feature] => shown(feature.as_bytes()).into_owned(),
            features => format!("{} features", features.len()),
        };
        let room = TITLE.saturating_sub(from.len()).max(20);
        defused(&format!("Update {}{from}", last_columns(&what, room)))
    }

    /// Returns the text, of less than 60,000 characters, which begins with its [`Marker`].
    #[must_use]
    pub fn body(&self) -> String {
        body::body(self, body::LONGEST)
    }

    /// Returns what the text remembers.
    #[must_use]
    pub fn marker(&self) -> Marker {
        Marker::new(self.features, self.commit, self.tree)
    }
}

/// What a pull request says: a title and a text of ours, which roll on with its branch.
pub trait Text {
    /// Returns the title, on one line.
    fn title(&self) -> String;

    /// Returns the text, of at most `room` characters or as short as it can be. It begins with the
    /// line of its [`Marker`], and behind its end people may write.
    fn within(&self, room: usize) -> String;
}

impl Text for Proposal<'_> {
    fn title(&self) -> String {
        Proposal::title(self)
    }

    fn within(&self, room: usize) -> String {
        body::body(self, room)
    }
}

#[cfg(test)]
mod tests;
