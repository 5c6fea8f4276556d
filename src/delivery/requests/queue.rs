//! Which of many requests may start: those that wait, in the order in which they came, and how many
//! are in flight, over the lanes of all tokens. It gives turns and takes in what became of them;
//! it knows no clock, no client and nothing of what is asked. Times come in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::delivery::gate::{Pass, TooLong};
use crate::delivery::lane::{Ended, Lane, Lanes, over};
use crate::delivery::pace::{Cost, Pace, Priced};
use crate::delivery::schedule::Reason;
use crate::github::TokenId;

/// A request's number in the order in which they came, and what it costs. It keeps both through all
/// its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64, Cost);

impl Priced for Ticket {
    fn cost(&self) -> Cost {
        self.1
    }
}

/// What a request waits for: its turn, or that its token's lane has ended.
pub(super) type Turn = Result<Pass, Ended>;

/// What became of a request that was in flight.
#[derive(Debug)]
pub(super) enum Landing {
    /// It was answered, and not limited.
    Answered,
    /// It was given up, or ended without an answer.
    Lost,
    /// It met a limit, which asked for this wait when the time of day was `wall`.
    Limited { asked: Option<Duration>, error: String, wall: Timestamp },
    /// Its token was refused.
    Refused(String),
}

/// The requests of all tokens that are waiting or in flight.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: Lanes<Ticket>,
    /// Those that wait, and how to tell them.
    turns: BTreeMap<Ticket, oneshot::Sender<Turn>>,
    in_flight: usize,
    concurrency: usize,
    max_wait: Duration,
    tickets: u64,
    sent: u64,
}

impl Queue {
    pub(super) fn new(concurrency: usize, max_wait: Duration) -> Self {
        Self {
            lanes: Lanes::new(),
            turns: BTreeMap::new(),
            in_flight: 0,
            concurrency,
            max_wait,
            tickets: 0,
            sent: 0,
        }
    }

    /// Returns a number behind all that were given out.
    pub(super) fn ticket(&mut self, cost: Cost) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets, cost)
    }

    /// Puts a request at its place, where it waits until `until` at least. Its turn comes through
    /// what is returned; at once when its lane has ended.
    pub(super) fn wait(
        &mut self,
        ticket: Ticket,
        token: TokenId,
        until: Duration,
        now: Duration,
    ) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let max_wait = self.max_wait;
        let lane = self.lanes.get_or(token, || Lane::new(Pace::of_github(), max_wait));
        if let Some(ended) = &lane.ended {
            tell(sender, Err(ended.clone()));
            return receiver;
        }
        if until > now {
            lane.delay(ticket, until);
        } else {
            lane.ready(ticket);
        }
        self.turns.insert(ticket, sender);
        self.lanes.look(token, now);
        receiver
    }

    /// Takes out a request that waits, and returns whether it did.
    pub(super) fn leave(&mut self, ticket: Ticket, token: TokenId, now: Duration) -> bool {
        let waited = self.turns.remove(&ticket).is_some();
        if waited && let Some(lane) = self.lanes.get_mut(token) {
            lane.remove(ticket);
            self.lanes.look(token, now);
        }
        waited
    }

    /// Gives their turn to all that may start.
    pub(super) fn start(&mut self, now: Duration) {
        while self.in_flight < self.concurrency
            && let Some((ticket, token)) = self.lanes.first(now)
            && let Some(pass) = self.lanes.start(ticket, token, now)
        {
            self.in_flight += 1;
            if let Some(sender) = self.turns.remove(&ticket) {
                tell(sender, Ok(pass));
            }
        }
    }

    /// Takes in what became at `at` of a request that had its turn, and how often it was on the
    /// wire.
    pub(super) fn landed(
        &mut self,
        (ticket, token): (Ticket, TokenId),
        pass: Pass,
        at: Duration,
        requests: u32,
        landing: Landing,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.sent = self.sent.saturating_add(u64::from(requests));
        let Some(lane) = self.lanes.get_mut(token) else { return };
        lane.answered(at, ticket.cost(), requests);
        match landing {
            Landing::Answered => lane.gate.answered(pass),
            Landing::Lost => lane.gate.ended_without_limit(pass),
            // What was in flight when its lane ended changes nothing any more.
            Landing::Limited { .. } if lane.ended.is_some() => {}
            Landing::Limited { asked, error, wall } => {
                if let Err(TooLong(wait)) = lane.gate.limited(pass, at, asked) {
                    let after = over(wall, wait);
                    let error = format!(
                        "{error} asks for a longer wait than this run may take: run again after {after}"
                    );
                    self.end(token, &Ended::Deferred(error, after));
                }
            }
            Landing::Refused(error) => self.end(token, &Ended::Refused(error)),
        }
        self.lanes.look(token, at);
    }

    /// Returns when to look again although nothing was answered, and whether anything is in
    /// flight.
    pub(super) fn again(&self) -> (Option<Duration>, bool) {
        // While nothing more may be in flight, only an answer makes room.
        let full = self.in_flight >= self.concurrency;
        let again = self.lanes.again().filter(|_| !full).map(|(at, _)| at);
        (again, self.in_flight > 0)
    }

    /// Returns until when everything waits, and for what, while nothing is in flight.
    pub(super) fn waiting(&self) -> Option<(Duration, Reason)> {
        self.lanes.again().filter(|_| self.in_flight == 0)
    }

    /// Returns how many requests were on the wire.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    fn end(&mut self, token: TokenId, ended: &Ended) {
        let Some(lane) = self.lanes.get_mut(token) else { return };
        lane.ended = Some(ended.clone());
        for ticket in lane.clear() {
            if let Some(sender) = self.turns.remove(&ticket) {
                tell(sender, Err(ended.clone()));
            }
        }
    }
}

/// Tells a request what it waits for. It is there: who goes away leaves the queue first.
fn tell(sender: oneshot::Sender<Turn>, turn: Turn) {
    let _ = sender.send(turn);
}
