//! The act in which each cousin takes in what it was told of: the embedded GitHub hosts the monorepo
//! and a real repository for each cousin, and the very code of `ecosystem sync` runs on each event, in
//! a checkout as a workflow run has it. What comes of it is shown, and held against what it should be.

mod cast;
mod show;
mod verdict;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::on_github;
use crate::cli::{self, Exit, Failure, Output, sync};
use crate::embedded_github::{EmbeddedGitHub, Event, Model, PullRequest, Token};
use crate::environment::Environment;
use crate::git::command::Git;
use crate::git::files::ObjectId;
use crate::git::stage::cousin::{BRANCH, Bare, Checkout, Seed};
use crate::git::stage::{Author, Stage};
use crate::names::RepoName;
use crate::report::Renderings as _;
use crate::report::synced::Synced;
use crate::sync::lock::{self, Lock, Locked};
use cast::{Cousin, Followed};

/// The cousin's file, the only one that a run needs in its work tree.
const SUBSCRIPTIONS: &str = "subscriptions.json";

/// What the act needs of the rehearsal.
pub(super) struct Scene<'a> {
    pub(super) git: &'a Git,
    /// The rehearsal's directory.
    pub(super) dir: &'a Path,
    pub(super) stage: &'a Stage,
    pub(super) source: &'a RepoName,
    pub(super) author: &'a Author,
    pub(super) environment: &'a Environment,
    /// Whether it is the sample monorepo.
    pub(super) sample: bool,
}

/// How the act ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// What is otherwise than it should be, a sentence each.
    pub(super) wrong: Vec<String>,
    /// How the process is to end, where a signal came.
    pub(super) stopped: Option<Exit>,
}

/// A cousin with its repository.
struct Member {
    cousin: Cousin,
    bare: Bare,
    /// Where its `main` was at first.
    start: String,
}

/// What an event led to.
struct Taken<'m> {
    followed: &'m Followed,
    report: Synced,
    /// What a second run on it led to.
    again: Option<Synced>,
}

/// What a cousin's repository holds at a time.
#[derive(PartialEq, Eq)]
struct State {
    branches: BTreeMap<String, ObjectId>,
    pulls: Vec<PullRequest>,
}

/// Lets each cousin that received something take it in, and shows that.
///
/// # Errors
/// [`Failure`] when a repository cannot be made or a sync cannot be begun.
pub(super) fn take_in(
    scene: &Scene<'_>,
    received: &[Event],
    output: &Output,
) -> Result<Ended, Failure> {
    if received.is_empty() {
        return Ok(Ended::default());
    }
    let cast = cast::cast(received, scene.source, scene.sample);
    output.result(&show::heading(&cast, output.paint()))?;
    let monorepo = scene.stage.monorepo()?;
    let (left_out, beyond) = (cast.left_out, cast.beyond);
    let members = cast.cousins.into_iter().map(|cousin| scene.member(cousin, &monorepo));
    let members: Vec<Member> = members.collect::<Result<_, _>>()?;
    let mut ended = Ended::default();
    let mut tally = show::Tally { left_out, beyond, ..show::Tally::default() };
    on_github(scene.model(&members, &monorepo), |github| {
        for member in &members {
            let (taken, before, after) = match scene.runs(member, github, output)? {
                Ok(runs) => runs,
                Err(exit) => {
                    ended.stopped = Some(exit);
                    return Ok(());
                }
            };
            let judge = verdict::Judge { scene, monorepo: &monorepo, member, state: &before };
            output.result(&show::member(member, &taken, &before, &mut tally, output.paint())?)?;
            ended.wrong.extend(judge.all(&taken, &after)?);
        }
        Ok(())
    })?;
    if ended.stopped.is_none() {
        output.result(&show::verdict(&tally, &ended.wrong, output.paint()))?;
    }
    Ok(ended)
}

impl Scene<'_> {
    /// Returns GitHub with the monorepo and each cousin, and a token for each as a run has it.
    fn model(&self, members: &[Member], monorepo: &Bare) -> Model {
        let model = Model::new()
            .git_program(cli::git(self.environment))
            .repository_with(self.source.as_str(), |it| {
                it.default_branch(&self.author.branch).git(monorepo.dir())
            });
        members.iter().fold(model, |model, member| {
            let name = &member.cousin.name;
            let token = Token::built_in(name).may_write_pull_requests(name).may_write_issues(name);
            model
                .token(&token_of(name), token)
                .repository_with(name, |it| it.git(member.bare.dir()))
        })
    }

    /// Makes a cousin's repository: it has what it follows as that was before the push, and a lock
    /// file that says so.
    fn member(&self, cousin: Cousin, monorepo: &Bare) -> Result<Member, Failure> {
        let mut seed = Seed::default();
        let text = cousin.subscriptions(self.source, &self.author.branch)?;
        seed.files.push((SUBSCRIPTIONS.into(), text.into()));
        let mut lock = Lock::default();
        if let Some(before) = &self.author.before {
            seed.seconds = monorepo.time(before.as_str())?;
            for followed in &cousin.follows {
                let feature = followed.feature.as_bytes();
                let Some(thing) = monorepo.at(before.as_str(), feature)? else { continue };
                seed.things.push((followed.into.clone().into(), thing));
                let locked = Locked {
                    source: self.source.to_string(),
                    commit: before.clone(),
                    tree: thing.is_directory().then(|| thing.id.to_string()),
                    method: followed.method,
                    into: followed.into.clone(),
                    dispatch_id: None,
                    applied_at: Timestamp::from_second(seed.seconds).unwrap_or_default(),
                };
                lock = lock.with(&followed.feature, locked);
                if let Some(edit) = &followed.edit {
                    let path = [feature, b"/", edit.file.as_bytes()].concat();
                    let content = monorepo.file(before.as_str(), &path)?.unwrap_or_default();
                    let content = edit.apply(&content).unwrap_or(content);
                    seed.files.push((format!("{}/{}", followed.into, edit.file).into(), content));
                }
            }
        }
        if !seed.things.is_empty() {
            seed.files.push((lock::FILE_NAME.into(), lock.render().into()));
        }
        let dir = self.dir.join("cousins").join(format!("{}.git", cousin.name));
        let bare = self.stage.cousin(self.git, &dir, &seed)?;
        let start = bare.branches()?.get(BRANCH).map(ToString::to_string).unwrap_or_default();
        Ok(Member { cousin, bare, start })
    }

    /// Runs a cousin's workflow on each of its events, and then on each of them again. Returns what
    /// came of it, and the repository after the first and after the second time.
    fn runs<'m>(
        &self,
        member: &'m Member,
        github: &EmbeddedGitHub,
        output: &Output,
    ) -> Result<Result<(Vec<Taken<'m>>, State, State), Exit>, Failure> {
        let state = || -> Result<State, Failure> {
            let pulls = github.with(|model| model.pull_requests_of(&member.cousin.name));
            Ok(State { branches: member.bare.branches()?, pulls })
        };
        let mut taken = Vec::new();
        for (at, followed) in member.cousin.follows.iter().enumerate() {
            let run = self.run_dir(member, at);
            let (report, stopped) = self.run(member, followed, &run, github.url(), output)?;
            write(&run.join("report.json"), &report.json())?;
            if let Some(exit) = stopped {
                return Ok(Err(exit));
            }
            taken.push(Taken { followed, report, again: None });
        }
        let first = state()?;
        for (at, taken) in taken.iter_mut().enumerate() {
            let run = self.run_dir(member, at).join("again");
            let followed = taken.followed;
            let (report, stopped) = self.run(member, followed, &run, github.url(), output)?;
            write(&run.join("report.json"), &report.json())?;
            if let Some(exit) = stopped {
                return Ok(Err(exit));
            }
            taken.again = Some(report);
        }
        Ok(Ok((taken, first, state()?)))
    }

    /// Returns where a run of a cousin's workflow keeps its things.
    fn run_dir(&self, member: &Member, at: usize) -> PathBuf {
        self.dir.join("runs").join(format!("{}-{}", member.cousin.name, at + 1))
    }

    /// Runs a cousin's workflow on an event, as the runner would: the event's file, a checkout of
    /// depth 1, and `ecosystem sync`.
    fn run(
        &self,
        member: &Member,
        followed: &Followed,
        dir: &Path,
        url: &str,
        output: &Output,
    ) -> Result<(Synced, Option<Exit>), Failure> {
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
        sync::quietly(checkout.dir, &environment, output)
    }
}

/// Returns the token of a cousin's runs, which opens nothing but the rehearsal's GitHub.
fn token_of(name: &str) -> String {
    format!("rehearsal-token-of-{}", name.replace('/', "-"))
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", crate::text::shown_path(path)), "")
}
