//! The report for GitHub Actions: a step summary in Markdown, the step's outputs, and annotations.
//! All of it is built of names that strangers may have chosen, so all of it is escaped.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::human::{base, counted, counted_as, states};
use super::{Dispatch, Report, Warning};
use crate::actions::{Level, MAX_OUTPUT, MAX_SUMMARY, annotation};
use crate::delivery::Outcome;
use crate::text;

/// GitHub shows at most 10 annotations of a level for a step; the rest is in table and report.
const MAX_ANNOTATIONS: usize = 10;

/// How many warnings the summary shows above the table, which must have room too.
const MAX_WARNINGS: usize = 100;

/// Returns the step summary, cut below [`MAX_SUMMARY`] bytes.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut out = String::from("### Ecosystem Dispatcher\n\n");
    let counts = &report.summary;
    let total = report.dispatches.len();
    if total == 0 {
        out.push_str("Nothing to dispatch.\n");
    } else {
        let dispatches = counted_as(total, "dispatch", "dispatches");
        let cousins = counted(counts.cousins, "cousin");
        let _ = if report.dry_run {
            writeln!(out, "**{dispatches}** to **{cousins}** planned; nothing was sent.")
        } else {
            writeln!(
                out,
                "**{}** of **{dispatches}** to **{cousins}** delivered.",
                counts.delivered
            )
        };
    }
    if let Some(note) = &report.note {
        let _ = writeln!(out, "\n{}", cell(note));
    }
    let base = base(&report.range);
    if let Some(head) = &report.range.head {
        let _ = writeln!(
            out,
            "\n`{base}..{}`, {}{}\n",
            head.short(),
            counted(report.range.changed_paths, "changed path"),
            if report.range.complete { "" } else { " (**not complete**)" }
        );
    }
    if let Some(watermarks) = report.watermarks.as_ref().filter(|all| !all.is_empty()) {
        let _ = writeln!(out, "Watermarks: {}.\n", states(watermarks));
    }
    for warning in report.warnings.iter().take(MAX_WARNINGS) {
        let _ = writeln!(out, "> ⚠️ {}\n", cell(&warning.message));
    }
    let more = report.warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        let _ = writeln!(out, "> ⚠️ and {more} more warnings, in the step's `report` output\n");
    }
    if total > 0 {
        out.push_str(
            "| cousin | feature | paths | outcome | |\n| --- | --- | ---: | --- | --- |\n",
        );
    }
    for (at, dispatch) in report.dispatches.iter().enumerate() {
        let row = row(dispatch);
        if out.len() + row.len() > MAX_SUMMARY - 200 {
            let _ = writeln!(
                out,
                "\n… and {} more: the summary is cut here, the step's `report` output names the \
                 whole report.",
                total - at
            );
            break;
        }
        out.push_str(&row);
    }
    out
}

fn row(dispatch: &Dispatch) -> String {
    let mark = mark(dispatch.outcome);
    let feature = text::shown(dispatch.updated_feature.as_bytes());
    let error = dispatch.error.as_deref().map(cell).unwrap_or_default();
    let confirmed = confirmed(dispatch.confirmation, dispatch.run_url.as_deref());
    format!(
        "| {} | <code>{}</code> | {} | {mark} {}{confirmed} | {error} |\n",
        dispatch.repo,
        cell(&feature),
        dispatch.matched_paths,
        dispatch.outcome
    )
}

pub(super) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "✅",
        Outcome::Planned => "📝",
        Outcome::Failed | Outcome::Exhausted => "❌",
        Outcome::Deferred | Outcome::Skipped => "⏳",
    }
}

/// Returns whether a workflow was seen to start, with a link to its run.
pub(super) fn confirmed(confirmation: Option<&str>, run_url: Option<&str>) -> String {
    match (confirmation, run_url) {
        // The address was looked at when it came: it holds nothing that could end the link.
        (Some(word), Some(url)) => format!(", [{word}](<{url}>)"),
        (Some(word), None) => format!(", {word}"),
        (None, _) => String::new(),
    }
}

/// Returns text fit for a table's cell: no HTML, no Markdown, no mention, no line break.
pub(super) fn cell(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    for c in text::shown(written.as_bytes()).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '@' | '#' | '!' | '~' | '$' | ':' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out
}

/// Returns the step's outputs, each list cut at [`MAX_OUTPUT`] bytes; `path` is where the whole
/// report is.
#[must_use]
pub fn outputs(report: &Report, path: &str) -> Vec<(&'static str, String)> {
    let delivered = report.summary.delivered > 0;
    let features: BTreeSet<String> =
        report.dispatches.iter().map(|dispatch| dispatch.updated_feature.text()).collect();
    let repos: BTreeSet<String> =
        report.dispatches.iter().map(|dispatch| dispatch.repo.to_string()).collect();
    let sha =
        |sha: Option<&crate::names::CommitSha>| sha.map(ToString::to_string).unwrap_or_default();
    vec![
        ("dispatched", delivered.to_string()),
        ("count", report.dispatches.len().to_string()),
        ("features", list(features)),
        ("repos", list(repos)),
        ("base", sha(report.range.base.as_ref())),
        ("head", sha(report.range.head.as_ref())),
        ("complete", report.range.complete.to_string()),
        ("report", path.to_owned()),
    ]
}

pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    let mut length = 2;
    let items = items.into_iter().map(serde_json::Value::String);
    let fitting = items.take_while(|item| {
        length += item.to_string().len() + 1;
        length <= MAX_OUTPUT
    });
    serde_json::Value::Array(fitting.collect()).to_string()
}

/// Returns the command lines of the annotations: a failure or a warning each.
#[must_use]
pub fn annotations(report: &Report) -> Vec<String> {
    let fine = |outcome| matches!(outcome, Outcome::Delivered | Outcome::Planned);
    let failed = report.dispatches.iter().filter(|it| !(fine(it.outcome) || it.superseded));
    let failed = failed.map(|dispatch| {
        let feature = text::shown(dispatch.updated_feature.as_bytes()).into_owned();
        let error = dispatch.error.as_deref().unwrap_or("not delivered");
        let message = format!("{feature}: {}", text::shown(error.as_bytes()));
        let title = format!("{} {}", dispatch.repo, dispatch.outcome);
        annotation(Level::Error, &title, &message)
    });
    let mut lines = failures(failed.collect());
    lines.extend(warnings(&report.warnings));
    lines
}

/// Returns the annotations of what was not delivered, as many as are shown.
pub(super) fn failures(mut lines: Vec<String>) -> Vec<String> {
    let (shown, more) = fitting(lines.len());
    lines.truncate(shown);
    if more > 0 {
        let message = format!("{more} more dispatches were not delivered: see the step's summary");
        lines.push(annotation(Level::Error, "dispatches not delivered", &message));
    }
    lines
}

/// Returns the annotations of warnings, as many as are shown.
pub(super) fn warnings(warnings: &[Warning]) -> Vec<String> {
    let (shown, more) = fitting(warnings.len());
    let line = |warning: &Warning| {
        annotation(Level::Warning, warning.code, &text::shown(warning.message.as_bytes()))
    };
    let mut lines: Vec<String> = warnings.iter().take(shown).map(line).collect();
    if more > 0 {
        let message = format!("{more} more warnings: see the step's summary");
        lines.push(annotation(Level::Warning, "warnings", &message));
    }
    lines
}

/// Returns how many of `count` annotations are shown by themselves, and how many one more stands
/// for.
pub(super) fn fitting(count: usize) -> (usize, usize) {
    if count <= MAX_ANNOTATIONS {
        (count, 0)
    } else {
        (MAX_ANNOTATIONS - 1, count - (MAX_ANNOTATIONS - 1))
    }
}
