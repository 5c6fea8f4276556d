//! Keeps tokens that somebody wrote into `ecosystem.json` out of everything that is shown: a file
//! in a repository is already a leak, and a public log of its errors would be a second one. It
//! replaces characters one for one, so that lines and columns stay true.

use std::borrow::Cow;

use super::locate::Span;

/// What GitHub's tokens begin with (personal, OAuth, user-to-server, server-to-server, refresh,
/// fine-grained). Source: GitHub's documentation, "About authentication to GitHub".
const PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// The fewest characters behind a prefix that are taken for a token wherever they stand: GitHub's
/// have 36 and more, and a word that happens to hold a prefix (`highs_`) goes on for fewer.
const SHORTEST_BODY: usize = 20;

/// Returns whether a value that should name an environment variable is more likely a token.
pub(crate) fn looks_like_token(value: &str) -> bool {
    let hex = value.len() == 40 && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let others = ["glpat-", "eyJ"];
    hex || PREFIXES.iter().chain(&others).any(|prefix| value.starts_with(prefix))
        || next_token(value).is_some()
}

/// Returns `text` with every token that GitHub's prefixes give away as its prefix and asterisks.
pub(crate) fn mask_tokens(text: &str) -> Cow<'_, str> {
    let mut bodies = Vec::new();
    let mut from = 0;
    while let Some(body) = text.get(from..).and_then(next_token) {
        from += body.end;
        bodies.push(Span { start: from - (body.end - body.start), end: from });
    }
    mask_spans(text, &bodies)
}

/// Returns what follows the prefix of the first token in `text`.
fn next_token(text: &str) -> Option<Span> {
    // Every prefix begins with a "g".
    text.match_indices('g').find_map(|(at, _)| {
        let here = text.get(at..)?;
        let prefix = PREFIXES.iter().find(|prefix| here.starts_with(**prefix))?;
        let body = here.get(prefix.len()..)?;
        let length =
            body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
        let start = at + prefix.len();
        (length >= SHORTEST_BODY).then_some(Span { start, end: start + length })
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
            "Bearer ghs_0123456789abcdefghij",
            "glpat-abc",
            "eyJhbGciOi.J9.x",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(looks_like_token(token), "{token}");
        }
        for name in ["ACME_PAT", "GHP_TOKEN", "GITHUB_PAT_ACME", "gh_token", "highs_x", "_x", ""] {
            assert!(!looks_like_token(name), "{name}");
        }
    }

    #[test]
    fn masking_keeps_everything_else_and_the_number_of_characters() {
        for (text, masked) in [
            ("plain, with a g and gh", "plain, with a g and gh"),
            ("features/highs_and_lows, ghp_short", "features/highs_and_lows, ghp_short"),
            (
                "https://x:ghp_0123456789abcdefghij@github.com",
                "https://x:ghp_********************@github.com",
            ),
            (
                "é ghs_ é\\ngithub_pat_01234_6789abcdefghij\"x ghp_0123456789abcdefghijk",
                "é ghs_ é\\ngithub_pat_********************\"x ghp_*********************",
            ),
        ] {
            assert_eq!(mask_tokens(text), masked);
        }
        let spans = [Span { start: 1, end: 3 }, Span { start: 4, end: 7 }];
        assert_eq!(mask_spans("aéb\n€c", &spans[..1]), "a*b\n€c");
        assert_eq!(mask_spans("abcd\nfgh", &spans), "a**d\n**h");
        assert_eq!(mask_spans("x", &[]), "x");
    }
}
