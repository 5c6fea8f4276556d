//! What stands at HEAD near a path that is not there: the path that was meant, if it can be told,
//! else what there is instead. The cost of a question is bounded, however large a directory is.

use std::cmp::Reverse;

use super::tree::{Kind, Node, Tree};
use crate::text;

/// How many paths are shown.
const SHOWN: usize = 3;

/// How many entries of a directory, or places of a name, are looked at.
const LOOKED_AT: usize = 1000;

/// How many names of a directory are compared with a missing one, letter by letter.
const COMPARED: usize = 2000;

/// How many letters are compared for one directory when the tree has no more patience.
const AT_LEAST: usize = 20_000;

/// The longest name of which the edits are counted, in bytes; it costs the square of it.
const EDITED: usize = 64;

/// The shortest beginning or end that two names must share to be related.
const RELATED: usize = 3;

/// What can be said of a path that is not at HEAD.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Nearest<'t> {
    /// Paths that may have been meant, the nearest first.
    Paths(Vec<&'t [u8]>),
    /// Paths elsewhere that end in the whole of it: its first directories were forgotten.
    Ends(Vec<&'t [u8]>),
    /// It lies below a file or a submodule, or is one where a directory is wanted.
    NoDirectory { path: &'t [u8], kind: Kind },
    /// The deepest directory of it that is there, with some of what it holds and how much more.
    Holds { directory: &'t [u8], entries: Vec<&'t [u8]>, more: usize },
}

/// Returns what stands near `target`, which is not at HEAD (or not as a directory, where one is
/// wanted); the empty path is the root, of which only what it holds can be said.
pub(super) fn nearest<'t>(tree: &'t Tree<'_>, target: &[u8], directory: bool) -> Nearest<'t> {
    let names: Vec<&[u8]> = target.split(|byte| *byte == b'/').filter(|n| !n.is_empty()).collect();
    let Some(deepest) = deepest(tree, &names) else {
        return Nearest::Holds { directory: b"", entries: Vec::new(), more: 0 };
    };
    if names.is_empty() {
        return holds(tree, deepest);
    }
    if deepest.kind == Kind::Submodule {
        return Nearest::NoDirectory { path: deepest.path, kind: deepest.kind };
    }
    let ends = same_end(tree, &names, directory);
    if let Some((shared, _)) = ends.first()
        && *shared == names.len()
        && names.len() > 1
    {
        return Nearest::Ends(ends.into_iter().map(|(_, path)| path).collect());
    }
    if deepest.kind == Kind::File {
        return Nearest::NoDirectory { path: deepest.path, kind: deepest.kind };
    }
    let (respelled, whole) = respelled(tree, &names, directory);
    let mut paths: Vec<&[u8]> = if whole { respelled.clone() } else { Vec::new() };
    // A name that many places share says little of what was meant.
    let telling = |shared: usize| shared > 1 || names.len() == 1 || (!whole && ends.len() < SHOWN);
    let ends = ends.iter().filter(|(shared, _)| telling(*shared)).map(|(_, path)| *path);
    paths.extend(ends);
    if paths.is_empty() {
        paths = respelled;
    }
    let mut distinct: Vec<&[u8]> = Vec::new();
    for path in paths {
        if !distinct.contains(&path) && distinct.len() < SHOWN {
            distinct.push(path);
        }
    }
    if distinct.is_empty() { holds(tree, deepest) } else { Nearest::Paths(distinct) }
}

/// Returns what a directory holds: the directories first.
pub(super) fn holds<'t>(tree: &'t Tree<'_>, directory: &'t Node<'_>) -> Nearest<'t> {
    let looked_at = directory.children.iter().take(LOOKED_AT);
    let mut nodes: Vec<&Node<'_>> = looked_at.filter_map(|id| tree.node(*id)).collect();
    nodes.sort_by_key(|node| node.kind == Kind::File);
    let entries: Vec<&[u8]> = nodes.iter().take(SHOWN).map(|node| node.path).collect();
    let more = directory.children.len().saturating_sub(entries.len());
    Nearest::Holds { directory: directory.path, entries, more }
}

/// Returns the last node on the way to a path.
fn deepest<'t, 'p>(tree: &'t Tree<'p>, names: &[&[u8]]) -> Option<&'t Node<'p>> {
    let (_, mut at) = tree.find(b"")?;
    for name in names {
        match tree.child(at, name) {
            Some((_, next)) => at = next,
            None => break,
        }
    }
    Some(at)
}

/// Returns places elsewhere whose path ends in the same names, with how many those are; the most
/// first, and of those the shortest paths.
fn same_end<'t>(tree: &'t Tree<'_>, names: &[&[u8]], directory: bool) -> Vec<(usize, &'t [u8])> {
    let Some(last) = names.last() else { return Vec::new() };
    let shared = |path: &[u8]| {
        let theirs = path.rsplit(|byte| *byte == b'/');
        names.iter().rev().zip(theirs).take_while(|(ours, theirs)| *ours == theirs).count()
    };
    let fits = |node: &&Node<'_>| !directory || node.is_like_directory();
    let named = tree.named(last).take(LOOKED_AT).map(|(_, node)| node).filter(fits);
    let mut ends: Vec<(usize, &[u8])> = named.map(|node| (shared(node.path), node.path)).collect();
    ends.sort_by_key(|(shared, path)| (Reverse(*shared), path.len(), *path));
    let most = ends.first().map_or(0, |(shared, _)| *shared);
    ends.retain(|(shared, _)| *shared == most);
    ends.truncate(SHOWN);
    ends
}

/// Returns the paths that become of the names when each one that is missing is replaced by those
/// that stand nearest to it in its directory, and whether all names were found so; if not, the way
/// ends where a name has none near to it.
fn respelled<'t>(tree: &'t Tree<'_>, names: &[&[u8]], directory: bool) -> (Vec<&'t [u8]>, bool) {
    let Some((_, root)) = tree.find(b"") else { return (Vec::new(), false) };
    let mut ways: Vec<(usize, &Node<'_>)> = vec![(0, root)];
    for (at, name) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        let wanted = |node: &Node<'_>| {
            if is_last {
                !directory || node.is_like_directory()
            } else {
                node.kind == Kind::Directory
            }
        };
        let mut next: Vec<(usize, &Node<'_>)> = Vec::new();
        for (distance, way) in &ways {
            match tree.child(way, name) {
                Some((_, child)) if wanted(child) => next.push((*distance, child)),
                _ => {
                    let near = near(tree, way, name).into_iter().filter(|(_, node)| wanted(node));
                    next.extend(near.take(SHOWN).map(|(more, node)| (distance + more, node)));
                }
            }
        }
        if next.is_empty() {
            // Where nothing was replaced, this is what is there anyway.
            ways.retain(|(distance, _)| *distance > 0);
            return (ways.into_iter().map(|(_, node)| node.path).collect(), false);
        }
        next.sort_by_key(|(distance, node)| (*distance, node.path));
        next.truncate(SHOWN);
        ways = next;
    }
    (ways.into_iter().map(|(_, node)| node.path).collect(), true)
}

/// Returns what in a directory has a name near to this one, the nearest first.
fn near<'t, 'p>(
    tree: &'t Tree<'p>,
    directory: &Node<'p>,
    name: &[u8],
) -> Vec<(usize, &'t Node<'p>)> {
    let name = String::from_utf8_lossy(name);
    // In a very large directory only the names that stand around it.
    let children = directory.children.as_slice();
    let middle = children
        .partition_point(|id| tree.node(*id).is_some_and(|node| node.name() < name.as_bytes()));
    let each = name.len().min(EDITED).pow(2).max(1);
    let compared = if tree.spend(children.len().min(COMPARED) * each) {
        COMPARED
    } else {
        (AT_LEAST / each).max(1)
    };
    let from = middle.saturating_sub(compared / 2).min(children.len().saturating_sub(compared));
    let around = children.iter().skip(from).take(compared);
    let mut near: Vec<(usize, &Node<'p>)> = around
        .filter_map(|id| tree.node(*id))
        .filter_map(|node| Some((distance(&name, node.name())?, node)))
        .collect();
    near.sort_by_key(|(distance, node)| (*distance, node.path));
    near
}

/// Returns how many edits two names are apart when one may be meant by the other: few, or where one
/// is the beginning or the end of the other.
fn distance(wanted: &str, name: &[u8]) -> Option<usize> {
    let most = name.len().max(3) / 3;
    if wanted.len().abs_diff(name.len()) <= 4 * most && wanted.len().max(name.len()) <= EDITED {
        let name = String::from_utf8_lossy(name);
        let edits = text::edit_distance(wanted, &name);
        let longer = name.chars().count().max(wanted.chars().count());
        // Some letter must be left: any name of one letter is one edit away from any other.
        if edits <= name.chars().count().max(3) / 3 && edits < longer {
            return Some(edits.max(1));
        }
    }
    let wanted = wanted.as_bytes();
    let part = |long: &[u8], short: &[u8]| {
        short.len() >= RELATED && (long.starts_with(short) || long.ends_with(short))
    };
    (part(wanted, name) || part(name, wanted)).then(|| wanted.len().abs_diff(name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::ChangedPath;

    const HEAD: [&str; 9] = [
        "README.md",
        "docs/guide/a.md",
        "docs/guide/b.md",
        "features/pwa/flask/app.py",
        "features/webpush/django/x.py",
        "features/webpush/flask/app.py",
        "features/webpush-v2/x.py",
        "tools/lint/run.sh",
        "vendor/lib@",
    ];

    fn said(target: &str, directory: bool) -> String {
        let path = |path: &&str| ChangedPath {
            path: path.trim_end_matches('@').as_bytes().to_vec(),
            submodule: path.ends_with('@'),
        };
        let mut paths: Vec<ChangedPath> = HEAD.iter().map(path).collect();
        paths.sort();
        let tree = Tree::new(&paths);
        let list = |paths: &[&[u8]]| {
            let paths: Vec<_> = paths.iter().map(|path| String::from_utf8_lossy(path)).collect();
            paths.join(" ")
        };
        match nearest(&tree, target.as_bytes(), directory) {
            Nearest::Paths(paths) => list(&paths),
            Nearest::Ends(paths) => format!("ends: {}", list(&paths)),
            Nearest::NoDirectory { path, kind } => format!("{kind:?}: {}", list(&[path])),
            Nearest::Holds { directory, entries, more } => {
                format!("{} holds: {} +{more}", list(&[directory]), list(&entries))
            }
        }
    }

    #[test]
    fn the_path_that_was_meant_is_found() {
        for (target, directory, expected) in [
            ("features/webpsh/flask", false, "features/webpush/flask"),
            ("featrues/webpush/flsk", false, "features/webpush/flask"),
            ("features/webpush/flask-app", false, "features/webpush/flask"),
            ("features/webpushing", false, "features/webpush features/webpush-v2"),
            ("webpush/flask", false, "ends: features/webpush/flask"),
            ("lint", false, "tools/lint"),
            ("old/webpush/flask", false, "features/webpush/flask"),
            ("featrues/webpush/rails", false, "features/webpush"),
            ("REDME.md", false, "README.md"),
            ("docs/guide/a.md", true, "File: docs/guide/a.md"),
            ("docs/guide/a.md/x", false, "File: docs/guide/a.md"),
            ("vendor/lib/src", false, "Submodule: vendor/lib"),
            ("vendor/lib", true, "Submodule: vendor/lib"),
            (
                "features/webpush/rails",
                false,
                "features/webpush holds: features/webpush/django features/webpush/flask +0",
            ),
            ("zzz", false, " holds: docs features tools +2"),
            ("", true, " holds: docs features tools +2"),
        ] {
            assert_eq!(said(target, directory), expected, "{target}");
        }
    }

    #[test]
    fn names_without_a_letter_in_common_are_not_near() {
        for (wanted, name, near) in [
            ("a", "K", None),
            ("a", "A", Some(1)),
            ("a", "ab", Some(1)),
            ("ab", "xy", None),
            ("ab", "ax", Some(1)),
            ("docs", "doc", Some(1)),
        ] {
            assert_eq!(distance(wanted, name.as_bytes()), near, "{wanted} {name}");
        }
    }

    #[test]
    fn a_directory_of_very_many_names_is_looked_at_around_the_missing_one() {
        let path = |number: usize| ChangedPath {
            path: format!("all/module-{number:06}/x").into_bytes(),
            submodule: false,
        };
        let paths: Vec<ChangedPath> = (0..1500).map(path).collect();
        let tree = Tree::new(&paths);
        let Nearest::Paths(near) = nearest(&tree, b"all/modul-001321", false) else { panic!() };
        assert_eq!(near[0].escape_ascii().to_string(), "all/module-001321");
    }
}
