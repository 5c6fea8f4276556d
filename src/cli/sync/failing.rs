//! What is told of a unit that failed, and that it no longer fails: an issue at the cousin and, with
//! a token for it, at the source; and the commands by which a person finishes it. What goes wrong
//! here is a warning.

use super::course::Course;
use super::request::What;
use super::units::Unit;
use crate::actions;
use crate::delivery::SystemClock;
use crate::github::{Client, TokenId};
use crate::names::{FeaturePath, RepoName};
use crate::subscriptions::{Method, Subscription};
use crate::sync::failure::{
    AT_COUSIN, AT_SOURCE, ByHand, Failure, FailureIssues, Subject, commands_by_hand,
    commands_to_rebase,
};
use crate::sync::outcome::{Brought, Outcome, Stage};

/// What is no failure of the cousin's: an old event takes nothing back, and nothing is missing.
const NO_ISSUE: [&str; 1] = ["rollback"];

/// Tells of how a unit ended.
pub(super) fn tell(course: &mut Course<'_, '_>, unit: &Unit<'_>, brought: &mut Brought) {
    let failed = matches!(brought.outcome, Outcome::Failed | Outcome::Refused);
    // What was refused is not to get in by hand either, and what a person has to do first in this
    // clone is no matter of commands.
    let is_local = brought.trouble.as_ref().is_some_and(|it| it.code == "local-branch");
    if brought.outcome == Outcome::Failed && !is_local {
        brought.by_hand = by_hand(course, unit, brought);
    }
    if !course.request.issue || course.speaker.is_none() {
        return;
    }
    let code = brought.trouble.as_ref().map(|it| it.code);
    if code.is_some_and(|code| NO_ISSUE.contains(&code)) || brought.outcome == Outcome::Commented {
        return;
    }
    if is_repeat(course, brought) {
        return;
    }
    let features = unit.features();
    let server = actions::server_url(course.request.environment).trim_end_matches('/');
    let run_url = actions::run_url(course.request.environment);
    let mut warnings = Vec::new();
    for feature in &features {
        if let Some(speaker) = &course.speaker {
            let subject = Subject {
                feature,
                source: &course.request.source_name,
                cousin: &speaker.repo,
                server,
                run_url: run_url.as_deref(),
            };
            let commands: Vec<String> =
                brought.by_hand.iter().flat_map(|it| it.lines()).map(str::to_owned).collect();
            let failure = brought.trouble.as_ref().filter(|_| failed).map(|trouble| Failure {
                error: &trouble.message,
                help: Some(trouble.help.as_str()).filter(|help| !help.is_empty()),
                commit: brought.commit.as_ref(),
                at: course.now,
                commands: &commands,
            });
            match said(course, &subject, failure.as_ref()) {
                Ok(told) => warnings.extend(told),
                Err(exit) => {
                    course.stopped = Some(exit);
                    return;
                }
            }
        }
    }
    for warning in warnings {
        course.warn("no-issue", &warning);
    }
}

/// Returns whether somebody named a commit that the cousin has already: that proves nothing of what
/// failed behind it.
fn is_repeat(course: &Course<'_, '_>, brought: &Brought) -> bool {
    let is_known = brought.outcome == Outcome::NothingToDo
        && brought.steps.last().is_some_and(|step| step.stage == Stage::Verified);
    is_known && matches!(course.request.what, What::Hint(_) | What::Feature(_, Some(_)))
}

/// Says it where it is to be said, and returns what went wrong with that.
fn said(
    course: &Course<'_, '_>,
    subject: &Subject<'_>,
    failure: Option<&Failure<'_>>,
) -> Result<Vec<String>, crate::cli::Exit> {
    let Some(speaker) = &course.speaker else { return Ok(Vec::new()) };
    let issues = |repo, token, labels| FailureIssues::<'_, Client, SystemClock> {
        requests: &speaker.requests,
        repo,
        token,
        labels,
    };
    let mut places: Vec<(&RepoName, TokenId, &[&str])> =
        vec![(&speaker.repo, speaker.token, AT_COUSIN)];
    if let Some((source, token)) = &speaker.source {
        places.push((source, *token, AT_SOURCE));
    }
    let mut warnings = Vec::new();
    for (repo, token, labels) in places {
        let issues = issues(repo, token, labels);
        warnings.extend(speaker.wait(async {
            match failure {
                Some(failure) => issues.failed(subject, failure).await,
                None => issues.succeeded(subject).await,
            }
        })?);
    }
    Ok(warnings)
}

/// Returns the commands by which a person finishes what failed; none where the commit itself was
/// refused, or has nothing to bring.
fn by_hand(course: &Course<'_, '_>, unit: &Unit<'_>, brought: &Brought) -> Option<String> {
    if brought.trouble.as_ref().is_some_and(|it| it.code == "no-such-feature") {
        return None;
    }
    let commit = brought.commit.as_ref()?;
    let upstream = course.upstream.as_ref()?;
    let cousin = course.request.repository.as_ref()?;
    let source = &course.request.source_name;
    let branch = unit.branch(commit);
    let title = format!("Update from {source}@{}", commit.short());
    let commands_of = match unit.method() {
        Method::Rebase => commands_to_rebase,
        _ => commands_by_hand,
    };
    let commands = unit.subscriptions.iter().take(1).flat_map(|it: &&Subscription| {
        commands_of(&ByHand {
            source_url: &course.request.address,
            source_branch: upstream.branch(),
            feature: &it.feature,
            into: &FeaturePath::new(it.into.as_bytes()),
            previous: brought.previous.as_ref().filter(|_| it.method != Method::Copy),
            commit,
            cousin,
            base: course.base.branch.as_deref().unwrap_or("main"),
            branch: &branch,
            title: &title,
        })
    });
    Some(commands.collect::<Vec<_>>().join("\n"))
}
