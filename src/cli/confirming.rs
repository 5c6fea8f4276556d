//! `--confirm`: after the 204s, whether the workflows really started. Where that is required, a
//! dispatch has ended only when that is known.

use std::sync::Arc;
use std::time::Duration;

use super::progress::Progress;
use super::sending::{Line, Sender, Session};
use super::signals::Signals;
use super::{Exit, Failure, Output};
use crate::delivery::receipts::Dispatched;
use crate::delivery::{
    self, Confirmation, Ending, Outcome, Receipts, RequestSettings, Requests, SystemClock,
};
use crate::github::{Moved, TokenId};
use crate::names::RepoName;

/// Delivers by `deliver`, which tells of each ending by its index, looks for the runs that were
/// started where that is asked for, and returns what became of each dispatch. `dispatched` returns
/// what is looked for, of a dispatch that ended so.
pub(super) fn deliver(
    session: &Session,
    sender: &Sender<'_>,
    output: &Output,
    mut ended: impl FnMut(usize, &Ending),
    deliver: impl FnOnce(&mut dyn FnMut(usize, &Ending)) -> Result<(Vec<Ending>, Option<Exit>), Failure>,
    dispatched: impl Fn(usize, &Ending) -> Option<Dispatched>,
) -> Result<(Vec<Line>, Option<Exit>), Failure> {
    let Some(confirm) = sender.confirm else {
        let (endings, interrupted) = deliver(&mut ended)?;
        return Ok((endings.into_iter().map(Line::from).collect(), interrupted));
    };
    let required = confirm.required;
    let (endings, interrupted) = deliver(&mut |at, ending| {
        if !required || ending.outcome != Outcome::Delivered {
            ended(at, ending);
        }
    })?;
    let (places, dispatched): (Vec<usize>, Vec<Dispatched>) = endings
        .iter()
        .enumerate()
        .filter_map(|(at, ending)| Some((at, dispatched(at, ending)?)))
        .unzip();
    let (seen, stopped) = match interrupted {
        // Whoever interrupts does not want to wait for receipts.
        Some(_) => (look_at_nothing(&dispatched), None),
        None => look(session, sender, &dispatched, confirm.timeout, output)?,
    };
    let interrupted = interrupted.or(stopped);
    let mut lines: Vec<Line> = endings.into_iter().map(Line::from).collect();
    for (at, confirmation) in places.into_iter().zip(seen) {
        let Some(line) = lines.get_mut(at) else { continue };
        if let Confirmation::Unconfirmed { why } = &confirmation
            && required
        {
            line.ending.outcome = match interrupted {
                Some(_) if sender.makes_up => Outcome::Skipped,
                // It was delivered, and nobody has looked for long enough to say more.
                Some(_) => Outcome::Delivered,
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

/// Returns what is looked for, of a dispatch to `repo` that ended so; nothing unless it was
/// delivered.
pub(super) fn dispatched(
    repo: &RepoName,
    token: TokenId,
    dispatch_id: String,
    ending: &Ending,
) -> Option<Dispatched> {
    let moved_to = match &ending.renamed_to {
        Some(Moved::To(name)) => Some(name.clone()),
        _ => None,
    };
    let answered_at = ending.answered_at.filter(|_| ending.outcome == Outcome::Delivered)?;
    Some(Dispatched { repo: repo.clone(), moved_to, token, dispatch_id, answered_at })
}

fn look_at_nothing(dispatched: &[Dispatched]) -> Vec<Confirmation> {
    let why = || "interrupted before it was looked for".to_owned();
    dispatched.iter().map(|_| Confirmation::Unconfirmed { why: why() }).collect()
}

/// Looks for the runs, and listens to signals meanwhile.
fn look(
    session: &Session,
    sender: &Sender<'_>,
    dispatched: &[Dispatched],
    timeout: Duration,
    output: &Output,
) -> Result<(Vec<Confirmation>, Option<Exit>), Failure> {
    if dispatched.is_empty() {
        return Ok((Vec::new(), None));
    }
    let settings = RequestSettings {
        concurrency: sender.delivery.concurrency,
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
