//! What arrives and what goes back, as plain values, with GitHub's own words for each refusal. No
//! type of an HTTP library appears here, so that every answer can be tested without a socket.
//!
//! The wording was taken from GitHub's REST documentation ("Troubleshooting the REST API", "Rate
//! limits for the REST API", "Create a repository dispatch event") and, where that is silent, from
//! answers that people quoted in public issues; each constructor names its own source.

use serde_json::{Value, json};

use super::limits::Refusal;
use super::tokens::TokenKind;

/// The documentation page that GitHub's answers about dispatches point to.
pub(super) const DISPATCH_DOCS: &str =
    "https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event";
/// The documentation page of an answer that belongs to no endpoint.
pub(super) const REST_DOCS: &str = "https://docs.github.com/rest";
const SSO_DOCS: &str = "https://docs.github.com/articles/\
     authenticating-to-a-github-organization-with-saml-single-sign-on/";
const REDIRECT_DOCS: &str =
    "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects";
const PRIMARY_DOCS: &str =
    "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-primary-rate-limits";
const SECONDARY_DOCS: &str = "https://docs.github.com/free-pro-team@latest/rest/overview/\
     rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// One request as the model sees it. It holds a secret, and so cannot be printed.
#[derive(Clone, Default)]
pub struct Request {
    /// The method in capitals.
    pub method: String,
    /// The path as it was sent, with the query if there is one.
    pub path: String,
    /// The whole `Authorization` header.
    pub authorization: Option<String>,
    /// The `User-Agent` header; GitHub refuses a request without one.
    pub user_agent: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `X-GitHub-Api-Version` header.
    pub api_version: Option<String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// One answer: a status, headers with lower-case names, and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers without those that the transport adds (`content-length`, `content-type`).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// What an answer carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing, as in a 204.
    Empty,
    /// A JSON document, sent as `application/json; charset=utf-8`.
    Json(Value),
    /// Text of another type, as a proxy in front of GitHub would send it.
    Text {
        /// The `content-type` header.
        content_type: String,
        /// The text.
        text: String,
    },
    /// The bytes of a file that was asked for as they are.
    Bytes {
        /// The `content-type` header.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl Answer {
    /// Returns the answer to a request that was done and has nothing to say: 204.
    pub(super) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Body::Empty }
    }

    /// Returns an answer that carries `value`.
    pub(super) fn json(status: u16, value: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(value) }
    }

    /// Returns GitHub's form of an error: the message, where to read on, and the status again, as
    /// a string.
    pub(super) fn error(status: u16, message: impl Into<String>, documentation_url: &str) -> Self {
        Self::json(
            status,
            json!({
                "message": message.into(),
                "documentation_url": documentation_url,
                "status": status.to_string(),
            }),
        )
    }

    /// Returns the 404 that also hides a private repository from whoever may not see it.
    pub(super) fn not_found(documentation_url: &str) -> Self {
        Self::error(404, "Not Found", documentation_url)
    }

    /// Returns the answer to a request without a `User-Agent`, which GitHub's front refuses in
    /// plain text before the API sees it. Source: REST documentation, "User agent required".
    pub(super) fn no_user_agent() -> Self {
        Self {
            status: 403,
            headers: Vec::new(),
            body: Body::Text {
                content_type: "text/html; charset=utf-8".to_owned(),
                text: "\r\nRequest forbidden by administrative rules. Please make sure your \
                       request has a User-Agent header (https://docs.github.com/en/rest/overview/\
                       resources-in-the-rest-api#user-agent-required). Check \
                       https://developer.github.com for other possible causes.\r\n"
                    .to_owned(),
            },
        }
    }

    /// Returns the answer to a request by a repository's former name: 301 to a read, 307 to a
    /// write. Both say "Moved Permanently" in the body: so quoted from answers to `PUT` and
    /// `POST`, whose status line says "Temporary Redirect".
    pub(super) fn moved(status: u16, location: &str) -> Self {
        Self::json(
            status,
            json!({
                "message": "Moved Permanently",
                "url": location,
                "documentation_url": REDIRECT_DOCS,
            }),
        )
        .header("location", location)
    }

    /// Returns the answer to a write by a token that sees the repository but may not write its
    /// contents.
    ///
    /// A classic token's holder without push access gets 404 (the dispatch action's maintainers
    /// tell of it in peter-evans/repository-dispatch#50), the newer kinds a 403.
    pub(super) fn may_not_write(kind: TokenKind) -> Self {
        match kind {
            TokenKind::Classic => Self::not_found(DISPATCH_DOCS),
            _ => Self::not_accessible(kind, DISPATCH_DOCS),
        }
    }

    /// Returns the answer to who wants to see a repository's settings and is no admin of it. To a
    /// classic token GitHub says it as quoted in octokit/octokit.rb#1656, to the newer kinds as it
    /// says everything that they lack.
    pub(super) fn may_not_administer(kind: TokenKind, documentation_url: &str) -> Self {
        match kind {
            TokenKind::Classic => {
                Self::error(403, "Must have admin rights to Repository.", documentation_url)
            }
            _ => Self::not_accessible(kind, documentation_url),
        }
    }

    /// Returns the answer to a token that was not given the permission. Source: REST
    /// documentation, "Troubleshooting the REST API", "Resource not accessible".
    pub(super) fn not_accessible(kind: TokenKind, documentation_url: &str) -> Self {
        let by = match kind {
            TokenKind::Classic | TokenKind::FineGrained => "personal access token",
            TokenKind::Installation | TokenKind::BuiltIn => "integration",
        };
        Self::error(403, format!("Resource not accessible by {by}"), documentation_url)
    }

    /// Returns the answer to a token that the organization `owner` has not let through its single
    /// sign-on. Source: REST documentation, "Authenticating to the REST API" (the header), and the
    /// answer quoted in jhu-bids/TermHub#935; ossf/scorecard#1504 tells that it meets public
    /// repositories too.
    pub(super) fn needs_sso(owner: &str) -> Self {
        Self::error(
            403,
            "Resource protected by organization SAML enforcement. You must grant your Personal \
             Access token access to this organization.",
            SSO_DOCS,
        )
        .header(
            "x-github-sso",
            format!(
                "required; url=https://github.com/orgs/{owner}/sso?authorization_request=EMBEDDED"
            ),
        )
    }

    /// Returns the answer for a repository that GitHub's staff took down. Source: quoted answers;
    /// the REST documentation shows the same body for blocked gists.
    pub(super) fn blocked() -> Self {
        Self::json(
            403,
            json!({
                "message": "Repository access blocked",
                "block": {
                    "reason": "tos",
                    "created_at": "2026-01-01T00:00:00Z",
                    "html_url": "https://github.com/tos",
                },
            }),
        )
    }

    /// Returns the answer to a request that a limit stops. `subject` is who used the limit up,
    /// `request_id` and `time` go into the message as GitHub puts them there.
    pub(super) fn limited(
        status: u16,
        refusal: Refusal,
        subject: &str,
        request_id: &str,
        time: &str,
    ) -> Self {
        let support = format!(
            "If you reach out to GitHub Support for help, please include the request ID \
             {request_id} and timestamp {time} UTC."
        );
        match refusal {
            Refusal::Primary => Self::error(
                status,
                format!("API rate limit exceeded for {subject}. {support}"),
                PRIMARY_DOCS,
            ),
            Refusal::Secondary { retry_after } => Self::error(
                status,
                format!(
                    "You have exceeded a secondary rate limit. Please wait a few minutes before \
                     you try again. {support}"
                ),
                SECONDARY_DOCS,
            )
            .header("retry-after", retry_after.to_string()),
        }
    }

    /// Adds a header, or replaces the one of that name.
    #[must_use]
    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header unless the answer has one of that name.
    pub(super) fn or_header(&mut self, name: &str, value: impl Into<String>) {
        if self.header_value(name).is_none() {
            self.headers.push((name.to_owned(), value.into()));
        }
    }

    /// Returns the header's value; `name` is in lower case.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body's `message`, which is what GitHub's errors say to people.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.body {
            Body::Json(value) => value.get("message")?.as_str(),
            Body::Empty | Body::Text { .. } | Body::Bytes { .. } => None,
        }
    }
}
