//! What holds for every input, however odd.

use proptest::prelude::*;

use super::super::{Code, parse};
use super::fixtures;

/// Checks what holds for every refusal: at least one error, each place within the file, no line
/// of the rendering out of bounds.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Err(rejected) = parse("ecosystem.json", bytes) else { return Ok(()) };
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let lines: Vec<&str> =
        text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    prop_assert!(
        rejected.counts().errors >= rejected.diagnostics().len() && rejected.counts().errors > 0
    );
    for one in rejected.diagnostics() {
        for place in
            [Some(one.place), one.related.as_ref().map(|(place, _)| *place)].into_iter().flatten()
        {
            prop_assert!(
                (place.line, place.column) <= (place.end_line, place.end_column),
                "{place:?}"
            );
            for (line, column) in [(place.line, place.column), (place.end_line, place.end_column)] {
                let length = lines.get(line - 1).map(|line| line.chars().count());
                prop_assert!(
                    length.is_some_and(|length| (1..=length + 1).contains(&column)),
                    "{place:?} {text:?}"
                );
            }
        }
    }
    for line in rejected.to_string().lines().filter(|line| line.contains(" | ")) {
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_errors_within_the_file(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn any_text_gives_a_value_or_errors_within_the_file(text in "\\PC{0,80}|[\\[\\]{}\",:/*\\\\a\n\r\t 0é€😀-]{0,80}") {
        check(text.as_bytes())?;
    }

    #[test]
    fn a_damaged_file_gives_a_value_or_errors_within_it(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..8_usize, prop::sample::select(
            &["", "\"", "[", "]", "{", "}", ",", ":", "\\", "//", "/*", "'", "\n", "\r\n", "\t", "0", "null", "é", "\u{feff}", "\u{a0}", "\"repo\":"][..]
        )), 1..4),
        odd_byte in prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let files = fixtures("good");
        let mut bytes = which.get(&files).1.clone();
        for (at, removed, inserted) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, inserted.bytes());
        }
        if let Some((at, byte)) = odd_byte {
            let at = at.index(bytes.len() + 1);
            bytes.insert(at, byte);
        }
        check(&bytes)?;
    }

    /// What is JSON is not for us to decide: the grammar is the one that every JSON parser knows.
    #[test]
    fn a_syntax_error_is_reported_exactly_for_what_is_not_json(
        pieces in prop::collection::vec(prop::sample::select(&[
            "[", "]", "{", "}", ",", ":", " ", "\n", "\r\n", "\t", "\"a\"", "\"b\":", "\"\\u00e9\"", "\"\\x\"", "\"\\ud83d\"",
            "\"\u{1}\"", "\"a\nb\"", "\"", "1", "-", "01", "1.5", "1.", ".5", "1E-5", "+1", "0x1", "NaN", "true", "null", "nul", "é",
            "//", "/**/", "/*", "'a'", "\u{a0}", "\u{c}", "\u{2028}", "\u{feff}", "\\",
        ][..]), 0..7),
        inside in any::<bool>(),
    ) {
        let pieces = pieces.concat();
        let text = if inside { format!("[{pieces}]") } else { pieces };
        prop_assume!(!text.starts_with('\u{feff}'));
        let ours = parse("", text.as_bytes()).is_err_and(|rejected| {
            let mut each = rejected.diagnostics().iter();
            each.any(|one| one.code == Code::Syntax && !one.message.contains("more than once"))
        });
        prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_err(), "{:?}", text);
    }
}
