//! `ecosystem rehearse`: the whole thing on this machine. A real push to a real repository, the
//! very pipeline of `dispatch` over real HTTP, and a GitHub of our own that limits, renames and
//! misses a repository on purpose; then what arrived is held against what was planned. `circle` is
//! what the cousins make of it, `lost_run` what becomes of a push whose run is lost. Nothing is shown
//! that did not happen.

mod arrival;
mod casting;
mod circle;
mod lost_run;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::Delivery;
use super::dispatch::{Request, carry_out};
use super::{Exit, Failure, Output};
use crate::embedded_github::Event;
use crate::environment::Environment;
use crate::git::command::Git;
use crate::git::range::{Flags, Push, Trigger};
use crate::git::stage::{Author, Stage};
use crate::names::RepoName;
use crate::report::{Renderings as _, Report, human};
use crate::text;
use crate::text::paint::Paint;
use casting::{Casting, on_embedded_github};

/// The name of the sample monorepo.
const SAMPLE: &str = "acme/monorepo";

/// The only token that the embedded GitHub of a rehearsal knows.
const TOKEN: &str = "rehearsal-token-that-opens-nothing";

/// See all of it happen on this machine, without account, token or network
///
/// Starts a small GitHub on a free loopback port, pushes the last commit of the sample monorepo
/// (or with `-C DIR` of your own), dispatches over real HTTP, and shows what each cousin received.
/// One cousin answers 429 first, one was renamed and one is gone. Then each cousin takes it in with
/// `ecosystem sync`, and its pull request is shown with the beginning of its diff.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # The sample monorepo
  ecosystem rehearse

  # Your own: who is told of the last commit, and what comes of it?
  ecosystem -C ~/src/monorepo rehearse --keep /tmp/rehearsal")]
pub struct Args {
    /// Leave the repositories, the reports and what was received in this new directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    keep: Option<PathBuf>,
}

/// Runs the command; `dir` is the user's own monorepo, if one was named.
///
/// # Errors
/// [`Failure`] when the stage cannot be set; what arrives otherwise than planned is an [`Exit`].
pub fn run(
    dir: Option<&Path>,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let temporary;
    let stage_dir = match &args.keep {
        Some(keep) => {
            empty_directory(keep)?;
            keep.as_path()
        }
        None => {
            temporary = tempfile::Builder::new().prefix("ecosystem-rehearsal-").tempdir().map_err(
                |error| Failure::new(format!("cannot make a temporary directory: {error}"), ""),
            )?;
            temporary.path()
        }
    };
    let paint = output.paint();
    output.result(&format!(
        "{}\n\n",
        paint.bold("A rehearsal on this machine: no account, no token, no network")
    ))?;
    let rehearsal = Rehearsal::push(dir, stage_dir, environment)?;
    output.result(&rehearsal.pushed(paint))?;
    let (planned, _) = carry_out(
        &rehearsal.request(rehearsal.author.dir(), &rehearsal.environment, true),
        output,
    )?;
    let casting = Casting::of(&planned);
    let (report, received, url) = on_embedded_github(&planned, &casting, |url| {
        output.result(&format!("{}  {url}, embedded in this program\n\n", paint.dim("github")))?;
        let online = rehearsal.environment.with("GITHUB_API_URL", url);
        Ok(carry_out(&rehearsal.request(&rehearsal.checkout, &online, false), output)?.0)
    })?;
    output.result(&human::render(&report, paint))?;
    for warning in &report.warnings {
        let message = text::shown(warning.message.as_bytes());
        output.result(&format!("{} {message}\n", paint.yellow("warning:")))?;
    }
    let mut verdict = arrival::compare(&planned, &report, &received, &casting);
    output.result(&arrival::render(&planned, &received, &casting, &verdict, paint))?;
    if args.keep.is_some() {
        keep(stage_dir, &report, &received, &url)?;
    }
    let circle = circle::take_in(&rehearsal, &received, output)?;
    if let Some(exit) = circle.stopped {
        return Ok(exit);
    }
    verdict.extend(circle.wrong);
    let casting = Casting { limited: None, ..casting };
    verdict.extend(rehearsal.lost_run(&planned, &casting, output)?);
    if args.keep.is_some() {
        output.result(&format!("\nkept in {}\n", stage_dir.display()))?;
    }
    Ok(if verdict.is_empty() { Exit::Done } else { Exit::Undelivered })
}

/// What the acts share: the repositories, and the push that is rehearsed.
struct Rehearsal<'a> {
    /// The user's own monorepo; none is the sample.
    own: Option<&'a Path>,
    /// Where everything is.
    dir: &'a Path,
    git: Git,
    source: RepoName,
    author: Author,
    stage: Stage,
    /// The checkout of a workflow run of the push.
    checkout: PathBuf,
    /// Of the user's own settings those that git needs to run.
    environment: Environment,
}

impl<'a> Rehearsal<'a> {
    /// Pushes the last commit of the monorepo, in a directory of the rehearsal's own.
    fn push(
        own: Option<&'a Path>,
        dir: &'a Path,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let git = super::git(environment);
        let author = match own {
            Some(own) => Author::existing(own)?,
            None => Author::sample(&git, &dir.join("author.git"))?,
        };
        let source = name_of(own.is_some(), &author)?;
        let stage = Stage::new(&git, &dir.join("monorepo.git"), &author)?;
        if let Some(before) = &author.before {
            stage.push(&git, &author, before)?;
        }
        stage.push(&git, &author, &author.after)?;
        let checkout = dir.join("checkout");
        stage.checkout(&git, &checkout)?;
        let environment =
            environment.only(&["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"]);
        Ok(Self { own, dir, git, source, author, stage, checkout, environment })
    }

    /// Returns what was pushed, for people.
    fn pushed(&self, paint: Paint) -> String {
        let Self { author, source, .. } = self;
        let subject = text::shown(author.subject.as_bytes());
        format!(
            "{}    {source} {}..{} {subject:?}\n{}  a checkout of depth 1, as a workflow run has \
             it\n",
            paint.dim("push"),
            author.before.as_ref().map_or("nothing", |before| before.short()),
            author.after.short(),
            paint.dim("runner"),
        )
    }
}

impl Rehearsal<'_> {
    /// Returns what the workflow run of the push would ask for in the clone at `dir`.
    fn request<'e>(
        &'e self,
        dir: &'e Path,
        environment: &'e Environment,
        dry_run: bool,
    ) -> Request<'e> {
        let own_file = self.own.map(|dir| dir.join("ecosystem.json")).filter(|file| file.exists());
        Request {
            dir,
            trigger: Trigger::Push(Push {
                reference: format!("refs/heads/{}", self.author.branch),
                before: self.author.before.clone(),
                after: Some(self.author.after.clone()),
                forced: false,
                default_branch: Some(self.author.branch.clone()),
            }),
            flags: Flags::default(),
            ecosystem: own_file,
            remote: None,
            source: Some(self.source.clone()),
            only: Vec::new(),
            dry_run,
            delivery: Delivery { timeout: Duration::from_secs(10), ..Delivery::default() },
            confirm: None,
            alarm: false,
            stand_in_token: Some(TOKEN),
            environment,
        }
    }
}

/// Returns the monorepo's name: the sample's, or as `origin` has it.
fn name_of(own: bool, author: &Author) -> Result<RepoName, Failure> {
    let named = author.origin.as_deref().filter(|_| own).and_then(RepoName::in_address);
    let stand_in = if own { "you/monorepo" } else { SAMPLE };
    named
        .map_or_else(|| RepoName::parse(stand_in), Ok)
        .map_err(|bad| Failure::new(bad.message, bad.help))
}

/// Makes the directory, or takes it when it is empty.
fn empty_directory(dir: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            format!("cannot use {}: {error}", dir.display()),
            "name a directory that does not exist yet with --keep DIR",
        )
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    if std::fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(failed(std::io::Error::other("it is not empty")));
    }
    Ok(())
}

/// Leaves what there is to look at beside the repositories.
fn keep(dir: &Path, report: &Report, received: &[Event], url: &str) -> Result<(), Failure> {
    let events: Vec<serde_json::Value> = received
        .iter()
        .map(|event| {
            serde_json::json!({
                "repository": event.repository,
                "event_type": event.event_type,
                "client_payload": event.client_payload,
            })
        })
        .collect();
    let received = serde_json::json!({ "github": url, "events": events });
    let received = serde_json::to_string_pretty(&received).unwrap_or_default();
    for (name, content) in [("report.json", report.json()), ("received.json", received)] {
        std::fs::write(dir.join(name), content).map_err(|error| {
            Failure::new(format!("cannot write {}: {error}", dir.join(name).display()), "")
        })?;
    }
    Ok(())
}
