//! The pipeline, from a range to a report: each function is one arrow of the picture in the
//! crate's documentation.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::Request;
use crate::actions;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::{Exit, Failure, Output};
use crate::delivery::{self, Clock as _, Ending, Job, Means, Outcome, Settings, SystemClock};
use crate::ecosystem::{self, Cousin, Ecosystem};
use crate::event::{self, Context};
use crate::git::command::{Credential, Git};
use crate::git::range::{Comparison, Reason, Trigger};
use crate::git::source::{Compared, FoundBy, Outside, Source};
use crate::github::auth::resolve;
use crate::github::{ApiUrl, Client, TokenId, Tokens};
use crate::names::{CommitSha, RepoName};
use crate::report::{self, Dispatch, Report, Summary, Warning};
use crate::routing::{Planned, Reach, plan};
use crate::text;

/// The name of the file that lists the cousins.
const FILE: &str = "ecosystem.json";

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
    let pairs = environment.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let git = Git::new(pairs);
    let credentials = git_credentials(request);
    let outside = Outside {
        remote: request.remote.as_deref(),
        server: actions::server_url(environment),
        credentials: &credentials,
    };
    let mut source = Source::open(request.dir, &outside, &git)?;
    // A broken file stops the run before anything is fetched, where it can be read before.
    let early = file_outside_of_git(request, &source)?;
    let head = source.find_head(&comparison.head)?;
    let (file_name, bytes) = match early {
        Some(found) => found,
        None => file_at_head(&source, &head)?,
    };
    let ecosystem = ecosystem::parse(&file_name, &bytes)?;
    let cousins = chosen(ecosystem, &request.only)?;

    let reach = Reach::new(cousins.iter().flat_map(|cousin| &cousin.subscriptions));
    let compared = source.compare(comparison, &reach)?;
    let plan = plan(&cousins, &compared.changes.paths)?;
    let repository = request.source.clone().or_else(|| named_by(source.remote_url()?));
    let sends = comparison.sends && !request.dry_run;
    let mut warnings = warnings_of(&compared);
    let reference = reference(request, Some(&source));
    let run_url = actions::run_url(environment);
    let context = repository.as_ref().map(|source| Context {
        source,
        source_ref: reference.as_deref(),
        base: compared.base.as_ref(),
        head: &head,
        run_url: run_url.as_deref(),
    });

    let (endings, exit) = if sends && !plan.dispatches.is_empty() {
        let context = context.as_ref().ok_or_else(unknown_source)?;
        deliver(request, context, &cousins, &plan.dispatches, &compared, &mut warnings, output)?
    } else {
        if repository.is_none() {
            let failure = unknown_source();
            let help = failure.help.unwrap_or_default();
            warnings.push(warning("unknown-source", format!("{}: {help}", failure.message)));
        }
        let planned = || Ending::unsent(Outcome::Planned);
        (plan.dispatches.iter().map(|_| planned()).collect(), None)
    };

    let features = plan.dispatches.iter().map(|planned| planned.feature.clone()).collect();
    let (features, path_encoding) = report::write_features(features);
    let dispatches: Vec<Dispatch> = plan
        .dispatches
        .iter()
        .zip(features)
        .zip(endings)
        .filter_map(|((planned, updated_feature), ending)| {
            let cousin = cousins.get(planned.cousin)?;
            let id = repository
                .as_ref()
                .map(|source| event::dispatch_id(source, &cousin.repo, &planned.feature, &head));
            if let Some(moved) = &ending.renamed_to {
                let message = format!(
                    "{} (line {} of {file_name})",
                    moved.warning(&cousin.repo),
                    cousin.line
                );
                let renamed = warning("renamed-repository", message);
                if !warnings.contains(&renamed) {
                    warnings.push(renamed);
                }
            }
            Some(Dispatch {
                repo: cousin.repo.clone(),
                event_type: cousin.event_type.clone(),
                updated_feature,
                commit_sha: head.clone(),
                dispatch_id: id,
                matched_paths: planned.matched,
                outcome: ending.outcome,
                attempts: ending.attempts,
                status: ending.status,
                error: ending.error,
                run_again_after: ending.retry_after,
            })
        })
        .collect();
    let report = Report {
        schema: report::SCHEMA,
        source: report::Source { repository, reference },
        range: report::Range {
            base: compared.base,
            head: Some(head),
            reason: compared.reason,
            found_by: compared.found_by,
            complete: compared.complete,
            changed_paths: compared.changes.paths.len(),
        },
        dry_run: !sends,
        path_encoding,
        summary: Summary::of(&dispatches),
        dispatches,
        warnings,
        note: preview_note(comparison, request),
        disabled: plan.disabled,
    };
    let exit = exit.unwrap_or_else(|| Exit::of(&report));
    Ok((report, exit))
}

fn preview_note(comparison: &Comparison, request: &Request<'_>) -> Option<String> {
    (!comparison.sends).then(|| {
        let what = match request.trigger {
            Trigger::MergeGroup { .. } => "the merge queue's group",
            _ => "the pull request",
        };
        format!("a preview: merging {what} will notify the cousins below; nothing is sent now")
    })
}

/// Returns the tokens that may fetch a private monorepo, the one with the least power first.
fn git_credentials(request: &Request<'_>) -> Vec<Credential> {
    let environment = request.environment;
    let mut credentials: Vec<Credential> = Vec::new();
    for variable in ["GITHUB_TOKEN", "GH_TOKEN", "ECOSYSTEM_PAT"] {
        let value = environment.text(variable);
        let fit = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()));
        if let Some(value) = fit {
            credentials.push(Credential {
                variable: variable.to_owned(),
                secret: value.to_owned().into(),
            });
        }
    }
    credentials
}

/// Returns the file that was named, else the one in the work tree, with its name for messages.
fn file_outside_of_git(
    request: &Request<'_>,
    source: &Source<'_>,
) -> Result<Option<(String, Vec<u8>)>, Failure> {
    let named = request.ecosystem.as_deref();
    let in_work_tree =
        source.local_clone().and_then(|clone| clone.workdir()).map(|dir| dir.join(FILE));
    let Some(path) = named.or(in_work_tree.as_deref()) else { return Ok(None) };
    match std::fs::read(path) {
        Ok(bytes) => {
            let name = if named.is_some() { path } else { Path::new(FILE) };
            Ok(Some((text::shown(name.to_string_lossy().as_bytes()).into_owned(), bytes)))
        }
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(
            format!("cannot read {}: {error}", path.display()),
            "name the list of cousins with --ecosystem FILE",
        )),
    }
}

fn file_at_head(source: &Source<'_>, head: &CommitSha) -> Result<(String, Vec<u8>), Failure> {
    let bytes = source.file_at_head(FILE)?.ok_or_else(|| {
        Failure::new(
            format!("there is no {FILE}, neither in the work tree nor in {}", head.short()),
            format!(
                "add one, such as [{{\"repo\": \"owner/name\", \"subscriptions\": \
                 [\"features/x\"]}}], or name it with --ecosystem FILE (looked for {FILE} at the \
                 root of the repository)"
            ),
        )
    })?;
    Ok((format!("{}:{FILE}", head.short()), bytes))
}

/// Returns the cousins that `--only` leaves, all of them without it.
fn chosen(ecosystem: Ecosystem, only: &[RepoName]) -> Result<Vec<Cousin>, Failure> {
    let listed: HashMap<String, bool> =
        ecosystem.cousins.iter().map(|cousin| (cousin.repo.key(), cousin.enabled)).collect();
    if let Some(unknown) = only.iter().find(|name| !listed.contains_key(&name.key())) {
        let names = ecosystem.cousins.iter().map(|cousin| cousin.repo.as_str());
        let help = match text::nearest(unknown.as_str(), names) {
            Some(near) => format!("did you mean {near}?"),
            None => "--only takes a repository that the list of cousins holds".to_owned(),
        };
        return Err(Failure::new(format!("--only: {unknown} is not among the cousins"), help));
    }
    let only: Vec<String> = only.iter().map(RepoName::key).collect();
    let wanted = |cousin: &Cousin| only.is_empty() || only.contains(&cousin.repo.key());
    Ok(ecosystem.cousins.into_iter().filter(wanted).collect())
}

fn warning(code: &'static str, message: String) -> Warning {
    Warning { code, message }
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
        warnings.push(warning("incomplete-range", message));
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
        warnings.push(warning("case-or-unicode-mismatch", message));
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
    let head = source?.local_clone()?.find_reference("HEAD").ok()?;
    let named = head.symbolic_target().ok().flatten().map(ToOwned::to_owned);
    named.filter(|_| request.flags.head.is_none())
}

/// Returns the `owner/name` in the address of a remote.
fn named_by(url: &str) -> Option<RepoName> {
    let path = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        None => {
            let (host, path) = url.split_once(':')?;
            if host.contains('/') || host.len() <= 1 {
                return None;
            }
            path
        }
    };
    let path = path.trim_matches('/');
    RepoName::parse(path.strip_suffix(".git").unwrap_or(path)).ok()
}

fn unknown_source() -> Failure {
    Failure::new(
        "cannot tell the monorepo's own name, which every event carries",
        "name it with --source OWNER/NAME (it is read from GITHUB_REPOSITORY or origin else)",
    )
}

/// Sends the plan and returns how each dispatch ended, and how the process is to end when it was
/// interrupted.
fn deliver(
    request: &Request<'_>,
    context: &Context<'_>,
    cousins: &[Cousin],
    dispatches: &[Planned],
    compared: &Compared,
    warnings: &mut Vec<Warning>,
    output: &Output,
) -> Result<(Vec<Ending>, Option<Exit>), Failure> {
    let environment = request.environment;
    let api = ApiUrl::parse(actions::api_url(environment))?;
    let (tokens, by_cousin) = tokens(request, context, cousins, dispatches, warnings)?;
    if actions::is_actions(environment) {
        for token in tokens.iter() {
            output.line(&actions::mask(token.secret().expose_secret()));
        }
    }
    let jobs: Vec<Job> = dispatches
        .iter()
        .filter_map(|planned| {
            let cousin = cousins.get(planned.cousin)?;
            let changed = &compared.changes.paths;
            let paths = planned.paths.iter().filter_map(|run| changed.get(run.clone())).flatten();
            let event = event::encode(
                context,
                &cousin.repo,
                &cousin.event_type,
                &planned.feature,
                paths.map(|changed| changed.path.as_slice()),
                planned.matched,
            );
            Some(Job {
                repo: cousin.repo.clone(),
                body: event.body.into(),
                token: *by_cousin.get(&planned.cousin)?,
            })
        })
        .collect();
    let settings = Settings {
        concurrency: request.delivery.concurrency,
        per_minute: request.delivery.per_minute,
        max_wait: request.delivery.max_wait,
        tokens: tokens.labels(),
    };
    let client = Client::new(api, tokens, request.delivery.timeout)?;
    let progress = Progress::new(jobs.len(), output.shows_progress());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the network runtime: {error}"), ""))?;
    let clock = SystemClock::start();
    let observed = clock.clone();
    let observe = |event: delivery::Event<'_>| progress.take(&event, observed.now());
    runtime.block_on(async {
        let mut signals = Signals::catch()
            .map_err(|error| Failure::new(format!("cannot catch signals: {error}"), ""))?;
        let (stop, stopped) = delivery::stop::pair();
        let means = Means { sender: Arc::new(client), clock, jitter: delivery::random };
        let delivered = delivery::deliver(jobs.into(), &settings, means, stopped, observe);
        let mut delivered = std::pin::pin!(delivered);
        let mut interrupted = None;
        loop {
            tokio::select! {
                endings = &mut delivered => return Ok((endings, interrupted)),
                exit = signals.next() => {
                    if interrupted.replace(exit).is_some() {
                        return Err(Failure { exit, ..Failure::new("interrupted twice, stopped at once", "") });
                    }
                    stop.stop();
                }
            }
        }
    })
}

type TokenOfCousin = HashMap<usize, TokenId>;

/// Returns the tokens that the plan needs, each once, and which cousin uses which.
fn tokens(
    request: &Request<'_>,
    context: &Context<'_>,
    cousins: &[Cousin],
    dispatches: &[Planned],
    warnings: &mut Vec<Warning>,
) -> Result<(Tokens, TokenOfCousin), Failure> {
    let environment = request.environment;
    let lookup = |variable: &str| environment.raw(variable).map(ToOwned::to_owned);
    let mut tokens = Tokens::new();
    let mut by_cousin = TokenOfCousin::new();
    let mut built_in = false;
    for planned in dispatches {
        let Some(cousin) = cousins.get(planned.cousin) else { continue };
        if by_cousin.contains_key(&planned.cousin) {
            continue;
        }
        let token = resolve(cousin.token_env.as_deref(), &lookup).map_err(|error| {
            let failure = Failure::from(error);
            Failure { message: format!("{}: {}", cousin.repo, failure.message), ..failure }
        })?;
        built_in |= token.is_built_in()
            && actions::is_actions(environment)
            && cousin.repo.key() != context.source.key();
        by_cousin.insert(planned.cousin, tokens.add(token));
    }
    if built_in {
        let message = "GITHUB_TOKEN, which GitHub Actions makes for each job, cannot reach other \
                       repositories; put a personal access token or an App's token into \
                       ECOSYSTEM_PAT";
        warnings.push(warning("built-in-token", message.to_owned()));
    }
    Ok((tokens, by_cousin))
}
