//! `ecosystem status`: what each cousin has received and has yet to hear of, told from the refs and
//! the history of a monorepo that lives.

use std::path::Path;

use ecosystem_dispatcher::embedded_github::Fault;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::ecosystem::{Done, Run};
use crate::support::github::{github_with, run_test_with};
use crate::support::repository::{Sandbox, file_url};
use crate::support::world::World;

fn cousins() -> Value {
    json!([
        {"repo": "acme/web", "subscriptions": ["features/a", "features/b"]},
        {"repo": "acme/docs", "subscriptions": ["features/c"]},
    ])
}

fn run_world(test: impl FnOnce(&World<'_>)) {
    let names = ["acme/web", "acme/docs", "acme/new"];
    run_test_with(github_with(names), |t| {
        let world = World::new(t, &cousins());
        test(&world);
        world.received(0);
    });
}

/// Prepares `ecosystem status` there, as a person runs it: without a token.
fn status(sandbox: &Sandbox, dir: &Path) -> Run {
    Run::new(sandbox).dir(dir).arg("status")
}

/// Returns the status as JSON, from a checkout of depth 1 at the tip of the branch.
fn at_tip(w: &World<'_>, args: &[&str]) -> Done {
    let dir = w.checkout(&w.t.sandbox.rev(&w.origin, "main"));
    status(&w.t.sandbox, &dir).args(["--format", "json"]).args(args).run().expect_code(0)
}

/// Returns repo, state, commits behind, pending features and last outcome of each row.
fn rows(done: &Done) -> Vec<String> {
    let status = done.json();
    let rows = status["cousins"].as_array().unwrap().iter();
    rows.map(|row| {
        let features = row["features"].as_array().unwrap().iter();
        let features: Vec<&str> = features.map(|it| it.as_str().unwrap()).collect();
        assert_eq!(row["features_pending"], features.len());
        let outcome = row["last_outcome"].as_str().unwrap_or("-");
        let (repo, state) = (row["repo"].as_str().unwrap(), row["state"].as_str().unwrap());
        format!("{repo} {state} {} [{}] {outcome}", row["commits_behind"], features.join(" "))
    })
    .collect()
}

fn codes(done: &Done) -> Vec<String> {
    let status = done.json();
    let warnings = status["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

fn notes(done: &Done) -> String {
    done.json()["notes"].to_string()
}

#[test]
fn before_the_first_run_every_cousin_is_new_and_is_to_get_all_that_it_follows() {
    run_world(|w| {
        let done = at_tip(w, &[]);
        let all =
            ["acme/docs new null [features/c] -", "acme/web new null [features/a features/b] -"];
        assert_eq!(rows(&done), all);
        let note = "no cousin has a watermark yet: they begin with the first `ecosystem dispatch \
                    --watermarks`";
        assert_eq!(done.json()["notes"], json!([note]));
        let totals = json!({
            "cousins": 2, "current": 0, "behind": 0, "new": 2, "disabled": 0, "removed": 0
        });
        assert_eq!(done.json()["summary"], totals);
    });
}

#[test]
fn each_state_is_told_with_what_is_pending() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        let all = ["acme/docs current 0 [] delivered", "acme/web current 0 [] delivered"];
        assert_eq!(rows(&at_tip(w, &[])), all);

        w.push(&[("b", "1")]);
        w.push(&[("d", "1")]);
        let done = at_tip(w, &[]);
        let all = ["acme/docs current 2 [] -", "acme/web behind 2 [features/b] -"];
        assert_eq!(rows(&done), all);
        let row = done.json()["cousins"][1].clone();
        assert_eq!(row["watermark"], first.after);
        assert_eq!(row["committed"], "2026-01-10T12:00:00Z");
        assert_eq!(row["enabled"], true);
        assert_eq!(row["failing_since"], Value::Null);
        assert_eq!(done.json()["schema"], 1);
        assert_eq!(done.json()["head"], w.head());
        assert_eq!(done.json()["source"]["ref"], "refs/heads/main");
        assert_eq!(done.json()["path_encoding"], Value::Null);

        w.list(&json!([
            {"repo": "acme/Web", "subscriptions": ["features/a", "features/b"], "enabled": false},
            {"repo": "acme/new", "subscriptions": ["features/*", "!features/a"]},
        ]));
        w.push(&[("a", "2")]);
        let done = at_tip(w, &[]);
        let all = [
            "acme/Web disabled 3 [features/a features/b] -",
            "acme/new new null [features/b features/c features/d] -",
            "acme/docs removed 3 [] -",
        ];
        assert_eq!(rows(&done), all);
        let totals = json!({
            "cousins": 2, "current": 0, "behind": 0, "new": 1, "disabled": 1, "removed": 1
        });
        assert_eq!(done.json()["summary"], totals);
        assert_eq!(rows(&at_tip(w, &["--only", "ACME/new"])), all[1..2]);
    });
}

#[test]
fn a_failure_is_told_with_the_commit_since_which_it_lasts() {
    run_world(|w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/web", Fault::status(403));
        w.run(&first).run().expect_code(1);
        w.push(&[("b", "1")]);
        let done = at_tip(w, &[]);
        let all = ["acme/docs current 1 [] -", "acme/web behind 2 [features/a features/b] failed"];
        assert_eq!(rows(&done), all);
        assert_eq!(done.json()["cousins"][1]["failing_since"], first.after);
    });
}

#[test]
fn the_same_is_told_wherever_it_is_asked() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        w.push(&[("b", "1")]);
        w.push(&[("c", "1")]);
        let sandbox = &w.t.sandbox;
        let expected = ["acme/docs behind 2 [features/c] -", "acme/web behind 2 [features/b] -"];
        let url = file_url(&w.origin);
        let full = sandbox.clone(&w.origin, "full", &[]);
        sandbox.git(&full, &["worktree", "add", "--quiet", "--detach", "../linked"]);
        let elsewhere = sandbox.path().join("home");
        let before = w.refs();
        for (dir, args) in [
            (full.clone(), &[][..]),
            (sandbox.path().join("linked"), &[]),
            (sandbox.clone(&w.origin, "bare", &["--bare"]), &[]),
            (sandbox.clone(&w.origin, "treeless", &["--filter=tree:0"]), &[]),
            (sandbox.clone(&w.origin, "shallow", &["--depth=1"]), &[]),
            (elsewhere.clone(), &["--remote", &url]),
            (elsewhere, &["--remote", &url, "--head", "main"]),
        ] {
            let run = status(sandbox, &dir).args(args).args(["--format", "json"]);
            let done = run.run().expect_code(0);
            assert_eq!(rows(&done), expected, "{}", dir.display());
            assert_eq!(done.json()["warnings"], json!([]), "{}", dir.display());
            assert_eq!(done.json()["notes"], json!([]), "{}", dir.display());
            assert_eq!(done.stderr, "", "{}", dir.display());
        }
        assert_eq!(w.refs(), before);
        let left = std::fs::read_dir(sandbox.temporary()).unwrap().count();
        assert_eq!(left, 0, "no scratch repository is left");
    });
}

#[test]
fn a_clone_that_is_not_where_the_branch_is_says_so() {
    run_world(|w| {
        let sandbox = &w.t.sandbox;
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let clone = sandbox.clone(&w.origin, "clone", &[]);
        let json = |args: &[&str]| {
            status(sandbox, &clone).args(["--format", "json"]).args(args).run().expect_code(0)
        };
        // A commit that is not pushed: it would send this.
        sandbox.write(&clone, "features/b/file", "own");
        sandbox.commit_all(&clone, "own");
        let done = json(&[]);
        assert_eq!(rows(&done)[1], "acme/web behind 1 [features/b] -");
        assert!(notes(&done).contains("what is pending is what pushing it would send"));
        // The clone is old, and the cousins have received what it does not have yet.
        sandbox.git(&clone, &["reset", "--quiet", "--hard", "HEAD~1"]);
        let newer = w.push(&[("b", "1")]);
        w.run(&newer).run().expect_code(0);
        let done = json(&[]);
        let all = ["acme/docs current 0 [] -", "acme/web current 0 [] -"];
        assert_eq!(rows(&done), all);
        let tip = &newer.after[..10];
        let further = format!("origin/main is at {tip}, further than");
        assert!(notes(&done).contains(&further), "{}", notes(&done));
        let done = json(&["--head", &newer.after]);
        assert_eq!(notes(&done), "[]");
        assert_eq!(rows(&done)[1], "acme/web current 0 [] delivered");
    });
}

#[test]
fn a_branch_that_was_set_back_leaves_pending_what_is_to_be_taken_back() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&w.push(&[("b", "2")])).run().expect_code(0);
        w.reset(&first.after);
        w.publish();
        let all = ["acme/docs current 0 [] -", "acme/web behind 0 [features/b] -"];
        assert_eq!(rows(&at_tip(w, &[])), all);
        let url = file_url(&w.origin);
        let here = w.t.sandbox.path();
        let done = status(&w.t.sandbox, here).args(["--remote", &url, "--format", "json"]).run();
        assert_eq!(rows(&done.expect_code(0)), all);
    });
}

#[test]
fn where_the_history_cannot_be_had_the_rest_stands() {
    run_world(|w| {
        let first = w.push(&[("a", "1")]);
        w.run(&first).run().expect_code(0);
        w.push(&[("b", "1")]);
        let dir = w.checkout(&w.head());
        // A commit that no remote has, in a clone without its history.
        w.t.sandbox.write(&dir, "features/a/file", "own");
        w.t.sandbox.commit_all(&dir, "own");
        let done = status(&w.t.sandbox, &dir).args(["--format", "json"]).run().expect_code(0);
        let all = ["acme/docs current null [] -", "acme/web behind null [features/a features/b] -"];
        assert_eq!(rows(&done), all);
        assert_eq!(codes(&done), ["unclear-watermarks"]);
        assert_eq!(done.json()["cousins"][1]["committed"], "2026-01-10T12:00:00Z");
    });
}

#[test]
fn pruning_deletes_what_is_left_of_others_and_nothing_else() {
    run_world(|w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/docs", Fault::status(404));
        w.run(&first).run().expect_code(1);
        let kept = w.refs()["watermarks/acme/web"].clone();
        let own = ["update-ref", "refs/ecosystem/own/thing", &first.after];
        w.t.sandbox.git(&w.origin, &own);
        // Another spelling is the same repository.
        w.list(&json!([{"repo": "Acme/WEB", "subscriptions": ["features/a"], "enabled": false}]));
        w.push(&[("d", "1")]);
        let done = at_tip(w, &["--prune"]);
        let pruned = json!([
            {"ref": "refs/ecosystem/watermarks/acme/docs", "commit": first.before},
            {"ref": "refs/ecosystem/failing/acme/docs", "commit": first.after},
        ]);
        assert_eq!(done.json()["pruned"], pruned);
        assert_eq!(done.json()["summary"]["removed"], 0);
        assert_eq!(rows(&done), ["Acme/WEB disabled 1 [] -"]);
        let left: Vec<(String, String)> = w.refs().into_iter().collect();
        let expected = [("own/thing", &first.after), ("watermarks/acme/web", &kept)];
        assert_eq!(left, expected.map(|(name, id)| (name.to_owned(), id.clone())));
        let done = at_tip(w, &["--prune"]);
        assert_eq!(notes(&done), r#"["there is nothing to prune"]"#);
        assert_eq!(done.json()["pruned"], json!([]));
    });
}

#[test]
fn by_a_list_that_may_be_wrong_nothing_is_pruned() {
    run_world(|w| {
        let sandbox = &w.t.sandbox;
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        let before = w.refs();
        let dir = w.checkout(&w.head());
        let refused = |run: Run, words: &str| {
            let done = run.arg("--prune").run().expect_code(2);
            assert!(done.stderr.contains(words), "{}", done.stderr);
            assert_eq!(done.stdout, "");
            assert_eq!(w.refs(), before, "{words}");
        };
        sandbox.write(&dir, "ecosystem.json", "[]");
        refused(status(sandbox, &dir), "the list of cousins is empty");
        sandbox.write(&dir, "ecosystem.json", r#"{"cousins": []}"#);
        refused(status(sandbox, &dir), "the list of cousins is empty");
        sandbox.write(&dir, "ecosystem.json", r#"[{"repo": "acme/web"}]"#);
        refused(status(sandbox, &dir), "missing-key");
        let other = r#"[{"repo": "acme/new", "subscriptions": ["features/a"]}]"#;
        sandbox.write(&dir, "ecosystem.json", other);
        refused(status(sandbox, &dir).args(["--ecosystem", "missing.json"]), "missing.json");
        refused(status(sandbox, &dir).args(["--only", "acme/new"]), "cannot be used with");
        let pull = status(sandbox, &dir).env("GITHUB_REF", "refs/pull/1/merge");
        refused(pull, "refs/pull/1/merge is no branch");
        let head = status(sandbox, &dir).args(["--head", "HEAD"]);
        refused(head, "the list is that of the work tree");
        refused(status(sandbox, &dir), "the list in the work tree is not the one of");
        let side = status(sandbox, &dir).env("GITHUB_REF", "refs/heads/side");
        refused(side, "refs/heads/side is not the default branch");
        w.push(&[("b", "1")]);
        refused(status(sandbox, &dir), "is not what refs/heads/main stands at on the remote");
        let url = file_url(&w.origin);
        let old = status(sandbox, &dir).args(["--remote", &url, "--head", "main", "--prune"]);
        old.run().expect_code(0);
        assert_eq!(w.refs(), before, "head's own list has all of them");
        let named = status(sandbox, &dir).args(["--ecosystem", "ecosystem.json", "--prune"]);
        named.run().expect_code(0);
        assert_eq!(w.refs().len(), 0, "the list that was named counts");
    });
}

/// Has the remote run a script before it writes; `hook` says when.
fn remote_asks(w: &World<'_>, hook: &str, script: &str) {
    let hook = w.origin.join("hooks").join(hook);
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn what_the_remote_does_not_let_go_is_told_and_stays_among_the_removed() {
    run_world(|w| {
        let first = w.push(&[("a", "1"), ("c", "1")]);
        w.t.fault("acme/docs", Fault::status(404));
        w.run(&first).run().expect_code(1);
        w.list(&json!([{"repo": "acme/web", "subscriptions": ["features/a"]}]));
        w.push(&[("b", "1")]);
        let before = w.refs();
        let dir = w.checkout(&w.head());
        let prune = || {
            let run = status(&w.t.sandbox, &dir).args(["--prune", "--format", "json"]);
            run.run().expect_code(2)
        };
        // One of two.
        remote_asks(w, "update", "case $1 in *failing*) exit 1;; esac");
        let done = prune();
        assert_eq!(done.json()["pruned"].as_array().unwrap().len(), 1);
        assert_eq!(rows(&done)[1], "acme/docs removed null [] failed");
        assert_eq!(codes(&done), ["watermarks-not-written"]);
        let why = "refs/ecosystem/failing/acme/docs was not deleted: [remote rejected] (hook \
                   declined)";
        assert!(done.stderr.contains(why), "{}", done.stderr);
        // Nothing at all.
        w.t.sandbox
            .git(&w.origin, &["update-ref", "refs/ecosystem/watermarks/acme/docs", &first.before]);
        remote_asks(w, "pre-receive", "exit 1");
        let done = prune();
        assert!(done.stderr.contains("pre-receive hook declined"), "{}", done.stderr);
        assert_eq!(w.refs(), before);
    });
}

#[test]
fn a_watermark_that_is_no_commit_hides_no_other() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        w.push(&[("b", "1")]);
        let tree = w.t.sandbox.git(&w.origin, &["rev-parse", "main^{tree}"]);
        let name = "refs/ecosystem/watermarks/acme/docs";
        w.t.sandbox.git(&w.origin, &["update-ref", name, &tree]);
        let clone = w.t.sandbox.clone(&w.origin, "clone", &[]);
        let done = status(&w.t.sandbox, &clone).args(["--format", "json"]).run().expect_code(0);
        let all = ["acme/docs behind null [features/c] -", "acme/web behind 1 [features/b] -"];
        assert_eq!(rows(&done), all);
        assert_eq!(codes(&done), ["unclear-watermarks", "incomplete-range"]);
    });
}

#[test]
fn what_cannot_be_found_out_is_an_error_that_says_what_to_do() {
    let sandbox = Sandbox::new();
    let alone = sandbox.new_repository("alone");
    sandbox.write(&alone, "ecosystem.json", &cousins().to_string());
    let unborn = status(&sandbox, &alone).run().expect_code(2);
    assert!(unborn.stderr.contains("--head REV"), "{}", unborn.stderr);
    sandbox.commit_all(&alone, "first");
    let done = status(&sandbox, &alone).run().expect_code(2);
    assert!(done.stderr.contains("there is no origin"), "{}", done.stderr);
    let nowhere = file_url(&sandbox.path().join("nowhere"));
    sandbox.git(&alone, &["remote", "add", "origin", &nowhere]);
    let done = status(&sandbox, &alone).run().expect_code(2);
    assert!(done.stderr.contains("cannot read the watermarks"), "{}", done.stderr);
    let done = status(&sandbox, &alone).args(["--only", "acme/wbe"]).run().expect_code(2);
    assert!(done.stderr.contains("did you mean acme/web?"), "{}", done.stderr);
    let done = status(&sandbox, &sandbox.home()).run().expect_code(2);
    assert!(done.stderr.contains("--remote URL"), "{}", done.stderr);
}

#[test]
fn paths_that_are_not_text_are_encoded_in_json() {
    run_world(|w| {
        let list =
            json!([{"repo": "acme/web", "subscriptions": ["features/*", "!features/[a-d]"]}]);
        w.list(&list);
        w.commit(&[]);
        let blob = w.t.sandbox.git(&w.origin, &["hash-object", "-w", "-t", "blob", "/dev/null"]);
        let entry = format!("100644 blob {blob}\tfile\0");
        let tree = |entries: &[u8]| {
            let made = w.t.sandbox.git_fed(&w.origin, &["mktree", "-z"], entries);
            String::from_utf8(made).unwrap().trim().to_owned()
        };
        let feature = tree(entry.as_bytes());
        let mut entries = format!("040000 tree {feature}\t").into_bytes();
        entries.extend(b"50%\xff\0");
        let features = tree(&entries);
        let root = tree(format!("040000 tree {features}\tfeatures\0").as_bytes());
        let args = ["commit-tree", &root, "-m", "odd", "-p", "main"];
        let commit = w.t.sandbox.git(&w.origin, &args);
        w.t.sandbox.git(&w.origin, &["update-ref", "refs/heads/main", &commit]);
        let file = w.t.file(&list.to_string());
        let done = at_tip(w, &["--ecosystem", file.to_str().unwrap()]);
        assert_eq!(rows(&done), ["acme/web new null [features/50%25%FF] -"]);
        assert_eq!(done.json()["path_encoding"], "percent");
    });
}

#[test]
fn in_actions_the_step_has_a_summary() {
    run_world(|w| {
        w.run(&w.push(&[("a", "1")])).run().expect_code(0);
        w.push(&[("b", "1")]);
        let dir = w.checkout(&w.head());
        let file = w.t.sandbox.path().join("summary.md");
        let run = status(&w.t.sandbox, &dir)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "acme/monorepo")
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_STEP_SUMMARY", &file);
        let done = run.run().expect_code(0);
        assert_eq!(done.stderr, "");
        assert!(done.stdout.starts_with("source  acme/monorepo refs/heads/main\n"));
        assert!(done.stdout.ends_with("\n2 cousins: 1 current, 1 behind\n"), "{}", done.stdout);
        let summary = std::fs::read_to_string(file).unwrap();
        assert!(summary.contains("**2 cousins: 1 current, 1 behind**"), "{summary}");
        assert!(summary.contains("| acme/web | ⏳ behind | "), "{summary}");
    });
}

#[test]
fn no_cousin_costs_a_run_of_git_of_its_own() {
    run_world(|w| {
        let (many, distinct) = (400, 4);
        let commits: Vec<String> =
            (0..distinct).map(|n| w.push(&[("a", &n.to_string())]).after).collect();
        let mut input = String::new();
        let list: Vec<Value> = (0..many)
            .map(|n| {
                let at = &commits[n % distinct];
                input += &format!("create refs/ecosystem/watermarks/acme/c{n:05} {at}\n");
                json!({"repo": format!("acme/c{n:05}"), "subscriptions": ["features/a"]})
            })
            .collect();
        w.t.sandbox.git_fed(&w.origin, &["update-ref", "--stdin"], input.as_bytes());
        w.list(&json!(list));
        w.push(&[("b", "1")]);
        let dir = w.checkout(&w.head());
        let run = status(&w.t.sandbox, &dir).args(["--format", "json", "-vvv"]);
        let done = run.run().expect_code(0);
        let totals = &done.json()["summary"];
        assert_eq!((&totals["current"], &totals["behind"]), (&json!(100), &json!(300)));
        let runs = done.stderr.lines().filter(|line| line.contains("running git")).count();
        assert!((1..=4).contains(&runs), "{}", done.stderr);
    });
}
