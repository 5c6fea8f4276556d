//! Delivery over real HTTP on loopback: how fast a small push is over, and what a large one costs
//! against GitHub's limits, enforced by the embedded GitHub on a virtual clock.
//!
//!     cargo bench --bench delivery
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints and fails by panicking"
)]

mod served;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use ecosystem_dispatcher::delivery::{
    Body, Clock, Job, Means, Outcome, Settings, Stopped, SystemClock, VirtualClock, deliver,
};
use ecosystem_dispatcher::embedded_github::{self, Model};
use ecosystem_dispatcher::github::{ApiUrl, Client, Tokens, auth};
use ecosystem_dispatcher::names::RepoName;
use jiff::Timestamp;
use served::{Served, runtime};

const TOKEN: &str = "bench-token";
const LATENCY: Duration = Duration::from_millis(100);
const FEW: usize = 80;
const MANY: usize = 1_000;

/// The least time for 1,000 at 80 in any minute and 500 in any hour: 500 in the first six minutes,
/// the other 500 an hour after those.
const LEAST: Duration = Duration::from_secs(3_600 + 6 * 60);

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    criterion.bench_function("80 cousins, each answered after 100 ms", |bench| {
        bench.iter_custom(|rounds| (0..rounds).map(|_| few()).sum());
    });
    criterion.final_summary();
    many();
}

/// Delivers to 80 cousins and returns how long it took, from the making of the client on. The
/// server enforces GitHub's limits, so it is a new one each time.
fn few() -> Duration {
    let served = Served::start(model(FEW).latency(LATENCY));
    let start = Instant::now();
    send(&served, FEW, SystemClock::start());
    let took = start.elapsed();
    assert_eq!(refusals(&served), 0);
    took
}

/// Delivers to 1,000 cousins on a virtual clock and prints what it took.
fn many() {
    let clock = VirtualClock::new(Timestamp::from_second(1_795_219_200).unwrap());
    let servers = clock.clone();
    let served = Served::start(model(MANY).clock(Arc::new(move || servers.wall())));
    let start = Instant::now();
    send(&served, MANY, clock.clone());
    let (took, refusals) = (start.elapsed(), refusals(&served));
    let over = clock.now().as_secs_f64() / LEAST.as_secs_f64() - 1.0;
    println!(
        "{MANY} cousins against GitHub's limits: {} virtual seconds, {:+.1} % of the least possible \
         {} s; answered 403 or 429: {refusals}; real time {:.0} ms",
        clock.now().as_secs_f64(),
        over * 100.0,
        LEAST.as_secs(),
        took.as_secs_f64() * 1000.0,
    );
    assert_eq!(refusals, 0);
    assert!(over <= 0.05);
}

fn repository(number: usize) -> String {
    format!("acme/cousin-{number:04}")
}

fn model(cousins: usize) -> Model {
    let model = Model::new().token(TOKEN, embedded_github::Token::may_write_all());
    (0..cousins).fold(model, |model, number| model.repository(&repository(number)))
}

/// Delivers one event to each cousin, with the settings that a user gets who chooses none.
fn send(served: &Served, cousins: usize, clock: impl Clock) {
    let mut tokens = Tokens::new();
    let token = tokens.add(auth::resolve(None, &|_| Some(TOKEN.into())).unwrap());
    let settings = Settings { tokens: tokens.labels(), ..Settings::default() };
    let api = ApiUrl::parse(served.github.url()).unwrap();
    let client = Client::new(api, tokens, Duration::from_secs(30)).unwrap();
    let body =
        r#"{"event_type":"feature-update","client_payload":{"updated_feature":"features/web"}}"#;
    let job = |number| Job {
        repo: RepoName::parse(&repository(number)).unwrap(),
        body: Body::new(|| body.as_bytes().to_vec()),
        token,
    };
    let jobs = (0..cousins).map(job).collect();
    let means = Means { sender: Arc::new(client), clock, jitter: || 1.0 };
    let endings = runtime().block_on(deliver(jobs, &settings, means, Stopped::never(), |_| {}));
    assert_eq!(endings.len(), cousins);
    assert!(endings.iter().all(|ending| ending.outcome == Outcome::Delivered));
    assert_eq!(served.github.with(|model| model.events().len()), cousins);
}

fn refusals(served: &Served) -> usize {
    let refused = |status| matches!(status, Some(403 | 429));
    let count = |model: &mut Model| model.requests().iter().filter(|it| refused(it.status)).count();
    served.github.with(count)
}
