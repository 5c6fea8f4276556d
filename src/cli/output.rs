//! Where text goes: the result to standard output, all else to standard error. A closed pipe is no
//! error: whoever closed it has read enough.
//!
//! Whatever is printed passes [`inert`] on its way out, so that no text of a stranger becomes a
//! command to the Actions runner, even where somebody forgot to escape it. Only what
//! [`Output::command`] prints is one.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use secrecy::ExposeSecret as _;

use super::{Failure, When, secrets};
use crate::actions::{self, Level};
use crate::environment::Environment;
use crate::github::Tokens;
use crate::text::paint::Paint;

/// The two streams and whether they show colours.
#[derive(Debug)]
pub struct Output {
    stdout: Paint,
    stderr: Paint,
    quiet: bool,
    progress: bool,
}

impl Output {
    pub(super) fn new(environment: &Environment, when: When, quiet: bool, verbose: bool) -> Self {
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
            // The lines of the log would be drawn over.
            progress: on_terminal
                && !quiet
                && !verbose
                && !dumb
                && !actions::is_actions(environment),
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
        match stdout.write_all(inert(text).as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {error}"), ""))
            }
            _ => Ok(()),
        }
    }

    /// Prints how it goes on, where no progress line shows it.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            self.line(message);
        }
    }

    /// Prints a warning for people.
    pub fn warning(&self, message: &str) {
        if !self.quiet {
            self.line(&format!("{} {message}", self.stderr.yellow("warning:")));
        }
    }

    /// Prints a line on standard error.
    pub fn line(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", inert(line));
    }

    /// Prints a command to the Actions runner, as `actions` has made it.
    pub fn command(&self, command: &str) {
        self::command(command);
    }

    /// Has the Actions runner hide the tokens in all that follows, those that are minted later as
    /// soon as they are.
    pub(super) fn mask(&self, tokens: &Tokens, environment: &Environment) {
        if actions::is_actions(environment) {
            for token in tokens.iter() {
                self.command(&actions::mask(token.secret().expose_secret()));
            }
            tokens.on_minted(|secret| command(&actions::mask(secret.expose_secret())));
        }
    }

    /// Prints why the command failed, and in Actions annotates the run with it.
    pub fn failure(&self, failure: &Failure, environment: &Environment) {
        let failure = &Failure {
            message: secrets::redacted(environment, &failure.message),
            help: failure.help.as_deref().map(|help| secrets::redacted(environment, help)),
            ..failure.clone()
        };
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
            self.command(&actions::annotation(Level::Error, "ecosystem", message.trim_end()));
        }
    }
}

pub(super) fn command(command: &str) {
    let _ = writeln!(io::stderr().lock(), "{command}");
}

/// Returns text in which the Actions runner finds no command: it looks for `::` at the start of a
/// line, white space left out, and for `##[` anywhere, and takes a lone CR for the end of a line.
/// Source: the runner's `ActionCommand.cs`.
pub(super) fn inert(text: &str) -> Cow<'_, str> {
    let command = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.split(['\n', '\r']).any(command) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("##[", "#\\u{23}[");
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive(['\n', '\r']) {
        if command(line) {
            out.push_str(&line.replacen("::", "\\u{3a}:", 1));
        } else {
            out.push_str(line);
        }
    }
    Cow::Owned(out)
}

/// Standard error for the log, with each event made [`inert`]. It never fails: a log that nobody
/// reads any more must not end a run that is sending.
#[derive(Debug)]
pub(super) struct Log;

impl io::Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let _ = io::stderr().lock().write_all(inert(&text).as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command_to_the_runner() {
        for (text, safe) in [
            ("a :: b\n", "a :: b\n"),
            ("::error::x", "\\u{3a}:error::x"),
            ("a\n \t::error::x\nb", "a\n \t\\u{3a}:error::x\nb"),
            ("a\r::error::x", "a\r\\u{3a}:error::x"),
            ("a\r\n\u{a0}::error::x\r\n", "a\r\n\u{a0}\\u{3a}:error::x\r\n"),
            ("a ##[error]b", "a #\\u{23}[error]b"),
            ("###[::", "##\\u{23}[::"),
            ("::::", "\\u{3a}:::"),
        ] {
            assert_eq!(inert(text), safe, "{text:?}");
            assert_eq!(inert(safe), safe, "once is enough: {text:?}");
        }
    }
}
