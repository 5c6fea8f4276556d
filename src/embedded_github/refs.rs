//! `…/git/ref/…`, `…/git/matching-refs/…` and `…/git/refs`: the refs of a repository that has a
//! real history. One without has its branches, to be read.
//!
//! Source of shapes and statuses: REST documentation, "Git references"; the refusals "Reference
//! already exists", "Reference does not exist", "Object does not exist" and "Update is not a fast
//! forward" as quoted in public issues. Decided here: a protected branch refuses in the words of a
//! push.

use git2::{ObjectType, Oid};
use serde_json::{Value, json};

use super::answer::Answer;
use super::history::object;
use super::issues::{fields, paged};
use super::query::decoded;
use super::repository::Repository;
use crate::git::hosted::{Hosted, NotMoved};

/// What a request does to refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refs {
    Show,
    Matching,
    Create,
    Update,
    Delete,
}

impl Refs {
    /// Returns what a method and a path below the repository ask for.
    pub(super) fn of(method: &str, below: &str) -> Option<Self> {
        let reads = matches!(method, "GET" | "HEAD");
        let rest = below.strip_prefix("/git/")?;
        if rest.starts_with("ref/") {
            return reads.then_some(Self::Show);
        }
        if rest.starts_with("matching-refs/") {
            return reads.then_some(Self::Matching);
        }
        match (rest.strip_prefix("refs")?, method) {
            ("", "POST") => Some(Self::Create),
            (name, "PATCH") if name.starts_with('/') => Some(Self::Update),
            (name, "DELETE") if name.starts_with('/') => Some(Self::Delete),
            _ => None,
        }
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::Show => "https://docs.github.com/rest/git/refs#get-a-reference",
            Self::Matching => "https://docs.github.com/rest/git/refs#list-matching-references",
            Self::Create => "https://docs.github.com/rest/git/refs#create-a-reference",
            Self::Update => "https://docs.github.com/rest/git/refs#update-a-reference",
            Self::Delete => "https://docs.github.com/rest/git/refs#delete-a-reference",
        }
    }
}

/// Returns the answer to a read; `below` is the path below the repository.
pub(super) fn show(
    root: &str,
    repository: &Repository,
    what: Refs,
    below: &str,
    query: &str,
) -> Answer {
    let name = name_in(below).unwrap_or_default();
    let hosted = repository.hosted();
    let all: Vec<(String, String)> = match &hosted {
        Some(hosted) => {
            let found = hosted.matching(&name).into_iter();
            found.map(|(name, id)| (name, id.to_string())).collect()
        }
        None => {
            let all = repository
                .branches()
                .map(|(branch, tree)| (format!("refs/heads/{branch}"), tree.commit_id()));
            all.filter(|(known, _)| known.starts_with(&name)).collect()
        }
    };
    let shown =
        |(name, sha): &(String, String)| reference(root, repository, hosted.as_ref(), name, sha);
    match what {
        Refs::Matching => {
            let all = all.iter().map(shown).collect();
            paged(root, repository, below.trim_start_matches('/'), query, all)
        }
        _ => match all.iter().find(|(known, _)| *known == name) {
            Some(found) => Answer::json(200, shown(found)),
            None => Answer::not_found(what.docs()),
        },
    }
}

/// Does a write and returns its answer.
pub(super) fn write(
    root: &str,
    repository: &Repository,
    what: Refs,
    below: &str,
    body: &[u8],
) -> Result<Answer, Box<Answer>> {
    let docs = what.docs();
    let no = |words: &str| Box::new(Answer::error(422, words, docs));
    let Some(hosted) = repository.hosted() else {
        return Err(Box::new(Answer::error(409, "Git Repository is empty.", docs)));
    };
    if what == Refs::Delete {
        let name = name_in(below).unwrap_or_default();
        let old = hosted.at(&name).ok_or_else(|| no("Reference does not exist"))?;
        check_protection(repository, &name, docs)?;
        if name.strip_prefix("refs/heads/") == Some(repository.default_branch.as_str()) {
            return Err(no("Cannot delete the default branch"));
        }
        hosted.set(&name, Some(old), None).map_err(|_gone| no("Reference does not exist"))?;
        return Ok(Answer::no_content());
    }
    let fields = fields(body, docs)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let supplied = |name: &str| {
        let lacks = format!("Invalid request.\n\n\"{name}\" wasn't supplied.");
        text(name).map(ToOwned::to_owned).ok_or_else(|| no(&lacks))
    };
    let sha = supplied("sha")?;
    let new = object(&sha).filter(|id| hosted.kind(*id).is_some());
    let new = new.ok_or_else(|| no("Object does not exist"))?;
    let (name, old) = if what == Refs::Create {
        let name = supplied("ref")?;
        if !name.starts_with("refs/") || name.split('/').count() < 3 {
            return Err(no("Reference name must start with 'refs' and have at least two slashes."));
        }
        (name, None)
    } else {
        let name = name_in(below).unwrap_or_default();
        let old = hosted.at(&name).ok_or_else(|| no("Reference does not exist"))?;
        if !hosted.is_in(old, new) {
            if fields.get("force").and_then(Value::as_bool) != Some(true) {
                return Err(no("Update is not a fast forward"));
            }
            check_protection(repository, &name, docs)?;
        }
        (name, Some(old))
    };
    set(&hosted, &name, old, new).map_err(|words| no(&words))?;
    let shown = reference(root, repository, Some(&hosted), &name, &sha);
    Ok(Answer::json(if what == Refs::Create { 201 } else { 200 }, shown))
}

fn set(hosted: &Hosted, name: &str, old: Option<Oid>, new: Oid) -> Result<(), String> {
    if name.starts_with("refs/pull/") {
        return Err("Reference cannot be written".to_owned());
    }
    hosted.set(name, old, Some(new)).map_err(|why| match why {
        NotMoved::Stale(Some(_)) if old.is_none() => "Reference already exists".to_owned(),
        NotMoved::InTheWay(other) => format!("'{other}' exists; cannot create '{name}'"),
        NotMoved::BadName => format!("{name} is not a valid ref name."),
        NotMoved::BadObject => "Object is not a commit".to_owned(),
        NotMoved::Stale(_) | NotMoved::Failed => "Reference cannot be updated".to_owned(),
    })
}

fn check_protection(repository: &Repository, name: &str, docs: &str) -> Result<(), Box<Answer>> {
    let branch = name.strip_prefix("refs/heads/");
    if branch.is_some_and(|it| repository.protected.contains(it)) {
        let words = format!("Protected branch update failed for {name}.");
        return Err(Box::new(Answer::error(422, words, docs)));
    }
    Ok(())
}

fn reference(
    root: &str,
    repository: &Repository,
    hosted: Option<&Hosted>,
    name: &str,
    sha: &str,
) -> Value {
    let full_name = &repository.full_name;
    let kind = hosted.and_then(|hosted| hosted.kind(object(sha)?));
    let kind = match kind {
        Some(ObjectType::Tag) => "tag",
        Some(ObjectType::Tree) => "tree",
        Some(ObjectType::Blob) => "blob",
        _ => "commit",
    };
    json!({
        "ref": name,
        "node_id": format!("REF_{}_{name}", repository.id),
        "url": format!("{root}/repos/{full_name}/git/{name}"),
        "object": {
            "sha": sha,
            "type": kind,
            "url": format!("{root}/repos/{full_name}/git/{kind}s/{sha}"),
        },
    })
}

/// Returns the full name of the ref in a path.
fn name_in(below: &str) -> Option<String> {
    let rest = below.strip_prefix("/git/")?;
    let (_, name) = rest.split_once('/')?;
    Some(format!("refs/{}", decoded(name)?))
}
