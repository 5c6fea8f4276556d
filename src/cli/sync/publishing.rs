//! What becomes of a commit: a branch at the cousin's remote and a pull request, or a local branch,
//! or the work tree. A branch is moved only from where it was seen, and never so that a person's
//! commit is lost; one that holds conflict markers is not left there without its draft.

mod branch;
mod proposing;
mod written;

use super::OnConflict;
use super::course::Course;
use super::making::Made;
use super::request::Mode;
use super::units::Unit;
use crate::git::cousin;
use crate::git::files::ObjectId;
use crate::git::upstream::Relation;
use crate::names::CommitSha;
use crate::subscriptions::PullRequests;
use crate::sync::outcome::{Brought, Outcome, Stage, Trouble};
use crate::sync::proposal::{Action, Pull, Standing, Wanted, decide};
use crate::sync::record::Onto;
use crate::sync::verify::Good;

use branch::Found;
use proposing::Answered;

/// What is published: what was made of a unit.
#[derive(Clone, Copy)]
pub(super) struct Parcel<'a> {
    pub(super) unit: &'a Unit<'a>,
    pub(super) good: &'a Good,
    pub(super) made: &'a Made,
}

/// Where a unit's commit goes.
pub(super) struct Publisher {
    /// What it is made on.
    onto: Onto,
    branch: String,
    /// Where the branch stands now.
    old: Option<ObjectId>,
    /// What there is of pull requests; nothing where nothing leaves this machine.
    standing: Standing,
    /// Whether a person's commits are on the branch, so that ours goes on top of them.
    on_top: bool,
    /// Whether what is on the branch was made on what the base holds now, by us alone.
    is_fresh: bool,
    /// Whether it is there already, from a run that came no further.
    is_pushed: bool,
}

impl Publisher {
    fn new(course: &Course<'_, '_>, branch: String) -> Self {
        Self {
            onto: course.onto.clone(),
            branch,
            old: None,
            standing: Standing::default(),
            on_top: false,
            is_fresh: false,
            is_pushed: false,
        }
    }

    /// Returns what the commit is made on.
    pub(super) fn onto(&self) -> &Onto {
        &self.onto
    }

    /// Returns where it goes on this machine.
    pub(super) fn local(
        course: &Course<'_, '_>,
        unit: &Unit<'_>,
        good: &Good,
    ) -> Result<Option<Self>, Trouble> {
        let mut publisher = Self::new(course, unit.branch(&good.record.id));
        if course.mode() == Mode::WorkTree {
            return Ok(Some(publisher));
        }
        let mut found = Found::in_clone(course, unit, &publisher.branch)?;
        if is_taken(found.as_ref(), unit) {
            publisher.branch = unit.other_branch(&good.record.id);
            found = Found::in_clone(course, unit, &publisher.branch)?;
        }
        publisher.old = found.as_ref().map(|found| found.tip);
        if found.is_some_and(|found| !found.is_ours()) {
            return Err(Trouble::new(
                "local-branch",
                format!("the local branch {} has commits of yours", publisher.branch),
                format!("rename it (git branch -m {} NAME), then run again", publisher.branch),
            ));
        }
        if cousin::is_checked_out(course.clone, &publisher.branch) {
            return Err(Trouble::new(
                "local-branch",
                format!("the branch {} is checked out", publisher.branch),
                "check another branch out, then run again",
            ));
        }
        Ok(Some(publisher))
    }

    /// Looks at what the remote has already, and returns where the commit goes; none when there is
    /// nothing to do, which is noted.
    pub(super) fn look(
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        good: &Good,
        brought: &mut Brought,
    ) -> Result<Option<Self>, Trouble> {
        let mut branch = unit.branch(&good.record.id);
        let mut found = Found::at_remote(course, unit, &branch)?;
        if is_taken(found.as_ref(), unit) {
            branch = unit.other_branch(&good.record.id);
            found = Found::at_remote(course, unit, &branch)?;
        }
        brought.branch = Some(branch.clone());
        let mut publisher = Self::new(course, branch);
        publisher.standing = proposing::look(course, &publisher.branch)?;
        if let Some(found) = &found {
            publisher.old = Some(found.tip);
            // What was merged as it stands is in the base already, in whatever form.
            let merged = publisher.standing.merged.as_deref() == Some(&found.tip.to_string());
            publisher.on_top = !found.is_ours() && !merged;
            publisher.is_fresh = found.is_ours() && !found.is_behind(course, unit)?;
            publisher.is_pushed = publisher.is_fresh
                && found.newest(unit).is_some_and(|own| own.commit == good.record.id);
            if publisher.on_top {
                publisher.onto = Onto::read(course.workshop, found.tip)?;
            }
            if publisher.has_it(course, unit, good, found)? {
                proposing::label_if_bare(course, publisher.standing.open.as_ref())?;
                publisher.leave(course, brought);
                return Ok(None);
            }
        }
        Ok(Some(publisher))
    }

    /// Returns whether an open pull request has what is to be brought.
    fn has_it(
        &self,
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        good: &Good,
        found: &Found,
    ) -> Result<bool, Trouble> {
        if !self.on_top && self.standing.open.is_none() {
            return Ok(false);
        }
        let (commit, Some(own)) = (&good.record.id, found.newest(unit)) else { return Ok(false) };
        if own.commit == *commit {
            let open = self.standing.open.as_ref();
            let is_there = self.on_top || (self.is_fresh && is_told_of(open, commit));
            return Ok(open.is_some() && is_there);
        }
        let Some(upstream) = course.upstream.as_mut() else { return Ok(false) };
        if upstream.relation(commit, &own.commit)? == Relation::Behind {
            return Err(Trouble::refused(
                "rollback",
                format!(
                    "{} is older than {}, which the branch {} has",
                    commit.short(),
                    own.commit.short(),
                    self.branch
                ),
                "an event that comes late, or again, takes nothing back",
            ));
        }
        Ok(false)
    }

    fn tip(&self) -> Option<CommitSha> {
        self.old.and_then(|tip| CommitSha::parse(&tip.to_string()).ok())
    }

    /// Notes that the open pull request stays as it is.
    fn leave(&self, course: &Course<'_, '_>, brought: &mut Brought) {
        brought.made = self.tip();
        proposing::note(course, self.standing.open.as_ref(), brought);
        let said = format!("the branch {} has it", self.branch);
        brought.end(Stage::Pushed, Outcome::NothingToDo, said);
    }

    /// Lets the commit go where it is to go.
    pub(super) fn publish(
        self,
        course: &mut Course<'_, '_>,
        parcel: &Parcel<'_>,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        *stage = Stage::Recorded;
        let Some(commit) = parcel.made.commit else {
            return self.without_difference(course, parcel, brought, stage);
        };
        if parcel.made.conflicts && course.request.conflict == OnConflict::Fail {
            return Err(Trouble::new(
                "conflict",
                "upstream and this repository changed the same",
                "resolve it by hand, or let it be proposed as a draft with --conflict draft",
            ));
        }
        match course.mode() {
            Mode::WorkTree => self.to_work_tree(course, commit, brought),
            Mode::Commit => self.to_local_branch(course, parcel, commit, brought),
            Mode::Propose => {
                *stage = Stage::Pushed;
                self.propose(course, parcel, commit, brought, stage)
            }
        }
    }

    /// Sees to what is there already, where there is nothing to commit.
    fn without_difference(
        &self,
        course: &mut Course<'_, '_>,
        parcel: &Parcel<'_>,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        if !self.on_top {
            return proposing::close_if_open(course, &self.standing, parcel.good, brought);
        }
        let said = "there is no difference to what is here";
        brought.end(Stage::Applied, Outcome::NothingToDo, said);
        // The branch has it all, and was pushed by a run that came no further.
        let wanted = Wanted { tree: &parcel.made.content, conflicts: false, differs: true };
        if let Action::Open { .. } = decide(&self.standing, &wanted) {
            *stage = Stage::Proposed;
            return Ok(proposing::propose(course, parcel, self, brought)?);
        }
        Ok(())
    }

    fn to_work_tree(
        &self,
        course: &mut Course<'_, '_>,
        commit: ObjectId,
        brought: &mut Brought,
    ) -> Result<(), Trouble> {
        let before = course.workshop.files(self.onto.root)?;
        let after = course.workshop.files(course.workshop.root(commit)?)?;
        course.workshop.apply_to_worktree(course.clone, &before, &after, b"")?;
        // The next feature goes on top: there is one work tree, and one lock file in it.
        course.onto = Onto::read(course.workshop, commit)?;
        brought.made = None;
        let said = "the work tree has it; nothing is staged";
        brought.end(Stage::Recorded, Outcome::Applied, said);
        Ok(())
    }

    fn to_local_branch(
        &self,
        course: &mut Course<'_, '_>,
        parcel: &Parcel<'_>,
        commit: ObjectId,
        brought: &mut Brought,
    ) -> Result<(), Trouble> {
        course.workshop.export(course.clone, commit, &[course.onto.commit])?;
        cousin::set_branch(course.clone, &self.branch, commit, self.old)?;
        brought.branch = Some(self.branch.clone());
        brought.pull_request = Some(written::preview(course, parcel, brought));
        let said = format!("on the local branch {}", self.branch);
        brought.end(Stage::Recorded, Outcome::Committed, said);
        Ok(())
    }

    /// Pushes the commit and proposes it.
    fn propose(
        &self,
        course: &mut Course<'_, '_>,
        parcel: &Parcel<'_>,
        commit: ObjectId,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        let made = parcel.made;
        if self.on_top && made.conflicts {
            return proposing::comment_on_conflict(course, &self.standing, parcel.good, brought);
        }
        let wanted = Wanted { tree: &made.content, conflicts: made.conflicts, differs: true };
        let action = decide(&self.standing, &wanted);
        if self.is_settled(course, parcel, action, brought)? {
            return Ok(());
        }
        let open = self.standing.open.as_ref();
        let replaced = open.filter(|_| matches!(action, Action::ReplaceByDraft(_)));
        // No marker gets into a pull request that could be merged with a click.
        if let Some(pull) = replaced {
            if pull.marker.as_ref().is_some_and(|marker| marker.no_drafts) {
                return Err(proposing::no_drafts(course).into());
            }
            proposing::close_for_draft(course, pull)?;
        }
        let pushed = if self.is_pushed {
            brought.made = self.tip();
            Ok(format!("{}, by an earlier run", self.branch))
        } else {
            branch::push(course, self, commit)
        };
        if let (Err(_), Some(pull)) = (&pushed, replaced) {
            proposing::reopen(course, pull, false);
        }
        brought.pass(Stage::Pushed, pushed?);
        *stage = Stage::Proposed;
        proposing::propose(course, parcel, self, brought).map_err(|answered| {
            if made.conflicts && answered.opened_nothing() {
                self.take_back(course, commit, replaced, &answered);
            }
            answered.into()
        })
    }

    /// Returns whether nothing is to be pushed, because a pull request has the same content or a
    /// person has said no to it; which is noted.
    fn is_settled(
        &self,
        course: &mut Course<'_, '_>,
        parcel: &Parcel<'_>,
        action: Action,
        brought: &mut Brought,
    ) -> Result<bool, Trouble> {
        if let Action::Snoozed(number) = action {
            snooze(number, brought);
            return Ok(true);
        }
        let open = self.standing.open.as_ref();
        if self.is_fresh && open.is_some_and(|pull| pull.proposed(&parcel.made.content)) {
            // Upstream moved on elsewhere: reviews and checks of the branch stay good.
            self.leave(course, brought);
            return Ok(true);
        }
        if parcel.unit.pull_requests == PullRequests::PerCommit
            && open.is_none()
            && let Some(pull) = proposing::same_content(course, parcel)?
        {
            brought.made = None;
            proposing::leave_to(course, &pull, brought);
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes a commit with conflict markers from the branch again, because it has no draft.
    fn take_back(
        &self,
        course: &mut Course<'_, '_>,
        commit: ObjectId,
        replaced: Option<&Pull>,
        answered: &Answered,
    ) {
        if let Err(trouble) = branch::take_back(course, self, commit) {
            let message = format!(
                "{} holds conflict markers and could not be taken back: {}",
                self.branch, trouble.message
            );
            course.warn("markers-pushed", &message);
            return;
        }
        if let Some(pull) = replaced {
            proposing::reopen(course, pull, answered.says_no_drafts());
        }
    }
}

/// Returns whether the plain name of a commit's branch is another feature's already.
fn is_taken(found: Option<&Found>, unit: &Unit<'_>) -> bool {
    unit.pull_requests == PullRequests::PerCommit
        && found.is_some_and(|found| found.is_of_others(unit))
}

fn snooze(number: u64, brought: &mut Brought) {
    brought.made = None;
    let said = format!(
        "#{number} with the same content was closed: it is left at that until upstream changes it \
         again"
    );
    brought.end(Stage::Proposed, Outcome::Snoozed, said);
}

/// Returns whether an open pull request of ours tells of the commit that its branch has: a run may
/// have ended between the two. A text without our marker is a person's.
fn is_told_of(open: Option<&Pull>, commit: &CommitSha) -> bool {
    let marker = open.and_then(|pull| pull.marker.as_ref());
    marker.is_none_or(|marker| marker.commit == commit.as_str())
}
