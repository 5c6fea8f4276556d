//! Limits, refused tokens and the pace, with very many requests.

use std::collections::VecDeque;

use pretty_assertions::assert_eq;

use super::*;

/// Returns a 403 of the primary limit, which is over `seconds` after the start.
fn used_up(seconds: i64) -> Reaction {
    let limits = LimitHeaders {
        remaining: Some("0".to_owned()),
        reset: Some((START + seconds).to_string()),
        ..Default::default()
    };
    reply(Reply { status: 403, limits, ..Reply::default() })
}

#[tokio::test]
async fn one_primary_limit_among_a_thousand_stops_all_of_its_token_and_all_end() {
    let mut world = World::new(|sent| match (sent.token, sent.read, sent.at) {
        // The limit is the token's: whatever comes before it is over meets it.
        (PAT, 500.., at) if at < S(300) => used_up(300),
        _ => status(200),
    });
    let tokens: Vec<TokenId> = (0..1_000).map(|number| TokenId(number / 990)).collect();
    let ended = world.run(&tokens).await;
    assert_eq!(statuses(&ended), [200; 1_000]);
    for (number, (_, at)) in ended.iter().enumerate() {
        let expected = if (500..990).contains(&number) { S(301) } else { S(0) };
        assert_eq!(*at, expected, "{number}");
    }
    // Those in flight met the limit; then one goes first, and the others when it was answered.
    let limited = world.log().iter().filter(|sent| sent.read >= 500 && sent.at < S(300)).count();
    assert!((1 + 10..=16 + 10).contains(&limited), "{limited}");
    let after: Vec<usize> =
        world.log().iter().filter(|sent| sent.at == S(301)).map(|sent| sent.read).collect();
    assert_eq!(after, (500..990).collect::<Vec<_>>(), "at their places in the order");
    // The wait for the limit, and that for the answer of the first one after it.
    let wait = |from, until| Wait { from: S(from), until: S(until) };
    assert_eq!(world.clock.waits(), [wait(0, 301), wait(301, 306)]);
}

#[tokio::test]
async fn a_probe_goes_first_after_a_limit() {
    let mut world = World::new(|sent| match (sent.read, sent.before) {
        (0, 0) => limited("10"),
        // The probe is not answered: after five seconds the others go all the same.
        (0, 1) => None,
        _ => status(200),
    });
    let hangs = world.start(0, PAT);
    settle().await;
    for number in 1..4 {
        world.start(number, PAT);
    }
    settle().await;
    assert_eq!(world.times(0), [0.0, 10.0]);
    assert_eq!(world.times(1), [10.0; 0]);
    world.clock.advance(S(5));
    settle().await;
    for number in 1..4 {
        assert_eq!(world.times(number), [15.0]);
    }
    hangs.abort();
    assert_eq!(world.ended().await.len(), 3);
}

#[tokio::test]
async fn a_refused_token_ends_all_others_with_it_without_a_request_and_no_other_token() {
    let mut world = World::new(|sent| match (sent.token, sent.read) {
        (PAT, 600) => status(401),
        _ => status(200),
    });
    // Every tenth has the other token.
    let token =
        |number: usize| if number.is_multiple_of(10) && number != 600 { OTHER } else { PAT };
    let tokens: Vec<TokenId> = (0..1_000).map(token).collect();
    let ended = world.run(&tokens).await;
    let error = "the token in PAT was refused (401: no message); it is wrong, expired or revoked: replace it";
    let refused = Err(Unanswered::TokenRefused(error.to_owned()));
    let sent: Vec<usize> = world.log().iter().map(|sent| sent.read).collect();
    for (number, (result, at)) in ended.iter().enumerate() {
        assert_eq!(*at, S(0));
        if token(number) == OTHER || number < 600 {
            assert_eq!(result.as_ref().unwrap().status, 200, "{number}");
        } else if result.is_err() {
            assert_eq!(*result, refused, "{number}");
            assert_eq!(sent.contains(&number), number == 600, "{number}");
        } else {
            assert!(number < 600 + 16, "{number} was not in flight with the refused one");
        }
    }
    let before = world.requests.sent();
    let later = world.requests.get(&read(2_000), PAT).await;
    assert_eq!((later, world.requests.sent()), (refused, before));
    let other = world.requests.get(&read(2_001), OTHER).await;
    assert_eq!(other.unwrap().status, 200);
}

#[tokio::test]
async fn a_refused_token_ends_back_offs_and_waits_too() {
    let mut world = World::with(1, |sent| match (sent.read, sent.before) {
        (0, 0) => status(503),
        (1, 0) => status(401),
        _ => panic!("{sent:?} after the token was refused"),
    });
    let ended = world.run(&[PAT; 3]).await;
    for (result, at) in ended {
        assert!(matches!(result, Err(Unanswered::TokenRefused(_))), "{result:?}");
        assert_eq!(at, S(0), "nobody waits for what was refused");
    }
}

#[tokio::test]
async fn a_limit_past_max_wait_defers_all_of_its_token_and_no_other() {
    let mut world = World::with(1, |sent| match sent.token {
        PAT => limited("3600"),
        _ => status(200),
    });
    let ended = world.run(&[PAT, PAT, OTHER]).await;
    // One second on top, because times of day are cut to the second.
    let after = Timestamp::from_second(START + 3601).unwrap();
    let error = "GitHub's rate limit for the token in PAT (429: no message) asks for a longer wait than this run may take: run again after 2026-01-02T04:04:06Z";
    let deferred = Err(Unanswered::Deferred(error.to_owned(), after));
    let results: Vec<_> = ended.iter().map(|(result, _)| result.clone()).collect();
    assert_eq!(results[..2], [deferred.clone(), deferred.clone()]);
    assert_eq!(results[2].as_ref().unwrap().status, 200);
    assert_eq!(world.requests.get(&read(9), PAT).await, deferred);
    assert_eq!((world.requests.sent(), world.clock.now()), (2, S(0)));
}

#[tokio::test]
async fn limits_in_a_row_are_waited_for_up_to_max_wait_in_sum() {
    let mut world = World::new(|_| limited("400"));
    let ended = world.run(&[PAT]).await;
    assert_eq!(world.times(0), [0.0, 400.0, 800.0]);
    assert!(matches!(ended[0], (Err(Unanswered::Deferred(..)), _)), "{ended:?}");
}

#[tokio::test]
async fn a_server_that_lies_with_zero_is_not_hammered() {
    let mut world = World::new(|_| limited("0"));
    let ended = world.run(&[PAT; 30]).await;
    assert!(ended.iter().all(|(it, _)| matches!(it, Err(Unanswered::Deferred(..)))));
    // 16 go at once; then one at a time, 1 + 2 + 4 + … + 60 + 60 … = 900 s at most.
    assert!(world.log().len() < 16 + 25, "{}", world.log().len());
}

#[tokio::test]
async fn nine_hundred_go_at_once_and_the_rest_a_minute_later_each_token_for_itself() {
    // A server that enforces GitHub's limit by the same clock, with a window of its own.
    let counted: Mutex<BTreeMap<TokenId, VecDeque<Duration>>> = Mutex::default();
    let mut world = World::new(move |sent| {
        let mut counted = counted.lock().unwrap();
        let counted = counted.entry(sent.token).or_default();
        counted.retain(|at| *at + S(60) > sent.at);
        assert!(counted.len() < 900, "{sent:?} is one too many");
        counted.push_back(sent.at);
        status(200)
    });
    let tokens: Vec<TokenId> = (0..2_100).map(|number| TokenId(number / 2_000)).collect();
    let ended = world.run(&tokens).await;
    assert_eq!(statuses(&ended), vec![200; 2_100]);
    for (number, (_, at)) in ended.iter().enumerate() {
        let expected = match number {
            900..1_800 => S(60),
            1_800..2_000 => S(120),
            _ => S(0),
        };
        assert_eq!(*at, expected, "{number}");
    }
    let wait = |from, until| Wait { from: S(from), until: S(until) };
    let waits = world.clock.waits();
    assert_eq!((waits.first(), waits.last()), (Some(&wait(0, 60)), Some(&wait(60, 120))));
}

#[tokio::test]
async fn redirects_and_failures_take_their_part_of_the_pace() {
    let mut world = World::new(|_| {
        let result = Ok(Reply { status: 200, ..Reply::default() });
        Some(Answer { requests: 2, moved: None, result })
    });
    let ended = world.run(&[PAT; 1_000]).await;
    // Up to 16 are in flight before it is known that each takes two.
    let at_once = ended.iter().filter(|(_, at)| *at == S(0)).count();
    assert!((450..=450 + 16).contains(&at_once), "{at_once}");
    assert_eq!(ended.last().unwrap().1, S(120));
}

#[tokio::test]
async fn two_thousand_tokens_each_have_a_gate_of_their_own() {
    let mut world = World::with(100, |sent| {
        if sent.before == 0 && sent.read.is_multiple_of(2) { limited("5") } else { status(200) }
    });
    let tokens: Vec<TokenId> = (0..2_000).map(TokenId).collect();
    let ended = world.run(&tokens).await;
    assert_eq!(statuses(&ended), vec![200; 2_000]);
    for (number, (_, at)) in ended.iter().enumerate() {
        assert_eq!(*at, if number.is_multiple_of(2) { S(5) } else { S(0) }, "{number}");
    }
}
