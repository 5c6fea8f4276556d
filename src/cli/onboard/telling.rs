//! What is said of an onboarding: what was found and done, what deserves attention, and what is
//! left for a person. It decides nothing.

use super::Request;
use super::looking::Look;
use super::writing::Rewrite;
use crate::actions::{self, Level};
use crate::cli::arguments::Format;
use crate::cli::{Failure, Output};
use crate::delivery::Outcome;
use crate::ecosystem::edit::Edited;
use crate::environment::Environment;
use crate::names::RepoName;
use crate::report::Warning;
use crate::report::onboarding::{List, Onboarding};
use crate::routing::Pattern;
use crate::routing::pattern::Shape;
use crate::text;

/// Returns what there is to say before anything was done.
pub(super) fn begun(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    look: Look,
    source: RepoName,
    branch: String,
) -> Onboarding {
    let mut warnings = look.warnings;
    let is_glob = |pattern: &Pattern| matches!(pattern.shape(), Shape::Glob { .. });
    let has_globs = look.cousin.subscriptions.iter().any(is_glob);
    let later = has_globs.then(|| {
        format!(
            "{}: subscriptions.json names the features that are there now; one that comes later is \
             added by hand",
            look.cousin.repo
        )
    });
    let later = later.into_iter().collect();
    if request.staged && look.cousin.enabled {
        let message = format!("{} is enabled already: --staged changes nothing", request.cousin);
        warnings.push(Warning::new("already-enabled", message));
    }
    Onboarding {
        cousin: look.cousin.repo,
        source,
        branch,
        commit: look.commit,
        dry_run: request.dry_run,
        list: List {
            file: text::shown(rewrite.name.as_bytes()).into_owned(),
            change: edited.change.as_str(),
            added: edited.added.clone(),
            enabled: look.cousin.enabled,
            written: false,
        },
        features: look.features,
        path_encoding: look.path_encoding,
        files: Vec::new(),
        pull_request: None,
        findings: look.diagnosis,
        warnings,
        refused: look.refused,
        probe: None,
        next: later,
    }
}

/// Returns what is left for a person to do.
pub(super) fn next(request: &Request<'_>, report: &Onboarding) -> Vec<String> {
    let (cousin, list) = (&report.cousin, &report.list);
    let heard = report.probe.as_ref().is_some_and(|probe| probe.outcome == Outcome::Delivered);
    let mut steps = Vec::new();
    let let_them = "let Actions create pull requests (Settings, Actions, General)";
    match &report.pull_request {
        _ if heard => {}
        Some(pull) if pull.state == "not-needed" => steps.push(format!("{cousin}: {let_them}")),
        Some(pull) => {
            let number = pull.number.map(|number| format!(" #{number}")).unwrap_or_default();
            steps.push(format!("{cousin}: {let_them}, and merge the pull request{number}"));
        }
        None => {
            steps.push(format!("{cousin}: put both files on its default branch, and {let_them}"));
        }
    }
    if list.change != "unchanged" || list.written {
        steps.push(format!("{}: commit {} and push it", report.source, list.file));
    }
    if !list.enabled && (!heard || !request.staged) {
        steps.push(format!("then `ecosystem onboard {cousin} --staged --probe` enables it"));
    } else if !heard {
        steps.push(format!("then `ecosystem onboard {cousin} --probe` shows that it hears"));
    }
    steps
}

/// Tells of what was done: the result to standard output, warnings besides.
///
/// # Errors
/// When the result cannot be written.
pub(super) fn tell(
    report: &Onboarding,
    format: Format,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let shown = match format {
        Format::Human => report.human(output.paint()),
        Format::Json => report.json(),
    };
    output.result(&shown)?;
    for warning in &report.warnings {
        if actions::is_actions(environment) {
            output.command(&actions::annotation(Level::Warning, warning.code, &warning.message));
        } else {
            output.warning(&text::shown(warning.message.as_bytes()));
        }
    }
    Ok(())
}
