//! The pipeline, from a range to a report: each function is one arrow of the picture in the
//! crate's documentation.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::part::{Called, Part, Parts};
use super::sending::{Push, Shared};
use super::{Request, sending, watermarks};
use crate::actions;
use crate::cli::listing::{self, Listing};
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{Ending, Outcome};
use crate::ecosystem::{self, Cousin};
use crate::event::{self, Context};
use crate::git::GitError;
use crate::git::command::Git;
use crate::git::range::{Comparison, Reason, Trigger};
use crate::git::source::{Compared, FoundBy, Outside, Source};
use crate::names::{CommitSha, RepoName};
use crate::report::{self, Dispatch, Report, Summary, Warning, Watermark};
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
    }
}

/// What a run works on, once the range's head and the list of cousins are known.
pub(super) struct Run<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) comparison: &'r Comparison,
    pub(super) git: &'r Git,
    pub(super) source: Source<'r>,
    pub(super) head: CommitSha,
    /// All cousins of the list.
    pub(super) cousins: Vec<Cousin>,
    /// Which of them the run is about.
    pub(super) chosen: Vec<usize>,
    /// The name of the list, for messages.
    file_name: String,
    repository: Option<RepoName>,
    pub(super) reference: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

/// Runs the whole pipeline.
pub(super) fn run(
    request: &Request<'_>,
    comparison: &Comparison,
    output: &Output,
) -> Result<(Report, Exit), Failure> {
    let git = cli::git(request.environment);
    let credentials = listing::git_credentials(request.environment);
    let outside = Outside {
        remote: request.remote.as_deref(),
        server: actions::server_url(request.environment),
        credentials: &credentials,
    };
    let source = Source::open(request.dir, &outside, &git).map_err(with_flags)?;
    let mut run = Run::prepare(request, comparison, &git, source)?;
    let told = if request.flags.watermarks && comparison.sends {
        watermarks::carry_out(&mut run, output)?
    } else {
        let mut parts = Parts::default();
        let Run { source, chosen, cousins, .. } = &mut run;
        parts.add(cousins, chosen, None, |reach| Ok(source.compare(comparison, reach)?))?;
        parts.sort(cousins, &HashSet::new());
        let (endings, exit) = run.send(&parts, output, |_, _| {})?;
        Rounds { rounds: vec![(parts, endings)], watermarks: None, exit }
    };
    Ok(run.report(told))
}

/// What was sent, in one round or several, and what became of it.
#[derive(Default)]
pub(super) struct Rounds {
    pub(super) rounds: Vec<(Parts, Vec<Ending>)>,
    /// What became of the watermarks, where they were used.
    pub(super) watermarks: Option<Vec<Watermark>>,
    /// How the process is to end when it was interrupted, or when something besides went wrong.
    pub(super) exit: Option<Exit>,
}

impl<'r> Run<'r> {
    fn prepare(
        request: &'r Request<'r>,
        comparison: &'r Comparison,
        git: &'r Git,
        mut source: Source<'r>,
    ) -> Result<Self, Failure> {
        // A broken file stops the run before anything is fetched, where it can be read before.
        let early = listing::outside_of_git(request.ecosystem.as_deref(), source.work_tree())?;
        let head = source.find_head(&comparison.head).map_err(with_flags)?;
        let Listing { name: file_name, bytes, .. } = match early {
            Some(found) => found,
            None => listing::at_head(&source, &head)?,
        };
        let cousins = ecosystem::parse(&file_name, &bytes)?.cousins;
        let all = cousins.iter().enumerate().collect();
        let chosen = listing::chosen(all, |(_, cousin)| &cousin.repo, &request.only)?;
        let chosen = chosen.into_iter().map(|(at, _)| at).collect();
        let named = request.source.clone();
        let repository = named.or_else(|| RepoName::in_address(source.remote_url()?));
        let reference = reference(request, Some(&source));
        let warnings = Vec::new();
        Ok(Self {
            request,
            comparison,
            git,
            source,
            head,
            cousins,
            chosen,
            file_name,
            repository,
            reference,
            warnings,
        })
    }

    /// Whether anything is to be sent.
    pub(super) fn sends(&self) -> bool {
        self.comparison.sends && !self.request.dry_run
    }

    /// Sends what the comparisons call for and returns how each dispatch ended. `ended` is told of
    /// each as soon as it has, by its index.
    pub(super) fn send(
        &mut self,
        parts: &Parts,
        output: &Output,
        mut ended: impl FnMut(&Called, &Ending),
    ) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
        let superseded = |called: &Called| parts.of(called).and_then(|part| part.superseded);
        let skipped =
            |why: &str| Ending { error: Some(why.to_owned()), ..Ending::unsent(Outcome::Skipped) };
        let open = parts.called.iter().filter(|called| superseded(called).is_none());
        let open: Vec<Called> = open.cloned().collect();
        let (sent, exit) = if !self.sends() || open.is_empty() {
            (open.iter().map(|_| Ending::unsent(Outcome::Planned)).collect(), None)
        } else {
            let shared: Vec<Arc<Shared>> =
                parts.parts.iter().map(|part| self.shared(part)).collect::<Result<_, _>>()?;
            let push = Push { shared: &shared, cousins: &self.cousins, plan: &open };
            sending::deliver(self.request, &push, &mut self.warnings, output, |at, ending| {
                open.get(at).into_iter().for_each(|called| ended(called, ending));
            })?
        };
        let mut sent = sent.into_iter();
        let all = parts.called.iter().filter_map(|called| match superseded(called) {
            Some(why) => Some(skipped(why)),
            None => sent.next(),
        });
        Ok((all.collect(), exit))
    }

    fn shared(&self, part: &Part) -> Result<Arc<Shared>, Failure> {
        let context = Context {
            source: self.repository.clone().ok_or_else(unknown_source)?,
            source_ref: self.reference.clone(),
            base: part.compared.base.clone(),
            head: self.head.clone(),
            run_url: actions::run_url(self.request.environment),
        };
        Ok(Arc::new(Shared { context, changed: Arc::clone(&part.changed) }))
    }

    fn report(self, told: Rounds) -> (Report, Exit) {
        let Rounds { rounds, watermarks, exit } = told;
        let mut warnings: Vec<Warning> = Vec::new();
        for part in rounds.iter().flat_map(|(parts, _)| &parts.parts) {
            warnings.extend(warnings_of(&part.compared));
        }
        warnings.dedup();
        warnings.extend(self.warnings.iter().cloned());
        let sends = self.sends();
        let nobody = rounds.iter().all(|(parts, _)| parts.called.is_empty());
        if self.repository.is_none() && (!sends || nobody) {
            let failure = unknown_source();
            let help = failure.help.unwrap_or_default();
            warnings.push(Warning::new("unknown-source", format!("{}: {help}", failure.message)));
        }
        warnings.extend(self.renames(&rounds));
        let (dispatches, path_encoding) = self.dispatches(&rounds);
        let disabled: BTreeSet<&RepoName> =
            rounds.iter().flat_map(|(parts, _)| &parts.disabled).collect();
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
        };
        let exit = exit.unwrap_or_else(|| Exit::of(&report));
        (report, exit)
    }

    /// Returns the range of all comparisons together.
    fn range(&self, rounds: &[(Parts, Vec<Ending>)]) -> report::Range {
        let parts = || rounds.iter().flat_map(|(parts, _)| &parts.parts);
        let compared =
            || parts().filter(|part| part.superseded.is_none()).map(|part| &part.compared);
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
            changed_paths: parts()
                .filter(|it| it.superseded.is_none())
                .map(|it| it.changed.len())
                .sum(),
        }
    }

    /// Returns a line of the report for each dispatch, with how it ended.
    fn dispatches(&self, rounds: &[(Parts, Vec<Ending>)]) -> (Vec<Dispatch>, Option<&'static str>) {
        let mut lines: Vec<(&RepoName, &Called, &Part, &Ending)> = rounds
            .iter()
            .flat_map(|(parts, endings)| {
                parts.called.iter().zip(endings).filter_map(|(called, ending)| {
                    let cousin = self.cousins.get(called.planned.cousin)?;
                    Some((&cousin.repo, called, parts.of(called)?, ending))
                })
            })
            .collect();
        lines.sort_by(|(a, called_a, ..), (b, called_b, ..)| {
            a.cmp(b).then_with(|| called_a.planned.feature.cmp(&called_b.planned.feature))
        });
        let features = lines.iter().map(|(_, called, ..)| called.planned.feature.clone()).collect();
        let (features, path_encoding) = report::write_features(features);
        let rows = lines.iter().zip(features).filter_map(
            |((_, called, part, ending), updated_feature)| {
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
                    superseded: part.superseded.is_some(),
                })
            },
        );
        (rows.collect(), path_encoding)
    }

    /// Returns a warning for each cousin that has another name by now.
    fn renames(&self, rounds: &[(Parts, Vec<Ending>)]) -> Vec<Warning> {
        let all = rounds.iter().flat_map(|(parts, endings)| parts.called.iter().zip(endings));
        let moved = all.filter_map(|(called, ending)| {
            let cousin = self.cousins.get(called.planned.cousin)?;
            let told = ending.renamed_to.as_ref()?.warning(&cousin.repo);
            let message = format!("{told} (line {} of {})", cousin.line, self.file_name);
            Some(Warning::new("renamed-repository", message))
        });
        let mut warnings: Vec<Warning> = moved.collect();
        // The dispatches of one cousin follow each other.
        warnings.dedup();
        warnings
    }
}

/// Returns the failure with the flags of this command that help too.
fn with_flags(error: GitError) -> Failure {
    let flag = match &error {
        GitError::NotARepository(_) => "fetch what is needed with --remote URL",
        GitError::Unsupported { by_remote: true, .. } => "use --remote URL",
        GitError::Unborn => "name a commit with --head REV",
        _ => return error.into(),
    };
    let help = format!("{}, or {flag}", error.help());
    Failure::new(error.to_string(), help)
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

fn nothing_new_note(rounds: &[(Parts, Vec<Ending>)], head: &CommitSha) -> Option<String> {
    let compared = &rounds.first()?.0.parts.first()?.compared;
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

/// Returns the full name of the ref that was pushed, or that is checked out.
fn reference(request: &Request<'_>, source: Option<&Source<'_>>) -> Option<String> {
    if let Trigger::Push(push) = &request.trigger {
        return Some(push.reference.clone());
    }
    if let Some(reference) = actions::reference(request.environment) {
        return Some(reference.to_owned());
    }
    source?.checked_out().filter(|_| request.flags.head.is_none())
}

fn unknown_source() -> Failure {
    Failure::new(
        "cannot tell the monorepo's own name, which every event carries",
        "name it with --source OWNER/NAME; else it is read from GITHUB_REPOSITORY or from origin",
    )
}
