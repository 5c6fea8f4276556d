//! The wish that git stops: whoever waits for a git process stops waiting and ends it, so that what
//! is temporary can be removed, and what stands behind it is not begun.

use std::io::Read;
use std::process::{Child, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

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

    /// Waits for a process and what it says; nothing when it was ended because of a wish. Its own
    /// children may then live on until they notice, and nobody waits for them.
    pub(super) fn wait_for(
        &self,
        mut child: Child,
        to_be_finished: bool,
    ) -> std::io::Result<Option<Output>> {
        let (tell, told) = mpsc::channel();
        read(Stream::Output, child.stdout.take(), &tell);
        read(Stream::Error, child.stderr.take(), &tell);
        self.state().waiting = Some(tell);
        let enough = if to_be_finished { Raised::Again } else { Raised::Once };
        let (mut stdout, mut stderr) = (None, None);
        while stdout.is_none() || stderr.is_none() {
            if self.state().raised >= enough {
                self.state().waiting = None;
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            match told.recv() {
                Ok(Word::Read(Stream::Output, read)) => stdout = Some(read),
                Ok(Word::Read(Stream::Error, read)) => stderr = Some(read),
                Ok(Word::Stop) => {}
                Err(mpsc::RecvError) => break,
            }
        }
        self.state().waiting = None;
        let status = child.wait()?;
        let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
        Ok(Some(Output { status, stdout, stderr }))
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
