//! The pull request of a unit: what is asked of GitHub, and what is noted of its answers.

use crate::actions;
use crate::cli::sync::course::Course;
use crate::cli::sync::making::Made;
use crate::cli::sync::speaker::Speaker;
use crate::cli::sync::units::Unit;
use crate::delivery::SystemClock;
use crate::github::Client;
use crate::names::FeaturePath;
use crate::sync::outcome::{Brought, ChangeKind, Outcome, PullRequest, Stage, Trouble};
use crate::sync::proposal::{
    Action, ConflictNote, FileChange, FileStatus, LABELS, Opened, Proposal, ProposalError,
    Proposals, Pull, Standing,
};
use crate::sync::verify::Good;

impl From<ProposalError> for Trouble {
    fn from(error: ProposalError) -> Self {
        Self::new("pull-request", error.to_string(), error.help().unwrap_or_default())
    }
}

fn proposals(speaker: &Speaker) -> Proposals<'_, Client, SystemClock> {
    Proposals { requests: &speaker.requests, repo: &speaker.repo, token: speaker.token }
}

/// Asks GitHub for something, and notes when a signal came first.
fn ask<T>(
    course: &mut Course<'_, '_>,
    asked: impl AsyncFnOnce(Proposals<'_, Client, SystemClock>) -> Result<T, ProposalError>,
) -> Result<T, Trouble> {
    let speaker = course.speaker.as_ref().ok_or_else(no_token)?;
    match speaker.wait(asked(proposals(speaker))) {
        Ok(told) => Ok(told?),
        Err(exit) => {
            course.stopped = Some(exit);
            Err(Trouble::new("interrupted", "interrupted", "run it again"))
        }
    }
}

fn no_token() -> Trouble {
    Trouble::new("no-token", "there is no token to open a pull request with", "set GITHUB_TOKEN")
}

fn base(course: &Course<'_, '_>) -> String {
    course.base.branch.clone().unwrap_or_default()
}

/// Returns what there is for a branch.
pub(super) fn look(course: &mut Course<'_, '_>, branch: &str) -> Result<Standing, Trouble> {
    let base = base(course);
    ask(course, async |it: Proposals<'_, _, _>| it.look(branch, &base).await)
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
    let server = actions::server_url(course.request.environment).trim_end_matches('/');
    let repo = course.speaker.as_ref().map(|it| it.repo.to_string()).unwrap_or_default();
    format!("{server}/{repo}/pull/{number}")
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
    ask(course, async |it: Proposals<'_, _, _>| it.close(pull, &why).await)?;
    note(course, Some(pull), brought);
    let said = format!("#{} closed: {said} any more", pull.number);
    brought.end(Stage::Proposed, Outcome::Closed, said);
    Ok(())
}

/// Closes the pull request whose place a draft will take.
pub(super) fn close_for_draft(
    course: &mut Course<'_, '_>,
    standing: &Standing,
) -> Result<(), Trouble> {
    let Some(pull) = &standing.open else { return Ok(()) };
    let why = "There are conflicts now, which a person must resolve: a draft takes the place of this \
               pull request.";
    ask(course, async |it: Proposals<'_, _, _>| it.close(pull, why).await)
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
    let help = "merge it there by hand, or merge the pull request as it is: the next run goes on from \
                that";
    if let Some(pull) = &standing.open {
        let paths = brought.conflicts.iter().take(20).map(|it| {
            let path = String::from_utf8_lossy(&it.path).into_owned();
            format!("- {}: {}", crate::text::markdown::code(&path), it.describe())
        });
        let paths: Vec<String> = paths.collect();
        let text = format!(
            "{source}@{commit} conflicts with commits on this branch that are not ours, so nothing \
             was pushed:\n\n{}\n\nMerge it here by hand, or merge this pull request as it is: the \
             next run goes on from that.",
            paths.join("\n")
        );
        ask(course, async |it: Proposals<'_, _, _>| it.comment(pull.number, &text).await)?;
        note(course, Some(pull), brought);
    }
    brought.fail(Stage::Pushed, Trouble::new("others-commits", message, help));
    brought.outcome = Outcome::Commented;
    Ok(())
}

/// Opens or updates the pull request.
#[expect(clippy::too_many_arguments, reason = "all of it is one unit's")]
pub(super) fn propose(
    course: &mut Course<'_, '_>,
    unit: &Unit<'_>,
    good: &Good,
    made: &Made,
    branch: &str,
    standing: &Standing,
    action: Action,
    brought: &mut Brought,
) -> Result<(), Trouble> {
    let base = base(course);
    let mut written = Written::new(course, unit, good, made, brought);
    if standing.open.as_ref().is_some_and(|pull| pull.draft) && !made.conflicts {
        let note = "There are no conflicts any more: mark the pull request as ready for review.";
        written.notes.push(note.to_owned());
    }
    let proposal = written.proposal();
    let (opened, is_new) = match (&standing.open, action) {
        (Some(pull), Action::Update(_)) => {
            ask(course, async |it: Proposals<'_, _, _>| it.update(pull, &proposal).await)?;
            let labels = pull.labels.clone();
            let (number, draft) = (pull.number, pull.draft);
            (Opened { number, url: String::new(), is_new: false, draft, labels }, false)
        }
        _ => {
            let draft = made.conflicts;
            let opened = ask(course, async |it: Proposals<'_, _, _>| {
                it.open(branch, &base, &proposal, draft).await
            })?;
            let is_new = opened.is_new;
            (opened, is_new)
        }
    };
    let labelled = ask(course, async |it: Proposals<'_, _, _>| {
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
    let (outcome, done) = match is_new {
        true => (Outcome::Proposed, "opened"),
        false => (Outcome::Updated, "updated"),
    };
    let draft = if opened.draft { "draft " } else { "" };
    brought.end(Stage::Proposed, outcome, format!("{draft}#{} {done}", opened.number));
    Ok(())
}

/// Returns the pull request that would be opened.
pub(super) fn preview(
    course: &Course<'_, '_>,
    unit: &Unit<'_>,
    good: &Good,
    made: &Made,
    brought: &Brought,
) -> PullRequest {
    let written = Written::new(course, unit, good, made, brought);
    let proposal = written.proposal();
    PullRequest {
        number: None,
        url: None,
        draft: made.conflicts,
        title: proposal.title(),
        body: proposal.body(),
    }
}

/// What a proposal borrows.
struct Written<'a> {
    course: (&'a crate::names::RepoName, String, Option<String>),
    features: Vec<FeaturePath>,
    into: FeaturePath,
    method: &'static str,
    good: &'a Good,
    made: &'a Made,
    files: Vec<FileChange>,
    conflicts: Vec<ConflictNote>,
    dependencies: Vec<crate::sync::dependencies::Change>,
    notes: Vec<String>,
}

impl<'a> Written<'a> {
    fn new(
        course: &Course<'a, '_>,
        unit: &Unit<'_>,
        good: &'a Good,
        made: &'a Made,
        brought: &Brought,
    ) -> Self {
        let request = course.request;
        let status = |kind| match kind {
            ChangeKind::Added => FileStatus::Added,
            ChangeKind::Modified => FileStatus::Modified,
            ChangeKind::Deleted => FileStatus::Deleted,
        };
        let files = brought.changes.iter();
        let files = files.map(|it| FileChange { path: it.path.clone(), status: status(it.kind) });
        let conflicts = brought.conflicts.iter();
        let conflicts =
            conflicts.map(|it| ConflictNote { path: it.path.clone(), what: it.describe() });
        let into = unit.subscriptions.first().map(|it| it.into.as_bytes()).unwrap_or_default();
        Self {
            course: (
                &request.source_name,
                actions::server_url(request.environment).trim_end_matches('/').to_owned(),
                actions::run_url(request.environment),
            ),
            features: unit.features(),
            into: FeaturePath::new(into),
            method: unit.method().as_str(),
            good,
            made,
            files: files.collect(),
            conflicts: conflicts.collect(),
            dependencies: brought.dependencies.clone(),
            notes: made.notes.clone(),
        }
    }

    fn proposal(&self) -> Proposal<'_> {
        let (source, server, run_url) = &self.course;
        Proposal {
            features: &self.features,
            into: &self.into,
            source,
            server,
            previous: self.made.previous.as_ref(),
            commit: &self.good.record.id,
            tree: &self.made.content,
            method: self.method,
            commits: &self.made.news,
            files: &self.files,
            dependencies: &self.dependencies,
            conflicts: &self.conflicts,
            notes: &self.notes,
            run_url: run_url.as_deref(),
        }
    }
}
