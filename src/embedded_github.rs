//! A small, faithful GitHub on loopback, for `ecosystem rehearse` and for every end-to-end test.
//!
//! The [`Model`] is plain data: repositories, tokens, limits, scripted faults and a log of what
//! arrived. [`EmbeddedGitHub`] projects it onto a free port of 127.0.0.1. It answers as GitHub
//! does, in GitHub's words and with its headers and limits, or with the fault that a test asked
//! for. It never reaches out and keeps nothing once it is dropped. A dispatch starts runs that are
//! listed, and that do nothing.
//!
//! A repository may be given a history, [`Repository::git`]: a bare git repository, which is then
//! cloned, fetched from and pushed to at `{url}/owner/name.git`, with a token as the password. Its
//! branches and files are then those of the history, branches can be proposed as pull requests, and
//! those are really merged.
//!
//! ```
//! # use ecosystem_dispatcher::embedded_github::{EmbeddedGitHub, Fault, Model, Token};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let model = Model::new()
//!     .repository_with("acme/web", |it| {
//!         it.file(".github/workflows/update.yml", "on: { repository_dispatch: }\n")
//!     })
//!     .repository_with("acme/old", |it| it.renamed_to("acme/new"))
//!     .archived("acme/attic")
//!     .token("t0ken", Token::may_write_all());
//! let github = EmbeddedGitHub::start(model).await?;
//! github.fault("acme/web", Fault::limited(1));
//! // … send something to `github.url()` …
//! assert_eq!(github.with(|it| it.events_for("acme/web").len()), 0);
//! github.stop().await;
//! # Ok::<(), std::io::Error>(()) })?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::future::IntoFuture as _;
use std::io;
use std::path::Path;

use axum::Router;
use axum::serve::Listener as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

mod actions;
mod answer;
mod apps;
mod branches;
mod contents;
mod dispatches;
mod fault;
mod files;
mod headers;
mod history;
mod hosting;
mod http;
mod issues;
mod labels;
mod limits;
mod log;
mod model;
mod pulls;
mod push;
mod query;
mod refs;
mod repository;
mod rest;
mod route;
mod runs;
mod server;
mod smart_http;
#[cfg(test)]
mod tests;
mod tokens;
mod tracker;
mod writes;

pub use crate::git::hosted::MergeMethod;
pub use answer::{Answer, Body, Request};
pub use apps::{App, Installation};
pub use fault::{Ending, Fault};
pub use labels::Label;
pub use limits::{Cost, Limits};
pub use log::{Event, GitRequest, Received, Ticket};
pub use model::{Model, Now, Reply};
pub use pulls::PullRequest;
pub use repository::Repository;
pub use runs::Run;
pub use tokens::{Token, TokenKind};
pub use tracker::{Author, Comment, Draft, Issue, Proposed};

use crate::git::GitError;
use http::Shared;
use server::{Loopback, Wire};

/// Makes an empty bare git repository at `dir`, whose default branch is `branch`, for
/// [`Repository::git`].
///
/// # Errors
/// It cannot be written.
pub fn bare(dir: &Path, branch: &str) -> Result<(), GitError> {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).initial_head(branch).external_template(false);
    crate::git::init(dir, &options).map(|_| ())
}

/// A running embedded GitHub. Dropping it closes the port and every connection;
/// [`EmbeddedGitHub::stop`] also waits until they are closed.
pub struct EmbeddedGitHub {
    url: String,
    shared: Shared,
    stop: watch::Sender<bool>,
    tasks: JoinSet<io::Result<()>>,
}

impl EmbeddedGitHub {
    /// Starts serving `model` on a free port of 127.0.0.1, on the current tokio runtime (with I/O
    /// and time enabled).
    ///
    /// # Errors
    /// No port could be bound.
    pub async fn start(mut model: Model) -> io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let listener = Loopback::bind(stopping.clone()).await?;
        let url = format!("http://{}", listener.local_addr()?);
        model.root.clone_from(&url);
        let shared = Shared::new(model);
        let service = Router::new()
            .fallback(http::handle)
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<Wire>();
        let mut tasks = JoinSet::new();
        // axum waits for the connections that it has spawned, and each ends when `stop` says so.
        tasks.spawn(
            axum::serve(listener, service)
                .with_graceful_shutdown(server::stopped(stopping))
                .into_future(),
        );
        Ok(Self { url, shared, stop, tasks })
    }

    /// Returns the API's root, `http://127.0.0.1:PORT`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Looks at the model or changes it, while no request is being answered.
    pub fn with<R>(&self, use_model: impl FnOnce(&mut Model) -> R) -> R {
        use_model(&mut self.shared.lock())
    }

    /// Lets the next requests to a repository meet `fault`; the same as [`Model::fault`].
    pub fn fault(&self, full_name: &str, fault: Fault) {
        self.with(|model| model.fault(full_name, fault));
    }

    /// Closes the port and every connection, and returns when all of it is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
