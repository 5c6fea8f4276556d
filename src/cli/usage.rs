//! What is said where the arguments are no command to carry out: help and the version, which go to
//! standard output and are no errors, and what is wrong with them, which repeats what was given and
//! so perhaps a stranger's text.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write as _};

use clap::error::ErrorKind::DisplayVersion;

use super::variables::Arguments;
use super::{Exit, output, secrets};
use crate::actions::{self, Level};
use crate::environment::Environment;
use crate::text;

/// Prints clap's answer, and below what is wrong which of it `arguments` have from the environment;
/// returns how the process ends. A closed pipe is no error.
pub(super) fn answer(
    answer: &clap::Error,
    arguments: &Arguments,
    environment: &Environment,
) -> Exit {
    let rendered = answer.render().to_string();
    let plain = secrets::redacted(environment, &rendered);
    let printed = match fit(&plain) {
        _ if answer.kind() == DisplayVersion => version(&plain),
        Cow::Borrowed(same) if same == rendered => answer.print(),
        fit => output::Log.write_all(fit.as_bytes()),
    };
    if answer.use_stderr() {
        if let Some(hint) = arguments.hint(&plain) {
            let _ = writeln!(output::Log, "\n{hint}");
        }
        if actions::is_actions(environment) {
            let said = plain.split("\n\n").next().unwrap_or_default();
            let said = said.strip_prefix("error: ").unwrap_or(said);
            output::command(&actions::annotation(Level::Error, "ecosystem", &fit(said)));
        }
    }
    let lost = printed.err().filter(|error| error.kind() != ErrorKind::BrokenPipe);
    if let Some(lost) = &lost {
        let _ = writeln!(output::Log, "error: cannot write to standard output: {lost}");
    }
    if answer.use_stderr() || lost.is_some() { Exit::Misused } else { Exit::Done }
}

/// Returns text in which neither the Actions runner nor a terminal finds a command.
fn fit(plain: &str) -> Cow<'_, str> {
    if !plain.chars().any(|c| c.is_control() && c != '\n') {
        return output::inert(plain);
    }
    let lines: Vec<Cow<'_, str>> =
        plain.split('\n').map(|line| text::shown(line.as_bytes())).collect();
    Cow::Owned(output::inert(&lines.join("\n")).into_owned())
}

/// Prints the version under the name of the program: there is no program `ecosystem-dispatch` with
/// a version of its own, as which clap would have it.
fn version(text: &str) -> io::Result<()> {
    let (_, version) = text.split_once(' ').unwrap_or_default();
    let mut stdout = io::stdout().lock();
    write!(stdout, "ecosystem {version}")?;
    stdout.flush()
}
