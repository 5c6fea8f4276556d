//! What came before: an event that comes late, a branch that was rewritten, a pull request that was
//! merged in each way.

use ecosystem_dispatcher::embedded_github::MergeMethod;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{BRANCH, FEATURE, METHODS, into, subscription};
use crate::support::case;
use crate::support::circle::{Circle, change, lines};
use crate::support::pair::{Commit, Pair, Tree, below, file, tree};

/// The feature with some lines of its file changed.
fn version(changed: &[(&str, &str)]) -> Tree {
    let text = changed.iter().fold(lines("app"), |text, (from, to)| text.replace(from, to));
    below(FEATURE, &tree([("app.txt", file(text)), ("same.txt", file("same\n"))]))
}

fn text(pair: &Pair, method: &str) -> String {
    let files = pair.files(&pair.web, BRANCH);
    let path = format!("{}/app.txt", into(method));
    String::from_utf8(files[path.as_bytes()].content.clone()).unwrap()
}

/// Runs what refuses, and returns the feature's row of the report; nothing has changed.
fn refused(pair: &Pair, args: &[&str]) -> Value {
    let before = pair.branches();
    let run = pair.sync().args(["--dry-run", "--format", "json"]).args(args).run();
    let report = run.expect_code(1).json();
    assert_eq!(pair.branches(), before);
    report["features"][0].clone()
}

#[test]
fn an_event_that_comes_late_takes_nothing_back() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        let first = pair.upstream(&version(&[]));
        pair.upstream(&version(&[("app 1", "one")]));
        pair.pull();
        pair.accept(BRANCH);
        let told = refused(&pair, &["--feature", FEATURE, "--commit", &first]);
        assert_eq!((&told["outcome"], &told["code"]), (&json!("refused"), &json!("rollback")));
        // The same in the form of an event, with an id that was never heard of.
        let event = pair.sandbox.path().join("event.json");
        let payload = json!({
            "updated_feature": FEATURE, "commit_sha": first, "dispatch_id": "0".repeat(32),
        });
        let body = json!({ "action": "feature-update", "client_payload": payload });
        std::fs::write(&event, body.to_string()).unwrap();
        let told = refused(&pair, &["--event", event.to_str().unwrap()]);
        assert_eq!(told["code"], "rollback");
    }
}

#[test]
fn an_event_that_comes_late_takes_nothing_from_an_open_pull_request() {
    let circle = Circle::by("merge");
    let first = circle.sandbox.rev(&circle.mono, "HEAD");
    circle.upstream("two", |mono| change(mono, "features/push/app.txt", "app 2", "two"));
    circle.pull();
    let (branch, pulls) = (circle.bare(&["rev-parse", BRANCH]), circle.pulls());
    let payload = json!({ "updated_feature": FEATURE, "commit_sha": first });
    let report = circle.on_event(&payload).expect_code(1).json();
    assert_eq!(report["features"][0]["code"], "rollback", "{report:#}");
    assert_eq!(circle.bare(&["rev-parse", BRANCH]), branch);
    assert_eq!(format!("{:?}", circle.pulls()), format!("{pulls:?}"));
}

/// Replaces the whole of upstream's history.
fn rewrite(pair: &Pair, files: &Tree) -> String {
    pair.sandbox.git(&pair.mono, &["update-ref", "-d", "refs/heads/main"]);
    pair.import(&pair.mono, "main", &[Commit::new("rewritten", files)])
}

#[test]
fn a_rewritten_branch_is_refused_until_a_person_says_that_it_was_meant() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        pair.upstream(&version(&[]));
        pair.upstream(&version(&[("app 1", "one")]));
        pair.pull();
        pair.accept(BRANCH);
        // A local edit beside what the rewrite changes: it merges only from what was brought last.
        let ours: Tree = version(&[("app 1", "one"), ("app 9", "ours")])
            .into_iter()
            .map(|(path, file)| {
                let inside = String::from_utf8(path).unwrap().replace(FEATURE, into(method));
                (inside.into_bytes(), file)
            })
            .collect();
        pair.here(&ours);
        let commit = rewrite(&pair, &version(&[("app 1", "one"), ("app 5", "five")]));

        let told = refused(&pair, &["--pull"]);
        assert_eq!((&told["outcome"], &told["code"]), (&json!("refused"), &json!("rewritten")));
        assert!(told["help"].as_str().unwrap().contains("--allow-rewritten"), "{told:#}");

        let report = pair.pull_with(&["--allow-rewritten"]);
        let told = &report["features"][0];
        assert_eq!((&told["outcome"], &told["conflicts"]), (&json!("committed"), &json!([])));
        let expected = lines("app").replace("app 1", "one").replace("app 5", "five");
        let edited = expected.replace("app 9", "ours");
        assert_eq!(text(&pair, method), if method == "copy" { expected } else { edited });
        assert_eq!(pair.locked(BRANCH, FEATURE)["commit"], commit);
        let body = told["pull_request"]["body"].as_str().unwrap();
        assert!(body.contains("was rewritten since the last sync"), "{body}");
        assert!(!body.contains("for the first time"), "{body}");

        // From then on nobody has to say it again.
        pair.accept(BRANCH);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
    }
}

#[test]
fn a_rewrite_that_leaves_the_feature_as_it_was_is_recorded() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        pair.upstream(&version(&[]));
        pair.pull();
        pair.accept(BRANCH);
        let commit = rewrite(&pair, &version(&[]));
        assert_eq!(refused(&pair, &["--pull"])["code"], "rewritten");
        let report = pair.pull_with(&["--allow-rewritten"]);
        assert_eq!(report["features"][0]["changes"], json!([]), "{report:#}");
        pair.accept(BRANCH);
        assert_eq!(pair.locked("main", FEATURE)["commit"], commit);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
    }
}

#[test]
fn a_pull_request_is_done_however_it_was_merged() {
    for method in METHODS {
        let circle = Circle::by(method);
        for (at, how) in
            [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase].into_iter().enumerate()
        {
            case(&format!("{method}, {how:?}"));
            let line = format!("app {}\n", at + 2);
            // Two commits, so that a squash and a rebase differ by the method that makes several.
            circle.upstream("one", |mono| {
                change(mono, "features/push/app.txt", &line, "first\n");
            });
            let mine = format!("own {at}\n");
            let head = circle.upstream("two", |mono| {
                change(mono, "features/push/app.txt", "first\n", &format!("upstream {at}\n"));
            });
            let report = circle.pull();
            assert_eq!(report["features"][0]["outcome"], "proposed", "{report:#}");
            let number = circle.pulls().len() as u64;
            circle.merge(number, how);
            let lock: Value =
                serde_json::from_str(&circle.at("main", "ecosystem.lock.json")).unwrap();
            assert_eq!(lock["features"][FEATURE]["commit"], head);
            let report = circle.pull();
            assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
            assert_eq!(circle.pulls().len() as u64, number);
            let path = format!("{}/app.txt", into(method));
            circle.here("local", |web| change(web, &path, "app 9\n", &format!("{mine}app 9\n")));
        }
        let text = circle.at("main", &format!("{}/app.txt", into(method)));
        for at in 0..3 {
            assert!(text.contains(&format!("upstream {at}\n")), "{text}");
            // A copy takes local edits back with the next pull request.
            let is_there = text.contains(&format!("own {at}\n"));
            assert_eq!(is_there, method != "copy" || at == 2, "{text}");
        }
    }
}

#[test]
fn a_rewrite_of_what_only_the_branch_has_is_refused_until_a_person_says_that_it_was_meant() {
    for method in METHODS {
        case(method);
        let circle = Circle::by(method);
        let goes_on = |line: &str, to: &str| {
            let path = "features/push/app.txt";
            circle.upstream("on", |mono| change(mono, path, line, &format!("{to}\n")));
        };
        let path = format!("{}/app.txt", into(method));
        circle.pull();
        circle.merge(1, MergeMethod::Merge);
        goes_on("app 2\n", "two");
        circle.pull();
        let theirs = circle.on_branch(BRANCH, "a person's", |web| {
            change(web, &path, "app 9\n", "person\n");
        });
        circle.sandbox.git(&circle.mono, &["reset", "-q", "--hard", "HEAD^"]);
        circle.sandbox.git(&circle.mono, &["push", "-q", "--force", "origin", "HEAD"]);
        goes_on("app 5\n", "five");

        let report = circle.sync().args(["--pull", "--format", "json"]).run().expect_code(1).json();
        let told = &report["features"][0];
        assert_eq!((&told["outcome"], &told["code"]), (&json!("refused"), &json!("rewritten")));
        assert_eq!(circle.bare(&["rev-parse", BRANCH]), theirs);

        let args = ["--pull", "--allow-rewritten", "--format", "json"];
        let report = circle.sync().args(args).run().expect_code(0).json();
        assert_eq!(report["features"][0]["outcome"], "updated", "{report:#}");
        assert_eq!(circle.bare(&["rev-parse", &format!("{BRANCH}^")]), theirs);
        let upstream = lines("app").replace("app 5", "five");
        let edited = upstream.replace("app 9", "person");
        let expected = if method == "copy" { upstream } else { edited };
        assert_eq!(circle.at(BRANCH, &path), expected.trim_end());
        let report = circle.pull();
        assert_eq!(report["features"][0]["outcome"], "nothing-to-do", "{report:#}");
    }
}

fn squash(feature: &str) -> Value {
    json!({ "feature": feature, "into": feature, "method": "squash" })
}

/// A cousin that has one feature, edited, of two that it subscribes to; the new one stands first.
fn with_a_second_feature() -> Pair {
    let mut pair = Pair::new(&[squash("features/a")]);
    pair.here(&Tree::new());
    pair.upstream(&two_features(lines("app")));
    let report = pair.pull();
    pair.accept(report["features"][0]["branch"].as_str().unwrap());
    pair.subscribe(&[squash("features/b"), squash("features/a")]);
    pair.here(&tree([("features/a/x", file(lines("app").replace("app 9", "ours")))]));
    pair
}

fn two_features(x: String) -> Tree {
    tree([("features/a/x", file(x)), ("features/b/y", file("1\n"))])
}

#[test]
fn features_of_one_commit_are_each_counted_from_what_there_is_of_them() {
    for is_rewritten in [false, true] {
        case(&format!("rewritten: {is_rewritten}"));
        let pair = with_a_second_feature();
        let theirs = two_features(lines("app").replace("app 2", "two"));
        if is_rewritten {
            pair.sandbox.git(&pair.mono, &["update-ref", "-d", "refs/heads/main"]);
        }
        pair.import(&pair.mono, "main", &[Commit::new("the first one goes on", &theirs)]);
        let args: &[&str] = if is_rewritten { &["--allow-rewritten"] } else { &[] };
        let report = pair.pull_with(args);
        let told = &report["features"][0];
        assert_eq!((&told["outcome"], &told["conflicts"]), (&json!("committed"), &json!([])));
        let branch = told["branch"].as_str().unwrap();
        let files = pair.files(&pair.web, branch);
        let merged = lines("app").replace("app 2", "two").replace("app 9", "ours");
        assert_eq!(files[b"features/a/x".as_slice()], file(merged));
        assert_eq!(files[b"features/b/y".as_slice()], file("1\n"));
        let body = told["pull_request"]["body"].as_str().unwrap();
        assert_eq!(body.contains("was rewritten since the last sync"), is_rewritten, "{body}");
        assert_eq!(body.contains("the first one goes on"), !is_rewritten, "{body}");
    }
}

#[test]
fn what_is_new_of_features_in_one_commit_is_told_since_the_oldest_that_there_is() {
    for order in [["features/a", "features/b"], ["features/b", "features/a"]] {
        case(&format!("{order:?}"));
        let mut pair = Pair::new(&[squash("features/a")]);
        pair.here(&Tree::new());
        let goes_on = |pair: &Pair, message: &str, to: &str| {
            let files = two_features(lines("app").replace("app 2", to));
            pair.import(&pair.mono, "main", &[Commit::new(message, &files)]);
        };
        let mut brought = |feature: &str| {
            pair.subscribe(&[squash(feature)]);
            pair.here(&inside_features(&pair));
            goes_on(&pair, &format!("before {feature}"), feature);
            let report = pair.pull();
            pair.accept(report["features"][0]["branch"].as_str().unwrap());
        };
        brought("features/a");
        brought("features/b");
        pair.subscribe(&order.map(squash));
        pair.here(&inside_features(&pair));
        goes_on(&pair, "the last", "last");
        let report = pair.pull();
        let body = report["features"][0]["pull_request"]["body"].as_str().unwrap();
        assert!(body.contains("the last") && body.contains("before features/b"), "{body}");
        assert!(!body.contains("before features/a"), "{body}");
    }
}

/// Returns what the cousin has of all features.
fn inside_features(pair: &Pair) -> Tree {
    let mut files = pair.files(&pair.web, "main");
    files.retain(|path, _| path.starts_with(b"features/"));
    files
}
