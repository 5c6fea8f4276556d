//! `--confirm`: after the 204s, whether the workflows really started. Where that is required, a
//! dispatch has ended only when that is known.

use std::sync::Arc;
use std::time::Duration;

use super::pipeline::Line;
use super::sending::{Push, Session};
use super::{Confirm, Request};
use crate::cli::part::Called;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::{Exit, Failure, Output};
use crate::delivery::receipts::Dispatched;
use crate::delivery::{
    self, Confirmation, Ending, Outcome, Receipts, RequestSettings, Requests, SystemClock,
};
use crate::event;
use crate::github::Moved;
use crate::names::CommitSha;

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) confirm: &'a Confirm,
    pub(super) head: &'a CommitSha,
}

/// Sends the plan, looks for the runs that it started, and returns what became of each dispatch.
pub(super) fn deliver(
    session: &Session,
    request: &Request<'_>,
    push: &Push<'_>,
    asked: &Asked<'_>,
    output: &Output,
    mut ended: impl FnMut(usize, &Ending),
) -> Result<(Vec<Line>, Option<Exit>), Failure> {
    let required = asked.confirm.required;
    let (endings, interrupted) = session.deliver(request, push, output, |at, ending| {
        if !required || ending.outcome != Outcome::Delivered {
            ended(at, ending);
        }
    })?;
    let (places, dispatched): (Vec<usize>, Vec<Dispatched>) = endings
        .iter()
        .zip(push.plan)
        .enumerate()
        .filter_map(|(at, (ending, called))| {
            Some((at, dispatched(session, push, asked, called, ending)?))
        })
        .unzip();
    let (seen, stopped) = match interrupted {
        // Whoever interrupts does not want to wait for receipts.
        Some(_) => (look_at_nothing(&dispatched), None),
        None => look(session, request, &dispatched, asked.confirm.timeout, output)?,
    };
    let interrupted = interrupted.or(stopped);
    let mut lines: Vec<Line> = endings.into_iter().map(Line::from).collect();
    for (at, confirmation) in places.into_iter().zip(seen) {
        let Some(line) = lines.get_mut(at) else { continue };
        if let Confirmation::Unconfirmed { why } = &confirmation
            && required
        {
            line.ending.outcome = match interrupted {
                Some(_) => Outcome::Skipped,
                None => Outcome::Failed,
            };
            line.ending.error = Some(format!("delivered, but not confirmed: {why}"));
        }
        line.confirmation = Some(confirmation);
        if required {
            ended(at, &line.ending);
        }
    }
    Ok((lines, interrupted))
}

/// Returns what is looked for, of a dispatch that was delivered.
fn dispatched(
    session: &Session,
    push: &Push<'_>,
    asked: &Asked<'_>,
    called: &Called,
    ending: &Ending,
) -> Option<Dispatched> {
    let cousin = push.cousins.get(called.planned.cousin)?;
    let source = &push.shared.get(called.part)?.context.source;
    let moved_to = match &ending.renamed_to {
        Some(Moved::To(name)) => Some(name.clone()),
        _ => None,
    };
    Some(Dispatched {
        repo: cousin.repo.clone(),
        moved_to,
        token: *session.of_cousin.get(&called.planned.cousin)?,
        dispatch_id: event::dispatch_id(source, &cousin.repo, &called.planned.feature, asked.head),
        answered_at: ending.answered_at.filter(|_| ending.outcome == Outcome::Delivered)?,
    })
}

fn look_at_nothing(dispatched: &[Dispatched]) -> Vec<Confirmation> {
    let why = || "interrupted before it was looked for".to_owned();
    dispatched.iter().map(|_| Confirmation::Unconfirmed { why: why() }).collect()
}

/// Looks for the runs, and listens to signals meanwhile.
fn look(
    session: &Session,
    request: &Request<'_>,
    dispatched: &[Dispatched],
    timeout: Duration,
    output: &Output,
) -> Result<(Vec<Confirmation>, Option<Exit>), Failure> {
    if dispatched.is_empty() {
        return Ok((Vec::new(), None));
    }
    let settings = RequestSettings {
        concurrency: request.delivery.concurrency,
        // A limit beyond the deadline is an answer too.
        max_wait: timeout,
        tokens: session.labels.clone(),
    };
    let client = Arc::clone(&session.client);
    let clock = SystemClock::start();
    let requests = Arc::new(Requests::new(client, clock, settings, delivery::random));
    let mut receipts = Receipts::new(dispatched, timeout);
    let progress = Progress::new(dispatched.len(), "looking for the runs", output);
    progress.aside(|| {
        tracing::info!("looking for the runs of {} dispatches", dispatched.len());
    });
    let stopped = session.runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let look = receipts.look(&requests, |tally| {
            progress.so_far(tally.confirmed + tally.probable);
        });
        Ok::<_, Failure>(tokio::select! {
            () = look => None,
            exit = signals.next() => Some(exit),
        })
    })?;
    drop(progress);
    if stopped.is_some() {
        output.warning("interrupted: not all runs were looked for");
    }
    Ok((receipts.confirmations(), stopped))
}
