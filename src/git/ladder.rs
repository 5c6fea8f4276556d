//! The ladder: a base that is not in the clone is looked for rung by rung, and compared with head
//! on the first rung that has both. It goes up only as far as it must, and leaves the user's clone
//! as it was, but for the one commit that was fetched into it.

use std::collections::BTreeSet;

use git2::{Oid, Repository};

use super::GitError;
use super::changes::{self, Changes, WalkError};
use super::fetch::{self, Depth, Scratch};
use super::revision::readable_commit;
use super::source::{FoundBy, Source};
use super::tree::TreeError;
use crate::names::CommitSha;
use crate::routing::Reach;

impl Source<'_> {
    /// Climbs the ladder for a base (none is the empty tree) and compares it with head.
    pub(super) fn climb(
        &mut self,
        base: Option<&CommitSha>,
        head: Oid,
        reach: &Reach,
    ) -> Result<(FoundBy, Changes), GitError> {
        let mut causes: Vec<String> = Vec::new();
        if let Some(clone) = &self.clone {
            match self.compare_in(clone, base, head, reach) {
                Ok(changes) if self.head_fetched => return Ok((FoundBy::Fetched, changes)),
                Ok(changes) => return Ok((FoundBy::Local, changes)),
                Err(error) => causes.push(error.cause()),
            }
            if let (Some(base), Some(remote)) = (base, &self.remote) {
                tracing::info!("{} is not in the clone, fetching it from origin", base.short());
                match fetch::into_clone(self.git, clone, remote, [base])
                    .and_then(|()| self.compare_in(clone, Some(base), head, reach))
                {
                    Ok(changes) => return Ok((FoundBy::Fetched, changes)),
                    Err(error) => causes.push(error.cause()),
                }
            }
        }
        match self.climb_to_scratch(base, head, reach) {
            Ok(changes) => return Ok((FoundBy::Scratch, changes)),
            Err(Some(error)) => causes.push(error.cause()),
            Err(None) => causes.push("there is no origin to fetch it from".to_owned()),
        }
        let mut said = BTreeSet::new();
        causes.retain(|cause| said.insert(cause.clone()));
        let cause = causes.join("; ");
        let is_here =
            |base| self.repository().is_some_and(|here| readable_commit(here, base).is_some());
        Err(match base {
            Some(base) if is_here(base) => {
                GitError::Incomparable { base: base.to_string(), head: head.to_string(), cause }
            }
            Some(base) => GitError::UnknownRevision {
                revision: base.to_string(),
                cause: format!(": {cause}"),
                help: "see that the commit exists on the remote, and that the remote can be \
                       fetched from"
                    .to_owned(),
            },
            None => GitError::UnreadableHead { head: head.to_string(), cause },
        })
    }

    fn climb_to_scratch(
        &mut self,
        base: Option<&CommitSha>,
        head: Oid,
        reach: &Reach,
    ) -> Result<Changes, Option<GitError>> {
        let Some(remote) = &self.remote else { return Err(None) };
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => Scratch::new(remote)?,
        };
        let head_id = head.to_string();
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        if scratch.repository.find_commit(head).is_err() {
            wanted.push(("head", &head_id));
        }
        if let Some(base) = base {
            wanted.push(("base", base.as_str()));
        }
        let outcome = if wanted.is_empty() {
            Ok(())
        } else {
            tracing::info!("fetching {} trees into a scratch repository", wanted.len());
            scratch.fetch(self.git, remote, Depth::Trees, &wanted)
        }
        .and_then(|()| self.compare_in(&scratch.repository, base, head, reach));
        // Kept only when it holds head, for the next base or the file.
        if scratch.repository.find_commit(head).is_ok() {
            self.scratch = Some(scratch);
        }
        outcome.map_err(Some)
    }

    fn compare_in(
        &self,
        repository: &Repository,
        base: Option<&CommitSha>,
        head: Oid,
        reach: &Reach,
    ) -> Result<Changes, GitError> {
        let tree = |commit: Oid| repository.find_commit(commit).map(|commit| commit.tree_id());
        let base = base
            .map(|base| readable_commit(repository, base).ok_or_else(|| missing(base)))
            .transpose()?;
        let walk = || -> Result<Result<Changes, WalkError>, GitError> {
            let (base, head) = (base.map(tree).transpose()?, Some(tree(head)?));
            Ok(changes::between_keeping(repository, base, head, reach, self.trees.as_ref()))
        };
        match (walk()?, &self.remote) {
            (Ok(changes), _) => Ok(changes),
            // A clone without trees: git fetches those that differ in one go.
            (Err(WalkError::Tree(TreeError::Missing(_))), Some(remote))
                if fetch::is_partial(repository) =>
            {
                fetch::missing_trees(self.git, repository, remote, base, head)?;
                walk()?.map_err(|error| unreadable(head, &error))
            }
            (Err(error), _) => Err(unreadable(head, &error)),
        }
    }
}

fn missing(commit: &CommitSha) -> GitError {
    GitError::UnknownRevision {
        revision: commit.to_string(),
        cause: ": it is not in the clone".to_owned(),
        help: "fetch it, or see that the clone has an origin".to_owned(),
    }
}

fn unreadable(head: Oid, error: &WalkError) -> GitError {
    GitError::UnreadableHead { head: head.to_string(), cause: error.to_string() }
}
