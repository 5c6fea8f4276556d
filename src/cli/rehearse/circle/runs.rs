//! The runs of the cousins' workflows: for each event its file, a checkout of depth 1 and `ecosystem
//! sync`, with the variables that GitHub's runner sets; and then each of them once more. Their reports
//! are written beside them, and judged elsewhere.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::super::Rehearsal;
use super::cast::Followed;
use super::{Member, Runs, SUBSCRIPTIONS, State, Taken, token_of};
use crate::cli::{self, Exit, Failure, Output, sync};
use crate::embedded_github::EmbeddedGitHub;
use crate::environment::Environment;
use crate::git::GitError;
use crate::git::stage::cousin::{Bare, Checkout};
use crate::report::Renderings as _;
use crate::report::synced::Synced;

/// The directory of a run that holds the checkout.
const CHECKOUT: &str = "checkout";

impl Rehearsal<'_> {
    /// Runs the workflows of some cousins at the same time, and returns in their order what came of
    /// each.
    pub(super) fn all_runs<'m>(
        &self,
        members: &'m [Member],
        github: &EmbeddedGitHub,
        interrupted: &OnceLock<Exit>,
        output: &Output,
    ) -> Vec<Result<Result<Runs<'m>, Exit>, Failure>> {
        std::thread::scope(|scope| {
            let spawn =
                |member| scope.spawn(move || self.runs(member, github, interrupted, output));
            let running: Vec<_> = members.iter().map(spawn).collect();
            let broken = |_panic| Err(Failure::new("a sync broke off", "report it as a bug"));
            running.into_iter().map(|run| run.join().unwrap_or_else(broken)).collect()
        })
    }

    /// Runs a cousin's workflow on each of its events, and then on each of them again. Returns what
    /// came of it, or how the process is to end where a signal came.
    fn runs<'m>(
        &self,
        member: &'m Member,
        github: &EmbeddedGitHub,
        interrupted: &OnceLock<Exit>,
        output: &Output,
    ) -> Result<Result<Runs<'m>, Exit>, Failure> {
        let state = || -> Result<State, Failure> {
            let pulls = github.with(|model| model.pull_requests_of(&member.cousin.name));
            Ok(State { branches: Bare::open(&member.dir)?.branches()?, pulls })
        };
        let mut taken = Vec::new();
        for (at, followed) in member.cousin.follows.iter().enumerate() {
            if let Some(exit) = interrupted.get() {
                return Ok(Err(*exit));
            }
            let run = self.prepare(member, followed, at, github.url())?;
            match run.sync("report.json", output)? {
                Ok(report) => taken.push((run, Taken { followed, report, again: None })),
                Err(exit) => return Ok(Err(exit)),
            }
        }
        let first = state()?;
        // Nothing was merged, so that a second checkout would be the same as the first.
        for (run, taken) in &mut taken {
            if let Some(exit) = interrupted.get() {
                return Ok(Err(*exit));
            }
            match run.sync("report-again.json", output)? {
                Ok(report) => taken.again = Some(report),
                Err(exit) => return Ok(Err(exit)),
            }
        }
        let taken = taken.into_iter().map(|(_, taken)| taken).collect();
        // What the terminal's interrupt did to a git process is no outcome.
        Ok(match interrupted.get() {
            Some(exit) => Err(*exit),
            None => Ok(Runs { taken, first, second: state()? }),
        })
    }

    /// Prepares a run of a cousin's workflow on an event: its file, a checkout and the variables.
    fn prepare(
        &self,
        member: &Member,
        followed: &Followed,
        at: usize,
        url: &str,
    ) -> Result<Run, Failure> {
        let name = &member.cousin.name;
        let dir = self.dir.join("runs").join(format!("{name}-{}", at + 1));
        std::fs::create_dir_all(&dir).map_err(|error| cannot_write(&dir, &error))?;
        let event = dir.join("event.json");
        write(&event, &format!("{:#}\n", followed.event))?;
        let variables: [(&str, OsString); 7] = [
            // Of a proxy in the user's git configuration this machine has no need.
            ("NO_PROXY", "127.0.0.1".into()),
            ("GITHUB_EVENT_NAME", "repository_dispatch".into()),
            ("GITHUB_EVENT_PATH", event.into_os_string()),
            ("GITHUB_SERVER_URL", url.into()),
            ("GITHUB_API_URL", url.into()),
            ("GITHUB_REPOSITORY", name.into()),
            ("GITHUB_TOKEN", token_of(name).into()),
        ];
        let own = self.environment.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let run = variables.into_iter().map(|(name, value)| (OsString::from(name), value));
        let environment: Environment = own.chain(run).collect();
        let (url, to) = (format!("{url}/{name}"), dir.join(CHECKOUT));
        let checkout = Checkout { url: &url, dir: &to, file: SUBSCRIPTIONS };
        checkout.make(&cli::git(&environment)).map_err(|error| not_cloned(name, &error))?;
        Ok(Run { dir, environment })
    }
}

/// A run of a cousin's workflow.
struct Run {
    dir: PathBuf,
    environment: Environment,
}

impl Run {
    /// Runs `ecosystem sync` in its checkout, and leaves the report beside it.
    fn sync(&self, report: &str, output: &Output) -> Result<Result<Synced, Exit>, Failure> {
        let checkout = self.dir.join(CHECKOUT);
        let (synced, stopped) = sync::quietly(&checkout, &self.environment, output)?;
        write(&self.dir.join(report), &synced.json())?;
        Ok(stopped.map_or(Ok(synced), Err))
    }
}

fn not_cloned(name: &str, error: &GitError) -> Failure {
    Failure::new(
        format!("cannot clone {name} from the embedded GitHub: {error}"),
        "it is served by `git http-backend`, which some systems package apart from git (Alpine: \
         git-daemon)",
    )
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", crate::text::shown_path(path)), "")
}
