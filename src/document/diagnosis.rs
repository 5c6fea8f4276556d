//! Everything that was found about an `ecosystem.json`, and how that is shown to people: like a
//! good compiler, each finding with its line and a mark under the place. The text that it keeps
//! has no tokens in it any more, whoever prints it and how.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

use super::diagnostic::{Diagnostic, Place, Severity};
use super::findings::{Counts, Findings, Finished};
use super::locate::LineIndex;
use super::secret;
use super::syntax::Words;
use crate::text;
use crate::text::paint::Paint;

/// How many findings are shown where no other number is asked for; a reader mends these and runs
/// again.
const SHOWN: usize = 50;

/// How many characters of a line are shown, and how many of them stand before the mark: a file
/// may be a single line.
const WIDTH: usize = 160;
const BEFORE: usize = 60;

/// A file and everything that was found about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnosis {
    file_name: String,
    source: String,
    diagnostics: Vec<Diagnostic>,
    counts: Counts,
    /// Where the findings are that are not shown.
    rest: &'static str,
}

impl Diagnosis {
    pub(super) fn new(
        words: &'static Words,
        file_name: &str,
        text: &str,
        findings: Findings<'_>,
    ) -> Self {
        let Finished { kept, counts, secrets } = findings.finish();
        let source = secret::mask_spans(text, &secrets);
        Self {
            file_name: text::shown(file_name.as_bytes()).into_owned(),
            source: secret::mask_tokens(&source).into_owned(),
            diagnostics: kept,
            counts,
            rest: words.rest,
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

    /// Returns what was found, in the order of the file: of each severity at most the first 1,000.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the numbers of all findings, which may be more than are kept.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the `most` gravest findings as text for people, in the order of the file and each
    /// with its line, and a last line with the file's name and how many there are.
    #[must_use]
    pub fn render(&self, paint: Paint, most: usize) -> String {
        let lines = LineIndex::new(&self.source);
        let mut out = String::new();
        let mut shown = 0;
        for diagnostic in self.gravest(most) {
            shown += 1;
            // Writing to a string never fails.
            let _ = one(&mut out, &self.file_name, &lines, diagnostic, paint);
            out.push('\n');
        }
        let unseen = self.counts.all() - shown;
        if unseen > 0 {
            out.push_str(&format!("and {unseen} more: {}\n", self.rest));
        }
        out.push_str(&format!("{}: {}", self.file_name, self.counted(paint)));
        out
    }

    /// Returns up to `most` findings in the order of the file: no warning as long as an error is
    /// left, and no note as long as a warning is.
    fn gravest(&self, most: usize) -> impl Iterator<Item = &Diagnostic> {
        let kept = |severity| self.diagnostics.iter().filter(move |it| it.severity == severity);
        let errors = kept(Severity::Error).count().min(most);
        let warnings = kept(Severity::Warning).count().min(most - errors);
        let (mut errors, mut warnings, mut notes) = (errors, warnings, most - errors - warnings);
        self.diagnostics.iter().filter(move |it| {
            let left = match it.severity {
                Severity::Error => &mut errors,
                Severity::Warning => &mut warnings,
                Severity::Note => &mut notes,
            };
            let chosen = *left > 0;
            *left = left.saturating_sub(1);
            chosen
        })
    }

    /// Returns the numbers of findings in words: `2 errors, 1 warning`.
    fn counted(&self, paint: Paint) -> String {
        let Counts { errors, warnings, notes } = self.counts;
        let kinds =
            [(errors, Severity::Error), (warnings, Severity::Warning), (notes, Severity::Note)];
        let some = kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, severity)| {
            let plural = if count == 1 { "" } else { "s" };
            painted(paint, severity, &format!("{count} {}{plural}", severity.as_str()))
        });
        let some: Vec<String> = some.collect();
        if some.is_empty() { paint.green("no findings") } else { some.join(", ") }
    }
}

impl std::error::Error for Diagnosis {}

impl fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnosis")
            .field("file_name", &self.file_name)
            .field("counts", &self.counts)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::default(), SHOWN))
    }
}

fn painted(paint: Paint, severity: Severity, text: &str) -> String {
    match severity {
        Severity::Error => paint.red(text),
        Severity::Warning => paint.yellow(text),
        Severity::Note => paint.cyan(text),
    }
}

fn one(
    f: &mut impl fmt::Write,
    file_name: &str,
    lines: &LineIndex<'_>,
    diagnostic: &Diagnostic,
    paint: Paint,
) -> fmt::Result {
    let Diagnostic { severity, code, place, message, help, related, .. } = diagnostic;
    let last = related.as_ref().map_or(place.line, |(other, _)| other.line.max(place.line));
    let gutter = last.to_string().len();
    let kind = painted(paint, *severity, &format!("{}[{code}]", severity.as_str()));
    writeln!(f, "{kind}: {}", paint.bold(message))?;
    writeln!(f, " {:gutter$}--> {file_name}:{}:{}", "", place.line, place.column)?;
    if !lines.text().is_empty() {
        writeln!(f, " {:gutter$} |", "")?;
        let here = Snippet { place: *place, mark: '^', label: "", severity: *severity, paint };
        match related {
            Some((other, label)) => {
                let there =
                    Snippet { place: *other, mark: '-', label, severity: Severity::Note, paint };
                let (first, second) =
                    if other <= place { (&there, &here) } else { (&here, &there) };
                let (first_line, first_mark) = first.lines(lines);
                let (second_line, second_mark) = second.lines(lines);
                writeln!(f, " {:>gutter$} | {first_line}", first.place.line)?;
                writeln!(f, " {:gutter$} | {first_mark}", "")?;
                if second.place.line > first.place.line + 1 {
                    writeln!(f, "...")?;
                }
                // Two places of one line are marked below each other, under the line.
                if second.place.line != first.place.line || second_line != first_line {
                    writeln!(f, " {:>gutter$} | {second_line}", second.place.line)?;
                }
                writeln!(f, " {:gutter$} | {second_mark}", "")?;
            }
            None => {
                let (line, mark) = here.lines(lines);
                writeln!(f, " {:>gutter$} | {line}", place.line)?;
                writeln!(f, " {:gutter$} | {mark}", "")?;
            }
        }
    }
    if let Some(help) = help {
        writeln!(f, " {:gutter$} = {} {help}", "", paint.bold("help:"))?;
    }
    Ok(())
}

/// A line of the file with a mark under one place in it.
struct Snippet<'a> {
    place: Place,
    mark: char,
    label: &'a str,
    severity: Severity,
    paint: Paint,
}

impl Snippet<'_> {
    /// Returns the line as it is shown, and the line with the mark that goes under it.
    fn lines(&self, lines: &LineIndex<'_>) -> (String, String) {
        let (before, marked, after) = self.cut(lines);
        // As terminals show it: Chinese characters and emoji are two columns wide.
        let indent = " ".repeat(before.width());
        let mark = self.mark.to_string().repeat(marked.width().max(1));
        let line = format!("{before}{marked}{after}");
        let shown = text::shown(line.trim_end().as_bytes()).into_owned();
        let mark = format!("{mark} {}", self.label);
        (shown, format!("{indent}{}", painted(self.paint, self.severity, mark.trim_end())))
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
