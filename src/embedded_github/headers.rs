//! The headers that GitHub's answers have beside their own: who answered and when, what is left of
//! the hour, and what a token was given and would have needed.

use jiff::Timestamp;

use super::answer::{Answer, Request};
use super::log::Sender;
use super::model::Model;
use super::route::{Endpoint, Route};
use super::tokens::TokenKind;

/// The API version that GitHub assumes when a request names none.
const DEFAULT_API_VERSION: &str = "2022-11-28";

impl Model {
    /// Adds the headers that all of GitHub's answers have, save those that are there.
    pub(super) fn add_usual_headers(
        &self,
        answer: &mut Answer,
        request: &Request,
        sender: Sender,
        number: usize,
        now: Timestamp,
    ) {
        // The date format ends with the year 9999 and begins with 1970, as HTTP does in practice.
        let date = std::time::SystemTime::from(now.max(Timestamp::UNIX_EPOCH));
        answer.or_header("date", httpdate::fmt_http_date(date));
        answer.or_header("x-github-request-id", request_id(number, now));
        answer.or_header("x-github-media-type", "github.v3; format=json");
        let version = request.api_version.as_deref().unwrap_or(DEFAULT_API_VERSION);
        answer.or_header("x-github-api-version-selected", version);
        if let Some(token) = self.token_of(sender).filter(|it| it.kind() == TokenKind::Classic) {
            let endpoint = Route::of(&request.method, &request.path).endpoint();
            let accepted = endpoint.map_or("", Endpoint::accepted_scopes);
            answer.or_header("x-oauth-scopes", token.shown_scopes().join(", "));
            answer.or_header("x-accepted-oauth-scopes", accepted);
        }
        if let Some(limit) = self.hourly(sender)
            && let Some(ledger) = self.ledgers.get(&sender)
        {
            let quota = ledger.quota(limit, now);
            for (name, value) in [
                ("limit", i64::from(quota.limit)),
                ("used", i64::from(quota.used)),
                ("remaining", i64::from(quota.remaining)),
                ("reset", quota.reset),
            ] {
                answer.or_header(&format!("x-ratelimit-{name}"), value.to_string());
            }
            answer.or_header("x-ratelimit-resource", "core");
        }
    }

    /// Adds what the endpoint needs to an answer of its own, for a token of the newer kinds. What
    /// stands before the endpoint (limits, a scripted fault) does not know it. Source: REST
    /// documentation, "Troubleshooting the REST API", "Resource not accessible".
    pub(super) fn add_permission(&self, answer: &mut Answer, endpoint: Endpoint, sender: Sender) {
        if self.token_of(sender).is_some_and(|it| it.kind() != TokenKind::Classic) {
            answer.or_header("x-accepted-github-permissions", endpoint.permission());
        }
    }
}

/// Returns an id in GitHub's form; the request's number is its first part.
pub(super) fn request_id(number: usize, now: Timestamp) -> String {
    format!("{number:04X}:2C8A1:{:07X}:{:07X}:{:08X}", number * 7, number * 9, now.as_second())
}
