//! For tests of what a rehearsal judges: a commit that is not what a sync has made.

use git2::FileMode;
use git2::build::TreeUpdateBuilder;

use super::Bare;
use crate::git::GitError;
use crate::git::files::ObjectId;

impl Bare {
    /// Returns a commit like another one, but for a file.
    pub(crate) fn amended(
        &self,
        commit: &str,
        path: &[u8],
        content: &[u8],
    ) -> Result<ObjectId, GitError> {
        let mut file = TreeUpdateBuilder::new();
        file.upsert(path, self.repository.blob(content)?, FileMode::Blob);
        let (commit, tree) = (self.commit(commit)?, self.tree(commit)?);
        let tree = self.repository.find_tree(file.create_updated(&self.repository, &tree)?)?;
        Ok(commit.amend(None, None, None, None, None, Some(&tree))?)
    }
}
