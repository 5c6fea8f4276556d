//! What differs between two trees is what git says differs: for any two trees, for every step of
//! the sample history, and in clones that hold no blob or no tree.

use std::collections::BTreeSet;
use std::path::Path;

use ecosystem_dispatcher::git::changes::between;
use ecosystem_dispatcher::routing::{Pattern, Reach};
use git2::{ObjectType, Oid, Repository};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::ecosystem::Run;
use crate::support::repository::{Sandbox, file_url};

/// A tree's entry, or what is below it.
#[derive(Debug, Clone)]
enum Entry {
    /// Raw mode and which of a few contents.
    Leaf(u32, u8),
    Directory(Vec<(Vec<u8>, Self)>),
}

const MODES: [u32; 5] = [0o100_644, 0o100_755, 0o100_664, 0o120_000, 0o160_000];

/// Names whose order in a tree depends on what they name, and odd ones; few, so that two trees
/// share most of them.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let names: &[&[u8]] = &[
        b"a",
        b"a.",
        b"a0",
        b"a-b",
        b"A",
        b"\xff\xfe",
        b" x\n\"\t\\",
        b"-x",
        b"caf\xc3\xa9",
        b"cafe\xcc\x81",
        b"::set-output",
        b"a b",
    ];
    prop::sample::select(names.iter().map(|name| name.to_vec()).collect::<Vec<_>>())
}

fn directory() -> impl Strategy<Value = Entry> {
    let leaf = (prop::sample::select(MODES.to_vec()), 0_u8..3).prop_map(|(m, c)| Entry::Leaf(m, c));
    let tree = leaf.prop_recursive(3, 40, 6, |inner| {
        prop::collection::btree_map(name(), inner, 1..6)
            .prop_map(|entries| Entry::Directory(entries.into_iter().collect()))
    });
    prop::collection::btree_map(name(), tree, 0..6)
        .prop_map(|entries| Entry::Directory(entries.into_iter().collect()))
}

/// Writes the objects byte by byte, because libraries write neat modes only.
fn write(repository: &Repository, entry: &Entry) -> (u32, Oid) {
    let odb = repository.odb().unwrap();
    match entry {
        // A submodule's commit is nowhere.
        Entry::Leaf(mode @ 0o160_000, content) => {
            (*mode, Oid::from_str(&format!("{:040x}", u32::from(*content) + 1)).unwrap())
        }
        Entry::Leaf(mode, content) => (*mode, odb.write(ObjectType::Blob, &[*content]).unwrap()),
        Entry::Directory(entries) => {
            let mut lines: Vec<_> = entries
                .iter()
                .map(|(name, entry)| {
                    let (mode, id) = write(repository, entry);
                    let mut line = format!("{mode:o} ").into_bytes();
                    line.extend_from_slice(name);
                    line.push(0);
                    line.extend_from_slice(id.as_bytes());
                    let slash: &[u8] = if mode == 0o40_000 { b"/" } else { b"" };
                    ([name.as_slice(), slash].concat(), line)
                })
                .collect();
            lines.sort();
            let bytes: Vec<u8> = lines.into_iter().flat_map(|(_, line)| line).collect();
            (0o40_000, odb.write(ObjectType::Tree, &bytes).unwrap())
        }
    }
}

fn reach(patterns: &[&str]) -> Reach {
    let patterns: Vec<Pattern> = patterns.iter().map(|p| Pattern::parse(p).unwrap()).collect();
    Reach::new(&patterns)
}

/// Returns what git finds, as a sorted list without repetition.
fn by_git(sandbox: &Sandbox, dir: &Path, base: &str, head: &str) -> Vec<Vec<u8>> {
    let args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", base, head];
    let names: BTreeSet<Vec<u8>> = sandbox
        .git_bytes(dir, &args)
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    names.into_iter().collect()
}

/// Whether the walk may leave a path out.
fn in_reach(reach: &Reach, path: &[u8]) -> bool {
    let mut names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    names.pop();
    let scope = names.into_iter().try_fold(reach.root(), |scope, name| scope.enter(name));
    scope.is_some_and(|scope| scope.wants_files())
}

#[test]
fn any_two_trees_differ_where_git_says_they_do() {
    let sandbox = Sandbox::new();
    let dir = sandbox.new_repository("trees");
    let repository = Repository::open(&dir).unwrap();
    let everything = reach(&["**"]);
    let some = reach(&["a/a", "A/*/a", "a0", "caf\u{e9}/a b/**", "!a/a/a"]);
    // Each case runs git once: fewer cases than usual.
    let mut runner =
        TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&(directory(), directory()), |(base, head)| {
            let [base, head] = [base, head].map(|tree| write(&repository, &tree).1);
            let expected = by_git(&sandbox, &dir, &base.to_string(), &head.to_string());
            let paths = |reach: &Reach| -> Vec<Vec<u8>> {
                let changes = between(&repository, Some(base), Some(head), reach).unwrap();
                changes.paths.into_iter().map(|changed| changed.path).collect()
            };
            prop_assert_eq!(&paths(&everything), &expected);
            let filtered: Vec<_> = expected.into_iter().filter(|p| in_reach(&some, p)).collect();
            prop_assert_eq!(paths(&some), filtered);
            Ok(())
        })
        .unwrap();
}

#[test]
fn each_step_of_the_sample_changes_what_git_says_it_changes() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let repository = Repository::open_bare(&bare).unwrap();
    let tree = |id: &str| repository.revparse_single(&format!("{id}^{{tree}}")).unwrap().id();
    let steps = sandbox
        .git(&bare, &["for-each-ref", "--format=%(refname)", "refs/tags/step", "refs/heads/step"]);
    assert!(steps.lines().count() > 20, "{steps}");
    for step in steps.lines().filter(|step| !step.ends_with("/first")) {
        let base = format!("{step}~1");
        let changes =
            between(&repository, Some(tree(&base)), Some(tree(step)), &reach(&["**"])).unwrap();
        let paths: Vec<_> = changes.paths.into_iter().map(|changed| changed.path).collect();
        assert_eq!(paths, by_git(&sandbox, &bare, &base, step), "{step}");
    }
}

/// Dispatches between two steps as a dry run and returns each cousin's feature and path count.
fn features(sandbox: &Sandbox, dir: &Path, range: [&str; 2], patterns: &str) -> Vec<(String, u64)> {
    let list = format!(r#"[{{"repo": "acme/all", "subscriptions": {patterns}}}]"#);
    sandbox.write(sandbox.path(), "features.json", &list);
    let done = Run::new(sandbox)
        .dir(dir)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo"])
        .args(["--base", range[0], "--head", range[1], "--ecosystem"])
        .arg(sandbox.path().join("features.json"))
        .run();
    let report = done.expect_code(0).json();
    let dispatches = report["dispatches"].as_array().unwrap();
    dispatches
        .iter()
        .map(|d| {
            let feature = d["updated_feature"].as_str().unwrap().to_owned();
            (feature, d["matched_paths"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn each_kind_of_change_is_news_as_the_readme_of_the_fixtures_says() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let cases: &[(&str, &[(&str, u64)])] = &[
        ("feature", &[("features/auth/express", 2), ("features/auth/flask", 2)]),
        ("rename", &[("features/auth/flask", 1), ("features/webpush/flask", 1)]),
        ("deletion", &[("features/pwa/vanilla", 1)]),
        ("mode", &[("features/webpush/node", 1)]),
        ("symlink", &[("features/pwa/react", 1)]),
        ("symlink-edited", &[("features/pwa/react", 1)]),
        ("directory-to-file", &[("features/auth/flask", 3)]),
        ("file-to-directory", &[("features/auth/flask", 3)]),
        ("case-rename", &[("docs", 2)]),
        ("submodule-bump", &[("features/auth/express", 1)]),
        ("merge", &[("features/webpush/react", 1)]),
        ("empty", &[]),
        ("reverted", &[("features/auth/express", 1)]),
    ];
    for (step, expected) in cases {
        let head = format!("step/{step}");
        let found =
            features(&sandbox, &bare, [&format!("{head}~1"), &head], r#"["features/*/*", "docs"]"#);
        let named: Vec<_> =
            found.iter().map(|(feature, count)| (feature.as_str(), *count)).collect();
        let names =
            |list: &[(&str, u64)]| list.iter().map(|(f, _)| (*f).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&named), names(expected), "{step}");
        let git = by_git(&sandbox, &bare, &format!("{head}~1"), &head);
        let counted = |feature: &str| {
            git.iter().filter(|path| path.starts_with(format!("{feature}/").as_bytes())).count()
                as u64
        };
        for (feature, count) in &found {
            assert_eq!(*count, counted(feature), "{step} {feature}");
        }
    }
    let reverted =
        features(&sandbox, &bare, ["step/before-revert", "step/after-revert"], r#"["**"]"#);
    assert_eq!(reverted, [], "what changed and changed back is not a change");
}

/// Returns how many objects a clone lacks, told from commits down to blobs, without fetching any.
fn missing(sandbox: &Sandbox, clone: &Path) -> usize {
    let args = ["rev-list", "--objects", "--all", "--missing=print"];
    let listed = sandbox.git_bytes(clone, &args);
    listed.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"?")).count()
}

#[test]
fn a_clone_without_blobs_needs_none() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let clone = sandbox.clone(&bare, "blobless", &["--filter=blob:none", "--no-checkout"]);
    let before = missing(&sandbox, &clone);
    assert!(before > 50, "{before}");
    // Nothing can be fetched any more.
    std::fs::rename(&bare, sandbox.path().join("away.git")).unwrap();
    let found = features(&sandbox, &clone, ["HEAD~1", "HEAD"], r#"["features/*/*", "docs"]"#);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(missing(&sandbox, &clone), before);
}

#[test]
fn a_clone_without_trees_fetches_trees_and_no_blob() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let full = features(&sandbox, &bare, ["step/merge", "step/head"], r#"["**"]"#);
    let clone = sandbox.clone(&bare, "treeless", &["--filter=tree:0", "--no-checkout"]);
    let range = ["refs/tags/v1.0.0", "HEAD"];
    assert_eq!(features(&sandbox, &clone, range, r#"["**"]"#), full);
    let types =
        sandbox.git(&clone, &["cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]);
    assert!(types.lines().any(|kind| kind == "tree"), "{types}");
    assert!(types.lines().all(|kind| kind != "blob"), "{types}");
}

#[test]
fn the_list_of_cousins_at_head_is_the_only_blob_that_a_remote_is_asked_for() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    let done = Run::new(&sandbox)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo"])
        .args(["--base=step/before-head", "--head=main", "--remote", &file_url(&bare)])
        .run();
    let report = done.expect_code(0).json();
    assert_eq!(report["range"]["found_by"], "scratch");
    assert_eq!(report["summary"]["planned"], 7, "{report}");
    assert_eq!(std::fs::read_dir(sandbox.temporary()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_subscription_that_misses_by_case_or_accent_is_told_of_and_never_matches() {
    let sandbox = Sandbox::new();
    let bare = sandbox.sample_monorepo();
    sandbox.write(
        sandbox.path(),
        "near.json",
        r#"[{"repo": "acme/near", "subscriptions": ["Features/pwa/vanilla", "DOCS"]}]"#,
    );
    let done = Run::new(&sandbox)
        .dir(&bare)
        .args(["dispatch", "--dry-run", "--format=json", "--source=acme/monorepo"])
        .args(["--base=step/before-head", "--ecosystem"])
        .arg(sandbox.path().join("near.json"))
        .run();
    let report = done.expect_code(0).json();
    assert_eq!(report["summary"]["planned"], 0);
    let warnings = report["warnings"].as_array().unwrap();
    let near: Vec<_> =
        warnings.iter().filter(|w| w["code"] == "case-or-unicode-mismatch").collect();
    assert_eq!(near.len(), 2, "{report}");
}
