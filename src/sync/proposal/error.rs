//! Why a pull request could not be looked at or changed, and what to do about it.

use crate::delivery::Unanswered;
use crate::github::error::said;
use crate::github::{BadAddress, Reply};
use crate::names::RepoName;

/// Why a request about a pull request came to nothing. The texts are for people: lower case, one
/// line; [`ProposalError::help`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// The repository's or the organization's setting forbids it to its workflows (403).
    #[error("workflows of {0} are not permitted to create pull requests")]
    WorkflowsMayNot(RepoName),
    /// The token has not the permission (403).
    #[error("the token in {token} may not {what} in {repo} ({said})")]
    Forbidden {
        /// What was tried: `open a pull request`.
        what: &'static str,
        /// The cousin.
        repo: RepoName,
        /// The name of the token's variable.
        token: String,
        /// GitHub's own words.
        said: String,
    },
    /// The repository, or what is below it, is not there for the token (404).
    #[error("cannot {what} in {repo}: not found, or the token in {token} cannot see it")]
    NotFound {
        /// What was tried.
        what: &'static str,
        /// The cousin.
        repo: RepoName,
        /// The name of the token's variable.
        token: String,
    },
    /// The repository's plan has no drafts (422).
    #[error("{0} has no draft pull requests, and conflicts are proposed in nothing else")]
    NoDrafts(RepoName),
    /// The branch has nothing that the base has not (422).
    #[error("there is nothing on the branch that the base of the pull request in {0} has not")]
    NothingNew(RepoName),
    /// GitHub says that there is one, and shows none.
    #[error("GitHub says that {0} has a pull request for the branch already, and lists none")]
    Hidden(RepoName),
    /// Another refusal.
    #[error("GitHub does not let us {what} in {repo} ({status}: {said})")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// The cousin.
        repo: RepoName,
        /// The answer's status.
        status: u16,
        /// GitHub's own words.
        said: String,
    },
    /// There was no final answer, or nobody knows what came of it.
    #[error("{0}")]
    Unanswered(#[from] Unanswered),
    /// The answer is not what GitHub documents.
    #[error("GitHub's answer about the pull requests of {0} cannot be read")]
    Unreadable(RepoName),
    /// There is no such address.
    #[error("{0}")]
    Address(#[from] BadAddress),
}

impl ProposalError {
    /// Returns what an answer means that is no success.
    pub(super) fn read(reply: &Reply, what: &'static str, repo: &RepoName, token: &str) -> Self {
        let (repo, token, said) = (repo.clone(), token.to_owned(), said(reply));
        let status = reply.status;
        let lower = said.to_ascii_lowercase();
        match status {
            403 if lower.contains("not permitted to create") => Self::WorkflowsMayNot(repo),
            403 => Self::Forbidden { what, repo, token, said },
            404 => Self::NotFound { what, repo, token },
            422 if lower.contains("draft pull requests are not supported") => Self::NoDrafts(repo),
            422 if lower.contains("no commits between") => Self::NothingNew(repo),
            _ => Self::Refused { what, repo, status, said },
        }
    }

    /// Returns whether it is certain that no pull request was opened.
    #[must_use]
    pub fn opened_nothing(&self) -> bool {
        match self {
            Self::Hidden(_) | Self::Unreadable(_) | Self::Unanswered(Unanswered::Unknown(_)) => {
                false
            }
            Self::WorkflowsMayNot(_)
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::NoDrafts(_)
            | Self::NothingNew(_)
            | Self::Refused { .. }
            | Self::Unanswered(_)
            | Self::Address(_) => true,
        }
    }

    /// Returns a stable word for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WorkflowsMayNot(_) => "may-not-propose",
            Self::NoDrafts(_) => "no-drafts",
            _ => "pull-request",
        }
    }

    /// Returns what to do about it, when there is something to do.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::WorkflowsMayNot(_) => {
                "turn on \"Allow GitHub Actions to create and approve pull requests\" under Settings → \
                 Actions → General (an organization may have turned it off for all), or give the \
                 workflow a token of its own"
            }
            Self::Forbidden { .. } => {
                "give the workflow's job `permissions: pull-requests: write` (and `issues: write` for \
                 labels), or the token \"Pull requests: read and write\" there (the scope repo of a \
                 classic token)"
            }
            Self::NotFound { .. } => {
                "check the repository's name, and that the token may read pull requests there"
            }
            Self::NoDrafts(_) => {
                "run with --conflict fail and bring the update in by hand, or make the repository \
                 public or its plan one with draft pull requests"
            }
            Self::NothingNew(_) => "look at whether the branch was pushed, and run again",
            Self::Hidden(_) => {
                "look at whether the repository or its owner was renamed, and write the new name"
            }
            Self::Unreadable(_) => "check GITHUB_API_URL",
            Self::Refused { .. } | Self::Unanswered(_) | Self::Address(_) => return None,
        })
    }
}
