//! The issues of a repository as plain data: numbers, labels, comments, and who wrote what. Pull
//! requests are issues here as they are on GitHub. Who may do what is the tokens' matter, and how
//! it is shown and changed over HTTP that of `issues`.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// An issue or pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number in the repository, counted from 1.
    pub number: u64,
    /// The title.
    pub title: String,
    /// The text, if it has one.
    pub body: Option<String>,
    /// Whether it is open.
    pub open: bool,
    /// Why it is in its state: `completed`, `not_planned`, `duplicate` or `reopened`.
    pub state_reason: Option<String>,
    /// The labels' names.
    pub labels: Vec<String>,
    /// Who wrote it.
    pub author: Author,
    /// Whether it is a pull request.
    pub pull_request: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed or commented on.
    pub updated_at: Timestamp,
    /// What was said about it, in order.
    pub comments: Vec<Comment>,
}

/// What a pull request has beyond an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The branch that is proposed, of the same repository.
    pub head: String,
    /// The branch that it is to land on.
    pub base: String,
    /// The commit that the head branch is or, once closed, was at.
    pub head_sha: String,
    /// The same of the base branch.
    pub base_sha: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// When it was merged, if it was.
    pub merged_at: Option<Timestamp>,
    /// The commit by which it was merged.
    pub merge_commit_sha: Option<String>,
}

/// A comment on an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Who wrote it.
    pub author: Author,
    /// The text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Who writes issues and comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The login.
    pub login: String,
    /// Whether it is an App and no person.
    pub bot: bool,
    /// What GitHub says of the author's part in the repository: `OWNER`, `COLLABORATOR`, `NONE` …
    pub association: String,
}

impl Author {
    /// Returns a person with that part in the repository.
    #[must_use]
    pub fn person(login: &str, association: &str) -> Self {
        Self { login: login.to_owned(), bot: false, association: association.to_owned() }
    }

    /// Returns an App.
    #[must_use]
    pub fn app(login: &str) -> Self {
        Self { login: format!("{login}[bot]"), bot: true, association: "NONE".to_owned() }
    }
}

/// What somebody writes as an issue, for tests that are that somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) author: Author,
    pub(super) open: bool,
    pub(super) pull_request: bool,
}

impl Draft {
    /// Returns an open issue with this text and no label.
    #[must_use]
    pub fn by(author: Author, title: &str, body: &str) -> Self {
        Self {
            title: title.to_owned(),
            body: Some(body.to_owned()),
            labels: Vec::new(),
            author,
            open: true,
            pull_request: false,
        }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: &str) -> Self {
        self.labels.push(name.to_owned());
        self
    }

    /// Closes it.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.open = false;
        self
    }

    /// Makes it a pull request.
    #[must_use]
    pub fn pull_request(mut self) -> Self {
        self.pull_request = true;
        self
    }
}

/// The issues of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tracker {
    issues: Vec<Issue>,
    proposed: BTreeMap<u64, Proposed>,
}

impl Tracker {
    /// Adds an issue and returns its number.
    pub(super) fn open(&mut self, draft: Draft, now: Timestamp) -> u64 {
        let number = self.issues.last().map_or(0, |last| last.number) + 1;
        let Draft { title, body, labels, author, open, pull_request } = draft;
        self.issues.push(Issue {
            number,
            title,
            body,
            open,
            state_reason: (!open).then(|| "completed".to_owned()),
            labels,
            author,
            pull_request,
            created_at: now,
            updated_at: now,
            comments: Vec::new(),
        });
        number
    }

    /// Adds a pull request and returns its number.
    pub(super) fn propose(&mut self, draft: Draft, proposed: Proposed, now: Timestamp) -> u64 {
        let number = self.open(draft.pull_request(), now);
        self.proposed.insert(number, proposed);
        number
    }

    /// Returns the pull requests that were made of branches, oldest first.
    pub(super) fn pulls(&self) -> impl Iterator<Item = (&Issue, &Proposed)> {
        self.issues.iter().filter_map(|it| Some((it, self.proposed.get(&it.number)?)))
    }

    pub(super) fn pull(&self, number: u64) -> Option<(&Issue, &Proposed)> {
        Some((self.get(number)?, self.proposed.get(&number)?))
    }

    pub(super) fn pull_mut(&mut self, number: u64) -> Option<(&mut Issue, &mut Proposed)> {
        let issue = self.issues.iter_mut().find(|it| it.number == number)?;
        Some((issue, self.proposed.get_mut(&number)?))
    }

    /// Returns all issues, oldest first.
    pub(super) fn all(&self) -> &[Issue] {
        &self.issues
    }

    pub(super) fn get(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|it| it.number == number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|it| it.number == number)
    }

    /// Takes over what another knows, when this one knows nothing.
    pub(super) fn or(&mut self, known: &Self) {
        if self.issues.is_empty() {
            self.issues.clone_from(&known.issues);
            self.proposed.clone_from(&known.proposed);
        }
    }
}
