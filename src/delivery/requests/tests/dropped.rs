//! Futures that are dropped while they wait, when they were just given their turn, and in flight:
//! none takes a place with it, and none leaves the others without a watch on the clock.

use std::pin::pin;
use std::task::{Context, Waker};

use pretty_assertions::assert_eq;

use super::*;

/// Polls a future once, as a task would that is then not polled again.
fn poll_once(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[tokio::test]
async fn one_that_is_dropped_in_flight_makes_room_for_the_next() {
    let mut world = World::with(1, |sent| if sent.read == 0 { None } else { status(200) });
    let hangs = world.start(0, PAT);
    world.start(1, PAT);
    settle().await;
    assert_eq!(world.log().len(), 1, "the place is taken");
    hangs.abort();
    let ended = world.ended().await;
    assert_eq!(ended.keys().collect::<Vec<_>>(), [&1]);
    // Whether the first arrived is not known: it counts.
    assert_eq!(world.requests.sent(), 2);
}

#[tokio::test]
async fn one_that_is_dropped_in_the_queue_is_never_sent() {
    let mut world = World::with(1, |sent| if sent.read == 0 { None } else { status(200) });
    let hangs = world.start(0, PAT);
    let waits: Vec<_> = (1..50).map(|number| world.start(number, PAT)).collect();
    world.start(50, PAT);
    settle().await;
    waits.iter().for_each(AbortHandle::abort);
    settle().await;
    hangs.abort();
    let ended = world.ended().await;
    assert_eq!(ended.keys().collect::<Vec<_>>(), [&50]);
    assert_eq!(world.requests.sent(), 2);
}

#[tokio::test]
async fn one_that_was_given_its_turn_and_is_dropped_before_it_sends_gives_it_on() {
    let world = World::with(1, |_| status(200));
    let (zero, one, two) = (read(0), read(1), read(2));
    let mut first = Box::pin(world.requests.get(&zero, PAT));
    let mut second = Box::pin(world.requests.get(&one, PAT));
    let mut third = pin!(world.requests.get(&two, PAT));
    for future in [first.as_mut(), second.as_mut()] {
        assert!(!poll_once(future));
    }
    assert!(!poll_once(third.as_mut()));
    // With the first gone the turn is the second's, which does not look at it any more.
    drop(first);
    drop(second);
    assert_eq!(third.await.unwrap().status, 200);
    let sent: Vec<usize> = world.log().iter().map(|sent| sent.read).collect();
    assert_eq!(sent, [0, 2]);
    assert_eq!(world.requests.sent(), 2);
}

#[tokio::test]
async fn a_turn_that_was_not_used_takes_nothing_of_the_pace() {
    let world = World::new(|_| status(200));
    for _ in 0..2_000 {
        // Its turn comes as soon as it is in the queue; it is dropped before it looks.
        drop(world.requests.turnstile.enter(PAT, Cost::Read));
    }
    let answered = world.requests.get(&read(3_000), PAT).await;
    assert_eq!(answered.unwrap().status, 200);
    assert_eq!((world.clock.now(), world.requests.sent()), (S(0), 1));
}

#[tokio::test]
async fn what_was_dropped_in_flight_counts_for_the_pace() {
    let mut world = World::with(900, |sent| if sent.read < 900 { None } else { status(200) });
    let hang: Vec<_> = (0..900).map(|number| world.start(number, PAT)).collect();
    settle().await;
    hang.iter().for_each(AbortHandle::abort);
    settle().await;
    world.start(900, PAT);
    assert_eq!(world.ended().await[&900].1, S(60));
    assert_eq!(world.requests.sent(), 901);
}

#[tokio::test]
async fn the_one_that_watches_the_clock_may_go_and_another_watches() {
    let mut world = World::new(|sent| match (sent.token, sent.before) {
        (OTHER, _) => None,
        (_, 0) => limited("30"),
        _ => status(200),
    });
    // Something hangs, so that the clock stands still until it is moved.
    let hangs = world.start(100, OTHER);
    let waits: Vec<_> = (0..10).map(|number| world.start(number, PAT)).collect();
    settle().await;
    assert_eq!(world.clock.waits().last(), Some(&Wait { from: S(0), until: S(30) }));
    for watcher in &waits[..9] {
        watcher.abort();
        settle().await;
    }
    world.clock.advance(S(30));
    settle().await;
    assert_eq!(world.times(9), [0.0, 30.0]);
    hangs.abort();
    assert_eq!(world.ended().await[&9].1, S(30));
}

#[tokio::test]
async fn a_probe_that_is_dropped_keeps_nobody_back() {
    let mut world = World::new(|sent| match (sent.read, sent.before) {
        (0, 0) => limited("10"),
        (0, 1) => None,
        _ => status(200),
    });
    let probe = world.start(0, PAT);
    settle().await;
    world.start(1, PAT);
    settle().await;
    assert_eq!((world.times(0), world.log().len()), (vec![0.0, 10.0], 2));
    probe.abort();
    assert_eq!(world.ended().await[&1].1, S(10), "without the five seconds");
}

#[tokio::test]
async fn one_that_is_dropped_in_its_back_off_is_not_sent_again() {
    let mut world = World::new(|sent| if sent.read == 0 { status(503) } else { None });
    // Something hangs, so that the clock stands still during the back-off.
    let hangs = world.start(1, OTHER);
    let fails = world.start(0, PAT);
    settle().await;
    assert_eq!(world.log().len(), 2);
    fails.abort();
    settle().await;
    world.clock.advance(S(60));
    settle().await;
    assert_eq!(world.log().len(), 2);
    hangs.abort();
    assert_eq!(world.ended().await.len(), 0);
}

#[tokio::test]
async fn whatever_is_dropped_when_the_rest_is_answered_and_no_place_is_lost() {
    for seed in 0..40_u64 {
        let mut world = World::with(4, |sent| match (sent.read + sent.before) % 5 {
            0 => limited("1"),
            1 => status(500),
            2 => lost(),
            _ => status(200),
        });
        // A small generator of its own (Knuth's MMIX numbers), so that a failure can be repeated.
        let mut state = seed;
        let mut next = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut handles = Vec::new();
        for number in 0..60 {
            handles.push(world.start(number, TokenId(number % 3)));
            for _ in 0..next(4) {
                tokio::task::yield_now().await;
            }
            if next(3) == 0 {
                let at = usize::try_from(next(handles.len() as u64)).unwrap();
                handles.swap_remove(at).abort();
            }
        }
        let ended = world.ended().await;
        assert!(ended.len() >= handles.len(), "{seed}");
        for (number, (result, _)) in &ended {
            assert!(
                matches!(result, Ok(reply) if reply.status == 200),
                "{seed} {number} {result:?}"
            );
        }
        assert_eq!(world.in_flight.lock().unwrap().now, 0);
        let queue = format!("{:?}", world.requests.turnstile);
        assert!(
            queue.contains("in_flight: 0, concurrency") && queue.contains("turns: {}"),
            "{queue}"
        );
    }
}
