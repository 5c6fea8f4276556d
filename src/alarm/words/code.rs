//! Text of others as a code span of GitHub's Markdown, in which it is nothing but text: no mention,
//! no link, no markup, and it does not end before it is over.

use crate::text::shown;

/// How many characters are shown.
const LONGEST: usize = 310;

/// Returns `text` as a code span that can stand in a table's cell.
///
/// The span's ticks are as many as the text has nowhere in a row, which is what ends a span
/// (`CommonMark`, "Code spans"). A bar would end the cell, and whether a backslash before it helps
/// depends on what is before that; so it becomes a broken bar.
pub(super) fn code(text: &str) -> String {
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
