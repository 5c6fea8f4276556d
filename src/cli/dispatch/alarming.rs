//! `--issue-on-failure` and `ECOSYSTEM_NOTIFY_URL`: what a run tells the alarm, and the token by
//! which the alarm speaks. An alarm that cannot be raised is a warning.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Request;
use crate::actions;
use crate::alarm::{self, Alarm, Heard, Results, State, judge};
use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::{self, Outcome, RequestSettings, Requests, SystemClock};
use crate::environment::Environment;
use crate::git::range::Trigger;
use crate::github::app::Permissions;
use crate::github::auth::resolve;
use crate::github::{ApiUrl, Client, TokenId, Tokens};
use crate::names::RepoName;
use crate::report::{Dispatch, Report, Warning, Watermark, WatermarkState};

/// How long GitHub's limits may hold the alarm up.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How long all of the alarm may take: the result waits for it.
const LONGEST: Duration = Duration::from_secs(60);

/// How an alarm is to be raised.
pub(super) struct Alarming {
    issue: bool,
    webhook: Option<SecretString>,
}

/// What the alarm is told.
struct Told<'a> {
    request: &'a Request<'a>,
    /// The monorepo, as far as it is known.
    source: Option<&'a RepoName>,
    results: &'a Results,
    /// None where the run came to nothing.
    report: Option<&'a Report>,
}

impl Alarming {
    /// Returns how an alarm is to be raised; none when it is not asked for. The webhook's address is
    /// hidden in all that follows.
    pub(super) fn new(environment: &Environment, issue: bool, output: &Output) -> Option<Self> {
        let webhook = environment.text(alarm::WEBHOOK).filter(|url| !url.is_empty());
        let webhook = webhook.map(SecretString::from);
        if let Some(url) = &webhook
            && actions::is_actions(environment)
        {
            output.command(&actions::mask(url.expose_secret()));
        }
        (issue || webhook.is_some()).then_some(Self { issue, webhook })
    }

    /// Tells of a run that has ended, and returns what went wrong with that.
    pub(super) fn ended(
        &self,
        request: &Request<'_>,
        report: &Report,
        output: &Output,
    ) -> (Vec<Warning>, Option<Exit>) {
        if report.dry_run {
            return (Vec::new(), None);
        }
        let results =
            Results { run: None, cousins: heard(report), enabled: report.before.enabled.clone() };
        let source = report.source.repository.as_ref();
        self.raise(&Told { request, source, results: &results, report: Some(report) }, output)
    }

    /// Tells of a run that came to nothing.
    pub(super) fn failed(
        &self,
        request: &Request<'_>,
        failure: &Failure,
        output: &Output,
    ) -> (Vec<Warning>, Option<Exit>) {
        // A preview would have sent nothing; and a stranger's pull request must raise no alarm.
        let sends =
            matches!(request.trigger, Trigger::Push(_) | Trigger::Other(_) | Trigger::Local);
        if request.dry_run || !sends {
            return (Vec::new(), None);
        }
        // Of a list with many faults the first: the run's log has them all, with their lines.
        let message = failure.message.lines().next().unwrap_or_default();
        let error = alarm::Failure::new(message, failure.help.as_deref());
        let results = Results { run: Some(error), ..Results::default() };
        let source = request.source.as_ref();
        self.raise(&Told { request, source, results: &results, report: None }, output)
    }

    fn raise(&self, told: &Told<'_>, output: &Output) -> (Vec<Warning>, Option<Exit>) {
        let (told, exit) = match self.sound(told, output) {
            Ok(told) => (told, None),
            Err(Failure { message, help, exit }) => {
                let told = vec![format!("{message}; {}", help.unwrap_or_default())];
                (told, Some(exit).filter(|exit| *exit != Exit::Misused))
            }
        };
        let warning = |message| Warning::new("alarm-not-raised", message);
        (told.into_iter().map(warning).collect(), exit)
    }

    fn sound(&self, told: &Told<'_>, output: &Output) -> Result<Vec<String>, Failure> {
        let Told { request, source, results, report } = *told;
        let Some(source) = source else {
            let help = "name it with --source OWNER/NAME";
            return Err(Failure::new("the monorepo that the alarm is for is not known", help));
        };
        let environment = request.environment;
        let api = ApiUrl::parse(actions::api_url(environment))?;
        let (mut tokens, token) =
            if self.issue { token(request, source)? } else { (Tokens::new(), TokenId(0)) };
        cli::hide_others(&mut tokens, environment);
        output.mask(&tokens, environment);
        let settings = RequestSettings {
            max_wait: MAX_WAIT,
            tokens: tokens.labels(),
            ..RequestSettings::default()
        };
        let client = Arc::new(Client::new(api, tokens, request.delivery.timeout)?);
        let clock = SystemClock::start();
        let requests =
            Requests::new(Arc::clone(&client), clock.clone(), settings, delivery::random);
        let alarm = Alarm {
            requests: &requests,
            clock: &clock,
            source,
            token,
            issue: self.issue,
            webhook: self.webhook.as_ref(),
        };
        let url = actions::run_url(environment);
        let run = alarm::Run {
            results,
            url: url.as_deref(),
            head: report.and_then(|report| report.range.head.as_ref()),
            at: Timestamp::now(),
        };
        let before = report.map(before).unwrap_or_default();
        let runtime = cli::network()?;
        let sounded = runtime.block_on(async {
            let mut signals = Signals::catch()?;
            let sounded = tokio::select! {
                sounded = alarm::sound(&alarm, &run, &before) => Ok(sounded.warnings),
                exit = signals.next() => Err(Failure { exit, ..unfinished("interrupted") }),
                () = tokio::time::sleep(LONGEST) => Err(unfinished("no end after a minute")),
            };
            client.give_tokens_back().await;
            sounded
        });
        runtime.shutdown_background();
        sounded
    }
}

fn unfinished(why: &str) -> Failure {
    Failure::new(format!("the alarm was given up: {why}"), "the next run raises it")
}

/// Returns what the run tells of each cousin.
fn heard(report: &Report) -> Vec<(RepoName, Heard)> {
    let of_dispatch = |dispatch: &Dispatch| {
        let heard = match dispatch.outcome {
            Outcome::Failed | Outcome::Exhausted | Outcome::Deferred => {
                let error = dispatch.error.as_deref().unwrap_or("not delivered");
                Heard::Failed(alarm::Failure::new(error, None))
            }
            Outcome::Delivered => Heard::Recovered,
            Outcome::Skipped | Outcome::Planned => return None,
        };
        Some((dispatch.repo.clone(), heard))
    };
    let mut all: Vec<_> = report.dispatches.iter().filter_map(of_dispatch).collect();
    // Whose watermark is at head, or beyond it, has received everything.
    let of_watermark = |watermark: &Watermark| {
        let heard = match watermark.state {
            WatermarkState::Created | WatermarkState::Advanced | WatermarkState::Current => {
                Heard::Recovered
            }
            WatermarkState::Unrecorded => {
                let error = "it has received everything, and that could not be recorded, so that \
                             each run tells it again";
                let help = "let GITHUB_TOKEN write the monorepo's contents";
                Heard::Failed(alarm::Failure::new(error, Some(help)))
            }
            WatermarkState::Newer | WatermarkState::Kept | WatermarkState::Planned => return None,
        };
        Some((watermark.repo.clone(), heard))
    };
    all.extend(report.watermarks.iter().flatten().filter_map(of_watermark));
    // What a run for an older commit delivers does not say that the newest arrives.
    let still = keys(&report.before.still);
    all.retain(|(repo, heard)| *heard != Heard::Recovered || !still.contains(&repo.key()));
    all
}

fn keys(repos: &[RepoName]) -> HashSet<String> {
    repos.iter().map(RepoName::key).collect()
}

/// Returns who was failing before, as far as the refs beside the watermarks tell: what an alarm
/// without an issue goes by.
fn before(report: &Report) -> State {
    let still = keys(&report.before.still);
    let enabled = report.before.enabled.as_deref().map(keys);
    // Who is not sent to any more is told of once, when that is taken out of the refs.
    let is_told = |repo: &RepoName| {
        !still.contains(&repo.key()) || enabled.as_ref().is_none_or(|it| it.contains(&repo.key()))
    };
    let failing = report.before.failing.iter().filter(|(repo, ..)| is_told(repo));
    failing.fold(State::default(), |state, (repo, since, commit)| {
        let failure = alarm::Failure::new("not delivered", None);
        let cousins = vec![(repo.clone(), Heard::Failed(failure))];
        let results = Results { cousins, ..Results::default() };
        let since = since.unwrap_or_else(Timestamp::now);
        judge(&state, &results, since, Some(commit)).1
    })
}

/// Returns the token that may write the monorepo's issues: the one with the least power first.
fn token(request: &Request<'_>, source: &RepoName) -> Result<(Tokens, TokenId), Failure> {
    let environment = request.environment;
    let mut tokens = Tokens::new();
    let found = ["GITHUB_TOKEN", "GH_TOKEN", "ECOSYSTEM_PAT"]
        .into_iter()
        .find(|variable| environment.text(variable).is_some_and(|value| !value.is_empty()));
    let id = match found {
        Some(variable) => {
            let lookup = |name: &str| environment.raw(name).map(ToOwned::to_owned);
            tokens.add(resolve(Some(variable), &lookup)?)
        }
        None => {
            let app = cli::app::of(environment)?.ok_or_else(|| {
                Failure::new(
                    format!("there is no token to write an issue in {source} with"),
                    "set GITHUB_TOKEN (in a workflow with permissions: issues: write)",
                )
            })?;
            tokens.add_app(&app, source, &Permissions::default().and("issues", "write"))
        }
    };
    Ok((tokens, id))
}
