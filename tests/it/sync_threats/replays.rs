//! Events that come late, again, or with another content under the same id: nothing is taken back.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, Source, expect_refused, expect_untouched, step, told};
use crate::support::case;
use crate::support::circle::{Circle, FEATURE, SOURCE, change, write};

#[test]
fn an_old_event_takes_nothing_back_neither_from_the_base_nor_from_an_open_pull_request() {
    let circle = Circle::by("copy");
    let old = circle.sandbox.rev(&circle.mono, "HEAD");
    let new =
        circle.upstream("the fix", |mono| change(mono, "features/push/app.txt", "app 2", "fixed"));
    let mut late = told(&old);
    late["dispatch_id"] = json!("f".repeat(32));
    step(&circle, &circle.checkout(), &told(&new)).run().expect_code(0);
    let tip = circle.bare(&["rev-parse", BRANCH]);
    let replayed = |what: &str| {
        case(what);
        for options in [&["--depth=1"][..], &[]] {
            let checkout = circle.checkout_with(options);
            let done = step(&circle, &checkout, &late).args(["--format", "json"]).run();
            expect_refused(done, "rollback");
        }
    };
    replayed("while the pull request is open");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), tip);
    circle.merge(1, MergeMethod::Squash);
    replayed("when it is merged");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), tip);
    assert_eq!(circle.pulls().len(), 1);
    assert!(circle.at("main", "src/push/app.txt").contains("fixed"));
}

#[test]
fn an_id_that_was_applied_brings_nothing_else_and_says_so() {
    let circle = Circle::by("merge");
    let old = circle.sandbox.rev(&circle.mono, "HEAD");
    step(&circle, &circle.checkout(), &told(&old)).run().expect_code(0);
    circle.merge(1, MergeMethod::Merge);
    let new = circle.upstream("more", |mono| write(mono, "features/push/b", "b\n"));
    let run = step(&circle, &circle.checkout(), &told(&new)).args(["--format", "json"]);
    let report = run.run().expect_code(0).json();
    assert_eq!(report["features"][0]["outcome"], "nothing-to-do");
    assert_eq!(report["warnings"][0]["code"], "dispatch-id", "{report:#}");
    assert_eq!(circle.pulls().len(), 1);
    // What it kept back is not lost.
    let report = circle.pull();
    assert_eq!(report["features"][0]["commit"], json!(new));
    assert_eq!(circle.pulls().len(), 2);
}

/// An event that is sent again after a failure proves nothing of what failed.
#[test]
fn a_repeated_event_does_not_close_the_issue_about_a_later_failure() {
    let circle = Circle::by("merge");
    let old = circle.sandbox.rev(&circle.mono, "HEAD");
    let event = |commit: &str| circle.event(&told(commit));
    let run = |event: &std::path::Path| {
        let run = circle.sync().env("GITHUB_EVENT_NAME", "repository_dispatch");
        run.env("GITHUB_EVENT_PATH", event).run()
    };
    run(&event(&old)).expect_code(0);
    circle.merge(1, MergeMethod::Merge);
    circle.upstream("a workflow", |mono| {
        write(mono, "features/push/.github/workflows/x.yml", "on: push\n");
    });
    circle.sync().arg("--pull").run().expect_code(1);
    let open = || {
        circle.github(|model| {
            let issues = model.issues_of(crate::support::circle::COUSIN).iter();
            issues.filter(|it| it.open).count()
        })
    };
    let issues = open();
    assert!(issues >= 1, "the failure has an issue");
    run(&event(&old)).expect_code(0);
    assert_eq!(open(), issues, "nothing was brought by the repeat");
}

#[test]
fn the_date_of_a_commit_is_read_as_it_stands_and_never_overflows() {
    let subscription = json!({ "feature": FEATURE, "into": "src/push" });
    let circle = Circle::new(&json!({
        "source": SOURCE, "max_age_days": 4_000_000, "subscriptions": [subscription],
    }));
    let source = Source(&circle);
    let root = source.git(&["rev-parse", "refs/heads/main^{tree}"]);
    let checkout = circle.checkout();
    let run = |days: &str, when: &str| {
        case(&format!("{days} days, {when}"));
        let commit = source.commit(&root, when);
        source.git(&["update-ref", "refs/heads/main", &commit]);
        let file = checkout.join("subscriptions.json");
        let text = std::fs::read_to_string(&file).unwrap();
        let (head, rest) = text.split_once("\"max_age_days\": ").unwrap();
        let rest = rest.split_once(',').unwrap().1;
        std::fs::write(&file, format!("{head}\"max_age_days\": {days},{rest}")).unwrap();
        step(&circle, &checkout, &told(&commit)).args(["--dry-run", "--format", "json"]).run()
    };
    for when in ["0 +0000", "-9223372036854775808 +0000", "99999999999999999999 +0000", "1 +9999"] {
        expect_refused(run("30", when), "too-old");
    }
    expect_refused(run("4", "1500000000 -99999999999"), "too-old");
    expect_untouched(&circle);
    // In the future, and without a limit, as also at the largest.
    for (days, when) in [
        ("30", "9223372036854775807 +0000"),
        ("30", "32503680000 +0000"),
        ("0", "0 +0000"),
        ("4294967295", "0 +0000"),
    ] {
        let done = run(days, when);
        if days == "4294967295" && done.code == Some(2) {
            continue;
        }
        assert_eq!(done.expect_code(0).json()["features"][0]["outcome"], "committed");
    }
}
