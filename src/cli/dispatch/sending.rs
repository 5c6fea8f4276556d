//! Makes an event of each dispatch of a plan, and has it sent. Which dispatches there are was
//! decided before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Request;
use crate::cli::part::Called;
use crate::cli::sending::{Line, Sender, Session, Target};
use crate::cli::{Exit, Failure, Output, confirming};
use crate::delivery::receipts::Dispatched;
use crate::delivery::{Body, Ending, Job, JobId, Outcome, Remedies};
use crate::ecosystem::Cousin;
use crate::event::{self, Context, Event};
use crate::github::TokenId;
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

/// Which token speaks for which cousin.
type TokenOfCousin = HashMap<usize, TokenId>;

/// Sends the plan and returns what became of each dispatch, and how the process is to end when it
/// was interrupted. `ended` is told of each as soon as it has ended, by its index.
pub(super) fn send(
    request: &Request<'_>,
    push: &Push<'_>,
    warnings: &mut Vec<Warning>,
    output: &Output,
    ended: impl FnMut(usize, &Ending),
) -> Result<(Vec<Line>, Option<Exit>), Failure> {
    let sender = Sender {
        environment: request.environment,
        delivery: request.delivery,
        confirm: request.confirm,
        source: push.shared.first().map(|shared| &shared.context.source),
        remedies: Remedies::OF_A_PUSH,
        makes_up: request.flags.watermarks,
        stand_in_token: request.stand_in_token,
    };
    let mut known = HashSet::new();
    let mut places: Vec<usize> = push.plan.iter().map(|called| called.planned.cousin).collect();
    places.retain(|cousin| known.insert(*cousin));
    let cousins = places.iter().filter_map(|at| push.cousins.get(*at));
    let targets = cousins
        .map(|Cousin { repo, token_env, .. }| Target { repo, token_env: token_env.as_deref() });
    let targets: Vec<Target<'_>> = targets.collect();
    let (session, tokens) = Session::open(&sender, &targets, warnings, output)?;
    let of_cousin: TokenOfCousin = places.into_iter().zip(tokens).collect();
    let sent = confirming::deliver(
        &session,
        &sender,
        output,
        ended,
        |ended| push.deliver(&session, &of_cousin, &sender, output, ended),
        |at, ending| push.dispatched(&of_cousin, at, ending),
    );
    session.close(&sent);
    sent
}

impl Push<'_> {
    fn deliver(
        &self,
        session: &Session,
        of_cousin: &TokenOfCousin,
        sender: &Sender<'_>,
        output: &Output,
        mut ended: impl FnMut(usize, &Ending),
    ) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
        // What GitHub would refuse for its size is not sent, and keeps nothing else back.
        let mut endings: Vec<Option<Ending>> = Vec::with_capacity(self.plan.len());
        let mut jobs = Vec::with_capacity(self.plan.len());
        let mut places = Vec::with_capacity(self.plan.len());
        for (at, Called { part, planned }) in self.plan.iter().enumerate() {
            let cousin = self.cousins.get(planned.cousin).zip(of_cousin.get(&planned.cousin));
            let job = match cousin.zip(self.shared.get(*part)) {
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
        let told = |JobId(job): JobId, ending: &Ending| {
            places.get(job).into_iter().for_each(|at| ended(*at, ending));
        };
        let (delivered, exit) = session.deliver(jobs.into(), sender, output, told)?;
        let mut delivered = delivered.into_iter();
        let endings = endings.into_iter().filter_map(|ending| ending.or_else(|| delivered.next()));
        Ok((endings.collect(), exit))
    }

    /// Returns what is looked for, of the dispatch at `at`.
    fn dispatched(
        &self,
        of_cousin: &TokenOfCousin,
        at: usize,
        ending: &Ending,
    ) -> Option<Dispatched> {
        let Called { part, planned } = self.plan.get(at)?;
        let cousin = self.cousins.get(planned.cousin)?;
        let Context { source, head, .. } = &self.shared.get(*part)?.context;
        let id = event::dispatch_id(source, &cousin.repo, &planned.feature, head);
        confirming::dispatched(&cousin.repo, *of_cousin.get(&planned.cousin)?, id, ending)
    }
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
