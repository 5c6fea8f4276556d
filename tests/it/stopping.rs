//! Stopping: a signal ends a run with a report of what is known, and a second one at once.
#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use ecosystem_dispatcher::embedded_github::Fault;
use serde_json::{Value, json};

use crate::alarms;
use crate::support::ecosystem::{Run, Running};
use crate::support::github::{TOKEN, Tester, github_with, run_test_with, run_test_without_sample};

fn signal(run: &Running, name: &str) {
    let id = run.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Waits until GitHub has seen so many requests.
fn wait_for_requests(t: &Tester, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while t.with(|it| it.requests().len()) < count {
        assert!(Instant::now() < deadline, "there are fewer than {count} requests");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_signal_starts_nothing_new_and_reports_what_is_known() {
    let names: Vec<String> = (0..6).map(|n| format!("acme/n{n}")).collect();
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        run_test_with(github_with(names.iter().map(String::as_str)), |t| {
            t.fault("acme/n1", Fault::delay(Duration::from_millis(800)));
            let list = t.cousins(names.iter().map(String::as_str));
            let mut run = t
                .push()
                .args(["--concurrency", "1", "--format", "json", "--ecosystem"])
                .arg(list)
                .spawn();
            wait_for_requests(t, 2);
            signal(&run, name);
            run.wait_for("interrupted: nothing more is sent");
            let done = run.wait().expect_code(code);
            let outcome = |name: &str| done.dispatch(name)["outcome"].clone();
            assert_eq!(outcome("acme/n0"), "delivered");
            assert_eq!(outcome("acme/n1"), "delivered", "it was in flight and was answered");
            assert_eq!(t.events("acme/n0").len() + t.events("acme/n1").len(), 2);
            for name in &names[2..] {
                let skipped = done.dispatch(name);
                assert_eq!(skipped["outcome"], "skipped");
                assert_eq!((&skipped["attempts"], &skipped["status"]), (&json!(0), &Value::Null));
                let error = skipped["error"].as_str().unwrap();
                assert!(error.starts_with("interrupted before it was sent"), "{error}");
                assert_eq!(t.requests(name).len(), 0);
            }
            assert_eq!(done.json()["summary"]["skipped"], 4);
        });
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (first, second, code) in
        [("-INT", "-INT", 130), ("-TERM", "-INT", 130), ("-INT", "-TERM", 143)]
    {
        run_test_with(github_with(["acme/web"]), |t| {
            t.fault("acme/web", Fault::silence());
            let list = t.cousins(["acme/web"]);
            let mut run = t.push().args(["--format", "json", "--ecosystem"]).arg(list).spawn();
            wait_for_requests(t, 1);
            signal(&run, first);
            run.wait_for("interrupted: nothing more is sent");
            let before = Instant::now();
            signal(&run, second);
            let done = run.wait().expect_code(code);
            assert!(before.elapsed() < Duration::from_secs(5), "not after the 10 s");
            assert!(done.stderr.contains("interrupted twice"), "{}", done.stderr);
            assert_eq!(done.stdout, "");
            assert_eq!(t.requests("acme/web").len(), 1);
            wait_until_closed(t);
        });
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_limit() {
    run_test_with(github_with(["acme/a", "acme/b"]), |t| {
        t.fault("acme/a", Fault::limited(60));
        let list = t.cousins(["acme/a", "acme/b"]);
        let mut run = t
            .push()
            .args(["-v", "--concurrency", "1", "--format", "json", "--ecosystem"])
            .arg(list)
            .spawn();
        run.wait_for("for GitHub's rate limit");
        let before = Instant::now();
        signal(&run, "-INT");
        let done = run.wait().expect_code(130);
        assert!(before.elapsed() < Duration::from_secs(5), "nothing is in flight");
        let limited = done.dispatch("acme/a");
        assert_eq!((&limited["outcome"], &limited["attempts"]), (&json!("skipped"), &json!(1)));
        let error = limited["error"].as_str().unwrap();
        assert!(error.starts_with("interrupted before it was sent again; before that"), "{error}");
        assert_eq!(done.dispatch("acme/b")["outcome"], "skipped");
        assert_eq!((t.requests("acme/a").len(), t.requests("acme/b").len()), (1, 0));
    });
}

#[test]
fn an_interrupted_step_still_writes_its_outputs() {
    run_test_with(github_with(["acme/a", "acme/b"]), |t| {
        t.fault("acme/a", Fault::delay(Duration::from_millis(500)));
        let list = t.cousins(["acme/a", "acme/b"]);
        let run = t.action().args(["--concurrency", "1", "--ecosystem"]).arg(list).spawn();
        wait_for_requests(t, 1);
        signal(&run, "-TERM");
        run.wait().expect_code(143);
        assert_eq!(t.events("acme/a").len(), 1);
        assert_eq!(t.outputs()["dispatched"], "true");
        assert!(t.written("summary").contains("**1** of **2 dispatches**"));
    });
}

#[test]
fn an_interrupted_look_takes_nothing_back_that_was_sent_once_and_for_all() {
    run_test_without_sample(github_with(["acme/deaf"]), |t| {
        let mut run = t
            .as_a_step(t.sending())
            .args(["--to", "acme/deaf", "-e", "x", "-v", "--format", "json"])
            .args(["--confirm", "60", "--require-confirmation"])
            .spawn();
        run.wait_for("looking for the runs");
        signal(&run, "-TERM");
        let done = run.wait().expect_code(143);
        let row = done.dispatch("acme/deaf");
        assert_eq!((&row["outcome"], &row["status"]), (&json!("delivered"), &json!(204)));
        assert_eq!(row["confirmation"], "unconfirmed");
        assert_eq!(t.outputs()["dispatched"], "true");
        t.looked_at_all();
        t.delivered();
    });
}

/// Nobody knows then whether the cousin has what it needs.
#[test]
fn an_interrupted_look_ends_no_alarm() {
    run_test_with(alarms::github(), |t| {
        let list = t.cousins(["acme/web"]);
        let run = || alarms::alarmed(t.push()).arg("--ecosystem").arg(&list);
        t.fault("acme/web", Fault::status(403));
        run().run().expect_code(1);
        let open = [(1, "open".to_owned(), 0)];
        assert_eq!(alarms::issues(t), open);
        let look = ["-v", "--confirm", "60", "--require-confirmation", "--format", "json"];
        let mut looking = run().args(look).spawn();
        looking.wait_for("looking for the runs");
        signal(&looking, "-TERM");
        let row = looking.wait().expect_code(143).dispatch("acme/web");
        assert_eq!(row["outcome"], "delivered");
        assert_eq!(row["confirmation"], "unconfirmed");
        assert_eq!(alarms::issues(t), open, "neither ended nor told of again");
        run().run().expect_code(0);
        assert_eq!(alarms::issues(t)[0].1, "closed");
        t.looked_at_all();
        t.tried();
        t.delivered();
    });
}

/// Waits until GitHub has noticed that its peer is gone.
fn wait_until_closed(t: &Tester) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while t.with(|it| it.in_flight()) > 0 {
        assert!(Instant::now() < deadline, "a request is still in flight");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_signal_ends_a_validation_that_is_asking() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        run_test_with(github_with(["acme/web"]), |t| {
            t.fault("acme/web", Fault::delay(Duration::from_secs(30)));
            let run = Run::new(&t.sandbox)
                .dir(&t.checkout)
                .args(["validate", "--online", "--ecosystem"])
                .arg(t.cousins(["acme/web"]))
                .env("GITHUB_API_URL", t.url())
                .env("ECOSYSTEM_PAT", TOKEN)
                .spawn();
            wait_for_requests(t, 1);
            signal(&run, name);
            let done = run.wait().expect_code(code);
            assert!(done.stderr.contains("interrupted"), "{}", done.stderr);
            assert!(done.stdout.contains("the run was interrupted before"), "{}", done.stdout);
            t.reads();
        });
    }
}
