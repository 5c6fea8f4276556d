//! The cousin's own files when they are wrong, and the source when it is named elsewhere.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{BRANCH, FEATURE, subscription};
use crate::support::case;
use crate::support::circle::{Circle, FEATURE as PUSH};
use crate::support::ecosystem::Done;
use crate::support::pair::{Commit, Pair, Tree, below, file, inside, tree};
use crate::support::repository::file_url;

fn begun() -> Pair {
    let pair = Pair::new(&[subscription("merge")]);
    pair.here(&Tree::new());
    pair.upstream(&below(FEATURE, &tree([("app", file("1\n"))])));
    pair
}

/// Replaces one file of the cousin and runs a sync there, after which nothing has changed.
fn with(pair: &Pair, path: &str, content: &str) -> Done {
    let mut files = pair.own();
    files.insert(path.as_bytes().to_vec(), file(content));
    pair.import(&pair.web, "main", &[Commit::new("here", &files)]);
    let before = pair.branches();
    let done = pair.sync().args(["--pull", "--dry-run"]).run();
    assert_eq!(pair.branches(), before);
    done
}

#[test]
fn a_lock_file_that_cannot_be_used_ends_the_run_with_its_place() {
    let pair = begun();
    let entry = json!({
        "source": "local/mono", "commit": "1".repeat(40), "tree": null, "method": "merge",
        "into": "src/push", "dispatch_id": null, "applied_at": "2026-01-01T00:00:00Z",
    });
    let bad = |key: &str, value: &str| {
        let mut entry = entry.clone();
        entry[key] = value.into();
        json!({ "version": 1, "features": { FEATURE: entry } }).to_string()
    };
    for (name, content, said, help) in [
        (
            "half of it",
            "{\n  \"version\": 1,\n".into(),
            "ecosystem.lock.json cannot be read: ",
            "restore it",
        ),
        (
            "a merge conflict",
            "{\n<<<<<<< ours\n}\n".into(),
            "ecosystem.lock.json:2: a merge conflict is not resolved",
            "take either side",
        ),
        (
            "a newer version",
            "{\"version\": 2, \"features\": {}}".into(),
            "ecosystem.lock.json is of version 2, which a newer program wrote",
            "update this program",
        ),
        ("no object", "[]".into(), "it holds no object", "restore it"),
        (
            "a commit that is none",
            bad("commit", "main"),
            "\"/features/features~1push/commit\" cannot be \"main\"",
            "restore it",
        ),
        (
            "a method that is none",
            bad("method", "guess"),
            "\"/features/features~1push/method\" cannot be \"guess\"",
            "restore it",
        ),
    ] {
        case(name);
        let content: String = content;
        let done = with(&pair, "ecosystem.lock.json", &content).expect_code(2);
        assert_eq!(done.stdout, "");
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert!(done.stderr.contains(help), "{}", done.stderr);
        assert!(!done.stderr.contains("json: ecosystem.lock.json"), "{}", done.stderr);
    }
}

#[test]
fn a_broken_subscriptions_file_ends_the_run_with_every_place() {
    let pair = begun();
    let content = "{\n  \"source\": \"acme\",\n  \"subscriptions\": [\n    { \"feature\": \"a\", \"methd\": \"copy\" },\n    \"../b\"\n  ]\n}\n";
    let done = with(&pair, "subscriptions.json", content).expect_code(2);
    assert_eq!(done.stdout, "");
    for said in
        ["subscriptions.json:2:", "subscriptions.json:4:", "subscriptions.json:5:", "\"method\""]
    {
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
    for (name, content, said) in [
        ("not JSON", "{", "subscriptions.json:1:"),
        ("no source", "[\"features/push\"]", "--source OWNER/NAME"),
    ] {
        case(name);
        let done = with(&pair, "subscriptions.json", content).expect_code(2);
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    let none = pair.sandbox.new_repository("none");
    pair.sandbox.commit_all(&none, "nothing");
    let done = pair.sync_in(&none).args(["--pull", "--dry-run"]).run().expect_code(2);
    assert!(
        done.stderr.contains("cannot read subscriptions.json: there is none"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_plain_array_works_with_a_source_that_is_named_as_people_name_it() {
    let pair = Pair::with(json!([FEATURE]));
    pair.here(&Tree::new());
    pair.upstream(&below(FEATURE, &tree([("app", file("1\n"))])));
    let url = file_url(&pair.mono);
    let path = pair.mono.to_str().unwrap();
    for source in [path, "../mono.git", url.as_str()] {
        case(source);
        let report = pair.pull_with(&["--source", source]);
        assert_eq!(report["features"][0]["outcome"], "committed", "{report:#}");
        assert_eq!(inside(FEATURE, &pair.files(&pair.web, BRANCH)), tree([("app", file("1\n"))]));
        pair.sandbox.git(&pair.web, &["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    }
}

#[test]
fn an_owner_and_name_is_fetched_from_the_server_of_the_run() {
    let circle = Circle::new(&json!([PUSH]));
    let run = circle.sync().args(["--pull", "--source", "acme/monorepo", "--format", "json"]);
    let report = run.run().expect_code(0).json();
    assert_eq!(report["source"]["address"], format!("{}/acme/monorepo", circle.url()));
    assert_eq!(report["features"][0]["outcome"], "proposed", "{report:#}");
    let lock: serde_json::Value =
        serde_json::from_str(&circle.at(super::BRANCH, "ecosystem.lock.json")).unwrap();
    assert_eq!(lock["features"][PUSH]["source"], "acme/monorepo");
}
