//! What the cousins' syncs came to, for people: each pull request with its title, how many lines it
//! changes where, and the beginning of its diff. All of it was written by others, so all of it is
//! made fit to be shown; and each line of a diff has a mark before it, so that none of it is read as
//! a command.

use std::fmt::Write as _;

use super::cast::Cast;
use super::verdict::Its;
use super::{Followed, Taken, verdict};
use crate::embedded_github::PullRequest;
use crate::git::GitError;
use crate::git::stage::difference::{Difference, FileChange, Line, LineKind, Lines};
use crate::report::human::{counted, counted_as};
use crate::sync::lock;
use crate::text;
use crate::text::paint::Paint;

/// How many lines of a diff are shown.
const LINES: usize = 20;

/// How many files are listed with what changes in them.
const FILES: usize = 10;

/// Of how many pull requests it is shown what they change; of more, how many files.
const DIFFS: usize = 6;

/// How many characters of a line are shown.
const WIDTH: usize = 120;

/// What the act is called.
const TITLE: &str = "Each cousin takes it in";

/// How much came of everything.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) events: usize,
    pub(super) pulls: usize,
    pub(super) drafts: usize,
    pub(super) refused: usize,
    pub(super) left_out: usize,
    pub(super) beyond: usize,
}

/// Returns what the act begins with; `anew` says that the push is the first commit of all.
pub(super) fn heading(cast: &Cast, anew: bool, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.bold(TITLE));
    let begins = if anew { "nothing" } else { "what was there before the push" };
    if !cast.cousins.is_empty() {
        let _ = writeln!(
            out,
            "{}  `ecosystem sync` on each event, in a checkout of a cousin that begins with {begins}",
            paint.dim("runner")
        );
    }
    out
}

/// Returns what is said where there is nothing to begin with.
pub(super) fn partial(paint: Paint) -> String {
    format!(
        "\n{}\nnot rehearsed: this is a partial clone, which lacks what the cousins would begin with; \
         take a full one (git clone without --filter)\n",
        paint.bold(TITLE)
    )
}

/// Returns what a cousin's events led to.
pub(super) fn member(
    Its { member, bare, runs }: &Its<'_>,
    tally: &mut Tally,
    paint: Paint,
) -> Result<String, GitError> {
    let mut out = String::new();
    for Taken { followed, report, .. } in &runs.taken {
        tally.events += 1;
        let _ = writeln!(out, "\n{}  {}", paint.bold(&member.cousin.name), way(followed));
        let Some(row) = verdict::row(report) else { continue };
        let Some(pull) = verdict::pull(&runs.first, row) else {
            tally.refused += usize::from(row.outcome == "refused");
            let why = row.error.as_deref().unwrap_or_default();
            let why: Vec<_> = why.lines().map(|line| text::shown(line.as_bytes())).collect();
            let why = why.join("\n  ");
            let _ = writeln!(out, "  {}: {why}", paint.yellow(row.outcome));
            continue;
        };
        tally.pulls += 1;
        tally.drafts += usize::from(pull.proposed.draft);
        let most = if tally.pulls > DIFFS { 0 } else { LINES };
        let range = (member.start.as_str(), pull.proposed.head_sha.as_str());
        let difference = bare.difference(range, most, lock::FILE_NAME.as_bytes())?;
        out.push_str(&proposal(pull, paint));
        if most > 0 {
            out.push_str(&stat(&difference.files, paint));
            out.push_str(&beginning(&difference, paint));
        } else {
            let _ = writeln!(out, "  {}", counted(difference.files.len(), "file"));
        }
    }
    Ok(out)
}

/// Returns what is followed, and how.
fn way(followed: &Followed) -> String {
    let feature = text::shown(followed.feature.as_bytes());
    let edited = match followed.edit {
        Some(edit) if edit.conflicts => ", where it has edited the same lines",
        Some(_) => ", where it has edited other lines",
        None => "",
    };
    let into = text::shown(followed.into.as_bytes());
    let method = followed.method.as_str();
    if into == feature {
        format!("{feature} by {method}{edited}")
    } else {
        format!("{feature} by {method} into {into}{edited}")
    }
}

fn proposal(pull: &PullRequest, paint: Paint) -> String {
    let draft = if pull.proposed.draft { paint.yellow(" (draft)") } else { String::new() };
    let number = paint.green(&format!("#{}", pull.issue.number));
    format!("  {number} {}{draft}\n", cut(pull.issue.title.as_bytes()))
}

fn stat(files: &[FileChange], paint: Paint) -> String {
    let name = |file: &FileChange| match &file.from {
        Some(from) => format!("{} → {}", cut(from), cut(&file.path)),
        None => cut(&file.path),
    };
    let names: Vec<String> = files.iter().take(FILES).map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, file) in names.iter().zip(files) {
        let count = |sign: char, count: usize| (count > 0).then(|| format!("{sign}{count}"));
        let said: Vec<String> = match file.lines {
            Lines::Counted(added, removed) => {
                let added = count('+', added).map(|it| paint.green(&it));
                added.into_iter().chain(count('-', removed).map(|it| paint.red(&it))).collect()
            }
            Lines::Binary => vec!["binary".to_owned()],
            Lines::Uncounted => Vec::new(),
        };
        let line = format!("  {name:<width$}  {}", said.join(" "));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if files.len() > FILES {
        let more = files.len() - FILES;
        let _ = writeln!(out, "  and {}", counted_as(more, "more file", "more files"));
    }
    out
}

fn beginning(difference: &Difference, paint: Paint) -> String {
    let mut out = String::new();
    for Line { kind, text } in &difference.lines {
        let text = cut(text);
        let text = match kind {
            LineKind::File => paint.bold(&text),
            LineKind::Hunk => paint.cyan(&text),
            LineKind::Added => paint.green(&text),
            LineKind::Removed => paint.red(&text),
            LineKind::Context => text,
        };
        let line = format!("  {} {text}", paint.dim("│"));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if difference.more > 0 {
        let more = counted_as(difference.more, "more line", "more lines");
        let _ = writeln!(out, "  {} {}", paint.dim("│"), paint.dim(&format!("… {more}")));
    }
    out
}

/// Returns text fit to be shown, of a line's length at most.
fn cut(text: &[u8]) -> String {
    let head = text.get(..4 * WIDTH).unwrap_or(text);
    let shown = text::shown(head);
    match shown.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", shown.get(..at).unwrap_or_default()),
        None => shown.into_owned(),
    }
}

/// Returns how it all ended.
pub(super) fn verdict(tally: &Tally, wrong: &[String], paint: Paint) -> String {
    let mut out = String::from("\n");
    if tally.left_out > 0 {
        let events = counted(tally.left_out, "event");
        let _ = writeln!(
            out,
            "{events} not taken in: about the root or a name that no subscriptions.json can hold, \
             or for the monorepo itself"
        );
    }
    if tally.beyond > 0 {
        let events = counted_as(tally.beyond, "more event", "more events");
        let _ = writeln!(out, "{events} not taken in, so that the rehearsal stays short");
    }
    for it in wrong {
        let _ = writeln!(out, "{} {it}", paint.red("wrong:"));
    }
    if wrong.is_empty() && tally.events > 0 {
        let drafts = match tally.drafts {
            0 => String::new(),
            count => format!(" ({count} as a draft, for its conflict)"),
        };
        let refused = match tally.refused {
            0 => String::new(),
            count => format!(", {count} refused as shown"),
        };
        let said = format!(
            "{} led to {}{drafts}{refused}; each holds what it should, no main was touched, and a \
             second run on each event changed nothing",
            counted(tally.events, "event"),
            counted(tally.pulls, "pull request"),
        );
        let _ = writeln!(out, "{}", paint.green(&said));
    }
    out
}
