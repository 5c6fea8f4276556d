//! The pipeline, from a range to a report: each function is one arrow of the picture in the
//! crate's documentation.

use std::sync::Arc;

use super::sending::{Push, Shared};
use super::{Request, sending};
use crate::actions;
use crate::cli::listing::{self, Listing};
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{Ending, Outcome};
use crate::ecosystem::{self, Cousin};
use crate::event::{self, Context};
use crate::git::GitError;
use crate::git::range::{Comparison, Reason, Trigger};
use crate::git::source::{Compared, FoundBy, Outside, Source};
use crate::names::{CommitSha, RepoName};
use crate::report::{self, Dispatch, Report, Summary, Warning};
use crate::routing::{ChangedPath, Plan, Reach, plan};
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
    }
}

/// Runs the whole pipeline.
pub(super) fn run(
    request: &Request<'_>,
    comparison: &Comparison,
    output: &Output,
) -> Result<(Report, Exit), Failure> {
    let environment = request.environment;
    let git = cli::git(environment);
    let credentials = listing::git_credentials(environment);
    let outside = Outside {
        remote: request.remote.as_deref(),
        server: actions::server_url(environment),
        credentials: &credentials,
    };
    let mut source = Source::open(request.dir, &outside, &git).map_err(with_flags)?;
    // A broken file stops the run before anything is fetched, where it can be read before.
    let early = listing::outside_of_git(request.ecosystem.as_deref(), source.work_tree())?;
    let head = source.find_head(&comparison.head).map_err(with_flags)?;
    let Listing { name: file_name, bytes, .. } = match early {
        Some(found) => found,
        None => listing::at_head(&source, &head)?,
    };
    let ecosystem = ecosystem::parse(&file_name, &bytes)?;
    let cousins = listing::chosen(ecosystem.cousins, |cousin| &cousin.repo, &request.only)?;

    let reach = Reach::new(cousins.iter().flat_map(|cousin| &cousin.subscriptions));
    let mut compared = source.compare(comparison, &reach)?;
    let changed: Arc<[ChangedPath]> = std::mem::take(&mut compared.changes.paths).into();
    let plan = plan(&cousins, &changed)?;
    let repository = request.source.clone().or_else(|| RepoName::in_address(source.remote_url()?));
    let sends = comparison.sends && !request.dry_run;
    let mut warnings = warnings_of(&compared);
    let reference = reference(request, Some(&source));
    let (endings, exit) = if sends && !plan.dispatches.is_empty() {
        let context = Context {
            source: repository.clone().ok_or_else(unknown_source)?,
            source_ref: reference.clone(),
            base: compared.base.clone(),
            head: head.clone(),
            run_url: actions::run_url(environment),
        };
        let shared = Shared { context, changed: Arc::clone(&changed) };
        let push = Push { shared: Arc::new(shared), cousins: &cousins, plan: &plan.dispatches };
        sending::deliver(request, &push, &mut warnings, output)?
    } else {
        if repository.is_none() {
            let failure = unknown_source();
            let help = failure.help.unwrap_or_default();
            warnings.push(Warning::new("unknown-source", format!("{}: {help}", failure.message)));
        }
        (plan.dispatches.iter().map(|_| Ending::unsent(Outcome::Planned)).collect(), None)
    };
    warnings.extend(renames(&plan, &cousins, &endings, &file_name));
    let source = repository.as_ref();
    let (dispatches, path_encoding) = dispatches(&plan, &cousins, endings, source, &head);
    let note = preview_note(comparison, request, plan.dispatches.is_empty())
        .or_else(|| nothing_new_note(&compared, &head));
    let report = Report {
        schema: report::SCHEMA,
        source: report::Source { repository, reference },
        range: report::Range {
            base: compared.base,
            head: Some(head),
            reason: compared.reason,
            found_by: compared.found_by,
            complete: compared.complete,
            changed_paths: changed.len(),
        },
        dry_run: !sends,
        path_encoding,
        summary: Summary::of(&dispatches),
        dispatches,
        warnings,
        note,
        disabled: plan.disabled,
    };
    let exit = exit.unwrap_or_else(|| Exit::of(&report));
    Ok((report, exit))
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

/// Returns a line of the report for each dispatch of the plan, with how it ended.
fn dispatches(
    plan: &Plan,
    cousins: &[Cousin],
    endings: Vec<Ending>,
    source: Option<&RepoName>,
    head: &CommitSha,
) -> (Vec<Dispatch>, Option<&'static str>) {
    let features = plan.dispatches.iter().map(|planned| planned.feature.clone()).collect();
    let (features, path_encoding) = report::write_features(features);
    let dispatches = plan.dispatches.iter().zip(features).zip(endings);
    let dispatches = dispatches.filter_map(|((planned, updated_feature), ending)| {
        let cousin = cousins.get(planned.cousin)?;
        let id = |source| event::dispatch_id(source, &cousin.repo, &planned.feature, head);
        Some(Dispatch {
            repo: cousin.repo.clone(),
            event_type: cousin.event_type.clone(),
            updated_feature,
            commit_sha: head.clone(),
            dispatch_id: source.map(id),
            matched_paths: planned.matched,
            outcome: ending.outcome,
            attempts: ending.attempts,
            status: ending.status,
            error: ending.error,
            run_again_after: ending.retry_after,
        })
    });
    (dispatches.collect(), path_encoding)
}

/// Returns a warning for each cousin that has another name by now.
fn renames(plan: &Plan, cousins: &[Cousin], endings: &[Ending], file_name: &str) -> Vec<Warning> {
    let moved = plan.dispatches.iter().zip(endings).filter_map(|(planned, ending)| {
        let (cousin, moved) = (cousins.get(planned.cousin)?, ending.renamed_to.as_ref()?);
        let told = moved.warning(&cousin.repo);
        let message = format!("{told} (line {} of {file_name})", cousin.line);
        Some(Warning::new("renamed-repository", message))
    });
    let mut warnings: Vec<Warning> = moved.collect();
    // The dispatches of one cousin follow each other.
    warnings.dedup();
    warnings
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

fn nothing_new_note(compared: &Compared, head: &CommitSha) -> Option<String> {
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
