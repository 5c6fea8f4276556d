//! An `ecosystem.json` that cannot be used, and how that is shown to people: like a good compiler,
//! each finding with its line and a mark under the place. The text that it keeps has no tokens in
//! it any more, whoever prints it and how.

use std::fmt;

use super::diagnostic::{Diagnostic, Findings, Place};
use super::locate::LineIndex;
use super::secret;
use crate::text;

/// How many findings are shown; a reader mends these and runs again.
const SHOWN: usize = 50;

/// How many characters of a line are shown, and how many of them stand before the mark: a file
/// may be a single line.
const WIDTH: usize = 160;
const BEFORE: usize = 60;

/// A file that was refused, with everything that is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rejected {
    file_name: String,
    source: String,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
}

impl Rejected {
    pub(super) fn new(file_name: &str, text: &str, findings: Findings<'_>) -> Self {
        let (diagnostics, errors, secrets) = findings.finish();
        let source = secret::mask_spans(text, &secrets);
        Self {
            file_name: text::shown(file_name.as_bytes()).into_owned(),
            source: secret::mask_tokens(&source).into_owned(),
            diagnostics,
            errors,
        }
    }

    /// Returns the name under which the file was read.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns the text of the file as it may be shown: tokens are asterisks, and a byte order mark
    /// is left out, so that [`Place`]s fit it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns what is wrong, in the order of the file: at least one error. Of a file with more
    /// than 1,000 errors the first 1,000 that were found.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the number of all errors in the file, which may be more than are kept.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }
}

impl std::error::Error for Rejected {}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("file_name", &self.file_name)
            .field("errors", &self.errors)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = LineIndex::new(&self.source);
        for diagnostic in self.diagnostics.iter().take(SHOWN) {
            one(f, &self.file_name, &lines, diagnostic)?;
            writeln!(f)?;
        }
        let unseen = self.errors - self.diagnostics.len().min(SHOWN).min(self.errors);
        if unseen > 0 {
            writeln!(f, "and {unseen} more")?;
        }
        let plural = if self.errors == 1 { "" } else { "s" };
        write!(f, "{}: {} error{plural}", self.file_name, self.errors)
    }
}

fn one(
    f: &mut fmt::Formatter<'_>,
    file_name: &str,
    lines: &LineIndex<'_>,
    diagnostic: &Diagnostic,
) -> fmt::Result {
    let Diagnostic { severity, code, place, message, help, related, .. } = diagnostic;
    let last = related.as_ref().map_or(place.line, |(other, _)| other.line.max(place.line));
    let gutter = last.to_string().len();
    writeln!(f, "{}[{code}]: {message}", severity.as_str())?;
    writeln!(f, " {:gutter$}--> {file_name}:{}:{}", "", place.line, place.column)?;
    if !lines.text().is_empty() {
        writeln!(f, " {:gutter$} |", "")?;
        let here = Snippet { place: *place, mark: '^', label: "" };
        match related {
            Some((other, label)) => {
                let there = Snippet { place: *other, mark: '-', label };
                let (first, second) =
                    if other <= place { (&there, &here) } else { (&here, &there) };
                first.write(f, lines, gutter)?;
                if second.place.line > first.place.line + 1 {
                    writeln!(f, "...")?;
                }
                second.write(f, lines, gutter)?;
            }
            None => here.write(f, lines, gutter)?,
        }
    }
    if let Some(help) = help {
        writeln!(f, " {:gutter$} = help: {help}", "")?;
    }
    Ok(())
}

/// A line of the file with a mark under one place in it.
struct Snippet<'a> {
    place: Place,
    mark: char,
    label: &'a str,
}

impl Snippet<'_> {
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        lines: &LineIndex<'_>,
        gutter: usize,
    ) -> fmt::Result {
        let (before, marked, after) = self.cut(lines);
        let indent = " ".repeat(before.chars().count());
        let mark = self.mark.to_string().repeat(marked.chars().count().max(1));
        let line = format!("{before}{marked}{after}");
        let number = self.place.line;
        writeln!(f, " {number:>gutter$} | {}", text::shown(line.trim_end().as_bytes()))?;
        writeln!(f, " {:gutter$} | {}", "", format!("{indent}{mark} {}", self.label).trim_end())
    }

    /// Returns what stands before the mark, above it and after it, fit to be shown: at most
    /// [`WIDTH`] characters of the line. A place of several lines is marked on its first.
    fn cut(&self, lines: &LineIndex<'_>) -> (String, String, String) {
        let Place { line, column, end_line, end_column } = self.place;
        let text = lines.line_text(line);
        let from = lines.offset_in_line(line, column);
        let to = if end_line == line {
            lines.offset_in_line(line, end_column).max(from)
        } else {
            text.len()
        };
        let (head, rest) = text.split_at_checked(from).unwrap_or((text, ""));
        let (marked, tail) = rest.split_at_checked(to - from).unwrap_or((rest, ""));
        let left = WIDTH.saturating_sub(count_up_to(rest, WIDTH)).max(BEFORE);
        let head_from = head.char_indices().rev().nth(left - 1).map_or(0, |(at, _)| at);
        let head = head.get(head_from..).unwrap_or_default();
        let room = WIDTH.saturating_sub(head.chars().count());
        let (marked, marked_cut) = first(marked, room);
        let (tail, tail_cut) = first(tail, room.saturating_sub(marked.chars().count()));
        let ellipsis = |cut: bool| if cut { "…" } else { "" };
        (
            format!("{}{}", ellipsis(head_from > 0), fit(head)),
            fit(marked),
            format!("{}{}", fit(tail), ellipsis(marked_cut || tail_cut)),
        )
    }
}

/// Returns the first `room` characters, and whether there are more.
fn first(text: &str, room: usize) -> (&str, bool) {
    match text.char_indices().nth(room) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), true),
        None => (text, false),
    }
}

fn count_up_to(text: &str, limit: usize) -> usize {
    text.chars().take(limit).count()
}

/// Returns text as shown, with a tab as one space: it is one column.
fn fit(raw: &str) -> String {
    text::shown(raw.replace('\t', " ").as_bytes()).into_owned()
}
