//! `…/pulls`: the list and one pull request. What is written there is in `write`.
//!
//! Source of the shapes, the parameters and the defaults: REST documentation, "Pulls". Decided
//! here: the head is a branch of the same repository, for nobody forks; `mergeable` is not known
//! yet; of `sort` only `created` and `updated` are known; a `head` without an owner filters nothing.

use serde_json::{Value, json};

use super::answer::Answer;
use super::issues::{paged, user};
use super::model::Model;
use super::query::value;
use super::repository::Repository;
use super::tracker::{Issue, Proposed};

mod write;

pub(super) use write::write;

/// What a request does to pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulls {
    List,
    Create,
    Show(u64),
    Update(u64),
    Merge(u64),
}

/// A pull request, as a test or `rehearse` wants to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// What it has as every issue has it: number, title, text, labels, comments.
    pub issue: Issue,
    /// What it proposes.
    pub proposed: Proposed,
}

impl Pulls {
    /// Returns what a method and a path below the repository ask for.
    pub(super) fn of(method: &str, below: &str) -> Option<Self> {
        let below = below.strip_prefix("/pulls")?;
        let reads = matches!(method, "GET" | "HEAD");
        if below.is_empty() {
            return match method {
                "POST" => Some(Self::Create),
                _ => reads.then_some(Self::List),
            };
        }
        let below = below.strip_prefix('/')?;
        let (number, merge) = match below.strip_suffix("/merge") {
            Some(number) => (number, true),
            None => (below, false),
        };
        let number =
            number.bytes().all(|it| it.is_ascii_digit()).then(|| number.parse().ok())??;
        match (merge, method) {
            (true, "PUT") => Some(Self::Merge(number)),
            (true, _) => None,
            (false, "PATCH") => Some(Self::Update(number)),
            (false, _) => reads.then_some(Self::Show(number)),
        }
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update(_) | Self::Merge(_))
    }

    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::List => "https://docs.github.com/rest/pulls/pulls#list-pull-requests",
            Self::Create => "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
            Self::Show(_) => "https://docs.github.com/rest/pulls/pulls#get-a-pull-request",
            Self::Update(_) => "https://docs.github.com/rest/pulls/pulls#update-a-pull-request",
            Self::Merge(_) => "https://docs.github.com/rest/pulls/pulls#merge-a-pull-request",
        }
    }
}

impl Model {
    /// Returns the pull requests of a repository, oldest first, as they are now: each follows its
    /// branch.
    pub fn pull_requests_of(&mut self, full_name: &str) -> Vec<PullRequest> {
        let Some(id) = self.id_of(full_name) else { return Vec::new() };
        self.follow_heads(id);
        let Some(repository) = self.repositories.get(&id) else { return Vec::new() };
        let all = repository.tracker.pulls();
        all.map(|(issue, it)| PullRequest { issue: issue.clone(), proposed: it.clone() }).collect()
    }
}

/// Returns the answer to a read.
pub(super) fn show(root: &str, repository: &Repository, what: Pulls, query: &str) -> Answer {
    match what {
        Pulls::Show(number) => match repository.tracker.pull(number) {
            Some((issue, it)) => Answer::json(200, shown(root, repository, issue, it, true)),
            None => Answer::not_found(what.docs()),
        },
        _ => list(root, repository, query),
    }
}

fn list(root: &str, repository: &Repository, query: &str) -> Answer {
    let open = match value(query, "state").as_deref() {
        Some("all") => None,
        Some("closed") => Some(false),
        _ => Some(true),
    };
    let head = value(query, "head");
    let head = head.as_deref().and_then(|it| it.split_once(':'));
    let base = value(query, "base");
    let wanted = |(issue, it): &(&Issue, &Proposed)| {
        open.is_none_or(|open| issue.open == open)
            && base.as_ref().is_none_or(|base| it.base == *base)
            && head.is_none_or(|(owner, branch)| {
                owner.eq_ignore_ascii_case(repository.owner()) && it.head == branch
            })
    };
    let mut found: Vec<_> = repository.tracker.pulls().filter(wanted).collect();
    let sort = value(query, "sort");
    let updated = sort.as_deref() == Some("updated");
    found.sort_by_key(|(it, _)| (if updated { it.updated_at } else { it.created_at }, it.number));
    let newest_first = sort.is_none_or(|it| it == "created");
    match value(query, "direction").as_deref() {
        Some("asc") => {}
        Some("desc") => found.reverse(),
        _ if newest_first => found.reverse(),
        _ => {}
    }
    let all = found.into_iter().map(|(issue, it)| shown(root, repository, issue, it, false));
    paged(root, repository, "pulls", query, all.collect())
}

/// Returns a pull request as GitHub shows it: alone with all fields, in a list without those that
/// take work.
pub(super) fn shown(
    root: &str,
    repository: &Repository,
    issue: &Issue,
    it: &Proposed,
    alone: bool,
) -> Value {
    let (name, number) = (&repository.full_name, issue.number);
    let url = format!("{root}/repos/{name}/pulls/{number}");
    let labels: Vec<Value> = issue.labels.iter().map(|it| json!({ "name": it })).collect();
    let closed_at = (!issue.open).then(|| issue.updated_at.to_string());
    let mut shown = json!({
        "id": 2_000_000_000 + repository.id * 10_000 + number,
        "node_id": format!("PR_{}_{number}", repository.id),
        "number": number,
        "title": issue.title,
        "body": issue.body,
        "state": if issue.open { "open" } else { "closed" },
        "draft": it.draft,
        "locked": false,
        "user": user(&issue.author),
        "author_association": issue.author.association,
        "labels": labels,
        "head": end(root, repository, &it.head, &it.head_sha),
        "base": end(root, repository, &it.base, &it.base_sha),
        "created_at": issue.created_at.to_string(),
        "updated_at": issue.updated_at.to_string(),
        "closed_at": closed_at,
        "merged_at": it.merged_at.map(|it| it.to_string()),
        "merge_commit_sha": it.merge_commit_sha,
        "url": url,
        "html_url": format!("https://github.com/{name}/pull/{number}"),
        "diff_url": format!("https://github.com/{name}/pull/{number}.diff"),
        "issue_url": format!("{root}/repos/{name}/issues/{number}"),
        "comments_url": format!("{root}/repos/{name}/issues/{number}/comments"),
    });
    if let (true, Value::Object(fields)) = (alone, &mut shown) {
        fields.insert("merged".to_owned(), it.merged_at.is_some().into());
        fields.insert("mergeable".to_owned(), Value::Null);
        fields.insert("mergeable_state".to_owned(), "unknown".into());
        fields.insert("comments".to_owned(), issue.comments.len().into());
        fields.insert("maintainer_can_modify".to_owned(), false.into());
    }
    shown
}

fn end(root: &str, repository: &Repository, branch: &str, sha: &str) -> Value {
    let full_name = &repository.full_name;
    let (owner, name) = full_name.split_once('/').unwrap_or_default();
    json!({
        "label": format!("{owner}:{branch}"),
        "ref": branch,
        "sha": sha,
        "user": { "login": owner },
        "repo": {
            "id": repository.id,
            "name": name,
            "full_name": full_name,
            "private": repository.private,
            "default_branch": repository.default_branch,
            "url": format!("{root}/repos/{full_name}"),
        },
    })
}
