//! What of a whole tree is the cousin's own, and how the content of its files is read: the cousin's
//! blobs from the cousin's origin, since upstream's are here by then.

use std::collections::BTreeSet;

use crate::git::files::{Files, ObjectId};
use crate::git::workshop::{FileMerge, Workshop};
use crate::sync::lock;
use crate::sync::merge::Contents;
use crate::sync::outcome::Trouble;

/// The cousin's own list of what it follows, at its root.
pub(super) const SUBSCRIPTIONS: &str = "subscriptions.json";

/// A whole tree in two parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parted {
    /// What is merged.
    pub(super) rest: Files,
    /// The lock file and the subscriptions: each repository has its own.
    pub(super) own: Files,
}

impl Parted {
    pub(super) fn of(files: Files) -> Self {
        let (own, rest) = files.into_iter().partition(|(path, _)| is_own(path));
        Self { rest, own }
    }

    pub(super) fn whole(&self) -> Files {
        self.rest.iter().chain(&self.own).map(|(path, entry)| (path.clone(), *entry)).collect()
    }

    /// Returns what is at one of the own paths.
    pub(super) fn at(&self, name: &str) -> Files {
        let at = self.own.iter().filter(|(path, _)| first(path) == name.as_bytes());
        at.map(|(path, entry)| (path.clone(), *entry)).collect()
    }

    /// Lets one of the own paths be as it is given.
    pub(super) fn set(&mut self, name: &str, files: Files) {
        self.own.retain(|path, _| first(path) != name.as_bytes());
        self.own.extend(files);
    }
}

fn first(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'/').next().unwrap_or_default()
}

fn is_own(path: &[u8]) -> bool {
    [lock::FILE_NAME, SUBSCRIPTIONS].iter().any(|own| first(path) == own.as_bytes())
}

/// Reads and merges content in a workshop that has all of upstream's.
pub(super) struct Cousins<'w>(pub(super) &'w Workshop);

impl Contents for Cousins<'_> {
    type Error = Trouble;

    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, Trouble> {
        Ok(self.0.blob(id)?)
    }

    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, Trouble> {
        Ok(self.0.merge_file(base, ours, theirs, ("ours", "base", "upstream"))?)
    }

    fn prepare(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Trouble> {
        Ok(self.0.bring_own_blobs(blobs)?)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::git::files::{Entry, Mode};

    #[test]
    fn only_the_lock_file_and_the_subscriptions_of_the_root_are_the_cousins_own() {
        let id = ObjectId::from_str("0123456789abcdef0123456789abcdef01234567").unwrap();
        let entry = Entry { mode: Mode::File, id };
        let files = |paths: &[&str]| -> Files {
            paths.iter().map(|path| (path.as_bytes().to_vec(), entry)).collect()
        };
        let own = ["ecosystem.lock.json", "subscriptions.json/x"];
        let rest = ["a/ecosystem.lock.json", "ecosystem.lock.json2", "subscriptions"];
        let all = files(&[&own[..], &rest[..]].concat());
        let mut parted = Parted::of(all.clone());
        assert_eq!((&parted.own, &parted.rest), (&files(&own), &files(&rest)));
        assert_eq!(parted.whole(), all);
        parted.set("subscriptions.json", files(&["subscriptions.json"]));
        assert_eq!(parted.own, files(&["ecosystem.lock.json", "subscriptions.json"]));
        assert_eq!(parted.at("subscriptions.json"), files(&["subscriptions.json"]));
    }
}
