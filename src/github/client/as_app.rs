//! Requests of an App: those that get it a token for an owner's repositories, and those that are
//! sent with such a token, which GitHub may not know everywhere yet, or not any more. All of it
//! happens within one sending of a dispatch or read, so that whoever decides what is sent again
//! sees one answer, and need not know that a token was minted for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use tokio::task::JoinSet;
use url::Url;

use super::{Client, Request, bearer_of, failed, no_token};
use crate::github::answer::{Answer, Moved, Reply};
use crate::github::app::installation::Installation;
use crate::github::app::meaning::{self, Found, Minting, Next, Refusal, Trouble, Use};
use crate::github::app::minted::{Minted, life};
use crate::github::rate_limit::http_date;
use crate::names::RepoName;

/// How much of an answer about an App is read, in bytes: a token for 500 repositories is answered
/// with all that there is to say of each of them, some 6 KB.
const AT_MOST: usize = 8 * 1024 * 1024;

/// How long giving the tokens back may take in all: they end by themselves within the hour.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// How many tokens are given back at a time.
const AT_A_TIME: usize = 16;

/// Up to so many repositories are asked after one by one, when one of them is out of reach.
const FEW: usize = 4;

/// How many repositories GitHub lists on a page.
const PAGE: usize = 100;

/// Who shows a request's credentials: the App itself, or one of its tokens.
#[derive(Clone, Copy)]
enum By<'a> {
    App,
    Token(&'a SecretString),
}

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

    /// Returns a token that reaches the repository. One asks for all that need it.
    async fn token_for(
        &self,
        installation: &Installation,
        repo: &RepoName,
    ) -> Result<Minted, Trouble> {
        let known =
            || installation.known(repo, Instant::now()).map(|known| known.map_err(Trouble::Final));
        if let Some(known) = known() {
            return known;
        }
        let failures = installation.failures();
        // The semaphore is never closed.
        let _turn = installation.turn.acquire().await;
        if let Some(known) = known() {
            return known;
        }
        if let Some(answer) = installation.failed_since(failures) {
            return Err(Trouble::Passing(answer));
        }
        let asked = self.ask_for_token(installation, repo).await;
        // What is final is known from now on, by those whom it concerns.
        if let Err(Trouble::Passing(answer)) = &asked {
            installation.failed(answer);
        }
        asked
    }

    /// Finds the installation and has a token minted.
    async fn ask_for_token(
        &self,
        installation: &Installation,
        repo: &RepoName,
    ) -> Result<Minted, Trouble> {
        let settle = |refusal: Refusal| {
            installation.settle(Err(refusal.clone()));
            Trouble::Final(refusal)
        };
        let found = self.found(installation).await.map_err(|trouble| match trouble {
            Trouble::Final(refusal) => settle(refusal),
            passing @ Trouble::Passing(_) => passing,
        })?;
        let who = &installation.who;
        let permissions = installation
            .permissions
            .asked(&found.permissions)
            .map_err(|missing| settle(Refusal::not_granted(who, &missing)))?;
        let mut narrowed = false;
        loop {
            let names = installation.together_with(repo);
            if !names.iter().any(|name| name.key() == repo.key()) {
                let known = installation.known(repo, Instant::now());
                let refusal = known.and_then(Result::err);
                let refusal = refusal.unwrap_or_else(|| Refusal::not_on(who, repo));
                return Err(Trouble::Final(refusal));
            }
            let short: Vec<&str> = names.iter().map(RepoName::name).collect();
            let body = json!({ "repositories": short, "permissions": permissions });
            let reply = self.mint(installation, &found, &body).await?;
            match meaning::minting(&reply, who) {
                Minting::Token(secret, end) => {
                    let token = self.taken_in(secret, end, &reply);
                    tracing::debug!(
                        "{}: minted for {} repositories",
                        installation.label(),
                        names.len()
                    );
                    installation.keep(repo, token.clone());
                    return Ok(token);
                }
                Minting::NotThese if !narrowed => {
                    narrowed = true;
                    self.narrow(installation, &found, &names).await?;
                }
                Minting::NotThese => {
                    let refusal = Refusal::other(who, &reply);
                    for name in &names {
                        installation.leave_out(name, refusal.clone());
                    }
                    return Err(Trouble::Final(refusal));
                }
                Minting::Refused(refusal) => return Err(settle(refusal)),
            }
        }
    }

    /// Returns the installation, asking for it once in a run.
    async fn found(&self, installation: &Installation) -> Result<Found, Trouble> {
        if let Some(found) = installation.found() {
            return found.map_err(Trouble::Final);
        }
        let who = &installation.who;
        let url = self.api.path(&["users", &who.owner, "installation"]);
        let answer = self.asked(installation, Method::GET, url, None, By::App).await;
        let reply = meaning::settled(answer?, who)?;
        let found = meaning::found(&reply, who).map_err(Trouble::Final)?;
        installation.settle(Ok(found.clone()));
        Ok(found)
    }

    async fn mint(
        &self,
        installation: &Installation,
        found: &Found,
        body: &serde_json::Value,
    ) -> Result<Reply, Trouble> {
        let id = found.id.to_string();
        let url = self.api.path(&["app", "installations", &id, "access_tokens"]);
        let body = body.to_string();
        let answer = self.asked(installation, Method::POST, url, Some(&body), By::App).await;
        meaning::settled(answer?, &installation.who)
    }

    /// Takes in a token, so that it is masked, and in no text, before anybody has it.
    fn taken_in(&self, secret: SecretString, end: Timestamp, reply: &Reply) -> Minted {
        let number = self.tokens.issued().add(&secret);
        let date = reply.limits.date.as_deref().and_then(http_date);
        let life = life(end, date, Timestamp::now());
        Minted { secret, at: Instant::now(), life, number, taken: Arc::new(AtomicBool::new(false)) }
    }

    /// Finds out which of the repositories cannot be reached, and leaves them out.
    async fn narrow(
        &self,
        installation: &Installation,
        found: &Found,
        names: &[RepoName],
    ) -> Result<(), Trouble> {
        let listed =
            if names.len() > FEW { self.listed(installation, found, names).await? } else { None };
        let listed = listed.unwrap_or_default();
        for name in names.iter().filter(|name| !listed.contains(&name.key())) {
            let url = self.api.path(&["repos", name.owner(), name.name(), "installation"]);
            let answer = self.asked(installation, Method::GET, url, None, By::App).await?;
            let moved = answer.moved.clone();
            let reply = meaning::settled(answer, &installation.who)?;
            let why = match (reply.status, moved) {
                (200, None) => continue,
                (200, Some(Moved::To(new))) if new.key() == name.key() => continue,
                (200, Some(moved)) => Refusal::renamed(&moved.warning(name)),
                _ => Refusal::not_on(&installation.who, name),
            };
            installation.leave_out(name, why);
        }
        Ok(())
    }

    /// Returns the keys of all repositories of the installation; `None` when a question after each
    /// of `names` is less to ask.
    async fn listed(
        &self,
        installation: &Installation,
        found: &Found,
        names: &[RepoName],
    ) -> Result<Option<Vec<String>>, Trouble> {
        let body = json!({ "permissions": { "metadata": "read" } });
        let reply = self.mint(installation, found, &body).await?;
        let Minting::Token(secret, end) = meaning::minting(&reply, &installation.who) else {
            return Ok(None);
        };
        let token = self.taken_in(secret, end, &reply);
        let mut all = Vec::new();
        for page in 1_usize.. {
            let mut url = self.api.path(&["installation", "repositories"]);
            url.set_query(Some(&format!("per_page={PAGE}&page={page}")));
            let by = By::Token(&token.secret);
            let answer = self.asked(installation, Method::GET, url, None, by).await?;
            // Of a token that is not known everywhere yet nothing can be told.
            let Ok(Reply { status: 200, body, .. }) = answer.result else { return Ok(None) };
            let Some((total, page_names)) = meaning::listed(&body) else { return Ok(None) };
            if total.div_ceil(PAGE) > names.len() {
                return Ok(None);
            }
            let last = page_names.is_empty();
            all.extend(page_names);
            if last || all.len() >= total {
                break;
            }
        }
        Ok(Some(all))
    }

    /// Sends a request of the App's own, once, and a second time when it was refused because our
    /// clock differs from GitHub's.
    async fn asked(
        &self,
        installation: &Installation,
        method: Method,
        url: Url,
        body: Option<&str>,
        by: By<'_>,
    ) -> Result<Answer, Trouble> {
        let unsigned = || Trouble::Final(Refusal::unsigned(&installation.who));
        let mut corrected = false;
        loop {
            let jwt = match by {
                By::App => Some(installation.app.jwt(Timestamp::now()).ok_or_else(unsigned)?),
                By::Token(_) => None,
            };
            let secret = match (by, &jwt) {
                (By::Token(secret), _) => secret,
                (By::App, Some(jwt)) => {
                    self.tokens.issued().add_jwt(&jwt.secret);
                    &jwt.secret
                }
                (By::App, None) => return Err(unsigned()),
            };
            let bearer = bearer_of(secret).map_err(|_| unsigned())?;
            let request = Request::Call { method: &method, body, at_most: AT_MOST };
            tracing::debug!("{method} {}", self.api.below(&url));
            let answer = self.carry(url.clone(), bearer, request).await;
            if let (Ok(reply), Some(jwt)) = (&answer.result, &jwt)
                && reply.status == 401
                && !corrected
                && installation.app.corrected(jwt, reply.limits.date.as_deref(), Timestamp::now())
            {
                tracing::debug!("this machine's clock is not GitHub's, which counts from now on");
                corrected = true;
                continue;
            }
            return Ok(answer);
        }
    }

    /// Gives all tokens that were minted back, as far as that goes within five seconds.
    pub async fn give_tokens_back(&self) {
        let tokens = self.tokens.issued().to_give_back();
        let giving = async {
            for some in tokens.chunks(AT_A_TIME) {
                let mut requests = JoinSet::new();
                for secret in some.iter().cloned() {
                    let client = self.clone();
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
