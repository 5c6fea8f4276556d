//! The commits of ours that end a rebase: one that writes the lock file, and where it takes one, a
//! merge below it: of what was rebased and what it was rebased from, or of the cousin and upstream.

use super::own::Cousins;
use super::{Features, Rebased, Work};
use crate::git::files::{Files, ObjectId};
use crate::git::workshop::NewCommit;
use crate::names::FeaturePath;
use crate::subscriptions::Method;
use crate::sync::apply::Bench;
use crate::sync::lock::Locked;
use crate::sync::merge;
use crate::sync::message::{self, CommitText, Trailers};
use crate::sync::outcome::Trouble;
use crate::sync::record::{Imprint, told};
use crate::sync::verify::sha;

impl Bench<'_, '_> {
    /// Returns whether a tree that was rebased would come out of a merge into what it was rebased
    /// from as it is. After the first time it would not: the lock file is another on both sides.
    pub(super) fn lands(
        &self,
        bases: &[ObjectId],
        before: &Files,
        sealed: ObjectId,
    ) -> Result<bool, Trouble> {
        let [base] = bases else { return Ok(false) };
        let base = self.workshop.files(self.workshop.root(*base)?)?;
        let rebased = self.workshop.files(sealed)?;
        let mut cousins = Cousins(self.workshop);
        let landed = merge::three_way(&mut cousins, &base, before, &rebased, &|_| false)?;
        Ok(landed.conflicts.is_empty() && landed.files == rebased)
    }

    /// Returns the result's tree with the lock file in it.
    pub(super) fn sealed(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        done: &Rebased,
        features: &Features,
    ) -> Result<ObjectId, Trouble> {
        let mut lock = work.onto.lock.clone();
        for (subscription, tree) in work.subscriptions.iter().zip(&features.new) {
            let locked = Locked {
                source: imprint.source.to_string(),
                commit: work.good.record.id.clone(),
                tree: tree.map(|id| id.to_string()),
                method: Method::Rebase,
                into: subscription.into.to_string(),
                dispatch_id: imprint.dispatch_id.map(str::to_owned),
                applied_at: imprint.at,
            };
            lock = lock.with(&subscription.feature, locked);
        }
        let root = self.workshop.graft(None, b"", &done.after)?;
        self.locked(root, &lock)
    }

    /// Makes a merge of what was rebased and what it was rebased from, with the same content.
    pub(super) fn tie(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        done: &Rebased,
        tip: ObjectId,
    ) -> Result<ObjectId, Trouble> {
        let subject = format!("Tie the rebased commits to {}", sha(work.base)?.short());
        let text = "It changes nothing: by it, what was rebased can be merged into the branch that \
                    it\nwas rebased from.";
        self.join(work, imprint, done, &[tip, work.base], (&subject, text))
    }

    /// Makes a merge of the cousin and upstream. The lock file is not in it: what lands commit by
    /// commit lands without merges.
    pub(super) fn merge(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        done: &Rebased,
        to: ObjectId,
    ) -> Result<ObjectId, Trouble> {
        let commit = work.good.record.id.short();
        let subject = format!("Merge {} at {commit}", imprint.source);
        let text = "This repository's own commits are not put on top of upstream's one by one:\n\
                    some do not fit, or others have commits on the branch.";
        self.join(work, imprint, done, &[work.onto.commit, to], (&subject, text))
    }

    fn join(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        done: &Rebased,
        parents: &[ObjectId],
        (subject, text): (&str, &str),
    ) -> Result<ObjectId, Trouble> {
        let tree = self.workshop.graft(None, b"", &done.after)?;
        let followed = followed(work);
        let trailers = trailers(work, imprint, &followed, tree);
        let message = message::joining_message(&trailers, &sha(work.base)?, subject, text);
        self.made(imprint, tree, parents, &message)
    }

    /// Makes the last commit.
    pub(super) fn seal(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        done: &Rebased,
        tree: ObjectId,
        parents: &[ObjectId],
    ) -> Result<ObjectId, Trouble> {
        let followed = followed(work);
        let commits: Vec<_> = done.news.iter().map(told).collect();
        let trailers = trailers(work, imprint, &followed, tree);
        let message = message::commit_message(&CommitText { trailers, commits: &commits });
        let message = message::rebased(message, &sha(work.base)?);
        self.made(imprint, tree, parents, &message)
    }

    fn made(
        &self,
        imprint: &Imprint<'_>,
        tree: ObjectId,
        parents: &[ObjectId],
        message: &[u8],
    ) -> Result<ObjectId, Trouble> {
        let (author, committer) = (imprint.committer, imprint.committer);
        Ok(self.workshop.commit(&NewCommit { tree, parents, message, author, committer })?)
    }
}

fn followed(work: &Work<'_>) -> Vec<FeaturePath> {
    work.subscriptions.iter().map(|it| it.feature.clone()).collect()
}

fn trailers<'a>(
    work: &Work<'a>,
    imprint: &Imprint<'a>,
    features: &'a [FeaturePath],
    tree: ObjectId,
) -> Trailers<'a> {
    Trailers {
        features,
        source: imprint.source,
        commit: &work.good.record.id,
        dispatch_id: imprint.dispatch_id,
        tree,
    }
}
