//! The alarm's one issue: found, written, updated in place, closed and opened again. Its memory is
//! its own text, so whoever may steer what is read here steers the alarm: an issue is ours by its
//! label, which strangers cannot set, or by an author who is no stranger. What goes wrong is a
//! warning's text. Nothing is created twice: whatever may have been created is looked for first.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::Run;
use super::memory;
use super::state::{Change, State, judge};
use super::words::{self, Subject};
use crate::delivery::{Clock, Get, Put, Requests, Unanswered};
use crate::github::error::said;
use crate::github::{BadAddress, Read, Reply, TokenId, Write};
use crate::names::RepoName;

mod found;

use found::{Found, ours};

/// The label by which the issue is found.
pub(super) const LABEL: &str = "ecosystem-alarm";

/// How many pages of open issues are looked through where none has the label.
const PAGES: usize = 3;

/// How often all is done anew because another run wrote the same issue at the same moment.
const ROUNDS: usize = 3;

/// How much of a page of issues is taken, in bytes: 100 texts of 65,536 characters, each of which
/// JSON may write in six bytes. On a public repository strangers choose these texts, and must not
/// be able to hide the alarm behind them.
const PAGE_BYTES: usize = 64 * 1024 * 1024;

/// Where the issue is.
pub(super) struct Issues<'a, G, C> {
    pub(super) requests: &'a Requests<G, C>,
    pub(super) source: &'a RepoName,
    pub(super) token: TokenId,
}

/// What came of it: the change and the new state, as far as they are known, and what went wrong.
#[derive(Default)]
pub(super) struct Told {
    pub(super) judged: Option<(Change, State)>,
    pub(super) warnings: Vec<String>,
}

/// What came of creating the issue.
enum Created {
    /// It has this number, and the label or not.
    As(u64, bool),
    /// There is one that may be it.
    Perhaps,
}

/// What GitHub says of an issue that it has just made.
#[derive(Deserialize)]
struct New {
    number: u64,
    labels: Vec<IgnoredAny>,
}

impl<G: Get + Put, C: Clock> Issues<'_, G, C> {
    /// Brings the issue up to date with what the run tells. `before` counts where no issue
    /// remembers anything.
    pub(super) async fn update(&self, run: &Run<'_>, before: &State) -> Told {
        let mut told = Told::default();
        if let Err(warning) = self.rounds(run, before, &mut told).await {
            told.warnings.push(warning);
        }
        told
    }

    async fn rounds(&self, run: &Run<'_>, before: &State, told: &mut Told) -> Result<(), String> {
        let subject = Subject { source: self.source, run_url: run.url };
        // The text of an issue that this run has perhaps created.
        let mut sent: Option<String> = None;
        for _ in 0..ROUNDS {
            let all = self.find().await?;
            let known = all.first().and_then(|it| it.state.clone());
            let before = known.as_ref().unwrap_or(before);
            let (change, after) = judge(before, run.results, run.at, run.head);
            let body = words::body(&subject, &after);
            let own = sent.is_some() && all.first().map(|it| &it.body) == sent.as_ref();
            if !own {
                told.judged = Some((change.clone(), after.clone()));
            }
            match all.split_first() {
                None if after.is_empty() => return Ok(()),
                None => {
                    let created = self.create(&body).await?;
                    sent = Some(body.trim_end().to_owned());
                    let Created::As(number, labelled) = created else { continue };
                    if !labelled {
                        told.warnings.push(self.unlabelled(number));
                    }
                    if self.is_the_one(number).await? {
                        return Ok(());
                    }
                }
                Some((one, others)) => {
                    for other in others.iter().filter(|it| it.open && it.is_certain && one.open) {
                        self.close_duplicate(other.number, one.number).await?;
                    }
                    return self.follow(&subject, one, &change, &after, body).await;
                }
            }
        }
        Err(self.warning("other runs keep writing it at the same time"))
    }

    /// Brings an issue that is there up to date: at most one PATCH and one comment.
    async fn follow(
        &self,
        subject: &Subject<'_>,
        issue: &Found,
        change: &Change,
        after: &State,
        body: String,
    ) -> Result<(), String> {
        let open = !after.is_empty();
        // Nothing fails, and all that the issue remembers is that nothing does.
        if !open && !issue.open && issue.state.as_ref().is_none_or(State::is_empty) {
            return Ok(());
        }
        let mut fields = serde_json::Map::new();
        if issue.body != body.trim_end() {
            fields.insert("body".to_owned(), Value::String(body));
        }
        if issue.open != open {
            let (state, reason) = if open { ("open", "reopened") } else { ("closed", "completed") };
            fields.insert("state".to_owned(), Value::from(state));
            fields.insert("state_reason".to_owned(), Value::from(reason));
        }
        let number = issue.number.to_string();
        if !fields.is_empty() {
            let patch = Write::patch(self.source, &["issues", &number], &Value::Object(fields));
            self.write(patch, "change it").await?;
        }
        let lost = || (issue.open && !open).then(|| words::nothing_fails(subject));
        // Who has closed the issue by hand, and what is over since, hears no more of it.
        let heard = issue.open || open;
        let comment = words::comment(subject, change, after).or_else(lost).filter(|_| heard);
        if let Some(comment) = comment {
            let below = ["issues", &number, "comments"];
            let post = Write::post(self.source, &below, &json!({ "body": comment }));
            self.write(post, "comment on it").await?;
        }
        Ok(())
    }

    /// Creates the issue. Where nobody knows whether that was done, it is looked for before it is
    /// tried once more.
    async fn create(&self, body: &str) -> Result<Created, String> {
        let fields = json!({ "title": words::TITLE, "body": body, "labels": [LABEL] });
        let mut last = String::new();
        for _ in 0..2 {
            let post = Write::post(self.source, &["issues"], &fields);
            match self.sent(post).await {
                Ok(reply) if reply.status == 201 => {
                    return Ok(match serde_json::from_slice(&reply.body) {
                        Ok(New { number, labels }) => Created::As(number, !labels.is_empty()),
                        Err(_) => Created::Perhaps,
                    });
                }
                Ok(reply) => return Err(self.refused(&reply, "open it")),
                Err(Unanswered::Unknown(error)) => last = error,
                Err(unanswered) => return Err(self.warning(&unanswered.to_string())),
            }
            if self.find().await?.iter().any(|it| it.open) {
                return Ok(Created::Perhaps);
            }
        }
        Err(self.warning(&format!("whether it was opened is not known: {last}")))
    }

    /// Returns whether the issue that this run has just created stays. Of two that were created at
    /// the same moment, the one with the lower number does, and ours is closed.
    async fn is_the_one(&self, number: u64) -> Result<bool, String> {
        let all = self.find().await?;
        let lower = all.iter().filter(|it| it.open && it.number < number).map(|it| it.number).min();
        match lower {
            None => Ok(true),
            Some(lower) => self.close_duplicate(number, lower).await.map(|()| false),
        }
    }

    /// Closes an issue that is one too many, and takes the marker out of it, so that it is ours no
    /// longer.
    async fn close_duplicate(&self, number: u64, of: u64) -> Result<(), String> {
        let fields = json!({
            "body": words::duplicate(of), "labels": [],
            "state": "closed", "state_reason": "not_planned",
        });
        let patch = Write::patch(self.source, &["issues", &number.to_string()], &fields);
        self.write(patch, "close a duplicate of it").await
    }

    /// Returns the issues that are the alarm's: open ones first, the oldest of them first, then the
    /// closed ones, the newest first.
    async fn find(&self) -> Result<Vec<Found>, String> {
        let (labelled, _) = self.page(&[("labels", LABEL), ("state", "all")], 1, true).await?;
        let mut all = labelled;
        for page in 1..=PAGES {
            if !all.is_empty() {
                break;
            }
            let (found, next) = self.page(&[("state", "open")], page, false).await?;
            all = found;
            if !next {
                break;
            }
        }
        let order = |it: &Found| if it.open { (0, it.number) } else { (1, u64::MAX - it.number) };
        all.sort_by_key(order);
        Ok(all)
    }

    /// Returns the issues of a page that are ours, and whether there is another page.
    async fn page(
        &self,
        of: &[(&str, &str)],
        page: usize,
        labelled: bool,
    ) -> Result<(Vec<Found>, bool), String> {
        let number = page.to_string();
        let mut query = of.to_vec();
        query.extend([("sort", "created"), ("direction", "desc"), ("per_page", "100")]);
        query.push(("page", &number));
        let read = Read::new(self.source, &["issues"], &query)
            .map_err(|bad| self.warning(&bad.to_string()))?
            .at_most(PAGE_BYTES);
        let reply = self
            .requests
            .get(&read, self.token)
            .await
            .map_err(|unanswered| self.warning(&unanswered.to_string()))?;
        if reply.status != 200 {
            return Err(self.refused(&reply, "look for it"));
        }
        match ours(&reply.body, labelled) {
            Some(found) => Ok((found, reply.next_page)),
            None => Err(self.warning("GitHub's list of issues cannot be read")),
        }
    }

    /// Sends a write that must be answered with success.
    async fn write(&self, write: Result<Write, BadAddress>, what: &str) -> Result<(), String> {
        match self.sent(write).await {
            Ok(reply) if matches!(reply.status, 200 | 201) => Ok(()),
            Ok(reply) => Err(self.refused(&reply, what)),
            Err(unanswered) => Err(self.warning(&unanswered.to_string())),
        }
    }

    async fn sent(&self, write: Result<Write, BadAddress>) -> Result<Reply, Unanswered> {
        let write = write.map_err(|bad| Unanswered::Unreachable(bad.to_string()))?;
        self.requests.write(&write, self.token).await
    }

    fn warning(&self, why: &str) -> String {
        format!("the alarm issue in {} is not up to date: {why}", self.source)
    }

    /// Says that an issue may not be found again: GitHub drops labels without a word.
    fn unlabelled(&self, number: u64) -> String {
        let variable = self.requests.label(self.token);
        format!(
            "the alarm issue #{number} in {} has no label {LABEL}, by which it is found again: the \
             token in {variable} may not set labels; give its owner write access",
            self.source
        )
    }

    /// Says why GitHub does not let us, and what to do.
    fn refused(&self, reply: &Reply, what: &str) -> String {
        let (status, said) = (reply.status, said(reply));
        let variable = self.requests.label(self.token);
        let why = match status {
            410 => format!(
                "issues are turned off ({status}: {said}); turn them on in the repository's \
                 settings, or leave out --issue-on-failure"
            ),
            403 | 404 => format!(
                "the token in {variable} may not {what} ({status}: {said}); it needs the permission \
                 \"Issues: read and write\" there (`issues: write` in a workflow, the scope repo of \
                 a classic token)"
            ),
            _ => format!("GitHub does not let us {what} ({status}: {said})"),
        };
        self.warning(&why)
    }
}

#[cfg(test)]
mod tests;
