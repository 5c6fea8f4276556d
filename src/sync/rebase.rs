//! Brings a cousin that is a fork of the source onto upstream: upstream's commits as they are, the
//! cousin's own on top of them, and one of ours that writes the lock file. Where that cannot be
//! done, or would not come to what a three-way merge of the whole trees comes to, there is one merge
//! instead.
//!
//! The whole tree is brought, whatever is subscribed to: the subscriptions say which features are
//! followed, and where none of them has changed there is nothing to do. The lock file and
//! `subscriptions.json` are the cousin's own; what upstream has of that name counts for nothing.

mod branch;
mod histories;
mod own;
mod replay;
mod seal;

use std::collections::{BTreeMap, BTreeSet};

use crate::git::files::{Files, ObjectId};
use crate::git::upstream::CommitRecord;
use crate::git::workshop::Found;
use crate::names::FeaturePath;
use crate::subscriptions::{Method, Subscription};
use crate::sync::apply::{Bench, changes, id_of, of_root};
use crate::sync::lock::{Lock, Locked};
use crate::sync::merge::{self, Conflict, Merge};
use crate::sync::outcome::Trouble;
use crate::sync::record::{Imprint, Onto, id};
use crate::sync::verify::{Good, sha};
use crate::sync::{paths, proof};

pub use branch::{Standing, standing};
pub use histories::join;
use own::{Cousins, Parted};

/// What is to be brought onto what.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// What is followed, at least one.
    pub subscriptions: &'a [&'a Subscription],
    /// The upstream commit.
    pub good: &'a Good,
    /// The head of the cousin's base branch, or a branch with a person's commits.
    pub onto: &'a Onto,
    /// The head of the cousin's base branch.
    pub base: ObjectId,
}

/// How it was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The cousin's own commits are on top of upstream's.
    Rebased {
        /// So many were made anew.
        replayed: usize,
    },
    /// By a merge, because commits of a person are on the branch.
    OnTop,
    /// By a merge, because the cousin's own commits could not be put on top of upstream's.
    Merged,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Rebased {
    /// The last commit; none where nothing differs.
    pub commit: Option<ObjectId>,
    /// The features' trees upstream, as one id.
    pub content: String,
    /// The cousin's whole tree as it was.
    pub before: Files,
    /// The same as it is to be, but for the lock file.
    pub after: Files,
    /// What a person must decide.
    pub conflicts: Vec<Conflict>,
    /// The upstream commits that are new and touch a feature, oldest first.
    pub news: Vec<CommitRecord>,
    /// Whether these are all.
    pub all_news: bool,
    /// How.
    pub way: Way,
}

/// Where the features stand.
struct Features {
    /// Each one's id at the new commit, where it is there.
    new: Vec<Option<ObjectId>>,
    /// Whether the cousin has all of them as they are.
    are_here: bool,
}

impl Features {
    fn content(&self) -> String {
        let ids = self.new.iter().map(|id| id.map_or_else(|| "0".repeat(40), |id| id.to_string()));
        ids.collect::<Vec<_>>().join("+")
    }
}

impl Bench<'_, '_> {
    /// Brings the cousin onto upstream and returns what came of it; the histories of both must be
    /// here, as [`join`] brings them.
    ///
    /// # Errors
    /// The histories have nothing in common, something may not be written, or cannot be read.
    pub fn rebase(&mut self, work: &Work<'_>, imprint: &Imprint<'_>) -> Result<Rebased, Trouble> {
        let to = id(&work.good.record)?;
        let features = self.features(work, imprint, to)?;
        let mut done = Rebased {
            commit: None,
            content: features.content(),
            before: Files::new(),
            after: Files::new(),
            conflicts: Vec::new(),
            news: Vec::new(),
            all_news: true,
            way: Way::Merged,
        };
        if features.are_here {
            return Ok(done);
        }
        let bases = histories::bases(self.workshop, work, imprint)?;
        let base = histories::content_base(self.workshop, work, imprint, to, &bases)?;
        let new = self.workshop.commits_beyond(to, work.onto.commit)?;
        self.bring_commits(work, &new, &bases, to)?;
        let whole = |root| self.workshop.files(root).map(Parted::of);
        let base_files = whole(self.workshop.root(base)?)?;
        let ours = whole(work.onto.root)?;
        let theirs = whole(work.good.record.tree)?;
        let merged = merge::three_way(
            &mut Cousins(self.workshop),
            &base_files.rest,
            &ours.rest,
            &theirs.rest,
            &|_| false,
        )?;
        done.before = ours.whole();
        done.after = Parted { rest: merged.files.clone(), own: ours.own.clone() }.whole();
        self.may_write(&done.before, &done.after)?;
        self.prove_whole(&base_files.rest, &ours.rest, &theirs.rest, &merged)?;
        done.conflicts.clone_from(&merged.conflicts);
        if changes(b"", &done.before, &done.after).is_empty() {
            return Ok(done);
        }
        let since = Good { since: Some(sha(base)?), ..work.good.clone() };
        let followed: Vec<&FeaturePath> = work.subscriptions.iter().map(|it| &it.feature).collect();
        let news = self.news(&followed, &since)?;
        (done.news, done.all_news) = (news.commits, news.complete);
        let sealed = self.sealed(work, imprint, &done, &features)?;
        let parents = match self.put_on_top(work, imprint, &merged, &new, to)? {
            Some(replayed) => {
                done.way = Way::Rebased { replayed: replayed.made };
                match self.lands(&bases, &done.before, sealed)? {
                    true => vec![replayed.tip],
                    false => vec![self.tie(work, imprint, &done, replayed.tip)?],
                }
            }
            None if done.conflicts.is_empty() => vec![self.merge(work, imprint, &done, to)?],
            // What a person has to look at is in one commit.
            None => vec![work.onto.commit, to],
        };
        done.commit = Some(self.seal(work, imprint, &done, sealed, &parents)?);
        if work.onto.commit != work.base {
            done.way = Way::OnTop;
        }
        Ok(done)
    }

    /// Returns how the features stand at the new commit.
    fn features(
        &mut self,
        work: &Work<'_>,
        imprint: &Imprint<'_>,
        to: ObjectId,
    ) -> Result<Features, Trouble> {
        let mut features = Features { new: Vec::new(), are_here: true };
        for subscription in work.subscriptions {
            let since = since(&work.onto.lock, subscription, imprint, work.good.rewritten);
            let since = since.and_then(|it| ObjectId::from_str(it.commit.as_str()).ok());
            let commits: Vec<ObjectId> = since.into_iter().chain([to]).collect();
            let path = of_root(subscription.feature.as_bytes());
            let found = self.upstream.feature(&commits, path)?;
            let new = found.last().and_then(id_of);
            let old = since.and(found.first()).and_then(id_of);
            features.are_here &= since.is_some() && old == new;
            if new.is_none() && since.is_none() && !self.is_here(work, path)? {
                return Err(no_such_feature(subscription, work.good));
            }
            features.new.push(new);
        }
        Ok(features)
    }

    fn is_here(&self, work: &Work<'_>, path: &[u8]) -> Result<bool, Trouble> {
        let found = self.workshop.at(work.onto.root, path)?;
        Ok(!matches!(found, Found::Nothing | Found::Through(_)))
    }

    /// Fetches what new commits hold and the cousin has not.
    fn bring_commits(
        &mut self,
        work: &Work<'_>,
        new: &[CommitRecord],
        bases: &[ObjectId],
        to: ObjectId,
    ) -> Result<(), Trouble> {
        let mut known = Vec::new();
        for commit in bases.iter().chain([&work.onto.commit]) {
            let root = self.workshop.root(*commit)?;
            // That all its trees are here is seen by reading them.
            self.workshop.files(root)?;
            known.push(root);
        }
        let mut roots: BTreeSet<ObjectId> = new.iter().map(|it| it.tree).collect();
        roots.insert(self.workshop.root(to)?);
        Ok(self.upstream.bring_whole(&roots, &known)?)
    }

    /// Sees that nothing is written where nothing of upstream's may be.
    fn may_write(&self, before: &Files, after: &Files) -> Result<(), Trouble> {
        let mut targets = BTreeMap::new();
        for link in paths::links_to_read(before, after) {
            targets.insert(link, self.workshop.blob(link)?);
        }
        let (allow_workflows, targets) = (self.allow_workflows, &targets);
        let write = paths::Write { before, after, into: b"", targets, allow_workflows };
        paths::check(&write).map_err(|refused| Trouble {
            help: "a rebase takes upstream as it is: where it is what runs here or who reviews it, \
                   pass --allow-workflows; or let \"merge\" be the method, which can leave paths out \
                   with \"preserve\""
                .to_owned(),
            ..refused.into()
        })
    }

    fn prove_whole(
        &self,
        base: &Files,
        ours: &Files,
        theirs: &Files,
        merged: &Merge,
    ) -> Result<(), Trouble> {
        let mut cousins = Cousins(self.workshop);
        let found = proof::prove_merge(&mut cousins, base, ours, theirs, merged, &|_| false)?;
        let Some(first) = found.first() else { return Ok(()) };
        Err(Trouble::new(
            "not-proven",
            format!("the result does not hold what it should ({}): {first}", found.len()),
            "nothing was written; please report this, with both commits",
        ))
    }
}

/// Returns how a feature was last brought, where the whole tree came with it.
fn since<'l>(
    lock: &'l Lock,
    subscription: &Subscription,
    imprint: &Imprint<'_>,
    rewritten: bool,
) -> Option<&'l Locked> {
    let found = lock.get(&subscription.feature)?;
    let counts = found.source == imprint.source.as_str() && found.method == Method::Rebase;
    (counts && !rewritten).then_some(found)
}

/// Returns the trouble that a feature is not there, as for every method.
#[must_use]
pub fn no_such_feature(subscription: &Subscription, good: &Good) -> Trouble {
    Trouble::new(
        "no-such-feature",
        format!(
            "there is no {} upstream at {}",
            crate::text::shown(subscription.feature.as_bytes()),
            good.record.id.short()
        ),
        "see how it is spelled in the source, and write that into subscriptions.json",
    )
}
