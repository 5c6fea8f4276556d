//! Makes commits of what was applied: the cousin's tree with the feature in its place, the lock
//! file that says where it came from, and a message by which a later run knows its own. With
//! `cherry-pick` there is a commit for each of upstream's, and what they leave is in one more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::git::files::{Entry, Files, Mode, ObjectId};
use crate::git::upstream::CommitRecord;
use crate::git::workshop::{Found, NewCommit, Signature, Workshop};
use crate::names::{FeaturePath, RepoName};
use crate::subscriptions::{Method, Subscription};
use crate::sync::apply::{Applied, Bench, Sides, preserves};
use crate::sync::lock::{self, Lock, Locked};
use crate::sync::merge::{self, Contents};
use crate::sync::message::{self, CommitText, Trailers, UpstreamCommit};
use crate::sync::outcome::Trouble;
use crate::sync::verify::{Good, sha};

/// What a commit is made on: a commit of the cousin, with its tree and lock file.
#[derive(Debug, Clone)]
pub struct Onto {
    /// The commit.
    pub commit: ObjectId,
    /// Its root tree.
    pub root: ObjectId,
    /// What its lock file says.
    pub lock: Lock,
}

/// What stands in each commit besides the content.
#[derive(Debug, Clone)]
pub struct Imprint<'a> {
    /// The source, as the lock file names it.
    pub source: &'a RepoName,
    /// Who commits.
    pub committer: &'a Signature,
    /// The event's.
    pub dispatch_id: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What is to be recorded.
pub struct Finished<'a> {
    /// Each feature with its sides.
    pub parts: &'a [(Sides<'a>, Applied)],
    /// The upstream commit that was brought.
    pub good: &'a Good,
    /// The upstream commits that are new, oldest first; those that touch the features.
    pub news: &'a [CommitRecord],
}

/// A state of the cousin while commits are put on one another.
struct Growing {
    tip: ObjectId,
    root: ObjectId,
    lock: Lock,
}

impl Onto {
    /// Returns a commit of the cousin with its tree and lock file.
    ///
    /// # Errors
    /// The lock file cannot be read.
    pub fn read(workshop: &Workshop, commit: ObjectId) -> Result<Self, Trouble> {
        let root = workshop.root(commit)?;
        let lock = match workshop.at(root, lock::FILE_NAME.as_bytes())? {
            Found::Entry(Entry { mode, id }) if mode.is_file() => Lock::parse(&workshop.blob(id)?)?,
            Found::Nothing => Lock::default(),
            _ => {
                let message = format!("{} is no file", lock::FILE_NAME);
                return Err(Trouble::new("lock-file", message, "move it out of the way"));
            }
        };
        Ok(Self { commit, root, lock })
    }
}

impl Bench<'_, '_> {
    /// Makes the commits and returns the last.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn record(
        &mut self,
        onto: &Onto,
        finished: &Finished<'_>,
        imprint: &Imprint<'_>,
    ) -> Result<ObjectId, Trouble> {
        let mut growing = Growing { tip: onto.commit, root: onto.root, lock: onto.lock.clone() };
        if let [(sides, applied)] = finished.parts
            && sides.subscription.method == Method::CherryPick
            && finished.good.since.is_some()
        {
            self.pick(&mut growing, sides, applied, finished, imprint)?;
            // What the picks have brought is all there is to bring.
            let into = sides.subscription.into.as_bytes();
            if self.at(growing.root, into)? == applied.files {
                return Ok(growing.tip);
            }
        }
        for (sides, applied) in finished.parts {
            let into = sides.subscription.into.as_bytes();
            growing.root = self.workshop.graft(Some(growing.root), into, &applied.files)?;
            growing.lock = growing
                .lock
                .with(&sides.subscription.feature, locked(sides, finished.good, imprint));
        }
        growing.root = self.locked(growing.root, &growing.lock)?;
        let features = finished.parts.iter().map(|(sides, _)| sides.subscription.feature.clone());
        let features: Vec<FeaturePath> = features.collect();
        let commits: Vec<UpstreamCommit> = finished.news.iter().map(told).collect();
        let trailers = Trailers {
            features: &features,
            source: imprint.source,
            commit: &finished.good.record.id,
            dispatch_id: imprint.dispatch_id,
            tree: growing.root,
        };
        let message = message::commit_message(&CommitText { trailers, commits: &commits });
        self.commit(&mut growing, &message, imprint.committer, imprint.committer)?;
        Ok(growing.tip)
    }

    /// Puts each upstream commit that touches the feature on the cousin's, until one conflicts or
    /// holds what may not be written.
    fn pick(
        &mut self,
        growing: &mut Growing,
        sides: &Sides<'_>,
        applied: &Applied,
        finished: &Finished<'_>,
        imprint: &Imprint<'_>,
    ) -> Result<(), Trouble> {
        let subscription = sides.subscription;
        let into = subscription.into.as_bytes();
        let states = self.states(subscription, finished.news)?;
        let single: Vec<&CommitRecord> =
            finished.news.iter().filter(|it| it.parents.len() <= 1).collect();
        self.bring_states(subscription, &single, &states)?;
        let mut current = sides.ours.clone();
        for (at, record) in single.iter().enumerate() {
            let theirs = states.get(&id(record)?).cloned().unwrap_or_default();
            let parent = record.parents.first().and_then(|parent| states.get(parent));
            let base = parent.cloned().unwrap_or_default();
            let preserve = |path: &[u8]| preserves(subscription, path);
            let picked = merge::three_way(self, &base, &current, &theirs, &preserve)?;
            if !picked.conflicts.is_empty() {
                return Ok(());
            }
            if picked.files == current {
                continue;
            }
            match self.may_hold(sides, &current, &picked.files) {
                Ok(()) => {}
                // Upstream may have taken it back since: the whole has passed this check.
                Err(trouble) if trouble.refused => return Ok(()),
                Err(trouble) => return Err(trouble),
            }
            growing.root = self.workshop.graft(Some(growing.root), into, &picked.files)?;
            // The last one that completes the whole stands for the commit that was asked for.
            let whole = at + 1 == single.len() && picked.files == applied.files;
            let commit = if whole { &finished.good.record.id } else { &record.id };
            let state = Locked { commit: commit.clone(), ..locked(sides, finished.good, imprint) };
            growing.lock = growing.lock.with(&subscription.feature, state);
            growing.root = self.locked(growing.root, &growing.lock)?;
            let trailers = Trailers {
                features: std::slice::from_ref(&subscription.feature),
                source: imprint.source,
                commit,
                dispatch_id: imprint.dispatch_id,
                tree: growing.root,
            };
            let message = message::picked_message(&record.message, &trailers);
            self.commit(growing, &message, &record.author, imprint.committer)?;
            current = picked.files;
        }
        Ok(())
    }

    /// Returns the feature at each of the commits and their parents.
    fn states(
        &mut self,
        subscription: &Subscription,
        records: &[CommitRecord],
    ) -> Result<BTreeMap<ObjectId, Files>, Trouble> {
        let mut commits = Vec::new();
        for record in records.iter().filter(|it| it.parents.len() <= 1) {
            commits.push(id(record)?);
            commits.extend(record.parents.first());
        }
        commits.sort_unstable();
        commits.dedup();
        self.history(subscription, &commits)
    }

    /// Fetches, all in one go, what each of the commits brings to the feature: a state in between may
    /// hold blobs that the last one does not.
    fn bring_states(
        &mut self,
        subscription: &Subscription,
        records: &[&CommitRecord],
        states: &BTreeMap<ObjectId, Files>,
    ) -> Result<(), Trouble> {
        let none = Files::new();
        let mut blobs = BTreeSet::new();
        for record in records {
            let before = record.parents.first().and_then(|it| states.get(it)).unwrap_or(&none);
            let after = states.get(&id(record)?).unwrap_or(&none);
            let is_new = |(path, entry): &(&Vec<u8>, &Entry)| {
                before.get(*path) != Some(entry)
                    && entry.mode != Mode::Submodule
                    && !preserves(subscription, path)
            };
            blobs.extend(after.iter().filter(is_new).map(|(_, entry)| entry.id));
        }
        self.prepare(&blobs)
    }

    fn at(&self, root: ObjectId, into: &[u8]) -> Result<Files, Trouble> {
        self.files(self.workshop.at(root, into)?)
    }

    /// Returns the root with the lock file in it.
    pub(super) fn locked(&self, root: ObjectId, lock: &Lock) -> Result<ObjectId, Trouble> {
        let id = self.workshop.write_blob(lock.render().as_bytes())?;
        let file = Files::from([(Vec::new(), Entry { mode: Mode::File, id })]);
        Ok(self.workshop.graft(Some(root), lock::FILE_NAME.as_bytes(), &file)?)
    }

    fn commit(
        &self,
        growing: &mut Growing,
        message: &[u8],
        author: &Signature,
        committer: &Signature,
    ) -> Result<(), Trouble> {
        let parents = [growing.tip];
        let commit =
            NewCommit { tree: growing.root, parents: &parents, message, author, committer };
        growing.tip = self.workshop.commit(&commit)?;
        Ok(())
    }
}

/// Returns what messages and pull requests say of an upstream commit.
#[must_use]
pub fn told(record: &CommitRecord) -> UpstreamCommit {
    UpstreamCommit {
        id: record.id.clone(),
        author: record.author.name.clone(),
        subject: message::subject_of(&record.message).to_vec(),
    }
}

pub(super) fn id(record: &CommitRecord) -> Result<ObjectId, Trouble> {
    ObjectId::from_str(record.id.as_str())
        .map_err(|error| Trouble::new("git", error.message().to_owned(), ""))
}

fn locked(sides: &Sides<'_>, good: &Good, imprint: &Imprint<'_>) -> Locked {
    Locked {
        source: imprint.source.to_string(),
        commit: good.record.id.clone(),
        tree: sides.theirs_id.and_then(|id| sha(id).ok()).map(|id| id.to_string()),
        method: sides.subscription.method,
        into: sides.subscription.into.to_string(),
        dispatch_id: imprint.dispatch_id.map(str::to_owned),
        applied_at: imprint.at,
    }
}
