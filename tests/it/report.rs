//! The report: its JSON is a contract, field by field; what people read is shown as it is.

use ecosystem_dispatcher::embedded_github::Fault;
use serde_json::Value;

use crate::support::github::{BASE, HEAD, Tester, github_with, run_test, run_test_with};
use crate::support::process::Child;

/// Delivers to two cousins, fails at one and follows one that was renamed.
fn mixed(t: &Tester, arguments: &[&str]) -> crate::support::ecosystem::Done {
    let only = ["docs-site", "gone", "old-name", "portfolio"].map(|name| format!("acme/{name}"));
    t.with(|it| it.clear_faults());
    t.fault("acme/docs-site", Fault::status(502));
    let done = t
        .push()
        .args(only.iter().flat_map(|name| ["--only", name.as_str()]))
        .args(arguments)
        .run()
        .expect_code(1);
    t.delivered();
    for name in only {
        t.requests(&name);
    }
    done
}

/// Returns an output in which what differs from run to run is not.
fn settled(output: &str) -> String {
    let Some((before, after)) = output.split_once("repositories/") else {
        return output.to_owned();
    };
    let digits = after.chars().take_while(char::is_ascii_digit).count();
    format!("{before}repositories/ID{}", &after[digits..])
}

/// Returns the keys of an object in the order in which they are written.
fn keys(written: &str, indent: usize) -> Vec<String> {
    let start = format!("{}\"", " ".repeat(indent));
    let lines = written.lines().filter_map(|line| line.strip_prefix(&start));
    lines.filter_map(|line| line.split_once("\":")).map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn the_json_report_is_the_contract() {
    run_test(|t| {
        let done = mixed(t, &["--format", "json"]);
        insta::assert_snapshot!(settled(&done.stdout), @r#"
        {
          "schema": 1,
          "source": {
            "repository": "acme/monorepo",
            "ref": "refs/heads/main"
          },
          "range": {
            "base": "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6",
            "bases": 1,
            "head": "d3eb70e1a51d32042dfb601506713bbbfa440b19",
            "reason": "push",
            "found_by": "local",
            "complete": true,
            "changed_paths": 4
          },
          "dry_run": false,
          "path_encoding": null,
          "dispatches": [
            {
              "repo": "acme/docs-site",
              "event_type": "feature-update",
              "updated_feature": "docs",
              "commit_sha": "d3eb70e1a51d32042dfb601506713bbbfa440b19",
              "base_sha": "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6",
              "reason": "push",
              "dispatch_id": "a810c23b7fd00ddd759fa2ffa03cda39",
              "matched_paths": 1,
              "outcome": "delivered",
              "attempts": 2,
              "status": 204,
              "error": null,
              "run_again_after": null,
              "confirmation": null,
              "run_url": null
            },
            {
              "repo": "acme/gone",
              "event_type": "feature-update",
              "updated_feature": "features/pwa/vanilla",
              "commit_sha": "d3eb70e1a51d32042dfb601506713bbbfa440b19",
              "base_sha": "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6",
              "reason": "push",
              "dispatch_id": "9637a73d34c0aac34ff4b9981debc845",
              "matched_paths": 1,
              "outcome": "failed",
              "attempts": 1,
              "status": 404,
              "error": "not found, or the token cannot see it (404: \"Not Found\"); `GH_TOKEN=\"$ECOSYSTEM_PAT\" gh api repos/acme/gone` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository",
              "run_again_after": null,
              "confirmation": null,
              "run_url": null
            },
            {
              "repo": "acme/old-name",
              "event_type": "feature-update",
              "updated_feature": "features/pwa/vanilla",
              "commit_sha": "d3eb70e1a51d32042dfb601506713bbbfa440b19",
              "base_sha": "8adb1edc35ae0390c8b1ff169bc8d20c649ab9d6",
              "reason": "push",
              "dispatch_id": "742b90d383d056f8e4c649e7c6fe89db",
              "matched_paths": 1,
              "outcome": "delivered",
              "attempts": 1,
              "status": 204,
              "error": null,
              "run_again_after": null,
              "confirmation": null,
              "run_url": null
            }
          ],
          "summary": {
            "cousins": 3,
            "planned": 0,
            "delivered": 2,
            "failed": 1,
            "exhausted": 0,
            "deferred": 0,
            "skipped": 0
          },
          "warnings": [
            {
              "code": "renamed-repository",
              "message": "acme/old-name was renamed: write its new name in ecosystem.json (`gh api repositories/ID --jq .full_name` tells it) (line 29 of ecosystem.json)"
            }
          ],
          "note": null,
          "disabled": [
            "acme/portfolio"
          ],
          "watermarks": null
        }
        "#);
    });
}

#[test]
fn no_field_of_the_contract_is_missing_or_of_another_type() {
    run_test(|t| {
        let done = t.push().args(["--dry-run", "--format", "json"]).run().expect_code(0);
        let written = &done.stdout;
        let promised =
            ["schema", "source", "range", "dry_run", "dispatches", "summary", "warnings"];
        let top = keys(written, 2);
        assert!(promised.iter().all(|key| top.contains(&(*key).to_owned())), "{top:?}");
        assert_eq!(top[..4], promised[..4], "in the contract's order");
        let report = done.json();
        let range = &report["range"];
        assert_eq!((range["base"].as_str(), range["head"].as_str()), (Some(BASE), Some(HEAD)));
        assert_eq!(
            (range["reason"].as_str(), range["found_by"].as_str()),
            (Some("push"), Some("local"))
        );
        assert_eq!(
            (range["complete"].as_bool(), range["changed_paths"].as_u64()),
            (Some(true), Some(4))
        );
        let dispatch = &report["dispatches"][0];
        let typed = |key: &str, right: fn(&Value) -> bool| assert!(right(&dispatch[key]), "{key}");
        for key in ["repo", "event_type", "updated_feature", "commit_sha", "base_sha", "reason"] {
            typed(key, Value::is_string);
        }
        for key in ["dispatch_id", "outcome"] {
            typed(key, Value::is_string);
        }
        for key in ["matched_paths", "attempts"] {
            typed(key, Value::is_u64);
        }
        for key in ["status", "error", "confirmation", "run_url"] {
            typed(key, Value::is_null);
            assert!(dispatch.get(key).is_some(), "{key}");
        }
        assert_eq!(
            (range["bases"].as_u64(), report.get("watermarks")),
            (Some(1), Some(&Value::Null))
        );
        let counts = report["summary"].as_object().unwrap();
        assert_eq!(counts.len(), 7);
        assert!(counts.values().all(Value::is_u64));
        assert_eq!(report["warnings"], Value::Array(Vec::new()));
    });
}

#[test]
fn dispatches_are_in_the_order_of_repository_and_feature_whatever_the_files_order() {
    run_test(|t| {
        let lists = [
            r#"[{"repo":"b/b","subscriptions":["docs","features/*"]},{"repo":"a/z","subscriptions":["docs"]},{"repo":"B/a","subscriptions":["features/*","docs"]}]"#,
            r#"{"cousins":[{"repo":"B/a","subscriptions":["docs","features/*"]},{"repo":"a/z","subscriptions":["docs"]},{"repo":"b/b","subscriptions":["features/*","docs"]}]}"#,
        ];
        let outputs = lists.map(|list| {
            let list = t.file(list);
            let run = t.push().args(["-n", "--format", "json", "--ecosystem"]).arg(list);
            run.run().expect_code(0).stdout
        });
        assert_eq!(outputs[0], outputs[1], "the same news is the same bytes");
        let report: Value = serde_json::from_str(&outputs[0]).unwrap();
        let order: Vec<String> = report["dispatches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                format!(
                    "{} {}",
                    it["repo"].as_str().unwrap(),
                    it["updated_feature"].as_str().unwrap()
                )
            })
            .collect();
        insta::assert_snapshot!(order.join("\n"), @r#"
        B/a docs
        B/a features/pwa
        B/a features/webpush
        a/z docs
        b/b docs
        b/b features/pwa
        b/b features/webpush
        "#);
    });
}

#[test]
fn delivering_the_same_again_writes_the_same_bytes() {
    run_test_with(github_with(["acme/web", "acme/api"]), |t| {
        let list = t.cousins(["acme/web", "acme/api"]);
        let send = || {
            let run = t.push().args(["--format", "json", "--ecosystem"]).arg(&list);
            run.run().expect_code(0).stdout
        };
        assert_eq!(send(), send());
        assert_eq!(t.events("acme/web").len() + t.events("acme/api").len(), 4);
    });
}

#[test]
fn people_read_a_table() {
    run_test(|t| {
        let done = mixed(t, &[]);
        insta::assert_snapshot!(settled(&done.stdout), @r#"
        source  acme/monorepo refs/heads/main
        range   8adb1edc35..d3eb70e1a5 (push), 4 changed paths

        cousin          feature               paths  outcome
        acme/docs-site  docs                      1  delivered at attempt 2
        acme/gone       features/pwa/vanilla      1  failed
          └ not found, or the token cannot see it (404: "Not Found"); `GH_TOKEN="$ECOSYSTEM_PAT" gh api repos/acme/gone` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository
        acme/old-name   features/pwa/vanilla      1  delivered

        not enabled, so not told: acme/portfolio
        3 dispatches to 3 cousins: 2 delivered, 1 failed
        "#);
        insta::assert_snapshot!(settled(&done.stderr), @"warning: acme/old-name was renamed: write its new name in ecosystem.json (`gh api repositories/ID --jq .full_name` tells it) (line 29 of ecosystem.json)");
    });
}

#[test]
fn people_read_what_would_be_sent() {
    run_test(|t| {
        let done = t.push().arg("--dry-run").run().expect_code(0);
        insta::assert_snapshot!(done.stdout, @r#"
        source  acme/monorepo refs/heads/main
        range   8adb1edc35..d3eb70e1a5 (push), 4 changed paths

        cousin                feature                 paths  outcome
        acme/docs-site        docs                        1  planned
        acme/flask-push-demo  features/webpush/flask      2  planned
        acme/flask-starter    features/webpush/flask      2  planned
        acme/gone             features/pwa/vanilla        1  planned
        acme/old-name         features/pwa/vanilla        1  planned
        acme/push-service     features/webpush/flask      2  planned
        acme/pwa-gallery      features/pwa/vanilla        1  planned

        not enabled, so not told: acme/portfolio
        7 dispatches to 7 cousins planned; nothing was sent
        "#);
        assert_eq!(done.stderr, "");
    });
}

#[test]
fn colours_are_shown_when_asked_for_and_never_into_a_pipe_by_themselves() {
    run_test(|t| {
        let plain = t.push().arg("-n").run().stdout;
        assert!(!plain.contains('\u{1b}'));
        for (arguments, variable, coloured) in [
            (&["--color", "always"][..], ("NO_COLOR", "1"), true),
            (&["--color", "auto"], ("NO_COLOR", "1"), false),
            (&["--color", "auto"], ("CLICOLOR_FORCE", "1"), true),
            (&["--color", "never"], ("CLICOLOR_FORCE", "1"), false),
            (&[], ("TERM", "xterm-256color"), false),
        ] {
            let done = t.push().env(variable.0, variable.1).arg("-n").args(arguments).run();
            assert_eq!(done.stdout.contains('\u{1b}'), coloured, "{arguments:?} {variable:?}");
            let mut stripped = done.stdout.clone();
            for code in ["0", "1", "2", "31", "32", "33"] {
                stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
            }
            assert_eq!(stripped, plain, "colour changes nothing else");
        }
        let coloured = mixed(t, &["--color", "always"]).stdout;
        let escaped = settled(&coloured).replace('\u{1b}', "^");
        insta::assert_snapshot!(escaped, @r#"
        ^[2msource^[0m  acme/monorepo refs/heads/main
        ^[2mrange^[0m   8adb1edc35..d3eb70e1a5 (push), 4 changed paths

        ^[2mcousin          feature               paths  outcome^[0m
        acme/docs-site  docs                      1  ^[32mdelivered^[0m at attempt 2
        acme/gone       features/pwa/vanilla      1  ^[31mfailed^[0m
          ^[31m└^[0m not found, or the token cannot see it (404: "Not Found"); `GH_TOKEN="$ECOSYSTEM_PAT" gh api repos/acme/gone` tells which: an answer means that the token lacks write access, a 404 that the name is wrong or the token was not given this repository
        acme/old-name   features/pwa/vanilla      1  ^[32mdelivered^[0m

        not enabled, so not told: acme/portfolio
        3 dispatches to 3 cousins: ^[32m2 delivered^[0m, ^[31m1 failed^[0m
        "#);
        let json = t.push().args(["-n", "--color", "always", "--format", "json"]).run();
        assert!(!json.stdout.contains('\u{1b}'), "JSON has no colours");
        json.json();
    });
}

#[test]
fn quiet_leaves_the_result_and_errors() {
    run_test(|t| {
        let done = mixed(t, &["-q"]);
        assert_eq!(done.stderr, "");
        assert!(done.stdout.contains("delivered"));
        let done = t.push().args(["-q", "--base", "no-such"]).run().expect_code(2);
        assert!(done.stderr.starts_with("error:"), "{}", done.stderr);
    });
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    run_test_with(github_with(["acme/web"]), |t| {
        let binary = env!("CARGO_BIN_EXE_ecosystem");
        let list = t.cousins(["acme/web"]);
        for (arguments, code) in [
            ("--base step/before-head --format json", "0"),
            ("--base step/before-head", "0"),
            ("--help", "0"),
            ("--base no-such", "2"),
        ] {
            let mut shell = t.sandbox.command("sh");
            let line = format!(
                "{{ sleep 0.1; '{binary}' dispatch {arguments} --ecosystem '{}' 2>&3; echo $? >&3; }} 3>&2 | exec true",
                list.display()
            );
            shell
                .args(["-c", &line])
                .current_dir(&t.checkout)
                .env("GITHUB_API_URL", t.url())
                .env("GITHUB_REPOSITORY", "acme/monorepo")
                .env("ECOSYSTEM_PAT", crate::support::github::TOKEN);
            let finished = Child::start(&mut shell, b"").wait();
            let said = String::from_utf8_lossy(&finished.stderr).into_owned();
            assert_eq!(said.lines().last(), Some(code), "{arguments}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
        assert_eq!(t.events("acme/web").len(), 2);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_nobody_reads_ends_no_delivery() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        let mut shell = t.sandbox.command("sh");
        let line = format!(
            "{{ sleep 0.3; '{}' dispatch -vvv --base step/before-head --ecosystem '{}' >&3; echo $? >&3; }} 3>&2 2>&1 | exec true",
            env!("CARGO_BIN_EXE_ecosystem"),
            list.display()
        );
        shell
            .args(["-c", &line])
            .current_dir(&t.checkout)
            .env("GITHUB_API_URL", t.url())
            .env("GITHUB_REPOSITORY", "acme/monorepo")
            .env("ECOSYSTEM_PAT", crate::support::github::TOKEN);
        let finished = Child::start(&mut shell, b"").wait();
        let said = String::from_utf8_lossy(&finished.stderr).into_owned();
        assert_eq!(said.lines().last(), Some("0"), "{said}");
        assert_eq!(t.events("acme/web").len(), 1);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error_that_says_what_was_sent() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        for (arguments, code) in [("--dry-run", "2"), ("", "1")] {
            let mut shell = t.sandbox.command("sh");
            let line = format!(
                "'{}' dispatch {arguments} --base step/before-head --ecosystem '{}' >/dev/full; echo $?",
                env!("CARGO_BIN_EXE_ecosystem"),
                list.display()
            );
            shell
                .args(["-c", &line])
                .current_dir(&t.checkout)
                .env("GITHUB_API_URL", t.url())
                .env("GITHUB_REPOSITORY", "acme/monorepo")
                .env("ECOSYSTEM_PAT", crate::support::github::TOKEN);
            let finished = Child::start(&mut shell, b"").wait();
            let said = String::from_utf8_lossy(&finished.stderr).into_owned();
            assert_eq!(String::from_utf8_lossy(&finished.stdout).trim(), code, "{said}");
            assert!(said.contains("cannot write to standard output"), "{said}");
            assert_eq!(said.contains("delivered: 1, not delivered: 0"), code == "1", "{said}");
        }
        assert_eq!(t.events("acme/web").len(), 1);
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "how long it took is for people, with --nocapture")]
fn ten_thousand_cousins_are_told_of_one_push() {
    let names: Vec<String> = (0..10_000).map(|n| format!("acme/cousin-{n:05}")).collect();
    run_test_with(github_with(names.iter().map(String::as_str)), |t| {
        let list = t.cousins(names.iter().map(String::as_str));
        let many = |arguments: &[&str]| {
            let before = std::time::Instant::now();
            let run =
                t.push().args(["--format", "json"]).args(arguments).arg("--ecosystem").arg(&list);
            let done = run.run().expect_code(0);
            println!("{arguments:?}: {:?}", before.elapsed());
            done.json()
        };
        let planned = many(&["--dry-run"]);
        assert_eq!(planned["summary"]["planned"], 10_000);
        t.expect_no_request();
        let sent = many(&["--per-minute", "1000000", "--concurrency", "100"]);
        assert_eq!(sent["summary"]["delivered"], 10_000);
        assert!(t.with(|it| it.max_in_flight()) <= 100);
        let delivered = t.delivered();
        assert!(delivered.keys().eq(&names), "each of them");
        assert!(delivered.values().all(|events| events.len() == 1), "once");
    });
}
