//! `…/issues`: the list, one issue, its comments, and what is written there.
//!
//! Source of the shapes, the parameters and the defaults: REST documentation, "Issues" and "Issue
//! comments". The refusals: "Issues are disabled for this repo" as quoted in ossf/allstar#64, that
//! the list answers all the same in ingydotnet/git-hub#72, a missing title in zalando/zally#1248,
//! a body of nothing in jcabi/jcabi-github#1540. Decided here: of `sort` only `created` and
//! `updated` are known, and a label is made by being used.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::query::{Page, value};
use super::repository::Repository;
use super::tracker::{Author, Comment, Issue};

mod fields;

use fields::{Update, comment_in, draft};
pub(super) use fields::{fields, invalid, labels_of, text_of};

/// What a request does to issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issues {
    List,
    Create,
    Show(u64),
    Update(u64),
    Comments(u64),
    Comment(u64),
}

impl Issues {
    /// Returns what a method and a path below the repository ask for.
    pub(super) fn of(method: &str, below: &str) -> Option<Self> {
        let below = below.strip_prefix("/issues")?;
        let reads = matches!(method, "GET" | "HEAD");
        if below.is_empty() {
            return match method {
                "POST" => Some(Self::Create),
                _ => reads.then_some(Self::List),
            };
        }
        let (number, comments) = match below.strip_prefix('/')?.split_once('/') {
            Some((number, "comments")) => (number, true),
            Some(_) => return None,
            None => (below.strip_prefix('/')?, false),
        };
        let number =
            number.bytes().all(|it| it.is_ascii_digit()).then(|| number.parse().ok())??;
        match (comments, method) {
            (false, "PATCH") => Some(Self::Update(number)),
            (false, _) => reads.then_some(Self::Show(number)),
            (true, "POST") => Some(Self::Comment(number)),
            (true, _) => reads.then_some(Self::Comments(number)),
        }
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update(_) | Self::Comment(_))
    }

    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::List => "https://docs.github.com/rest/issues/issues#list-repository-issues",
            Self::Create => "https://docs.github.com/rest/issues/issues#create-an-issue",
            Self::Show(_) => "https://docs.github.com/rest/issues/issues#get-an-issue",
            Self::Update(_) => "https://docs.github.com/rest/issues/issues#update-an-issue",
            Self::Comments(_) => "https://docs.github.com/rest/issues/comments#list-issue-comments",
            Self::Comment(_) => {
                "https://docs.github.com/rest/issues/comments#create-an-issue-comment"
            }
        }
    }
}

/// Who writes, and what that person may do.
pub(super) struct Writer {
    pub(super) author: Author,
    /// May change what others wrote, and set labels.
    pub(super) triages: bool,
}

/// Returns the answer to a read.
pub(super) fn show(root: &str, repository: &Repository, what: Issues, query: &str) -> Answer {
    let docs = what.docs();
    let disabled = repository.issues_disabled;
    match what {
        Issues::List => list(root, repository, query),
        Issues::Show(number) => match repository.tracker.get(number) {
            Some(issue) if !disabled || issue.pull_request => {
                Answer::json(200, shown(root, repository, issue))
            }
            Some(_) => are_disabled(docs),
            None => Answer::not_found(docs),
        },
        Issues::Comments(number) => {
            let Some(issue) = repository.tracker.get(number) else {
                return Answer::not_found(docs);
            };
            let all = issue.comments.iter().enumerate();
            let comments = all.map(|(at, it)| comment(root, repository, issue, at, it));
            paged(root, repository, &format!("issues/{number}/comments"), query, comments.collect())
        }
        Issues::Create | Issues::Update(_) | Issues::Comment(_) => Answer::not_found(docs),
    }
}

/// Does a write and returns its answer.
pub(super) fn write(
    root: &str,
    repository: &mut Repository,
    what: Issues,
    body: &[u8],
    writer: Writer,
    now: Timestamp,
) -> Result<Answer, Box<Answer>> {
    let docs = what.docs();
    let number = match what {
        Issues::Update(number) | Issues::Comment(number) => Some(number),
        _ => None,
    };
    if repository.issues_disabled && !number.is_some_and(|number| repository.is_pull(number)) {
        return Err(Box::new(are_disabled(docs)));
    }
    let fields = fields(body, docs)?;
    match what {
        Issues::Create => {
            let draft = draft(&fields, writer, docs)?;
            let number = repository.tracker.open(draft, now);
            answer_with(201, root, repository, number, docs)
        }
        Issues::Update(number) => {
            let change = Update::of(&fields, docs)?;
            let issue = found(repository, number, docs)?;
            if !writer.triages && issue.author != writer.author {
                let message = "Must have admin rights to Repository.";
                return Err(Box::new(Answer::error(403, message, docs)));
            }
            change.apply(issue, now);
            answer_with(200, root, repository, number, docs)
        }
        Issues::Comment(number) => {
            let text = comment_in(&fields, docs)?;
            let issue = found(repository, number, docs)?;
            let said = Comment { author: writer.author, body: text, created_at: now };
            issue.comments.push(said.clone());
            issue.updated_at = now;
            let at = issue.comments.len() - 1;
            let issue = issue.clone();
            Ok(Answer::json(201, comment(root, repository, &issue, at, &said)))
        }
        Issues::List | Issues::Show(_) | Issues::Comments(_) => {
            Err(Box::new(Answer::not_found(docs)))
        }
    }
}

fn found<'a>(
    repository: &'a mut Repository,
    number: u64,
    docs: &str,
) -> Result<&'a mut Issue, Box<Answer>> {
    repository.tracker.get_mut(number).ok_or_else(|| Box::new(Answer::not_found(docs)))
}

fn answer_with(
    status: u16,
    root: &str,
    repository: &Repository,
    number: u64,
    docs: &str,
) -> Result<Answer, Box<Answer>> {
    let issue = repository.tracker.get(number).ok_or_else(|| Box::new(Answer::not_found(docs)))?;
    let answer = Answer::json(status, shown(root, repository, issue));
    let location = format!("{root}/repos/{}/issues/{number}", repository.full_name);
    Ok(if status == 201 { answer.header("location", location) } else { answer })
}

fn are_disabled(docs: &str) -> Answer {
    Answer::error(410, "Issues are disabled for this repo", docs)
}

/// Returns the page of issues that the query asks for. Where issues are disabled, pull requests
/// are still there.
fn list(root: &str, repository: &Repository, query: &str) -> Answer {
    let state = value(query, "state");
    let open = match state.as_deref() {
        Some("all") => None,
        Some("closed") => Some(false),
        _ => Some(true),
    };
    let labels = value(query, "labels").unwrap_or_default();
    let labels: Vec<&str> = labels.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    let wanted = |issue: &&Issue| {
        let has = |name: &&str| issue.labels.iter().any(|label| label.eq_ignore_ascii_case(name));
        open.is_none_or(|open| issue.open == open)
            && labels.iter().all(has)
            && (issue.pull_request || !repository.issues_disabled)
    };
    let mut found: Vec<&Issue> = repository.tracker.all().iter().filter(wanted).collect();
    let updated = value(query, "sort").as_deref() == Some("updated");
    found.sort_by_key(|it| (if updated { it.updated_at } else { it.created_at }, it.number));
    if value(query, "direction").as_deref() != Some("asc") {
        found.reverse();
    }
    let found = found.into_iter().map(|issue| shown(root, repository, issue)).collect();
    paged(root, repository, "issues", query, found)
}

pub(super) fn paged(
    root: &str,
    repository: &Repository,
    at: &str,
    query: &str,
    all: Vec<Value>,
) -> Answer {
    let page = Page::of(query);
    let total = all.len();
    let answer = Answer::json(200, Value::Array(page.of_all(all.into_iter())));
    match page.link(&format!("{root}/repositories/{}/{at}", repository.id), query, total) {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

pub(super) fn user(author: &Author) -> Value {
    json!({ "login": author.login, "type": if author.bot { "Bot" } else { "User" } })
}

fn shown(root: &str, repository: &Repository, issue: &Issue) -> Value {
    let (name, number) = (&repository.full_name, issue.number);
    let labels: Vec<Value> = issue.labels.iter().map(|it| json!({ "name": it })).collect();
    let kind = if issue.pull_request { "pull" } else { "issues" };
    let mut shown = json!({
        "number": number,
        "title": issue.title,
        "body": issue.body,
        "state": if issue.open { "open" } else { "closed" },
        "state_reason": issue.state_reason,
        "labels": labels,
        "user": user(&issue.author),
        "author_association": issue.author.association,
        "comments": issue.comments.len(),
        "created_at": issue.created_at.to_string(),
        "updated_at": issue.updated_at.to_string(),
        "url": format!("{root}/repos/{name}/issues/{number}"),
        "html_url": format!("https://github.com/{name}/{kind}/{number}"),
    });
    if let (true, Value::Object(fields)) = (issue.pull_request, &mut shown) {
        let pull = json!({ "url": format!("{root}/repos/{name}/pulls/{number}") });
        fields.insert("pull_request".to_owned(), pull);
    }
    shown
}

fn comment(root: &str, repository: &Repository, issue: &Issue, at: usize, it: &Comment) -> Value {
    let name = &repository.full_name;
    json!({
        "id": issue.number * 1_000 + at as u64 + 1,
        "body": it.body,
        "user": user(&it.author),
        "author_association": it.author.association,
        "created_at": it.created_at.to_string(),
        "issue_url": format!("{root}/repos/{name}/issues/{}", issue.number),
    })
}
