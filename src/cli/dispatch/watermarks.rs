//! `--watermarks`: each cousin is compared with what it has received, and what it receives now is
//! recorded. Three steps, in rounds: which comparisons there are, sending with a recorder at
//! work, and a look at what could not be recorded because another run was faster; those cousins go
//! into the next round. What the refs mean is decided in `watermark`.

mod planning;
mod recording;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::pipeline::{Rounds, Run};
use jiff::Timestamp;

use crate::cli::{Exit, Failure, Output};
use crate::git::GitError;
use crate::git::fetch::Remote;
use crate::git::range::Trigger;
use crate::git::refs;
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::report::{Warning, Watermark, WatermarkState};
use crate::watermark::Marks;

/// How often what was planned with a watermark that another run has moved meanwhile is planned
/// again.
const ROUNDS: usize = 4;

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
    let failing = failing(run, &state.marks);
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
    let still = state.marks.all_failing().map(|mark| mark.repo.clone()).collect();
    Ok(Rounds { rounds, watermarks: Some(state.report(run)), exit, failing, still })
}

/// Returns who fails by the refs, since when and with which commit. Commits that are not here are
/// fetched for their times only where an alarm tells them.
fn failing(run: &mut Run<'_>, marks: &Marks) -> Vec<(RepoName, Option<Timestamp>, CommitSha)> {
    if run.request.alarm {
        run.source.bring(&marks.all_failing().map(|mark| mark.commit.clone()).collect());
    }
    let since = |commit| Timestamp::from_second(run.source.committed(commit)?).ok();
    let failing = marks.all_failing();
    failing.map(|mark| (mark.repo.clone(), since(&mark.commit), mark.commit.clone())).collect()
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

/// Whether a watermark in this state may be moved to head.
fn may_move(state: WatermarkState) -> bool {
    !matches!(state, WatermarkState::Newer | WatermarkState::Kept)
}
