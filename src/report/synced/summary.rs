//! What GitHub Actions shows of a sync: a step summary in Markdown and annotations. All names are
//! others', so all of it is escaped.

use std::fmt::Write as _;

use super::{Feature, Synced};
use crate::actions::{Level, MAX_SUMMARY, annotation};
use crate::report::human::counted;
use crate::report::markdown::{cell, failures, warnings};
use crate::text;

/// Returns the step summary, cut below [`MAX_SUMMARY`] bytes.
pub(super) fn summary(report: &Synced) -> String {
    let mut out = String::from("### Ecosystem Dispatcher: sync\n\n");
    for warning in report.warnings.iter().take(100) {
        let _ = writeln!(out, "> ⚠️ {}\n", cell(&warning.message));
    }
    if report.features.is_empty() {
        return out;
    }
    out.push_str("| feature | commit | outcome | files | |\n| --- | --- | --- | ---: | --- |\n");
    for (at, feature) in report.features.iter().enumerate() {
        let line = row(feature);
        if out.len() + line.len() > MAX_SUMMARY - 200 {
            let more = report.features.len() - at;
            let _ =
                writeln!(out, "\n… and {more} more: the step's `report` output names them all.");
            break;
        }
        out.push_str(&line);
    }
    out
}

fn row(feature: &Feature) -> String {
    let mark = match (feature.fine, feature.changed_paths) {
        (false, _) => "❌",
        (true, 0) => "➖",
        (true, _) => "✅",
    };
    let commit = feature.commit.as_ref().map(|it| format!("`{}`", it.short()));
    let mut said = feature.error.as_deref().map(cell).unwrap_or_default();
    if let Some(pull) = &feature.pull_request
        && let (Some(number), Some(url)) = (pull.number, &pull.url)
    {
        let draft = if pull.draft { "draft " } else { "" };
        let _ = write!(said, " {draft}[#{number}](<{url}>)");
    }
    if !feature.conflicts.is_empty() {
        let _ = write!(said, " {}", counted(feature.conflicts.len(), "conflict"));
    }
    format!(
        "| {} | {} | {mark} {} | {} | {} |\n",
        cell(&feature.feature),
        commit.unwrap_or_default(),
        feature.outcome,
        feature.changed_paths,
        said.trim()
    )
}

/// Returns the command lines of the annotations: a failure or a warning each.
pub(super) fn annotations(report: &Synced) -> Vec<String> {
    let failed = report.features.iter().filter(|it| !it.fine).map(|it| {
        let error = it.error.as_deref().unwrap_or("not brought");
        let help = it.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let feature = text::shown(it.feature.as_bytes()).into_owned();
        let message = format!("{feature}: {}", text::shown(format!("{error}{help}").as_bytes()));
        annotation(Level::Error, &format!("sync {}", it.outcome), &message)
    });
    let mut lines = failures(failed.collect());
    lines.extend(warnings(&report.warnings));
    lines
}
