//! What a cousin would get, found out before anything is written: the features at HEAD that its
//! subscriptions match, and what `validate` has to say of its entry.

use std::collections::HashSet;

use super::Request;
use super::writing::Rewrite;
use crate::cli::monorepo::Monorepo;
use crate::cli::validate::online;
use crate::cli::{self, Exit, Failure, Output};
use crate::ecosystem::edit::{Change, Edited};
use crate::ecosystem::{self, Code, Cousin, Diagnosis, Findings, Listed, Severity};
use crate::github::auth::resolve;
use crate::input;
use crate::names::{CommitSha, FeaturePath, RepoName};
use crate::onboarding::cousin_files::ActionRef;
use crate::onboarding::subscriptions;
use crate::report::onboarding::{Feature, Onboarding};
use crate::report::{self, Warning};
use crate::routing::matching::Tally;
use crate::routing::{ChangedPath, plan};
use crate::text;

/// How many workflows of the monorepo are read, and how much of each.
const WORKFLOWS: usize = 200;
const LONGEST: usize = 1 << 20;

/// What there is to know of a cousin before anything is written.
pub(super) struct Look {
    pub(super) cousin: Cousin,
    pub(super) commit: CommitSha,
    pub(super) features: Vec<Feature>,
    pub(super) path_encoding: Option<&'static str>,
    pub(super) diagnosis: Diagnosis,
    pub(super) warnings: Vec<Warning>,
    /// Why nothing may be written.
    pub(super) refused: Option<String>,
}

impl Look {
    /// Returns the features that can stand in the cousin's own file: not the root, as which no
    /// pattern is meant, and only what is UTF-8 and no glob.
    pub(super) fn names(&self) -> Vec<String> {
        let named = self.features.iter().filter_map(|it| name(it.feature.as_bytes()));
        named.map(str::to_owned).collect()
    }
}

fn name(feature: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(feature).ok()?;
    let read = crate::subscriptions::path::feature(name).ok()?;
    (read.as_bytes() == feature).then_some(name)
}

/// Looks at the list as it would be.
///
/// # Errors
/// [`Failure`] when the paths at HEAD cannot be had.
pub(super) fn look(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    monorepo: &mut Monorepo<'_>,
) -> Result<Look, Failure> {
    let (commit, paths) = monorepo.paths()?;
    let document = ecosystem::decode(&rewrite.name, edited.text.as_bytes())?;
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let listed = only(document.cousins(&lines, &mut findings), edited.index);
    let tally = subscriptions::check(&listed, &paths, &mut findings)?;
    let diagnosis = document.diagnosis(findings);
    let Some(Listed { cousin, .. }) = listed.into_iter().next() else {
        // A list that was just edited holds what was put in.
        return Err(Failure::new(
            format!("{} is not listed", request.cousin),
            "please report this",
        ));
    };
    let (features, path_encoding) = features(&cousin, &paths)?;
    let refused = refused(&cousin, edited, &tally, &diagnosis, features.is_empty());
    let mut look =
        Look { cousin, commit, features, path_encoding, diagnosis, warnings: Vec::new(), refused };
    if look.refused.is_none() && look.names().is_empty() {
        let message = "nothing of what it would get can be named in subscriptions.json, which takes \
                       directories below the root, in UTF-8 and without glob characters";
        look.refused = Some(message.to_owned());
    }
    look.warnings = warnings(&look, edited);
    Ok(look)
}

/// Returns what is found about a cousin in a list; nothing when it is not listed there.
///
/// # Errors
/// [`Failure`] when the paths at HEAD cannot be had.
pub(super) fn findings(
    rewrite: &Rewrite,
    text: &str,
    cousin: &RepoName,
    monorepo: &mut Monorepo<'_>,
) -> Result<Diagnosis, Failure> {
    let (_, paths) = monorepo.paths()?;
    let document = ecosystem::decode(&rewrite.name, text.as_bytes())?;
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let mut listed = document.cousins(&lines, &mut findings);
    listed.retain(|listed| listed.cousin.repo.key() == cousin.key());
    subscriptions::check(&listed, &paths, &mut findings)?;
    Ok(document.diagnosis(findings))
}

fn only(listed: Vec<Listed>, index: usize) -> Vec<Listed> {
    listed.into_iter().filter(|listed| listed.at.entry == Some(index)).collect()
}

/// Returns what a cousin would be told of if every path had changed.
fn features(
    cousin: &Cousin,
    paths: &[ChangedPath],
) -> Result<(Vec<Feature>, Option<&'static str>), Failure> {
    let enabled = Cousin { enabled: true, ..cousin.clone() };
    let planned = plan(&[enabled], paths)?.dispatches;
    let (named, counts): (Vec<FeaturePath>, Vec<usize>) =
        planned.into_iter().map(|it| (it.feature, it.matched)).unzip();
    let (named, encoding) = report::write_features(named);
    let features = named.into_iter().zip(counts);
    Ok((features.map(|(feature, paths)| Feature { feature, paths }).collect(), encoding))
}

/// Returns why the new subscriptions are refused: one that matches nothing is a slip more often
/// than not, and whoever brings a cousin in has the path before them.
fn refused(
    cousin: &Cousin,
    edited: &Edited,
    tally: &Tally,
    diagnosis: &Diagnosis,
    nothing: bool,
) -> Option<String> {
    let new = cousin.subscriptions.iter().enumerate().skip(edited.before);
    let mut unmet = new
        .filter(|(at, pattern)| !pattern.is_exclusion() && tally.pattern(0, *at).first.is_none());
    let Some((at, pattern)) = unmet.next() else {
        return nothing.then(|| {
            format!("{} would get nothing: its subscriptions leave no path", cousin.repo)
        });
    };
    let pointer = format!("/subscriptions/{at}");
    let found = diagnosis.diagnostics().iter().find(|it| it.pointer.ends_with(&pointer));
    Some(found.map_or_else(
        || format!("no path at HEAD matches {}", text::quoted(pattern.as_str())),
        |found| {
            let help = found.help.as_ref().map(|help| format!(" ({help})"));
            format!("{}{}", found.message, help.unwrap_or_default())
        },
    ))
}

/// Returns what a person should know before they rely on it.
fn warnings(look: &Look, edited: &Edited) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let all = &look.cousin.subscriptions;
    if edited.change == Change::Subscribed {
        let (before, added) = all.split_at_checked(edited.before).unwrap_or((all, &[]));
        for pattern in added.iter().filter(|pattern| !pattern.is_exclusion()) {
            let exclusions = before.iter().filter(|it| it.is_exclusion());
            let mut met = exclusions.filter(|it| subscriptions::may_meet(it, pattern));
            warnings.extend(met.next().map(|exclusion| {
                let message = format!(
                    "{} stands behind {}, and the last match decides: what both match is followed",
                    text::quoted(pattern.as_str()),
                    text::quoted(exclusion.as_str())
                );
                Warning::new("re-included", message)
            }));
        }
    }
    for feature in look.features.iter().filter(|it| name(it.feature.as_bytes()).is_none()) {
        let message = format!(
            "{} is left out of subscriptions.json, which names directories in UTF-8 and takes no \
             globs",
            text::quoted(&feature.feature.text())
        );
        warnings.push(Warning::new("feature-left-out", message));
    }
    warnings
}

/// Returns the action that the monorepo's own workflows use, where they do.
pub(super) fn action(monorepo: &Monorepo<'_>) -> ActionRef {
    let found = monorepo.source.as_ref().ok().and_then(|source| source.work_tree());
    let found = found.and_then(|dir| std::fs::read_dir(dir.join(".github/workflows")).ok());
    let mut files: Vec<_> = found.into_iter().flatten().flatten().map(|it| it.path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|it| it == "yml" || it == "yaml"));
    let texts = files.iter().take(WORKFLOWS).filter_map(|path| input::read(path, LONGEST).ok());
    let used = texts.filter_map(|bytes| ActionRef::in_workflow(&String::from_utf8_lossy(&bytes)));
    let used: Vec<ActionRef> = used.collect();
    let pinned = used.iter().find(|it| it.is_commit());
    pinned.or(used.first()).cloned().unwrap_or_else(ActionRef::unknown)
}

/// Returns the monorepo's own name and its trusted branch.
///
/// # Errors
/// [`Failure`] when one is not known, or the cousin is the monorepo itself.
pub(super) fn names(
    request: &Request<'_>,
    branch: Option<&str>,
    monorepo: &Monorepo<'_>,
) -> Result<(RepoName, String), Failure> {
    let source = request.source.clone().or_else(|| monorepo.name()).ok_or_else(|| {
        Failure::new(
            "cannot tell the monorepo's own name, which the cousin's files need",
            "name it with --source OWNER/NAME; else it is read from GITHUB_REPOSITORY or from origin",
        )
    })?;
    if source.key() == request.cousin.key() {
        let message = format!("{source} is the monorepo itself");
        return Err(Failure::new(message, "name the repository that is to follow it"));
    }
    let known = || {
        let source = monorepo.source.as_ref().ok()?;
        let checked_out = || Some(source.checked_out()?.strip_prefix("refs/heads/")?.to_owned());
        source.default_branch().or_else(checked_out)
    };
    let branch = branch.map(str::to_owned).or_else(known).ok_or_else(|| {
        Failure::new("cannot tell the monorepo's trusted branch", "name it with --branch NAME")
    })?;
    Ok((source, branch))
}

/// Asks GitHub about the cousin, where a token speaks for it, and puts the findings into the
/// report. That nobody listens yet is no error: the files have only just been made.
pub(super) fn ask(
    request: &Request<'_>,
    rewrite: &Rewrite,
    edited: &Edited,
    monorepo: &mut Monorepo<'_>,
    report: &mut Onboarding,
    output: &Output,
) -> Result<Exit, Failure> {
    let document = ecosystem::decode(&rewrite.name, edited.text.as_bytes())?;
    let lines = document.lines();
    let mut findings = Findings::new(&lines);
    let all = document.cousins(&lines, &mut findings);
    let names: HashSet<String> = all.iter().map(|listed| listed.cousin.repo.key()).collect();
    let listed = only(all, edited.index);
    let speaks = |listed: &Listed| {
        let lookup = |name: &str| request.environment.raw(name).map(ToOwned::to_owned);
        resolve(listed.cousin.token_env.as_deref(), &lookup).is_ok()
    };
    if cli::app::of(request.environment)?.is_none() && !listed.iter().all(speaks) {
        return Ok(Exit::Done);
    }
    let (_, paths) = monorepo.paths()?;
    let tally = subscriptions::check(&listed, &paths, &mut findings)?;
    let asked = online::ask(
        &online::Request {
            listed: &listed,
            features: &[tally.features(0)],
            names: &names,
            source: Some(&report.source),
            concurrency: request.delivery.concurrency,
            timeout: request.delivery.timeout,
            max_wait: request.delivery.max_wait,
            environment: request.environment,
        },
        &mut findings,
        output,
    )?;
    report.findings = document.diagnosis(findings);
    let is_grave =
        |it: &ecosystem::Diagnostic| it.severity == Severity::Error && !is_for_later(it.code);
    let grave = report.findings.diagnostics().iter().any(is_grave);
    Ok(asked.interrupted.unwrap_or(if grave { Exit::Invalid } else { Exit::Done }))
}

/// Whether a finding goes away when the files are where they belong, or says nothing of the cousin.
const fn is_for_later(code: Code) -> bool {
    matches!(
        code,
        Code::NoListener
            | Code::ListenerOtherType
            | Code::ListenerOnOtherBranch
            | Code::NotSubscribedThere
            | Code::Unreachable
            | Code::NotChecked
    )
}
