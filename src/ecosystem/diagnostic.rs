//! One finding about `ecosystem.json`: what is wrong, where, and what to write instead. It holds
//! no text of the file and decides nothing; its codes are a contract (scripts match on them), so
//! one is added and never renamed.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

pub use super::locate::Place;
use super::locate::{LineIndex, Span};
use super::secret;
use crate::text;

/// How much a finding weighs, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but does probably not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Returns the word that people and scripts read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What kind of mistake it is. The spelling of [`Code::as_str`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The bytes are not one strict JSON document: encoding, size, grammar, a key given twice.
    Syntax,
    /// A key that means nothing here.
    UnknownKey,
    /// A required key is absent.
    MissingKey,
    /// A value of another JSON type than the key takes.
    WrongType,
    /// `repo` is not an `owner/name` that GitHub could have given out.
    BadRepo,
    /// A repository is listed more than once, without regard to case.
    DuplicateRepo,
    /// A subscription that is not a pattern.
    BadPattern,
    /// The subscriptions ask for nothing.
    NoPositivePattern,
    /// `event_type` is not one that GitHub takes.
    BadEventType,
    /// `token_env` is not the name of an environment variable.
    BadTokenEnv,
    /// No path at HEAD matches a subscription.
    MatchesNothing,
    /// Another pattern of the cousin decides all that a subscription could.
    CoveredSubscription,
    /// A later `!` takes away all that a subscription matches.
    ExcludedSubscription,
    /// A subscription misses paths only by upper and lower case or by Unicode form.
    CaseOrUnicodeMismatch,
    /// A cousin has the same subscription twice.
    DuplicateSubscription,
    /// A cousin is listed and not enabled.
    DisabledCousin,
    /// There is no such repository, or the token cannot see it.
    RepoNotFound,
    /// The repository goes by another name now.
    RepoRenamed,
    /// The repository is archived: it takes no dispatch.
    RepoArchived,
    /// GitHub has taken the repository down.
    RepoDisabled,
    /// GitHub Actions is turned off in the repository.
    ActionsDisabled,
    /// No workflow of the repository listens to `repository_dispatch`.
    NoListener,
    /// Workflows listen, but not to the cousin's event type.
    ListenerOtherType,
    /// The workflow that would listen is not on the default branch.
    ListenerOnOtherBranch,
    /// The workflow that listens is turned off.
    ListenerDisabled,
    /// A workflow puts event data into a script: whoever writes the event writes the script.
    UnsafeListener,
    /// The repository's own `subscriptions.json` lacks the feature.
    NotSubscribedThere,
    /// There is no token that speaks for the cousin.
    TokenMissing,
    /// The token may not read the repository, or is refused altogether.
    TokenCannotRead,
    /// The token may not send dispatches to the repository.
    TokenCannotDispatch,
    /// GitHub did not answer, or not in time.
    Unreachable,
    /// Something was not looked at, or GitHub does not tell it: nothing speaks against it, and
    /// nothing for it.
    NotChecked,
}

impl Code {
    /// Returns the stable kebab-case code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown-key",
            Self::MissingKey => "missing-key",
            Self::WrongType => "wrong-type",
            Self::BadRepo => "bad-repo",
            Self::DuplicateRepo => "duplicate-repo",
            Self::BadPattern => "bad-pattern",
            Self::NoPositivePattern => "no-positive-pattern",
            Self::BadEventType => "bad-event-type",
            Self::BadTokenEnv => "bad-token-env",
            Self::MatchesNothing => "matches-nothing",
            Self::CoveredSubscription => "covered-subscription",
            Self::ExcludedSubscription => "excluded-subscription",
            Self::CaseOrUnicodeMismatch => "case-or-unicode-mismatch",
            Self::DuplicateSubscription => "duplicate-subscription",
            Self::DisabledCousin => "disabled-cousin",
            Self::RepoNotFound => "repo-not-found",
            Self::RepoRenamed => "repo-renamed",
            Self::RepoArchived => "repo-archived",
            Self::RepoDisabled => "repo-disabled",
            Self::ActionsDisabled => "actions-disabled",
            Self::NoListener => "no-listener",
            Self::ListenerOtherType => "listener-other-type",
            Self::ListenerOnOtherBranch => "listener-on-other-branch",
            Self::ListenerDisabled => "listener-disabled",
            Self::UnsafeListener => "unsafe-listener",
            Self::NotSubscribedThere => "not-subscribed-there",
            Self::TokenMissing => "token-missing",
            Self::TokenCannotRead => "token-cannot-read",
            Self::TokenCannotDispatch => "token-cannot-dispatch",
            Self::Unreachable => "unreachable",
            Self::NotChecked => "not-checked",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One finding. Its texts are fit for one line of a terminal or log and hold no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// What kind it is.
    pub code: Code,
    /// The cousin concerned, as its `repo` is written, where there is one.
    pub repo: Option<String>,
    /// The value concerned, as a JSON pointer (RFC 6901); empty is the whole file.
    pub pointer: String,
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// A second place that has to do with it, and what it is.
    pub related: Option<(Place, String)>,
}

/// What is said about a span of the file, before it is located and made fit to be shown.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) repo: Option<String>,
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) related: Option<(Span, String)>,
}

impl Finding {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()), ..Self::default() }
    }

    pub(crate) fn pointer(mut self, pointer: impl fmt::Display) -> Self {
        self.pointer = pointer.to_string();
        self
    }

    pub(crate) fn repo(mut self, repo: Option<&str>) -> Self {
        self.repo = repo.map(str::to_owned);
        self
    }

    pub(crate) fn related(mut self, span: Span, label: &str) -> Self {
        self.related = Some((span, label.to_owned()));
        self
    }
}

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

/// Returns text on one line and without tokens.
pub(super) fn fit(raw: &str) -> String {
    text::shown(secret::mask_tokens(raw).as_bytes()).into_owned()
}

/// The place of a value in the tree; shown, it is a JSON pointer (RFC 6901).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pointer<'k> {
    /// The pointer of the list of cousins.
    pub(crate) list: &'static str,
    /// The position of the cousin in it; none is the file itself.
    pub(crate) cousin: Option<usize>,
    /// A key of the cousin, or of the file.
    pub(crate) key: Option<&'k str>,
    /// The position in that key's array.
    pub(crate) item: Option<usize>,
}

impl<'k> Pointer<'k> {
    pub(crate) const fn key(self, key: &'k str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(crate) const fn item(self, item: usize) -> Self {
        Self { item: Some(item), ..self }
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cousin) = self.cousin {
            write!(f, "{}/{cousin}", self.list)?;
        }
        if let Some(key) = self.key {
            write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?;
        }
        self.item.map_or(Ok(()), |item| write!(f, "/{item}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_as_rfc_6901_says() {
        let cousin = Pointer { list: "/cousins", cousin: Some(3), ..Pointer::default() };
        assert_eq!(Pointer::default().to_string(), "");
        assert_eq!(Pointer::default().key("a/b~c").to_string(), "/a~1b~0c");
        assert_eq!(cousin.to_string(), "/cousins/3");
        assert_eq!(cousin.key("subscriptions").item(7).to_string(), "/cousins/3/subscriptions/7");
    }

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
