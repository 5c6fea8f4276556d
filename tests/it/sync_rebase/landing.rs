//! What comes after a pull request that landed, and after other turns of the two histories.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;

use super::{APP, BRANCH, applied, entangled, fork, locked, outcome, subjects};
use crate::support::circle::{change, lines, write};

#[test]
fn a_merged_pull_request_is_gone_on_from_however_it_landed() {
    for how in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let circle = fork();
        circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
        circle.upstream("up: add", |mono| write(mono, "features/push/gone.txt", "gone\n"));
        circle.pull();
        circle.merge(1, how);
        let report = circle.pull();
        assert_eq!(outcome(&report), "nothing-to-do", "{how:?}: {report:#}");
        circle.here("own: seven", |web| change(web, APP, "app 7", "app seven"));
        circle.upstream("up: two again", |mono| {
            change(mono, APP, "app two", "app zwei");
            std::fs::remove_file(mono.join("features/push/gone.txt")).unwrap();
        });
        let report = circle.pull();
        assert_eq!(outcome(&report), "proposed", "{how:?}: {report:#}");
        let text = applied(&report);
        assert!(text.ends_with("rebase of 3 commits of this repository's own"), "{how:?}: {text}");
        let expected = lines("app").replace("app 2", "app zwei").replace("app 7", "app seven");
        assert_eq!(circle.at(BRANCH, APP), expected.replace("app 9", "app nine").trim_end());
        let head = circle.sandbox.rev(&circle.mono, "HEAD");
        let told = subjects(&circle, &head, BRANCH);
        assert!(told[1].starts_with("Tie the rebased commits to "), "{how:?}: {told:?}");
        assert_eq!(told[2..], ["own: seven", "own: nine", "the cousin's beginning"], "{how:?}");
        let listed = circle.bare(&["ls-tree", "-r", "--name-only", BRANCH, "features/push"]);
        assert!(!listed.contains("gone.txt"), "{how:?}: {listed}");
        assert_eq!(circle.pulls().len(), 2, "{how:?}");
        circle.merge(2, how);
        let report = circle.pull();
        assert_eq!(outcome(&report), "nothing-to-do", "{how:?}: {report:#}");
        assert_eq!(circle.at("main", APP), circle.at(BRANCH, APP));
    }
}

#[test]
fn only_what_is_followed_calls_for_an_update() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.pull();
    circle.merge(1, MergeMethod::Merge);
    circle.upstream("up: other", |mono| write(mono, "features/other/y.txt", "y\n"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "nothing-to-do", "{report:#}");
    assert_eq!(circle.pulls().len(), 1);
}

#[test]
fn what_was_proposed_and_is_reverted_upstream_is_closed() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.pull();
    circle.merge(1, MergeMethod::Merge);
    circle.upstream("up: four", |mono| change(mono, APP, "app 4", "app four"));
    assert_eq!(outcome(&circle.pull()), "proposed");
    circle.upstream("up: not four", |mono| change(mono, APP, "app four", "app 4"));
    let report = circle.pull();
    assert_eq!(outcome(&report), "closed", "{report:#}");
}

#[test]
fn a_rewritten_upstream_is_refused_and_then_merged_when_that_was_meant() {
    let circle = fork();
    circle.upstream("up: two", |mono| change(mono, APP, "app 2", "app two"));
    circle.pull();
    circle.merge(1, MergeMethod::Merge);
    circle.sandbox.git(&circle.mono, &["reset", "-q", "--hard", "HEAD~1"]);
    circle.sandbox.git(&circle.mono, &["push", "-q", "--force", "origin", "HEAD"]);
    let head = circle.upstream("up: four", |mono| change(mono, APP, "app 4", "app four"));
    let args = ["--pull", "--format", "json"];
    let report = circle.sync().args(args).run().expect_code(1).json();
    assert_eq!(report["features"][0]["code"], "rewritten", "{report:#}");
    let run = circle.sync().args(args).arg("--allow-rewritten").run().expect_code(0);
    assert_eq!(outcome(&run.json()), "proposed");
    // What the cousin has of the old branch is the cousin's by now.
    let text = circle.at(BRANCH, APP);
    assert!(text.contains("app two") && text.contains("app four"), "{text}");
    assert_eq!(locked(&circle, BRANCH), head);
}

#[test]
fn a_merged_merge_is_gone_on_from() {
    for how in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let circle = entangled();
        circle.pull();
        circle.merge(1, how);
        assert_eq!(outcome(&circle.pull()), "nothing-to-do", "{how:?}");
        circle.upstream("up: five again", |mono| change(mono, APP, "app fünf", "app cinq"));
        let report = circle.pull();
        assert_eq!(outcome(&report), "proposed", "{how:?}: {report:#}");
        let expected = lines("app").replace("app 5", "app cinq").replace("app 9", "app nine");
        assert_eq!(circle.at(BRANCH, APP), expected.trim_end(), "{how:?}");
        circle.merge(2, how);
        assert_eq!(outcome(&circle.pull()), "nothing-to-do", "{how:?}");
    }
}
