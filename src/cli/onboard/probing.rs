//! The probe: one real dispatch, whose workflow run must be seen. Only what was seen to work is
//! enabled.

use std::path::PathBuf;

use super::Request;
use super::writing::Rewrite;
use crate::cli::arguments::Confirm;
use crate::cli::{Exit, Failure, Output, dispatch};
use crate::delivery::Outcome;
use crate::ecosystem;
use crate::ecosystem::edit::{self, Edited};
use crate::git::range::{Flags, Trigger};
use crate::report::onboarding::Onboarding;

/// Sends the probe, and puts what became of it into the report. Returns how the process is to end,
/// unless all is well.
///
/// # Errors
/// [`Failure`] when nothing could be sent.
pub(super) fn probe(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    report: &mut Onboarding,
    output: &Output,
) -> Result<Option<Exit>, Failure> {
    let Some(timeout) = request.probe else { return Ok(None) };
    let all = ecosystem::parse(&rewrite.name, edited.text.as_bytes())?.cousins;
    let Some(cousin) = all.into_iter().nth(edited.index) else { return Ok(None) };
    let asked = dispatch::Request {
        dir: request.dir,
        trigger: Trigger::Local,
        flags: Flags::default(),
        ecosystem: None::<PathBuf>,
        remote: None,
        source: Some(report.source.clone()),
        only: Vec::new(),
        alarm: false,
        dry_run: request.dry_run,
        delivery: request.delivery,
        confirm: Some(Confirm { timeout, required: true }),
        stand_in_token: None,
        environment: request.environment,
    };
    let (sent, exit) = dispatch::probe(&asked, cousin, output)?;
    report.warnings.extend(sent.warnings);
    let dispatch = sent.dispatches.into_iter().next();
    let outcome = dispatch.as_ref().map(|it| it.outcome);
    report.probe = dispatch;
    Ok(match outcome {
        Some(Outcome::Delivered | Outcome::Planned) => None,
        _ if exit == Exit::Done => Some(Exit::Undelivered),
        _ => Some(exit),
    })
}

/// Enables the cousin in the list as it is now: a probe takes its time, and a person may have
/// worked on the list meanwhile. Returns the list, if there was something to do.
///
/// # Errors
/// [`Failure`] when the list has a fault, or cannot be written.
pub(super) fn enable(request: &Request<'_>, rewrite: &Rewrite) -> Result<Option<String>, Failure> {
    let now = rewrite.now()?.unwrap_or_default();
    let enabled = edit::enable(&rewrite.name, &now, request.cousin)?;
    if let Some(text) = &enabled {
        rewrite.write(Some(&now), text)?;
    }
    Ok(enabled)
}
