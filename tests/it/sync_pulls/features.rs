//! Several features of one commit, each with a pull request for each commit: the plain name of the
//! branch is one feature's, and what people do on it is no other's.

use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::support::circle::{FEATURE, SOURCE, write};

const OTHER: &str = "features/other";

/// A cousin with two features that is brought each commit by itself.
fn two() -> Circle {
    let subscription = |feature| json!({ "feature": feature, "pull_request": "per-commit" });
    let both = [subscription(FEATURE), subscription(OTHER)];
    Circle::new(&json!({ "source": SOURCE, "subscriptions": both }))
}

/// Returns the plain branch of the newest commit and that of the other feature.
fn branches(circle: &Circle) -> (String, String) {
    let plain = format!("update-from-upstream-{}", circle.sandbox.rev(&circle.mono, "HEAD"));
    let other = format!("{plain}-features-other");
    (plain, other)
}

fn dry(circle: &Circle, checkout: &Path, code: i32) -> Value {
    let run = circle.sync_in(checkout).args(["--pull", "--dry-run", "--format", "json"]);
    run.run().expect_code(code).json()
}

/// Commits what a person does on a local branch, and returns the commit.
fn commit_on(circle: &Circle, checkout: &Path, branch: &str) -> String {
    circle.sandbox.git(checkout, &["checkout", "-q", branch]);
    write(checkout, "mine.txt", "mine\n");
    let commit = circle.sandbox.commit_all(checkout, "mine");
    circle.sandbox.git(checkout, &["checkout", "-q", "main"]);
    commit
}

#[test]
fn a_persons_local_commits_are_kept_on_each_of_the_branches() {
    let circle = two();
    let (plain, other) = branches(&circle);
    for (at, branch) in [(0, &plain), (1, &other)] {
        let checkout = circle.checkout();
        assert_eq!(dry(&circle, &checkout, 0)["summary"]["committed"], 2);
        let mine = commit_on(&circle, &checkout, branch);
        let report = dry(&circle, &checkout, 1);
        assert_eq!(report["features"][at]["code"], "local-branch", "{report:#}");
        assert_eq!(report["features"][1 - at]["outcome"], "committed", "{report:#}");
        assert_eq!(circle.sandbox.rev(&checkout, branch), mine);
    }
}

#[test]
fn a_feature_is_not_put_on_top_of_what_people_commit_on_anothers_branch() {
    let circle = two();
    let (plain, other) = branches(&circle);
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let payload = json!({ "updated_feature": FEATURE, "commit_sha": head });
    expect(&circle.on_event(&payload).expect_code(0).json(), "proposed");
    let theirs = circle.on_branch(&plain, "a person's", |web| write(web, "own.txt", "person\n"));
    let report = pull(&circle, 0);
    assert_eq!(report["features"][1]["outcome"], "proposed", "{report:#}");
    assert_eq!(report["features"][1]["branch"], json!(other), "{report:#}");
    assert_eq!(tip(&circle, &plain), theirs, "it is left as it was");
    assert_eq!(circle.bare(&["rev-list", &format!("main..{other}")]).lines().count(), 1);
}
