//! What upstream and the cousin both changed: only ever in a draft.

use std::sync::{Arc, Mutex};

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::*;
use crate::support::circle::{FEATURE, SOURCE};

const MARKER: &str = "<<<<<<<";

/// Notes at each push which pull requests are open and no draft.
fn watch(circle: &Circle, pushes: usize) -> Arc<Mutex<Vec<usize>>> {
    let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
    for _ in 0..pushes {
        let seen = Arc::clone(&seen);
        circle.github(|it| {
            it.before_push(COUSIN, move |model| {
                let pulls = model.pull_requests_of(COUSIN);
                let ready = pulls.iter().filter(|it| it.issue.open && !it.proposed.draft);
                seen.lock().unwrap().push(ready.count());
            });
        });
    }
    seen
}

fn without_drafts() -> Circle {
    let subscription = json!({ "feature": FEATURE, "into": "src/push" });
    let subscriptions = json!({ "source": SOURCE, "subscriptions": [subscription] });
    let circle = Circle::with(&subscriptions, |it| it.no_drafts(), |it| it);
    settle(&circle);
    circle
}

#[test]
fn a_conflict_is_a_draft_that_lists_it_and_becomes_ready_for_review() {
    let circle = settled();
    both_change(&circle, 2);
    let report = pull(&circle, 0);
    let feature = expect(&report, "proposed");
    assert_eq!(feature["pull_request"]["draft"], true);
    assert_eq!(feature["conflicts"][0]["path"], OWN_FILE);
    assert_eq!(shown(&circle), ["#1 merged", "#2 open draft"]);
    assert!(circle.at(BRANCH, OWN_FILE).contains(MARKER));
    let text = body(&circle, 2);
    assert!(text.contains("### Conflicts") && text.contains(OWN_FILE), "{text}");
    expect(&pull(&circle, 0), "nothing-to-do");
    // The cousin takes its own change back.
    circle.here("back", |web| change(web, OWN_FILE, "of the cousin\n", "app 2\n"));
    let report = pull(&circle, 0);
    assert_eq!(expect(&report, "updated")["pull_request"]["draft"], true);
    assert!(!circle.at(BRANCH, OWN_FILE).contains(MARKER));
    let text = body(&circle, 2);
    assert!(text.contains("no conflicts any more") && !text.contains("### Conflicts"), "{text}");
}

#[test]
fn no_pull_request_that_could_be_merged_ever_holds_a_marker() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    pull(&circle, 0);
    circle.github(|it| {
        it.change_issue(COUSIN, 2, |issue| {
            let body = issue.body.take().unwrap_or_default();
            issue.body = Some(format!("{body}\na person's note\n"));
        });
    });
    both_change(&circle, 5);
    let seen = watch(&circle, 1);
    let report = pull(&circle, 0);
    assert_eq!(expect(&report, "proposed")["pull_request"]["draft"], true);
    assert_eq!(*seen.lock().unwrap(), [0], "nothing is ready for review when markers are pushed");
    assert_eq!(shown(&circle), ["#1 merged", "#2 closed", "#3 open draft"]);
    let said = comments(&circle, 2);
    assert!(said.len() == 1 && said[0].contains("a draft takes the place"), "{said:?}");
    assert!(body(&circle, 3).contains("a person's note"), "{}", body(&circle, 3));
    expect(&pull(&circle, 0), "nothing-to-do");
}

#[test]
fn where_there_are_no_drafts_no_marker_stays_on_a_branch() {
    let circle = without_drafts();
    both_change(&circle, 2);
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert_eq!(feature["code"], "no-drafts", "{report:#}");
    assert!(!has_branch(&circle, BRANCH));
    assert_eq!(shown(&circle), ["#1 merged"]);
    assert!(feature["by_hand"].as_str().unwrap().contains("git apply --3way"), "{report:#}");
    assert_eq!(feature["issues"].as_array().unwrap().len(), 1, "{report:#}");
}

#[test]
fn where_there_are_no_drafts_the_open_pull_request_stays_as_it_was() {
    let circle = without_drafts();
    upstream(&circle, 2, "app two");
    pull(&circle, 0);
    let before = (tip(&circle, BRANCH), body(&circle, 2), numbered(&circle, 2).issue.title);
    both_change(&circle, 5);
    let seen = watch(&circle, 2);
    let report = pull(&circle, 1);
    assert_eq!(expect(&report, "failed")["code"], "no-drafts");
    assert_eq!(seen.lock().unwrap().iter().sum::<usize>(), 0);
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
    let after = || {
        let body = body(&circle, 2).replace(r#","no_drafts":true"#, "");
        (tip(&circle, BRANCH), body, numbered(&circle, 2).issue.title)
    };
    assert_eq!(after(), before);
    // It is not tried again each time.
    let asked = requests(&circle);
    assert_eq!(expect(&pull(&circle, 1), "failed")["code"], "no-drafts");
    let asked = asked_since(&circle, asked);
    assert!(asked.iter().all(|it| !it.contains("pulls/2") && it != "POST pulls"), "{asked:#?}");
    assert_eq!((after(), comments(&circle, 2).len()), (before, 1));
    // Without a conflict it goes on.
    circle.here("back", |web| change(web, OWN_FILE, "of the cousin\n", "app 5\n"));
    expect(&pull(&circle, 0), "updated");
    assert!(!body(&circle, 2).contains("no_drafts"));
}

#[test]
fn with_conflict_fail_nothing_is_pushed_and_the_commands_are_told() {
    let circle = settled();
    both_change(&circle, 2);
    let report = pull_with(&circle, 1, &["--conflict", "fail"]);
    let feature = expect(&report, "failed");
    assert_eq!((&feature["code"], &feature["pull_request"]), (&json!("conflict"), &Value::Null));
    assert!(feature["by_hand"].as_str().unwrap().contains("git"), "{report:#}");
    assert!(!has_branch(&circle, BRANCH));
    assert_eq!(shown(&circle), ["#1 merged"]);
}

#[test]
fn markers_of_an_earlier_run_do_not_stay_where_they_get_no_draft() {
    let circle = without_drafts();
    both_change(&circle, 2);
    let before = requests(&circle);
    // Whether the pull request was opened is not known, so the branch stays; and the next run may not.
    let garbled = || Fault::status(201).text("application/json", "[");
    circle.github(|it| {
        // It looks whether it was opened, and tries once more.
        it.fault_nth(before + OPENS, garbled());
        it.fault_nth(before + OPENS + 2, garbled());
    });
    expect(&pull_with(&circle, 1, &["--no-issue"]), "failed");
    assert!(circle.at(BRANCH, OWN_FILE).contains(MARKER));
    let report = pull(&circle, 1);
    assert_eq!(expect(&report, "failed")["code"], "no-drafts", "{report:#}");
    assert!(!has_branch(&circle, BRANCH), "{report:#}");
    assert_eq!(report["warnings"], json!([]));
    assert_eq!(shown(&circle), ["#1 merged"]);
}

#[test]
fn a_conflict_with_peoples_commits_that_no_pull_request_can_tell_has_an_issue() {
    let circle = settled();
    circle.sandbox.git(&circle.web, &["fetch", "-q", "origin"]);
    circle.sandbox.git(&circle.web, &["checkout", "-q", "-B", BRANCH, "origin/main"]);
    change(&circle.web, OWN_FILE, "app 5\n", "of a person\n");
    let theirs = circle.sandbox.commit_all(&circle.web, "mine");
    circle.sandbox.git(&circle.web, &["push", "-q", "origin", BRANCH]);
    upstream(&circle, 5, "of upstream");
    let report = pull(&circle, 1);
    let feature = expect(&report, "failed");
    assert_eq!(feature["code"], "others-commits", "{report:#}");
    assert_eq!(
        feature["by_hand"],
        Value::Null,
        "the commands would push to a branch that is theirs"
    );
    assert_eq!(feature["issues"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(tip(&circle, BRANCH), theirs, "nothing is pushed");
}
