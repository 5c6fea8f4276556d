//! How each cousin's patterns fare over very many paths: what they match, what later exclusions
//! leave of them, and how many features come of it. Unlike a selection it keeps no run of paths,
//! so that its memory does not grow with what is selected: 10,000 cousins that each select 20,000
//! files would be gigabytes of claims.

use super::known::Known;
use super::walk::{Follower, Walk};
use super::{ChangedPath, Hit, Matcher, Rule, TooComplex};
use crate::names::FeaturePath;

/// How many features of a cousin are kept by name; all are counted.
const NAMED: usize = 1000;

/// What a walk over paths found out about cousins and their patterns.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In the order of the lists that the [`Matcher`] was made of.
    cousins: Vec<OfCousin>,
    features: Vec<FeaturePath>,
}

/// How one pattern fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Met {
    /// Where the first path stands that it matches, itself or by a directory above it, whatever
    /// the cousin's other patterns say.
    pub(crate) first: Option<u32>,
    /// Whether it matches a path that no exclusion behind it matches; never said of an exclusion.
    pub(crate) left: bool,
}

#[derive(Debug, Default)]
struct OfCousin {
    patterns: Vec<Met>,
    /// How many features there are.
    count: usize,
    /// Indices into [`Tally::features`].
    named: Vec<u32>,
}

impl Tally {
    /// Counts what the paths, sorted and distinct, are to the matcher's cousins.
    ///
    /// # Errors
    /// [`TooComplex`] when a single glob is more than the regex engine takes.
    pub(crate) fn of(matcher: &Matcher, paths: &[ChangedPath]) -> Result<Self, TooComplex> {
        let (counting, too_complex) = Walk::through(matcher, paths, Counting::new(matcher));
        match too_complex {
            Some(too_complex) => Err(too_complex),
            None => Ok(counting.tally),
        }
    }

    /// Returns how a pattern of a cousin fares, by their positions.
    pub(crate) fn pattern(&self, cousin: usize, position: usize) -> Met {
        let patterns = self.cousins.get(cousin).map(|of_cousin| of_cousin.patterns.as_slice());
        patterns.and_then(|patterns| patterns.get(position)).copied().unwrap_or_default()
    }

    /// Returns how many features a cousin would be told of if each of the paths had changed.
    pub(crate) fn count(&self, cousin: usize) -> usize {
        self.cousins.get(cousin).map_or(0, |of_cousin| of_cousin.count)
    }

    /// Returns those features, sorted; of very many only the first 1,000 that the walk met.
    pub(crate) fn features(&self, cousin: usize) -> Vec<FeaturePath> {
        let named = self.cousins.get(cousin).map(|of_cousin| of_cousin.named.as_slice());
        let named = named.unwrap_or_default().iter();
        let mut features: Vec<FeaturePath> =
            named.filter_map(|at| self.features.get(*at as usize)).cloned().collect();
        features.sort_unstable();
        features
    }
}

/// A run of paths for which a cousin's matching rules are the same, but for the runs within it.
#[derive(Debug)]
struct Run {
    start: usize,
    /// How many of its paths belong to the runs within it.
    covered: usize,
}

/// What is known of a cousin on the way.
#[derive(Debug, Default)]
struct State {
    runs: Vec<Run>,
    /// The entered places that are features of the cousin already, by [`Place::serial`]; some may
    /// have been left since.
    told: Vec<u32>,
}

/// A directory or path that the walk is at or below.
#[derive(Debug)]
struct Place {
    length: usize,
    /// Never the same for two places; those below have higher ones.
    serial: u32,
    /// Index into [`Tally::features`], when it was named there.
    named: Option<u32>,
}

#[derive(Debug)]
struct Counting {
    tally: Tally,
    known: Known,
    states: Vec<State>,
    places: Vec<Place>,
    serial: u32,
}

impl Counting {
    fn new(matcher: &Matcher) -> Self {
        let of_cousin = |length: &usize| OfCousin {
            patterns: vec![Met::default(); *length],
            ..OfCousin::default()
        };
        let cousins: Vec<OfCousin> = matcher.lengths.iter().map(of_cousin).collect();
        let known = Known::new(cousins.len());
        let states = cousins.iter().map(|_| State::default()).collect();
        let tally = Tally { cousins, features: Vec::new() };
        Self { tally, known, states, places: Vec::new(), serial: 0 }
    }
}

impl Follower for Counting {
    fn known(&self) -> &Known {
        &self.known
    }

    fn meet(&mut self, rule: Rule, at: usize) {
        let of_cousin = self.tally.cousins.get_mut(rule.cousin);
        if let Some(met) = of_cousin.and_then(|known| known.patterns.get_mut(rule.position)) {
            met.first = met.first.or(u32::try_from(at).ok());
        }
    }

    fn enter(&mut self, path: &[u8], hits: &[Hit], at: usize) {
        self.serial = self.serial.wrapping_add(1);
        self.places.push(Place { length: path.len(), serial: self.serial, named: None });
        for hits in hits.chunk_by(|a, b| a.rule.cousin == b.rule.cousin) {
            let cousin = hits.first().map_or(0, |hit| hit.rule.cousin);
            self.known.add(cousin, hits);
            if let Some(state) = self.states.get_mut(cousin) {
                state.runs.push(Run { start: at, covered: 0 });
            }
            hits.iter().for_each(|hit| self.meet(hit.rule, at));
        }
    }

    fn leave(&mut self, path: &[u8], hits: &[Hit], end: usize) {
        for hits in hits.chunk_by(|a, b| a.rule.cousin == b.rule.cousin) {
            let cousin = hits.first().map_or(0, |hit| hit.rule.cousin);
            let of_cousin = self.tally.cousins.get_mut(cousin);
            let (Some(state), Some(of_cousin)) = (self.states.get_mut(cousin), of_cousin) else {
                continue;
            };
            let Some(run) = state.runs.pop() else { continue };
            let length = end - run.start;
            if let Some(around) = state.runs.last_mut() {
                around.covered += length;
            }
            if length > run.covered {
                for hit in self.known.selecting(cousin) {
                    let met = of_cousin.patterns.get_mut(hit.rule.position);
                    met.into_iter().for_each(|met| met.left = true);
                }
                if let Some(length) = self.known.decision(cousin) {
                    let features = &mut self.tally.features;
                    of_cousin.hear(state, &mut self.places, features, path, length);
                }
            }
            self.known.forget(cousin, hits);
        }
        self.places.pop();
    }
}

impl OfCousin {
    /// Counts the feature `path[..length]`, if it is not counted yet.
    fn hear(
        &mut self,
        state: &mut State,
        places: &mut [Place],
        features: &mut Vec<FeaturePath>,
        path: &[u8],
        length: usize,
    ) {
        let Ok(at) = places.binary_search_by_key(&length, |place| place.length) else { return };
        let is_open =
            |serial: &mut u32| places.binary_search_by_key(serial, |place| place.serial).is_ok();
        // What was left is never come to again.
        while state.told.pop_if(|serial| !is_open(serial)).is_some() {}
        let Some(place) = places.get_mut(at) else { return };
        if state.told.contains(&place.serial) {
            return;
        }
        state.told.push(place.serial);
        self.count += 1;
        if self.named.len() < NAMED {
            let named = *place.named.get_or_insert_with(|| {
                features.push(FeaturePath::new(path.get(..length).unwrap_or_default()));
                u32::try_from(features.len() - 1).unwrap_or(u32::MAX)
            });
            self.named.push(named);
        }
    }
}
