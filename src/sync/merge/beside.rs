//! A file where the other side has a directory of the same name. A tree cannot hold both: what is
//! here stays, and what came from upstream is put beside, as `NAME~upstream`, so that nothing is
//! lost and a person can decide.

use std::collections::BTreeMap;

use super::{Conflict, ConflictKind};
use crate::git::files::Files;

/// What is put after the name of what is moved aside.
const MARK: &[u8] = b"~upstream";

/// Moves aside what cannot stay in `files`, and lists it.
pub(super) fn settle(
    files: &mut Files,
    conflicts: &mut Vec<Conflict>,
    ours: &Files,
    preserve: &dyn Fn(&[u8]) -> bool,
) {
    for (path, is_here) in clashes(files, ours) {
        let moved: Vec<Vec<u8>> = if is_here {
            below(files, &path).map(|(path, _)| path.clone()).collect()
        } else {
            vec![path.clone()]
        };
        let beside = (!path.is_empty()).then(|| free_name(files, &path, &moved, preserve));
        let mut places = BTreeMap::new();
        for old in moved {
            let Some(entry) = files.remove(&old) else { continue };
            let new = beside.as_ref().map(|beside| moved_to(&path, &old, beside));
            if let Some(new) = &new {
                files.insert(new.clone(), entry);
            }
            places.insert(old, new);
        }
        for conflict in &mut *conflicts {
            match places.get(&conflict.path) {
                Some(Some(new)) => conflict.path.clone_from(new),
                Some(None) => conflict.marked = false,
                None => {}
            }
        }
        conflicts.push(Conflict { path, kind: ConflictKind::InTheWay { beside }, marked: false });
    }
}

/// Returns each path that is both a file and a directory, and whether the file is the one that is
/// here.
fn clashes(files: &Files, ours: &Files) -> Vec<(Vec<u8>, bool)> {
    let mut clashes = BTreeMap::new();
    let mut last: &[u8] = &[];
    if files.len() > 1 && files.contains_key(last) {
        clashes.insert(Vec::new(), ours.contains_key(last));
    }
    for path in files.keys() {
        let directory = parent(path);
        if directory == last {
            continue;
        }
        last = directory;
        let mut above = directory;
        while !above.is_empty() {
            if files.contains_key(above) {
                clashes.insert(above.to_vec(), ours.contains_key(above));
            }
            above = parent(above);
        }
    }
    clashes.into_iter().collect()
}

/// Returns the directory of a path, empty for the root.
fn parent(path: &[u8]) -> &[u8] {
    let at = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    path.get(..at).unwrap_or_default()
}

/// Returns what lies below a path; below the empty one all but itself.
fn below<'a>(
    files: &'a Files,
    path: &[u8],
) -> impl Iterator<Item = (&'a Vec<u8>, &'a crate::git::files::Entry)> + use<'a> {
    let mut prefix = path.to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    let start = prefix.clone();
    files
        .range(start..)
        .take_while(move |(path, _)| path.starts_with(&prefix))
        .filter(|(path, _)| !path.is_empty())
}

/// Returns the place of what was at `old`, now that `path` is at `beside`.
fn moved_to(path: &[u8], old: &[u8], beside: &[u8]) -> Vec<u8> {
    [beside, old.strip_prefix(path).unwrap_or_default()].concat()
}

/// Returns a name beside `path` that nothing has and that may be written.
fn free_name(
    files: &Files,
    path: &[u8],
    moved: &[Vec<u8>],
    preserve: &dyn Fn(&[u8]) -> bool,
) -> Vec<u8> {
    let wanted = [path, MARK].concat();
    let mut name = wanted.clone();
    let mut count = 0_usize;
    while files.contains_key(&name)
        || below(files, &name).next().is_some()
        // A pattern that holds for every name would have held for what is moved.
        || (count < 100 && moved.iter().any(|old| preserve(&moved_to(path, old, &name))))
    {
        name = [wanted.as_slice(), format!("_{count}").as_bytes()].concat();
        count += 1;
    }
    name
}
