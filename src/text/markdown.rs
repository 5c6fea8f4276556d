//! Text of others in GitHub's Markdown: as a code span, in which it is nothing but text (no mention,
//! no link, no markup, and it does not end before it is over); as JSON in a comment that nobody
//! sees; as the address of a link. Where it is shown, and how much of it, is for others to say.

use std::fmt::Write as _;

use serde::Serialize;

use crate::text::shown;

/// How many characters are shown.
const LONGEST: usize = 310;

/// Returns `text` as a code span that can stand in a table's cell.
///
/// The span's ticks are as many as the text has nowhere in a row, which is what ends a span
/// (`CommonMark`, "Code spans"). A bar would end the cell, and whether a backslash before it helps
/// depends on what is before that; so it becomes a broken bar.
pub(crate) fn code(text: &str) -> String {
    let text: String = shown(text.trim().as_bytes()).chars().take(LONGEST).collect();
    if text.is_empty() {
        return "–".to_owned();
    }
    let text = text.replace('|', "¦");
    let runs: Vec<usize> = text.split(|c| c != '`').map(str::len).collect();
    let ticks = "`".repeat((1..).find(|count| !runs.contains(count)).unwrap_or(1));
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns a text's length as GitHub may count it, in the longer of two ways.
pub(crate) fn size(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Returns JSON in which no text can end a comment, or be taken for anything in Markdown. A hyphen
/// that is alone, as in most names, is left as it is.
pub(crate) fn hidden_json(value: &impl Serialize) -> String {
    // Nothing that is hidden has a form that JSON lacks.
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    let mut last = ' ';
    for c in json.chars() {
        // Outside of strings JSON has none of these: no number that is hidden is below 0.
        if "<>&@#`".contains(c) || c.is_control() || (last == '-' && c == '-') {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
            last = ' ';
        } else {
            out.push(c);
            last = c;
        }
    }
    out
}

/// Returns the address when it can stand in a link.
pub(crate) fn address(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let odd = |c: char| "<>()[]|\\`".contains(c) || c.is_whitespace() || c.is_control();
    let fit = matches!(url.scheme(), "http" | "https") && !url.as_str().contains(odd);
    // An @ would be a mention to some.
    (fit && url.as_str().len() <= 500).then(|| url.as_str().replace('@', "%40"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stands_between_ticks_that_it_does_not_have() {
        for (text, expected) in [
            ("acme/web", "`acme/web`"),
            ("", "–"),
            (" \t ", "–"),
            ("a ` b", "``a ` b``"),
            ("`a`", "`` `a` ``"),
            ("a `` b", "`a `` b`"),
            ("` `` ```", "```` ` `` ``` ````"),
            ("a | b \\| c", "`a ¦ b \\¦ c`"),
            ("@acme/all closes #1 <b>", "`@acme/all closes #1 <b>`"),
            ("a\r\n\n| b\u{2028}c", "`a\\r\\n\\n¦ b\\u{2028}c`"),
            ("-->", "`-->`"),
        ] {
            assert_eq!(code(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_its_span_or_its_cell(text in "[`|\\\\ <>a-]{0,40}|\\PC{0,400}|.*") {
            let span = code(&text);
            prop_assert!(!span.contains(['|', '\n', '\r']));
            if span == "–" {
                return Ok(());
            }
            let ticks = span.chars().take_while(|c| *c == '`').count();
            let inner = &span[ticks..span.len() - ticks];
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() != ticks));
            prop_assert!(!inner.starts_with('`') && !inner.ends_with('`'));
            prop_assert!(span.ends_with(&"`".repeat(ticks)));
        }
    }
}
