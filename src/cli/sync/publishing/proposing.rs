//! The pull request of a unit: what is asked of GitHub, and what is noted of its answers.

use super::written::Written;
use super::{Parcel, Publisher};
use crate::actions;
use crate::cli::sync::course::Course;
use crate::cli::sync::speaker::Speaker;
use crate::delivery::SystemClock;
use crate::github::Client;
use crate::sync::outcome::{Brought, Outcome, PullRequest, Stage, Trouble};
use crate::sync::proposal::{LABELS, Opened, ProposalError, Proposals, Pull, Standing};
use crate::sync::verify::Good;

/// How many conflicts a comment lists.
const MOST_LISTED: usize = 20;

/// Why nothing came of asking GitHub.
pub(super) enum Answered {
    /// GitHub's answer, or that there was none.
    Refused(ProposalError),
    /// It was not asked, or a signal came first.
    Not(Trouble),
}

impl Answered {
    /// Returns whether it is certain that no pull request was opened.
    pub(super) fn opened_nothing(&self) -> bool {
        matches!(self, Self::Refused(error) if error.opened_nothing())
    }

    /// Returns whether the repository has no drafts.
    pub(super) fn says_no_drafts(&self) -> bool {
        matches!(self, Self::Refused(ProposalError::NoDrafts(_)))
    }
}

impl From<Answered> for Trouble {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Refused(error) => {
                Self::new(error.code(), error.to_string(), error.help().unwrap_or_default())
            }
            Answered::Not(trouble) => trouble,
        }
    }
}

type Speaking<'s> = Proposals<'s, Client, SystemClock>;

fn proposals(speaker: &Speaker) -> Speaking<'_> {
    Proposals { requests: &speaker.requests, repo: &speaker.repo, token: speaker.token }
}

/// Asks GitHub for something, and notes when a signal came first.
fn ask<T>(
    course: &mut Course<'_, '_>,
    asked: impl AsyncFnOnce(Speaking<'_>) -> Result<T, ProposalError>,
) -> Result<T, Answered> {
    let speaker = course.speaker.as_ref().ok_or_else(no_token)?;
    match speaker.wait(asked(proposals(speaker))) {
        Ok(told) => told.map_err(Answered::Refused),
        Err(exit) => {
            course.stopped = Some(exit);
            Err(Answered::Not(Trouble::new("interrupted", "interrupted", "run it again")))
        }
    }
}

fn no_token() -> Answered {
    let message = "there is no token to open a pull request with";
    Answered::Not(Trouble::new("no-token", message, "set GITHUB_TOKEN"))
}

fn base(course: &Course<'_, '_>) -> String {
    course.base.branch.clone().unwrap_or_default()
}

/// Returns what there is for a branch.
pub(super) fn look(course: &mut Course<'_, '_>, branch: &str) -> Result<Standing, Trouble> {
    let base = base(course);
    Ok(ask(course, async |it: Speaking<'_>| it.look(branch, &base).await)?)
}

/// Returns a pull request from another branch that proposes the same.
pub(super) fn same_content(
    course: &mut Course<'_, '_>,
    parcel: &Parcel<'_>,
) -> Result<Option<Pull>, Trouble> {
    let base = base(course);
    let marker = Written::marker(parcel);
    Ok(ask(course, async |it: Speaking<'_>| it.same_content(&base, &marker).await)?)
}

/// Notes that a pull request from another branch proposes the same, or did until a person closed it.
pub(super) fn leave_to(course: &Course<'_, '_>, pull: &Pull, brought: &mut Brought) {
    brought.branch = None;
    if pull.is_open() {
        note(course, Some(pull), brought);
        let said = format!("#{} proposes the same", pull.number);
        brought.end(Stage::Proposed, Outcome::NothingToDo, said);
    } else {
        super::snooze(pull.number, brought);
    }
}

/// Notes an open pull request.
pub(super) fn note(course: &Course<'_, '_>, open: Option<&Pull>, brought: &mut Brought) {
    let Some(pull) = open else { return };
    brought.pull_request = Some(PullRequest {
        number: Some(pull.number),
        url: Some(page(course, pull.number)),
        draft: pull.draft,
        title: pull.title.clone(),
        body: pull.body.clone(),
    });
}

/// Labels a pull request of ours that has none of our labels: the run that opened it may have ended
/// before it did.
pub(super) fn label_if_bare(
    course: &mut Course<'_, '_>,
    open: Option<&Pull>,
) -> Result<(), Trouble> {
    let is_ours = |pull: &&Pull| pull.marker.is_some();
    let Some(pull) = open.filter(is_ours) else { return Ok(()) };
    if pull.labels.iter().any(|label| LABELS.contains(&label.as_str())) {
        return Ok(());
    }
    let labelled = ask(course, async |it: Proposals<'_, _, _>| {
        Ok(it.label(pull.number, &pull.labels, &LABELS).await)
    })?;
    if let Some(warning) = labelled {
        course.warn("not-labelled", &warning);
    }
    Ok(())
}

/// Returns the page of a pull request, of which only the number is GitHub's to say.
fn page(course: &Course<'_, '_>, number: u64) -> String {
    format!("{}/pull/{number}", home(course))
}

/// Returns the page of the cousin.
fn home(course: &Course<'_, '_>) -> String {
    let server = actions::server_url(course.request.environment).trim_end_matches('/');
    let repo = course.speaker.as_ref().map(|it| it.repo.to_string()).unwrap_or_default();
    format!("{server}/{repo}")
}

/// Closes the pull request that proposes nothing any more.
pub(super) fn close_if_open(
    course: &mut Course<'_, '_>,
    standing: &Standing,
    good: &Good,
    brought: &mut Brought,
) -> Result<(), Trouble> {
    let said = "there is no difference to what is here";
    let Some(pull) = &standing.open else {
        brought.end(Stage::Applied, Outcome::NothingToDo, said);
        return Ok(());
    };
    let why = format!(
        "With {}@{} there is no difference to what is here any more, so there is nothing to merge.",
        course.request.source_name,
        good.record.id.short()
    );
    ask(course, async |it: Speaking<'_>| it.close(pull, &why).await)?;
    note(course, Some(pull), brought);
    let said = format!("#{} closed: {said} any more", pull.number);
    brought.end(Stage::Proposed, Outcome::Closed, said);
    Ok(())
}

/// Closes the pull request whose place a draft will take.
pub(super) fn close_for_draft(course: &mut Course<'_, '_>, pull: &Pull) -> Result<(), Trouble> {
    let why = "There are conflicts now, which a person must resolve: a draft takes the place of this \
               pull request.";
    Ok(ask(course, async |it: Speaking<'_>| it.close(pull, why).await)?)
}

/// Returns what GitHub said when it was last asked for a draft.
pub(super) fn no_drafts(course: &Course<'_, '_>) -> Answered {
    match &course.speaker {
        Some(speaker) => Answered::Refused(ProposalError::NoDrafts(speaker.repo.clone())),
        None => no_token(),
    }
}

/// Opens a pull request again whose place no draft could take.
pub(super) fn reopen(course: &mut Course<'_, '_>, pull: &Pull, no_drafts: bool) {
    if let Err(answered) = ask(course, async |it: Speaking<'_>| it.reopen(pull, no_drafts).await) {
        let why = Trouble::from(answered).message;
        let message = format!("#{} was closed and could not be opened again: {why}", pull.number);
        course.warn("not-reopened", &message);
    }
}

/// Tells people whose commits are on the branch that ours conflicts with them.
pub(super) fn comment_on_conflict(
    course: &mut Course<'_, '_>,
    standing: &Standing,
    good: &Good,
    brought: &mut Brought,
) -> Result<(), Trouble> {
    brought.made = None;
    let source = &course.request.source_name;
    let commit = good.record.id.short();
    let message = format!("{source}@{commit} conflicts with commits of others on the branch");
    let Some(pull) = &standing.open else {
        let help = "merge it there by hand and open a pull request, or rename the branch: the next \
                    run goes on from that";
        return Err(Trouble::new("others-commits", message, help));
    };
    let paths = brought.conflicts.iter().take(MOST_LISTED).map(|it| {
        let path = crate::text::shown(&it.path);
        format!("- {}: {}", crate::text::markdown::code(&path), it.describe())
    });
    let mut paths: Vec<String> = paths.collect();
    if let Some(more @ 1..) = brought.conflicts.len().checked_sub(MOST_LISTED) {
        paths.push(format!("- … and {more} more"));
    }
    let text = format!(
        "{source}@{commit} conflicts with commits on this branch that are not ours, so nothing \
         was pushed:\n\n{}\n\nMerge it here by hand, or merge this pull request as it is: the \
         next run goes on from that.",
        paths.join("\n")
    );
    ask(course, async |it: Speaking<'_>| it.comment(pull.number, &text).await)?;
    note(course, Some(pull), brought);
    let help = "merge it there by hand, or merge the pull request as it is: the next run goes on from \
                that";
    brought.fail(Stage::Pushed, Trouble::new("others-commits", message, help));
    brought.outcome = Outcome::Commented;
    Ok(())
}

/// Opens or updates the pull request.
pub(super) fn propose(
    course: &mut Course<'_, '_>,
    parcel: &Parcel<'_>,
    from: &Publisher,
    brought: &mut Brought,
) -> Result<(), Answered> {
    let (base, conflicts) = (base(course), parcel.made.conflicts);
    let open = from.standing.open.as_ref();
    let kept = open.filter(|pull| pull.draft || !conflicts);
    let mut written = Written::new(course, parcel, brought);
    if kept.is_some_and(|pull| pull.draft) && !conflicts {
        let note = "There are no conflicts any more: mark the pull request as ready for review.";
        written.notes.push(note.to_owned());
    }
    if from.on_top {
        let note = "Others have committed on this branch: files and dependencies are listed as far as \
                    the newest sync changes them.";
        written.notes.push(note.to_owned());
    }
    let proposal = written.proposal();
    let opened = match kept {
        Some(pull) => {
            ask(course, async |it: Speaking<'_>| it.update(pull, &proposal).await)?;
            Opened::of(pull.clone(), false)
        }
        None => {
            let branch = from.branch.as_str();
            let asked = ask(course, async |it: Speaking<'_>| {
                it.open(branch, &base, &proposal, conflicts, open).await
            });
            asked.map_err(|answered| by_hand(course, &base, branch, conflicts, answered))?
        }
    };
    let labelled = ask(course, async |it: Speaking<'_>| {
        Ok(it.label(opened.number, &opened.labels, &LABELS).await)
    })?;
    if let Some(warning) = labelled {
        course.warn("not-labelled", &warning);
    }
    brought.pull_request = Some(PullRequest {
        number: Some(opened.number),
        url: Some(page(course, opened.number)),
        draft: opened.draft,
        title: proposal.title(),
        body: proposal.body(),
    });
    let (outcome, done) = match opened.is_new {
        true => (Outcome::Proposed, "opened"),
        false => (Outcome::Updated, "updated"),
    };
    let draft = if opened.draft { "draft " } else { "" };
    brought.end(Stage::Proposed, outcome, format!("{draft}#{} {done}", opened.number));
    Ok(())
}

/// Adds where a person can open the pull request of a branch that is pushed.
fn by_hand(
    course: &Course<'_, '_>,
    base: &str,
    branch: &str,
    conflicts: bool,
    answered: Answered,
) -> Answered {
    match answered {
        Answered::Refused(
            error @ (ProposalError::WorkflowsMayNot(_) | ProposalError::Forbidden { .. }),
        ) if !conflicts => {
            let help = format!(
                "{}; the branch is pushed: {}/compare/{base}...{branch}?expand=1 opens it by hand",
                error.help().unwrap_or_default(),
                home(course)
            );
            Answered::Not(Trouble::new(error.code(), error.to_string(), help))
        }
        answered => answered,
    }
}
