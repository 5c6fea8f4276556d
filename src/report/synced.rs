//! What `sync` did, as one value: for people, as JSON, and what GitHub Actions shows. Of a feature
//! it shows each step, so that it can be seen how far it came. It decides nothing.

mod human;
mod summary;

use std::collections::BTreeMap;

use serde::Serialize;

use super::markdown::list;
use super::{Renderings, SCHEMA, Warning};
use crate::names::{CommitSha, RepoName};
use crate::sync::outcome::{Brought, Outcome};
use crate::text;
use crate::text::paint::Paint;

/// How many paths of a feature are listed in the report.
const MAX_PATHS: usize = 10_000;

/// What was brought from where, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Synced {
    /// The version of this form.
    pub schema: u32,
    /// Where features come from; null where that was not found out.
    pub source: Option<Upstream>,
    /// The cousin.
    pub cousin: Cousin,
    /// Whether nothing was to leave this machine.
    pub dry_run: bool,
    /// What was to come of it: `propose`, `commit` (on a local branch) or `worktree`.
    pub mode: &'static str,
    /// `percent` when some paths below are not UTF-8: then those bytes and every `%` are `%XX`.
    pub path_encoding: Option<&'static str>,
    /// Each feature, in the order of `subscriptions.json`.
    pub features: Vec<Feature>,
    /// How many features ended how, by the outcome's name.
    pub summary: BTreeMap<&'static str, usize>,
    /// What deserves attention.
    pub warnings: Vec<Warning>,
}

/// The trusted branch of the repository that features come from.
#[derive(Debug, Clone, Serialize)]
pub struct Upstream {
    /// Its `owner/name`, where it has one.
    pub repository: Option<RepoName>,
    /// Where it is fetched from.
    pub address: String,
    /// The branch, without `refs/heads/`; null where nothing was fetched.
    pub branch: Option<String>,
    /// Where it stands.
    pub tip: Option<CommitSha>,
}

/// The repository that things are brought into.
#[derive(Debug, Clone, Serialize)]
pub struct Cousin {
    /// Its `owner/name`, where it is known.
    pub repository: Option<RepoName>,
    /// The branch that pull requests go into.
    pub base: Option<String>,
    /// Where it stands.
    pub commit: Option<CommitSha>,
}

/// What became of one feature.
#[derive(Debug, Clone, Serialize)]
pub struct Feature {
    /// Its path in the source.
    pub feature: String,
    /// Where it is put; `.` is the root.
    pub into: Option<String>,
    /// How.
    pub method: Option<&'static str>,
    /// The upstream commit that was to be brought.
    pub commit: Option<CommitSha>,
    /// The one that the cousin had before.
    pub previous: Option<CommitSha>,
    /// The event's.
    pub dispatch_id: Option<String>,
    /// How it ended.
    pub outcome: &'static str,
    /// A stable word for why it went no further.
    pub code: Option<&'static str>,
    /// What went wrong.
    pub error: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// The steps that it took.
    pub steps: Vec<Step>,
    /// The paths that change, the first 10,000 of them.
    pub changes: Vec<Change>,
    /// How many paths change.
    pub changed_paths: usize,
    /// What upstream and the cousin both changed.
    pub conflicts: Vec<Conflict>,
    /// What changes in declared dependencies.
    pub dependencies: Vec<Dependency>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit that was made.
    pub made: Option<CommitSha>,
    /// The pull request.
    pub pull_request: Option<PullRequest>,
    /// The pages of the issues that tell of the failure.
    pub issues: Vec<String>,
    /// The commands by which a person finishes it.
    pub by_hand: Option<String>,
    #[serde(skip)]
    diff_stat: Option<String>,
    #[serde(skip)]
    fine: bool,
}

/// A step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// Whether it was passed.
    pub passed: bool,
    /// What was found.
    pub message: String,
}

/// A path that changes.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// From the cousin's root.
    pub path: String,
    /// `added`, `modified` or `deleted`.
    pub change: &'static str,
}

/// What upstream and the cousin both changed.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// From the cousin's root.
    pub path: String,
    /// A sentence for people.
    pub message: String,
    /// Whether the file holds conflict markers.
    pub marked: bool,
}

/// A dependency that changes.
#[derive(Debug, Clone, Serialize)]
pub struct Dependency {
    /// The file that declares it, from the cousin's root.
    pub manifest: String,
    /// Its name.
    pub name: String,
    /// The version before; null where it is new.
    pub before: Option<String>,
    /// The version after; null where it is gone.
    pub after: Option<String>,
}

/// A pull request, as it was opened or would be.
#[derive(Debug, Clone, Serialize)]
pub struct PullRequest {
    /// Its number; null where it would only be opened.
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

impl Synced {
    /// Returns the report of what was brought.
    #[must_use]
    pub fn new(
        source: Option<Upstream>,
        cousin: Cousin,
        mode: &'static str,
        brought: Vec<Brought>,
        warnings: Vec<Warning>,
    ) -> Self {
        let encoded = brought.iter().any(has_odd_path);
        let mut features = Vec::new();
        let mut summary: BTreeMap<&'static str, usize> =
            Outcome::ALL.into_iter().map(|outcome| (outcome.as_str(), 0)).collect();
        for one in brought {
            *summary.entry(one.outcome.as_str()).or_default() += one.features.len();
            features.extend(rows(one, encoded));
        }
        Self {
            schema: SCHEMA,
            source,
            cousin,
            dry_run: mode != "propose",
            mode,
            path_encoding: encoded.then_some(crate::event::PERCENT_ENCODING),
            features,
            summary,
            warnings,
        }
    }

    /// Returns whether nobody has to do anything but to look at pull requests.
    #[must_use]
    pub fn all_fine(&self) -> bool {
        self.features.iter().all(|feature| feature.fine)
    }
}

fn has_odd_path(brought: &Brought) -> bool {
    let odd = |path: &[u8]| std::str::from_utf8(path).is_err();
    brought.features.iter().any(|(feature, into)| odd(feature.as_bytes()) || odd(into))
        || brought.changes.iter().any(|change| odd(&change.path))
        || brought.conflicts.iter().any(|conflict| odd(&conflict.path))
}

/// Returns a row for each feature that was brought together.
fn rows(brought: Brought, encoded: bool) -> Vec<Feature> {
    let path = |path: &[u8]| {
        if encoded { text::percent(path) } else { String::from_utf8_lossy(path).into_owned() }
    };
    let steps = brought.steps.into_iter().map(|step| Step {
        step: step.stage.as_str(),
        passed: step.passed,
        message: step.said,
    });
    let conflicts = brought.conflicts.iter().map(|conflict| Conflict {
        path: path(&conflict.path),
        message: conflict.describe(),
        marked: conflict.marked,
    });
    let dependencies = brought.dependencies.into_iter().map(|it| Dependency {
        manifest: path(&it.manifest),
        name: it.name,
        before: it.before,
        after: it.after,
    });
    let trouble = brought.trouble;
    let template = Feature {
        feature: String::new(),
        into: None,
        method: brought.method,
        commit: brought.commit,
        previous: brought.previous,
        dispatch_id: brought.dispatch_id,
        outcome: brought.outcome.as_str(),
        code: trouble.as_ref().map(|it| it.code),
        error: trouble.as_ref().map(|it| it.message.clone()),
        help: trouble.map(|it| it.help).filter(|help| !help.is_empty()),
        steps: steps.collect(),
        changed_paths: brought.changes.len(),
        changes: brought
            .changes
            .iter()
            .take(MAX_PATHS)
            .map(|change| Change { path: path(&change.path), change: change.kind.as_str() })
            .collect(),
        conflicts: conflicts.collect(),
        dependencies: dependencies.collect(),
        branch: brought.branch,
        made: brought.made,
        pull_request: brought.pull_request.map(|it| PullRequest {
            number: it.number,
            url: it.url,
            draft: it.draft,
            title: it.title,
            body: it.body,
        }),
        issues: brought.issues,
        by_hand: brought.by_hand,
        diff_stat: brought.diff_stat,
        fine: brought.outcome.is_fine(),
    };
    let named = |(feature, into): (crate::names::FeaturePath, Vec<u8>)| Feature {
        feature: path(feature.as_bytes()),
        into: template.method.map(|_| if into.is_empty() { ".".to_owned() } else { path(&into) }),
        ..template.clone()
    };
    brought.features.into_iter().map(named).collect()
}

impl Renderings for Synced {
    fn text(&self, paint: Paint) -> String {
        human::render(self, paint)
    }

    fn json(&self) -> String {
        super::document(self)
    }

    fn summary(&self) -> String {
        summary::summary(self)
    }

    fn outputs(&self, path: &str) -> Vec<(&'static str, String)> {
        let changed: Vec<&Feature> =
            self.features.iter().filter(|it| it.changed_paths > 0 && it.fine).collect();
        let pull = self.features.iter().find_map(|it| it.pull_request.as_ref());
        let number = pull.and_then(|pull| pull.number).map(|number| number.to_string());
        let conflicts = self.features.iter().any(|it| !it.conflicts.is_empty());
        vec![
            ("changed", (!changed.is_empty()).to_string()),
            ("features", list(changed.iter().map(|it| it.feature.clone()))),
            ("conflicts", conflicts.to_string()),
            ("pull-request-number", number.unwrap_or_default()),
            ("pull-request-url", pull.and_then(|pull| pull.url.clone()).unwrap_or_default()),
            ("report", path.to_owned()),
        ]
    }

    fn annotations(&self) -> Vec<String> {
        summary::annotations(self)
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
