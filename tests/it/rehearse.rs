//! `ecosystem rehearse` beyond the sample: a monorepo of one's own, and where things are kept.

mod circle;

use serde_json::Value;

use crate::support::ecosystem::Run;
use crate::support::repository::Sandbox;

fn rehearse(sandbox: &Sandbox, args: &[&str]) -> Run {
    Run::new(sandbox).dir(sandbox.path()).args(args)
}

/// What is in a repository: every ref, and what the work tree lacks or has beyond `HEAD`.
fn state(sandbox: &Sandbox, dir: &std::path::Path) -> String {
    sandbox.git(dir, &["for-each-ref"]) + &sandbox.git(dir, &["status", "--porcelain"])
}

#[test]
fn the_last_commit_of_a_monorepo_of_ones_own_is_rehearsed_and_the_monorepo_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let own = sandbox.clone(&bare, "own", &[]);
    let before = state(&sandbox, &own);
    let done =
        rehearse(&sandbox, &["-C", "own", "rehearse", "--keep", "kept"]).run().expect_code(0);
    assert!(done.stdout.contains("what arrived is what the plan said"), "{}", done.stdout);
    assert_eq!(state(&sandbox, &own), before);
    let kept = sandbox.path().join("kept");
    let received = std::fs::read(kept.join("received.json")).unwrap();
    let received: Value = serde_json::from_slice(&received).unwrap();
    assert_eq!(received["events"].as_array().unwrap().len(), 6, "{received}");
    assert!(kept.join("report.json").is_file() && kept.join("monorepo.git").is_dir());
}

#[test]
fn a_last_commit_that_concerns_nobody_is_said_to() {
    let sandbox = Sandbox::new();
    let own = sandbox.new_repository("own");
    sandbox.write(&own, "ecosystem.json", r#"[{"repo": "a/b", "subscriptions": ["docs"]}]"#);
    sandbox.commit_all(&own, "first");
    sandbox.write(&own, "other/x", "x");
    sandbox.commit_all(&own, "second");
    let done = rehearse(&sandbox, &["-C", "own", "rehearse"]).run().expect_code(0);
    assert!(done.stdout.contains("the last commit concerns no cousin"), "{}", done.stdout);
}

#[test]
fn a_directory_that_holds_something_is_not_kept_into() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("kept")).unwrap();
    std::fs::write(sandbox.path().join("kept/mine"), "mine").unwrap();
    let done = rehearse(&sandbox, &["rehearse", "--keep", "kept"]).run().expect_code(2);
    assert!(done.stderr.contains("it is not empty"), "{}", done.stderr);
    assert_eq!(std::fs::read_dir(sandbox.path().join("kept")).unwrap().count(), 1);
}

#[test]
fn a_space_and_a_percent_sign_in_the_path_are_taken_as_they_are() {
    let sandbox = Sandbox::new();
    rehearse(&sandbox, &["rehearse", "--keep", "a b %41"]).run().expect_code(0);
}
