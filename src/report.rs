//! What a run did, as one value with three renderings: a table for people ([`human`]), JSON for
//! programs (here), and what GitHub Actions shows ([`markdown`]). A validation has its own in
//! [`validation`], and so has what `status` finds in [`status`] and what `sync` brings in [`synced`]. It decides nothing; it only says.
//! The JSON's fields are a contract: fields may be added, none is renamed or removed within a
//! schema.

pub mod human;
pub mod markdown;
pub mod onboarding;
pub mod sent;
pub mod status;
pub mod synced;
pub mod validation;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::delivery::Outcome;
use crate::git::range::Reason;
use crate::git::source::FoundBy;
use crate::names::{CommitSha, EventType, FeaturePath, RepoName};
use crate::text::paint::Paint;

/// The version of the JSON report.
pub const SCHEMA: u32 = 1;

/// One report and its renderings.
pub trait Renderings {
    /// Returns it as text for people.
    fn text(&self, paint: Paint) -> String;
    /// Returns it as one JSON document, with a newline at its end.
    fn json(&self) -> String;
    /// Returns the step's summary in GitHub Actions, Markdown.
    fn summary(&self) -> String;
    /// Returns the step's outputs in GitHub Actions; `path` is where the whole report is.
    fn outputs(&self, path: &str) -> Vec<(&'static str, String)>;
    /// Returns the lines that make GitHub Actions show annotations.
    fn annotations(&self) -> Vec<String>;
    /// Returns what deserves attention.
    fn warnings(&self) -> &[Warning];
}

/// A report of dispatches.
pub trait Deliveries: Renderings {
    /// Returns the counts.
    fn counts(&self) -> &Summary;
    /// Returns whether anything has left this machine.
    fn has_sent(&self) -> bool;
    /// Returns to whom something was to be delivered and was not, each once.
    fn undelivered(&self) -> BTreeSet<&RepoName>;
}

impl Renderings for Report {
    fn text(&self, paint: Paint) -> String {
        human::render(self, paint)
    }

    fn json(&self) -> String {
        document(self)
    }

    fn summary(&self) -> String {
        markdown::summary(self)
    }

    fn outputs(&self, path: &str) -> Vec<(&'static str, String)> {
        markdown::outputs(self, path)
    }

    fn annotations(&self) -> Vec<String> {
        markdown::annotations(self)
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Deliveries for Report {
    fn counts(&self) -> &Summary {
        &self.summary
    }

    fn has_sent(&self) -> bool {
        self.dispatches.iter().any(|dispatch| dispatch.attempts > 0)
    }

    fn undelivered(&self) -> BTreeSet<&RepoName> {
        let all = self.dispatches.iter().filter(|it| it.outcome != Outcome::Delivered);
        all.map(|dispatch| &dispatch.repo).collect()
    }
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// What was pushed.
    pub source: Source,
    /// What was compared.
    pub range: Range,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// `percent` when some names below are not UTF-8: then those bytes and every `%` are `%XX`.
    pub path_encoding: Option<&'static str>,
    /// Every dispatch, ordered by repo, then feature.
    pub dispatches: Vec<Dispatch>,
    /// The counts.
    pub summary: Summary,
    /// What deserves attention though the run went on.
    pub warnings: Vec<Warning>,
    /// Why there was nothing to do, or why the run only previews.
    pub note: Option<String>,
    /// Cousins that would have been told something if they were enabled.
    pub disabled: Vec<RepoName>,
    /// What became of each enabled cousin's watermark, by repository; null without `--watermarks`.
    pub watermarks: Option<Vec<Watermark>>,
    /// What only the alarm needs to know.
    #[serde(skip)]
    pub before: Before,
}

/// What is known from before a run, or besides it.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// All cousins that are listed and enabled; none when the list was not read.
    pub enabled: Option<Vec<RepoName>>,
    /// Who was failing already, each with the commit since which it did and that commit's time, as
    /// far as refs tell.
    pub failing: Vec<(RepoName, Option<jiff::Timestamp>, CommitSha)>,
    /// Who fails by the refs after the run, whatever the run has delivered: it may have been for
    /// an older commit than the one with which they fail.
    pub still: Vec<RepoName>,
}

/// What became of one cousin's watermark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watermark {
    /// The cousin, as `ecosystem.json` spells it.
    pub repo: RepoName,
    /// Where it stood before the run; null when there was none.
    pub before: Option<CommitSha>,
    /// Where it stands now.
    pub after: Option<CommitSha>,
    /// What happened to it.
    pub state: WatermarkState,
}

/// What happened to a watermark in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WatermarkState {
    /// There was none, and there is one now.
    Created,
    /// It has moved to head.
    Advanced,
    /// It stood at head.
    Current,
    /// A newer run has moved it beyond head.
    Newer,
    /// Not everything was delivered, so it stays where it is, or is not there.
    Kept,
    /// Everything was delivered, and that could not be recorded.
    Unrecorded,
    /// A dry run: it would move.
    Planned,
}

impl WatermarkState {
    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Advanced => "advanced",
            Self::Current => "current",
            Self::Newer => "newer",
            Self::Kept => "kept",
            Self::Unrecorded => "unrecorded",
            Self::Planned => "planned",
        }
    }
}

/// What was pushed.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// The monorepo's `owner/name`, where it is known.
    pub repository: Option<RepoName>,
    /// The full name of the ref.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
}

/// What was compared.
#[derive(Debug, Clone, Serialize)]
pub struct Range {
    /// The base; null is the empty tree, or that there are several.
    pub base: Option<CommitSha>,
    /// How many bases there are: with watermarks cousins may have received different commits.
    pub bases: usize,
    /// The head; null only when there was nothing to do.
    pub head: Option<CommitSha>,
    /// Why this range.
    pub reason: Reason,
    /// Where it was found.
    pub found_by: FoundBy,
    /// Whether the base is what cousins last saw; else more than that is reported as changed.
    pub complete: bool,
    /// How many paths differ in the directories that subscriptions can reach, over all bases.
    pub changed_paths: usize,
}

/// One dispatch and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Dispatch {
    /// The cousin, as `ecosystem.json` spells it.
    pub repo: RepoName,
    /// The event type.
    pub event_type: EventType,
    /// The feature's path.
    #[serde(serialize_with = "as_shown")]
    pub updated_feature: Written,
    /// Head.
    pub commit_sha: CommitSha,
    /// What head was compared with for this cousin; null is the empty tree.
    pub base_sha: Option<CommitSha>,
    /// Why with that: as the range's, and `first-delivery` for a cousin that is new.
    pub reason: Reason,
    /// The same for the same news, whenever it is sent; null when the source is not known.
    pub dispatch_id: Option<String>,
    /// How many changed paths belong to the feature.
    pub matched_paths: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// How often it was sent.
    pub attempts: u32,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// What went wrong, and what to do.
    pub error: Option<String>,
    /// For a deferred dispatch, the time after which to run again (RFC 3339).
    pub run_again_after: Option<jiff::Timestamp>,
    /// With `--confirm`, whether its workflow was seen to start: `confirmed`, `probable` or
    /// `unconfirmed`.
    pub confirmation: Option<&'static str>,
    /// The page of the workflow run, where one was seen.
    pub run_url: Option<String>,
    /// Whether a newer run has delivered it, so that nothing is missing.
    #[serde(skip)]
    pub superseded: bool,
}

/// A feature's path with the way it is written in this report.
#[derive(Debug, Clone)]
pub struct Written {
    feature: FeaturePath,
    encoded: bool,
}

impl Written {
    /// Returns the path's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.feature.as_bytes()
    }

    /// Returns the path as JSON shows it.
    #[must_use]
    pub fn text(&self) -> String {
        if self.encoded {
            crate::text::percent(self.as_bytes())
        } else {
            String::from_utf8_lossy(self.as_bytes()).into_owned()
        }
    }
}

fn as_shown<S: serde::Serializer>(written: &Written, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written.text())
}

/// Returns the features as one report writes them, and the encoding when one is needed.
#[must_use]
pub fn write_features(features: Vec<FeaturePath>) -> (Vec<Written>, Option<&'static str>) {
    let encoded = features.iter().any(|path| std::str::from_utf8(path.as_bytes()).is_err());
    let written = features.into_iter().map(|feature| Written { feature, encoded }).collect();
    (written, encoded.then_some(crate::event::PERCENT_ENCODING))
}

/// How many dispatches ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Cousins with at least one dispatch.
    pub cousins: usize,
    /// See [`Outcome`].
    pub planned: usize,
    /// See [`Outcome`].
    pub delivered: usize,
    /// See [`Outcome`].
    pub failed: usize,
    /// See [`Outcome`].
    pub exhausted: usize,
    /// See [`Outcome`].
    pub deferred: usize,
    /// See [`Outcome`].
    pub skipped: usize,
}

impl Summary {
    /// Returns the counts of the dispatches.
    #[must_use]
    pub fn of(dispatches: &[Dispatch]) -> Self {
        Self::count(dispatches.iter().map(|dispatch| (&dispatch.repo, dispatch.outcome)))
    }

    /// Returns the counts of dispatches of which each is to a repository and ended so.
    #[must_use]
    pub fn count<'d>(dispatches: impl IntoIterator<Item = (&'d RepoName, Outcome)>) -> Self {
        let mut cousins = BTreeSet::new();
        let mut summary = Self::default();
        for (repo, outcome) in dispatches {
            cousins.insert(repo);
            *match outcome {
                Outcome::Planned => &mut summary.planned,
                Outcome::Delivered => &mut summary.delivered,
                Outcome::Failed => &mut summary.failed,
                Outcome::Exhausted => &mut summary.exhausted,
                Outcome::Deferred => &mut summary.deferred,
                Outcome::Skipped => &mut summary.skipped,
            } += 1;
        }
        summary.cousins = cousins.len();
        summary
    }

    /// Returns how many dispatches were to be delivered and were not, by this run.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.failed + self.exhausted + self.deferred + self.skipped
    }
}

/// Something that deserves attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl Warning {
    /// Returns a warning with its word for programs and its sentence for people.
    #[must_use]
    pub fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }
}

/// Returns a report as one JSON document, indented, with a newline at its end.
///
/// It may be printed where a terminal or the Actions runner reads it, so that the runner's old
/// command prefix `##[` and the control characters that JSON allows come out as escapes, which
/// every reader of JSON takes back.
fn document(report: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(report).unwrap_or_default();
    json.push('\n');
    escape_in_json(json)
}

/// Escapes what stands in the strings of a JSON text, which is all that these can stand in.
fn escape_in_json(json: String) -> String {
    let control = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains("##[") && !json.contains(control) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.replace("##[", "#\\u0023[").chars() {
        if control(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_runner_or_terminal_would_obey_is_escaped_in_json_and_nothing_is_lost() {
        let text = "###[error]\u{9b}31m \u{7f} \\##[x] \u{a0}é";
        let json = escape_in_json(serde_json::to_string(text).unwrap());
        assert_eq!(json, "\"##\\u0023[error]\\u009b31m \\u007f \\\\#\\u0023[x] \u{a0}é\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
