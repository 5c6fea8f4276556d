//! Sending with watermarks: what is written before it, meanwhile and at its end, so that whenever a
//! run dies the next one knows what cousins may have heard; and what could not be written, because
//! the remote refused or another run was faster.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{NEEDED, State, list, may_move, not_writable};
use crate::cli::dispatch::pipeline::{Round, Run};
use crate::cli::dispatch::recorder::{Recorded, Recorder};
use crate::cli::part::{Called, Parts};
use crate::cli::{Exit, Failure, Output};
use crate::delivery::{Ending, Outcome};
use crate::git::GitError;
use crate::git::refs::{Update, Writer};
use crate::names::FeaturePath;
use crate::report::{Warning, WatermarkState};
use crate::watermark::{Ledger, Settled};

impl State {
    pub(super) fn writer(&self, run: &Run<'_>) -> Result<Writer, Failure> {
        let tip = self.marks.tip.as_ref();
        Ok(Writer::new(run.git, &self.remote, &run.source.objects(), tip)?)
    }

    /// Sends what the comparisons call for, and records at the same time.
    pub(super) fn send(
        &mut self,
        run: &mut Run<'_>,
        parts: Parts,
        of: &[usize],
        output: &Output,
    ) -> Result<(Round, Recorded, Option<Exit>), Failure> {
        if !run.sends() {
            let (round, exit) = run.send(parts, output, |_, _| {})?;
            return Ok((round, Recorded::default(), exit));
        }
        let is_open = |it: &&Called| parts.of(it).is_some_and(|it| it.superseded.is_none());
        let called: Vec<usize> =
            parts.called.iter().filter(is_open).map(|called| called.planned.cousin).collect();
        let writer = self.writer(run)?;
        if !called.is_empty() {
            self.announce(run, &writer)?;
        }
        let delivered: Vec<Vec<Update>> =
            (0..run.cousins.len()).map(|at| self.when_delivered(run, at)).collect();
        let of_cousin = |at: usize| delivered.get(at).cloned().unwrap_or_default();
        let mut ledger = Ledger::new(run.cousins.len(), called.iter().copied());
        let recorder = Recorder::start(writer);
        // Whom nothing concerns has received everything.
        let concerned: HashSet<usize> = called.into_iter().collect();
        let mut settled: BTreeMap<usize, Settled> = of
            .iter()
            .filter(|at| !concerned.contains(at))
            .map(|at| (*at, Settled::Delivered))
            .collect();
        recorder.record(settled.keys().flat_map(|at| of_cousin(*at)).collect());
        let mut reached: BTreeMap<usize, BTreeSet<FeaturePath>> = BTreeMap::new();
        let sent = run.send(parts, output, |called: &Called, ending: &Ending| {
            let at = called.planned.cousin;
            if ending.may_have_arrived {
                reached.entry(at).or_default().insert(called.planned.feature.clone());
            }
            if let Some(end) = ledger.ended(at, ending.outcome) {
                settled.insert(at, end);
                if end == Settled::Delivered {
                    recorder.record(of_cousin(at));
                }
            }
        });
        for (at, features) in reached {
            self.reached.entry(at).or_default().extend(features);
        }
        // What was delivered is recorded whatever came then.
        match sent {
            Ok((round, exit)) => {
                recorder.record(self.at_the_end(run, &settled));
                Ok((round, recorder.finish(), exit))
            }
            // Interrupted twice: then at once.
            Err(failure) if failure.exit != Exit::Misused => Err(failure),
            Err(failure) => {
                recorder.record(self.marks.has_sent(&run.head).into_iter().collect());
                drop(recorder.finish());
                Err(failure)
            }
        }
    }

    /// Writes that this run sends, before it does: should it die, the next run knows that anybody
    /// may have heard of its commit. It also shows that the remote lets us write.
    fn announce(&mut self, run: &Run<'_>, writer: &Writer) -> Result<(), Failure> {
        match self.marks.sends(&run.head) {
            Some(update) => {
                let told = writer.write(std::slice::from_ref(&update));
                if let Some(Err(why)) = told.map_err(not_writable)?.into_iter().next() {
                    // Another run for the same commit may have been faster by a moment. All else
                    // stays as it was planned with: who has moved a watermark meanwhile is met by
                    // the lease.
                    if !list(run, &self.remote)?.holds(&update) {
                        let message = format!("the remote does not take the watermarks: {why}");
                        return Err(Failure::new(message, NEEDED));
                    }
                }
                self.marks.wrote(&update);
            }
            None if !self.may_write => {
                let all: Vec<Update> =
                    (0..run.cousins.len()).flat_map(|at| self.when_delivered(run, at)).collect();
                writer.check(&all).map_err(not_writable)?;
            }
            None => {}
        }
        self.may_write = true;
        Ok(())
    }

    /// Returns what is to be written when a cousin has received everything.
    fn when_delivered(&self, run: &Run<'_>, at: usize) -> Vec<Update> {
        let may_move = self.states.get(&at).is_none_or(|state| may_move(*state));
        let cousin = run.cousins.get(at).filter(|cousin| cousin.enabled && may_move);
        cousin.map(|cousin| self.marks.delivered(&cousin.repo, &run.head)).unwrap_or_default()
    }

    /// Returns what is to be written when all dispatches have ended: who fails, who has heard of
    /// head in part, and that nobody sends any more.
    fn at_the_end(&self, run: &Run<'_>, settled: &BTreeMap<usize, Settled>) -> Vec<Update> {
        let mut updates = Vec::new();
        // A run for an older commit leaves it to a newer one to tidy up.
        let is_newest = self.marks.is_newest(&run.head);
        for (at, cousin) in run.cousins.iter().enumerate() {
            let end = settled.get(&at);
            if end == Some(&Settled::Failed) {
                updates.extend(self.marks.failed(&cousin.repo, &run.head));
            }
            let is_up_to_date = end == Some(&Settled::Delivered)
                && cousin.enabled
                && self.states.get(&at).is_none_or(|state| may_move(*state));
            if is_up_to_date {
                continue;
            }
            if let Some(features) = self.reached.get(&at) {
                updates.extend(self.marks.tried(&cousin.repo, &run.head, Some(features)));
            }
            if is_newest && (cousin.enabled || self.marks.watermark(&cousin.repo).is_some()) {
                let others = self.others.iter();
                updates.extend(others.flat_map(|it| self.marks.tried(&cousin.repo, it, None)));
            }
        }
        if is_newest {
            let enabled = run.cousins.iter().filter(|cousin| cousin.enabled);
            let enabled: HashSet<String> = enabled.map(|cousin| cousin.repo.key()).collect();
            updates.extend(self.marks.unsent(|repo| enabled.contains(&repo.key())));
            updates.extend(self.others.iter().filter_map(|commit| self.marks.has_sent(commit)));
        }
        updates.extend(self.marks.has_sent(&run.head));
        updates
    }

    /// Writes what another run's being faster has left open: cousins that heard of head, and whose
    /// watermark has gone elsewhere.
    pub(super) fn leave(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
        let open = self.reached.iter();
        let open = open.filter_map(|(at, features)| Some((&run.cousins.get(*at)?.repo, features)));
        let mut updates: Vec<Update> = open
            .flat_map(|(repo, features)| self.marks.tried(repo, &run.head, Some(features)))
            .collect();
        updates.extend(self.marks.has_sent(&run.head));
        if updates.is_empty() {
            return Ok(());
        }
        let recorder = Recorder::start(self.writer(run)?);
        recorder.record(updates);
        let Recorded { written, lost, .. } = recorder.finish();
        written.iter().for_each(|update| self.marks.wrote(update));
        if let Some((updates, error)) = lost {
            self.not_written(run, updates.len(), &error);
        }
        Ok(())
    }

    /// Notes what was delivered, which is not sent again in a later round.
    pub(super) fn note(&mut self, run: &Run<'_>, round: &Round) {
        let mut kept = BTreeSet::new();
        for (Called { planned, .. }, line) in round.lines() {
            match line.ending.outcome {
                Outcome::Delivered => {
                    self.told.insert((planned.cousin, planned.feature.clone()));
                }
                Outcome::Planned => {}
                _ => drop(kept.insert(planned.cousin)),
            }
        }
        if run.sends() {
            for (at, state) in &mut self.states {
                if kept.contains(at) && *state == WatermarkState::Planned {
                    *state = WatermarkState::Kept;
                }
            }
        }
    }

    /// Takes up what was recorded, and returns the cousins whose watermark another run has moved so
    /// that they have to be planned again.
    pub(super) fn settle(
        &mut self,
        run: &mut Run<'_>,
        recorded: Recorded,
    ) -> Result<Vec<usize>, Failure> {
        let Recorded { written, refused, lost } = recorded;
        written.iter().for_each(|update| self.marks.wrote(update));
        if let Some((updates, error)) = lost {
            self.not_written(run, updates.len(), &error);
        }
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let all = refused;
        let refused: BTreeMap<&str, &str> =
            all.iter().map(|(update, why)| (update.name.as_str(), why.as_str())).collect();
        let old = std::mem::replace(&mut self.marks, list(run, &self.remote)?);
        let (mut conflicts, mut stubborn) = (Vec::new(), None);
        for (at, cousin) in run.cousins.iter().enumerate() {
            let was = old.watermark(&cousin.repo);
            let Some(why) = refused.get(old.name_of(&cousin.repo).as_str()) else { continue };
            let is = self.marks.watermark(&cousin.repo);
            if was.map(|mark| &mark.commit) == is.map(|mark| &mark.commit) {
                stubborn = Some(*why);
            } else {
                conflicts.push(at);
            }
        }
        // What may be another run's work as well stands as it was to be, or was refused.
        let is_watermark = |name: &str| name.starts_with(crate::watermark::WATERMARKS);
        let open = all.iter().find(|(it, _)| !is_watermark(&it.name) && !self.marks.holds(it));
        if let Some((_, why)) = open {
            stubborn = stubborn.or(Some(why.as_str()));
        }
        if let Some(why) = stubborn {
            let message = format!(
                "the remote does not take the watermarks, so the next run repeats what was \
                 delivered: {why}; {NEEDED}"
            );
            run.warnings.push(Warning::new("watermarks-not-written", message));
            self.unrecorded = true;
        }
        Ok(conflicts)
    }

    fn not_written(&mut self, run: &mut Run<'_>, count: usize, error: &GitError) {
        let message = format!(
            "{count} refs were not written, so the next run repeats what was delivered: {error}; \
             {NEEDED}"
        );
        run.warnings.push(Warning::new("watermarks-not-written", message));
        self.unrecorded = true;
    }

    pub(super) fn give_up(&mut self, run: &mut Run<'_>, of: &[usize]) {
        let message = format!(
            "{} watermarks were moved by other runs each time: the next run makes up for what is \
             missing",
            of.len()
        );
        run.warnings.push(Warning::new("watermarks-not-written", message));
        self.unrecorded = true;
    }
}
