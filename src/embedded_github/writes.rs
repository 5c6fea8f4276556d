//! Who may write what, but for dispatches: issues, comments, labels, pull requests, refs. What is
//! written, and how GitHub refuses its content, is in the module of each.
//!
//! Source: REST documentation, "Permissions required for fine-grained personal access tokens" (what
//! issues and pull requests have in common is written with either permission); for the built-in
//! token and pull requests, "Managing GitHub Actions settings for a repository" and the words as
//! quoted in github/docs#36525. Decided here: a classic token whose owner may not push
//! is told of no pull requests and refs to write.

use jiff::Timestamp;

use super::answer::{Answer, Request};
use super::issues::{Issues, Writer};
use super::log::Sender;
use super::model::Model;
use super::pulls::Pulls;
use super::repository::Repository;
use super::route::{Address, Endpoint};
use super::tokens::{Role, Token, TokenKind};
use super::tracker::Author;
use super::{issues, labels, pulls, refs};

impl Model {
    /// Does a write, or returns the answer that refuses it.
    pub(super) fn write(
        &mut self,
        endpoint: Endpoint,
        address: &Address<'_>,
        request: &Request,
        sender: Sender,
        now: Timestamp,
    ) -> Result<Answer, Box<Answer>> {
        let docs = endpoint.docs();
        let repository = self.reached(endpoint, address, sender)?;
        let id = repository.id;
        let token = self.let_write(endpoint, repository, sender)?;
        let writer = self.writer(token, repository, sender);
        let pushes = self.may(sender, repository, Token::writes) || writer.author.bot;
        let root = self.root.clone();
        let Some(repository) = self.repositories.get_mut(&id) else {
            return Err(Box::new(Answer::not_found(docs)));
        };
        let (body, below) = (&request.body, address.below);
        match endpoint {
            Endpoint::Issues(what) => issues::write(&root, repository, what, body, writer, now),
            Endpoint::Pulls(what) => {
                let answer = pulls::write(&root, repository, what, body, writer, now);
                repository.follow_heads(now);
                answer
            }
            Endpoint::Labels(what) => {
                labels::write(&root, repository, (what, below), body, pushes, now)
            }
            Endpoint::Refs(what) => refs::write(&root, repository, what, below, body),
            _ => Err(Box::new(Answer::not_found(docs))),
        }
    }

    /// Returns the token if it may write there.
    fn let_write(
        &self,
        endpoint: Endpoint,
        repository: &Repository,
        sender: Sender,
    ) -> Result<&Token, Box<Answer>> {
        let docs = endpoint.docs();
        let Some(token) = self.token_of(sender) else {
            return Err(Box::new(Answer::error(401, "Requires authentication", docs)));
        };
        let may = |what: fn(&Token, &[&str]) -> bool| self.may(sender, repository, what);
        let conversation = |number: u64| {
            if repository.is_pull(number) {
                may(Token::writes_conversations)
            } else {
                may(Token::writes_issues)
            }
        };
        let allowed = match endpoint {
            Endpoint::Issues(Issues::Update(number) | Issues::Comment(number)) => {
                conversation(number)
            }
            Endpoint::Issues(_) => may(Token::writes_issues),
            Endpoint::Labels(_) => may(Token::writes_conversations),
            Endpoint::Pulls(Pulls::Merge(_)) | Endpoint::Refs(_) => may(Token::writes),
            _ => may(Token::writes_pull_requests),
        };
        if !allowed {
            return Err(Box::new(match token.kind() {
                TokenKind::Classic => Answer::not_found(docs),
                kind => Answer::not_accessible(kind, docs),
            }));
        }
        if repository.archived {
            let message = "Repository was archived so is read-only.";
            return Err(Box::new(Answer::error(403, message, docs)));
        }
        if endpoint == Endpoint::Pulls(Pulls::Create)
            && token.kind() == TokenKind::BuiltIn
            && repository.actions_may_not_open
        {
            let message = "GitHub Actions is not permitted to create or approve pull requests.";
            return Err(Box::new(Answer::error(403, message, docs)));
        }
        Ok(token)
    }

    /// Returns who writes with a token: an App under its own name, a person under the token's.
    fn writer(&self, token: &Token, repository: &Repository, sender: Sender) -> Writer {
        let keys = repository.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let Role { admin, push } = token.role(&keys);
        match token.kind() {
            TokenKind::BuiltIn => Writer { author: Author::app("github-actions"), triages: true },
            TokenKind::Installation => {
                Writer { author: Author::app(token.label().unwrap_or("app")), triages: true }
            }
            TokenKind::Classic | TokenKind::FineGrained => {
                let association = match (admin, push) {
                    (true, _) => "OWNER",
                    (_, true) => "COLLABORATOR",
                    _ => "NONE",
                };
                let login = self.label(sender).replace(' ', "-");
                Writer { author: Author::person(&login, association), triages: push }
            }
        }
    }
}
