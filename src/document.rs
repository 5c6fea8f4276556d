//! A JSON document that a person wrote, and everything that is found about it: strict reading
//! (`syntax`, with `strict`), values of the wanted types (`reader`), where things stand (`locate`),
//! one finding (`diagnostic`), all of them (`findings`), and how they are shown to people
//! ([`Diagnosis`]), without the tokens that `secret` finds. What the keys mean is decided by whoever
//! reads one: `ecosystem` its list, `subscriptions` a cousin's, `event` a payload.

use jsonc_parser::ast::Value;

mod diagnosis;
mod diagnostic;
mod findings;
mod locate;
mod reader;
pub(crate) mod secret;
mod strict;
mod syntax;

pub use diagnosis::Diagnosis;
pub use diagnostic::{Code, Diagnostic, Place, Severity};
pub(crate) use diagnostic::{Finding, Pointer, fit};
pub use findings::Counts;
pub(crate) use findings::Findings;
pub(crate) use locate::{LineIndex, Located, Span};
pub(crate) use reader::{Reader, Text, Texts, opening};
pub(crate) use syntax::{MAX_BYTES, Words};

/// The bytes of a file as text, with the name under which messages show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'b> {
    words: &'static Words,
    file_name: &'b str,
    text: &'b str,
    marked: bool,
}

impl<'b> Document<'b> {
    /// Returns the text in the bytes of a file; `file_name` is for messages only.
    ///
    /// # Errors
    /// Too long, or not UTF-8.
    pub(crate) fn decode(
        words: &'static Words,
        file_name: &'b str,
        bytes: &'b [u8],
    ) -> Result<Self, Diagnosis> {
        let (text, marked) = syntax::decode(words, file_name, bytes)?;
        Ok(Self { words, file_name, text, marked })
    }

    /// Returns where each line of it begins.
    pub(crate) fn lines(&self) -> LineIndex<'b> {
        LineIndex::new(self.text)
    }

    /// Returns the JSON tree, when there is one; what is not strict JSON goes to `findings`.
    pub(crate) fn tree(
        &self,
        lines: &LineIndex<'b>,
        findings: &mut Findings<'_>,
    ) -> Option<Value<'b>> {
        if self.marked {
            findings.error(Code::Syntax, Span::at(0), || {
                let marked = "begins with a byte order mark, which JSON does not allow";
                Finding::new(
                    format!("{} {marked}", self.words.name),
                    "save it as UTF-8 without a byte order mark (\"BOM\")",
                )
            });
        }
        syntax::read(self.words, lines, findings)
    }

    /// Returns the document with all that was found about it.
    pub(crate) fn diagnosis(&self, findings: Findings<'_>) -> Diagnosis {
        Diagnosis::new(self.words, self.file_name, self.text, findings)
    }
}
