//! What is said where the arguments are no command to carry out: help and the version, which go to
//! standard output and are no errors, and what is wrong with them, which repeats what was given and
//! so perhaps a stranger's text.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write as _};

use clap::error::ErrorKind::DisplayVersion;

use super::{Exit, output};

/// Prints clap's answer, and below what is wrong `hint`; returns how the process ends. A closed pipe
/// is no error.
pub(super) fn answer(answer: &clap::Error, hint: Option<String>) -> Exit {
    let plain = answer.render().to_string();
    let printed = match output::inert(&plain) {
        _ if answer.kind() == DisplayVersion => version(&plain),
        Cow::Borrowed(_) => answer.print(),
        Cow::Owned(safe) => output::Log.write_all(safe.as_bytes()),
    };
    if let Some(hint) = hint.filter(|_| answer.use_stderr()) {
        let _ = writeln!(output::Log, "\n{hint}");
    }
    let lost = printed.err().filter(|error| error.kind() != ErrorKind::BrokenPipe);
    if let Some(lost) = &lost {
        let _ = writeln!(output::Log, "error: cannot write to standard output: {lost}");
    }
    if answer.use_stderr() || lost.is_some() { Exit::Misused } else { Exit::Done }
}

/// Prints the version under the name of the program: there is no program `ecosystem-dispatch` with
/// a version of its own, as which clap would have it.
fn version(text: &str) -> io::Result<()> {
    let (_, version) = text.split_once(' ').unwrap_or_default();
    let mut stdout = io::stdout().lock();
    write!(stdout, "ecosystem {version}")?;
    stdout.flush()
}
