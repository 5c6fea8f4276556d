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

/// What came of a probe.
#[derive(Default)]
pub(super) struct Probed {
    /// The list with the cousin enabled, where that is to be written.
    pub(super) enabled: Option<String>,
    /// How the process is to end, unless all is well.
    pub(super) exit: Option<Exit>,
}

/// Sends the probe, and puts what became of it into the report.
///
/// # Errors
/// [`Failure`] when nothing could be sent.
pub(super) fn probe(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    report: &mut Onboarding,
    output: &Output,
) -> Result<Probed, Failure> {
    let Some(timeout) = request.probe else { return Ok(Probed::default()) };
    let all = ecosystem::parse(&rewrite.name, edited.text.as_bytes())?.cousins;
    let Some(cousin) = all.into_iter().nth(edited.index) else { return Ok(Probed::default()) };
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
    if outcome == Some(Outcome::Planned) {
        return Ok(Probed::default());
    }
    if outcome != Some(Outcome::Delivered) {
        let failed = if exit == Exit::Done { Exit::Undelivered } else { exit };
        return Ok(Probed { enabled: None, exit: Some(failed) });
    }
    let enabled = if request.staged {
        edit::enable(&rewrite.name, edited.text.as_bytes(), request.cousin)?
    } else {
        None
    };
    Ok(Probed { enabled, exit: None })
}
