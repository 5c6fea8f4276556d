//! Which subscriptions select which paths. The paths come sorted, so that all paths below one
//! directory stand together: a directory's own matches are found once and hold for the whole run
//! of paths below it, until a deeper match speaks for the same cousin again. The cost is the
//! paths' depth plus the matches found, never cousins times paths.
//!
//! The strategy is chosen by a pattern's shape. Literal subscriptions are looked up by a path's own
//! ancestors; `dir/*` and `dir/**`, which select the same here (everything right under `dir`, with
//! what is below), by the directory that holds each of them. Only the other globs go through
//! globset, and only below the directory that they lie in. One walk meets them all; what is made of
//! it are runs of paths to be told of (`claims`) or mere counts (`tally`).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::pattern::{Pattern, Shape, below, is_every_entry};
use crate::names::FeaturePath;

mod claims;
mod globs;
mod known;
mod tally;
mod walk;

use claims::Claims;
pub(crate) use globs::{GlobCache, GlobGroup};
pub(crate) use tally::{Met, Tally};
use walk::Walk;

/// One path that differs between base and head.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedPath {
    /// The path's bytes, as git keeps them.
    pub path: Vec<u8>,
    /// Whether a submodule is, or was, at the path: it counts as a directory.
    pub submodule: bool,
}

/// What a cousin is to hear about one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The cousin's index in the list that the [`Matcher`] was made of.
    pub cousin: usize,
    /// The directory that the event is about.
    pub feature: FeaturePath,
    /// How many changed paths belong to the feature.
    pub matched: usize,
    /// Where those paths stand in the sorted list, ascending and disjoint.
    pub paths: Vec<Range<usize>>,
}

/// A glob that globset parsed but could not build.
#[derive(Debug, thiserror::Error)]
#[error("cannot compile the pattern \"{pattern}\": {source}")]
pub struct TooComplex {
    /// The glob.
    pub pattern: String,
    source: globset::Error,
}

/// One pattern of one cousin.
#[derive(Debug, Clone, Copy)]
struct Rule {
    cousin: usize,
    position: usize,
    exclusion: bool,
    directory_only: bool,
}

/// A rule that matched, and the length of the path's prefix that is the feature.
#[derive(Debug, Clone, Copy)]
struct Hit {
    rule: Rule,
    feature_length: usize,
}

/// The rules that match the same, each kind ordered by cousin, then position.
#[derive(Debug, Default)]
struct Rules {
    positives: Vec<Rule>,
    exclusions: Vec<Rule>,
}

impl Rules {
    fn push(&mut self, rule: Rule) {
        if rule.exclusion { self.exclusions.push(rule) } else { self.positives.push(rule) }
    }
}

/// The globs that lie in one directory.
#[derive(Debug, Default)]
struct Group {
    /// What each has below the directory, with its index in [`Matcher::globs`].
    globs: Vec<(usize, String)>,
    /// None until a walk comes there: most globs may lie in directories that no path is in.
    built: Option<Arc<GlobGroup>>,
}

/// All subscriptions of all cousins, ready to be matched.
#[derive(Debug, Default)]
pub struct Matcher {
    /// How many patterns each cousin has.
    lengths: Vec<usize>,
    literals: HashMap<Vec<u8>, Vec<Rule>>,
    /// By the directory whose entries, all of them, match.
    entries: HashMap<Vec<u8>, Rules>,
    groups: HashMap<Vec<u8>, Group>,
    /// For each distinct glob, the rules that are written with it.
    globs: Vec<Rules>,
}

impl Matcher {
    /// Returns the matcher for cousins' subscriptions, each list in the order of its file.
    ///
    /// # Errors
    /// [`TooComplex`] when a single glob is more than the regex engine takes.
    pub fn new<'p, L>(cousins: impl IntoIterator<Item = L>) -> Result<Self, TooComplex>
    where
        L: IntoIterator<Item = &'p Pattern>,
    {
        let mut matcher = Self::unbuilt(cousins);
        let mut cache = GlobCache::default();
        for group in matcher.groups.values_mut() {
            group.built = Some(Arc::new(cache.group(&group.globs)?));
        }
        Ok(matcher)
    }

    /// Returns the matcher for [`Tally::of`]: a glob is built when the walk comes to its directory.
    pub(crate) fn unbuilt<'p, L>(cousins: impl IntoIterator<Item = L>) -> Self
    where
        L: IntoIterator<Item = &'p Pattern>,
    {
        let mut matcher = Self::default();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (cousin, patterns) in cousins.into_iter().enumerate() {
            let mut length = 0;
            for (position, pattern) in patterns.into_iter().enumerate() {
                length = position + 1;
                let rule = Rule {
                    cousin,
                    position,
                    exclusion: pattern.is_exclusion(),
                    directory_only: pattern.is_directory_only(),
                };
                match pattern.shape() {
                    Shape::Literal(path) => match matcher.literals.get_mut(path) {
                        Some(rules) => rules.push(rule),
                        None => drop(matcher.literals.insert(path.clone(), vec![rule])),
                    },
                    Shape::Glob { glob, directory } if is_every_entry(below(glob, directory)) => {
                        matcher.entries.entry(directory.clone()).or_default().push(rule);
                    }
                    Shape::Glob { glob, directory } => {
                        let id = *known.entry(glob).or_insert_with(|| {
                            let id = matcher.globs.len();
                            matcher.globs.push(Rules::default());
                            let group = matcher.groups.entry(directory.clone()).or_default();
                            group.globs.push((id, below(glob, directory).to_owned()));
                            id
                        });
                        matcher.globs.get_mut(id).into_iter().for_each(|rules| rules.push(rule));
                    }
                }
            }
            matcher.lengths.push(length);
        }
        matcher
    }

    /// Returns what each cousin is to hear about the paths, ordered by cousin, then feature.
    ///
    /// The paths must be sorted by their bytes and distinct.
    #[must_use]
    pub fn select(&self, paths: &[ChangedPath]) -> Vec<Selected> {
        // Every glob was built before.
        let (claims, _) = Walk::through(self, paths, Claims::new(self.lengths.len()));
        claims.resolve()
    }
}

#[cfg(test)]
mod tests;
