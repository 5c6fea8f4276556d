//! Workflow runs: which ones a dispatch starts, and `GET …/actions/runs`. A run is a line in a list
//! here: it is queued until somebody says that it is over, and nothing is ever executed.
//!
//! Source of the shapes: REST documentation, "List workflow runs for a repository"; of the dates in
//! `created`: "Understanding the search syntax"; of the names: "Workflow syntax", `run-name`. Decided
//! here: a run that has no `run-name` is called after the event type; of the expressions in a
//! `run-name` those that name one value of the event are filled in, and others are empty, as a value
//! is that is not there; a `created` that is no date finds nothing.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::actions::{files, name_in, top_level, workflow_id};
use super::answer::Answer;
use super::log::Event;
use super::model::Model;
use super::query::{Page, value};
use super::repository::{Repository, key};
use crate::onboarding::workflow::Workflow;

/// The event of all runs that there are.
const EVENT: &str = "repository_dispatch";

/// The number of the first run.
const FIRST_ID: u64 = 9_000_000_001;

/// One workflow run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// From when on it is there.
    pub created_at: Timestamp,
    /// The workflow's name, or its path.
    pub name: String,
    /// What the run is called.
    pub display_title: String,
    /// The workflow's file.
    pub path: String,
    /// How it ended; none as long as it is queued.
    pub conclusion: Option<String>,
    /// The repository's number.
    repository: u64,
    head_branch: String,
    /// Its place among the runs of the workflow, from 1.
    number: usize,
}

impl Model {
    /// Returns the runs of one repository that are there by now, in the order in which they were
    /// started.
    #[must_use]
    pub fn runs_for(&self, full_name: &str) -> Vec<&Run> {
        let now = (self.now)();
        let id = self.names.get(&key(full_name)).copied();
        self.runs.iter().filter(|run| Some(run.repository) == id && run.created_at <= now).collect()
    }

    /// Ends every run of a repository that is queued, also those that are not there yet.
    pub fn conclude_runs(&mut self, full_name: &str, conclusion: &str) {
        let id = self.names.get(&key(full_name)).copied();
        for run in self.runs.iter_mut().filter(|run| Some(run.repository) == id) {
            run.conclusion.get_or_insert_with(|| conclusion.to_owned());
        }
    }

    /// Starts the runs of an event: of each workflow on the default branch that listens to it and
    /// is not turned off.
    pub(super) fn start_runs(&mut self, event: &Event) {
        let repository = self
            .names
            .get(&key(&event.repository))
            .and_then(|id| self.repositories.get(id))
            .filter(|repository| !repository.actions_disabled);
        let Some(repository) = repository else { return };
        let delay = SignedDuration::try_from(repository.run_delay).unwrap_or(SignedDuration::MAX);
        let created_at = event.at.saturating_add(delay).unwrap_or(Timestamp::MAX);
        let mut started = Vec::new();
        for (path, bytes) in files(repository) {
            if repository.state_of(&path) != "active" || !listens(bytes, &event.event_type) {
                continue;
            }
            let earlier =
                self.runs.iter().filter(|run| run.repository == repository.id && run.path == path);
            started.push(Run {
                id: FIRST_ID + (self.runs.len() + started.len()) as u64,
                created_at,
                name: name_in(bytes).unwrap_or_else(|| path.clone()),
                display_title: title(bytes, event),
                conclusion: None,
                repository: repository.id,
                head_branch: repository.default_branch.clone(),
                number: earlier.count() + 1,
                path,
            });
        }
        self.runs.extend(started);
    }
}

fn listens(bytes: &[u8], event_type: &str) -> bool {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| Workflow::parse(text).ok())
        .is_some_and(|workflow| workflow.dispatches().hears(event_type))
}

/// Returns what a run of the workflow is called.
fn title(bytes: &[u8], event: &Event) -> String {
    let named = top_level("run-name", bytes).map(|text| filled_in(&text, event));
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| event.event_type.clone())
}

/// Returns the text with the value of each expression in its place.
fn filled_in(text: &str, event: &Event) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${{") {
        let Some((expression, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(&value_of(expression.trim(), event));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value_of(expression: &str, event: &Event) -> String {
    match expression {
        "github.event_name" => EVENT.to_owned(),
        "github.event.action" => event.event_type.clone(),
        _ => match expression
            .strip_prefix("github.event.client_payload.")
            .and_then(|key| event.client_payload.get(key))
        {
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => String::new(),
        },
    }
}

/// Returns the page of runs that the query asks for, newest first.
pub(super) fn list(
    root: &str,
    repository: &Repository,
    runs: &[Run],
    query: &str,
    now: Timestamp,
) -> Answer {
    let asked = |name| value(query, name).filter(|value| !value.is_empty());
    let (event, status, created) = (asked("event"), asked("status"), asked("created"));
    let is_asked_for = |run: &&Run| {
        run.repository == repository.id
            && run.created_at <= now
            && event.as_deref().is_none_or(|event| event == EVENT)
            && status.as_deref().is_none_or(|status| run.is(status))
            && created.as_deref().is_none_or(|range| is_within(run.created_at, range))
    };
    let mut found: Vec<&Run> = runs.iter().filter(is_asked_for).collect();
    found.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
    let total = found.len();
    let page = Page::of(query);
    let shown: Vec<Value> =
        page.of_all(found.into_iter()).into_iter().map(|run| run.shown(root, repository)).collect();
    let url = format!("{root}/repositories/{}/actions/runs", repository.id);
    let answer = Answer::json(200, json!({ "total_count": total, "workflow_runs": shown }));
    match page.link(&url, query, total) {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

impl Run {
    fn status(&self) -> &'static str {
        if self.conclusion.is_some() { "completed" } else { "queued" }
    }

    /// Whether it has a status, which may be a conclusion too.
    fn is(&self, status: &str) -> bool {
        self.status() == status || self.conclusion.as_deref() == Some(status)
    }

    fn shown(&self, root: &str, repository: &Repository) -> Value {
        let Self { id, path, .. } = self;
        let full_name = &repository.full_name;
        let at = in_seconds(self.created_at);
        json!({
            "id": id,
            "name": self.name,
            "display_title": self.display_title,
            "event": EVENT,
            "status": self.status(),
            "conclusion": self.conclusion,
            "workflow_id": workflow_id(path),
            "path": path,
            "head_branch": self.head_branch,
            "run_number": self.number,
            "run_attempt": 1,
            "created_at": at,
            "updated_at": at,
            "run_started_at": at,
            "url": format!("{root}/repos/{full_name}/actions/runs/{id}"),
            "html_url": format!("https://github.com/{full_name}/actions/runs/{id}"),
            "repository": { "id": repository.id, "full_name": full_name },
        })
    }
}

/// Returns the time as GitHub writes it.
fn in_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether a time is within `>=T`, `>T`, `<=T`, `<T`, `T..T` (with `*` for an open end) or `T`.
fn is_within(at: Timestamp, range: &str) -> bool {
    // As GitHub shows it, and so compares it: in whole seconds.
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let holds = |text: &str, holds: &dyn Fn(Span) -> bool| Span::read(text).is_some_and(holds);
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || holds(from, &|from| at >= from.first))
            && (to == "*" || holds(to, &|to| at <= to.last));
    }
    if let Some(from) = range.strip_prefix(">=") {
        return holds(from, &|from| at >= from.first);
    }
    if let Some(to) = range.strip_prefix("<=") {
        return holds(to, &|to| at <= to.last);
    }
    match range.split_at_checked(1) {
        Some((">", from)) => holds(from, &|from| at > from.last),
        Some(("<", to)) => holds(to, &|to| at < to.first),
        _ => holds(range, &|day| (day.first..=day.last).contains(&at)),
    }
}

/// What a date stands for: a day of UTC, or a second.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: Timestamp,
    last: Timestamp,
}

impl Span {
    fn read(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self { first: at, last: at });
        }
        let first = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let last = first.saturating_add(SignedDuration::from_secs(86_399)).ok()?;
        Some(Self { first, last })
    }
}
