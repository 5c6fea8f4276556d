//! Which workflow run was started by which dispatch. GitHub answers a dispatch with 204 and names
//! no run, so it is told from the list of the cousin's runs: for certain where the run's name has
//! the dispatch's id, else by time. Pure: runs and dispatches in, a run for each dispatch out.
//!
//! By time, workflow by workflow: an event starts each workflow at most once, so that two runs of
//! two workflows never stand for two dispatches of which one was lost. A run that carries an id is
//! never given out by time, because it tells whose it is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// How much earlier than the answer to its dispatch a run may have been created: GitHub tells both
/// in whole seconds, and the two clocks are those of different machines.
pub(super) const EARLIER: SignedDuration = SignedDuration::from_secs(2);

/// How many characters a dispatch's id has.
const ID_DIGITS: usize = 32;

/// A workflow run, as far as it tells who started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) id: u64,
    /// What the run is called (`display_title`) and what its workflow is (`name`), in lower case.
    pub(super) names: [String; 2],
    /// The workflow that runs, by its number; 0 when GitHub does not tell.
    pub(super) workflow: u64,
    pub(super) created_at: Timestamp,
    /// Where a person can look at it.
    pub(super) url: Option<String>,
}

impl Run {
    fn carries(&self, id: &str) -> bool {
        id.len() == ID_DIGITS && self.names.iter().any(|name| name.contains(id))
    }

    /// Whether a word of its names has the form of a dispatch's id.
    fn carries_any(&self) -> bool {
        let words = self.names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
        let is_id = |word: &str| {
            word.len() == ID_DIGITS && word.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        words.into_iter().any(is_id)
    }
}

/// A dispatch that was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivered<'a> {
    /// In lower case.
    pub(super) id: &'a str,
    pub(super) at: Timestamp,
}

impl Delivered<'_> {
    fn may_have_started(&self, run: &Run) -> bool {
        run.created_at >= self.at.saturating_sub(EARLIER).unwrap_or(Timestamp::MIN)
    }
}

/// The run of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match<'a> {
    /// Its name has the dispatch's id.
    ById(&'a Run),
    /// It was created at the time.
    ByTime(&'a Run),
}

/// Returns the run of each dispatch, in the order of `dispatches`, which all are of one cousin. No
/// run is there twice. A run that carries the ids of several of them is nobody's: no event starts
/// such a run.
pub(super) fn assign<'a>(
    dispatches: &[Delivered<'_>],
    runs: impl IntoIterator<Item = &'a Run>,
) -> Vec<Option<Match<'a>>> {
    let mut order: Vec<usize> = (0..dispatches.len()).collect();
    order.sort_by_key(|at| dispatches.get(*at).map(|dispatch| dispatch.at));
    let mut runs: Vec<&Run> = runs.into_iter().collect();
    runs.sort_by_key(|run| (run.created_at, run.id));
    let mut found = vec![None; dispatches.len()];
    let mut plain: BTreeMap<u64, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        let mut own = order.iter().copied().filter(|at| is_of(dispatches, *at, run));
        match own.next() {
            Some(first) => {
                let several = own.any(|at| !same_id(dispatches, first, at));
                if !several {
                    give_by_id(dispatches, &order, run, &mut found);
                }
            }
            None if run.carries_any() => {}
            None => plain.entry(run.workflow).or_default().push(run),
        }
    }
    for runs in plain.values() {
        give_by_time(dispatches, &order, runs, &mut found);
    }
    found
}

fn is_of(dispatches: &[Delivered<'_>], at: usize, run: &Run) -> bool {
    dispatches.get(at).is_some_and(|dispatch| run.carries(dispatch.id))
}

fn same_id(dispatches: &[Delivered<'_>], one: usize, other: usize) -> bool {
    let id = |at: usize| dispatches.get(at).map(|dispatch| dispatch.id);
    id(one) == id(other)
}

/// Gives a run to the first dispatch with its id that has none. The runs come in the order of time:
/// one from before the dispatch was answered, by an earlier attempt whose answer was lost, gives
/// way to one that came after it.
fn give_by_id<'a>(
    dispatches: &[Delivered<'_>],
    order: &[usize],
    run: &'a Run,
    found: &mut [Option<Match<'a>>],
) {
    for at in order.iter().copied().filter(|at| is_of(dispatches, *at, run)) {
        let (Some(dispatch), Some(found)) = (dispatches.get(at), found.get_mut(at)) else {
            continue;
        };
        let better = match found {
            Some(Match::ById(known)) => {
                dispatch.may_have_started(run) && !dispatch.may_have_started(known)
            }
            _ => true,
        };
        if better {
            *found = Some(Match::ById(run));
            return;
        }
    }
}

/// Gives the runs of one workflow, the earliest first, to the dispatches, the earliest first. Each
/// dispatch takes its own, the one that is known by its id too: that may be a run of another
/// workflow, and this one's is no other dispatch's.
///
/// A later dispatch can have started fewer of the runs than an earlier one, and the first that the
/// earlier can take is the one that the later needs least: so as many as can be get one.
fn give_by_time<'a>(
    dispatches: &[Delivered<'_>],
    order: &[usize],
    runs: &[&'a Run],
    found: &mut [Option<Match<'a>>],
) {
    let mut runs = runs.iter();
    for at in order.iter().copied() {
        let (Some(dispatch), Some(found)) = (dispatches.get(at), found.get_mut(at)) else {
            continue;
        };
        let Some(run) = runs.find(|run| dispatch.may_have_started(run)) else { return };
        if found.is_none() {
            *found = Some(Match::ByTime(run));
        }
    }
}
