//! Records while dispatches are sent what has been received: refs are written by a thread of its
//! own, so that nothing waits for git, and gathered, so that there are few pushes. What was
//! delivered and not recorded yet when the machine dies is sent again by the next run; how long
//! that can be is decided here.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::git::GitError;
use crate::git::refs::{Update, Writer};

/// What was delivered waits at least so long for more to be recorded with it: most runs are over
/// then, and need one push.
const SHORTEST: Duration = Duration::from_secs(1);

/// It waits at most so long, however long the run.
const LONGEST: Duration = Duration::from_secs(10);

/// A part of the run's time so far, for what lies between: the longer it takes, the fewer pushes
/// does each dispatch cost.
const PART: u32 = 20;

/// How often the last push is tried.
const ATTEMPTS: u32 = 3;

/// How long after the first of these attempts the second comes, and so on.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes what is to be written, and writes it.
#[derive(Debug)]
pub(super) struct Recorder {
    tell: Sender<Vec<Update>>,
    thread: JoinHandle<Recorded>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// The refs that are as they were to be.
    pub(super) written: Vec<Update>,
    /// Those that are not, each with the server's words.
    pub(super) refused: Vec<(Update, String)>,
    /// Those that could not be asked for, and why.
    pub(super) lost: Option<(Vec<Update>, GitError)>,
}

impl Recorder {
    /// Starts recording.
    pub(super) fn start(writer: Writer) -> Self {
        let (tell, told) = mpsc::channel();
        let work = Work { writer, due: Vec::new(), recorded: Recorded::default() };
        let thread = std::thread::spawn(move || work.run(&told));
        Self { tell, thread }
    }

    /// Takes updates, which are written soon.
    pub(super) fn record(&self, updates: Vec<Update>) {
        if !updates.is_empty() {
            // The thread ends only after this half of the channel.
            let _ = self.tell.send(updates);
        }
    }

    /// Writes what is left, and returns what came of everything.
    pub(super) fn finish(self) -> Recorded {
        drop(self.tell);
        self.thread.join().unwrap_or_default()
    }
}

struct Work {
    writer: Writer,
    due: Vec<Update>,
    recorded: Recorded,
}

impl Work {
    fn run(mut self, told: &Receiver<Vec<Update>>) -> Recorded {
        let started = Instant::now();
        let mut at = None;
        loop {
            let more = match at {
                None => told.recv().or(Err(RecvTimeoutError::Disconnected)),
                Some(at) => {
                    told.recv_timeout(Instant::saturating_duration_since(&at, Instant::now()))
                }
            };
            match more {
                Ok(updates) => {
                    self.due.extend(updates);
                    let spacing = (started.elapsed() / PART).clamp(SHORTEST, LONGEST);
                    at.get_or_insert_with(|| Instant::now() + spacing);
                }
                Err(RecvTimeoutError::Timeout) => {
                    at = None;
                    if let Err(error) = self.write() {
                        tracing::info!("watermarks are not written yet: {error}");
                        at = Some(Instant::now() + LONGEST);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.write_the_rest();
        self.recorded
    }

    fn write_the_rest(&mut self) {
        for attempt in 1..=ATTEMPTS {
            match self.write() {
                Ok(()) => return,
                Err(error) if attempt == ATTEMPTS => {
                    self.recorded.lost = Some((std::mem::take(&mut self.due), error));
                }
                Err(error) => {
                    tracing::info!("watermarks are not written yet: {error}");
                    std::thread::sleep(PAUSE * attempt);
                }
            }
        }
    }

    /// Writes what is due; on an error it stays so.
    fn write(&mut self) -> Result<(), GitError> {
        if self.due.is_empty() {
            return Ok(());
        }
        tracing::info!("writing {} refs to the monorepo's remote", self.due.len());
        let told = self.writer.write(&self.due)?;
        for (update, told) in std::mem::take(&mut self.due).into_iter().zip(told) {
            match told {
                Ok(()) => self.recorded.written.push(update),
                Err(why) => self.recorded.refused.push((update, why)),
            }
        }
        Ok(())
    }
}
