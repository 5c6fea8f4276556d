//! The commits by which a pull request lands on its base branch, as GitHub makes them: a merge
//! commit, one squashed commit, or each commit anew on top of the base.

use git2::{Commit, Index, Oid, Signature, Time, Tree};

use super::Hosted;

/// How a pull request lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    /// With a merge commit.
    Merge,
    /// As one commit.
    Squash,
    /// With each of its commits made anew on top of the base branch.
    Rebase,
}

/// What lands where, and what is written about it.
pub(crate) struct Landing<'a> {
    pub(crate) base: Oid,
    pub(crate) head: Oid,
    pub(crate) method: MergeMethod,
    /// The message of a merge commit or of the squashed one.
    pub(crate) message: &'a str,
    /// In seconds since 1970.
    pub(crate) at: i64,
}

impl Hosted {
    /// Writes the commits and returns the one that the base branch is to be at; nothing when head
    /// and base conflict. No ref is moved.
    pub(crate) fn land(&self, landing: &Landing<'_>) -> Result<Option<Oid>, git2::Error> {
        let Landing { base, head, method, message, at } = *landing;
        let committer = Signature::new("GitHub", "noreply@github.com", &Time::new(at, 0))?;
        let base_commit = self.repository.find_commit(base)?;
        let head_commit = self.repository.find_commit(head)?;
        if method == MergeMethod::Rebase {
            return self.land_one_by_one(base_commit, head, &committer);
        }
        let merged = self.repository.merge_commits(&base_commit, &head_commit, None)?;
        let Some(tree) = self.tree_of(merged)? else { return Ok(None) };
        let parents = match method {
            MergeMethod::Merge => vec![&base_commit, &head_commit],
            _ => vec![&base_commit],
        };
        let author = head_commit.author();
        self.repository.commit(None, &author, &committer, message, &tree, &parents).map(Some)
    }

    fn land_one_by_one(
        &self,
        base: Commit<'_>,
        head: Oid,
        committer: &Signature<'_>,
    ) -> Result<Option<Oid>, git2::Error> {
        let base_id = base.id();
        let mut onto = base;
        for id in self.beyond(head, base_id)? {
            let commit = self.repository.find_commit(id)?;
            if commit.parent_count() != 1 {
                // A merge brings nothing of its own that is kept.
                continue;
            }
            let picked = self.repository.cherrypick_commit(&commit, &onto, 0, None)?;
            let Some(tree) = self.tree_of(picked)? else { return Ok(None) };
            if tree.id() == onto.tree_id() {
                continue;
            }
            let message = String::from_utf8_lossy(commit.message_bytes());
            let made = self.repository.commit(
                None,
                &commit.author(),
                committer,
                &message,
                &tree,
                &[&onto],
            )?;
            onto = self.repository.find_commit(made)?;
        }
        Ok(Some(onto.id()))
    }

    fn tree_of(&self, mut index: Index) -> Result<Option<Tree<'_>>, git2::Error> {
        if index.has_conflicts() {
            return Ok(None);
        }
        let id = index.write_tree_to(&self.repository)?;
        self.repository.find_tree(id).map(Some)
    }
}
