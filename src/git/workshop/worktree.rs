//! The work tree of a person's clone, changed as `git apply` would: the paths that differ, and
//! neither `HEAD` nor the index. All is checked before the first file is written, and no file is
//! written through a symbolic link.

use git2::Repository;

use super::{GitError, Workshop};
use crate::git::files::Files;

impl Workshop {
    /// Writes what differs between two states of a directory into the work tree.
    ///
    /// # Errors
    /// todo
    pub fn apply_to_worktree(
        &self,
        _clone: &Repository,
        _before: &Files,
        _after: &Files,
        _into: &[u8],
    ) -> Result<(), GitError> {
        Ok(())
    }
}
