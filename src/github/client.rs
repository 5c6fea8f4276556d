//! The one HTTP client: sends one `repository_dispatch`, read or write, follows the redirects that it
//! and its token may follow, and takes in the [`Answer`]. It sends nothing twice on its own account;
//! when and whether to try again is `delivery`'s decision.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::github::answer::{Answer, Moved, RefusedRedirect, Reply};
use crate::github::api_url::ApiUrl;
use crate::github::auth::{Spoken, TokenId, Tokens};
use crate::github::error::{TransportError, TransportKind};
use crate::github::read::Read;
use crate::github::write::{self, Write};
use crate::names::RepoName;

mod as_app;
mod hop;
mod reply;

use hop::{Hop, next_hop};

/// How long a connection may take to come about. An answer may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The version of GitHub's REST API that the requests are written for.
const API_VERSION: &str = "2022-11-28";

/// What every answer is asked for as.
const MEDIA_TYPE: &str = "application/vnd.github+json";

/// What a body is sent as.
const JSON: &str = "application/json";

/// Who asks.
const USER_AGENT: &str = concat!("ecosystem-dispatcher/", env!("CARGO_PKG_VERSION"));

/// The headers of a request with a body, without `Authorization`, and without those that every
/// HTTP request has.
pub const HEADERS: [(&str, &str); 4] = [
    ("accept", MEDIA_TYPE),
    ("content-type", JSON),
    ("user-agent", USER_AGENT),
    ("x-github-api-version", API_VERSION),
];

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
            .user_agent(USER_AGENT)
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
        let answer = self.send(self.api.dispatches(repo), repo, token, Request::Post(body)).await;
        within(repo, answer)
    }

    /// Sends `read`, once, and returns what came of it; the body of a 200 is in the reply.
    ///
    /// Redirects are followed as those of a dispatch are. One to another address of the same
    /// repository is no move.
    pub async fn get(&self, read: &Read, token: TokenId) -> Answer {
        let request = Request::Get { at_most: read.limit(), repository: read.is_repository() };
        let url = self.api.address(read.below());
        let answer = self.send(url, read.repo(), token, request).await;
        within(read.repo(), answer)
    }

    /// Sends `write`, once, and returns what came of it; the body of a 200 or 201 is in the reply.
    ///
    /// Redirects are followed as those of a dispatch are, with method, body and token kept.
    pub async fn write(&self, write: &Write, token: TokenId) -> Answer {
        let url = self.api.address(write.below());
        let answer = self.send(url, write.repo(), token, Request::Write(write)).await;
        within(write.repo(), answer)
    }

    /// Sends a request about `repo` to `first` and on to where redirects lead it.
    async fn send(
        &self,
        first: Url,
        repo: &RepoName,
        token: TokenId,
        request: Request<'_>,
    ) -> Answer {
        let token = match self.tokens.spoken(token) {
            Some(Spoken::Secret(token, _)) => token,
            Some(Spoken::App(installation)) => {
                return self.send_as_app(first, repo, installation, request).await;
            }
            None => return failed(0, None, no_token("it is not among the run's tokens")),
        };
        match bearer_of(token.secret()) {
            Ok(bearer) => self.carry(first, bearer, request).await,
            Err(cause) => failed(0, None, no_token(cause)),
        }
    }

    /// Sends a request with these credentials to `first` and on to where redirects lead it.
    async fn carry(&self, first: Url, bearer: HeaderValue, request: Request<'_>) -> Answer {
        let mut seen = vec![first];
        let mut moved = None;
        let mut requests = 0;
        loop {
            let Some(url) = seen.last().cloned() else {
                return failed(requests, moved, no_token("there is no address"));
            };
            let response = match self.send_once(url.clone(), bearer.clone(), request).await {
                Ok(response) => response,
                Err(mut error) => {
                    error.cause = self.redacted(error.cause);
                    let requests = requests + u32::from(error.sent);
                    return failed(requests, moved, error);
                }
            };
            requests += 1;
            let refused = match next_hop(&url, &response, &seen, request.refusal()) {
                Hop::None => None,
                Hop::Refused(why) => Some(why),
                Hop::To(next) => {
                    moved = Some(self.moved(&next));
                    seen.push(next);
                    continue;
                }
            };
            let reply = reply::read(response, request.wanted(), &self.tokens).await;
            return Answer { requests, moved, result: Ok(Reply { refused, ..reply }) };
        }
    }

    async fn send_once(
        &self,
        url: Url,
        bearer: HeaderValue,
        request: Request<'_>,
    ) -> Result<Response, TransportError> {
        let builder = match request {
            Request::Post(body) => {
                self.http.post(url).header(CONTENT_TYPE, JSON).body(body.to_vec())
            }
            Request::Get { .. } => self.http.get(url),
            Request::Call { method, body, .. } => {
                let builder = self.http.request(method.clone(), url);
                match body {
                    Some(body) => builder.header(CONTENT_TYPE, JSON).body(body.to_owned()),
                    None => builder,
                }
            }
            Request::Write(write) => match write.method() {
                write::Method::Post => self.http.post(url),
                write::Method::Patch => self.http.patch(url),
            }
            .header(CONTENT_TYPE, JSON)
            .body(write.body().to_vec()),
        };
        builder
            .header(ACCEPT, MEDIA_TYPE)
            .header("x-github-api-version", API_VERSION)
            .header(AUTHORIZATION, bearer)
            .send()
            .await
            .map_err(TransportError::read)
    }

    /// Returns what a redirect tells of the repository, unless the name it gives holds a token.
    fn moved(&self, next: &Url) -> Moved {
        match Moved::read(self.api.below(next)) {
            Moved::To(name) if self.redacted(name.to_string()) != name.as_str() => Moved::Elsewhere,
            moved => moved,
        }
    }

    /// Takes the run's tokens out of a text that somebody else wrote, before it is shown.
    #[must_use]
    pub fn redacted(&self, text: String) -> String {
        self.tokens.redacted(text)
    }
}

/// What is sent to an address, and to where redirects lead from there.
#[derive(Debug, Clone, Copy)]
enum Request<'a> {
    /// A POST with this body.
    Post(&'a [u8]),
    /// A GET, of whose answer so many bytes are taken at most.
    Get {
        at_most: usize,
        /// Whether it asks for the repository itself, so that a 404 says that it cannot be seen.
        repository: bool,
    },
    /// A request of an App's own, of whose answer so many bytes are taken at most.
    Call { method: &'a Method, body: Option<&'a str>, at_most: usize },
    /// A POST or PATCH, of whose answer the body is wanted.
    Write(&'a Write),
}

impl Request<'_> {
    /// Returns what a 3xx is that leads this request nowhere.
    fn refusal(self) -> RefusedRedirect {
        match self {
            Self::Get { .. } | Self::Call { method: &Method::GET, .. } => {
                RefusedRedirect::NotForGet
            }
            Self::Post(_) | Self::Call { .. } | Self::Write(_) => RefusedRedirect::NotForPost,
        }
    }

    /// Returns how many bytes of the body of a 200 or 201 are wanted, if it is.
    fn wanted(self) -> Option<usize> {
        match self {
            Self::Post(_) => None,
            Self::Get { at_most, .. } | Self::Call { at_most, .. } => Some(at_most),
            Self::Write(write) => Some(write.limit()),
        }
    }

    /// Returns whether a 404 says that the repository cannot be seen.
    fn sees_repository(self) -> bool {
        match self {
            Self::Post(_) => true,
            Self::Get { repository, .. } => repository,
            Self::Call { .. } | Self::Write(_) => false,
        }
    }
}

/// Returns the `Authorization` of a secret, or why there is none.
fn bearer_of(secret: &SecretString) -> Result<HeaderValue, &'static str> {
    let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()))
    else {
        return Err("it cannot stand in a header");
    };
    bearer.set_sensitive(true);
    Ok(bearer)
}

/// Returns the answer without a move that leads to another address of the same repository.
fn within(repo: &RepoName, mut answer: Answer) -> Answer {
    let same = |moved: &Moved| matches!(moved, Moved::To(name) if name.key() == repo.key());
    answer.moved = answer.moved.filter(|moved| !same(moved));
    answer
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
mod tests;
