//! The report of a sync for people: a paragraph for each feature with its steps, what changes in it
//! and what becomes of that. Each line begins with our own words or an indent, never with what a
//! stranger chose.

use std::fmt::Write as _;

use super::{Feature, PullRequest, Synced};
use crate::report::human::counted;
use crate::text::paint::Paint;
use crate::text::shown;

/// How many conflicts and dependencies of a feature are shown; the JSON has all.
const MAX_LINES: usize = 20;

/// Returns the report as text of several lines.
pub(super) fn render(report: &Synced, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(source) = &report.source {
        let name = source.repository.as_ref().map_or(source.address.as_str(), |it| it.as_str());
        let branch = source.branch.as_deref().unwrap_or_default();
        let tip = source.tip.as_ref().map(|tip| format!(" at {}", tip.short()));
        let _ = writeln!(
            out,
            "{}  {} {}{}",
            paint.dim("source"),
            shown(name.as_bytes()),
            shown(branch.as_bytes()),
            tip.unwrap_or_default()
        );
    }
    let cousin = &report.cousin;
    let name = cousin.repository.as_ref().map_or("(this clone)", |it| it.as_str());
    let base = cousin.base.as_deref().unwrap_or("(no branch)");
    let commit = cousin.commit.as_ref().map(|commit| format!(" at {}", commit.short()));
    let _ = writeln!(
        out,
        "{}  {name} {}{}",
        paint.dim("cousin"),
        shown(base.as_bytes()),
        commit.unwrap_or_default()
    );
    for feature in &report.features {
        out.push('\n');
        one(&mut out, feature, paint);
    }
    let _ = writeln!(out, "\n{}", last(report, paint));
    out
}

fn one(out: &mut String, feature: &Feature, paint: Paint) {
    let name = shown(feature.feature.as_bytes()).into_owned();
    let outcome = match (feature.fine, feature.changed_paths) {
        (false, _) => paint.red(feature.outcome),
        (true, 0) => paint.dim(feature.outcome),
        (true, _) => paint.green(feature.outcome),
    };
    let into = feature.into.as_deref().filter(|into| *into != feature.feature);
    let into = into.map(|into| format!(" into {}", shown(into.as_bytes())));
    let method = feature.method.map(|method| format!(" by {method}"));
    let _ = writeln!(
        out,
        "{}{}{}: {outcome}",
        paint.bold(&name),
        into.unwrap_or_default(),
        method.unwrap_or_default()
    );
    for step in &feature.steps {
        let mark = if step.passed { paint.green("✓") } else { paint.red("✗") };
        let _ = writeln!(out, "  {mark} {:<10}  {}", step.step, shown(step.message.as_bytes()));
    }
    if let Some(help) = &feature.help {
        let _ = writeln!(out, "  {} {}", paint.cyan("help:"), shown(help.as_bytes()));
    }
    if let Some(stat) = &feature.diff_stat {
        for line in stat.lines() {
            let _ = writeln!(out, "    {}", shown(line.as_bytes()));
        }
    }
    let conflicts = feature.conflicts.iter().map(|it| {
        let path = shown(it.path.as_bytes());
        format!("{} {path}: {}", paint.yellow("conflict"), shown(it.message.as_bytes()))
    });
    lines(out, conflicts, feature.conflicts.len());
    let dependencies = feature.dependencies.iter().map(|it| {
        let old = it.before.as_deref().map_or("new".into(), |old| shown(old.as_bytes()));
        let new = it.after.as_deref().map_or("gone".into(), |new| shown(new.as_bytes()));
        let (name, manifest) = (shown(it.name.as_bytes()), shown(it.manifest.as_bytes()));
        format!("{} {name} {old} -> {new} ({manifest})", paint.dim("dependency"))
    });
    lines(out, dependencies, feature.dependencies.len());
    if let (Some(branch), Some(made)) = (&feature.branch, &feature.made) {
        let branch = shown(branch.as_bytes());
        let _ = writeln!(out, "  {} {branch} at {}", paint.dim("branch"), made.short());
    }
    if let Some(pull) = &feature.pull_request {
        pull_request(out, pull, paint);
    }
    for issue in &feature.issues {
        let _ = writeln!(out, "  {} {}", paint.dim("issue"), shown(issue.as_bytes()));
    }
    if let Some(commands) = &feature.by_hand {
        let _ = writeln!(out, "  to finish it by hand:");
        for line in commands.lines() {
            let _ = writeln!(out, "    {}", shown(line.as_bytes()));
        }
    }
}

fn lines(out: &mut String, all: impl Iterator<Item = String>, count: usize) {
    for line in all.take(MAX_LINES) {
        let _ = writeln!(out, "  {line}");
    }
    if count > MAX_LINES {
        let _ = writeln!(out, "  … and {} more, which --format json has", count - MAX_LINES);
    }
}

/// A pull request that is there is a link; of one that would be opened all is shown.
fn pull_request(out: &mut String, pull: &PullRequest, paint: Paint) {
    let draft = if pull.draft { "draft " } else { "" };
    let title = shown(pull.title.as_bytes());
    if let Some(number) = pull.number {
        let url = pull.url.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "  {} {draft}#{number} {title} {}",
            paint.dim("pull request"),
            shown(url.as_bytes())
        );
        return;
    }
    let _ = writeln!(out, "  {} {draft}{title}", paint.dim("pull request that would be opened:"));
    for line in pull.body.lines() {
        let line = format!("    {} {}", paint.dim("|"), shown(line.as_bytes()));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn last(report: &Synced, paint: Paint) -> String {
    let counts: Vec<String> = report
        .summary
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    if counts.is_empty() {
        return paint.green("nothing is subscribed to");
    }
    let line = format!("{}: {}", counted(report.features.len(), "feature"), counts.join(", "));
    if report.all_fine() { paint.green(&line) } else { paint.red(&line) }
}
