//! Runs the built `ecosystem` binary as a runner or a person would, with an environment that
//! holds nothing but what the test puts there.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::process::{Child, Finished, LIMIT};
use super::repository::Sandbox;

/// One run of the binary, in the making. Its standard input is empty unless [`Run::input`] is
/// called.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

impl Run {
    /// Prepares a run in the sandbox's directory.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let command = sandbox.command(env!("CARGO_BIN_EXE_ecosystem"));
        Self { command, input: Vec::new(), limit: LIMIT }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away that was set before.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the directory that the binary starts in.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Sets what the runner sets for an event whose file is `fixtures/events/FILE`.
    pub(crate) fn event(self, name: &str, file: &str) -> Self {
        self.env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "acme/monorepo")
            .env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_EVENT_PATH", super::fixture(&format!("events/{file}")))
    }

    /// Puts the binary into a process group of its own, as a shell does for what a terminal's
    /// interrupt is sent to.
    #[cfg(unix)]
    pub(crate) fn in_a_group(mut self) -> Self {
        std::os::unix::process::CommandExt::process_group(&mut self.command, 0);
        self
    }

    /// Runs the binary to its end.
    pub(crate) fn run(self) -> Done {
        self.spawn().wait()
    }

    /// Starts the binary; what is returned kills it when it is dropped.
    pub(crate) fn spawn(mut self) -> Running {
        let child = Child::start_with_limit(&mut self.command, &self.input, self.limit);
        Running { child }
    }
}

/// A run that has begun.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Returns the process id, to send a signal to.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the binary has said `text`, on either output.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.child.wait_for(text);
    }

    /// Returns whether the binary has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.has_ended()
    }

    /// Kills the binary (SIGKILL), and nothing that it has started.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Waits for the end.
    pub(crate) fn wait(self) -> Done {
        Done::from(self.child.wait())
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Finished> for Done {
    fn from(finished: Finished) -> Self {
        let text = |name: &str, bytes| {
            String::from_utf8(bytes)
                .unwrap_or_else(|error| panic!("its {name} is not UTF-8: {error}"))
        };
        Self {
            code: finished.status.code(),
            stdout: text("standard output", finished.stdout),
            stderr: text("standard error", finished.stderr),
        }
    }
}

impl Done {
    /// Returns the one JSON document that the standard output must be.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "the output is not one JSON document: {error}\nexit code {:?}\n--- stdout\n{}\n--- stderr\n{}",
                self.code, self.stdout, self.stderr
            )
        })
    }

    /// Fails the test, with both outputs, unless the exit code is `code`.
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}
