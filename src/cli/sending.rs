//! Sends jobs: finds the token that speaks for each repository, and delivers until all is done or a
//! signal asks to stop. What is sent was decided before; what is sent again and when is
//! `delivery`'s decision.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::arguments::{Confirm, Delivery};
use super::progress::Progress;
use super::signals::Signals;
use super::{Exit, Failure, Output};
use crate::actions;
use crate::delivery::{
    self, Clock as _, Confirmation, Ending, Job, JobId, Means, Remedies, Settings, SystemClock,
};
use crate::environment::Environment;
use crate::github::app::Permissions;
use crate::github::auth::resolve;
use crate::github::{ApiUrl, Client, Reply, TokenId, Tokens};
use crate::names::RepoName;
use crate::report::Warning;

/// A repository that is sent to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) repo: &'a RepoName,
    /// The variable with a token of its own.
    pub(super) token_env: Option<&'a str>,
}

/// Who sends, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) environment: &'a Environment,
    pub(super) delivery: Delivery,
    /// Whether it is looked for what was started.
    pub(super) confirm: Option<Confirm>,
    /// The repository that the run belongs to, where it is known.
    pub(super) source: Option<&'a RepoName>,
    /// What to do about what has not ended.
    pub(super) remedies: Remedies,
    /// Whether a later run makes up for what was not confirmed.
    pub(super) makes_up: bool,
    /// Speaks for every repository in a rehearsal, whatever its `token_env`.
    pub(super) stand_in_token: Option<&'a str>,
}

/// What became of one dispatch.
pub(super) struct Line {
    pub(super) ending: Ending,
    /// Whether its workflow was seen to start, where it was looked for.
    pub(super) confirmation: Option<Confirmation>,
}

impl From<Ending> for Line {
    fn from(ending: Ending) -> Self {
        Self { ending, confirmation: None }
    }
}

/// The tokens of a run; what was sent is asked about with the same.
pub(super) struct Session {
    pub(super) runtime: Runtime,
    pub(super) client: Arc<Client>,
    /// The tokens' names, by their ids.
    pub(super) labels: Vec<String>,
}

impl Session {
    /// Finds the token that speaks for each of the targets, which are returned in their order.
    pub(super) fn open(
        sender: &Sender<'_>,
        targets: &[Target<'_>],
        warnings: &mut Vec<Warning>,
        output: &Output,
    ) -> Result<(Self, Vec<TokenId>), Failure> {
        let api = ApiUrl::parse(actions::api_url(sender.environment))?;
        let (mut tokens, of_targets) = tokens(sender, targets, warnings)?;
        super::hide_others(&mut tokens, sender.environment);
        output.mask(&tokens, sender.environment);
        let labels = tokens.labels();
        let client = Arc::new(Client::new(api, tokens, sender.delivery.timeout)?);
        Ok((Self { runtime: super::network()?, client, labels }, of_targets))
    }

    /// Delivers the jobs, and listens to signals meanwhile. Returns how each ended, and how the
    /// process is to end when it was interrupted.
    pub(super) fn deliver(
        &self,
        jobs: Arc<[Job]>,
        sender: &Sender<'_>,
        output: &Output,
        mut ended: impl FnMut(JobId, &Ending),
    ) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
        let settings = Settings {
            concurrency: sender.delivery.concurrency,
            per_minute: sender.delivery.per_minute,
            max_wait: sender.delivery.max_wait,
            tokens: self.labels.clone(),
            remedies: sender.remedies,
        };
        let progress = Progress::new(jobs.len(), "sending", output);
        let clock = SystemClock::start();
        let (observed, told) = (clock.clone(), Arc::clone(&jobs));
        let observe = |event: delivery::Event<'_>| {
            progress.take(&event, observed.now());
            progress.aside(|| log(&event, &told));
            if let delivery::Event::Ended { job, ending } = event {
                ended(job, ending);
            }
        };
        self.runtime.block_on(async {
            let mut signals = Signals::catch()?;
            let (stop, stopped) = delivery::stop::pair();
            let client = Arc::clone(&self.client);
            let means = Means { sender: client, clock, jitter: delivery::random };
            let delivered = delivery::deliver(jobs, &settings, means, stopped, observe);
            let mut delivered = std::pin::pin!(delivered);
            let mut interrupted = None;
            loop {
                tokio::select! {
                    endings = &mut delivered => return Ok((endings, interrupted)),
                    exit = signals.next() => {
                        if interrupted.replace(exit).is_some() {
                            return Err(interrupted_twice(exit, sender.remedies));
                        }
                        stop.stop();
                        let warning = format!(
                            "interrupted: nothing more is sent; what is in flight has {} s \
                             (interrupt again to stop now)",
                            delivery::schedule::GRACE.as_secs()
                        );
                        progress.aside(|| output.warning(&warning));
                    }
                }
            }
        })
    }

    /// Ends the session of which `sent` came: gives an App's tokens back, unless it was interrupted
    /// twice, and then at once.
    pub(super) fn close<T>(self, sent: &Result<T, Failure>) {
        if sent.as_ref().is_err_and(|failure| failure.exit != Exit::Misused) {
            return;
        }
        self.runtime.block_on(self.client.give_tokens_back());
        // A look-up of a name cannot be called off; the process need not wait for one.
        self.runtime.shutdown_background();
    }
}

fn interrupted_twice(exit: Exit, remedies: Remedies) -> Failure {
    let twice = "interrupted twice: stopped at once, without a report";
    Failure { exit, ..Failure::new(twice, remedies.unknown) }
}

/// Logs what is sent and what came back.
fn log(event: &delivery::Event<'_>, jobs: &[Job]) {
    match event {
        delivery::Event::Started { job, attempt } => {
            if let Some(Job { repo, .. }) = jobs.get(job.0) {
                tracing::debug!("{repo}: sending, attempt {attempt}");
            }
        }
        delivery::Event::Answered { job, answer } => {
            let Some(Job { repo, .. }) = jobs.get(job.0) else { return };
            match &answer.result {
                Ok(Reply { status: 204, .. }) => tracing::debug!("{repo}: answered 204"),
                Ok(Reply { status, message, .. }) => {
                    let message = message.as_deref().unwrap_or("no message");
                    tracing::debug!("{repo}: answered {status}: {message}");
                }
                Err(error) => tracing::debug!("{repo}: {error}"),
            }
        }
        delivery::Event::Waiting { .. } | delivery::Event::Ended { .. } => {}
    }
}

/// Returns the tokens that the targets need, each once, and which target uses which.
fn tokens(
    sender: &Sender<'_>,
    targets: &[Target<'_>],
    warnings: &mut Vec<Warning>,
) -> Result<(Tokens, Vec<TokenId>), Failure> {
    let environment = sender.environment;
    let lookup = |variable: &str| match sender.stand_in_token {
        Some(token) => Some(token.into()),
        None => environment.raw(variable).map(ToOwned::to_owned),
    };
    let app = match sender.stand_in_token {
        Some(_) => None,
        None => super::app::of(environment)?,
    };
    let permissions = match sender.confirm {
        None => Permissions::to_dispatch(),
        Some(_) => Permissions::to_dispatch().and_if_granted("actions", "read"),
    };
    let mut tokens = Tokens::new();
    let mut of_targets = Vec::with_capacity(targets.len());
    // Reading a variable and looking for its token among the others costs; most targets share one.
    let mut known: HashMap<Option<&str>, (TokenId, bool)> = HashMap::new();
    let mut built_in = false;
    for Target { repo, token_env } in targets {
        if let Some(app) = app.as_ref().filter(|_| token_env.is_none()) {
            of_targets.push(tokens.add_app(app, repo, &permissions));
            continue;
        }
        let (token, is_built_in) = match known.get(token_env) {
            Some(known) => *known,
            None => {
                let token = resolve(*token_env, &lookup).map_err(|error| {
                    let failure = Failure::from(error);
                    Failure { message: format!("{repo}: {}", failure.message), ..failure }
                })?;
                let is_built_in = token.is_built_in();
                *known.entry(*token_env).or_insert((tokens.add(token), is_built_in))
            }
        };
        let elsewhere = sender.source.is_none_or(|source| source.key() != repo.key());
        built_in |= is_built_in && elsewhere && actions::is_actions(environment);
        of_targets.push(token);
    }
    if built_in {
        let message = "GITHUB_TOKEN, which GitHub Actions makes for each job, cannot reach other \
                       repositories; put a personal access token or an App's token into \
                       ECOSYSTEM_PAT";
        warnings.push(Warning::new("built-in-token", message.to_owned()));
    }
    Ok((tokens, of_targets))
}
