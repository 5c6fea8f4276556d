//! How text that somebody else wrote (paths, branch names, GitHub's messages) is shown: on one
//! line, without control characters, and never so that the Actions runner takes it for a command.
//! It changes the look of text only; what is sent and compared stays as it came.

pub(crate) mod markdown;
pub mod paint;

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` fit to be shown on one line of a terminal or log: control characters, bytes that
/// are not UTF-8, marks that change the direction of writing and the runner's old command prefix
/// `##[` come out as escapes.
#[must_use]
pub fn shown(text: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(text) {
        Ok(clean) if !clean.chars().any(must_escape) && !clean.contains("##[") => {
            Cow::Borrowed(clean)
        }
        _ => {
            let mut out = String::with_capacity(text.len() + 8);
            for chunk in text.utf8_chunks() {
                for c in chunk.valid().chars() {
                    if must_escape(c) {
                        out.extend(c.escape_default());
                    } else {
                        out.push(c);
                    }
                }
                for byte in chunk.invalid() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            Cow::Owned(out.replace("##[", "#\\u{23}["))
        }
    }
}

/// Returns a JSON text on one line, fit to be shown as [`shown`] text is: what must be escaped comes
/// out as escapes of JSON, so that it stays the same JSON.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(must_escape) && !json.contains("##[") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.replace("##[", "#\\u0023[").chars() {
        if must_escape(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns a file's path as [`shown`] text.
#[must_use]
pub fn shown_path(path: &std::path::Path) -> String {
    shown(path.to_string_lossy().as_bytes()).into_owned()
}

/// Returns [`shown`] text between double quotes, cut after 120 characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let shown = shown(text.as_bytes());
    match shown.char_indices().nth(120) {
        Some((at, _)) => format!("\"{}…\"", shown.get(..at).unwrap_or_default()),
        None => format!("\"{shown}\""),
    }
}

/// Returns `path` with `%` and every byte that is not part of UTF-8 as `%XX`, so that the bytes can
/// be had back; the rest stays as it is.
#[must_use]
pub fn percent(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len() + 8);
    for chunk in path.utf8_chunks() {
        out.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Returns the bytes that [`percent`] wrote; none when a `%` is not followed by two hexadecimal
/// digits.
#[must_use]
pub fn from_percent(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend_from_slice(rest.as_bytes());
    }
    Some(out)
}

/// A control character, or one of the marks that reorder or hide what stands beside them
/// (Unicode's bidirectional controls, zero-width characters and tags, line and paragraph separators).
fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns how many single-character edits turn `a` into `b`, without regard to ASCII case: for
/// "did you mean". Two neighbours that changed places are one edit ("optimal string alignment").
/// Costs `a × b` steps; callers pass short names.
#[must_use]
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut before = row.clone();
    let mut last = None;
    for (i, ca) in a.to_ascii_lowercase().chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        let mut left = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or_default();
            let mut edits =
                (at(&row, j + 1) + 1).min(left + 1).min(at(&row, j) + usize::from(ca != *cb));
            let swapped = j.checked_sub(1).filter(|j| last == Some(*cb) && b.get(*j) == Some(&ca));
            if let Some(j) = swapped {
                edits = edits.min(at(&before, j) + 1);
            }
            next.push(edits);
            left = edits;
        }
        before = std::mem::replace(&mut row, next);
        last = Some(ca);
    }
    row.last().copied().unwrap_or_default()
}

/// Returns the candidate nearest to `word`, when one is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_line_or_start_a_command_is_escaped() {
        assert_eq!(shown(b"features/webpush"), "features/webpush");
        assert_eq!(shown("naïve/ü".as_bytes()), "naïve/ü");
        assert_eq!(shown(b"a\n::error::x"), "a\\n::error::x");
        assert_eq!(shown(b"a\xffb\x1b[31m"), "a\\xffb\\u{1b}[31m");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(shown(b"x ##[error]y"), "x #\\u{23}[error]y");
    }

    #[test]
    fn a_percent_encoded_path_leads_back_to_its_bytes() {
        for path in [&b"a/b"[..], b"100%/%41", b"\xff\xfe/%", "é\u{fffd}".as_bytes(), b""] {
            assert_eq!(from_percent(&percent(path)).as_deref(), Some(path));
        }
        for broken in ["%", "%4", "%4g", "%+4", "a%é", "% 4"] {
            assert_eq!(from_percent(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_distance_counts_insertions_deletions_and_changes() {
        for (a, b, distance) in [
            ("", "", 0),
            ("a", "", 1),
            ("repo", "Repo", 0),
            ("repos", "repo", 1),
            ("kitten", "sitting", 3),
            ("dosc", "docs", 1),
            ("giude", "guide", 1),
            ("ab", "ba", 1),
            ("abc", "ca", 3),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} {a}");
        }
    }

    #[test]
    fn only_a_near_miss_is_suggested() {
        let keys = ["repo", "subscriptions", "event_type"];
        assert_eq!(nearest("subscription", keys), Some("subscriptions"));
        assert_eq!(nearest("rep", keys), Some("repo"));
        assert_eq!(nearest("colour", keys), None);
    }
}
