//! One child process whose output is read while it runs, and which is killed by its id when it
//! takes longer than [`LIMIT`] or when the test ends first. A program that hangs is a failed test
//! with its output shown, not a CI job that somebody has to cancel.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest that one program may run: far above the slowest of them on a loaded machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How long a look at a running child is put off: short, because every test waits for several.
const PAUSE: Duration = Duration::from_millis(2);

/// The variables that a program needs to run at all; the last three are Windows' own.
const KEPT: [&str; 4] = ["PATH", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC"];

/// Returns a command with none of this process's environment but the variables in [`KEPT`].
pub(crate) fn scrubbed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    child: std::process::Child,
    shown: String,
    stdout: Pipe,
    stderr: Pipe,
    deadline: Instant,
}

impl Child {
    /// Starts the command with `input` on its standard input.
    pub(crate) fn start(command: &mut Command, input: &[u8]) -> Self {
        Self::start_with_limit(command, input, LIMIT)
    }

    /// Starts the command, to be killed after `limit`.
    pub(crate) fn start_with_limit(command: &mut Command, input: &[u8], limit: Duration) -> Self {
        let shown = format!("{command:?}");
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
        let stdout = Pipe::read(child.stdout.take().expect("it is piped"));
        let stderr = Pipe::read(child.stderr.take().expect("it is piped"));
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // A thread, because a program that does not read would hold us here past its time. An
            // error is no matter: a program may end before it has read everything.
            std::thread::spawn(move || stdin.write_all(&input));
        }
        Self { child, shown, stdout, stderr, deadline: Instant::now() + limit }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the standard output or the standard error holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let seen = |pipe: &Pipe| String::from_utf8_lossy(&pipe.so_far()).contains(text);
        while !seen(&self.stdout) && !seen(&self.stderr) {
            if self.has_ended() && self.stdout.is_closed() && self.stderr.is_closed() {
                // The last bytes may have come between the look at them and the end.
                if !seen(&self.stdout) && !seen(&self.stderr) {
                    self.fail(&format!("has ended without saying {text:?}"));
                }
                return;
            }
            self.pause(&format!("does not say {text:?}"));
        }
    }

    /// Waits until the program has ended and everything that it wrote is read.
    pub(crate) fn wait(mut self) -> Finished {
        while !self.has_ended() {
            self.pause("is still running");
        }
        while !self.stdout.is_closed() || !self.stderr.is_closed() {
            self.pause("has ended, and a process that it started still holds its output open");
        }
        let status = self.child.wait().expect("it has ended");
        Finished { status, stdout: self.stdout.so_far(), stderr: self.stderr.so_far() }
    }

    /// Returns whether the program has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_some()
    }

    fn pause(&mut self, state: &str) {
        if Instant::now() > self.deadline {
            self.fail(&format!("{state}, and its time is over"));
        }
        std::thread::sleep(PAUSE);
    }

    fn fail(&mut self, state: &str) -> ! {
        let _ = self.child.kill();
        panic!(
            "{} {state}\n--- stdout\n{}\n--- stderr\n{}",
            self.shown,
            String::from_utf8_lossy(&self.stdout.so_far()),
            String::from_utf8_lossy(&self.stderr.so_far()),
        );
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One output of a child, read by a thread that ends with it.
#[derive(Debug)]
struct Pipe {
    read: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Pipe {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&read);
        let thread = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = from.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { read, thread }
    }

    fn so_far(&self) -> Vec<u8> {
        self.read.lock().unwrap().clone()
    }

    fn is_closed(&self) -> bool {
        self.thread.is_finished()
    }
}
