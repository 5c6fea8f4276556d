//! Finds files that one side renamed, where that matters: a file that one side took away, and that
//! the other changed or took away too. First by equal ids, then by similar content. Each source has
//! one target and each target one source. Never for empty files, which are all alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::contents::Contents;
use super::entry::Triple;
use super::similarity::{Fingerprint, Fingerprints};
use crate::git::files::{Entry, Mode, ObjectId};

/// The most pairs of files that are compared by content: past it, only those with the same file
/// name are, and where these are more too, none. Comparing is quadratic, and each candidate is a
/// blob that may have to be fetched.
const MOST_PAIRS: usize = 1000;

/// How similar a file has to be to what it was, in per cent: git's default.
const SIMILAR: usize = 50;

/// The blob of an empty file.
const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// The paths that are not the same in all three directories.
pub(super) type Changed<'a> = BTreeMap<&'a [u8], Triple>;

/// From each old name to the new one, on one side.
pub(super) type Renames<'a> = BTreeMap<&'a [u8], &'a [u8]>;

/// What one side took away and added.
#[derive(Debug, Default)]
struct Search<'a> {
    /// What was taken away, and whether that side's renaming it would matter.
    gone: BTreeMap<&'a [u8], (Entry, bool)>,
    added: BTreeMap<&'a [u8], Entry>,
    found: Renames<'a>,
}

/// Returns what was renamed on our side and on theirs.
pub(super) fn find<'a, C: Contents>(
    contents: &mut C,
    changed: &Changed<'a>,
) -> Result<(Renames<'a>, Renames<'a>), C::Error> {
    let mut ours = Search::new(changed, |triple| (triple.ours, triple.theirs));
    let mut theirs = Search::new(changed, |triple| (triple.theirs, triple.ours));
    ours.take_equal();
    theirs.take_equal();
    let (in_ours, in_theirs) = (ours.pairs(), theirs.pairs());
    let blobs: BTreeSet<ObjectId> =
        in_ours.iter().chain(&in_theirs).flat_map(|pair| [pair.from.1, pair.to.1]).collect();
    if !blobs.is_empty() {
        contents.prepare(&blobs)?;
        let mut prints = HashMap::new();
        let hashing = Fingerprints::default();
        for id in blobs {
            prints.insert(id, hashing.of(&contents.blob(id)?));
        }
        ours.take_similar(in_ours, &prints);
        theirs.take_similar(in_theirs, &prints);
    }
    Ok((ours.found, theirs.found))
}

/// A file that may have been renamed: from where, to where.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    from: (&'a [u8], ObjectId),
    to: (&'a [u8], ObjectId),
}

impl<'a> Search<'a> {
    /// Gathers what a side took away and added; `sides` returns what a path is on that side, and on
    /// the other one.
    fn new(
        changed: &Changed<'a>,
        sides: impl Fn(&Triple) -> (Option<Entry>, Option<Entry>),
    ) -> Self {
        let mut search = Self::default();
        for (path, triple) in changed {
            match (triple.base, sides(triple)) {
                (Some(base), (None, other)) if can_be_told(&base) => {
                    search.gone.insert(path, (base, other != Some(base)));
                }
                (None, (Some(added), _)) if can_be_told(&added) => {
                    search.added.insert(path, added);
                }
                _ => {}
            }
        }
        if !search.gone.values().any(|(_, matters)| *matters) {
            return Self::default();
        }
        search
    }

    /// Takes what is the same file under another name: first those that kept their file name.
    fn take_equal(&mut self) {
        let mut targets: HashMap<(ObjectId, Option<Mode>), BTreeSet<&'a [u8]>> = HashMap::new();
        for (path, entry) in &self.added {
            targets.entry(likeness(entry)).or_default().insert(path);
        }
        for same_name in [true, false] {
            for (from, (entry, _)) in &self.gone {
                if self.found.contains_key(from) {
                    continue;
                }
                let Some(targets) = targets.get_mut(&likeness(entry)) else { continue };
                let to = targets.iter().find(|to| !same_name || name(to) == name(from)).copied();
                if let Some(to) = to {
                    targets.remove(to);
                    self.found.insert(from, to);
                }
            }
        }
        let taken: Vec<_> = self.found.iter().map(|(from, to)| (*from, *to)).collect();
        for (from, to) in taken {
            self.gone.remove(from);
            self.added.remove(to);
        }
    }

    /// Returns the pairs that are worth comparing.
    fn pairs(&self) -> Vec<Pair<'a>> {
        let sources = || {
            self.gone
                .iter()
                .filter(|(_, (entry, matters))| *matters && entry.mode.is_file())
                .map(|(path, (entry, _))| (*path, entry.id))
        };
        let targets: Vec<_> = self
            .added
            .iter()
            .filter(|(_, entry)| entry.mode.is_file())
            .map(|(path, entry)| (*path, entry.id))
            .collect();
        if sources().count().saturating_mul(targets.len()) <= MOST_PAIRS {
            return sources()
                .flat_map(|from| targets.iter().map(move |to| Pair { from, to: *to }))
                .collect();
        }
        let mut named: HashMap<&[u8], Vec<(&'a [u8], ObjectId)>> = HashMap::new();
        for to in &targets {
            named.entry(name(to.0)).or_default().push(*to);
        }
        let mut pairs = Vec::new();
        for from in sources() {
            for to in named.get(name(from.0)).into_iter().flatten() {
                pairs.push(Pair { from, to: *to });
                if pairs.len() > MOST_PAIRS {
                    return Vec::new();
                }
            }
        }
        pairs
    }

    /// Takes the most similar pairs first; among equals those that kept their file name.
    fn take_similar(
        &mut self,
        pairs: Vec<Pair<'a>>,
        prints: &HashMap<ObjectId, Option<Fingerprint>>,
    ) {
        let print = |id| prints.get(&id).and_then(Option::as_ref);
        let mut scored: Vec<_> = pairs
            .into_iter()
            .filter_map(|pair| {
                let score = print(pair.from.1)?.similarity(print(pair.to.1)?);
                (score >= SIMILAR).then_some((score, pair))
            })
            .collect();
        scored.sort_by_key(|(score, pair)| {
            let other_name = name(pair.from.0) != name(pair.to.0);
            (std::cmp::Reverse(*score), other_name, pair.from.0, pair.to.0)
        });
        for (_, Pair { from: (from, _), to: (to, _) }) in scored {
            if self.gone.contains_key(from) && self.added.remove(to).is_some() {
                self.gone.remove(from);
                self.found.insert(from, to);
            }
        }
    }
}

fn can_be_told(entry: &Entry) -> bool {
    ObjectId::from_str(EMPTY).is_ok_and(|empty| entry.id != empty)
}

/// Returns what two entries share that are the same thing: a file stays it when its mode changes.
fn likeness(entry: &Entry) -> (ObjectId, Option<Mode>) {
    (entry.id, (!entry.mode.is_file()).then_some(entry.mode))
}

/// Returns the last component of a path.
fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}
