//! `ecosystem dispatch`: tells every subscribed repository what a push changed. This file turns
//! arguments and environment into one `Request`; `pipeline` carries it out, step by step.

mod alarming;
mod pipeline;
mod probing;
mod recorder;
mod reporting;
mod sending;
mod watermarks;

use std::path::{Path, PathBuf};

use alarming::Alarming;
pub(super) use pipeline::with_flags;
pub(super) use probing::probe;

use super::arguments::{Confirm, Confirming, Delivery, Format, repo_name};
use super::{Exit, Failure, Output, listing, telling};
use crate::actions;
use crate::environment::Environment;
use crate::git::range::{Decision, Flags, Trigger, decide};
use crate::names::RepoName;
use crate::report::Report;

/// Tell every subscribed repository what a push changed
///
/// In GitHub Actions the pushed range is read from the event. On a terminal the current branch is
/// compared with its upstream. On `pull_request` and `merge_group` nothing is sent: the run shows what
/// merging would notify.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # What would be sent for the commits that are not pushed yet
  ecosystem dispatch --dry-run

  # Send what changed between two commits
  ECOSYSTEM_PAT=… ecosystem dispatch --base v1.4.0 --head v1.5.0

  # In a workflow: what cousins missed is sent too, failures become an issue
  ecosystem dispatch --watermarks --issue-on-failure

  # Without a checkout
  ecosystem dispatch --remote https://github.com/acme/monorepo")]
pub struct Args {
    /// Show what would be sent; needs no token, and no network when both commits are here
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,

    /// The list of cousins [default: ecosystem.json of the work tree, else of head]
    #[arg(long, value_name = "FILE", help_heading = "What is compared")]
    ecosystem: Option<PathBuf>,
    /// Compare with this commit [default: the event's, else the upstream, else head's first parent]
    #[arg(long, value_name = "REV", help_heading = "What is compared")]
    base: Option<String>,
    /// Compare this commit [default: the event's, else HEAD]
    #[arg(long, value_name = "REV", help_heading = "What is compared")]
    head: Option<String>,
    /// Compare each cousin with what it has received, and record what it receives
    ///
    /// For each cousin a ref of the monorepo, refs/ecosystem/watermarks/OWNER/NAME, stands at the
    /// newest commit whose dispatches it has all received. What a run has missed, the next one makes
    /// up for. The event's range and --base count only as long as no cousin has a watermark. Needs
    /// "contents: write" on the monorepo.
    #[arg(long, help_heading = "What is compared")]
    watermarks: bool,
    /// Treat every path at head as changed
    #[arg(long, conflicts_with = "base", help_heading = "What is compared")]
    all: bool,
    /// Work without a clone: fetch the two trees from there
    #[arg(long, value_name = "URL", help_heading = "What is compared")]
    remote: Option<String>,
    /// The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name, help_heading = "What is compared")]
    source: Option<RepoName>,
    /// Only this cousin; may be given several times
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name, help_heading = "Delivery")]
    only: Vec<RepoName>,
    #[command(flatten)]
    delivery: Delivery,
    #[command(flatten)]
    confirming: Confirming,
    /// Keep one issue in the monorepo that says which cousins fail; it closes itself
    ///
    /// Needs "issues: write" on the monorepo, for `GITHUB_TOKEN`, else `GH_TOKEN` or
    /// `ECOSYSTEM_PAT`. An issue that cannot be written is a warning and changes no result.
    #[arg(long, help_heading = "Delivery")]
    issue_on_failure: bool,
}

/// What was asked for, resolved: no flag and no variable is read below.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) dir: &'a Path,
    pub(super) trigger: Trigger,
    pub(super) flags: Flags,
    pub(super) ecosystem: Option<PathBuf>,
    pub(super) remote: Option<String>,
    pub(super) source: Option<RepoName>,
    pub(super) only: Vec<RepoName>,
    /// Whether an alarm is told of the run.
    pub(super) alarm: bool,
    pub(super) dry_run: bool,
    pub(super) delivery: Delivery,
    /// Whether, and how, it is looked for what was started.
    pub(super) confirm: Option<Confirm>,
    /// Speaks for every cousin in a rehearsal, whatever its `token_env`.
    pub(super) stand_in_token: Option<&'a str>,
    pub(super) environment: &'a Environment,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when nothing could be done; a dispatch that was not delivered is no failure but an
/// [`Exit`].
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let trigger = actions::trigger(environment);
    let alarming = Alarming::new(environment, args.issue_on_failure, output);
    let request = Request {
        dir,
        trigger: trigger.as_ref().map_or_else(|_| Trigger::Other(String::new()), Clone::clone),
        flags: Flags {
            base: args.base.clone(),
            head: args.head.clone(),
            all: args.all,
            watermarks: args.watermarks,
        },
        ecosystem: args.ecosystem.as_ref().map(|file| listing::from(dir, file)),
        remote: args.remote.clone(),
        source: args.source.clone().or_else(|| actions::repository(environment)),
        only: args.only.clone(),
        alarm: alarming.is_some(),
        dry_run: args.dry_run,
        delivery: args.delivery,
        confirm: args.confirming.asked(),
        stand_in_token: None,
        environment,
    };
    let (report, exit) =
        match (trigger.map_err(Failure::from).and_then(|_| carry_out(&request, output)), &alarming)
        {
            (Ok((mut report, exit)), Some(alarming)) => {
                // Whoever interrupts a run does not ask what came of it.
                if matches!(exit, Exit::Interrupted | Exit::Terminated) {
                    (report, exit)
                } else {
                    let (warnings, interrupted) = alarming.ended(&request, &report, output);
                    report.warnings.extend(warnings);
                    (report, interrupted.unwrap_or(exit))
                }
            }
            (Err(failure), Some(alarming)) => {
                let mut failure = failure;
                if failure.exit == Exit::Misused {
                    let (warnings, interrupted) = alarming.failed(&request, &failure, output);
                    for warning in warnings {
                        output.warning(&crate::text::shown(warning.message.as_bytes()));
                    }
                    failure.exit = interrupted.unwrap_or(failure.exit);
                }
                return Err(failure);
            }
            (outcome, None) => outcome?,
        };
    telling::tell(&report, args.format, environment, output)?;
    Ok(exit)
}

/// Carries the request out and returns the report with how the process is to end.
pub(super) fn carry_out(request: &Request<'_>, output: &Output) -> Result<(Report, Exit), Failure> {
    match decide(&request.trigger, &request.flags)? {
        Decision::Nothing { why, head } => Ok((reporting::nothing(request, why, head), Exit::Done)),
        Decision::Compare(comparison) => pipeline::run(request, &comparison, output),
    }
}
