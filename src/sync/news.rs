//! Which upstream commits a sync brings: those that are new to the cousin and touch a feature.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::files::ObjectId;
use crate::git::upstream::CommitRecord;
use crate::names::FeaturePath;
use crate::sync::apply::{Bench, id_of, of_root};
use crate::sync::outcome::Trouble;
use crate::sync::verify::Good;

/// How many commits are looked at, the newest ones: beyond, a list of them is of use to nobody.
const MAX_LOOKED_AT: usize = 2_000;

/// What is new.
#[derive(Debug, Clone)]
pub struct News {
    /// The commits that touch the features, oldest first.
    pub commits: Vec<CommitRecord>,
    /// Whether these are all there are.
    pub complete: bool,
}

impl Bench<'_, '_> {
    /// Returns the commits that touch any of the features and are new to the cousin. Where nothing
    /// is known of what it has, that is none.
    ///
    /// # Errors
    /// Upstream's trees cannot be read.
    pub fn news(&mut self, features: &[&FeaturePath], good: &Good) -> Result<News, Trouble> {
        let Some(since) = &good.since else {
            return Ok(News { commits: Vec::new(), complete: true });
        };
        let mut commits = self.upstream.commits(Some(since), &good.record.id)?;
        let complete = commits.len() <= MAX_LOOKED_AT;
        commits.drain(..commits.len().saturating_sub(MAX_LOOKED_AT));
        let mut ids = BTreeSet::new();
        for commit in &commits {
            ids.extend(ObjectId::from_str(commit.id.as_str()));
            // Where a history ends that is not here whole, nothing is known of what came before.
            ids.extend(commit.parents.iter().filter(|parent| self.workshop.has(**parent)));
        }
        let ids: Vec<ObjectId> = ids.into_iter().collect();
        let mut states: BTreeMap<ObjectId, Vec<Option<ObjectId>>> = BTreeMap::new();
        for feature in features {
            let found = self.upstream.feature(&ids, of_root(feature.as_bytes()))?;
            for (id, found) in ids.iter().zip(&found) {
                states.entry(*id).or_default().push(id_of(found));
            }
        }
        let touches = |commit: &CommitRecord| {
            let id = ObjectId::from_str(commit.id.as_str()).ok();
            let own = id.and_then(|id| states.get(&id));
            // What only merges is told of by what it merges.
            commit.parents.iter().all(|parent| states.get(parent) != own)
        };
        commits.retain(touches);
        Ok(News { commits, complete })
    }
}
