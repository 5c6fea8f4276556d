//! The rounds, on the virtual clock: who is asked when and how often, and in `trouble` what comes of
//! servers that refuse, fail or never answer.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::delivery::clock::VirtualClock;
use crate::delivery::requests::RequestSettings;
use crate::github::{Answer, Read, Reply};

mod trouble;

/// One request, as the server saw it.
#[derive(Debug, Clone)]
struct Asked {
    repo: String,
    page: usize,
    /// How often this repository had been asked about before.
    before: usize,
    /// Seconds since the start.
    at: f64,
}

/// What a server does with a request: an answer, or none for ever.
type Reaction = Option<Answer>;

/// A server that answers in the next round of the scheduler.
struct Server<F> {
    react: F,
    clock: VirtualClock,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl<F: Fn(&Asked) -> Reaction + Send + Sync + 'static> Get for Server<F> {
    async fn get(&self, read: &Read, _: TokenId) -> Answer {
        let shown = read.to_string();
        let page = shown.split("&page=").nth(1).map_or(1, |page| page.parse().unwrap());
        let asked = {
            let mut log = self.log.lock().unwrap();
            let repo = read.repo().to_string();
            let before = log.iter().filter(|asked| asked.repo == repo).count();
            let asked = Asked { repo, page, before, at: self.clock.now().as_secs_f64() };
            log.push(asked.clone());
            asked
        };
        let reaction = (self.react)(&asked);
        tokio::task::yield_now().await;
        match reaction {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

struct World<F> {
    requests: Arc<Requests<Server<F>, VirtualClock>>,
    clock: VirtualClock,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl<F: Fn(&Asked) -> Reaction + Send + Sync + 'static> World<F> {
    fn new(react: F) -> Self {
        let clock = VirtualClock::new(at(0));
        let log: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let server = Server { react, clock: clock.clone(), log: Arc::clone(&log) };
        let tokens = vec!["PAT".to_owned(), "OTHER_PAT".to_owned()];
        let settings = RequestSettings { tokens, max_wait: S(120), ..RequestSettings::default() };
        let requests = Arc::new(Requests::new(Arc::new(server), clock.clone(), settings, || 1.0));
        Self { requests, clock, log }
    }

    /// Looks to the end and returns what came of each.
    async fn look(&self, dispatched: &[Dispatched], timeout: Duration) -> Vec<String> {
        let mut receipts = Receipts::new(dispatched, timeout);
        receipts.look(&self.requests, |_| {}).await;
        shown(&receipts)
    }

    /// Returns when a repository was asked about.
    fn times(&self, repo: &str) -> Vec<f64> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|asked| asked.repo == repo).map(|asked| asked.at).collect()
    }

    fn count(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

fn shown(receipts: &Receipts) -> Vec<String> {
    let shown = |confirmation: &Confirmation| match confirmation {
        Confirmation::Unconfirmed { why } => why.clone(),
        known => format!("{} {}", known.as_str(), known.url().unwrap_or("-")),
    };
    receipts.confirmations().iter().map(shown).collect()
}

/// Returns a dispatch that was answered so many seconds after the start.
fn dispatched(repo: &str, number: usize, answered: i64) -> Dispatched {
    Dispatched {
        repo: name(repo),
        moved_to: None,
        token: TokenId(0),
        dispatch_id: id(number),
        answered_at: at(answered),
    }
}

/// Returns the list of these runs, of (number, created, title).
fn listed(runs: &[(usize, i64, String)]) -> Reply {
    let runs: Vec<_> = runs
        .iter()
        .map(|(number, created, title)| {
            json!({
                "id": number, "name": "Follow", "display_title": title, "workflow_id": 1,
                "event": "repository_dispatch", "created_at": at(*created).to_string(),
                "html_url": format!("https://github.com/runs/{number}"),
            })
        })
        .collect();
    let body = json!({ "total_count": runs.len(), "workflow_runs": runs }).to_string().into_bytes();
    Reply { status: 200, body, ..Reply::default() }
}

fn reply(reply: Reply) -> Reaction {
    Some(Answer { requests: 1, moved: None, result: Ok(reply) })
}

fn status(status: u16) -> Reaction {
    reply(Reply { status, message: Some("M".to_owned()), ..Reply::default() })
}

fn nothing() -> Reaction {
    reply(listed(&[]))
}

/// Returns the list of one run with the id of that number.
fn named(number: usize) -> Reaction {
    reply(listed(&[(number, 1, id(number))]))
}

async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_request_tells_about_all_dispatches_of_a_cousin() {
    let runs: Vec<_> =
        (0..20).map(|number| (number, 1, format!("update {}", id(number)))).collect();
    let world = World::new(move |_| reply(listed(&runs)));
    let all: Vec<_> = (0..20).map(|number| dispatched("acme/web", number, 0)).collect();
    let seen = world.look(&all, S(120)).await;
    let expected: Vec<_> =
        (0..20).map(|number| format!("confirmed https://github.com/runs/{number}")).collect();
    assert_eq!((seen, world.times("acme/web")), (expected, vec![3.0]));
}

#[tokio::test]
async fn a_cousin_is_asked_about_at_growing_distances_and_last_at_the_deadline() {
    for (timeout, times) in [
        (0, &[0.0][..]),
        (2, &[2.0]),
        (5, &[3.0, 5.0]),
        (10, &[3.0, 10.0]),
        (12, &[3.0, 8.0, 12.0]),
        (120, &[3.0, 8.0, 18.0, 38.0, 78.0, 120.0]),
        (600, &[3.0, 8.0, 18.0, 38.0, 78.0, 158.0, 318.0, 600.0]),
    ] {
        let world = World::new(|_| nothing());
        let seen = world.look(&[dispatched("acme/web", 1, 0)], S(timeout)).await;
        assert_eq!(world.times("acme/web"), times, "{timeout}");
        assert_eq!(world.clock.now(), S(timeout));
        let why = format!("no run of it was seen within {timeout} s: see that Actions");
        assert!(seen[0].starts_with(&why), "{seen:?}");
    }
}

#[tokio::test]
async fn what_was_answered_long_ago_is_looked_for_at_once() {
    for (answered, first) in [(-3_600, 0.0), (-3, 0.0), (-2, 1.0), (0, 3.0), (3_600, 3.0)] {
        let world = World::new(|_| named(1));
        let early = dispatched("acme/web", 2, -3_600);
        world.look(&[early, dispatched("acme/web", 1, answered)], S(1)).await;
        assert_eq!(world.times("acme/web")[0], f64::min(first, 1.0), "{answered}");
    }
}

#[tokio::test]
async fn what_is_probable_is_asked_once_more_and_may_become_certain() {
    let plain = || reply(listed(&[(7, 1, "feature-update".to_owned())]));
    let url = |number: usize| format!("https://github.com/runs/{number}");
    // Each with what the server tells from which request on.
    let world = World::new(move |asked| match (asked.repo.as_str(), asked.before) {
        ("acme/plain", _) => plain(),
        ("acme/later", 0) => plain(),
        ("acme/later", _) => reply(listed(&[(8, 1, id(1)), (7, 1, "feature-update".to_owned())])),
        ("acme/slow", 0..=2) | ("acme/half", _) if asked.before < 3 => nothing(),
        ("acme/slow" | "acme/half", _) => plain(),
        _ => named(1),
    });
    let seen = world
        .look(
            &[
                dispatched("acme/plain", 1, 0),
                dispatched("acme/later", 1, 0),
                dispatched("acme/slow", 1, 0),
                dispatched("acme/sure", 1, 0),
                dispatched("acme/half", 1, 0),
                dispatched("acme/half", 2, 0),
            ],
            S(120),
        )
        .await;
    let (sure, maybe) = (format!("confirmed {}", url(8)), format!("probable {}", url(7)));
    assert_eq!(
        seen[..5],
        [maybe.clone(), sure, maybe.clone(), format!("confirmed {}", url(1)), maybe]
    );
    assert!(seen[5].starts_with("no run of it"), "{seen:?}");
    for (repo, times) in [
        ("acme/plain", &[3.0, 8.0][..]),
        ("acme/later", &[3.0, 8.0]),
        ("acme/slow", &[3.0, 8.0, 18.0, 38.0, 78.0]),
        ("acme/sure", &[3.0]),
        ("acme/half", &[3.0, 8.0, 18.0, 38.0, 78.0, 120.0]),
    ] {
        assert_eq!(world.times(repo), times, "{repo}");
    }
}

#[tokio::test]
async fn a_cousin_is_asked_by_its_new_name_and_once_under_both() {
    let world = World::new(|_| reply(listed(&[(1, 1, id(1)), (2, 1, id(2))])));
    let moved = Dispatched { moved_to: Some(name("acme/new")), ..dispatched("acme/old", 1, 0) };
    let seen = world.look(&[dispatched("ACME/New", 2, 0), moved], S(120)).await;
    let url = |number: usize| format!("confirmed https://github.com/runs/{number}");
    assert_eq!((seen, world.count()), (vec![url(2), url(1)], 1));
}

#[tokio::test]
async fn full_pages_are_followed_up_to_three() {
    // Newest first; ours is the last of so many.
    for (total, requests, found) in
        [(1, 1, true), (100, 1, true), (101, 2, true), (300, 3, true), (301, 3, false)]
    {
        let world = World::new(move |asked| {
            let from = (asked.page - 1) * 100;
            let runs: Vec<_> = (from..total.min(from + 100))
                .map(|n| (n, 9, if n + 1 == total { id(1) } else { id(1_000 + n) }))
                .collect();
            reply(Reply { next_page: total > from + 100, ..listed(&runs) })
        });
        let seen = world.look(&[dispatched("acme/web", 1, 0)], S(3)).await;
        assert_eq!((world.count(), seen[0].starts_with("confirmed")), (requests, found), "{total}");
        if !found {
            assert_eq!(
                seen,
                ["more than 300 runs were started there since, and it is not among the newest"]
            );
        }
    }
}

#[tokio::test]
async fn no_page_is_read_behind_the_one_with_all_that_is_looked_for() {
    let world = World::new(|asked| {
        let number = asked.page * 100;
        reply(Reply { next_page: true, ..listed(&[(number, 9, id(number))]) })
    });
    world.look(&[dispatched("acme/one", 100, 0)], S(3)).await;
    assert_eq!(world.times("acme/one").len(), 1);
    world.look(&[dispatched("acme/two", 100, 0), dispatched("acme/two", 200, 0)], S(3)).await;
    assert_eq!(world.times("acme/two").len(), 2);
}

#[tokio::test]
async fn for_many_dispatches_of_one_cousin_more_pages_are_read_and_never_more_than_github_has() {
    for (total, requests, confirmed) in [(250, 3, 250), (450, 5, 450), (1_200, 10, 1_000)] {
        let world = World::new(move |asked| {
            let from = (asked.page - 1) * 100;
            let runs: Vec<_> = (from..total.min(from + 100)).map(|n| (n, 9, id(n))).collect();
            reply(Reply { next_page: total > from + 100, ..listed(&runs) })
        });
        let all: Vec<_> = (0..total).map(|n| dispatched("acme/web", n, 0)).collect();
        let seen = world.look(&all, S(3)).await;
        let count = seen.iter().filter(|it| it.starts_with("confirmed")).count();
        assert_eq!((world.count(), count), (requests, confirmed), "{total}");
        assert!(total == confirmed || seen[1_100].starts_with("more than 1000 runs"));
    }
}

#[tokio::test]
async fn nothing_to_look_for_asks_nothing() {
    let world = World::new(|_| status(500));
    assert_eq!(world.look(&[], S(120)).await, [""; 0]);
    assert_eq!((world.count(), world.clock.now()), (0, S(0)));
}

/// Looks for a thousand cousins' runs, which start within five seconds, and returns how many
/// requests it took in all, the most for one cousin, and how many are confirmed and probable.
async fn thousand(starts: bool, with_id: bool) -> (usize, usize, Tally) {
    let world = World::new(move |asked| {
        let number: usize = asked.repo.trim_start_matches("acme/r").parse().unwrap();
        let created = i64::try_from(number % 6).unwrap();
        let title = if with_id { id(number) } else { "feature-update".to_owned() };
        let there = starts && asked.at >= created as f64;
        if there { reply(listed(&[(number, created, title)])) } else { nothing() }
    });
    let all: Vec<_> = (0..1_000).map(|n| dispatched(&format!("acme/r{n}"), n, 0)).collect();
    let mut receipts = Receipts::new(&all, S(120));
    receipts.look(&world.requests, |_| {}).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for asked in world.log.lock().unwrap().iter() {
        *counts.entry(asked.repo.clone()).or_default() += 1;
    }
    assert_eq!(counts.len(), 1_000, "each is asked about");
    (world.count(), counts.into_values().max().unwrap(), receipts.tally())
}

#[tokio::test]
async fn a_thousand_cousins_need_few_requests() {
    let tally = |confirmed, probable, unconfirmed| Tally { confirmed, probable, unconfirmed };
    assert_eq!(thousand(true, true).await, (1_300, 2, tally(1_000, 0, 0)));
    assert_eq!(thousand(true, false).await, (1_900, 2, tally(0, 1_000, 0)));
    assert_eq!(thousand(false, true).await, (1_900, 2, tally(0, 0, 1_000)));
}
