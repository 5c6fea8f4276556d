//! How many lines change in which file, as `git diff --stat` shows it.

use git2::{DiffOptions, DiffStatsFormat};

use super::{GitError, ObjectId, Workshop};

/// Of more files than these the lines are not counted: nobody reads such a table, and counting
/// means to read all of them.
const MAX_FILES: usize = 500;

impl Workshop {
    /// Returns a table of what differs between two trees, 80 columns wide; of very many files the
    /// number only.
    ///
    /// # Errors
    /// [`GitError`] when an object cannot be read.
    pub fn diff_stat(&self, before: ObjectId, after: ObjectId) -> Result<String, GitError> {
        let (before, after) =
            (self.repository.find_tree(before)?, self.repository.find_tree(after)?);
        let mut options = DiffOptions::new();
        options.ignore_submodules(true);
        let diff =
            self.repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
        let count = diff.deltas().len();
        if count > MAX_FILES {
            return Ok(format!(" {count} files changed\n"));
        }
        let text = diff.stats()?.to_buf(DiffStatsFormat::FULL, 80)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
