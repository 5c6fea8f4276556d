//! Many tasks at once against invented servers, on the virtual clock: no wait is ever slept.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pretty_assertions::assert_eq;
use tokio::task::{AbortHandle, JoinSet};

use super::*;
use crate::delivery::clock::{VirtualClock, Wait};
use crate::github::{LimitHeaders, TransportError, TransportKind};
use crate::names::RepoName;

mod dropped;
mod github;
mod limits;
mod waiting;
mod writes;

const S: fn(u64) -> Duration = Duration::from_secs;

/// 2026-01-02 03:04:05 UTC, when all of these runs start.
const START: i64 = 1_767_323_045;

/// The two tokens of these runs.
const PAT: TokenId = TokenId(0);
const OTHER: TokenId = TokenId(1);

/// One sending, as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    /// Which read of the test it is.
    read: usize,
    token: TokenId,
    /// How often this one had been sent before.
    before: usize,
    at: Duration,
}

/// What a server does with a read: an answer, or none for ever.
type Reaction = Option<Answer>;

/// A server that answers in the next round of the scheduler, so that many are in flight at a time.
struct Server<F> {
    react: F,
    clock: VirtualClock,
    log: Arc<Mutex<Vec<Sent>>>,
    in_flight: Arc<Mutex<InFlight>>,
}

#[derive(Default)]
struct InFlight {
    now: usize,
    most: usize,
}

/// Counts a request as long as its future is there.
struct Flight(Arc<Mutex<InFlight>>);

impl Flight {
    fn new(in_flight: &Arc<Mutex<InFlight>>) -> Self {
        let mut count = in_flight.lock().unwrap();
        count.now += 1;
        count.most = count.most.max(count.now);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.lock().unwrap().now -= 1;
    }
}

impl<F: Fn(Sent) -> Reaction + Send + Sync + 'static> Get for Server<F> {
    async fn get(&self, read: &Read, token: TokenId) -> Answer {
        let _flight = Flight::new(&self.in_flight);
        let read = read.to_string().rsplit('/').next().unwrap().parse().unwrap();
        let sent = {
            let mut log = self.log.lock().unwrap();
            let before = log.iter().filter(|sent| sent.read == read).count();
            let sent = Sent { read, token, before, at: self.clock.now() };
            log.push(sent);
            sent
        };
        let reaction = (self.react)(sent);
        tokio::task::yield_now().await;
        match reaction {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// How a read ended, and when.
type Ended = (Result<Reply, Unanswered>, Duration);

/// A run, and what is seen of it from outside.
struct World<F> {
    requests: Arc<Requests<Server<F>, VirtualClock>>,
    clock: VirtualClock,
    log: Arc<Mutex<Vec<Sent>>>,
    in_flight: Arc<Mutex<InFlight>>,
    tasks: JoinSet<(usize, Ended)>,
}

impl<F: Fn(Sent) -> Reaction + Send + Sync + 'static> World<F> {
    fn new(react: F) -> Self {
        Self::with(16, react)
    }

    fn with(concurrency: usize, react: F) -> Self {
        let concurrency = NonZeroUsize::new(concurrency).unwrap();
        let tokens = vec!["PAT".to_owned(), "OTHER_PAT".to_owned()];
        let settings = RequestSettings { concurrency, tokens, ..RequestSettings::default() };
        let clock = clock();
        let (log, in_flight) = (Arc::default(), Arc::default());
        let server = Server {
            react,
            clock: clock.clone(),
            log: Arc::clone(&log),
            in_flight: Arc::clone(&in_flight),
        };
        let requests = Arc::new(Requests::new(Arc::new(server), clock.clone(), settings, || 1.0));
        Self { requests, clock, log, in_flight, tasks: JoinSet::new() }
    }

    /// Starts a read in a task of its own.
    fn start(&mut self, number: usize, token: TokenId) -> AbortHandle {
        let (requests, clock) = (Arc::clone(&self.requests), self.clock.clone());
        self.tasks.spawn(async move {
            let ended = requests.get(&read(number), token).await;
            (number, (ended, clock.now()))
        })
    }

    /// Returns how each read ended that was not aborted.
    async fn ended(&mut self) -> BTreeMap<usize, Ended> {
        let mut all = BTreeMap::new();
        while let Some(ended) = self.tasks.join_next().await {
            all.extend(ended.ok());
        }
        all
    }

    /// Starts reads with these tokens, in this order, and returns how they ended.
    async fn run(&mut self, tokens: &[TokenId]) -> Vec<Ended> {
        for (number, token) in tokens.iter().enumerate() {
            self.start(number, *token);
        }
        self.ended().await.into_values().collect()
    }

    fn log(&self) -> Vec<Sent> {
        self.log.lock().unwrap().clone()
    }

    /// Returns when a read was sent, in seconds.
    fn times(&self, read: usize) -> Vec<f64> {
        let log = self.log();
        log.iter().filter(|sent| sent.read == read).map(|sent| sent.at.as_secs_f64()).collect()
    }

    fn most_in_flight(&self) -> usize {
        self.in_flight.lock().unwrap().most
    }
}

fn clock() -> VirtualClock {
    VirtualClock::new(Timestamp::from_second(START).unwrap())
}

fn read(number: usize) -> Read {
    Read::new(&RepoName::parse("acme/web").unwrap(), &["n", &number.to_string()], &[]).unwrap()
}

fn status(status: u16) -> Reaction {
    reply(Reply { status, ..Reply::default() })
}

fn reply(reply: Reply) -> Reaction {
    Some(Answer { requests: 1, moved: None, result: Ok(reply) })
}

fn limited(retry_after: &str) -> Reaction {
    let limits = LimitHeaders { retry_after: Some(retry_after.to_owned()), ..Default::default() };
    reply(Reply { status: 429, limits, ..Reply::default() })
}

fn lost() -> Reaction {
    let error = TransportError { kind: TransportKind::Reset, cause: "why".to_owned(), sent: true };
    Some(Answer { requests: 1, moved: None, result: Err(error) })
}

/// Lets every task that can go on do so, many times over.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn statuses(ended: &[Ended]) -> Vec<u16> {
    ended.iter().map(|(ended, _)| ended.as_ref().map_or(0, |it| it.status)).collect()
}

#[tokio::test]
async fn a_final_answer_is_returned_as_it_came_whatever_it_says() {
    for code in [200, 204, 304, 403, 404, 410, 422, 600] {
        let mut world = World::new(move |_| {
            let body = b"{}".to_vec();
            reply(Reply { status: code, body, ..Reply::default() })
        });
        let ended = world.run(&[PAT]).await;
        let reply = Reply { status: code, body: b"{}".to_vec(), ..Reply::default() };
        assert_eq!(ended, [(Ok(reply), S(0))]);
        assert_eq!((world.requests.sent(), world.clock.waits()), (1, vec![]));
    }
}

#[tokio::test]
async fn redirects_are_counted() {
    let mut world = World::new(|_| {
        let result = Ok(Reply { status: 200, ..Reply::default() });
        Some(Answer { requests: 3, moved: None, result })
    });
    world.run(&[PAT, PAT]).await;
    assert_eq!(world.requests.sent(), 6);
}

#[tokio::test]
async fn requests_go_in_the_order_in_which_they_came_and_never_more_than_allowed_at_a_time() {
    let mut world = World::with(7, |_| status(200));
    let ended = world.run(&[PAT; 100]).await;
    assert_eq!(statuses(&ended), [200; 100]);
    let order: Vec<usize> = world.log().iter().map(|sent| sent.read).collect();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
    assert_eq!(world.most_in_flight(), 7);
    assert_eq!(world.clock.waits(), [], "places in flight need no clock");
}

#[tokio::test]
async fn two_tokens_share_the_places_in_flight() {
    let mut world = World::with(3, |_| status(200));
    let tokens: Vec<TokenId> = (0..20).map(|number| TokenId(number % 2)).collect();
    assert_eq!(statuses(&world.run(&tokens).await), [200; 20]);
    let order: Vec<usize> = world.log().iter().map(|sent| sent.read).collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
    assert_eq!(world.most_in_flight(), 3);
}

#[tokio::test]
async fn a_failing_server_is_asked_five_times_with_doubling_back_off() {
    let mut world = World::new(|sent| if sent.read == 0 { status(503) } else { status(200) });
    let ended = world.run(&[PAT, PAT]).await;
    assert_eq!(world.times(0), [0.0, 1.0, 3.0, 7.0, 15.0]);
    assert_eq!(world.times(1), [0.0], "the neighbour neither waits nor hides it");
    let error = "the server failed (503: no message); tried 5 times, run again later";
    assert_eq!(ended[0], (Err(Unanswered::Unreachable(error.to_owned())), S(15)));
    assert_eq!(ended[1].1, S(0));
    assert_eq!(world.requests.sent(), 6);
    let wait = |from, until| Wait { from: S(from), until: S(until) };
    assert_eq!(world.clock.waits(), [wait(0, 1), wait(1, 3), wait(3, 7), wait(7, 15)]);
}

#[tokio::test]
async fn what_fails_and_recovers_is_answered() {
    let broken = Reply { status: 200, broken: true, ..Reply::default() };
    let mut world = World::new(move |sent| match sent.before {
        0 => lost(),
        1 => status(502),
        2 => limited("10"),
        3 => reply(broken.clone()),
        _ => status(200),
    });
    let ended = world.run(&[PAT]).await;
    // Back-offs of 1 s and 2 s, a limit, which is no attempt, and a back-off of 4 s.
    assert_eq!(world.times(0), [0.0, 1.0, 3.0, 13.0, 17.0]);
    assert_eq!((statuses(&ended), ended[0].1), (vec![200], S(17)));
}

#[tokio::test]
async fn a_request_that_waits_holds_no_place_in_flight() {
    // One place. The first waits for its back-off and the third for its limit; the others go.
    let mut world = World::with(1, |sent| match (sent.read, sent.before) {
        (0, 0) => status(503),
        (2, 0) => limited("30"),
        _ => status(200),
    });
    let ended = world.run(&[PAT, PAT, OTHER, PAT, OTHER, PAT]).await;
    assert_eq!(statuses(&ended), [200; 6]);
    let at: Vec<u64> = ended.iter().map(|(_, at)| at.as_secs()).collect();
    assert_eq!(at, [1, 0, 30, 0, 30, 0]);
    assert_eq!(world.most_in_flight(), 1);
}

#[tokio::test]
async fn while_no_more_may_be_in_flight_the_clock_is_left_alone() {
    let mut world = World::with(1, |sent| match (sent.read, sent.before) {
        (0, 0) => status(503),
        (1, _) => None,
        _ => status(200),
    });
    world.start(0, PAT);
    let hangs = world.start(1, PAT);
    settle().await;
    world.clock.advance(S(5));
    settle().await;
    // The back-off is over, but there is no place: to look at the clock would be to spin.
    assert_eq!((world.clock.waits(), world.times(0)), (vec![], vec![0.0]));
    hangs.abort();
    assert_eq!(world.ended().await[&0].1, S(5));
}

#[tokio::test]
async fn a_sender_that_breaks_down_takes_no_place_with_it() {
    let mut world = World::with(1, |sent| {
        if sent.read == 0 {
            std::panic::resume_unwind(Box::new("broken"));
        }
        status(200)
    });
    assert_eq!(statuses(&world.run(&[PAT; 3]).await), [200; 2]);
}

#[tokio::test]
async fn requests_work_on_the_systems_clock_and_over_several_threads() {
    struct Fails(Mutex<BTreeMap<String, u32>>);
    impl Get for Fails {
        async fn get(&self, read: &Read, _: TokenId) -> Answer {
            let before = {
                let mut counts = self.0.lock().unwrap();
                let count = counts.entry(read.to_string()).or_default();
                *count += 1;
                *count
            };
            tokio::time::sleep(Duration::from_millis(1)).await;
            if before < 3 { status(503).unwrap() } else { status(200).unwrap() }
        }
    }
    let get = Arc::new(Fails(Mutex::default()));
    let settings = RequestSettings::default();
    let requests =
        Arc::new(Requests::new(get, crate::delivery::SystemClock::start(), settings, || 0.01));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let requests = Arc::clone(&requests);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.unwrap().block_on(async {
                    let mut tasks = JoinSet::new();
                    for number in 0..50 {
                        let requests = Arc::clone(&requests);
                        let read = read(thread * 50 + number);
                        tasks.spawn(async move { requests.get(&read, PAT).await });
                    }
                    tasks.join_all().await
                })
            })
        })
        .collect();
    for thread in threads {
        for ended in thread.join().unwrap() {
            assert_eq!(ended.unwrap().status, 200);
        }
    }
    assert_eq!(requests.sent(), 600);
}

#[test]
fn a_debug_form_and_the_errors_show_labels_and_texts_only() {
    let world = World::new(|_| status(200));
    assert_eq!(format!("{:?}", world.requests), r#"Requests { tokens: ["PAT", "OTHER_PAT"], .. }"#);
    let after = Timestamp::UNIX_EPOCH;
    for error in [
        Unanswered::TokenRefused("why".to_owned()),
        Unanswered::Deferred("why".to_owned(), after),
        Unanswered::Unreachable("why".to_owned()),
        Unanswered::Unknown("why".to_owned()),
    ] {
        assert_eq!(error.to_string(), "why");
    }
}
