//! `ecosystem rehearse`: the whole thing on this machine. A real push to a real repository, the
//! very pipeline of `dispatch` over real HTTP, and a GitHub of our own that limits, renames and
//! misses a repository on purpose; then what arrived is held against what was planned. Nothing is
//! shown that did not happen.

mod arrival;
mod circle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::Delivery;
use super::dispatch::{Request, carry_out};
use super::{Exit, Failure, Output};
use crate::embedded_github::{EmbeddedGitHub, Event, Fault, Model, Token};
use crate::environment::Environment;
use crate::git::command::Git;
use crate::git::range::{Flags, Push, Trigger};
use crate::git::refs::Update;
use crate::git::stage::{Author, Stage};
use crate::names::RepoName;
use crate::report::{Renderings as _, Report, human};
use crate::text;
use crate::watermark::Marks;

/// The name of the sample monorepo.
const SAMPLE: &str = "acme/monorepo";

/// The only token that the embedded GitHub of a rehearsal knows.
const TOKEN: &str = "rehearsal-token-that-opens-nothing";

/// See all of it happen on this machine, without account, token or network
///
/// Starts a small GitHub on a free loopback port, pushes the last commit of the sample monorepo
/// (or with `-C DIR` of your own), dispatches over real HTTP, and shows what each cousin received.
/// One cousin answers 429 first, one was renamed and one is gone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # The sample monorepo
  ecosystem rehearse

  # Your own: who would be told of the last commit, and does it arrive?
  ecosystem -C ~/src/monorepo rehearse --keep /tmp/rehearsal")]
pub struct Args {
    /// Leave the repositories, the report and what was received in this new directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    keep: Option<PathBuf>,
}

/// Who is made to misbehave, so that it can be seen how that ends.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Casting {
    limited: Option<RepoName>,
    renamed: Option<(RepoName, String)>,
    gone: Option<RepoName>,
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
    let git = super::git(environment);
    let author = match dir {
        Some(dir) => Author::existing(dir)?,
        None => Author::sample(&git, &stage_dir.join("author.git"))?,
    };
    let source = name_of(dir.is_some(), &author)?;
    let paint = output.paint();
    output.result(&format!(
        "{}\n\n",
        paint.bold("A rehearsal on this machine: no account, no token, no network")
    ))?;

    let stage = Stage::new(&git, &stage_dir.join("monorepo.git"), &author)?;
    if let Some(before) = &author.before {
        stage.push(&git, &author, before)?;
    }
    stage.push(&git, &author, &author.after)?;
    let checkout = stage_dir.join("checkout");
    stage.checkout(&git, &checkout)?;
    let subject = text::shown(author.subject.as_bytes());
    output.result(&format!(
        "{}    {source} {}..{} {subject:?}\n{}  a checkout of depth 1, as a workflow run has it\n",
        paint.dim("push"),
        author.before.as_ref().map_or("nothing", |before| before.short()),
        author.after.short(),
        paint.dim("runner"),
    ))?;

    let rehearsal = Rehearsal { dir, source: &source, author: &author };
    // Of the user's own settings only those count that git needs to run.
    let offline = environment.only(&["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"]);
    let (planned, _) = carry_out(&rehearsal.request(author.dir(), &offline, true), output)?;
    let casting = Casting::of(&planned);
    let (report, received, url) = on_embedded_github(&planned, &casting, |url| {
        output.result(&format!("{}  {url}, embedded in this program\n\n", paint.dim("github")))?;
        let online = offline.with("GITHUB_API_URL", url);
        Ok(carry_out(&rehearsal.request(&checkout, &online, false), output)?.0)
    })?;
    output.result(&human::render(&report, paint))?;
    for warning in &report.warnings {
        output.result(&format!(
            "{} {}\n",
            paint.yellow("warning:"),
            text::shown(warning.message.as_bytes())
        ))?;
    }
    let mut verdict = arrival::compare(&planned, &report, &received, &casting);
    output.result(&arrival::render(&planned, &received, &casting, &verdict, paint))?;
    let scene = circle::Scene {
        git: &git,
        dir: stage_dir,
        stage: &stage,
        source: &source,
        author: &author,
        environment: &offline,
        sample: dir.is_none(),
    };
    let circle = circle::take_in(&scene, &received, output)?;
    if let Some(exit) = circle.stopped {
        return Ok(exit);
    }
    verdict.extend(circle.wrong);
    let casting = Casting { limited: None, ..casting };
    verdict.extend(rehearsal.lost_run(
        (&git, &stage, &checkout),
        &offline,
        &planned,
        &casting,
        output,
    )?);
    if args.keep.is_some() {
        keep(stage_dir, &report, &received, &url)?;
        output.result(&format!("\nkept in {}\n", stage_dir.display()))?;
    }
    Ok(if verdict.is_empty() { Exit::Done } else { Exit::Undelivered })
}

/// What the rehearsal's two runs of the pipeline, dry and real, share.
struct Rehearsal<'a> {
    dir: Option<&'a Path>,
    source: &'a RepoName,
    author: &'a Author,
}

impl Rehearsal<'_> {
    /// Returns what the workflow run of the push would ask for in the clone at `dir`.
    fn request<'e>(
        &'e self,
        dir: &'e Path,
        environment: &'e Environment,
        dry_run: bool,
    ) -> Request<'e> {
        let own_file = self.dir.map(|dir| dir.join("ecosystem.json")).filter(|file| file.exists());
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

impl Rehearsal<'_> {
    /// The second act: the push's run is lost, and the next run with watermarks makes up for it.
    /// Returns what arrived otherwise than planned.
    fn lost_run(
        &self,
        (git, stage, checkout): (&Git, &Stage, &Path),
        offline: &Environment,
        planned: &Report,
        casting: &Casting,
        output: &Output,
    ) -> Result<Vec<String>, Failure> {
        let Some(before) = self.author.before.clone().filter(|_| !planned.dispatches.is_empty())
        else {
            return Ok(Vec::new());
        };
        let paint = output.paint();
        // The last run that went well was for the commit before: everybody has received that.
        let enabled = planned.before.enabled.iter().flatten();
        let marks: Vec<Update> = enabled.map(|repo| Marks::create(repo, &before)).collect();
        stage.write(git, &marks)?;
        let (report, received, _) = on_embedded_github(planned, casting, |url| {
            let online = offline.with("GITHUB_API_URL", url);
            let request = self.request(checkout, &online, false);
            let flags = Flags { watermarks: true, ..Flags::default() };
            let trigger = Trigger::Other("schedule".to_owned());
            Ok(carry_out(&Request { trigger, flags, ..request }, output)?.0)
        })?;
        let wrong = arrival::compare(planned, &report, &received, casting);
        let watermarks = report.watermarks.as_deref().unwrap_or_default();
        let said = if wrong.is_empty() {
            paint.green("each cousin has received what the lost run was to send")
        } else {
            wrong.iter().map(|it| format!("{} {it}\n", paint.red("wrong:"))).collect()
        };
        output.result(&format!(
            "\n{}\n{}    the same push, and its run is cancelled: nobody is told\n{}  the next night, \
             `ecosystem dispatch --watermarks` compares with what each cousin has received\n\
             watermarks: {}\n{}\n",
            paint.bold("A run is lost, and the next one makes up for it"),
            paint.dim("push"),
            paint.dim("runner"),
            human::states(watermarks),
            said.trim_end(),
        ))?;
        Ok(wrong)
    }
}

impl Casting {
    /// Casts the roles: repositories that the sample names for them, else those that come first.
    fn of(planned: &Report) -> Self {
        let mut cousins: Vec<RepoName> =
            planned.dispatches.iter().map(|dispatch| dispatch.repo.clone()).collect();
        cousins.dedup();
        let mut take = |name: &str| {
            let at = cousins.iter().position(|cousin| cousin.as_str() == name).unwrap_or(0);
            (at < cousins.len()).then(|| cousins.remove(at))
        };
        let gone = take("acme/gone");
        let renamed = take("acme/old-name");
        let limited = take("");
        Self {
            limited,
            renamed: renamed.map(|old| {
                let new = format!("{old}-renamed").replace("old-name-renamed", "new-name");
                (old, new)
            }),
            gone,
        }
    }
}

/// Starts the embedded GitHub with the planned cousins, runs `during` against its address, and
/// returns what that returned and what arrived.
fn on_embedded_github(
    planned: &Report,
    casting: &Casting,
    during: impl FnOnce(&str) -> Result<Report, Failure>,
) -> Result<(Report, Vec<Event>, String), Failure> {
    let mut model = Model::new().token(TOKEN, Token::may_write_all());
    for dispatch in &planned.dispatches {
        let name = dispatch.repo.as_str();
        model = match &casting.renamed {
            Some((old, new)) if old == &dispatch.repo => {
                model.repository_with(name, |repository| repository.renamed_to(new))
            }
            _ if casting.gone.as_ref() == Some(&dispatch.repo) => model,
            _ => model.repository(name),
        };
    }
    if let Some(limited) = &casting.limited {
        model.fault(limited.as_str(), Fault::limited(1));
    }
    on_github(model, |github| {
        let report = during(github.url())?;
        let received = github.with(|model| model.events().to_vec());
        Ok((report, received, github.url().to_owned()))
    })
}

/// Starts the embedded GitHub, runs `during` while it answers, and returns what that returned.
fn on_github<R>(
    model: Model,
    during: impl FnOnce(&EmbeddedGitHub) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot start the embedded GitHub: {error}"), "")
    };
    let runtime = super::network()?;
    let github = runtime.block_on(EmbeddedGitHub::start(model)).map_err(failed)?;
    // The server runs on a thread of its own while the pipeline, which blocks, runs on this one.
    let (done, stop) = tokio::sync::oneshot::channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(stop));
        let result = during(&github);
        drop(done);
        result
    });
    runtime.block_on(github.stop());
    result
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
