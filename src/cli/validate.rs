//! `ecosystem validate`: whether each cousin will hear of what it subscribes to, said before the
//! first push. Offline it reads the file and the paths at HEAD; with `--online` it also asks
//! GitHub. What is judged, and how, is `onboarding`'s.

pub(super) mod online;

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::arguments::{Format, concurrency, repo_name, seconds, seconds_or_none};
use super::listing::{self, FILE};
use super::monorepo::Monorepo;
use super::{Exit, Failure, Output};
use crate::actions::{self, Level};
use crate::ecosystem::{self, Diagnosis, Document, Entry, Findings, Listed};
use crate::environment::Environment;
use crate::names::{FeaturePath, RepoName};
use crate::onboarding::subscriptions;
use crate::report::validation::{Row, State, Validation};
use crate::routing::matching::Tally;

/// Check ecosystem.json before anything is sent
///
/// Without a flag it needs no token, and no network as long as the clone has HEAD's trees: it
/// checks the file, and compares each subscription with the paths at HEAD and with the other
/// subscriptions. With --online it also asks GitHub whether each repository is there, may be
/// written to, and listens.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # Check the file and its patterns
  ecosystem validate

  # Also check that each cousin is there and listens; warnings count as errors
  ECOSYSTEM_PAT=… ecosystem validate --online --strict

  # One cousin, for a script
  ECOSYSTEM_PAT=… ecosystem validate --online --only acme/web --format json")]
pub struct Args {
    /// Also ask GitHub about each cousin; needs a token
    #[arg(long)]
    online: bool,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Only this cousin (faults of the file are shown all the same); may be given several times
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo_name)]
    only: Vec<RepoName>,
    /// The list of cousins [default: ecosystem.json of the work tree, else of HEAD]
    #[arg(long, value_name = "FILE")]
    ecosystem: Option<PathBuf>,
    /// Requests in flight at a time, 1 to 100
    #[arg(long, value_name = "N", default_value = "16", value_parser = concurrency, help_heading = "With --online")]
    concurrency: NonZeroUsize,
    /// Time for one request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "With --online")]
    timeout: Duration,
    /// How long to wait in sum when GitHub limits the rate
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds_or_none, help_heading = "With --online")]
    max_wait: Duration,
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when the file or the paths cannot be had at all; what is found is no failure but an
/// [`Exit`].
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let git = super::git(environment);
    let credentials = listing::git_credentials(environment);
    let outside = listing::outside(environment, None, &credentials);
    let mut monorepo = Monorepo::open(dir, &outside, &git);
    let listing = monorepo.listing(dir, args.ecosystem.as_deref())?;
    let (validation, interrupted) = match ecosystem::decode(&listing.name, &listing.bytes) {
        Ok(document) => examine(&document, &mut monorepo, args, environment, output)?,
        Err(diagnosis) => (unread(diagnosis), None),
    };
    let shown = match args.format {
        Format::Human => validation.human(output.paint()),
        Format::Json => validation.json(),
    };
    output.result(&shown)?;
    if actions::is_actions(environment) {
        let path = match &listing.path {
            Some(path) => monorepo.path_in_it(path),
            None => Some(FILE.to_owned()),
        };
        tell_actions(&validation, path.as_deref(), environment, output);
    }
    let clean = validation.diagnosis.counts().errors == 0;
    Ok(interrupted.unwrap_or(if clean { Exit::Done } else { Exit::Invalid }))
}

/// Returns what there is to say of a file that cannot even be read as text.
fn unread(diagnosis: Diagnosis) -> Validation {
    Validation { diagnosis, compared: None, requests: None, cousins: Vec::new(), all: 0 }
}

/// Looks at everything that was asked for. Returns also how the process is to end when it was
/// interrupted: what is known then is shown all the same.
fn examine(
    document: &Document<'_>,
    monorepo: &mut Monorepo<'_>,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<(Validation, Option<Exit>), Failure> {
    let lines = document.lines();
    let mut findings = Findings::new(&lines).strict(args.strict);
    let entries = document.entries(&lines, &mut findings);
    let broken = findings.any_error();
    let names = entries.iter().filter_map(|(_, listed)| Some(listed.as_ref()?.cousin.repo.key()));
    let names: HashSet<String> = names.collect();
    let entries = chosen(entries, &args.only, broken)?;
    let all = if args.only.is_empty() { findings.cousins() } else { entries.len() };
    let (entries, listed): (Vec<Entry>, Vec<Option<Listed>>) = entries.into_iter().unzip();
    let listed: Vec<Listed> = listed.into_iter().flatten().collect();
    let paths = match monorepo.paths() {
        Ok((commit, paths)) => Some((commit, paths)),
        Err(failure) if broken => {
            let message = format!("subscriptions are not compared with paths: {}", failure.message);
            output.warning(&message);
            None
        }
        Err(failure) => return Err(failure),
    };
    let features = match &paths {
        Some((_, paths)) => subscriptions::check(&listed, paths, &mut findings)?,
        None => Tally::default(),
    };
    let counts: Vec<usize> = (0..listed.len()).map(|at| features.count(at)).collect();
    let source = actions::repository(environment).or_else(|| monorepo.name());
    let mut asked = None;
    if args.online {
        // With a fault in it, it is not known whom to ask, or with which token.
        let sound = listed.iter().enumerate().filter(|(_, listed)| listed.sound);
        let (listed, features): (Vec<Listed>, Vec<Vec<FeaturePath>>) =
            sound.map(|(at, listed)| (listed.clone(), features.features(at))).unzip();
        let request = online::Request {
            listed: &listed,
            features: &features,
            names: &names,
            source: source.as_ref(),
            concurrency: args.concurrency,
            timeout: args.timeout,
            max_wait: args.max_wait,
            environment,
        };
        asked = Some(online::ask(&request, &mut findings, output)?);
    }
    let requests = asked.as_ref().map(|asked| asked.requests);
    let interrupted = asked.as_ref().and_then(|asked| asked.interrupted);
    let answers = asked.map(|asked| asked.cousins).unwrap_or_default();
    let validation = Validation {
        cousins: rows(entries, &listed, &counts, answers, &findings),
        all,
        compared: paths.map(|(commit, paths)| (commit, paths.len())),
        requests,
        diagnosis: document.diagnosis(findings),
    };
    Ok((validation, interrupted))
}

/// Returns the entries that `--only` leaves, all of them without it.
fn chosen(
    entries: Vec<(Entry, Option<Listed>)>,
    only: &[RepoName],
    broken: bool,
) -> Result<Vec<(Entry, Option<Listed>)>, Failure> {
    // Of a file that could not be read at all nobody knows whom it lists.
    if only.is_empty() || (broken && entries.is_empty()) {
        return Ok(entries);
    }
    let names = entries.iter().filter_map(|(_, listed)| Some(&listed.as_ref()?.cousin.repo));
    listing::all_listed(names, only)?;
    let only: HashSet<String> = only.iter().map(RepoName::key).collect();
    let is_chosen = |listed: &Listed| only.contains(&listed.cousin.repo.key());
    Ok(entries.into_iter().filter(|(_, listed)| listed.as_ref().is_some_and(is_chosen)).collect())
}

/// Returns a row for each entry. `listed` are those whose name could be read, `features` how many
/// features each of these matches; `answers` are about those of them that are sound.
fn rows(
    entries: Vec<Entry>,
    listed: &[Listed],
    features: &[usize],
    answers: Vec<online::Answers>,
    findings: &Findings<'_>,
) -> Vec<Row> {
    let mut listed = listed.iter().zip(features).peekable();
    let mut answers = answers.into_iter();
    let row = |entry: Entry| {
        let known = listed.next_if(|(listed, _)| listed.at.entry == Some(entry.index));
        let sound = known.is_some_and(|(listed, _)| listed.sound);
        let answers = if sound { answers.next() } else { None };
        let (listener, token) =
            answers.map_or((None, None), |answers| (answers.listener, answers.token));
        Row {
            repo: entry.repo,
            compared: known.is_some(),
            enabled: entry.enabled,
            subscriptions: entry.subscriptions,
            features: known.map_or(0, |(_, features)| *features),
            listener,
            token,
            state: State::of(entry.enabled, findings.gravest(entry.index)),
        }
    };
    entries.into_iter().map(row).collect()
}

/// Writes annotations and the summary. That they cannot be written hides no result.
fn tell_actions(
    validation: &Validation,
    file: Option<&str>,
    environment: &Environment,
    output: &Output,
) {
    for line in validation.annotations(file) {
        output.command(&line);
    }
    if let Err(error) = actions::write_summary(environment, &validation.summary()) {
        let message = format!("cannot write the step's summary (GITHUB_STEP_SUMMARY): {error}");
        output.command(&actions::annotation(Level::Warning, "not-written", &message));
    }
}
