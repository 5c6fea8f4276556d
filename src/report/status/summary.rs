//! What GitHub Actions shows of a status: a step summary in Markdown and annotations. Names come
//! from files and refs that others wrote, so all of it is escaped.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Cells, Pruned, Row, State, Status};
use crate::actions::{Level, MAX_SUMMARY, annotation};
use crate::delivery::Outcome;
use crate::report::markdown::{cell, fitting};
use crate::text;

/// How many notes, warnings and deleted refs stand above the table, which must have room too.
const MAX_LINES: usize = 100;

impl Status {
    /// Returns the step summary, cut below [`MAX_SUMMARY`] bytes.
    #[must_use]
    pub fn summary(&self, now: Timestamp) -> String {
        let mut out = format!(
            "### Ecosystem Dispatcher: status\n\n**{}** at `{}`\n\n",
            self.summary.line(|_, text| text.to_owned()),
            self.head.short()
        );
        let notes = self.notes.iter().map(|note| format!("{}\n", cell(note)));
        let pruned = self.pruned.iter().map(|Pruned { reference, commit }| {
            format!(
                "pruned <code>{}</code>, which stood at `{}`\n",
                cell(reference),
                commit.short()
            )
        });
        let warnings = self.warnings.iter().map(|it| format!("> ⚠️ {}\n", cell(&it.message)));
        let hint = self.hint().into_iter().map(|hint| format!("{hint}\n"));
        let lines: Vec<String> = notes.chain(pruned).chain(warnings).chain(hint).collect();
        for line in lines.iter().take(MAX_LINES) {
            let _ = writeln!(out, "{line}");
        }
        let more = lines.len().saturating_sub(MAX_LINES);
        if more > 0 {
            let _ = writeln!(out, "and {more} more lines, which `--format json` has\n");
        }
        if !self.cousins.is_empty() {
            out.push_str(
                "| cousin | state | watermark | age | commits behind | features pending | last \
                 outcome |\n| --- | --- | --- | --- | ---: | ---: | --- |\n",
            );
        }
        for (at, cousin) in self.cousins.iter().enumerate() {
            let row = row(cousin, now);
            if out.len() + row.len() > MAX_SUMMARY - 200 {
                let more = self.cousins.len() - at;
                let _ = writeln!(out, "\n… and {more} more: the summary is cut here.");
                break;
            }
            out.push_str(&row);
        }
        out
    }

    /// Returns the command lines of the annotations: a warning each.
    #[must_use]
    pub fn annotations(&self) -> Vec<String> {
        let (shown, more) = fitting(self.warnings.len());
        let shown = self.warnings.iter().take(shown);
        let mut lines: Vec<String> = shown
            .map(|it| annotation(Level::Warning, it.code, &text::shown(it.message.as_bytes())))
            .collect();
        if more > 0 {
            let message = format!("{more} more warnings: see the step's summary");
            lines.push(annotation(Level::Warning, "warnings", &message));
        }
        lines
    }
}

fn row(row: &Row, now: Timestamp) -> String {
    let Cells { watermark, age, behind, pending, outcome } = row.cells(now);
    let mark = match (row.state, row.last_outcome) {
        (State::Removed, _) => "🗑️",
        (State::Disabled, _) => "💤",
        (_, Some(Outcome::Failed)) => "❌",
        (State::Current, _) => "✅",
        (State::Behind, _) => "⏳",
        (State::New, _) => "🆕",
    };
    format!(
        "| {} | {mark} {} | {watermark} | {age} | {behind} | {pending} | {outcome} |\n",
        cell(row.repo.as_str()),
        row.state.as_str()
    )
}
