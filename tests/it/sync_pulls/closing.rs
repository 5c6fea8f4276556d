//! Pull requests that are closed: by a person, by a sync, by what happens to the branch.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn what_a_person_has_closed_is_left_at_that_until_the_content_changes() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    pull(&circle, 0);
    let before = tip(&circle, BRANCH);
    circle.github(|it| assert!(it.close_pull_request(COUSIN, 2)));
    for gone in [false, true] {
        if gone {
            circle.bare(&["branch", "-D", BRANCH]);
        }
        let report = pull(&circle, 0);
        assert_eq!(expect(&report, "snoozed")["pull_request"], serde_json::Value::Null);
        assert_eq!(shown(&circle), ["#1 merged", "#2 closed"]);
    }
    assert!(!has_branch(&circle, BRANCH), "nothing is pushed");
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "proposed");
    assert_eq!(shown(&circle), ["#1 merged", "#2 closed", "#3 open"]);
    assert_ne!(tip(&circle, BRANCH), before);
}

#[test]
fn what_a_person_has_opened_again_rolls_on() {
    let circle = settled();
    upstream(&circle, 2, "app two");
    pull(&circle, 0);
    circle.github(|it| it.close_pull_request(COUSIN, 2));
    expect(&pull(&circle, 0), "snoozed");
    circle.github(|it| it.change_issue(COUSIN, 2, |issue| issue.open = true));
    expect(&pull(&circle, 0), "nothing-to-do");
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "updated");
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
}

#[test]
fn a_revert_upstream_closes_the_pull_request_with_a_word_once() {
    for gone in [false, true] {
        let circle = settled();
        upstream(&circle, 2, "app two");
        pull(&circle, 0);
        circle.upstream("revert", |mono| change(mono, UPSTREAM_FILE, "app two\n", "app 2\n"));
        let report = pull(&circle, 0);
        assert_eq!(expect(&report, "closed")["pull_request"]["number"], 2);
        assert_eq!(shown(&circle), ["#1 merged", "#2 closed"]);
        let said = comments(&circle, 2);
        assert!(said.len() == 1 && said[0].contains("no difference"), "{said:?}");
        if gone {
            circle.bare(&["branch", "-D", BRANCH]);
        }
        expect(&pull(&circle, 0), "nothing-to-do");
        assert_eq!(comments(&circle, 2).len(), 1);
        // What a sync has closed is no decision of a person's, even for the same content.
        upstream(&circle, 2, "app two");
        expect(&pull(&circle, 0), "proposed");
        assert_eq!(shown(&circle), ["#1 merged", "#2 closed", "#3 open"]);
        expect(&pull(&circle, 0), "nothing-to-do");
    }
}

#[test]
fn a_branch_that_a_person_deletes_is_made_anew_when_there_is_something_new() {
    // GitHub closes an open pull request whose branch is deleted: that is a person's decision.
    let circle = settled();
    upstream(&circle, 2, "app two");
    pull(&circle, 0);
    circle.bare(&["branch", "-D", BRANCH]);
    expect(&pull(&circle, 0), "snoozed");
    assert_eq!(shown(&circle), ["#1 merged", "#2 closed"]);
    upstream(&circle, 3, "app three");
    expect(&pull(&circle, 0), "proposed");
    circle.merge(3, MergeMethod::Merge);
    circle.bare(&["branch", "-D", BRANCH]);
    expect(&pull(&circle, 0), "nothing-to-do");
    upstream(&circle, 4, "app four");
    expect(&pull(&circle, 0), "proposed");
    assert_eq!(shown(&circle), ["#1 merged", "#2 closed", "#3 merged", "#4 open"]);
}
