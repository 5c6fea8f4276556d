//! What `validate` found, as one value with three renderings: text as a good compiler writes it,
//! JSON for programs, and annotations and a step summary for GitHub Actions. It decides nothing;
//! what a finding weighs was said where it was made.

use std::fmt::Write as _;

use serde::Serialize;

use super::human::counted;
use super::markdown::{cell, fitting};
use crate::actions::{Level, MAX_SUMMARY, Spot, annotation, annotation_at};
use crate::ecosystem::{Code, Counts, Diagnosis, Diagnostic, Place, Severity, THE_REST};
use crate::names::CommitSha;
use crate::text::paint::Paint;

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// How many findings people are shown on a terminal, the gravest; JSON has up to 1,000 of each
/// severity.
pub(super) const SHOWN: usize = 100;

/// The most characters of a repository's name: 39 and 100, with a slash between them.
const MAX_NAME: usize = 140;

/// What was looked at, and what was found.
#[derive(Debug)]
pub struct Validation {
    /// The file and its findings.
    pub diagnosis: Diagnosis,
    /// The commit whose paths the subscriptions were compared with, and how many paths it has;
    /// none when the file was too broken for that.
    pub compared: Option<(CommitSha, usize)>,
    /// How many requests GitHub was asked; none without `--online`.
    pub requests: Option<u64>,
    /// A line for each cousin, in the order of the file; of those whose name could not be read the
    /// first 1,000.
    pub cousins: Vec<Row>,
    /// How many cousins there are.
    pub all: usize,
}

/// What there is to say of one cousin.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its name as it is written, fit to be shown; none when there is none.
    pub repo: Option<String>,
    /// Whether its subscriptions were compared with paths: not when its name could not be read.
    #[serde(skip)]
    pub compared: bool,
    /// Whether it is dispatched to.
    pub enabled: bool,
    /// How many subscriptions it has that could be read.
    pub subscriptions: usize,
    /// How many features these match at HEAD.
    pub features: usize,
    /// The workflow that will hear it; none when there is none or nobody asked.
    pub listener: Option<String>,
    /// The environment variable with the token that speaks for it; none when there is none or
    /// nobody asked.
    pub token: Option<String>,
    /// The gravest of its findings.
    pub state: State,
}

/// How it stands with a cousin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing speaks against it.
    Ready,
    /// It is not enabled, and nothing else speaks against it.
    Disabled,
    /// There is a warning.
    Warning,
    /// There is an error.
    Error,
}

impl State {
    /// Returns the state of a cousin by the gravest that was found about it.
    #[must_use]
    pub const fn of(enabled: bool, gravest: Option<Severity>) -> Self {
        match gravest {
            Some(Severity::Error) => Self::Error,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Note) | None if enabled => Self::Ready,
            Some(Severity::Note) | None => Self::Disabled,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    file: &'a str,
    commit: Option<&'a CommitSha>,
    online: bool,
    requests: Option<u64>,
    diagnostics: Vec<Finding<'a>>,
    summary: Counts,
    cousins: &'a [Row],
}

#[derive(Serialize)]
pub(super) struct Finding<'a> {
    severity: Severity,
    code: Code,
    repo: Option<&'a str>,
    pointer: &'a str,
    #[serde(flatten)]
    place: Place,
    message: &'a str,
    help: Option<&'a str>,
    related: Option<Related<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Place,
    message: &'a str,
}

impl<'a> Finding<'a> {
    pub(super) fn of(found: &'a Diagnostic) -> Self {
        let related = found.related.as_ref();
        Self {
            severity: found.severity,
            code: found.code,
            repo: found.repo.as_deref(),
            pointer: &found.pointer,
            place: found.place,
            message: &found.message,
            help: found.help.as_deref(),
            related: related.map(|(place, message)| Related { place: *place, message }),
        }
    }
}

impl Validation {
    /// Returns one JSON document, indented, with a newline at its end.
    #[must_use]
    pub fn json(&self) -> String {
        let document = Document {
            schema: SCHEMA,
            file: self.diagnosis.file_name(),
            commit: self.compared.as_ref().map(|(commit, _)| commit),
            online: self.requests.is_some(),
            requests: self.requests,
            diagnostics: self.diagnosis.diagnostics().iter().map(Finding::of).collect(),
            summary: self.diagnosis.counts(),
            cousins: &self.cousins,
        };
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns text of several lines for people.
    #[must_use]
    pub fn human(&self, paint: Paint) -> String {
        let mut out = self.diagnosis.render(paint, SHOWN);
        if let Some(looked_at) = self.looked_at() {
            let _ = write!(out, " {}", paint.dim(&format!("({looked_at})")));
        }
        out.push('\n');
        out
    }

    /// Says what was compared with what.
    fn looked_at(&self) -> Option<String> {
        let (commit, paths) = self.compared.as_ref()?;
        let compared = self.cousins.iter().filter(|row| row.compared);
        let of_all = match compared.clone().count() {
            count if count == self.all => String::new(),
            count => format!("{count} of "),
        };
        let subscriptions = compared.map(|row| row.subscriptions).sum();
        let mut said = format!(
            "{of_all}{} with {} against {} of {}",
            counted(self.all, "cousin"),
            counted(subscriptions, "subscription"),
            counted(*paths, "path"),
            commit.short()
        );
        if let Some(requests) = self.requests {
            let requests = usize::try_from(requests).unwrap_or(usize::MAX);
            let _ = write!(said, ", {} to GitHub", counted(requests, "request"));
        }
        Some(said)
    }

    /// Returns the command lines of the annotations, at most ten of each level, as GitHub shows
    /// them; `file` is the file's path in the repository. Without one the messages name the place.
    #[must_use]
    pub fn annotations(&self, file: Option<&str>) -> Vec<String> {
        let counts = self.diagnosis.counts();
        let levels = [
            (Severity::Error, Level::Error, counts.errors),
            (Severity::Warning, Level::Warning, counts.warnings),
            (Severity::Note, Level::Notice, counts.notes),
        ];
        let mut lines = Vec::new();
        for (severity, level, count) in levels {
            let (shown, more) = fitting(count);
            let found = self.diagnosis.diagnostics().iter().filter(|it| it.severity == severity);
            lines.extend(found.take(shown).map(|it| {
                let help = it.help.as_ref().map(|help| format!("\nhelp: {help}"));
                let message = format!("{}{}", it.message, help.unwrap_or_default());
                self.annotation(level, it.code.as_str(), file, it.place, &message)
            }));
            if more > 0 {
                let plural = if more == 1 { "" } else { "s" };
                let message = format!("{more} more {}{plural}: {THE_REST}", severity.as_str());
                let first = Place { line: 1, column: 1, end_line: 1, end_column: 1 };
                let title = file.unwrap_or(self.diagnosis.file_name());
                lines.push(self.annotation(level, title, file, first, &message));
            }
        }
        lines
    }

    fn annotation(
        &self,
        level: Level,
        title: &str,
        file: Option<&str>,
        place: Place,
        message: &str,
    ) -> String {
        match file {
            Some(file) => annotation_at(level, title, &spot(file, place), message),
            None => {
                let name = self.diagnosis.file_name();
                annotation(level, title, &format!("{name}:{}: {message}", place.line))
            }
        }
    }

    /// Returns the step summary in Markdown, cut below GitHub's limit: a row for each cousin.
    #[must_use]
    pub fn summary(&self) -> String {
        let Counts { errors, warnings, notes } = self.diagnosis.counts();
        let mut out = format!(
            "### Ecosystem Dispatcher: validation\n\n**{}**, {}, {} in <code>{}</code>",
            counted(errors, "error"),
            counted(warnings, "warning"),
            counted(notes, "note"),
            cell(self.diagnosis.file_name())
        );
        if let Some(looked_at) = self.looked_at() {
            let _ = write!(out, ": {}", cell(&looked_at));
        }
        out.push_str("\n\n");
        if self.cousins.is_empty() {
            return out;
        }
        out.push_str(
            "| cousin | subscriptions | features now | listener | token | state |\n\
             | --- | ---: | ---: | --- | --- | --- |\n",
        );
        for (at, row) in self.cousins.iter().enumerate() {
            let row = self.row(row);
            if out.len() + row.len() > MAX_SUMMARY - 200 {
                let more = self.all.saturating_sub(at);
                let _ = writeln!(out, "\n… and {more} more: the summary is cut here.");
                break;
            }
            out.push_str(&row);
        }
        out
    }

    fn row(&self, row: &Row) -> String {
        let state = match row.state {
            State::Ready => "✅ ready",
            State::Disabled => "💤 not enabled",
            State::Warning => "⚠️ warnings",
            State::Error => "❌ errors",
        };
        let told = |what: Option<&String>| match (what, self.requests) {
            (Some(text), _) => format!("<code>{}</code>", cell(text)),
            (None, Some(_)) => "–".to_owned(),
            (None, None) => "not asked".to_owned(),
        };
        format!(
            "| {} | {} | {} | {} | {} | {state} |\n",
            row.repo.as_deref().map_or_else(|| "?".to_owned(), name),
            row.subscriptions,
            row.features,
            told(row.listener.as_ref()),
            told(row.token.as_ref()),
        )
    }
}

/// Returns the name of a cousin for a table, cut where no repository has so long a one.
fn name(written: &str) -> String {
    match written.char_indices().nth(MAX_NAME) {
        Some((at, _)) => format!("{}…", cell(written.get(..at).unwrap_or_default())),
        None => cell(written),
    }
}

fn spot(file: &str, place: Place) -> Spot<'_> {
    let Place { line, column, end_line, end_column } = place;
    Spot { file, line, column, end_line, end_column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_cousin_is_the_gravest_against_it_and_a_note_is_nothing_against_it() {
        for (gravest, enabled, not_enabled) in [
            (None, State::Ready, State::Disabled),
            (Some(Severity::Note), State::Ready, State::Disabled),
            (Some(Severity::Warning), State::Warning, State::Warning),
            (Some(Severity::Error), State::Error, State::Error),
        ] {
            assert_eq!(State::of(true, gravest), enabled, "{gravest:?}");
            assert_eq!(State::of(false, gravest), not_enabled, "{gravest:?}");
        }
    }
}
