//! The runs of the cousins' workflows: for each event its file, a checkout of depth 1 and `ecosystem
//! sync`, with the variables that GitHub's runner sets; and then each of them once more. Their reports
//! are written beside them, and judged elsewhere.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::Rehearsal;
use super::cast::Followed;
use super::{Member, Runs, SUBSCRIPTIONS, State, Taken, token_of};
use crate::cli::{self, Exit, Failure, Output, sync};
use crate::embedded_github::EmbeddedGitHub;
use crate::environment::Environment;
use crate::git::stage::cousin::Checkout;
use crate::report::Renderings as _;
use crate::report::synced::Synced;

impl Rehearsal<'_> {
    /// Runs a cousin's workflow on each of its events, and then on each of them again. Returns what
    /// came of it, or how the process is to end where a signal came.
    pub(super) fn runs<'m>(
        &self,
        member: &'m Member,
        github: &EmbeddedGitHub,
        output: &Output,
    ) -> Result<Result<Runs<'m>, Exit>, Failure> {
        let state = || -> Result<State, Failure> {
            let pulls = github.with(|model| model.pull_requests_of(&member.cousin.name));
            Ok(State { branches: member.bare.branches()?, pulls })
        };
        let mut taken = Vec::new();
        for (at, followed) in member.cousin.follows.iter().enumerate() {
            let dir = self.run_dir(member, at);
            match self.run(member, followed, &dir, github.url(), output)? {
                Ok(report) => taken.push(Taken { followed, report, again: None }),
                Err(exit) => return Ok(Err(exit)),
            }
        }
        let first = state()?;
        for (at, taken) in taken.iter_mut().enumerate() {
            let dir = self.run_dir(member, at).join("again");
            match self.run(member, taken.followed, &dir, github.url(), output)? {
                Ok(report) => taken.again = Some(report),
                Err(exit) => return Ok(Err(exit)),
            }
        }
        Ok(Ok(Runs { taken, first, second: state()? }))
    }

    /// Returns where a run of a cousin's workflow keeps its things.
    fn run_dir(&self, member: &Member, at: usize) -> PathBuf {
        self.dir.join("runs").join(format!("{}-{}", member.cousin.name, at + 1))
    }

    /// Runs a cousin's workflow on an event: the event's file, a checkout and `ecosystem sync`.
    fn run(
        &self,
        member: &Member,
        followed: &Followed,
        dir: &Path,
        url: &str,
        output: &Output,
    ) -> Result<Result<Synced, Exit>, Failure> {
        std::fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error))?;
        let event = dir.join("event.json");
        write(&event, &format!("{:#}\n", followed.event))?;
        let name = &member.cousin.name;
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
        let checkout = dir.join("checkout");
        let url = format!("{url}/{name}");
        let checkout = Checkout { url: &url, dir: &checkout, file: SUBSCRIPTIONS };
        checkout.make(&cli::git(&environment))?;
        let (report, stopped) = sync::quietly(checkout.dir, &environment, output)?;
        write(&dir.join("report.json"), &report.json())?;
        Ok(stopped.map_or(Ok(report), Err))
    }
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", crate::text::shown_path(path)), "")
}
