//! Tree objects, read where they lie: `mode SP name NUL id`, entry after entry. libgit2 would first
//! build a list of all entries and keep the tree; a walk reads each once, and may end early.
//! Source of the format: git's `tree-walk.c`.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use git2::{ErrorCode, ObjectType, Odb, OdbObject, Oid};

/// The modes of entries that matter here, in the upper bits of a mode.
const TREE: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const SUBMODULE: u32 = 0o160_000;

/// The bytes of an object's id (SHA-1).
const ID: usize = 20;

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The object is not in the repository: a partial clone, or a damaged one.
    #[error("the tree {0} is not in the repository")]
    Missing(Oid),
    /// The object is there but cannot be read.
    #[error("the tree {0} cannot be read: {1}")]
    Damaged(Oid, String),
}

/// A tree object and how far it was read.
pub(super) struct Tree<'o> {
    id: Oid,
    bytes: Bytes<'o>,
    at: usize,
}

enum Bytes<'o> {
    Read(OdbObject<'o>),
    Kept(Rc<[u8]>),
}

/// Trees that were read, for whoever compares one commit with many: unpacking its trees is most of
/// the work. Holds [`KEPT`] bytes of them and no more.
#[derive(Debug, Default)]
pub(super) struct Trees {
    kept: RefCell<HashMap<Oid, Rc<[u8]>>>,
    bytes: Cell<usize>,
}

/// 64 MiB: the trees of about a million files.
const KEPT: usize = 64 << 20;

/// One entry of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t> {
    mode: u32,
    name: &'t [u8],
    id: &'t [u8],
}

impl<'o> Tree<'o> {
    /// Returns the tree with that id, at its first entry.
    pub(super) fn read(odb: &'o Odb<'_>, id: Oid) -> Result<Self, TreeError> {
        let object = odb.read(id).map_err(|error| match error.code() {
            ErrorCode::NotFound => TreeError::Missing(id),
            _ => TreeError::Damaged(id, error.message().to_owned()),
        })?;
        match object.kind() {
            ObjectType::Tree => Ok(Self { id, bytes: Bytes::Read(object), at: 0 }),
            other => Err(TreeError::Damaged(id, format!("it is a {}", other.str()))),
        }
    }

    /// As [`Tree::read`], and keeps the tree for the next time.
    pub(super) fn read_once(odb: &'o Odb<'_>, id: Oid, trees: &Trees) -> Result<Self, TreeError> {
        if let Some(bytes) = trees.kept.borrow().get(&id) {
            return Ok(Self { id, bytes: Bytes::Kept(Rc::clone(bytes)), at: 0 });
        }
        let tree = Self::read(odb, id)?;
        let bytes: Rc<[u8]> = tree.bytes().into();
        let sum = trees.bytes.get().saturating_add(bytes.len());
        if sum <= KEPT {
            trees.bytes.set(sum);
            trees.kept.borrow_mut().insert(id, bytes);
        }
        Ok(tree)
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Read(object) => object.data(),
            Bytes::Kept(bytes) => bytes,
        }
    }

    /// Returns the entry that comes next; none at the end.
    pub(super) fn peek(&self) -> Result<Option<Entry<'_>>, TreeError> {
        Ok(self.entry()?.map(|(entry, _)| entry))
    }

    /// Returns the entry that comes next, and goes on to the one behind it.
    pub(super) fn take(&mut self) -> Result<Option<Entry<'_>>, TreeError> {
        let at = self.at;
        self.at += self.entry()?.map_or(0, |(_, length)| length);
        Ok(self.entry_at(at)?.map(|(entry, _)| entry))
    }

    fn entry(&self) -> Result<Option<(Entry<'_>, usize)>, TreeError> {
        self.entry_at(self.at)
    }

    /// Returns the entry at an offset, and its length in bytes.
    fn entry_at(&self, at: usize) -> Result<Option<(Entry<'_>, usize)>, TreeError> {
        let rest = self.bytes().get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let malformed = || TreeError::Damaged(self.id, "it is cut off or malformed".to_owned());
        split(rest).map(Some).ok_or_else(malformed)
    }
}

fn split(rest: &[u8]) -> Option<(Entry<'_>, usize)> {
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let name_at = space + 1;
    let name_length = rest.get(name_at..)?.iter().position(|byte| *byte == 0)?;
    let id_at = name_at + name_length + 1;
    // In octal digits; some old trees have a zero before them.
    let digits =
        rest.get(..space).filter(|digits| digits.iter().all(|d| (b'0'..=b'7').contains(d)))?;
    let mode = digits.iter().fold(0, |mode: u32, digit| mode << 3 | u32::from(digit & 7));
    let name = rest.get(name_at..name_at + name_length)?;
    let id = rest.get(id_at..id_at + ID)?;
    Some((Entry { mode, name, id }, id_at + ID))
}

impl<'t> Entry<'t> {
    /// Returns the name, which git does not let hold a slash.
    pub(super) fn name(&self) -> &'t [u8] {
        self.name
    }

    /// Returns the mode as it stands in the tree.
    pub(super) fn mode(&self) -> u32 {
        self.mode
    }

    /// Returns the id of the object.
    pub(super) fn id(&self) -> Oid {
        // An id of another length cannot be: it was cut to size.
        Oid::from_bytes(self.id).unwrap_or(Oid::ZERO_SHA1)
    }

    /// Returns whether it is a directory.
    pub(super) fn is_tree(&self) -> bool {
        self.kind() == TREE
    }

    /// Returns whether it is a submodule.
    pub(super) fn is_submodule(&self) -> bool {
        self.kind() == SUBMODULE
    }

    /// Returns whether both are the same object in the same mode.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.compared_mode() == other.compared_mode()
    }

    /// The order in which a tree's entries stand: by name, a directory's with a slash behind it.
    /// Source: git's `base_name_compare`.
    pub(super) fn tree_order(&self, other: &Self) -> Ordering {
        if self.name == other.name && self.is_tree() == other.is_tree() {
            return Ordering::Equal;
        }
        let shared = self.name.len().min(other.name.len());
        let (start, rest) = self.name.split_at(shared);
        let (other_start, other_rest) = other.name.split_at(shared);
        let next = |rest: &[u8], entry: &Self| {
            rest.first().copied().or_else(|| entry.is_tree().then_some(b'/'))
        };
        start.cmp(other_start).then_with(|| next(rest, self).cmp(&next(other_rest, other)))
    }

    fn kind(&self) -> u32 {
        self.mode & 0o170_000
    }

    /// The mode as git compares it: of a file's permissions only the owner's right to execute
    /// counts, others stand in old histories (100664). Source: git's `canon_mode`.
    fn compared_mode(&self) -> u32 {
        match self.kind() {
            FILE => FILE | (self.mode & 0o100),
            kind => kind,
        }
    }
}
