//! The plan: which cousin is told of which feature, in the order in which it is reported and sent.
//! The order is by repository, then feature, so that the same input gives the same plan whatever
//! the order of the file.

use std::borrow::Borrow;
use std::ops::Range;

use super::matching::{ChangedPath, Matcher, Selected, TooComplex};
use crate::ecosystem::Cousin;
use crate::names::{FeaturePath, RepoName};

/// What a range calls for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The dispatches in order.
    pub dispatches: Vec<Planned>,
    /// Cousins that are not enabled and would have been told something, in order.
    pub disabled: Vec<RepoName>,
}

/// One dispatch of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The cousin's index in the list that was planned for.
    pub cousin: usize,
    /// What the cousin is told of.
    pub feature: FeaturePath,
    /// How many changed paths belong to it.
    pub matched: usize,
    /// Where those stand in the list of changed paths.
    pub paths: Vec<Range<usize>>,
}

/// Returns the plan for paths that are sorted and distinct.
///
/// # Errors
/// [`TooComplex`] when a glob cannot be compiled.
pub fn plan<C: Borrow<Cousin>>(cousins: &[C], changed: &[ChangedPath]) -> Result<Plan, TooComplex> {
    let patterns = cousins.iter().map(|cousin| cousin.borrow().subscriptions.as_slice());
    let matcher = Matcher::new(patterns)?;
    let mut selected: Vec<(&Cousin, Selected)> = matcher
        .select(changed)
        .into_iter()
        .filter_map(|selected| Some((cousins.get(selected.cousin)?.borrow(), selected)))
        .collect();
    selected
        .sort_by(|(a, sa), (b, sb)| a.repo.cmp(&b.repo).then_with(|| sa.feature.cmp(&sb.feature)));
    let mut plan = Plan::default();
    for (cousin, Selected { cousin: index, feature, matched, paths }) in selected {
        if cousin.enabled {
            plan.dispatches.push(Planned { cousin: index, feature, matched, paths });
        } else if plan.disabled.last() != Some(&cousin.repo) {
            plan.disabled.push(cousin.repo.clone());
        }
    }
    Ok(plan)
}
