//! Which requests are sent about a cousin, as few as can be, because GitHub counts each: for a
//! cousin that is set up as it should be four, in three round trips (the repository; its workflow
//! files and its `subscriptions.json`; the workflow that listens), and where there are requests to
//! spare a fifth in a fourth trip, for what is turned off. More are sent where they can change what
//! is found: for further workflow files, and for branches when the default branch has no listener,
//! which is `elsewhere`. What is not learned is noted: "cannot tell" never becomes "nothing wrong".

mod elsewhere;

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::answers::{ActionsPermissions, Described, Entry, States, content, entries};
use super::theirs::Subscriptions;
use super::{
    Asker, Elsewhere, Facts, Gaps, Repository, Seen, Speaker, Theirs, Unread, WorkflowFile,
    Workflows,
};
use crate::delivery::requests::Unanswered;
use crate::github::{Read, Reply};
use crate::names::{EventType, RepoName};
use crate::onboarding::workflow::Workflow;
use crate::text;

/// The directory of workflow files. Source: GitHub's documentation, "Workflow syntax".
const WORKFLOWS: [&str; 3] = ["contents", ".github", "workflows"];

/// Up to so many workflow files are all read; of more only the likely ones, and then one by one
/// until one hears the event type: a repository may have dozens, and most are about other things.
const ALL_READ: usize = 5;

/// No more workflow files than this are read of a cousin, called ones included: a thousand of them
/// would use up the requests that the other cousins need.
const MOST_READ: usize = 30;

/// The longest page that GitHub gives, of branches and of workflows.
const PER_PAGE: (&str, &str) = ("per_page", "100");

/// Parts of names that workflows and branches about dispatches tend to have.
const LIKELY: [&str; 9] = [
    "dispatch",
    "sync",
    "upstream",
    "ecosystem",
    "monorepo",
    "follow",
    "receive",
    "update",
    "feature",
];

/// A cousin, and how much is asked about it.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// What it is called in `ecosystem.json`.
    pub(crate) repo: RepoName,
    /// The event type that it is sent.
    pub(crate) event_type: EventType,
    /// Who speaks for it.
    pub(crate) speaker: Speaker,
    /// What is not thorough saves requests: it reads no workflow file behind the first that
    /// listens, and asks not what is turned off.
    pub(crate) thorough: bool,
}

/// Returns what GitHub knows of a cousin.
pub(crate) async fn ask(asker: &Asker, question: &Question) -> Facts {
    let mut about = About { asker, question, repo: question.repo.clone(), gaps: Mutex::default() };
    let repository = match about.get(&[], &[]).await {
        Err(unanswered) => return Facts::only(Seen::Unanswered(unanswered)),
        Ok(reply) => match about.repository(&reply) {
            Some(repository) => repository,
            None => return Facts::only(Seen::Answered(Box::new(reply))),
        },
    };
    // By its new name no further request is redirected.
    about.repo = repository.name.clone();
    if repository.archived || repository.disabled {
        return Facts::only(Seen::Known(repository));
    }
    let (mut workflows, theirs, actions_enabled) =
        tokio::join!(about.workflows(), about.theirs(), about.actions_enabled(&repository));
    let mut elsewhere = Elsewhere::default();
    if let Workflows::Read { files, unread } = &mut workflows {
        if files.iter().any(|file| about.hears(file)) {
            if *unread > 0 && question.thorough {
                about.unknown(
                    &format!("what {unread} more of its workflows do"),
                    &"they were not read",
                );
            }
            about.states(files).await;
            about.called(files).await;
        } else {
            elsewhere = about.elsewhere(&repository.default_branch, files).await;
        }
    }
    let gaps = about.gaps.into_inner().unwrap_or_default();
    let repository = Seen::Known(repository);
    Facts { repository, actions_enabled, workflows, elsewhere, theirs, gaps }
}

/// Returns whether a workflow was read and starts on the event type.
pub(super) fn hears(file: &WorkflowFile, event_type: &EventType) -> bool {
    file.workflow.as_ref().is_ok_and(|workflow| workflow.dispatches().hears(event_type.as_str()))
}

/// The requests about one repository.
struct About<'a> {
    asker: &'a Asker,
    question: &'a Question,
    /// What it is called now.
    repo: RepoName,
    gaps: Mutex<Gaps>,
}

impl About<'_> {
    fn hears(&self, file: &WorkflowFile) -> bool {
        hears(file, &self.question.event_type)
    }

    /// Returns a name that the server sent, fit to be shown.
    fn shown(&self, name: &str) -> String {
        text::shown(self.asker.redacted(name.to_owned()).as_bytes()).into_owned()
    }

    /// Returns the repository that an answer describes.
    fn repository(&self, reply: &Reply) -> Option<Repository> {
        if reply.status != 200 {
            return None;
        }
        let told: Described = serde_json::from_slice(&reply.body).ok()?;
        let branch = told.default_branch.unwrap_or_default();
        Some(Repository {
            name: RepoName::parse(&self.asker.redacted(told.full_name)).ok()?,
            shown_branch: match branch.as_str() {
                "" => "of unknown name".to_owned(),
                branch => self.shown(branch),
            },
            default_branch: branch,
            private: told.private.unwrap_or_default(),
            archived: told.archived.unwrap_or_default(),
            disabled: told.disabled.unwrap_or_default(),
            permissions: told.permissions,
            scopes: reply.oauth_scopes.clone(),
        })
    }

    /// Notes what was not answered.
    fn unanswered(&self, what: &str, why: &dyn std::fmt::Display) {
        if let Ok(mut gaps) = self.gaps.lock() {
            gaps.unanswered.push(format!("{what} ({why})"));
        }
    }

    /// Notes what is not known.
    fn unknown(&self, what: &str, why: &dyn std::fmt::Display) {
        if let Ok(mut gaps) = self.gaps.lock() {
            gaps.unknown.push(format!("{what} ({why})"));
        }
    }

    async fn get(&self, below: &[&str], query: &[(&str, &str)]) -> Result<Reply, Unanswered> {
        let read = Read::new(&self.repo, below, query)
            .map_err(|bad| Unanswered::Unreachable(bad.to_string()))?;
        self.asker.get(&read, self.question.speaker.id).await
    }

    /// Returns the workflow files of the default branch.
    async fn workflows(&self) -> Workflows {
        let entries = match self.listed(None).await {
            Ok(Ok(entries)) => entries,
            Ok(Err(reply)) => return Workflows::Refused(reply),
            Err(unanswered) => return Workflows::Unanswered(unanswered),
        };
        let all = entries.len();
        let mut files = Vec::with_capacity(all.min(MOST_READ));
        for entry in entries {
            let likely =
                is_likely(&entry.name) || entry.name.contains(self.question.event_type.as_str());
            let wanted = (self.question.thorough && (all <= ALL_READ || likely))
                || !files.iter().any(|file| self.hears(file));
            if wanted && files.len() < MOST_READ {
                files.push(self.workflow(&entry, None).await);
            }
        }
        Workflows::Read { unread: all - files.len(), files }
    }

    /// Returns the entries that GitHub takes for workflow files, likely names first; no directory
    /// has none.
    async fn listed(
        &self,
        branch: Option<&str>,
    ) -> Result<Result<Vec<Entry>, Box<Reply>>, Unanswered> {
        let query: Vec<(&str, &str)> = branch.map(|branch| ("ref", branch)).into_iter().collect();
        let reply = self.get(&WORKFLOWS, &query).await?;
        let mut entries: Vec<Entry> = match reply.status {
            200 => entries(&reply)?,
            404 => Vec::new(),
            _ => return Ok(Err(Box::new(reply))),
        };
        entries.retain(|entry| entry.kind != "dir" && is_workflow(&entry.name));
        entries.sort_by_cached_key(|entry| (!is_likely(&entry.name), entry.name.clone()));
        Ok(Ok(entries))
    }

    async fn workflow(&self, entry: &Entry, branch: Option<&str>) -> WorkflowFile {
        let [contents, github, workflows] = WORKFLOWS;
        let query: Vec<(&str, &str)> = branch.map(|branch| ("ref", branch)).into_iter().collect();
        let path = format!(".github/workflows/{}", self.shown(&entry.name));
        let answer = self.get(&[contents, github, workflows, &entry.name], &query).await;
        let workflow = match answer.map(content) {
            Ok(Ok(Some(bytes))) => match String::from_utf8(bytes) {
                Ok(text) => Workflow::parse(&text).map_err(|bad| {
                    let why = format!("line {}: {}", bad.line, bad.message);
                    Unread::Broken(self.asker.redacted(why))
                }),
                Err(_) => Err(Unread::Broken("it is not UTF-8".to_owned())),
            },
            Ok(Ok(None)) => Err(Unread::Broken("there is no such file".to_owned())),
            Ok(Err(Unread::Unclear(why))) => Err(Unread::Unclear(self.asker.redacted(why))),
            Ok(Err(unread)) => Err(unread),
            Err(unanswered) => Err(Unread::Unanswered(unanswered)),
        };
        WorkflowFile { path, sha: entry.sha.clone(), workflow, state: None }
    }

    async fn theirs(&self) -> Theirs {
        let what = "whether its subscriptions.json has the features";
        let bytes = match self.get(&["contents", "subscriptions.json"], &[]).await.map(content) {
            Ok(Ok(None)) => return Theirs::None,
            Ok(Ok(Some(bytes))) => bytes,
            Ok(Err(Unread::Broken(why))) => return Theirs::Unreadable(why),
            Ok(Err(unread)) => {
                self.unknown(what, &self.asker.redacted(unread.to_string()));
                return Theirs::None;
            }
            Err(unanswered) => {
                self.unanswered(what, &unanswered);
                return Theirs::None;
            }
        };
        match Subscriptions::parse(&bytes) {
            Ok(theirs) => Theirs::Read(theirs),
            Err(why) => Theirs::Unreadable(self.asker.redacted(why)),
        }
    }

    /// Asks whether Actions are turned on, which GitHub tells administrators only. Source: REST
    /// documentation, "Get GitHub Actions permissions for a repository".
    async fn actions_enabled(&self, repository: &Repository) -> Option<bool> {
        let admin = repository.permissions.is_some_and(|permissions| permissions.admin);
        if !admin || !self.question.thorough {
            return None;
        }
        let what = "whether Actions are turned on";
        match self.get(&["actions", "permissions"], &[]).await {
            Ok(reply) if reply.status == 200 => {
                let told = serde_json::from_slice::<ActionsPermissions>(&reply.body);
                told.inspect_err(|error| self.unknown(what, error)).ok().map(|told| told.enabled)
            }
            // The role may know, and the token not be allowed to.
            Ok(_) => None,
            Err(unanswered) => {
                self.unanswered(what, &unanswered);
                None
            }
        }
    }

    /// Fills in whether the workflows that listen are turned off, where the token may know: by
    /// people, or by GitHub, which turns one with a schedule off when a public repository has seen
    /// no activity for 60 days. Source: GitHub's documentation, "Disabling and enabling a workflow".
    async fn states(&self, files: &mut [WorkflowFile]) {
        if !self.question.thorough {
            return;
        }
        let what = "whether the workflow that listens is turned on";
        let reply = match self.get(&["actions", "workflows"], &[PER_PAGE]).await {
            Ok(reply) if reply.status == 200 => reply,
            Ok(_) => return,
            Err(unanswered) => return self.unanswered(what, &unanswered),
        };
        let told: States = match serde_json::from_slice(&reply.body) {
            Ok(told) => told,
            Err(error) => return self.unknown(what, &error),
        };
        for file in files.iter_mut() {
            let state = told.workflows.iter().find(|state| state.path == file.path);
            file.state = state.map(|state| state.state.clone());
        }
        if reply.next_page && files.iter().any(|file| self.hears(file) && file.state.is_none()) {
            self.unknown(what, &"it is not among the first 100 that GitHub lists");
        }
    }

    /// Adds the workflows of the repository that the listeners call, and those that these call.
    async fn called(&self, files: &mut Vec<WorkflowFile>) {
        let listens = |file: &&WorkflowFile| self.hears(file);
        let mut waiting: Vec<String> = files.iter().filter(listens).flat_map(calls).collect();
        let mut followed = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            if !followed.insert(path.clone()) {
                continue;
            }
            if let Some(known) = files.iter().find(|file| file.path == path) {
                waiting.extend(calls(known));
                continue;
            }
            let Some(name) = path.strip_prefix(".github/workflows/") else { continue };
            let what = format!("what {} does, which a listener calls", self.shown(&path));
            if !is_workflow(name) || files.len() >= MOST_READ {
                self.unknown(&what, &"it was not read");
                continue;
            }
            let entry = Entry { kind: String::new(), name: name.to_owned(), sha: String::new() };
            let file = self.workflow(&entry, None).await;
            match &file.workflow {
                Ok(_) => waiting.extend(calls(&file)),
                Err(Unread::Unanswered(unanswered)) => self.unanswered(&what, unanswered),
                Err(unread) => self.unknown(&what, unread),
            }
            files.push(file);
        }
    }
}

/// Returns the files that a workflow calls.
fn calls(file: &WorkflowFile) -> Vec<String> {
    let calls = file.workflow.as_ref().map(|workflow| workflow.calls(&BTreeSet::new()));
    calls.unwrap_or_default().into_iter().map(|call| call.path).collect()
}

fn is_likely(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LIKELY.iter().any(|part| name.contains(part))
}

fn is_workflow(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("yml" | "yaml")) && !name.contains('/')
}
