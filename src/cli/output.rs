//! Where text goes: the result to standard output, all else to standard error. A closed pipe is no
//! error: whoever closed it has read enough.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Failure, When};
use crate::actions::{self, Level};
use crate::environment::Environment;
use crate::report::human::Paint;

/// The two streams and whether they show colours.
#[derive(Debug)]
pub struct Output {
    stdout: Paint,
    stderr: Paint,
    quiet: bool,
    progress: bool,
}

impl Output {
    pub(super) fn new(environment: &Environment, when: When, quiet: bool) -> Self {
        let dumb = environment.text("TERM") == Some("dumb");
        let plain = environment.text("NO_COLOR").is_some() || dumb;
        let forced = environment.text("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let colour = |terminal: bool| match when {
            When::Always => true,
            When::Never => false,
            When::Auto => !plain && (terminal || forced),
        };
        let on_terminal = io::stderr().is_terminal();
        Self {
            stdout: Paint { colour: colour(io::stdout().is_terminal()) },
            stderr: Paint { colour: colour(on_terminal) },
            quiet,
            progress: on_terminal && !quiet && !dumb && !actions::is_actions(environment),
        }
    }

    /// Returns the colours of standard output.
    #[must_use]
    pub fn paint(&self) -> Paint {
        self.stdout
    }

    /// Returns whether standard error shows colours.
    #[must_use]
    pub fn colour_on_stderr(&self) -> bool {
        self.stderr.colour
    }

    /// Returns whether a progress line may be drawn on standard error.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Prints the result.
    ///
    /// # Errors
    /// When standard output cannot be written, unless its reader has closed it.
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {error}"), ""))
            }
            _ => Ok(()),
        }
    }

    /// Prints a warning for people.
    pub fn warning(&self, message: &str) {
        if !self.quiet {
            self.line(&format!("{} {message}", self.stderr.yellow("warning:")));
        }
    }

    /// Prints a line on standard error, such as a command to the Actions runner.
    pub fn line(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Prints why the command failed, and in Actions annotates the run with it.
    pub fn failure(&self, failure: &Failure, environment: &Environment) {
        // What is rendered already, with places, begins with its own severity.
        if failure.message.starts_with("error") {
            self.line(&failure.message);
        } else {
            self.line(&format!("{} {}", self.stderr.red("error:"), failure.message));
        }
        if let Some(help) = &failure.help {
            self.line(&format!("{} {help}", self.stderr.bold("help:")));
        }
        if actions::is_actions(environment) {
            let help = failure.help.as_deref().unwrap_or_default();
            let message = format!("{}\n{help}", failure.message);
            self.line(&actions::annotation(Level::Error, "ecosystem", message.trim_end()));
        }
    }
}
