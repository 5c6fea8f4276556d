//! The driver with senders that answer at once, hang or break down, on the virtual clock.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::github::{ApiUrl, LimitHeaders, Reply, Tokens, auth};

const S: fn(u64) -> Duration = Duration::from_secs;

/// A sender that answers at once.
struct AtOnce<F>(F);

impl<F: Fn(&Job) -> Answer + Send + Sync + 'static> Sender for AtOnce<F> {
    async fn send(&self, job: &Job) -> Answer {
        (self.0)(job)
    }
}

fn jobs(count: usize) -> Arc<[Job]> {
    let job = |at| Job {
        repo: RepoName::parse(&format!("acme/r{at}")).unwrap(),
        body: Body::new(|| b"{}".to_vec()),
        token: TokenId(0),
    };
    (0..count).map(job).collect()
}

fn status(status: u16) -> Answer {
    Answer { requests: 1, moved: None, result: Ok(Reply { status, ..Reply::default() }) }
}

fn clock() -> VirtualClock {
    VirtualClock::new(Timestamp::from_second(1_767_323_045).unwrap())
}

fn means<S, C>(sender: S, clock: C) -> Means<S, C, impl FnMut() -> f64> {
    Means { sender: Arc::new(sender), clock, jitter: || 1.0 }
}

fn outcomes(endings: &[Ending]) -> Vec<Outcome> {
    endings.iter().map(|ending| ending.outcome).collect()
}

#[tokio::test]
async fn a_delivery_has_githubs_time_where_github_tells_it_and_nothing_else_has_one() {
    for (date, answered_at) in [
        (Some("Fri, 02 Jan 2026 03:04:00 GMT"), 1_767_323_040),
        (Some("yesterday"), 1_767_323_045),
        (None, 1_767_323_045),
    ] {
        let sender = AtOnce(move |job: &Job| {
            let limits = LimitHeaders { date: date.map(str::to_owned), ..Default::default() };
            let status = if job.repo.as_str() == "acme/r0" { 204 } else { 422 };
            let result = Ok(Reply { status, limits, ..Reply::default() });
            Answer { requests: 1, moved: None, result }
        });
        let means = means(sender, clock());
        let endings = deliver(jobs(2), &Settings::default(), means, Stopped::never(), |_| {}).await;
        let times: Vec<_> = endings.iter().map(|ending| ending.answered_at).collect();
        assert_eq!(times, [Timestamp::from_second(answered_at).ok(), None], "{date:?}");
    }
}

#[tokio::test]
async fn a_thousand_dispatches_meet_no_limit_and_take_the_least_time() {
    let clock = clock();
    // A server that enforces GitHub's limits by the same clock, with sliding windows of its own.
    let server = clock.clone();
    let counted: Mutex<VecDeque<Duration>> = Mutex::default();
    let refused = Arc::new(AtomicUsize::new(0));
    let refusals = Arc::clone(&refused);
    let sender = AtOnce(move |_: &Job| {
        let now = server.now();
        let mut counted = counted.lock().unwrap();
        let within = |length| counted.iter().filter(|at| **at + length > now).count();
        if within(S(60)) >= 80 || within(S(3600)) >= 500 {
            refusals.fetch_add(1, Ordering::Relaxed);
            return status(429);
        }
        counted.push_back(now);
        status(204)
    });
    let means = means(sender, clock.clone());
    let endings = deliver(jobs(1000), &Settings::default(), means, Stopped::never(), |_| {}).await;
    assert_eq!(outcomes(&endings), [Outcome::Delivered; 1000]);
    assert_eq!(refused.load(Ordering::Relaxed), 0);
    // 500 in the first hour's first six minutes, the rest an hour later.
    assert_eq!(clock.now(), S(3600 + 6 * 60));
}

#[tokio::test]
async fn the_waits_that_are_asked_of_the_clock_are_those_that_github_asked_for() {
    let clock = clock();
    let answers = Mutex::new(vec![status(204), status(502), {
        let retry_after = Some("30".to_owned());
        let limits = LimitHeaders { retry_after, ..LimitHeaders::default() };
        let reply = Reply { status: 403, limits, ..Reply::default() };
        Answer { requests: 1, moved: None, result: Ok(reply) }
    }]);
    let sender = AtOnce(move |_: &Job| answers.lock().unwrap().pop().unwrap());
    let mut events = Vec::new();
    let observe = |event: Event<'_>| {
        events.push(match event {
            Event::Started { job, attempt } => format!("{} started, attempt {attempt}", job.0),
            Event::Answered { job, answer } => {
                format!("{} answered {}", job.0, answer.result.as_ref().unwrap().status)
            }
            Event::Waiting { until, reason } => format!("waiting until {until:?}: {reason:?}"),
            Event::Ended { job, ending } => format!("{} ended: {}", job.0, ending.outcome),
        });
    };
    let means = means(sender, clock.clone());
    deliver(jobs(1), &Settings::default(), means, Stopped::never(), observe).await;
    assert_eq!(
        events,
        [
            "0 started, attempt 1",
            "0 answered 403",
            "waiting until 30s: Limit",
            "0 started, attempt 2",
            "0 answered 502",
            "waiting until 31s: Retry",
            "0 started, attempt 3",
            "0 answered 204",
            "0 ended: delivered",
        ]
    );
    let waits: Vec<_> = clock.waits().iter().map(|wait| wait.until - wait.from).collect();
    assert_eq!(waits, [S(30), S(1)]);
}

#[tokio::test]
async fn a_run_that_was_stopped_before_it_began_sends_nothing() {
    let (stop, stopped) = stop::pair();
    stop.stop();
    let means = means(AtOnce(|_: &Job| panic!("sent")), clock());
    let endings = deliver(jobs(3), &Settings::default(), means, stopped, |_| {}).await;
    assert_eq!(outcomes(&endings), [Outcome::Skipped; 3]);
}

#[tokio::test]
async fn a_stop_during_a_wait_is_heard_at_once() {
    struct Patient(VirtualClock);
    impl Clock for Patient {
        fn now(&self) -> Duration {
            self.0.now()
        }
        fn wall(&self) -> Timestamp {
            self.0.wall()
        }
        async fn wait_until(&self, _: Duration, _: bool) {
            std::future::pending::<()>().await;
        }
    }
    let (stop, stopped) = stop::pair();
    let means = means(AtOnce(|_: &Job| status(503)), Patient(clock()));
    let observe = |event: Event<'_>| {
        if let Event::Waiting { .. } = event {
            stop.stop();
        }
    };
    let endings = deliver(jobs(2), &Settings::default(), means, stopped, observe).await;
    assert_eq!(outcomes(&endings), [Outcome::Skipped; 2]);
    assert_eq!(endings[0].attempts, 1);
}

#[tokio::test]
async fn what_hangs_past_the_grace_is_given_up_and_not_left_running() {
    /// Counts the sendings that are alive.
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    struct Hangs(Arc<AtomicUsize>, Stop, VirtualClock);
    impl Sender for Hangs {
        async fn send(&self, job: &Job) -> Answer {
            self.0.fetch_add(1, Ordering::Relaxed);
            let _alive = Alive(Arc::clone(&self.0));
            if job.repo.as_str() == "acme/r1" {
                self.1.stop();
                // Give the driver time to hear of it; then more than the grace goes by.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                self.2.advance(S(11));
            }
            std::future::pending().await
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let (stop, stopped) = stop::pair();
    let clock = clock();
    let sender = Hangs(Arc::clone(&alive), stop, clock.clone());
    let settings = Settings { concurrency: NonZeroUsize::new(2).unwrap(), ..Settings::default() };
    let endings = deliver(jobs(3), &settings, means(sender, clock), stopped, |_| {}).await;
    use Outcome::{Exhausted, Skipped};
    assert_eq!(outcomes(&endings), [Exhausted, Exhausted, Skipped]);
    assert!(endings[0].error.as_deref().unwrap().starts_with("interrupted while in flight"));
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_sender_that_breaks_down_ends_its_own_dispatch_only() {
    let sender = AtOnce(|job: &Job| {
        if job.repo.as_str() == "acme/r1" {
            std::panic::resume_unwind(Box::new("broken"));
        }
        status(204)
    });
    let endings =
        deliver(jobs(3), &Settings::default(), means(sender, clock()), Stopped::never(), |_| {})
            .await;
    use Outcome::{Delivered, Exhausted};
    assert_eq!(outcomes(&endings), [Delivered, Exhausted, Delivered]);
    assert_eq!(endings[1].attempts, 5);
}

#[tokio::test]
async fn the_client_delivers_over_a_real_socket_on_the_systems_clock() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = ApiUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = tokio::spawn(async move {
        // The first is a server's failure, so that one back-off is really waited for.
        let mut status = "503 Unavailable";
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                let read = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            status = "204 No Content";
        }
    });
    let mut tokens = Tokens::new();
    tokens.add(auth::resolve(None, &|_| Some("t".into())).unwrap());
    let client = Client::new(api, tokens, S(5)).unwrap();
    let means = Means { sender: Arc::new(client), clock: SystemClock::start(), jitter: || 0.01 };
    let endings = deliver(jobs(20), &Settings::default(), means, Stopped::never(), |_| {}).await;
    server.abort();
    assert_eq!(outcomes(&endings), [Outcome::Delivered; 20]);
    let attempts: u32 = endings.iter().map(|ending| ending.attempts).sum();
    assert_eq!(attempts, 21);
}

#[test]
fn the_jitter_of_real_runs_is_spread_between_none_and_all() {
    let drawn: Vec<f64> = (0..1000).map(|_| random()).collect();
    assert!(drawn.iter().all(|number| (0.0..=1.0).contains(number)));
    for tenth in 0..10 {
        let from = f64::from(tenth) / 10.0;
        assert!(drawn.iter().any(|number| (from..from + 0.1).contains(number)), "{tenth}");
    }
}
