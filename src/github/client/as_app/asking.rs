//! What an App asks GitHub, so that it has a token: where it is installed, the token itself, and
//! which repositories are out of reach where GitHub refuses them together. One asks for all that
//! wait for the same; what the answers mean `app::meaning` says.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use jiff::Timestamp;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::super::{Client, Request, bearer_of};
use crate::github::answer::{Answer, Reply};
use crate::github::app::installation::Installation;
use crate::github::app::meaning::{self, Found, Minting, Refusal, Trouble};
use crate::github::app::minted::{Minted, life};
use crate::github::rate_limit::http_date;
use crate::names::RepoName;

/// How much of an answer about an App is read, in bytes: a token for 500 repositories is answered
/// with all that there is to say of each of them, some 6 KB.
const AT_MOST: usize = 8 * 1024 * 1024;

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
    /// Returns a token that reaches the repository. One asks for all that need it.
    pub(super) async fn token_for(
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
        // What is final here holds for all of the owner's repositories.
        let settle = |refusal: Refusal| {
            installation.settle(Err(refusal.clone()));
            Trouble::Final(refusal)
        };
        let settled = |trouble| match trouble {
            Trouble::Final(refusal) => settle(refusal),
            passing @ Trouble::Passing(_) => passing,
        };
        let found = self.found(installation).await.map_err(settled)?;
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
            let reply = self.mint(installation, &found, &body).await.map_err(settled)?;
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
            let why = match meaning::settled(answer, &installation.who) {
                Ok(reply) => match (reply.status, moved) {
                    (200, None) => continue,
                    (200, Some(moved)) => Refusal::renamed(&moved.warning(name, "ecosystem.json")),
                    (404, _) => Refusal::not_on(&installation.who, name),
                    _ => Refusal::other(&installation.who, &reply),
                },
                Err(Trouble::Final(refusal)) => refusal,
                Err(passing @ Trouble::Passing(_)) => return Err(passing),
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
    ) -> Result<Option<HashSet<String>>, Trouble> {
        let body = json!({ "permissions": { "metadata": "read" } });
        let reply = self.mint(installation, found, &body).await?;
        let Minting::Token(secret, end) = meaning::minting(&reply, &installation.who) else {
            return Ok(None);
        };
        let token = self.taken_in(secret, end, &reply);
        let mut all = HashSet::new();
        for page in 1..=names.len() {
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
            let bearer = bearer_of(secret).map_err(|_unfit| unsigned())?;
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
}
