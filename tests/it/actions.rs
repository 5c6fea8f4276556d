//! GitHub Actions: what later steps and people get to see, and that nothing which a stranger named
//! becomes a command to the runner, an element of the summary or a line of an output.

use std::path::{Path, PathBuf};

use ecosystem_dispatcher::embedded_github::Fault;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::github::{
    BASE, FEATURE, HEAD, TOKEN, Tester, github_with, run_test, run_test_with,
};

/// Returns the commands that the runner finds in an output: name, properties, message. It looks for
/// `::` at the start of a line, white space left out, and for `##[` anywhere; a lone CR ends a line
/// as well. Source: the runner's `ActionCommand.cs`.
fn commands(output: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for line in output.split(['\n', '\r']) {
        if let Some((command, message)) =
            line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"))
        {
            let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
            found.push((name.to_owned(), properties.to_owned(), message.to_owned()));
        } else if let Some((_, rest)) = line.split_once("##[") {
            found.push(("##[".to_owned(), String::new(), rest.to_owned()));
        }
    }
    found
}

/// Fails when the runner finds a command that is not one of ours.
#[track_caller]
fn expect_our_commands_only(done: &Done) {
    assert_eq!(commands(&done.stdout), [], "standard output");
    for (name, properties, message) in commands(&done.stderr) {
        let ours = match name.as_str() {
            "add-mask" => properties.is_empty() && message == TOKEN,
            "error" | "warning" => properties.starts_with("title=") && !properties.contains("::"),
            _ => false,
        };
        assert!(ours, "::{name} {properties}::{message}\nin {}", done.stderr);
    }
}

#[test]
fn later_steps_get_outputs_and_people_a_summary() {
    run_test(|t| {
        let done = t.action().args(["--format", "json"]).run().expect_code(1);
        let outputs = t.outputs();
        let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
        let expected =
            ["base", "complete", "count", "dispatched", "features", "head", "report", "repos"];
        assert_eq!(names, expected);
        let output = |name: &str| outputs[name].as_str();
        assert_eq!((output("base"), output("head")), (BASE, HEAD));
        assert_eq!((output("dispatched"), output("count")), ("true", "7"));
        assert_eq!(output("complete"), "true");
        let list = |name: &str| serde_json::from_str::<Vec<String>>(output(name)).unwrap();
        assert_eq!(list("features"), ["docs", "features/pwa/vanilla", "features/webpush/flask"]);
        assert_eq!(list("repos").len(), 7);
        let kept = std::fs::read_to_string(output("report")).unwrap();
        assert_eq!(kept, done.stdout, "the same report as on standard output");
        assert!(Path::new(output("report")).starts_with(t.sandbox.path().join("runner")));

        let errors: Vec<_> =
            commands(&done.stderr).into_iter().filter(|it| it.0 == "error").collect();
        let [(_, properties, message)] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!(properties, "title=acme/gone failed");
        assert!(message.starts_with("features/pwa/vanilla: not found"), "{message}");
        let warnings = commands(&done.stderr).into_iter().filter(|it| it.0 == "warning");
        let titles: Vec<String> = warnings.map(|it| it.1).collect();
        assert_eq!(titles, ["title=renamed-repository"]);
        expect_our_commands_only(&done);
        t.delivered();
        t.requests("acme/gone");
        t.requests("acme/old-name");
    });
}

#[test]
fn the_summary_is_a_table_of_everything() {
    run_test(|t| {
        t.fault("acme/docs-site", Fault::status(422));
        t.action()
            .args(["--only", "acme/docs-site", "--only", "acme/old-name"])
            .run()
            .expect_code(1);
        t.delivered();
        t.requests("acme/docs-site");
        t.requests("acme/old-name");
        let summary = t.written("summary");
        let id = summary.split("repositories/").nth(1).and_then(|it| it.split(' ').next());
        let summary = summary.replace(id.expect("it names the repository's number"), "ID");
        insta::assert_snapshot!(summary, @r#"
        ### Ecosystem Dispatcher

        **1** of **2 dispatches** to **2 cousins** delivered.

        `8adb1edc35..d3eb70e1a5`, 4 changed paths

        > ⚠️ acme/old-name was renamed&#58; write its new name in ecosystem.json (&#96;gh api repositories/ID --jq .full&#95;name&#96; tells it) (line 29 of ecosystem.json)

        | cousin | feature | paths | outcome | |
        | --- | --- | ---: | --- | --- |
        | acme/docs-site | <code>docs</code> | 1 | ❌ failed | GitHub refused the event (422&#58; "Scripted answer") |
        | acme/old-name | <code>features/pwa/vanilla</code> | 1 | ✅ delivered |  |
        "#);
    });
}

#[test]
fn outside_of_a_workflow_nothing_is_written_for_one() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        t.fault("acme/web", Fault::status(422));
        let done = t.action().env("GITHUB_ACTIONS", "").arg("--ecosystem").arg(list).run();
        assert_eq!(commands(&done.stderr), []);
        assert_eq!((t.written("output").as_str(), t.written("summary").as_str()), ("", ""));
        t.requests("acme/web");
    });
}

#[test]
fn a_preview_says_so_and_has_dispatched_nothing() {
    run_test(|t| {
        t.sandbox.git(&t.checkout, &["fetch", "--quiet", "origin", "refs/pull/7/merge"]);
        t.sandbox.git(&t.checkout, &["checkout", "--quiet", "FETCH_HEAD"]);
        t.action()
            .event("pull_request", "pull-request.json")
            .env("GITHUB_REF", "refs/pull/7/merge")
            .run()
            .expect_code(0);
        assert_eq!(t.outputs()["dispatched"], "false");
        assert!(t.written("summary").contains("planned; nothing was sent"));
        assert!(t.written("summary").contains("merging the pull request will notify"));
        t.expect_no_request();
    });
}

/// Directories as strangers may name them; each is a feature.
const ODD: [&str; 12] = [
    "::set-output name=x::y",
    "\n::error::a",
    "\r::error::b",
    " ::warning::c",
    "%0A::error::d",
    "##[error]e",
    "\u{1b}[31mf",
    "\u{2028}::error::g",
    "<img src=x onerror=alert(1)>",
    "a|b`c`[d](evil)@team",
    "ecosystem-EOF\nx=y",
    "$(touch pwned)`touch pwned`",
];

/// Makes a monorepo in which each of [`ODD`] is a directory at the root and below `features`, and
/// returns it with the event of its push.
fn odd_monorepo(t: &Tester) -> (PathBuf, PathBuf) {
    let repository = t.sandbox.new_repository("odd");
    t.sandbox.write(&repository, "README", "x");
    let before = t.sandbox.commit_all(&repository, "first");
    for name in ODD {
        t.sandbox.write(&repository, &format!("{name}/a"), "x");
        t.sandbox.write(&repository, &format!("features/{name}/a"), "x");
    }
    let after = t.sandbox.commit_all(&repository, "odd");
    let event = t.file(
        &json!({
            "ref": "refs/heads/x\n::error::ref ##[error]ref", "before": before, "after": after,
            "repository": {"default_branch": "main\n::error::branch"},
        })
        .to_string(),
    );
    (repository, event)
}

fn odd_run(t: &Tester, repository: &Path, event: &Path) -> Run {
    t.action().dir(repository).env("GITHUB_EVENT_PATH", event).env("GITHUB_REF", "refs/heads/x")
}

#[cfg(unix)]
#[test]
fn no_name_that_a_stranger_chose_is_a_command_to_the_runner() {
    run_test_with(github_with(["acme/web", "acme/top"]), |t| {
        let (repository, event) = odd_monorepo(t);
        let list = t.file(
            &json!([
                {"repo": "acme/web", "subscriptions": ["features/*"]},
                {"repo": "acme/top", "subscriptions": ["*", "!features", "!README"]},
            ])
            .to_string(),
        );
        for (format, arguments, fault, code) in [
            ("human", &["--dry-run", "-vvv"][..], None, 0),
            ("json", &["--dry-run", "-vvv"], None, 0),
            ("human", &["-vvv"], None, 0),
            ("json", &["-vvv"], Some(Fault::status(422)), 1),
            ("human", &["--color", "always"], Some(Fault::status(422)), 1),
        ] {
            let failing = fault.is_some();
            if let Some(fault) = fault {
                let says = "\r\n::error::server ##[error]server\u{1b}[2J";
                t.fault("acme/web", fault.text("text/plain", says).forever());
            }
            let done = odd_run(t, &repository, &event)
                .args(["--format", format])
                .args(arguments)
                .arg("--ecosystem")
                .arg(&list)
                .run()
                .expect_code(code);
            expect_our_commands_only(&done);
            if format == "json" {
                let report = done.json();
                let features: Vec<&str> = report["dispatches"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|it| it["repo"] == "acme/web")
                    .map(|it| it["updated_feature"].as_str().unwrap())
                    .collect();
                let mut expected: Vec<String> =
                    ODD.iter().map(|name| format!("features/{name}")).collect();
                expected.sort();
                assert_eq!(features, expected, "nothing is lost by escaping");
            } else if !arguments.contains(&"always") {
                assert!(!done.stdout.contains('\u{1b}'), "{}", done.stdout);
            }
            let outputs = t.outputs();
            assert_eq!(outputs.len(), 8, "{outputs:?}");
            let features: Vec<String> = serde_json::from_str(&outputs["features"]).unwrap();
            assert_eq!(features.len(), 2 * ODD.len());
            let summary = t.written("summary");
            for bad in ["<img", "`c`", "](", "@team", "$("] {
                assert!(!summary.contains(bad), "{bad} in {summary}");
            }
            let rows = summary.lines().filter(|line| line.starts_with("| acme/"));
            for row in rows.clone() {
                assert_eq!(row.matches('|').count(), 6, "{row}");
            }
            assert_eq!(rows.count(), 2 * ODD.len());
            if failing {
                t.with(|it| it.clear_faults());
            }
        }
        let delivered = t.delivered();
        let features: Vec<&str> = delivered["acme/web"]
            .iter()
            .map(|(_, payload)| payload["updated_feature"].as_str().unwrap())
            .collect();
        for name in ODD {
            assert!(features.contains(&&*format!("features/{name}")), "sent as it is: {name:?}");
        }
        t.requests("acme/web");
    });
}

#[cfg(unix)]
#[test]
fn no_file_name_or_argument_is_a_command_to_the_runner() {
    run_test_with(github_with([]), |t| {
        let broken = ["::warning::x.json", "\n::warning::x.json", "##[warning]x.json", "a\r::b::c"];
        for name in broken {
            std::fs::write(t.checkout.join(name), "[{]").unwrap();
            for argument in [name.to_owned(), t.checkout.join(name).display().to_string()] {
                let done = t.action().arg("--ecosystem").arg(&argument).run().expect_code(2);
                expect_our_commands_only(&done);
                assert!(done.stderr.contains("error"), "{}", done.stderr);
            }
            let missing = format!("{name}.missing");
            for arguments in [
                ["--ecosystem", &missing],
                ["--base", name],
                ["--head", name],
                ["--only", name],
                ["--source", name],
                ["--timeout", name],
                ["--remote", name],
                ["-C", &missing],
            ] {
                let done = t.action().args(arguments).run().expect_code(2);
                expect_our_commands_only(&done);
            }
            let done = t.action().env("GITHUB_EVENT_PATH", &missing).run().expect_code(2);
            expect_our_commands_only(&done);
            let done =
                t.action().env("GITHUB_API_URL", format!("https://{name}")).run().expect_code(2);
            expect_our_commands_only(&done);
        }
        t.expect_no_request();
    });
}

#[test]
fn outputs_that_cannot_be_written_hide_no_result() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        for variable in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP"] {
            let nowhere = t.sandbox.path().join("no/such/place");
            let done = t
                .action()
                .env(variable, nowhere)
                .args(["--format", "json", "--ecosystem"])
                .arg(&list)
                .run()
                .expect_code(0);
            assert_eq!(done.dispatch("acme/web")["outcome"], "delivered");
            let warned = commands(&done.stderr).iter().any(|it| it.1 == "title=not-written");
            assert!(warned, "{variable}: {}", done.stderr);
            // The others are written all the same.
            assert_eq!(t.written("summary").is_empty(), variable == "GITHUB_STEP_SUMMARY");
            assert_eq!(t.written("output").is_empty(), variable == "GITHUB_OUTPUT");
        }
        assert_eq!(t.events("acme/web").len(), 3);
    });
}

#[test]
fn what_others_wrote_to_the_runners_files_stays() {
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        let run = t.action().args(["--dry-run", "--ecosystem"]).arg(list);
        std::fs::write(t.sandbox.path().join("runner/output"), "earlier=1\n").unwrap();
        run.run().expect_code(0);
        assert!(t.written("output").starts_with("earlier=1\ndispatched="));
    });
}

#[test]
fn a_failed_step_has_an_annotation_that_says_what_to_do() {
    run_test_with(github_with([]), |t| {
        let done = t.action().args(["--base", "no-such-commit"]).run().expect_code(2);
        let errors = commands(&done.stderr);
        let [(name, title, message)] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((name.as_str(), title.as_str()), ("error", "title=ecosystem"));
        assert!(message.contains("no-such-commit") && message.contains("%0A"), "{message}");
    });
}

#[test]
fn annotations_and_outputs_end_where_github_would_drop_them_and_the_report_is_whole() {
    let names: Vec<String> = (0..10_000).map(|n| format!("acme/cousin-number-{n:05}")).collect();
    run_test_with(github_with([]), |t| {
        t.with(|it| it.fault_any(Fault::status(404).forever()));
        let list = t.cousins(names.iter().map(String::as_str));
        let done = t
            .action()
            .args(["--format", "json", "--per-minute", "1000000", "--concurrency", "100"])
            .arg("--ecosystem")
            .arg(list)
            .run()
            .expect_code(1);
        let tried = t.tried();
        assert_eq!((tried.len(), tried.values().max()), (10_000, Some(&1)));
        let outputs = t.outputs();
        assert_eq!((outputs["count"].as_str(), outputs["dispatched"].as_str()), ("10000", "false"));
        assert!(outputs["repos"].len() <= 100_000);
        let repos: Vec<String> = serde_json::from_str(&outputs["repos"]).unwrap();
        assert_eq!(repos[..], names[..repos.len()], "the first ones, whole");
        assert!(repos.len() > 3_000);
        let kept = std::fs::read_to_string(&outputs["report"]).unwrap();
        assert_eq!(kept, done.stdout);
        let report: Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(report["dispatches"].as_array().unwrap().len(), 10_000);

        let summary = t.written("summary");
        assert!(summary.len() <= 900_000, "{}", summary.len());
        let rows = summary.lines().filter(|line| line.starts_with("| acme/")).count();
        let end = format!("… and {} more: the summary is cut here", 10_000 - rows);
        assert!(rows > 1_000 && summary.contains(&end), "{rows} rows");

        let errors: Vec<_> =
            commands(&done.stderr).into_iter().filter(|it| it.0 == "error").collect();
        assert_eq!(errors.len(), 10, "GitHub shows ten");
        assert!(errors[9].2.starts_with("9991 more dispatches were not delivered"));
    });
}

#[test]
fn a_push_that_concerns_nobody_writes_its_outputs_too() {
    run_test_with(github_with([]), |t| {
        let list = t
            .file(&json!([{"repo": "acme/web", "subscriptions": ["no/such/feature"]}]).to_string());
        for (event, features) in [("push.json", "[]"), ("push-tag.json", "[]")] {
            t.action().event("push", event).arg("--ecosystem").arg(&list).run().expect_code(0);
            let outputs = t.outputs();
            assert_eq!(outputs["features"], features, "{event}");
            assert_eq!((outputs["count"].as_str(), outputs["dispatched"].as_str()), ("0", "false"));
            assert!(t.written("summary").contains("Nothing to dispatch."));
        }
        assert_ne!(FEATURE, "no/such/feature");
        t.expect_no_request();
    });
}
