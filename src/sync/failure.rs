//! The one issue that says that a feature's updates do not arrive: at the cousin, and at the source
//! when there is a token for it. It is found by what it remembers and by its label, which strangers
//! cannot set, or by an author who is no stranger; it is updated in place, closed by the first sync
//! that succeeds, and opened again. What goes wrong here is a warning's text and hides no failure.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::delivery::{Clock, Get, Put, Requests, Unanswered};
use crate::github::error::said;
use crate::github::{BadAddress, Read, Reply, TokenId, Write};
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::sync::proposal::set_labels;

mod by_hand;
mod found;
mod words;

pub use by_hand::{ByHand, commands_by_hand, commands_to_rebase, shell_quoted};

use found::{Found, Key, ours};

/// The label by which the issue is found.
const LABEL: &str = "upstream-issue";

/// The labels of the issue at the cousin.
pub const AT_COUSIN: &[&str] = &[LABEL, "help-wanted", "upstream-sync"];

/// The labels of the issue at the source.
pub const AT_SOURCE: &[&str] = &[LABEL, "help-wanted"];

/// How many pages are looked through: of those with the label, and of the open ones where none has it.
const LABELLED: usize = 5;
const OPEN: usize = 3;

/// How much of a page is taken, in bytes: 100 texts of 65,536 characters, each of which JSON may
/// write in six bytes.
const PAGE_BYTES: usize = 64 * 1024 * 1024;

/// What a failure is about: one feature of one source in one cousin.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The feature.
    pub feature: &'a FeaturePath,
    /// The monorepo.
    pub source: &'a RepoName,
    /// The cousin.
    pub cousin: &'a RepoName,
    /// The page of the server that both are on, such as `https://github.com`.
    pub server: &'a str,
    /// The page of the run.
    pub run_url: Option<&'a str>,
}

/// What failed, and what to do.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// What failed and why, in one line; parts of it may be others' words.
    pub error: &'a str,
    /// What to do about it.
    pub help: Option<&'a str>,
    /// The upstream commit that was to be brought, when it is known.
    pub commit: Option<&'a CommitSha>,
    /// Now: the issue says since when it fails.
    pub at: Timestamp,
    /// What a person can run to finish by hand, a command each: see [`commands_by_hand`].
    pub commands: &'a [String],
}

/// Where the issue is.
pub struct FailureIssues<'a, G, C> {
    /// Who sends.
    pub requests: &'a Requests<G, C>,
    /// The cousin, or the source.
    pub repo: &'a RepoName,
    /// The token that is sent with.
    pub token: TokenId,
    /// Its labels: [`AT_COUSIN`] or [`AT_SOURCE`].
    pub labels: &'a [&'a str],
}

/// The issues about failures that are open in a repository.
#[derive(Debug, Default)]
pub struct OpenIssues(Vec<Found>);

/// A page of GitHub's list.
struct Page {
    found: Vec<Found>,
    more: bool,
}

/// Why a page was not seen, in words of a warning.
enum Unseen {
    Refused(u16, String),
    Other(String),
}

impl<G: Get + Put, C: Clock> FailureIssues<'_, G, C> {
    /// Says that a sync has failed: opens the issue, or brings it up to date without a comment.
    /// Returns its number, where there is one, and what went wrong with that.
    pub async fn failed(
        &self,
        subject: &Subject<'_>,
        failure: &Failure<'_>,
    ) -> (Option<u64>, Vec<String>) {
        let mut warnings = Vec::new();
        let number = match self.say(subject, failure, &mut warnings).await {
            Ok(number) => number,
            Err(warning) => {
                warnings.push(warning);
                None
            }
        };
        (number, warnings)
    }

    /// Returns the issues that are open, of whichever feature: asked for once for all of a run. For
    /// a token that may not see them there are none, since it has opened none.
    ///
    /// # Errors
    /// What is to be said of it.
    pub async fn open(&self) -> Result<OpenIssues, String> {
        let query = [("state", "open"), ("per_page", "100"), ("page", "1")];
        let first = match self.page(&query).await {
            Ok(first) => first,
            Err(Unseen::Refused(401 | 403 | 404 | 410, _)) => return Ok(OpenIssues::default()),
            Err(Unseen::Refused(_, why) | Unseen::Other(why)) => return Err(why),
        };
        let mut all = first.found;
        if first.more {
            let labelled = self.pages(None, &[("labels", LABEL), ("state", "open")], LABELLED);
            for found in labelled.await? {
                if all.iter().all(|it| it.number != found.number) {
                    all.push(found);
                }
            }
        }
        Ok(OpenIssues(all))
    }

    /// Says that a sync has succeeded: closes the issue with a comment when it is among those that
    /// are open. Returns what went wrong with that.
    pub async fn succeeded(&self, subject: &Subject<'_>, open: &OpenIssues) -> Vec<String> {
        let key = Key::of(subject);
        let mut warnings = Vec::new();
        for issue in open.0.iter().filter(|it| it.open && it.key == key) {
            warnings.extend(self.over(subject, issue.number).await.err());
        }
        warnings
    }

    async fn say(
        &self,
        subject: &Subject<'_>,
        failure: &Failure<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<u64>, String> {
        let key = Key::of(subject);
        let mut last = "it was opened and cannot be found".to_owned();
        for _ in 0..2 {
            let all = self.find(&key, "all").await?;
            if let Some(issue) = all.first() {
                self.follow(subject, failure, issue).await?;
                return Ok(Some(issue.number));
            }
            let body = words::body(subject, failure, &key, failure.at);
            let fields =
                json!({ "title": words::title(subject), "body": body, "labels": self.labels });
            match self.sent(Write::post(self.repo, &["issues"], &fields)).await {
                Ok(reply) if reply.status == 201 => {
                    let Some(created) = found::created(&reply.body) else { continue };
                    let has = |label: &&str| created.labels.iter().any(|it| it == *label);
                    let missing: Vec<&str> =
                        self.labels.iter().copied().filter(|label| !has(label)).collect();
                    warnings.extend(
                        set_labels(self.requests, self.repo, self.token, created.number, &missing)
                            .await,
                    );
                    return self.yield_to_older(&key, created.number).await;
                }
                Ok(reply) => return Err(self.refused(&reply, "open it")),
                // Whether there is one now is seen in the next round.
                Err(Unanswered::Unknown(why)) => last = why,
                Err(unanswered) => return Err(self.warning(&unanswered.to_string())),
            }
        }
        let found = self.find(&key, "open").await?;
        found.first().map_or_else(|| Err(self.warning(&last)), |it| Ok(Some(it.number)))
    }

    /// Brings an issue that is there up to date with at most one PATCH.
    async fn follow(
        &self,
        subject: &Subject<'_>,
        failure: &Failure<'_>,
        issue: &Found,
    ) -> Result<(), String> {
        // A failure that was over and is back is a new one.
        let since = if issue.open { issue.since } else { failure.at };
        let body = words::body(subject, failure, &Key::of(subject), since);
        let mut fields = Map::new();
        if issue.body != body.trim_end() {
            fields.insert("body".to_owned(), Value::String(body));
        }
        if !issue.open {
            fields.insert("state".to_owned(), Value::from("open"));
            fields.insert("state_reason".to_owned(), Value::from("reopened"));
        }
        if fields.is_empty() {
            return Ok(());
        }
        self.patch(issue.number, &Value::Object(fields), "change it").await
    }

    /// Closes an issue: the comment first, so that one which is closed has always been told of.
    async fn over(&self, subject: &Subject<'_>, number: u64) -> Result<(), String> {
        let below = ["issues", &number.to_string(), "comments"];
        let body = json!({ "body": words::over(subject) });
        let reply = self
            .sent(Write::post(self.repo, &below, &body))
            .await
            .map_err(|unanswered| self.warning(&unanswered.to_string()))?;
        if reply.status != 201 {
            return Err(self.refused(&reply, "comment on it"));
        }
        let fields = json!({ "state": "closed", "state_reason": "completed" });
        self.patch(number, &fields, "close it").await
    }

    /// Closes the issue that this run has opened when another run was faster, and returns the one
    /// that stays.
    async fn yield_to_older(&self, key: &Key, number: u64) -> Result<Option<u64>, String> {
        let all = self.find(key, "open").await?;
        let older = all.iter().map(|it| it.number).filter(|it| *it < number).min();
        let Some(older) = older else { return Ok(Some(number)) };
        let fields = json!({
            "body": words::duplicate(older), "state": "closed", "state_reason": "not_planned",
        });
        self.patch(number, &fields, "close a duplicate of it").await?;
        Ok(Some(older))
    }

    /// Returns the issues about this, in this state: open ones first, the oldest of them first, then
    /// the closed ones, the newest first.
    async fn find(&self, key: &Key, state: &str) -> Result<Vec<Found>, String> {
        let mut all =
            self.pages(Some(key), &[("labels", LABEL), ("state", state)], LABELLED).await?;
        if all.is_empty() {
            all = self.pages(Some(key), &[("state", "open")], OPEN).await?;
        }
        all.sort_by_key(|it| if it.open { (0, it.number) } else { (1, u64::MAX - it.number) });
        Ok(all)
    }

    /// Returns the issues on so many pages that are about this, or about anything, up to an open one
    /// that is about this.
    async fn pages(
        &self,
        key: Option<&Key>,
        of: &[(&str, &str)],
        most: usize,
    ) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        for page in 1..=most {
            let number = page.to_string();
            let mut query = of.to_vec();
            query.extend([("sort", "created"), ("direction", "desc"), ("per_page", "100")]);
            query.push(("page", &number));
            let page = self.page(&query).await.map_err(|unseen| match unseen {
                Unseen::Refused(_, why) | Unseen::Other(why) => why,
            })?;
            let about = page.found.into_iter().filter(|it| key.is_none_or(|key| it.key == *key));
            all.extend(about);
            if !page.more || (key.is_some() && all.iter().any(|it: &Found| it.open)) {
                break;
            }
        }
        Ok(all)
    }

    async fn page(&self, query: &[(&str, &str)]) -> Result<Page, Unseen> {
        let other = |why: String| Unseen::Other(self.warning(&why));
        let read = Read::new(self.repo, &["issues"], query)
            .map_err(|bad| other(bad.to_string()))?
            .at_most(PAGE_BYTES);
        let reply = self.requests.get(&read, self.token).await;
        let reply = reply.map_err(|unanswered| other(unanswered.to_string()))?;
        if reply.status != 200 {
            return Err(Unseen::Refused(reply.status, self.refused(&reply, "look for it")));
        }
        let found = ours(&reply.body);
        let found = found.ok_or_else(|| other("GitHub's list of issues cannot be read".to_owned()));
        Ok(Page { found: found?, more: reply.next_page })
    }

    async fn patch(&self, number: u64, fields: &Value, what: &str) -> Result<(), String> {
        let patch = Write::patch(self.repo, &["issues", &number.to_string()], fields);
        match self.sent(patch).await {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(self.refused(&reply, what)),
            Err(unanswered) => Err(self.warning(&unanswered.to_string())),
        }
    }

    async fn sent(&self, write: Result<Write, BadAddress>) -> Result<Reply, Unanswered> {
        let write = write.map_err(|bad| Unanswered::Unreachable(bad.to_string()))?;
        self.requests.write(&write, self.token).await
    }

    fn warning(&self, why: &str) -> String {
        format!("the issue about the failed sync in {} is not up to date: {why}", self.repo)
    }

    /// Says why GitHub does not let us, and what to do.
    fn refused(&self, reply: &Reply, what: &str) -> String {
        let (status, said) = (reply.status, said(reply));
        let variable = self.requests.label(self.token);
        self.warning(&match status {
            410 => format!(
                "issues are turned off ({status}: {said}); turn them on in the repository's settings, \
                 or run with --no-issue"
            ),
            403 | 404 => format!(
                "the token in {variable} may not {what} ({status}: {said}); it needs the permission \
                 \"Issues: read and write\" there (`issues: write` in a workflow)"
            ),
            _ => format!("GitHub does not let us {what} ({status}: {said})"),
        })
    }
}

#[cfg(test)]
mod tests;
