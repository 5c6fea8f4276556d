//! From bytes to a JSON tree with positions. It takes strict JSON (RFC 8259) only, so that every
//! other tool reads the file as we do, and says of each departure what to do instead. What the
//! keys mean is none of its business.
//!
//! What people bring along from other formats (comments, trailing commas, odd white space) is an
//! error, and yet the tree is read, so that one run shows these errors and all others.

use jsonc_parser::ast::Value;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind};

use super::diagnosis::Diagnosis;
use super::diagnostic::{Code, Finding};
use super::findings::Findings;
use super::locate::{LineIndex, Span};
use super::strict::{Ended, Scan};

/// The most bytes that are read: three times what 10,000 cousins with ten subscriptions each take, and
/// little enough to hold several times over in memory.
pub(crate) const MAX_BYTES: usize = 10 * 1024 * 1024;

/// What a document is about, in the words that its messages need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// What it is called: `the file`.
    pub(crate) name: &'static str,
    /// What is in it: `the list`.
    pub(crate) content: &'static str,
    /// The smallest one that is right, as a sentence.
    pub(crate) minimal: &'static str,
    /// What to do about one that is too long.
    pub(crate) shorten: &'static str,
    /// What to do about something behind its end.
    pub(crate) one_value: &'static str,
    /// What to do about a comment.
    pub(crate) comment: &'static str,
    /// What to do about something that is no number.
    pub(crate) number: &'static str,
    /// What to do where it nests too deep.
    pub(crate) deep: &'static str,
    /// Where the findings are that are not shown.
    pub(crate) rest: &'static str,
    /// How to say that a backslash is none of an escape.
    pub(crate) backslash: &'static str,
}

/// Returns the bytes as text without a byte order mark, and whether there was one.
///
/// # Errors
/// Too long, or not UTF-8: nothing more can be said about such a file.
pub(super) fn decode<'b>(
    words: &'static Words,
    file_name: &str,
    bytes: &'b [u8],
) -> Result<(&'b str, bool), Diagnosis> {
    let reject = |text: &str, span: Span, finding: Finding| {
        let lines = LineIndex::new(text);
        let mut findings = Findings::new(&lines);
        findings.error(Code::Syntax, span, || finding);
        Err(Diagnosis::new(words, file_name, text, findings))
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("{} has {} bytes, the limit is {MAX_BYTES}", words.name, bytes.len());
        return reject("", Span::at(0), Finding::new(message, words.shorten));
    }
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
    let body = marked.unwrap_or(bytes);
    match std::str::from_utf8(body) {
        Ok(text) => Ok((text, marked.is_some())),
        Err(error) => {
            let at = error.valid_up_to();
            let help = "save the file as UTF-8";
            let finding = match body.get(at).copied().unwrap_or_default() {
                0xfe | 0xff if at == 0 => {
                    let begins = "begins with a byte order mark of UTF-16";
                    Finding::new(format!("{} {begins}", words.name), help)
                }
                odd => Finding::new(format!("the byte 0x{odd:02x} is not UTF-8"), help),
            };
            let text = String::from_utf8_lossy(body);
            reject(
                &text,
                Span { start: at, end: at + char::REPLACEMENT_CHARACTER.len_utf8() },
                finding,
            )
        }
    }
}

/// Returns the JSON tree of the indexed text, when there is one; what is not strict JSON goes to
/// `findings`.
pub(super) fn read<'t>(
    words: &'static Words,
    lines: &LineIndex<'t>,
    findings: &mut Findings<'_>,
) -> Option<Value<'t>> {
    let text = lines.text();
    if text.trim().is_empty() {
        let message = if text.is_empty() { "is empty" } else { "is blank" };
        let message = format!("{} {message}", words.name);
        findings.error(Code::Syntax, Span::at(0), || Finding::new(message, words.minimal));
        return None;
    }
    let before = findings.counts().errors;
    let mut scan = Scan::new(words, text, findings);
    let ended = scan.run();
    let unclosed = scan.unclosed();
    // A string without its end hides what follows; only what stands before it can be judged.
    let judged = match ended {
        Ended::Yes => text,
        Ended::InString(span) => text.get(..span.start).unwrap_or_default(),
        Ended::TooDeep => return None,
    };
    // What the scan has reported, and only that, the parser may pass over.
    let reported = findings.counts().errors > before;
    let parsed =
        jsonc_parser::parse_to_ast(judged, &CollectOptions::default(), &strict_but(reported));
    match (parsed, ended) {
        (Err(error), Ended::InString(_)) if !is_cut_off(judged, &error) => {
            report(words, judged, &error, findings);
        }
        (_, Ended::InString(span)) => findings.error(Code::Syntax, span, || {
            Finding::new(
                "the string is not closed on its line",
                "close it with a double quote; a line break inside is written \\n",
            )
        }),
        (Err(error), _) if is_cut_off(text, &error) => {
            report_end(words, text, &error, unclosed, findings);
        }
        (Err(error), _) => report(words, text, &error, findings),
        (Ok(parsed), _) => {
            if parsed.value.is_none() {
                findings.error(Code::Syntax, Span::at(0), || {
                    Finding::new(format!("{} holds no value", words.name), words.minimal)
                });
            }
            return parsed.value;
        }
    }
    None
}

const fn strict_but(comments_and_trailing_commas: bool) -> ParseOptions {
    ParseOptions {
        allow_comments: comments_and_trailing_commas,
        allow_trailing_commas: comments_and_trailing_commas,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Returns whether the parser found no fault but that the text ends too early.
fn is_cut_off(text: &str, error: &ParseError) -> bool {
    use ParseErrorKind as Kind;
    error.range().start >= text.trim_end().len()
        || matches!(
            error.kind(),
            Kind::UnterminatedArray
                | Kind::UnterminatedObject
                | Kind::UnterminatedCommentBlock
                | Kind::String(ParseStringErrorKind::UnterminatedStringLiteral)
        )
}

/// Reports that the text ends too early, with what is open there.
fn report_end(
    words: &Words,
    text: &str,
    error: &ParseError,
    open: Option<Span>,
    findings: &mut Findings<'_>,
) {
    let end = text.trim_end().len();
    let open = match error.kind() {
        ParseErrorKind::String(_) => Some(Span { start: error.range().start, end }),
        _ => open,
    };
    findings.error(Code::Syntax, Span::at(end), || {
        let finding = Finding::new(
            format!("{} ends before {} does", words.name, words.content),
            "it looks cut off: restore the rest, or close what is open",
        );
        match open {
            Some(open) => finding.related(open, "this is never closed"),
            None => finding,
        }
    });
}

/// Reports the one error at which the parser stopped.
fn report(words: &Words, text: &str, error: &ParseError, findings: &mut Findings<'_>) {
    let span = Span::from(error.range());
    if let Some(marker) = conflict_marker(text, span.start) {
        findings.error(Code::Syntax, marker, || {
            Finding::new(
                "a merge conflict is not resolved",
                "keep one side, and remove the lines of <, = and >",
            )
        });
        return;
    }
    findings.error(Code::Syntax, span, || {
        let (message, help) = explain(words, error.kind());
        Finding::new(message, help)
    });
}

/// Returns the marker that git leaves in a conflict, when the line of `offset` begins with one.
fn conflict_marker(text: &str, offset: usize) -> Option<Span> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |end| end + 1);
    let marker = text.get(start..start + 7)?;
    let found = ["<<<<<<<", "=======", ">>>>>>>"].contains(&marker);
    found.then_some(Span { start, end: start + 7 })
}

/// Returns what the parser's error means and what to do.
fn explain(words: &Words, kind: &ParseErrorKind) -> (String, &'static str) {
    use ParseErrorKind as Kind;
    let (message, help) = match kind {
        Kind::ExpectedComma => ("a comma is missing here", "separate entries with a comma"),
        Kind::ExpectedColonAfterObjectKey => {
            ("a key needs a colon and a value", "write \"key\": value")
        }
        Kind::ExpectedObjectValue => ("a value is missing here", "write \"key\": value"),
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedTokenInObject => {
            ("an object holds keys in double quotes, each with a value", "write \"key\": value")
        }
        Kind::SingleQuotedStringsNotAllowed => {
            ("JSON has no single quotes", "put the string between double quotes")
        }
        Kind::UnexpectedWord => (
            "a word without quotes is not JSON",
            "put text between double quotes; the words of JSON are true, false and null",
        ),
        Kind::MultipleRootJsonValues => {
            return (format!("something follows the end of {}", words.content), words.one_value);
        }
        Kind::UnexpectedCloseBrace => ("this } closes nothing", "remove it, or close with ]"),
        Kind::UnexpectedCloseBracket => ("this ] closes nothing", "remove it, or close with }"),
        Kind::UnexpectedComma => ("a value is missing before this comma", "remove the comma"),
        Kind::UnexpectedColon => {
            ("a colon stands only between a key and its value", "put \"key\": value into an object")
        }
        Kind::String(
            ParseStringErrorKind::InvalidEscape
            | ParseStringErrorKind::InvalidEscapeInDoubleQuoteString
            | ParseStringErrorKind::ExpectedFourHexDigits,
        ) => ("this backslash begins no escape of JSON", words.backslash),
        Kind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            ("this escape is half of a character", "write both halves, or the character itself")
        }
        Kind::UnexpectedToken => {
            ("this character has no meaning here", "put text between double quotes")
        }
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => ("this is not a number of JSON", words.number),
        other => return (format!("this is not JSON: {other}").to_lowercase(), words.minimal),
    };
    (message.to_owned(), help)
}
