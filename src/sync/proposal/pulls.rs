//! The pull request at GitHub: looked for, opened, updated, closed, commented on. Nothing is created
//! twice: what may have been created is looked for first, and another run that was faster is no error.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::listing::{Listed, Pull};
use super::marker::{Marker, kept};
use super::{ProposalError, Standing, Text, body, labels};
use crate::delivery::{Clock, Get, Put, Requests, Unanswered};
use crate::github::issue::Comment;
use crate::github::{BadAddress, Read, Reply, TokenId, Write};
use crate::names::RepoName;
use crate::text::markdown::size;

/// How many pages of pull requests and of comments are looked through.
const PAGES: usize = 20;

/// How much of a page is taken, in bytes: 30 texts of 65,536 characters, each of which JSON may write
/// in six bytes, twice (GitHub repeats what is in a head's repository, not the text).
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// The longest text that GitHub takes, in characters, with something to spare.
const LONGEST: usize = 65_000;

/// The least room that our own text takes.
const LEAST: usize = 8_000;

/// The line by which a comment of ours is known.
const COMMENT: &str = "<!-- ecosystem-sync: comment -->";

/// The pull requests of a cousin.
pub struct Proposals<'a, G, C> {
    /// Who sends.
    pub requests: &'a Requests<G, C>,
    /// The cousin.
    pub repo: &'a RepoName,
    /// The token that is sent with.
    pub token: TokenId,
}

/// A pull request that is open now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its number.
    pub number: u64,
    /// Its page; empty when GitHub gave none.
    pub url: String,
    /// Whether this run has opened it.
    pub is_new: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// The names of the labels that it has.
    pub labels: Vec<String>,
}

impl Opened {
    /// Returns a pull request that is open, and whether this run has opened it.
    #[must_use]
    pub fn of(pull: Pull, is_new: bool) -> Self {
        let Pull { number, url, draft, labels, .. } = pull;
        Self { number, url, is_new, draft, labels }
    }
}

#[derive(Deserialize)]
struct Created {
    number: u64,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    draft: bool,
}

impl<G: Get + Put, C: Clock> Proposals<'_, G, C> {
    /// Returns what there is for a branch of the cousin's own: an open pull request into `base`, or
    /// the newest one when a person has closed it unmerged, or what it brought in when it was merged.
    ///
    /// # Errors
    /// See [`ProposalError`].
    pub async fn look(&self, branch: &str, base: &str) -> Result<Standing, ProposalError> {
        let open = self.newest(branch, base, "open").await?;
        if open.is_some() {
            return Ok(Standing { open, ..Standing::default() });
        }
        let closed = self.newest(branch, base, "closed").await?;
        let merged = closed.as_ref().filter(|pull| pull.merged).map(|pull| pull.head.clone());
        Ok(Standing { open, closed: closed.filter(Pull::is_declined), merged })
    }

    /// Returns the newest pull request into `base` that proposes the same of the same feature, from
    /// whichever branch of the cousin's own: one that is open, or that a person has closed unmerged.
    /// Only the newest 100 are looked at.
    ///
    /// # Errors
    /// See [`ProposalError`].
    pub async fn same_content(
        &self,
        base: &str,
        as_this: &Marker,
    ) -> Result<Option<Pull>, ProposalError> {
        let query = [
            ("base", base),
            ("state", "all"),
            ("sort", "created"),
            ("direction", "desc"),
            ("per_page", "100"),
            ("page", "1"),
        ];
        let reply = self.read(&["pulls"], &query).await?;
        let listed: Vec<Listed> = self.parsed(&reply)?;
        let same = |pull: &Pull| {
            let marker = pull.marker.as_ref();
            marker.is_some_and(|it| it.feature == as_this.feature && it.tree == as_this.tree)
        };
        let own = listed.into_iter().filter_map(Listed::own).filter(same);
        Ok(own.max_by_key(|pull| pull.number).filter(|it| it.is_open() || it.is_declined()))
    }

    /// Returns the newest pull request in this state.
    async fn newest(
        &self,
        branch: &str,
        base: &str,
        state: &str,
    ) -> Result<Option<Pull>, ProposalError> {
        let head = format!("{}:{branch}", self.repo.owner());
        for page in 1..=PAGES {
            let page = page.to_string();
            let query = [
                ("head", head.as_str()),
                ("base", base),
                ("state", state),
                ("sort", "created"),
                ("direction", "desc"),
                ("per_page", "30"),
                ("page", &page),
            ];
            let reply = self.read(&["pulls"], &query).await?;
            let listed: Vec<Listed> = self.parsed(&reply)?;
            let own = listed.into_iter().filter_map(|pull| pull.of(branch, base));
            let newest = own.filter(|pull| pull.is_open() == (state == "open"));
            if let Some(pull) = newest.max_by_key(|pull| pull.number) {
                return Ok(Some(pull));
            }
            if !reply.next_page {
                break;
            }
        }
        Ok(None)
    }

    /// Opens a pull request from `branch` into `base`, which keeps what people wrote to the text of
    /// the one whose place it takes. One that another run has opened meanwhile, or this one without
    /// hearing of it, is updated instead.
    ///
    /// # Errors
    /// See [`ProposalError`] and [`ProposalError::opened_nothing`].
    pub async fn open(
        &self,
        branch: &str,
        base: &str,
        proposal: &dyn Text,
        draft: bool,
        replaced: Option<&Pull>,
    ) -> Result<Opened, ProposalError> {
        let before = replaced.map(|pull| pull.body.as_str()).unwrap_or_default();
        // A text that had no room for ours is left where it is.
        let body = Some(rolled(before, proposal)).filter(|body| body != before);
        let fields = json!({
            "title": proposal.title(), "body": body.unwrap_or_else(|| proposal.within(body::LONGEST)),
            "head": branch, "base": base, "draft": draft,
        });
        let mut last = None;
        for _ in 0..2 {
            let exists = match self.sent(Write::post(self.repo, &["pulls"], &fields)).await {
                Ok(reply) if reply.status == 201 => match serde_json::from_slice(&reply.body) {
                    Ok(Created { number, html_url: url, draft }) => {
                        return Ok(Opened { number, url, is_new: true, draft, labels: Vec::new() });
                    }
                    Err(_) => ProposalError::Unreadable(self.repo.clone()),
                },
                Ok(reply) if already_exists(&reply) => ProposalError::Hidden(self.repo.clone()),
                Ok(reply) => return Err(self.refused(&reply, "open a pull request")),
                Err(ProposalError::Unanswered(Unanswered::Unknown(why))) => {
                    Unanswered::Unknown(why).into()
                }
                Err(error) => return Err(error),
            };
            if let Some(pull) = self.newest(branch, base, "open").await? {
                self.update(&pull, proposal).await?;
                return Ok(Opened::of(pull, false));
            }
            last = Some(exists);
        }
        Err(last.unwrap_or_else(|| ProposalError::Hidden(self.repo.clone())))
    }

    /// Makes an open pull request say what it now proposes, and returns whether anything changed. The
    /// title is ours when the pull request is; what people wrote to the text stays below ours.
    ///
    /// # Errors
    /// See [`ProposalError`].
    pub async fn update(&self, pull: &Pull, to: &dyn Text) -> Result<bool, ProposalError> {
        let mut fields = Map::new();
        let (title, body) = (to.title(), rolled(&pull.body, to));
        if pull.marker.is_some() && pull.title != title {
            fields.insert("title".to_owned(), Value::String(title));
        }
        if pull.body.trim_end() != body.trim_end() {
            fields.insert("body".to_owned(), Value::String(body));
        }
        if fields.is_empty() {
            return Ok(false);
        }
        self.patch(pull.number, &Value::Object(fields), "change a pull request").await?;
        Ok(true)
    }

    /// Closes a pull request with a comment that says why. It remembers that no person did.
    ///
    /// # Errors
    /// See [`ProposalError`]; the comment may have been written.
    pub async fn close(&self, pull: &Pull, why: &str) -> Result<(), ProposalError> {
        self.comment(pull.number, why).await?;
        let mut fields = Map::from_iter([("state".to_owned(), Value::from("closed"))]);
        if let Some(body) = Marker::closing(&pull.body) {
            fields.insert("body".to_owned(), Value::String(body));
        }
        self.patch(pull.number, &Value::Object(fields), "close a pull request").await
    }

    /// Opens a pull request again that [`Proposals::close`] has closed, as it was. Where it was
    /// closed for a draft and there are none, it remembers that, so that it is not tried each time.
    ///
    /// # Errors
    /// See [`ProposalError`]: GitHub does it only while the branch is where it was.
    pub async fn reopen(&self, pull: &Pull, no_drafts: bool) -> Result<(), ProposalError> {
        let remembers = Marker::undraftable(&pull.body).filter(|_| no_drafts);
        let body = remembers.unwrap_or_else(|| pull.body.clone());
        let fields = json!({ "state": "open", "body": body });
        self.patch(pull.number, &fields, "open a pull request again").await
    }

    /// Comments on a pull request, unless our last comment there says the same; returns whether it
    /// did.
    ///
    /// # Errors
    /// See [`ProposalError`].
    pub async fn comment(&self, number: u64, text: &str) -> Result<bool, ProposalError> {
        let body = format!("{COMMENT}\n{}\n", text.trim());
        let at = number.to_string();
        let mut said = self.said_last(number, &body).await?;
        for attempt in 0..2 {
            if said {
                return Ok(attempt > 0);
            }
            let post =
                Write::post(self.repo, &["issues", &at, "comments"], &json!({ "body": body }));
            match self.sent(post).await {
                Ok(reply) if reply.status == 201 => return Ok(true),
                Ok(reply) => return Err(self.refused(&reply, "comment on a pull request")),
                Err(error @ ProposalError::Unanswered(Unanswered::Unknown(_))) => {
                    said = self.said_last(number, &body).await?;
                    if attempt > 0 && !said {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Sets those labels that are not among `present`; returns what went wrong, which is a warning.
    pub async fn label(&self, number: u64, present: &[String], wanted: &[&str]) -> Option<String> {
        let has = |label: &str| present.iter().any(|it| it.eq_ignore_ascii_case(label));
        let missing: Vec<&str> = wanted.iter().copied().filter(|label| !has(label)).collect();
        labels::set(self.requests, self.repo, self.token, number, &missing).await
    }

    /// Returns whether our last comment is this one.
    async fn said_last(&self, number: u64, body: &str) -> Result<bool, ProposalError> {
        let number = number.to_string();
        let mut last = None;
        for page in 1..=PAGES {
            let page = page.to_string();
            let query = [("per_page", "30"), ("page", page.as_str())];
            let reply = self.read(&["issues", &number, "comments"], &query).await?;
            let comments: Vec<Comment> = self.parsed(&reply)?;
            let ours = comments.into_iter().filter(Comment::is_of_the_house);
            let mut ours = ours.filter_map(|comment| comment.body);
            last = ours.rfind(|body| body.starts_with(COMMENT)).or(last);
            if !reply.next_page {
                break;
            }
        }
        Ok(last.is_some_and(|last| last.replace("\r\n", "\n").trim() == body.trim()))
    }

    async fn read(&self, below: &[&str], query: &[(&str, &str)]) -> Result<Reply, ProposalError> {
        let read = Read::new(self.repo, below, query)?.at_most(PAGE_BYTES);
        let reply = self.requests.get(&read, self.token).await?;
        if reply.status == 200 {
            Ok(reply)
        } else {
            Err(self.refused(&reply, "look for pull requests"))
        }
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&self, reply: &Reply) -> Result<T, ProposalError> {
        serde_json::from_slice(&reply.body)
            .map_err(|_unreadable| ProposalError::Unreadable(self.repo.clone()))
    }

    async fn patch(
        &self,
        number: u64,
        fields: &Value,
        what: &'static str,
    ) -> Result<(), ProposalError> {
        let patch = Write::patch(self.repo, &["pulls", &number.to_string()], fields);
        let reply = self.sent(patch).await?;
        if reply.status == 200 { Ok(()) } else { Err(self.refused(&reply, what)) }
    }

    async fn sent(&self, write: Result<Write, BadAddress>) -> Result<Reply, ProposalError> {
        Ok(self.requests.write(&write?, self.token).await?)
    }

    fn refused(&self, reply: &Reply, what: &'static str) -> ProposalError {
        ProposalError::read(reply, what, self.repo, self.requests.label(self.token))
    }
}

/// Returns the text that a pull request is to have: ours, and below it what people wrote. What they
/// wrote is never cut: where it leaves no room, the text stays as it is.
fn rolled(before: &str, to: &dyn Text) -> String {
    let kept = kept(before);
    if kept.is_empty() {
        return to.within(body::LONGEST);
    }
    let room = LONGEST.saturating_sub(size(kept));
    if room < LEAST {
        return before.to_owned();
    }
    format!("{}\n{kept}\n", to.within(room.min(body::LONGEST)))
}

/// Whether the answer says that there is a pull request for the branch. GitHub has no code of its own
/// for it, only words: `A pull request already exists for acme:branch.`
fn already_exists(reply: &Reply) -> bool {
    let said = reply.message.as_deref().unwrap_or_default().to_ascii_lowercase();
    reply.status == 422 && said.contains("pull request already exists")
}
