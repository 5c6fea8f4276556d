//! Whose the branch is, and when it is made anew.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{APP, BRANCH, fork, outcome, subjects};
use crate::support::circle::{Circle, FEATURE, SOURCE, change, lines, write};

#[test]
fn a_persons_commit_on_the_branch_is_never_lost() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.pull();
    let person = circle.on_branch(BRANCH, "a person's", |web| change(web, APP, "app 6", "app six"));
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), person);
    let head = circle.upstream("up: four", |mono| change(mono, APP, "app 4", "app four"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "updated", "{report:#}");
    let parents = circle.bare(&["log", "-1", "--format=%P", &format!("{BRANCH}~1")]);
    assert_eq!(parents, format!("{person} {head}"));
    let expected = lines("app").replace("app 2", "app two").replace("app 4", "app four");
    let expected = expected.replace("app 6", "app six").replace("app 9", "app nine");
    assert_eq!(circle.at(BRANCH, APP), expected.trim_end());
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");

    // What conflicts with it is said and not pushed.
    circle.upstream("up: six", |mono| change(mono, APP, "app 6", "app sechs"));
    let before = circle.bare(&["rev-parse", BRANCH]);
    let report = circle.sync().args(["--pull", "--format", "json"]).run().json();
    assert_eq!(outcome(&report), "commented", "{report:#}");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), before);
}

#[test]
fn a_branch_is_a_persons_in_doubt() {
    /// What a person does to the branch.
    type Deed = fn(&Circle);
    let git = |circle: &Circle, args: &[&str]| drop(circle.sandbox.git(&circle.web, args));
    let deeds: [(&str, Deed); 3] = [
        ("amends our commit", |circle| {
            write(&circle.web, "features/push/mine.txt", "mine\n");
            circle.sandbox.git(&circle.web, &["add", "--all"]);
            circle.sandbox.git(&circle.web, &["commit", "-q", "--amend", "--no-edit"]);
        }),
        ("takes our commit away", |circle| {
            circle.sandbox.git(&circle.web, &["reset", "-q", "--hard", "HEAD~1"]);
            write(&circle.web, "features/push/mine.txt", "mine\n");
            circle.sandbox.git(&circle.web, &["add", "--all"]);
            circle.sandbox.git(&circle.web, &["commit", "-q", "--amend", "--no-edit"]);
        }),
        ("puts one below ours", |circle| {
            circle.sandbox.git(&circle.web, &["checkout", "-q", "HEAD~1"]);
            write(&circle.web, "features/push/mine.txt", "mine\n");
            circle.sandbox.commit_all(&circle.web, "mine");
            circle.sandbox.git(&circle.web, &["cherry-pick", BRANCH]);
            circle.sandbox.git(&circle.web, &["branch", "-f", BRANCH, "HEAD"]);
            circle.sandbox.git(&circle.web, &["checkout", "-q", BRANCH]);
        }),
    ];
    for (deed, act) in deeds {
        let circle = fork();
        circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
        circle.pull();
        git(&circle, &["fetch", "-q", "origin"]);
        git(&circle, &["checkout", "-q", "-B", BRANCH, &format!("origin/{BRANCH}")]);
        act(&circle);
        git(&circle, &["push", "-q", "--force", "origin", BRANCH]);
        let persons = circle.sandbox.rev(&circle.web, BRANCH);
        circle.upstream("up: four", |mono| change(mono, APP, "app 4", "app four"));
        let report = circle.pull();
        assert_eq!(outcome(&report), "updated", "{deed}: {report:#}");
        let is_kept = ["merge-base", "--is-ancestor", &persons, BRANCH];
        circle.bare(&is_kept);
        assert_eq!(circle.at(BRANCH, "features/push/mine.txt"), "mine", "{deed}");
        assert!(circle.at(BRANCH, APP).contains("app four"), "{deed}");
    }
}

#[test]
fn the_branch_is_made_anew_when_the_base_has_moved() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.pull();
    circle.here("own: seven", |web| change(web, APP, "app 7", "app seven"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "updated", "{report:#}");
    let told = subjects(&circle, "main", BRANCH);
    assert_eq!(told[1..], ["own: seven", "own: nine", "the cousin's beginning", "up: two"]);
    assert_eq!(outcome(&circle.pull()), "nothing-to-do");
}

#[test]
fn several_features_are_one_update_and_per_commit_has_a_branch_for_each() {
    let circle = fork();
    let subscription = |feature: &str| json!({ "feature": feature, "method": "rebase", "pull_request": "per-commit" });
    let subscriptions = ["features/push", "features/other"].map(subscription);
    let file = json!({ "source": SOURCE, "subscriptions": subscriptions });
    circle.here("own: more", |web| write(web, "subscriptions.json", format!("{file:#}\n")));
    let mut branches = Vec::new();
    for number in ["two", "three"] {
        let path = "features/other/x.txt";
        let head = circle.upstream(number, |mono| write(mono, path, format!("{number}\n")));
        let report = circle.pull();
        assert_eq!(report["features"].as_array().unwrap().len(), 2, "{report:#}");
        for feature in report["features"].as_array().unwrap() {
            assert_eq!(feature["outcome"], "proposed", "{report:#}");
        }
        let branch = format!("update-from-upstream-{head}");
        assert_eq!(circle.at(&branch, path), number);
        let lock: Value = serde_json::from_str(&circle.at(&branch, "ecosystem.lock.json")).unwrap();
        for feature in ["features/push", "features/other"] {
            assert_eq!(lock["features"][feature]["commit"], head);
        }
        assert_eq!(outcome(&circle.pull()), "nothing-to-do");
        branches.push(branch);
    }
    assert_eq!(circle.pulls().len(), 2);
}

#[test]
fn a_branch_of_another_method_is_moved() {
    let circle = fork();
    let file = |method: &str| {
        let subscription = json!({ "feature": FEATURE, "method": method });
        format!("{:#}\n", json!({ "source": SOURCE, "subscriptions": [subscription] }))
    };
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.here("own: merge", |web| write(web, "subscriptions.json", file("squash")));
    assert_eq!(outcome(&circle.pull()), "proposed");
    circle.here("own: rebase", |web| write(web, "subscriptions.json", file("rebase")));
    let report = circle.pull();
    assert_eq!(outcome(&report), "updated", "{report:#}");
    let told = subjects(&circle, "main", BRANCH);
    let own = ["own: rebase", "own: merge", "own: nine", "the cousin's beginning", "up: two"];
    assert_eq!(told[1..], own, "{report:#}");
}
