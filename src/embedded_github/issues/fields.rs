//! The bodies of what is written to issues: what GitHub takes, and in which words it refuses the
//! rest. Pure: bytes in, what to write or the refusal out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Writer;
use crate::embedded_github::answer::Answer;
use crate::embedded_github::tracker::{Draft, Issue};

/// The longest text of an issue or comment, in characters.
const LONGEST_BODY: usize = 65_536;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 256;

/// Returns the issue that a POST makes, or the answer that refuses it.
pub(super) fn draft(
    fields: &Map<String, Value>,
    writer: Writer,
    docs: &str,
) -> Result<Draft, Box<Answer>> {
    let title = match fields.get("title") {
        Some(Value::String(title)) if !title.trim().is_empty() => title.clone(),
        _ => return Err(invalid("Issue", "title", "missing_field", None, docs)),
    };
    check_length("Issue", "title", &title, LONGEST_TITLE, docs)?;
    let body = text_of(fields, "body", docs)?;
    // Who may not triage is not refused: the labels are dropped, as the documentation says.
    let labels = if writer.triages { labels_of(fields) } else { None };
    Ok(Draft {
        title,
        body,
        labels: labels.unwrap_or_default(),
        author: writer.author,
        open: true,
        pull_request: false,
    })
}

/// What a PATCH sets; what it does not name stays.
pub(super) struct Update {
    title: Option<String>,
    body: Option<Option<String>>,
    open: Option<bool>,
    reason: Option<String>,
    labels: Option<Vec<String>>,
}

impl Update {
    /// Returns what is set, or the answer that refuses it.
    pub(super) fn of(fields: &Map<String, Value>, docs: &str) -> Result<Self, Box<Answer>> {
        let open = match fields.get("state") {
            None | Some(Value::Null) => None,
            Some(Value::String(state)) if state == "open" => Some(true),
            Some(Value::String(state)) if state == "closed" => Some(false),
            Some(_) => return Err(invalid("Issue", "state", "invalid", None, docs)),
        };
        let reason = match fields.get("state_reason") {
            None | Some(Value::Null) => None,
            Some(Value::String(it))
                if ["completed", "not_planned", "duplicate", "reopened"].contains(&it.as_str()) =>
            {
                Some(it.clone())
            }
            Some(_) => return Err(invalid("Issue", "state_reason", "invalid", None, docs)),
        };
        let body = text_of(fields, "body", docs)?;
        let title = text_of(fields, "title", docs)?;
        Ok(Self {
            title,
            body: fields.contains_key("body").then_some(body),
            open,
            reason,
            labels: labels_of(fields),
        })
    }

    /// Sets it.
    pub(super) fn apply(self, issue: &mut Issue, now: Timestamp) {
        let Self { title, body, open, reason, labels } = self;
        issue.title = title.unwrap_or_else(|| issue.title.clone());
        issue.body = body.unwrap_or_else(|| issue.body.clone());
        issue.labels = labels.unwrap_or_else(|| issue.labels.clone());
        if let Some(open) = open.filter(|open| *open != issue.open) {
            issue.open = open;
            let usual = if open { "reopened" } else { "completed" };
            issue.state_reason = Some(reason.unwrap_or_else(|| usual.to_owned()));
        }
        issue.updated_at = now;
    }
}

/// Returns the fields of a body, or the answer to one that has none.
pub(in super::super) fn fields(body: &[u8], docs: &str) -> Result<Map<String, Value>, Box<Answer>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        let message = "Invalid request.\n\nFor 'links/0/schema', nil is not an object.";
        return Err(Box::new(Answer::error(422, message, docs)));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Box::new(Answer::error(400, "Body should be a JSON object", docs))),
        Err(_) => Err(Box::new(Answer::error(400, "Problems parsing JSON", docs))),
    }
}

/// Returns the text of a comment, or the answer that refuses it.
pub(super) fn comment_in(fields: &Map<String, Value>, docs: &str) -> Result<String, Box<Answer>> {
    let Some(Value::String(text)) = fields.get("body") else {
        return Err(invalid("IssueComment", "body", "missing_field", None, docs));
    };
    check_length("IssueComment", "body", text, LONGEST_BODY, docs)?;
    Ok(text.clone())
}

pub(in super::super) fn text_of(
    fields: &Map<String, Value>,
    name: &str,
    docs: &str,
) -> Result<Option<String>, Box<Answer>> {
    let longest = if name == "title" { LONGEST_TITLE } else { LONGEST_BODY };
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            check_length("Issue", name, text, longest, docs)?;
            Ok(Some(text.clone()))
        }
        Some(_) => Err(invalid("Issue", name, "invalid", None, docs)),
    }
}

pub(in super::super) fn labels_of(fields: &Map<String, Value>) -> Option<Vec<String>> {
    let name = |label: &Value| {
        label.as_str().or_else(|| label.get("name")?.as_str()).map(ToOwned::to_owned)
    };
    Some(fields.get("labels")?.as_array()?.iter().filter_map(name).collect())
}

fn check_length(
    resource: &str,
    field: &str,
    text: &str,
    longest: usize,
    docs: &str,
) -> Result<(), Box<Answer>> {
    if text.chars().count() <= longest {
        return Ok(());
    }
    let message = format!("{field} is too long (maximum is {longest} characters)");
    Err(invalid(resource, field, "custom", Some(message), docs))
}

pub(in super::super) fn invalid(
    resource: &str,
    field: &str,
    code: &str,
    message: Option<String>,
    docs: &str,
) -> Box<Answer> {
    let mut error = json!({ "resource": resource, "code": code, "field": field });
    if let (Some(message), Value::Object(fields)) = (message, &mut error) {
        fields.insert("message".to_owned(), Value::String(message));
    }
    Box::new(Answer::json(
        422,
        json!({
            "message": "Validation Failed",
            "errors": [error],
            "documentation_url": docs,
            "status": "422",
        }),
    ))
}
