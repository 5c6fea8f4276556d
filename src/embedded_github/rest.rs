//! What the endpoints do, and who may read them; who may write what is in `writes`.
//!
//! The order of the checks is GitHub's as far as it can be seen from outside: front (user agent),
//! credentials, limits, then the repository (can it be seen, does its organization ask for single
//! sign-on, is it blocked, has it moved), the permission, and the body last.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, DISPATCH_DOCS, REST_DOCS, Request};
use super::headers::request_id;
use super::issues::Issues;
use super::limits::Cost;
use super::log::{Event, Sender};
use super::model::Model;
use super::repository::{Repository, key};
use super::route::{Address, Endpoint, Named, Route, contents_path};
use super::tokens::{Role, Token, TokenKind};
use super::{actions, apps, branches, contents, dispatches, issues, labels, pulls, refs, runs};

/// The longest body that is read, in bytes. GitHub's own bound is not documented; it is above the
/// largest payload by far.
pub(super) const BODY_BYTES: usize = 1024 * 1024;

impl Model {
    /// Returns the repository's name, lower case, in a path: as sent, or the current one for a
    /// path that gives the id.
    pub(super) fn name_in(&self, path: &str) -> Option<String> {
        let Some(address) = Address::of(path) else { return apps::name_in(path) };
        match address.repository {
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
        if let Some(answer) = self.answer_app(request, sender, now) {
            return answer;
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
        self.look_up(&route);
        match route {
            Route::To(Endpoint::Dispatch, address) => {
                let event = self.event(&address, request, sender, number, now);
                let mut answer = match event {
                    Ok(event) => {
                        self.start_runs(&event);
                        self.events.push(event);
                        Answer::no_content()
                    }
                    Err(refusal) => *refusal,
                };
                self.add_permission(&mut answer, Endpoint::Dispatch, sender);
                answer
            }
            Route::To(endpoint, address) if endpoint.writes() => {
                let written = self.write(endpoint, &address, request, sender, now);
                let mut answer = written.unwrap_or_else(|refusal| *refusal);
                self.add_permission(&mut answer, endpoint, sender);
                answer
            }
            Route::To(endpoint, address) => {
                let shown = self.show(endpoint, &address, request, sender, now);
                let mut answer = shown.unwrap_or_else(|refusal| *refusal);
                self.add_permission(&mut answer, endpoint, sender);
                answer
            }
            Route::RateLimit => self.show_rate_limit(sender, now),
            Route::Unknown => Answer::not_found(REST_DOCS),
        }
    }

    /// Reads anew what the answer will be about, where the repository has a real history.
    fn look_up(&mut self, route: &Route<'_>) {
        let Route::To(endpoint, address) = route else { return };
        let Some(id) = self.id_at(address) else { return };
        match endpoint {
            Endpoint::Contents
            | Endpoint::Branches
            | Endpoint::Branch
            | Endpoint::Workflows
            | Endpoint::Dispatch => self.reread(id),
            Endpoint::Issues(_) | Endpoint::Pulls(_) | Endpoint::Labels(_) => self.follow_heads(id),
            Endpoint::Repository
            | Endpoint::Runs
            | Endpoint::ActionsPermissions
            | Endpoint::Refs(_) => {}
        }
    }

    fn id_at(&self, address: &Address<'_>) -> Option<u64> {
        match &address.repository {
            Named::Name(name) => self.names.get(&key(name)).copied(),
            Named::Id(id) => Some(*id),
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

    /// Returns the repository that a request is let through to, or the answer that it gets
    /// instead: what cannot be seen is not found, and what has moved is where its id is, with the
    /// rest of the path and the query kept.
    pub(super) fn reached(
        &self,
        endpoint: Endpoint,
        address: &Address<'_>,
        sender: Sender,
    ) -> Result<&Repository, Box<Answer>> {
        let repository = self
            .id_at(address)
            .and_then(|id| self.repositories.get(&id))
            .filter(|it| !it.private || self.may(sender, it, Token::reads))
            .ok_or_else(|| Answer::not_found(endpoint.docs()))?;
        if self.token_of(sender).is_some_and(|token| token.lacks_sso(repository.owner())) {
            return Err(Box::new(Answer::needs_sso(repository.owner())));
        }
        if repository.disabled {
            return Err(Box::new(Answer::blocked()));
        }
        if went_by(&address.repository, repository) {
            let status = if endpoint.writes() { 307 } else { 301 };
            let query = address.query.map(|it| format!("?{it}")).unwrap_or_default();
            let (root, id, below) = (&self.root, repository.id, address.below);
            let location = format!("{root}/repositories/{id}{below}{query}");
            return Err(Box::new(Answer::moved(status, &location)));
        }
        Ok(repository)
    }

    /// Whether the sender has a token of which `what` holds for the names of a repository.
    pub(super) fn may(
        &self,
        sender: Sender,
        repository: &Repository,
        what: impl Fn(&Token, &[&str]) -> bool,
    ) -> bool {
        let keys = repository.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.token_of(sender).is_some_and(|token| what(token, &keys))
    }

    /// Returns the event that a dispatch makes, or the answer that refuses it. Whether anybody
    /// listens, and whether Actions are turned on, makes no difference, as on GitHub.
    fn event(
        &self,
        address: &Address<'_>,
        request: &Request,
        sender: Sender,
        number: usize,
        now: Timestamp,
    ) -> Result<Event, Box<Answer>> {
        let repository = self.reached(Endpoint::Dispatch, address, sender)?;
        let Some(token) = self.token_of(sender) else {
            return Err(Box::new(Answer::error(401, "Requires authentication", DISPATCH_DOCS)));
        };
        if !self.may(sender, repository, Token::writes) {
            return Err(Box::new(Answer::may_not_write(token.kind())));
        }
        if repository.archived {
            let message = "Repository was archived so is read-only.";
            return Err(Box::new(Answer::error(403, message, DISPATCH_DOCS)));
        }
        let dispatch = dispatches::parse(&request.body)?;
        Ok(Event {
            at: now,
            repository: repository.full_name.clone(),
            sent_to: match &address.repository {
                Named::Name(name) => name.clone(),
                Named::Id(id) => format!("repositories/{id}"),
            },
            event_type: dispatch.event_type,
            client_payload: dispatch.client_payload,
            body_length: request.body.len(),
            request: number,
        })
    }

    /// Returns what an endpoint that only reads shows, or the answer that refuses it.
    fn show(
        &self,
        endpoint: Endpoint,
        address: &Address<'_>,
        request: &Request,
        sender: Sender,
        now: Timestamp,
    ) -> Result<Answer, Box<Answer>> {
        let repository = self.reached(endpoint, address, sender)?;
        let query = address.query.unwrap_or_default();
        let root = &self.root;
        match endpoint {
            Endpoint::Contents | Endpoint::Branches | Endpoint::Branch | Endpoint::Refs(_) => {
                self.let_read(endpoint, repository, sender, Token::reads_contents)?;
            }
            Endpoint::ActionsPermissions => self.let_administer(endpoint, repository, sender)?,
            Endpoint::Workflows | Endpoint::Runs => {
                self.let_read(endpoint, repository, sender, Token::reads_actions)?;
            }
            Endpoint::Issues(Issues::Show(number) | Issues::Comments(number))
                if repository.is_pull(number) =>
            {
                self.let_read(endpoint, repository, sender, Token::reads_conversations)?;
            }
            Endpoint::Labels(_) => {
                self.let_read(endpoint, repository, sender, Token::reads_conversations)?;
            }
            Endpoint::Issues(_) => {
                self.let_read(endpoint, repository, sender, Token::reads_issues)?;
            }
            Endpoint::Pulls(_) => {
                self.let_read(endpoint, repository, sender, Token::reads_pull_requests)?;
            }
            Endpoint::Repository | Endpoint::Dispatch => {}
        }
        Ok(match endpoint {
            Endpoint::Contents => {
                let path = contents_path(address.below).unwrap_or_default();
                let accept = request.accept.as_deref();
                contents::show(root, repository, path, query, accept, endpoint.docs())
            }
            Endpoint::Branches => branches::list(root, repository, query),
            Endpoint::Branch => branches::show(root, repository, address.below, endpoint.docs()),
            Endpoint::Pulls(what) => pulls::show(root, repository, what, query),
            Endpoint::Labels(what) => labels::show(root, repository, what, address.below, query),
            Endpoint::Refs(what) => refs::show(root, repository, what, address.below, query),
            Endpoint::Workflows => actions::workflows(root, repository, query),
            Endpoint::Runs => runs::list(root, repository, &self.runs, query, now),
            Endpoint::ActionsPermissions => actions::permissions(repository),
            Endpoint::Repository => self.show_repository(repository, sender),
            Endpoint::Issues(what) => issues::show(root, repository, what, query),
            Endpoint::Dispatch => Answer::not_found(endpoint.docs()),
        })
    }

    /// The files, workflows, runs and issues of a public repository are everybody's.
    fn let_read(
        &self,
        endpoint: Endpoint,
        repository: &Repository,
        sender: Sender,
        reads: impl Fn(&Token, &[&str]) -> bool,
    ) -> Result<(), Box<Answer>> {
        match self.token_of(sender) {
            Some(token) if repository.private && !self.may(sender, repository, reads) => {
                Err(Box::new(Answer::not_accessible(token.kind(), endpoint.docs())))
            }
            _ => Ok(()),
        }
    }

    /// The settings are an admin's, of a public repository too.
    fn let_administer(
        &self,
        endpoint: Endpoint,
        repository: &Repository,
        sender: Sender,
    ) -> Result<(), Box<Answer>> {
        match self.token_of(sender) {
            None => Err(Box::new(Answer::error(401, "Requires authentication", endpoint.docs()))),
            Some(token) if !self.may(sender, repository, Token::administers) => {
                Err(Box::new(Answer::may_not_administer(token.kind(), endpoint.docs())))
            }
            Some(_) => Ok(()),
        }
    }

    fn show_repository(&self, repository: &Repository, sender: Sender) -> Answer {
        let (owner, name) = repository.full_name.split_once('/').unwrap_or_default();
        let mut shown = json!({
            "id": repository.id,
            "name": name,
            "full_name": repository.full_name,
            "owner": { "login": owner },
            "private": repository.private,
            "visibility": if repository.private { "private" } else { "public" },
            "archived": repository.archived,
            "disabled": repository.disabled,
            "default_branch": repository.default_branch,
            "url": format!("{}/repos/{}", self.root, repository.full_name),
            "html_url": format!("https://github.com/{}", repository.full_name),
        });
        let keys = repository.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        if let Some(token) = self.token_of(sender)
            && let Value::Object(fields) = &mut shown
        {
            let Role { admin, push } = token.role(&keys);
            let permissions = json!({
                "admin": admin, "maintain": admin,
                "push": push, "triage": push, "pull": true,
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
}

/// Whether the path names the repository by one of its former names.
fn went_by(named: &Named, repository: &Repository) -> bool {
    matches!(named, Named::Name(name) if key(name) != key(&repository.full_name))
}
