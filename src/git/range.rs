//! Which two commits a run compares, decided from what triggered it. Pure: it names the commits
//! and the fallbacks in order and touches no repository; [`super::source`] then finds them.
//!
//! The comparison is always of two trees, never commit by commit: what changed and changed back
//! is not a change. A force-push is read from the event, never from ancestry, which lies in a
//! shallow clone.

use serde::Serialize;

use crate::names::CommitSha;

/// What started the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A push of a branch or tag.
    Push(Push),
    /// A pull request was opened or updated: a preview.
    PullRequest {
        /// The base branch's commit.
        base: CommitSha,
        /// The pull request's own last commit.
        head: CommitSha,
    },
    /// A merge queue tests a group: a preview.
    MergeGroup {
        /// The commit that the group is based on.
        base: CommitSha,
        /// The group's merge commit.
        head: CommitSha,
    },
    /// `pull_request_target`, which is refused.
    PullRequestTarget,
    /// Any other event of GitHub Actions, by name: it carries no range.
    Other(String),
    /// No event: a person's terminal.
    Local,
}

/// What a push event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The full name of what was pushed, such as `refs/heads/main`.
    pub reference: String,
    /// The commit before the push; none when the branch is new.
    pub before: Option<CommitSha>,
    /// The commit after the push; none when the branch was deleted.
    pub after: Option<CommitSha>,
    /// Whether the push was forced.
    pub forced: bool,
    /// The repository's default branch, without `refs/heads/`.
    pub default_branch: Option<String>,
}

/// What the user asked for by flags; they win over the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--base`
    pub base: Option<String>,
    /// `--head`
    pub head: Option<String>,
    /// `--all`
    pub all: bool,
    /// `--watermarks`: an event without a range has one, each cousin's own.
    pub watermarks: bool,
}

/// Why this range was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A push from a known commit.
    Push,
    /// A push that rewrote the branch.
    ForcedPush,
    /// The first push of a branch.
    NewBranch,
    /// A history's first commit.
    FirstCommit,
    /// A pull request's preview.
    PullRequest,
    /// A merge group's preview.
    MergeGroup,
    /// Named by flags.
    Flags,
    /// Found in a person's clone.
    Local,
    /// Everything, by `--all`.
    All,
    /// Each cousin since its own watermark.
    Watermarks,
    /// Everything that a cousin subscribes to, because it has received nothing so far.
    FirstDelivery,
}

/// A commit to be compared, as far as the decision can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// By its id.
    Commit(CommitSha),
    /// By a revision that the user or git's own `HEAD` gives; tags are peeled.
    Revision(String),
    /// A pull request's: the checked-out merge commit when it merges that commit, else the commit.
    MergeOf(CommitSha),
}

/// Where the base may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A commit that may or may not be obtainable.
    Commit(CommitSha),
    /// A revision that the user named: it must exist.
    Revision(String),
    /// The empty tree: everything at head is new.
    Empty,
    /// Where the default branch and head parted.
    MergeBaseWithBranch(String),
    /// Where that commit and head parted.
    MergeBase(CommitSha),
    /// The first parent of head, when head is a merge that GitHub made for a pull request.
    FirstParentOfMerge,
    /// The upstream of the current branch.
    Upstream,
    /// Head's first parent; the empty tree when head is a history's first commit.
    FirstParent,
}

/// What a run is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, successfully.
    Nothing {
        /// Why, for people.
        why: String,
        /// The commit that the event is about, where there is one.
        head: Option<CommitSha>,
    },
    /// Compare two commits.
    Compare(Comparison),
}

/// The two commits to be compared and what to do then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The head.
    pub head: Head,
    /// Where to look for the base, in order. When none can be had, every path counts as changed.
    pub bases: Vec<Base>,
    /// Why.
    pub reason: Reason,
    /// Whether events are sent; else the run is a preview.
    pub sends: bool,
}

/// Why no range can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The event must not be used.
    #[error("refusing to run on pull_request_target")]
    PullRequestTarget,
    /// The event carries no range.
    #[error("the event \"{0}\" does not say which commits to compare")]
    NoRange(String),
    /// The flags exclude each other.
    #[error("--all and --base exclude each other")]
    AllAndBase,
}

impl RangeError {
    /// Returns what to do instead.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::PullRequestTarget => {
                "it runs with secrets on a stranger's change; use pull_request, whose preview \
                 needs no token, and push for sending"
            }
            Self::NoRange(_) => {
                "give --base REV for what changed since then, or --all for everything"
            }
            Self::AllAndBase => "give one of them",
        }
    }
}

/// Returns what a run with this trigger and these flags is to do: the decision table.
///
/// # Errors
/// [`RangeError`] where there is no right answer.
pub fn decide(trigger: &Trigger, flags: &Flags) -> Result<Decision, RangeError> {
    if flags.all && flags.base.is_some() {
        return Err(RangeError::AllAndBase);
    }
    if *trigger == Trigger::PullRequestTarget {
        return Err(RangeError::PullRequestTarget);
    }
    let sends = !matches!(trigger, Trigger::PullRequest { .. } | Trigger::MergeGroup { .. });
    let by_event = of_trigger(trigger);
    let head = match (&flags.head, &by_event) {
        (Some(head), _) => Some(Head::Revision(head.clone())),
        (None, Ok(Decision::Compare(comparison))) => Some(comparison.head.clone()),
        (None, Ok(Decision::Nothing { head: Some(head), .. })) => Some(Head::Commit(head.clone())),
        (None, Ok(Decision::Nothing { head: None, .. })) => None,
        (None, Err(_)) => Some(Head::Revision("HEAD".to_owned())),
    };
    let by_flags = if flags.all {
        Some((vec![Base::Empty], Reason::All))
    } else {
        flags.base.clone().map(|base| (vec![Base::Revision(base)], Reason::Flags))
    };
    if let (Some(head), Some((bases, reason))) = (&head, by_flags) {
        return Ok(Decision::Compare(Comparison { head: head.clone(), bases, reason, sends }));
    }
    if flags.watermarks
        && let Err(RangeError::NoRange(_)) = by_event
        && let Some(head) = head
    {
        let (bases, reason) = (Vec::new(), Reason::Watermarks);
        return Ok(Decision::Compare(Comparison { head, bases, reason, sends }));
    }
    match by_event? {
        // The upstream belongs to the branch that is checked out, not to a named head.
        Decision::Compare(comparison) if flags.head.is_some() => {
            let bases = match trigger {
                Trigger::Local => vec![Base::FirstParent],
                _ => comparison.bases,
            };
            let head = head.unwrap_or(comparison.head);
            Ok(Decision::Compare(Comparison { head, bases, reason: Reason::Flags, sends }))
        }
        decision => Ok(decision),
    }
}

fn of_trigger(trigger: &Trigger) -> Result<Decision, RangeError> {
    let (head, bases, reason, sends) = match trigger {
        Trigger::Push(push) => return Ok(of_push(push)),
        Trigger::PullRequest { base, head } => (
            Head::MergeOf(head.clone()),
            vec![Base::FirstParentOfMerge, Base::MergeBase(base.clone())],
            Reason::PullRequest,
            false,
        ),
        Trigger::MergeGroup { base, head } => (
            Head::Commit(head.clone()),
            vec![Base::Commit(base.clone())],
            Reason::MergeGroup,
            false,
        ),
        Trigger::Local => (
            Head::Revision("HEAD".to_owned()),
            vec![Base::Upstream, Base::FirstParent],
            Reason::Local,
            true,
        ),
        Trigger::PullRequestTarget => return Err(RangeError::PullRequestTarget),
        Trigger::Other(name) => return Err(RangeError::NoRange(name.clone())),
    };
    Ok(Decision::Compare(Comparison { head, bases, reason, sends }))
}

fn of_push(push: &Push) -> Decision {
    let nothing = |why: &str| Decision::Nothing { why: why.to_owned(), head: push.after.clone() };
    let is_tag = push.reference.starts_with("refs/tags/");
    let Some(after) = push.after.clone() else {
        return nothing(if is_tag { "the tag was deleted" } else { "the branch was deleted" });
    };
    if is_tag {
        return nothing("a tag was pushed; give --base REV to send what changed since then");
    }
    let branch = push.reference.strip_prefix("refs/heads/");
    let default_branch = push.default_branch.as_deref().filter(|name| !name.is_empty());
    // Where head is on the default branch itself they never parted.
    let merge_base = default_branch
        .filter(|name| branch != Some(*name))
        .map(|name| Base::MergeBaseWithBranch(name.to_owned()));
    let (bases, reason) = match (&push.before, push.forced) {
        (Some(before), true) => {
            let bases = [Base::Commit(before.clone())].into_iter().chain(merge_base).collect();
            (bases, Reason::ForcedPush)
        }
        (Some(before), false) => (vec![Base::Commit(before.clone())], Reason::Push),
        (None, _) if merge_base.is_some() => (Vec::from_iter(merge_base), Reason::NewBranch),
        (None, _) => (vec![Base::Empty], Reason::NewBranch),
    };
    Decision::Compare(Comparison { head: Head::Commit(after), bases, reason, sends: true })
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
