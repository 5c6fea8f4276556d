//! GitHub's answers to what is asked about a cousin, in the shapes that its REST documentation
//! gives: of each only what is used, so that what GitHub adds breaks nothing. What has another shape
//! is an error, and never an empty list.

use serde::Deserialize;

use super::{Permissions, Unread};
use crate::delivery::requests::Unanswered;
use crate::github::Reply;
use crate::github::error::said;
use crate::text;

/// An entry of a directory.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) sha: String,
}

/// A file.
#[derive(Deserialize)]
pub(super) struct File {
    #[serde(rename = "type", default)]
    kind: String,
    encoding: Option<String>,
    content: Option<String>,
}

/// A repository. Only what names it has to be there: what GitHub leaves out is not known.
#[derive(Deserialize)]
pub(super) struct Described {
    pub(super) full_name: String,
    pub(super) default_branch: Option<String>,
    pub(super) private: Option<bool>,
    pub(super) archived: Option<bool>,
    pub(super) disabled: Option<bool>,
    pub(super) permissions: Option<Permissions>,
}

/// Whether Actions are turned on.
#[derive(Deserialize)]
pub(super) struct ActionsPermissions {
    pub(super) enabled: bool,
}

/// A branch.
#[derive(Deserialize)]
pub(super) struct Branch {
    pub(super) name: String,
}

/// The workflows that GitHub knows.
#[derive(Deserialize)]
pub(super) struct States {
    pub(super) workflows: Vec<State>,
}

/// One of them.
#[derive(Deserialize)]
pub(super) struct State {
    pub(super) path: String,
    pub(super) state: String,
}

/// Returns the entries of a directory; a file of that name has none.
///
/// # Errors
/// The answer is neither, so that nothing is known.
pub(super) fn entries(reply: &Reply) -> Result<Vec<Entry>, Unanswered> {
    let body = &reply.body;
    serde_json::from_slice(body).or_else(|_| match serde_json::from_slice::<File>(body) {
        Ok(file) if file.kind == "file" => Ok(Vec::new()),
        _ => {
            let what = "GitHub's list of its workflow files cannot be read";
            Err(Unanswered::Unreachable(what.to_owned()))
        }
    })
}

/// Returns the content of a file; none when there is no such file.
///
/// # Errors
/// Says why it cannot be had.
pub(super) fn content(reply: Reply) -> Result<Option<Vec<u8>>, Unread> {
    use base64::Engine as _;
    match reply.status {
        200 => {}
        404 => return Ok(None),
        401 | 403 | 451 => return Err(Unread::Refused(Box::new(reply))),
        _ => return Err(Unread::Unclear(unexpected(&reply))),
    }
    if reply.too_large {
        return Err(Unread::Broken("it is too large".to_owned()));
    }
    if reply.body.trim_ascii_start().starts_with(b"[") {
        return Err(Unread::Broken("it is a directory".to_owned()));
    }
    let file: File = serde_json::from_slice(&reply.body).map_err(|error| {
        Unread::Unclear(format!("GitHub's answer is not that of a file: {error}"))
    })?;
    if !matches!(file.kind.as_str(), "" | "file") {
        let kind = text::shown(file.kind.as_bytes()).into_owned();
        return Err(Unread::Broken(format!("it is a {kind}")));
    }
    let content = match (file.encoding.as_deref(), file.content) {
        (None | Some("base64"), Some(content)) => content,
        // GitHub sends no content of files over 1 MB. Source: "Get repository content".
        (Some("none"), _) => return Err(Unread::Broken("it is larger than 1 MB".to_owned())),
        _ => return Err(Unread::Unclear("GitHub's answer has no content".to_owned())),
    };
    let packed: String = content.split_ascii_whitespace().collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(packed);
    let unclear = |error| Unread::Unclear(format!("GitHub's answer is not base64: {error}"));
    decoded.map(Some).map_err(unclear)
}

/// Returns in words an answer that a question to read something should not get.
pub(super) fn unexpected(reply: &Reply) -> String {
    let status = reply.status;
    match reply.refused {
        Some(why) => format!(
            "it answered {status} and redirects {why}: check the repository's name and GITHUB_API_URL"
        ),
        None => format!("it answered {status}: {}", said(reply)),
    }
}
