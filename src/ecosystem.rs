//! `ecosystem.json`: who the cousins are and what each of them follows. Bytes come in; a validated
//! [`Ecosystem`] or every error of the file goes out. It reads no file and prints nothing, and a
//! file with a single fault yields no cousin at all: half a list would lose updates silently.
//!
//! The steps are `syntax` (bytes to a JSON tree, with `strict`), `shape` (the tree to the types of
//! `raw`) and `validate` (to their meaning); `diagnostic` and `locate` say what is wrong and where,
//! [`Rejected`] shows it, without the tokens that `secret` finds.

use schemars::generate::SchemaSettings;

use crate::names::{EventType, RepoName};
use crate::routing::pattern::Pattern;

mod diagnostic;
mod locate;
mod raw;
mod rejected;
mod secret;
mod shape;
mod strict;
mod syntax;
mod validate;

pub use diagnostic::{Code, Diagnostic, Place, Severity};
pub use rejected::Rejected;
pub(crate) use syntax::MAX_BYTES;

use diagnostic::{Finding, Findings};
use locate::{LineIndex, Span};

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

/// Returns the ecosystem in the bytes of a file; `file_name` is for messages only.
///
/// # Errors
/// Returns everything that is wrong with the file, in one go.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Ecosystem, Rejected> {
    let (text, marked) = syntax::decode(file_name, bytes)?;
    let lines = LineIndex::new(text);
    let mut findings = Findings::new(&lines);
    if marked {
        findings.error(Code::Syntax, Span::at(0), || {
            Finding::new(
                "the file begins with a byte order mark, which JSON does not allow",
                "save it as UTF-8 without a byte order mark (\"BOM\")",
            )
        });
    }
    let ecosystem = syntax::read(&lines, &mut findings).map(|tree| {
        let file = shape::read(tree, &mut findings);
        validate::validate(file, &lines, &mut findings)
    });
    match ecosystem {
        Some(ecosystem) if !findings.any() => Ok(ecosystem),
        _ => Err(Rejected::new(file_name, text, findings)),
    }
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
