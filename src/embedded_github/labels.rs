//! `…/labels` and `…/issues/{number}/labels`: the labels of a repository and those of an issue.
//!
//! Source of shapes, statuses and codes: REST documentation, "Labels"; that a label which is not
//! there is made when it is put on an issue by who may write, and that who may only triage is
//! refused with "Must have admin rights to Repository.": cyberark/dev-flow#31. Decided here: a new
//! repository has no labels at all, and the color of those that were made by being used is grey.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::issues::{fields, invalid, labels_of, paged};
use super::query::decoded;
use super::repository::Repository;

/// The color of a label that nobody chose one for.
const GREY: &str = "ededed";
/// The longest name, in characters.
const LONGEST_NAME: usize = 50;

/// A label of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The name, as it was written first.
    pub name: String,
    /// Six hexadecimal digits.
    pub color: String,
    /// What it is for.
    pub description: Option<String>,
}

impl Label {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), color: GREY.to_owned(), description: None }
    }
}

/// What a request does to labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    List,
    Create,
    Show,
    ListOn(u64),
    Add(u64),
    Remove(u64),
}

impl Labels {
    /// Returns what a method and a path below the repository ask for.
    pub(super) fn of(method: &str, below: &str) -> Option<Self> {
        let reads = matches!(method, "GET" | "HEAD");
        if let Some(rest) = below.strip_prefix("/labels") {
            return match rest {
                "" if method == "POST" => Some(Self::Create),
                "" => reads.then_some(Self::List),
                _ => (reads && rest.starts_with('/')).then_some(Self::Show),
            };
        }
        let (number, rest) = below.strip_prefix("/issues/")?.split_once('/')?;
        let number: u64 =
            number.bytes().all(|it| it.is_ascii_digit()).then(|| number.parse().ok())??;
        match (rest.strip_prefix("labels")?, method) {
            ("", "POST") => Some(Self::Add(number)),
            ("", _) => reads.then_some(Self::ListOn(number)),
            (name, "DELETE") if name.starts_with('/') => Some(Self::Remove(number)),
            _ => None,
        }
    }

    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Add(_) | Self::Remove(_))
    }

    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::List => "https://docs.github.com/rest/issues/labels#list-labels-for-a-repository",
            Self::Create => "https://docs.github.com/rest/issues/labels#create-a-label",
            Self::Show => "https://docs.github.com/rest/issues/labels#get-a-label",
            Self::ListOn(_) => {
                "https://docs.github.com/rest/issues/labels#list-labels-for-an-issue"
            }
            Self::Add(_) => "https://docs.github.com/rest/issues/labels#add-labels-to-an-issue",
            Self::Remove(_) => {
                "https://docs.github.com/rest/issues/labels#remove-a-label-from-an-issue"
            }
        }
    }
}

/// Returns the answer to a read; `below` is the path below the repository.
pub(super) fn show(
    root: &str,
    repository: &Repository,
    what: Labels,
    below: &str,
    query: &str,
) -> Answer {
    match what {
        Labels::List => {
            let all = known(repository).iter().map(|it| shown(root, repository, it)).collect();
            paged(root, repository, "labels", query, all)
        }
        Labels::ListOn(number) => match repository.tracker.get(number) {
            Some(issue) => {
                let all = listed(root, repository, &issue.labels);
                paged(root, repository, &format!("issues/{number}/labels"), query, all)
            }
            None => Answer::not_found(what.docs()),
        },
        _ => match name_in(below).and_then(|name| find(repository, &name)) {
            Some(label) => Answer::json(200, shown(root, repository, &label)),
            None => Answer::not_found(what.docs()),
        },
    }
}

/// Does a write and returns its answer; `pushes` says whether the writer may make labels.
pub(super) fn write(
    root: &str,
    repository: &mut Repository,
    (what, below): (Labels, &str),
    body: &[u8],
    pushes: bool,
    now: Timestamp,
) -> Result<Answer, Box<Answer>> {
    let docs = what.docs();
    match what {
        Labels::Add(number) => {
            let names = names_in(body, docs)?;
            put_on(repository, number, names, pushes, (now, docs))?;
            Ok(on(root, repository, number, docs))
        }
        Labels::Remove(number) => {
            let name = name_in(below).unwrap_or_default();
            let issue = repository.tracker.get_mut(number);
            let issue = issue.ok_or_else(|| Box::new(Answer::not_found(docs)))?;
            let Some(at) = issue.labels.iter().position(|it| same(it, &name)) else {
                return Err(Box::new(Answer::error(404, "Label does not exist", docs)));
            };
            issue.labels.remove(at);
            issue.updated_at = now;
            Ok(on(root, repository, number, docs))
        }
        _ => create(root, repository, body, docs),
    }
}

fn create(
    root: &str,
    repository: &mut Repository,
    body: &[u8],
    docs: &str,
) -> Result<Answer, Box<Answer>> {
    let fields = fields(body, docs)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let Some(name) = text("name").filter(|it| !it.trim().is_empty()) else {
        return Err(invalid("Label", "name", "missing_field", None, docs));
    };
    if name.chars().count() > LONGEST_NAME {
        return Err(invalid("Label", "name", "too_long", None, docs));
    }
    let color = text("color").unwrap_or_else(|| GREY.to_owned());
    if color.len() != 6 || !color.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(invalid("Label", "color", "invalid", None, docs));
    }
    if find(repository, &name).is_some() {
        return Err(invalid("Label", "name", "already_exists", None, docs));
    }
    let label = Label { name, color, description: text("description") };
    repository.labels.insert(label.name.to_lowercase(), label.clone());
    let shown = shown(root, repository, &label);
    let location = shown.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Answer::json(201, shown).header("location", location))
}

/// Returns the names in `["a"]`, `{"labels": ["a"]}` or `{"labels": [{"name": "a"}]}`.
fn names_in(body: &[u8], docs: &str) -> Result<Vec<String>, Box<Answer>> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_syntax| Box::new(Answer::error(400, "Problems parsing JSON", docs)))?;
    let value = if value.is_array() { json!({ "labels": value }) } else { value };
    let names = value.as_object().and_then(labels_of);
    names.ok_or_else(|| invalid("Label", "labels", "missing_field", None, docs))
}

fn put_on(
    repository: &mut Repository,
    number: u64,
    names: Vec<String>,
    pushes: bool,
    (now, docs): (Timestamp, &str),
) -> Result<(), Box<Answer>> {
    if repository.tracker.get(number).is_none() {
        return Err(Box::new(Answer::not_found(docs)));
    }
    for name in names {
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(invalid("Label", "name", "invalid", None, docs));
        }
        let label = match find(repository, &name) {
            Some(label) => label,
            None if pushes => {
                let label = Label::named(&name);
                repository.labels.insert(name.to_lowercase(), label.clone());
                label
            }
            None => {
                let words = "Must have admin rights to Repository.";
                return Err(Box::new(Answer::error(403, words, docs)));
            }
        };
        if let Some(issue) = repository.tracker.get_mut(number) {
            if !issue.labels.iter().any(|it| same(it, &name)) {
                issue.labels.push(label.name);
            }
            issue.updated_at = now;
        }
    }
    Ok(())
}

fn on(root: &str, repository: &Repository, number: u64, docs: &str) -> Answer {
    match repository.tracker.get(number) {
        Some(issue) => Answer::json(200, Value::Array(listed(root, repository, &issue.labels))),
        None => Answer::not_found(docs),
    }
}

/// Returns the labels that there are: those that were made, and those that were made by being
/// used.
pub(super) fn known(repository: &Repository) -> Vec<Label> {
    let mut all = repository.labels.clone();
    for name in repository.tracker.all().iter().flat_map(|it| &it.labels) {
        all.entry(name.to_lowercase()).or_insert_with(|| Label::named(name));
    }
    all.into_values().collect()
}

fn find(repository: &Repository, name: &str) -> Option<Label> {
    known(repository).into_iter().find(|it| same(&it.name, name))
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn listed(root: &str, repository: &Repository, names: &[String]) -> Vec<Value> {
    let label = |name: &String| find(repository, name).unwrap_or_else(|| Label::named(name));
    names.iter().map(|name| shown(root, repository, &label(name))).collect()
}

fn shown(root: &str, repository: &Repository, label: &Label) -> Value {
    let name = super::query::encoded(&label.name);
    json!({
        "name": label.name,
        "color": label.color,
        "default": false,
        "description": label.description,
        "url": format!("{root}/repos/{}/labels/{name}", repository.full_name),
    })
}

/// Returns the name at the end of a path.
fn name_in(below: &str) -> Option<String> {
    let at = below.rfind("/labels/")? + "/labels/".len();
    decoded(below.get(at..)?)
}
