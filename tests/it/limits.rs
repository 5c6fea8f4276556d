//! GitHub's limits through the built binary, on the real clock with waits of a second: one gate
//! for everything that uses a token, and a wait that is too long is handed back to the caller.

use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::{Fault, Token};
use serde_json::{Value, json};

use crate::support::github::{FEATURE, github_with, run_test_with};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("acme/n{n:02}")).collect()
}

#[test]
fn one_limited_answer_holds_back_everything_that_uses_the_token() {
    for limit in [
        Fault::limited(1),
        Fault::status(429).header("retry-after", "1"),
        Fault::status(403).header("retry-after", "1"),
        Fault::exhausted(0),
    ] {
        let names = names(30);
        run_test_with(github_with(names.iter().map(String::as_str)), |t| {
            let shown = format!("{limit:?}");
            t.with(|it| it.fault_nth(5, limit));
            let list = t.cousins(names.iter().map(String::as_str));
            let done = t
                .push()
                .args(["--concurrency", "4", "--format", "json", "--ecosystem"])
                .arg(list)
                .run()
                .expect_code(0);
            assert_eq!(done.json()["summary"]["delivered"], 30, "{shown}");
            let mut requests: Vec<_> = names.iter().flat_map(|name| t.requests(name)).collect();
            requests.sort_by_key(|request| request.at);
            assert_eq!(requests.len(), 31, "one was sent twice: {shown}");
            for name in &names {
                assert_eq!(t.events(name).len(), 1, "{shown} {name}");
            }
            let limited = requests.iter().find(|it| it.faulted).expect("one met the limit").at;
            let waits: Vec<i128> =
                requests.iter().map(|it| it.at.duration_since(limited).as_millis()).collect();
            let early = waits.iter().filter(|wait| (1..950).contains(*wait)).count();
            // What was in flight already when the limit was answered: at most three others.
            let after = waits.iter().filter(|wait| **wait >= 950).count();
            assert!(early <= 3, "{shown}: {waits:?}");
            assert!(after >= 30 - 4 - 3, "{shown}: {waits:?}");
        });
    }
}

#[test]
fn a_limit_of_one_token_does_not_hold_back_anothers() {
    let model = github_with(["acme/a", "acme/own"]);
    run_test_with(model.token("own-token", Token::may_write_all()), |t| {
        t.fault("acme/a", Fault::limited(1));
        let list = json!([
            {"repo": "acme/a", "subscriptions": [FEATURE]},
            {"repo": "acme/own", "subscriptions": [FEATURE], "token_env": "OWN"},
        ]);
        let list = t.file(&list.to_string());
        t.push()
            .env("OWN", "own-token")
            .args(["--concurrency", "1", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(0);
        let limited = t.requests("acme/a")[0].at;
        let other = t.requests("acme/own")[0].at;
        assert!(other.duration_since(limited).as_millis() < 900);
        t.events("acme/a");
        t.events("acme/own");
    });
}

#[test]
fn a_limit_that_is_longer_than_the_run_may_wait_is_handed_back_with_the_time() {
    let names = names(10);
    run_test_with(github_with(names.iter().map(String::as_str)), |t| {
        t.with(|it| it.fault_nth(3, Fault::limited(600)));
        let list = t.cousins(names.iter().map(String::as_str));
        let before = Instant::now();
        let done = t
            .push()
            .args(["--max-wait", "5", "--concurrency", "1", "--format", "json", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(1);
        assert!(
            before.elapsed() < Duration::from_secs(20),
            "it does not wait for what is too long"
        );
        let report = done.json();
        let summary = &report["summary"];
        assert_eq!((&summary["delivered"], &summary["deferred"]), (&json!(2), &json!(8)));
        for dispatch in report["dispatches"].as_array().unwrap() {
            let name = dispatch["repo"].as_str().unwrap();
            let attempts = t.requests(name).len();
            assert_eq!(dispatch["attempts"], attempts);
            if dispatch["outcome"] == "delivered" {
                t.events(name);
                assert_eq!(dispatch["run_again_after"], Value::Null);
                continue;
            }
            let error = dispatch["error"].as_str().unwrap();
            assert!(
                error.contains("longer wait than --max-wait allows: run again after"),
                "{error}"
            );
            let after: jiff::Timestamp =
                dispatch["run_again_after"].as_str().unwrap().parse().unwrap();
            let ahead = after.duration_since(jiff::Timestamp::now()).as_secs();
            assert!((570..=602).contains(&ahead), "{ahead}");
        }
    });
}

#[test]
fn people_read_once_after_when_to_run_again() {
    run_test_with(github_with(["acme/web"]), |t| {
        t.fault("acme/web", Fault::limited(600));
        let list = t.cousins(["acme/web"]);
        let done = t.push().args(["--max-wait", "5", "--ecosystem"]).arg(list).run().expect_code(1);
        assert_eq!(done.stdout.matches("run again after 20").count(), 1, "{}", done.stdout);
        t.requests("acme/web");
    });
}

#[test]
fn githubs_own_limits_are_never_met_by_a_push_of_their_size() {
    let names = names(80);
    let model =
        names.iter().fold(ecosystem_dispatcher::embedded_github::Model::new(), |model, name| {
            model.repository(name)
        });
    run_test_with(model, |t| {
        let list = t.cousins(names.iter().map(String::as_str));
        let done =
            t.push().args(["--format", "json", "--ecosystem"]).arg(list).run().expect_code(0);
        assert_eq!(done.json()["summary"]["delivered"], 80);
        for name in &names {
            assert_eq!((t.requests(name).len(), t.events(name).len()), (1, 1), "{name}");
        }
        assert!(t.with(|it| it.max_in_flight()) <= 16);
    });
}
