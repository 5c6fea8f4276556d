//! The wish that a delivery stops: a handle for whoever catches the signal, and its other end,
//! which the delivery listens to. Which signals there are is `cli`'s business.

use tokio::sync::watch;

/// The handle that stops a delivery. Dropping it stops nothing.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

/// The end that a delivery listens to.
#[derive(Debug, Clone)]
pub struct Stopped(watch::Receiver<bool>);

/// Returns a handle and the end that listens to it.
#[must_use]
pub fn pair() -> (Stop, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopped(receiver))
}

impl Stop {
    /// Asks the delivery to stop; again is as good as once.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Returns an end that is never asked to stop.
    #[must_use]
    pub fn never() -> Self {
        pair().1
    }

    /// Returns whether it was asked to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it was asked to stop; never, when the handle is gone without that.
    pub async fn stopped(&mut self) {
        if self.0.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_is_heard_before_and_after_it_is_waited_for() {
        let (stop, mut stopped) = pair();
        assert!(!stopped.is_stopped());
        tokio::join!(stopped.stopped(), async { stop.stop() });
        assert!(stopped.is_stopped());
        stopped.clone().stopped().await;
    }

    #[tokio::test]
    async fn a_handle_that_is_dropped_stops_nothing() {
        let mut never = Stopped::never();
        tokio::select! {
            biased;
            () = never.stopped() => panic!("nobody asked"),
            () = tokio::task::yield_now() => {}
        }
    }
}
