//! Keeps tokens that somebody wrote into `ecosystem.json` out of everything that is shown: a file
//! in a repository is already a leak, and a public log of its errors would be a second one. It
//! replaces characters one for one, so that lines and columns stay true.

use std::borrow::Cow;

use super::locate::Span;

/// What GitHub's tokens begin with (personal, OAuth, user-to-server, server-to-server, refresh,
/// fine-grained). Source: GitHub's documentation, "About authentication to GitHub".
const PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// Returns whether a value that should name an environment variable is more likely a token.
pub(crate) fn looks_like_token(value: &str) -> bool {
    let hex = value.len() == 40 && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex || PREFIXES.iter().any(|prefix| value.contains(prefix))
        || value.starts_with("glpat-")
        || value.starts_with("eyJ")
}

/// Returns `text` with every token that GitHub's prefixes give away as its prefix and asterisks.
pub(crate) fn mask_tokens(text: &str) -> Cow<'_, str> {
    if !PREFIXES.iter().any(|prefix| text.contains(prefix)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = next_prefix(rest) {
        let (before, after) = rest.split_at_checked(at + length).unwrap_or((rest, ""));
        out.push_str(before);
        let body = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (body, after) =
            after.split_at_checked(body.unwrap_or(after.len())).unwrap_or((after, ""));
        out.extend(body.chars().map(|_| '*'));
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns where the first prefix stands, and its length.
fn next_prefix(text: &str) -> Option<(usize, usize)> {
    // Every prefix begins with "gh" or "github_pat_", which itself begins with "g".
    text.match_indices('g').find_map(|(at, _)| {
        let here = text.get(at..)?;
        PREFIXES.iter().find(|prefix| here.starts_with(**prefix)).map(|prefix| (at, prefix.len()))
    })
}

/// Returns `text` with an asterisk for each character in each span; the spans are in the order of
/// the text and do not overlap.
pub(crate) fn mask_spans<'t>(text: &'t str, spans: &[Span]) -> Cow<'t, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        out.push_str(text.get(done..span.start).unwrap_or_default());
        let secret = text.get(span.start..span.end).unwrap_or_default();
        out.extend(secret.chars().map(|c| if matches!(c, '\n' | '\r') { c } else { '*' }));
        done = span.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_the_name_of_a_variable() {
        for token in [
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "github_pat_11AAAAAAA0abcdefghijkl_0123456789",
            "gho_x",
            "Bearer ghs_abc",
            "glpat-abc",
            "eyJhbGciOi.J9.x",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(looks_like_token(token), "{token}");
        }
        for name in ["ACME_PAT", "GHP_TOKEN", "GITHUB_PAT_ACME", "gh_token", "_x", ""] {
            assert!(!looks_like_token(name), "{name}");
        }
    }

    #[test]
    fn masking_keeps_everything_else_and_the_number_of_characters() {
        for (text, masked) in [
            ("plain, with a g and gh", "plain, with a g and gh"),
            ("https://x:ghp_abcDEF123@github.com", "https://x:ghp_*********@github.com"),
            ("é ghs_1 é github_pat_1_2\nx", "é ghs_* é github_pat_***\nx"),
            ("ghp_ghp_ab", "ghp_******"),
        ] {
            assert_eq!(mask_tokens(text), masked);
        }
        let spans = [Span { start: 1, end: 3 }, Span { start: 4, end: 7 }];
        assert_eq!(mask_spans("aéb\n€c", &spans[..1]), "a*b\n€c");
        assert_eq!(mask_spans("abcd\nfgh", &spans), "a**d\n**h");
        assert_eq!(mask_spans("x", &[]), "x");
    }
}
