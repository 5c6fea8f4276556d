//! The one HTTP client: sends one `repository_dispatch`, follows the redirects that a POST and its
//! token may follow, and reads the [`Answer`]. It sends nothing twice on its own account; when and
//! whether to try again is `delivery`'s decision.
//!
//! Redirects are followed by hand because an HTTP client's own policy turns a POST that is answered
//! 301 or 302 into a GET, whose 200 would look like a success.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::{Response, redirect, retry};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::github::answer::{Answer, Moved, RefusedRedirect, Reply};
use crate::github::api_url::{ApiUrl, same_origin};
use crate::github::auth::{TokenId, Tokens};
use crate::github::error::{TransportError, TransportKind, cleaned, message_in};
use crate::github::rate_limit::LimitHeaders;
use crate::names::RepoName;

/// How many redirects are followed: a rename, a transfer, and one to spare.
const MAX_HOPS: usize = 3;

/// How much of an error's body is read, in bytes: GitHub's messages take a few hundred.
const MAX_BODY: usize = 64 * 1024;

/// How long a connection may take to come about. An answer may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The version of GitHub's REST API that the requests are written for.
const API_VERSION: HeaderValue = HeaderValue::from_static("2022-11-28");

/// The client of one run: an API, its tokens, and the time that one request may take.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: ApiUrl,
    tokens: Tokens,
}

/// The HTTP client could not be set up; on Linux mostly because no CA certificates are installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS: {cause}")]
pub struct ClientError {
    cause: String,
}

impl ClientError {
    /// Returns what to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        "install the system's CA certificates (the package ca-certificates)"
    }
}

impl Client {
    /// Returns a client for `api`; `timeout` is for one request, from connecting to the end of the
    /// answer.
    ///
    /// On loopback no proxy of the environment is used, so that a token never goes through one in
    /// clear; everywhere else only https is spoken.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds a client")]
    pub fn new(api: ApiUrl, tokens: Tokens, timeout: Duration) -> Result<Self, ClientError> {
        // An error says that this process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ecosystem-dispatcher/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .https_only(!api.is_plain())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout);
        if api.is_loopback() {
            builder = builder.no_proxy();
        }
        if api.is_plain() {
            // No certificate is ever checked, so a machine without any must do.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| ClientError { cause: TransportError::read(error).cause })?;
        Ok(Self { http, api, tokens })
    }

    /// Returns the address of the API.
    #[must_use]
    pub fn api(&self) -> &ApiUrl {
        &self.api
    }

    /// Sends `body` as a `repository_dispatch` of `repo`, once, and returns what came of it.
    ///
    /// Redirects (301, 302, 307, 308) to the same origin are followed with method, body and token
    /// kept, at most three; any other ends in a reply that says why it was refused.
    pub async fn dispatch(&self, repo: &RepoName, token: TokenId, body: &[u8]) -> Answer {
        let Some(token) = self.tokens.get(token) else {
            return failed(0, None, no_token("it is not among the run's tokens"));
        };
        let secret = token.secret().expose_secret();
        let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {secret}")) else {
            return failed(0, None, no_token("it cannot stand in a header"));
        };
        bearer.set_sensitive(true);

        let mut seen = vec![self.api.dispatches(repo)];
        let mut moved = None;
        let mut requests = 0;
        loop {
            let Some(url) = seen.last().cloned() else {
                return failed(requests, moved, no_token("there is no address"));
            };
            let response = match self.post(url.clone(), bearer.clone(), body).await {
                Ok(response) => response,
                Err(mut error) => {
                    error.cause = self.redacted(error.cause);
                    let requests = requests + u32::from(error.sent);
                    return failed(requests, moved, error);
                }
            };
            requests += 1;
            let refused = match next_hop(&url, &response, &seen) {
                Hop::None => None,
                Hop::Refused(why) => Some(why),
                Hop::To(next) => {
                    moved = Some(match Moved::read(self.api.below(&next)) {
                        Moved::To(name) if self.redacted(name.to_string()) != name.as_str() => {
                            Moved::Elsewhere
                        }
                        moved => moved,
                    });
                    seen.push(next);
                    continue;
                }
            };
            let reply = Reply { refused, ..self.read(response).await };
            return Answer { requests, moved, result: Ok(reply) };
        }
    }

    async fn post(
        &self,
        url: Url,
        bearer: HeaderValue,
        body: &[u8],
    ) -> Result<Response, TransportError> {
        self.http
            .post(url)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION)
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_vec())
            .send()
            .await
            .map_err(TransportError::read)
    }

    /// Reads a reply. What a body that breaks off would have said may have been a limit: that is kept
    /// in [`Reply::broken`].
    async fn read(&self, mut response: Response) -> Reply {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        let mut broken = false;
        // A 204 has no body (RFC 9110, 15.3.5); waiting for one could only turn success into failure.
        while status != 204 && body.len() < MAX_BODY {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend(chunk.iter().take(MAX_BODY - body.len()));
                }
                Ok(None) => break,
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        let content_type = text(&headers, &CONTENT_TYPE).unwrap_or_default();
        let (message, html) = message_in(&body, &content_type);
        let shown =
            |text: String| Some(cleaned(&self.redacted(text))).filter(|text| !text.is_empty());
        let named = |name| text(&headers, &HeaderName::from_static(name));
        Reply {
            status,
            message: message.and_then(shown),
            html,
            broken,
            limits: LimitHeaders {
                retry_after: named("retry-after"),
                remaining: named("x-ratelimit-remaining"),
                reset: named("x-ratelimit-reset"),
                date: named("date"),
            },
            permissions: named("x-accepted-github-permissions").and_then(shown),
            refused: None,
        }
    }

    /// Takes the run's tokens out of a text that a server wrote: one that repeats what it was sent
    /// must not put it into a log.
    fn redacted(&self, text: String) -> String {
        self.tokens.iter().fold(text, |text, token| {
            let secret = token.secret().expose_secret();
            if text.contains(secret) { text.replace(secret, "***") } else { text }
        })
    }
}

/// Where an answer sends the dispatch next.
enum Hop {
    None,
    To(Url),
    Refused(RefusedRedirect),
}

fn next_hop(from: &Url, response: &Response, seen: &[Url]) -> Hop {
    match response.status().as_u16() {
        301 | 302 | 307 | 308 => {}
        300..=399 => return Hop::Refused(RefusedRedirect::NotForPost),
        _ => return Hop::None,
    }
    let Some(location) = response.headers().get(LOCATION) else {
        return Hop::Refused(RefusedRedirect::NoLocation);
    };
    let Some(mut next) = location.to_str().ok().and_then(|text| from.join(text).ok()) else {
        return Hop::Refused(RefusedRedirect::BadLocation);
    };
    next.set_fragment(None);
    if !same_origin(from, &next) {
        return Hop::Refused(RefusedRedirect::OtherOrigin);
    }
    // User info in a URL would become an Authorization header of its own.
    if !next.username().is_empty() || next.password().is_some() {
        return Hop::Refused(RefusedRedirect::BadLocation);
    }
    if seen.contains(&next) {
        return Hop::Refused(RefusedRedirect::Loop);
    }
    if seen.len() > MAX_HOPS {
        return Hop::Refused(RefusedRedirect::TooMany);
    }
    Hop::To(next)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn failed(requests: u32, moved: Option<Moved>, error: TransportError) -> Answer {
    Answer { requests, moved, result: Err(error) }
}

fn no_token(cause: &str) -> TransportError {
    TransportError {
        kind: TransportKind::Broken,
        cause: format!("the token cannot be used: {cause}"),
        sent: false,
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
