//! Asks GitHub for the workflow runs of one cousin: one request, and further ones only where a page
//! was full. What comes back was written by others (a run's name by whoever sends events to the
//! cousin), so of it only an id is looked for in names, and a link is taken only in a form that
//! is harmless wherever it is shown.

use jiff::Timestamp;
use serde::Deserialize;
use url::{Host, Url};

use crate::delivery::clock::Clock;
use crate::delivery::receipts::matching::Run;
use crate::delivery::requests::{Get, Requests, Unanswered};
use crate::github::error::said;
use crate::github::{Read, Reply, TokenId};
use crate::names::RepoName;

/// The event that a dispatch is.
const EVENT: &str = "repository_dispatch";

/// How many runs GitHub puts on a page, at most.
const PER_PAGE: usize = 100;

/// How many pages are read at a time, at most, where they can hold all that is looked for.
const PAGES: usize = 3;

/// How many pages there are of a list that was asked for with `created`, at most: GitHub gives a
/// thousand results. Source: REST documentation, "List workflow runs for a repository".
const ALL_PAGES: usize = 10;

/// How much of an answer is taken: a run has 15 to 20 KB, because GitHub describes its repository
/// in full, twice, and a page has a hundred of them.
const AT_MOST: usize = 8 * 1024 * 1024;

/// The longest link that is taken, in bytes.
const LONGEST_URL: usize = 500;

/// What is asked about one cousin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) repo: RepoName,
    pub(super) token: TokenId,
    /// Runs created before this are of no interest.
    pub(super) since: Timestamp,
    /// The ids that are looked for: when all are found, no further page is read.
    pub(super) ids: Vec<String>,
}

impl Question {
    /// Returns how many pages are read about so many dispatches: a cousin that is told of many
    /// features at once has as many runs.
    pub(super) fn pages(dispatches: usize) -> usize {
        (dispatches / PER_PAGE + 2).clamp(PAGES, ALL_PAGES)
    }

    /// Returns how many runs are looked at for so many dispatches.
    pub(super) fn most_runs(dispatches: usize) -> usize {
        Self::pages(dispatches) * PER_PAGE
    }
}

/// What was heard about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) runs: Vec<Run>,
    /// Whether there are more runs than were read.
    pub(super) more: bool,
    /// Why this is not all.
    pub(super) trouble: Option<Trouble>,
}

/// Why the runs could not be had. The text is for people: lower case, one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) why: String,
    /// Whether asking again would end the same.
    pub(super) lasting: bool,
}

/// Asks for the runs that were created since, newest first.
pub(super) async fn ask<G: Get, C: Clock>(requests: &Requests<G, C>, about: &Question) -> Heard {
    let mut heard = Heard::default();
    // GitHub's search syntax for dates, in whole seconds of UTC.
    let since = about.since.strftime(">=%Y-%m-%dT%H:%M:%SZ").to_string();
    for page in 1..=Question::pages(about.ids.len()) {
        let number = page.to_string();
        let mut query = vec![("event", EVENT), ("created", &since), ("per_page", "100")];
        if page > 1 {
            query.push(("page", &number));
        }
        let answer = match Read::new(&about.repo, &["actions", "runs"], &query) {
            Ok(read) => requests.get(&read.at_most(AT_MOST), about.token).await,
            Err(bad) => Err(Unanswered::Unreachable(bad.to_string())),
        };
        let runs = answer.map_err(unanswered).and_then(|reply| {
            heard.more = reply.next_page;
            let redacted = |url| requests.redacted(url);
            runs(&reply, about, requests.label(about.token), redacted)
        });
        match runs {
            Ok(runs) => heard.runs.extend(runs),
            Err(trouble) => heard.trouble = Some(trouble),
        }
        let named = |id: &String| {
            heard.runs.iter().any(|run| run.names.iter().any(|name| name.contains(id.as_str())))
        };
        if !heard.more || heard.trouble.is_some() || about.ids.iter().all(named) {
            break;
        }
    }
    heard
}

fn unanswered(unanswered: Unanswered) -> Trouble {
    let (why, lasting) = match unanswered {
        Unanswered::TokenRefused(why) | Unanswered::NoToken(why) => (why, true),
        Unanswered::Deferred(_, after) => (
            format!(
                "GitHub's rate limit for its token lets nobody look for its run before {after}: look at \
                 its Actions tab"
            ),
            true,
        ),
        // A read creates nothing.
        Unanswered::Unreachable(why) | Unanswered::Unknown(why) => {
            (format!("GitHub could not be asked for its runs: {why}"), false)
        }
    };
    Trouble { why, lasting }
}

/// The page, as far as it is of interest.
#[derive(Deserialize)]
struct Page {
    workflow_runs: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Listed {
    id: u64,
    name: Option<String>,
    display_title: Option<String>,
    event: Option<String>,
    workflow_id: Option<u64>,
    created_at: Option<String>,
    html_url: Option<String>,
}

/// Returns the runs of an answer that can be of interest. GitHub was asked for no others, but a
/// server that does not know the parameters sends all.
fn runs(
    reply: &Reply,
    about: &Question,
    token: &str,
    redacted: impl Fn(String) -> String,
) -> Result<Vec<Run>, Trouble> {
    if reply.status != 200 {
        return Err(refused(reply, &about.repo, token));
    }
    let unclear = |why: &str| Trouble { why: why.to_owned(), lasting: false };
    if reply.too_large {
        return Err(unclear("GitHub's list of its runs is too long to be read"));
    }
    let Ok(page) = serde_json::from_slice::<Page>(&reply.body) else {
        return Err(unclear("GitHub's list of its runs cannot be read: is GITHUB_API_URL right?"));
    };
    // A run that cannot be read hides no other.
    let listed = page.workflow_runs.into_iter().filter_map(|it| serde_json::from_value(it).ok());
    let runs = listed.filter_map(|listed: Listed| {
        let created_at: Timestamp = listed.created_at?.parse().ok()?;
        let url = listed.html_url.filter(|url| is_harmless(url));
        let url = url.filter(|url| redacted(url.clone()) == *url);
        let of_interest = listed.event.as_deref() == Some(EVENT) && created_at >= about.since;
        let lower = |name: Option<String>| name.unwrap_or_default().to_ascii_lowercase();
        of_interest.then(|| Run {
            id: listed.id,
            names: [lower(listed.display_title), lower(listed.name)],
            workflow: listed.workflow_id.unwrap_or_default(),
            created_at,
            url,
        })
    });
    Ok(runs.collect())
}

/// Returns what an answer means that is no list. Source of the permissions: GitHub's REST
/// documentation, "List workflow runs for a repository".
fn refused(reply: &Reply, repo: &RepoName, token: &str) -> Trouble {
    let (status, said) = (reply.status, said(reply));
    let why = match (status, reply.refused) {
        (_, Some(why)) => {
            format!("the list of its runs was answered {status} and redirects {why}")
        }
        (403 | 404, None) => {
            let gone = if status == 404 { ", or the repository is gone" } else { "" };
            format!(
                "the token in {token} may not read the workflow runs of {repo} ({status}: {said}): \
                 give it the permission \"Actions: read\" there (a classic token the scope \
                 \"repo\"){gone}"
            )
        }
        _ => format!("GitHub did not list the workflow runs of {repo} ({status}: {said})"),
    };
    Trouble { why, lasting: true }
}

/// Whether a link can be shown anywhere: in a terminal, in JSON, in Markdown, in the Actions log.
/// It is https, or on this machine, where the embedded GitHub is; it names no user; it is written as
/// browsers read it; and of the characters that a URL may have it has only those that mean nothing
/// elsewhere.
fn is_harmless(url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?&=%#+".contains(&byte);
    if url.len() > LONGEST_URL || !url.bytes().all(plain) {
        return false;
    }
    let Ok(parsed) = Url::parse(url) else { return false };
    let here = match parsed.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(_)) | None => false,
    };
    let plain = parsed.as_str() == url;
    let nobody = parsed.username().is_empty() && parsed.password().is_none();
    plain && nobody && (parsed.scheme() == "https" || parsed.scheme() == "http" && here)
}
