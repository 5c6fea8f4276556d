//! How far each cousin of a run is: its dispatches end one by one, in any order, and when the last
//! has ended it is settled, for good or for bad.

use crate::delivery::Outcome;

/// Counts the dispatches of each cousin that have not ended.
#[derive(Debug, Clone)]
pub struct Ledger {
    open: Vec<Open>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Open {
    dispatches: usize,
    failed: bool,
    unsent: bool,
}

/// What became of a cousin's dispatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// All were delivered.
    Delivered,
    /// At least one was tried and not delivered.
    Failed,
    /// None failed, and not all were sent.
    Unsent,
}

impl Ledger {
    /// Returns the ledger of a run with so many cousins; `dispatches` has the cousin of each.
    #[must_use]
    pub fn new(cousins: usize, dispatches: impl Iterator<Item = usize>) -> Self {
        let mut open = vec![Open::default(); cousins];
        for cousin in dispatches {
            open.get_mut(cousin).into_iter().for_each(|it| it.dispatches += 1);
        }
        Self { open }
    }

    /// Notes how a dispatch of a cousin has ended, and returns what became of the cousin when it
    /// was the last.
    pub fn ended(&mut self, cousin: usize, outcome: Outcome) -> Option<Settled> {
        let open = self.open.get_mut(cousin)?;
        match outcome {
            Outcome::Delivered => {}
            Outcome::Failed | Outcome::Exhausted | Outcome::Deferred => open.failed = true,
            Outcome::Skipped | Outcome::Planned => open.unsent = true,
        }
        open.dispatches = open.dispatches.checked_sub(1)?;
        (open.dispatches == 0).then_some(match open {
            Open { failed: true, .. } => Settled::Failed,
            Open { unsent: true, .. } => Settled::Unsent,
            _ => Settled::Delivered,
        })
    }
}
