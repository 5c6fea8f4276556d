//! What is told of a unit that failed, and that it no longer fails: an issue at the cousin and, with
//! a token for it, at the source; and the commands by which a person finishes it. What goes wrong
//! here is a warning.

use std::collections::BTreeMap;

use super::course::Course;
use super::request::What;
use super::speaker::Speaker;
use super::units::Unit;
use crate::actions;
use crate::cli::Exit;
use crate::delivery::SystemClock;
use crate::github::Client;
use crate::names::FeaturePath;
use crate::subscriptions::{Method, Subscription};
use crate::sync::failure::{
    AT_COUSIN, AT_SOURCE, ByHand, Failure, FailureIssues, OpenIssues, Subject, commands_by_hand,
    commands_to_rebase,
};
use crate::sync::outcome::{Brought, Outcome, Stage, Trouble};

/// What is no failure of the cousin's: an old event takes nothing back, and nothing is missing.
const NO_ISSUE: [&str; 1] = ["rollback"];

/// What people's commits on the branch are in the way of: what to do about them is no matter of
/// commands.
const TAKEN: [&str; 2] = ["local-branch", "others-commits"];

/// What an event alone is to blame for: whoever may dispatch could open an issue with it, also at
/// the source.
const CLAIMED: [&str; 3] = ["impostor-commit", "wrong-source", "too-old"];

/// The issues that were open when the run first had something to close, by the repository: one
/// list for all of a run; empty where it could not be read, which has been said.
pub(super) type Known = BTreeMap<String, OpenIssues>;

/// Tells of how a unit ended.
pub(super) fn tell(course: &mut Course<'_, '_>, unit: &Unit<'_>, brought: &mut Brought) {
    let failed = matches!(brought.outcome, Outcome::Failed | Outcome::Refused);
    let code = brought.trouble.as_ref().map(|it| it.code);
    // What was refused is not to get in by hand either.
    if brought.outcome == Outcome::Failed && !code.is_some_and(|it| TAKEN.contains(&it)) {
        brought.by_hand = by_hand(course, unit, brought);
    }
    if !course.request.issue
        // What a person closed is not brought, so it proves nothing of what failed before.
        || matches!(brought.outcome, Outcome::Commented | Outcome::Snoozed)
        || code.is_some_and(|code| is_no_matter(&course.request.what, code))
        || is_repeat(course, brought)
    {
        return;
    }
    let known = std::mem::take(&mut course.issues);
    let Some(speaker) = &course.speaker else { return };
    let mut telling = Telling { course, speaker, known, pages: Vec::new(), warnings: Vec::new() };
    let ended = match brought.trouble.as_ref().filter(|_| failed) {
        Some(trouble) => telling.failed(unit, brought, trouble),
        None => telling.over(unit),
    };
    let Telling { known, pages, warnings, .. } = telling;
    brought.issues = pages;
    course.issues = known;
    for warning in warnings {
        course.warn("no-issue", &warning);
    }
    if let Err(exit) = ended {
        course.stopped = Some(exit);
    }
}

/// Returns whether what went wrong calls for no issue.
fn is_no_matter(what: &What, code: &str) -> bool {
    NO_ISSUE.contains(&code) || (matches!(what, What::Hint(_)) && CLAIMED.contains(&code))
}

/// Returns whether somebody named a commit that the cousin has already: that proves nothing of what
/// failed behind it.
fn is_repeat(course: &Course<'_, '_>, brought: &Brought) -> bool {
    let is_known = brought.outcome == Outcome::NothingToDo
        && brought.steps.last().is_some_and(|step| step.stage == Stage::Verified);
    is_known && matches!(course.request.what, What::Hint(_) | What::Feature(_, Some(_)))
}

/// What is told of a unit, while it is told.
struct Telling<'t, 'r, 'w> {
    course: &'t Course<'r, 'w>,
    speaker: &'t Speaker,
    known: Known,
    /// The pages of the issues that tell of the failure.
    pages: Vec<String>,
    warnings: Vec<String>,
}

impl<'t> Telling<'t, '_, '_> {
    /// Returns where issues are written.
    fn places(&self) -> Vec<FailureIssues<'t, Client, SystemClock>> {
        let speaker = self.speaker;
        let issues = |repo, token, labels| FailureIssues {
            requests: &speaker.requests,
            repo,
            token,
            labels,
        };
        let source = speaker.source.as_ref();
        let source = source.map(|(repo, token)| issues(repo, *token, AT_SOURCE));
        std::iter::once(issues(&speaker.repo, speaker.token, AT_COUSIN)).chain(source).collect()
    }

    fn server(&self) -> &'t str {
        actions::server_url(self.course.request.environment).trim_end_matches('/')
    }

    /// Says of each feature that it fails.
    fn failed(
        &mut self,
        unit: &Unit<'_>,
        brought: &Brought,
        trouble: &Trouble,
    ) -> Result<(), Exit> {
        let commands: Vec<String> =
            brought.by_hand.iter().flat_map(|it| it.lines()).map(str::to_owned).collect();
        let lines: Vec<&str> = trouble.message.lines().map(str::trim).collect();
        let error = lines.join(" ");
        let failure = Failure {
            error: &error,
            help: Some(trouble.help.as_str()).filter(|help| !help.is_empty()),
            commit: brought.commit.as_ref(),
            at: self.course.now,
            commands: &commands,
        };
        let run_url = actions::run_url(self.course.request.environment);
        for feature in unit.features() {
            for place in self.places() {
                let subject = self.subject(&feature, run_url.as_deref());
                let (number, warnings) = self.speaker.wait(place.failed(&subject, &failure))?;
                let page = |number| format!("{}/{}/issues/{number}", self.server(), place.repo);
                self.pages.extend(number.map(page));
                self.warnings.extend(warnings);
            }
        }
        Ok(())
    }

    /// Says of each feature that it does not fail any more.
    fn over(&mut self, unit: &Unit<'_>) -> Result<(), Exit> {
        let run_url = actions::run_url(self.course.request.environment);
        for place in self.places() {
            if !self.known.contains_key(&place.repo.key()) {
                let open = match self.speaker.wait(place.open())? {
                    Ok(open) => open,
                    Err(warning) => {
                        self.warnings.push(warning);
                        OpenIssues::default()
                    }
                };
                self.known.insert(place.repo.key(), open);
            }
            let Some(open) = self.known.get(&place.repo.key()) else { continue };
            for feature in unit.features() {
                let subject = self.subject(&feature, run_url.as_deref());
                let told = self.speaker.wait(place.succeeded(&subject, open))?;
                self.warnings.extend(told);
            }
        }
        Ok(())
    }

    fn subject<'s>(&self, feature: &'s FeaturePath, run_url: Option<&'s str>) -> Subject<'s>
    where
        't: 's,
    {
        Subject {
            feature,
            source: &self.course.request.source_name,
            cousin: &self.speaker.repo,
            server: self.server(),
            run_url,
        }
    }
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
