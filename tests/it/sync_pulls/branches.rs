//! The branch itself: what else may be there, and what may come between looking and pushing.

use std::path::PathBuf;
use std::process::Command;

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::support::circle::{FEATURE, SOURCE, write};

fn bare(circle: &Circle) -> PathBuf {
    circle.sandbox.path().join("web.git")
}

#[test]
fn what_an_earlier_run_has_pushed_is_proposed_and_not_pushed_again() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    let refused = Fault::status(403)
        .text("application/json", r#"{"message":"Resource not accessible by integration"}"#);
    circle.github(|it| it.fault_nth(before + OPENS, refused));
    let report = pull_with(&circle, 1, &["--no-issue"]);
    let help = expect(&report, "failed")["help"].as_str().unwrap().to_owned();
    let page = format!("/{COUSIN}/compare/main...{BRANCH}?expand=1");
    assert!(help.contains(&page), "{help}");
    let pushed = tip(&circle, BRANCH);
    assert_eq!(shown(&circle), ["#1 merged"]);
    let report = pull(&circle, 0);
    assert_eq!(expect(&report, "proposed")["made"], pushed);
    assert_eq!(tip(&circle, BRANCH), pushed, "checks are not run twice for the same");
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
}

#[test]
fn a_branch_of_that_name_that_is_somebodys_is_built_upon() {
    let circle = settled();
    circle.sandbox.git(&circle.web, &["checkout", "-q", "-B", BRANCH, "origin/main"]);
    write(&circle.web, "mine.txt", "mine\n");
    let theirs = circle.sandbox.commit_all(&circle.web, "mine");
    circle.sandbox.git(&circle.web, &["push", "-q", "origin", BRANCH]);
    upstream(&circle, 2, "app two");
    let before = requests(&circle);
    // It is pushed, and the run gets no further.
    circle.github(|it| it.fault_nth(before + OPENS, Fault::status(403)));
    expect(&pull_with(&circle, 1, &["--no-issue"]), "failed");
    expect_kept(&circle, BRANCH, &theirs);
    let report = pull(&circle, 0);
    expect(&report, "proposed");
    expect_kept(&circle, BRANCH, &theirs);
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
    assert!(circle.at(BRANCH, OWN_FILE).contains("app two"));
    expect(&pull(&circle, 0), "nothing-to-do");
}

#[test]
fn a_tag_of_the_same_name_is_another_thing() {
    let circle = settled();
    circle.bare(&["tag", BRANCH, "main"]);
    let tag = circle.bare(&["rev-parse", &format!("refs/tags/{BRANCH}")]);
    upstream(&circle, 2, "app two");
    expect(&pull(&circle, 0), "proposed");
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "updated");
    assert_eq!(circle.bare(&["rev-parse", &format!("refs/tags/{BRANCH}")]), tag);
    assert!(circle.at(&format!("refs/heads/{BRANCH}"), OWN_FILE).contains("app three"));
}

#[test]
fn a_rule_that_forbids_the_push_is_told_and_nothing_changes() {
    let subscription = json!({ "feature": FEATURE, "into": "src/push" });
    let subscriptions = json!({ "source": SOURCE, "subscriptions": [subscription] });
    let circle = Circle::with(&subscriptions, |it| it.protected(BRANCH), |it| it);
    expect(&pull(&circle, 0), "proposed");
    let before = tip(&circle, BRANCH);
    upstream(&circle, 2, "app two");
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert_eq!(feature["code"], "push-refused", "{report:#}");
    assert!(feature["help"].as_str().unwrap().contains("rule"), "{report:#}");
    assert_eq!((tip(&circle, BRANCH), shown(&circle)), (before, vec!["#1 open".to_owned()]));
}

#[test]
fn who_pushes_meanwhile_keeps_what_they_pushed() {
    for is_new in [true, false] {
        let circle = settled();
        upstream(&circle, 2, "app two");
        if !is_new {
            pull(&circle, 0);
            upstream(&circle, 3, "app three");
        }
        let theirs = circle.here("a person's", |web| write(web, "own.txt", "meanwhile\n"));
        let dir = bare(&circle);
        let moved = theirs.clone();
        circle.github(|it| {
            it.before_push(COUSIN, move |_| {
                let args = ["update-ref", &format!("refs/heads/{BRANCH}"), &moved];
                assert!(
                    Command::new("git").current_dir(dir).args(args).status().unwrap().success()
                );
            });
        });
        let report = pull_with(&circle, 1, &["--no-issue"]);
        let feature = expect(&report, "failed");
        assert_eq!(feature["code"], "push-refused", "{report:#}");
        assert!(feature["help"].as_str().unwrap().contains("run again"), "{report:#}");
        assert_eq!(tip(&circle, BRANCH), theirs);
        let report = pull(&circle, 0);
        assert!(
            ["proposed", "updated"].contains(&report["features"][0]["outcome"].as_str().unwrap())
        );
        expect_kept(&circle, BRANCH, &theirs);
    }
}
