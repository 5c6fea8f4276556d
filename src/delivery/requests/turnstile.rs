//! Where requests of many tasks wait for their turn. Each has a [`Place`], which is given back
//! however its future ends: answered, dropped while it waits, or dropped in flight. The judgement
//! is the queue's; here is what the queue must not know, a lock, a clock and the waking.
//!
//! Nothing runs in the background. One of those that wait watches the clock for all of them, so
//! that a virtual clock is asked for one wait at a time, the earliest; when it has its turn, the
//! next one watches.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, oneshot};

use crate::delivery::clock::Clock;
use crate::delivery::gate::Pass;
use crate::delivery::lane::Ended;
use crate::delivery::pace::Cost;
use crate::delivery::requests::queue::{Landing, Queue, Ticket, Turn};
use crate::delivery::schedule::Reason;
use crate::github::TokenId;

/// The queue of all requests, and what moves it on.
#[derive(Debug)]
pub(super) struct Turnstile<C> {
    pub(super) clock: C,
    /// Held for moments, and never while something is awaited.
    queue: Mutex<Queue>,
    /// Whoever has the one permit watches the clock.
    watch: Semaphore,
    /// Something happened that whoever watches must look at.
    changed: Notify,
}

impl<C: Clock> Turnstile<C> {
    pub(super) fn new(clock: C, queue: Queue) -> Self {
        Self { clock, queue: Mutex::new(queue), watch: Semaphore::new(1), changed: Notify::new() }
    }

    /// Returns the last place for a request with this token.
    pub(super) fn enter(&self, token: TokenId, cost: Cost) -> Place<'_, C> {
        let (ticket, turn) = self.change(|queue, now| {
            let ticket = queue.ticket(cost);
            (ticket, queue.wait(ticket, token, now, now))
        });
        Place { turnstile: self, ticket, token, at: At::Queue(turn) }
    }

    /// Returns how long all that is in the queue still waits, and for what.
    pub(super) fn waiting(&self) -> Option<(Duration, Reason)> {
        let (until, reason) = self.lock().waiting()?;
        Some((until.checked_sub(self.clock.now())?, reason))
    }

    /// Returns how many requests were on the wire.
    pub(super) fn sent(&self) -> u64 {
        self.lock().sent()
    }

    /// Changes the queue and lets start what may start then.
    fn change<T>(&self, change: impl FnOnce(&mut Queue, Duration) -> T) -> T {
        let mut queue = self.lock();
        // Within the lock, so that the queue's time never goes back.
        let now = self.clock.now();
        let changed = change(&mut queue, now);
        queue.start(now);
        drop(queue);
        self.changed.notify_one();
        changed
    }

    /// Watches the clock once nobody else does, and lets start what may start; never ends.
    async fn watch(&self) -> Infallible {
        // Nobody closes it; without a permit there would be one more who watches.
        let _permit = self.watch.acquire().await;
        loop {
            let (until, busy) = {
                let mut queue = self.lock();
                queue.start(self.clock.now());
                queue.again()
            };
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = self.clock.wait_until(until.unwrap_or_default(), busy), if until.is_some() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's place, in the queue or in flight.
pub(super) struct Place<'a, C: Clock> {
    turnstile: &'a Turnstile<C>,
    ticket: Ticket,
    token: TokenId,
    at: At,
}

enum At {
    Queue(oneshot::Receiver<Turn>),
    Flight(Pass),
    /// It was given back.
    Nowhere,
}

impl<C: Clock> Place<'_, C> {
    /// Returns when the request may be sent.
    ///
    /// # Errors
    /// When nothing more is sent with its token.
    pub(super) async fn turn(&mut self) -> Result<(), Ended> {
        let At::Queue(turn) = &mut self.at else { return Ok(()) };
        let turn = tokio::select! {
            biased;
            turn = turn => turn,
            never = self.turnstile.watch() => match never {},
        };
        match turn {
            Ok(Ok(pass)) => {
                self.at = At::Flight(pass);
                Ok(())
            }
            Ok(Err(ended)) => {
                self.at = At::Nowhere;
                Err(ended)
            }
            // The queue tells everyone before it forgets them.
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes the request out of the air.
    pub(super) fn landed(&mut self, requests: u32, landing: Landing) {
        if let At::Flight(pass) = std::mem::replace(&mut self.at, At::Nowhere) {
            self.turnstile.change(|queue, now| {
                queue.landed((self.ticket, self.token), pass, now, requests, landing);
            });
        }
    }

    /// Goes back to the request's place in the queue, to be sent again after `after`.
    pub(super) fn again(&mut self, after: Duration) {
        let Self { turnstile, ticket, token, .. } = *self;
        self.at = At::Queue(
            turnstile
                .change(|queue, now| queue.wait(ticket, token, now.saturating_add(after), now)),
        );
    }
}

impl<C: Clock> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let (ticket, token) = (self.ticket, self.token);
        match std::mem::replace(&mut self.at, At::Nowhere) {
            At::Nowhere => {}
            At::Queue(mut turn) => self.turnstile.change(|queue, now| {
                if !queue.leave(ticket, token, now)
                    && let Ok(Ok(pass)) = turn.try_recv()
                {
                    queue.landed((ticket, token), pass, now, 0, Landing::Lost);
                }
            }),
            // Nobody knows whether it arrived: the server may have counted it.
            At::Flight(pass) => self.turnstile.change(|queue, now| {
                queue.landed((ticket, token), pass, now, 1, Landing::Lost);
            }),
        }
    }
}
