//! From the bytes of a lock file to what it says, strictly: what a person or a merge made of it must
//! not be taken for what a run has recorded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Kept, Lock, LockError, Locked, MAX_BYTES, Others, PATH_ENCODING, VERSION};
use crate::event::PERCENT_ENCODING;
use crate::names::{CommitSha, FeaturePath};
use crate::subscriptions::{Directory, Method, path};
use crate::sync::json;
use crate::text;

/// The most bytes of a source's name.
const MAX_SOURCE: usize = 2048;

pub(super) fn read(bytes: &[u8]) -> Result<Lock, LockError> {
    if bytes.len() > MAX_BYTES {
        return Err(LockError::TooLarge(bytes.len()));
    }
    if let Some(line) = conflict(bytes) {
        return Err(LockError::Conflict { line });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let message = "it begins with a byte order mark: save it as UTF-8 without one";
        return Err(LockError::Syntax(message.to_owned()));
    }
    let value = json::parse(bytes).map_err(LockError::Syntax)?;
    let mut file = members(value, "")?;
    match file.remove("version") {
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(version) => {
            return Err(match version.as_u64() {
                Some(newer) if newer > VERSION => LockError::Newer(newer),
                _ => bad("/version", format!("must be {VERSION}")),
            });
        }
        None => return Err(bad("/version", "is missing")),
    }
    let encoded = match file.remove(PATH_ENCODING) {
        None => false,
        Some(value) if value == PERCENT_ENCODING => true,
        Some(_) => return Err(bad("/path_encoding", format!("must be \"{PERCENT_ENCODING}\""))),
    };
    let listed = file.remove("features").ok_or_else(|| bad("/features", "is missing"))?;
    let mut features = BTreeMap::new();
    for (key, value) in members(listed, "/features")? {
        let at = format!("/features/{}", key.replace('~', "~0").replace('/', "~1"));
        let feature = feature(&key, encoded).ok_or_else(|| bad(&at, "is no feature's path"))?;
        // Two keys can be one path only where both are encoded, and differently.
        if features.insert(feature, kept(value, &at)?).is_some() {
            return Err(bad(&at, "is given twice"));
        }
    }
    Ok(Lock { features, others: file })
}

/// Returns the line of the first marker that git leaves where it could not merge. No line of JSON
/// begins so.
fn conflict(bytes: &[u8]) -> Option<usize> {
    let markers: [&[u8]; 4] = [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"];
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.position(|line| markers.iter().any(|marker| line.starts_with(marker))).map(|at| at + 1)
}

/// Returns the feature that a key stands for, if it is written as we write it.
fn feature(key: &str, encoded: bool) -> Option<FeaturePath> {
    let bytes = if encoded { text::from_percent(key)? } else { key.as_bytes().to_vec() };
    path::told(&bytes).ok().filter(|feature| feature.as_bytes() == bytes)
}

fn kept(value: Value, at: &str) -> Result<Kept, LockError> {
    let mut entry = members(value, at)?;
    let source = required(&mut entry, at, "source", |source| {
        let fits = !source.is_empty() && source.len() <= MAX_SOURCE;
        (fits && !source.chars().any(char::is_control)).then(|| source.to_owned())
    })?;
    let commit = required(&mut entry, at, "commit", |commit| {
        CommitSha::parse(commit).ok().filter(|read| read.as_str() == commit)
    })?;
    let into = required(&mut entry, at, "into", |into| {
        let directory = Directory::parse(into).ok()?.to_string();
        (directory == into).then_some(directory)
    })?;
    let locked = Locked {
        source,
        commit,
        tree: optional(&mut entry, at, "tree", |tree| hex(tree, 40))?,
        method: required(&mut entry, at, "method", Method::parse)?,
        into,
        dispatch_id: optional(&mut entry, at, "dispatch_id", |id| hex(id, 32))?,
        applied_at: required(&mut entry, at, "applied_at", |time| time.parse().ok())?,
    };
    Ok(Kept { locked, others: entry })
}

/// Returns lower-case hexadecimal digits of this number.
fn hex(text: &str, digits: usize) -> Option<String> {
    let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(lower)).then(|| text.to_owned())
}

fn required<T>(
    entry: &mut Others,
    at: &str,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, LockError> {
    let missing = || bad(&format!("{at}/{key}"), "is missing");
    optional(entry, at, key, parse)?.ok_or_else(missing)
}

fn optional<T>(
    entry: &mut Others,
    at: &str,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, LockError> {
    match entry.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let parsed = value.as_str().and_then(parse);
            let json = value.to_string();
            let shown = text::quoted(value.as_str().unwrap_or(&json));
            let refused = || bad(&format!("{at}/{key}"), format!("cannot be {shown}"));
            parsed.map(Some).ok_or_else(refused)
        }
    }
}

fn members(value: Value, at: &str) -> Result<Others, LockError> {
    match value {
        Value::Object(members) => Ok(members.into_iter().collect()),
        _ if at.is_empty() => Err(LockError::Syntax("it holds no object".to_owned())),
        _ => Err(bad(at, "must be an object")),
    }
}

fn bad(pointer: &str, message: impl Into<String>) -> LockError {
    let pointer = text::shown(pointer.as_bytes()).into_owned();
    LockError::Value { pointer, message: message.into() }
}
