//! `subscriptions.json`: what a cousin follows, where it puts it and how. Bytes come in; a validated
//! [`Subscriptions`] or every error of the file goes out. It reads no file and asks no repository,
//! and a file with a single fault yields nothing: half a list would leave features behind silently.
//!
//! The steps are those of `ecosystem.json`: a `document` (bytes to a JSON tree), `shape` (the tree to
//! the types of `raw`), `validate` (to their meaning). What a path, a source or a preserved file is
//! ([`path`], [`SourceName`], [`Preserve`]) is judged the same for flags and events.

use schemars::generate::SchemaSettings;

use crate::document::{Document, Findings, Words};
use crate::names::FeaturePath;

pub mod path;
mod preserve;
mod raw;
mod shape;
mod slug;
mod source;
mod validate;

pub use crate::document::{Code, Counts, Diagnosis, Diagnostic, Place, Severity};
pub use path::Directory;
pub use preserve::Preserve;
pub use source::{SourceName, branch};

/// The name of the file, at the cousin's root.
pub const FILE_NAME: &str = "subscriptions.json";

/// The words of a list of subscriptions.
static WORDS: Words = Words {
    name: "the file",
    content: "the list",
    minimal: r#"the smallest file is ["path/to/feature"]"#,
    shorten: "subscribe to a directory above: what is below it comes with it",
    one_value: "put all subscriptions into one array",
    comment: "remove it: the file is read by tools that know no comments",
    number: "only \"max_age_days\" takes a number; put text between double quotes",
    deep: "a list of subscriptions has four levels: look for a bracket that is not closed",
    rest: "mend these, and they are shown",
    backslash: "write paths with /, and a backslash itself as \\\\",
};

/// The validated content of a `subscriptions.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriptions {
    /// The repository that features come from; none where it is left to `--source`.
    pub source: Option<SourceName>,
    /// The branch of it that is trusted, without `refs/heads/`; none is its default branch.
    pub branch: Option<String>,
    /// How old a commit may be that an event names; none and 0 are any age.
    pub max_age_days: Option<u32>,
    /// The subscriptions in file order, each feature once; at least one.
    pub subscriptions: Vec<Subscription>,
}

/// A feature that the cousin follows, and what it does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The directory of the source.
    pub feature: FeaturePath,
    /// The directory of the cousin; empty is its root.
    pub into: Directory,
    /// How upstream's changes get there.
    pub method: Method,
    /// What a sync leaves alone below `into`.
    pub preserve: Preserve,
    /// Which pull requests there are.
    pub pull_request: PullRequests,
    /// The 1-based line of the feature.
    pub line: usize,
}

/// How what changed upstream gets into a cousin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// A three-way merge: the cousin's own edits stay.
    #[default]
    Merge,
    /// The directory becomes what it is upstream.
    Copy,
    /// Each commit upstream becomes one here.
    CherryPick,
    /// One squashed merge of all that is subscribed to, in the source's own layout.
    Squash,
    /// The cousin's own commits are put on top of upstream's.
    Rebase,
}

impl Method {
    /// All methods, in the order in which they are listed to people.
    pub const ALL: [Self; 5] =
        [Self::Merge, Self::Copy, Self::CherryPick, Self::Squash, Self::Rebase];

    /// Returns the word for it in files, flags and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Copy => "copy",
            Self::CherryPick => "cherry-pick",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }

    /// Returns the method that `word` is written for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }

    /// Returns whether the source's layout is kept, so that several subscriptions are one update.
    #[must_use]
    pub const fn keeps_layout(self) -> bool {
        matches!(self, Self::Squash | Self::Rebase)
    }
}

/// Which pull requests updates are proposed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum PullRequests {
    /// One for the feature, which moves on as long as it is open.
    #[default]
    Rolling,
    /// One for each commit that is brought.
    PerCommit,
}

impl PullRequests {
    /// Both, in the order in which they are listed to people.
    pub const ALL: [Self; 2] = [Self::Rolling, Self::PerCommit];

    /// Returns the word for it in files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::PerCommit => "per-commit",
        }
    }

    /// Returns what `word` is written for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.as_str() == word)
    }
}

impl Subscriptions {
    /// Returns the subscription to a feature.
    #[must_use]
    pub fn find(&self, feature: &FeaturePath) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.feature == *feature)
    }
}

/// Returns the subscriptions in the bytes of a file; `file_name` is for messages only.
///
/// # Errors
/// Returns everything that is wrong with the file, in one go.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Subscriptions, Diagnosis> {
    let document = Document::decode(&WORDS, file_name, bytes)?;
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let read = document.tree(&lines, &mut findings).and_then(|tree| {
        let file = shape::read(tree, &mut findings);
        validate::validate(file, &lines, &mut findings)
    });
    match read {
        Some(subscriptions) if !findings.any_error() => Ok(subscriptions),
        _ => Err(document.diagnosis(findings)),
    }
}

/// Returns the JSON Schema of `subscriptions.json`, as `schema/subscriptions.schema.json` holds it:
/// indented by two spaces, with a newline at the end.
///
/// It is of draft 7, which editors know best. It says less than [`parse`]: whether two subscriptions
/// would write into the same directory, no schema can tell.
#[must_use]
pub fn schema() -> String {
    let generator = SchemaSettings::draft07().into_generator();
    let schema = generator.into_root_schema_for::<raw::RawFile<'_>>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
