//! The report for people: the range in a line, a table, and in the last line what came of it. Each
//! line begins with our own words or a repository's name, never with a path that a stranger chose.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Dispatch, Range, Report, Summary, Watermark, WatermarkState};
use crate::delivery::Outcome;
use crate::git::source::FoundBy;
use crate::text;
use crate::text::paint::Paint;

/// Returns the outcome's name in the colour of how it went.
pub(super) fn painted(paint: Paint, outcome: Outcome) -> String {
    let text = outcome.as_str();
    match outcome {
        Outcome::Delivered => paint.green(text),
        Outcome::Planned => paint.bold(text),
        Outcome::Failed | Outcome::Exhausted => paint.red(text),
        Outcome::Deferred | Outcome::Skipped => paint.yellow(text),
    }
}

/// Returns the report as text of several lines.
#[must_use]
pub fn render(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    let source = report.source.repository.as_ref().map_or("(unknown)", |name| name.as_str());
    let reference = report.source.reference.as_deref().unwrap_or_default();
    let reference = text::shown(reference.as_bytes());
    let _ = writeln!(out, "{}  {source} {reference}", paint.dim("source"));
    if report.range.head.is_some() {
        let _ = writeln!(out, "{}   {}", paint.dim("range"), range(&report.range));
    }
    if let Some(note) = &report.note {
        let _ = writeln!(out, "{}    {}", paint.dim("note"), text::shown(note.as_bytes()));
    }
    if !report.dispatches.is_empty() {
        out.push('\n');
        table(&mut out, &report.dispatches, paint);
        out.push('\n');
    }
    if !report.disabled.is_empty() {
        let names: Vec<&str> = report.disabled.iter().map(|name| name.as_str()).collect();
        let _ = writeln!(out, "not enabled, so not told: {}", names.join(", "));
    }
    if let Some(watermarks) = report.watermarks.as_ref().filter(|all| !all.is_empty()) {
        let _ = writeln!(out, "watermarks: {}", states(watermarks));
    }
    let whom = counted(report.summary.cousins, "cousin");
    let total = report.dispatches.len();
    let _ = writeln!(out, "{}", result(total, &whom, report.dry_run, &report.summary, paint));
    out
}

fn range(range: &Range) -> String {
    let head = range.head.as_ref().map_or("nothing", |head| head.short());
    let base = base(range);
    let reason = serde_json::to_value(range.reason).unwrap_or_default();
    let reason = reason.as_str().unwrap_or_default().replace('-', " ");
    let found = match range.found_by {
        FoundBy::Local => "",
        FoundBy::Fetched => ", base fetched",
        FoundBy::Scratch => ", fetched into a scratch repository",
        FoundBy::None => ", base not to be had",
    };
    let count = range.changed_paths;
    format!("{base}..{head} ({reason}{found}), {}", counted(count, "changed path"))
}

/// Returns the range's left end: what head is compared with.
pub(super) fn base(range: &Range) -> Cow<'_, str> {
    match (&range.base, range.bases) {
        (Some(base), _) => base.short().into(),
        (None, 2..) => counted(range.bases, "commit").into(),
        (None, _) => "nothing".into(),
    }
}

/// Returns how many watermarks are in which state, such as `3 advanced, 1 kept`.
pub(crate) fn states(watermarks: &[Watermark]) -> String {
    let mut counts: BTreeMap<WatermarkState, usize> = BTreeMap::new();
    for watermark in watermarks {
        *counts.entry(watermark.state).or_default() += 1;
    }
    let parts: Vec<String> =
        counts.iter().map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    parts.join(", ")
}

fn table(out: &mut String, dispatches: &[Dispatch], paint: Paint) {
    let features: Vec<Cow<'_, str>> =
        dispatches.iter().map(|d| text::shown(d.updated_feature.as_bytes())).collect();
    let width = |title: &str, cells: &mut dyn Iterator<Item = usize>| {
        cells.chain([title.len()]).max().unwrap_or(0).min(60)
    };
    let repo = width("cousin", &mut dispatches.iter().map(|d| d.repo.as_str().len()));
    let feature = width("feature", &mut features.iter().map(|f| f.chars().count()));
    let title = format!("{:<repo$}  {:<feature$}  {:>5}  outcome", "cousin", "feature", "paths");
    let _ = writeln!(out, "{}", paint.dim(&title));
    for (dispatch, shown) in dispatches.iter().zip(&features) {
        let outcome = painted(paint, dispatch.outcome);
        let name = dispatch.repo.as_str();
        let paths = dispatch.matched_paths;
        let _ = write!(out, "{name:<repo$}  {shown:<feature$}  {paths:>5}  {outcome}");
        let Dispatch { attempts, confirmation, .. } = *dispatch;
        let (error, run_url) = (dispatch.error.as_deref(), dispatch.run_url.as_deref());
        ending(out, &Ended { attempts, confirmation, error, run_url }, paint);
    }
}

/// What there is to say of a dispatch behind its outcome; when to run again is in its error.
pub(super) struct Ended<'a> {
    pub(super) attempts: u32,
    pub(super) confirmation: Option<&'static str>,
    pub(super) error: Option<&'a str>,
    pub(super) run_url: Option<&'a str>,
}

/// Writes the end of a dispatch's line, and the lines that belong to it.
pub(super) fn ending(out: &mut String, ended: &Ended<'_>, paint: Paint) {
    if ended.attempts > 1 {
        let _ = write!(out, " at attempt {}", ended.attempts);
    }
    if let Some(confirmation) = ended.confirmation {
        let _ = write!(out, ", {confirmation}");
    }
    out.push('\n');
    if let Some(error) = ended.error {
        let _ = writeln!(out, "  {} {}", paint.red("└"), text::shown(error.as_bytes()));
    }
    if let Some(url) = ended.run_url {
        let _ = writeln!(out, "  └ {}", text::shown(url.as_bytes()));
    }
}

/// Returns the last line: what came of `total` dispatches to `whom`, such as `3 cousins`.
pub(super) fn result(
    total: usize,
    whom: &str,
    dry_run: bool,
    summary: &Summary,
    paint: Paint,
) -> String {
    if total == 0 {
        return paint.green("nothing to dispatch");
    }
    let to = format!("{} to {whom}", counted_as(total, "dispatch", "dispatches"));
    if dry_run {
        return format!("{to} planned; nothing was sent");
    }
    let mut parts = vec![paint.green(&format!("{} delivered", summary.delivered))];
    for (count, what) in [
        (summary.failed, "failed"),
        (summary.exhausted, "exhausted"),
        (summary.deferred, "deferred"),
        (summary.skipped, "skipped"),
    ] {
        if count > 0 {
            parts.push(paint.red(&format!("{count} {what}")));
        }
    }
    format!("{to}: {}", parts.join(", "))
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    counted_as(count, what, &format!("{what}s"))
}

pub(crate) fn counted_as(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
