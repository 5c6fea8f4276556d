//! The clone that a sync runs in: of every depth and kind, and its work tree when that is what is to
//! be changed.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{BRANCH, FEATURE, subscription};
use crate::support::case;
use crate::support::circle::lines;
use crate::support::pair::{Pair, Tree, below, file, inside, link, program, tree};

fn version(line: &str) -> Tree {
    tree([
        ("app.txt", file(lines("app").replace("app 5", line))),
        ("run", program("#!/bin/sh\n")),
        ("deep/link", link("../app.txt")),
    ])
}

/// A cousin with a local edit below the feature that upstream has gone on with.
fn behind() -> Pair {
    let pair = Pair::new(&[subscription("merge")]);
    pair.sandbox.git(&pair.web, &["config", "uploadpack.allowFilter", "true"]);
    pair.sandbox.git(&pair.web, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    pair.here(&Tree::new());
    pair.upstream(&below(FEATURE, &version("app 5")));
    pair.pull();
    pair.accept(BRANCH);
    let mut ours = version("app 5");
    ours.insert(b"app.txt".to_vec(), file(lines("app").replace("app 9", "ours")));
    pair.here(&below("src/push", &ours));
    pair.sandbox.git(&pair.web, &["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    pair.upstream(&below(FEATURE, &version("theirs")));
    pair
}

fn merged() -> Tree {
    let text = lines("app").replace("app 5", "theirs").replace("app 9", "ours");
    version("").into_iter().chain(tree([("app.txt", file(text))])).collect()
}

fn clone(pair: &Pair, name: &str, options: &[&str]) -> PathBuf {
    pair.sandbox.clone(&pair.web, name, options)
}

#[test]
fn a_clone_of_every_kind_will_do() {
    let pair = behind();
    let full = clone(&pair, "full", &[]);
    let git = |dir: &Path, args: &[&str]| pair.sandbox.git(dir, args);
    git(&full, &["worktree", "add", "-q", "--detach", "../linked", "main"]);
    let detached = clone(&pair, "detached", &[]);
    git(&detached, &["checkout", "-q", "--detach"]);
    let sparse = clone(&pair, "sparse", &["--filter=blob:none", "--sparse"]);
    let linked = pair.sandbox.path().join("linked");
    for (name, dir, args) in [
        ("full", full, &[][..]),
        ("depth 1", clone(&pair, "shallow", &["--depth=1"]), &[]),
        ("blobless", clone(&pair, "blobless", &["--filter=blob:none"]), &[]),
        ("blobless, without a checkout", clone(&pair, "empty", &["--filter=blob:none", "-n"]), &[]),
        ("bare", clone(&pair, "bare.git", &["--bare"]), &[]),
        ("sparse", sparse, &[]),
        ("linked", linked, &["--base", "main"]),
        ("detached", detached.clone(), &["--base", "main"]),
        ("detached, at no branch", detached, &[]),
    ] {
        case(name);
        let head = git(&dir, &["rev-parse", "HEAD"]);
        let status = ["status", "--porcelain"];
        let bare = name == "bare";
        let before = if bare { String::new() } else { git(&dir, &status) };
        let run = pair.sync_in(&dir).args(["--pull", "--dry-run", "--format", "json"]);
        let report = run.args(args).run().expect_code(0).json();
        assert_eq!(report["features"][0]["outcome"], "committed", "{report:#}");
        let found = inside("src/push", &pair.files(&dir, BRANCH));
        assert_eq!(found, merged());
        assert_eq!(git(&dir, &["rev-parse", &format!("{BRANCH}^")]), head);
        assert_eq!(git(&dir, &["rev-parse", "HEAD"]), head);
        if !bare {
            assert_eq!(git(&dir, &status), before, "the work tree and the index are left alone");
        }
        git(&dir, &["fsck", "--connectivity-only", "--no-dangling", BRANCH]);
    }
}

fn on_disk(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("src/push/app.txt")).unwrap()
}

fn to_work_tree(pair: &Pair, dir: &Path, code: i32) -> Value {
    let run = pair.sync_in(dir).args(["--pull", "--worktree", "--format", "json"]);
    run.run().expect_code(code).json()
}

#[test]
fn a_work_tree_is_changed_and_nothing_else() {
    let pair = behind();
    let dir = clone(&pair, "work", &[]);
    std::fs::write(dir.join("own.txt"), "edited, and not touched by upstream\n").unwrap();
    let refs = ["for-each-ref"];
    let before = pair.sandbox.git(&dir, &refs);
    let report = to_work_tree(&pair, &dir, 0);
    assert_eq!(report["mode"], "worktree");
    assert_eq!(report["features"][0]["outcome"], "applied", "{report:#}");
    assert_eq!(report["features"][0]["made"], Value::Null);
    let app = merged()[b"app.txt".as_slice()].content.clone();
    assert_eq!(on_disk(&dir).into_bytes(), app);
    let status = pair.sandbox.git(&dir, &["status", "--porcelain"]);
    assert_eq!(status, " M ecosystem.lock.json\n M own.txt\n M src/push/app.txt");
    assert_eq!(pair.sandbox.git(&dir, &refs), before);
    // The second time nothing happens, though nobody has committed it.
    let again = to_work_tree(&pair, &dir, 0);
    assert_eq!(again["features"][0]["outcome"], "nothing-to-do", "{again:#}");
    assert_eq!(pair.sandbox.git(&dir, &["status", "--porcelain"]), status);
    // When upstream goes on meanwhile, what is there has to be committed first.
    pair.upstream(&below(FEATURE, &version("theirs, again")));
    let report = to_work_tree(&pair, &dir, 1);
    let error = report["features"][0]["error"].as_str().unwrap();
    assert!(error.contains("ecosystem.lock.json"), "{report:#}");
    pair.sandbox.commit_all(&dir, "brought");
    to_work_tree(&pair, &dir, 0);
    assert!(on_disk(&dir).contains("theirs, again\n"));
}

#[test]
fn what_a_person_has_in_the_work_tree_is_not_lost() {
    for (name, path, content) in [
        ("an edit of what upstream changes", "src/push/app.txt", "mine\n"),
        ("a new file where upstream has one", "src/push/new.txt", "mine\n"),
        ("a directory where upstream has a file", "src/push/new.txt/mine", "mine\n"),
        ("a file where upstream has a directory", "src/push/more", "mine\n"),
        ("an edit of the lock file", "ecosystem.lock.json", "{}\n"),
    ] {
        case(name);
        let pair = behind();
        let mut theirs = version("theirs");
        theirs.extend(tree([("new.txt", file("new\n")), ("more/x", file("x\n"))]));
        pair.upstream(&below(FEATURE, &theirs));
        let dir = clone(&pair, "work", &[]);
        let mine = dir.join(path);
        std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
        std::fs::write(&mine, content).unwrap();
        let status = ["status", "--porcelain", "-uall"];
        let before = pair.sandbox.git(&dir, &status);
        let report = to_work_tree(&pair, &dir, 1);
        let told = &report["features"][0];
        assert_eq!(told["outcome"], "failed", "{report:#}");
        let named = path.trim_end_matches("/mine");
        assert!(told["error"].as_str().unwrap().contains(named), "{report:#}");
        assert!(told["help"].as_str().unwrap().contains("commit, move or remove"), "{report:#}");
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), content);
        assert_eq!(pair.sandbox.git(&dir, &status), before, "nothing was written");
    }
}

#[test]
fn several_features_go_into_one_work_tree() {
    let pair = Pair::new(&[
        json!({ "feature": "features/a", "into": "a" }),
        json!({ "feature": "features/b", "into": "b", "method": "copy" }),
    ]);
    pair.here(&Tree::new());
    pair.upstream(&tree([("features/a/x", file("1\n")), ("features/b/y", file("1\n"))]));
    let dir = clone(&pair, "work", &[]);
    let report = to_work_tree(&pair, &dir, 0);
    assert_eq!(report["summary"]["applied"], 2, "{report:#}");
    let lock: Value =
        serde_json::from_slice(&std::fs::read(dir.join("ecosystem.lock.json")).unwrap()).unwrap();
    assert_eq!(lock["features"].as_object().unwrap().len(), 2);
    assert!(dir.join("a/x").is_file() && dir.join("b/y").is_file());
    assert_eq!(to_work_tree(&pair, &dir, 0)["summary"]["nothing-to-do"], 2);
}

#[test]
fn a_bare_repository_has_no_work_tree_to_change() {
    let pair = behind();
    let report = to_work_tree(&pair, &pair.web, 1);
    let error = report["features"][0]["error"].as_str().unwrap();
    assert!(error.contains("is a bare repository: it has no work tree"), "{error}");
}
