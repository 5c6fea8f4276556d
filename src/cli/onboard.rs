//! `ecosystem onboard`: brings a cousin in. This file turns arguments and environment into one
//! `Request` and takes the steps in their order: `looking` finds out what the cousin would get,
//! `writing` puts files where they belong, `proposing` opens a pull request with them, `probing` sends
//! one real dispatch, `telling` says what was done. Everything is looked at before anything is
//! written, and nothing is sent unless that was asked for.

mod arguments;
mod looking;
mod probing;
mod proposing;
mod telling;
mod writing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueHint;

use self::arguments::{Method, directory};
use self::proposing::Asked;
use self::writing::{Place, Rewrite};
use super::arguments::{Delivery, Format, repo_name, seconds, seconds_or_none};
use super::monorepo::Monorepo;
use super::{Exit, Failure, Output, listing};
use crate::actions;
use crate::ecosystem::edit::{self, Change, Edited, Wanted};
use crate::environment::Environment;
use crate::names::RepoName;
use crate::onboarding::cousin_files::{self, ActionRef, CousinFile, Following};
use crate::report::Warning;
use crate::report::onboarding::Onboarding;
use crate::routing::Pattern;
use crate::text;

/// Bring a repository in: list it, write its files, see that it hears
///
/// Adds the repository to ecosystem.json, where nothing else is touched, shows what it would get
/// now, and writes what it needs itself: subscriptions.json and a workflow that runs `ecosystem
/// sync`. Nothing is written when a subscription matches nothing at HEAD. Of a repository that is
/// listed already the subscriptions that it lacks are added.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # What would happen
  ecosystem onboard acme/web --subscribe features/web --dry-run

  # List it, not enabled yet, and write its files into a clone of it
  ecosystem onboard acme/web --subscribe features/web --staged --output ../web

  # The same by a pull request there; the token needs Contents, Pull requests and Workflows
  ECOSYSTEM_PAT=… ecosystem onboard acme/web --subscribe features/web --staged --pull-request

  # When they are on its default branch: try it, and enable it when it hears
  ECOSYSTEM_PAT=… ecosystem onboard acme/web --staged --probe

  # Into a directory of its own, which becomes exactly the feature
  ecosystem onboard acme/app --subscribe features/push --into src/push --method copy")]
pub struct Args {
    /// The repository
    #[arg(value_name = "OWNER/NAME", value_parser = repo_name)]
    cousin: RepoName,
    /// A pattern that it follows; may be given several times
    #[arg(long, value_name = "PATTERN")]
    subscribe: Vec<String>,
    /// List it as not enabled; with --probe it is enabled when the probe was confirmed
    #[arg(long)]
    staged: bool,
    /// At the end send one real dispatch, and look for its workflow run for up to so long [default:
    /// off; 120 without a value]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "120", value_parser = seconds_or_none)]
    probe: Option<Duration>,
    /// Show everything, write nothing, send nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// How to print what was done
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,

    /// Write the files to this directory, such as a clone of the repository [default: they are shown]
    ///
    /// A file that is there already and says something else is not written over: then nothing is
    /// written at all.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Its files")]
    output: Option<PathBuf>,
    /// Open a pull request there with the files, or bring the one that is open up to date
    ///
    /// It needs a token that may write contents, pull requests and workflows there: the cousin's own
    /// (`token_env`), else that in `ECOSYSTEM_PAT`, `GH_TOKEN` or `GITHUB_TOKEN`. A file that is there
    /// already and says something else, and other people's commits on the branch
    /// ecosystem-onboarding, are left as they are: then nothing is written at all.
    #[arg(long, conflicts_with = "output", help_heading = "Its files")]
    pull_request: bool,
    /// Where the feature goes, of several each by its name [default: the feature's own path]
    #[arg(long, value_name = "DIR", value_parser = directory, help_heading = "Its files")]
    into: Option<String>,
    /// How updates are brought in
    #[arg(long, value_name = "METHOD", default_value = "merge", help_heading = "Its files")]
    method: Method,
    /// The action, as in `uses:` [default: the one in the monorepo's own workflows]
    #[arg(long, value_name = "OWNER/NAME@COMMIT", value_parser = ActionRef::parse, help_heading = "Its files")]
    action: Option<ActionRef>,

    /// The list of cousins [default: ecosystem.json of the work tree]
    #[arg(long, value_name = "FILE", help_heading = "The monorepo")]
    ecosystem: Option<PathBuf>,
    /// The monorepo's name [default: `GITHUB_REPOSITORY`, else read from origin]
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name, help_heading = "The monorepo")]
    source: Option<RepoName>,
    /// Its trusted branch [default: that of origin, else the one that is checked out]
    #[arg(long, value_name = "NAME", help_heading = "The monorepo")]
    branch: Option<String>,

    /// Time for one request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "With a token")]
    timeout: Duration,
    /// How long to wait in sum when GitHub limits the rate
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds_or_none, help_heading = "With a token")]
    max_wait: Duration,
}

/// What was asked for, resolved: no flag and no variable is read below.
struct Request<'a> {
    dir: &'a Path,
    cousin: &'a RepoName,
    subscriptions: Vec<Pattern>,
    staged: bool,
    probe: Option<Duration>,
    dry_run: bool,
    ecosystem: Option<PathBuf>,
    source: Option<RepoName>,
    delivery: Delivery,
    environment: &'a Environment,
}

impl<'a> Request<'a> {
    fn resolve(
        dir: &'a Path,
        args: &'a Args,
        environment: &'a Environment,
    ) -> Result<Self, Failure> {
        let read = |text: &String| {
            Pattern::parse(text).map_err(|bad| {
                Failure::new(
                    format!("--subscribe {}: {}", text::quoted(text), bad.message),
                    bad.help,
                )
            })
        };
        Ok(Self {
            dir,
            cousin: &args.cousin,
            subscriptions: args.subscribe.iter().map(read).collect::<Result<_, _>>()?,
            staged: args.staged,
            probe: args.probe,
            dry_run: args.dry_run,
            ecosystem: args.ecosystem.as_ref().map(|file| listing::from(dir, file)),
            source: args.source.clone().or_else(|| actions::repository(environment)),
            delivery: Delivery {
                timeout: args.timeout,
                max_wait: args.max_wait,
                ..Delivery::default()
            },
            environment,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when nothing could be done, or when what was asked for is refused; what the probe or
/// the validation finds is no failure but an [`Exit`].
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let request = Request::resolve(dir, args, environment)?;
    let git = super::git(environment);
    let credentials = listing::git_credentials(environment);
    let outside = listing::outside(environment, None, &credentials);
    let mut monorepo = Monorepo::open(dir, &outside, &git);
    let Prepared { rewrite, edited, files, invited, place, mut report } =
        prepare(&request, args, &mut monorepo)?;
    if let Some(refused) = &report.refused {
        let refused = Failure { exit: Exit::Invalid, ..Failure::new(refused.clone(), REFUSED) };
        telling::tell(&report, args.format, environment, output)?;
        return Err(refused);
    }
    report.files = writing::files(&place, &files, !request.dry_run)?;
    if let (Place::PullRequest, Some(asked)) = (&place, &invited) {
        proposing::propose(&request, asked, &files, &mut report, output)?;
    }
    if !request.dry_run && edited.change != Change::Unchanged {
        rewrite.write(rewrite.bytes.as_deref(), &edited.text)?;
        report.list.written = true;
    }
    let ended = conclude(&request, &rewrite, &edited, &mut monorepo, &mut report, output);
    report.next.extend(telling::next(&request, &report));
    telling::tell(&report, args.format, environment, output)?;
    ended
}

/// Everything that is to be written, before any of it is.
struct Prepared {
    rewrite: Rewrite,
    edited: Edited,
    files: Vec<CousinFile>,
    /// What the cousin's own list says; none where it is refused.
    invited: Option<Asked>,
    place: Place,
    report: Onboarding,
}

fn prepare(
    request: &Request<'_>,
    args: &Args,
    monorepo: &mut Monorepo<'_>,
) -> Result<Prepared, Failure> {
    let rewrite = Rewrite::find(request, monorepo)?;
    let edited = edited(request, &rewrite)?;
    let look = looking::look(request, &rewrite, &edited, monorepo)?;
    let action = args.action.clone().unwrap_or_else(|| looking::action(monorepo));
    let (source, branch) = looking::names(request, args.branch.as_deref(), monorepo)?;
    let files = cousin_files::files(&Following {
        cousin: request.cousin,
        source: &source,
        branch: &branch,
        event_type: &look.cousin.event_type,
        features: &look.names(),
        into: args.into.as_deref(),
        method: args.method.word(),
        action: &action,
    });
    let output = args.output.as_ref().map(|output| listing::from(request.dir, output));
    let place = match args.pull_request {
        true => Place::PullRequest,
        false => Place::find(output, monorepo)?,
    };
    let cousin = look.cousin.clone();
    let mut report = telling::begun(request, &rewrite, &edited, look, source, branch);
    let mut invited = None;
    if report.refused.is_none() {
        match Asked::of(cousin, &files) {
            Ok(asked) => invited = Some(asked),
            Err(why) => report.refused = Some(why),
        }
    }
    if report.refused.is_none() {
        if args.pull_request && action.stands_for_another() {
            return Err(Failure::new(
                "the action is not known that the workflow is to use, and a pull request is not to \
                 hold one that cannot run",
                "name it with --action OWNER/ecosystem-dispatcher@COMMIT; else it is read from the \
                 monorepo's own workflows",
            ));
        }
        report.warnings.extend(action.warning().map(|it| Warning::new("action-not-pinned", it)));
    }
    Ok(Prepared { rewrite, edited, files, invited, place, report })
}

const REFUSED: &str =
    "nothing was written; ask for something else, or commit what it is to match first";

/// Returns the list with the cousin in it.
fn edited(request: &Request<'_>, rewrite: &Rewrite) -> Result<Edited, Failure> {
    let wanted = Wanted {
        repo: request.cousin,
        subscriptions: &request.subscriptions,
        enabled: !request.staged,
    };
    let nothing_written =
        |failure: Failure| Failure { help: Some("nothing was written".to_owned()), ..failure };
    if request.subscriptions.is_empty()
        && !rewrite.lists(request.cousin).map_err(nothing_written)?
    {
        return Err(Failure::new(
            format!("{} is not listed yet, and nothing says what it follows", request.cousin),
            "name it with --subscribe PATTERN, such as --subscribe features/web",
        ));
    }
    edit::add(&rewrite.name, rewrite.bytes.as_deref(), &wanted)
        .map_err(|diagnosis| nothing_written(diagnosis.into()))
}

/// Validates what was written, where a token is there also by asking GitHub, and sends the probe.
fn conclude(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    monorepo: &mut Monorepo<'_>,
    report: &mut Onboarding,
    output: &Output,
) -> Result<Exit, Failure> {
    // A probe finds out more than questions do, and what it meets is said once.
    let is_awaited = report.pull_request.as_ref().is_some_and(|it| it.is_awaited());
    if request.probe.is_some() && is_awaited {
        let message = "no probe was sent: only a workflow on the default branch hears it, so the pull \
                       request has to be merged first";
        report.warnings.push(Warning::new("probe-later", message.to_owned()));
    }
    // Whoever could open it is known there, and that nobody listens yet is why it is open.
    if is_awaited {
        return Ok(Exit::Done);
    }
    if request.probe.is_none() {
        return match request.dry_run {
            true => Ok(Exit::Done),
            false => looking::ask(request, rewrite, edited, monorepo, report, output),
        };
    }
    let exit = probing::probe(request, rewrite, edited, report, output)?;
    if exit.is_none()
        && request.staged
        && !request.dry_run
        && let Some(text) = probing::enable(request, rewrite)?
    {
        (report.list.enabled, report.list.written) = (true, true);
        report.findings = looking::findings(rewrite, &text, request.cousin, monorepo)?;
    }
    Ok(exit.unwrap_or(Exit::Done))
}
