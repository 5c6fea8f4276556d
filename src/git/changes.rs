//! Which paths differ between two trees. Our own walk of the two: equal object ids are skipped
//! with all that is below them, subtrees that no subscription can reach are not entered, and no
//! blob is ever read, so that it costs what changed and works in a clone without blobs.
//!
//! libgit2's own diff visits unchanged subtrees too. Renames are not looked for: a rename is a
//! deletion and an addition, and both ends are news to those who subscribe to them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use git2::{ErrorCode, Oid, Repository, Tree, TreeEntry};

use crate::routing::reach::Scope;
use crate::routing::{ChangedPath, Reach};

/// How deep trees may nest: git's own limit (`core.maxTreeDepth`).
const MAX_DEPTH: usize = 2048;

/// The raw modes of a tree's entries that matter here. Source: gitformat "tree objects".
const TREE: i32 = 0o040_000;
const FILE: i32 = 0o100_000;
const SUBMODULE: i32 = 0o160_000;

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
    let mut walk = Walk { repository, path: Vec::new(), changes: Changes::default() };
    walk.run(base, head, reach.root())?;
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
    repository: &'r Repository,
    path: Vec<u8>,
    changes: Changes,
}

/// One directory that is being compared. Kept in a list of our own: how deep a tree nests is its
/// author's choice, and the thread's stack must not depend on it.
struct Level<'r, 's> {
    base: Option<Tree<'r>>,
    head: Option<Tree<'r>>,
    /// How many entries of each are done.
    done: (usize, usize),
    scope: Scope<'s>,
    path_length: usize,
}

/// A directory below that differs.
struct Below<'s> {
    base: Option<Oid>,
    head: Option<Oid>,
    scope: Scope<'s>,
}

/// What stands under one name in base and in head, and where.
type Pair<'l, 's> = (Option<TreeEntry<'l>>, Option<TreeEntry<'l>>, &'l Scope<'s>);

impl<'s> Level<'_, 's> {
    /// Returns the next name's entries; none when both trees are done.
    fn next(&mut self) -> Option<Pair<'_, 's>> {
        let old = self.base.as_ref().and_then(|tree| tree.get(self.done.0));
        let new = self.head.as_ref().and_then(|tree| tree.get(self.done.1));
        let order = match (&old, &new) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => tree_order(a, b),
        };
        self.done.0 += usize::from(order.is_le());
        self.done.1 += usize::from(order.is_ge());
        Some((old.filter(|_| order.is_le()), new.filter(|_| order.is_ge()), &self.scope))
    }
}

impl<'r> Walk<'r> {
    fn run(
        &mut self,
        base: Option<Oid>,
        head: Option<Oid>,
        root: Scope<'_>,
    ) -> Result<(), WalkError> {
        let mut levels = Vec::new();
        let mut below = Some(Below { base, head, scope: root });
        loop {
            if let Some(Below { base, head, scope }) = below.take()
                && base != head
            {
                levels.push(self.level(base, head, scope)?);
                if levels.len() > MAX_DEPTH {
                    return Err(WalkError::TooDeep);
                }
            }
            let Some(level) = levels.last_mut() else { return Ok(()) };
            self.path.truncate(level.path_length);
            let Some((old, new, scope)) = level.next() else {
                levels.pop();
                continue;
            };
            below = match (&old, &new) {
                (Some(old), Some(new)) if old.id() == new.id() && mode(old) == mode(new) => None,
                _ => self.entry(old.as_ref(), new.as_ref(), scope),
            };
        }
    }

    fn level<'s>(
        &self,
        base: Option<Oid>,
        head: Option<Oid>,
        scope: Scope<'s>,
    ) -> Result<Level<'r, 's>, WalkError> {
        Ok(Level {
            base: read(self.repository, base)?,
            head: read(self.repository, head)?,
            done: (0, 0),
            scope,
            path_length: self.path.len(),
        })
    }

    /// Takes up one name that differs and returns the directory that it is, if it is one in reach.
    /// Both entries are trees, or neither is.
    fn entry<'s>(
        &mut self,
        old: Option<&TreeEntry<'_>>,
        new: Option<&TreeEntry<'_>>,
        scope: &Scope<'s>,
    ) -> Option<Below<'s>> {
        let entry = new.or(old)?;
        let inner = scope.enter(entry.name_bytes());
        let is_tree = kind(entry) == TREE;
        if inner.is_none() && (is_tree || !scope.wants_files()) {
            return None;
        }
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(entry.name_bytes());
        if let Some(inner) = &inner {
            for literal in inner.near_misses() {
                self.changes.near_misses.insert((literal.to_vec(), self.path.clone()));
            }
        }
        if is_tree {
            let [base, head] = [old, new].map(|entry| entry.map(TreeEntry::id));
            return inner.map(|scope| Below { base, head, scope });
        }
        if scope.wants_files() {
            let submodule = [old, new].into_iter().flatten().any(|e| kind(e) == SUBMODULE);
            self.changes.paths.push(ChangedPath { path: self.path.clone(), submodule });
        }
        None
    }
}

fn read(repository: &Repository, id: Option<Oid>) -> Result<Option<Tree<'_>>, WalkError> {
    id.map(|id| {
        repository.find_tree(id).map_err(|error| match error.code() {
            ErrorCode::NotFound => WalkError::Missing(id),
            _ => WalkError::Damaged(id, error.message().to_owned()),
        })
    })
    .transpose()
}

/// An entry's mode as git compares it: of a file's permissions only the owner's right to execute
/// counts, others stand in old histories (100664). Source: git's `canon_mode`.
fn mode(entry: &TreeEntry<'_>) -> i32 {
    match kind(entry) {
        FILE => FILE | (entry.filemode_raw() & 0o100),
        kind => kind,
    }
}

/// The part of an entry's mode that says what it is.
fn kind(entry: &TreeEntry<'_>) -> i32 {
    entry.filemode_raw() & 0o170_000
}

/// The order in which a tree's entries stand: by name, a directory's with a slash behind it.
/// Source: git's `base_name_compare`.
fn tree_order(a: &TreeEntry<'_>, b: &TreeEntry<'_>) -> Ordering {
    let (a_name, b_name) = (a.name_bytes(), b.name_bytes());
    let shared = a_name.len().min(b_name.len());
    let (a_start, a_rest) = a_name.split_at(shared);
    let (b_start, b_rest) = b_name.split_at(shared);
    let next = |rest: &[u8], entry| {
        rest.first().copied().or_else(|| (kind(entry) == TREE).then_some(b'/'))
    };
    a_start.cmp(b_start).then_with(|| next(a_rest, a).cmp(&next(b_rest, b)))
}
