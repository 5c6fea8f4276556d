//! Who is failing, since when and why; and what a run changes about it. Pure: what the alarm
//! remembers and what the run tells go in, what is to be said and remembered comes out. It decides
//! nothing about where that is said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::names::{CommitSha, RepoName};
use crate::text::shown;

/// How many characters of an error or a remedy are kept.
const LONGEST_TEXT: usize = 300;

/// Why something failed, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    error: String,
    help: Option<String>,
}

impl Failure {
    /// Returns a failure with these words, made fit to be shown and cut after 300 characters. An
    /// error that says what to do itself needs no `help`.
    #[must_use]
    pub fn new(error: &str, help: Option<&str>) -> Self {
        Self { error: kept(error), help: help.map(kept).filter(|help| !help.is_empty()) }
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.error
    }

    /// Returns what to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// Returns the text as it is kept: on one line, without control characters, not too long.
fn kept(text: &str) -> String {
    let cut = |text: &str| match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    };
    // Cut first, so that a huge text is not escaped in full; escapes make it longer, so cut again.
    let head = cut(text.trim());
    let shown = shown(head.as_bytes());
    match shown.chars().count() {
        count if count <= LONGEST_TEXT + 1 => shown.into_owned(),
        _ => cut(&shown),
    }
}

/// What fails, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The failure as it was last met.
    pub failure: Failure,
    /// When it was first met, to the second.
    pub since: Timestamp,
    /// The head of the run that met it first.
    pub since_commit: Option<CommitSha>,
}

/// What the alarm remembers from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The trouble of whole runs.
    pub(super) run: Option<Trouble>,
    /// The cousins that are failing, by their names in lower case.
    pub(super) cousins: BTreeMap<String, (RepoName, Trouble)>,
    /// How many more are failing whose names, all behind these in the order, were too many to be
    /// remembered.
    pub(super) more: usize,
}

impl State {
    /// Returns whether nothing is failing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.run.is_none() && self.cousins.is_empty() && self.more == 0
    }

    /// Returns the trouble of whole runs, such as a broken `ecosystem.json`.
    #[must_use]
    pub fn run(&self) -> Option<&Trouble> {
        self.run.as_ref()
    }

    /// Returns the failing cousins that are known by name, in their order.
    pub fn cousins(&self) -> impl ExactSizeIterator<Item = (&RepoName, &Trouble)> {
        self.cousins.values().map(|(repo, trouble)| (repo, trouble))
    }

    /// Returns the trouble of one cousin.
    #[must_use]
    pub fn of(&self, repo: &RepoName) -> Option<&Trouble> {
        self.cousins.get(&repo.key()).map(|(_, trouble)| trouble)
    }

    /// Returns how many cousins are failing.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.cousins.len().saturating_add(self.more)
    }

    /// Returns whether a cousin may be one of those whose names are not remembered.
    fn may_forget(&self, key: &str) -> bool {
        let last = self.cousins.last_key_value().map(|(last, _)| last.as_str());
        self.more > 0 && last.is_none_or(|last| key > last)
    }
}

/// What a run tells of one cousin. Of whom it tells nothing, all stays as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// At least one of its dispatches was not delivered.
    Failed(Failure),
    /// All of its dispatches were delivered, or its watermark says that it has everything.
    Recovered,
}

/// What a run tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// Why the run as a whole came to nothing, such as a broken `ecosystem.json`. Without it, the
    /// run got through, and an earlier trouble of this kind is over.
    pub run: Option<Failure>,
    /// What it tells of cousins; of one that is named twice the failure counts, the first of them.
    pub cousins: Vec<(RepoName, Heard)>,
    /// The cousins that are listed and enabled, when the list could be read: of whoever is not among
    /// them nothing is told any more. All of them, also when the run was for some only.
    pub enabled: Option<Vec<RepoName>>,
}

/// Some of those who fail or failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Whether the run as a whole is one of them.
    pub run: bool,
    /// The cousins, in their order.
    pub cousins: Vec<RepoName>,
    /// How many more cousins there are whose names are not known.
    pub more: usize,
}

impl Who {
    /// Returns whether it is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Returns how many they are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cousins.len().saturating_add(self.more).saturating_add(usize::from(self.run))
    }
}

/// What a run changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing failed and nothing fails.
    Nothing,
    /// Nothing failed, and now these do.
    Began(Who),
    /// The same ones fail as before.
    Still,
    /// Some fail as before, but others do.
    Changed {
        /// Who fails that did not.
        came: Who,
        /// Who fails no longer.
        gone: Who,
        /// Who is not sent to any more, disabled or not listed, and so has not recovered.
        left: Who,
    },
    /// These failed, and nothing does any more.
    Ended {
        /// Who has recovered.
        gone: Who,
        /// Who is not sent to any more.
        left: Who,
    },
}

/// Returns what a run at `at` for the commit `head` changes, and what is to be remembered.
#[must_use]
pub fn judge(
    before: &State,
    results: &Results,
    at: Timestamp,
    head: Option<&CommitSha>,
) -> (Change, State) {
    // Kept as seconds, as it is written down.
    let since = Timestamp::from_second(at.as_second().max(0)).unwrap_or(Timestamp::UNIX_EPOCH);
    let begin = |failure: &Failure| Trouble {
        failure: failure.clone(),
        since,
        since_commit: head.cloned(),
    };
    let mut after = before.clone();
    let (mut came, mut gone) = (Who::default(), Who::default());

    match (&results.run, &mut after.run) {
        (Some(failure), Some(trouble)) => trouble.failure = failure.clone(),
        (Some(failure), none @ None) => {
            *none = Some(begin(failure));
            came.run = true;
        }
        (None, run) => gone.run = run.take().is_some(),
    }

    let heard = heard(results);
    for (key, (repo, heard)) in &heard {
        match (heard, after.cousins.get_mut(key)) {
            (Heard::Failed(failure), Some((name, trouble))) => {
                name.clone_from(repo);
                trouble.failure = failure.clone();
            }
            (Heard::Failed(failure), None) => {
                let trouble = begin(failure);
                after.cousins.insert(key.clone(), (repo.clone(), trouble));
                if before.may_forget(key) && after.more > 0 {
                    after.more -= 1;
                } else {
                    came.cousins.push(repo.clone());
                }
            }
            (Heard::Recovered, known) => {
                if known.is_some() {
                    after.cousins.remove(key);
                    gone.cousins.push(repo.clone());
                }
            }
        }
    }
    let left = leave(before, results, &heard, &mut after, &mut gone);
    (change(before, &after, came, gone, left), after)
}

/// Takes out whoever is not enabled or not listed any more, and those without a name of whom nobody
/// can be left; returns those who are not known to have recovered.
fn leave(
    before: &State,
    results: &Results,
    heard: &BTreeMap<String, (RepoName, Heard)>,
    after: &mut State,
    gone: &mut Who,
) -> Who {
    let mut left = Who::default();
    let Some(enabled) = &results.enabled else { return left };
    let enabled: BTreeSet<String> = enabled.iter().map(RepoName::key).collect();
    after.cousins.retain(|key, (repo, _)| {
        let stays = enabled.contains(key) || heard.contains_key(key);
        if !stays {
            left.cousins.push(repo.clone());
        }
        stays
    });
    let silent = |key: &&String| !heard.contains_key(*key) && before.may_forget(key);
    let more = after.more.min(enabled.iter().filter(silent).count());
    let recovered = heard.iter().filter(|(_, (_, heard))| *heard == Heard::Recovered);
    let recovered = recovered.filter(|(key, _)| before.may_forget(key)).count();
    gone.more = (after.more - more).min(recovered);
    left.more = after.more - more - gone.more;
    after.more = more;
    left
}

/// Returns what was told of each cousin, in order.
fn heard(results: &Results) -> BTreeMap<String, (RepoName, Heard)> {
    let mut all: BTreeMap<String, (RepoName, Heard)> = BTreeMap::new();
    for (repo, heard) in &results.cousins {
        let known = all.entry(repo.key()).or_insert_with(|| (repo.clone(), heard.clone()));
        if let (Heard::Recovered, Heard::Failed(_)) = (&known.1, heard) {
            known.1 = heard.clone();
        }
    }
    all
}

fn change(before: &State, after: &State, came: Who, gone: Who, left: Who) -> Change {
    match (before.is_empty(), after.is_empty()) {
        (true, true) => Change::Nothing,
        (true, false) => Change::Began(came),
        (false, true) => Change::Ended { gone, left },
        (false, false) if [&came, &gone, &left].iter().all(|it| it.is_empty()) => Change::Still,
        (false, false) => Change::Changed { came, gone, left },
    }
}

#[cfg(test)]
mod tests;
