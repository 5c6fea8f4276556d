//! The walk over sorted paths that meets the rules: a directory's own matches are found once, when
//! it is entered, and hold until it is left. What comes of them is a [`Follower`]'s affair.

use std::collections::HashSet;
use std::sync::Arc;

use globset::Candidate;

use super::globs::{GlobCache, GlobGroup};
use super::known::Known;
use super::{ChangedPath, Hit, Matcher, Rule, Rules, TooComplex};

/// How many exclusions may as well be gone through as one be looked up for a cousin.
const LOOKUP: usize = 8;

/// Who is told what a walk meets. Each place is left after all that is below it.
pub(super) trait Follower {
    /// Returns the rules of the places that were entered and not left.
    fn known(&self) -> &Known;

    /// The walk meets an exclusion, perhaps not for the first time; it is not among the hits where
    /// nothing is selected for its cousin anyway.
    fn meet(&mut self, _rule: Rule, _at: usize) {}

    /// The walk comes to a directory, or to a path that some rule matches; `at` is where the first
    /// path stands that it is about. The hits are ordered by cousin, then position.
    fn enter(&mut self, path: &[u8], hits: &[Hit], at: usize);

    /// The walk leaves what it entered with the same hits; `end` is where the next path stands.
    fn leave(&mut self, path: &[u8], hits: &[Hit], end: usize);
}

/// A place that is compared with the patterns.
#[derive(Debug, Clone, Copy)]
struct At<'p> {
    path: &'p [u8],
    /// The length of the directory that it is in.
    directory: usize,
    /// Where the first path stands that it is about.
    position: usize,
    leaf: bool,
    /// Whether a pattern with a trailing slash may match it.
    like_directory: bool,
}

impl At<'_> {
    fn applies(&self, rule: &Rule) -> bool {
        !rule.directory_only || self.like_directory
    }

    fn hits<'r>(&self, rules: &'r [Rule]) -> impl Iterator<Item = Hit> + use<'r, '_> {
        // A file is not a feature: the directory that holds it is.
        let feature_length = if self.like_directory { self.path.len() } else { self.directory };
        let applying = rules.iter().filter(|rule| self.applies(rule));
        applying.map(move |rule| Hit { rule: *rule, feature_length })
    }
}

/// An entered directory.
#[derive(Debug)]
struct Frame {
    /// Length of the directory's path; the root has 0.
    length: usize,
    /// What the directory itself matched.
    hits: Vec<Hit>,
    globs: Vec<usize>,
    has_group: bool,
}

pub(super) struct Walk<'m, F> {
    matcher: &'m Matcher,
    follower: F,
    frames: Vec<Frame>,
    previous: Vec<u8>,
    /// The glob groups of the entered directories, each with where the names below those begin.
    active: Vec<(usize, Arc<GlobGroup>)>,
    /// Whether a glob matched an entered directory: the shortest match names the feature.
    matched: Vec<bool>,
    /// Which exclusions the follower has met already: each of [`Matcher::entries`] and of
    /// [`Matcher::globs`], by its address, with whether a directory met it.
    met: HashSet<(*const Rules, bool)>,
    buffer: Vec<usize>,
    cache: GlobCache,
    too_complex: Option<TooComplex>,
}

impl<'m, F: Follower> Walk<'m, F> {
    /// Goes through all the paths, which must be sorted and distinct, and returns the follower, and
    /// the first glob that was not built before and cannot be: the walk went on without it.
    pub(super) fn through(
        matcher: &'m Matcher,
        paths: &[ChangedPath],
        follower: F,
    ) -> (F, Option<TooComplex>) {
        let mut walk = Self {
            matcher,
            follower,
            frames: Vec::new(),
            previous: Vec::new(),
            active: Vec::new(),
            met: HashSet::new(),
            matched: vec![false; matcher.globs.len()],
            buffer: Vec::new(),
            cache: GlobCache::default(),
            too_complex: None,
        };
        walk.push_frame(&[], 0, 0);
        for (at, changed) in paths.iter().enumerate() {
            walk.visit(at, changed);
        }
        walk.leave(0, paths.len());
        (walk.follower, walk.too_complex)
    }

    fn visit(&mut self, at: usize, changed: &ChangedPath) {
        let path = changed.path.as_slice();
        let shared = shared_directory(&self.previous, path);
        self.leave(shared + 1, at);
        // From the first slash behind the directory that is entered already.
        let mut from = self.frames.last().map_or(0, |frame| frame.length);
        from += usize::from(from > 0);
        while let Some(slash) =
            path.get(from..).and_then(|rest| rest.iter().position(|b| *b == b'/'))
        {
            self.push_frame(path, from + slash, at);
            from += slash + 1;
        }
        let directory = self.frames.last().map_or(0, |frame| frame.length);
        let (hits, _) = self.match_at(At {
            path,
            directory,
            position: at,
            leaf: true,
            like_directory: changed.submodule,
        });
        if !hits.is_empty() {
            self.follower.enter(path, &hits, at);
            self.follower.leave(path, &hits, at + 1);
        }
        self.previous.clear();
        self.previous.extend_from_slice(path);
    }

    /// Enters the directory `path[..length]`.
    fn push_frame(&mut self, path: &[u8], length: usize, at: usize) {
        let directory = path.get(..length).unwrap_or_default();
        let above = self.frames.last().map_or(0, |frame| frame.length);
        let (hits, globs) = if length == 0 {
            (Vec::new(), Vec::new())
        } else {
            self.match_at(At {
                path: directory,
                directory: above,
                position: at,
                leaf: false,
                like_directory: true,
            })
        };
        for glob in &globs {
            self.matched.get_mut(*glob).into_iter().for_each(|matched| *matched = true);
        }
        self.follower.enter(directory, &hits, at);
        let group = self.group(directory);
        let has_group = group.is_some();
        self.active.extend(group.map(|group| (length + usize::from(length > 0), group)));
        self.frames.push(Frame { length, hits, globs, has_group });
    }

    fn group(&mut self, directory: &[u8]) -> Option<Arc<GlobGroup>> {
        let group = self.matcher.groups.get(directory)?;
        if let Some(built) = &group.built {
            return Some(Arc::clone(built));
        }
        match self.cache.group(&group.globs) {
            Ok(group) => Some(Arc::new(group)),
            Err(error) => {
                self.too_complex.get_or_insert(error);
                None
            }
        }
    }

    /// Leaves every directory whose path has at least `length` bytes (the root is left with 0).
    fn leave(&mut self, length: usize, at: usize) {
        while let Some(frame) = self.frames.pop_if(|frame| frame.length >= length) {
            for glob in &frame.globs {
                self.matched.get_mut(*glob).into_iter().for_each(|matched| *matched = false);
            }
            if frame.has_group {
                self.active.pop();
            }
            let directory = self.previous.get(..frame.length).unwrap_or_default();
            self.follower.leave(directory, &frame.hits, at);
        }
    }

    /// Returns the rules that match the place itself (not what is above it) and were not matched
    /// above it by the same glob, and the globs among them. Left out are exclusions of a leaf for
    /// which nothing is selected.
    fn match_at(&mut self, at: At<'_>) -> (Vec<Hit>, Vec<usize>) {
        let matcher = self.matcher;
        let own = |rule: &Rule| Hit { rule: *rule, feature_length: at.path.len() };
        let literals = matcher.literals.get(at.path).into_iter().flatten();
        let mut hits: Vec<Hit> = literals.filter(|rule| at.applies(rule)).map(own).collect();
        let mut globs = Vec::new();
        let above = at.path.get(..at.directory);
        let mut exclusions: Vec<&Rules> = Vec::new();
        let mut take = |rules: &'m Rules, hits: &mut Vec<Hit>| {
            hits.extend(at.hits(&rules.positives));
            if !rules.exclusions.is_empty() {
                exclusions.push(rules);
            }
        };
        if let Some(rules) = above.and_then(|above| matcher.entries.get(above)) {
            take(rules, &mut hits);
        }
        for (start, group) in &self.active {
            let below = Candidate::from_bytes(at.path.get(*start..).unwrap_or_default());
            group.matches(&below, &mut self.buffer, |id| {
                if let (Some(rules), Some(false)) = (matcher.globs.get(id), self.matched.get(id)) {
                    take(rules, &mut hits);
                    globs.push(id);
                }
            });
        }
        for rules in exclusions {
            self.exclude(at, rules, &mut hits);
        }
        let place = |hit: &Hit| (hit.rule.cousin, hit.rule.position);
        if !hits.is_sorted_by_key(place) {
            hits.sort_unstable_by_key(place);
        }
        (hits, globs)
    }

    /// Adds the exclusions that match the place, those left out that concern nobody there.
    fn exclude(&mut self, at: At<'_>, rules: &'m Rules, hits: &mut Vec<Hit>) {
        let awake = self.follower.known().awake();
        let few = awake.len().saturating_add(hits.len()).saturating_mul(LOOKUP);
        if !at.leaf || rules.exclusions.len() <= few {
            hits.extend(at.hits(&rules.exclusions));
            return;
        }
        let mut cousins: Vec<usize> = hits.iter().map(|hit| hit.rule.cousin).collect();
        cousins.extend_from_slice(awake);
        cousins.sort_unstable();
        cousins.dedup();
        for cousin in cousins {
            let start = rules.exclusions.partition_point(|rule| rule.cousin < cousin);
            let of_cousin = rules.exclusions.get(start..).unwrap_or_default();
            let of_cousin = of_cousin.split(|rule| rule.cousin != cousin).next();
            hits.extend(at.hits(of_cousin.unwrap_or_default()));
        }
        if self.met.insert((std::ptr::from_ref(rules), at.like_directory)) {
            let applying = rules.exclusions.iter().filter(|rule| at.applies(rule));
            applying.for_each(|rule| self.follower.meet(*rule, at.position));
        }
    }
}

/// Returns the length of the longest directory path that both paths lie below.
fn shared_directory(a: &[u8], b: &[u8]) -> usize {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let common = a.get(..shared).unwrap_or_default();
    common.iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}
