//! What GitHub may refuse or not answer, and who speaks to it.

use ecosystem_dispatcher::embedded_github::{Fault, Repository, Token};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::support::circle::{FEATURE, SOURCE, TOKEN};

const OTHER: &str = "canary-other-token-5e20";

fn with(describe: impl FnOnce(Repository) -> Repository) -> Circle {
    with_token(describe, Token::built_in(COUSIN))
}

/// A cousin with another token beside the usual one.
fn with_token(describe: impl FnOnce(Repository) -> Repository, other: Token) -> Circle {
    let subscription = json!({ "feature": FEATURE, "into": "src/push" });
    let subscriptions = json!({ "source": SOURCE, "subscriptions": [subscription] });
    Circle::with(&subscriptions, describe, |it| it.token(OTHER, other))
}

/// Runs with the other token.
#[track_caller]
fn with_other(circle: &Circle, code: i32) -> Value {
    let run = circle.sync().env("GITHUB_TOKEN", OTHER).args(["--pull", "--format", "json"]);
    run.run().expect_code(code).expect_without(&[OTHER]).json()
}

fn help(feature: &Value) -> &str {
    feature["help"].as_str().unwrap()
}

#[test]
fn where_workflows_may_not_open_pull_requests_it_is_told_what_to_do() {
    let circle = with(Repository::actions_may_not_open_pull_requests);
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert_eq!(feature["code"], "may-not-propose", "{report:#}");
    for word in ["Allow GitHub Actions to create", &format!("compare/main...{BRANCH}")] {
        assert!(help(feature).contains(word), "{report:#}");
    }
    let pushed = tip(&circle, BRANCH);
    assert_eq!(pull(&circle, 1)["features"][0]["made"], pushed);
    assert_eq!(tip(&circle, BRANCH), pushed, "the same is not pushed each time");
    assert_eq!(circle.pulls().len(), 0);
}

#[test]
fn a_token_without_a_permission_is_told_which() {
    for (token, code, word) in [
        (Token::built_in(COUSIN).may_write_issues(COUSIN), "pull-request", "pull-requests: write"),
        (
            Token::fine_grained().may_write_pull_requests(COUSIN).may_write_issues(COUSIN),
            "push-refused",
            "contents: write",
        ),
    ] {
        let circle = with_token(|it| it, token);
        let report = with_other(&circle, 1);
        let feature = expect(&report, "failed");
        assert_eq!(feature["code"], code, "{report:#}");
        assert!(help(feature).contains(word), "{report:#}");
        assert_eq!(feature["issues"].as_array().unwrap().len(), 1, "{report:#}");
        assert_eq!(shown(&circle), [""; 0]);
    }
}

#[test]
fn an_archived_cousin_takes_nothing() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    circle.github(|it| *it = std::mem::take(it).archived(COUSIN));
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert!(help(feature).contains("archived"), "{report:#}");
}

#[test]
fn a_renamed_cousin_is_told_to_use_its_new_name() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    circle.github(|it| it.rename(COUSIN, "acme/renamed"));
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert!(help(feature).contains("git remote set-url origin"), "{report:#}");
}

#[test]
fn a_limit_that_is_too_long_to_wait_for_is_a_failure() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    circle.github(|it| it.fault_nth(before + 1, Fault::limited(60)));
    let report = pull_with(&circle, 1, &["--max-wait", "0"]);
    let feature = expect(&report, "failed");
    assert!(feature["error"].as_str().unwrap().contains("limit"), "{report:#}");
    assert!(!has_branch(&circle, BRANCH), "it is asked before it is pushed");
    expect(&pull(&circle, 0), "proposed");
}

#[test]
fn what_nobody_heard_of_is_not_done_twice() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    // It is opened, and the answer is lost.
    circle.github(|it| it.fault_nth(before + 3, Fault::reset().delivered()));
    let report = pull(&circle, 0);
    assert_eq!(report["features"][0]["pull_request"]["number"], 2, "{report:#}");
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);

    let theirs = circle.on_branch(BRANCH, "a person's", |web| {
        change(web, OWN_FILE, "app 5\n", "of a person\n");
    });
    upstream(&circle, 5, "of upstream");
    let before = requests(&circle);
    // The open one, the comments, and then our own.
    circle.github(|it| it.fault_nth(before + 3, Fault::reset().delivered()));
    expect(&pull(&circle, 1), "commented");
    assert_eq!((comments(&circle, 2).len(), tip(&circle, BRANCH)), (1, theirs));
}

#[test]
fn labels_that_may_not_be_set_are_a_warning() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    for at in 4..=6 {
        let refused = Fault::status(403).text("application/json", r#"{"message":"no"}"#);
        circle.github(|it| it.fault_nth(before + at, refused));
    }
    let report = pull(&circle, 0);
    expect(&report, "proposed");
    assert_eq!(report["warnings"][0]["code"], "not-labelled", "{report:#}");
    // The next run that has something to say tries again.
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "updated");
    assert_eq!(numbered(&circle, 2).issue.labels, ["automated", "upstream-sync"]);
}

#[test]
fn without_a_token_the_commit_stays_here() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    let checkout = circle.checkout();
    let run = circle.sync_in(&checkout).without("GITHUB_TOKEN");
    let report = run.args(["--pull", "--format", "json"]).run().expect_code(0).json();
    expect(&report, "committed");
    assert_eq!(report["warnings"][0]["code"], "no-token", "{report:#}");
    assert_eq!((requests(&circle), has_branch(&circle, BRANCH)), (before, false));
    assert!(!circle.sandbox.rev(&checkout, BRANCH).is_empty());
}

#[test]
fn the_first_token_there_is_speaks_and_pushes() {
    let strong = || {
        Token::fine_grained()
            .may_write(COUSIN)
            .may_write_pull_requests(COUSIN)
            .may_write_issues(COUSIN)
            .labelled("other")
    };
    for variable in ["ECOSYSTEM_PAT", "GH_TOKEN"] {
        let circle = with_token(|it| it, strong());
        let run = circle.sync().env(variable, OTHER).args(["--pull", "--format", "json"]);
        let done = run.run().expect_code(0).expect_without(&[OTHER, TOKEN]);
        expect(&done.json(), "proposed");
        let speaks = circle.github(|it| it.requests().iter().all(|it| it.token == "other"));
        assert!(speaks, "{variable}");
        let pushes = circle.github(|it| {
            let pushes = it.git_requests().iter().filter(|it| it.path == "/git-receive-pack");
            pushes.map(|it| it.token.clone()).collect::<Vec<_>>()
        });
        assert!(pushes.iter().all(|it| it == "other") && !pushes.is_empty(), "{pushes:?}");
    }
}
