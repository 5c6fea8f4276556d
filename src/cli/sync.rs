//! `ecosystem sync`: the cousin's side. This file turns arguments, environment and the event into
//! one `Request`; `course` carries it out, feature by feature, `publishing` is what leaves this
//! machine, and `telling` what is said of it.

mod course;
mod failing;
mod making;
mod publishing;
mod request;
mod speaker;
mod stopping;
mod units;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as _, FromArgMatches as _};

use super::arguments::{Format, repo_name, seconds, seconds_or_none};
use super::{Exit, Failure, Output, telling};
use crate::environment::Environment;
use crate::names::{CommitSha, RepoName};
use crate::report::synced::Synced;

pub(super) use request::SOURCE_TOKEN;

/// Bring what changed upstream into this repository, as a pull request
///
/// Run in a repository with a `subscriptions.json`, usually by the workflow that a
/// `repository_dispatch` event starts. The event is only a hint: the commit must lie on the trusted
/// branch of the source, and be newer than what is here. What upstream changed is merged into what
/// is here, proven, committed and proposed; nothing that is synced is executed, and nobody's work is
/// overwritten. The token is in `ECOSYSTEM_PAT`, `GH_TOKEN` or `GITHUB_TOKEN`, and for a private
/// source in `ECOSYSTEM_SOURCE_TOKEN`; without one the commit stays on a local branch.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # In a workflow on repository_dispatch, schedule or workflow_dispatch
  ecosystem sync

  # What would it bring, and what would the pull request say?
  ecosystem sync --pull --dry-run

  # One feature, at one commit
  ecosystem sync --feature features/webpush/flask \\
    --commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904

  # Into the work tree, for a person to look at and commit
  ecosystem sync --pull --worktree")]
pub struct Args {
    /// Bring everything that is subscribed to, up to the trusted branch's head; what a schedule and
    /// a run by hand do
    #[arg(long, conflicts_with_all = ["feature", "event"], help_heading = "What to bring")]
    pull: bool,
    /// Bring this feature
    #[arg(long, value_name = "PATH", conflicts_with = "event", help_heading = "What to bring")]
    feature: Option<String>,
    /// Bring it at this commit, in full [default: the trusted branch's head]
    #[arg(long, value_name = "SHA", requires = "feature", value_parser = commit, help_heading = "What to bring")]
    commit: Option<CommitSha>,
    /// Read the `repository_dispatch` event from FILE [default: `GITHUB_EVENT_PATH`]
    #[arg(long, value_name = "FILE", help_heading = "What to bring")]
    event: Option<PathBuf>,
    /// The repository that features come from: OWNER/NAME, a URL or a path [default: the file's]
    #[arg(long, value_name = "SOURCE", help_heading = "From where")]
    source: Option<String>,
    /// The only branch of it that is trusted [default: the file's, else the source's default branch]
    #[arg(long, value_name = "BRANCH", help_heading = "From where")]
    branch: Option<String>,
    /// Fetch the source from URL, when it is elsewhere than its name says
    #[arg(long, value_name = "URL", help_heading = "From where")]
    remote: Option<String>,
    /// What is subscribed to [default: `subscriptions.json`]
    #[arg(long, value_name = "FILE", help_heading = "From where")]
    subscriptions: Option<PathBuf>,
    /// The trusted branch may have been rewritten since the last sync
    #[arg(long, help_heading = "From where")]
    allow_rewritten: bool,
    /// This repository's name [default: `GITHUB_REPOSITORY`, else read from origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name, help_heading = "Into what")]
    repository: Option<RepoName>,
    /// The branch that pull requests go into [default: the one that is checked out]
    #[arg(long, value_name = "BRANCH", help_heading = "Into what")]
    base: Option<String>,
    /// What to do where upstream and this repository changed the same lines
    #[arg(long, value_name = "WHAT", default_value = "draft", help_heading = "Into what")]
    conflict: OnConflict,
    /// Also write workflows, actions and code owners that upstream has
    #[arg(long, help_heading = "Into what")]
    allow_workflows: bool,
    /// Write no issue when it fails
    #[arg(long, help_heading = "Into what")]
    no_issue: bool,
    /// Commit on a local branch only, and show the pull request that would be opened
    #[arg(long, short = 'n', conflicts_with = "worktree")]
    dry_run: bool,
    /// Change the work tree only: no commit, no branch, no pull request
    #[arg(long)]
    worktree: bool,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Time for one request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// How long to wait in sum when GitHub limits the rate
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds_or_none)]
    max_wait: Duration,
}

/// What happens to what upstream and the cousin both changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnConflict {
    /// Propose it with conflict markers, as a draft
    Draft,
    /// Propose nothing, and fail
    Fail,
}

fn commit(text: &str) -> Result<CommitSha, String> {
    CommitSha::parse(text).map_err(|bad| format!("{}; {}", bad.message, bad.help))
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when nothing could be done; a feature that could not be brought is no failure but an
/// [`Exit`].
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let request = request::resolve(dir, args, environment)?;
    let (report, interrupted) = course::carry_out(&request, output)?;
    let exit = if report.all_fine() { Exit::Done } else { Exit::Undelivered };
    telling::show(&report, args.format, environment, output)?;
    Ok(interrupted.unwrap_or(exit))
}

/// Runs what `ecosystem sync` without an argument runs in the checkout at `dir`, and prints nothing:
/// the report is returned, and how the process is to end where a signal came.
///
/// # Errors
/// As [`run`].
pub(super) fn quietly(
    dir: &Path,
    environment: &Environment,
    output: &Output,
) -> Result<(Synced, Option<Exit>), Failure> {
    let bad = |error: clap::Error| Failure::new(error.to_string(), "");
    let command = Args::augment_args(clap::Command::new("sync"));
    let matches = command.try_get_matches_from(["sync"]).map_err(bad)?;
    let args = Args::from_arg_matches(&matches).map_err(bad)?;
    course::carry_out(&request::resolve(dir, &args, environment)?, output)
}
