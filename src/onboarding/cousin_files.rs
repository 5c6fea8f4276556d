//! The two files with which a repository begins to follow a monorepo: `subscriptions.json`, which
//! says what goes where, and the workflow that brings it in. Pure: values in, text out; who writes
//! them, and where, is somebody else's business.
//!
//! The workflow takes nothing of an event into its own text but the name of the run, which is no
//! script: the program reads the event from its file. It holds no token; the action hands the job's
//! own to the program.

mod action;

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use self::action::ActionRef;
use crate::names::{EventType, RepoName};

/// The cousin's own list.
pub(crate) const LIST: &str = "subscriptions.json";

/// Where the workflow goes.
pub(crate) const WORKFLOW: &str = ".github/workflows/sync-upstream.yml";

/// How old a commit may be that an event names, in days: an old event that is sent again is refused.
const MAX_AGE_DAYS: u32 = 30;

/// The action that brings the repository onto the runner, as the README's workflows pin it.
const CHECKOUT: &str = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";

/// Who is to follow what, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Following<'a> {
    /// The repository that the files are for.
    pub(crate) cousin: &'a RepoName,
    /// The monorepo.
    pub(crate) source: &'a RepoName,
    /// Its trusted branch.
    pub(crate) branch: &'a str,
    /// What the monorepo's events are called.
    pub(crate) event_type: &'a EventType,
    /// The features, sorted.
    pub(crate) features: &'a [String],
    /// The directory that they go to; none is their own paths.
    pub(crate) into: Option<&'a str>,
    /// How they are brought in, where it is not by a merge.
    pub(crate) method: Option<&'a str>,
    /// What runs the program.
    pub(crate) action: &'a ActionRef,
}

/// A file for the cousin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CousinFile {
    /// Its path in the repository.
    pub(crate) path: &'static str,
    /// All of it.
    pub(crate) content: String,
}

/// Returns the files for a cousin.
pub(crate) fn files(following: &Following<'_>) -> Vec<CousinFile> {
    vec![
        CousinFile { path: LIST, content: list(following) },
        CousinFile { path: WORKFLOW, content: workflow(following) },
    ]
}

/// Returns the list: an entry a line, a plain name where nothing else is to be said.
fn list(following: &Following<'_>) -> String {
    let Following { source, branch, features, method, .. } = following;
    let mut out = format!(
        "{{\n  \"source\": {},\n  \"branch\": {},\n  \"max_age_days\": {MAX_AGE_DAYS},\n  \
         \"subscriptions\": [",
        json!(source),
        json!(branch),
    );
    for (at, (feature, into)) in features.iter().zip(places(features, following.into)).enumerate() {
        let mut keys = vec![("feature", json!(feature))];
        keys.extend(into.filter(|into| into != feature).map(|into| ("into", json!(into))));
        keys.extend(method.map(|method| ("method", json!(method))));
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\n    {}", entry(&keys));
    }
    out.push_str("\n  ]\n}\n");
    out
}

fn entry(keys: &[(&str, Value)]) -> String {
    match keys {
        [(_, feature)] => feature.to_string(),
        keys => {
            let keys: Vec<String> =
                keys.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
            format!("{{ {} }}", keys.join(", "))
        }
    }
}

/// Returns where each feature goes: one to the directory itself, several to directories in it, by
/// what is left of their paths without the directory that all lie in.
fn places(features: &[String], into: Option<&str>) -> Vec<Option<String>> {
    let Some(into) = into else { return vec![None; features.len()] };
    if features.len() == 1 {
        return vec![Some(into.to_owned())];
    }
    let above = |feature: &str| feature.rfind('/').map_or(0, |at| at + 1);
    let common = features.iter().skip(1).fold(
        features.first().map_or("", |first| first.get(..above(first)).unwrap_or_default()),
        |common, feature| {
            let own = feature.get(..above(feature)).unwrap_or_default();
            let ends = common.match_indices('/').map(|(at, _)| at + 1).rev();
            let shared = ends.filter_map(|end| common.get(..end)).find(|it| own.starts_with(it));
            shared.unwrap_or_default()
        },
    );
    let place = |feature: &String| {
        let own = feature.strip_prefix(common).unwrap_or(feature);
        Some(if into == "." { own.to_owned() } else { format!("{into}/{own}") })
    };
    features.iter().map(place).collect()
}

/// Returns the workflow.
fn workflow(following: &Following<'_>) -> String {
    let Following { cousin, source, action, .. } = following;
    let event_type = plain_or_quoted(following.event_type.as_str());
    let (hour, minute) = daily(cousin);
    format!(
        "\
# What {source} changes comes in as pull requests, one for each feature of {LIST}.
name: Sync upstream
# A run's name is text and no script. By the id in it the monorepo sees that its event has arrived.
run-name: Sync ${{{{ github.event.client_payload.updated_feature }}}} ${{{{ github.event.client_payload.dispatch_id }}}}
on:
  repository_dispatch:
    types: [{event_type}]
  schedule: # once a day whatever no event has brought
    - cron: \"{minute} {hour} * * *\"
  workflow_dispatch: # the same, now

permissions: {{}}

# One run after the other, and none is cancelled: up to 100 wait. A GitHub Enterprise Server that does
# not know `queue` needs that line taken away; then of those that wait GitHub cancels all but the
# newest, and the daily run makes up for the others.
concurrency:
  group: sync-upstream
  cancel-in-progress: false
  queue: max

jobs:
  sync:
    name: Sync
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: write # the branches of the pull requests
      pull-requests: write # the pull requests
      issues: write # their labels, and an issue while a feature cannot be brought in
    steps:
      - uses: {CHECKOUT}
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: {action}
        with:
          command: sync
          # Where the monorepo is private, or the pull requests are to start workflows, the token of an
          # App or a person is needed: `token:`, from a secret.
"
    )
}

/// Returns the hour and the minute of a repository's daily run: not the same for all, which would
/// ask the monorepo all at once, and never a full hour, when GitHub is busy and leaves runs out.
fn daily(cousin: &RepoName) -> (u8, u8) {
    let hash = Sha256::digest(cousin.key());
    let byte = |at: usize| hash.get(at).copied().unwrap_or_default();
    (byte(0) % 24, byte(1) % 58 + 1)
}

/// Returns a scalar of YAML within a flow sequence: as it is where nothing in it has a meaning.
fn plain_or_quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    // Every string of JSON is one of YAML.
    if is_plain { text.to_owned() } else { json!(text).to_string() }
}

#[cfg(test)]
mod tests;
