//! Random directories and random edits of both sides.
//!
//! Each line is in a file once and says where it came from, so that there is one way to align two
//! versions, whatever the algorithm: git's merge aligns by histogram, libgit2's by Myers. Files have
//! twelve lines and a side makes at most four edits, so that no renamed file is near the similarity
//! at which it is taken for another one.

use std::collections::BTreeMap;

use git2::ObjectType;
use proptest::prelude::*;

use crate::git::files::{Entry, Files, Mode, ObjectId};

/// The lines of a text.
const LINES: usize = 12;

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    mode: Mode,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Lines { lines: Vec<String>, end: &'static str, is_ended: bool },
    Bytes(Vec<u8>),
}

pub(super) type Tree = BTreeMap<Vec<u8>, Thing>;

/// Three directories.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) base: Tree,
    pub(super) ours: Tree,
    pub(super) theirs: Tree,
}

impl Scenario {
    /// Returns whether one side made a link of a file that the other took away, or added an empty
    /// file where the other added one too: what we list and git may not.
    pub(super) fn may_be_listed_by_us_alone(&self) -> bool {
        let mode = |tree: &Tree, path| tree.get(path).map(|thing: &Thing| thing.mode);
        let replaced = self.base.keys().any(|path| {
            let sides = [mode(&self.ours, path), mode(&self.theirs, path)];
            sides.contains(&None) && sides.contains(&Some(Mode::Symlink))
        });
        let is_empty = |thing: &Thing| thing.content == Content::Bytes(Vec::new());
        let filled = self.ours.iter().any(|(path, ours)| {
            let theirs = self.theirs.get(path).filter(|_| !self.base.contains_key(path));
            theirs.is_some_and(|theirs| is_empty(ours) != is_empty(theirs))
        });
        replaced || filled
    }
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |tree: &Tree, path| match tree.get(path) {
            None => "-".to_owned(),
            Some(Thing { mode, content: Content::Bytes(bytes) }) => {
                format!("{mode:?} {}", String::from_utf8_lossy(bytes).escape_debug())
            }
            Some(Thing { mode, content: Content::Lines { lines, .. } }) => {
                let lines: Vec<_> = lines.iter().map(|line| line.trim_end_matches('_')).collect();
                format!("{mode:?} {}", lines.join(" "))
            }
        };
        let all = [&self.base, &self.ours, &self.theirs];
        let paths: std::collections::BTreeSet<_> =
            all.iter().flat_map(|tree| tree.keys()).collect();
        for path in paths {
            let [base, ours, theirs] = all.map(|tree| short(tree, path));
            if base != ours || base != theirs {
                let path = crate::text::shown(path);
                write!(f, "\n{path}\n  base   {base}\n  ours   {ours}\n  theirs {theirs}")?;
            }
        }
        Ok(())
    }
}

/// What is done to a file, which one, where in it, and in which of three ways.
type Edit = (u8, u8, u8, u8);

/// Returns random scenarios, with or without renamed files.
pub(super) fn scenarios(renames: bool) -> impl Strategy<Value = Scenario> {
    let edits = || {
        let kinds = if renames { 0..18_u8 } else { 0..14_u8 };
        prop::collection::vec((kinds, any::<u8>(), any::<u8>(), 0..3_u8), 0..=4)
    };
    (any::<u16>(), edits(), edits()).prop_map(|(present, ours, theirs)| {
        let base = base(present);
        let side = |edits: Vec<Edit>| {
            let mut tree = base.clone();
            for edit in edits {
                apply(&mut tree, edit);
            }
            tree
        };
        Scenario { ours: side(ours), theirs: side(theirs), base }
    })
}

fn base(present: u16) -> Tree {
    let pool: [(&[u8], Thing); 13] = [
        (b"a", text("a", "\n", true)),
        (b"b", text("b", "\r\n", true)),
        (b"c", text("c", "\n", false)),
        (b"d/a", text("d-a", "\n", true)),
        (b"d/e/a", Thing { mode: Mode::Executable, ..text("d-e-a", "\n", true) }),
        (b"d/e/b", bytes(Mode::File, b"\0binary".to_vec())),
        (b"d-", text("d-", "\n", true)),
        (b"l", bytes(Mode::Symlink, b"d/a".to_vec())),
        (b"s", bytes(Mode::Submodule, b"s".to_vec())),
        (b"empty", bytes(Mode::File, Vec::new())),
        (b"\xff/n", text("n", "\n", true)),
        (b"x/y/z/only", text("only", "\n", true)),
        (b"d.c", text("d.c", "\r\n", false)),
    ];
    let chosen = pool.into_iter().enumerate().filter(|(at, _)| present & (1 << at) != 0);
    chosen.map(|(_, (path, thing))| (path.to_vec(), thing)).collect()
}

fn text(name: &str, end: &'static str, is_ended: bool) -> Thing {
    let lines = (0..LINES).map(|n| line(&format!("{name}:{n}"))).collect();
    Thing { mode: Mode::File, content: Content::Lines { lines, end, is_ended } }
}

/// Returns a line of one length, so that similarity is a matter of their number.
fn line(text: &str) -> String {
    format!("{text:_<40}")
}

fn bytes(mode: Mode, bytes: Vec<u8>) -> Thing {
    Thing { mode, content: Content::Bytes(bytes) }
}

fn apply(tree: &mut Tree, (kind, file, at, way): Edit) {
    let added: [&[u8]; 8] = [b"n", b"d/n", b"d", b"new/n", b"a/n", b"d/e/n/n", b"empty", b"\xff/m"];
    let renamed: [&[u8]; 4] = [b"r", b"d/r", b"moved/r", b"d/e"];
    let some = |from: &[&[u8]]| from[usize::from(at) % from.len()].to_vec();
    if (10..13).contains(&kind) {
        return add(tree, some(&added), kind, way);
    }
    // Mostly one of the first two, so that both sides often edit the same file.
    let among = if file < 192 { 2 } else { tree.len() };
    let Some(path) = tree.keys().nth(usize::from(file) % among.max(1)).cloned() else {
        return;
    };
    let name = String::from_utf8_lossy(&path).into_owned();
    match kind {
        0..=4 => edit_line(tree.get_mut(&path), &name, (kind, at, way)),
        5 => {
            let thing = tree.get_mut(&path).filter(|thing| thing.mode.is_file());
            if let Some(thing) = thing {
                thing.mode = if way == 0 { Mode::File } else { Mode::Executable };
            }
        }
        6 => drop(tree.remove(&path)),
        7 => drop(tree.insert(path, text(&format!("{name}*{way}"), "\n", true))),
        8 => drop(tree.insert(path, bytes(Mode::Symlink, format!("{name}>{way}").into_bytes()))),
        9 => drop(tree.insert(path, bytes(Mode::File, format!("\0{name}{way}").into_bytes()))),
        // The file becomes a directory, or its directory a file.
        13 if way == 0 => {
            tree.remove(&path);
            insert(
                tree,
                [&path, b"/in".as_slice()].concat(),
                text(&format!("{name}/in"), "\n", true),
            );
        }
        13 => {
            let Some(end) = path.iter().position(|byte| *byte == b'/') else { return };
            tree.retain(|other, _| !other.starts_with(&path[..=end]));
            insert(tree, path[..end].to_vec(), text(&format!("{name}^{way}"), "\n", true));
        }
        _ => {
            let to = if way == 2 && at > 128 {
                [&path, b"/r".as_slice()].concat()
            } else {
                some(&renamed)
            };
            let Some(thing) = tree.remove(&path) else { return };
            if !insert(tree, to, thing.clone()) {
                tree.insert(path, thing);
            }
        }
    }
}

fn add(tree: &mut Tree, path: Vec<u8>, kind: u8, way: u8) {
    let name = format!("{}!{way}", String::from_utf8_lossy(&path));
    let thing = match (kind, way) {
        (10, _) => text(&name, "\n", true),
        (11, 0) => bytes(Mode::File, Vec::new()),
        (11, _) => Thing { mode: Mode::Executable, ..text(&name, "\n", true) },
        (_, 0) => bytes(Mode::Submodule, name.into_bytes()),
        _ => bytes(Mode::Symlink, name.into_bytes()),
    };
    insert(tree, path, thing);
}

/// Puts something at a path where nothing is and may be.
fn insert(tree: &mut Tree, path: Vec<u8>, thing: Thing) -> bool {
    let meets = |other: &Vec<u8>| {
        let is_above = |one: &[u8], two: &[u8]| {
            two.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        is_above(other, &path) || is_above(&path, other)
    };
    if tree.keys().any(meets) {
        return false;
    }
    tree.insert(path, thing);
    true
}

fn edit_line(thing: Option<&mut Thing>, name: &str, (kind, at, way): (u8, u8, u8)) {
    let Some(Thing { content: Content::Lines { lines, .. }, .. }) = thing else { return };
    let at = usize::from(at % 8).min(lines.len());
    let new = line(&format!("{name}+{at}.{way}"));
    match kind {
        0 | 1 if !lines.contains(&new) => lines.insert(at, new),
        2 | 3 if at < lines.len() && !lines.contains(&new) => lines[at] = new,
        4 if at < lines.len() => drop(lines.remove(at)),
        _ => {}
    }
}

/// Returns a directory with the ids of its blobs, which are handed to `write`.
pub(super) fn stored(tree: &Tree, mut write: impl FnMut(&[u8]) -> ObjectId) -> Files {
    let mut entry = |thing: &Thing| {
        let content = match &thing.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Lines { lines, end, is_ended } => {
                let ended = if *is_ended && !lines.is_empty() { end } else { "" };
                (lines.join(end) + ended).into_bytes()
            }
        };
        let id = match thing.mode {
            Mode::Submodule => ObjectId::hash_object(ObjectType::Commit, &content).unwrap(),
            _ => write(&content),
        };
        Entry { mode: thing.mode, id }
    };
    tree.iter().map(|(path, thing)| (path.clone(), entry(thing))).collect()
}
