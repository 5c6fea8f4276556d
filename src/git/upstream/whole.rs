//! All that commits of the source hold, for a cousin that takes them into its own history: what is
//! pushed with them must be here, but for what the cousin's origin has.

use std::collections::{BTreeSet, HashSet};

use super::{ObjectId, Upstream, UpstreamError};
use crate::git::files::Mode;

/// What was met on a walk through trees.
#[derive(Default)]
struct Walk {
    trees: HashSet<ObjectId>,
    blobs: BTreeSet<ObjectId>,
}

impl Upstream<'_> {
    /// Fetches all trees and blobs below root trees, as far as they are not here. What is below
    /// the trees `known`, which must be here, is the cousin's too and is left out.
    ///
    /// # Errors
    /// [`UpstreamError`] when something is not sent.
    pub fn bring_whole(
        &mut self,
        roots: &BTreeSet<ObjectId>,
        known: &[ObjectId],
    ) -> Result<(), UpstreamError> {
        self.bring_trees(roots)?;
        let mut walk = Walk::default();
        for root in known {
            self.walk(&mut walk, *root)?;
        }
        let left_out = std::mem::take(&mut walk.blobs);
        for root in roots {
            self.walk(&mut walk, *root)?;
        }
        self.bring_blobs(&walk.blobs.difference(&left_out).copied().collect())
    }

    /// Walks through a tree, but for what was walked through already.
    fn walk(&self, walk: &mut Walk, root: ObjectId) -> Result<(), UpstreamError> {
        let mut open = vec![root];
        while let Some(tree) = open.pop() {
            if !walk.trees.insert(tree) {
                continue;
            }
            let blobs = &mut walk.blobs;
            self.workshop.read_tree_here(tree, &mut |_, mode, id| {
                match Mode::from_raw(mode) {
                    Some(Mode::Submodule) => {}
                    Some(_) => drop(blobs.insert(id)),
                    None if mode & 0o170_000 == 0o040_000 => open.push(id),
                    None => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
