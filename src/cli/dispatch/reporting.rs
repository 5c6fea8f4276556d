//! What a run says of itself: its rounds, put together into one report. It decides nothing that
//! was not decided before.

use std::collections::BTreeSet;

use super::Request;
use super::pipeline::{Round, Rounds, Run, reference, unknown_source};
use crate::cli::Exit;
use crate::cli::part::{Called, Part};
use crate::cli::sending::Line;
use crate::delivery::Confirmation;
use crate::event;
use crate::git::range::{Comparison, Reason, Trigger};
use crate::git::source::{Compared, FoundBy};
use crate::names::{CommitSha, RepoName};
use crate::report::{self, Dispatch, Report, Summary, Warning};
use crate::text;

/// Returns the report of a run that has nothing to do.
pub(super) fn nothing(request: &Request<'_>, why: String, head: Option<CommitSha>) -> Report {
    Report {
        schema: report::SCHEMA,
        source: report::Source {
            repository: request.source.clone(),
            reference: reference(request, None),
        },
        range: report::Range {
            base: None,
            bases: 0,
            head,
            reason: Reason::Push,
            found_by: FoundBy::None,
            complete: true,
            changed_paths: 0,
        },
        dry_run: request.dry_run,
        path_encoding: None,
        dispatches: Vec::new(),
        summary: Summary::default(),
        warnings: Vec::new(),
        note: Some(why),
        disabled: Vec::new(),
        watermarks: None,
        before: report::Before::default(),
    }
}

impl Run<'_> {
    /// Returns the report, with what only the alarm needs, and how the process is to end.
    pub(super) fn report(self, told: Rounds) -> (Report, Exit) {
        let Rounds { rounds, watermarks, exit, failing, still } = told;
        let mut warnings: Vec<Warning> = Vec::new();
        for part in rounds.iter().flat_map(|round| &round.parts.parts) {
            warnings.extend(warnings_of(&part.compared));
        }
        warnings.dedup();
        warnings.extend(self.warnings.iter().cloned());
        let sends = self.sends();
        let nobody = rounds.iter().all(|round| round.parts.called.is_empty());
        if self.repository.is_none() && (!sends || nobody) {
            let failure = unknown_source();
            let help = failure.help.unwrap_or_default();
            warnings.push(Warning::new("unknown-source", format!("{}: {help}", failure.message)));
        }
        warnings.extend(self.renames(&rounds));
        warnings.extend(self.unconfirmed(&rounds));
        let (dispatches, path_encoding) = self.dispatches(&rounds);
        let disabled: BTreeSet<&RepoName> =
            rounds.iter().flat_map(|round| &round.parts.disabled).collect();
        let enabled = self.cousins.iter().filter(|cousin| cousin.enabled);
        let report = Report {
            schema: report::SCHEMA,
            source: report::Source {
                repository: self.repository.clone(),
                reference: self.reference.clone(),
            },
            range: self.range(&rounds),
            dry_run: !sends,
            path_encoding,
            summary: Summary::of(&dispatches),
            dispatches,
            warnings,
            note: preview_note(self.comparison, self.request, nobody)
                .or_else(|| nothing_new_note(&rounds, &self.head)),
            disabled: disabled.into_iter().cloned().collect(),
            watermarks,
            before: report::Before {
                enabled: Some(enabled.map(|cousin| cousin.repo.clone()).collect()),
                failing,
                still,
            },
        };
        let exit = exit.unwrap_or_else(|| Exit::of(&report));
        (report, exit)
    }

    /// Returns the range of all comparisons together.
    fn range(&self, rounds: &[Round]) -> report::Range {
        let all: Vec<&Part> = rounds.iter().flat_map(|round| &round.parts.parts).collect();
        let only = |counts: fn(&Part) -> bool| -> Vec<&Part> {
            all.iter().filter(|part| counts(part)).copied().collect()
        };
        let open = only(|part| part.enabled && part.superseded.is_none());
        let mut chosen = self.chosen.iter().filter_map(|at| self.cousins.get(*at));
        // What the disabled ones would hear of is the range only where there are no others.
        let parts = if !open.is_empty() {
            open
        } else if chosen.any(|cousin| cousin.enabled) {
            only(|part| part.enabled)
        } else {
            all
        };
        let compared = || parts.iter().map(|part| &part.compared);
        let bases: BTreeSet<Option<&CommitSha>> = compared().map(|it| it.base.as_ref()).collect();
        let reasons: BTreeSet<Reason> = compared().map(|it| it.reason).collect();
        let one = |bases: &BTreeSet<Option<&CommitSha>>| bases.first().copied().flatten().cloned();
        report::Range {
            base: match bases.len() {
                // Everybody has received everything.
                0 => Some(self.head.clone()),
                1 => one(&bases),
                _ => None,
            },
            bases: bases.len(),
            head: Some(self.head.clone()),
            reason: match reasons.len() {
                1 => reasons.first().copied().unwrap_or(self.comparison.reason),
                _ => Reason::Watermarks,
            },
            found_by: compared().map(|it| it.found_by).max().unwrap_or(FoundBy::Local),
            complete: compared().all(|it| it.complete),
            changed_paths: parts.iter().map(|it| it.changed.len()).sum(),
        }
    }

    /// Returns a line of the report for each dispatch, with how it ended.
    fn dispatches(&self, rounds: &[Round]) -> (Vec<Dispatch>, Option<&'static str>) {
        let mut lines: Vec<(&RepoName, &Called, &Part, &Line)> = Vec::new();
        for round in rounds {
            lines.extend(round.lines().filter_map(|(called, line)| {
                let cousin = self.cousins.get(called.planned.cousin)?;
                Some((&cousin.repo, called, round.parts.of(called)?, line))
            }));
        }
        lines.sort_by(|(a, called_a, ..), (b, called_b, ..)| {
            a.cmp(b).then_with(|| called_a.planned.feature.cmp(&called_b.planned.feature))
        });
        let features = lines.iter().map(|(_, called, ..)| called.planned.feature.clone()).collect();
        let (features, path_encoding) = report::write_features(features);
        let rows =
            lines.iter().zip(features).filter_map(|((_, called, part, line), updated_feature)| {
                let Line { ending, confirmation } = line;
                let planned = &called.planned;
                let cousin = self.cousins.get(planned.cousin)?;
                let id = |source: &RepoName| {
                    event::dispatch_id(source, &cousin.repo, &planned.feature, &self.head)
                };
                Some(Dispatch {
                    repo: cousin.repo.clone(),
                    event_type: cousin.event_type.clone(),
                    updated_feature,
                    commit_sha: self.head.clone(),
                    base_sha: part.compared.base.clone(),
                    reason: part.compared.reason,
                    dispatch_id: self.repository.as_ref().map(id),
                    matched_paths: planned.matched,
                    outcome: ending.outcome,
                    attempts: ending.attempts,
                    status: ending.status,
                    error: ending.error.clone(),
                    run_again_after: ending.retry_after,
                    confirmation: confirmation.as_ref().map(Confirmation::as_str),
                    run_url: confirmation.as_ref().and_then(|it| it.url().map(str::to_owned)),
                    superseded: part.superseded.is_some(),
                })
            });
        (rows.collect(), path_encoding)
    }

    /// Returns a warning for each cousin that has another name by now.
    fn renames(&self, rounds: &[Round]) -> Vec<Warning> {
        let moved = rounds.iter().flat_map(Round::lines).filter_map(|(called, line)| {
            let cousin = self.cousins.get(called.planned.cousin)?;
            let told = line.ending.renamed_to.as_ref()?.warning(&cousin.repo, "ecosystem.json");
            let message = format!("{told} (line {} of {})", cousin.line, self.file_name);
            Some(Warning::new("renamed-repository", message))
        });
        let mut warnings: Vec<Warning> = moved.collect();
        // The dispatches of one cousin follow each other.
        warnings.dedup();
        warnings
    }

    /// Returns a warning for each cousin whose workflow nobody saw start.
    fn unconfirmed(&self, rounds: &[Round]) -> Vec<Warning> {
        if self.request.confirm.as_ref().is_some_and(|confirm| confirm.required) {
            // There it is the dispatch's error.
            return Vec::new();
        }
        let all = rounds.iter().flat_map(Round::lines).filter_map(|(called, line)| {
            let cousin = self.cousins.get(called.planned.cousin)?;
            let message = line.confirmation.as_ref()?.warning(&cousin.repo)?;
            Some(Warning::new("unconfirmed", message))
        });
        let mut warnings: Vec<Warning> = all.collect();
        warnings.dedup();
        warnings
    }
}

fn preview_note(comparison: &Comparison, request: &Request<'_>, nobody: bool) -> Option<String> {
    (!comparison.sends).then(|| {
        let what = match request.trigger {
            Trigger::MergeGroup { .. } => "the merge queue's group",
            _ => "the pull request",
        };
        let whom = if nobody { "nobody" } else { "the cousins below" };
        format!("a preview: merging {what} will notify {whom}; nothing is sent now")
    })
}

fn nothing_new_note(rounds: &[Round], head: &CommitSha) -> Option<String> {
    let compared = &rounds.first()?.parts.parts.first()?.compared;
    (compared.reason == Reason::Local && compared.base.as_ref() == Some(head)).then(|| {
        "the branch has nothing that its upstream lacks; --base HEAD~1 compares with the commit \
         before"
            .to_owned()
    })
}

fn warnings_of(compared: &Compared) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !compared.complete {
        let cause = compared.fallbacks.join("; ");
        let consequence = match (&compared.base, compared.found_by) {
            (_, FoundBy::None) => "so every path at head counts as changed".to_owned(),
            (Some(base), _) => {
                format!(
                    "so head is compared with where it left the default branch, {}",
                    base.short()
                )
            }
            (None, _) => "so head is compared with nothing".to_owned(),
        };
        let message =
            format!("the commit that cousins last saw could not be had ({cause}), {consequence}");
        warnings.push(Warning::new("incomplete-range", message));
    }
    let mut last: Option<&[u8]> = None;
    for (literal, path) in &compared.changes.near_misses {
        // One of its paths is enough to see what is meant.
        if last.replace(literal) == Some(literal) {
            continue;
        }
        let message = format!(
            "the subscription \"{}\" misses \"{}\", which changed: they differ only in upper and \
             lower case or in Unicode form ({} and {})",
            text::shown(literal),
            text::shown(path),
            literal.escape_ascii(),
            path.escape_ascii()
        );
        warnings.push(Warning::new("case-or-unicode-mismatch", message));
    }
    warnings
}
