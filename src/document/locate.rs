//! Where things stand in `ecosystem.json`: byte spans while the file is read, lines and columns
//! for people. It knows text and nothing of JSON; lookups cost a binary search, so that a file of
//! one line and ten megabytes is as good as any other.

use serde::Serialize;

/// Bytes between two counts of characters: the most that one lookup walks.
const BLOCK: usize = 1024;

/// A range of bytes in the text; `end` is one past the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Returns the empty span before the byte at `offset`.
    pub(crate) const fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }
}

impl From<jsonc_parser::common::Range> for Span {
    fn from(range: jsonc_parser::common::Range) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A value and where it was written, quotes and brackets included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A place in a file, as editors count: lines from 1, columns from 1 in characters (a tab is one).
/// The end is one past the last character, so that an empty place ends where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The line of the first character.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column one past the last character.
    pub end_column: usize,
}

/// Where each line of a text begins, and how many characters stand before each block of bytes.
#[derive(Debug)]
pub(crate) struct LineIndex<'t> {
    text: &'t str,
    /// The byte offset of each line's first byte.
    starts: Vec<usize>,
    /// The number of characters that begin before each block of [`BLOCK`] bytes.
    characters: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    /// Returns the index of `text`, in one pass over it. Lines end with LF or CRLF.
    pub(crate) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        let mut before = 0;
        let mut characters = Vec::with_capacity(text.len() / BLOCK + 1);
        for block in text.as_bytes().chunks(BLOCK) {
            characters.push(before);
            before += count_characters(block);
        }
        Self { text, starts, characters }
    }

    /// Returns the indexed text.
    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// Returns the 1-based number of the line that holds the byte at `offset`.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// Returns the text of a line (1-based), without its line ending; empty when there is no such
    /// line.
    pub(crate) fn line_text(&self, line: usize) -> &'t str {
        let from = self.start_of(line);
        let to = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(from..to).unwrap_or_default();
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// Returns the byte offset within a line's text of the character at `column` (1-based); the
    /// length of the line when it has fewer.
    pub(crate) fn offset_in_line(&self, line: usize, column: usize) -> usize {
        let from = self.start_of(line);
        let text = self.line_text(line);
        let wanted = self.characters_before(from) + column.saturating_sub(1);
        let block = self.characters.partition_point(|before| *before <= wanted).saturating_sub(1);
        let before = self.characters.get(block).copied().unwrap_or_default();
        // A block may begin inside a character, which then was counted in the block before.
        let begin = ceil_boundary(self.text, block * BLOCK);
        let rest = self.text.get(begin..).unwrap_or_default();
        let at = rest.char_indices().nth(wanted - before).map_or(rest.len(), |(at, _)| at);
        (begin + at).saturating_sub(from).min(text.len())
    }

    /// Returns the line and column of both ends of a span.
    pub(crate) fn place(&self, span: Span) -> Place {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end.max(span.start));
        Place { line, column, end_line, end_column }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset.min(self.text.len()));
        let from = self.start_of(line);
        let offset = offset.min(from + self.line_text(line).len());
        (line, self.characters_before(offset) - self.characters_before(from) + 1)
    }

    fn start_of(&self, line: usize) -> usize {
        line.checked_sub(1).and_then(|at| self.starts.get(at)).copied().unwrap_or(self.text.len())
    }

    /// Returns how many characters of the text begin before `offset`.
    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        match self.characters.get(block) {
            Some(before) => {
                let rest = self.text.as_bytes().get(block * BLOCK..offset).unwrap_or_default();
                before + count_characters(rest)
            }
            // The offset is the end of a text that fills its last block.
            None => {
                let last = self.characters.len().saturating_sub(1);
                let rest = self.text.as_bytes().get(last * BLOCK..).unwrap_or_default();
                self.characters.last().copied().unwrap_or_default() + count_characters(rest)
            }
        }
    }
}

/// Counts the bytes that begin a character: all but UTF-8's continuation bytes.
fn count_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

fn ceil_boundary(text: &str, offset: usize) -> usize {
    (offset..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(text: &str, start: usize, end: usize) -> (usize, usize, usize, usize) {
        let place = LineIndex::new(text).place(Span { start, end });
        (place.line, place.column, place.end_line, place.end_column)
    }

    #[test]
    fn columns_are_characters_and_lines_end_with_lf_or_crlf() {
        for (text, start, end, expected) in [
            ("", 0, 0, (1, 1, 1, 1)),
            ("abc", 1, 2, (1, 2, 1, 3)),
            ("a\nbc", 2, 4, (2, 1, 2, 3)),
            ("a\r\nbc\r\n", 3, 5, (2, 1, 2, 3)),
            ("a\r\nbc", 2, 2, (1, 2, 1, 2)),
            ("\t\tx", 2, 3, (1, 3, 1, 4)),
            ("é€😀x", 9, 10, (1, 4, 1, 5)),
            ("a\n", 2, 2, (2, 1, 2, 1)),
            ("[\n\n]", 0, 4, (1, 1, 3, 2)),
        ] {
            assert_eq!(place(text, start, end), expected, "{text:?} {start}..{end}");
        }
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        assert_eq!(place("ab\nc", 99, 120), (2, 2, 2, 2));
    }

    proptest! {
        #[test]
        fn a_line_and_column_lead_back_to_the_byte(
            text in "([a-é€😀 \t]{0,9}(\n|\r\n|)){0,9}", filler in 0..4000_usize, pick in any::<prop::sample::Index>()
        ) {
            let text = format!("{}{text}", "€".repeat(filler));
            let offsets: Vec<usize> =
                (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let offset = *pick.get(&offsets);
            let lines = LineIndex::new(&text);
            let place = lines.place(Span::at(offset));
            let naive = text[..offset].rsplit('\n').next().unwrap().trim_end_matches('\r');
            prop_assert_eq!(place.line, text[..offset].matches('\n').count() + 1);
            prop_assert_eq!(place.column, naive.chars().count() + 1);
            let in_line = lines.offset_in_line(place.line, place.column);
            prop_assert_eq!(&lines.line_text(place.line)[..in_line], naive);
        }
    }
}
