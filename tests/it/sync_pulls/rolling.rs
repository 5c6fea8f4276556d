//! One pull request a feature that rolls on, or one a commit.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::support::circle::{FEATURE, SOURCE, write};

#[test]
fn an_open_pull_request_says_what_it_brings_now_on_the_base_of_now() {
    let circle = settled();
    let two = upstream(&circle, 2, "app two");
    expect(&pull(&circle, 0), "proposed");
    assert!(numbered(&circle, 2).issue.title.contains(&two[..7]));
    let main = here(&circle, 9, "app nine");
    let three = upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "updated");
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
    let (title, body) = (numbered(&circle, 2).issue.title, body(&circle, 2));
    assert!(title.contains(&three[..7]) && !title.contains(&two[..7]), "{title}");
    assert!(body.contains("`line 2`") && body.contains("`line 3`"), "{body}");
    assert_eq!(circle.bare(&["rev-list", &format!("main..{BRANCH}")]).lines().count(), 1);
    assert_eq!(circle.bare(&["merge-base", "main", BRANCH]), main, "it is made on the base");
}

#[test]
fn what_upstream_changes_elsewhere_leaves_reviews_of_the_branch_good() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    expect(&pull(&circle, 0), "proposed");
    let before = (tip(&circle, BRANCH), body(&circle, 2));
    circle.upstream("elsewhere", |mono| write(mono, "features/other/x.txt", "another\n"));
    let report = pull(&circle, 0);
    assert_eq!(expect(&report, "nothing-to-do")["pull_request"]["number"], 2);
    assert_eq!((tip(&circle, BRANCH), body(&circle, 2)), before);
    // What is said about how to bring it counts as well.
    circle.here("keep it", |web| {
        let preserved = json!({ "source": SOURCE, "subscriptions": [
            { "feature": FEATURE, "into": "src/push", "preserve": ["app.txt"] },
        ]});
        write(web, "subscriptions.json", preserved.to_string());
    });
    expect(&pull(&circle, 0), "closed");
}

#[test]
fn the_second_of_two_is_rebuilt_when_the_first_is_merged() {
    let both = json!({ "source": SOURCE, "subscriptions": [FEATURE, "features/other"] });
    let circle = Circle::new(&both);
    let report = pull(&circle, 0);
    assert_eq!(report["summary"]["proposed"], 2, "{report:#}");
    let other = "update-from-upstream-features-other";
    assert_eq!(numbered(&circle, 2).proposed.head, other);
    circle.merge(1, MergeMethod::Squash);
    assert!(!is_mergeable(&circle, other), "both have added the lock file");
    let report = pull(&circle, 0);
    assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
    assert_eq!(report["features"][1]["outcome"], "updated", "{report:#}");
    assert!(is_mergeable(&circle, other));
    circle.merge(2, MergeMethod::Merge);
    assert_eq!(shown(&circle), ["#1 merged", "#2 merged"]);
    let lock = circle.at("main", "ecosystem.lock.json");
    assert!(lock.contains(FEATURE) && lock.contains("features/other"), "{lock}");
    assert_eq!(pull(&circle, 0)["summary"]["nothing-to-do"], 2);
}

#[test]
fn each_commit_has_a_pull_request_of_its_own_where_that_is_wanted() {
    let subscription = |feature| json!({ "feature": feature, "pull_request": "per-commit" });
    let both = [subscription(FEATURE), subscription("features/other")];
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": both }));
    let first = circle.sandbox.rev(&circle.mono, "HEAD");
    let report = pull(&circle, 0);
    assert_eq!(report["summary"]["proposed"], 2, "{report:#}");
    let heads = |circle: &Circle| -> Vec<String> {
        circle.pulls().into_iter().map(|it| it.proposed.head).collect()
    };
    let plain = format!("update-from-upstream-{first}");
    assert_eq!(heads(&circle), [plain.clone(), format!("{plain}-features-other")]);
    let second = upstream(&circle, 2, "app two");
    let report = pull(&circle, 0);
    assert_eq!(report["features"][0]["outcome"], "proposed", "{report:#}");
    assert_eq!(report["features"][1]["outcome"], "nothing-to-do", "it is not proposed again");
    assert_eq!(heads(&circle)[2..], [format!("update-from-upstream-{second}")]);
    assert_eq!(pull(&circle, 0)["summary"]["nothing-to-do"], 2);
    circle.github(|it| it.close_pull_request(COUSIN, 3));
    circle.upstream("elsewhere", |mono| write(mono, "features/third/x.txt", "third\n"));
    let report = pull(&circle, 0);
    assert_eq!(report["features"][0]["outcome"], "snoozed", "{report:#}");
}
