//! What a `repository_dispatch` event claims: feature, commit, dispatch id. Only its grammar is
//! judged here; whether it is true is found out upstream.
//!
//! Whoever may dispatch chooses all of it, so each value is held to the grammar of what it should be,
//! and from there on is that and nothing else: no text of an event is ever put into a command. Where
//! the source is, an event does not decide; what it says of that is kept to be compared.

use serde_json::{Map, Value};

use super::json;
use crate::actions::MAX_EVENT;
use crate::event::PERCENT_ENCODING;
use crate::names::{CommitSha, EventType, FeaturePath};
use crate::subscriptions::path;
use crate::text;

/// How long a claimed source may be: an owner and a name have 140 characters.
const MAX_SOURCE: usize = 300;

/// How many hexadecimal digits a dispatch id has.
const ID_DIGITS: usize = 32;

/// What an event claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The feature that is said to be new.
    pub feature: FeaturePath,
    /// The commit that is said to hold it.
    pub commit: CommitSha,
    /// The event's id, 32 lower-case hexadecimal digits: the same when it is sent again. None where
    /// the sender gives none, or something else.
    pub dispatch_id: Option<String>,
    /// The source that is claimed: to be compared with the true one, never to be asked.
    pub source: Option<String>,
    /// What was left out of account, fit to be shown.
    pub warnings: Vec<String>,
}

/// What an event is to a cousin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintOrOther {
    /// News of a feature.
    Hint(Hint),
    /// An event of another type, which is not for us.
    Other {
        /// The event's type, as it came.
        event_type: String,
    },
}

/// Why an event is no hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HintError {
    /// The file is longer than GitHub's events are.
    #[error("the event has {0} bytes, the limit is {MAX_EVENT}")]
    TooLarge(usize),
    /// The file is not JSON, or no object.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// A value is missing.
    #[error("the event has no \"{key}\"")]
    Missing {
        /// Where it should be, with dots between keys.
        key: &'static str,
    },
    /// A value is not what its key takes.
    #[error("the event's \"{key}\" {message}")]
    Value {
        /// Where it is, with dots between keys.
        key: &'static str,
        /// What is wrong with it, fit to be shown.
        message: String,
    },
}

impl HintError {
    /// Returns what to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::TooLarge(_) | Self::Unreadable(_) => {
                "GITHUB_EVENT_PATH must name the file of a repository_dispatch run; without it, \
                 give --feature and --commit, or --pull"
            }
            Self::Missing { .. } | Self::Value { .. } => {
                "whoever sent the event made it wrong, or is not who it should be: `ecosystem \
                 dispatch` sends right ones; --pull brings what is subscribed without an event"
            }
        }
    }
}

impl Hint {
    /// Returns what the event file of a `repository_dispatch` run claims. `types` are the event
    /// types that are for us; none are all.
    ///
    /// Keys that are not known are passed over. A payload that is a string of JSON is read too, as
    /// old senders write it.
    ///
    /// # Errors
    /// [`HintError`] names the key that is missing or wrong.
    pub fn from_event(bytes: &[u8], types: &[EventType]) -> Result<HintOrOther, HintError> {
        if bytes.len() > MAX_EVENT {
            return Err(HintError::TooLarge(bytes.len()));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Value::Object(mut event) = json::parse(bytes).map_err(HintError::Unreadable)? else {
            return Err(HintError::Unreadable("it holds no JSON object".to_owned()));
        };
        let event_type = optional(&event, "action", "action", |action| {
            EventType::parse(action).map_err(|bad| bad.message)
        })?;
        if !types.is_empty() {
            let event_type = event_type.ok_or(HintError::Missing { key: "action" })?;
            if !types.contains(&event_type) {
                return Ok(HintOrOther::Other { event_type: event_type.to_string() });
            }
        }
        let payload = event.remove("client_payload").ok_or(HintError::Missing { key: PAYLOAD })?;
        Self::from_payload(&object(payload)?).map(HintOrOther::Hint)
    }

    fn from_payload(payload: &Map<String, Value>) -> Result<Self, HintError> {
        let encoded = optional(payload, "path_encoding", "client_payload.path_encoding", |name| {
            let known = name == PERCENT_ENCODING;
            known.then_some(()).ok_or_else(|| format!("is not known: {}", text::quoted(name)))
        })?;
        let feature =
            required(payload, "updated_feature", "client_payload.updated_feature", |feature| {
                let bytes = match encoded {
                    None => feature.as_bytes().to_vec(),
                    Some(()) => text::from_percent(feature).ok_or_else(|| {
                        format!("holds a % of no code: {}", text::quoted(feature))
                    })?,
                };
                let said =
                    |message: &str| format!("is refused: {}: {message}", text::quoted(feature));
                path::told(&bytes).map_err(|bad| said(&bad.message))
            })?;
        let commit = required(payload, "commit_sha", "client_payload.commit_sha", |commit| {
            CommitSha::parse(commit).map_err(|bad| format!("is refused: {}", bad.message))
        })?;
        let source =
            optional(payload, "source_repository", "client_payload.source_repository", |source| {
                let fits = source.len() <= MAX_SOURCE && !source.chars().any(char::is_control);
                let shown = || format!("names no repository: {}", text::quoted(source));
                fits.then(|| source.to_owned()).ok_or_else(shown)
            })?;
        let (dispatch_id, warning) = dispatch_id(payload.get("dispatch_id"));
        let warnings = warning.into_iter().collect();
        Ok(Self { feature, commit, dispatch_id, source, warnings })
    }
}

/// The key of what the sender chose.
const PAYLOAD: &str = "client_payload";

/// Returns the members of a payload that is an object, or a string that holds one.
fn object(payload: Value) -> Result<Map<String, Value>, HintError> {
    let wrong = |message: String| HintError::Value { key: PAYLOAD, message };
    let payload = match payload {
        Value::String(written) => json::parse(written.as_bytes())
            .map_err(|said| wrong(format!("is a string, and not of JSON: {said}")))?,
        payload => payload,
    };
    match payload {
        Value::Object(members) => Ok(members),
        other => Err(wrong(format!("must be an object, not {}", json::kind(&other)))),
    }
}

/// Returns the id, or why what stands there is none: it only serves to know repeats.
fn dispatch_id(value: Option<&Value>) -> (Option<String>, Option<String>) {
    let id = match value {
        None | Some(Value::Null) => return (None, None),
        Some(Value::String(id)) => id,
        Some(other) => {
            let kind = json::kind(other);
            return (None, Some(format!("the event's \"dispatch_id\" is passed over: {kind}")));
        }
    };
    if id.len() == ID_DIGITS && id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return (Some(id.to_ascii_lowercase()), None);
    }
    let shown = text::quoted(id);
    let wanted = format!("it has not {ID_DIGITS} hexadecimal digits");
    (None, Some(format!("the event's \"dispatch_id\" is passed over: {shown}: {wanted}")))
}

fn required<T>(
    members: &Map<String, Value>,
    name: &str,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, HintError> {
    optional(members, name, key, parse)?.ok_or(HintError::Missing { key })
}

fn optional<T>(
    members: &Map<String, Value>,
    name: &str,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, HintError> {
    let wrong = |message| HintError::Value { key, message };
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => parse(text).map(Some).map_err(wrong),
        Some(other) => Err(wrong(format!("must be a string, not {}", json::kind(other)))),
    }
}

#[cfg(test)]
mod tests;
