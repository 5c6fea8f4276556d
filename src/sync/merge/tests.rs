//! The rules of merging, as tables; the laws that hold for all merges are in [`random`], and
//! [`oracle`] compares with git.

mod oracle;
mod random;
mod scenario;

use pretty_assertions::assert_eq;

use super::memory::Memory;
use super::*;
use crate::sync::proof::{Violation, prove_copy, prove_merge};

/// Merges, proves the result, and returns it with its conflicts as text.
fn merged(base: &str, ours: &str, theirs: &str, preserved: &[&str]) -> (String, Vec<String>) {
    let mut memory = Memory::default();
    let [base, ours, theirs] = [base, ours, theirs].map(|text| memory.files(text));
    let preserve = |path: &[u8]| preserved.iter().any(|kept| kept.as_bytes() == path);
    let merge = three_way(&mut memory, &base, &ours, &theirs, &preserve).unwrap();
    assert_eq!(memory.unannounced, BTreeSet::new(), "was read without being announced");
    let proven = prove_merge(&mut memory, &base, &ours, &theirs, &merge, &preserve).unwrap();
    assert_eq!(proven, Vec::<Violation>::new(), "{}", memory.shown(&merge.files));
    let conflicts = merge.conflicts.iter().map(|conflict| {
        let marked = if conflict.marked { " marked" } else { "" };
        let kind = match &conflict.kind {
            ConflictKind::InTheWay { beside } => {
                let beside = beside.as_deref().map(String::from_utf8_lossy);
                format!("InTheWay {}", beside.unwrap_or_default())
            }
            ConflictKind::RenamedApart { from, upstream } => format!(
                "RenamedApart {} {}",
                String::from_utf8_lossy(from),
                String::from_utf8_lossy(upstream)
            ),
            ConflictKind::RenamedHereDeletedUpstream { from } => {
                format!("RenamedHereDeletedUpstream {}", String::from_utf8_lossy(from))
            }
            ConflictKind::DeletedHereRenamedUpstream { from } => {
                format!("DeletedHereRenamedUpstream {}", String::from_utf8_lossy(from))
            }
            kind => format!("{kind:?}"),
        };
        format!("{}: {kind}{marked}", String::from_utf8_lossy(&conflict.path))
    });
    (memory.shown(&merge.files), conflicts.collect())
}

type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [&'a str]);

fn check(rows: &[Row<'_>]) {
    for (base, ours, theirs, expected, conflicts) in rows {
        let (files, found) = merged(base, ours, theirs, &[]);
        assert_eq!(files, *expected, "[{base}] [{ours}] [{theirs}]");
        assert_eq!(found, *conflicts, "[{base}] [{ours}] [{theirs}]");
    }
}

#[test]
fn what_one_side_changed_is_in_the_result() {
    check(&[
        ("", "", "", "", &[]),
        ("a=1", "a=1", "a=2", "a=2", &[]),
        ("a=1", "a=2", "a=1", "a=2", &[]),
        ("a=1", "a=2", "a=2", "a=2", &[]),
        ("a=1", "a=1", "", "", &[]),
        ("a=1", "", "a=1", "", &[]),
        ("a=1", "", "", "", &[]),
        ("", "a=1", "", "a=1", &[]),
        ("", "", "a=1", "a=1", &[]),
        ("", "a=1", "b=1", "a=1 b=1", &[]),
        ("", "a=1", "a=1", "a=1", &[]),
        ("a=1", "a=1 x/b=2", "a=1 x/c=3", "a=1 x/b=2 x/c=3", &[]),
        ("a=1 b=1", "a=1", "b=1", "", &[]),
        ("a=", "a=", "a=1", "a=1", &[]),
        ("l@=a", "l@=b", "l@=a", "l@=b", &[]),
        ("s#=1", "s#=1", "s#=2", "s#=2", &[]),
        ("a=1", "a=1", "a@=b", "a@=b", &[]),
        ("a=%1", "a=%1", "a=%2", "a=%2", &[]),
        ("\\xff/a=1", "\\xff/a=1 b=2", "\\xff/a=2", "b=2 \\xff/a=2", &[]),
    ]);
}

#[test]
fn modes_are_merged_on_their_own() {
    check(&[
        ("a=1", "a*=1", "a=2", "a*=2", &[]),
        ("a*=1", "a=1", "a*=2", "a=2", &[]),
        ("a=1", "a=2", "a*=1", "a*=2", &[]),
        ("a=1", "a*=2", "a*=1", "a*=2", &[]),
        ("a=1,2,3", "a*=0,1,2,3", "a=1,2,3,4", "a*=0,1,2,3,4", &[]),
        ("a=1,2,3", "a=0,1,2,3", "a*=1,2,3,4", "a*=0,1,2,3,4", &[]),
        ("a*=1,2,3", "a=0,1,2,3", "a*=1,2,3,4", "a=0,1,2,3,4", &[]),
        ("", "a*=1", "a=1", "a*=1", &["a: Mode"]),
        ("", "a=1", "a*=1", "a=1", &["a: Mode"]),
    ]);
}

#[test]
fn the_lines_of_both_sides_are_in_the_result() {
    check(&[
        ("a=1,2,3", "a=0,1,2,3", "a=1,2,3,4", "a=0,1,2,3,4", &[]),
        ("a=1,2,3", "a=2,3", "a=1,2", "a=2", &[]),
        ("a=1^,2^,3^", "a=0^,1^,2^,3^", "a=1^,2^,3^,4^", "a=0^,1^,2^,3^,4^", &[]),
        ("a=1,2,3!", "a=0,1,2,3!", "a=1,2,3,4", "a=0,1,2,3,4", &[]),
        ("a=", "a=1", "a=1", "a=1", &[]),
        ("", "a=", "a=1", "a=1", &[]),
        (
            "a=1,2,3",
            "a=1,x,3",
            "a=1,y,3",
            "a=1,<<<<<<<_ours,x,=======,y,>>>>>>>_upstream,3",
            &["a: Content marked"],
        ),
        ("", "a=x", "a=y", "a=<<<<<<<_ours,x,=======,y,>>>>>>>_upstream", &["a: BothAdded marked"]),
        (
            "",
            "a*=x",
            "a=y",
            "a*=<<<<<<<_ours,x,=======,y,>>>>>>>_upstream",
            &["a: BothAdded marked", "a: Mode"],
        ),
    ]);
}

#[test]
fn what_is_no_text_stays_ours_where_both_changed_it() {
    check(&[
        ("a=%1", "a=%2", "a=%3", "a=%2", &["a: Binary"]),
        ("a=1", "a=2", "a=%3", "a=2", &["a: Binary"]),
        ("", "a=%2", "a=%3", "a=%2", &["a: Binary"]),
        ("l@=1", "l@=2", "l@=3", "l@=2", &["l: Symlink"]),
        ("", "l@=2", "l@=3", "l@=2", &["l: Symlink"]),
        ("s#=1", "s#=2", "s#=3", "s#=2", &["s: Submodule"]),
        ("a=1", "a=2", "a@=b", "a=2", &["a: Kind"]),
        ("a=1", "a@=b", "a#=3", "a@=b", &["a: Kind"]),
        ("a@=b", "a=2", "a@=c", "a=2", &["a: Kind"]),
        (
            "a@=b",
            "a=1",
            "a=2",
            "a=<<<<<<<_ours,1,=======,2,>>>>>>>_upstream",
            &["a: BothAdded marked"],
        ),
    ]);
}

#[test]
fn pointers_to_large_files_are_never_merged_by_lines() {
    let pointer = |oid: &str, size: &str| {
        format!("a=version_https://git-lfs.github.com/spec/v1,oid_sha256:{oid},size_{size}")
    };
    let [one, two, three] = [("1", "1"), ("2", "1"), ("3", "1")].map(|(a, b)| pointer(a, b));
    check(&[
        (&one, &one, &two, &two, &[]),
        (&one, &two, &three, &two, &["a: Pointer"]),
        ("", &two, &three, &two, &["a: Pointer"]),
        ("a=text", "a=text,more", &three, "a=text,more", &["a: Pointer"]),
    ]);
}

#[test]
fn what_one_side_changed_and_the_other_deleted_stays_and_is_listed() {
    check(&[
        ("a=1", "a=2", "", "a=2", &["a: DeletedUpstream"]),
        ("a=1", "", "a=2", "a=2", &["a: DeletedHere"]),
        ("a=1", "a*=1", "", "a*=1", &["a: DeletedUpstream"]),
        ("l@=1", "", "l@=2", "l@=2", &["l: DeletedHere"]),
        ("s#=1", "s#=2", "", "s#=2", &["s: DeletedUpstream"]),
        ("a=1", "a@=2", "", "a@=2", &["a: DeletedUpstream"]),
    ]);
}

#[test]
fn a_file_never_meets_a_directory_of_its_name() {
    check(&[
        // Nobody touched what gives way.
        ("a/b=1", "a/b=1", "a=2", "a=2", &[]),
        ("a/b=1", "a=2", "a/b=1", "a=2", &[]),
        ("a=1", "a=1", "a/b=2", "a/b=2", &[]),
        ("a=1", "a/b=2", "a=1", "a/b=2", &[]),
        ("a/b=1 a/c=1", "a/b=1", "a=2", "a=2", &[]),
        // One side's change gives way to the other's name.
        ("", "a=1", "a/b=2", "a=1 a~upstream/b=2", &["a: InTheWay a~upstream"]),
        ("", "a/b=1", "a=2", "a/b=1 a~upstream=2", &["a: InTheWay a~upstream"]),
        (
            "a/b=1",
            "a/b=9",
            "a=2",
            "a/b=9 a~upstream=2",
            &["a: InTheWay a~upstream", "a/b: DeletedUpstream"],
        ),
        ("a/b=1", "a/b=1 a/c=7", "a=2", "a/c=7 a~upstream=2", &["a: InTheWay a~upstream"]),
        (
            "a=1",
            "a=9",
            "a/b=2 a/c/d=3",
            "a=9 a~upstream/b=2 a~upstream/c/d=3",
            &["a: DeletedUpstream", "a: InTheWay a~upstream"],
        ),
        (
            "a=1",
            "a/b=2",
            "a=9",
            "a/b=2 a~upstream=9",
            &["a: InTheWay a~upstream", "a~upstream: DeletedHere"],
        ),
        ("", "a@=x", "a/b/c=2", "a@=x a~upstream/b/c=2", &["a: InTheWay a~upstream"]),
        ("", "a#=7", "a/b=2", "a#=7 a~upstream/b=2", &["a: InTheWay a~upstream"]),
        ("", "a/b/c=1", "a/b=2", "a/b/c=1 a/b~upstream=2", &["a/b: InTheWay a/b~upstream"]),
        // That name is free in the result: it was deleted here.
        (
            "a~upstream=x",
            "a/b=1",
            "a=2 a~upstream=x",
            "a/b=1 a~upstream=2",
            &["a: InTheWay a~upstream"],
        ),
        (
            "",
            "a=1 a~upstream=x a~upstream_0/y=z a-=2",
            "a/b=2 a.x=3",
            "a=1 a-=2 a.x=3 a~upstream=x a~upstream_0/y=z a~upstream_1/b=2",
            &["a: InTheWay a~upstream_1"],
        ),
    ]);
}

#[test]
fn a_feature_that_is_a_file_follows_the_same_rules() {
    check(&[
        ("=1", "=1", "=2", "=2", &[]),
        ("=1", "=1", "a=2", "a=2", &[]),
        ("a=1", "a=1", "=2", "=2", &[]),
        ("=1,2,3", "=0,1,2,3", "=1,2,3,4", "=0,1,2,3,4", &[]),
        ("=1", "=2", "", "=2", &[": DeletedUpstream"]),
        ("=1", "=2", "a=3 b/c=4", "=2", &[": DeletedUpstream", ": InTheWay "]),
        ("a=1 b=1", "a=2 b=1", "=3", "a=2", &[": InTheWay ", "a: DeletedUpstream"]),
        ("=1,2,3", "=0,1,2,3", "a=1,2,3 b=x", "a=0,1,2,3 b=x", &[]),
    ]);
}

#[test]
fn changes_follow_a_renamed_file() {
    check(&[
        ("a=1,2,3", "a=0,1,2,3", "b=1,2,3", "b=0,1,2,3", &[]),
        ("a=1,2,3", "b=1,2,3", "a=0,1,2,3", "b=0,1,2,3", &[]),
        ("a=1,2,3", "a=0,1,2,3", "b=1,2,3,4", "b=0,1,2,3,4", &[]),
        ("a=1,2,3", "a*=1,2,3", "x/b=1,2,3,4", "x/b*=1,2,3,4", &[]),
        ("a=1,2,3", "b=1,2,3", "b=1,2,3,4", "b=1,2,3,4", &[]),
        ("a=1,2,3", "b=0,1,2,3", "b=1,2,3,4", "b=0,1,2,3,4", &[]),
        ("a@=x", "a@=y", "b@=x", "b@=y", &[]),
        ("a=%1", "b=%1", "a=%2", "b=%2", &[]),
        // The file becomes the first one of a directory of its name.
        ("a=1,2,3", "a=0,1,2,3", "a/b=1,2,3", "a/b=0,1,2,3", &[]),
        (
            "a=1,2,3",
            "a=1,x,3",
            "b=1,y,3",
            "b=1,<<<<<<<_ours,x,=======,y,>>>>>>>_upstream,3",
            &["b: Content marked"],
        ),
        // Equal files: the one with the same name first.
        ("a=1,2 b/a=1,2", "a=0,1,2 b/a=1,2", "c/a=1,2 d=1,2", "c/a=0,1,2 d=1,2", &[]),
        // A copy is not a renaming, and what is too different neither.
        ("a=1,2,3", "a=0,1,2,3", "a=1,2,3 b=1,2,3", "a=0,1,2,3 b=1,2,3", &[]),
        ("a=1,2,3", "a=0,1,2,3", "b=7,8,9", "a=0,1,2,3 b=7,8,9", &["a: DeletedUpstream"]),
        // What became a link here is no longer that file.
        ("a=1,2,3", "a@=x", "b=1,2,3", "a@=x b=1,2,3", &["a: DeletedUpstream"]),
        // An empty file is like any other.
        ("a=", "a=1", "b=", "a=1 b=", &["a: DeletedUpstream"]),
        // A better source for it that is of no interest itself.
        (
            "a=1,2,3,4 b=1,2,3,5",
            "a=1,2,3,4,9 b=1,2,3,5",
            "c=1,2,3,5",
            "a=1,2,3,4,9 c=1,2,3,5",
            &["a: DeletedUpstream"],
        ),
    ]);
}

#[test]
fn renames_that_disagree_are_listed_and_lose_nothing() {
    check(&[
        ("a=1,2,3", "b=1,2,3", "c=1,2,3", "b=1,2,3 c=1,2,3", &["b: RenamedApart a c"]),
        ("a=1,2,3", "b=1,2,3", "", "b=1,2,3", &["b: RenamedHereDeletedUpstream a"]),
        ("a=1,2,3", "", "b=1,2,3", "b=1,2,3", &["b: DeletedHereRenamedUpstream a"]),
        // Another file has the new name on the other side.
        (
            "a=1,2,3",
            "a=0,1,2,3 b=x",
            "b=1,2,3",
            "a=0,1,2,3 b=<<<<<<<_ours,x,=======,1,2,3,>>>>>>>_upstream",
            &["a: DeletedUpstream", "b: BothAdded marked"],
        ),
        // A directory has it.
        (
            "a=1,2,3",
            "a=0,1,2,3 b/x=7",
            "b=1,2,3",
            "b/x=7 b~upstream=0,1,2,3",
            &["b: InTheWay b~upstream"],
        ),
    ]);
}

#[test]
fn a_preserved_path_is_what_it_was() {
    for (base, ours, theirs, preserved, expected, conflicts) in [
        ("a=1", "a=2", "a=3", &["a"][..], "a=2", &[][..]),
        ("a=1", "a=1", "", &["a"], "a=1", &[]),
        ("a=1", "", "a=2", &["a"], "", &[]),
        ("", "", "a=2 b=1", &["a"], "b=1", &[]),
        (
            "a/b=1",
            "a/b=1 a/c=1",
            "a=2",
            &["a/b"],
            "a/b=1 a/c=1 a~upstream=2",
            &["a: InTheWay a~upstream"],
        ),
        ("", "a=1", "a/b=2", &["a"], "a=1 a~upstream/b=2", &["a: InTheWay a~upstream"]),
        (
            "",
            "a=1",
            "a/b=2",
            &["a", "a~upstream/b"],
            "a=1 a~upstream_0/b=2",
            &["a: InTheWay a~upstream_0"],
        ),
        ("a=1,2", "a=0,1,2", "b=1,2", &["b"], "a=0,1,2", &["a: DeletedUpstream"]),
        ("a=1,2", "a=0,1,2", "b=1,2", &["a"], "a=0,1,2 b=1,2", &[]),
        ("=1", "=2", "a=1", &[""], "=2", &[": InTheWay "]),
    ] {
        let (files, found) = merged(base, ours, theirs, preserved);
        assert_eq!(files, expected, "[{base}] [{ours}] [{theirs}] {preserved:?}");
        assert_eq!(found, conflicts, "[{base}] [{ours}] [{theirs}] {preserved:?}");
    }
}

#[test]
fn a_copy_is_theirs_but_for_what_is_preserved() {
    for (ours, theirs, preserved, expected) in [
        ("a=1 b=1", "a=2 c*=3 d@=a e#=7", &[][..], "a=2 c*=3 d@=a e#=7"),
        ("a=1 b=1", "", &[], ""),
        ("a=1 b=1", "a=2 c=3", &["a"], "a=1 c=3"),
        ("a=1", "a=2 c=3", &["c"], "a=2"),
        ("a=1", "a/b=2 c=3", &["a"], "a=1 c=3"),
        ("a/b/c=1 a/d=1", "a=2", &["a/b/c"], "a/b/c=1"),
        ("a/b/c=1", "a/b=2 a/b-=3", &["a/b/c"], "a/b/c=1 a/b-=3"),
        ("=1", "a=2", &[""], "=1"),
        ("=1", "a=2", &[], "a=2"),
        ("a=1", "=2", &["a"], "a=1"),
    ] {
        let mut memory = Memory::default();
        let [ours, theirs, expected] = [ours, theirs, expected].map(|text| memory.files(text));
        let preserve = |path: &[u8]| preserved.iter().any(|kept: &&str| kept.as_bytes() == path);
        let result = copy(&ours, &theirs, &preserve);
        assert_eq!(memory.shown(&result), memory.shown(&expected));
        assert_eq!(prove_copy(&ours, &theirs, &result, &preserve), vec![]);
    }
}

#[test]
fn only_what_may_be_renamed_or_was_changed_by_both_is_read() {
    let mut memory = Memory::default();
    let base = memory.files("a=1 b=1,2,3 c=c d=d");
    let ours = memory.files("a=2 b=0,1,2,3 c=e d=d");
    let theirs = memory.files("a=1 b=1,2,3,4 d=f g=g");
    let merge = three_way(&mut memory, &base, &ours, &theirs, &|_| false).unwrap();
    assert_eq!(merge.conflicts.len(), 1);
    let announced: Vec<Vec<String>> = memory.prepared[..2]
        .iter()
        .map(|ids| {
            ids.iter().map(|id| String::from_utf8_lossy(&memory.blobs[id]).into_owned()).collect()
        })
        .collect();
    let sorted = announced.into_iter().map(|mut texts| {
        texts.sort();
        texts
    });
    let expected = [vec!["c\n", "g\n"], vec!["0\n1\n2\n3\n", "1\n2\n3\n", "1\n2\n3\n4\n"]];
    assert!(sorted.eq(expected));
}

#[test]
fn of_too_many_candidates_only_those_with_the_same_name_are_compared() {
    let mut memory = Memory::default();
    let numbers: Vec<String> = (0..40).map(|n| format!("{n}0,{n}1,{n}2")).collect();
    let tree = |directory: &str, before: &str, after: &str, name: &str| {
        numbers
            .iter()
            .enumerate()
            .map(|(n, lines)| format!("{directory}/{n}{name}={before}{lines}{after}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let base = memory.files(&tree("a", "", "", ""));
    let ours = memory.files(&tree("a", "first,", "", ""));
    for (name, conflicts) in [("", 0), ("x", 40)] {
        let theirs = memory.files(&tree("b", "", ",last", name));
        let merge = three_way(&mut memory, &base, &ours, &theirs, &|_| false).unwrap();
        assert_eq!((merge.conflicts.len(), merge.renames.len()), (conflicts, 40 - conflicts));
    }
    let theirs = memory.files(&tree("b", "", "", "x"));
    let merge = three_way(&mut memory, &base, &ours, &theirs, &|_| false).unwrap();
    assert_eq!((merge.conflicts.len(), merge.renames.len()), (0, 40));
}

#[test]
fn each_kind_of_conflict_is_said_in_one_sentence() {
    let from = || b"old\x1b".to_vec();
    let conflict = |kind| Conflict { path: b"p".to_vec(), kind, marked: false };
    let kinds = [
        ConflictKind::Content,
        ConflictKind::BothAdded,
        ConflictKind::Binary,
        ConflictKind::Pointer,
        ConflictKind::Symlink,
        ConflictKind::Submodule,
        ConflictKind::Kind,
        ConflictKind::Mode,
        ConflictKind::DeletedUpstream,
        ConflictKind::DeletedHere,
        ConflictKind::RenamedHereDeletedUpstream { from: from() },
        ConflictKind::DeletedHereRenamedUpstream { from: from() },
        ConflictKind::RenamedApart { from: from(), upstream: b"new".to_vec() },
        ConflictKind::InTheWay { beside: Some(from()) },
        ConflictKind::InTheWay { beside: None },
    ];
    let sentences: BTreeSet<String> = kinds.map(conflict).map(|c| c.describe()).into();
    assert_eq!(sentences.len(), 15);
    for sentence in sentences {
        assert!(!sentence.contains(['\n', '\u{1b}']) && !sentence.ends_with('.'), "{sentence}");
        assert!(sentence.starts_with(char::is_lowercase), "{sentence}");
    }
}
