//! Which subscriptions select which paths. The paths come sorted, so that all paths below one
//! directory stand together: a directory's own matches are found once and hold for the whole run
//! of paths below it, until a deeper match speaks for the same cousin again. The cost is the
//! paths' depth plus the matches found, never cousins times paths.
//!
//! The strategy is chosen by a pattern's shape. Literal subscriptions are looked up by a path's own
//! ancestors; `dir/*` and `dir/**`, which select the same here (everything right under `dir`, with
//! what is below), by the directory that holds each of them. Only the other globs go through
//! globset, only below the directory that they lie in, with one candidate a path.

use std::collections::HashMap;
use std::ops::Range;

use globset::{Candidate, GlobSet, GlobSetBuilder};

use super::pattern::{Pattern, Shape, compile};
use crate::names::FeaturePath;

/// How many globs are matched as one. Each set costs a search for each path, so few are better; but
/// a set can be too much for the regex engine. 1,000 globs that may match anywhere took 0.5 s in
/// sets of 50, 0.45 to 0.65 s of 100, 0.6 s of 250, 1 s of 500, and in a single set more than a
/// minute and 1 GiB (`benches/routing.rs`): 100 is fast and far from there.
const GLOBS_IN_A_SET: usize = 100;

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

/// The globs that lie in one directory.
#[derive(Debug, Default)]
struct GlobGroup {
    sets: Vec<(GlobSet, Vec<usize>)>,
}

/// All subscriptions of all cousins, ready to be matched.
#[derive(Debug, Default)]
pub struct Matcher {
    cousins: usize,
    literals: HashMap<Vec<u8>, Vec<Rule>>,
    /// By the directory whose entries, all of them, match.
    entries: HashMap<Vec<u8>, Vec<Rule>>,
    groups: HashMap<Vec<u8>, GlobGroup>,
    /// For each distinct glob, the rules that are written with it.
    globs: Vec<Vec<Rule>>,
}

impl Matcher {
    /// Returns the matcher for cousins' subscriptions, each list in the order of its file.
    ///
    /// # Errors
    /// [`TooComplex`] when a single glob is more than the regex engine takes.
    pub fn new<'p>(cousins: impl IntoIterator<Item = &'p [Pattern]>) -> Result<Self, TooComplex> {
        let mut matcher = Self::default();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut by_directory: HashMap<&[u8], Vec<(usize, &str)>> = HashMap::new();
        for (cousin, patterns) in cousins.into_iter().enumerate() {
            matcher.cousins = cousin + 1;
            for (position, pattern) in patterns.iter().enumerate() {
                let rule = Rule {
                    cousin,
                    position,
                    exclusion: pattern.is_exclusion(),
                    directory_only: pattern.is_directory_only(),
                };
                match pattern.shape() {
                    Shape::Literal(path) => add(&mut matcher.literals, path, rule),
                    Shape::Glob { glob, directory } if is_every_entry(glob, directory) => {
                        add(&mut matcher.entries, directory, rule);
                    }
                    Shape::Glob { glob, directory } => {
                        let id = *known.entry(glob).or_insert_with(|| {
                            let id = matcher.globs.len();
                            matcher.globs.push(Vec::new());
                            by_directory.entry(directory).or_default().push((id, glob));
                            id
                        });
                        matcher.globs.get_mut(id).into_iter().for_each(|rules| rules.push(rule));
                    }
                }
            }
        }
        for (directory, globs) in by_directory {
            let mut group = GlobGroup::default();
            for chunk in globs.chunks(GLOBS_IN_A_SET) {
                group.add(chunk)?;
            }
            matcher.groups.insert(directory.to_vec(), group);
        }
        Ok(matcher)
    }

    /// Returns what each cousin is to hear about the paths, ordered by cousin, then feature.
    ///
    /// The paths must be sorted by their bytes and distinct.
    #[must_use]
    pub fn select(&self, paths: &[ChangedPath]) -> Vec<Selected> {
        let mut walk = Walk::new(self);
        for (at, changed) in paths.iter().enumerate() {
            walk.visit(at, changed);
        }
        walk.leave(0, paths.len());
        resolve(walk.claims, &walk.features)
    }
}

fn add(rules: &mut HashMap<Vec<u8>, Vec<Rule>>, path: &[u8], rule: Rule) {
    match rules.get_mut(path) {
        Some(rules) => rules.push(rule),
        None => {
            rules.insert(path.to_vec(), vec![rule]);
        }
    }
}

/// Returns whether the glob is `*` or `**` behind its literal directory.
fn is_every_entry(glob: &str, directory: &[u8]) -> bool {
    let Some(stars) = glob.strip_suffix("**").or_else(|| glob.strip_suffix('*')) else {
        return false;
    };
    // What is left is the directory with its slash, unless it holds something special or escaped.
    match stars.strip_suffix('/') {
        Some(above) => above.as_bytes() == directory,
        None => stars.is_empty(),
    }
}

impl GlobGroup {
    fn add(&mut self, globs: &[(usize, &str)]) -> Result<(), TooComplex> {
        let mut builder = GlobSetBuilder::new();
        for (_, glob) in globs {
            let too_complex = |source| TooComplex { pattern: (*glob).to_owned(), source };
            builder.add(compile(glob).map_err(too_complex)?);
        }
        match (builder.build(), globs) {
            (Ok(set), _) => {
                self.sets.push((set, globs.iter().map(|(id, _)| *id).collect()));
                Ok(())
            }
            (Err(source), [(_, glob)]) => Err(TooComplex { pattern: (*glob).to_owned(), source }),
            // Together they are too large for one automaton; in halves they may not be.
            (Err(_), _) => {
                let (left, right) = globs.split_at(globs.len() / 2);
                self.add(left)?;
                self.add(right)
            }
        }
    }
}

/// A cousin's decision for a run of paths, until a claim within it decides anew.
#[derive(Debug)]
struct Claim {
    cousin: usize,
    start: usize,
    end: usize,
    /// Index into [`Walk::features`]; none when the paths are excluded.
    feature: Option<usize>,
}

/// An entered directory.
#[derive(Debug)]
struct Frame {
    /// Length of the directory's path; the root has 0.
    length: usize,
    /// The claims that end with the directory.
    claims: Range<usize>,
    /// The rules that the directory itself matched, to be forgotten on leaving.
    hits: Vec<Hit>,
    globs: Vec<usize>,
    has_group: bool,
}

struct Walk<'m> {
    matcher: &'m Matcher,
    frames: Vec<Frame>,
    previous: Vec<u8>,
    /// The glob groups of the entered directories.
    active: Vec<&'m GlobGroup>,
    /// Whether a glob matched an entered directory: the shortest match names the feature.
    matched: Vec<bool>,
    /// For each cousin the rules that matched on the way down to here.
    hits: Vec<Vec<Hit>>,
    claims: Vec<Claim>,
    features: Vec<FeaturePath>,
    known: HashMap<FeaturePath, usize>,
    buffer: Vec<usize>,
}

impl<'m> Walk<'m> {
    fn new(matcher: &'m Matcher) -> Self {
        let mut walk = Self {
            matcher,
            frames: Vec::new(),
            previous: Vec::new(),
            active: Vec::new(),
            matched: vec![false; matcher.globs.len()],
            hits: vec![Vec::new(); matcher.cousins],
            claims: Vec::new(),
            features: Vec::new(),
            known: HashMap::new(),
            buffer: Vec::new(),
        };
        walk.push_frame(&[], 0, 0);
        walk
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
        let (hits, _) = self.match_at(path, directory, true, changed.submodule);
        if !hits.is_empty() {
            let first = self.claims.len();
            self.claim(path, &hits, at);
            self.forget(&hits);
            self.end_claims(first..self.claims.len(), at + 1);
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
            self.match_at(directory, above, false, false)
        };
        for glob in &globs {
            self.matched.get_mut(*glob).into_iter().for_each(|matched| *matched = true);
        }
        let first = self.claims.len();
        self.claim(directory, &hits, at);
        let group = self.matcher.groups.get(directory);
        self.active.extend(group);
        self.frames.push(Frame {
            length,
            claims: first..self.claims.len(),
            hits,
            globs,
            has_group: group.is_some(),
        });
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
            self.forget(&frame.hits);
            self.end_claims(frame.claims, at);
        }
    }

    /// Returns the rules that match `path` itself (not what is above it) and were not matched
    /// above it by the same glob, and the globs among them.
    fn match_at(
        &mut self,
        path: &[u8],
        directory: usize,
        leaf: bool,
        submodule: bool,
    ) -> (Vec<Hit>, Vec<usize>) {
        let applies = |rule: &&Rule| !rule.directory_only || !leaf || submodule;
        let mut hits: Vec<Hit> = self
            .matcher
            .literals
            .get(path)
            .into_iter()
            .flatten()
            .filter(applies)
            .map(|rule| Hit { rule: *rule, feature_length: path.len() })
            .collect();
        // A file is not a feature: the directory that holds it is.
        let feature_length = if leaf && !submodule { directory } else { path.len() };
        if let Some(rules) = path.get(..directory).and_then(|above| self.matcher.entries.get(above))
        {
            let hit = |rule: &Rule| Hit { rule: *rule, feature_length };
            hits.extend(rules.iter().filter(applies).map(hit));
        }
        let mut globs = Vec::new();
        if self.active.is_empty() {
            return (hits, globs);
        }
        let candidate = Candidate::from_bytes(path);
        for (set, ids) in self.active.iter().flat_map(|group| &group.sets) {
            set.matches_candidate_into(&candidate, &mut self.buffer);
            let ids = self.buffer.iter().filter_map(|index| ids.get(*index));
            for id in ids.filter(|id| self.matched.get(**id) == Some(&false)) {
                let rules = self.matcher.globs.get(*id).into_iter().flatten();
                let before = hits.len();
                hits.extend(rules.filter(applies).map(|rule| Hit { rule: *rule, feature_length }));
                if hits.len() > before {
                    globs.push(*id);
                }
            }
        }
        (hits, globs)
    }

    /// Adds the hits to their cousins' and opens a claim for each of those cousins.
    fn claim(&mut self, path: &[u8], hits: &[Hit], at: usize) {
        let mut cousins = Vec::with_capacity(hits.len());
        for hit in hits {
            let Some(of_cousin) = self.hits.get_mut(hit.rule.cousin) else { continue };
            let place = of_cousin.partition_point(|other| other.rule.position < hit.rule.position);
            of_cousin.insert(place, *hit);
            cousins.push(hit.rule.cousin);
        }
        // One claim a cousin, however many of its rules match here.
        cousins.sort_unstable();
        cousins.dedup();
        for cousin in cousins {
            let feature = self
                .hits
                .get(cousin)
                .and_then(|hits| decide(hits))
                .map(|length| self.feature(path.get(..length).unwrap_or_default()));
            self.claims.push(Claim { cousin, start: at, end: at, feature });
        }
    }

    fn feature(&mut self, path: &[u8]) -> usize {
        let feature = FeaturePath::new(path);
        *self.known.entry(feature).or_insert_with_key(|feature| {
            self.features.push(feature.clone());
            self.features.len() - 1
        })
    }

    fn forget(&mut self, hits: &[Hit]) {
        for hit in hits {
            let Some(of_cousin) = self.hits.get_mut(hit.rule.cousin) else { continue };
            of_cousin.retain(|other| other.rule.position != hit.rule.position);
        }
    }

    fn end_claims(&mut self, claims: Range<usize>, end: usize) {
        for claim in self.claims.get_mut(claims).unwrap_or_default() {
            claim.end = end;
        }
    }
}

/// Returns the feature's length when the hits, in the order of the cousin's list, select the path:
/// the last one that matches decides, and of those that select it the longest feature wins.
fn decide(hits: &[Hit]) -> Option<usize> {
    hits.iter().fold(None, |selected, hit| {
        if hit.rule.exclusion { None } else { selected.max(Some(hit.feature_length)) }
    })
}

/// Returns the length of the longest directory path that both paths lie below.
fn shared_directory(a: &[u8], b: &[u8]) -> usize {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let common = a.get(..shared).unwrap_or_default();
    common.iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}

/// Turns nested claims into disjoint runs of paths, cousin by cousin.
fn resolve(mut claims: Vec<Claim>, features: &[FeaturePath]) -> Vec<Selected> {
    use std::cmp::Reverse;
    claims.sort_by_key(|claim| (claim.cousin, claim.start, Reverse(claim.end)));
    let mut selected = Vec::new();
    for claims in claims.chunk_by(|a, b| a.cousin == b.cousin) {
        let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
        let mut open: Vec<&Claim> = Vec::new();
        let mut at = 0;
        let mut close = |open: &mut Vec<&Claim>, at: &mut usize, until: usize| {
            while let Some(claim) = open.last() {
                let end = claim.end.min(until);
                if let Some(feature) = claim.feature
                    && *at < end
                {
                    runs.push((feature, *at..end));
                }
                *at = (*at).max(end);
                if claim.end > until {
                    break;
                }
                open.pop();
            }
        };
        for claim in claims {
            close(&mut open, &mut at, claim.start);
            at = claim.start;
            open.push(claim);
        }
        close(&mut open, &mut at, usize::MAX);
        runs.sort_by(|a, b| {
            features.get(a.0).cmp(&features.get(b.0)).then(a.1.start.cmp(&b.1.start))
        });
        let cousin = claims.first().map_or(0, |claim| claim.cousin);
        for runs in runs.chunk_by(|a, b| a.0 == b.0) {
            let Some(feature) = runs.first().and_then(|run| features.get(run.0)) else { continue };
            let mut paths: Vec<Range<usize>> = Vec::new();
            for (_, run) in runs {
                match paths.last_mut() {
                    Some(last) if last.end == run.start => last.end = run.end,
                    _ => paths.push(run.clone()),
                }
            }
            let matched = paths.iter().map(ExactSizeIterator::len).sum();
            selected.push(Selected { cousin, feature: feature.clone(), matched, paths });
        }
    }
    selected
}

#[cfg(test)]
mod tests;
