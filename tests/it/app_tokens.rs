//! What befalls an App's token while a run goes on: it is not known yet, ends, is refused, or cannot
//! be had at the moment.

use std::sync::Arc;
use std::time::Duration;

use ecosystem_dispatcher::embedded_github::Fault;
use jiff::{SignedDuration, Timestamp};
use pretty_assertions::assert_eq;

use crate::app::{app, dispatch, outcomes, writes};
use crate::support::github::{github_with, run_test_with};

#[test]
fn a_token_that_github_does_not_know_everywhere_yet_is_tried_again() {
    let model = github_with(["acme/web"]).app(app().installed("acme", writes).lag(2));
    run_test_with(model, |t| {
        let done = dispatch(t, ["acme/web"]).run().expect_code(0);
        assert_eq!(t.statuses("acme/web"), [Some(401), Some(401), Some(204)]);
        assert_eq!(done.dispatch("acme/web")["attempts"], 1);
        assert_eq!(t.with(|it| it.minted().len()), 1);
        t.events("acme/web");
        t.asked_as_app();
    });
}

#[test]
fn a_new_token_that_does_not_see_a_repository_yet_is_tried_again_and_not_for_long() {
    let model = github_with(["acme/late", "acme/lost"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        let unseen = r#"{"message":"Resource not accessible by integration"}"#;
        t.fault("acme/late", Fault::status(404));
        t.fault("acme/late", Fault::status(403).text("application/json", unseen));
        t.fault("acme/lost", Fault::status(404).forever());
        let done = dispatch(t, ["acme/late", "acme/lost"]).arg("--concurrency=2").run();
        assert_eq!(done.code, Some(1), "{}", done.stderr);
        assert_eq!(t.statuses("acme/late"), [Some(404), Some(403), Some(204)]);
        let lost = t.requests("acme/lost").len();
        assert!((2..=4).contains(&lost), "until another had been seen with it: {lost}");
        let error = done.dispatch("acme/lost")["error"].to_string();
        assert!(error.contains("is it installed on acme/lost?"), "{error}");
        t.delivered();
        t.asked_as_app();
    });
}

#[test]
fn a_token_that_ends_in_mid_run_is_replaced() {
    // The limit keeps the second from being sent again until half of the token's life is over.
    let model = github_with(["acme/a", "acme/b"])
        .app(app().installed("acme", writes).token_life(Duration::from_secs(6)));
    run_test_with(model, |t| {
        t.fault("acme/b", Fault::limited(4));
        dispatch(t, ["acme/a", "acme/b"]).run().expect_code(0);
        assert_eq!(t.with(|it| it.minted().len()), 2);
        assert_eq!(t.delivered().len(), 2);
        let asked = t.asked_as_app();
        assert_eq!(asked.iter().filter(|it| it.starts_with("GET")).count(), 1, "{asked:?}");
        t.requests("acme/b");
    });
}

#[test]
fn a_token_that_is_refused_in_mid_run_is_renewed_once() {
    let model = github_with(["acme/a", "acme/b"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        // Past the time in which GitHub may not know it yet.
        t.fault("acme/b", Fault::limited(6));
        let mut run = dispatch(t, ["acme/a", "acme/b"]).arg("-vv").spawn();
        run.wait_for("acme/a: answered 204");
        t.with(|it| it.end_minted());
        run.wait().expect_code(0);
        assert_eq!(t.statuses("acme/b"), [Some(403), Some(401), Some(204)]);
        assert_eq!(t.with(|it| it.minted().len()), 2);
        assert_eq!(t.delivered().len(), 2);
        t.asked_as_app();
    });
}

#[test]
fn a_token_that_is_refused_for_good_ends_its_owners_dispatches_only() {
    let names = ["acme/a", "acme/b", "zoo/site"];
    let model = github_with(names).app(app().installed("acme", writes).installed("zoo", writes));
    run_test_with(model, |t| {
        for name in ["acme/a", "acme/b"] {
            t.fault(name, Fault::status(401).forever());
        }
        let done = dispatch(t, names).args(["--concurrency", "1"]).run().expect_code(1);
        let all = outcomes(&done);
        assert!(
            all[0].contains("the token of the App 12345 (installation of acme) was refused"),
            "{all:?}"
        );
        assert!(all[1].starts_with("acme/b failed"), "{all:?}");
        assert_eq!(all[2], "zoo/site delivered");
        assert_eq!(t.requests("acme/a").len(), 8, "three times again with each of two tokens");
        assert_eq!(t.requests("acme/b").len(), 0);
        t.delivered();
        t.asked_as_app();
    });
}

#[test]
fn a_clock_that_is_off_is_set_by_githubs() {
    for hours in [-26, 2] {
        let model = github_with(["acme/web", "zoo/site"])
            .app(app().installed("acme", writes).installed("zoo", writes))
            .clock(Arc::new(move || Timestamp::now() + SignedDuration::from_hours(hours)));
        run_test_with(model, |t| {
            let done = dispatch(t, ["acme/web", "zoo/site"]).run().expect_code(0);
            assert_eq!(t.delivered().len(), 2, "{}", done.stderr);
            let asked = t.asked_as_app();
            let refused = asked.iter().filter(|it| it.ends_with(" 401")).count();
            assert!((1..=2).contains(&refused), "{asked:#?}");
            assert_eq!(asked.iter().filter(|it| it.starts_with("POST")).count(), 2, "{asked:#?}");
        });
    }
}

#[test]
fn what_passes_on_the_way_to_a_token_is_waited_for_and_what_stays_ends_as_usual() {
    for (endpoint, fault, code) in [
        ("app/installations", Fault::status(503), 0),
        ("app/installations", Fault::limited(1), 0),
        ("app/installations", Fault::truncated(201), 0),
        ("users/acme", Fault::reset(), 0),
        ("users/acme", Fault::exhausted(1), 0),
        ("users/acme", Fault::limited(3600), 1),
    ] {
        let model = github_with(["acme/web", "zoo/site"])
            .app(app().installed("acme", writes).installed("zoo", writes));
        run_test_with(model, |t| {
            t.fault(endpoint, fault);
            let done = dispatch(t, ["acme/web"]).args(["--max-wait", "5"]).run().expect_code(code);
            let outcome = done.dispatch("acme/web")["outcome"].clone();
            assert_eq!(outcome, if code == 0 { "delivered" } else { "deferred" }, "{endpoint}");
            t.delivered();
            t.asked_as_app();
        });
    }
}

#[test]
fn many_that_hear_of_one_failure_do_not_all_ask_again() {
    let names: Vec<String> = (0..20).map(|n| format!("acme/r{n}")).collect();
    let all = || names.iter().map(String::as_str);
    let model =
        github_with(all()).app(app().installed("acme", writes)).latency(Duration::from_millis(100));
    run_test_with(model, |t| {
        t.fault("app/installations", Fault::status(503));
        dispatch(t, all()).args(["--concurrency", "20"]).run().expect_code(0);
        let asked = t.asked_as_app();
        let minted = asked.iter().filter(|it| it.starts_with("POST")).count();
        assert_eq!(minted, 2, "{asked:#?}");
        assert_eq!(t.delivered().len(), 20);
    });
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_gives_its_tokens_back() {
    let model = github_with(["acme/web"]).app(app().installed("acme", writes));
    run_test_with(model, |t| {
        t.fault("acme/web", Fault::delay(Duration::from_millis(800)));
        let mut run = dispatch(t, ["acme/web"]).arg("-vv").spawn();
        run.wait_for("minted for 1 repositories");
        let id = run.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success()
        );
        run.wait().expect_code(143);
        assert_eq!(t.with(|it| (it.minted().len(), it.alive())), (1, 0));
        t.delivered();
        t.requests("acme/web");
        t.asked_as_app();
    });
}
