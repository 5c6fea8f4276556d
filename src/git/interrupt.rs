//! The wish that git stops: whoever waits for a git process stops waiting and ends it, so that what
//! is temporary can be removed, and what stands behind it is not begun.

use std::io::Read;
use std::process::{Child, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// The longest that a git process may take: far above the slowest fetch of the largest repository. A
/// server by ssh, or one that keeps git waiting for itself, has no limit else.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How waiting for a process ended.
pub(super) enum Waited {
    /// It has ended.
    Ended(Output),
    /// It was ended because of a wish.
    Stopped,
    /// It was ended because it took too long.
    TooLong,
}

/// A wish to stop, shared with those who wait for git.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Whether to stop, and whether also what is to be finished.
    raised: Raised,
    waiting: Option<mpsc::Sender<Word>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Raised {
    #[default]
    No,
    Once,
    Again,
}

/// What one who waits for git is told.
#[derive(Debug)]
enum Word {
    /// All of an output is read.
    Read(Stream, Vec<u8>),
    /// There is a wish to stop.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

impl Interrupt {
    /// Wishes that git stops; what is to be finished stops when this is wished once more.
    pub fn raise(&self) {
        let mut state = self.state();
        state.raised = if state.raised == Raised::No { Raised::Once } else { Raised::Again };
        if let Some(waiting) = &state.waiting {
            // Who has heard enough no longer listens.
            let _ = waiting.send(Word::Stop);
        }
    }

    /// Returns whether git is to stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.state().raised != Raised::No
    }

    /// Waits for a process and what it says. The children of one that was ended may live on until
    /// they notice, and nobody waits for them.
    pub(super) fn wait_for(&self, child: Child, to_be_finished: bool) -> std::io::Result<Waited> {
        self.wait_at_most(child, to_be_finished, LONGEST)
    }

    fn wait_at_most(
        &self,
        mut child: Child,
        to_be_finished: bool,
        longest: Duration,
    ) -> std::io::Result<Waited> {
        let deadline = Instant::now() + longest;
        let (tell, told) = mpsc::channel();
        read(Stream::Output, child.stdout.take(), &tell);
        read(Stream::Error, child.stderr.take(), &tell);
        self.state().waiting = Some(tell);
        let enough = if to_be_finished { Raised::Again } else { Raised::Once };
        let (mut stdout, mut stderr) = (None, None);
        while stdout.is_none() || stderr.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            let is_wished = self.state().raised >= enough;
            if is_wished || left.is_zero() {
                self.state().waiting = None;
                child.kill()?;
                child.wait()?;
                return Ok(if is_wished { Waited::Stopped } else { Waited::TooLong });
            }
            match told.recv_timeout(left) {
                Ok(Word::Read(Stream::Output, read)) => stdout = Some(read),
                Ok(Word::Read(Stream::Error, read)) => stderr = Some(read),
                Ok(Word::Stop) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        self.state().waiting = None;
        let status = child.wait()?;
        let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
        Ok(Waited::Ended(Output { status, stdout, stderr }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in there can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a stream to its end on a thread, which ends with the stream: with a process that was ended,
/// when the last of its children lets go of it.
fn read(which: Stream, stream: Option<impl Read + Send + 'static>, tell: &mpsc::Sender<Word>) {
    let tell = tell.clone();
    std::thread::spawn(move || {
        let mut read = Vec::new();
        if let Some(mut stream) = stream {
            // What came before an error is what git said.
            let _ = stream.read_to_end(&mut read);
        }
        let _ = tell.send(Word::Read(which, read));
    });
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn start(script: &str) -> Child {
        #[expect(clippy::disallowed_methods, reason = "what is tested takes any process")]
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn what_a_process_says_is_read_to_its_end() {
        let script = "echo a; echo b >&2; head -c 300000 /dev/zero; exit 3";
        let Waited::Ended(output) = Interrupt::default().wait_for(start(script), false).unwrap()
        else {
            panic!("it was ended");
        };
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((output.stdout.len(), output.stderr.as_slice()), (300_002, &b"b\n"[..]));
    }

    #[test]
    fn a_wish_ends_a_process_and_one_that_is_to_be_finished_at_the_second() {
        // The child of the process holds its outputs open: nobody waits for that.
        let script = "sleep 30 & wait";
        for (to_be_finished, wishes) in [(false, 1), (true, 2)] {
            let interrupt = Interrupt::default();
            let wish = interrupt.clone();
            let before = Instant::now();
            let thread = std::thread::spawn(move || (0..wishes).for_each(|_| wish.raise()));
            let waited = interrupt.wait_for(start(script), to_be_finished).unwrap();
            assert!(matches!(waited, Waited::Stopped) && before.elapsed().as_secs() < 10);
            thread.join().unwrap();
            assert!(interrupt.is_raised());
        }
        let interrupt = Interrupt::default();
        interrupt.raise();
        let waited = interrupt.wait_for(start("exit 0"), true).unwrap();
        assert!(matches!(waited, Waited::Ended(_)), "once is not enough");
    }

    #[test]
    fn a_process_that_takes_too_long_is_ended() {
        let script = start("sleep 30");
        let waited = Interrupt::default().wait_at_most(script, false, Duration::from_millis(20));
        assert!(matches!(waited.unwrap(), Waited::TooLong));
    }
}
