//! `--watermarks`: each cousin is compared with what it has received, and what it receives now is
//! recorded. Three steps, in rounds: which comparisons there are, sending with a [`Recorder`] at
//! work, and a look at what could not be recorded because another run was faster; those cousins go
//! into the next round. What the refs mean is decided in `watermark`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::pipeline::{Round, Rounds, Run};
use super::recorder::{Recorded, Recorder};
use crate::cli::part::{Bases, Called, Parts};
use crate::cli::{Exit, Failure, Output};
use crate::delivery::{Ending, Outcome};
use crate::git::GitError;
use crate::git::fetch::Remote;
use crate::git::range::{RangeError, Reason, Trigger};
use crate::git::refs::{self, Update, Writer};
use crate::names::{CommitSha, FeaturePath};
use crate::report::{Warning, Watermark, WatermarkState};
use crate::watermark::{Ledger, Marks, Settled, Since};

/// How often what was planned with a watermark that another run has moved meanwhile is planned
/// again.
const ROUNDS: usize = 4;

/// Why a run for an older head sends nothing.
const DELIVERED: &str = "already delivered by a newer run";

/// Why a run for a commit that was pushed away sends nothing.
const REWRITTEN: &str = "the branch was rewritten and does not hold this commit any more";

/// The refs as they were read, and what was learned of them since.
struct State {
    remote: Remote,
    marks: Marks,
    /// By cousin, where its watermark stood at first.
    before: HashMap<usize, Option<CommitSha>>,
    states: BTreeMap<usize, WatermarkState>,
    /// What was delivered in this run.
    told: HashSet<(usize, FeaturePath)>,
    /// The features of which cousins may have heard, as they are at head, from this run.
    reached: BTreeMap<usize, BTreeSet<FeaturePath>>,
    /// The commits that other runs were sending for when this one began.
    others: Vec<CommitSha>,
    /// Whether another run began the watermarks while this one was about to: where it is the newer
    /// one, nobody else sends what this one was to send.
    overtaken: bool,
    /// Whether the remote has taken a ref from this run.
    may_write: bool,
    /// Whether something could not be recorded.
    unrecorded: bool,
}

/// Plans, sends and records, and returns what came of it.
pub(super) fn carry_out(run: &mut Run<'_>, output: &Output) -> Result<Rounds, Failure> {
    if let Trigger::Push(push) = &run.request.trigger
        && let Some(branch) = push.reference.strip_prefix("refs/heads/")
        && push.default_branch.as_deref().is_some_and(|default| default != branch)
    {
        let branch = crate::text::shown(branch.as_bytes());
        let message = format!(
            "watermarks follow one branch, and {branch} is not the default branch: run it with \
             --watermarks for pushes of that alone"
        );
        run.warnings.push(Warning::new("watermarks-of-another-branch", message));
    }
    let mut state = State::read(run)?;
    state.others = state.marks.sent_by_others(&run.head);
    let failing = state.marks.all_failing();
    let failing = failing.map(|mark| (mark.repo.clone(), mark.commit.clone())).collect();
    let mut rounds = Vec::new();
    let mut of = run.chosen.clone();
    let mut exit = None;
    for round in 1..=ROUNDS {
        let parts = state.parts(run, &of, round == 1)?;
        let (round, recorded, stopped) = state.send(run, parts, &of, output)?;
        let interrupted = stopped.is_some();
        exit = exit.or(stopped);
        state.note(run, &round);
        rounds.push(round);
        of = state.settle(run, recorded)?;
        if of.is_empty() || interrupted {
            break;
        }
        tracing::info!("another run has moved {} watermarks: planning these again", of.len());
    }
    if !of.is_empty() && exit.is_none() {
        state.give_up(run, &of);
    }
    if run.sends() && !state.unrecorded {
        state.leave(run)?;
    }
    if state.unrecorded {
        exit = exit.or(Some(Exit::Undelivered));
    }
    Ok(Rounds { rounds, watermarks: Some(state.report(run)), exit, failing })
}

impl State {
    fn read(run: &mut Run<'_>) -> Result<Self, Failure> {
        let remote = run.source.remote().cloned().ok_or_else(|| {
            Failure::new(
                "there is no origin, where the watermarks are kept",
                "add one (`git remote add origin URL`), or name the monorepo with --remote URL",
            )
        })?;
        let marks = list(run, &remote)?;
        let mut state = Self {
            remote,
            marks,
            before: HashMap::new(),
            states: BTreeMap::new(),
            told: HashSet::new(),
            reached: BTreeMap::new(),
            others: Vec::new(),
            overtaken: false,
            may_write: false,
            unrecorded: false,
        };
        state.remember(run);
        Ok(state)
    }

    fn remember(&mut self, run: &Run<'_>) {
        for (at, cousin) in run.cousins.iter().enumerate() {
            let mark = self.marks.watermark(&cousin.repo).map(|mark| mark.commit.clone());
            self.before.insert(at, mark);
        }
    }

    /// Returns the comparisons of these cousins.
    fn parts(&mut self, run: &mut Run<'_>, of: &[usize], first: bool) -> Result<Parts, Failure> {
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
            return Err(no_range(run));
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
        let told = self.writer(run)?.write(&updates, false).map_err(not_writable)?;
        if let Some(Err(why)) = told.iter().find(|told| told.is_err()) {
            self.marks = list(run, &self.remote)?;
            self.remember(run);
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
        let Run { source, comparison, cousins, head, request, reference, .. } = run;
        let repos = of.iter().filter_map(|at| Some(&cousins.get(*at)?.repo));
        let is_in = source.is_in(&self.marks.in_question(repos, head, reference.as_deref()));
        if is_in.values().any(Option::is_none) {
            let message = "the remote does not tell whether some watermarks are older or newer than \
                           the commit of this run: what differs is sent, and they stay where they are";
            run.warnings.push(Warning::new("unclear-watermarks", message.to_owned()));
        }
        let mut groups: BTreeMap<Bases, Vec<usize>> = BTreeMap::new();
        let mut by_event: BTreeMap<Option<&'static str>, Vec<usize>> = BTreeMap::new();
        for at in of {
            let Some(cousin) = cousins.get(*at) else { continue };
            let since = self.marks.since(&cousin.repo, head, &is_in);
            let state = match &since {
                Since::Newer(_) | Since::Rewritten => WatermarkState::Newer,
                Since::Head if self.overtaken => WatermarkState::Newer,
                Since::Head => WatermarkState::Current,
                Since::Watermark(_) | Since::Nothing => WatermarkState::Planned,
                Since::Unclear(_) => WatermarkState::Kept,
            };
            if cousin.enabled {
                self.states.insert(*at, state);
            }
            let (received, reason) = match since {
                Since::Newer(_) | Since::Head if self.overtaken => {
                    by_event.entry(None).or_default().push(*at);
                    continue;
                }
                Since::Newer(_) => {
                    by_event.entry(Some(DELIVERED)).or_default().push(*at);
                    continue;
                }
                Since::Rewritten => {
                    by_event.entry(Some(REWRITTEN)).or_default().push(*at);
                    continue;
                }
                _ if request.flags.all => (Some(None), Reason::All),
                Since::Head => (None, Reason::Watermarks),
                Since::Nothing => (Some(None), Reason::FirstDelivery),
                Since::Watermark(commit) | Since::Unclear(commit) => {
                    (Some(Some(commit)), Reason::Watermarks)
                }
            };
            let heard_of = self.marks.heard_of(&cousin.repo, head);
            groups.entry(Bases { received, reason, heard_of }).or_default().push(*at);
        }
        parts.add_groups(source, cousins, &groups)?;
        if !comparison.bases.is_empty() {
            // What was to be sent by this run alone; for the report, where others have been there.
            for (why, of) in by_event {
                parts.add(cousins, &of, why, |reach| Ok(source.compare(comparison, reach)?))?;
            }
        }
        Ok(())
    }

    fn writer(&self, run: &Run<'_>) -> Result<Writer, Failure> {
        Ok(Writer::new(run.git, &self.remote, &run.source.objects())?)
    }

    /// Sends what the comparisons call for, and records at the same time.
    fn send(
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
        let recorder = Recorder::start(writer, self.marks.tip.as_ref() == Some(&run.head));
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
            if may_have_arrived(ending) {
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
                let known = self.marks.tip.as_ref() == Some(&run.head);
                let told = writer.write(std::slice::from_ref(&update), known).or_else(|error| {
                    // The branch may have moved on since.
                    if known {
                        writer.write(std::slice::from_ref(&update), false)
                    } else {
                        Err(error)
                    }
                });
                if let Some(Err(why)) = told.map_err(not_writable)?.into_iter().next() {
                    // Another run for the same commit may have been faster by a moment.
                    self.marks = list(run, &self.remote)?;
                    if self.marks.sends(&run.head).is_some() {
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
            updates.extend(self.others.iter().filter_map(|commit| self.marks.has_sent(commit)));
        }
        updates.extend(self.marks.has_sent(&run.head));
        updates
    }

    /// Writes what another run's being faster has left open: cousins that heard of head, and whose
    /// watermark has gone elsewhere.
    fn leave(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
        let open = self.reached.iter();
        let open = open.filter_map(|(at, features)| Some((&run.cousins.get(*at)?.repo, features)));
        let mut updates: Vec<Update> = open
            .flat_map(|(repo, features)| self.marks.tried(repo, &run.head, Some(features)))
            .collect();
        updates.extend(self.marks.has_sent(&run.head));
        if updates.is_empty() {
            return Ok(());
        }
        let recorder = Recorder::start(self.writer(run)?, false);
        recorder.record(updates);
        let Recorded { written, lost, .. } = recorder.finish();
        written.iter().for_each(|update| self.marks.wrote(update));
        if let Some((updates, error)) = lost {
            self.not_written(run, updates.len(), &error);
        }
        Ok(())
    }

    /// Notes what was delivered, which is not sent again in a later round.
    fn note(&mut self, run: &Run<'_>, round: &Round) {
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
    fn settle(&mut self, run: &mut Run<'_>, recorded: Recorded) -> Result<Vec<usize>, Failure> {
        let Recorded { written, refused, lost } = recorded;
        written.iter().for_each(|update| self.marks.wrote(update));
        if let Some((updates, error)) = lost {
            self.not_written(run, updates.len(), &error);
        }
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let refused: BTreeMap<&str, &str> =
            refused.iter().map(|(update, why)| (update.name.as_str(), why.as_str())).collect();
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

    fn give_up(&mut self, run: &mut Run<'_>, of: &[usize]) {
        let message = format!(
            "{} watermarks were moved by other runs each time: the next run makes up for what is \
             missing",
            of.len()
        );
        run.warnings.push(Warning::new("watermarks-not-written", message));
        self.unrecorded = true;
    }

    /// Returns what became of each watermark.
    fn report(&self, run: &Run<'_>) -> Vec<Watermark> {
        let mut all: Vec<Watermark> = run
            .chosen
            .iter()
            .filter_map(|at| {
                let cousin = run.cousins.get(*at).filter(|cousin| cousin.enabled)?;
                let before = self.before.get(at).cloned().flatten();
                let mark = self.marks.watermark(&cousin.repo);
                let after = mark.map(|mark| mark.commit.clone());
                let planned = self.states.get(at).copied();
                let state = match planned {
                    Some(state @ (WatermarkState::Newer | WatermarkState::Current)) => state,
                    _ if !run.sends() => WatermarkState::Planned,
                    _ if after.as_ref() == Some(&run.head) && before.is_none() => {
                        WatermarkState::Created
                    }
                    _ if after.as_ref() == Some(&run.head) => WatermarkState::Advanced,
                    Some(WatermarkState::Planned) => WatermarkState::Unrecorded,
                    _ => WatermarkState::Kept,
                };
                Some(Watermark { repo: cousin.repo.clone(), before, after, state })
            })
            .collect();
        all.sort_by(|a, b| a.repo.cmp(&b.repo));
        all
    }
}

/// What writing needs, for people.
const NEEDED: &str = "the checkout's credentials or GITHUB_TOKEN must be allowed to write the \
                      monorepo's contents (in a workflow: permissions: contents: write)";

/// Returns the refs of the remote.
fn list(run: &Run<'_>, remote: &Remote) -> Result<Marks, Failure> {
    let listing = refs::list(run.git, remote, run.reference.as_deref()).map_err(|error| {
        Failure::new(format!("cannot read the watermarks: {error}"), error.help())
    })?;
    Ok(Marks::read(listing))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn not_writable(error: GitError) -> Failure {
    Failure::new(format!("cannot write the watermarks: {error}"), NEEDED)
}

/// Returns why an event without a range cannot be the first.
fn no_range(run: &Run<'_>) -> Failure {
    let event = match &run.request.trigger {
        Trigger::Other(name) => name.clone(),
        _ => String::new(),
    };
    let help = "no cousin has a watermark yet: they begin with a push, or with a run with --base REV \
                or --all";
    Failure::new(RangeError::NoRange(event).to_string(), help)
}

/// Whether a dispatch that ended so may have arrived. Where the answer was lost, nobody knows.
fn may_have_arrived(ending: &Ending) -> bool {
    match ending.outcome {
        Outcome::Delivered | Outcome::Exhausted => true,
        // Delivered, and not confirmed.
        Outcome::Failed => ending.status == Some(204),
        Outcome::Deferred => ending.attempts > 1,
        Outcome::Skipped => ending.attempts > 0,
        Outcome::Planned => false,
    }
}

/// Whether a watermark in this state may be moved to head.
fn may_move(state: WatermarkState) -> bool {
    !matches!(state, WatermarkState::Newer | WatermarkState::Kept)
}
