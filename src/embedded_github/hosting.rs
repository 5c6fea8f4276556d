//! Who may do what with a repository over git, and what a push changes in the model. The bytes are
//! moved by `smart_http` and `push`; here the model decides, in GitHub's words.
//!
//! Source: the refusals as people quote them: a workflow in flashcatcloud/categraf#34 and
//! peter-evans/create-pull-request#3558 (what a branch has already passes: "Scopes for OAuth apps",
//! `workflow`), a ref that has moved in ad-m/github-push-action#61, one in the way in
//! desktop/desktop#13665, GH006 of protected branches, "deny updating a hidden ref" of pushes to
//! `refs/pull`, "Write access to repository not granted." and "Permission to … denied to …" of
//! actions/checkout. That a name which is not there asks for credentials first, and that a former
//! one redirects, is seen with the git program.

use std::path::PathBuf;

use git2::Oid;

use super::answer::{Answer, Body, Request};
use super::log::Sender;
use super::model::Model;
use super::push::{Command, Commands, Judged, Outcome};
use super::repository::{Repository, key};
use super::tokens::{Token, TokenKind};
use crate::git::command::Git;
use crate::git::hosted::{Hosted, NotMoved};

/// What a request asks of a repository over git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// `git-upload-pack`.
    Read,
    /// `git-receive-pack`.
    Write,
}

/// One request over git that is let through.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) git: Git,
    pub(super) dir: PathBuf,
    /// The repository's number.
    pub(super) id: u64,
    pub(super) full_name: String,
    /// The token's label.
    pub(super) token: String,
    pub(super) rules: Rules,
}

/// What holds for a push.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// How a push of a workflow is refused, up to the path and behind it; none lets it pass.
    workflows: Option<(&'static str, &'static str)>,
    protected: Vec<String>,
    default_branch: String,
}

impl Model {
    /// Returns the repository that a request over git is let through to, or the answer that it
    /// gets instead. `name` is `owner/name`, `rest` what stands behind it in the path.
    pub(super) fn admit(
        &mut self,
        name: &str,
        rest: &str,
        service: Service,
        authorization: Option<&str>,
    ) -> Result<Admitted, Box<Answer>> {
        let now = self.clock_time();
        let sender = self.admitted(self.git_sender(authorization), now);
        if sender == Sender::Unknown {
            let words = "Invalid username or token. Password authentication is not supported for \
                         Git operations.";
            return Err(asks_for_credentials(words));
        }
        let found = self.names.get(&key(name)).and_then(|id| self.repositories.get(id));
        let seen = found.filter(|it| !it.private || self.may(sender, it, Token::reads));
        let Some(repository) = seen else {
            return Err(match sender {
                Sender::Anonymous => asks_for_credentials("Repository not found."),
                _ => plain(404, "Repository not found."),
            });
        };
        if self.token_of(sender).is_some_and(|token| token.lacks_sso(repository.owner())) {
            let owner = repository.owner();
            let words = format!(
                "The '{owner}' organization has enabled or enforced SAML SSO. To access this \
                 repository, you must re-authorize the token."
            );
            return Err(plain(403, &words));
        }
        if repository.disabled {
            return Err(plain(403, "Access to this repository has been disabled by GitHub staff."));
        }
        if key(name) != key(&repository.full_name) {
            let location = format!("{}/{}.git{rest}", self.root, repository.full_name);
            return Err(Box::new(empty(301).header("location", location)));
        }
        self.let_read_or_write(repository, service, sender)?;
        let Some(dir) = repository.bare.clone() else {
            return Err(plain(404, "Repository not found."));
        };
        let rules = self.rules(repository, sender);
        Ok(Admitted {
            git: self.git.clone(),
            dir,
            id: repository.id,
            full_name: repository.full_name.clone(),
            token: self.label(sender),
            rules,
        })
    }

    /// Lets happen what is to happen before a push to that repository is looked at.
    pub(super) fn run_push_hooks(&mut self, full_name: &str) {
        let name = key(full_name);
        while let Some(at) = self.push_hooks.iter().position(|(known, _)| *known == name) {
            self.push_hooks.remove(at).1(self);
        }
    }

    fn let_read_or_write(
        &self,
        repository: &Repository,
        service: Service,
        sender: Sender,
    ) -> Result<(), Box<Answer>> {
        let not_granted = || plain(403, "Write access to repository not granted.");
        if service == Service::Read {
            let sealed = repository.private && !self.may(sender, repository, Token::reads_contents);
            return if sealed { Err(not_granted()) } else { Ok(()) };
        }
        let Some(token) = self.token_of(sender) else {
            return Err(asks_for_credentials("No anonymous write access."));
        };
        if !self.may(sender, repository, Token::writes) {
            let denied_to = |login: &str| {
                plain(
                    403,
                    &format!("Permission to {}.git denied to {login}.", repository.full_name),
                )
            };
            return Err(match token.kind() {
                TokenKind::Classic => denied_to(&self.label(sender).replace(' ', "-")),
                TokenKind::BuiltIn => denied_to("github-actions[bot]"),
                TokenKind::FineGrained | TokenKind::Installation => not_granted(),
            });
        }
        if repository.archived {
            return Err(plain(403, "This repository was archived so it is read-only."));
        }
        Ok(())
    }

    fn rules(&self, repository: &Repository, sender: Sender) -> Rules {
        let workflows = match self.token_of(sender).map(Token::kind) {
            _ if self.may(sender, repository, Token::writes_workflows) => None,
            Some(TokenKind::Installation | TokenKind::BuiltIn) => Some((
                "refusing to allow a GitHub App to create or update workflow",
                "without `workflows` permission",
            )),
            _ => Some((
                "refusing to allow a Personal Access Token to create or update workflow",
                "without `workflow` scope",
            )),
        };
        Rules {
            workflows,
            protected: repository.protected.iter().cloned().collect(),
            default_branch: repository.default_branch.clone(),
        }
    }

    /// Returns who sends a request over git: the password of the basic credentials counts, or a
    /// user's name alone when that is a token.
    fn git_sender(&self, authorization: Option<&str>) -> Sender {
        let Some(header) = authorization else { return Sender::Anonymous };
        let secret = match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("basic") => basic(text),
            _ => None,
        };
        match secret {
            Some(secret) => self.sender(&Request {
                authorization: Some(format!("Bearer {secret}")),
                ..Request::default()
            }),
            None => self
                .sender(&Request { authorization: Some(header.to_owned()), ..Request::default() }),
        }
    }
}

/// Returns the secret in basic credentials.
fn basic(text: &str) -> Option<String> {
    use base64::Engine as _;

    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    let user_alone = password.is_empty() || password == "x-oauth-basic";
    Some(if user_alone { user } else { password }.to_owned())
}

impl Rules {
    /// Returns which of the refs may be moved, and what the person who pushes is told beside.
    pub(super) fn judge(
        &self,
        hosted: &Hosted,
        commands: &Commands,
        mut whole: impl FnMut(Oid) -> Result<(), String>,
    ) -> (Judged, Vec<String>) {
        let mut said = Vec::new();
        let judged = commands.commands.iter().map(|command| {
            command.new.map_or(Ok(()), &mut whole)?;
            self.check(hosted, command, &mut said)
        });
        let mut judged: Vec<_> = judged.collect();
        if commands.atomic && judged.iter().any(Result::is_err) {
            for outcome in judged.iter_mut().filter(|it| it.is_ok()) {
                *outcome = Err("atomic push failure".to_owned());
            }
        }
        (judged, said)
    }

    fn check(
        &self,
        hosted: &Hosted,
        command: &Command,
        said: &mut Vec<String>,
    ) -> Result<(), String> {
        let Command { old, new, reference } = command;
        if reference.starts_with("refs/pull/") {
            return Err("deny updating a hidden ref".to_owned());
        }
        let at = hosted.at(reference);
        if at != *old {
            return Err(words(&NotMoved::Stale(at), command));
        }
        let branch = reference.strip_prefix("refs/heads/");
        if new.is_none() && branch == Some(self.default_branch.as_str()) {
            return Err(format!("refusing to delete the current branch: {reference}"));
        }
        if branch.is_some_and(|it| self.protected.iter().any(|known| known == it))
            && let Some(old) = *old
            && new.is_none_or(|new| !hosted.is_in(old, new))
        {
            let what = if new.is_none() { "delete this" } else { "force-push to this" };
            said.push(format!(
                "error: GH006: Protected branch update failed for {reference}.\nerror: Cannot \
                 {what} branch"
            ));
            return Err("protected branch hook declined".to_owned());
        }
        if let (Some((before, behind)), Some(new)) = (self.workflows, *new)
            && hosted.kind(new) == Some(git2::ObjectType::Commit)
            && let Some(path) =
                hosted.new_workflow(new).map_err(|_lacks| "missing necessary objects".to_owned())?
        {
            return Err(format!("{before} `{path}` {behind}"));
        }
        Ok(())
    }
}

/// Moves the refs that may be moved and returns what became of each.
pub(super) fn move_refs(hosted: &Hosted, commands: &Commands, judged: Judged) -> Vec<Outcome> {
    let outcomes = commands.commands.iter().zip(judged).map(|(command, judged)| {
        let moved = judged.and_then(|()| {
            let moved = hosted.set(&command.reference, command.old, command.new);
            moved.map_err(|why| words(&why, command))
        });
        (command.reference.clone(), moved)
    });
    outcomes.collect()
}

/// Returns why a ref stays, as the report says it.
fn words(why: &NotMoved, command: &Command) -> String {
    let Command { old, reference, .. } = command;
    match (why, old) {
        (NotMoved::Stale(Some(_)), None) => {
            format!("cannot lock ref '{reference}': reference already exists")
        }
        (NotMoved::Stale(Some(at)), Some(old)) => {
            format!("cannot lock ref '{reference}': is at {at} but expected {old}")
        }
        (NotMoved::Stale(None), _) => {
            format!("cannot lock ref '{reference}': unable to resolve reference '{reference}'")
        }
        (NotMoved::InTheWay(other), _) => {
            format!("cannot lock ref '{reference}': '{other}' exists; cannot create '{reference}'")
        }
        (NotMoved::BadName, _) => "funny refname".to_owned(),
        (NotMoved::BadObject, _) => "bad pack".to_owned(),
        (NotMoved::Failed, _) => "failed to update ref".to_owned(),
    }
}

fn empty(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Body::Empty }
}

fn plain(status: u16, text: &str) -> Box<Answer> {
    // git shows people a text of this very type.
    let content_type = "text/plain; charset=utf-8".to_owned();
    Box::new(Answer {
        body: Body::Text { content_type, text: format!("{text}\n") },
        ..empty(status)
    })
}

fn asks_for_credentials(text: &str) -> Box<Answer> {
    Box::new(plain(401, text).header("www-authenticate", "Basic realm=\"GitHub\""))
}
