//! The embedded GitHub of a rehearsal, and who misbehaves on it on purpose: one cousin is limited, one
//! was renamed, one is gone. It serves on a thread of its own while the pipeline runs against it.

use std::sync::OnceLock;

use tokio::sync::oneshot;

use super::TOKEN;
use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure};
use crate::embedded_github::{EmbeddedGitHub, Event, Fault, Model, Token};
use crate::names::RepoName;
use crate::report::Report;

/// Who is made to misbehave, so that it can be seen how that ends.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Casting {
    pub(super) limited: Option<RepoName>,
    pub(super) renamed: Option<(RepoName, String)>,
    pub(super) gone: Option<RepoName>,
}

impl Casting {
    /// Casts the roles: repositories that the sample names for them, else those that come first.
    pub(super) fn of(planned: &Report) -> Self {
        let mut cousins: Vec<RepoName> =
            planned.dispatches.iter().map(|dispatch| dispatch.repo.clone()).collect();
        cousins.dedup();
        // Where nobody is named for a role, it is the first one's, if so many others are left.
        let mut take = |name: &str, others: usize| {
            let named = cousins.iter().position(|cousin| cousin.as_str() == name);
            let at = named.or_else(|| (cousins.len() > others).then_some(0))?;
            Some(cousins.remove(at))
        };
        let gone = take("acme/gone", 2);
        let renamed = take("acme/old-name", 1);
        let limited = take("", 0);
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
pub(super) fn on_embedded_github(
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
    on_github(model, &OnceLock::new(), |github| {
        let report = during(github.url())?;
        let received = github.with(|model| model.events().to_vec());
        Ok((report, received, github.url().to_owned()))
    })
}

/// Starts the embedded GitHub, runs `during` while it answers, and returns what that returned. A
/// signal that comes meanwhile is noted in `interrupted`.
pub(super) fn on_github<R>(
    model: Model,
    interrupted: &OnceLock<Exit>,
    during: impl FnOnce(&EmbeddedGitHub) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot start the embedded GitHub: {error}"), "")
    };
    let runtime = cli::network()?;
    let github = runtime.block_on(EmbeddedGitHub::start(model)).map_err(failed)?;
    // The server runs on a thread of its own while the pipeline, which blocks, runs on this one.
    let (done, stop) = oneshot::channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(until(stop, interrupted)));
        let result = during(&github);
        drop(done);
        result
    });
    runtime.block_on(github.stop());
    result
}

/// Waits until it is to stop, and notes a signal that comes before.
async fn until(mut stop: oneshot::Receiver<()>, interrupted: &OnceLock<Exit>) {
    if let Ok(mut signals) = Signals::catch() {
        tokio::select! {
            _ = &mut stop => return,
            exit = signals.next() => drop(interrupted.set(exit)),
        }
    }
    let _ = stop.await;
}
