//! Where features are put, what a feature can be, and several of them in one run.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{BRANCH, FEATURE, METHODS, into, subscription};
use crate::support::case;
use crate::support::circle::{COUSIN, Circle, SOURCE, change, lines};
use crate::support::pair::{Pair, Tree, below, file, inside, link, program, tree};

fn files(all: &[(&str, &str)]) -> Tree {
    tree(all.iter().map(|(path, content)| (*path, file(format!("{content}\n")))))
}

#[test]
fn a_feature_goes_into_the_root_beside_the_cousins_own_files() {
    for method in ["merge", "copy", "cherry-pick"] {
        case(method);
        let preserve = if method == "copy" { vec!["own.txt"] } else { vec![] };
        let pair = Pair::new(&[json!({
            "feature": FEATURE, "into": ".", "method": method, "preserve": preserve,
        })]);
        pair.here(&Tree::new());
        let two = files(&[("app", "1"), ("src/deep", "1")]);
        pair.upstream(&below(FEATURE, &two));
        let report = pair.pull();
        assert_eq!(report["features"][0]["into"], ".", "{report:#}");
        let body = report["features"][0]["pull_request"]["body"].as_str().unwrap();
        assert!(body.contains("Applied to the root of this repository by"), "{body}");
        pair.accept(BRANCH);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
        pair.upstream(&below(FEATURE, &files(&[("app", "2"), ("new", "2")])));
        let report = pair.pull();
        assert_eq!(report["features"][0]["changed_paths"], 3, "{report:#}");
        let mut found = pair.files(&pair.web, BRANCH);
        found.remove(b"ecosystem.lock.json".as_slice()).unwrap();
        let mut expected = pair.own();
        expected.extend(files(&[("app", "2"), ("new", "2")]));
        assert_eq!(found, expected);
    }
}

#[test]
fn the_files_that_steer_a_sync_are_never_upstreams() {
    for method in ["merge", "copy", "cherry-pick"] {
        case(method);
        let pair = Pair::new(&[json!({
            "feature": FEATURE, "into": ".", "method": method, "preserve": ["own.txt"],
        })]);
        pair.here(&Tree::new());
        let theirs =
            files(&[("app", "1"), ("subscriptions.json", "{}"), ("ecosystem.lock.json", "{}")]);
        pair.upstream(&below(FEATURE, &theirs));
        pair.pull();
        let found = pair.files(&pair.web, BRANCH);
        assert_eq!(
            found[b"subscriptions.json".as_slice()],
            pair.own()[b"subscriptions.json".as_slice()]
        );
        assert_eq!(pair.locked(BRANCH, FEATURE)["method"], method);
        assert_eq!(found[b"app".as_slice()], file("1\n"));
    }
}

#[test]
fn a_feature_may_be_a_single_file() {
    for method in METHODS {
        case(method);
        let feature = "features/push/app.txt";
        let into = if method == "squash" { feature } else { "vendor/the app.txt" };
        let pair = Pair::new(&[json!({ "feature": feature, "into": into, "method": method })]);
        let branch = "update-from-upstream-features-push-app.txt";
        pair.here(&Tree::new());
        let upstream = |of: crate::support::pair::File| {
            let mut files = files(&[("features/push/else", "not this")]);
            files.insert(feature.as_bytes().to_vec(), of);
            pair.upstream(&files);
        };
        upstream(file(lines("app")));
        let report = pair.pull();
        assert_eq!(report["features"][0]["changes"], json!([{ "path": into, "change": "added" }]));
        pair.accept(branch);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
        // Edited on both sides, and made a program.
        let local = files(&[])
            .into_iter()
            .chain([(into.into(), file(lines("app").replace("app 9", "ours")))]);
        pair.here(&local.collect());
        upstream(program(lines("app").replace("app 1", "theirs")));
        pair.pull();
        let merged = lines("app").replace("app 1", "theirs");
        let merged = if method == "copy" { merged } else { merged.replace("app 9", "ours") };
        let found = pair.files(&pair.web, branch);
        assert_eq!(found[into.as_bytes()], program(merged));
        assert!(!found.keys().any(|path| path.ends_with(b"else")));
    }
}

#[test]
fn a_feature_that_vanishes_upstream_vanishes_here_and_may_come_back() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        let mut theirs = files(&[("app", "1"), ("deep/er/x", "1")]);
        theirs.insert(b"link".to_vec(), link("app"));
        let other = files(&[("features/other/x", "1")]);
        let with =
            |feature: &Tree| below(FEATURE, feature).into_iter().chain(other.clone()).collect();
        pair.upstream(&with(&theirs));
        pair.pull();
        pair.accept(BRANCH);
        pair.upstream(&other);
        let report = pair.pull();
        assert_eq!(report["features"][0]["changed_paths"], 3, "{report:#}");
        let mut found = pair.files(&pair.web, BRANCH);
        found.remove(b"ecosystem.lock.json".as_slice()).unwrap();
        assert_eq!(found, pair.own());
        assert_eq!(pair.locked(BRANCH, FEATURE)["tree"], Value::Null);
        pair.accept(BRANCH);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
        pair.upstream(&with(&theirs));
        pair.pull();
        assert_eq!(inside(into(method), &pair.files(&pair.web, BRANCH)), theirs);
    }
}

#[test]
fn a_feature_that_vanishes_upstream_leaves_what_was_edited_here() {
    for method in METHODS {
        case(method);
        let pair = Pair::new(&[subscription(method)]);
        pair.here(&Tree::new());
        pair.upstream(&below(FEATURE, &files(&[("app", "1"), ("same", "1")])));
        pair.pull();
        pair.accept(BRANCH);
        let ours = files(&[("app", "ours"), ("same", "1"), ("own", "own")]);
        pair.here(&below(into(method), &ours));
        pair.upstream(&files(&[("features/other/x", "1")]));
        let report = pair.pull();
        let found = inside(into(method), &pair.files(&pair.web, BRANCH));
        let (expected, conflicts) = match method {
            "copy" => (files(&[]), 0),
            _ => (files(&[("app", "ours"), ("own", "own")]), 1),
        };
        assert_eq!(found, expected, "{report:#}");
        assert_eq!(report["features"][0]["conflicts"].as_array().unwrap().len(), conflicts);
    }
}

#[test]
fn a_feature_that_is_not_there_is_said_and_does_not_hold_up_the_others() {
    for method in METHODS {
        case(method);
        let missing = "features/no-such";
        let pair =
            Pair::new(&[json!({ "feature": missing, "method": "merge" }), subscription(method)]);
        pair.here(&Tree::new());
        pair.upstream(&below(FEATURE, &files(&[("app", "1")])));
        let run = pair.sync().args(["--pull", "--dry-run", "--format", "json"]).run();
        let report = run.expect_code(1).json();
        let told = &report["features"][0];
        assert_eq!(
            (&told["outcome"], &told["code"]),
            (&json!("failed"), &json!("no-such-feature"))
        );
        let error = told["error"].as_str().unwrap();
        assert!(error.starts_with("there is no features/no-such upstream at "), "{error}");
        assert!(told["help"].as_str().unwrap().contains("subscriptions.json"));
        assert_eq!(report["features"][1]["outcome"], "committed", "{report:#}");
    }
}

#[test]
fn what_keeps_the_layout_comes_in_one_commit() {
    let both = ["features/a", "features/b"];
    let pair = Pair::new(&both.map(|feature| json!({ "feature": feature, "method": "squash" })));
    pair.here(&Tree::new());
    let all = files(&[("features/a/x", "1"), ("features/b/y", "1"), ("features/c/z", "1")]);
    pair.upstream(&all);
    let report = pair.pull();
    let branch = report["features"][0]["branch"].as_str().unwrap();
    assert_eq!(branch, "update-from-upstream-mono-squash");
    assert_eq!(report["features"][1]["branch"], branch, "{report:#}");
    let body = report["features"][0]["pull_request"]["body"].as_str().unwrap();
    for said in ["2 features", "`features/a`", "`features/b`", "the same directories here"] {
        assert!(body.contains(said), "{said}: {body}");
    }
    let count = ["rev-list", "--count", &format!("main..{branch}")];
    assert_eq!(pair.sandbox.git(&pair.web, &count), "1");
    let found = pair.files(&pair.web, branch);
    assert!(
        found.contains_key(b"features/a/x".as_slice())
            && found.contains_key(b"features/b/y".as_slice())
    );
    assert!(!found.contains_key(b"features/c/z".as_slice()));
    let message = pair.sandbox.git(&pair.web, &["log", "-1", "--format=%B", branch]);
    for feature in both {
        assert!(message.contains(&format!("Ecosystem-Feature: {feature}\n")), "{message}");
        assert_eq!(pair.locked(branch, feature)["method"], "squash");
    }
    // One of them changes: both are recorded at the new commit.
    pair.accept(branch);
    assert_eq!(pair.pull()["features"][1]["outcome"], "nothing-to-do");
    let commit = pair.upstream(&all.into_iter().chain(files(&[("features/b/y", "2")])).collect());
    pair.pull();
    for feature in both {
        assert_eq!(pair.locked(branch, feature)["commit"], commit);
    }
    let changed = pair.sandbox.git(&pair.web, &["diff", "--name-only", "main", branch]);
    assert_eq!(changed, "ecosystem.lock.json\nfeatures/b/y");
}

#[test]
fn two_features_go_by_two_methods() {
    let pair = Pair::new(&[
        json!({ "feature": "features/a", "into": "a", "method": "copy" }),
        json!({ "feature": "features/b", "into": "b", "method": "merge" }),
    ]);
    let version = |n: &str| files(&[("features/a/x", n), ("features/b/x", n)]);
    pair.here(&Tree::new());
    pair.upstream(&version("1"));
    let ends = ["a", "b"].map(|it| format!("update-from-upstream-features-{it}"));
    for at in 0..2 {
        let report = pair.pull();
        assert_eq!(report["features"][at]["outcome"], "committed", "{report:#}");
        // The one that is merged first does not hold up the other.
        pair.accept(&ends[at]);
    }
    let local = files(&[("a/x", "1"), ("b/x", "1"), ("a/own", "own"), ("b/own", "own")]);
    pair.here(&local);
    pair.upstream(&version("2"));
    pair.pull();
    assert_eq!(inside("a", &pair.files(&pair.web, &ends[0])), files(&[("x", "2")]));
    assert_eq!(inside("b", &pair.files(&pair.web, &ends[1])), files(&[("x", "2"), ("own", "own")]));
}

#[test]
fn a_pull_request_for_each_commit_has_a_branch_that_is_called_by_it() {
    let subscription = json!({
        "feature": FEATURE, "into": "src/push", "method": "merge", "pull_request": "per-commit",
    });
    let circle = Circle::new(&json!({ "source": SOURCE, "subscriptions": [subscription] }));
    let mut heads = vec![circle.sandbox.rev(&circle.mono, "HEAD")];
    assert_eq!(circle.pull()["features"][0]["outcome"], "proposed");
    heads
        .push(circle.upstream("two", |mono| change(mono, "features/push/app.txt", "app 2", "two")));
    assert_eq!(circle.pull()["features"][0]["outcome"], "proposed");
    assert_eq!(circle.pull()["features"][0]["outcome"], "nothing-to-do");
    let pulls = circle.pulls();
    let branches: Vec<&str> = pulls.iter().map(|pull| pull.proposed.head.as_str()).collect();
    let expected: Vec<String> =
        heads.iter().map(|head| format!("update-from-upstream-{head}")).collect();
    assert_eq!(branches, expected);
    // The newer one holds what the older one does, so merging it is enough.
    circle.merge(2, ecosystem_dispatcher::embedded_github::MergeMethod::Squash);
    assert_eq!(circle.pull()["features"][0]["outcome"], "nothing-to-do");
    assert_eq!(circle.github(|model| model.pull_requests_of(COUSIN)).len(), 2);
}

/// A cousin that has a feature in `src/push`, with an edit of its own, and wants it in `lib/push`.
fn to_be_moved(method: &str, are_moved: bool) -> Pair {
    let mut pair = Pair::new(&[subscription(method)]);
    pair.here(&Tree::new());
    pair.upstream(&below(FEATURE, &tree([("app", file(lines("app")))])));
    pair.pull();
    pair.accept(BRANCH);
    pair.subscribe(&[json!({ "feature": FEATURE, "into": "lib/push", "method": method })]);
    let edited = tree([("app", file(lines("app").replace("app 9", "ours")))]);
    pair.here(&below(if are_moved { "lib/push" } else { "src/push" }, &edited));
    pair
}

#[test]
fn a_feature_that_is_wanted_elsewhere_is_brought_there_as_for_the_first_time() {
    for (method, goes_on) in
        [("merge", false), ("merge", true), ("copy", true), ("cherry-pick", true)]
    {
        case(&format!("{method}, upstream goes on: {goes_on}"));
        let pair = to_be_moved(method, false);
        let mut theirs = lines("app");
        if goes_on {
            theirs = theirs.replace("app 2", "two");
            pair.upstream(&below(FEATURE, &tree([("app", file(&theirs))])));
        }
        let report = pair.pull();
        let told = &report["features"][0];
        assert_eq!((&told["outcome"], &told["conflicts"]), (&json!("committed"), &json!([])));
        let files = pair.files(&pair.web, BRANCH);
        assert_eq!(inside("lib/push", &files), tree([("app", file(&theirs))]));
        let old = tree([("app", file(lines("app").replace("app 9", "ours")))]);
        assert_eq!(inside("src/push", &files), old, "what is at the old place is left alone");
        assert_eq!(pair.locked(BRANCH, FEATURE)["into"], "lib/push");
        pair.accept(BRANCH);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
    }
}

#[test]
fn a_feature_that_is_wanted_elsewhere_comes_to_a_work_tree_too() {
    let pair = to_be_moved("merge", false);
    let dir = pair.sandbox.clone(&pair.web, "work", &[]);
    let run = || {
        let run = pair.sync_in(&dir).args(["--pull", "--worktree", "--format", "json"]);
        run.run().expect_code(0).json()["features"][0]["outcome"].clone()
    };
    assert_eq!(run(), "applied");
    assert_eq!(std::fs::read_to_string(dir.join("lib/push/app")).unwrap(), lines("app"));
    assert_eq!(run(), "nothing-to-do");
}

#[test]
fn a_feature_whose_files_a_person_has_moved_goes_on_with_its_edits() {
    for method in ["merge", "cherry-pick"] {
        case(method);
        let pair = to_be_moved(method, true);
        assert_eq!(pair.pull()["features"][0]["outcome"], "nothing-to-do");
        let theirs = lines("app").replace("app 2", "two");
        pair.upstream(&below(FEATURE, &tree([("app", file(&theirs))])));
        let report = pair.pull();
        let told = &report["features"][0];
        assert_eq!((&told["outcome"], &told["conflicts"]), (&json!("committed"), &json!([])));
        let merged = tree([("app", file(theirs.replace("app 9", "ours")))]);
        assert_eq!(inside("lib/push", &pair.files(&pair.web, BRANCH)), merged);
        assert_eq!(pair.locked(BRANCH, FEATURE)["into"], "lib/push");
    }
}
