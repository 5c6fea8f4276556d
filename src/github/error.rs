//! What went wrong, in words: how a transport failed, what message a body holds, and what a
//! refusal means for the person who reads the report. Everything that a server wrote passes
//! [`crate::text::shown`] and is cut; nothing here ever sees a token.

use std::error::Error;
use std::io;

use serde_json::Value;

use crate::github::answer::Reply;
use crate::names::RepoName;
use crate::text::shown;

/// How many characters of a server's message are kept.
const LONGEST_MESSAGE: usize = 300;

/// How a request failed without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {cause}")]
pub struct TransportError {
    /// The class, which decides whether it is tried again.
    pub kind: TransportKind,
    /// The chain of causes, without any URL.
    pub cause: String,
    /// Whether the request can have reached the server.
    pub sent: bool,
}

/// The classes of transport failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportKind {
    /// No answer within the time for one request.
    #[error("timed out")]
    Timeout,
    /// The host's name could not be resolved.
    #[error("cannot find the host")]
    Dns,
    /// No connection came about.
    #[error("cannot connect")]
    Connect,
    /// TLS could not be agreed on, or the certificate was refused.
    #[error("TLS failed")]
    Tls,
    /// The connection ended before the answer did.
    #[error("the connection was lost")]
    Reset,
    /// What came was not HTTP.
    #[error("the answer is broken")]
    Broken,
    /// Nothing was sent: there is no token to send it with, and there will be none.
    #[error("no token")]
    NoToken,
    /// Nothing was sent: the token was asked for in vain, and may be there later.
    #[error("no token yet")]
    NoTokenYet,
}

impl TransportError {
    /// Returns the failure that `error` is, told by its causes.
    pub(crate) fn read(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let causes = causes(&error);
        let kinds = || causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>());
        let is = |wanted: &[io::ErrorKind]| kinds().any(|error| wanted.contains(&error.kind()));
        let cause = words(&causes);
        let kind = if error.is_timeout() {
            TransportKind::Timeout
        } else if error.is_dns() || cause.contains("dns error") {
            TransportKind::Dns
        // Only rustls makes "invalid data" of a connection that is still being made.
        } else if error.is_connect() && is(&[io::ErrorKind::InvalidData]) {
            TransportKind::Tls
        } else if error.is_connect() {
            TransportKind::Connect
        } else if is(&[
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::UnexpectedEof,
        ]) || cause.contains("connection closed")
        {
            TransportKind::Reset
        } else {
            TransportKind::Broken
        };
        Self { kind, cause, sent: !error.is_connect() && !error.is_builder() }
    }
}

/// Returns the chain of causes below `error`. An `io::Error` hides what it wraps from `source`.
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut all: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        all.push(cause);
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    all
}

/// Returns the causes in one line, each once.
fn words(causes: &[&(dyn Error + 'static)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in causes.iter().map(ToString::to_string) {
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    }
    if parts.is_empty() { "no cause was given".to_owned() } else { cleaned(&parts.join(": ")) }
}

/// Returns a server's text fit to be shown: one line, no control characters, 300 characters.
pub(super) fn cleaned(text: &str) -> String {
    cleaned_to(text, LONGEST_MESSAGE)
}

/// Returns a server's text as [`cleaned`] does, of at most so many characters.
pub(super) fn cleaned_to(text: &str, characters: usize) -> String {
    // Cut first, so that a huge text is not escaped in full; escapes make it longer, so cut again.
    let (head, cut) = cut_at(text.trim(), characters);
    let shown = shown(head.as_bytes());
    let (head, cut_again) = cut_at(&shown, characters);
    if cut || cut_again { format!("{head}…") } else { head.to_owned() }
}

fn cut_at(text: &str, characters: usize) -> (&str, bool) {
    match text.char_indices().nth(characters) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), true),
        None => (text, false),
    }
}

/// Returns the message in a body, not yet cleaned, and whether the body is HTML. JSON of GitHub's
/// shape gives its `message` and `errors`; HTML its title or first words; else the first line.
pub(super) fn message_in(body: &[u8], content_type: &str) -> (Option<String>, bool) {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return (message_in_json(&value), false);
    }
    let text = String::from_utf8_lossy(body);
    let html =
        content_type.to_ascii_lowercase().contains("html") || text.trim_start().starts_with('<');
    let text = if html { text_of_html(&text) } else { text.into_owned() };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).map(ToOwned::to_owned);
    (line, html)
}

fn message_in_json(value: &Value) -> Option<String> {
    let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
    let errors = value.get("errors").and_then(Value::as_array);
    let details: Vec<String> = errors.into_iter().flatten().filter_map(detail).collect();
    match (message, details.is_empty()) {
        ("", true) => None,
        (message, true) => Some(message.to_owned()),
        ("", false) => Some(details.join(", ")),
        (message, false) => Some(format!("{message}: {}", details.join(", "))),
    }
}

/// One of GitHub's `errors`: text, or an object of which `message` or `field` and `code` tell most.
fn detail(error: &Value) -> Option<String> {
    let text = |key| error.get(key).and_then(Value::as_str);
    let whole = error.as_str().or_else(|| text("message"));
    whole.map(ToOwned::to_owned).or_else(|| match (text("field"), text("code")) {
        (Some(field), Some(code)) => Some(format!("{field} {code}")),
        (field, code) => field.or(code).map(ToOwned::to_owned),
    })
}

fn text_of_html(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower.get(at..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        html.get(start..end)
    });
    if let Some(title) = title.filter(|title| !title.trim().is_empty()) {
        return title.to_owned();
    }
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

/// Returns the server's own words in quotes, or what it sent instead of any.
#[must_use]
pub fn said(reply: &Reply) -> String {
    match &reply.message {
        _ if reply.html => "the server answered HTML, is GITHUB_API_URL right?".to_owned(),
        Some(message) => format!("\"{message}\""),
        None => "no message".to_owned(),
    }
}

/// Returns what a token of this label (see [`super::Tokens::labels`]) is called in a sentence.
#[must_use]
pub fn token_of(label: &str) -> String {
    let of = if is_app(label) { "of" } else { "in" };
    format!("the token {of} {label}")
}

/// A variable's name has no space in it.
fn is_app(label: &str) -> bool {
    label.starts_with("the App ")
}

/// Returns what a reply that is not a delivery means and what to do, for the report: lower case,
/// one line. `token` says where the token came from: see [`super::Tokens::labels`].
#[must_use]
pub fn explain(reply: &Reply, repo: &RepoName, token: &str) -> String {
    let status = reply.status;
    let said = said(reply);
    let (app, whose) = (is_app(token), token_of(token));
    if let Some(why) = reply.refused {
        return format!(
            "answered {status} and redirects {why}: check the repository's name and GITHUB_API_URL"
        );
    }
    if reply.is_limit() {
        return format!("GitHub's rate limit for {whose} ({status}: {said})");
    }
    match status {
        200..=299 => format!(
            "not delivered: the server answered {status}, GitHub answers 204 to a dispatch ({said}); is GITHUB_API_URL right?"
        ),
        401 if app => format!(
            "{whose} was refused (401: {said}), and so was a new one; is the App still installed there?"
        ),
        401 => format!(
            "{whose} was refused (401: {said}); it is wrong, expired or revoked: replace it"
        ),
        403 if said.to_ascii_lowercase().contains("archived") => format!(
            "the repository is archived (403: {said}); unarchive it, or leave it out (in ecosystem.json: \"enabled\": false)"
        ),
        403 => format!(
            "{whose} may not send events to {repo} (403: {said}); it needs {}",
            match &reply.permissions {
                Some(permissions) => format!("the permission {permissions}"),
                None if app => "the permission contents=write".to_owned(),
                None => "the permission contents=write, or the scope repo of a classic token, and where the organization asks for it SSO authorization".to_owned(),
            }
        ),
        404 if app => format!(
            "not found, or {token} cannot see it (404: {said}); is it installed on {repo}?"
        ),
        404 => format!(
            "not found, or the token cannot see it (404: {said}); `GH_TOKEN=\"${}\" gh api repos/{repo}` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository",
            token.split(' ').next().unwrap_or(token)
        ),
        422 => format!("GitHub refused the event (422: {said})"),
        500..=599 => format!("the server failed ({status}: {said})"),
        _ => format!("GitHub refused it ({status}: {said})"),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::github::answer::RefusedRedirect;

    #[test]
    fn the_message_is_found_in_json_html_and_text() {
        for (body, content_type, message, html) in [
            (
                r#"{"message":"Not Found","status":"404"}"#,
                "application/json",
                Some("Not Found"),
                false,
            ),
            (
                r#"{"message":"Invalid request.","errors":["a","b"]}"#,
                "application/json",
                Some("Invalid request.: a, b"),
                false,
            ),
            (
                r#"{"message":"V","errors":[{"field":"event_type","code":"missing"},{"message":"m"},7,{}]}"#,
                "application/json",
                Some("V: event_type missing, m"),
                false,
            ),
            (r#"{"errors":[{"code":"custom"}]}"#, "application/json", Some("custom"), false),
            ("[]", "application/json", None, false),
            ("\"text\"", "application/json", None, false),
            ("{\"message\":\"cut of", "application/json", Some("{\"message\":\"cut of"), false),
            ("", "", None, false),
            ("\n\n  bad gateway \nmore", "text/plain", Some("bad gateway"), false),
            ("<html><TITLE>Unicorn!</TITLE><p>x", "text/html", Some("Unicorn!"), true),
            ("<!doctype html>\n<h1>502 <b>Bad</b></h1>", "", Some("502 Bad"), true),
            ("<title>", "text/html", None, true),
            ("İ<title>İx</title>", "text/html", Some("İx"), true),
        ] {
            let found = message_in(body.as_bytes(), content_type);
            assert_eq!(found, (message.map(ToOwned::to_owned), html), "{body:?}");
        }
    }

    #[test]
    fn a_servers_text_is_shown_on_one_line_and_cut() {
        assert_eq!(cleaned(" a\n::error::b "), "a\\n::error::b");
        assert_eq!(cleaned(&"é".repeat(300)), "é".repeat(300));
        assert_eq!(cleaned(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
        assert_eq!(cleaned(&"\u{1}".repeat(1000)).chars().count(), 301);
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let repo = RepoName::parse("acme/web").unwrap();
        let reply = |status| Reply { status, message: Some("M".to_owned()), ..Reply::default() };
        let mut all = String::new();
        for status in [200, 302, 401, 403, 404, 410, 422, 429, 503] {
            all += &format!("{}\n", explain(&reply(status), &repo, "WEB_PAT and X"));
        }
        let permitted = Reply { permissions: Some("contents=write".to_owned()), ..reply(403) };
        all += &format!("{}\n", explain(&permitted, &repo, "T"));
        let archived = Reply {
            message: Some("Repository was archived so is read-only.".to_owned()),
            ..reply(403)
        };
        all += &format!("{}\n", explain(&archived, &repo, "T"));
        let elsewhere = Reply { refused: Some(RefusedRedirect::OtherOrigin), ..reply(307) };
        all += &format!("{}\n", explain(&elsewhere, &repo, "T"));
        for status in [401, 403, 404, 429] {
            let app = "the App 7 (installation of acme)";
            all += &format!("{}\n", explain(&reply(status), &repo, app));
        }
        let page = Reply { html: true, ..reply(404) };
        all += &format!("{}\n", explain(&page, &repo, "T"));
        insta::assert_snapshot!(all, @r#"
        not delivered: the server answered 200, GitHub answers 204 to a dispatch ("M"); is GITHUB_API_URL right?
        GitHub refused it (302: "M")
        the token in WEB_PAT and X was refused (401: "M"); it is wrong, expired or revoked: replace it
        the token in WEB_PAT and X may not send events to acme/web (403: "M"); it needs the permission contents=write, or the scope repo of a classic token, and where the organization asks for it SSO authorization
        not found, or the token cannot see it (404: "M"); `GH_TOKEN="$WEB_PAT" gh api repos/acme/web` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository
        GitHub refused it (410: "M")
        GitHub refused the event (422: "M")
        GitHub's rate limit for the token in WEB_PAT and X (429: "M")
        the server failed (503: "M")
        the token in T may not send events to acme/web (403: "M"); it needs the permission contents=write
        the repository is archived (403: "Repository was archived so is read-only."); unarchive it, or leave it out (in ecosystem.json: "enabled": false)
        answered 307 and redirects to another server, where the token must not go: check the repository's name and GITHUB_API_URL
        the token of the App 7 (installation of acme) was refused (401: "M"), and so was a new one; is the App still installed there?
        the token of the App 7 (installation of acme) may not send events to acme/web (403: "M"); it needs the permission contents=write
        not found, or the App 7 (installation of acme) cannot see it (404: "M"); is it installed on acme/web?
        GitHub's rate limit for the token of the App 7 (installation of acme) (429: "M")
        not found, or the token cannot see it (404: the server answered HTML, is GITHUB_API_URL right?); `GH_TOKEN="$T" gh api repos/acme/web` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository
        "#);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200), html in "[<>a-zİ/ti le\n]{0,60}") {
            for body in [&body, html.as_bytes()] {
                let (message, _) = message_in(body, "text/html");
                let length = cleaned(&message.unwrap_or_default()).chars().count();
                prop_assert!(length <= 301);
            }
        }
    }
}
