//! `GET …/actions/workflows` and `GET …/actions/permissions`: which workflows there are, and
//! whether any of them can run. Which runs an event starts
//! is in `runs`.
//!
//! Source of the shapes: REST documentation, "List repository workflows" and "Get GitHub Actions
//! permissions for a repository"; the workflow's fields as in the answers recorded in `PyGithub`'s
//! tests. Decided here: workflows come in the order of their paths, and a workflow's name is read
//! off a line that begins with `name:`, without a reader of YAML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::ObjectType;
use serde_json::{Value, json};

use super::answer::Answer;
use super::files::{Entry, joined, object_id};
use super::query::{Page, encoded};
use super::repository::Repository;

/// Where workflows are, and only there: not in directories below.
const WORKFLOWS: &str = ".github/workflows";
const MADE_AT: &str = "2026-01-01T00:00:00.000Z";

/// Returns the page of workflows of the default branch that the query asks for.
pub(super) fn workflows(root: &str, repository: &Repository, query: &str) -> Answer {
    let page = Page::of(query);
    let files = files(repository);
    let shown: Vec<Value> = page
        .of_all(files.iter())
        .into_iter()
        .map(|(path, bytes)| workflow(root, repository, path, bytes))
        .collect();
    let url = format!("{root}/repositories/{}/actions/workflows", repository.id);
    let answer = Answer::json(200, json!({ "total_count": files.len(), "workflows": shown }));
    match page.link(&url, query, files.len()) {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

/// Returns the paths and bytes of the workflow files on the default branch.
pub(super) fn files(repository: &Repository) -> Vec<(String, &[u8])> {
    repository
        .tree(&repository.default_branch)
        .map(|tree| tree.list(WORKFLOWS))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, entry)| match entry {
            Entry::File(bytes) if is_workflow(name) => Some((joined(WORKFLOWS, name), bytes)),
            Entry::File(_) | Entry::Directory => None,
        })
        .collect()
}

/// Returns whether Actions are turned on; the rest of the settings is there only when they are.
pub(super) fn permissions(repository: &Repository) -> Answer {
    let settings = if repository.actions_disabled {
        json!({ "enabled": false })
    } else {
        json!({ "enabled": true, "allowed_actions": "all" })
    };
    Answer::json(200, settings)
}

fn is_workflow(name: &str) -> bool {
    // GitHub reads `.yml` and `.yaml`, in small letters.
    name.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "yml" | "yaml"))
}

fn workflow(root: &str, repository: &Repository, path: &str, bytes: &[u8]) -> Value {
    let full_name = &repository.full_name;
    let id = workflow_id(path);
    let file = path.rsplit('/').next().unwrap_or(path);
    let (branch, at) = (encoded(&repository.default_branch), encoded(path));
    json!({
        "id": id,
        "node_id": STANDARD.encode(format!("08:Workflow{id}")),
        "name": name_in(bytes).unwrap_or_else(|| path.to_owned()),
        "path": path,
        "state": repository.state_of(path),
        "created_at": MADE_AT,
        "updated_at": MADE_AT,
        "url": format!("{root}/repos/{full_name}/actions/workflows/{id}"),
        "html_url": format!("https://github.com/{full_name}/blob/{branch}/{at}"),
        "badge_url": format!(
            "https://github.com/{full_name}/actions/workflows/{}/badge.svg",
            encoded(file)
        ),
    })
}

/// Returns an id that stays when other workflows come and go.
pub(super) fn workflow_id(path: &str) -> u32 {
    let id = object_id(ObjectType::Blob, path.as_bytes());
    id.as_bytes().iter().take(3).fold(1, |id, byte| (id << 8) | u32::from(*byte))
}

/// Returns the workflow's `name`, if it has one.
pub(super) fn name_in(bytes: &[u8]) -> Option<String> {
    top_level("name", bytes)
}

/// Returns the text behind a key at the top of a workflow file, when it stands on the key's line.
pub(super) fn top_level(key: &str, bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let behind = |line: &str| line.strip_prefix(key)?.strip_prefix(':').map(str::to_owned);
    let value = text.lines().find_map(behind)?;
    let value = value.trim();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let name = match quote {
        Some(quote) => value.trim_start_matches(quote).split(quote).next(),
        None => value.split(" #").next(),
    };
    name.map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_workflow_goes_by_its_name_line() {
        for (text, name) in [
            ("name: Listen\non: push\n", Some("Listen")),
            ("# listens\nname: 'A # B' # c\n", Some("A # B")),
            ("name: \"Quoted: yes\"\r\n", Some("Quoted: yes")),
            ("name: plain # comment", Some("plain")),
            ("on:\n  name: no\n", None),
            ("name:\non: push", None),
            ("name: # nothing", None),
            ("name: ''", None),
            ("", None),
        ] {
            assert_eq!(name_in(text.as_bytes()).as_deref(), name, "{text:?}");
        }
        assert_eq!(name_in(b"\xff\nname: x").as_deref(), Some("x"));
    }
}
