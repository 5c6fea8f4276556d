//! Who speaks to GitHub for a sync: the token for this repository and, where there is one, that for
//! the source. Without a token nobody does, and nothing leaves this machine.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::request::{Request, SOURCE_TOKEN};
use super::stopping::{self, Stopping};
use crate::actions;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{self, RequestSettings, Requests, SystemClock};
use crate::github::auth::{AuthError, resolve};
use crate::github::{ApiUrl, Client, TokenId, Tokens};
use crate::names::RepoName;

/// The one that speaks.
pub(super) struct Speaker {
    runtime: Runtime,
    pub(super) requests: Requests<Client, SystemClock>,
    /// The cousin.
    pub(super) repo: RepoName,
    pub(super) token: TokenId,
    /// The source and the token that is for it alone.
    pub(super) source: Option<(RepoName, TokenId)>,
    stopped: watch::Receiver<Option<Exit>>,
}

impl Speaker {
    /// Returns the one that speaks; none without a token.
    pub(super) fn open(
        request: &Request<'_>,
        stopping: &Stopping,
        output: &Output,
    ) -> Result<Option<Self>, Failure> {
        let environment = request.environment;
        let lookup = |name: &str| environment.raw(name).map(ToOwned::to_owned);
        let token = match resolve(None, &lookup) {
            Ok(token) => token,
            Err(AuthError::NoToken) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let repo = request.repository.clone().ok_or_else(|| {
            Failure::new(
                "the name of this repository is not known",
                "name it with --repository OWNER/NAME, or commit on a local branch with --dry-run",
            )
        })?;
        let api = ApiUrl::parse(actions::api_url(environment))?;
        let mut tokens = Tokens::new();
        let token = tokens.add(token);
        let source = match (&request.source.repository, environment.text(SOURCE_TOKEN)) {
            (Some(source), Some(_)) if request.source_is_here() => {
                Some((source.clone(), tokens.add(resolve(Some(SOURCE_TOKEN), &lookup)?)))
            }
            _ => None,
        };
        cli::hide_others(&mut tokens, environment);
        output.mask(&tokens, environment);
        let settings = RequestSettings {
            max_wait: request.max_wait,
            tokens: tokens.labels(),
            ..RequestSettings::default()
        };
        let client = Arc::new(Client::new(api, tokens, request.timeout)?);
        let requests = Requests::new(client, SystemClock::start(), settings, delivery::random);
        let runtime = cli::network()?;
        let stopped = stopping.receiver();
        Ok(Some(Self { runtime, requests, repo, token, source, stopped }))
    }

    /// Waits for what GitHub says, and for signals.
    ///
    /// # Errors
    /// How the process is to end, where a signal came first.
    pub(super) fn wait<T>(&self, asked: impl Future<Output = T>) -> Result<T, Exit> {
        let mut stopped = self.stopped.clone();
        self.runtime.block_on(async {
            tokio::select! {
                // What is wished already is not begun.
                biased;
                exit = stopping::came(&mut stopped) => Err(exit),
                told = asked => Ok(told),
            }
        })
    }
}
