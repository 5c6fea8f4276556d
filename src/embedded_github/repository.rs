//! A repository as far as a dispatch and those who look for its listeners are concerned: what it
//! is called now, what it was called, whether it can be seen and written, and which files its
//! branches hold. Who may do what is the tokens' matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{Tree, cleaned};
use super::labels::Label;
use super::tracker::Tracker;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The number that stays when the name changes.
    pub id: u64,
    /// The current `owner/name`.
    pub full_name: String,
    /// The names that it went by, which redirect to it.
    pub former_names: Vec<String>,
    /// Only tokens that may read it see it.
    pub private: bool,
    /// Nothing can be written.
    pub archived: bool,
    /// Taken down by GitHub's staff.
    pub disabled: bool,
    /// The default branch.
    pub default_branch: String,
    /// Actions are turned off: a dispatch is answered as ever and starts nothing.
    pub actions_disabled: bool,
    /// How long after a dispatch its runs are there.
    pub run_delay: Duration,
    /// Issues are turned off; pull requests are not.
    pub issues_disabled: bool,
    pub(super) tracker: Tracker,
    /// The bare git repository that holds its history.
    pub(super) bare: Option<PathBuf>,
    /// The branches that no one may rewrite.
    pub(super) protected: BTreeSet<String>,
    pub(super) branches: BTreeMap<String, Tree>,
    /// Labels that were made, by their names in lower case.
    pub(super) labels: BTreeMap<String, Label>,
    /// A pull request cannot be a draft.
    pub(super) no_drafts: bool,
    /// The built-in token opens no pull request.
    pub(super) actions_may_not_open: bool,
    workflow_states: BTreeMap<String, String>,
}

impl Repository {
    pub(super) fn new(full_name: &str) -> Self {
        Self {
            id: 0,
            full_name: full_name.to_owned(),
            former_names: Vec::new(),
            private: false,
            archived: false,
            disabled: false,
            default_branch: "main".to_owned(),
            actions_disabled: false,
            run_delay: Duration::ZERO,
            issues_disabled: false,
            tracker: Tracker::default(),
            bare: None,
            protected: BTreeSet::new(),
            branches: BTreeMap::new(),
            labels: BTreeMap::new(),
            no_drafts: false,
            actions_may_not_open: false,
            workflow_states: BTreeMap::new(),
        }
    }

    /// Hides it from tokens that may not read it.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Makes it read-only.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// Takes it down.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// Gives it another name and keeps the present one as a former name.
    #[must_use]
    pub fn renamed_to(mut self, full_name: &str) -> Self {
        let former = std::mem::replace(&mut self.full_name, full_name.to_owned());
        self.former_names.push(former);
        self
    }

    /// Names its default branch: one that is there, else the present default branch gets that
    /// name and keeps its files.
    #[must_use]
    pub fn default_branch(mut self, branch: &str) -> Self {
        let former = std::mem::replace(&mut self.default_branch, branch.to_owned());
        if !self.branches.contains_key(branch)
            && let Some(tree) = self.branches.remove(&former)
        {
            self.branches.insert(branch.to_owned(), tree);
        }
        self
    }

    /// Puts a file on the default branch, in place of one that is there. The path has no leading
    /// slash.
    #[must_use]
    pub fn file(self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        let branch = self.default_branch.clone();
        self.file_on(&branch, path, text)
    }

    /// Puts a file on a branch. A branch that is not there yet is made and holds this file only:
    /// it does not inherit the files of the default branch, as one made by [`Repository::branch`]
    /// does.
    #[must_use]
    pub fn file_on(mut self, branch: &str, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.branches.entry(branch.to_owned()).or_default().put(path, text.into());
        self
    }

    /// Adds a branch with the files that the default branch has at this moment; one that is there
    /// already is set to them.
    #[must_use]
    pub fn branch(mut self, name: &str) -> Self {
        let tree = self.branches.get(&self.default_branch).cloned().unwrap_or_default();
        self.branches.insert(name.to_owned(), tree);
        self
    }

    /// Turns Actions off.
    #[must_use]
    pub fn actions_disabled(mut self) -> Self {
        self.actions_disabled = true;
        self
    }

    /// Lets the runs that a dispatch starts be there so long after it, and not at once.
    #[must_use]
    pub fn runs_after(mut self, delay: Duration) -> Self {
        self.run_delay = delay;
        self
    }

    /// Turns issues off.
    #[must_use]
    pub fn issues_disabled(mut self) -> Self {
        self.issues_disabled = true;
        self
    }

    /// Gives it a history: a bare git repository at `dir`, which can be cloned and pushed to at
    /// `{url}/owner/name.git`. From then on its branches and files are those that are there. A
    /// repository without one cannot be cloned.
    #[must_use]
    pub fn git(mut self, dir: &Path) -> Self {
        self.bare = Some(dir.to_owned());
        self
    }

    /// Protects a branch: it is neither rewritten nor deleted, by nobody.
    #[must_use]
    pub fn protected(mut self, branch: &str) -> Self {
        self.protected.insert(branch.to_owned());
        self
    }

    /// Gives it a label.
    #[must_use]
    pub fn label(mut self, name: &str) -> Self {
        let label = Label::named(name);
        self.labels.insert(name.to_lowercase(), label);
        self
    }

    /// Lets it know no drafts, as private repositories of free accounts do.
    #[must_use]
    pub fn no_drafts(mut self) -> Self {
        self.no_drafts = true;
        self
    }

    /// Lets the built-in token open no pull request, which is GitHub's setting for new
    /// repositories; unless said, it may.
    #[must_use]
    pub fn actions_may_not_open_pull_requests(mut self) -> Self {
        self.actions_may_not_open = true;
        self
    }

    /// Sets the state of the workflow in that file, which else is `active`: `disabled_manually`,
    /// `disabled_inactivity`, or whatever GitHub may think of.
    #[must_use]
    pub fn workflow_state(mut self, path: &str, state: &str) -> Self {
        self.workflow_states.insert(cleaned(path), state.to_owned());
        self
    }

    /// Adds what was said of it before, under the same name. Where the two differ, what is said
    /// here counts, save for the id and the name of the default branch.
    pub(super) fn and_before(mut self, known: &Self) -> Self {
        self.id = known.id;
        self.private |= known.private;
        self.archived |= known.archived;
        self.disabled |= known.disabled;
        self.actions_disabled |= known.actions_disabled;
        self.run_delay = self.run_delay.max(known.run_delay);
        self.issues_disabled |= known.issues_disabled;
        self.tracker.or(&known.tracker);
        self.bare = self.bare.or_else(|| known.bare.clone());
        self.no_drafts |= known.no_drafts;
        self.actions_may_not_open |= known.actions_may_not_open;
        for (name, label) in &known.labels {
            self.labels.entry(name.clone()).or_insert_with(|| label.clone());
        }
        self.protected.extend(known.protected.iter().cloned());
        self = self.default_branch(&known.default_branch);
        self.former_names.extend_from_slice(&known.former_names);
        for (name, tree) in &known.branches {
            self.branches.entry(name.clone()).or_default().fill(tree);
        }
        for (path, state) in &known.workflow_states {
            self.workflow_states.entry(path.clone()).or_insert_with(|| state.clone());
        }
        self
    }

    /// Returns the names, lower case, by which a token may have been given access.
    pub(super) fn keys(&self) -> Vec<String> {
        std::iter::once(&self.full_name).chain(&self.former_names).map(|it| key(it)).collect()
    }

    /// Returns who owns it.
    pub(super) fn owner(&self) -> &str {
        self.full_name.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// Returns whether that number is a pull request's.
    pub(super) fn is_pull(&self, number: u64) -> bool {
        self.tracker.get(number).is_some_and(|it| it.pull_request)
    }

    /// Returns the branches by name; none as long as no branch has a file, as in a repository that
    /// nobody has pushed to.
    pub(super) fn branches(&self) -> impl Iterator<Item = (&str, &Tree)> {
        let empty = self.branches.values().all(Tree::is_empty);
        self.branches.iter().filter(move |_| !empty).map(|(name, tree)| (name.as_str(), tree))
    }

    /// Returns the files at a ref: a branch by its name or as `refs/heads/…`, or the id of a
    /// branch's commit.
    pub(super) fn tree(&self, reference: &str) -> Option<&Tree> {
        let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        let by_id = || {
            let mut trees = self.branches.values().filter(|_| reference.len() == 40);
            trees.find(|tree| tree.commit_id() == reference)
        };
        self.branches.get(name).or_else(by_id)
    }

    /// Returns the state of the workflow in that file.
    pub(super) fn state_of(&self, path: &str) -> &str {
        self.workflow_states.get(path).map_or("active", String::as_str)
    }
}

/// Returns what two names of one repository have in common.
pub(super) fn key(full_name: &str) -> String {
    full_name.to_ascii_lowercase()
}
