//! What people do on the branch of a pull request: nothing of theirs is ever lost.

use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;
use crate::support::circle::{FEATURE, write};

/// A cousin with an open pull request, number 2.
fn proposed() -> Circle {
    let circle = settled();
    upstream(&circle, 2, "app two");
    expect(&pull(&circle, 0), "proposed");
    circle
}

/// Checks the branch out in the person's clone, lets them do something and push it by force, and
/// returns the commit that they are at.
fn by_force(circle: &Circle, edit: impl FnOnce(&Path)) -> String {
    let (sandbox, web) = (&circle.sandbox, &circle.web);
    sandbox.git(web, &["fetch", "-q", "origin"]);
    sandbox.git(web, &["checkout", "-q", "-B", BRANCH, &format!("origin/{BRANCH}")]);
    edit(web);
    sandbox.git(web, &["push", "-q", "--force", "origin", BRANCH]);
    let commit = sandbox.rev(web, "HEAD");
    sandbox.git(web, &["checkout", "-q", "main"]);
    commit
}

#[test]
fn ours_goes_on_top_of_what_people_commit_there() {
    let circle = proposed();
    let mut theirs = Vec::new();
    for (line, theirs_of_upstream) in [(4, 6), (9, 7)] {
        theirs.push(circle.on_branch(BRANCH, "a person's", |web| {
            change(web, OWN_FILE, &format!("app {line}\n"), &format!("person {line}\n"));
        }));
        // Nothing is to be brought: it stays theirs.
        expect(&pull(&circle, 0), "nothing-to-do");
        assert_eq!(&tip(&circle, BRANCH), theirs.last().unwrap());
        upstream(&circle, theirs_of_upstream, "app of upstream");
        expect(&pull(&circle, 0), "updated");
        assert_eq!(&circle.bare(&["rev-parse", &format!("{BRANCH}^")]), theirs.last().unwrap());
        for commit in &theirs {
            expect_kept(&circle, BRANCH, commit);
        }
        expect(&pull(&circle, 0), "nothing-to-do");
    }
    let text = circle.at(BRANCH, OWN_FILE);
    for line in ["app two", "person 4", "person 9", "app of upstream"] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(shown(&circle), ["#1 merged", "#2 open"]);
}

#[test]
fn what_conflicts_with_peoples_commits_is_one_comment() {
    let circle = proposed();
    let theirs = circle.on_branch(BRANCH, "a person's", |web| {
        change(web, OWN_FILE, "app 5\n", "of a person\n");
    });
    upstream(&circle, 5, "of upstream");
    for _ in 0..3 {
        let report = pull(&circle, 1);
        let feature = expect(&report, "commented");
        assert_eq!(feature["code"], "others-commits");
        assert_eq!(tip(&circle, BRANCH), theirs, "nothing is pushed");
        let said = comments(&circle, 2);
        assert!(said.len() == 1 && said[0].contains(OWN_FILE), "{said:?}");
        assert_eq!(feature["issues"], Value::Array(Vec::new()), "the comment is enough");
    }
    // A person brings it in as the comment says.
    circle.on_branch(BRANCH, "resolved", |web| {
        change(web, OWN_FILE, "of a person\n", "app 5\n");
    });
    expect(&pull(&circle, 0), "updated");
    assert!(circle.at(BRANCH, OWN_FILE).contains("of upstream"));
}

#[test]
fn whatever_people_make_of_our_commit_is_theirs() {
    type Act = fn(&Circle, &Path);
    let acts: [(&str, Act); 5] = [
        ("amended", |circle, web| {
            change(web, OWN_FILE, "app 9\n", "person\n");
            circle.sandbox.git(web, &["commit", "-q", "-a", "--amend", "--no-edit"]);
        }),
        ("rebased", |circle, web| {
            circle.sandbox.git(web, &["rebase", "-q", "origin/main"]);
        }),
        ("squashed", |circle, web| {
            change(web, OWN_FILE, "app 9\n", "person\n");
            circle.sandbox.git(web, &["commit", "-q", "-a", "-m", "fixup"]);
            circle.sandbox.git(web, &["reset", "-q", "--soft", "HEAD~2"]);
            circle.sandbox.git(web, &["commit", "-q", "-m", "squashed by a person"]);
        }),
        ("merged main into it", |circle, web| {
            circle.sandbox.git(web, &["merge", "-q", "--no-edit", "origin/main"]);
        }),
        ("replaced", |circle, web| {
            circle.sandbox.git(web, &["reset", "-q", "--hard", "origin/main"]);
            write(web, "own.txt", "something else\n");
            circle.sandbox.git(web, &["commit", "-q", "-a", "-m", "something else"]);
        }),
    ];
    for (what, act) in acts {
        let circle = proposed();
        circle.here("on main", |web| write(web, "own.txt", "on main\n"));
        let theirs = by_force(&circle, |web| act(&circle, web));
        let report = pull(&circle, 0);
        expect_kept(&circle, BRANCH, &theirs);
        upstream(&circle, 4, "app four");
        let report = (report, pull(&circle, 0));
        assert_eq!(report.1["features"][0]["outcome"], "updated", "{what}: {report:#?}");
        expect_kept(&circle, BRANCH, &theirs);
        let text = circle.at(BRANCH, OWN_FILE);
        assert!(text.contains("app two") && text.contains("app four"), "{what}: {text}");
        assert_eq!(text.contains("person"), what == "amended" || what == "squashed", "{what}");
        let lock = circle.at(BRANCH, "ecosystem.lock.json");
        let head = circle.sandbox.rev(&circle.mono, "HEAD");
        assert!(lock.contains(&head) && lock.contains(FEATURE), "{what}: {lock}");
        assert_eq!(shown(&circle), ["#1 merged", "#2 open"], "{what}");
    }
}

#[test]
fn a_bots_commit_is_a_persons() {
    let circle = proposed();
    let web = &circle.web;
    circle.sandbox.git(web, &["config", "user.name", "pre-commit-ci[bot]"]);
    let theirs =
        circle.on_branch(BRANCH, "[pre-commit.ci] auto fixes\n\nfor more information", |web| {
            change(web, OWN_FILE, "app 9\n", "app 9 formatted\n");
        });
    upstream(&circle, 4, "app four");
    expect(&pull(&circle, 0), "updated");
    expect_kept(&circle, BRANCH, &theirs);
    assert!(circle.at(BRANCH, OWN_FILE).contains("formatted"));
}

#[test]
fn what_was_merged_with_peoples_commits_is_begun_anew_on_the_base() {
    for how in [MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::Merge] {
        let circle = proposed();
        circle.on_branch(BRANCH, "a person's", |web| {
            change(web, OWN_FILE, "app 9\n", "app nine\n");
        });
        circle.merge(2, how);
        expect(&pull(&circle, 0), "nothing-to-do");
        upstream(&circle, 4, "app four");
        expect(&pull(&circle, 0), "proposed");
        assert_eq!(shown(&circle), ["#1 merged", "#2 merged", "#3 open"]);
        assert!(is_mergeable(&circle, BRANCH), "{how:?}");
        assert_eq!(circle.bare(&["rev-list", &format!("main..{BRANCH}")]).lines().count(), 1);
        let text = circle.at(BRANCH, OWN_FILE);
        assert!(text.contains("app nine") && text.contains("app four"), "{text}");
    }
}

#[test]
fn what_people_committed_after_the_merge_is_kept() {
    let circle = proposed();
    circle.merge(2, MergeMethod::Squash);
    let theirs = circle.on_branch(BRANCH, "too late", |web| write(web, "late.txt", "late\n"));
    upstream(&circle, 4, "app four");
    expect(&pull(&circle, 0), "proposed");
    expect_kept(&circle, BRANCH, &theirs);
}
