//! What GitHub's answers to an App mean: pure functions of the answer. An answer either settles a
//! question, or refuses the App for good, in words that say what to do; or it is a limit or a failure
//! that passes, which goes on to `delivery` as any answer does, to be judged by the rules there.
//! Source: GitHub's REST documentation, "GitHub Apps" and "GitHub App installations".

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::{ID, KEY, KEY_FILE};
use crate::github::answer::{Answer, Reply};
use crate::github::error::{TransportError, TransportKind, said};
use crate::names::RepoName;

/// For so long after a token was minted GitHub may not know it everywhere.
const LAG: Duration = Duration::from_secs(5);

/// The back-off meanwhile.
const LAG_WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Which App asks for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) app: String,
    pub(crate) owner: String,
}

/// Why there will be no token in this run: lower case, one line, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trouble {
    /// There will be none.
    Final(Refusal),
    /// There may be one later: the answer is judged as one to what should have been sent.
    Passing(Box<Answer>),
}

impl Refusal {
    fn not_installed(who: &Who) -> Self {
        let Who { app, owner } = who;
        Self(format!(
            "the App {app} is not installed for {owner}: install it there with access to the \
             cousins, or give them a token_env"
        ))
    }

    fn suspended(who: &Who) -> Self {
        let Who { app, owner } = who;
        Self(format!(
            "the installation of the App {app} for {owner} is suspended: unsuspend it among the \
             GitHub Apps in the settings of {owner}"
        ))
    }

    pub(crate) fn not_granted(who: &Who, what: &str) -> Self {
        let Who { app, owner } = who;
        Self(format!(
            "the App {app} was not granted {what} for {owner}: add it in the App's settings, and \
             accept it in those of {owner}"
        ))
    }

    pub(crate) fn not_on(who: &Who, repo: &RepoName) -> Self {
        let Who { app, owner } = who;
        Self(format!(
            "the App {app} is not installed on {repo}: add the repository to its installation for \
             {owner}, or check the name"
        ))
    }

    /// Says that the repository goes by another name; `warning` tells which.
    pub(crate) fn renamed(warning: &str) -> Self {
        Self(format!("{warning} (an App's token is for present names)"))
    }

    fn key_refused(who: &Who, reply: &Reply) -> Self {
        let (app, status, said) = (&who.app, reply.status, said(reply));
        Self(format!(
            "GitHub refuses the App {app} ({status}: {said}): check that {ID} and {KEY} (or {KEY_FILE}) \
             belong together, and this machine's clock"
        ))
    }

    pub(crate) fn unsigned(who: &Who) -> Self {
        Self(format!("the key of the App {} does not sign: replace it", who.app))
    }

    pub(crate) fn other(who: &Who, reply: &Reply) -> Self {
        let (Who { app, owner }, status) = (who, reply.status);
        let why = match reply.refused {
            Some(why) => format!("redirected {why}"),
            None => said(reply),
        };
        Self(format!("GitHub gave the App {app} no token for {owner} ({status}: {why})"))
    }
}

impl Trouble {
    /// Returns the trouble as an answer to the request that had no token.
    pub(crate) fn into_answer(self) -> Answer {
        match self {
            Self::Final(refusal) => unsent(TransportKind::NoToken, refusal.to_string()),
            Self::Passing(answer) => *answer,
        }
    }
}

/// Returns what came of a request that was not sent.
fn unsent(kind: TransportKind, cause: String) -> Answer {
    Answer { requests: 0, moved: None, result: Err(TransportError { kind, cause, sent: false }) }
}

/// Returns the reply when it settles something.
pub(crate) fn settled(answer: Answer, who: &Who) -> Result<Reply, Trouble> {
    let passing = |answer| Err(Trouble::Passing(Box::new(answer)));
    let asking = || format!("asking for a token of the App {}", who.app);
    match answer.result {
        Err(TransportError { kind, cause, .. }) => {
            passing(unsent(kind, format!("{}: {cause}", asking())))
        }
        Ok(reply) if reply.refused.is_some() => Err(Trouble::Final(Refusal::other(who, &reply))),
        Ok(reply) if reply.status == 401 || is_unknown_app(&reply) => {
            Err(Trouble::Final(Refusal::key_refused(who, &reply)))
        }
        Ok(reply) if reply.is_limit() => {
            passing(Answer { requests: 0, moved: None, result: Ok(reply) })
        }
        Ok(reply) if reply.broken || reply.status >= 500 => {
            let what = if reply.broken { "the answer broke off" } else { "the server failed" };
            let cause = format!("{}, {what} ({}: {})", asking(), reply.status, said(&reply));
            passing(unsent(TransportKind::NoTokenYet, cause))
        }
        Ok(reply) => Ok(reply),
    }
}

/// Of an id that belongs to no App GitHub says something else than of what is not there.
fn is_unknown_app(reply: &Reply) -> bool {
    reply.status == 404 && reply.message.as_deref() == Some("Integration not found")
}

/// An installation, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Found {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) permissions: BTreeMap<String, String>,
    #[serde(default)]
    suspended_at: Option<String>,
}

/// Returns the installation that GitHub tells of.
pub(crate) fn found(reply: &Reply, who: &Who) -> Result<Found, Refusal> {
    match reply.status {
        200 => {
            let Ok(found) = serde_json::from_slice::<Found>(&reply.body) else {
                return Err(Refusal::other(who, reply));
            };
            if found.suspended_at.is_some() { Err(Refusal::suspended(who)) } else { Ok(found) }
        }
        404 => Err(Refusal::not_installed(who)),
        _ => Err(Refusal::other(who, reply)),
    }
}

/// What came of asking for a token.
pub(crate) enum Minting {
    /// The token, and when it ends.
    Token(SecretString, Timestamp),
    /// One of the repositories cannot be reached, and GitHub does not say which.
    NotThese,
    /// There is none.
    Refused(Refusal),
}

/// Returns what the answer to a request for a token means.
pub(crate) fn minting(reply: &Reply, who: &Who) -> Minting {
    let says = |word: &str| {
        reply.message.as_ref().is_some_and(|text| text.to_ascii_lowercase().contains(word))
    };
    match reply.status {
        201 => token(&reply.body).unwrap_or_else(|| Minting::Refused(Refusal::other(who, reply))),
        403 if says("suspended") => Minting::Refused(Refusal::suspended(who)),
        404 => Minting::Refused(Refusal::not_installed(who)),
        422 if says("permission") => Minting::Refused(Refusal::not_granted(who, "what is needed")),
        422 => Minting::NotThese,
        _ => Minting::Refused(Refusal::other(who, reply)),
    }
}

fn token(body: &[u8]) -> Option<Minting> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
        expires_at: Timestamp,
    }
    let Body { token, expires_at } = serde_json::from_slice(body).ok()?;
    // Of any length: GitHub has announced longer ones than the 40 characters of today.
    let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let secret = SecretString::from(token);
    fits.then_some(Minting::Token(secret, expires_at))
}

/// Returns how many repositories an installation has and the names on this page of its list, in
/// lower case.
pub(crate) fn listed(body: &[u8]) -> Option<(usize, Vec<String>)> {
    #[derive(Deserialize)]
    struct Body {
        total_count: usize,
        repositories: Vec<Repository>,
    }
    #[derive(Deserialize)]
    struct Repository {
        full_name: String,
    }
    let Body { total_count, repositories } = serde_json::from_slice(body).ok()?;
    Some((total_count, repositories.into_iter().map(|it| it.full_name.to_lowercase()).collect()))
}

/// What is done after an answer to a request that was sent with a minted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The answer stands.
    Keep,
    /// The request is sent again with the same token after this wait: GitHub may not know the
    /// token everywhere yet.
    Again(Duration),
    /// It is sent again with a new token.
    Renew,
}

/// What is known of a token when an answer comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    /// How long ago it was minted.
    pub(crate) age: Duration,
    /// Whether it was good for something already.
    pub(crate) taken: bool,
    /// How often the request was sent again with it.
    pub(crate) again: usize,
    /// Whether the request has had a token renewed for it.
    pub(crate) renewed: bool,
    /// Whether a 404 would mean that the token cannot see the repository.
    pub(crate) sees_repository: bool,
}

/// Returns what is done after `reply`.
pub(crate) fn next(reply: &Reply, with: Use) -> Next {
    let lag = LAG_WAITS.get(with.again).filter(|_| with.age < LAG).copied();
    let message = reply.message.as_deref().unwrap_or_default();
    let unseen = match reply.status {
        401 => {
            let refused = if with.renewed { Next::Keep } else { Next::Renew };
            return lag.map_or(refused, Next::Again);
        }
        403 => !reply.is_limit() && message.starts_with("Resource not accessible"),
        404 => with.sees_repository,
        _ => false,
    };
    lag.filter(|_| unseen && !with.taken).map_or(Next::Keep, Next::Again)
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
