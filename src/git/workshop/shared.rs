//! What a cousin that is a fork of the source shares with it: where their histories part.

use std::cmp::Reverse;

use super::{GitError, ObjectId, Workshop};

impl Workshop {
    /// Returns the newest commits that two commits share, none of which is an ancestor of another,
    /// those that were committed last first; nothing where they share none. None where a history
    /// that is not here whole leaves it open.
    ///
    /// # Errors
    /// [`GitError`] when a commit cannot be read.
    pub fn merge_bases(
        &self,
        one: ObjectId,
        other: ObjectId,
    ) -> Result<Option<Vec<ObjectId>>, GitError> {
        let Some(common) = self.ancestry.common(&self.odb()?, one, other)? else {
            return Ok(None);
        };
        let mut dated = Vec::with_capacity(common.len());
        for id in common {
            dated.push((Reverse(self.record(id)?.committed), id));
        }
        dated.sort_unstable();
        Ok(Some(dated.into_iter().map(|(_, id)| id).collect()))
    }

    /// Returns whether `old` is `new` or an ancestor of it.
    ///
    /// # Errors
    /// [`GitError`] when what is here does not tell, and more cannot be had.
    pub fn descends(&self, new: ObjectId, old: ObjectId) -> Result<bool, GitError> {
        Ok(self.commits_beyond(old, new)?.is_empty())
    }
}
