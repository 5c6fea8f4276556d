//! `ecosystem send`: any event, to one repository or many.

use ecosystem_dispatcher::embedded_github::{Fault, Limits, Model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::case;
use crate::support::github::{TOKEN, Tester, github_with, run_test, run_test_without_sample};
use crate::support::loopback::Loopback;

mod refused;
mod whom;

fn test(names: &[&str], test: impl FnOnce(&Tester)) {
    run_test_without_sample(github_with(names.iter().copied()), test);
}

/// Returns what each repository has received, as `(event type, payload)`.
fn received(t: &Tester) -> Value {
    t.tried();
    json!(t.delivered())
}

#[test]
fn an_event_goes_to_each_repository_with_the_payload_as_it_was_given() {
    test(&["acme/web", "acme/app", "acme/docs", "acme/other"], |t| {
        let list = t.file("acme/docs # the manual\n\n  # nothing\r\nacme/other\n");
        let done = t
            .sending()
            .args(["--to", "acme/web,acme/app", "--event-type", "release"])
            .args(["--payload", r#"{"version": "1.4.0", "n": 1.50, "é": ["\u0000", null, {}]}"#])
            .args(["--field", "text=a=b:=c", "-f", "draft:=false", "--to-file"])
            .arg(list)
            .run()
            .expect_code(0);
        let payload = json!({
            "version": "1.4.0", "n": 1.5, "é": ["\u{0}", null, {}], "text": "a=b:=c", "draft": false,
        });
        let told = json!([["release", payload]]);
        assert_eq!(
            received(t),
            json!({"acme/web": told, "acme/app": told, "acme/docs": told, "acme/other": told})
        );
        insta::assert_snapshot!(done.stdout, @r"
        repository  outcome
        acme/app    delivered
        acme/docs   delivered
        acme/other  delivered
        acme/web    delivered

        4 dispatches to 4 repositories: 4 delivered
        ");
        assert_eq!(done.stderr, "");
    });
}

#[test]
fn each_repository_has_an_outcome_of_its_own() {
    test(&["acme/web", "acme/busy"], |t| {
        t.fault("acme/busy", Fault::status(503).times(1));
        let done = t
            .sending()
            .args(["--to=acme/web", "--to=acme/gone", "--to=acme/busy", "-e", "x"])
            .run()
            .expect_code(1);
        let help = "`GH_TOKEN=\"$ECOSYSTEM_PAT\" gh api repos/acme/gone`";
        assert!(done.stdout.contains(help), "{}", done.stdout);
        assert!(done.stdout.contains("acme/busy   delivered at attempt 2\n"), "{}", done.stdout);
        assert!(done.stdout.ends_with("3 dispatches to 3 repositories: 2 delivered, 1 failed\n"));
        received(t);
    });
}

/// What has no id, nobody knows again.
#[test]
fn an_attempt_that_may_have_arrived_is_told_of_whatever_comes_after_it() {
    test(&["acme/web"], |t| {
        t.fault("acme/web", Fault::reset().delivered());
        t.fault("acme/web", Fault::status(404));
        let sending = || t.sending().args(["--to=acme/web", "-e", "x", "--format=json"]);
        let done = sending().run().expect_code(1);
        let dispatch = done.dispatch("acme/web");
        assert_eq!((&dispatch["outcome"], &dispatch["status"]), (&json!("failed"), &json!(404)));
        let error = dispatch["error"].as_str().unwrap();
        let end = "; whether it arrived is unknown: see whether it arrived before \
                   you send it again: it has no dispatch_id";
        assert!(error.ends_with(end), "{error}");
        assert_eq!(received(t), json!({"acme/web": [["x", {}]]}));
    });
}

#[cfg(unix)]
#[test]
fn a_payload_may_come_from_a_pipe_by_its_name() {
    test(&["acme/web"], |t| {
        let sending = || t.sending().args(["--to=acme/web", "-e", "x"]);
        sending().args(["--payload-file", "/dev/stdin"]).input(r#"{"a": 1}"#).run().expect_code(0);
        assert_eq!(received(t), json!({"acme/web": [["x", {"a": 1}]]}));
        let done = sending().args(["--payload-file", "/dev/zero"]).run().expect_code(2);
        assert!(done.stderr.contains("cannot read /dev/zero: it has more than"), "{}", done.stderr);
        let done = t.sending().args(["-e", "x", "--to-file", "/dev/null"]).run().expect_code(2);
        assert!(done.stderr.contains("names none"), "{}", done.stderr);
    });
}

#[test]
fn a_dry_run_shows_exactly_what_would_be_sent_and_no_token_and_sends_nothing() {
    let github = Loopback::api();
    test(&[], |t| {
        let run = || {
            let args = [
                "--to",
                "acme/web",
                "-e",
                "release",
                "-f",
                "a=é\u{202e}\u{7f}##[x",
                "-f",
                "b:=1E5",
            ];
            t.sending().env("GITHUB_API_URL", github.url()).args(args)
        };
        let dry = run().arg("--dry-run").without("ECOSYSTEM_PAT").run().expect_code(0);
        assert!(github.requests().is_empty());
        run().run().expect_code(0);
        let [request] = &github.requests()[..] else { panic!("{:?}", github.requests()) };
        // Each line that is shown is what was sent.
        let (head, rest) = dry.stdout.split_once("\n\n").unwrap();
        let (body, last) = rest.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let first = format!("POST {}{}", github.url(), request.target);
        assert_eq!(lines.next(), Some(first.as_str()));
        let mut shown = 0;
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let sent = request.header(name);
            match name {
                "authorization" => {
                    assert_eq!(value, "Bearer (not shown)");
                    assert_eq!(sent, Some(&*format!("Bearer {TOKEN}")));
                }
                _ => assert_eq!(sent, Some(value), "{name}"),
            }
            shown += 1;
        }
        assert_eq!(shown, 5);
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), sent);
        assert_eq!(
            body,
            r#"{"event_type":"release","client_payload":{"a":"é\u202e\u007f#\u0023[x","b":1E5}}"#
        );
        assert_eq!(last, "1 dispatch to 1 repository planned; nothing was sent\n");
        let json = run().args(["--dry-run", "--format", "json"]).run().expect_code(0).json();
        assert_eq!(json["request"]["body"].as_str().unwrap().as_bytes(), request.body);
        assert_eq!(json["dispatches"][0]["url"], format!("{}{}", github.url(), request.target));
        assert_eq!(json["dispatches"][0]["outcome"], "planned");
    });
}

#[test]
fn the_payload_comes_from_a_file_or_from_standard_input() {
    test(&["acme/web"], |t| {
        let file = t.file("{\n  \"from\": \"file\"\n}\n");
        let sending = || t.sending().args(["--to", "acme/web", "-e", "x"]);
        sending().arg("--payload-file").arg(&file).run().expect_code(0);
        sending().args(["--payload-file", "-"]).input("{\"from\": \"pipe\"}").run().expect_code(0);
        sending().env("ECOSYSTEM_PAYLOAD", "{\"from\": \"env\"}").run().expect_code(0);
        let told: Vec<Value> =
            t.delivered()["acme/web"].iter().map(|(_, it)| it["from"].clone()).collect();
        assert_eq!(told, ["file", "pipe", "env"]);
        t.tried();
    });
}

#[test]
fn a_payload_that_github_would_refuse_or_readers_would_misread_is_not_sent() {
    let object = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let large = |count: usize| format!("{{\"a\":\"{}\"}}", "€".repeat(count - 8));
    test(&["acme/web"], |t| {
        let send = |payload: String| {
            t.sending()
                .args(["--to", "acme/web", "-e", "x", "--payload-file", "-"])
                .input(payload)
                .run()
        };
        for (payload, said) in [
            ("null".to_owned(), "this is null"),
            ("[{}]".to_owned(), "this is an array"),
            ("\"x\"".to_owned(), "this is a string"),
            ("1".to_owned(), "this is a number"),
            (String::new(), "the payload is empty"),
            ("{\"a\": 1,\n\"a\": 2}".to_owned(), "standard input:2:1"),
            ("{\"a\": [1, 1e400]}".to_owned(), "standard input:1:11"),
            ("{\"a\": 12345678901234567890123}".to_owned(), "standard input:1:7"),
            ("{\"a\": }".to_owned(), "standard input:1:7"),
            (object(11), "the payload has 11 keys"),
            (large(65_536), "the payload has 65536 characters"),
            (format!("{{\"a\": {}{}}}", "[".repeat(70), "]".repeat(70)), "nest deeper than 64"),
            (format!("{{\"t\": \"Bearer {TOKEN}\"}}"), "the event holds what ECOSYSTEM_PAT holds"),
        ] {
            case(said);
            let done = send(payload).expect_code(2).expect_without(&[TOKEN]);
            assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
            assert_eq!(done.stdout, "");
        }
        t.expect_no_request();
        for payload in [
            object(10),
            large(65_535),
            "{\"a\": {\"b\": [{\"é\": \"\\ud83d\\ude00\"}]}}".to_owned(),
        ] {
            send(payload).expect_code(0);
        }
        assert_eq!(t.statuses("acme/web"), [Some(204); 3]);
        t.delivered();
    });
}

#[test]
fn an_event_type_has_1_to_100_characters() {
    test(&["acme/web"], |t| {
        let send = |event_type: &str| t.sending().args(["--to=acme/web", "-e", event_type]).run();
        send(&"é".repeat(100)).expect_code(0);
        for bad in [String::new(), "é".repeat(101), "a\nb".to_owned()] {
            let done = send(&bad).expect_code(2);
            assert!(done.stderr.contains("an event type "), "{}", done.stderr);
        }
        t.sending().arg("--to=acme/web").run().expect_code(2);
        assert_eq!(received(t), json!({"acme/web": [["é".repeat(100), {}]]}));
    });
}

#[test]
fn the_context_of_a_run_is_added_where_the_payload_does_not_say_otherwise() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    test(&["acme/web"], |t| {
        let sending = || {
            t.sending()
                .args(["--to=acme/web", "-e", "x", "--with-context", "-f", "source_ref=mine"])
                .env("GITHUB_REPOSITORY", "acme/monorepo")
                .env("GITHUB_SHA", sha)
                .env("GITHUB_REF", "refs/heads/main")
                .env("GITHUB_SERVER_URL", "https://github.com")
                .env("GITHUB_RUN_ID", "42")
        };
        sending().run().expect_code(0);
        sending().without("GITHUB_RUN_ID").run().expect_code(0);
        let payload = |url: Value| {
            json!(["x", {
                "source_repository": "acme/monorepo", "commit_sha": sha, "source_ref": "mine", "run_url": url,
            }])
        };
        let page = json!("https://github.com/acme/monorepo/actions/runs/42");
        assert_eq!(received(t), json!({"acme/web": [payload(page), payload(Value::Null)]}));
        for missing in ["GITHUB_SHA", "GITHUB_REPOSITORY"] {
            let done = sending().without(missing).run().expect_code(2);
            assert!(done.stderr.contains(&format!("--with-context: {missing}")), "{}", done.stderr);
        }
        // With its four keys there may be six more.
        let more = |count: usize| (0..count).map(|n| format!("-fk{n}=x")).collect::<Vec<_>>();
        assert!(sending().args(more(7)).run().expect_code(2).stderr.contains("11 keys"));
        sending().args(more(6)).run().expect_code(0);
        received(t);
    });
}

#[test]
fn the_json_report_has_the_fields_of_a_push_and_the_request() {
    test(&["acme/web"], |t| {
        let done = t
            .sending()
            .args(["--to", "acme/web", "-e", "x", "--format", "json", "-f", "dispatch_id=7"])
            .run()
            .expect_code(0);
        let report = done.json();
        received(t);
        let url = format!("{}/repos/acme/web/dispatches", t.url());
        assert_eq!(
            report,
            json!({
                "schema": 1,
                "source": {"repository": null, "ref": null},
                "range": null,
                "dry_run": false,
                "path_encoding": null,
                "request": {
                    "method": "POST",
                    "headers": {
                        "accept": "application/vnd.github+json",
                        "content-type": "application/json",
                        "user-agent": concat!("ecosystem-dispatcher/", env!("CARGO_PKG_VERSION")),
                        "x-github-api-version": "2022-11-28",
                    },
                    "body": r#"{"event_type":"x","client_payload":{"dispatch_id":"7"}}"#,
                },
                "dispatches": [{
                    "repo": "acme/web", "event_type": "x", "updated_feature": null,
                    "commit_sha": null, "base_sha": null, "reason": null, "dispatch_id": "7",
                    "matched_paths": null, "outcome": "delivered", "attempts": 1, "status": 204,
                    "error": null, "run_again_after": null, "confirmation": null, "run_url": null,
                    "url": url,
                }],
                "summary": {
                    "cousins": 1, "planned": 0, "delivered": 1, "failed": 0, "exhausted": 0,
                    "deferred": 0, "skipped": 0,
                },
                "warnings": [],
                "note": null,
                "disabled": [],
                "watermarks": null,
            })
        );
    });
}

#[test]
fn whoever_reads_the_report_of_a_push_finds_each_of_its_fields() {
    run_test(|t| {
        let push = t.push().arg("--dry-run").arg("--format=json").run().expect_code(0).json();
        let args = ["--to=acme/web", "-e", "x", "--dry-run", "--format=json"];
        let sent = t.sending().args(args).run().expect_code(0).json();
        let keys = |report: &Value| report.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for (push, sent, more) in [
            (&push, &sent, "request"),
            (&push["dispatches"][0], &sent["dispatches"][0], "url"),
            (&push["source"], &sent["source"], ""),
            (&push["summary"], &sent["summary"], ""),
        ] {
            let mut of_sent = keys(sent);
            of_sent.retain(|key| key != more);
            assert_eq!(of_sent, keys(push));
        }
    });
}

#[test]
fn a_step_of_a_workflow_gets_outputs_a_summary_and_annotations_and_its_values_from_env() {
    test(&["acme/web"], |t| {
        let step = |to: &str| {
            t.as_a_step(t.sending())
                .env("GITHUB_REPOSITORY", "acme/monorepo")
                .env("ECOSYSTEM_TO", to)
                .env("ECOSYSTEM_EVENT_TYPE", "build |x|")
                .env("ECOSYSTEM_PAYLOAD", "")
                .env("ECOSYSTEM_FIELD", "a=1\n")
                .env("ECOSYSTEM_FIELD_2", "b:=[2]")
                .env("ECOSYSTEM_DRY_RUN", "false")
        };
        step("acme/web\n").run().expect_code(0);
        let mut outputs = t.outputs();
        assert!(
            std::fs::read_to_string(outputs.remove("report").unwrap())
                .unwrap()
                .contains("\"status\": 204")
        );
        let url = format!("{}/repos/acme/web/dispatches", t.url());
        let expected = [
            ("base", ""),
            ("complete", "true"),
            ("count", "1"),
            ("dispatch-url", &url),
            ("dispatched", "true"),
            ("features", "[]"),
            ("head", ""),
            ("repos", "[\"acme/web\"]"),
            ("status", "204"),
        ];
        let found: Vec<(&str, &str)> =
            outputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
        let done = step("acme/gone, acme/web").run().expect_code(1);
        assert_eq!(t.outputs()["status"], "404");
        assert!(t.outputs()["dispatch-url"].ends_with("/repos/acme/gone/dispatches"));
        assert!(
            done.stderr.contains("::error title=acme/gone failed::not found"),
            "{}",
            done.stderr
        );
        let summary = t.written("summary");
        assert!(
            summary.contains(
                "<code>build &#124;x&#124;</code>: **1** of **2 repositories** delivered."
            ),
            "{summary}"
        );
        assert!(summary.contains("| acme/web | ✅ delivered |  |\n"), "{summary}");
        let told = json!(["build |x|", {"a": "1", "b": [2]}]);
        assert_eq!(received(t), json!({"acme/web": [told, told]}));
    });
}

#[test]
fn the_built_in_token_is_warned_of_only_where_it_cannot_reach() {
    test(&["acme/self", "acme/web"], |t| {
        let step = |to: &str| {
            t.as_a_step(t.sending())
                .without("ECOSYSTEM_PAT")
                .env("GITHUB_TOKEN", TOKEN)
                .env("GITHUB_REPOSITORY", "acme/self")
                .args(["-e", "x", "--format", "json", "--to", to])
                .run()
                .expect_code(0)
        };
        assert_eq!(step("Acme/Self").warnings(), [""; 0]);
        assert_eq!(step("acme/web").warnings(), ["built-in-token"]);
        received(t);
    });
}

#[test]
fn runs_are_confirmed_by_the_payloads_own_id() {
    const NAMED: &str = "run-name: ${{ github.event.client_payload.dispatch_id }}\non: repository_dispatch\njobs: {}\n";
    const ID: &str = "00112233445566778899aabbccddeeff";
    let github = Model::new()
        .limits(Limits::none())
        .repository_with("acme/named", |it| it.file(".github/workflows/x.yml", NAMED))
        .repository("acme/deaf");
    run_test_without_sample(github, |t| {
        let sending = || {
            t.sending().args([
                "--to=acme/named,acme/deaf",
                "-e",
                "x",
                "--format=json",
                "--confirm=0",
            ])
        };
        let said = |report: Value| -> Vec<String> {
            let rows = report["dispatches"].as_array().unwrap().iter();
            rows.map(|row| row["confirmation"].as_str().unwrap().to_owned()).collect()
        };
        let id = format!("dispatch_id={ID}");
        let done = sending().args(["-f", &id]).run().expect_code(0);
        assert_eq!(said(done.json()), ["unconfirmed", "confirmed"]);
        assert_eq!(done.warnings(), ["unconfirmed"]);
        let done = sending().args(["-f", &id, "--require-confirmation"]).run().expect_code(1);
        assert_eq!(done.dispatch("acme/deaf")["outcome"], "failed");
        t.reads();
        received(t);
    });
}

#[test]
fn a_text_of_several_lines_in_the_environment_is_one_field() {
    test(&["acme/web"], |t| {
        t.sending()
            .args(["--to", "acme/web", "-e", "x"])
            .env("ECOSYSTEM_FIELD", "title=Fix\nadmin=true\n")
            .env("ECOSYSTEM_FIELD_COUNT", "count:=2")
            .run()
            .expect_code(0);
        let payload = json!({"title": "Fix\nadmin=true", "count": 2});
        assert_eq!(received(t), json!({"acme/web": [["x", payload]]}));
    });
}
