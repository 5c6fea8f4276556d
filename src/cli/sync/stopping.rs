//! The wish that a sync stops. It is listened to from the beginning to the end, on a thread of its
//! own: git is told of it, those who wait for GitHub are, and what stands behind is not begun. A push
//! that has begun is finished, unless the wish comes a second time.

use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use crate::cli::signals::Signals;
use crate::cli::{self, Exit, Failure};
use crate::git::interrupt::Interrupt;

/// Listens to signals until it is dropped.
pub(super) struct Stopping {
    exit: watch::Receiver<Option<Exit>>,
    interrupt: Interrupt,
    enough: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stopping {
    /// Begins to listen.
    ///
    /// # Errors
    /// Signals cannot be caught.
    pub(super) fn listen() -> Result<Self, Failure> {
        let runtime = cli::network()?;
        let mut signals = {
            let _entered = runtime.enter();
            Signals::catch()?
        };
        let (tell, exit) = watch::channel(None);
        let (enough, ended) = oneshot::channel::<()>();
        let interrupt = Interrupt::default();
        let git = interrupt.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::pin!(ended);
                loop {
                    tokio::select! {
                        _ = &mut ended => return,
                        exit = signals.next() => {
                            // First the reason, so that it is known when git ends.
                            tell.send_replace(Some(exit));
                            git.raise();
                        }
                    }
                }
            });
        });
        Ok(Self { exit, interrupt, enough: Some(enough), thread: Some(thread) })
    }

    /// Returns what git is to be told of the wish with.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Returns how the process is to end, where a signal came.
    pub(super) fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Returns a place to wait for the signal at.
    pub(super) fn receiver(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        drop(self.enough.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits until a signal has come.
pub(super) async fn came(exit: &mut watch::Receiver<Option<Exit>>) -> Exit {
    match exit.wait_for(Option::is_some).await.map(|exit| *exit) {
        Ok(Some(exit)) => exit,
        // Nobody listens any more.
        _ => std::future::pending().await,
    }
}
