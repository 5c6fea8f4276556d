//! The part of `validate` that asks GitHub: finds each cousin's token, asks about many cousins at
//! a time, has the answers judged as they land, and records what came of it in the order of the
//! file, so that the same facts give the same text.

mod course;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use course::{LOOK, Reached, Told};

use crate::actions;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure, Output};
use crate::delivery::requests::RequestSettings;
use crate::ecosystem::{Code, Finding, Findings, Listed, Severity, Span};
use crate::environment::Environment;
use crate::github::app::Permissions;
use crate::github::auth::{AuthError, TokenForm, resolve};
use crate::github::{ApiUrl, AppError, Client, Tokens};
use crate::names::{FeaturePath, RepoName};
use crate::onboarding::online::{self, Asker, Facts, Question, Speaker, Subject, Verdict};

/// Up to so many cousins of a token are also asked what costs a request or two more each. Where the
/// first workflow file that is read listens, that is six, and 150 fit into the 900 requests that
/// GitHub allows a token in a minute; each file that is read besides costs one more.
const THOROUGH: usize = 150;

/// How many cousins are asked about at a time: enough to keep all requests in flight that may be,
/// and few enough that their workflows fit into memory.
const AT_A_TIME: usize = 64;

/// What is asked.
pub(in crate::cli) struct Request<'a> {
    pub(in crate::cli) listed: &'a [Listed],
    /// For each of them, what it would be told of.
    pub(in crate::cli) features: &'a [Vec<FeaturePath>],
    /// The keys of all names in the file.
    pub(in crate::cli) names: &'a HashSet<String>,
    /// The monorepo's own name.
    pub(in crate::cli) source: Option<&'a RepoName>,
    pub(in crate::cli) concurrency: NonZeroUsize,
    pub(in crate::cli) timeout: Duration,
    pub(in crate::cli) max_wait: Duration,
    pub(in crate::cli) environment: &'a Environment,
}

impl<'a> Request<'a> {
    /// Returns the cousin at a place, to be judged.
    fn subject<'s>(&self, at: usize, redacted: &'s dyn Fn(String) -> String) -> Option<Subject<'s>>
    where
        'a: 's,
    {
        Some(Subject {
            listed: self.listed.get(at)?,
            features: self.features.get(at)?,
            source: self.source,
            others: self.names,
            redacted,
        })
    }
}

/// What came of it.
pub(in crate::cli) struct Asked {
    /// How many requests were sent.
    pub(in crate::cli) requests: u64,
    /// In the order of [`Request::listed`].
    pub(in crate::cli) cousins: Vec<Answers>,
    /// How the process is to end, when a signal came before all were asked about.
    pub(in crate::cli) interrupted: Option<Exit>,
}

/// What there is to show of one cousin.
#[derive(Default)]
pub(in crate::cli) struct Answers {
    /// The workflow that will hear it.
    pub(in crate::cli) listener: Option<String>,
    /// The variable of its token.
    pub(in crate::cli) token: Option<String>,
}

/// Asks GitHub about each cousin and records what speaks against it.
pub(in crate::cli) fn ask(
    request: &Request<'_>,
    findings: &mut Findings<'_>,
    output: &Output,
) -> Result<Asked, Failure> {
    let environment = request.environment;
    let api = ApiUrl::parse(actions::api_url(environment))?;
    let (tokens, speakers) = speakers(request)?;
    output.mask(&tokens, environment);
    let settings = RequestSettings {
        concurrency: request.concurrency,
        max_wait: request.max_wait,
        tokens: tokens.labels(),
    };
    let client = Client::new(api, tokens, request.timeout)?;
    let asker = Arc::new(Asker::new(client, settings));
    let redacted = |text| asker.redacted(text);
    let mut landed = Landed::new();
    let take = |at: usize, speaker: &Speaker, facts: &Facts| {
        if let Some(subject) = request.subject(at, &redacted) {
            let listener = facts.listener(&subject.listed.cousin.event_type);
            landed.insert(at, (listener, online::judge(&subject, speaker, facts)));
        }
    };
    let ended = carry_out(request, &speakers, &asker, output, take)?;
    let mut cousins = Vec::with_capacity(request.listed.len());
    for (at, (listed, speaker)) in request.listed.iter().zip(&speakers).enumerate() {
        let Some(subject) = request.subject(at, &redacted) else { continue };
        let (answers, verdict) = concluded(&subject, speaker, landed.remove(&at), &ended);
        verdict.record(listed, findings);
        cousins.push(answers);
    }
    if ended.some_briefly {
        findings.add(Severity::Note, Code::NotChecked, Span::at(0), briefly);
    }
    let interrupted = match ended.how {
        How::Interrupted(exit) => Some(exit),
        How::AllAsked | How::GaveUp => None,
    };
    Ok(Asked { requests: asker.sent(), cousins, interrupted })
}

/// What was judged of each cousin, by its place: the workflow that hears it, and the verdict.
type Landed = BTreeMap<usize, (Option<String>, Verdict)>;

/// Returns what there is to show of a cousin and to record about it; `found` is what was judged,
/// if anything was.
fn concluded(
    subject: &Subject<'_>,
    speaker: &Result<Speaker, AuthError>,
    found: Option<(Option<String>, Verdict)>,
    ended: &Ended,
) -> (Answers, Verdict) {
    match speaker {
        Err(error) => (Answers::default(), online::token_missing(subject, error)),
        Ok(speaker) => {
            let token = Some(speaker.variable.clone());
            let (listener, verdict) =
                found.unwrap_or_else(|| (None, online::not_asked(subject, ended.why())));
            (Answers { listener, token }, verdict)
        }
    }
}

/// Returns that some cousins were not asked everything.
fn briefly() -> Finding {
    Finding::new(
        format!(
            "with more than {THOROUGH} cousins for a token it was not asked what is turned off, nor \
             read what stands behind the first workflow that listens"
        ),
        "ask it of some with --only",
    )
}

/// How the asking ended.
struct Ended {
    how: How,
    /// Whether some cousins were not asked everything.
    some_briefly: bool,
}

enum How {
    AllAsked,
    GaveUp,
    Interrupted(Exit),
}

impl Ended {
    /// Returns why a cousin was not asked about.
    fn why(&self) -> &'static str {
        match self.how {
            How::AllAsked => "its answer was lost",
            How::GaveUp => "it answered about no other cousin",
            How::Interrupted(_) => "the run was interrupted before",
        }
    }
}

/// Returns the tokens, each once, and who speaks for each cousin.
fn speakers(request: &Request<'_>) -> Result<(Tokens, Vec<Result<Speaker, AuthError>>), AppError> {
    let lookup = |variable: &str| request.environment.raw(variable).map(ToOwned::to_owned);
    let app = cli::app::of(request.environment)?;
    let mut tokens = Tokens::new();
    let mut speaker = |Listed { cousin, .. }: &Listed| {
        if let Some(app) = app.as_ref().filter(|_| cousin.token_env.is_none()) {
            let id = tokens.add_app(app, &cousin.repo, &Permissions::to_read());
            let variable = tokens.label(id).unwrap_or_default();
            return Ok(Speaker { id, variable, form: TokenForm::App, built_in: false });
        }
        let token = resolve(cousin.token_env.as_deref(), &lookup)?;
        let (variable, form) = (token.variable().to_owned(), token.form());
        // A personal token may be called GITHUB_TOKEN too; its form tells.
        let built_in = token.is_built_in()
            && form == TokenForm::App
            && actions::is_actions(request.environment);
        Ok(Speaker { id: tokens.add(token), variable, form, built_in })
    };
    let speakers = request.listed.iter().map(&mut speaker).collect();
    Ok((tokens, speakers))
}

/// Asks about all cousins on a runtime of its own. `take` gets the facts about each, by its place,
/// as they land.
fn carry_out(
    request: &Request<'_>,
    speakers: &[Result<Speaker, AuthError>],
    asker: &Arc<Asker>,
    output: &Output,
    take: impl FnMut(usize, &Speaker, &Facts),
) -> Result<Ended, Failure> {
    let runtime = cli::network()?;
    let asked = questions(request.listed, speakers);
    let some_briefly = asked.iter().any(|(_, question)| !question.thorough);
    let progress = Progress::new(asked.len(), "asking GitHub", output);
    let how = runtime.block_on(all(asked, asker, &progress, output, take));
    runtime.block_on(asker.give_tokens_back());
    // A look-up of a name cannot be called off; the process need not wait for one.
    runtime.shutdown_background();
    Ok(Ended { how: how?, some_briefly })
}

/// Sends the requests, and listens to signals meanwhile.
async fn all(
    asked: Vec<(usize, Question)>,
    asker: &Arc<Asker>,
    progress: &Progress<'_>,
    output: &Output,
    mut take: impl FnMut(usize, &Speaker, &Facts),
) -> Result<How, Failure> {
    let mut signals = Signals::catch()?;
    let mut reached = Reached::none_of(asked.len());
    let mut waiting = asked.into_iter();
    let mut flights = JoinSet::new();
    let mut look = tokio::time::interval(LOOK);
    let mut told = Told::nothing(Instant::now());
    loop {
        while flights.len() < AT_A_TIME
            && let Some((at, question)) = waiting.next()
        {
            let asker = Arc::clone(asker);
            flights.spawn(async move {
                let facts = online::ask(&asker, &question).await;
                (at, question.speaker, facts)
            });
        }
        tokio::select! {
            landed = flights.join_next() => match landed {
                None => return Ok(How::AllAsked),
                Some(Ok((at, speaker, facts))) => {
                    take(at, &speaker, &facts);
                    progress.one_more();
                    if reached.nobody(&facts) {
                        return Ok(How::GaveUp);
                    }
                }
                Some(Err(error)) => {
                    let message = format!("asking about a cousin broke down: {error}");
                    return Err(Failure::new(message, "please report this"));
                }
            },
            _ = look.tick() => match asker.waiting() {
                Some((wait, reason)) if told.is_news(wait, Instant::now()) => {
                    progress.waiting(wait, reason);
                }
                Some(_) => {}
                None => progress.going_on(),
            },
            exit = signals.next() => {
                progress.aside(|| output.warning("interrupted: not all cousins were asked about"));
                return Ok(How::Interrupted(exit));
            }
        }
    }
}

/// Returns what is asked about each cousin that a token speaks for, with the cousin's place.
fn questions(listed: &[Listed], speakers: &[Result<Speaker, AuthError>]) -> Vec<(usize, Question)> {
    let mut of_token = BTreeMap::new();
    for speaker in speakers.iter().flatten() {
        *of_token.entry(speaker.id).or_insert(0) += 1;
    }
    let all = listed.iter().zip(speakers).enumerate();
    let asked = all.filter_map(|(at, (Listed { cousin, .. }, speaker))| {
        let speaker = speaker.as_ref().ok()?.clone();
        let thorough = of_token.get(&speaker.id).is_none_or(|count| *count <= THOROUGH);
        let (repo, event_type) = (cousin.repo.clone(), cousin.event_type.clone());
        Some((at, Question { repo, event_type, speaker, thorough }))
    });
    asked.collect()
}
