//! `ecosystem.lock.json`: which commit of which source each feature was last brought from. It is
//! written in the commit that brings the feature, so that the two cannot disagree.
//!
//! Each value has a line of its own and features are sorted, so that git merges what two pull
//! requests say of different features as often as it can. What it could not merge is refused with a
//! way out, and so is what a newer program wrote: a guess here would apply changes twice. Keys that
//! are not known are kept, so that an older program takes nothing from a newer one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::event::PERCENT_ENCODING;
use crate::names::{CommitSha, FeaturePath};
use crate::subscriptions::Method;
use crate::text;

mod reading;

/// The file's name, at the cousin's root.
pub const FILE_NAME: &str = "ecosystem.lock.json";

/// The version of the format that is written.
const VERSION: u64 = 1;

/// The most bytes that are read: some 20,000 features.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// Keys that are not known here, with their values.
type Others = BTreeMap<String, Value>;

/// What a cousin has of each feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    features: BTreeMap<FeaturePath, Kept>,
    others: Others,
}

/// What is recorded of a feature, and what else stands there.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    locked: Locked,
    others: Others,
}

/// How a feature was last brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The source, as it was named.
    pub source: String,
    /// The source's commit.
    pub commit: CommitSha,
    /// The id of the feature's tree at that commit: 40 lower-case hexadecimal digits. None when the
    /// source has no such directory there.
    pub tree: Option<String>,
    /// How it was brought.
    pub method: Method,
    /// The cousin's directory, as [`crate::subscriptions::Directory`] is shown: `.` is the root.
    pub into: String,
    /// The event that asked for it: 32 lower-case hexadecimal digits. None when no event did.
    pub dispatch_id: Option<String>,
    /// When; kept to the second.
    pub applied_at: Timestamp,
}

/// Why a lock file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is longer than any that is written.
    #[error("{FILE_NAME} has {0} bytes, the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Git could not merge two of it.
    #[error("{FILE_NAME}:{line}: a merge conflict is not resolved")]
    Conflict {
        /// The line of the first marker, from 1.
        line: usize,
    },
    /// It is not JSON, or not strictly.
    #[error("{FILE_NAME} cannot be read: {0}")]
    Syntax(String),
    /// It is of a version that is not known.
    #[error("{FILE_NAME} is of version {0}, which a newer program wrote")]
    Newer(u64),
    /// A value is missing or not what its key takes.
    #[error("{FILE_NAME}: \"{pointer}\" {message}")]
    Value {
        /// The JSON pointer of the value (RFC 6901).
        pointer: String,
        /// What is wrong with it.
        message: String,
    },
}

impl LockError {
    /// Returns what to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => {
                "take either side of each conflict, commit, and run again: what is missing is \
                 brought once more"
            }
            Self::Newer(_) => "update this program to the version that the others use",
            Self::TooLarge(_) | Self::Syntax(_) | Self::Value { .. } => {
                "restore it from the last commit in which it was right, or delete the feature's \
                 entry: the feature is then compared as if it were brought for the first time"
            }
        }
    }
}

impl Lock {
    /// Returns what the bytes of a lock file say.
    ///
    /// # Errors
    /// [`LockError`] for everything that is not a whole lock file of version 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        reading::read(bytes)
    }

    /// Returns how the feature was last brought.
    #[must_use]
    pub fn get(&self, feature: &FeaturePath) -> Option<&Locked> {
        self.features.get(feature).map(|kept| &kept.locked)
    }

    /// Returns the features that were brought, in the order of their paths.
    pub fn features(&self) -> impl Iterator<Item = (&FeaturePath, &Locked)> {
        self.features.iter().map(|(feature, kept)| (feature, &kept.locked))
    }

    /// Returns the lock with what is now to be recorded of the feature.
    #[must_use]
    pub fn with(&self, feature: &FeaturePath, mut locked: Locked) -> Self {
        let mut lock = self.clone();
        let seconds = locked.applied_at.as_second();
        locked.applied_at = Timestamp::from_second(seconds).unwrap_or(locked.applied_at);
        let others = lock.features.remove(feature).map(|kept| kept.others).unwrap_or_default();
        lock.features.insert(feature.clone(), Kept { locked, others });
        lock
    }

    /// Returns the lock without the feature.
    #[must_use]
    pub fn without(&self, feature: &FeaturePath) -> Self {
        let mut lock = self.clone();
        lock.features.remove(feature);
        lock
    }

    /// Returns the lock as a file: sorted keys, two spaces of indentation, a newline at the end. The
    /// same lock gives the same bytes.
    #[must_use]
    pub fn render(&self) -> String {
        let encoded =
            self.features.keys().any(|path| std::str::from_utf8(path.as_bytes()).is_err());
        let features: BTreeMap<String, BTreeMap<&str, Value>> = self
            .features
            .iter()
            .map(|(feature, kept)| (written(feature, encoded), kept.members()))
            .collect();
        let mut all: BTreeMap<&str, Value> =
            self.others.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        all.insert("version", VERSION.into());
        all.insert("features", serde_json::to_value(features).unwrap_or_default());
        if encoded {
            all.insert(PATH_ENCODING, PERCENT_ENCODING.into());
        }
        let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The key that says how features are written where one is not UTF-8, as in events and reports.
const PATH_ENCODING: &str = "path_encoding";

impl Kept {
    fn members(&self) -> BTreeMap<&str, Value> {
        let Locked { source, commit, tree, method, into, dispatch_id, applied_at } = &self.locked;
        let mut all: BTreeMap<&str, Value> =
            self.others.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        all.extend([
            ("source", Value::from(source.as_str())),
            ("commit", commit.as_str().into()),
            ("tree", tree.as_deref().into()),
            ("method", method.as_str().into()),
            ("into", into.as_str().into()),
            ("dispatch_id", dispatch_id.as_deref().into()),
            ("applied_at", applied_at.to_string().into()),
        ]);
        all
    }
}

fn written(feature: &FeaturePath, encoded: bool) -> String {
    if encoded {
        text::percent(feature.as_bytes())
    } else {
        String::from_utf8_lossy(feature.as_bytes()).into_owned()
    }
}

#[cfg(test)]
mod tests;
