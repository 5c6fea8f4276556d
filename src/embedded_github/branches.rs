//! `GET …/branches` and `GET …/branches/{branch}`: the branches and the commits that they are at.
//!
//! Source of the shapes: REST documentation, "List branches" and "Get a branch". That the order is the names' is seen
//! and not promised there.

use serde_json::{Value, json};

use super::answer::Answer;
use super::query::{Page, decoded};
use super::repository::Repository;
use super::route::branch_path;

/// Returns the page of branches that the query asks for.
pub(super) fn list(root: &str, repository: &Repository, query: &str) -> Answer {
    let page = Page::of(query);
    let shown: Vec<Value> = page
        .of_all(repository.branches())
        .into_iter()
        .map(|(name, tree)| branch(root, repository, name, &tree.commit_id()))
        .collect();
    let total = repository.branches().count();
    // GitHub's own links name the repository by its id, whatever the request called it.
    let url = format!("{root}/repositories/{}/branches", repository.id);
    let answer = Answer::json(200, Value::Array(shown));
    match page.link(&url, query, total) {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

/// Returns one branch; `below` is the path below the repository.
pub(super) fn show(root: &str, repository: &Repository, below: &str, docs: &str) -> Answer {
    let name = branch_path(below).and_then(decoded);
    let mut all = repository.branches();
    match name.and_then(|name| all.find(|(known, _)| *known == name)) {
        Some((name, tree)) => Answer::json(200, branch(root, repository, name, &tree.commit_id())),
        None => Answer::error(404, "Branch not found", docs),
    }
}

fn branch(root: &str, repository: &Repository, name: &str, sha: &str) -> Value {
    let url = format!("{root}/repos/{}/commits/{sha}", repository.full_name);
    let protected = repository.protected.contains(name);
    json!({ "name": name, "commit": { "sha": sha, "url": url }, "protected": protected })
}
