//! `dispatch --issue-on-failure` and `ECOSYSTEM_NOTIFY_URL`: one alarm, which ends by itself.

use ecosystem_dispatcher::embedded_github::{Fault, Model, Token};
use serde_json::{Value, json};

use crate::support::case;
use crate::support::ecosystem::{Done, Run};
use crate::support::github::{Tester, github_with, run_test_with};
use crate::support::loopback::{Loopback, Response};
use crate::support::world::World;

/// The token of the workflow run, which may write the monorepo's issues.
const BUILT_IN: &str = "canary-built-in-52aa01";

const MONOREPO: &str = "acme/monorepo";

pub(crate) fn github() -> Model {
    let built_in = Token::built_in(MONOREPO).may_write_issues(MONOREPO).labelled("built-in");
    github_with(["acme/web", "acme/docs", MONOREPO]).token(BUILT_IN, built_in)
}

fn run_world(model: Model, test: impl FnOnce(&World<'_>)) {
    let cousins = json!([
        {"repo": "acme/web", "subscriptions": ["features/a"]},
        {"repo": "acme/docs", "subscriptions": ["features/c"]},
    ]);
    run_test_with(model, |t| {
        test(&World::new(t, &cousins));
        t.delivered();
        t.tried();
        t.looked_at_all();
    });
}

pub(crate) fn alarmed(run: Run) -> Run {
    run.arg("--issue-on-failure").env("GITHUB_TOKEN", BUILT_IN)
}

/// Returns number, state and number of comments of each issue in the monorepo.
pub(crate) fn issues(t: &Tester) -> Vec<(u64, String, usize)> {
    t.with(|model| {
        let all = model.issues_of(MONOREPO).to_vec();
        all.iter()
            .map(|issue| {
                let comments = model.comments_of(MONOREPO, issue.number).len();
                (issue.number, if issue.open { "open" } else { "closed" }.to_owned(), comments)
            })
            .collect()
    })
}

fn codes(done: &Done) -> Vec<String> {
    done.warnings()
}

#[test]
fn one_issue_opens_with_the_first_failure_and_closes_with_the_last() {
    run_world(github(), |w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = alarmed(w.run(&first)).run().expect_code(1);
        assert_eq!(codes(&done), [""; 0]);
        let [(number, state, 0)] = &issues(w.t)[..] else { panic!("{:?}", issues(w.t)) };
        assert_eq!(state, "open");
        let body = w.t.with(|model| model.issues_of(MONOREPO)[0].body.clone().unwrap());
        assert!(body.contains("acme/web") && !body.contains("acme/docs"), "{body}");

        // The same failure again says nothing new.
        w.t.fault("acme/web", Fault::status(403));
        alarmed(w.scheduled()).run().expect_code(1);
        assert_eq!(issues(w.t), [(*number, "open".to_owned(), 0)]);

        alarmed(w.scheduled()).run().expect_code(0);
        assert_eq!(issues(w.t), [(*number, "closed".to_owned(), 1)]);

        let again = w.push(&[("a", "2")]);
        w.t.fault("acme/web", Fault::status(404));
        alarmed(w.run(&again)).run().expect_code(1);
        assert_eq!(issues(w.t), [(*number, "open".to_owned(), 2)]);
    });
}

#[test]
fn a_run_that_comes_to_nothing_is_in_the_issue_and_the_next_takes_it_out() {
    run_world(github(), |w| {
        let first = w.push(&[("a", "1")]);
        let broken = w.t.file("[{\"repo\": 1}]");
        alarmed(w.run(&first)).arg("--ecosystem").arg(broken).run().expect_code(2);
        let body = w.t.with(|model| model.issues_of(MONOREPO)[0].body.clone().unwrap());
        assert!(
            body.contains("`error[missing-key]: the key \"subscriptions\" is missing`"),
            "{body}"
        );
        alarmed(w.run(&first)).run().expect_code(0);
        assert!(matches!(&issues(w.t)[..], [(_, state, _)] if state == "closed"));
    });
}

#[test]
fn an_alarm_that_cannot_be_raised_is_a_warning_and_hides_no_result() {
    let model =
        github_with(["acme/web", "acme/docs", MONOREPO]).token(BUILT_IN, Token::built_in(MONOREPO));
    run_world(model, |w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = alarmed(w.run(&first)).run().expect_code(1);
        assert_eq!(codes(&done), ["alarm-not-raised"]);
        assert_eq!(done.dispatch("acme/docs")["outcome"], "delivered");
        assert!(done.stdout.contains("issues: write"), "{}", done.stdout);
        // Without a token at all it is the same.
        let done = w.scheduled().arg("--issue-on-failure").without("ECOSYSTEM_PAT");
        let done = done.run().expect_code(2);
        assert!(done.stderr.contains("no token to send dispatches"), "{}", done.stderr);
        assert!(done.stderr.contains("no token to write an issue"), "{}", done.stderr);
    });
}

#[test]
fn a_webhook_hears_once_that_it_begins_and_once_that_it_ends() {
    let hook = Loopback::start(|_| Response::status("200 OK"));
    let secret = format!("{}/services/canary-hook-77", hook.url());
    run_world(github(), |w| {
        let notified = |run: Run| run.env("ECOSYSTEM_NOTIFY_URL", &secret).arg("-vvv");
        let first = w.push(&[("a", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        let done = notified(w.run(&first)).run().expect_code(1);
        done.expect_without(&["canary-hook-77"]);
        w.t.fault("acme/web", Fault::status(403));
        notified(w.scheduled()).run().expect_code(1);
        notified(w.scheduled()).run().expect_code(0);
        notified(w.scheduled()).run().expect_code(0);
        let texts: Vec<String> = hook
            .requests()
            .iter()
            .map(|request| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                body["text"].as_str().unwrap().to_owned()
            })
            .collect();
        let [began, ended] = &texts[..] else { panic!("{texts:#?}") };
        assert!(began.contains("acme/web"), "{began}");
        assert!(ended.contains("arrive again"), "{ended}");
    });
}

#[test]
fn a_failing_cousin_that_is_disabled_has_not_recovered() {
    let hook = Loopback::start(|_| Response::status("200 OK"));
    run_world(github(), |w| {
        let alarmed = |run| alarmed(run).env("ECOSYSTEM_NOTIFY_URL", hook.url());
        w.t.fault("acme/web", Fault::status(403));
        alarmed(w.run(&w.push(&[("a", "1")]))).run().expect_code(1);
        w.list(&json!([
            {"repo": "acme/web", "subscriptions": ["features/a"], "enabled": false},
            {"repo": "acme/docs", "subscriptions": ["features/c"]},
        ]));
        w.push(&[]);
        alarmed(w.scheduled()).run().expect_code(0);
        assert_eq!(issues(w.t), [(1, "closed".to_owned(), 1)]);
        let comment = w.t.with(|model| model.comments_of(MONOREPO, 1)[0].body.clone());
        assert!(!comment.contains("Recovered"), "{comment}");
        assert!(comment.contains("Disabled or not listed any more"), "{comment}");
        assert!(comment.contains("acme/web"), "{comment}");
        let said = String::from_utf8(hook.requests()[1].body.clone()).unwrap();
        assert!(said.contains("1 cousin is disabled or not listed"), "{said}");
    });
}

#[test]
fn without_an_issue_a_cousin_that_is_not_sent_to_any_more_is_told_of_once() {
    let docs = json!({"repo": "acme/docs", "subscriptions": ["features/c"]});
    let web = json!({"repo": "acme/web", "subscriptions": ["features/a"], "enabled": false});
    for list in [json!([docs, web]), json!([docs])] {
        case(&list.to_string());
        let hook = Loopback::start(|_| Response::status("200 OK"));
        run_world(github(), |w| {
            let told = |run: Run| run.env("ECOSYSTEM_NOTIFY_URL", hook.url());
            let first = w.push(&[("a", "1")]);
            w.t.fault("acme/web", Fault::status(403));
            told(w.run(&first)).run().expect_code(1);
            assert_eq!(hook.requests().len(), 1);
            w.list(&list);
            let second = w.push(&[("c", "1")]);
            w.push(&[("c", "2")]);
            // A late run leaves it to the newest.
            told(w.run(&second)).run().expect_code(0);
            assert_eq!(hook.requests().len(), 1);
            for _ in 0..2 {
                told(w.scheduled()).run().expect_code(0);
                assert_eq!(hook.requests().len(), 2);
            }
            assert_eq!(w.refs().get("failing/acme/web"), None);
            assert_eq!(w.refs().get("watermarks/acme/web"), Some(&first.before));
        });
    }
}

#[test]
fn a_late_run_that_delivers_does_not_end_what_a_newer_one_began() {
    let hook = Loopback::start(|_| Response::status("200 OK"));
    run_world(github(), |w| {
        let alarmed = |run| alarmed(run).env("ECOSYSTEM_NOTIFY_URL", hook.url());
        alarmed(w.run(&w.push(&[("a", "1")]))).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        let third = w.push(&[("a", "3")]);
        w.t.fault("acme/web", Fault::status(403));
        alarmed(w.run(&third)).run().expect_code(1);
        let done = alarmed(w.run(&second)).run().expect_code(0);
        assert_eq!(done.dispatch("acme/web")["outcome"], "delivered");
        assert_eq!(w.refs().get("failing/acme/web"), Some(&third.after));
        assert_eq!(issues(w.t), [(1, "open".to_owned(), 0)]);
        assert_eq!(hook.requests().len(), 1);
        alarmed(w.scheduled()).run().expect_code(0);
        assert_eq!(w.refs().get("failing/acme/web"), None);
        assert_eq!(issues(w.t), [(1, "closed".to_owned(), 1)]);
        assert_eq!(hook.requests().len(), 2);
    });
}

#[test]
fn since_when_cousins_fail_is_fetched_for_an_alarm_and_for_nothing_else() {
    run_world(github(), |w| {
        w.list(&json!([{"repo": "acme/web", "subscriptions": ["features/a"]}]));
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let second = w.push(&[("a", "2")]);
        w.t.fault("acme/web", Fault::status(403));
        w.run(&second).run().expect_code(1);
        let third = w.push(&[("b", "1")]);
        for (what, alarm) in [("without an alarm", false), ("with one", true)] {
            case(what);
            let dir = w.checkout(&third.after);
            let run = w.run_in(&dir, &third);
            w.t.fault("acme/web", Fault::status(403));
            if alarm { alarmed(run) } else { run }.run().expect_code(1);
            let asked = ["cat-file", "-e", &second.after];
            let is_here = w.t.sandbox.try_git(&dir, &asked, b"").status.success();
            assert_eq!(is_here, alarm);
        }
    });
}

#[test]
fn a_dry_run_and_a_preview_raise_no_alarm() {
    let hook = Loopback::start(|_| Response::status("200 OK"));
    run_world(github(), |w| {
        let first = w.push(&[("a", "1")]);
        alarmed(w.run(&first))
            .env("ECOSYSTEM_NOTIFY_URL", hook.url())
            .arg("--dry-run")
            .run()
            .expect_code(0);
        let broken = w.t.file("nonsense");
        alarmed(w.run(&first))
            .env("GITHUB_EVENT_NAME", "pull_request_target")
            .env("ECOSYSTEM_NOTIFY_URL", hook.url())
            .arg("--ecosystem")
            .arg(broken)
            .run()
            .expect_code(2);
        assert_eq!(issues(w.t), []);
        assert!(hook.requests().is_empty());
    });
}

#[test]
fn an_alarm_that_hangs_is_ended_by_a_signal_and_the_result_is_shown() {
    run_world(github(), |w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        w.t.fault(MONOREPO, Fault::silence());
        let run = alarmed(w.run(&first)).spawn();
        let asked = || w.t.with(|it| it.requests().iter().any(|it| it.path.contains("/issues")));
        while !asked() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let kill =
            std::process::Command::new("kill").args(["-TERM", &run.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let done = run.wait().expect_code(143);
        assert_eq!(done.dispatch("acme/docs")["outcome"], "delivered");
        assert_eq!(codes(&done), ["alarm-not-raised"]);
    });
}

#[test]
fn an_event_file_that_is_not_there_is_an_alarm_too() {
    run_world(github(), |w| {
        let first = w.push(&[("a", "1")]);
        alarmed(w.run(&first)).env("GITHUB_EVENT_PATH", "/no/such").run().expect_code(2);
        assert_eq!(issues(w.t).len(), 1);
    });
}
