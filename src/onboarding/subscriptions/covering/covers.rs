//! The search for patterns that match all that another one does. Literals and whole directories are
//! looked up by the directories above it; only true globs are matched against those, together.

use std::rc::Rc;

use globset::Candidate;

use super::{At, Feature, Patterns};
use crate::onboarding::subscriptions::meaning::{Meaning, is_deeper, is_one_name, levels};

/// Another pattern that matches all that a pattern does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    pub(super) position: usize,
    pub(super) feature: Feature,
}

/// For how many places it is kept which globs match there; each may be matched by thousands.
const KEPT_PLACES: usize = 1000;

impl<'p> Patterns<'p> {
    /// Returns the patterns that match all that this one does, the duplicates of it left out.
    pub(super) fn covers(&self, position: usize, meaning: Meaning<'p>) -> Vec<Cover> {
        let place = meaning.place();
        let only_directories = self.is_directory_only(position);
        let is_literal = matches!(meaning, Meaning::Literal(_));
        let mut covers = Vec::new();
        // A trailing slash of the other one matters only where the match may be a file.
        let mut add = |at: &[usize], feature: Feature, may_be_file: bool| {
            let fits = |other: &&usize| {
                **other != position && !(may_be_file && self.is_directory_only(**other))
            };
            covers.extend(at.iter().filter(fits).map(|at| Cover { position: *at, feature }));
        };
        // Where the literal itself is matched as an entry or by a glob, it may be a file, whose
        // feature is then the directory above.
        let at_literal = if only_directories { Feature::Same } else { Feature::LongerForAFile };
        let mut above: Option<&[u8]> = None;
        for length in levels(place) {
            let here = place.get(..length).unwrap_or_default();
            let itself = is_literal && length == place.len();
            let may_be_file = itself && !only_directories;
            if let Some(entries) = above.and_then(|above| self.entries.get(above)) {
                let feature = if itself { at_literal } else { Feature::Longer };
                add(entries, feature, may_be_file);
            }
            if let Some(literals) = self.literals.get(here) {
                if !itself {
                    add(literals, Feature::Longer, false);
                } else if only_directories {
                    // The other way of writing it; with the slash they mean the same.
                    let bare = |at: &&usize| !self.is_directory_only(**at);
                    let bare: Vec<usize> = literals.iter().filter(bare).copied().collect();
                    add(&bare, Feature::Same, false);
                }
            }
            above = Some(here);
        }
        // Of its own kind what means the same is a duplicate; of the other kind it decides.
        let reverse = |at: &&usize| {
            self.is_exclusion(**at) != self.is_exclusion(position)
                && self.is_directory_only(**at) == only_directories
        };
        let alike = self.alike(meaning).into_iter().flatten();
        add(&alike.filter(reverse).copied().collect::<Vec<_>>(), Feature::Same, false);
        if !is_literal {
            self.covers_in_directory(position, meaning, &mut add);
        }
        for (number, length) in self.globs_at(place).iter().copied() {
            let itself = is_literal && length == place.len();
            let feature = if itself { at_literal } else { Feature::Longer };
            if let Some(at) = self.numbered.get(number) {
                add(at, feature, itself && !only_directories);
            }
        }
        covers
    }

    /// Adds the patterns with the same directory that match all that a glob does.
    fn covers_in_directory(
        &self,
        position: usize,
        meaning: Meaning<'p>,
        add: &mut impl FnMut(&[usize], Feature, bool),
    ) {
        let only_directories = self.is_directory_only(position);
        let bare = |at: &[usize]| -> Vec<usize> {
            at.iter().copied().filter(|at| !self.is_directory_only(*at)).collect()
        };
        let alike = self.alike(meaning).map(Vec::as_slice).unwrap_or_default();
        if only_directories {
            add(&bare(alike), Feature::Same, false);
        }
        if let Meaning::Glob { below, directory, .. } = meaning
            && let Some(entries) = self.entries.get(directory)
        {
            let feature = if is_one_name(below) { Feature::Same } else { Feature::Longer };
            add(entries, feature, !only_directories && !is_deeper(below));
        }
    }

    /// Returns the globs that match the path or a directory above it, each with the length of the
    /// shortest that it matches.
    fn globs_at(&self, path: &'p [u8]) -> Rc<[At]> {
        if self.groups.is_empty() {
            return Rc::from([]);
        }
        let mut known = self.matched.borrow_mut();
        if let Some(found) = known.get(path) {
            return Rc::clone(found);
        }
        let mut found: Vec<At> = Vec::new();
        let mut buffer = Vec::new();
        for above in levels(path) {
            let Some(group) = self.groups.get(path.get(..above).unwrap_or_default()) else {
                continue;
            };
            let start = above + usize::from(above > 0);
            for length in levels(path).filter(|length| *length > above) {
                let below = Candidate::from_bytes(path.get(start..length).unwrap_or_default());
                group.matches(&below, &mut buffer, |number| found.push((number, length)));
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|(number, _)| *number);
        let found: Rc<[At]> = found.into();
        if known.len() >= KEPT_PLACES {
            known.clear();
        }
        known.insert(path, Rc::clone(&found));
        found
    }
}
