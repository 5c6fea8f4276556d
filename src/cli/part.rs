//! What each comparison of a run calls for: one for all cousins, or with watermarks one for all
//! that have received the same. The dispatches of all comparisons together have one order.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::cli::Failure;
use crate::ecosystem::Cousin;
use crate::git::range::Reason;
use crate::git::source::{Compared, Source};
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::routing::{ChangedPath, Planned, Reach, plan};
use crate::watermark::{Extent, hash_of};

/// One comparison.
#[derive(Debug)]
pub(super) struct Part {
    /// What was compared; its paths are in `changed`.
    pub(super) compared: Compared,
    /// The paths that differ.
    pub(super) changed: Arc<[ChangedPath]>,
    /// Whether one of its cousins is enabled.
    pub(super) enabled: bool,
    /// Why its cousins are not to hear of it from this run, though nothing is missing.
    pub(super) superseded: Option<&'static str>,
}

/// One dispatch that a comparison calls for.
#[derive(Debug, Clone)]
pub(super) struct Called {
    /// The comparison's index.
    pub(super) part: usize,
    /// The dispatch; its cousin is an index in the list of the run.
    pub(super) planned: Planned,
}

/// What cousins are compared with: those with the same share the comparisons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bases {
    /// What they have received; the inner none is the empty tree, the outer that it is head.
    pub(super) received: Option<Option<CommitSha>>,
    /// Why that.
    pub(super) reason: Reason,
    /// What else they may have heard of, and what of it.
    pub(super) heard_of: BTreeMap<CommitSha, Extent>,
}

/// All comparisons of a run and what they call for.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// Ordered by repository, then feature.
    pub(super) called: Vec<Called>,
    /// Cousins that are not enabled and would have been told something, in order.
    pub(super) disabled: Vec<RepoName>,
}

impl Parts {
    /// Adds a comparison for the cousins of these indices.
    pub(super) fn add(
        &mut self,
        cousins: &[Cousin],
        of: &[usize],
        superseded: Option<&'static str>,
        compare: impl FnOnce(&Reach) -> Result<Compared, Failure>,
    ) -> Result<(), Failure> {
        let chosen: Vec<&Cousin> = of.iter().filter_map(|at| cousins.get(*at)).collect();
        let reach = Reach::new(chosen.iter().flat_map(|cousin| &cousin.subscriptions));
        let mut compared = compare(&reach)?;
        let changed: Arc<[ChangedPath]> = std::mem::take(&mut compared.changes.paths).into();
        let plan = plan(&chosen, &changed)?;
        let part = self.parts.len();
        self.called.extend(plan.dispatches.into_iter().filter_map(|planned| {
            let cousin = *of.get(planned.cousin)?;
            Some(Called { part, planned: Planned { cousin, ..planned } })
        }));
        if superseded.is_none() {
            self.disabled.extend(plan.disabled);
        }
        let enabled = chosen.iter().any(|cousin| cousin.enabled);
        self.parts.push(Part { compared, changed, enabled, superseded });
        Ok(())
    }

    /// Adds the comparisons of groups of cousins.
    pub(super) fn add_groups(
        &mut self,
        source: &mut Source<'_>,
        cousins: &[Cousin],
        groups: &BTreeMap<Bases, Vec<usize>>,
    ) -> Result<(), Failure> {
        let received = groups.keys().filter_map(|bases| bases.received.clone().flatten());
        let heard_of = groups.keys().flat_map(|bases| bases.heard_of.keys().cloned());
        source.bring(&received.chain(heard_of).collect());
        for (bases, of) in groups {
            let received = bases.received.iter().map(|base| (base.clone(), &Extent::All));
            let heard_of = bases.heard_of.iter().map(|(at, heard)| (Some(at.clone()), heard));
            for (base, heard) in received.chain(heard_of) {
                let before = self.called.len();
                self.add(cousins, of, None, |reach| {
                    let compared = source.compare_with(base.as_ref(), reach)?;
                    Ok(Compared { reason: bases.reason, ..compared })
                })?;
                if let Extent::Only(features) = heard {
                    let called = self.called.split_off(before);
                    let is_heard = |it: &Called| features.contains(&hash_of(&it.planned.feature));
                    self.called.extend(called.into_iter().filter(is_heard));
                }
            }
        }
        Ok(())
    }

    /// Puts the dispatches of all comparisons into their order, each once, without those that are
    /// `told`.
    pub(super) fn sort(&mut self, cousins: &[Cousin], told: &HashSet<(usize, FeaturePath)>) {
        if !told.is_empty() {
            self.called.retain(|Called { planned, .. }| {
                !told.contains(&(planned.cousin, planned.feature.clone()))
            });
        }
        let repo = |called: &Called| cousins.get(called.planned.cousin).map(|cousin| &cousin.repo);
        self.called.sort_by(|a, b| {
            let by_feature = || a.planned.feature.cmp(&b.planned.feature);
            repo(a).cmp(&repo(b)).then_with(by_feature).then(a.part.cmp(&b.part))
        });
        self.called.dedup_by(|later, first| {
            let of = |called: &Called| (called.planned.cousin, called.planned.feature.clone());
            of(later) == of(first)
        });
        self.disabled.sort_unstable();
        self.disabled.dedup();
    }

    /// Returns the comparison of a dispatch.
    pub(super) fn of(&self, called: &Called) -> Option<&Part> {
        self.parts.get(called.part)
    }
}
