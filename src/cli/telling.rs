//! Tells of what was sent or brought: the result to standard output, warnings to standard error, and
//! in GitHub Actions outputs, summary and annotations. It decides nothing.

use std::io::Write as _;

use super::arguments::Format;
use super::{Exit, Failure, Output};
use crate::actions::{self, Level};
use crate::environment::Environment;
use crate::report::{Deliveries, Renderings};
use crate::text;

/// Tells of a report.
///
/// # Errors
/// When the result cannot be written.
pub(super) fn show(
    report: &impl Renderings,
    format: Format,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let shown = match format {
        Format::Human => report.text(output.paint()),
        Format::Json => report.json(),
    };
    let printed = output.result(&shown);
    if actions::is_actions(environment) {
        tell_actions(report, environment, output);
    } else {
        for warning in report.warnings() {
            output.warning(&text::shown(warning.message.as_bytes()));
        }
    }
    printed
}

/// Tells of a report of what was sent.
///
/// # Errors
/// As [`show`].
pub(super) fn tell(
    report: &impl Deliveries,
    format: Format,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    match show(report, format, environment, output) {
        // What was sent is sent: "nothing was sent", which exit 2 says, would be wrong.
        Err(failure) if report.has_sent() => {
            let counts = report.counts();
            let named: Vec<String> =
                report.undelivered().iter().take(20).map(ToString::to_string).collect();
            let help = format!(
                "delivered: {}, not delivered: {}{}{}",
                counts.delivered,
                counts.undelivered(),
                if named.is_empty() { "" } else { ": " },
                named.join(", ")
            );
            Err(Failure { exit: Exit::Undelivered, help: Some(help), ..failure })
        }
        printed => printed,
    }
}

/// Writes outputs, summary and annotations. That they cannot be written hides no result.
fn tell_actions(report: &impl Renderings, environment: &Environment, output: &Output) {
    for line in report.annotations() {
        output.command(&line);
    }
    // Each by itself: what can be written is of use without the rest.
    let failed = |what: &str, error: std::io::Error| {
        let message = format!("cannot write the {what}: {error}");
        output.command(&actions::annotation(Level::Warning, "not-written", &message));
    };
    let path = keep(report, environment).unwrap_or_else(|error| {
        failed("report for later steps", error);
        String::new()
    });
    if let Err(error) = actions::write_outputs(environment, &report.outputs(&path)) {
        failed("step's outputs (GITHUB_OUTPUT)", error);
    }
    if let Err(error) = actions::write_summary(environment, &report.summary()) {
        failed("step's summary (GITHUB_STEP_SUMMARY)", error);
    }
}

/// Writes the whole report to a file that later steps can read, and returns its path.
fn keep(report: &impl Renderings, environment: &Environment) -> std::io::Result<String> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("ecosystem-report-").suffix(".json");
    let mut file = match actions::temporary_directory(environment) {
        Some(directory) => builder.tempfile_in(directory)?,
        None => builder.tempfile()?,
    };
    file.write_all(report.json().as_bytes())?;
    let (_, path) = file.keep()?;
    Ok(path.to_string_lossy().into_owned())
}
