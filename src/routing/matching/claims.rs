//! What each cousin is to hear of which paths, gathered from a walk as claims: a cousin's decision
//! for a run of paths, until a claim within it decides anew.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use super::known::Known;
use super::walk::Follower;
use super::{Hit, Selected};
use crate::names::FeaturePath;

#[derive(Debug)]
struct Claim {
    cousin: usize,
    start: usize,
    end: usize,
    /// Index into [`Claims::features`]; none when the paths are excluded.
    feature: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Claims {
    known: Known,
    claims: Vec<Claim>,
    /// The claims that end with each of the entered places.
    open: Vec<Range<usize>>,
    features: Vec<FeaturePath>,
    indices: HashMap<FeaturePath, usize>,
}

impl Claims {
    pub(super) fn new(cousins: usize) -> Self {
        Self {
            known: Known::new(cousins),
            claims: Vec::new(),
            open: Vec::new(),
            features: Vec::new(),
            indices: HashMap::new(),
        }
    }

    fn feature(&mut self, path: &[u8]) -> usize {
        let feature = FeaturePath::new(path);
        *self.indices.entry(feature).or_insert_with_key(|feature| {
            self.features.push(feature.clone());
            self.features.len() - 1
        })
    }

    /// Turns nested claims into disjoint runs of paths, cousin by cousin.
    pub(super) fn resolve(self) -> Vec<Selected> {
        resolve(self.claims, &self.features)
    }
}

impl Follower for Claims {
    fn known(&self) -> &Known {
        &self.known
    }

    /// Opens a claim for each cousin that decides otherwise by the hits: most exclusions meet a
    /// path that was not selected anyway.
    fn enter(&mut self, path: &[u8], hits: &[Hit], at: usize) {
        let first = self.claims.len();
        for hits in hits.chunk_by(|a, b| a.rule.cousin == b.rule.cousin) {
            let cousin = hits.first().map_or(0, |hit| hit.rule.cousin);
            let before = self.known.decision(cousin);
            self.known.add(cousin, hits);
            let decided = self.known.decision(cousin);
            if decided != before {
                let feature =
                    decided.map(|length| self.feature(path.get(..length).unwrap_or_default()));
                self.claims.push(Claim { cousin, start: at, end: at, feature });
            }
        }
        self.open.push(first..self.claims.len());
    }

    fn leave(&mut self, _path: &[u8], hits: &[Hit], end: usize) {
        for hits in hits.chunk_by(|a, b| a.rule.cousin == b.rule.cousin) {
            let cousin = hits.first().map_or(0, |hit| hit.rule.cousin);
            self.known.forget(cousin, hits);
        }
        let claims = self.open.pop().and_then(|claims| self.claims.get_mut(claims));
        for claim in claims.unwrap_or_default() {
            claim.end = end;
        }
    }
}

/// Turns nested claims into disjoint runs of paths, cousin by cousin.
fn resolve(mut claims: Vec<Claim>, features: &[FeaturePath]) -> Vec<Selected> {
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
