//! The paths at HEAD as a tree, to be asked for what stands near a path that is not there. It is
//! built once, in one pass over the sorted paths, and only if something is missing; afterwards no
//! question costs a walk over all paths.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use crate::routing::ChangedPath;
use crate::routing::reach::folded;

/// What a node of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Submodule,
}

/// A place in the tree; the root has the empty path.
#[derive(Debug)]
pub(super) struct Node<'p> {
    pub(super) path: &'p [u8],
    pub(super) kind: Kind,
    pub(super) children: Vec<NodeId>,
    /// The next node whose path is the same without case and Unicode form.
    next_folded: Option<NodeId>,
    /// The next node with the same name.
    next_named: Option<NodeId>,
}

/// The position of a node; there are fewer than 2^32 (git's own index has no more entries).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// All directories, files and submodules at HEAD.
#[derive(Debug)]
pub(super) struct Tree<'p> {
    nodes: Vec<Node<'p>>,
    folded: HashMap<Cow<'p, [u8]>, NodeId>,
    named: HashMap<&'p [u8], NodeId>,
    /// How many letters may still be compared for the asking.
    patience: Cell<usize>,
}

/// How many letters are compared for all questions together before the answers become shorter: a
/// file of typos only, in a tree of very large directories, must not take seconds. This many take
/// about 0.2 s.
const PATIENCE: usize = 40_000_000;

impl Node<'_> {
    /// Returns the last name of the path.
    pub(super) fn name(&self) -> &[u8] {
        name_of(self.path)
    }

    /// Returns whether a pattern with a trailing slash could match it.
    pub(super) const fn is_like_directory(&self) -> bool {
        !matches!(self.kind, Kind::File)
    }
}

/// Returns what stands behind the last slash.
pub(super) fn name_of(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

impl<'p> Tree<'p> {
    /// Returns the tree of the paths, which must be sorted.
    pub(super) fn new(paths: &'p [ChangedPath]) -> Self {
        let mut tree = Self {
            nodes: Vec::with_capacity(paths.len() + paths.len() / 8 + 1),
            folded: HashMap::with_capacity(paths.len() + paths.len() / 8),
            named: HashMap::new(),
            patience: Cell::new(PATIENCE),
        };
        let root = tree.add(&[], Kind::Directory, None);
        // The directories that the last path lies in, the root first.
        let mut open: Vec<(&[u8], NodeId)> = vec![(&[], root)];
        for changed in paths {
            let path = changed.path.as_slice();
            while open.pop_if(|(directory, _)| !is_below(path, directory)).is_some() {}
            let (mut from, mut parent) = open
                .last()
                .map_or((0, root), |(directory, id)| (directory.len().saturating_add(1), *id));
            if parent == root {
                from = 0;
            }
            while let Some(slash) =
                path.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'/'))
            {
                let directory = path.get(..from + slash).unwrap_or_default();
                parent = tree.add(directory, Kind::Directory, Some(parent));
                open.push((directory, parent));
                from += slash + 1;
            }
            let kind = if changed.submodule { Kind::Submodule } else { Kind::File };
            tree.add(path, kind, Some(parent));
        }
        tree
    }

    fn add(&mut self, path: &'p [u8], kind: Kind, parent: Option<NodeId>) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let next_folded = self.folded.insert(folded(path), id);
        let next_named = self.named.insert(name_of(path), id);
        self.nodes.push(Node { path, kind, children: Vec::new(), next_folded, next_named });
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent.0 as usize)) {
            parent.children.push(id);
        }
        id
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node<'p>> {
        self.nodes.get(id.0 as usize)
    }

    /// Returns the node at a path.
    pub(super) fn find(&self, path: &[u8]) -> Option<(NodeId, &Node<'p>)> {
        self.alike(path).find(|(_, node)| node.path == path)
    }

    /// Returns the node of a name in the directory `above`.
    pub(super) fn child(&self, above: &Node<'_>, name: &[u8]) -> Option<(NodeId, &Node<'p>)> {
        let mut path = above.path.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        self.find(&path)
    }

    /// Returns the nodes whose paths are the same without case and Unicode form.
    pub(super) fn alike(&self, path: &[u8]) -> impl Iterator<Item = (NodeId, &Node<'p>)> {
        self.chain(self.folded.get(folded(path).as_ref()).copied(), |node| node.next_folded)
    }

    /// Returns the nodes that have a name, wherever they are.
    pub(super) fn named(&self, name: &[u8]) -> impl Iterator<Item = (NodeId, &Node<'p>)> {
        self.chain(self.named.get(name).copied(), |node| node.next_named)
    }

    /// Returns whether so many letters may be compared, and counts them.
    pub(super) fn spend(&self, letters: usize) -> bool {
        let left = self.patience.get().checked_sub(letters);
        self.patience.set(left.unwrap_or(0));
        left.is_some()
    }

    fn chain(
        &self,
        first: Option<NodeId>,
        next: fn(&Node<'p>) -> Option<NodeId>,
    ) -> impl Iterator<Item = (NodeId, &Node<'p>)> {
        let at = move |id: NodeId| Some((id, self.node(id)?));
        std::iter::successors(first.and_then(at), move |(_, node)| next(node).and_then(at))
    }
}

/// Returns whether a path lies below a directory; the root is empty.
fn is_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[&str]) -> Vec<ChangedPath> {
        let path = |path: &&str| ChangedPath { path: path.as_bytes().to_vec(), submodule: false };
        let mut paths: Vec<ChangedPath> = list.iter().map(path).collect();
        paths.sort();
        paths
    }

    fn shown<'t>(nodes: impl Iterator<Item = (NodeId, &'t Node<'t>)>) -> Vec<String> {
        let mut shown: Vec<String> =
            nodes.map(|(_, node)| String::from_utf8_lossy(node.path).into_owned()).collect();
        shown.sort();
        shown
    }

    #[test]
    fn every_directory_is_there_once_with_what_is_in_it() {
        let paths = paths(&["a-b/x", "a/b/1", "a/b/2", "a/b-c", "a/c/1", "b"]);
        let tree = Tree::new(&paths);
        assert_eq!(tree.nodes.len(), 11);
        let children = |path: &str| {
            let (_, node) = tree.find(path.as_bytes()).unwrap();
            shown(node.children.iter().map(|id| (*id, tree.node(*id).unwrap())))
        };
        assert_eq!(children(""), ["a", "a-b", "b"]);
        assert_eq!(children("a"), ["a/b", "a/b-c", "a/c"]);
        assert_eq!(children("a/b"), ["a/b/1", "a/b/2"]);
        assert!(tree.find(b"a/d").is_none());
    }

    #[test]
    fn a_node_is_found_by_its_name_and_by_how_it_might_be_spelled() {
        let paths = paths(&["Docs/API/x", "docs/api/x", "src/caf\u{e9}/x"]);
        let tree = Tree::new(&paths);
        assert_eq!(shown(tree.named(b"x")), ["Docs/API/x", "docs/api/x", "src/caf\u{e9}/x"]);
        assert_eq!(shown(tree.alike(b"DOCS/api")), ["Docs/API", "docs/api"]);
        assert_eq!(shown(tree.alike("src/Cafe\u{301}".as_bytes())), ["src/caf\u{e9}"]);
        assert_eq!(shown(tree.alike(b"nothing")), [""; 0]);
    }
}
