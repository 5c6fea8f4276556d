//! Laws that hold for every merge.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::memory::Memory;
use super::super::*;
use super::scenario::{Scenario, scenarios, stored};
use crate::sync::proof::{prove_copy, prove_merge};

fn never(_: &[u8]) -> bool {
    false
}

fn in_memory(scenario: &Scenario) -> (Memory, [Files; 3]) {
    let mut memory = Memory::default();
    let trees = [&scenario.base, &scenario.ours, &scenario.theirs];
    let files = trees.map(|tree| stored(tree, |content| memory.add(content)));
    (memory, files)
}

/// Returns all lines of a directory, however they end.
fn lines(memory: &Memory, files: &Files) -> BTreeSet<Vec<u8>> {
    let contents = files.values().filter_map(|entry| memory.blobs.get(&entry.id));
    let trimmed = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    let all = contents.flat_map(|content| content.split(|byte| *byte == b'\n').map(trimmed));
    all.filter(|line| !line.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_side_that_changed_nothing_leaves_the_other_as_it_is(scenario in scenarios(true)) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let merge = three_way(&mut memory, &base, &base, &theirs, &never).unwrap();
        prop_assert_eq!(merge, Merge { files: theirs.clone(), ..Merge::default() });
        let merge = three_way(&mut memory, &base, &ours, &base, &never).unwrap();
        prop_assert_eq!(merge, Merge { files: ours.clone(), ..Merge::default() });
        let merge = three_way(&mut memory, &base, &ours, &ours, &never).unwrap();
        prop_assert_eq!(merge, Merge { files: ours, ..Merge::default() });
        prop_assert_eq!(memory.unannounced, BTreeSet::new());
    }

    #[test]
    fn merging_twice_changes_nothing_more(scenario in scenarios(true)) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let merge = three_way(&mut memory, &base, &ours, &theirs, &never).unwrap();
        let again = three_way(&mut memory, &theirs, &merge.files, &theirs, &never).unwrap();
        prop_assert_eq!(again, Merge { files: merge.files, ..Merge::default() });
    }

    #[test]
    fn what_merges_cleanly_merges_to_the_same_from_the_other_side(scenario in scenarios(true)) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let one = three_way(&mut memory, &base, &ours, &theirs, &never).unwrap();
        let other = three_way(&mut memory, &base, &theirs, &ours, &never).unwrap();
        prop_assert_eq!(one.conflicts.is_empty(), other.conflicts.is_empty());
        if one.conflicts.is_empty() {
            prop_assert_eq!(one.files, other.files);
        }
    }

    #[test]
    fn no_line_is_lost_that_one_side_added_or_both_kept(scenario in scenarios(true)) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let merge = three_way(&mut memory, &base, &ours, &theirs, &never).unwrap();
        let result = lines(&memory, &merge.files);
        // What is no text on one side stays ours, and is listed.
        let mut listed = theirs.clone();
        let is_unmarked = |path: &Vec<u8>| {
            let kinds = [
                ConflictKind::Binary, ConflictKind::Kind, ConflictKind::Symlink,
            ];
            merge.conflicts.iter().any(|c| c.path == *path && kinds.contains(&c.kind))
                // A renamed file is listed under its new name.
                || merge.renames.iter().any(|rename| {
                    rename.from == *path
                        && merge.conflicts.iter().any(|c| c.path == rename.to && !c.marked)
                })
        };
        listed.retain(|path, _| is_unmarked(path));
        let left_out = lines(&memory, &listed);
        let [before, here, upstream] = [&base, &ours, &theirs].map(|files| lines(&memory, files));
        for line in here.difference(&before) {
            prop_assert!(result.contains(line), "ours: {}", String::from_utf8_lossy(line));
        }
        for line in upstream.difference(&before).chain(here.intersection(&upstream)) {
            let kept = result.contains(line) || left_out.contains(line);
            prop_assert!(kept, "theirs: {}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_merge_is_proven_and_none_that_was_spoiled(
        scenario in scenarios(true),
        preserved in prop::collection::vec(any::<Index>(), 0..3),
        (victim, how) in (any::<Index>(), 0..4_u8),
    ) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let all: Vec<Vec<u8>> = ours.keys().chain(theirs.keys()).cloned().collect();
        let kept: BTreeSet<&[u8]> = preserved
            .iter()
            .filter(|_| !all.is_empty())
            .map(|index| index.get(&all).as_slice())
            .collect();
        let preserve = |path: &[u8]| kept.contains(path);
        let merge = three_way(&mut memory, &base, &ours, &theirs, &preserve).unwrap();
        prop_assert_eq!(&memory.unannounced, &BTreeSet::new());
        prop_assert!(merge.conflicts.is_sorted());
        let found = prove_merge(&mut memory, &base, &ours, &theirs, &merge, &preserve).unwrap();
        prop_assert_eq!(found, vec![]);
        let copied = copy(&ours, &theirs, &preserve);
        prop_assert_eq!(prove_copy(&ours, &theirs, &copied, &preserve), vec![]);

        let strange = memory.add(b"strange\n");
        let mut spoiled = merge.clone();
        for files in [&mut spoiled.files, &mut copied.clone()] {
            let before = files.clone();
            spoil(files, &victim, how, strange);
            prop_assert_ne!(&*files, &before);
        }
        let found = prove_merge(&mut memory, &base, &ours, &theirs, &spoiled, &preserve).unwrap();
        prop_assert_ne!(found, vec![]);
        let mut copied = copied;
        spoil(&mut copied, &victim, how, strange);
        prop_assert_ne!(prove_copy(&ours, &theirs, &copied, &preserve), vec![]);
    }

    #[test]
    fn a_conflict_that_is_not_told_is_found_out(scenario in scenarios(true), which in any::<Index>()) {
        let (mut memory, [base, ours, theirs]) = in_memory(&scenario);
        let mut merge = three_way(&mut memory, &base, &ours, &theirs, &never).unwrap();
        if merge.conflicts.is_empty() {
            return Ok(());
        }
        let dropped = merge.conflicts.remove(which.index(merge.conflicts.len()));
        let found = prove_merge(&mut memory, &base, &ours, &theirs, &merge, &never).unwrap();
        // These are told beyond what the directories demand.
        let is_extra = matches!(
            dropped.kind,
            ConflictKind::RenamedApart { .. }
                | ConflictKind::RenamedHereDeletedUpstream { .. }
                | ConflictKind::DeletedHereRenamedUpstream { .. }
        );
        prop_assert!(is_extra || !found.is_empty(), "{dropped:?}");
    }
}

/// Takes one entry away, or changes its mode or content, or adds one.
fn spoil(files: &mut Files, victim: &Index, how: u8, strange: ObjectId) {
    use crate::git::files::Mode;
    let paths: Vec<Vec<u8>> = files.keys().cloned().collect();
    let entry = Entry { mode: Mode::File, id: strange };
    let path = match how {
        0..=2 if !paths.is_empty() => victim.get(&paths).clone(),
        _ => b"strange".to_vec(),
    };
    match (how, files.get_mut(&path)) {
        (0, Some(_)) => drop(files.remove(&path)),
        (1, Some(entry)) => {
            entry.mode = if entry.mode == Mode::File { Mode::Executable } else { Mode::File };
        }
        (2, Some(entry)) => entry.id = strange,
        _ => drop(files.insert(path, entry)),
    }
}
