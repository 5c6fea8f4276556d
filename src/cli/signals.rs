//! The wish of the user or the runner that a run stops: SIGINT (Ctrl-C) and SIGTERM.

use super::{Exit, Failure};

/// The signals that end a run.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Starts to catch the signals; from now on they no longer end the process by themselves.
    pub(super) fn catch() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let catch = |kind| {
                signal(kind)
                    .map_err(|error| Failure::new(format!("cannot catch signals: {error}"), ""))
            };
            Ok(Self {
                interrupt: catch(SignalKind::interrupt())?,
                terminate: catch(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns how the process is to end, when a signal has come.
    pub(super) async fn next(&mut self) -> Exit {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.interrupt.recv() => Exit::Interrupted,
                _ = self.terminate.recv() => Exit::Terminated,
            }
        }
        #[cfg(not(unix))]
        {
            // Without a handler Ctrl-C still ends the process.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Exit::Interrupted
        }
    }
}
