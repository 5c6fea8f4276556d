//! What `status` found, as one value: for each cousin what it has received, and what it has yet to
//! hear of. A table for people and JSON for programs are here, what GitHub Actions shows is in
//! `summary`. It decides no more than the one word for each cousin's state.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::human::counted;
use super::{Source, Warning, escape_in_json};
use crate::delivery::Outcome;
use crate::names::{CommitSha, RepoName};
use crate::text;
use crate::text::paint::Paint;

mod summary;

/// The version of the JSON document.
pub const SCHEMA: u32 = 1;

/// What brings up to date what is behind.
const HINT: &str = "`ecosystem dispatch --watermarks` sends what is pending";

/// How each cousin stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The version of this form.
    pub schema: u32,
    /// The monorepo, and the ref that it was asked about.
    pub source: Source,
    /// The commit that cousins are compared with.
    pub head: CommitSha,
    /// `percent` when some features below are not UTF-8: then those bytes and every `%` are `%XX`.
    pub path_encoding: Option<&'static str>,
    /// The cousins of the list, by repository, and then what is left of others.
    pub cousins: Vec<Row>,
    /// The counts.
    pub summary: Totals,
    /// The refs that were deleted.
    pub pruned: Vec<Pruned>,
    /// What there is to know besides.
    pub notes: Vec<String>,
    /// What deserves attention.
    pub warnings: Vec<Warning>,
}

/// How one cousin stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The cousin, as `ecosystem.json` spells it; one that is not listed as its ref does.
    pub repo: RepoName,
    /// In a word.
    pub state: State,
    /// Whether it is dispatched to.
    pub enabled: bool,
    /// The newest commit whose dispatches it has all received.
    pub watermark: Option<CommitSha>,
    /// When that was committed; null when that is not known.
    pub committed: Option<Timestamp>,
    /// How many commits head has beyond it; null without a watermark, and when that cannot be told.
    pub commits_behind: Option<usize>,
    /// How many features it has yet to hear of.
    pub features_pending: usize,
    /// Their paths.
    pub features: Vec<String>,
    /// How its last dispatches ended, where that is known.
    pub last_outcome: Option<Outcome>,
    /// The commit with which its dispatches began to fail.
    pub failing_since: Option<CommitSha>,
}

/// How a cousin stands, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// There is nothing that it has yet to hear of.
    Current,
    /// There is.
    Behind,
    /// It has received nothing so far, and gets all that it follows.
    New,
    /// It is not enabled; what it misses is kept for it.
    Disabled,
    /// It is not in the list any more, and its refs are left.
    Removed,
}

impl State {
    /// Returns the state of a cousin of the list.
    #[must_use]
    pub fn of(enabled: bool, has_watermark: bool, pending: usize) -> Self {
        match (enabled, has_watermark, pending) {
            (false, ..) => Self::Disabled,
            (true, false, _) => Self::New,
            (true, true, 0) => Self::Current,
            (true, true, _) => Self::Behind,
        }
    }

    /// Returns the word that stands in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::New => "new",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

/// How many cousins stand how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Cousins of the list.
    pub cousins: usize,
    /// See [`State`].
    pub current: usize,
    /// See [`State`].
    pub behind: usize,
    /// See [`State`].
    pub new: usize,
    /// See [`State`].
    pub disabled: usize,
    /// See [`State`]; these are not among the cousins.
    pub removed: usize,
}

impl Totals {
    /// Returns the counts of the rows.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let mut totals = Self::default();
        for row in rows {
            totals.cousins += usize::from(row.state != State::Removed);
            *match row.state {
                State::Current => &mut totals.current,
                State::Behind => &mut totals.behind,
                State::New => &mut totals.new,
                State::Disabled => &mut totals.disabled,
                State::Removed => &mut totals.removed,
            } += 1;
        }
        totals
    }

    /// Returns all counts that are not zero in one line, each as `show` shows it.
    fn line(&self, show: impl Fn(State, &str) -> String) -> String {
        let counts = [
            (State::Current, self.current),
            (State::Behind, self.behind),
            (State::New, self.new),
            (State::Disabled, self.disabled),
            (State::Removed, self.removed),
        ];
        let mut line = counted(self.cousins, "cousin");
        let mut between = ": ";
        for (state, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            // Those are no cousins any more.
            let between = match state {
                State::Removed => "; ",
                _ => std::mem::replace(&mut between, ", "),
            };
            let count = show(state, &format!("{count} {}", state.as_str()));
            let _ = write!(line, "{between}{count}");
        }
        line
    }
}

/// A ref that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Its full name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where it stood.
    pub commit: CommitSha,
}

impl Status {
    /// Returns the status as one JSON document, indented, with a newline at its end; fit to be
    /// printed, as [`super::Renderings::json`].
    #[must_use]
    pub fn json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        escape_in_json(json)
    }

    /// Returns the status as text of several lines; `now` is what ages are counted from.
    #[must_use]
    pub fn human(&self, now: Timestamp, paint: Paint) -> String {
        let mut out = String::new();
        let source = self.source.repository.as_ref().map_or("(unknown)", |name| name.as_str());
        let reference = self.source.reference.as_deref().unwrap_or_default();
        let reference = text::shown(reference.as_bytes());
        let line = format!("{}  {source} {reference}", paint.dim("source"));
        let _ = writeln!(out, "{}", line.trim_end());
        let _ = writeln!(out, "{}    {}", paint.dim("head"), self.head.short());
        for note in &self.notes {
            let _ = writeln!(out, "{}    {}", paint.dim("note"), text::shown(note.as_bytes()));
        }
        for Pruned { reference, commit } in &self.pruned {
            let name = text::shown(reference.as_bytes());
            let _ =
                writeln!(out, "{}  {name}, which stood at {}", paint.dim("pruned"), commit.short());
        }
        if !self.cousins.is_empty() {
            out.push('\n');
            self.table(&mut out, now, paint);
            out.push('\n');
        }
        if let Some(hint) = self.hint() {
            let _ = writeln!(out, "{} {hint}", paint.bold("help:"));
        }
        let totals = self.summary.line(|state, text| painted(paint, state, text));
        let _ = writeln!(out, "{totals}");
        out
    }

    fn table(&self, out: &mut String, now: Timestamp, paint: Paint) {
        let names = self.cousins.iter().map(|row| row.repo.as_str().len());
        let cousin = names.chain(["cousin".len()]).max().unwrap_or_default().min(60);
        let title = format!(
            "{:<cousin$}  {:<8}  {:<10}  {:<10}  {:>6}  {:>7}  last outcome",
            "cousin", "state", "watermark", "age", "behind", "pending"
        );
        let _ = writeln!(out, "{}", paint.dim(&title));
        for row in &self.cousins {
            let Cells { watermark, age, behind, pending, outcome } = row.cells(now);
            let state = painted(paint, row.state, &format!("{:<8}", row.state.as_str()));
            let outcome = match row.last_outcome {
                Some(Outcome::Delivered) => paint.green(&outcome),
                Some(_) => paint.red(&outcome),
                None => outcome,
            };
            let _ = writeln!(
                out,
                "{:<cousin$}  {state}  {watermark:<10}  {age:<10}  {behind:>6}  {pending:>7}  {outcome}",
                row.repo.as_str()
            );
        }
    }

    /// Returns what to do about what is not as it should be.
    fn hint(&self) -> Option<String> {
        let pending = self.summary.behind + self.summary.new > 0;
        let removed = self.summary.removed > 0;
        let prune = "`ecosystem status --prune` deletes the refs of the removed ones";
        match (pending, removed) {
            (true, true) => Some(format!("{HINT}; {prune}")),
            (true, false) => Some(HINT.to_owned()),
            (false, true) => Some(prune.to_owned()),
            (false, false) => None,
        }
    }
}

fn painted(paint: Paint, state: State, text: &str) -> String {
    match state {
        State::Current => paint.green(text),
        State::Behind => paint.yellow(text),
        State::New => paint.cyan(text),
        State::Disabled | State::Removed => paint.dim(text),
    }
}

/// What a table shows of a row.
struct Cells {
    watermark: String,
    age: String,
    behind: String,
    pending: String,
    outcome: String,
}

impl Row {
    fn cells(&self, now: Timestamp) -> Cells {
        // What is not there, and what is there and not known.
        let unknown = if self.watermark.is_some() { "?" } else { "–" };
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| unknown.to_owned());
        let outcome = self.last_outcome.map_or_else(|| "–".to_owned(), |it| it.to_string());
        let since = self.failing_since.as_ref().map(|commit| format!(" since {}", commit.short()));
        Cells {
            watermark: self.watermark.as_ref().map_or("–", |commit| commit.short()).to_owned(),
            age: or_unknown(self.committed.map(|committed| age(committed, now))),
            behind: or_unknown(self.commits_behind.map(|behind| behind.to_string())),
            pending: match self.state {
                State::Removed => "–".to_owned(),
                _ => self.features_pending.to_string(),
            },
            outcome: outcome + &since.unwrap_or_default(),
        }
    }
}

/// Returns how long ago something was, in the largest unit that there are two of, else in minutes.
fn age(then: Timestamp, now: Timestamp) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    // A clock that is slow makes no negative age.
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let units = [("year", 365 * DAY), ("month", 30 * DAY), ("day", DAY), ("hour", HOUR)];
    let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    let (unit, length) = unit.unwrap_or(("minute", MINUTE));
    counted(usize::try_from(seconds / length).unwrap_or_default(), unit)
}

#[cfg(test)]
mod tests;
