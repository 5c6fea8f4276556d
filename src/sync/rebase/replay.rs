//! The cousin's own commits, put on top of upstream's one by one. It is given up as soon as one
//! does not fit, and where the sum is not what the merge of the whole comes to: a commit that is
//! left out here by mistake is thereby found.

use std::collections::{BTreeSet, HashMap};

use super::own::{Cousins, Parted, SUBSCRIPTIONS};
use super::{Work, since};
use crate::git::files::{Files, Mode, ObjectId};
use crate::git::upstream::CommitRecord;
use crate::git::workshop::{NewCommit, Signature};
use crate::sync::apply::Bench;
use crate::sync::lock;
use crate::sync::merge::{self, Merge};
use crate::sync::outcome::Trouble;
use crate::sync::record::{Imprint, Onto, id};

/// More commits of a cousin's own are not put on top of upstream's again and again.
const MOST: usize = 1_000;

/// What was put on top.
pub(super) struct Replayed {
    /// The last commit.
    pub(super) tip: ObjectId,
    /// How many were made.
    pub(super) made: usize,
}

/// Whose change a commit is, however often it was made anew.
type Key = (Vec<u8>, Vec<u8>, i64, Vec<u8>);

/// Returns by what a commit that was made anew is known.
pub(super) fn key(record: &CommitRecord) -> Key {
    let Signature { name, email, seconds, .. } = &record.author;
    (name.clone(), email.clone(), *seconds, record.message.trim_ascii_end().to_vec())
}

/// What commits are put on.
struct Growing {
    tip: ObjectId,
    files: Parted,
    made: usize,
    /// The changes that are there: upstream's, and the cousin's own with the commits that brought
    /// them.
    there: HashMap<Key, Option<ObjectId>>,
    /// Blobs of the cousin's that the new commits hold.
    blobs: BTreeSet<ObjectId>,
}

/// A commit of the cousin's with its parent's tree.
struct Step<'r> {
    record: &'r CommitRecord,
    before: Parted,
    after: Parted,
}

impl Bench<'_, '_> {
    /// Puts the cousin's own commits on top of upstream's; none where that is given up.
    pub(super) fn put_on_top(
        &self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        merged: &Merge,
        new: &[CommitRecord],
        to: ObjectId,
    ) -> Result<Option<Replayed>, Trouble> {
        if work.onto.commit != work.base || !merged.conflicts.is_empty() {
            return Ok(None);
        }
        let own = self.workshop.commits_beyond(work.onto.commit, to)?;
        let own: Vec<&CommitRecord> = own.iter().filter(|it| it.parents.len() <= 1).collect();
        if own.len() > MOST {
            tracing::info!("{} commits of the cousin's own: they are merged", own.len());
            return Ok(None);
        }
        let mut growing = Growing {
            tip: to,
            files: self.parted(work.good.record.tree)?,
            made: 0,
            there: new.iter().map(|it| (key(it), None)).collect(),
            blobs: BTreeSet::new(),
        };
        let mut last: Option<(ObjectId, Parted)> = None;
        for record in own {
            let before = match (record.parents.first(), last.take()) {
                (None, _) => Parted::default(),
                (Some(parent), Some((id, files))) if *parent == id => files,
                (Some(parent), _) => self.parted(self.workshop.root(*parent)?)?,
            };
            let step = Step { record, before, after: self.parted(record.tree)? };
            if !self.put(&mut growing, &step, work, imprint)? {
                tracing::info!("{} does not fit on upstream: it is merged", record.id.short());
                return Ok(None);
            }
            last = Some((id(record)?, step.after));
        }
        if growing.files.rest != merged.files {
            tracing::info!("put on upstream, the commits come to something else: they are merged");
            return Ok(None);
        }
        self.workshop.bring_own_blobs(&growing.blobs)?;
        Ok(Some(Replayed { tip: growing.tip, made: growing.made }))
    }

    /// Puts a commit on those before it, and returns whether it fits.
    fn put(
        &self,
        growing: &mut Growing,
        step: &Step<'_>,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
    ) -> Result<bool, Trouble> {
        if self.is_there(growing, step.record)? || self.is_landed(step, work, imprint)? {
            return Ok(true);
        }
        let (before, after) = (&step.before.rest, &step.after.rest);
        let mut cousins = Cousins(self.workshop);
        let picked =
            merge::three_way(&mut cousins, before, &growing.files.rest, after, &|_| false)?;
        if !picked.conflicts.is_empty() {
            return Ok(false);
        }
        let mut next = Parted { rest: picked.files, own: growing.files.own.clone() };
        let name = SUBSCRIPTIONS;
        if step.before.at(name) != step.after.at(name) {
            next.set(name, step.after.at(name));
        }
        growing.there.insert(key(step.record), Some(id(step.record)?));
        if next == growing.files {
            return Ok(true);
        }
        growing.blobs.extend(blobs_beyond(&next.rest, &growing.files.rest));
        growing.blobs.extend(blobs_beyond(&next.own, &growing.files.own));
        let commit = NewCommit {
            tree: self.workshop.graft(None, b"", &next.whole())?,
            parents: &[growing.tip],
            message: &step.record.message,
            author: &step.record.author,
            committer: imprint.committer,
        };
        growing.tip = self.workshop.commit(&commit)?;
        growing.files = next;
        growing.made += 1;
        Ok(true)
    }

    /// Returns whether a commit's change is there already. One that comes after another of the same
    /// author, time and message is no copy of it: such are made by scripts, and by who takes up
    /// again what was reverted.
    fn is_there(&self, growing: &Growing, record: &CommitRecord) -> Result<bool, Trouble> {
        match growing.there.get(&key(record)) {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(earlier)) => Ok(!self.workshop.descends(id(record)?, *earlier)?),
        }
    }

    /// Returns whether a commit is a pull request of ours that landed as one commit: it brings
    /// what the lock file in it says, and nothing else.
    fn is_landed(
        &self,
        step: &Step<'_>,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
    ) -> Result<bool, Trouble> {
        let Some(parent) = step.record.parents.first() else { return Ok(false) };
        if step.before.at(lock::FILE_NAME) == step.after.at(lock::FILE_NAME) {
            return Ok(false);
        }
        let Some(new) = self.brought_by(id(step.record)?, work, imprint)? else {
            return Ok(false);
        };
        let old = match self.brought_by(*parent, work, imprint)? {
            Some(old) if old == new => return Ok(false),
            Some(old) => Some(old),
            None => {
                let bases = self.workshop.merge_bases(*parent, new)?;
                bases.and_then(|bases| bases.first().copied())
            }
        };
        let Some(old) = old else { return Ok(false) };
        let old = self.parted(self.workshop.root(old)?)?;
        let new = self.parted(self.workshop.root(new)?)?;
        let mut cousins = Cousins(self.workshop);
        let (base, ours, theirs) = (&old.rest, &step.before.rest, &new.rest);
        let due = merge::three_way(&mut cousins, base, ours, theirs, &|_| false)?;
        Ok(due.conflicts.is_empty() && due.files == step.after.rest)
    }

    /// Returns the upstream commit that a commit of the cousin says to have, where it is one of
    /// those that are brought now, or older.
    fn brought_by(
        &self,
        commit: ObjectId,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
    ) -> Result<Option<ObjectId>, Trouble> {
        // What somebody once wrote into the lock file is no reason to stop.
        let Ok(onto) = Onto::read(self.workshop, commit) else { return Ok(None) };
        let to = id(&work.good.record)?;
        for subscription in work.subscriptions {
            let found = since(&onto.lock, subscription, imprint, work.good.rewritten);
            let found = found.and_then(|it| ObjectId::from_str(it.commit.as_str()).ok());
            if let Some(found) = found
                && self.workshop.has(found)
                && self.workshop.descends(to, found)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn parted(&self, root: ObjectId) -> Result<Parted, Trouble> {
        Ok(Parted::of(self.workshop.files(root)?))
    }
}

/// Returns the blobs of what differs.
fn blobs_beyond<'f>(after: &'f Files, before: &'f Files) -> impl Iterator<Item = ObjectId> + 'f {
    let new = after.iter().filter(|(path, entry)| before.get(*path) != Some(entry));
    new.filter(|(_, entry)| entry.mode != Mode::Submodule).map(|(_, entry)| entry.id)
}
