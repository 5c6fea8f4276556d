//! `--issue-on-failure` and `ECOSYSTEM_NOTIFY_URL`: what a run tells the alarm, and the token by
//! which the alarm speaks. An alarm that cannot be raised is a warning.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Request;
use crate::actions;
use crate::alarm::{self, Alarm, Heard, Results, State, judge};
use crate::cli::{self, Failure, Output};
use crate::delivery::{self, Outcome, RequestSettings, Requests, SystemClock};
use crate::git::range::Trigger;
use crate::github::app::Permissions;
use crate::github::auth::resolve;
use crate::github::{ApiUrl, Client, TokenId, Tokens};
use crate::names::RepoName;
use crate::report::{Dispatch, Report, Warning, WatermarkState};

/// The variable with the webhook's address.
const WEBHOOK: &str = "ECOSYSTEM_NOTIFY_URL";

/// How long GitHub's limits may hold the alarm up.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// How an alarm is to be raised.
pub(super) struct Alarming {
    issue: bool,
    webhook: Option<SecretString>,
}

impl Alarming {
    /// Returns how an alarm is to be raised; none when it is not asked for. The webhook's address is
    /// hidden in all that follows.
    pub(super) fn new(request: &Request<'_>, issue: bool, output: &Output) -> Option<Self> {
        let webhook = request.environment.text(WEBHOOK).filter(|url| !url.is_empty());
        let webhook = webhook.map(SecretString::from);
        if let Some(url) = &webhook
            && actions::is_actions(request.environment)
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
    ) -> Vec<Warning> {
        if report.dry_run {
            return Vec::new();
        }
        let unrecorded = report.warnings.iter().find(|it| it.code == "watermarks-not-written");
        let results = Results {
            run: unrecorded.map(|warning| alarm::Failure::new(&warning.message, None)),
            cousins: heard(report),
            enabled: report.before.enabled.clone(),
        };
        let source = report.source.repository.as_ref();
        self.raise(request, source, &results, Some(report), output)
    }

    /// Tells of a run that came to nothing.
    pub(super) fn failed(
        &self,
        request: &Request<'_>,
        failure: &Failure,
        output: &Output,
    ) -> Vec<Warning> {
        // A preview would have sent nothing; and a stranger's pull request must raise no alarm.
        let sends =
            matches!(request.trigger, Trigger::Push(_) | Trigger::Other(_) | Trigger::Local);
        if request.dry_run || !sends {
            return Vec::new();
        }
        let error = alarm::Failure::new(&failure.message, failure.help.as_deref());
        let results = Results { run: Some(error), ..Results::default() };
        self.raise(request, request.source.as_ref(), &results, None, output)
    }

    fn raise(
        &self,
        request: &Request<'_>,
        source: Option<&RepoName>,
        results: &Results,
        report: Option<&Report>,
        output: &Output,
    ) -> Vec<Warning> {
        let told = self.sound(request, source, results, report, output);
        let told = told.unwrap_or_else(|failure| {
            let help = failure.help.unwrap_or_default();
            vec![format!("{}; {help}", failure.message)]
        });
        told.into_iter().map(|message| Warning::new("alarm-not-raised", message)).collect()
    }

    fn sound(
        &self,
        request: &Request<'_>,
        source: Option<&RepoName>,
        results: &Results,
        report: Option<&Report>,
        output: &Output,
    ) -> Result<Vec<String>, Failure> {
        let Some(source) = source else {
            let help = "name it with --source OWNER/NAME";
            return Err(Failure::new("the monorepo that the alarm is for is not known", help));
        };
        let environment = request.environment;
        let api = ApiUrl::parse(actions::api_url(environment))?;
        let (tokens, token) =
            if self.issue { token(request, source)? } else { (Tokens::new(), TokenId(0)) };
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
            let sounded = alarm::sound(&alarm, &run, &before).await;
            client.give_tokens_back().await;
            sounded
        });
        runtime.shutdown_background();
        Ok(sounded.warnings)
    }
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
    let watermarks = report.watermarks.iter().flatten().filter(|watermark| match watermark.state {
        WatermarkState::Created | WatermarkState::Advanced | WatermarkState::Current => true,
        WatermarkState::Newer
        | WatermarkState::Kept
        | WatermarkState::Unrecorded
        | WatermarkState::Planned => false,
    });
    all.extend(watermarks.map(|watermark| (watermark.repo.clone(), Heard::Recovered)));
    all
}

/// Returns who was failing before, as far as the refs beside the watermarks tell: what an alarm
/// without an issue goes by.
fn before(report: &Report) -> State {
    let failing = report.before.failing.iter();
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
