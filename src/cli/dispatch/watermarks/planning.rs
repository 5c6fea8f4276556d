//! Which comparisons a run with watermarks consists of: in the first run of all the event's range,
//! after that each cousin since what it has received. It sends nothing; of the refs it writes those
//! alone with which the watermarks begin.

use std::collections::BTreeMap;

use super::{NEEDED, State, list, not_writable};
use crate::cli::Failure;
use crate::cli::dispatch::pipeline::Run;
use crate::cli::part::{Bases, Parts};
use crate::git::range::{RangeError, Reason, Trigger};
use crate::git::refs::Update;
use crate::names::RepoName;
use crate::report::{Warning, WatermarkState};
use crate::watermark::{Marks, Since};

/// Why a run for an older head sends nothing.
const DELIVERED: &str = "already delivered by a newer run";

/// Why a run for a commit that was pushed away sends nothing.
const REWRITTEN: &str = "the branch does not hold this commit: it was rewritten since";

/// What a cousin is compared with.
enum With {
    /// What it has received.
    Bases(Bases),
    /// The event's base: what was to be sent by this run alone, or, where it is not to be sent and
    /// why, what the report says of it.
    Event(Option<&'static str>),
}

/// The cousins that share what they are compared with.
#[derive(Default)]
struct Groups {
    by_bases: BTreeMap<Bases, Vec<usize>>,
    by_event: BTreeMap<Option<&'static str>, Vec<usize>>,
}

impl State {
    /// Returns the comparisons of these cousins.
    pub(super) fn parts(
        &mut self,
        run: &mut Run<'_>,
        of: &[usize],
        first: bool,
    ) -> Result<Parts, Failure> {
        let mut parts = Parts::default();
        if first && self.marks.is_untouched() {
            self.begin(run, of, &mut parts)?;
        }
        if parts.parts.is_empty() {
            self.since_watermarks(run, of, &mut parts)?;
        }
        parts.sort(&run.cousins, &self.told);
        Ok(parts)
    }

    /// The first run of all: the range is the event's. Before anything is sent the base is recorded
    /// as what everybody has received, so that a failure in this very run is made up for.
    fn begin(&mut self, run: &mut Run<'_>, of: &[usize], parts: &mut Parts) -> Result<(), Failure> {
        let Run { source, comparison, cousins, .. } = run;
        if comparison.bases.is_empty() {
            // Before the first cousin is enabled there is nobody to be told.
            let nobody = run.cousins.iter().all(|cousin| !cousin.enabled);
            return if nobody { Ok(()) } else { Err(no_range(run)) };
        }
        parts.add(cousins, of, None, |reach| Ok(source.compare(comparison, reach)?))?;
        let base = parts.parts.first().and_then(|part| part.compared.base.clone());
        let Some(base) = base.filter(|_| run.sends()) else { return Ok(()) };
        let enabled = run.cousins.iter().filter(|cousin| cousin.enabled);
        let mut updates: Vec<Update> =
            enabled.map(|cousin| Marks::create(&cousin.repo, &base)).collect();
        if !parts.called.is_empty() {
            updates.extend(self.marks.sends(&run.head));
        }
        let told = self.writer(run)?.write(&updates).map_err(not_writable)?;
        if let Some(Err(why)) = told.iter().find(|told| told.is_err()) {
            self.marks = list(run, &self.remote)?;
            self.before = self.marks.clone();
            if self.marks.is_untouched() {
                let message = format!("the remote does not take the watermarks: {why}");
                return Err(Failure::new(message, NEEDED));
            }
            // Another run has begun at the same moment.
            self.overtaken = true;
            *parts = Parts::default();
            return Ok(());
        }
        updates.iter().for_each(|update| self.marks.wrote(update));
        self.may_write = true;
        Ok(())
    }

    /// Each cousin since its own watermark; those that have received the same share a comparison.
    fn since_watermarks(
        &mut self,
        run: &mut Run<'_>,
        of: &[usize],
        parts: &mut Parts,
    ) -> Result<(), Failure> {
        let repos = of.iter().filter_map(|at| Some(&run.cousins.get(*at)?.repo));
        let is_in = run.source.is_in(&self.marks.in_question(repos, &run.head));
        if is_in.values().any(Option::is_none) {
            let message = "the remote does not tell whether some watermarks are older or newer than \
                           the commit of this run: what differs is sent, and they stay where they are";
            run.warnings.push(Warning::new("unclear-watermarks", message.to_owned()));
        }
        let mut groups = Groups::default();
        for at in of {
            let Some(cousin) = run.cousins.get(*at) else { continue };
            let since = self.marks.since(&cousin.repo, &run.head, &is_in);
            if cousin.enabled {
                self.states.insert(*at, self.state_of(&since));
            }
            match self.compared_with(run, &cousin.repo, since) {
                With::Event(superseded) => groups.by_event.entry(superseded).or_default().push(*at),
                With::Bases(bases) => groups.by_bases.entry(bases).or_default().push(*at),
            }
        }
        let Run { source, comparison, cousins, .. } = run;
        parts.add_groups(source, cousins, &groups.by_bases)?;
        if !comparison.bases.is_empty() {
            for (superseded, of) in groups.by_event {
                parts.add(cousins, &of, superseded, |reach| {
                    Ok(source.compare(comparison, reach)?)
                })?;
            }
        }
        Ok(())
    }

    /// Returns what is to become of a watermark, before anything is sent.
    fn state_of(&self, since: &Since) -> WatermarkState {
        match since {
            Since::Newer(_) | Since::Rewritten => WatermarkState::Newer,
            Since::Head if self.overtaken => WatermarkState::Newer,
            Since::Head => WatermarkState::Current,
            Since::Watermark(_) | Since::Nothing => WatermarkState::Planned,
            Since::Unclear(_) => WatermarkState::Kept,
        }
    }

    /// Returns what a cousin is compared with.
    fn compared_with(&self, run: &Run<'_>, repo: &RepoName, since: Since) -> With {
        let (received, reason) = match since {
            Since::Newer(_) | Since::Head if self.overtaken => return With::Event(None),
            Since::Newer(_) => return With::Event(Some(DELIVERED)),
            Since::Rewritten => return With::Event(Some(REWRITTEN)),
            _ if run.request.flags.all => (Some(None), Reason::All),
            Since::Head => (None, Reason::Watermarks),
            Since::Nothing => (Some(None), Reason::FirstDelivery),
            Since::Watermark(commit) | Since::Unclear(commit) => {
                (Some(Some(commit)), Reason::Watermarks)
            }
        };
        With::Bases(Bases { received, reason, heard_of: self.marks.heard_of(repo, &run.head) })
    }
}

/// Returns why an event without a range cannot be the first.
fn no_range(run: &Run<'_>) -> Failure {
    let event = match &run.request.trigger {
        Trigger::Other(name) => name.clone(),
        _ => String::new(),
    };
    let message = format!("{}, and no cousin has a watermark yet", RangeError::NoRange(event));
    let help = "watermarks begin with a push, or with a run with --base REV or --all";
    Failure::new(message, help)
}
