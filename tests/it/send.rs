//! `ecosystem send`: any event, to one repository or many.

use ecosystem_dispatcher::embedded_github::{Fault, Limits, Model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::case;
use crate::support::github::{TOKEN, Tester, github_with, run_test_with, run_test_without_sample};
use crate::support::loopback::Loopback;

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
fn without_a_name_it_goes_to_this_repository() {
    test(&["acme/self", "acme/clone"], |t| {
        let event = ["--event-type", "rebuild"];
        t.sending().env("GITHUB_REPOSITORY", "acme/self").args(event).run().expect_code(0);
        let clone = t.sandbox.new_repository("clone");
        t.sandbox.git(&clone, &["remote", "add", "origin", "git@github.com:acme/clone.git"]);
        t.sending().dir(&clone).args(event).run().expect_code(0);
        let told = json!([["rebuild", {}]]);
        assert_eq!(received(t), json!({"acme/self": told, "acme/clone": told}));
        let lost = t.sending().args(event).run().expect_code(2);
        assert!(lost.stderr.contains("name it with --to OWNER/NAME"), "{}", lost.stderr);
    });
}

#[test]
fn a_list_that_names_nobody_or_something_else_is_never_the_default() {
    test(&["acme/self"], |t| {
        let sending = || t.sending().env("GITHUB_REPOSITORY", "acme/self").args(["-e", "x"]);
        for (run, said) in [
            (sending().args(["--to", ""]), "names none"),
            (sending().args(["--to", " , "]), "names none"),
            (sending().env("ECOSYSTEM_TO", " "), "names none"),
            (sending().args(["--to-file", "-"]).input(""), "names none"),
            (sending().args(["--to-file", "-"]).input("# a/b\n\n"), "names none"),
            (sending().args(["--to-file", "-"]).input("a/b\n\nweb\n../x\n"), "standard input:3: "),
            (sending().args(["--to-file", "-"]).input("a/b\n\nweb\n../x\n"), "standard input:4: "),
            (
                sending().args(["--to-file", "-"]).input(b"a/b\n\xff\n".to_vec()),
                "standard input:2: it is not UTF-8",
            ),
            (sending().args(["--to-file", "none"]), "cannot read none: "),
            (sending().args(["--to-file", "."]), "cannot read .: it is a directory"),
            (sending().args(["--to", "https://github.com/acme/web"]), "write \"acme/web\""),
            (
                sending().args(["--to-file=-", "--payload-file=-"]).input("{}"),
                "both read standard input",
            ),
        ] {
            case(said);
            let done = run.run().expect_code(2);
            assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
            assert_eq!(done.stdout, "");
        }
        t.expect_no_request();
    });
}

#[test]
fn a_repository_that_is_named_twice_is_sent_to_once() {
    test(&["acme/web"], |t| {
        let done = t
            .sending()
            .args(["--to", "acme/web", "--to", "Acme/WEB,acme/web", "-e", "x", "--format=json"])
            .run()
            .expect_code(0);
        assert_eq!(done.warnings(), ["duplicate-repository"]);
        assert_eq!(t.requests("Acme/WEB").len() + t.requests("acme/web").len(), 1);
        t.delivered();
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
            })
        );
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
fn a_variable_that_is_neither_true_nor_false_sends_nothing() {
    test(&["acme/web"], |t| {
        let sending = || t.sending().args(["--to", "acme/web", "-e", "x"]);
        let done = sending().env("ECOSYSTEM_DRY_RUN", "ture").run().expect_code(2);
        assert_eq!(
            done.stderr,
            "error: ECOSYSTEM_DRY_RUN is \"ture\"\nhelp: it must be true or false, or empty\n"
        );
        let done = sending().env("ECOSYSTEM_TIMEOUT", "soon").run().expect_code(2);
        let hint = "\nin the environment ECOSYSTEM_TIMEOUT stands for --timeout\n";
        assert!(done.stderr.ends_with(hint), "{}", done.stderr);
        t.expect_no_request();
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
fn a_renamed_repository_is_followed_and_warned_of() {
    let github = Model::new()
        .limits(Limits::none())
        .repository_with("acme/old", |it| it.renamed_to("acme/new"));
    run_test_with(github, |t| {
        let done = t.sending().args(["--to", "acme/old", "-e", "x"]).run().expect_code(0);
        assert!(done.stderr.contains("in --to"), "{}", done.stderr);
        assert_eq!(received(t), json!({"acme/new": [["x", {}]]}));
        t.looked_at_all();
    });
}

#[test]
fn the_name_in_an_origin_of_another_host_is_not_sent_to() {
    test(&["foo/bar"], |t| {
        let clone = t.sandbox.new_repository("clone");
        let sending = || t.sending().dir(&clone).args(["--event-type", "x", "--dry-run"]);
        t.sandbox.git(&clone, &["remote", "add", "origin", "none"]);
        for (origin, said) in [
            ("https://gitlab.com/foo/bar.git", Some("origin is on \"gitlab.com\"")),
            ("work:foo/bar.git", Some("origin is on \"work\"")),
            ("https://github.com.evil.example/foo/bar", Some("github.com.evil.example")),
            ("/srv/foo/bar", Some("cannot tell which repository")),
            ("ssh://git@ssh.github.com:443/foo/bar.git", None),
            ("https://GitHub.com/foo/bar", None),
        ] {
            case(origin);
            t.sandbox.git(&clone, &["remote", "set-url", "origin", origin]);
            let done = sending().run().expect_code(if said.is_some() { 2 } else { 0 });
            assert!(done.stderr.contains(said.unwrap_or_default()), "{}", done.stderr);
            assert_eq!(done.stdout.contains("/repos/foo/bar/dispatches"), said.is_none());
        }
        // What is set and wrong is no reason to take another.
        let done = sending().env("GITHUB_REPOSITORY", "garbage").run().expect_code(2);
        let message = "GITHUB_REPOSITORY is \"garbage\", which names no repository";
        assert!(done.stderr.contains(message), "{}", done.stderr);
        let own = sending().env("GITHUB_SERVER_URL", "https://ghe.example:8443");
        t.sandbox.git(&clone, &["remote", "set-url", "origin", "git@ghe.example:foo/bar"]);
        own.run().expect_code(0);
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

#[test]
fn a_secret_of_the_run_is_in_no_event_and_in_no_error() {
    let quoted = "opaque\"token\\of-20-characters";
    test(&["acme/web"], |t| {
        let sending = || t.as_a_step(t.sending()).args(["--to", "acme/web"]);
        for run in [
            sending().args(["-e", TOKEN]),
            sending().args(["-e", "x", "-f", &format!("a={TOKEN}")]),
            sending().args(["-e", "x", "-f", TOKEN]),
            sending().args(["-e", "x", "--payload", &format!("{{\"a\": {TOKEN}}}")]),
            sending().args(["-e", "x", "--payload-file", TOKEN]),
            sending().args(["-e", "x", "--timeout", TOKEN]),
            sending().args(["-e", "x", "--to", TOKEN]),
            sending().args(["-e", "x"]).env("ECOSYSTEM_DRY_RUN", TOKEN),
            sending().args(["-e", "x"]).env("ECOSYSTEM_FORMAT", TOKEN),
            sending().args(["-e", "x"]).env("ECOSYSTEM_FIELD", TOKEN),
        ] {
            run.run().expect_code(2).expect_without(&[TOKEN]);
        }
        let done = sending()
            .args(["-e", "x", "-f", &format!("a=<{quoted}>")])
            .env("ECOSYSTEM_NOTIFY_URL", quoted)
            .run()
            .expect_code(2);
        let message = "error: the event holds what ECOSYSTEM_NOTIFY_URL holds";
        assert!(done.stderr.contains(message), "{}", done.stderr);
        t.expect_no_request();
    });
}

#[test]
fn a_usage_error_is_an_annotation_and_no_command_to_a_terminal() {
    test(&[], |t| {
        let step = || t.as_a_step(t.sending()).args(["--to", "acme/web"]);
        let done = step().run().expect_code(2);
        let line = "::error title=ecosystem::the following required arguments were not provided:";
        assert!(done.stderr.contains(line), "{}", done.stderr);
        let hostile = "x\u{1b}]0;pwn\u{7}\n::error::y";
        let done = step().args(["-e", "x", "--format", hostile]).run().expect_code(2);
        assert!(!done.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", done.stderr);
        assert!(!done.stderr.contains("\n::error::y"), "{:?}", done.stderr);
        let done = t
            .sending()
            .env("ECOSYSTEM_PAYLOAD", "@release.json")
            .env("ECOSYSTEM_TO", "acme/web")
            .args(["-e", "x"])
            .run()
            .expect_code(2);
        let end = "help: nothing was sent; --payload-file names a file with the payload\n\
                   in the environment ECOSYSTEM_PAYLOAD stands for --payload\n";
        assert!(done.stderr.ends_with(end), "{}", done.stderr);
    });
}

#[test]
fn names_and_types_that_cannot_be_meant_are_refused() {
    test(&["acme/we"], |t| {
        for (run, said) in [
            (t.sending().args(["-e", "x", "--to-file=-"]).input("acme/we#b"), "cannot hold '#'"),
            (t.sending().args(["--to=acme/we", "-e", "build "]), "white space at an end"),
            (t.sending().args(["--to=acme/we", "-e", " "]), "white space at an end"),
            (t.sending().args(["--to=acme/we", "-e", "bu\u{200b}ild"]), "not seen"),
            (
                t.sending().args(["--to=acme/we", "-e", "x"]).env("ECOSYSTEM_DRY_RUN", " "),
                "ECOSYSTEM_DRY_RUN is \" \"",
            ),
            (
                t.sending().args(["-C", "nowhere", "--to=acme/we", "-e", "x"]),
                "cannot work in nowhere",
            ),
            (t.sending().args(["--to=acme/we", "-e", "x", "-f", "a:="]), "the value is empty"),
        ] {
            case(said);
            let done = run.run().expect_code(2);
            assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
        }
        t.expect_no_request();
    });
}
