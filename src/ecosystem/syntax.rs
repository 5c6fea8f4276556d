//! From bytes to a JSON tree with positions. It takes strict JSON (RFC 8259) only, so that every
//! other tool reads the file as we do, and says of each departure what to do instead. What the
//! keys mean is none of its business.
//!
//! A first pass over the bytes finds what people bring along from other formats (comments,
//! trailing commas, odd white space) wherever it stands; the tree is read all the same, so that
//! one run shows these errors and all others. It also refuses nesting that no real file has, before
//! anything recurses.

use jsonc_parser::ast::Value;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind};

use super::diagnostic::{Code, Finding, Findings};
use super::locate::{LineIndex, Span};
use super::rejected::Rejected;

/// The most bytes that are read: a hundred times a file of 1,000 cousins, and little enough to
/// hold several times over in memory.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// How deep arrays and objects may nest. A real file has three levels; the parser recurses.
const MAX_DEPTH: usize = 64;

const MINIMAL: &str =
    r#"the smallest file is [{"repo": "owner/name", "subscriptions": ["path/to/feature"]}]"#;

/// Returns the bytes as text without a byte order mark, and whether there was one.
///
/// # Errors
/// Too long, or not UTF-8: nothing more can be said about such a file.
pub(super) fn decode<'b>(file_name: &str, bytes: &'b [u8]) -> Result<(&'b str, bool), Rejected> {
    let reject = |text: &str, span: Span, finding: Finding| {
        let lines = LineIndex::new(text);
        let mut findings = Findings::new(&lines);
        findings.error(Code::Syntax, span, || finding);
        Err(Rejected::new(file_name, text, findings))
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", bytes.len());
        let help = "list fewer cousins or shorter subscriptions: globs such as \"features/*\"";
        return reject("", Span::at(0), Finding::new(message, help));
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
                    Finding::new("the file begins with a byte order mark of UTF-16", help)
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
pub(super) fn read<'t>(lines: &LineIndex<'t>, findings: &mut Findings<'_>) -> Option<Value<'t>> {
    let text = lines.text();
    if text.trim().is_empty() {
        let message = if text.is_empty() { "the file is empty" } else { "the file is blank" };
        findings.error(Code::Syntax, Span::at(0), || Finding::new(message, MINIMAL));
        return None;
    }
    let before = findings.errors();
    let mut scan = Scan { text, findings, open: Vec::new(), comma: Comma::None };
    let Ended::Yes = scan.run() else { return None };
    let unclosed = scan.open.last().copied();
    // What the scan has reported, and only that, the parser may pass over.
    let reported = findings.errors() > before;
    match jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &strict_but(reported)) {
        Ok(parsed) => {
            if parsed.value.is_none() {
                findings.error(Code::Syntax, Span::at(0), || {
                    Finding::new("the file holds no value", MINIMAL)
                });
            }
            parsed.value
        }
        Err(error) => {
            report(text, &error, unclosed, findings);
            None
        }
    }
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

/// Whether the scan leaves the text to the parser.
enum Ended {
    Yes,
    /// The parser has nothing to add, or must not see it.
    Refused,
}

/// The last token, as far as a trailing comma needs it.
enum Comma {
    None,
    AfterOpening,
    AfterValue,
    Here(usize),
}

/// The first pass: brackets, strings and what stands between them, byte by byte.
struct Scan<'t, 'f, 'l> {
    text: &'t str,
    findings: &'f mut Findings<'l>,
    /// The brackets that are open, with their offsets.
    open: Vec<(u8, usize)>,
    comma: Comma,
}

impl Scan<'_, '_, '_> {
    fn run(&mut self) -> Ended {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => Some(at + 1),
                b'"' => {
                    self.comma = Comma::AfterValue;
                    match self.string(at) {
                        Ok(next) => next,
                        Err(refused) => return refused,
                    }
                }
                b'[' | b'{' => {
                    if self.open.len() == MAX_DEPTH {
                        self.too_deep(at);
                        return Ended::Refused;
                    }
                    self.open.push((byte, at));
                    self.comma = Comma::AfterOpening;
                    Some(at + 1)
                }
                b']' | b'}' => self.close(at, byte),
                b',' => {
                    self.comma = match self.comma {
                        Comma::AfterValue => Comma::Here(at),
                        _ => Comma::None,
                    };
                    Some(at + 1)
                }
                b'/' => self.comment(at),
                // Quotes of another kind: what follows cannot be told apart here.
                b'\'' | b'`' => None,
                0x0b | 0x0c | 0x80.. => Some(self.odd(at)),
                _ => {
                    self.comma = Comma::AfterValue;
                    Some(at + 1)
                }
            };
            match next {
                Some(next) => at = next,
                None => return Ended::Yes,
            }
        }
        Ended::Yes
    }

    /// Returns the offset behind the string that begins at `from`; none when the text ends in it.
    fn string(&mut self, from: usize) -> Result<Option<usize>, Ended> {
        let bytes = self.text.as_bytes();
        let mut at = from + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => return Ok(Some(at + 1)),
                b'\\' => at += 1,
                b'\n' | b'\r' => {
                    self.findings.error(Code::Syntax, Span { start: from, end: at }, || {
                        Finding::new(
                            "the string is not closed on its line",
                            "close it with a double quote; a line break inside is written \\n",
                        )
                    });
                    return Err(Ended::Refused);
                }
                0..0x20 => {
                    self.findings.error(Code::Syntax, Span { start: at, end: at + 1 }, || {
                        Finding::new(
                            format!("the string holds the control character U+{byte:04X}"),
                            if byte == b'\t' {
                                "write \\t for a tab".to_owned()
                            } else {
                                format!("write \\u{byte:04x}, or remove it")
                            },
                        )
                    })
                }
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    /// Returns the offset behind a closing bracket; none when it closes nothing.
    fn close(&mut self, at: usize, byte: u8) -> Option<usize> {
        if let Comma::Here(comma) = self.comma {
            self.findings.error(Code::Syntax, Span { start: comma, end: comma + 1 }, || {
                Finding::new(
                    format!("a comma before {} is not JSON", char::from(byte)),
                    "remove this comma",
                )
            });
        }
        self.comma = Comma::AfterValue;
        let wanted = if byte == b']' { b'[' } else { b'{' };
        let (opening, _) = self.open.last()?;
        if *opening != wanted {
            return None;
        }
        self.open.pop();
        Some(at + 1)
    }

    /// Returns the offset behind the comment that begins at `at`; none when it is no comment or
    /// has no end.
    fn comment(&mut self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let (length, next) = match rest.as_bytes().get(1) {
            Some(b'/') => {
                let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
                (length, Some(at + length))
            }
            Some(b'*') => match rest.get(2..)?.find("*/") {
                Some(inner) => (inner + 4, Some(at + inner + 4)),
                None => return None,
            },
            _ => return None,
        };
        self.findings.error(Code::Syntax, Span { start: at, end: at + length }, || {
            Finding::new(
                "JSON allows no comments",
                "remove it; a cousin's \"description\" is the place for remarks",
            )
        });
        next
    }

    /// Returns the offset behind a character that is not ASCII or is odd white space.
    fn odd(&mut self, at: usize) -> usize {
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let next = at + found.map_or(1, char::len_utf8);
        match found {
            // The parser passes over these, JSON does not.
            Some(space) if space.is_whitespace() => {
                self.findings.error(Code::Syntax, Span { start: at, end: next }, || {
                    Finding::new(
                        format!("U+{:04X} is not white space in JSON", u32::from(space)),
                        "put an ordinary space, or nothing, in its place",
                    )
                });
            }
            _ => self.comma = Comma::AfterValue,
        }
        next
    }

    fn too_deep(&mut self, at: usize) {
        self.findings.error(Code::Syntax, Span { start: at, end: at + 1 }, || {
            Finding::new(
                format!("arrays and objects nest deeper than {MAX_DEPTH} levels"),
                "a list of cousins has three levels: look for a bracket that is not closed",
            )
        });
    }
}

/// Reports the one error at which the parser stopped.
fn report(
    text: &str,
    error: &ParseError,
    unclosed: Option<(u8, usize)>,
    findings: &mut Findings<'_>,
) {
    use ParseErrorKind as Kind;
    let span = Span::from(error.range());
    let end = text.trim_end().len();
    let unterminated = matches!(
        error.kind(),
        Kind::UnterminatedArray
            | Kind::UnterminatedObject
            | Kind::UnterminatedCommentBlock
            | Kind::String(ParseStringErrorKind::UnterminatedStringLiteral)
    );
    if unterminated || span.start >= end {
        findings.error(Code::Syntax, Span::at(end), || {
            let finding = Finding::new(
                "the file ends before the list does",
                "it looks cut off: restore the rest, or close what is open",
            );
            match (error.kind(), unclosed) {
                (Kind::String(_), _) => {
                    finding.related(Span { end, ..span }, "this is never closed")
                }
                (_, Some((_, at))) => {
                    finding.related(Span { start: at, end: at + 1 }, "this is never closed")
                }
                _ => finding,
            }
        });
        return;
    }
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
        let (message, help) = explain(error.kind());
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
fn explain(kind: &ParseErrorKind) -> (String, &'static str) {
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
            ("something follows the end of the list", "put all cousins into one array")
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
        ) => (
            "this backslash begins no escape of JSON",
            "write paths with /, and a backslash itself as \\\\",
        ),
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
        | Kind::UnaryPlusNumbersNotAllowed => (
            "this is not a number of JSON",
            "no key takes a number: put text between double quotes",
        ),
        other => return (format!("this is not JSON: {other}").to_lowercase(), MINIMAL),
    };
    (message.to_owned(), help)
}
