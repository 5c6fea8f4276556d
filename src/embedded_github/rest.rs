//! The REST endpoints of the model: which there are, who may use them, and what they do. Workflows,
//! contents and issues will each be one more [`Route`]; anything unknown is a 404.
//!
//! The order of the checks is GitHub's as far as it can be seen from outside: front (user agent),
//! credentials, limits, then the repository (can it be seen, is it blocked, has it moved), the
//! permission, and the body last.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, DISPATCH_DOCS, REPOSITORY_DOCS, REST_DOCS, Request};
use super::dispatches;
use super::limits::Cost;
use super::log::{Event, Sender};
use super::model::Model;
use super::repository::{Repository, key};
use super::tokens::{Token, TokenKind};

/// The longest body that is read, in bytes. GitHub's own bound is not documented; it is above the
/// largest payload by far.
pub(super) const BODY_BYTES: usize = 1024 * 1024;

/// The API version that GitHub assumes when a request names none.
const DEFAULT_API_VERSION: &str = "2022-11-28";

/// A repository as a path names it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Name(String),
    Id(u64),
}

#[derive(Debug, PartialEq, Eq)]
enum Route {
    Dispatch(Named),
    Repository(Named),
    RateLimit,
    Unknown,
}

impl Route {
    fn of(method: &str, path: &str) -> Self {
        let reads = matches!(method, "GET" | "HEAD");
        match (segments(path).as_slice(), method) {
            (["rate_limit"], _) if reads => Self::RateLimit,
            ([rest @ .., "dispatches"], "POST") => {
                named(rest).map_or(Self::Unknown, Self::Dispatch)
            }
            (rest, _) if reads => named(rest).map_or(Self::Unknown, Self::Repository),
            _ => Self::Unknown,
        }
    }
}

/// Returns the parts between the slashes; a trailing slash leaves an empty part, which no route
/// has.
fn segments(path: &str) -> Vec<&str> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

fn named(segments: &[&str]) -> Option<Named> {
    match segments {
        ["repos", owner, name] if !owner.is_empty() && !name.is_empty() => {
            Some(Named::Name(format!("{owner}/{name}")))
        }
        ["repositories", id] => id.parse().ok().map(Named::Id),
        _ => None,
    }
}

impl Model {
    /// Returns the repository's name, lower case, in a path: as sent, or the current one for a
    /// path that gives the id.
    pub(super) fn name_in(&self, path: &str) -> Option<String> {
        let segments = segments(path);
        let named = match segments.as_slice() {
            [rest @ .., "dispatches"] => named(rest),
            rest => named(rest),
        }?;
        match named {
            Named::Name(name) => Some(key(&name)),
            Named::Id(id) => self.repositories.get(&id).map(|it| key(&it.full_name)),
        }
    }

    /// Does what the request asks for and returns the answer, without the usual headers.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        sender: Sender,
        number: usize,
        now: Timestamp,
    ) -> Answer {
        if request.user_agent.as_deref().is_none_or(|it| it.trim().is_empty()) {
            return Answer::no_user_agent();
        }
        if sender == Sender::Unknown {
            return Answer::error(401, "Bad credentials", REST_DOCS);
        }
        if request.body.len() > BODY_BYTES {
            return Answer::error(413, "Request body is too large", REST_DOCS);
        }
        let route = Route::of(&request.method, &request.path);
        if route != Route::RateLimit
            && let Some(refused) = self.refused_by_a_limit(&request.method, sender, number, now)
        {
            return refused;
        }
        match route {
            Route::Dispatch(named) => self.dispatch(&named, request, sender, number, now),
            Route::Repository(named) => self.show_repository(&named, sender),
            Route::RateLimit => self.show_rate_limit(sender, now),
            Route::Unknown => Answer::not_found(REST_DOCS),
        }
    }

    fn refused_by_a_limit(
        &mut self,
        method: &str,
        sender: Sender,
        number: usize,
        now: Timestamp,
    ) -> Option<Answer> {
        let cost = if matches!(method, "GET" | "HEAD") { Cost::READ } else { Cost::WRITE };
        let hourly = self.hourly(sender);
        let ledger = self.ledgers.entry(sender).or_default();
        let refusal = ledger.admit(&self.limits, hourly, cost, now).err()?;
        let subject = match (sender, self.token_of(sender).map(Token::kind)) {
            (Sender::Token(n), Some(TokenKind::Installation | TokenKind::BuiltIn)) => {
                format!("installation ID {}", 5_000_001 + n)
            }
            (Sender::Token(n), _) => format!("user ID {}", 1_000_001 + n),
            _ => "127.0.0.1".to_owned(),
        };
        let time = now.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let id = request_id(number, now);
        Some(Answer::limited(self.limits.refusal_status, refusal, &subject, &id, &time))
    }

    /// Returns the repository if the sender can see it.
    fn visible(&self, named: &Named, sender: Sender) -> Option<&Repository> {
        let id = match named {
            Named::Name(name) => self.names.get(&key(name))?,
            Named::Id(id) => id,
        };
        let repository = self.repositories.get(id)?;
        let may_read = || self.may(sender, repository, Token::reads);
        (!repository.private || may_read()).then_some(repository)
    }

    fn may(
        &self,
        sender: Sender,
        repository: &Repository,
        what: impl Fn(&Token, &[&str]) -> bool,
    ) -> bool {
        let keys = repository.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.token_of(sender).is_some_and(|token| what(token, &keys))
    }

    fn dispatch(
        &mut self,
        named: &Named,
        request: &Request,
        sender: Sender,
        number: usize,
        now: Timestamp,
    ) -> Answer {
        let Some(repository) = self.visible(named, sender) else {
            return Answer::not_found(DISPATCH_DOCS);
        };
        if repository.disabled {
            return Answer::blocked();
        }
        if went_by(named, repository) {
            let location = format!("{}/repositories/{}/dispatches", self.root, repository.id);
            return Answer::moved(307, &location);
        }
        let Some(token) = self.token_of(sender) else {
            return Answer::error(401, "Requires authentication", DISPATCH_DOCS);
        };
        if !self.may(sender, repository, Token::writes) {
            return Answer::may_not_write(token.kind());
        }
        if repository.archived {
            let message = "Repository was archived so is read-only.";
            return Answer::error(403, message, DISPATCH_DOCS);
        }
        let dispatch = match dispatches::parse(&request.body) {
            Ok(dispatch) => dispatch,
            Err(refusal) => return *refusal,
        };
        let event = Event {
            at: now,
            repository: repository.full_name.clone(),
            sent_to: match named {
                Named::Name(name) => name.clone(),
                Named::Id(id) => format!("repositories/{id}"),
            },
            event_type: dispatch.event_type,
            client_payload: dispatch.client_payload,
            body_length: request.body.len(),
            request: number,
        };
        self.events.push(event);
        Answer::no_content()
    }

    fn show_repository(&self, named: &Named, sender: Sender) -> Answer {
        let Some(repository) = self.visible(named, sender) else {
            return Answer::not_found(REPOSITORY_DOCS);
        };
        if repository.disabled {
            return Answer::blocked();
        }
        if went_by(named, repository) {
            return Answer::moved(301, &format!("{}/repositories/{}", self.root, repository.id));
        }
        let (owner, name) = repository.full_name.split_once('/').unwrap_or_default();
        let mut shown = json!({
            "id": repository.id,
            "name": name,
            "full_name": repository.full_name,
            "owner": { "login": owner },
            "private": repository.private,
            "archived": repository.archived,
            "disabled": repository.disabled,
            "default_branch": repository.default_branch,
            "url": format!("{}/repos/{}", self.root, repository.full_name),
        });
        if self.token_of(sender).is_some()
            && let Value::Object(fields) = &mut shown
        {
            let writes = self.may(sender, repository, Token::writes);
            let permissions = json!({
                "admin": false, "maintain": false,
                "push": writes, "triage": writes, "pull": true,
            });
            fields.insert("permissions".to_owned(), permissions);
        }
        Answer::json(200, shown)
    }

    fn show_rate_limit(&self, sender: Sender, now: Timestamp) -> Answer {
        let Some(limit) = self.hourly(sender) else {
            return Answer::error(404, "Rate limiting is not enabled.", REST_DOCS);
        };
        let quota = self.ledgers.get(&sender).map(|ledger| ledger.quota(limit, now));
        let core = quota.map(|it| {
            json!({
                "limit": it.limit, "used": it.used,
                "remaining": it.remaining, "reset": it.reset,
            })
        });
        Answer::json(200, json!({ "resources": { "core": core }, "rate": core }))
    }

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
}

/// Whether the path names the repository by one of its former names.
fn went_by(named: &Named, repository: &Repository) -> bool {
    matches!(named, Named::Name(name) if key(name) != key(&repository.full_name))
}

/// Returns an id in GitHub's form; the request's number is its first part.
fn request_id(number: usize, now: Timestamp) -> String {
    format!("{number:04X}:2C8A1:{:07X}:{:07X}:{:08X}", number * 7, number * 9, now.as_second())
}
