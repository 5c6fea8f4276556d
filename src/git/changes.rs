//! Which paths differ between two trees. Our own walk of the two: equal object ids are skipped
//! with all that is below them, subtrees that no subscription can reach are not entered, and no
//! blob is ever read, so that it costs what changed and works in a clone without blobs.
//!
//! libgit2's own diff visits unchanged subtrees too. Renames are not looked for: a rename is a
//! deletion and an addition, and both ends are news to those who subscribe to them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use git2::{Odb, Oid, Repository};

use super::tree::{Entry, Tree, TreeError, Trees};

use crate::routing::reach::Scope;
use crate::routing::{ChangedPath, Reach};

/// How deep trees may nest: git's own limit (`core.maxTreeDepth`).
const MAX_DEPTH: usize = 2048;

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
    /// A tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
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
    between_keeping(repository, base, head, reach, None)
}

/// As [`between`], with head's trees of earlier walks.
pub(super) fn between_keeping(
    repository: &Repository,
    base: Option<Oid>,
    head: Option<Oid>,
    reach: &Reach,
    trees: Option<&Trees>,
) -> Result<Changes, WalkError> {
    let odb =
        repository.odb().map_err(|error| WalkError::Unreadable(error.message().to_owned()))?;
    let changes = Changes::default();
    let mut walk = Walk { odb: &odb, trees, path: Vec::new(), changes };
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
    odb: &'r Odb<'r>,
    /// Head's trees, when it is compared with more than one base.
    trees: Option<&'r Trees>,
    path: Vec<u8>,
    changes: Changes,
}

/// One directory that is being compared. Kept in a list of our own: how deep a tree nests is its
/// author's choice, and the thread's stack must not depend on it.
struct Level<'r, 's> {
    base: Option<Tree<'r>>,
    head: Option<Tree<'r>>,
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
type Pair<'l, 's> = (Option<Entry<'l>>, Option<Entry<'l>>, &'l Scope<'s>);

impl<'s> Level<'_, 's> {
    /// Returns the next name's entries; none when both trees are done.
    fn next(&mut self) -> Result<Option<Pair<'_, 's>>, TreeError> {
        let old = self.base.as_ref().map(Tree::peek).transpose()?.flatten();
        let new = self.head.as_ref().map(Tree::peek).transpose()?.flatten();
        let order = match (&old, &new) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.tree_order(new),
        };
        let old = self.base.as_mut().filter(|_| order.is_le()).map(Tree::take).transpose()?;
        let new = self.head.as_mut().filter(|_| order.is_ge()).map(Tree::take).transpose()?;
        Ok(Some((old.flatten(), new.flatten(), &self.scope)))
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
            let Some((old, new, scope)) = level.next()? else {
                levels.pop();
                continue;
            };
            below = match (&old, &new) {
                (Some(old), Some(new)) if old.is_same(new) => None,
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
            base: base.map(|id| Tree::read(self.odb, id)).transpose()?,
            head: head
                .map(|id| match self.trees {
                    Some(trees) => Tree::read_once(self.odb, id, trees),
                    None => Tree::read(self.odb, id),
                })
                .transpose()?,
            scope,
            path_length: self.path.len(),
        })
    }

    /// Takes up one name that differs and returns the directory that it is, if it is one in reach.
    /// Both entries are trees, or neither is.
    fn entry<'s>(
        &mut self,
        old: Option<&Entry<'_>>,
        new: Option<&Entry<'_>>,
        scope: &Scope<'s>,
    ) -> Option<Below<'s>> {
        let entry = new.or(old)?;
        let inner = scope.enter(entry.name());
        let is_tree = entry.is_tree();
        if inner.is_none() && (is_tree || !scope.wants_files()) {
            return None;
        }
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(entry.name());
        if let Some(inner) = &inner {
            for literal in inner.near_misses() {
                self.changes.near_misses.insert((literal.to_vec(), self.path.clone()));
            }
        }
        if is_tree {
            let [base, head] = [old, new].map(|entry| entry.map(Entry::id));
            return inner.map(|scope| Below { base, head, scope });
        }
        if scope.wants_files() {
            let submodule = [old, new].into_iter().flatten().any(Entry::is_submodule);
            self.changes.paths.push(ChangedPath { path: self.path.clone(), submodule });
        }
        None
    }
}
