//! What GitHub knows of a cousin: whether it is there, can be written to, and listens. `asking`
//! sends the requests, as few as can be, and returns `Facts`; `judging` turns facts into
//! findings, without a clock and without a client. Nothing here writes: whether a dispatch would
//! be taken is read from permissions, never tried.

mod access;
mod answers;
mod asking;
mod judging;
mod listeners;
mod theirs;

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::requests::{RequestSettings, Requests, Unanswered};
use crate::delivery::{self, Reason, SystemClock};
use crate::github::auth::TokenForm;
use crate::github::error::token_of;
use crate::github::{Client, Read, Reply, TokenId};
use crate::names::{EventType, RepoName};
use crate::onboarding::workflow::Workflow;

pub(crate) use asking::{Question, ask};
pub(crate) use judging::{Subject, Verdict, judge, not_asked, token_missing};

/// Asks GitHub, at GitHub's pace.
pub(crate) struct Asker {
    client: Arc<Client>,
    requests: Requests<Client, SystemClock>,
}

impl Asker {
    /// Returns one that has asked nothing yet.
    pub(crate) fn new(client: Client, settings: RequestSettings) -> Self {
        let client = Arc::new(client);
        let clock = SystemClock::start();
        let requests = Requests::new(Arc::clone(&client), clock, settings, delivery::random);
        Self { client, requests }
    }

    /// Returns how long everything waits, and for what, while nothing is in flight.
    pub(crate) fn waiting(&self) -> Option<(Duration, Reason)> {
        self.requests.waiting()
    }

    /// Returns how many requests were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.requests.sent()
    }

    /// Gives back the tokens that were minted for an App.
    pub(crate) async fn give_tokens_back(&self) {
        self.client.give_tokens_back().await;
    }

    /// Returns GitHub's final answer.
    async fn get(&self, read: &Read, token: TokenId) -> Result<Reply, Unanswered> {
        // Names in it were chosen by the server, which may repeat what it was sent.
        let shown = self.redacted(read.to_string());
        tracing::debug!("{shown}");
        let answer = self.requests.get(read, token).await;
        match &answer {
            Ok(reply) => tracing::debug!("{shown}: answered {}", reply.status),
            Err(unanswered) => tracing::debug!("{shown}: {unanswered}"),
        }
        answer
    }

    /// Takes the run's tokens out of a text that a server sent and that will be shown: one that
    /// repeats what it was sent must not put it into a log.
    pub(crate) fn redacted(&self, text: String) -> String {
        self.client.redacted(text)
    }
}

/// The token that speaks for a cousin.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    /// Which one.
    pub(crate) id: TokenId,
    /// The variable that it came from, or whose App's it is.
    pub(crate) variable: String,
    /// What kind it is, as far as its form tells.
    pub(crate) form: TokenForm,
    /// Whether it is the one that GitHub Actions makes for each job.
    pub(crate) built_in: bool,
}

impl Speaker {
    /// Returns what the token is called in a sentence.
    pub(crate) fn token(&self) -> String {
        token_of(&self.variable)
    }
}

/// What was learned about a cousin.
#[derive(Debug)]
pub(crate) struct Facts {
    /// What there is to say of the repository itself.
    pub(crate) repository: Seen,
    /// Whether Actions are turned on, where the token may know.
    pub(crate) actions_enabled: Option<bool>,
    /// The workflows of the default branch.
    pub(crate) workflows: Workflows,
    /// The workflows of other branches.
    pub(crate) elsewhere: Elsewhere,
    /// The cousin's own list of subscriptions.
    pub(crate) theirs: Theirs,
    /// What could not be learned.
    pub(crate) gaps: Gaps,
}

/// What could not be learned about a cousin, each in words fit to be shown: that nothing speaks
/// against it is not known then.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// What GitHub did not answer: asked again, it may.
    pub(crate) unanswered: Vec<String>,
    /// What GitHub would not tell, or what was not asked to save requests.
    pub(crate) unknown: Vec<String>,
}

/// What the branches besides the default one have.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// A workflow that hears the event type: the branch and the file's path.
    pub(crate) found: Option<(String, String)>,
    /// What was not looked at, and why.
    pub(crate) unseen: Option<String>,
}

/// What GitHub answered about a repository.
#[derive(Debug)]
pub(crate) enum Seen {
    /// What it is.
    Known(Repository),
    /// Something else than a description of it.
    Answered(Box<Reply>),
    /// Nothing that can be used.
    Unanswered(Unanswered),
}

/// A repository as GitHub describes it.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    /// What it is called now.
    pub(crate) name: RepoName,
    /// The default branch, as it is called; empty where GitHub did not say.
    pub(crate) default_branch: String,
    /// The default branch, fit to be shown.
    pub(crate) shown_branch: String,
    pub(crate) private: bool,
    pub(crate) archived: bool,
    pub(crate) disabled: bool,
    /// What the token's owner may do there, where GitHub says so.
    pub(crate) permissions: Option<Permissions>,
    /// The scopes of a classic token, where GitHub names them.
    pub(crate) scopes: Option<String>,
}

/// What a role in a repository allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Permissions {
    pub(crate) admin: bool,
    pub(crate) push: bool,
}

/// The workflow files of a branch.
#[derive(Debug)]
pub(crate) enum Workflows {
    /// They were not asked for, because nothing can be sent anyway.
    NotAsked,
    /// The directory was listed.
    Read {
        /// The files that were read.
        files: Vec<WorkflowFile>,
        /// How many more there are.
        unread: usize,
    },
    /// The token may not read them.
    Refused(Box<Reply>),
    /// GitHub did not say.
    Unanswered(Unanswered),
}

/// One workflow file.
#[derive(Debug)]
pub(crate) struct WorkflowFile {
    /// Its path in the repository.
    pub(crate) path: String,
    /// The id of its content; empty where GitHub did not say.
    pub(crate) sha: String,
    /// What it says, or why that cannot be told.
    pub(crate) workflow: Result<Workflow, Unread>,
    /// Whether GitHub has turned it off or people have, in GitHub's word: `disabled_inactivity`.
    pub(crate) state: Option<String>,
}

/// Why a workflow file says nothing.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is no workflow: GitHub starts nothing from it either.
    Broken(String),
    /// The token may not read it.
    Refused(Box<Reply>),
    /// GitHub did not answer.
    Unanswered(Unanswered),
    /// What GitHub answered cannot be read.
    Unclear(String),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(why) | Self::Unclear(why) => f.write_str(why),
            Self::Unanswered(why) => why.fmt(f),
            Self::Refused(reply) => f.write_str(&answers::unexpected(reply)),
        }
    }
}

/// The cousin's own `subscriptions.json`.
#[derive(Debug)]
pub(crate) enum Theirs {
    /// It has none, or it was not asked for.
    None,
    /// What it follows.
    Read(theirs::Subscriptions),
    /// There is one, and this is why it cannot be read.
    Unreadable(String),
}

impl Facts {
    /// Returns the workflow that hears the event type, the first of them.
    pub(crate) fn listener(&self, event_type: &EventType) -> Option<String> {
        let Workflows::Read { files, .. } = &self.workflows else { return None };
        let heard = files.iter().find(|file| asking::hears(file, event_type));
        heard.map(|file| file.path.clone())
    }

    /// Returns whether not even the first question was answered.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.repository, Seen::Unanswered(Unanswered::Unreachable(_)))
    }

    /// Returns facts of a repository that nothing more is asked about.
    pub(crate) fn only(repository: Seen) -> Self {
        Self {
            repository,
            actions_enabled: None,
            workflows: Workflows::NotAsked,
            elsewhere: Elsewhere::default(),
            theirs: Theirs::None,
            gaps: Gaps::default(),
        }
    }
}
