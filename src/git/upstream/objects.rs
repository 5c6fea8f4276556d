//! Trees and blobs of the source, fetched by the ids that its own history names: the trees on the
//! way to a feature one level at a time, then all trees of the feature, then its blobs.

use std::collections::{BTreeSet, HashSet};

use super::{GitError, ObjectId, Upstream, UpstreamError};
use crate::git::files::Mode;
use crate::git::store::With;
use crate::git::workshop::{Found, Kind};

/// How far the search for the feature has come in one commit.
enum Step {
    At(ObjectId),
    Done(Found),
}

impl Upstream<'_> {
    /// Returns what each commit has at a path, in their order. Only the trees on the way are
    /// fetched, those of all commits in one go for each level.
    ///
    /// # Errors
    /// [`UpstreamError`] when a tree is not sent or is none that git writes.
    pub fn feature(
        &mut self,
        commits: &[ObjectId],
        path: &[u8],
    ) -> Result<Vec<Found>, UpstreamError> {
        let mut steps = Vec::with_capacity(commits.len());
        for commit in commits {
            steps.push(Step::At(self.workshop.root(*commit)?));
        }
        let names = path.split(|byte| *byte == b'/').filter(|_| !path.is_empty());
        let mut end = 0;
        for name in names {
            end += name.len() + usize::from(end > 0);
            let here = path.get(..end).unwrap_or(path);
            self.bring("tree", With::Nothing, &trees_of(&steps))?;
            for step in &mut steps {
                let Step::At(tree) = step else { continue };
                *step = match self.workshop.lookup(*tree, name, here)? {
                    None => Step::Done(Found::Nothing),
                    Some(Kind::Directory(id)) => Step::At(id),
                    Some(Kind::Entry(entry)) if here.len() == path.len() => {
                        Step::Done(Found::Entry(entry))
                    }
                    Some(Kind::Entry(_)) => Step::Done(Found::Through(here.to_owned())),
                };
            }
        }
        let found = |step| match step {
            Step::At(tree) => Found::Directory(tree),
            Step::Done(found) => found,
        };
        Ok(steps.into_iter().map(found).collect())
    }

    /// Fetches trees with all trees below them, as far as they are not here.
    ///
    /// # Errors
    /// [`UpstreamError`] when one is not sent.
    pub fn bring_trees(&mut self, trees: &BTreeSet<ObjectId>) -> Result<(), UpstreamError> {
        let lacking = self.lacking_trees(trees)?;
        self.bring("tree", With::Trees, &lacking)?;
        match self.lacking_trees(&lacking)?.first() {
            None => Ok(()),
            Some(id) => Err(self.not_sent("tree", *id)),
        }
    }

    /// Fetches blobs that are not here, all in one go.
    ///
    /// # Errors
    /// [`UpstreamError`] when one is not sent.
    pub fn bring_blobs(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), UpstreamError> {
        self.bring("blob", With::Nothing, blobs)
    }

    fn bring(
        &self,
        kind: &'static str,
        with: With,
        ids: &BTreeSet<ObjectId>,
    ) -> Result<(), UpstreamError> {
        let lacking: Vec<&ObjectId> = ids.iter().filter(|id| !self.workshop.has(**id)).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        tracing::info!("fetching {} {kind}s of the source", lacking.len());
        let fetched = self.workshop.upstream().bring(&self.git, &self.remote, with, lacking);
        self.seen()?;
        match (fetched, ids.iter().find(|id| !self.workshop.has(**id))) {
            (_, None) => Ok(()),
            (Ok(()), Some(id)) => Err(self.not_sent(kind, *id)),
            (Err(error), Some(id)) if error.to_string().contains("not our ref") => {
                Err(self.not_sent(kind, *id))
            }
            (Err(error), Some(_)) => Err(error.into()),
        }
    }

    fn not_sent(&self, kind: &'static str, id: ObjectId) -> UpstreamError {
        UpstreamError::NotSent { url: self.remote.url().to_owned(), kind, id }
    }

    /// Returns the trees at and below those given that are not here, the topmost ones.
    fn lacking_trees(
        &self,
        trees: &BTreeSet<ObjectId>,
    ) -> Result<BTreeSet<ObjectId>, UpstreamError> {
        let mut lacking = BTreeSet::new();
        let mut seen: HashSet<ObjectId> = trees.iter().copied().collect();
        let mut open: Vec<ObjectId> = trees.iter().copied().collect();
        while let Some(tree) = open.pop() {
            if !self.workshop.has(tree) {
                lacking.insert(tree);
                continue;
            }
            self.workshop.read_tree_here(tree, &mut |_, mode, id| {
                if Mode::from_raw(mode).is_none()
                    && mode & 0o170_000 == 0o040_000
                    && seen.insert(id)
                {
                    open.push(id);
                }
                Ok(())
            })?;
        }
        Ok(lacking)
    }
}

fn trees_of(steps: &[Step]) -> BTreeSet<ObjectId> {
    let tree = |step: &Step| match step {
        Step::At(tree) => Some(*tree),
        Step::Done(_) => None,
    };
    steps.iter().filter_map(tree).collect()
}

/// What errors of the workshop are here.
impl From<git2::Error> for UpstreamError {
    fn from(error: git2::Error) -> Self {
        GitError::from(error).into()
    }
}
