//! The commits of a unit whose method is `rebase`: the whole tree is brought, so what is noted of
//! it is noted once, and not for each feature.

use super::NEWEST_ONLY;
use super::{Made, manifests, not_fetched, pass};
use crate::cli::sync::course::Course;
use crate::cli::sync::request::Mode;
use crate::cli::sync::units::Unit;
use crate::sync::apply::{Bench, changes};
use crate::sync::lock;
use crate::sync::outcome::{Brought, Stage, Trouble};
use crate::sync::rebase::{self, Rebased, Way, Work};
use crate::sync::record::{Imprint, Onto, told};
use crate::sync::verify::{Good, sha};

/// Sees to it that a rebase can be begun.
pub(in crate::cli::sync) fn prepare(course: &mut Course<'_, '_>) -> Result<(), Trouble> {
    if course.mode() == Mode::WorkTree {
        return Err(Trouble::refused(
            "rebase-worktree",
            "a rebase makes commits, and --worktree makes none",
            "rebase by hand with `git rebase`, or have the commits on a local branch with --dry-run",
        ));
    }
    let upstream = course.upstream.as_mut().ok_or_else(not_fetched)?;
    rebase::join(course.workshop, upstream, course.origin.as_ref(), course.base.commit)
}

/// Makes the commits on a commit of the cousin.
pub(super) fn make(
    course: &mut Course<'_, '_>,
    unit: &Unit<'_>,
    good: &Good,
    onto: &Onto,
    brought: &mut Brought,
    stage: &mut Stage,
) -> Result<Made, Trouble> {
    let imprint = Imprint {
        source: &course.request.source_name,
        committer: &course.committer,
        dispatch_id: unit.dispatch_id.as_deref(),
        at: course.now,
    };
    let upstream = course.upstream.as_mut().ok_or_else(not_fetched)?;
    let allow_workflows = course.request.allow_workflows;
    let mut bench = Bench::new(course.workshop, upstream, allow_workflows);
    let subscriptions = &unit.subscriptions;
    let work = Work { subscriptions, good, onto, base: course.base.commit };
    let done = bench.rebase(&work, &imprint)?;
    brought.changes = changes(b"", &done.before, &done.after);
    brought.conflicts.clone_from(&done.conflicts);
    let (before, after) = (&done.before, &done.after);
    brought.dependencies = manifests(course.workshop, b"", before, after, &brought.changes)?;
    if let Some(made) = done.commit {
        pass(brought, &how(&done));
        *stage = Stage::Recorded;
        brought.made = sha(made).ok();
        let root = course.workshop.root(made)?;
        brought.diff_stat = course.workshop.diff_stat(onto.root, root).ok();
        brought.pass(Stage::Recorded, format!("in a commit, with {}", lock::FILE_NAME));
    }
    Ok(Made {
        commit: done.commit,
        content: done.content,
        conflicts: !done.conflicts.is_empty(),
        news: done.news.iter().map(told).collect(),
        previous: good.since.clone(),
        notes: if done.all_news { Vec::new() } else { vec![NEWEST_ONLY.to_owned()] },
    })
}

/// Returns by what it was brought.
fn how(done: &Rebased) -> String {
    match done.way {
        Way::Rebased { replayed } => {
            let commits = crate::report::human::counted(replayed, "commit");
            format!("rebase of {commits} of this repository's own")
        }
        Way::OnTop => "a merge on top of what others committed to the branch".to_owned(),
        Way::Merged => {
            "a merge, since this repository's commits do not fit on upstream's".to_owned()
        }
    }
}
