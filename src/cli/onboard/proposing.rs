//! The cousin's files by a pull request: pushed as one commit to a branch there, without a clone of
//! the cousin on this machine, and proposed. What is on its default branch already is not written
//! over, and neither is what people have committed to the branch of the pull request.

use std::future::Future;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::Request;
use crate::actions;
use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{self, RequestSettings, Requests, SystemClock};
use crate::ecosystem::Cousin;
use crate::git::command::Credential;
use crate::git::fetch::Remote;
use crate::git::files::{Entry, Files, Mode, ObjectId};
use crate::git::workshop::{Found, NewCommit, PushRef, Signature, Workshop};
use crate::git::{self, GitError, cousin};
use crate::github::auth::{AuthError, resolve};
use crate::github::{ApiUrl, Client, TokenId, Tokens};
use crate::names::FeaturePath;
use crate::onboarding::cousin_files::{CousinFile, LIST, WORKFLOW};
use crate::report::onboarding::{Onboarding, Proposed};
use crate::subscriptions::{self, Subscriptions};
use crate::sync::message::{Own, Trailers, picked_message};
use crate::sync::proposal::{Invitation, ProposalError, Proposals, Text as _};
use crate::text;

/// The branch of the pull request.
const BRANCH: &str = "ecosystem-onboarding";

/// Room for all that there is to say.
const ROOM: usize = 60_000;

/// What the cousin is asked to take.
pub(super) struct Asked {
    cousin: Cousin,
    subscriptions: Subscriptions,
}

impl Asked {
    /// Reads the list that was made for a cousin as the cousin's own `sync` will.
    ///
    /// # Errors
    /// Says why it would be refused there.
    pub(super) fn of(cousin: Cousin, files: &[CousinFile]) -> Result<Self, String> {
        let content = files.iter().find(|file| file.path == LIST);
        let content = content.map(|file| file.content.as_bytes()).unwrap_or_default();
        match subscriptions::parse(LIST, content) {
            Ok(subscriptions) => Ok(Self { cousin, subscriptions }),
            Err(diagnosis) => {
                let first = diagnosis.diagnostics().iter().map(|it| {
                    let help = it.help.as_ref().map(|help| format!(" ({help})"));
                    format!("{}{}", it.message, help.unwrap_or_default())
                });
                let first = first.take(1).collect::<String>();
                Err(format!("{} could not read the {LIST} that this makes: {first}", cousin.repo))
            }
        }
    }
}

/// Proposes the files, or with `--dry-run` says what would be proposed, and puts it into the report.
///
/// # Errors
/// [`Failure`] when nothing could be proposed; nothing was written over.
pub(super) fn propose(
    request: &Request<'_>,
    asked: &Asked,
    files: &[CousinFile],
    report: &mut Onboarding,
    output: &Output,
) -> Result<(), Failure> {
    let mut proposed = Proposed {
        state: "planned",
        branch: BRANCH,
        base: None,
        number: None,
        url: None,
        title: String::new(),
        body: String::new(),
    };
    if request.dry_run {
        let invitation = invitation(request, asked, report, "");
        (proposed.title, proposed.body) = (invitation.title(), invitation.within(ROOM));
        report.pull_request = Some(proposed);
        return Ok(());
    }
    let speaker = Speaker::open(request, &asked.cousin, output)?;
    let there = There::look(request, &speaker, files)?;
    proposed.base = Some(there.base.clone());
    let tree = there.tree.to_string();
    let invitation = invitation(request, asked, report, &tree);
    (proposed.title, proposed.body) = (invitation.title(), invitation.within(ROOM));
    if there.is_complete {
        proposed.state = "not-needed";
    } else {
        there.propose(request, &speaker, asked, &invitation, &mut proposed)?;
    }
    for file in &mut report.files {
        file.written = matches!(proposed.state, "opened" | "updated");
        if there.is_complete {
            file.place = Some(format!("the branch {}", there.base));
        }
    }
    report.pull_request = Some(proposed);
    Ok(())
}

fn invitation<'a>(
    request: &'a Request<'_>,
    asked: &'a Asked,
    report: &'a Onboarding,
    tree: &'a str,
) -> Invitation<'a> {
    Invitation {
        cousin: &asked.cousin.repo,
        source: &report.source,
        branch: &report.branch,
        commit: &report.commit,
        subscriptions: &asked.subscriptions,
        list: LIST,
        workflow: WORKFLOW,
        event_type: asked.cousin.event_type.as_str(),
        tree,
        server: actions::server_url(request.environment),
    }
}

/// Who speaks to the cousin.
struct Speaker<'a> {
    runtime: Runtime,
    requests: Requests<Client, SystemClock>,
    cousin: &'a Cousin,
    token: TokenId,
    credential: Credential,
}

impl<'a> Speaker<'a> {
    /// Finds the token by the rules of a dispatch.
    fn open(request: &Request<'_>, cousin: &'a Cousin, output: &Output) -> Result<Self, Failure> {
        let environment = request.environment;
        let lookup = |name: &str| environment.raw(name).map(ToOwned::to_owned);
        let token = match resolve(cousin.token_env.as_deref(), &lookup) {
            Err(AuthError::NoToken) => {
                return Err(Failure::new(
                    format!("a pull request at {} needs a token, and there is none", cousin.repo),
                    "set ECOSYSTEM_PAT to one that may write contents, pull requests and workflows \
                     there (an App's key is not used for this); or write the files with --output DIR",
                ));
            }
            token => token?,
        };
        let credential =
            Credential { variable: token.variable().to_owned(), secret: token.secret().clone() };
        let api = ApiUrl::parse(actions::api_url(environment))?;
        let mut tokens = Tokens::new();
        let token = tokens.add(token);
        cli::hide_others(&mut tokens, environment);
        output.mask(&tokens, environment);
        let settings = RequestSettings {
            max_wait: request.delivery.max_wait,
            tokens: tokens.labels(),
            ..RequestSettings::default()
        };
        let client = Arc::new(Client::new(api, tokens, request.delivery.timeout)?);
        let requests = Requests::new(client, SystemClock::start(), settings, delivery::random);
        Ok(Self { runtime: cli::network()?, requests, cousin, token, credential })
    }

    fn proposals(&self) -> Proposals<'_, Client, SystemClock> {
        Proposals { requests: &self.requests, repo: &self.cousin.repo, token: self.token }
    }

    /// Waits for what GitHub says, and for signals.
    fn wait<T>(&self, asked: impl Future<Output = Result<T, ProposalError>>) -> Result<T, Failure> {
        let interrupted =
            |exit: Exit| Failure { exit, ..Failure::new("interrupted", "run it again") };
        self.runtime.block_on(async {
            let Ok(mut signals) = Signals::catch() else {
                return asked.await.map_err(|error| untold(&error));
            };
            tokio::select! {
                told = asked => told.map_err(|error| untold(&error)),
                exit = signals.next() => Err(interrupted(exit)),
            }
        })
    }
}

/// Says what came of a request; the remedy is one for a person with a token.
fn untold(error: &ProposalError) -> Failure {
    let help = match error {
        ProposalError::Forbidden { .. } => {
            "give the token \"Pull requests: read and write\" there (the scope repo of a classic \
             token), and run it again"
        }
        ProposalError::WorkflowsMayNot(_) => {
            "give the monorepo's workflow a token of its own in ECOSYSTEM_PAT"
        }
        error => error.help().unwrap_or_default(),
    };
    Failure { exit: Exit::Undelivered, ..Failure::new(error.to_string(), help) }
}

/// What the cousin has.
struct There {
    workshop: Workshop,
    remote: Remote,
    /// Its default branch.
    base: String,
    commit: ObjectId,
    /// Its root with the files.
    tree: ObjectId,
    /// Whether it has the files already.
    is_complete: bool,
    entries: Vec<(&'static str, Entry)>,
}

impl There {
    /// Looks at the default branch.
    fn look(
        request: &Request<'_>,
        speaker: &Speaker<'_>,
        files: &[CousinFile],
    ) -> Result<Self, Failure> {
        let repo = &speaker.cousin.repo;
        let server = actions::server_url(request.environment);
        let url = format!("{}/{repo}", server.trim_end_matches('/'));
        let credentials = std::slice::from_ref(&speaker.credential);
        let remote = Remote::new(&url, request.dir, server, credentials)?;
        let workshop = Workshop::without_a_clone(&cli::git(request.environment), &remote)?;
        let Some(reference) = workshop.default_branch(&remote)? else {
            return Err(Failure::new(
                format!("{repo} has no commit yet, and a pull request goes into a branch"),
                "push a first commit there, and run it again",
            ));
        };
        let commit = workshop.fetch_tip(&remote, &reference, "refs/onboard/base")?;
        let mut entries = Vec::new();
        for file in files {
            let id = workshop.write_blob(file.content.as_bytes())?;
            entries.push((file.path, Entry { mode: Mode::File, id }));
        }
        let base = reference.strip_prefix("refs/heads/").unwrap_or(&reference).to_owned();
        let root = workshop.root(commit)?;
        let mut tree = root;
        let mut there = Self { workshop, remote, base, commit, tree, is_complete: false, entries };
        let differing = there.differing(root)?;
        if !differing.is_empty() {
            return Err(refused(format!(
                "{repo} has {} on {} already, and it says something else",
                differing.join(" and "),
                text::shown(there.base.as_bytes()),
            )));
        }
        for (path, entry) in &there.entries {
            let file = Files::from([(Vec::new(), *entry)]);
            tree = there.workshop.graft(Some(tree), path.as_bytes(), &file)?;
        }
        there.is_complete = tree == root;
        there.tree = tree;
        Ok(there)
    }

    /// Returns what of the files is there with another content, or is no file.
    fn differing(&self, root: ObjectId) -> Result<Vec<String>, Failure> {
        let mut differing = Vec::new();
        for (path, entry) in &self.entries {
            match self.workshop.at(root, path.as_bytes())? {
                Found::Nothing => {}
                // Whether it can be run changes nothing.
                Found::Entry(found) if found.mode.is_file() && found.id == entry.id => {}
                Found::Entry(_) | Found::Directory(_) => differing.push((*path).to_owned()),
                Found::Through(above) => differing.push(text::shown(&above).into_owned()),
            }
        }
        Ok(differing)
    }

    /// Pushes the files where they are not there yet, and opens the pull request or brings it up to
    /// date.
    fn propose(
        &self,
        request: &Request<'_>,
        speaker: &Speaker<'_>,
        asked: &Asked,
        invitation: &Invitation<'_>,
        proposed: &mut Proposed,
    ) -> Result<(), Failure> {
        let proposals = speaker.proposals();
        let standing = speaker.wait(proposals.look(BRANCH, &self.base))?;
        let pushed = self.push(request, speaker, asked, invitation)?;
        let number = match &standing.open {
            Some(pull) => {
                let changed = speaker.wait(proposals.update(pull, invitation))?;
                proposed.state = if changed || pushed { "updated" } else { "unchanged" };
                pull.number
            }
            None => {
                let opened =
                    speaker.wait(proposals.open(BRANCH, &self.base, invitation, false, None))?;
                proposed.state = if opened.is_new { "opened" } else { "updated" };
                opened.number
            }
        };
        let server = actions::server_url(request.environment).trim_end_matches('/');
        proposed.number = Some(number);
        proposed.url = Some(format!("{server}/{}/pull/{number}", speaker.cousin.repo));
        Ok(())
    }

    /// Lets the branch hold the files, and returns whether that took a push.
    fn push(
        &self,
        request: &Request<'_>,
        speaker: &Speaker<'_>,
        asked: &Asked,
        invitation: &Invitation<'_>,
    ) -> Result<bool, Failure> {
        let reference = format!("refs/heads/{BRANCH}");
        let expected = self.workshop.tips(&self.remote, &[&reference])?.get(&reference).copied();
        if expected.is_some() {
            let into = "refs/onboard/branch";
            let tip = self.workshop.fetch_branch(&self.remote, &reference, into)?;
            let root = self.workshop.root(tip)?;
            let is_merged = tip == self.commit;
            if !is_merged && self.has_all(root)? {
                return Ok(false);
            }
            let beyond = self.workshop.commits_beyond(tip, self.commit)?;
            if !beyond.iter().all(|it| Own::read(&it.message, it.tree).is_some()) {
                return Err(refused(format!(
                    "the branch {BRANCH} of {} has commits of others",
                    speaker.cousin.repo
                )));
            }
        }
        let new = Some(self.commit(request, asked, invitation)?);
        let update = PushRef { reference, new, expected, force: true };
        match self.workshop.push(&self.remote, &[update]) {
            Ok(told) => match told.into_iter().next() {
                Some((_, Ok(()))) => Ok(true),
                Some((_, Err(why))) => Err(unpushed(speaker, &why)),
                None => Err(unpushed(speaker, "the server said nothing")),
            },
            Err(GitError::Command(why)) if why.may_be_refused_access() => {
                Err(unpushed(speaker, &why.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn has_all(&self, root: ObjectId) -> Result<bool, Failure> {
        for (path, entry) in &self.entries {
            match self.workshop.at(root, path.as_bytes())? {
                Found::Entry(found) if found.id == entry.id && found.mode.is_file() => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn commit(
        &self,
        request: &Request<'_>,
        asked: &Asked,
        invitation: &Invitation<'_>,
    ) -> Result<ObjectId, Failure> {
        let subscriptions = &asked.subscriptions.subscriptions;
        let features: Vec<FeaturePath> =
            subscriptions.iter().map(|it| it.feature.clone()).collect();
        let trailers = Trailers {
            features: &features,
            source: invitation.source,
            commit: invitation.commit,
            dispatch_id: None,
            tree: self.tree,
        };
        let committer = committer(request);
        Ok(self.workshop.commit(&NewCommit {
            tree: self.tree,
            parents: &[self.commit],
            message: &picked_message(invitation.title().as_bytes(), &trailers),
            author: &committer,
            committer: &committer,
        })?)
    }
}

/// Returns who commits: in a workflow GitHub's own bot, else whoever git would commit as here.
fn committer(request: &Request<'_>) -> Signature {
    let own = git::open(request.dir).ok().and_then(|clone| cousin::identity(&clone));
    let own = own.filter(|_| !actions::is_actions(request.environment));
    let (name, email) = own.unwrap_or_else(|| {
        let email = b"41898282+github-actions[bot]@users.noreply.github.com";
        (b"github-actions[bot]".to_vec(), email.to_vec())
    });
    Signature { name, email, seconds: Timestamp::now().as_second(), offset_minutes: 0 }
}

fn refused(message: String) -> Failure {
    let help = "nothing was written; without --pull-request the files are shown, to be put together \
                by hand";
    Failure { exit: Exit::Invalid, ..Failure::new(message, help) }
}

/// Returns why a push was refused, and what to do.
fn unpushed(speaker: &Speaker<'_>, why: &str) -> Failure {
    let (repo, token) = (&speaker.cousin.repo, &speaker.credential.variable);
    let shown = text::shown(why.as_bytes());
    let help = if why.contains("stale info") {
        "somebody pushed to it meanwhile; run it again".to_owned()
    } else if why.contains("workflow") {
        format!(
            "one of the files is a workflow: give the token in {token} \"Workflows: read and write\" \
             (the scope workflow of a classic token; GITHUB_TOKEN never has it), or write the files \
             into a clone with --output DIR and push them yourself"
        )
    } else {
        format!(
            "give the token in {token} \"Contents: read and write\" there; a rule for branches may \
             forbid it, too"
        )
    };
    let message = format!("{BRANCH} cannot be pushed to {repo}: {shown}");
    Failure { exit: Exit::Undelivered, ..Failure::new(message, help) }
}
