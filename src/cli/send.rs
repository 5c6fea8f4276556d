//! `ecosystem send`: sends an event of somebody's own to one repository or many. This file turns
//! arguments and environment into one `Request`, has it delivered as a push is, and tells what came
//! of it; `targets` finds out who is sent to, `payload` what.

mod payload;
mod targets;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{Confirming, Delivery, Format};
use super::sending::{Line, Sender, Session, Target};
use super::{Exit, Failure, Output, confirming, listing, standard_input, telling};
use crate::actions;
use crate::delivery::{Body, Confirmation, Ending, Job, JobId, Outcome, Remedies};
use crate::environment::Environment;
use crate::git::GitError;
use crate::github::{ApiUrl, HEADERS, TokenId};
use crate::input;
use crate::names::{EventType, RepoName};
use crate::report::sent::{self, Row, Sent};
use crate::report::{SCHEMA, Source, Summary, Warning};
use crate::text;

/// Send an event of your own to one repository or many
///
/// Sends a `repository_dispatch` event, which starts the workflows that listen to its type: checked
/// before anything leaves, at GitHub's pace, tried again where that helps, and each repository with
/// an outcome of its own.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  # To the repository of this clone, or of this workflow
  ecosystem send --event-type rebuild

  # To others, with a payload of fields: = is text, := is JSON
  ecosystem send --to acme/web --to acme/app --event-type release \\
    --field version=1.4.0 --field prerelease:=false

  # What exactly would be sent
  ecosystem send --dry-run --to acme/web --event-type release \\
    --payload-file release.json

  # A list of repositories, and a payload that a program makes, in a workflow
  make-payload | ecosystem send --to-file repositories.txt --event-type build \\
    --payload-file - --with-context")]
pub struct Args {
    /// The repository to send to; may be given several times [default: `GITHUB_REPOSITORY`, else
    /// read from origin]
    ///
    /// One value may hold several names, separated by commas or white space.
    #[arg(long, value_name = "OWNER/NAME", help_heading = "Repositories")]
    to: Vec<String>,
    /// Send to the repositories in FILE, one on a line; - is standard input
    ///
    /// Blank lines count for nothing, nor does a # at the beginning or after white space, and what
    /// follows it.
    #[arg(long, value_name = "FILE", help_heading = "Repositories")]
    to_file: Option<PathBuf>,
    /// What receivers list under `types:`, 1 to 100 characters
    #[arg(long, short, value_name = "TYPE", value_parser = event_type, help_heading = "Event")]
    event_type: EventType,
    /// The `client_payload`, a JSON object of at most 10 keys and less than 64 KB
    #[arg(long, value_name = "JSON", conflicts_with = "payload_file", help_heading = "Event")]
    payload: Option<String>,
    /// Read the `client_payload` from FILE; - is standard input
    #[arg(long, value_name = "FILE", help_heading = "Event")]
    payload_file: Option<PathBuf>,
    /// Add a key to the payload: KEY=TEXT, or KEY:=JSON; may be given several times
    #[arg(long, short, value_name = "KEY=TEXT", help_heading = "Event")]
    field: Vec<String>,
    /// Add what GitHub Actions knows of this run: `source_repository`, `commit_sha`, `source_ref`
    /// and `run_url`
    ///
    /// A key that the payload has already stays as it is.
    #[arg(long, help_heading = "Event")]
    with_context: bool,
    /// Show the request that would be sent; needs no token and no network
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    delivery: Delivery,
    #[command(flatten)]
    confirming: Confirming,
}

/// What is to be sent, and to whom.
struct Request {
    api: ApiUrl,
    /// In order, each once.
    repos: Vec<RepoName>,
    event_type: EventType,
    dispatch_id: Option<String>,
    body: Arc<str>,
}

fn event_type(text: &str) -> Result<EventType, String> {
    // As the name is chosen freely, the default of a cousin would help nobody.
    let event_type = EventType::parse(text).map_err(|bad| bad.message)?;
    if text.trim() != text || text::shown(text.as_bytes()) != text {
        return Err("white space at an end, or a character that is not seen: no workflow would \
                    listen to that"
            .to_owned());
    }
    Ok(event_type)
}

/// Returns a file that was named on the command line, `-` for standard input, and how messages call
/// it. `what` says what the option names.
fn read(dir: &Path, file: &Path, limit: usize, what: &str) -> Result<(String, Vec<u8>), Failure> {
    let (name, bytes) = if file == Path::new("-") {
        ("standard input".to_owned(), standard_input(limit))
    } else {
        let path = listing::from(dir, file);
        (text::shown_path(&path), input::read_stream(&path, limit))
    };
    match bytes {
        Ok(bytes) => Ok((name, bytes)),
        Err(error) => Err(Failure::new(
            format!("cannot read {name}: {error}"),
            format!("{what}; - is standard input"),
        )),
    }
}

/// Runs the command.
///
/// # Errors
/// [`Failure`] when nothing could be done; a dispatch that was not delivered is no failure but an
/// [`Exit`].
pub fn run(
    dir: &Path,
    args: &Args,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut warnings = Vec::new();
    if !dir.is_dir() {
        return Err(GitError::NoDirectory(dir.to_owned()).into());
    }
    let stdin = Some(Path::new("-"));
    if [&args.to_file, &args.payload_file].iter().all(|file| file.as_deref() == stdin) {
        let message = "--to-file and --payload-file both read standard input";
        return Err(Failure::new(message, "put one of them into a file"));
    }
    let api = ApiUrl::parse(actions::api_url(environment))?;
    let payload = payload::read(dir, args, environment)?;
    let repos = targets::read(dir, args, environment, &api, &mut warnings)?;
    let request = Request {
        api,
        repos,
        event_type: args.event_type.clone(),
        dispatch_id: payload.dispatch_id(),
        body: payload.body(&args.event_type).into(),
    };
    let (lines, interrupted) = if args.dry_run {
        let planned = || Line::from(Ending::unsent(Outcome::Planned));
        (request.repos.iter().map(|_| planned()).collect(), None)
    } else {
        request.send(args, environment, &mut warnings, output)?
    };
    let report = request.report(args, lines, environment, warnings);
    let exit = if report.all_fine() { Exit::Done } else { Exit::Undelivered };
    telling::tell(&report, args.format, environment, output)?;
    Ok(interrupted.unwrap_or(exit))
}

impl Request {
    /// Sends it and returns what became of each dispatch, and how the process is to end when it was
    /// interrupted.
    fn send(
        &self,
        args: &Args,
        environment: &Environment,
        warnings: &mut Vec<Warning>,
        output: &Output,
    ) -> Result<(Vec<Line>, Option<Exit>), Failure> {
        let source = actions::repository(environment);
        let sender = Sender {
            environment,
            delivery: args.delivery,
            confirm: args.confirming.asked(),
            source: source.as_ref(),
            remedies: match self.dispatch_id {
                Some(_) => Remedies::OF_A_KNOWN_EVENT,
                None => Remedies::OF_AN_EVENT,
            },
            makes_up: false,
            stand_in_token: None,
        };
        let targets = self.repos.iter().map(|repo| Target { repo, token_env: None });
        let targets: Vec<Target<'_>> = targets.collect();
        let (session, tokens) = Session::open(&sender, &targets, warnings, output)?;
        let jobs: Arc<[Job]> =
            self.repos.iter().zip(&tokens).map(|(repo, token)| self.job(repo, *token)).collect();
        let sent = confirming::deliver(
            &session,
            &sender,
            output,
            |_, _| {},
            |ended| {
                let told = |JobId(at): JobId, ending: &Ending| ended(at, ending);
                session.deliver(jobs, &sender, output, told)
            },
            |at, ending| {
                let id = self.dispatch_id.clone().unwrap_or_default();
                confirming::dispatched(self.repos.get(at)?, *tokens.get(at)?, id, ending)
            },
        );
        session.close(&sent);
        sent
    }

    fn job(&self, repo: &RepoName, token: TokenId) -> Job {
        let body = Arc::clone(&self.body);
        Job { repo: repo.clone(), body: Body::new(move || body.as_bytes().to_vec()), token }
    }

    fn report(
        &self,
        args: &Args,
        lines: Vec<Line>,
        environment: &Environment,
        mut warnings: Vec<Warning>,
    ) -> Sent {
        let required = args.confirming.asked().is_some_and(|confirm| confirm.required);
        for (repo, line) in self.repos.iter().zip(&lines) {
            if let Some(moved) = &line.ending.renamed_to {
                let message = moved.warning(repo, "--to");
                warnings.push(Warning::new("renamed-repository", message));
            }
            let unconfirmed = line.confirmation.as_ref().and_then(|it| it.warning(repo));
            if let Some(message) = unconfirmed.filter(|_| !required) {
                warnings.push(Warning::new("unconfirmed", message));
            }
        }
        let dispatches: Vec<Row> =
            self.repos.iter().zip(lines).map(|(repo, line)| self.row(repo, line)).collect();
        Sent {
            schema: SCHEMA,
            source: Source {
                repository: actions::repository(environment),
                reference: actions::reference(environment).map(str::to_owned),
            },
            range: None,
            dry_run: args.dry_run,
            path_encoding: None,
            request: sent::Request {
                method: "POST",
                headers: HEADERS.into_iter().collect(),
                body: self.body.as_ref().to_owned(),
            },
            summary: Summary::count(dispatches.iter().map(|row| (&row.repo, row.outcome))),
            dispatches,
            warnings,
            note: None,
            disabled: Vec::new(),
            watermarks: None,
        }
    }

    fn row(&self, repo: &RepoName, line: Line) -> Row {
        let Line { ending, confirmation } = line;
        Row {
            repo: repo.clone(),
            event_type: self.event_type.clone(),
            updated_feature: None,
            commit_sha: None,
            base_sha: None,
            reason: None,
            dispatch_id: self.dispatch_id.clone(),
            matched_paths: None,
            outcome: ending.outcome,
            attempts: ending.attempts,
            status: ending.status,
            error: ending.error,
            run_again_after: ending.retry_after,
            confirmation: confirmation.as_ref().map(Confirmation::as_str),
            run_url: confirmation.as_ref().and_then(|it| it.url().map(str::to_owned)),
            url: self.api.dispatches(repo).to_string(),
        }
    }
}
