//! The report of a sync for people: a paragraph for each feature with its steps, what changes in it
//! and what becomes of that. Each line begins with our own words or an indent, never with what a
//! stranger chose.

use std::fmt::Write as _;

use super::{Feature, PullRequest, Synced};
use crate::report::human::counted;
use crate::sync::failure::shell_quoted;
use crate::text::paint::Paint;
use crate::text::shown;

/// How many conflicts and dependencies of a feature are shown; the JSON has all.
const MAX_LINES: usize = 20;

/// Returns the report as text of several lines.
pub(super) fn render(report: &Synced, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(source) = &report.source {
        let name = source.repository.as_ref().map_or(source.address.as_str(), |it| it.as_str());
        let branch = source.branch.as_deref().map(|it| format!(" {}", shown(it.as_bytes())));
        let tip = source.tip.as_ref().map(|tip| format!(" at {}", tip.short()));
        let _ = writeln!(
            out,
            "{}  {}{}{}",
            paint.dim("source"),
            shown(name.as_bytes()),
            branch.unwrap_or_default(),
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
        if let Some(next) = next(feature, base) {
            let _ = writeln!(out, "  {} {next}", paint.cyan("next:"));
        }
    }
    let _ = writeln!(out, "\n{}", last(report, paint));
    out
}

fn one(out: &mut String, feature: &Feature, paint: Paint) {
    let name = shown(feature.feature.as_bytes()).into_owned();
    let outcome = words(feature.outcome);
    let outcome = match (feature.fine, feature.changed_paths, feature.conflicts.len()) {
        (false, _, _) => paint.red(&outcome),
        (true, 0, _) => paint.dim(&outcome),
        (true, _, 0) => paint.green(&outcome),
        (true, _, 1) => format!("{}, with 1 conflict", paint.yellow(&outcome)),
        (true, _, count) => format!("{}, with {count} conflicts", paint.yellow(&outcome)),
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
    steps(out, feature, paint);
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
    if let (true, Some(branch), Some(made)) = (feature.fine, &feature.branch, &feature.made) {
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

/// Says how far it came; a step's name stands once.
fn steps(out: &mut String, feature: &Feature, paint: Paint) {
    let mut before = "";
    for step in &feature.steps {
        let mark = match step.passed {
            true if feature.outcome == "not-subscribed" => paint.dim("–"),
            true => paint.green("✓"),
            false => paint.red("✗"),
        };
        let name = if step.step == before && step.passed { "" } else { step.step };
        before = step.step;
        for (at, line) in step.message.lines().enumerate() {
            let line = shown(line.as_bytes());
            let _ = match at {
                0 => writeln!(out, "  {mark} {name:<10}  {line}"),
                _ => writeln!(out, "    {:<10}  {line}", ""),
            };
        }
    }
}

/// Returns what a person does next, where nothing else says it.
fn next(feature: &Feature, base: &str) -> Option<String> {
    let resolve = "resolve what is between <<<<<<< and >>>>>>>";
    let conflicts = !feature.conflicts.is_empty();
    match (feature.outcome, &feature.branch) {
        ("applied", _) if conflicts => {
            Some(format!("{resolve}, then commit it together with ecosystem.lock.json"))
        }
        ("applied", _) => {
            Some("look through it, then commit it together with ecosystem.lock.json".to_owned())
        }
        ("committed", Some(branch)) => {
            let (base, branch) = (shell_quoted(base.as_bytes()), shell_quoted(branch.as_bytes()));
            Some(format!("`git diff {base}...{branch}` shows it, `git switch {branch}` goes there"))
        }
        ("proposed" | "updated", _) if conflicts => {
            Some(format!("{resolve} on the branch, and mark the draft as ready for review"))
        }
        _ => None,
    }
}

/// Returns the word of an outcome as people write it.
fn words(outcome: &str) -> String {
    outcome.replace('-', " ")
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
    // What a later run finds it by is nothing for people.
    for line in pull.body.lines().filter(|line| !line.starts_with("<!--")) {
        let line = format!("    {} {}", paint.dim("|"), shown(line.as_bytes()));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn last(report: &Synced, paint: Paint) -> String {
    let counts: Vec<String> = report
        .summary
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(outcome, count)| format!("{count} {}", words(outcome)))
        .collect();
    if counts.is_empty() {
        return paint.green("nothing is subscribed to");
    }
    let line = format!("{}: {}", counted(report.features.len(), "feature"), counts.join(", "));
    if report.all_fine() { paint.green(&line) } else { paint.red(&line) }
}
