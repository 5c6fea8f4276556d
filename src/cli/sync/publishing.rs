//! What becomes of a commit: a branch at the cousin's remote and a pull request, or a local branch,
//! or the work tree. A branch is moved only from where it was seen, and never so that a person's
//! commit is lost.

mod proposing;

use super::OnConflict;
use super::course::Course;
use super::making::Made;
use super::request::Mode;
use super::units::Unit;
use crate::git::cousin;
use crate::git::files::ObjectId;
use crate::git::upstream::Relation;
use crate::git::workshop::{CommitRecord, PushRef};
use crate::names::CommitSha;
use crate::subscriptions::{Method, PullRequests, Subscription};
use crate::sync::lock;
use crate::sync::message::Own;
use crate::sync::outcome::{Brought, Outcome, Stage, Trouble};
use crate::sync::proposal::{Action, Pull, Standing, Wanted, decide};
use crate::sync::rebase;
use crate::sync::record::Onto;
use crate::sync::verify::{Good, sha};

/// Where a unit's commit goes.
pub(super) struct Publisher {
    /// What it is made on.
    onto: Onto,
    branch: String,
    /// Where the branch stands now.
    old: Option<ObjectId>,
    /// What there is of pull requests; none where nothing leaves this machine.
    standing: Option<Standing>,
    /// Whether a person's commits are on the branch, so that ours goes on top of them.
    on_top: bool,
}

/// What is on a branch beyond the base.
struct Found {
    tip: ObjectId,
    commits: Vec<CommitRecord>,
    /// What each of them is, where it is ours.
    own: Vec<Option<Own>>,
    /// Whether no commit of a person's would be lost with it.
    is_ours: bool,
    /// Where cousins are rebased: which commit of the base was.
    rebased: Option<CommitSha>,
}

impl Found {
    fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Returns the newest commit of ours that brings one of the unit's features.
    fn newest(&self, unit: &Unit<'_>) -> Option<&Own> {
        let features = unit.features();
        let mut own = self.own.iter().flatten();
        own.rfind(|own| own.features.iter().any(|feature| features.contains(feature)))
    }
}

impl Publisher {
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
        let branch = unit.branch(&good.record.id);
        let mut publisher =
            Self { onto: course.onto.clone(), branch, old: None, standing: None, on_top: false };
        if course.mode() == Mode::WorkTree {
            return Ok(Some(publisher));
        }
        publisher.old = cousin::branch(course.clone, &publisher.branch);
        if let Some(old) = publisher.old {
            let found = found(course, unit, old)?;
            let others =
                unit.pull_requests == PullRequests::PerCommit && is_of_others(&found, unit);
            if others {
                publisher.branch = unit.other_branch(&good.record.id);
                publisher.old = cousin::branch(course.clone, &publisher.branch);
            } else if !found.is_ours() {
                return Err(Trouble::new(
                    "local-branch",
                    format!("the local branch {} has commits of yours", publisher.branch),
                    format!("rename it (git branch -m {} NAME), then run again", publisher.branch),
                ));
            }
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
        let mut old = remote_tip(course, &branch)?;
        let mut at = old.map(|_| fetched(course, unit, &branch)).transpose()?;
        if unit.pull_requests == PullRequests::PerCommit
            && at.as_ref().is_some_and(|found| is_of_others(found, unit))
        {
            branch = unit.other_branch(&good.record.id);
            old = remote_tip(course, &branch)?;
            at = old.map(|_| fetched(course, unit, &branch)).transpose()?;
        }
        brought.branch = Some(branch.clone());
        let standing = proposing::look(course, &branch)?;
        let mut publisher =
            Self { onto: course.onto.clone(), branch, old, standing: None, on_top: false };
        if let Some(found) = &at {
            publisher.on_top = !found.is_ours();
            if publisher.on_top {
                publisher.onto = Onto::read(course.workshop, found.tip)?;
            }
            if (publisher.on_top || standing.open.is_some())
                && let Some(own) = found.newest(unit)
                && publisher.is_there(course, unit, (good, &standing), found, own, brought)?
            {
                proposing::note(course, standing.open.as_ref(), brought);
                proposing::label_if_bare(course, standing.open.as_ref())?;
                if standing.open.is_some() {
                    return Ok(None);
                }
            }
        }
        publisher.standing = Some(standing);
        Ok(Some(publisher))
    }

    /// Returns whether the branch has what is to be brought, which is noted.
    fn is_there(
        &self,
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        (good, standing): (&Good, &Standing),
        found: &Found,
        own: &Own,
        brought: &mut Brought,
    ) -> Result<bool, Trouble> {
        let commit = &good.record.id;
        if own.commit == *commit {
            let is_told = is_told_of(standing.open.as_ref(), commit);
            if !self.on_top && (!is_told || has_moved(course, unit, found)?) {
                return Ok(false);
            }
            brought.made = CommitSha::parse(&found.tip.to_string()).ok();
            let said = format!("the branch {} has it", self.branch);
            brought.end(Stage::Pushed, Outcome::NothingToDo, said);
            return Ok(true);
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

    /// Lets the commit go where it is to go.
    pub(super) fn publish(
        self,
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        good: &Good,
        made: Made,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        *stage = Stage::Recorded;
        let mode = course.mode();
        let Some(commit) = made.commit else {
            return match &self.standing {
                Some(standing) if !self.on_top => {
                    proposing::close_if_open(course, standing, good, brought)
                }
                _ => {
                    let said = "there is no difference to what is here";
                    brought.end(Stage::Applied, Outcome::NothingToDo, said);
                    Ok(())
                }
            };
        };
        if made.conflicts && course.request.conflict == OnConflict::Fail {
            return Err(Trouble::new(
                "conflict",
                "upstream and this repository changed the same",
                "resolve it by hand, or let it be proposed as a draft with --conflict draft",
            ));
        }
        match mode {
            Mode::WorkTree => self.to_work_tree(course, commit, brought),
            Mode::Commit => self.to_local_branch(course, good, unit, &made, commit, brought),
            Mode::Propose => {
                *stage = Stage::Pushed;
                self.propose(course, unit, good, &made, commit, brought, stage)
            }
        }
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
        good: &Good,
        unit: &Unit<'_>,
        made: &Made,
        commit: ObjectId,
        brought: &mut Brought,
    ) -> Result<(), Trouble> {
        course.workshop.export(course.clone, commit, &[course.onto.commit])?;
        cousin::set_branch(course.clone, &self.branch, commit, self.old)?;
        brought.branch = Some(self.branch.clone());
        brought.pull_request = Some(proposing::preview(course, unit, good, made, brought));
        let said = format!("on the local branch {}", self.branch);
        brought.end(Stage::Recorded, Outcome::Committed, said);
        Ok(())
    }

    /// Pushes the commit and proposes it.
    #[expect(clippy::too_many_arguments, reason = "all of it is one unit's")]
    fn propose(
        &self,
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        good: &Good,
        made: &Made,
        commit: ObjectId,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<(), Trouble> {
        let standing = self.standing.clone().unwrap_or_default();
        if self.on_top && made.conflicts {
            return proposing::comment_on_conflict(course, &standing, good, brought);
        }
        let wanted = Wanted { tree: &made.content, conflicts: made.conflicts, differs: true };
        let action = decide(&standing, &wanted);
        match action {
            Action::Snoozed(number) => {
                brought.made = None;
                let said = format!(
                    "#{number} with the same content was closed: it is left at that until upstream \
                     changes it again"
                );
                brought.end(Stage::Proposed, Outcome::Snoozed, said);
                return Ok(());
            }
            // No marker gets into a pull request that could be merged with a click.
            Action::ReplaceByDraft(_) => proposing::close_for_draft(course, &standing)?,
            _ => {}
        }
        self.push(course, commit, brought)?;
        *stage = Stage::Proposed;
        proposing::propose(course, unit, good, made, &self.branch, &standing, action, brought)
    }

    fn push(
        &self,
        course: &Course<'_, '_>,
        commit: ObjectId,
        brought: &mut Brought,
    ) -> Result<(), Trouble> {
        let origin = origin(course)?;
        let reference = format!("refs/heads/{}", self.branch);
        let update =
            PushRef { reference, new: Some(commit), expected: self.old, force: !self.on_top };
        let told = course.workshop.push(origin, &[update])?;
        match told.into_iter().next() {
            Some((_, Ok(()))) => {}
            Some((_, Err(why))) => return Err(refused(&self.branch, &why)),
            None => return Err(refused(&self.branch, "the server said nothing")),
        }
        let said = match (self.on_top, self.old) {
            (true, _) => format!("{}, on top of what others committed there", self.branch),
            (false, Some(_)) => format!("{}, moved on", self.branch),
            (false, None) => self.branch.clone(),
        };
        brought.pass(Stage::Pushed, said);
        Ok(())
    }
}

/// Returns why a push was refused, and what to do.
fn refused(branch: &str, why: &str) -> Trouble {
    let shown = crate::text::shown(why.as_bytes());
    let help = if why.contains("stale info") {
        "somebody pushed to it meanwhile; run again"
    } else if why.contains("workflow") {
        "what is brought holds workflow files, which the token may not write: it needs the \
         permission \"workflows\" (a token of your own in ECOSYSTEM_PAT; GITHUB_TOKEN never has it)"
    } else {
        "give the workflow's job `permissions: contents: write`, or the token \"Contents: read and \
         write\"; a rule for the branch may forbid it, too"
    };
    Trouble::new("push-refused", format!("{branch} cannot be pushed: {shown}"), help)
}

fn origin<'c>(course: &'c Course<'_, '_>) -> Result<&'c crate::git::fetch::Remote, Trouble> {
    course.origin.as_ref().ok_or_else(|| {
        Trouble::new(
            "no-origin",
            "the clone has no remote called origin to push to",
            "add it with `git remote add origin URL`, or commit on a local branch with --dry-run",
        )
    })
}

fn remote_tip(course: &Course<'_, '_>, branch: &str) -> Result<Option<ObjectId>, Trouble> {
    let reference = format!("refs/heads/{branch}");
    let tips = course.workshop.tips(origin(course)?, &[&reference])?;
    Ok(tips.get(&reference).copied())
}

/// Fetches a branch of the cousin's remote and returns what is on it.
fn fetched(course: &Course<'_, '_>, unit: &Unit<'_>, branch: &str) -> Result<Found, Trouble> {
    let reference = format!("refs/heads/{branch}");
    let tip = course.workshop.fetch_branch(origin(course)?, &reference, "refs/sync/branch")?;
    found(course, unit, tip)
}

fn found(course: &Course<'_, '_>, unit: &Unit<'_>, tip: ObjectId) -> Result<Found, Trouble> {
    let commits = course.workshop.commits_beyond(tip, course.base.commit)?;
    if let (Method::Rebase, Some(upstream)) = (unit.method(), &course.upstream) {
        let (workshop, base) = (course.workshop, course.base.commit);
        let standing = rebase::standing(workshop, upstream.tip(), base, tip, &commits)?;
        let rebase::Standing { own, is_ours, rebased } = standing;
        return Ok(Found { tip, commits, own, is_ours, rebased });
    }
    let own: Vec<_> = commits.iter().map(|it| Own::read(&it.message, it.tree)).collect();
    let is_ours = own.iter().all(Option::is_some);
    Ok(Found { tip, commits, own, is_ours, rebased: None })
}

/// Returns whether an open pull request of ours tells of the commit that its branch has: a run may
/// have ended between the two. A text without our marker is a person's.
fn is_told_of(open: Option<&Pull>, commit: &CommitSha) -> bool {
    let marker = open.and_then(|pull| pull.marker.as_ref());
    marker.is_none_or(|marker| marker.commit == commit.as_str())
}

/// Returns whether a branch that is called by a commit has another feature's.
fn is_of_others(found: &Found, unit: &Unit<'_>) -> bool {
    !found.commits.is_empty() && found.is_ours() && found.newest(unit).is_none()
}

/// Returns whether the base has changed, since ours was made on it, where ours changes it.
fn has_moved(course: &Course<'_, '_>, unit: &Unit<'_>, found: &Found) -> Result<bool, Trouble> {
    if unit.method() == Method::Rebase {
        return Ok(found.rebased != Some(sha(course.base.commit)?));
    }
    let Some(parent) = found.commits.first().and_then(|it| it.parents.first()) else {
        return Ok(true);
    };
    if *parent == course.base.commit {
        return Ok(false);
    }
    let (old, new) = (course.workshop.root(*parent)?, course.onto.root);
    let intos = unit.subscriptions.iter().map(|it: &&Subscription| it.into.as_bytes());
    for path in intos.chain([lock::FILE_NAME.as_bytes()]) {
        if course.workshop.at(old, path)? != course.workshop.at(new, path)? {
            return Ok(true);
        }
    }
    Ok(false)
}
