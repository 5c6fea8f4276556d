//! GitHub as plain data: repositories, tokens, limits, faults, and a log of what arrived. It knows
//! no socket and no HTTP library and can be asked directly with [`Model::receive`]; `http` and
//! `server` only project it onto a port.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::answer::{Answer, Request};
use super::apps::Apps;
use super::fault::{Ending, Fault, Faults, Target};
use super::limits::{Ledger, Limits};
use super::log::{Event, GitRequest, Received, Sender, Ticket};
use super::repository::{Repository, key};
use super::runs::Run;
use super::tokens::{Token, TokenKind};
use super::tracker::{Comment, Draft, Issue};
use crate::git::command::Git;

/// The clock that the model reads.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What happens in GitHub just before a request is looked at.
pub(super) type Hook = Box<dyn FnOnce(&mut Model) + Send>;

/// What happens to a request that was received.
#[derive(Debug)]
pub struct Reply {
    /// For [`Model::finish`].
    pub ticket: Ticket,
    /// The answer; what leaves of it, `ending` says.
    pub answer: Answer,
    /// How long the answer is held back.
    pub delay: Duration,
    /// How the answer leaves.
    pub ending: Ending,
}

/// GitHub, in memory.
pub struct Model {
    pub(super) root: String,
    pub(super) repositories: BTreeMap<u64, Repository>,
    pub(super) names: HashMap<String, u64>,
    pub(super) tokens: Vec<(String, Token)>,
    pub(super) limits: Limits,
    pub(super) ledgers: HashMap<Sender, Ledger>,
    pub(super) events: Vec<Event>,
    pub(super) runs: Vec<Run>,
    pub(super) apps: Apps,
    pub(super) git: Git,
    last_id: u64,
    faults: Faults,
    latency: Duration,
    pub(super) now: Now,
    requests: Vec<Received>,
    hooks: Vec<(usize, Hook)>,
    pub(super) git_requests: Vec<GitRequest>,
    pub(super) push_hooks: Vec<(String, Hook)>,
    in_flight: usize,
    max_in_flight: usize,
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl Model {
    /// Returns a GitHub without repositories and tokens, with GitHub's limits and the real clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            root: "https://api.github.com".to_owned(),
            repositories: BTreeMap::new(),
            names: HashMap::new(),
            tokens: Vec::new(),
            limits: Limits::github(),
            ledgers: HashMap::new(),
            events: Vec::new(),
            runs: Vec::new(),
            apps: Apps::default(),
            git: Git::new([]),
            last_id: 1_000_000,
            faults: Faults::default(),
            latency: Duration::ZERO,
            now: Arc::new(Timestamp::now),
            requests: Vec::new(),
            hooks: Vec::new(),
            git_requests: Vec::new(),
            push_hooks: Vec::new(),
            in_flight: 0,
            max_in_flight: 0,
        }
    }

    /// Adds a public repository.
    #[must_use]
    pub fn repository(self, full_name: &str) -> Self {
        self.repository_with(full_name, |it| it)
    }

    /// Adds a repository that `describe` has changed; one of that name which is there already is
    /// changed further.
    #[must_use]
    pub fn repository_with(
        mut self,
        full_name: &str,
        describe: impl FnOnce(Repository) -> Repository,
    ) -> Self {
        let known = self.called(full_name).cloned();
        self.add(describe(known.unwrap_or_else(|| Repository::new(full_name))));
        self
    }

    /// Adds an archived repository.
    #[must_use]
    pub fn archived(self, full_name: &str) -> Self {
        self.repository_with(full_name, Repository::archived)
    }

    /// Adds a token, known by its secret.
    #[must_use]
    pub fn token(mut self, secret: &str, token: Token) -> Self {
        self.tokens.retain(|(known, _)| known != secret);
        self.tokens.push((secret.to_owned(), token));
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the clock, which limits, log and `date` headers go by.
    #[must_use]
    pub fn clock(mut self, now: Now) -> Self {
        self.now = now;
        self
    }

    /// Holds back every answer for so long.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Names the git program that serves the repositories which have one, with what it may see of
    /// the environment; without a word, the one that is found without any.
    #[must_use]
    pub fn git_program(mut self, git: Git) -> Self {
        self.git = git;
        self
    }

    /// Renames a repository; requests by the old name are redirected from now on. A name that is
    /// not there stays so.
    pub fn rename(&mut self, from: &str, to: &str) {
        let Some(mut repository) =
            self.names.get(&key(from)).and_then(|id| self.repositories.remove(id))
        else {
            return;
        };
        repository = repository.renamed_to(to);
        self.add(repository);
    }

    /// Deletes a repository and its former names.
    pub fn remove(&mut self, full_name: &str) {
        if let Some(id) = self.names.get(&key(full_name)).copied() {
            self.repositories.remove(&id);
            self.names.retain(|_, known| *known != id);
        }
    }

    /// Lets the next requests to a repository, under the name that they use, meet `fault`.
    pub fn fault(&mut self, full_name: &str, fault: Fault) {
        self.faults.add(Target::Repository(key(full_name)), fault);
    }

    /// Lets the n-th request since the start, counted from 1, meet `fault`.
    pub fn fault_nth(&mut self, number: usize, fault: Fault) {
        self.faults.add(Target::Nth(number), fault);
    }

    /// Lets the next requests, wherever they go, meet `fault`; with [`Fault::forever`] all do.
    pub fn fault_any(&mut self, fault: Fault) {
        self.faults.add(Target::Any, fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Returns the number of a repository, by its present name.
    #[must_use]
    pub fn id_of(&self, full_name: &str) -> Option<u64> {
        self.called(full_name).map(|it| it.id)
    }

    /// Lets `hook` happen just before the n-th request since the start, counted from 1, is looked
    /// at: what somebody else does between two requests.
    pub fn before_request(&mut self, number: usize, hook: impl FnOnce(&mut Self) + Send + 'static) {
        self.hooks.push((number, Box::new(hook)));
    }

    /// Lets `hook` happen after the next push to a repository has been received and before it is
    /// looked at: what somebody else pushes meanwhile.
    pub fn before_push(&mut self, full_name: &str, hook: impl FnOnce(&mut Self) + Send + 'static) {
        self.push_hooks.push((key(full_name), Box::new(hook)));
    }

    /// Returns every request over git that was let through, in order. They are not among
    /// [`Model::requests`], and no limit of the API counts them.
    #[must_use]
    pub fn git_requests(&self) -> &[GitRequest] {
        &self.git_requests
    }

    /// Writes an issue as its author would, and returns its number; none without such a repository.
    pub fn open_issue(&mut self, full_name: &str, draft: Draft) -> Option<u64> {
        let now = (self.now)();
        Some(self.called_mut(full_name)?.tracker.open(draft, now))
    }

    /// Changes an issue as whoever may would: a maintainer who takes a label off, say.
    pub fn change_issue(&mut self, full_name: &str, number: u64, change: impl FnOnce(&mut Issue)) {
        let issue = self.called_mut(full_name).and_then(|it| it.tracker.get_mut(number));
        if let Some(issue) = issue {
            change(issue);
        }
    }

    /// Returns the issues and pull requests of a repository, oldest first.
    #[must_use]
    pub fn issues_of(&self, full_name: &str) -> &[Issue] {
        self.called(full_name).map_or(&[], |it| it.tracker.all())
    }

    /// Returns the comments on an issue, in order.
    #[must_use]
    pub fn comments_of(&self, full_name: &str, number: u64) -> &[Comment] {
        let issue = self.called(full_name).and_then(|it| it.tracker.get(number));
        issue.map_or(&[], |it| &it.comments)
    }

    /// Returns every request, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> &[Received] {
        &self.requests
    }

    /// Returns every event that was delivered, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns the events of one repository, named by its current name.
    #[must_use]
    pub fn events_for(&self, full_name: &str) -> Vec<&Event> {
        self.events.iter().filter(|it| it.repository.eq_ignore_ascii_case(full_name)).collect()
    }

    /// Returns the number of requests that are not finished.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the largest number of requests that were in flight at a time.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// Takes a request in, logs it, does what it asks for, and returns what to answer.
    pub fn receive(&mut self, request: &Request) -> Reply {
        let now = (self.now)();
        let number = self.requests.len() + 1;
        while let Some(at) = self.hooks.iter().position(|(when, _)| *when == number) {
            self.hooks.remove(at).1(self);
        }
        let sender = self.admitted(self.sender(request), now);
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        self.ledgers.entry(sender).or_default().begin();

        let fault = self.faults.take(number, self.name_in(&request.path));
        let reaches = fault.as_ref().is_none_or(|it| it.passes);
        let real = reaches.then(|| self.answer(request, sender, number, now));
        let scripted = fault.as_ref().and_then(|it| it.answer_at(now));
        let mut answer = scripted.or(real).unwrap_or_else(Answer::no_content);
        self.add_usual_headers(&mut answer, request, sender, number, now);

        let ending = fault.as_ref().map_or(Ending::Whole, |it| it.ending);
        self.requests.push(Received {
            at: now,
            method: request.method.clone(),
            path: request.path.clone(),
            token: self.label(sender),
            status: matches!(ending, Ending::Whole | Ending::Truncated).then_some(answer.status),
            in_flight: self.in_flight,
            faulted: fault.is_some(),
            sender,
            open: true,
        });
        let delay = self.latency + fault.map_or(Duration::ZERO, |it| it.delay);
        Reply { ticket: Ticket(number - 1), answer, delay, ending }
    }

    /// Notes that a request is over. A request is over once.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn finish(&mut self, ticket: Ticket) {
        let Some(request) = self.requests.get_mut(ticket.0).filter(|it| it.open) else {
            return;
        };
        request.open = false;
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(ledger) = self.ledgers.get_mut(&request.sender) {
            ledger.end();
        }
    }

    /// Adds a repository; to another that goes by the same name already it adds what is said of it.
    fn add(&mut self, mut repository: Repository) {
        self.repositories.remove(&repository.id);
        if let Some(known) = self.called(&repository.full_name) {
            repository = repository.and_before(known);
        } else if repository.id == 0 {
            self.last_id += 1;
            repository.id = self.last_id;
        }
        for name in repository.keys() {
            self.names.insert(name, repository.id);
        }
        self.repositories.insert(repository.id, repository);
    }

    /// Returns the repository whose current name this is.
    fn called(&self, full_name: &str) -> Option<&Repository> {
        let name = key(full_name);
        let known = self.names.get(&name).and_then(|id| self.repositories.get(id));
        known.filter(|known| key(&known.full_name) == name)
    }

    pub(super) fn clock_time(&self) -> Timestamp {
        (self.now)()
    }

    fn called_mut(&mut self, full_name: &str) -> Option<&mut Repository> {
        let id = self.called(full_name)?.id;
        self.repositories.get_mut(&id)
    }

    pub(super) fn sender(&self, request: &Request) -> Sender {
        let Some(header) = request.authorization.as_deref() else {
            return Sender::Anonymous;
        };
        let secret = header
            .split_once(' ')
            .filter(|(scheme, _)| {
                scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")
            })
            .map(|(_, secret)| secret.trim());
        self.tokens
            .iter()
            .position(|(known, _)| Some(known.as_str()) == secret)
            .map_or(Sender::Unknown, Sender::Token)
    }

    pub(super) fn label(&self, sender: Sender) -> String {
        match sender {
            Sender::Anonymous => "none".to_owned(),
            Sender::Unknown => "unknown".to_owned(),
            Sender::Token(number) => self
                .token_of(sender)
                .and_then(Token::label)
                .map_or_else(|| format!("token {}", number + 1), str::to_owned),
        }
    }

    pub(super) fn token_of(&self, sender: Sender) -> Option<&Token> {
        match sender {
            Sender::Token(number) => self.tokens.get(number).map(|(_, token)| token),
            Sender::Anonymous | Sender::Unknown => None,
        }
    }

    /// Returns the hour's limit of a sender, if there is one.
    pub(super) fn hourly(&self, sender: Sender) -> Option<u32> {
        match self.token_of(sender).map(Token::kind) {
            None => self.limits.anonymous,
            Some(TokenKind::BuiltIn) => self.limits.built_in,
            Some(_) => self.limits.primary,
        }
    }
}
