//! Results that are broken on purpose, each found out.

use pretty_assertions::assert_eq;

use super::Fault::*;
use super::*;
use crate::git::files::ObjectId;
use crate::sync::merge::memory::{Memory, Spoil};
use crate::sync::merge::{copy, three_way};

/// Breaks a result.
type Break = fn(&mut Memory, &mut Merge);

struct Case {
    fault: &'static str,
    base: &'static str,
    ours: &'static str,
    theirs: &'static str,
    spoiled: Break,
    found: &'static [(&'static str, Fault)],
}

fn put(memory: &mut Memory, merge: &mut Merge, text: &str) {
    merge.files.extend(memory.files(text));
}

fn drop_file(merge: &mut Merge, path: &str) {
    assert!(merge.files.remove(path.as_bytes()).is_some(), "{path} is not there");
}

fn list(merge: &mut Merge, path: &str, kind: ConflictKind, marked: bool) {
    merge.conflicts.push(Conflict { path: path.into(), kind, marked });
}

/// The path `kept` is preserved.
fn preserve(path: &[u8]) -> bool {
    path == b"kept"
}

fn check(cases: &[Case]) {
    for Case { fault, base, ours, theirs, spoiled, found } in cases {
        let mut memory = Memory::default();
        let [base, ours, theirs] = [base, ours, theirs].map(|text| memory.files(text));
        let mut merge = three_way(&mut memory, &base, &ours, &theirs, &preserve).unwrap();
        let prove = |merge: &Merge, memory: &mut Memory| {
            let found = prove_merge(memory, &base, &ours, &theirs, merge, &preserve).unwrap();
            let found = found.into_iter().map(|v| (String::from_utf8(v.path).unwrap(), v.fault));
            found.collect::<Vec<_>>()
        };
        assert_eq!(prove(&merge, &mut memory), vec![], "before: {fault}");
        spoiled(&mut memory, &mut merge);
        let expected: Vec<_> = found.iter().map(|(path, fault)| ((*path).into(), *fault)).collect();
        assert_eq!(prove(&merge, &mut memory), expected, "{fault}");
    }
}

#[test]
fn a_wrong_entry_is_found_out() {
    check(&[
        Case {
            fault: "an edit from upstream is dropped",
            base: "a=1",
            ours: "a=1",
            theirs: "a=2",
            spoiled: |memory, merge| put(memory, merge, "a=1"),
            found: &[("a", Content)],
        },
        Case {
            fault: "an edit of here is dropped",
            base: "a=1",
            ours: "a=2",
            theirs: "a=1",
            spoiled: |memory, merge| put(memory, merge, "a=1"),
            found: &[("a", Content)],
        },
        Case {
            fault: "a deletion from upstream is undone",
            base: "a=1",
            ours: "a=1",
            theirs: "",
            spoiled: |memory, merge| put(memory, merge, "a=1"),
            found: &[("a", Unexpected)],
        },
        Case {
            fault: "what both deleted is back",
            base: "a=1",
            ours: "",
            theirs: "",
            spoiled: |memory, merge| put(memory, merge, "a=1"),
            found: &[("a", Unexpected)],
        },
        Case {
            fault: "an addition is lost",
            base: "",
            ours: "",
            theirs: "x/a=1",
            spoiled: |_, merge| drop_file(merge, "x/a"),
            found: &[("x/a", Missing)],
        },
        Case {
            fault: "a file of here is deleted",
            base: "",
            ours: "a=1",
            theirs: "",
            spoiled: |_, merge| drop_file(merge, "a"),
            found: &[("a", Missing)],
        },
        Case {
            fault: "a mode is lost",
            base: "a=1",
            ours: "a=2",
            theirs: "a*=1",
            spoiled: |memory, merge| put(memory, merge, "a=2"),
            found: &[("a", Mode)],
        },
        Case {
            fault: "the content of another path",
            base: "a=1 b=2",
            ours: "a=1 b=2",
            theirs: "a=3 b=4",
            spoiled: |memory, merge| put(memory, merge, "a=4"),
            found: &[("a", Content)],
        },
        Case {
            fault: "a file that nobody has",
            base: "a=1",
            ours: "a=1",
            theirs: "a=1",
            spoiled: |memory, merge| put(memory, merge, "b=1"),
            found: &[("b", Unexpected)],
        },
        Case {
            fault: "a link became a file with its target",
            base: "",
            ours: "",
            theirs: "a@=x",
            spoiled: |_, merge| {
                merge.files.get_mut(b"a".as_slice()).unwrap().mode = super::Mode::File;
            },
            found: &[("a", Mode)],
        },
        Case {
            fault: "a submodule at another commit",
            base: "a#=1",
            ours: "a#=1",
            theirs: "a#=2",
            spoiled: |memory, merge| put(memory, merge, "a#=3"),
            found: &[("a", Content)],
        },
        Case {
            fault: "a preserved file is changed",
            base: "kept=1",
            ours: "kept=2",
            theirs: "kept=3",
            spoiled: |memory, merge| put(memory, merge, "kept=3"),
            found: &[("kept", Preserved)],
        },
        Case {
            fault: "a preserved file is deleted",
            base: "kept=1",
            ours: "kept=1",
            theirs: "",
            spoiled: |_, merge| drop_file(merge, "kept"),
            found: &[("kept", Preserved)],
        },
        Case {
            fault: "a preserved path is written",
            base: "",
            ours: "",
            theirs: "kept=3",
            spoiled: |memory, merge| put(memory, merge, "kept=3"),
            found: &[("kept", Preserved)],
        },
        Case {
            fault: "a file and a directory at once",
            base: "",
            ours: "a=1",
            theirs: "",
            spoiled: |memory, merge| put(memory, merge, "a/b=1 a-=1"),
            found: &[("a", TwoKinds), ("a-", Unexpected), ("a/b", Unexpected)],
        },
    ]);
}

#[test]
fn a_wrongly_merged_file_is_found_out() {
    check(&[
        Case {
            fault: "only one side's lines",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "a=1,2,3,4",
            spoiled: |memory, merge| put(memory, merge, "a=0,1,2,3"),
            found: &[("a", Content)],
        },
        Case {
            fault: "the base, where both changed it",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "a=1,2,3,4",
            spoiled: |memory, merge| put(memory, merge, "a=1,2,3"),
            found: &[("a", Content)],
        },
        Case {
            fault: "a conflict that is not listed",
            base: "a=1",
            ours: "a=2",
            theirs: "a=3",
            spoiled: |_, merge| merge.conflicts.clear(),
            found: &[("a", Unlisted)],
        },
        Case {
            fault: "a conflict that is listed as one of another kind, with ours in its place",
            base: "a=1",
            ours: "a=2",
            theirs: "a=3",
            spoiled: |memory, merge| {
                put(memory, merge, "a=2");
                merge.conflicts.clear();
                list(merge, "a", ConflictKind::Binary, false);
            },
            found: &[("a", Content), ("a", Unlisted), ("a", Unfounded)],
        },
        Case {
            fault: "a change passed off as a conflict",
            base: "a=1",
            ours: "a=1",
            theirs: "a=3",
            spoiled: |memory, merge| {
                put(memory, merge, "a=1");
                list(merge, "a", ConflictKind::Binary, false);
            },
            found: &[("a", Content), ("a", Unfounded)],
        },
        Case {
            fault: "markers that are not said to be there",
            base: "a=1",
            ours: "a=2",
            theirs: "a=3",
            spoiled: |_, merge| merge.conflicts[0].marked = false,
            found: &[("a", Unlisted), ("a", Unfounded)],
        },
        Case {
            fault: "what was changed here and deleted upstream is gone",
            base: "a=1",
            ours: "a=2",
            theirs: "",
            spoiled: |_, merge| drop_file(merge, "a"),
            found: &[("a", Missing)],
        },
        Case {
            fault: "a new conflict of modes is not listed",
            base: "",
            ours: "a=1",
            theirs: "a*=1",
            spoiled: |_, merge| merge.conflicts.clear(),
            found: &[("a", Unlisted)],
        },
    ]);
}

#[test]
fn a_false_claim_is_found_out() {
    check(&[
        Case {
            fault: "changes follow to a file that is another one",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "b=7,8,9",
            spoiled: |_, merge| {
                drop_file(merge, "a");
                merge.conflicts.clear();
                let by = Renamer::Theirs;
                merge.renames.push(Rename { from: b"a".to_vec(), to: b"b".to_vec(), by });
            },
            found: &[("a", Missing), ("a", Unlisted), ("b", RenameUntrue)],
        },
        Case {
            fault: "one file renamed to two",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "b=1,2,3 c=1,2,3",
            spoiled: |_, merge| {
                let by = Renamer::Theirs;
                merge.renames.push(Rename { from: b"a".to_vec(), to: b"c".to_vec(), by });
            },
            found: &[("c", RenameUntrue)],
        },
        Case {
            fault: "the changes did not follow",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "b=1,2,3",
            spoiled: |memory, merge| put(memory, merge, "b=1,2,3"),
            found: &[("b", Content)],
        },
        Case {
            fault: "the changes followed, and the old name is still there",
            base: "a=1,2,3",
            ours: "a=0,1,2,3",
            theirs: "b=1,2,3",
            spoiled: |memory, merge| put(memory, merge, "a=0,1,2,3"),
            found: &[("a", Unexpected)],
        },
        Case {
            fault: "a renaming that nobody did",
            base: "a=1",
            ours: "a=1",
            theirs: "a=1",
            spoiled: |_, merge| {
                let by = Renamer::Ours;
                merge.renames.push(Rename { from: b"a".to_vec(), to: b"b".to_vec(), by });
                list(
                    merge,
                    "a",
                    ConflictKind::RenamedHereDeletedUpstream { from: b"a".into() },
                    false,
                );
                let upstream = b"c".to_vec();
                list(merge, "b", ConflictKind::RenamedApart { from: b"a".into(), upstream }, false);
            },
            found: &[("a", Unfounded), ("b", Unfounded), ("b", RenameUntrue)],
        },
        Case {
            fault: "a file moved aside without a reason",
            base: "",
            ours: "",
            theirs: "a=1",
            spoiled: |memory, merge| {
                drop_file(merge, "a");
                put(memory, merge, "a~upstream=1");
                let beside = Some(b"a~upstream".to_vec());
                list(merge, "a", ConflictKind::InTheWay { beside }, false);
            },
            found: &[("a", Missing), ("a", MoveUntrue), ("a~upstream", Unexpected)],
        },
        Case {
            fault: "a file moved over another one",
            base: "",
            ours: "a/b=1 c=1",
            theirs: "a=2",
            spoiled: |memory, merge| {
                drop_file(merge, "a~upstream");
                put(memory, merge, "c=2");
                merge.conflicts.clear();
                let beside = Some(b"c".to_vec());
                list(merge, "a", ConflictKind::InTheWay { beside }, false);
            },
            found: &[("a", Missing), ("a", MoveUntrue), ("c", Content)],
        },
        Case {
            fault: "what was moved aside is gone",
            base: "",
            ours: "a/b=1",
            theirs: "a=2",
            spoiled: |_, merge| drop_file(merge, "a~upstream"),
            found: &[("a~upstream", Missing)],
        },
        Case {
            fault: "ours gave way to upstream's file",
            base: "",
            ours: "a/b=1",
            theirs: "a=2",
            spoiled: |memory, merge| {
                merge.files.clear();
                put(memory, merge, "a=2");
                merge.conflicts.clear();
            },
            found: &[("a/b", Missing)],
        },
    ]);
}

#[test]
fn a_broken_merge_of_lines_is_found_out_by_its_lines() {
    let cases: [(&str, Spoil, &str, &str, Fault); 5] = [
        (
            "loses a line",
            |kind, _| (kind, b"1\n2\n3\n4\n".to_vec()),
            "0,1,2,3",
            "1,2,3,4",
            LineLost,
        ),
        (
            "invents a line",
            |kind, content| (kind, [content.as_slice(), b"z\n"].concat()),
            "0,1,2,3",
            "1,2,3,4",
            LineInvented,
        ),
        (
            "loses a line of a conflict",
            |kind, content| (kind, content.split_at(content.len() / 2).0.to_vec()),
            "1,x,3",
            "1,y,3",
            LineLost,
        ),
        (
            "calls a conflict clean",
            |kind, content| match kind {
                FileMerge::Conflict { id } => (FileMerge::Clean { id }, content),
                kind => (kind, content),
            },
            "1,x,3",
            "1,y,3",
            MarkerLeft,
        ),
        (
            "calls a clean merge a conflict",
            |_, content| {
                let id = ObjectId::ZERO_SHA1;
                (FileMerge::Conflict { id }, content)
            },
            "0,1,2,3",
            "1,2,3,4",
            MarkerMissing,
        ),
    ];
    for (name, spoil, ours, theirs, expected) in cases {
        let mut memory = Memory { spoil: Some(spoil), ..Memory::default() };
        let [base, ours, theirs] =
            ["1,2,3", ours, theirs].map(|text| memory.files(&format!("a={text}")));
        let merge = three_way(&mut memory, &base, &ours, &theirs, &preserve).unwrap();
        let found = prove_merge(&mut memory, &base, &ours, &theirs, &merge, &preserve).unwrap();
        let found: Vec<Fault> = found.into_iter().map(|violation| violation.fault).collect();
        assert!(found.contains(&expected), "{name}: {found:?}");
    }
}

#[test]
fn a_wrong_copy_is_found_out() {
    type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, Fault)]);
    let cases: &[Row<'_>] = &[
        ("a=1 kept=1", "a=2 kept=2", "a=2 kept=1", &[]),
        ("a=1 kept=1", "a=2 kept=2", "a=2 kept=2", &[("kept", Preserved)]),
        ("a=1 kept=1", "a=2", "a=2", &[("kept", Preserved)]),
        ("a=1", "kept=2", "kept=2", &[("kept", Preserved)]),
        ("a=1 b=1", "a=2", "a=2 b=1", &[("b", Unexpected)]),
        ("a=1", "a=2", "a=1", &[("a", Content)]),
        ("a=1", "a*=1", "a=1", &[("a", Mode)]),
        ("a=1", "a=1 b=2", "a=1", &[("b", Missing)]),
        ("kept=1", "kept/a=2", "kept=1 kept/a=2", &[("kept", TwoKinds), ("kept/a", Unexpected)]),
        ("kept=1", "kept/a=2", "kept=1", &[]),
    ];
    for (ours, theirs, result, expected) in cases {
        let mut memory = Memory::default();
        let [ours, theirs, result] = [ours, theirs, result].map(|text| memory.files(text));
        let mut found = prove_copy(&ours, &theirs, &result, &preserve);
        found.sort();
        let found: Vec<_> =
            found.into_iter().map(|v| (String::from_utf8(v.path).unwrap(), v.fault)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(path, fault)| ((*path).to_owned(), *fault)).collect();
        assert_eq!(found, expected, "{}", memory.shown(&result));
        let right = copy(&ours, &theirs, &preserve);
        assert_eq!(prove_copy(&ours, &theirs, &right, &preserve), vec![]);
    }
}

#[test]
fn a_violation_says_where_and_what() {
    let told = |path: &[u8], fault| Violation { path: path.to_vec(), fault }.to_string();
    assert_eq!(told(b"a\n", Missing), "a\\n should be there and is not");
    assert_eq!(told(b"", Mode), "the feature has a mode that the two sides do not make");
}

#[test]
fn ten_thousand_files_with_one_change_are_merged_and_proven_in_no_time() {
    let mut memory = Memory::default();
    let tree: Vec<String> = (0..10_000).map(|n| format!("d{}/e/f{n}={n}", n % 100)).collect();
    let base = memory.files(&tree.join(" "));
    let (ours, mut theirs) = (base.clone(), base.clone());
    theirs.extend(memory.files("d1/e/f1=x"));
    let start = std::time::Instant::now();
    let merge = three_way(&mut memory, &base, &ours, &theirs, &preserve).unwrap();
    assert_eq!(merge.files, theirs);
    assert_eq!(prove_merge(&mut memory, &base, &ours, &theirs, &merge, &preserve), Ok(vec![]));
    assert_eq!(copy(&ours, &theirs, &preserve), theirs);
    assert_eq!(prove_copy(&ours, &theirs, &theirs, &preserve), vec![]);
    assert_eq!(memory.prepared.len(), 0);
    // Some milliseconds when optimized; what is quadratic takes minutes.
    assert!(start.elapsed() < std::time::Duration::from_secs(3));
}
