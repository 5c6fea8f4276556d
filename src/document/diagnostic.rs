//! One finding about `ecosystem.json`: what is wrong, where, and what to write instead. It holds
//! no text of the file and decides nothing; its codes are a contract (scripts match on them), so
//! one is added and never renamed.

use std::fmt;

use serde::{Serialize, Serializer};

pub use super::locate::Place;
use super::locate::Span;
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
    /// A path of a cousin's file that names no directory of the source.
    BadFeature,
    /// A path of a cousin's file that nothing may be brought to.
    BadInto,
    /// `source` names no repository.
    BadSource,
    /// `branch` cannot be the name of a branch.
    BadBranch,
    /// A value that is none of those that its key takes.
    BadValue,
    /// Two values of a subscription that cannot both hold.
    Contradiction,
    /// Two subscriptions would write into the same directory.
    OverlappingInto,
    /// A cousin's file that lists nothing.
    NoSubscription,
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
            Self::BadFeature => "bad-feature",
            Self::BadInto => "bad-into",
            Self::BadSource => "bad-source",
            Self::BadBranch => "bad-branch",
            Self::BadValue => "bad-value",
            Self::Contradiction => "contradiction",
            Self::OverlappingInto => "overlapping-into",
            Self::NoSubscription => "no-subscription",
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

/// Returns text on one line and without tokens.
pub(crate) fn fit(raw: &str) -> String {
    text::shown(secret::mask_tokens(raw).as_bytes()).into_owned()
}

/// The place of a value in the tree; shown, it is a JSON pointer (RFC 6901).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pointer<'k> {
    /// The pointer of the list that the file is about: of cousins, of subscriptions.
    pub(crate) list: &'static str,
    /// The position of the entry in it; none is the file itself.
    pub(crate) entry: Option<usize>,
    /// A key of the entry, or of the file.
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
        if let Some(entry) = self.entry {
            write!(f, "{}/{entry}", self.list)?;
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
        let cousin = Pointer { list: "/cousins", entry: Some(3), ..Pointer::default() };
        assert_eq!(Pointer::default().to_string(), "");
        assert_eq!(Pointer::default().key("a/b~c").to_string(), "/a~1b~0c");
        assert_eq!(cousin.to_string(), "/cousins/3");
        assert_eq!(cousin.key("subscriptions").item(7).to_string(), "/cousins/3/subscriptions/7");
    }
}
