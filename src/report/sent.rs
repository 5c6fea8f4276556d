//! What `send` did, as one value: for people, as JSON, and what GitHub Actions shows. The JSON has
//! the fields of the report of a push; those that only a push has are null, so that whoever reads
//! the one can read the other. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::human::{self, counted, counted_as};
use super::markdown::{cell, failures, list, mark, warnings};
use super::{Deliveries, Renderings, Source, Summary, Warning};
use crate::actions::{Level, MAX_SUMMARY, annotation};
use crate::delivery::Outcome;
use crate::names::{EventType, RepoName};
use crate::text;
use crate::text::paint::Paint;

/// What was sent, to whom, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// The version of this form.
    pub schema: u32,
    /// Who sends: the repository that the run belongs to, and its ref.
    pub source: Source,
    /// Nothing was compared.
    pub range: Option<()>,
    /// Whether nothing was to be sent.
    pub dry_run: bool,
    /// Nothing here needs one.
    pub path_encoding: Option<()>,
    /// What is sent to each of them.
    pub request: Request,
    /// Every dispatch, ordered by repo.
    pub dispatches: Vec<Row>,
    /// The counts.
    pub summary: Summary,
    /// What deserves attention.
    pub warnings: Vec<Warning>,
    /// Why there was nothing to do: there always is something.
    pub note: Option<()>,
    /// What only a push has: whoever is named is sent to.
    pub disabled: Vec<RepoName>,
    /// What only a push has.
    pub watermarks: Option<()>,
}

/// The request as it is sent, but for the token.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The headers that make it what it is, without `Authorization`.
    pub headers: BTreeMap<&'static str, &'static str>,
    /// The body, JSON as text, so that not a byte of it changes.
    pub body: String,
}

/// One dispatch and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The repository.
    pub repo: RepoName,
    /// The event type.
    pub event_type: EventType,
    /// What only a push has.
    pub updated_feature: Option<()>,
    /// What only a push has.
    pub commit_sha: Option<()>,
    /// What only a push has.
    pub base_sha: Option<()>,
    /// What only a push has.
    pub reason: Option<()>,
    /// The payload's own, where it has one.
    pub dispatch_id: Option<String>,
    /// What only a push has.
    pub matched_paths: Option<()>,
    /// How it ended.
    pub outcome: Outcome,
    /// How often it was sent.
    pub attempts: u32,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// What went wrong and what to do.
    pub error: Option<String>,
    /// For a deferred dispatch, the time after which to run again (RFC 3339).
    pub run_again_after: Option<jiff::Timestamp>,
    /// With `--confirm`, whether its workflow was seen to start.
    pub confirmation: Option<&'static str>,
    /// The page of the workflow run, where one was seen.
    pub run_url: Option<String>,
    /// Where the request goes.
    pub url: String,
}

impl Row {
    fn fine(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered | Outcome::Planned)
    }
}

impl Sent {
    /// Returns whether everything was delivered, or was only to be shown.
    #[must_use]
    pub fn all_fine(&self) -> bool {
        self.dispatches.iter().all(Row::fine)
    }
}

impl Renderings for Sent {
    fn json(&self) -> String {
        super::document(self)
    }

    /// Of a dry run it is the request.
    fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        if self.dry_run {
            self.render_request(&mut out, paint);
        } else {
            self.render_table(&mut out, paint);
        }
        let whom = counted_as(self.summary.cousins, "repository", "repositories");
        let result =
            human::result(self.dispatches.len(), &whom, self.dry_run, &self.summary, paint);
        let _ = writeln!(out, "\n{result}");
        out
    }

    fn outputs(&self, path: &str) -> Vec<(&'static str, String)> {
        let repos = self.dispatches.iter().map(|row| row.repo.to_string());
        let foremost = self.foremost();
        let status = foremost.and_then(|row| row.status).map(|status| status.to_string());
        vec![
            ("dispatched", (self.summary.delivered > 0).to_string()),
            ("count", self.dispatches.len().to_string()),
            ("features", "[]".to_owned()),
            ("repos", list(repos)),
            ("base", String::new()),
            ("head", String::new()),
            ("complete", "true".to_owned()),
            ("report", path.to_owned()),
            ("dispatch-url", foremost.map(|row| row.url.clone()).unwrap_or_default()),
            ("status", status.unwrap_or_default()),
        ]
    }

    fn summary(&self) -> String {
        let mut out = String::from("### Ecosystem Dispatcher\n\n");
        let event = self.dispatches.first().map(|row| row.event_type.as_str()).unwrap_or_default();
        let whom = counted_as(self.summary.cousins, "repository", "repositories");
        let event = cell(event);
        let _ = if self.dry_run {
            writeln!(out, "<code>{event}</code> to **{whom}** planned; nothing was sent.\n")
        } else {
            let delivered = self.summary.delivered;
            writeln!(out, "<code>{event}</code>: **{delivered}** of **{whom}** delivered.\n")
        };
        for warning in self.warnings.iter().take(100) {
            let _ = writeln!(out, "> ⚠️ {}\n", cell(&warning.message));
        }
        out.push_str("| repository | outcome | |\n| --- | --- | --- |\n");
        for (at, row) in self.dispatches.iter().enumerate() {
            let confirmed = super::markdown::confirmed(row.confirmation, row.run_url.as_deref());
            let error = row.error.as_deref().map(cell).unwrap_or_default();
            let (mark, outcome) = (mark(row.outcome), row.outcome);
            let line = format!("| {} | {mark} {outcome}{confirmed} | {error} |\n", row.repo);
            if out.len() + line.len() > MAX_SUMMARY - 200 {
                let more = counted(self.dispatches.len() - at, "more");
                let _ = writeln!(out, "\n… and {more}: the step's `report` output names them all.");
                break;
            }
            out.push_str(&line);
        }
        out
    }

    fn annotations(&self) -> Vec<String> {
        let failed = self.dispatches.iter().filter(|row| !row.fine()).map(|row| {
            let error = row.error.as_deref().unwrap_or("not delivered");
            let title = format!("{} {}", row.repo, row.outcome);
            annotation(Level::Error, &title, &text::shown(error.as_bytes()))
        });
        let mut lines = failures(failed.collect());
        lines.extend(warnings(&self.warnings));
        lines
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Deliveries for Sent {
    fn counts(&self) -> &Summary {
        &self.summary
    }

    fn has_sent(&self) -> bool {
        self.dispatches.iter().any(|row| row.attempts > 0)
    }

    fn undelivered(&self) -> BTreeSet<&RepoName> {
        self.dispatches.iter().filter(|row| !row.fine()).map(|row| &row.repo).collect()
    }
}

impl Sent {
    fn render_request(&self, out: &mut String, paint: Paint) {
        for row in &self.dispatches {
            let _ = writeln!(out, "{} {}", paint.bold(self.request.method), row.url);
        }
        for (name, value) in &self.request.headers {
            let _ = writeln!(out, "{}: {value}", paint.dim(name));
        }
        let _ =
            writeln!(out, "{}: Bearer {}", paint.dim("authorization"), paint.dim("(not shown)"));
        let _ = writeln!(out, "\n{}", text::shown_json(&self.request.body));
    }

    fn render_table(&self, out: &mut String, paint: Paint) {
        let longest = self.dispatches.iter().map(|row| row.repo.as_str().len()).max();
        let width = longest.unwrap_or(0).clamp("repository".len(), 60);
        let _ = writeln!(out, "{}", paint.dim(&format!("{:<width$}  outcome", "repository")));
        for row in &self.dispatches {
            let outcome = human::painted(paint, row.outcome);
            let _ = write!(out, "{:<width$}  {outcome}", row.repo.as_str());
            human::ending(
                out,
                &human::Ended {
                    attempts: row.attempts,
                    confirmation: row.confirmation,
                    error: row.error.as_deref(),
                    run_url: row.run_url.as_deref(),
                },
                paint,
            );
        }
    }

    /// Returns the dispatch that stands for all in outputs that name one: the first that was not
    /// delivered, else the first.
    fn foremost(&self) -> Option<&Row> {
        self.dispatches.iter().find(|row| !row.fine()).or(self.dispatches.first())
    }
}
