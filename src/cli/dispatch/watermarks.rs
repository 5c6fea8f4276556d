//! `--watermarks`: each cousin is compared with what it has received, and what it receives now is
//! recorded. Three steps, in rounds: which comparisons there are, sending with a recorder at
//! work, and a look at what could not be recorded because another run was faster; those cousins go
//! into the next round. What the refs mean is decided in `watermark`.

mod recording;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::pipeline::{Rounds, Run};
use jiff::Timestamp;

use crate::cli::part::{Bases, Parts};
use crate::cli::{Exit, Failure, Output};
use crate::git::GitError;
use crate::git::fetch::Remote;
use crate::git::range::{RangeError, Reason, Trigger};
use crate::git::refs::{self, Update};
use crate::names::{CommitSha, FeaturePath};
use crate::report::{Warning, Watermark, WatermarkState};
use crate::watermark::{Marks, Since};

/// How often what was planned with a watermark that another run has moved meanwhile is planned
/// again.
const ROUNDS: usize = 4;

/// Why a run for an older head sends nothing.
const DELIVERED: &str = "already delivered by a newer run";

/// Why a run for a commit that was pushed away sends nothing.
const REWRITTEN: &str = "the branch does not hold this commit: it was rewritten since";

/// The refs as they were read, and what was learned of them since.
struct State {
    remote: Remote,
    marks: Marks,
    /// The refs as they were when nothing was written yet.
    before: Marks,
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
    let mut state = State::read(run)?;
    state.look_at_the_branch(run)?;
    state.others = state.marks.sent_by_others(&run.head);
    let failing = state.marks.all_failing();
    let failing: Vec<_> = failing.map(|mark| (mark.repo.clone(), mark.commit.clone())).collect();
    run.source.bring(&failing.iter().map(|(_, commit)| commit.clone()).collect());
    let since = |commit: &CommitSha| {
        let seconds = run.source.committed(commit)?;
        Timestamp::from_second(seconds).ok()
    };
    let failing = failing.into_iter().map(|(repo, at)| (repo, since(&at), at)).collect();
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
        Ok(Self {
            remote,
            before: marks.clone(),
            marks,
            states: BTreeMap::new(),
            told: HashSet::new(),
            reached: BTreeMap::new(),
            others: Vec::new(),
            overtaken: false,
            may_write: false,
            unrecorded: false,
        })
    }

    /// Sees that head is where others can have it, and which branch it is on.
    fn look_at_the_branch(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
        let Marks { tip, branch, default_branch, .. } = &self.marks;
        let shown = |name: &str| {
            let name = name.strip_prefix("refs/heads/").unwrap_or(name);
            crate::text::shown(name.as_bytes()).into_owned()
        };
        if let (Some(branch), Some(default)) = (branch, default_branch)
            && branch != default
        {
            let message = format!(
                "watermarks follow one branch, and {} is not the default branch, {}: run it with \
                 --watermarks for that alone",
                shown(branch),
                shown(default)
            );
            run.warnings.push(Warning::new("watermarks-of-another-branch", message));
        }
        if run.request.flags.base.is_some() && !self.marks.is_untouched() {
            let message = "--base counts in the first run with --watermarks only: cousins are \
                           compared with what they have received";
            run.warnings.push(Warning::new("base-not-used", message.to_owned()));
        }
        if run.request.trigger != Trigger::Local || tip.as_ref() == Some(&run.head) {
            return Ok(());
        }
        // A person's commit may be in no other clone yet: whoever heard of it could not have it, and
        // its watermark would publish it.
        let asked = tip.clone().zip(branch.clone()).into_iter().collect();
        if run.source.is_in(&asked).values().any(|is_in| *is_in != Some(false)) {
            return Ok(());
        }
        if !run.sends() {
            // What pushing it would send.
            self.marks.tip = Some(run.head.clone());
            return Ok(());
        }
        let of = branch.as_deref().map_or_else(|| "the remote".to_owned(), shown);
        let message = format!("{} is not on the remote's {of}", run.head.short());
        let help = "push it first; --dry-run shows what would be sent then";
        Err(Failure::new(message, help))
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
        let Run { source, comparison, cousins, head, request, .. } = run;
        let repos = of.iter().filter_map(|at| Some(&cousins.get(*at)?.repo));
        let is_in = source.is_in(&self.marks.in_question(repos, head));
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

    /// Returns what became of each watermark.
    fn report(&self, run: &Run<'_>) -> Vec<Watermark> {
        let mut all: Vec<Watermark> = run
            .chosen
            .iter()
            .filter_map(|at| {
                let cousin = run.cousins.get(*at).filter(|cousin| cousin.enabled)?;
                let of = |marks: &Marks| Some(marks.watermark(&cousin.repo)?.commit.clone());
                let (before, after) = (of(&self.before), of(&self.marks));
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
    let message = format!("{}, and no cousin has a watermark yet", RangeError::NoRange(event));
    let help = "watermarks begin with a push, or with a run with --base REV or --all";
    Failure::new(message, help)
}

/// Whether a watermark in this state may be moved to head.
fn may_move(state: WatermarkState) -> bool {
    !matches!(state, WatermarkState::Newer | WatermarkState::Kept)
}
