//! `ecosystem sync` from an event to a pull request, on the embedded GitHub.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::circle::{Circle, FEATURE, SOURCE, change, lines};

const BRANCH: &str = "update-from-upstream-features-push";

#[test]
fn an_event_becomes_one_clean_pull_request() {
    let circle = Circle::by("merge");
    let head = circle.sandbox.rev(&circle.mono, "HEAD");
    let id = "0123456789abcdef0123456789abcdef";
    let payload = json!({
        "updated_feature": FEATURE, "commit_sha": head, "dispatch_id": id,
        "source_repository": SOURCE,
    });
    let report = circle.on_event(&payload).expect_code(0).json();
    let feature = &report["features"][0];
    assert_eq!(feature["outcome"], "proposed", "{report:#}");
    assert_eq!(feature["pull_request"]["number"], 1);
    let pulls = circle.pulls();
    assert_eq!(pulls.len(), 1);
    let pull = &pulls[0];
    assert_eq!(pull.proposed.head, BRANCH);
    assert_eq!((pull.proposed.base.as_str(), pull.proposed.draft), ("main", false));
    assert_eq!(pull.issue.labels, ["automated", "upstream-sync"]);
    assert_eq!(circle.at(BRANCH, "src/push/app.txt"), lines("app").trim_end());
    assert_eq!(circle.at(BRANCH, "own.txt"), "the cousin's own");
    let lock: serde_json::Value =
        serde_json::from_str(&circle.at(BRANCH, "ecosystem.lock.json")).unwrap();
    assert_eq!(lock["features"][FEATURE]["commit"], head);
    assert_eq!(lock["features"][FEATURE]["dispatch_id"], id);

    // The second time nothing happens.
    let before = circle.bare(&["rev-parse", BRANCH]);
    let again = circle.on_event(&payload).expect_code(0).json();
    assert_eq!(again["features"][0]["outcome"], "nothing-to-do", "{again:#}");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), before);
    assert_eq!(circle.pulls().len(), 1);
}

#[test]
fn a_rolling_pull_request_moves_on_and_ends_with_its_merge() {
    for how in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let circle = Circle::by("merge");
        circle.pull();
        circle.upstream("two", |mono| change(mono, "features/push/app.txt", "app 2", "app two"));
        let report = circle.pull();
        assert_eq!(report["features"][0]["outcome"], "updated", "{report:#}");
        assert_eq!(circle.pulls().len(), 1);
        circle.merge(1, how);
        let report = circle.pull();
        assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
        circle.here("local", |web| change(web, "src/push/app.txt", "app 9", "app nine"));
        circle
            .upstream("three", |mono| change(mono, "features/push/app.txt", "app 3", "app three"));
        let report = circle.pull();
        assert_eq!(report["features"][0]["outcome"], "proposed", "{report:#}");
        let text = circle.at(BRANCH, "src/push/app.txt");
        let expected = lines("app").replace("app 2", "app two").replace("app 3", "app three");
        assert_eq!(text, expected.replace("app 9", "app nine").trim_end());
        assert_eq!(circle.pulls().len(), 2);
    }
}
