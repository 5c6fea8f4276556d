//! What a step of GitHub Actions leaves behind: outputs, a summary, annotations.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::report::{mixed, settled};
use crate::support::circle::Circle;
use crate::support::ecosystem::Done;

/// Runs as a step of GitHub Actions and returns what came of it, the outputs and the summary.
fn step(circle: &Circle, args: &[&str]) -> (Done, BTreeMap<String, String>, String) {
    let temporary = circle.sandbox.path().join("runner");
    std::fs::create_dir_all(&temporary).unwrap();
    let file = |name: &str| {
        std::fs::write(temporary.join(name), "").unwrap();
        temporary.join(name)
    };
    let run = circle
        .sync()
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_RUN_ID", "42")
        .env("RUNNER_TEMP", &temporary)
        .env("GITHUB_OUTPUT", file("output"))
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .args(args);
    let done = run.run();
    let read = |name: &str| std::fs::read_to_string(temporary.join(name)).unwrap();
    let text = read("output");
    let mut lines = text.split('\n');
    let mut outputs = BTreeMap::new();
    while let Some(line) = lines.next() {
        if let Some((name, delimiter)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        } else if let Some((name, value)) = line.split_once('=') {
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    (done, outputs, read("summary"))
}

#[test]
fn a_step_leaves_outputs_a_summary_and_annotations() {
    let circle = mixed();
    let (done, mut outputs, summary) = step(&circle, &["--pull"]);
    let done = done.expect_code(1);
    let report = outputs.remove("report").unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(kept["features"].as_array().unwrap().len(), 3);
    insta::assert_snapshot!(settled(&circle, &format!("{outputs:#?}")), @r##"
        {
            "changed": "true",
            "conflicts": "true",
            "features": "[\"features/push\",\"features/other\"]",
            "pull-request-number": "2",
            "pull-request-url": "https://github.test/acme/web/pull/2",
        }
    "##);
    insta::assert_snapshot!(settled(&circle, &summary), @r##"
        ### Ecosystem Dispatcher: sync

        | feature | commit | outcome | files | |
        | --- | --- | --- | ---: | --- |
        | features/push | `SHORT-1` | ✅ proposed | 3 | draft [#2](<https://github.test/acme/web/pull/2>) 1 conflict |
        | features/other | `SHORT-1` | ✅ proposed | 1 | [#3](<https://github.test/acme/web/pull/3>) |
        | features/no-such | `SHORT-1` | ❌ failed | 0 | there is no features/no-such upstream at SHORT-1 |
    "##);
    let commands: Vec<&str> = done
        .stdout
        .lines()
        .chain(done.stderr.lines())
        .filter(|line| line.starts_with("::"))
        .collect();
    insta::assert_snapshot!(settled(&circle, &commands.join("\n")), @r##"
        ::add-mask::canary-job-token-77aa02
        ::error title=sync failed::features/no-such: there is no features/no-such upstream at SHORT-1; see how it is spelled in the source, and write that into subscriptions.json
    "##);
}

#[test]
fn a_step_that_has_nothing_to_do_says_so() {
    let circle = Circle::by("merge");
    step(&circle, &["--pull"]).0.expect_code(0);
    let (done, mut outputs, summary) = step(&circle, &["--pull"]);
    done.expect_code(0);
    outputs.remove("report").unwrap();
    insta::assert_snapshot!(settled(&circle, &format!("{outputs:#?}\n{summary}")), @r##"
        {
            "changed": "false",
            "conflicts": "false",
            "features": "[]",
            "pull-request-number": "1",
            "pull-request-url": "https://github.test/acme/web/pull/1",
        }
        ### Ecosystem Dispatcher: sync

        | feature | commit | outcome | files | |
        | --- | --- | --- | ---: | --- |
        | features/push | `SHORT-1` | ➖ nothing-to-do | 0 | [#1](<https://github.test/acme/web/pull/1>) |
    "##);
}
