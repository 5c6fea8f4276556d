//! The act in which each cousin takes in what it was told of: the embedded GitHub hosts the monorepo
//! and a real repository for each cousin, and the very code of `ecosystem sync` runs on each event, in
//! a checkout as a workflow run has it. What comes of it is shown, and held against what it should be.

mod cast;
mod runs;
mod show;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::Rehearsal;
use super::casting::on_github;
use crate::cli::{Exit, Failure, Output};
use crate::embedded_github::{Event, Model, PullRequest, Token};
use crate::git::files::ObjectId;
use crate::git::stage::cousin::{BRANCH, Bare, Seed};
use crate::report::synced::Synced;
use crate::sync::lock::{self, Lock, Locked};
use cast::{Cousin, Followed};

/// The cousin's file, the only one that a run needs in its work tree.
const SUBSCRIPTIONS: &str = "subscriptions.json";

/// How many cousins' workflows run at a time: their runs are many short processes.
const AT_A_TIME: usize = 4;

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
    dir: PathBuf,
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

/// What a cousin's events led to.
struct Runs<'m> {
    taken: Vec<Taken<'m>>,
    /// The repository after the first run on each event.
    first: State,
    /// And after the second.
    second: State,
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
    rehearsal: &Rehearsal<'_>,
    received: &[Event],
    output: &Output,
) -> Result<Ended, Failure> {
    if received.is_empty() {
        return Ok(Ended::default());
    }
    if rehearsal.author.is_partial {
        // Nobody could be given what the clone itself would first have to fetch.
        output.result(&show::partial(output.paint()))?;
        return Ok(Ended::default());
    }
    let cast = cast::cast(received, &rehearsal.source, rehearsal.own.is_none());
    let anew = rehearsal.author.before.is_none();
    output.result(&show::heading(&cast, anew, output.paint()))?;
    let monorepo = rehearsal.stage.monorepo()?;
    let (left_out, beyond) = (cast.left_out, cast.beyond);
    let members = cast.cousins.into_iter().map(|cousin| rehearsal.member(cousin, &monorepo));
    let members: Vec<Member> = members.collect::<Result<_, _>>()?;
    let mut ended = Ended::default();
    let mut tally = show::Tally { left_out, beyond, ..show::Tally::default() };
    let interrupted = OnceLock::new();
    on_github(rehearsal.model(&members, &monorepo), &interrupted, |github| {
        for some in members.chunks(AT_A_TIME) {
            for (member, runs) in
                some.iter().zip(rehearsal.all_runs(some, github, &interrupted, output))
            {
                let runs = match runs? {
                    Ok(runs) => runs,
                    Err(exit) => {
                        ended.stopped = Some(exit);
                        return Ok(());
                    }
                };
                let bare = Bare::open(&member.dir)?;
                let its = verdict::Its { member, bare: &bare, runs: &runs };
                output.result(&show::member(&its, &mut tally, output.paint())?)?;
                let judge = verdict::Judge { rehearsal, monorepo: &monorepo, its };
                ended.wrong.extend(judge.all()?);
            }
        }
        Ok(())
    })?;
    if ended.stopped.is_none() {
        output.result(&show::verdict(&tally, &ended.wrong, output.paint()))?;
    }
    Ok(ended)
}

impl Rehearsal<'_> {
    /// Returns GitHub with the monorepo and each cousin, and a token for each as a run has it.
    fn model(&self, members: &[Member], monorepo: &Bare) -> Model {
        let model = Model::new()
            .git_program(self.git.clone())
            .repository_with(self.source.as_str(), |it| {
                it.default_branch(&self.author.branch).git(monorepo.dir())
            });
        members.iter().fold(model, |model, member| {
            let name = &member.cousin.name;
            let token = Token::built_in(name).may_write_pull_requests(name).may_write_issues(name);
            model.token(&token_of(name), token).repository_with(name, |it| it.git(&member.dir))
        })
    }

    /// Makes a cousin's repository: it has what it follows as that was before the push, and a lock
    /// file that says so.
    fn member(&self, cousin: Cousin, monorepo: &Bare) -> Result<Member, Failure> {
        let mut seed = Seed::default();
        let text = cousin.subscriptions(&self.source, &self.author.branch)?;
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
        let bare = self.stage.cousin(&self.git, &dir, &seed)?;
        let start = bare.branches()?.get(BRANCH).map(ToString::to_string).unwrap_or_default();
        Ok(Member { cousin, dir: bare.dir().to_owned(), start })
    }
}

/// Returns the token of a cousin's runs, which opens nothing but the rehearsal's GitHub.
fn token_of(name: &str) -> String {
    format!("rehearsal-token-of-{}", name.replace('/', "-"))
}

#[cfg(test)]
mod tests;
