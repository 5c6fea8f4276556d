//! The rules that matched on the way down to where a walk is, cousin by cousin, and which cousins
//! anything is selected for there: an exclusion is nothing to all others.

use super::Hit;

#[derive(Debug)]
pub(super) struct Known {
    cousins: Vec<OfCousin>,
    /// The cousins that a positive rule matched for, in no order.
    awake: Vec<usize>,
}

#[derive(Debug, Default, Clone)]
struct OfCousin {
    /// Ordered by position.
    hits: Vec<Hit>,
    positives: usize,
    /// Where the cousin stands in [`Known::awake`], if it does.
    slot: usize,
}

impl Known {
    pub(super) fn new(cousins: usize) -> Self {
        Self { cousins: vec![OfCousin::default(); cousins], awake: Vec::new() }
    }

    pub(super) fn awake(&self) -> &[usize] {
        &self.awake
    }

    /// Returns the length of the feature that the rules known of a cousin give a path, when they
    /// select it: the last one that matches decides, and of those that select it the longest
    /// feature wins.
    pub(super) fn decision(&self, cousin: usize) -> Option<usize> {
        let selecting = self.selecting(cousin);
        selecting.map(|hit| hit.feature_length).max()
    }

    /// Returns the hits of a cousin behind its last exclusion, the last first.
    pub(super) fn selecting(&self, cousin: usize) -> impl Iterator<Item = &Hit> {
        let hits = self.cousins.get(cousin).map(|known| known.hits.as_slice());
        hits.unwrap_or_default().iter().rev().take_while(|hit| !hit.rule.exclusion)
    }

    /// Adds hits to a cousin's; both are ordered by position.
    pub(super) fn add(&mut self, cousin: usize, hits: &[Hit]) {
        let Some(known) = self.cousins.get_mut(cousin) else { return };
        let behind = match (known.hits.last(), hits.first()) {
            (Some(last), Some(first)) => last.rule.position < first.rule.position,
            _ => true,
        };
        known.hits.extend_from_slice(hits);
        if !behind {
            // Made for runs that are in order each.
            known.hits.sort_by_key(|hit| hit.rule.position);
        }
        let positives = positives(hits);
        if known.positives == 0 && positives > 0 {
            known.slot = self.awake.len();
            self.awake.push(cousin);
        }
        known.positives += positives;
    }

    /// Takes hits out again, in one pass however many they are.
    pub(super) fn forget(&mut self, cousin: usize, hits: &[Hit]) {
        let Some(known) = self.cousins.get_mut(cousin) else { return };
        if known.hits.len() == hits.len() {
            known.hits.clear();
        } else {
            let mut gone = hits.iter().peekable();
            let stays =
                |hit: &Hit| gone.next_if(|gone| gone.rule.position == hit.rule.position).is_none();
            known.hits.retain(stays);
        }
        let positives = positives(hits);
        known.positives -= positives;
        if known.positives == 0 && positives > 0 {
            let slot = known.slot;
            self.awake.swap_remove(slot);
            let moved = self.awake.get(slot).and_then(|moved| self.cousins.get_mut(*moved));
            moved.into_iter().for_each(|moved| moved.slot = slot);
        }
    }
}

fn positives(hits: &[Hit]) -> usize {
    hits.iter().filter(|hit| !hit.rule.exclusion).count()
}
