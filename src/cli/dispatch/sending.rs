//! Sends a plan: makes an event of each dispatch, finds the token that speaks for each cousin, and
//! delivers until all is done or a signal asks to stop. Which dispatches there are was decided
//! before; what is sent again and when is `delivery`'s decision.

use std::collections::HashMap;
use std::sync::Arc;

use super::Request;
use tokio::runtime::Runtime;

use crate::actions;
use crate::cli::part::Called;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{
    self, Body, Clock as _, Ending, Job, JobId, Means, Outcome, Settings, SystemClock,
};
use crate::ecosystem::Cousin;
use crate::event::{self, Context, Event};
use crate::github::app::Permissions;
use crate::github::auth::resolve;
use crate::github::{ApiUrl, Client, Reply, TokenId, Tokens};
use crate::names::{EventType, RepoName};
use crate::report::Warning;
use crate::routing::{ChangedPath, Planned};

/// What is to be sent, and to whom.
pub(super) struct Push<'a> {
    /// One for each comparison.
    pub(super) shared: &'a [Arc<Shared>],
    pub(super) cousins: &'a [Cousin],
    pub(super) plan: &'a [Called],
}

/// What the events of a push are made of, as long as the last of them may have to be sent again.
pub(super) struct Shared {
    pub(super) context: Context,
    /// All changed paths, into which the plan points.
    pub(super) changed: Arc<[ChangedPath]>,
}

/// The tokens of a run, and who sends with them; what was sent is asked about with the same.
pub(super) struct Session {
    pub(super) runtime: Runtime,
    pub(super) client: Arc<Client>,
    /// The tokens' names, by their ids.
    pub(super) labels: Vec<String>,
    pub(super) of_cousin: TokenOfCousin,
}

impl Session {
    /// Finds the token that speaks for each cousin.
    pub(super) fn open(
        request: &Request<'_>,
        push: &Push<'_>,
        warnings: &mut Vec<Warning>,
        output: &Output,
    ) -> Result<Self, Failure> {
        let api = ApiUrl::parse(actions::api_url(request.environment))?;
        let (mut tokens, of_cousin) = tokens(request, push, warnings)?;
        cli::hide_others(&mut tokens, request.environment);
        output.mask(&tokens, request.environment);
        let labels = tokens.labels();
        let client = Arc::new(Client::new(api, tokens, request.delivery.timeout)?);
        Ok(Self { runtime: cli::network()?, client, labels, of_cousin })
    }

    /// Sends the plan and returns how each dispatch ended, and how the process is to end when it
    /// was interrupted. `ended` is told of each dispatch as soon as it has ended, by its index.
    pub(super) fn deliver(
        &self,
        request: &Request<'_>,
        push: &Push<'_>,
        output: &Output,
        mut ended: impl FnMut(usize, &Ending),
    ) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
        // What GitHub would refuse for its size is not sent, and keeps nothing else back.
        let mut endings: Vec<Option<Ending>> = Vec::with_capacity(push.plan.len());
        let mut jobs = Vec::with_capacity(push.plan.len());
        let mut places = Vec::with_capacity(push.plan.len());
        for (at, Called { part, planned }) in push.plan.iter().enumerate() {
            let cousin = push.cousins.get(planned.cousin).zip(self.of_cousin.get(&planned.cousin));
            let job = match cousin.zip(push.shared.get(*part)) {
                Some(((cousin, token), shared)) => job(shared, cousin, planned, *token),
                None => Err("its cousin is not known".to_owned()),
            };
            let unsent = job.map(|job| jobs.push(job)).err().map(|error| Ending {
                error: Some(format!("not sent: {error}")),
                ..Ending::unsent(Outcome::Failed)
            });
            match &unsent {
                Some(ending) => ended(at, ending),
                None => places.push(at),
            }
            endings.push(unsent);
        }
        let settings = Settings {
            concurrency: request.delivery.concurrency,
            per_minute: request.delivery.per_minute,
            max_wait: request.delivery.max_wait,
            tokens: self.labels.clone(),
        };
        let told = |JobId(job): JobId, ending: &Ending| {
            places.get(job).into_iter().for_each(|at| ended(*at, ending));
        };
        let (delivered, exit) = self.run(jobs.into(), &settings, output, told)?;
        let mut delivered = delivered.into_iter();
        let endings = endings.into_iter().filter_map(|ending| ending.or_else(|| delivered.next()));
        Ok((endings.collect(), exit))
    }

    /// Delivers the jobs, and listens to signals meanwhile.
    fn run(
        &self,
        jobs: Arc<[Job]>,
        settings: &Settings,
        output: &Output,
        mut ended: impl FnMut(JobId, &Ending),
    ) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
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
            let sender = Arc::clone(&self.client);
            let means = Means { sender, clock, jitter: delivery::random };
            let delivered = delivery::deliver(jobs, settings, means, stopped, observe);
            let mut delivered = std::pin::pin!(delivered);
            let mut interrupted = None;
            loop {
                tokio::select! {
                    endings = &mut delivered => return Ok((endings, interrupted)),
                    exit = signals.next() => {
                        if interrupted.replace(exit).is_some() {
                            return Err(interrupted_twice(exit));
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

    /// Gives an App's tokens back, and ends.
    pub(super) fn close(self) {
        self.runtime.block_on(self.client.give_tokens_back());
        // A look-up of a name cannot be called off; the process need not wait for one.
        self.runtime.shutdown_background();
    }
}

fn interrupted_twice(exit: Exit) -> Failure {
    let twice = "interrupted twice: stopped at once, without a report";
    let help = "run again for the same range, receivers know a repeat by its dispatch_id";
    Failure { exit, ..Failure::new(twice, help) }
}

impl Shared {
    fn event<'p>(
        &self,
        to: (&RepoName, &EventType),
        planned: &Planned,
        paths: impl Iterator<Item = &'p [u8]> + Clone,
    ) -> Event {
        let Planned { feature, matched, .. } = planned;
        event::encode(&self.context, to.0, to.1, feature, paths, *matched)
    }
}

/// Returns the dispatch as it is sent, or why GitHub would refuse it.
fn job(
    shared: &Arc<Shared>,
    cousin: &Cousin,
    planned: &Planned,
    token: TokenId,
) -> Result<Job, String> {
    // Paths are cut so that they fit; whether the rest does shows without them.
    shared.event((&cousin.repo, &cousin.event_type), planned, std::iter::empty()).check()?;
    let to = (cousin.repo.clone(), cousin.event_type.clone());
    let (shared, planned) = (Arc::clone(shared), planned.clone());
    let body = Body::new(move || {
        let runs = planned.paths.iter();
        let paths = runs.filter_map(|run| shared.changed.get(run.clone())).flatten();
        shared.event((&to.0, &to.1), &planned, paths.map(|changed| changed.path.as_slice())).body
    });
    Ok(Job { repo: cousin.repo.clone(), body, token })
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

pub(super) type TokenOfCousin = HashMap<usize, TokenId>;

/// Returns the tokens that the plan needs, each once, and which cousin uses which.
fn tokens(
    request: &Request<'_>,
    push: &Push<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<(Tokens, TokenOfCousin), Failure> {
    let environment = request.environment;
    let lookup = |variable: &str| match request.stand_in_token {
        Some(token) => Some(token.into()),
        None => environment.raw(variable).map(ToOwned::to_owned),
    };
    let app = match request.stand_in_token {
        Some(_) => None,
        None => cli::app::of(environment)?,
    };
    let permissions = match request.confirm {
        None => Permissions::to_dispatch(),
        Some(_) => Permissions::to_dispatch().and_if_granted("actions", "read"),
    };
    let mut tokens = Tokens::new();
    let mut by_cousin = TokenOfCousin::new();
    let mut built_in = false;
    for Called { part, planned } in push.plan {
        let Some(cousin) = push.cousins.get(planned.cousin) else { continue };
        if by_cousin.contains_key(&planned.cousin) {
            continue;
        }
        if let Some(app) = app.as_ref().filter(|_| cousin.token_env.is_none()) {
            let token = tokens.add_app(app, &cousin.repo, &permissions);
            by_cousin.insert(planned.cousin, token);
            continue;
        }
        let token = resolve(cousin.token_env.as_deref(), &lookup).map_err(|error| {
            let failure = Failure::from(error);
            Failure { message: format!("{}: {}", cousin.repo, failure.message), ..failure }
        })?;
        built_in |= token.is_built_in()
            && actions::is_actions(environment)
            && push
                .shared
                .get(*part)
                .is_some_and(|it| it.context.source.key() != cousin.repo.key());
        by_cousin.insert(planned.cousin, tokens.add(token));
    }
    if built_in {
        let message = "GITHUB_TOKEN, which GitHub Actions makes for each job, cannot reach other \
                       repositories; put a personal access token or an App's token into \
                       ECOSYSTEM_PAT";
        warnings.push(Warning::new("built-in-token", message.to_owned()));
    }
    Ok((tokens, by_cousin))
}
