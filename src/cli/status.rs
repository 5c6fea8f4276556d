//! `ecosystem status`: what each cousin has received, and what it has yet to hear of. This file
//! turns arguments and environment into what is to be found out, and shows what was; `inquiry`
//! finds it out. Nothing is sent, GitHub's API is not asked, and nothing is written but by
//! `--prune`, which deletes refs (`pruning`).

mod inquiry;
mod pruning;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::inquiry::Inquiry;
use super::arguments::{Format, repo_name};
use super::{Exit, Failure, Output, listing};
use crate::actions::{self, Level};
use crate::environment::Environment;
use crate::names::RepoName;
use crate::report::status::Status;

/// Show what each cousin has received, and what it has yet to hear of
///
/// The watermarks of `ecosystem dispatch --watermarks` say what each cousin has received. They are
/// read from the monorepo's remote and compared with HEAD. It needs no token but what git needs to
/// fetch, and sends nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # How does each cousin stand?
  ecosystem status

  # Which ones are behind, for a script
  ecosystem status --format json |
    jq -r '.cousins[] | select(.state == \"behind\") | .repo'

  # Delete what repositories have left that are not in ecosystem.json any more
  ecosystem status --prune")]
pub struct Args {
    /// How to print the status
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Delete the refs of repositories that are not in the list of cousins
    ///
    /// Needs "contents: write" on the monorepo. HEAD must be what its branch stands at on the
    /// remote, so that no old list counts, unless --ecosystem names the list.
    #[arg(long, conflicts_with = "only")]
    prune: bool,
    /// Only this cousin; may be given several times
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name)]
    only: Vec<RepoName>,
    /// The list of cousins [default: ecosystem.json of the work tree, else of head]
    #[arg(long, value_name = "FILE")]
    ecosystem: Option<PathBuf>,
    /// What cousins are compared with [default: HEAD]
    #[arg(long, value_name = "REV")]
    head: Option<String>,
    /// Work without a clone: fetch what is needed from there
    #[arg(long, value_name = "URL")]
    remote: Option<String>,
    /// The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name)]
    source: Option<RepoName>,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when it cannot be found out; that a cousin is behind is none.
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let git = super::git(environment);
    let credentials = listing::git_credentials(environment);
    let outside = listing::outside(environment, args.remote.as_deref(), &credentials);
    let inquiry = Inquiry::prepare(dir, args, &outside, &git, environment)?;
    let (status, exit) = inquiry.carry_out()?;
    let now = Timestamp::now();
    let shown = match args.format {
        Format::Human => status.human(now, output.paint()),
        Format::Json => status.json(),
    };
    let printed = output.result(&shown);
    if actions::is_actions(environment) {
        tell_actions(&status, now, environment, output);
    } else {
        for warning in &status.warnings {
            output.warning(&crate::text::shown(warning.message.as_bytes()));
        }
    }
    printed.map(|()| exit)
}

/// Writes annotations and the summary. That they cannot be written hides no result.
fn tell_actions(status: &Status, now: Timestamp, environment: &Environment, output: &Output) {
    for line in status.annotations() {
        output.command(&line);
    }
    if let Err(error) = actions::write_summary(environment, &status.summary(now)) {
        let message = format!("cannot write the step's summary (GITHUB_STEP_SUMMARY): {error}");
        output.command(&actions::annotation(Level::Warning, "not-written", &message));
    }
}
