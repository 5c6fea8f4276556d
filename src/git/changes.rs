//! Which paths differ between two trees. Our own walk of the two: equal object ids are skipped
//! with all that is below them, subtrees that no subscription can reach are not entered, and no
//! blob is ever read, so that it costs what changed and works in a clone without blobs.
//!
//! libgit2's own diff visits unchanged subtrees too. Renames are not looked for: a rename is a
//! deletion and an addition, and both ends are news to those who subscribe to them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use git2::{ErrorCode, ObjectType, Odb, OdbObject, Oid, Repository};

use crate::routing::reach::Scope;
use crate::routing::{ChangedPath, Reach};

/// How deep trees may nest: git's own limit (`core.maxTreeDepth`).
const MAX_DEPTH: usize = 2048;

/// The raw modes of a tree's entries that matter here. Source: gitformat "tree objects".
const TREE: u32 = 0o040_000;
const SUBMODULE: u32 = 0o160_000;

/// The bytes of an object's id (SHA-1).
const ID: usize = 20;

/// What differs between two trees, within reach of the subscriptions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The paths, sorted by their bytes, each once.
    pub paths: Vec<ChangedPath>,
    /// Literal subscriptions that missed a changed path only by case or Unicode form, each with
    /// that path.
    pub near_misses: BTreeSet<(Vec<u8>, Vec<u8>)>,
}

/// Why two trees could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// An object is not in the repository: a partial clone, or a damaged one.
    #[error("the tree {0} is not in the repository")]
    Missing(Oid),
    /// An object is there but cannot be read.
    #[error("the tree {0} cannot be read: {1}")]
    Damaged(Oid, String),
    /// The repository's objects cannot be read at all.
    #[error("the repository's objects cannot be read: {0}")]
    Unreadable(String),
    /// The trees nest deeper than git allows.
    #[error("the tree nests deeper than {MAX_DEPTH} directories, which git itself refuses")]
    TooDeep,
}

/// Returns what differs between two trees; none is the empty tree.
///
/// # Errors
/// [`WalkError`] when a tree that has to be read cannot be.
pub fn between(
    repository: &Repository,
    base: Option<Oid>,
    head: Option<Oid>,
    reach: &Reach,
) -> Result<Changes, WalkError> {
    let odb =
        repository.odb().map_err(|error| WalkError::Unreadable(error.message().to_owned()))?;
    let mut walk = Walk { odb: &odb, path: Vec::new(), depth: 0, changes: Changes::default() };
    walk.trees(base, head, &reach.root())?;
    let mut changes = walk.changes;
    // A file and a directory of one name stand apart in a tree, and a submodule that became a
    // file is met twice.
    changes.paths.sort_unstable();
    changes.paths.dedup_by(|later, earlier| {
        let same = later.path == earlier.path;
        earlier.submodule |= same && later.submodule;
        same
    });
    Ok(changes)
}

struct Walk<'r> {
    odb: &'r Odb<'r>,
    path: Vec<u8>,
    depth: usize,
    changes: Changes,
}

impl Walk<'_> {
    fn trees(
        &mut self,
        base: Option<Oid>,
        head: Option<Oid>,
        scope: &Scope<'_>,
    ) -> Result<(), WalkError> {
        if base == head {
            return Ok(());
        }
        if self.depth > MAX_DEPTH {
            return Err(WalkError::TooDeep);
        }
        let odb = self.odb;
        let base = base.map(|id| read(odb, id)).transpose()?;
        let head = head.map(|id| read(odb, id)).transpose()?;
        let mut base = Entries::of(base.as_ref());
        let mut head = Entries::of(head.as_ref());
        let (mut old, mut new) = (base.next()?, head.next()?);
        loop {
            let order = match (&old, &new) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) if old == new => Ordering::Equal,
                (Some(old), Some(new)) => old.tree_order(new),
            };
            let from_base =
                if order.is_le() { std::mem::replace(&mut old, base.next()?) } else { None };
            let from_head =
                if order.is_ge() { std::mem::replace(&mut new, head.next()?) } else { None };
            if from_base != from_head {
                self.entry(from_base, from_head, scope)?;
            }
        }
    }

    /// Takes up one name that differs. Both entries are trees, or neither is.
    fn entry(
        &mut self,
        old: Option<Entry<'_>>,
        new: Option<Entry<'_>>,
        scope: &Scope<'_>,
    ) -> Result<(), WalkError> {
        let Some(entry) = new.or(old) else { return Ok(()) };
        let inner = scope.enter(entry.name);
        let is_tree = entry.kind() == TREE;
        if inner.is_none() && (is_tree || !scope.wants_files()) {
            return Ok(());
        }
        let length = self.path.len();
        if length > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(entry.name);
        if let Some(inner) = &inner {
            for literal in inner.near_misses() {
                self.changes.near_misses.insert((literal.to_vec(), self.path.clone()));
            }
        }
        if let (true, Some(inner)) = (is_tree, &inner) {
            self.depth += 1;
            self.trees(old.map(|old| old.id()), new.map(|new| new.id()), inner)?;
            self.depth -= 1;
        } else if scope.wants_files() {
            let submodule = [old, new].into_iter().flatten().any(|entry| entry.kind() == SUBMODULE);
            self.changes.paths.push(ChangedPath { path: self.path.clone(), submodule });
        }
        self.path.truncate(length);
        Ok(())
    }
}

fn read<'o>(odb: &'o Odb<'_>, id: Oid) -> Result<OdbObject<'o>, WalkError> {
    let object = odb.read(id).map_err(|error| match error.code() {
        ErrorCode::NotFound => WalkError::Missing(id),
        _ => WalkError::Damaged(id, error.message().to_owned()),
    })?;
    match object.kind() {
        ObjectType::Tree => Ok(object),
        other => Err(WalkError::Damaged(id, format!("it is a {}", other.str()))),
    }
}

/// One entry of a tree object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry<'t> {
    mode: u32,
    name: &'t [u8],
    id: &'t [u8],
}

impl Entry<'_> {
    /// Returns the part of the mode that says what the entry is.
    fn kind(&self) -> u32 {
        self.mode & 0o170_000
    }

    fn id(&self) -> Oid {
        // An id of another length cannot be: it was cut to size.
        Oid::from_bytes(self.id).unwrap_or(Oid::ZERO_SHA1)
    }

    /// The order in which a tree's entries stand: by name, a directory's with a slash behind it.
    /// Source: git's `base_name_compare`.
    fn tree_order(&self, other: &Self) -> Ordering {
        let shared = self.name.len().min(other.name.len());
        let (start, rest) = self.name.split_at(shared);
        let (other_start, other_rest) = other.name.split_at(shared);
        let next = |rest: &[u8], entry: &Self| {
            rest.first().copied().or_else(|| (entry.kind() == TREE).then_some(b'/'))
        };
        start.cmp(other_start).then_with(|| next(rest, self).cmp(&next(other_rest, other)))
    }
}

/// The entries of a tree object, read where they lie: `mode SP name NUL id`, one after the other.
/// Source: git's `tree-walk.c`. libgit2 would first build a list of all, and keep it.
struct Entries<'t> {
    tree: Oid,
    rest: &'t [u8],
}

impl<'t> Entries<'t> {
    fn of(tree: Option<&'t OdbObject<'_>>) -> Self {
        Self {
            tree: tree.map_or(Oid::ZERO_SHA1, OdbObject::id),
            rest: tree.map(OdbObject::data).unwrap_or_default(),
        }
    }

    fn next(&mut self) -> Result<Option<Entry<'t>>, WalkError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let entry = (|| {
            let (mode, rest) =
                self.rest.split_at_checked(self.rest.iter().position(|b| *b == b' ')?)?;
            let rest = rest.get(1..)?;
            let (name, rest) = rest.split_at_checked(rest.iter().position(|b| *b == 0)?)?;
            let (id, rest) = rest.get(1..)?.split_at_checked(ID)?;
            self.rest = rest;
            // In octal; some old trees have a zero before it.
            let mode = mode.iter().fold(0, |mode: u32, digit| mode << 3 | u32::from(digit & 7));
            Some(Entry { mode, name, id })
        })();
        entry.map(Some).ok_or_else(|| WalkError::Damaged(self.tree, "it is cut off".to_owned()))
    }
}
