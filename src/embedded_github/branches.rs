//! `GET …/branches`: the branches and the commits that they are at. No branch is protected.
//!
//! Source of the shape: REST documentation, "List branches". That the order is the names' is seen
//! and not promised there.

use serde_json::{Value, json};

use super::answer::Answer;
use super::query::Page;
use super::repository::Repository;

/// Returns the page of branches that the query asks for.
pub(super) fn list(root: &str, repository: &Repository, query: &str) -> Answer {
    let page = Page::of(query);
    let shown: Vec<Value> = page
        .of_all(repository.branches())
        .into_iter()
        .map(|(name, tree)| {
            let sha = tree.commit_id();
            let url = format!("{root}/repos/{}/commits/{sha}", repository.full_name);
            json!({ "name": name, "commit": { "sha": sha, "url": url }, "protected": false })
        })
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
