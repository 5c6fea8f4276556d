//! The findings of one file while it is read: how many there are and whom they concern. Only so many
//! are kept whole, but each is counted, and each weighs for its cousin: a file with a million faults
//! takes no more memory than one with a thousand. What is kept is made fit to be shown here, once.

use std::collections::BTreeSet;

use serde::Serialize;

use super::diagnostic::{Code, Diagnostic, Finding, Severity, fit};
use super::locate::{LineIndex, Span};

/// How many findings of each severity there are, all of them counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Findings with which the file cannot be used, or a cousin not be told.
    pub errors: usize,
    /// Findings that are probably not what was meant.
    pub warnings: usize,
    /// What is worth knowing.
    pub notes: usize,
}

impl Counts {
    fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        }
    }

    /// Returns the number of all findings.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.errors + self.warnings + self.notes
    }
}

/// The findings of one file, in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Findings<'t> {
    lines: &'t LineIndex<'t>,
    strict: bool,
    kept: Vec<Diagnostic>,
    counts: Counts,
    secrets: Vec<Span>,
    /// Where each cousin stands, in the order of the file, and the gravest that was found there.
    cousins: Vec<(Span, Option<Severity>)>,
    /// Where errors of grammar are: they are found before it is known where the cousins stand.
    early: BTreeSet<usize>,
}

/// What [`Findings::finish`] returns.
#[derive(Debug)]
pub(super) struct Finished {
    /// The kept findings, in the order of the file.
    pub(super) kept: Vec<Diagnostic>,
    /// How many there were.
    pub(super) counts: Counts,
    /// What must not be shown, in the order of the file.
    pub(super) secrets: Vec<Span>,
}

impl<'t> Findings<'t> {
    /// How many findings of a severity are kept whole. A file of ten megabytes can hold millions;
    /// nobody reads more than these, and the rest is counted.
    pub(crate) const KEPT: usize = 1000;

    pub(crate) const fn new(lines: &'t LineIndex<'t>) -> Self {
        let counts = Counts { errors: 0, warnings: 0, notes: 0 };
        Self {
            lines,
            strict: false,
            kept: Vec::new(),
            counts,
            secrets: Vec::new(),
            cousins: Vec::new(),
            early: BTreeSet::new(),
        }
    }

    /// Makes errors of all warnings that are recorded from now on.
    pub(crate) const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Records an error. `finding` is asked for only if it will be kept.
    pub(crate) fn error(&mut self, code: Code, span: Span, finding: impl FnOnce() -> Finding) {
        self.add(Severity::Error, code, span, finding);
    }

    /// Records a finding. `finding` is asked for only if it will be kept.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        code: Code,
        span: Span,
        finding: impl FnOnce() -> Finding,
    ) {
        let severity = match severity {
            Severity::Warning if self.strict => Severity::Error,
            severity => severity,
        };
        // What is not kept counts for its cousin all the same: the place tells whose it is.
        if self.cousins.is_empty() && severity == Severity::Error {
            self.early.insert(span.start);
        } else if let Some((_, gravest)) = self.cousin_at(span) {
            *gravest = Some(gravest.map_or(severity, |known| known.min(severity)));
        }
        let count = self.counts.of(severity);
        *count += 1;
        if *count > Self::KEPT {
            return;
        }
        let found = finding();
        self.kept.push(Diagnostic {
            severity,
            code,
            repo: found.repo.map(|repo| fit(&repo)),
            pointer: fit(&found.pointer),
            place: self.lines.place(span),
            message: fit(&found.message),
            help: found.help.map(|help| fit(&help)),
            related: found.related.map(|(span, label)| (self.lines.place(span), label)),
        });
    }

    /// Notes where the next cousin of the list stands; findings from now on may be about it.
    pub(crate) fn cousin(&mut self, span: Span) {
        let early = self.early.range(span.start..span.end.max(span.start)).next();
        self.cousins.push((span, early.map(|_| Severity::Error)));
    }

    /// Returns how many cousins the list has, whatever could be read of them.
    pub(crate) const fn cousins(&self) -> usize {
        self.cousins.len()
    }

    /// Returns the gravest of all that was found about a cousin, by its position in the list.
    pub(crate) fn gravest(&self, cousin: usize) -> Option<Severity> {
        self.cousins.get(cousin)?.1
    }

    fn cousin_at(&mut self, span: Span) -> Option<&mut (Span, Option<Severity>)> {
        let behind = self.cousins.partition_point(|(cousin, _)| cousin.start <= span.start);
        let last = self.cousins.get_mut(behind.checked_sub(1)?)?;
        (span.start < last.0.end).then_some(last)
    }

    /// Keeps what stands at `span` out of everything that is shown.
    pub(crate) fn hide(&mut self, span: Span) {
        self.secrets.push(span);
    }

    /// Returns how many findings were recorded so far.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns whether an error was recorded.
    pub(crate) const fn any_error(&self) -> bool {
        self.counts.errors > 0
    }

    pub(super) fn finish(mut self) -> Finished {
        self.kept.sort_by_key(|diagnostic| diagnostic.place);
        self.secrets.sort_by_key(|span| span.start);
        Finished { kept: self.kept, counts: self.counts, secrets: self.secrets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_of_a_cousin_is_known_though_nothing_of_it_was_kept() {
        let text = "x".repeat(100);
        let lines = LineIndex::new(&text);
        let mut findings = Findings::new(&lines).strict(false);
        for at in [10, 20, 30, 40] {
            findings.cousin(Span { start: at, end: at + 8 });
        }
        let add = |findings: &mut Findings<'_>, severity, at| {
            findings.add(severity, Code::MatchesNothing, Span::at(at), Finding::default);
        };
        for _ in 0..Findings::KEPT {
            add(&mut findings, Severity::Warning, 10);
            add(&mut findings, Severity::Error, 5);
        }
        add(&mut findings, Severity::Error, 27);
        add(&mut findings, Severity::Note, 20);
        add(&mut findings, Severity::Warning, 30);
        add(&mut findings, Severity::Error, 28);
        add(&mut findings, Severity::Error, 99);
        let gravest: Vec<_> = (0..5).map(|at| findings.gravest(at)).collect();
        let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
        assert_eq!(gravest, [warning, error, warning, None, None]);
        assert_eq!(findings.finish().kept.len(), 2 * Findings::KEPT + 1);
    }

    #[test]
    fn what_is_kept_has_no_token_and_no_line_break_and_the_rest_is_counted() {
        let lines = LineIndex::new("x");
        let mut findings = Findings::new(&lines);
        for _ in 0..Findings::KEPT + 5 {
            findings.error(Code::BadRepo, Span::at(0), || {
                Finding::new("a ghp_0123456789abcdefghij\n::error::b", "c\u{202e}d")
                    .repo(Some("e\nf"))
                    .pointer("/0/g\nh".to_owned())
            });
        }
        let Finished { kept, counts, .. } = findings.finish();
        assert_eq!((kept.len(), counts.errors), (Findings::KEPT, Findings::KEPT + 5));
        let first = &kept[0];
        assert_eq!(first.message, "a ghp_********************\\n::error::b");
        assert_eq!(first.help.as_deref(), Some("c\\u{202e}d"));
        assert_eq!(first.repo.as_deref(), Some("e\\nf"));
        assert_eq!(first.pointer, "/0/g\\nh");
    }
}
