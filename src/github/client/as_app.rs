//! Requests of an App: those that get it a token for an owner's repositories, and those that are
//! sent with such a token, which GitHub may not know everywhere yet, or not any more. All of it
//! happens within one sending of a dispatch or read, so that whoever decides what is sent again
//! sees one answer, and need not know that a token was minted for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use secrecy::SecretString;
use tokio::task::JoinSet;
use url::Url;

use super::{Client, Request, bearer_of, failed, no_token};
use crate::github::answer::Answer;
use crate::github::app::installation::Installation;
use crate::github::app::meaning::{self, Next, Use};
use crate::names::RepoName;

mod asking;

/// How long giving the tokens back may take in all: they end by themselves within the hour.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// How many tokens are given back at a time.
const AT_A_TIME: usize = 16;

impl Client {
    /// Sends a request about `repo` with a token of the installation, minted where there is none.
    pub(super) async fn send_as_app(
        &self,
        first: Url,
        repo: &RepoName,
        installation: &Arc<Installation>,
        request: Request<'_>,
    ) -> Answer {
        let (mut requests, mut again, mut renewed) = (0, 0, false);
        loop {
            let token = match self.token_for(installation, repo).await {
                Ok(token) => token,
                Err(trouble) => {
                    let answer = trouble.into_answer();
                    return Answer { requests: requests + answer.requests, ..answer };
                }
            };
            let bearer = match bearer_of(&token.secret) {
                Ok(bearer) => bearer,
                Err(cause) => return failed(requests, None, no_token(cause)),
            };
            let answer = self.carry(first.clone(), bearer, request).await;
            requests += answer.requests;
            let next = answer.result.as_ref().map_or(Next::Keep, |reply| {
                if reply.status < 300 {
                    token.taken.store(true, Ordering::Relaxed);
                }
                let age = token.at.elapsed();
                let taken = token.taken.load(Ordering::Relaxed);
                let sees_repository = request.sees_repository();
                meaning::next(reply, Use { age, taken, again, renewed, sees_repository })
            });
            match next {
                Next::Keep => return Answer { requests, ..answer },
                Next::Again(wait) => {
                    tracing::debug!("{repo}: GitHub does not know the App's token yet");
                    again += 1;
                    tokio::time::sleep(wait).await;
                }
                Next::Renew => {
                    tracing::debug!("{repo}: the App's token is refused, another is asked for");
                    (again, renewed) = (0, true);
                    installation.forget(&token);
                }
            }
        }
    }

    /// Gives all tokens that were minted back, as far as that goes within five seconds.
    pub async fn give_tokens_back(&self) {
        let tokens = self.tokens.issued().to_give_back();
        let giving = async {
            for some in tokens.chunks(AT_A_TIME) {
                let mut requests = JoinSet::new();
                for secret in some {
                    let (client, secret) = (self.clone(), secret.clone());
                    requests.spawn(async move { client.give_back(&secret).await });
                }
                requests.join_all().await;
            }
        };
        if tokio::time::timeout(GIVING_BACK, giving).await.is_err() {
            tracing::debug!(
                "not all of the App's tokens were given back; they end within the hour"
            );
        }
    }

    async fn give_back(&self, secret: &SecretString) {
        let Ok(bearer) = bearer_of(secret) else { return };
        let method = Method::DELETE;
        let request = Request::Call { method: &method, body: None, at_most: 0 };
        let answer = self.carry(self.api.path(&["installation", "token"]), bearer, request).await;
        match answer.result {
            Ok(reply) => tracing::debug!("gave a token of the App back: answered {}", reply.status),
            Err(error) => tracing::debug!("cannot give a token of the App back: {error}"),
        }
    }
}
