//! A run in GitHub Actions.

use pretty_assertions::assert_eq;

use super::*;
use crate::support::circle::TOKEN;
use crate::support::ecosystem::Done;

struct Step {
    done: Done,
    outputs: String,
    summary: String,
}

/// Runs it as a step of a workflow.
#[track_caller]
fn step(circle: &Circle, code: i32) -> Step {
    let runner = circle.sandbox.path().join("runner");
    std::fs::create_dir_all(&runner).unwrap();
    let file = |name: &str| {
        std::fs::write(runner.join(name), "").unwrap();
        runner.join(name)
    };
    let run = circle.sync();
    let run = run.env("GITHUB_ACTIONS", "true").env("GITHUB_RUN_ID", "42");
    let run = run.env("GITHUB_EVENT_NAME", "schedule").env("RUNNER_TEMP", &runner);
    let run = run.env("GITHUB_OUTPUT", file("output")).env("GITHUB_STEP_SUMMARY", file("summary"));
    let done = run.run().expect_code(code);
    let read = |name| std::fs::read_to_string(runner.join(name)).unwrap();
    Step { done, outputs: read("output"), summary: read("summary") }
}

#[test]
fn a_step_has_outputs_and_a_summary_and_hides_its_token() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let it = step(&circle, 0);
    let page = format!("pull-request-url={}/{COUSIN}/pull/2", circle.url());
    for line in ["changed=true", "pull-request-number=2", &page, "conflicts=false"] {
        assert!(it.outputs.lines().any(|it| it == line), "{line}\n{}", it.outputs);
    }
    assert!(
        it.outputs.contains("report=") && it.outputs.contains(r#"features=["features/push"]"#),
        "{}",
        it.outputs
    );
    assert!(
        it.summary.contains("/pull/2") && it.summary.contains("features/push"),
        "{}",
        it.summary
    );
    let masked = format!("::add-mask::{TOKEN}");
    let said = format!("{}{}", it.done.stdout, it.done.stderr);
    assert!(said.contains(&masked), "{said}");
    assert_eq!(said.replace(&masked, "").matches(TOKEN).count(), 0);
    assert!(!it.summary.contains(TOKEN) && !it.outputs.contains(TOKEN));
    let run = format!("{}/{COUSIN}/actions/runs/42", circle.url());
    assert!(body(&circle, 2).contains(&run), "{}", body(&circle, 2));
    let committer = circle.bare(&["log", "-1", "--format=%cn", BRANCH]);
    assert_eq!(committer, "github-actions[bot]");

    let it = step(&circle, 0);
    assert!(it.outputs.lines().any(|it| it == "changed=false"), "{}", it.outputs);
}

#[test]
fn a_step_that_fails_says_why_in_an_annotation() {
    let circle = settled();
    let theirs = "a person's";
    upstream(&circle, 2, "app two");
    step(&circle, 0);
    circle.on_branch(BRANCH, theirs, |web| change(web, OWN_FILE, "app 5\n", "theirs\n"));
    upstream(&circle, 5, "of upstream");
    let it = step(&circle, 1);
    let said = it.done.stdout + &it.done.stderr;
    assert!(said.lines().any(|it| it.starts_with("::error") && it.contains("conflicts")), "{said}");
    assert!(it.summary.contains("/pull/2") && it.summary.contains("commented"), "{}", it.summary);
}

#[test]
fn without_a_token_it_does_not_matter_that_no_branch_is_known() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let checkout = circle.checkout();
    circle.sandbox.git(&checkout, &["checkout", "-q", "--detach"]);
    circle.sandbox.git(&checkout, &["remote", "set-head", "origin", "--delete"]);
    let run = || circle.sync_in(&checkout).args(["--pull", "--format", "json"]);
    let done = run().run().expect_code(2);
    assert!(done.stderr.contains("--base BRANCH"), "{}", done.stderr);
    let report = run().without("GITHUB_TOKEN").run().expect_code(0).json();
    expect(&report, "committed");
    assert_eq!(report["warnings"][0]["code"], "no-token", "{report:#}");
}
