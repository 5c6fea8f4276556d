//! Which of GitHub's issues is about a failure. Pure: a page's bytes in, the issues out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LABEL, Subject};
use crate::github::issue::Issue;
use crate::text::markdown::hidden_json;

const BEGIN: &str = "<!-- ecosystem-sync-failure: ";
const CLOSE: &str = " -->";

/// What an issue is about, in a form in which the same is equal: names without case, the feature
/// with `%` and every byte that is not UTF-8 as `%XX`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    version: u8,
    source: String,
    cousin: String,
    feature: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    key: Key,
    since: i64,
}

impl Key {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        Self {
            version: 1,
            source: subject.source.key(),
            cousin: subject.cousin.key(),
            feature: crate::text::percent(subject.feature.as_bytes()),
        }
    }

    /// Returns the line by which the issue is known.
    pub(super) fn line(&self, since: Timestamp) -> String {
        let written = Written { key: self.clone(), since: since.as_second().max(0) };
        format!("{BEGIN}{}{CLOSE}", hidden_json(&written))
    }
}

/// An issue about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) number: u64,
    pub(super) open: bool,
    /// The text, without white space behind it and with plain line ends.
    pub(super) body: String,
    /// Since when it fails.
    pub(super) since: Timestamp,
}

/// What GitHub says of an issue that it has just made.
pub(super) struct Created {
    pub(super) number: u64,
    pub(super) labels: Vec<String>,
}

/// Returns the issues of a page that are about failures of ours; none when the page cannot be read.
/// What they remember stands in their first line: a bot may repeat a stranger's words, but its own
/// come first.
pub(super) fn ours(page: &[u8]) -> Option<Vec<Found>> {
    let issues: Vec<Issue> = serde_json::from_slice(page).ok()?;
    let ours = |issue: Issue| {
        let line = issue.body.as_deref()?.lines().next()?;
        let json = line.trim_end().strip_prefix(BEGIN)?.strip_suffix(CLOSE)?;
        let written: Written = serde_json::from_str(json).ok()?;
        let trusted = issue.is_labelled(LABEL) || issue.is_of_the_house();
        if issue.is_pull_request() || !trusted {
            return None;
        }
        Some(Found {
            key: written.key,
            number: issue.number,
            open: issue.is_open(),
            since: Timestamp::from_second(written.since).ok()?,
            body: issue.body.as_deref()?.replace("\r\n", "\n").trim_end().to_owned(),
        })
    };
    Some(issues.into_iter().filter_map(ours).collect())
}

/// Returns what GitHub says of an issue that it has just made.
pub(super) fn created(body: &[u8]) -> Option<Created> {
    #[derive(Deserialize)]
    struct Label {
        name: String,
    }
    #[derive(Deserialize)]
    struct New {
        number: u64,
        #[serde(default)]
        labels: Vec<Label>,
    }
    let New { number, labels } = serde_json::from_slice(body).ok()?;
    Some(Created { number, labels: labels.into_iter().map(|label| label.name).collect() })
}
