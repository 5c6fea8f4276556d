//! What is sent: the JSON object that was given, the fields, and the run's context, in this order.
//! All of it is checked here, before a token is looked for.

use std::path::Path;

use super::Args;
use crate::actions;
use crate::cli::{Failure, secrets};
use crate::document::MAX_BYTES;
use crate::environment::Environment;
use crate::event::payload::{BadPayload, Payload};

/// Returns the payload as it is sent.
pub(super) fn read(dir: &Path, args: &Args, environment: &Environment) -> Result<Payload, Failure> {
    let mut payload = match (&args.payload, &args.payload_file) {
        (Some(json), _) => Payload::parse("--payload", json.as_bytes()).map_err(|bad| {
            let failure = Failure::from(bad);
            // As other programs take a file: `@release.json`, or its name.
            let help = "nothing was sent; --payload-file names a file with the payload";
            let is_json = json.trim_start().starts_with(['{', '[']);
            let help = if is_json { failure.help } else { Some(help.to_owned()) };
            Failure { help, ..failure }
        })?,
        (None, Some(file)) => {
            let what = "--payload-file names a file with a JSON object";
            let (name, bytes) = super::read(dir, file, MAX_BYTES, what)?;
            Payload::parse(&name, &bytes)?
        }
        (None, None) => Payload::default(),
    };
    for field in &args.field {
        payload.field(field)?;
    }
    if args.with_context {
        add_context(&mut payload, environment)?;
    }
    payload.check()?;
    keep_secrets(args, &payload, environment)?;
    Ok(payload)
}

/// Refuses an event with a secret in it: receivers would log it, and so would a dry run.
fn keep_secrets(args: &Args, payload: &Payload, environment: &Environment) -> Result<(), Failure> {
    let body = payload.body(&args.event_type);
    let held = secrets::held(environment, |secret| {
        let written = serde_json::Value::from(secret).to_string();
        body.contains(written.trim_matches('"'))
    });
    match held {
        None => Ok(()),
        Some(variable) => Err(Failure::new(
            format!("the event holds what {variable} holds"),
            "take it out: receivers have secrets of their own, and an event is no secret",
        )),
    }
}

/// Adds the keys by which a push tells the same.
fn add_context(payload: &mut Payload, environment: &Environment) -> Result<(), Failure> {
    let missing = |variable: &str| {
        let message = format!("--with-context: {variable} is not set, or is not what it should be");
        Failure::new(message, "GitHub Actions sets it; elsewhere give the keys with --field")
    };
    let source = actions::repository(environment).ok_or_else(|| missing("GITHUB_REPOSITORY"))?;
    let commit = actions::commit(environment).ok_or_else(|| missing("GITHUB_SHA"))?;
    payload.context("source_repository", Some(source.as_str()));
    payload.context("commit_sha", Some(commit.as_str()));
    payload.context("source_ref", actions::reference(environment));
    payload.context("run_url", actions::run_url(environment).as_deref());
    Ok(())
}

impl From<BadPayload> for Failure {
    fn from(bad: BadPayload) -> Self {
        Self::new(bad.to_string(), bad.help())
    }
}
