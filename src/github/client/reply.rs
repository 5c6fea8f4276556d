//! Reads one HTTP answer into a [`Reply`]: headers that tell about limits, permissions and pages,
//! and as much of the body as somebody wants. Nothing a server sends is read without an end, and
//! what is kept as text for people has no token in it.

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LINK};

use crate::github::answer::Reply;
use crate::github::auth::Tokens;
use crate::github::error::{cleaned, cleaned_to, message_in};
use crate::github::rate_limit::LimitHeaders;

/// How much of an error's body is read, in bytes: GitHub's messages take a few hundred.
const MAX_MESSAGE: usize = 64 * 1024;

/// How many characters of a list of scopes are kept: all that GitHub has take about 400.
const MAX_SCOPES: usize = 2_000;

/// Reads a reply. `wanted` is how many bytes of the body of a 200 or 201 are kept, when it is kept at all.
/// Reads a reply. `wanted` is how many bytes of the body of a 200 or 201 are kept, when it is kept at
/// all.
///
/// What a body that breaks off would have said may have been a limit: that is kept in
/// [`Reply::broken`].
pub(super) async fn read(mut response: Response, wanted: Option<usize>, tokens: &Tokens) -> Reply {
    let mut reply = headers(&response, tokens);
    match (reply.status, wanted) {
        // A 204 has no body (RFC 9110, 15.3.5); waiting for one could only turn success into failure.
        (204, _) => {}
        (200 | 201, Some(at_most)) => {
            let content_type = text(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
            reply.html = content_type.to_ascii_lowercase().starts_with("text/html");
            match whole(&mut response, at_most).await {
                Whole::Read(body) => reply.body = body,
                Whole::TooLarge => reply.too_large = true,
                Whole::Broken => reply.broken = true,
            }
        }
        _ => {
            let content_type = text(response.headers(), CONTENT_TYPE.as_str()).unwrap_or_default();
            let (body, broken) = beginning(&mut response, MAX_MESSAGE).await;
            let (message, html) = message_in(&body, &content_type);
            reply.message = message.and_then(|text| shown(text, tokens));
            reply.html = html;
            reply.broken = broken;
        }
    }
    reply
}

fn headers(response: &Response, tokens: &Tokens) -> Reply {
    let headers = response.headers();
    let named = |name| text(headers, name);
    let sso = named("x-github-sso").and_then(|sso| {
        let word = sso.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        shown(word, tokens)
    });
    Reply {
        status: response.status().as_u16(),
        limits: LimitHeaders {
            retry_after: named("retry-after"),
            remaining: named("x-ratelimit-remaining"),
            reset: named("x-ratelimit-reset"),
            date: named("date"),
        },
        permissions: named("x-accepted-github-permissions").and_then(|text| shown(text, tokens)),
        oauth_scopes: named("x-oauth-scopes")
            .map(|text| cleaned_to(&tokens.redacted(text), MAX_SCOPES)),
        sso,
        next_page: headers
            .get_all(LINK)
            .iter()
            .any(|value| has_next(&String::from_utf8_lossy(value.as_bytes()))),
        ..Reply::default()
    }
}

/// What became of a body that is wanted whole.
enum Whole {
    Read(Vec<u8>),
    TooLarge,
    Broken,
}

async fn whole(response: &mut Response, at_most: usize) -> Whole {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).unwrap_or(usize::MAX) > at_most {
        return Whole::TooLarge;
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > at_most - body.len() => return Whole::TooLarge,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Whole::Read(body),
            Err(_) => return Whole::Broken,
        }
    }
}

/// Returns the beginning of a body, and whether it broke off before its end or the limit.
async fn beginning(response: &mut Response, at_most: usize) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while body.len() < at_most {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend(chunk.iter().take(at_most - body.len())),
            Ok(None) => break,
            Err(_) => return (body, true),
        }
    }
    (body, false)
}

fn shown(text: String, tokens: &Tokens) -> Option<String> {
    Some(cleaned(&tokens.redacted(text))).filter(|text| !text.is_empty())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns whether a `link` header (RFC 8288) holds a link of the relation `next`.
fn has_next(link: &str) -> bool {
    let mut rest = link;
    // Between the brackets stands an address, which may hold commas and semicolons.
    while let Some((_, after)) = rest.split_once('<') {
        let Some((_, after)) = after.split_once('>') else { return false };
        let (parameters, following) = until_comma(after);
        if relations(parameters).any(|relation| relation.eq_ignore_ascii_case("next")) {
            return true;
        }
        rest = following;
    }
    false
}

/// Returns a link's parameters and what follows the comma behind them; one in quotes ends nothing.
fn until_comma(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => return (text.split_at(at).0, text.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    (text, "")
}

fn relations(parameters: &str) -> impl Iterator<Item = &str> {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
        .flat_map(|(_, value)| value.trim().trim_matches('"').split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_next_page_is_told_by_its_relation_and_by_nothing_else() {
        for (link, next) in [
            (
                r#"<https://api.github.com/repositories/7/contents?page=2>; rel="next", <https://api.github.com/repositories/7/contents?page=9>; rel="last""#,
                true,
            ),
            (r#"<https://h/?page=1>; rel="prev", <https://h/?page=1>; rel="first""#, false),
            (r#"<https://h/?page=1>; rel="first",<https://h/?page=3>; rel="next""#, true),
            ("<https://h/?page=2>; rel=next", true),
            ("</x>; title=\"a, <b>\"; REL=\"Last NEXT\"", true),
            ("</x>; title=\"rel=next\"; rel=prev", false),
            (r#"</a,b;rel="next">; rel="prev""#, false),
            ("</a,b;c>; rel=next", true),
            ("</x>; relation=next", false),
            ("</x>; rel=\"nextish\"", false),
            ("</x>", false),
            ("</x; rel=next", false),
            ("rel=next", false),
            ("", false),
        ] {
            assert_eq!(has_next(link), next, "{link}");
        }
    }

    proptest! {
        #[test]
        fn no_link_panics_or_hangs(link in "[<>;,=\" a-zé]{0,40}|.*") {
            let next = has_next(&link);
            prop_assert!(!next || link.to_ascii_lowercase().contains("next"));
        }
    }
}
