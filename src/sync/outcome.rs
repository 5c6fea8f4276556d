//! How a sync ended, as plain values: one [`Brought`] for each thing that was to be brought, with
//! the steps that it took. `report` renders them; nothing here decides.

use crate::git::GitError;
use crate::git::upstream::UpstreamError;
use crate::names::{CommitSha, FeaturePath};
use crate::sync::dependencies;
use crate::sync::lock::LockError;
use crate::sync::merge::Conflict;
use crate::sync::paths::Refused;

/// How the sync of a feature ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A pull request was opened.
    Proposed,
    /// An open pull request was brought up to date.
    Updated,
    /// The open pull request was closed: there is no difference any more.
    Closed,
    /// A local branch has the commit; nothing was pushed.
    Committed,
    /// The work tree has the changes; nothing was committed.
    Applied,
    /// A pull request with the same content was closed unmerged: it is not opened again.
    Snoozed,
    /// The cousin has it already.
    NothingToDo,
    /// The cousin does not subscribe to it.
    NotSubscribed,
    /// A person's commits are on the branch, and ours conflicts with them: a comment says so.
    Commented,
    /// The claim is not true, or what upstream holds may not be written.
    Refused,
    /// It could not be done.
    Failed,
}

impl Outcome {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 11] = [
        Self::Proposed,
        Self::Updated,
        Self::Closed,
        Self::Committed,
        Self::Applied,
        Self::Snoozed,
        Self::NothingToDo,
        Self::NotSubscribed,
        Self::Commented,
        Self::Refused,
        Self::Failed,
    ];

    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Committed => "committed",
            Self::Applied => "applied",
            Self::Snoozed => "snoozed",
            Self::NothingToDo => "nothing-to-do",
            Self::NotSubscribed => "not-subscribed",
            Self::Commented => "commented",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Returns whether nobody has to do anything but to look at a pull request.
    #[must_use]
    pub fn is_fine(self) -> bool {
        !matches!(self, Self::Commented | Self::Refused | Self::Failed)
    }
}

/// A step of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Is it for us?
    Subscribed,
    /// Is it true?
    Verified,
    /// The trees were merged or copied.
    Applied,
    /// The result holds what it should.
    Proven,
    /// The lock file says so, and there is a commit.
    Recorded,
    /// The branch is at the cousin's remote.
    Pushed,
    /// There is a pull request.
    Proposed,
}

impl Stage {
    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Verified => "verified",
            Self::Applied => "applied",
            Self::Proven => "proven",
            Self::Recorded => "recorded",
            Self::Pushed => "pushed",
            Self::Proposed => "proposed",
        }
    }
}

/// A step that was taken, or at which the sync ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// Whether the sync went on behind it, or it was the last.
    pub passed: bool,
    /// What was found, a line for people.
    pub said: String,
}

/// Why a sync went no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable word for programs.
    pub code: &'static str,
    /// What happened, lower case.
    pub message: String,
    /// What to do next; empty where nothing is to be said.
    pub help: String,
    /// Whether it is a refusal: trying again changes nothing.
    pub refused: bool,
}

impl Trouble {
    /// Returns a trouble with its word for programs, what happened and what to do next.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), refused: false }
    }

    /// Returns a refusal.
    #[must_use]
    pub fn refused(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { refused: true, ..Self::new(code, message, help) }
    }
}

impl From<GitError> for Trouble {
    fn from(error: GitError) -> Self {
        Self::new("git", error.to_string(), error.help())
    }
}

impl From<UpstreamError> for Trouble {
    fn from(error: UpstreamError) -> Self {
        Self::new("upstream", error.to_string(), error.help())
    }
}

impl From<LockError> for Trouble {
    fn from(error: LockError) -> Self {
        Self::new("lock-file", error.to_string(), error.help())
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::refused("path-refused", refused.to_string(), refused.help())
    }
}

/// How a path of the cousin changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content, mode or type is another.
    Modified,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
        }
    }
}

/// A path of the cousin that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From the cousin's root.
    pub path: Vec<u8>,
    /// How.
    pub kind: ChangeKind,
}

/// A pull request, as it was opened or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number; none where it would only be opened.
    pub number: Option<u64>,
    /// Its page.
    pub url: Option<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its title.
    pub title: String,
    /// Its text, Markdown.
    pub body: String,
}

/// What became of one feature, or of several that are brought in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The features, each with where it is put (from the cousin's root; empty is the root itself).
    pub features: Vec<(FeaturePath, Vec<u8>)>,
    /// The method, as `subscriptions.json` names it; none where it is not subscribed to.
    pub method: Option<&'static str>,
    /// The upstream commit that was to be brought; none where that was not found out.
    pub commit: Option<CommitSha>,
    /// The upstream commit that the cousin had before.
    pub previous: Option<CommitSha>,
    /// The event's.
    pub dispatch_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it went no further, where it did not.
    pub trouble: Option<Trouble>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The paths that change, sorted; without the lock file.
    pub changes: Vec<Change>,
    /// What upstream and the cousin both changed; paths from the cousin's root.
    pub conflicts: Vec<Conflict>,
    /// What changes in declared dependencies.
    pub dependencies: Vec<dependencies::Change>,
    /// A table of how many lines change in which file.
    pub diff_stat: Option<String>,
    /// The branch, without `refs/heads/`.
    pub branch: Option<String>,
    /// The commit that was made.
    pub made: Option<CommitSha>,
    /// The pull request.
    pub pull_request: Option<PullRequest>,
    /// The pages of the issues that tell of the failure.
    pub issues: Vec<String>,
    /// The commands by which a person finishes it.
    pub by_hand: Option<String>,
}

impl Brought {
    /// Returns one that has not begun.
    #[must_use]
    pub fn new(
        features: Vec<(FeaturePath, Vec<u8>)>,
        method: Option<&'static str>,
        dispatch_id: Option<String>,
    ) -> Self {
        Self {
            features,
            method,
            commit: None,
            previous: None,
            dispatch_id,
            outcome: Outcome::NothingToDo,
            trouble: None,
            steps: Vec::new(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            dependencies: Vec::new(),
            diff_stat: None,
            branch: None,
            made: None,
            pull_request: None,
            issues: Vec::new(),
            by_hand: None,
        }
    }

    /// Notes a step after which the sync goes on.
    pub fn pass(&mut self, stage: Stage, said: impl Into<String>) {
        self.steps.push(Step { stage, passed: true, said: said.into() });
    }

    /// Notes the step at which the sync ends well.
    pub fn end(&mut self, stage: Stage, outcome: Outcome, said: impl Into<String>) {
        self.pass(stage, said);
        self.outcome = outcome;
    }

    /// Notes the step at which the sync ends with a trouble.
    pub fn fail(&mut self, stage: Stage, trouble: Trouble) {
        self.steps.push(Step { stage, passed: false, said: trouble.message.clone() });
        self.outcome = if trouble.refused { Outcome::Refused } else { Outcome::Failed };
        self.trouble = Some(trouble);
    }
}
