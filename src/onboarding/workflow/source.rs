//! The text of a workflow file and where things stand in it. The parser counts characters, the
//! rest of the program bytes, and people lines; this is the one place that converts. It also finds
//! where in the file an expression of a decoded scalar begins, because the scalar's own text has
//! lost its indentation, its folds and its escapes.

use saphyr_parser::ScalarStyle;

use super::yaml::Scalar;
use crate::text;

/// The most characters of a line that are shown.
const SHOWN: usize = 160;

/// A file's text with its lines.
#[derive(Debug, Clone)]
pub(super) struct Source {
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// Where each character begins, in bytes; empty for a text of ASCII, where that is the same.
    characters: Vec<usize>,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            // A carriage return alone ends a line too (YAML 1.2.2, 5.4).
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                lines.push(at + 1);
            }
        }
        let characters = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self { text: text.to_owned(), lines, characters }
    }

    /// Returns the place in bytes of a character counted from the start.
    pub(super) fn byte(&self, character: usize) -> usize {
        let byte = if self.characters.is_empty() {
            character
        } else {
            self.characters.get(character).copied().unwrap_or(self.text.len())
        };
        byte.min(self.text.len())
    }

    /// Returns the number of the line, from 1, that holds the byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte).max(1)
    }

    /// Returns how many lines there are to point at: what ends in a line break has no line after.
    pub(super) fn last_line(&self) -> usize {
        self.line(self.text.len().saturating_sub(1))
    }

    /// Returns a line fit to be shown, without the space around it and not too long.
    pub(super) fn shown_line(&self, line: usize) -> String {
        let start = line.checked_sub(1).and_then(|at| self.lines.get(at)).copied();
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let raw = start.and_then(|start| self.text.get(start..end)).unwrap_or_default();
        shown(raw.trim())
    }

    /// Returns where in the file each `${{` of a scalar stands, in bytes and in order.
    pub(super) fn openings(&self, scalar: &Scalar) -> Vec<usize> {
        let raw = self.text.get(scalar.place.clone()).unwrap_or_default();
        let mut found: Vec<usize> = if scalar.style == ScalarStyle::DoubleQuoted {
            unescaped_openings(raw)
        } else {
            raw.match_indices("${{").map(|(at, _)| at).collect()
        };
        // Before a block scalar's first line a comment may stand, which is no part of it.
        let before = found.len().saturating_sub(scalar.text.matches("${{").count());
        found.drain(..before);
        found.into_iter().map(|at| scalar.place.start + at).collect()
    }
}

/// Returns where each `${{` begins in the source of a double-quoted scalar, in which any of its
/// three characters may be written as an escape and a line may be broken between them.
fn unescaped_openings(raw: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut before = [(0, ' '); 2];
    let mut rest = raw.char_indices().peekable();
    while let Some((at, written)) = rest.next() {
        let read = if written == '\\' {
            let digits = match rest.next() {
                Some((_, 'x')) => 2,
                Some((_, 'u')) => 4,
                Some((_, 'U')) => 8,
                Some((_, '\n' | '\r')) => {
                    while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                    continue;
                }
                _ => 0,
            };
            let code = (0..digits).try_fold(0_u32, |code, _| {
                let digit = rest.next().and_then(|(_, c)| c.to_digit(16))?;
                Some(code.wrapping_mul(16).wrapping_add(digit))
            });
            code.and_then(char::from_u32).unwrap_or('\0')
        } else {
            written
        };
        if let ([(start, '$'), (_, '{')], '{') = (before, read) {
            found.push(start);
        }
        before = [before[1], (at, read)];
    }
    found
}

/// Returns text that others wrote on one line, fit to be shown and not too long.
pub(super) fn shown(raw: &str) -> String {
    // Nothing gets shorter by being made fit to be shown.
    let end = raw.char_indices().nth(SHOWN + 1).map_or(raw.len(), |(at, _)| at);
    let shown = text::shown(raw.get(..end).unwrap_or_default().as_bytes());
    match shown.char_indices().nth(SHOWN) {
        Some(_) => shown.chars().take(SHOWN - 1).chain(['…']).collect(),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_whatever_ends_it() {
        let source = Source::new("a\nbc\r\nd\re");
        for (byte, line) in [(0, 1), (1, 1), (2, 2), (5, 2), (6, 3), (8, 4), (99, 4)] {
            assert_eq!(source.line(byte), line, "byte {byte}");
        }
        let lines: Vec<String> = (0..6).map(|line| source.shown_line(line)).collect();
        assert_eq!(lines, ["", "a", "bc", "d", "e", ""]);
        assert_eq!((source.last_line(), Source::new("a\n").last_line()), (4, 1));
        assert_eq!(Source::new("").last_line(), 1);
    }

    #[test]
    fn characters_and_bytes_are_told_apart() {
        let source = Source::new("é\nx");
        assert_eq!([0, 1, 2, 3].map(|at| source.byte(at)), [0, 2, 3, 4]);
        assert_eq!(Source::new("ab").byte(9), 2);
    }

    #[test]
    fn a_long_line_is_cut_after_it_was_made_fit_to_be_shown() {
        let source = Source::new(&format!("  \u{1b}[31m{}", "x".repeat(500)));
        let shown = source.shown_line(1);
        assert_eq!(shown.chars().count(), SHOWN);
        assert!(shown.starts_with("\\u{1b}[31mxx") && shown.ends_with("x…"), "{shown}");
        assert_eq!(shown_line_of(&"x".repeat(SHOWN)), "x".repeat(SHOWN));
    }

    fn shown_line_of(text: &str) -> String {
        Source::new(text).shown_line(1)
    }

    #[test]
    fn an_opening_is_found_behind_escapes() {
        for (raw, places) in [
            (r#""a ${{ x }} ${{ y }}""#, vec![3, 12]),
            (r#""\n${{ x""#, vec![3]),
            (r#""\x24{{ x""#, vec![1]),
            (r#""$\u007b\U0000007b x""#, vec![1]),
            ("\"$\\\n   {{ x\"", vec![1]),
            (r#""\\${{ x""#, vec![3]),
            (r#""\$ { {""#, vec![]),
            (r#""\x2""#, vec![]),
        ] {
            let found = unescaped_openings(raw);
            assert_eq!(found, places, "{raw}");
        }
    }

    #[test]
    fn a_comment_behind_the_bar_is_no_part_of_the_script() {
        let raw = "&a | # ${{ a }}\n  ${{ b }}";
        let text = "${{ b }}".to_owned();
        let scalar = Scalar { text, style: ScalarStyle::Literal, place: 0..raw.len() };
        assert_eq!(Source::new(raw).openings(&scalar), [18]);
    }
}
