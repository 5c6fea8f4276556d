//! Each class of answers of GitHub, through the built binary: what came of the dispatch, what the
//! report says about it, and which requests it took.

use std::time::Duration;

use ecosystem_dispatcher::embedded_github::{Fault, Model, Token};
use serde_json::{Value, json};

use crate::support::ecosystem::Done;
use crate::support::github::{Bait, FEATURE, Tester, github_with, run_test, run_test_with};

/// Sends one event to each of these cousins and returns the run with its JSON report.
fn send<'a>(t: &Tester, cousins: impl IntoIterator<Item = &'a str>, code: i32) -> Done {
    let list = t.cousins(cousins);
    t.push().args(["--format", "json", "--ecosystem"]).arg(list).run().expect_code(code)
}

fn error(dispatch: &Value) -> &str {
    dispatch["error"].as_str().unwrap_or_default()
}

#[test]
fn a_refusal_for_good_is_sent_once_and_says_what_to_do() {
    for (fault, status, says) in [
        (Fault::status(400), 400, "GitHub refused it (400: \"Scripted answer\")"),
        (Fault::status(403), 403, "may not send events to acme/web"),
        (
            Fault::status(403).header("x-accepted-github-permissions", "contents=write"),
            403,
            "it needs the permission contents=write",
        ),
        (Fault::status(404), 404, "not found, or the token cannot see it"),
        (Fault::status(410), 410, "410: \"Scripted answer\""),
        (Fault::status(422), 422, "GitHub refused the event (422: \"Scripted answer\")"),
        (Fault::status(200), 200, "GitHub answers 204 to a dispatch"),
        (Fault::html(200), 200, "the server answered HTML, is GITHUB_API_URL right?"),
        (Fault::html(404), 404, "the server answered HTML"),
        (Fault::status(303).header("location", "/"), 303, "in a way that a POST cannot follow"),
        (Fault::status(307), 307, "redirects without a Location"),
        (Fault::redirect(307, "http://[bad"), 307, "cannot be read"),
        (Fault::redirect(307, "http://u:p@127.0.0.1:1/x"), 307, "another server"),
    ] {
        run_test_with(github_with(["acme/web", "acme/api"]), |t| {
            let shown = format!("{fault:?}");
            t.fault("acme/web", fault);
            let done = send(t, ["acme/web", "acme/api"], 1);
            let failed = done.dispatch("acme/web");
            assert_eq!(failed["outcome"], "failed", "{shown}");
            assert_eq!(failed["attempts"], 1, "{shown}");
            assert_eq!(failed["status"], status, "{shown}");
            assert!(error(&failed).contains(says), "{shown}: {}", error(&failed));
            assert_eq!(t.statuses("acme/web"), [Some(status)], "{shown}");
            // One cousin's failure hides no other's delivery.
            assert_eq!(done.dispatch("acme/api")["outcome"], "delivered", "{shown}");
            assert_eq!(t.events("acme/api").len(), 1, "{shown}");
        });
    }
}

#[test]
fn githubs_own_refusals_come_through_in_its_words() {
    let model = Model::new()
        .archived("acme/attic")
        .repository_with("acme/secret", |it| it.private())
        .repository("acme/foreign")
        .token("weak", Token::fine_grained().labelled("weak"));
    run_test_with(model, |t| {
        let list = t.file(
            &json!([
                {"repo": "acme/attic", "subscriptions": [FEATURE]},
                {"repo": "acme/secret", "subscriptions": [FEATURE], "token_env": "WEAK"},
                {"repo": "acme/foreign", "subscriptions": [FEATURE], "token_env": "WEAK"},
            ])
            .to_string(),
        );
        let done = t
            .push()
            .env("WEAK", "weak")
            .args(["--format", "json", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(1);
        for (repository, status, says) in [
            ("acme/attic", 403, "the repository is archived"),
            ("acme/secret", 404, "`GH_TOKEN=\"$WEAK\" gh api repos/acme/secret` tells which"),
            ("acme/foreign", 403, "the token in WEAK may not send events to acme/foreign"),
        ] {
            let failed = done.dispatch(repository);
            assert_eq!((&failed["outcome"], &failed["status"]), (&json!("failed"), &json!(status)));
            assert!(error(&failed).contains(says), "{}", error(&failed));
            assert_eq!(t.statuses(repository), [Some(status)]);
        }
    });
}

#[test]
fn a_renamed_repository_is_followed_by_every_kind_of_redirect_and_reported() {
    for status in [301, 302, 307, 308] {
        run_test_with(github_with(["acme/new"]), |t| {
            t.fault("acme/old", Fault::redirect(status, "/repos/acme/new/dispatches"));
            let done = send(t, ["acme/old"], 0);
            let dispatch = done.dispatch("acme/old");
            assert_eq!(dispatch["outcome"], "delivered", "{status}");
            assert_eq!((&dispatch["attempts"], &dispatch["status"]), (&json!(1), &json!(204)));
            assert_eq!(t.statuses("acme/old"), [Some(status)]);
            let [event] = &t.events("acme/new")[..] else { panic!("one event after {status}") };
            assert_eq!(event.client_payload["updated_feature"], FEATURE, "the body is kept");
            assert_eq!(done.warnings(), ["renamed-repository"]);
            let report = done.json();
            let message = report["warnings"][0]["message"].as_str().unwrap();
            assert!(message.starts_with("acme/old is now acme/new"), "{message}");
        });
    }
}

#[test]
fn a_rename_is_followed_as_github_itself_redirects() {
    run_test(|t| {
        let done = send(t, ["acme/old-name"], 0);
        assert_eq!(t.statuses("acme/old-name"), [Some(307)]);
        let [event] = &t.events("acme/new-name")[..] else { panic!("one event") };
        assert!(event.sent_to.starts_with("repositories/"), "{}", event.sent_to);
        assert_eq!(done.warnings(), ["renamed-repository"]);
    });
}

#[test]
fn the_token_never_goes_to_another_server() {
    for status in [301, 302, 303, 307, 308] {
        run_test_with(github_with([]), |t| {
            let bait = Bait::new();
            t.fault("acme/web", Fault::redirect(status, &format!("{}/x", bait.url())));
            let failed = send(t, ["acme/web"], 1).dispatch("acme/web");
            assert_eq!(failed["outcome"], "failed");
            let says = if status == 303 { "a POST cannot follow" } else { "to another server" };
            assert!(error(&failed).contains(says), "{}", error(&failed));
            assert_eq!(t.statuses("acme/web"), [Some(status)]);
            bait.expect_nobody();
        });
    }
}

#[test]
fn redirects_that_go_in_a_circle_or_on_and_on_end() {
    run_test_with(github_with([]), |t| {
        t.fault("acme/a", Fault::redirect(307, "/repos/acme/b/dispatches").forever());
        t.fault("acme/b", Fault::redirect(307, "/repos/acme/a/dispatches").forever());
        let failed = send(t, ["acme/a"], 1).dispatch("acme/a");
        assert!(error(&failed).contains("redirects in a circle"), "{}", error(&failed));
        assert_eq!((t.requests("acme/a").len(), t.requests("acme/b").len()), (1, 1));
    });
    run_test_with(github_with([]), |t| {
        for hop in 0..6 {
            let next = format!("/repos/acme/r{}/dispatches", hop + 1);
            t.fault(&format!("acme/r{hop}"), Fault::redirect(307, &next));
        }
        let failed = send(t, ["acme/r0"], 1).dispatch("acme/r0");
        assert!(error(&failed).contains("for the fourth time in a row"), "{}", error(&failed));
        let asked: Vec<usize> =
            (0..6).map(|hop| t.requests(&format!("acme/r{hop}")).len()).collect();
        assert_eq!(asked, [1, 1, 1, 1, 0, 0]);
    });
}

#[test]
fn a_bad_token_fails_all_that_uses_it_and_nothing_else() {
    let names: Vec<String> = (0..20).map(|n| format!("acme/pat-{n:02}")).collect();
    let model = names.iter().fold(github_with(["acme/own"]), |model, name| model.repository(name));
    run_test_with(model.token("own-token", Token::may_write_all()), |t| {
        t.fault("acme/pat-00", Fault::status(401));
        let mut list: Vec<Value> =
            names.iter().map(|name| json!({"repo": name, "subscriptions": [FEATURE]})).collect();
        list.push(json!({"repo": "acme/own", "subscriptions": [FEATURE], "token_env": "OWN"}));
        let done = t
            .push()
            .env("OWN", "own-token")
            .args(["--concurrency", "1", "--format", "json", "--ecosystem"])
            .arg(t.file(&json!(list).to_string()))
            .run()
            .expect_code(1);
        assert_eq!(done.dispatch("acme/own")["outcome"], "delivered");
        assert_eq!(t.events("acme/own").len(), 1);
        assert_eq!(t.statuses("acme/pat-00"), [Some(401)]);
        let first = done.dispatch("acme/pat-00");
        assert!(error(&first).starts_with("the token in ECOSYSTEM_PAT was refused (401"));
        for name in &names[1..] {
            let unsent = done.dispatch(name);
            assert_eq!((&unsent["outcome"], &unsent["attempts"]), (&json!("failed"), &json!(0)));
            assert!(error(&unsent).starts_with("not sent, because the token in ECOSYSTEM_PAT"));
            assert_eq!(t.requests(name).len(), 0, "{name}");
        }
    });
}

#[test]
fn what_may_pass_is_tried_again_and_delivered() {
    for (fault, times) in [
        (Fault::status(502), 1),
        (Fault::status(500), 1),
        (Fault::html(503), 1),
        (Fault::truncated(502), 1),
        // Its message may have been that of a limit.
        (Fault::truncated(403), 1),
        (Fault::reset(), 1),
        (Fault::silence(), 1),
    ] {
        run_test_with(github_with(["acme/web"]), |t| {
            let shown = format!("{fault:?}");
            t.fault("acme/web", fault.times(times));
            let list = t.cousins(["acme/web"]);
            let done = t
                .push()
                .args(["--timeout", "0.5", "--format", "json", "--ecosystem"])
                .arg(list)
                .run()
                .expect_code(0);
            let dispatch = done.dispatch("acme/web");
            assert_eq!(dispatch["outcome"], "delivered", "{shown}");
            assert_eq!(dispatch["attempts"], times + 1, "{shown}");
            assert_eq!((&dispatch["status"], &dispatch["error"]), (&json!(204), &Value::Null));
            assert_eq!(t.requests("acme/web").len() as u32, times + 1, "{shown}");
            assert_eq!(t.events("acme/web").len(), 1, "{shown}");
        });
    }
}

#[test]
fn an_event_whose_answer_was_lost_is_sent_again_with_the_same_id() {
    run_test_with(github_with(["acme/web"]), |t| {
        t.fault("acme/web", Fault::reset().delivered());
        send(t, ["acme/web"], 0);
        let events = t.events("acme/web");
        let ids: Vec<&Value> = events.iter().map(|it| &it.client_payload["dispatch_id"]).collect();
        assert_eq!(ids.len(), 2, "at least once");
        assert_eq!(ids[0], ids[1]);
    });
}

#[test]
fn a_silent_cousin_delays_nobody() {
    let names: Vec<String> = (0..80).map(|n| format!("acme/n{n:02}")).collect();
    run_test_with(github_with(names.iter().map(String::as_str)), |t| {
        t.fault("acme/n00", Fault::silence());
        let list = t.cousins(names.iter().map(String::as_str));
        let done = t
            .push()
            .args(["--timeout", "1", "--per-minute", "200", "--format", "json", "--ecosystem"])
            .arg(list)
            .run()
            .expect_code(0);
        assert_eq!(done.json()["summary"]["delivered"], 80);
        let asked = t.requests("acme/n00");
        let [silent, again] = &asked[..] else { panic!("{asked:?}") };
        assert!(again.at.duration_since(silent.at).as_millis() >= 990, "it had its second");
        t.events("acme/n00");
        let mut before_it_timed_out = 0;
        for name in &names[1..] {
            let events = t.events(name);
            assert_eq!(events.len(), 1, "{name}");
            let waited = events[0].at.duration_since(silent.at);
            before_it_timed_out += usize::from(waited.as_millis() < 1000);
        }
        assert_eq!(before_it_timed_out, 79);
    });
}

#[test]
fn a_server_that_is_not_there_is_a_cause_that_the_report_names() {
    run_test_with(github_with([]), |t| {
        let list = t.cousins(["acme/web"]);
        let mut run = t
            .push()
            .env("GITHUB_API_URL", "http://127.0.0.1:1")
            .args(["-vv", "--format", "json", "--ecosystem"])
            .arg(list)
            .spawn();
        // The five attempts of the whole back-off are tested on the virtual clock.
        run.wait_for("cannot connect");
        t.expect_no_request();
        drop(run);
    });
}

#[test]
fn a_delayed_answer_within_the_time_is_an_answer() {
    run_test_with(github_with(["acme/web"]), |t| {
        t.fault("acme/web", Fault::delay(Duration::from_millis(300)));
        let done = send(t, ["acme/web"], 0);
        assert_eq!(done.dispatch("acme/web")["attempts"], 1);
        assert_eq!(t.events("acme/web").len(), 1);
    });
}
