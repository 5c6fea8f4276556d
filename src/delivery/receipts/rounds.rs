//! Which cousin is asked about when, and what is known so far: the judgement of looking for
//! receipts, as a state machine without clock and client, like the delivery's schedule. Times come
//! in as the time since the run's start.
//!
//! One request tells about all dispatches of a cousin. A cousin is asked about at growing distances
//! until nothing can change any more or the deadline has come; where many are asked about with one
//! token the distances are long enough for all of them at GitHub's pace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::receipts::listing::{Heard, Question, Trouble};
use crate::delivery::receipts::matching::{Delivered, EARLIER, Match, Run, assign};
use crate::delivery::receipts::{Confirmation, Dispatched, Tally};
use crate::github::TokenId;
use crate::names::RepoName;

/// How long after the answer to a dispatch its run is looked for first.
const FIRST: Duration = Duration::from_secs(3);

/// The distance between the first two requests about a cousin; it doubles with each further one.
const DISTANCE: Duration = Duration::from_secs(5);

/// How many reads GitHub lets a token do in a second: 900 a minute.
const READS_PER_SECOND: u32 = 15;

/// How long what is asked at the deadline may take to be answered.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask about this cousin, and ask again at once.
    Ask(usize, Question),
    /// Ask again at this time, or when something was answered.
    WaitUntil(Duration),
    /// Nothing more will be known; what is in flight is given up.
    Finished,
}

/// A dispatch, by its place in the caller's list.
#[derive(Debug)]
struct Sent {
    place: usize,
    id: String,
    at: Timestamp,
}

/// A cousin, and what is known of it.
#[derive(Debug)]
struct Cousin {
    repo: RepoName,
    token: TokenId,
    sent: Vec<Sent>,
    runs: BTreeMap<u64, Run>,
    state: State,
    asked: u32,
    /// How often every one of its dispatches had a run.
    settled: u32,
    /// When it was heard of last, since the start.
    heard_at: Option<Duration>,
    more: bool,
    trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting(Duration),
    Asked,
    Done,
}

/// What is known of all cousins.
#[derive(Debug)]
pub(super) struct Rounds {
    cousins: Vec<Cousin>,
    waiting: BTreeSet<(Duration, usize)>,
    /// How many are asked about at present.
    asking: usize,
    /// How many cousins of each token are still asked about.
    open: BTreeMap<TokenId, u32>,
    timeout: Duration,
    started: Option<Duration>,
    /// Whether it was looked until the end.
    ended: bool,
    known: Vec<Option<Confirmation>>,
}

impl Rounds {
    pub(super) fn new(dispatched: &[Dispatched], timeout: Duration) -> Self {
        let mut cousins: BTreeMap<(String, TokenId), Cousin> = BTreeMap::new();
        for (place, dispatch) in dispatched.iter().enumerate() {
            let repo = dispatch.moved_to.as_ref().unwrap_or(&dispatch.repo);
            let cousin = cousins.entry((repo.key(), dispatch.token)).or_insert_with(|| Cousin {
                repo: repo.clone(),
                token: dispatch.token,
                sent: Vec::new(),
                runs: BTreeMap::new(),
                state: State::Done,
                asked: 0,
                settled: 0,
                heard_at: None,
                more: false,
                trouble: None,
            });
            let id = dispatch.dispatch_id.to_ascii_lowercase();
            cousin.sent.push(Sent { place, id, at: dispatch.answered_at });
        }
        Self {
            cousins: cousins.into_values().collect(),
            waiting: BTreeSet::new(),
            asking: 0,
            open: BTreeMap::new(),
            timeout,
            started: None,
            ended: false,
            known: vec![None; dispatched.len()],
        }
    }

    /// Begins at `now`, when the time of day is `wall`. What was begun before goes on: what was in
    /// flight is asked again.
    pub(super) fn start(&mut self, now: Duration, wall: Timestamp) {
        let first_time = self.started.is_none();
        let deadline = self.deadline(now);
        self.asking = 0;
        for (at, cousin) in self.cousins.iter_mut().enumerate() {
            let due = match cousin.state {
                State::Done if first_time => cousin.first_due(now, wall).min(deadline),
                State::Asked => now,
                State::Waiting(_) | State::Done => continue,
            };
            cousin.state = State::Waiting(due);
            self.waiting.insert((due, at));
            if first_time {
                *self.open.entry(cousin.token).or_default() += 1;
            }
        }
    }

    fn deadline(&mut self, now: Duration) -> Duration {
        self.started.get_or_insert(now).saturating_add(self.timeout)
    }

    /// Returns what to do at `now`.
    pub(super) fn next(&mut self, now: Duration) -> Step {
        let end = self.deadline(now).saturating_add(GRACE);
        let first = self.waiting.first().copied();
        if now >= end || (first.is_none() && self.asking == 0) {
            self.ended = true;
            return Step::Finished;
        }
        match first {
            Some((due, at)) if due <= now => {
                self.waiting.pop_first();
                match self.cousins.get_mut(at) {
                    Some(cousin) => {
                        self.asking += 1;
                        Step::Ask(at, cousin.ask())
                    }
                    None => Step::WaitUntil(now),
                }
            }
            Some((due, _)) => Step::WaitUntil(due.min(end)),
            None => Step::WaitUntil(end),
        }
    }

    /// Takes in what was heard at `now` about a cousin that was asked about.
    pub(super) fn heard(&mut self, at: usize, now: Duration, heard: Heard) {
        let started = self.started.unwrap_or(now);
        let deadline = self.deadline(now);
        let Some(cousin) = self.cousins.get_mut(at).filter(|it| it.state == State::Asked) else {
            return;
        };
        self.asking = self.asking.saturating_sub(1);
        let matched = cousin.take(heard, now.saturating_sub(started), &mut self.known);
        let open = self.open.entry(cousin.token).or_default();
        if now >= deadline || cousin.is_done(matched) {
            cousin.state = State::Done;
            *open = open.saturating_sub(1);
            return;
        }
        let doubled = 2u32.saturating_pow(cousin.asked.saturating_sub(1));
        let for_all = Duration::from_secs(1).saturating_mul(*open) / READS_PER_SECOND;
        let distance = DISTANCE.saturating_mul(doubled).max(for_all);
        let due = now.saturating_add(distance);
        // What would come just before the last request is left to it.
        let due = if due.saturating_add(FIRST) > deadline { deadline } else { due };
        cousin.state = State::Waiting(due);
        self.waiting.insert((due, at));
    }

    /// Returns how many dispatches have what.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for known in &self.known {
            match known {
                Some(Confirmation::Confirmed { .. }) => tally.confirmed += 1,
                Some(Confirmation::Probable { .. }) => tally.probable += 1,
                Some(Confirmation::Unconfirmed { .. }) | None => tally.unconfirmed += 1,
            }
        }
        tally
    }

    /// Returns what is known of each dispatch, in the caller's order.
    pub(super) fn confirmations(&self) -> Vec<Confirmation> {
        let mut all = self.known.clone();
        for cousin in &self.cousins {
            for sent in &cousin.sent {
                if let Some(known @ None) = all.get_mut(sent.place) {
                    let why = cousin.why(self.ended, self.timeout);
                    *known = Some(Confirmation::Unconfirmed { why });
                }
            }
        }
        all.into_iter().flatten().collect()
    }
}

/// How many of a cousin's dispatches have a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matched {
    Confirmed,
    AtLeastProbable,
    NotAll,
}

impl Cousin {
    /// Returns when it is asked about first: a little after its last dispatch was answered, by the
    /// clocks of two machines, and so never later than if that had been now.
    fn first_due(&self, now: Duration, wall: Timestamp) -> Duration {
        let last = self.sent.iter().map(|sent| sent.at).max().unwrap_or(wall);
        let since = Duration::try_from(wall.duration_since(last)).unwrap_or_default();
        now.saturating_add(FIRST.saturating_sub(since))
    }

    fn ask(&mut self) -> Question {
        self.state = State::Asked;
        self.asked = self.asked.saturating_add(1);
        let first = self.sent.iter().map(|sent| sent.at).min().unwrap_or(Timestamp::MIN);
        Question {
            repo: self.repo.clone(),
            token: self.token,
            since: first.saturating_sub(EARLIER).unwrap_or(Timestamp::MIN),
            ids: self.sent.iter().map(|sent| sent.id.clone()).collect(),
        }
    }

    /// Takes in what was heard, and notes which run each dispatch has in all that was heard so far.
    fn take(&mut self, heard: Heard, at: Duration, known: &mut [Option<Confirmation>]) -> Matched {
        if heard.trouble.is_none() {
            self.heard_at = Some(at);
        }
        self.more = heard.more;
        self.trouble = heard.trouble;
        self.runs.extend(heard.runs.into_iter().map(|run| (run.id, run)));
        let sent = self.sent.iter().map(|sent| Delivered { id: &sent.id, at: sent.at });
        let sent: Vec<Delivered<'_>> = sent.collect();
        let mut matched = Matched::Confirmed;
        for (sent, found) in self.sent.iter().zip(assign(&sent, self.runs.values())) {
            let confirmation = match found {
                Some(Match::ById(run)) => Some(Confirmation::Confirmed { url: run.url.clone() }),
                Some(Match::ByTime(run)) => Some(Confirmation::Probable { url: run.url.clone() }),
                None => None,
            };
            matched = match (&confirmation, matched) {
                (None, _) | (_, Matched::NotAll) => Matched::NotAll,
                (Some(Confirmation::Confirmed { .. }), matched) => matched,
                (Some(_), _) => Matched::AtLeastProbable,
            };
            if let Some(known) = known.get_mut(sent.place) {
                *known = confirmation;
            }
        }
        matched
    }

    /// Whether asking again would tell nothing, or not enough to be worth it: of what is probable,
    /// one more request shows whether it becomes certain.
    fn is_done(&mut self, matched: Matched) -> bool {
        self.settled += u32::from(matched != Matched::NotAll);
        let lasting = self.trouble.as_ref().is_some_and(|trouble| trouble.lasting);
        lasting || matched == Matched::Confirmed || self.settled > 1
    }

    /// Returns why a dispatch of it has no run. `ended` says that it was looked until the end.
    fn why(&self, ended: bool, timeout: Duration) -> String {
        let seconds = timeout.as_secs();
        if let Some(trouble) = &self.trouble {
            return trouble.why.clone();
        }
        if self.more {
            return format!(
                "more than {} runs were started there since, and it is not among the newest",
                Question::most_runs(self.sent.len())
            );
        }
        let heard = self.heard_at.map(|at| at.as_secs());
        match (ended, heard) {
            (true, Some(_)) if self.state == State::Done => format!(
                "no run of it was seen within {seconds} s: see that Actions are turned on there, \
                 and that a workflow on the default branch listens to the event type \
                 (`ecosystem validate --online` looks)"
            ),
            (true, Some(heard)) => format!(
                "no run of it was seen for {heard} s, and GitHub did not answer again within \
                 {seconds} s: give --confirm more time"
            ),
            (true, None) => format!(
                "GitHub did not tell within {seconds} s which runs were started: give --confirm \
                 more time"
            ),
            (false, Some(heard)) => {
                format!("interrupted: no run of it had been seen for {heard} s")
            }
            (false, None) => {
                "interrupted before GitHub told whether its run was started".to_owned()
            }
        }
    }
}
