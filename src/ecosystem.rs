//! `ecosystem.json`: who the cousins are and what each of them follows. Bytes come in; a validated
//! [`Ecosystem`] or every error of the file goes out. It reads no file and prints nothing, and a
//! file with a single fault yields no cousin at all: half a list would lose updates silently.
//!
//! The steps are those of a `document` (bytes to a JSON tree), `shape` (the tree to
//! the types of `raw`) and `validate` (to their meaning). Who wants to say more about the file than
//! this (`onboarding` does) takes the steps one by one, from `decode`.

use schemars::generate::SchemaSettings;

use crate::names::{EventType, RepoName};
use crate::routing::pattern::Pattern;

pub(crate) mod edit;
mod raw;
mod shape;
mod validate;

use crate::document::Words;
pub use crate::document::{Code, Counts, Diagnosis, Diagnostic, Place, Severity};
pub(crate) use crate::document::{
    Document, Finding, Findings, LineIndex, MAX_BYTES, Pointer, Span,
};

/// Where the findings are that are not shown.
pub(crate) const THE_REST: &str =
    "`ecosystem validate --format json` shows up to 1,000 of each severity";

/// The words of a list of cousins.
static WORDS: Words = Words {
    name: "the file",
    content: "the list",
    minimal: r#"the smallest file is [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]"#,
    shorten: "list fewer cousins or shorter subscriptions: globs such as \"features/*\"",
    one_value: "put all cousins into one array",
    comment: "remove it; a cousin's \"description\" is the place for remarks",
    number: "no key takes a number: put text between double quotes",
    deep: "a list of cousins has three levels: look for a bracket that is not closed",
    rest: THE_REST,
    backslash: "write paths with /, and a backslash itself as \\\\",
};

/// The validated content of an `ecosystem.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ecosystem {
    /// The cousins in file order, each repository once.
    pub cousins: Vec<Cousin>,
}

/// A downstream repository, and what it wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cousin {
    /// The repository, in the case in which it is written.
    pub repo: RepoName,
    /// The patterns in file order; at least one of them does not exclude.
    pub subscriptions: Vec<Pattern>,
    /// The event type to send.
    pub event_type: EventType,
    /// False for a cousin that is listed and validated but not dispatched to.
    pub enabled: bool,
    /// The name of the environment variable with this cousin's own token.
    pub token_env: Option<String>,
    /// A remark for people.
    pub description: Option<String>,
    /// The 1-based line of its `repo` value.
    pub line: usize,
}

/// What there is to say of any entry of the list, whether or not it is a cousin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its position in the list.
    pub(crate) index: usize,
    /// Its `repo` as it is written, fit to be shown.
    pub(crate) repo: Option<String>,
    /// Whether it is dispatched to.
    pub(crate) enabled: bool,
    /// How many of its subscriptions could be read.
    pub(crate) subscriptions: usize,
}

/// A cousin, and where what is said of it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The cousin; what could not be read of it is left out, or as if it were not given.
    pub(crate) cousin: Cousin,
    /// Whether it has no fault; only such a cousin may be dispatched to, or asked about.
    pub(crate) sound: bool,
    /// Whether its subscriptions are all there, so that they can be judged among themselves.
    pub(crate) whole: bool,
    /// Its JSON pointer.
    pub(crate) at: Pointer<'static>,
    /// The place of its `repo`.
    pub(crate) repo: Span,
    /// The place of its list of subscriptions, else of its `repo`.
    pub(crate) subscriptions: Span,
    /// The places of the subscriptions that could be read, in their order.
    pub(crate) patterns: Vec<Span>,
    /// Their positions in the list of subscriptions.
    pub(crate) items: Vec<usize>,
    /// The place of its `event_type`, where it has one.
    pub(crate) event_type: Option<Span>,
    /// The place of its `enabled`, where it has one.
    pub(crate) enabled: Option<Span>,
    /// The place of its `token_env`, where it has one.
    pub(crate) token_env: Option<Span>,
}

/// Returns the text in the bytes of a list of cousins; `file_name` is for messages only.
///
/// # Errors
/// Too long, or not UTF-8.
pub(crate) fn decode<'b>(file_name: &'b str, bytes: &'b [u8]) -> Result<Document<'b>, Diagnosis> {
    Document::decode(&WORDS, file_name, bytes)
}

/// A list of cousins as a document.
impl<'b> Document<'b> {
    /// Returns the cousins whose name can be read, in the order of the file; what is wrong goes to
    /// `findings`.
    pub(crate) fn cousins(
        &self,
        lines: &LineIndex<'b>,
        findings: &mut Findings<'_>,
    ) -> Vec<Listed> {
        self.entries(lines, findings).into_iter().filter_map(|(_, listed)| listed).collect()
    }

    /// Returns all entries of the list, each with the cousin that it is if its name can be read, in
    /// the order of the file; of those that are none the first 1,000. What is wrong goes to
    /// `findings`.
    pub(crate) fn entries(
        &self,
        lines: &LineIndex<'b>,
        findings: &mut Findings<'_>,
    ) -> Vec<(Entry, Option<Listed>)> {
        let Some(tree) = self.tree(lines, findings) else { return Vec::new() };
        let file = shape::read(tree, findings);
        validate::validate(file, lines, findings)
    }
}

/// Returns the ecosystem in the bytes of a file; `file_name` is for messages only.
///
/// # Errors
/// Returns everything that is wrong with the file, in one go.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Ecosystem, Diagnosis> {
    let text = decode(file_name, bytes)?;
    let lines = text.lines();
    let mut findings = Findings::new(&lines);
    let listed = text.cousins(&lines, &mut findings);
    if findings.any_error() {
        return Err(text.diagnosis(findings));
    }
    Ok(Ecosystem { cousins: listed.into_iter().map(|listed| listed.cousin).collect() })
}

/// Returns the JSON Schema of `ecosystem.json`, as `schema/ecosystem.schema.json` holds it:
/// indented by two spaces, with a newline at the end.
///
/// It is of draft 7, which editors know best. It says less than [`parse`]: whether a pattern can be
/// read, and whether a repository is listed twice, no schema can tell.
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
