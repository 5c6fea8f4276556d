//! Whether a commit is one that a sync has made, and what it brought.

use super::trailers::{DISPATCH_ID, FEATURE, SOURCE, TREE, decoded, is_dispatch_id, split, tail};
use crate::git::files::ObjectId;
use crate::names::{CommitSha, FeaturePath, RepoName};

/// What a commit of ours says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The features that it brought, at least one.
    pub features: Vec<FeaturePath>,
    /// The monorepo.
    pub source: RepoName,
    /// The commit of it that was brought.
    pub commit: CommitSha,
    /// The id of the dispatch that asked for it, when one did.
    pub dispatch_id: Option<String>,
}

impl Own {
    /// Returns what the trailers of a commit's message say, when the commit is ours: when they name
    /// features, one source, and as the tree the commit's own, `tree`.
    ///
    /// Only the block of trailers at the message's end counts, and in it every trailer but the
    /// feature's may stand once. It tells ours from what people made; it is no proof against those
    /// who may push there, who can write any message.
    #[must_use]
    pub fn read(message: &[u8], tree: ObjectId) -> Option<Self> {
        let mut features = Vec::new();
        let (mut source, mut trees, mut dispatch_id) = (None, None, None);
        for line in tail(message)? {
            let Some((key, value)) = split(line) else { continue };
            let value = std::str::from_utf8(value);
            let place = match std::str::from_utf8(key).ok()? {
                FEATURE => {
                    features.push(FeaturePath::new(&decoded(value.ok()?)?));
                    continue;
                }
                SOURCE => &mut source,
                TREE => &mut trees,
                DISPATCH_ID => &mut dispatch_id,
                _ => continue,
            };
            if place.replace(value.ok()?).is_some() {
                return None;
            }
        }
        if features.is_empty() || trees? != tree.to_string() {
            return None;
        }
        let (repo, commit) = source?.split_once('@')?;
        Some(Self {
            features,
            source: RepoName::parse(repo).ok()?,
            commit: CommitSha::parse(commit).ok()?,
            dispatch_id: dispatch_id.filter(|id| is_dispatch_id(id)).map(ToOwned::to_owned),
        })
    }
}
