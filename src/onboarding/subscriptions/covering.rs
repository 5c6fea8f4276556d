//! Which pattern of a cousin decides everything that another one could. Judged by the patterns'
//! text and their order, never by what HEAD happens to hold: a file may come tomorrow.
//!
//! The last pattern that matches a path decides whether it is selected, and of those that select
//! it (behind the last exclusion) the longest feature wins. So a pattern that another one covers is
//! without effect when that one stands behind it, or before it with nothing of the other kind
//! between that could have decided otherwise; what may remain is the feature that an event names.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::meaning::{Meaning, Outline};
use crate::routing::matching::{GlobCache, GlobGroup};
use crate::routing::{Pattern, TooComplex};

mod covers;

use covers::Cover;

/// How the feature that a pattern gives a path compares with the one of a pattern that covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    /// It is the same.
    Same,
    /// It is longer only where the literal names a file.
    LongerForAFile,
    /// It may be longer.
    Longer,
}

/// What is wrong with a pattern by the text of its cousin's other patterns; positions are theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It means the same as an earlier one. `undone` says that something between the two may
    /// decide otherwise, so that it is the earlier one that is without effect.
    Duplicate { first: usize, undone: bool },
    /// A later exclusion takes away all that it selects.
    Excluded { by: usize },
    /// Another pattern of its kind covers it.
    Covered { by: usize, feature: Feature },
    /// An exclusion all of which a later pattern includes again; `naming` says that it may still
    /// change the feature of an event.
    Undone { by: usize, naming: bool },
}

/// The number of a glob and the length of the shortest path that it matches.
type At = (usize, usize);

/// The patterns of one cousin, to be looked up by what they mean.
#[derive(Debug)]
pub(super) struct Patterns<'p> {
    patterns: &'p [Pattern],
    meanings: Vec<Meaning<'p>>,
    literals: HashMap<&'p [u8], Vec<usize>>,
    entries: HashMap<&'p [u8], Vec<usize>>,
    globs: HashMap<&'p str, Vec<usize>>,
    /// The positions of the globs in `groups`, by their number there.
    numbered: Vec<Vec<usize>>,
    /// The globs that may cover another pattern, by their directory.
    groups: HashMap<&'p [u8], GlobGroup>,
    /// Which globs match at places that were asked for.
    matched: RefCell<HashMap<&'p [u8], Rc<[At]>>>,
    /// The positions of the patterns of each kind, ascending.
    exclusions: Vec<usize>,
    positives: Vec<usize>,
    /// For positions that others repeat, [`Patterns::next_against`] them.
    next_against: RefCell<HashMap<usize, Option<usize>>>,
    outlines: OnceCell<Vec<Outline<'p>>>,
}

impl<'p> Patterns<'p> {
    /// Returns the patterns ready to be judged.
    ///
    /// # Errors
    /// [`TooComplex`] as for the matcher of the same globs.
    pub(super) fn new(patterns: &'p [Pattern], cache: &mut GlobCache) -> Result<Self, TooComplex> {
        let mut list = Self {
            patterns,
            meanings: patterns.iter().map(Meaning::of).collect(),
            literals: HashMap::new(),
            entries: HashMap::new(),
            globs: HashMap::new(),
            numbered: Vec::new(),
            groups: HashMap::new(),
            matched: RefCell::default(),
            exclusions: Vec::new(),
            positives: Vec::new(),
            next_against: RefCell::default(),
            outlines: OnceCell::new(),
        };
        for (position, (meaning, pattern)) in list.meanings.iter().zip(patterns).enumerate() {
            match *meaning {
                Meaning::Literal(path) => list.literals.entry(path).or_default().push(position),
                Meaning::Entries(path) => list.entries.entry(path).or_default().push(position),
                Meaning::Glob { glob, .. } => list.globs.entry(glob).or_default().push(position),
            }
            if pattern.is_exclusion() {
                list.exclusions.push(position);
            } else {
                list.positives.push(position);
            }
        }
        let mut by_directory: HashMap<&'p [u8], Vec<(usize, &'p str)>> = HashMap::new();
        for at in list.globs.values() {
            let Some(position) = at.first().copied() else { continue };
            if let Some(Meaning::Glob { directory, below, .. }) = list.meaning(position)
                && list.may_cover_another(position)
            {
                by_directory.entry(directory).or_default().push((list.numbered.len(), below));
                list.numbered.push(at.clone());
            }
        }
        for (directory, globs) in by_directory {
            list.groups.insert(directory, cache.group(&globs)?);
        }
        Ok(list)
    }

    /// Returns whether a glob could match the place of another pattern, as far as their outlines
    /// tell.
    fn may_cover_another(&self, glob: usize) -> bool {
        (0..self.patterns.len()).any(|other| {
            let place = self.meanings.get(other).is_some_and(|other| !other.place().is_empty());
            other != glob && place && !self.disjoint(glob, other)
        })
    }

    fn is_exclusion(&self, position: usize) -> bool {
        self.patterns.get(position).is_some_and(Pattern::is_exclusion)
    }

    fn is_directory_only(&self, position: usize) -> bool {
        self.patterns.get(position).is_some_and(Pattern::is_directory_only)
    }

    fn meaning(&self, position: usize) -> Option<Meaning<'p>> {
        self.meanings.get(position).copied()
    }

    /// Returns whether no path can be matched by both.
    fn disjoint(&self, a: usize, b: usize) -> bool {
        let outlines =
            self.outlines.get_or_init(|| self.meanings.iter().copied().map(Outline::of).collect());
        matches!((outlines.get(a), outlines.get(b)), (Some(a), Some(b)) if a.is_disjoint(b))
    }

    /// Returns what is wrong with the pattern, the gravest first.
    pub(super) fn flaw(&self, position: usize) -> Option<Flaw> {
        let meaning = self.meaning(position)?;
        if let Some(duplicate) = self.duplicate(position, meaning) {
            return Some(duplicate);
        }
        let covers = self.covers(position, meaning);
        if covers.is_empty() {
            return None;
        }
        let (exclusions, positives): (Vec<Cover>, Vec<Cover>) =
            covers.into_iter().partition(|cover| self.is_exclusion(cover.position));
        if self.is_exclusion(position) {
            let by = self.effective(position, &exclusions).map(|cover| cover.position);
            return by
                .map(|by| Flaw::Covered { by, feature: Feature::Same })
                .or_else(|| self.undone(position, &positives));
        }
        let later = exclusions.iter().map(|cover| cover.position).filter(|by| *by > position);
        if let Some(by) = later.min() {
            return Some(Flaw::Excluded { by });
        }
        let Cover { position: by, feature } = self.effective(position, &positives)?;
        Some(Flaw::Covered { by, feature })
    }

    fn duplicate(&self, position: usize, meaning: Meaning<'p>) -> Option<Flaw> {
        let first = self.alike(meaning)?.iter().copied().find(|other| {
            self.is_exclusion(*other) == self.is_exclusion(position)
                && self.is_directory_only(*other) == self.is_directory_only(position)
        })?;
        (first < position).then(|| {
            let undone = self.next_against(first).is_some_and(|against| against < position);
            Flaw::Duplicate { first, undone }
        })
    }

    /// Returns the positions with this meaning, ascending.
    fn alike(&self, meaning: Meaning<'p>) -> Option<&Vec<usize>> {
        match meaning {
            Meaning::Literal(path) => self.literals.get(path),
            Meaning::Entries(path) => self.entries.get(path),
            Meaning::Glob { glob, .. } => self.globs.get(glob),
        }
    }

    /// Returns the positions of the patterns of the other kind, ascending.
    fn against(&self, position: usize) -> &[usize] {
        if self.is_exclusion(position) { &self.positives } else { &self.exclusions }
    }

    /// Returns the last pattern of the other kind, before this one, that may have a path in common
    /// with it.
    fn last_against(&self, position: usize) -> Option<usize> {
        let against = self.against(position);
        let before = against.get(..against.partition_point(|other| *other < position));
        let before = before.unwrap_or_default().iter().copied();
        before.rev().find(|other| !self.disjoint(*other, position))
    }

    /// Returns the first pattern of the other kind, behind this one, that may have a path in common
    /// with it.
    fn next_against(&self, position: usize) -> Option<usize> {
        *self.next_against.borrow_mut().entry(position).or_insert_with(|| {
            let against = self.against(position);
            let behind = against.get(against.partition_point(|other| *other < position)..);
            let mut behind = behind.unwrap_or_default().iter().copied();
            behind.find(|other| !self.disjoint(*other, position))
        })
    }

    /// Returns the one of the covers, which are of the pattern's own kind, that leaves it the least
    /// effect; none when each of them may be undone before the pattern.
    fn effective(&self, position: usize, covers: &[Cover]) -> Option<Cover> {
        let any_before = covers.iter().any(|cover| cover.position < position);
        let against = if any_before { self.last_against(position) } else { None };
        let stands = |cover: &&Cover| {
            cover.position > position || against.is_none_or(|against| cover.position > against)
        };
        covers.iter().filter(stands).min_by_key(|cover| (cover.feature, cover.position)).copied()
    }

    /// Returns whether a later pattern includes again all that an exclusion takes away.
    fn undone(&self, position: usize, positives: &[Cover]) -> Option<Flaw> {
        let later = positives.iter().map(|cover| cover.position).filter(|by| *by > position);
        let by = later.max_by_key(|by| self.meaning(*by).map(|meaning| meaning.place().len()))?;
        // Without the exclusion an earlier pattern would have a say in the feature.
        let naming = (0..position).any(|earlier| {
            !self.is_exclusion(earlier)
                && !self.disjoint(earlier, position)
                && !self.names_no_more(earlier, by)
        });
        Some(Flaw::Undone { by, naming })
    }

    /// Returns whether the feature of one pattern is never longer than the other's, for paths that
    /// both match.
    fn names_no_more(&self, one: usize, other: usize) -> bool {
        let (Some(a), Some(b)) = (self.meaning(one), self.meaning(other)) else { return false };
        match (a, b) {
            (Meaning::Literal(a), Meaning::Literal(b)) => a.len() <= b.len(),
            (Meaning::Literal(a), b) => a.len() <= b.place().len(),
            (a, b) => a == b && self.is_directory_only(one) == self.is_directory_only(other),
        }
    }
}
