//! The labels of a pull request or an issue: made where they are missing, and set. A label that
//! cannot be set is a warning: nothing depends on it.

use serde_json::json;

use crate::delivery::{Clock, Get, Put, Requests, Unanswered};
use crate::github::error::said;
use crate::github::{TokenId, Write};
use crate::names::RepoName;

/// The labels of a pull request.
pub const LABELS: [&str; 2] = ["automated", "upstream-sync"];

/// How a label looks that is made here: its name, its colour and what it says.
const LOOKS: [(&str, &str, &str); 4] = [
    ("automated", "ededed", "Made by a program"),
    ("upstream-sync", "0366d6", "Brings what upstream changed"),
    ("upstream-issue", "d93f0b", "What upstream changed does not arrive"),
    ("help-wanted", "008672", "A person is needed"),
];

/// Sets the labels that a pull request or an issue has not yet; returns what went wrong.
pub(in crate::sync) async fn set<G: Get + Put, C: Clock>(
    requests: &Requests<G, C>,
    repo: &RepoName,
    token: TokenId,
    number: u64,
    labels: &[&str],
) -> Option<String> {
    if labels.is_empty() {
        return None;
    }
    for label in labels {
        // What becomes of it is seen when it is set.
        let _ = make(requests, repo, token, label).await;
    }
    let post =
        Write::post(repo, &["issues", &number.to_string(), "labels"], &json!({ "labels": labels }));
    let why = match send(requests, token, post).await {
        Ok(()) => return None,
        Err(why) => why,
    };
    let variable = requests.label(token);
    Some(format!(
        "the labels {} could not be set on #{number} in {repo}: {why}; the token in {variable} needs \
         the permission \"Issues: read and write\" there (`issues: write` in a workflow)",
        labels.join(", ")
    ))
}

/// Makes a label; that there is one already is fine.
async fn make<G: Get + Put, C: Clock>(
    requests: &Requests<G, C>,
    repo: &RepoName,
    token: TokenId,
    name: &str,
) -> Result<(), String> {
    let looks = LOOKS.iter().find(|(known, ..)| *known == name);
    let (_, color, description) = looks.copied().unwrap_or((name, "ededed", ""));
    let fields = json!({ "name": name, "color": color, "description": description });
    send(requests, token, Write::post(repo, &["labels"], &fields)).await
}

async fn send<G: Get + Put, C: Clock>(
    requests: &Requests<G, C>,
    token: TokenId,
    write: Result<Write, crate::github::BadAddress>,
) -> Result<(), String> {
    let write = write.map_err(|bad| bad.to_string())?;
    match requests.write(&write, token).await {
        Ok(reply) if matches!(reply.status, 200 | 201) => Ok(()),
        Ok(reply) => Err(format!("{}: {}", reply.status, said(&reply))),
        Err(Unanswered::Unknown(why)) => Err(format!("what became of it is not known: {why}")),
        Err(unanswered) => Err(unanswered.to_string()),
    }
}
