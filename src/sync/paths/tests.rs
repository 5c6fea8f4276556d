//! Each threat by name, and what must stay allowed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;

use super::*;
use crate::sync::merge::memory::Memory;

/// Checks a change, written as [`Memory::files`] reads it, and returns what is refused.
fn refused(into: &str, before: &str, after: &str) -> Vec<(String, Reason)> {
    refused_unless(into, before, after, false)
}

fn refused_unless(into: &str, before: &str, after: &str, allow: bool) -> Vec<(String, Reason)> {
    let mut memory = Memory::default();
    let [before, after] = [before, after].map(|text| memory.files(text));
    let (into, allow_workflows) = (into.as_bytes(), allow);
    let read = links_to_read(&before, &after);
    let targets: BTreeMap<_, _> = read.iter().map(|id| (*id, memory.blobs[id].clone())).collect();
    let write = Write { before: &before, after: &after, into, targets: &targets, allow_workflows };
    let refusals = check(&write).err().map(|refused| refused.0).unwrap_or_default();
    let refusals = refusals.into_iter();
    refusals.map(|r| (String::from_utf8_lossy(&r.path).into_owned(), r.reason)).collect()
}

/// Checks one new file at a path.
fn new_file(path: &[u8]) -> Vec<Reason> {
    let mut memory = Memory::default();
    let mut after = memory.files("a=1");
    let entry = after.remove(b"a".as_slice()).unwrap();
    after.insert(path.to_vec(), entry);
    let (before, targets) = (Files::new(), BTreeMap::new());
    let write = Write {
        before: &before,
        after: &after,
        into: b"",
        targets: &targets,
        allow_workflows: false,
    };
    let refusals = check(&write).err().map(|refused| refused.0).unwrap_or_default();
    refusals.into_iter().map(|refusal| refusal.reason).collect()
}

#[test]
fn a_path_that_some_file_system_takes_for_git_s_own_is_refused() {
    for path in [
        ".git",
        ".git/config",
        "x/.git/hooks/post-checkout",
        ".GIT/config",
        ".Git",
        "git~1/config",
        "GIT~1",
        ".git /config",
        ".git./config",
        ".git. . /config",
        ".git::$INDEX_ALLOCATION/config",
        ".git:stream",
        ".g\u{200c}it/config",
        "\u{feff}.git/config",
        ".gi\u{202e}t",
        "x\\.git\\config",
        "x\\git~1",
    ] {
        assert_eq!(new_file(path.as_bytes()), [Reason::DotGit], "{path:?}");
        assert_eq!(check_into(path.as_bytes(), true).unwrap_err().reason, Reason::DotGit);
    }
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    for path in
        ["..", "../x", "a/../b", ".", "./a", "a/./b", "/etc/passwd", "a//b", "a/", "a\\..\\b"]
    {
        assert_eq!(new_file(path.as_bytes()), [Reason::Relative], "{path:?}");
        assert_eq!(check_into(path.as_bytes(), true).unwrap_err().reason, Reason::Relative);
    }
    assert_eq!(new_file(b"a\0b"), [Reason::Zero]);
}

#[test]
fn paths_that_only_look_odd_are_written() {
    for path in [
        b"aux.c".as_slice(),
        b".gitignore",
        b".gitmodules",
        b".gitattributes",
        b".github/ISSUE_TEMPLATE/bug.md",
        b".github/dependabot.yml",
        b"workflows/ci.yml",
        b"git/config",
        b"git~2",
        b"...",
        b"a b/c.",
        b"a\\b",
        b"\xff\xfe/x",
        b"docs/CODEOWNERS.md",
        b"CODEOWNERS/x",
        b"x/ecosystem.lock.json",
        b"x/subscriptions.json",
        b"con/nul",
        b"a\nb",
    ] {
        assert_eq!(new_file(path), [], "{path:?}");
        assert!(check_into(path, false).is_ok(), "{path:?}");
    }
    assert!(check_into(b"", false).is_ok());
    assert!(check_into(b".github", false).is_ok());
}

#[test]
fn what_decides_over_the_cousin_is_refused_unless_it_is_allowed() {
    for path in [
        ".github/workflows/ci.yml",
        ".github/workflows",
        ".GitHub/Workflows/ci.yml",
        "x/y/.github/workflows/ci.yml",
        ".github/actions/a/action.yml",
        "CODEOWNERS",
        "codeowners",
        ".github/CODEOWNERS",
        "docs/CODEOWNERS",
        "x/y/CodeOwners",
        ".github./workflows /ci.yml",
    ] {
        assert_eq!(new_file(path.as_bytes()), [Reason::Workflow], "{path:?}");
        assert_eq!(check_into(path.as_bytes(), false).unwrap_err().reason, Reason::Workflow);
        assert!(check_into(path.as_bytes(), true).is_ok());
        assert_eq!(refused_unless("", "", &format!("{}=1", path.replace(' ', "")), true), []);
    }
    for (before, after, expected) in [
        // A link there is followed by nobody knows whom; a submodule can hold anything.
        ("", ".github@=x", vec![".github"]),
        ("", "x/.github#=7", vec!["x/.github"]),
        ("", ".github/workflows@=../x", vec![".github/workflows"]),
        (".github/workflows/a=1", "", vec![".github/workflows/a"]),
        (".github/workflows/a=1", ".github/workflows/a=2", vec![".github/workflows/a"]),
        ("CODEOWNERS=1", "CODEOWNERS*=1", vec!["CODEOWNERS"]),
        (".github/workflows/a=1 b=1", ".github/workflows/a=1 b=2", vec![]),
        ("", ".github=1", vec![]),
    ] {
        let found = refused("", before, after);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, expected, "{before} → {after}");
        assert!(found.iter().all(|(_, reason)| *reason == Reason::Workflow));
    }
}

#[test]
fn the_cousin_s_own_files_are_never_written() {
    for (before, after) in [
        ("", "ecosystem.lock.json=1"),
        ("", "subscriptions.json=1"),
        ("", "Subscriptions.JSON=1"),
        ("", "subscriptions.json/x=1"),
        ("subscriptions.json=1", "subscriptions.json=2"),
        ("subscriptions.json=1", ""),
        ("subscriptions.json=1", "subscriptions.json@=x"),
    ] {
        let found = refused_unless("", before, after, true);
        assert_eq!(found.len(), 1, "{before} → {after}");
        assert_eq!(found[0].1, Reason::OurOwn, "{before} → {after}");
    }
    assert_eq!(refused("", "subscriptions.json=1", "subscriptions.json=1 a=1"), []);
    assert_eq!(check_into(b"subscriptions.json", true).unwrap_err().reason, Reason::OurOwn);
}

#[test]
fn new_paths_that_some_file_system_takes_for_others_are_refused() {
    for (before, after, expected) in [
        ("", "a=1 A=2", Some(("a", "A"))),
        ("A=1", "A=1 a=2", Some(("a", "A"))),
        ("a=1", "A=2 a=1", Some(("A", "a"))),
        ("a/B=1", "a/B=1 A/c=2", Some(("A", "a"))),
        ("a/b=1", "a/b=1 A@=x", Some(("A", "a"))),
        ("x/a/b/c=1", "x/a/b/c=1 x/a/B=1", Some(("x/a/B", "x/a/b"))),
        // One character and its two halves; the long s; a sharp s; one that HFS+ does not see.
        ("\u{e9}=1", "\u{e9}=1 e\u{301}=1", Some(("e\u{301}", "\u{e9}"))),
        ("s=1", "s=1 \u{17f}=1", Some(("\u{17f}", "s"))),
        ("ss=1", "ss=1 \u{df}=1", Some(("\u{df}", "ss"))),
        ("ab=1", "ab=1 a\u{200c}b=1", Some(("a\u{200c}b", "ab"))),
        // A file of old that becomes a link.
        ("A=1 a/b=1", "A@=x a/b=1", Some(("A", "a"))),
        // Both were there: nobody's new write.
        ("a=1 A=2", "a=1 A=3", None),
        ("a=1 A=2", "a=1 A*=2 x=1", None),
        ("a/x=1 A/y=2", "a/x=1 A/y=2 a/z=3", None),
        ("a=1", "A=1", None),
        ("a=1", "b=1 ab=1 a/b=1", None),
        ("", "\\xffa=1 \\xfea=1", None),
    ] {
        let found = refused("", before, after);
        let expected: Vec<_> = expected
            .map(|(path, with)| {
                (path.to_owned(), Reason::Collision { with: with.as_bytes().to_vec() })
            })
            .into_iter()
            .collect();
        assert_eq!(found, expected, "{before} → {after}");
    }
}

#[test]
fn links_that_leave_the_feature_are_refused() {
    use Reason::{LinkAbsolute, LinkCircle, LinkIntoGit, LinkNowhere, LinkOutward};
    for (before, after, expected) in [
        ("", "f/l@=a", None),
        ("", "f/l@=./a//b/", None),
        ("", "f/x/l@=../a", None),
        ("", "f/x/l@=..", None),
        ("", "f/l@=.", None),
        ("", "f/l@=a/../b", None),
        ("", "f/l@=/etc/passwd", Some(("f/l", LinkAbsolute))),
        ("", "f/l@=C:/x", Some(("f/l", LinkAbsolute))),
        ("", "f/l@=..\\x", Some(("f/l", LinkAbsolute))),
        ("", "f/l@=", Some(("f/l", LinkNowhere))),
        ("", "f/l@=a\0b", Some(("f/l", LinkNowhere))),
        ("", "f/l@=..", Some(("f/l", LinkOutward))),
        ("", "f/l@=../x", Some(("f/l", LinkOutward))),
        ("", "f/l@=../f/x", Some(("f/l", LinkOutward))),
        ("", "f/x/l@=../../y", Some(("f/x/l", LinkOutward))),
        ("", "f/l@=a/../../x", Some(("f/l", LinkOutward))),
        ("", "f/l@=.git/hooks", Some(("f/l", LinkIntoGit))),
        ("", "f/l@=a/GIT~1/x", Some(("f/l", LinkIntoGit))),
        ("", "f/l@=l", Some(("f/l", LinkCircle))),
        ("", "f@=g", Some(("f", LinkOutward))),
        // Through another link: of the cousin's own, and by another spelling.
        ("f/out@=../..", "f/out@=../.. f/l@=out/x", Some(("f/l", LinkOutward))),
        ("f/out@=../..", "f/out@=../.. f/l@=OUT/x", Some(("f/l", LinkOutward))),
        ("f/x/up@=..", "f/x/up@=.. f/l@=x/up/../y", Some(("f/l", LinkOutward))),
        ("f/x/up@=..", "f/x/up@=.. f/l@=x/up/y", None),
        // A link of old that is harmless only while a directory is one.
        ("f/l@=a/b/../../x f/a/b/c=1", "f/l@=a/b/../../x f/a/b@=../d", Some(("f/l", LinkOutward))),
        // The cousin's own business.
        ("f/l@=../x", "f/l@=../x f/m@=a", None),
        ("g@=../x", "g@=../x f/m@=a", None),
    ] {
        let found = refused("f", before, after);
        let expected: Vec<_> =
            expected.map(|(path, reason)| (path.to_owned(), reason)).into_iter().collect();
        assert_eq!(found, expected, "{before} → {after}");
    }
    assert_eq!(refused("", "", "l@=a/b x/m@=../l"), []);
    assert_eq!(refused("", "", "l@=../b"), [("l".to_owned(), LinkOutward)]);
    assert_eq!(refused("", "", "l@=.git/config"), [("l".to_owned(), LinkIntoGit)]);
    let modules = Reason::LinkedGitModules;
    assert_eq!(refused("", "", ".gitmodules@=x"), [(".gitmodules".to_owned(), modules.clone())]);
    assert_eq!(refused("", "", "x/.GITmodules@=x"), [("x/.GITmodules".to_owned(), modules)]);
}

#[test]
fn a_link_that_was_not_read_is_refused() {
    let mut memory = Memory::default();
    let (before, after) = (Files::new(), memory.files("l@=a"));
    let targets = BTreeMap::new();
    let write = Write {
        before: &before,
        after: &after,
        into: b"",
        targets: &targets,
        allow_workflows: true,
    };
    assert_eq!(check(&write).unwrap_err().0[0].reason, Reason::LinkUnread);
}

#[test]
fn links_cannot_make_the_check_run_long() {
    let mut memory = Memory::default();
    let long = "a/".repeat(3_000);
    let mut text = format!("long@={long}");
    // Each leads through the one before it, twice.
    for n in 1..200 {
        text += &format!(" l{n}@=l{m}/../l{m}", m = n - 1);
    }
    let (before, after) = (Files::new(), memory.files(&text));
    let targets: BTreeMap<_, _> = memory.blobs.iter().map(|(id, b)| (*id, b.clone())).collect();
    let write = Write {
        before: &before,
        after: &after,
        into: b"",
        targets: &targets,
        allow_workflows: true,
    };
    let start = Instant::now();
    let found = check(&write).unwrap_err().0;
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(found.iter().any(|refusal| refusal.path == b"long"));
    assert!(found.iter().any(|refusal| refusal.reason == Reason::LinkCircle));
}

#[test]
fn all_refusals_are_counted_and_the_first_twenty_are_shown() {
    let mut memory = Memory::default();
    let text: String = (10..33).map(|n| format!("x{n}/.git/\u{7}=1 ")).collect();
    let (before, after) = (Files::new(), memory.files(&text));
    let targets = BTreeMap::new();
    let write = Write {
        before: &before,
        after: &after,
        into: b"",
        targets: &targets,
        allow_workflows: false,
    };
    let refused = check(&write).unwrap_err();
    let told = refused.to_string();
    assert_eq!(told.lines().count(), 22);
    assert!(told.starts_with("upstream changes 23 paths that may not be written here:\n  x10/"));
    assert!(told.ends_with("\n  and 3 more"));
    assert!(told.contains("x10/.git/\\u{7}: a part of the path is, on some file system, \".git\""));
    assert_eq!(
        refused.help(),
        "such a path can change what git does: find out who added it upstream"
    );
}

#[test]
fn one_refusal_says_where_and_why() {
    let told = |into: &str, before: &str, after: &str| {
        let found = refused(into, before, after).into_iter();
        let found = found.map(|(path, reason)| Refusal { path: path.into_bytes(), reason });
        Refused(found.collect()).to_string()
    };
    insta::assert_snapshot!(told("", "a=1", "a=1 A=2 .github/workflows/x=1 l@=/x"), @r#"
    upstream changes 3 paths that may not be written here:
      .github/workflows/x: it decides what runs in this repository, or who reviews it
      A: some file systems take it for a
      l: the symbolic link has an absolute target, or a backslash in it
    "#);
}

#[test]
fn ten_thousand_paths_are_checked_in_no_time() {
    let mut memory = Memory::default();
    let tree = |content: &str| {
        let files = (0..10_000).map(|n| format!("f/Dir{}/sub/File{n}={content}", n % 100));
        files.collect::<Vec<_>>().join(" ")
    };
    let (before, mut after) = (memory.files(&tree("1")), memory.files(&tree("2")));
    after.extend(memory.files("f/new=1"));
    let targets = BTreeMap::new();
    let write = Write {
        before: &before,
        after: &after,
        into: b"f",
        targets: &targets,
        allow_workflows: false,
    };
    let start = Instant::now();
    assert!(check(&write).is_ok());
    // A few milliseconds when optimized; a quadratic check takes minutes.
    assert!(start.elapsed() < Duration::from_secs(3));
}
