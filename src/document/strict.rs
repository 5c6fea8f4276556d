//! The first pass over the text: brackets, strings and what stands between them, byte by byte. It
//! finds what is easily taken for JSON and is not, wherever it stands, so that reading can go on;
//! and nesting that no real file has, before anything recurses. All other grammar is the parser's.

use super::diagnostic::{Code, Finding};
use super::findings::Findings;
use super::locate::Span;
use super::syntax::Words;

/// How deep arrays and objects may nest. The parser recurses, and no real document has a
/// tenth of it.
const MAX_DEPTH: usize = 64;

/// Whether the scan leaves the text to the parser.
pub(super) enum Ended {
    /// It does; what the scan has found is reported.
    Yes,
    /// A string goes on past its line, so that what follows cannot be told from text.
    InString(Span),
    /// It nests too deep for a parser that recurses; reported.
    TooDeep,
}

/// The last token, as far as a trailing comma needs it.
enum Comma {
    None,
    AfterOpening,
    AfterValue,
    Here(usize),
}

/// The first pass: brackets, strings and what stands between them, byte by byte.
pub(super) struct Scan<'t, 'f, 'l> {
    words: &'static Words,
    text: &'t str,
    findings: &'f mut Findings<'l>,
    /// The brackets that are open, with their offsets.
    open: Vec<(u8, usize)>,
    comma: Comma,
}

impl<'t, 'f, 'l> Scan<'t, 'f, 'l> {
    pub(super) const fn new(
        words: &'static Words,
        text: &'t str,
        findings: &'f mut Findings<'l>,
    ) -> Self {
        Self { words, text, findings, open: Vec::new(), comma: Comma::None }
    }

    /// Returns the innermost bracket that is open where the scan has stopped.
    pub(super) fn unclosed(&self) -> Option<Span> {
        self.open.last().map(|(_, at)| Span { start: *at, end: at + 1 })
    }

    /// Reports what it finds; returns whether the parser may go on.
    pub(super) fn run(&mut self) -> Ended {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let next = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => Some(at + 1),
                b'"' => {
                    self.comma = Comma::AfterValue;
                    match self.string(at) {
                        Ok(next) => next,
                        Err(ended) => return ended,
                    }
                }
                b'[' | b'{' => {
                    if self.open.len() == MAX_DEPTH {
                        self.too_deep(at);
                        return Ended::TooDeep;
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

    /// Returns the offset behind the string that begins at `from`; none when the text ends in it,
    /// an error when its line does.
    fn string(&mut self, from: usize) -> Result<Option<usize>, Ended> {
        let bytes = self.text.as_bytes();
        let mut at = from + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => return Ok(Some(at + 1)),
                b'\\' => at += 1,
                b'\n' | b'\r' => return Err(Ended::InString(Span { start: from, end: at })),
                0..0x20 => self.control(at, byte),
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    fn control(&mut self, at: usize, byte: u8) {
        self.findings.error(Code::Syntax, Span { start: at, end: at + 1 }, || {
            let help = match byte {
                b'\t' => "write \\t for a tab".to_owned(),
                _ => format!("write \\u{byte:04x}, or remove it"),
            };
            Finding::new(format!("the string holds the control character U+{byte:04X}"), help)
        });
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
            Finding::new("JSON allows no comments", self.words.comment)
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
                self.words.deep,
            )
        });
    }
}
