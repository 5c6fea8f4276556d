//! Servers that refuse, fail or never answer, and interruptions: what is known stays known.

use pretty_assertions::assert_eq;

use super::*;
use crate::github::LimitHeaders;

#[tokio::test]
async fn the_trouble_of_one_cousin_is_told_and_neither_delays_nor_hides_another() {
    let limited = || {
        let limits = LimitHeaders { retry_after: Some("3600".to_owned()), ..Default::default() };
        reply(Reply { status: 403, limits, ..Reply::default() })
    };
    let world = World::new(move |asked| match asked.repo.as_str() {
        "acme/forbidden" => status(403),
        "acme/gone" => status(404),
        "acme/odd" => status(422),
        "acme/fails" => status(503),
        "acme/recovers" if asked.before < 6 => status(502),
        "acme/recovers" => named(5),
        "acme/garbage" => reply(Reply { status: 200, body: b"[]".to_vec(), ..Reply::default() }),
        "acme/long" => reply(Reply { status: 200, too_large: true, ..Reply::default() }),
        "acme/limited" | "acme/behind" => limited(),
        _ => named(9),
    });
    let other = |repo, number| Dispatched { token: TokenId(1), ..dispatched(repo, number, 0) };
    let all = [
        dispatched("acme/forbidden", 1, 0),
        dispatched("acme/gone", 2, 0),
        dispatched("acme/odd", 3, 0),
        dispatched("acme/fails", 4, 0),
        dispatched("acme/recovers", 5, 0),
        dispatched("acme/garbage", 6, 0),
        dispatched("acme/long", 7, 0),
        other("acme/limited", 8),
        other("acme/behind", 10),
        dispatched("acme/well", 9, 0),
    ];
    let seen = world.look(&all, S(120)).await;
    insta::assert_snapshot!(seen.join("\n"), @r#"
    the token in PAT may not read the workflow runs of acme/forbidden (403: "M"): give it the permission "Actions: read" there (a classic token the scope "repo")
    the token in PAT may not read the workflow runs of acme/gone (404: "M"): give it the permission "Actions: read" there (a classic token the scope "repo"), or the repository is gone
    GitHub did not list the workflow runs of acme/odd (422: "M")
    GitHub could not be asked for its runs: the server failed (503: "M"); tried 5 times, run again later
    confirmed https://github.com/runs/5
    GitHub's list of its runs cannot be read: is GITHUB_API_URL right?
    GitHub's list of its runs is too long to be read
    GitHub's rate limit for its token lets nobody look for its run before 2026-01-02T04:04:09Z: look at its Actions tab
    GitHub's rate limit for its token lets nobody look for its run before 2026-01-02T04:04:09Z: look at its Actions tab
    confirmed https://github.com/runs/9
    "#);
    assert_eq!(world.times("acme/well"), [3.0]);
    for repo in ["acme/forbidden", "acme/gone", "acme/odd", "acme/limited"] {
        assert_eq!(world.times(repo), [3.0], "{repo}");
    }
    assert!(world.clock.now() <= S(125), "{:?}", world.clock.now());
}

#[tokio::test]
async fn what_was_seen_once_stays_seen_whatever_comes_later() {
    let plain = |number: usize| reply(listed(&[(number, 1, "feature-update".to_owned())]));
    let world = World::new(move |asked| match (asked.repo.as_str(), asked.before) {
        ("acme/named", 0) => named(1),
        ("acme/plain", 0) => plain(7),
        ("acme/plain", 1) => plain(8),
        _ => status(503),
    });
    let all = [
        dispatched("acme/named", 1, 0),
        dispatched("acme/named", 2, 0),
        dispatched("acme/plain", 3, 0),
        dispatched("acme/plain", 4, 0),
    ];
    let seen = world.look(&all, S(120)).await;
    let url = |number: usize| format!("https://github.com/runs/{number}");
    assert_eq!(seen[0], format!("confirmed {}", url(1)));
    assert!(seen[1].starts_with("GitHub could not be asked"), "{seen:?}");
    assert_eq!(seen[2..], [format!("probable {}", url(7)), format!("probable {}", url(8))]);
}

#[tokio::test]
async fn a_refused_token_ends_all_that_use_it_at_once() {
    let world = World::new(|asked| if asked.repo == "acme/other" { named(9) } else { status(401) });
    let other = Dispatched { token: TokenId(1), ..dispatched("acme/other", 9, 0) };
    let mut all: Vec<_> = (0..40).map(|n| dispatched(&format!("acme/r{n}"), n, 0)).collect();
    all.push(other);
    let seen = world.look(&all, S(120)).await;
    assert!(seen[..40].iter().all(|why| why.starts_with("the token in PAT was refused (401")));
    assert!(seen[40].starts_with("confirmed"));
    assert!(world.count() <= 17 && world.clock.now() == S(3), "{}", world.count());
}

#[tokio::test]
async fn who_never_answers_is_given_up_five_seconds_after_the_deadline() {
    let world = World::new(|asked| match asked.repo.as_str() {
        "acme/hangs" => None,
        "acme/stops" if asked.before > 0 => None,
        "acme/stops" => nothing(),
        _ => named(3),
    });
    let all = [
        dispatched("acme/hangs", 1, 0),
        dispatched("acme/stops", 2, 0),
        dispatched("acme/well", 3, 0),
    ];
    let mut receipts = Receipts::new(&all, S(60));
    let mut told = Vec::new();
    let requests = Arc::clone(&world.requests);
    tokio::join!(receipts.look(&requests, |tally| told.push(tally)), async {
        for _ in 0..66 {
            settle().await;
            world.clock.advance(S(1));
        }
    });
    insta::assert_snapshot!(shown(&receipts).join("\n"), @"
    GitHub did not tell within 60 s which runs were started: give --confirm more time
    no run of it was seen for 3 s, and GitHub did not answer again within 60 s: give --confirm more time
    confirmed https://github.com/runs/3
    ");
    assert_eq!(told.last(), Some(&Tally { confirmed: 1, probable: 0, unconfirmed: 2 }));
    assert_eq!((told.len(), receipts.tally()), (2, told[1]));
    assert_eq!((world.times("acme/hangs").len(), world.times("acme/stops").len()), (1, 2));
}

#[tokio::test]
async fn what_is_known_is_kept_when_it_is_interrupted_and_another_look_goes_on() {
    let hangs = Arc::new(Mutex::new(true));
    let still = Arc::clone(&hangs);
    let world = World::new(move |asked| match asked.repo.as_str() {
        "acme/slow" if *still.lock().unwrap() => None,
        "acme/none" => nothing(),
        "acme/slow" => named(2),
        _ => named(1),
    });
    let all = [
        dispatched("acme/well", 1, 0),
        dispatched("acme/slow", 2, 0),
        dispatched("acme/none", 3, 0),
    ];
    let mut receipts = Receipts::new(&all, S(20));
    let before = receipts.confirmations();
    assert!(before.iter().all(|it| it.as_str() == "unconfirmed" && it.url().is_none()));
    assert_eq!(before.len(), 3);
    tokio::select! {
        biased;
        () = receipts.look(&world.requests, |_| {}) => panic!("one of them hangs"),
        () = settle() => {}
    }
    insta::assert_snapshot!(shown(&receipts).join("\n"), @"
    confirmed https://github.com/runs/1
    interrupted before GitHub told whether its run was started
    interrupted: no run of it had been seen for 3 s
    ");
    *hangs.lock().unwrap() = false;
    receipts.look(&world.requests, |_| {}).await;
    assert_eq!(shown(&receipts)[1], "confirmed https://github.com/runs/2");
    assert_eq!(world.times("acme/well"), [3.0], "what is confirmed is not asked again");
    assert_eq!((world.times("acme/none").last(), world.clock.now()), (Some(&20.0), S(20)));
}
