//! Brings a feature into the cousin's tree, on objects alone: reads the three sides, merges or
//! copies, sees that nothing is written where nothing of upstream's may be, and proves the result.
//! The caller makes a commit of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::files::{Files, Mode, ObjectId};
use crate::git::upstream::Upstream;
use crate::git::workshop::{FileMerge, Found, Workshop};
use crate::names::FeaturePath;
use crate::subscriptions::{self, Method, Subscription};
use crate::sync::lock::{self, Locked};
use crate::sync::merge::{self, Conflict, Contents, Merge};
use crate::sync::outcome::{Change, ChangeKind, Trouble};
use crate::sync::since::Since;
use crate::sync::{paths, proof};

/// The repositories that things are read from and written to.
pub struct Bench<'w, 'b> {
    /// Where objects are.
    pub workshop: &'w Workshop,
    /// Where features come from.
    pub upstream: &'b mut Upstream<'w>,
    /// Whether workflows and code owners may be written.
    pub allow_workflows: bool,
    /// Blobs that only the cousin has, so that the source is not asked for them.
    own: BTreeSet<ObjectId>,
}

/// The three sides of one feature, and where it goes.
pub struct Sides<'a> {
    /// What is subscribed to.
    pub subscription: &'a Subscription,
    /// At the commit that the cousin has; none where it has none.
    pub base: Option<Files>,
    /// The cousin's own.
    pub ours: Files,
    /// What the cousin has elsewhere, by paths from its root.
    pub beside: Files,
    /// At the commit that is to be brought.
    pub theirs: Files,
    /// The feature's object at that commit, where it is there.
    pub theirs_id: Option<ObjectId>,
}

/// One feature, merged.
pub struct Applied {
    /// What is to be at `into`.
    pub files: Files,
    /// Whether that differs from what is there.
    pub differs: bool,
    /// Paths from the cousin's root.
    pub changes: Vec<Change>,
    /// Paths from the cousin's root.
    pub conflicts: Vec<Conflict>,
}

impl<'w, 'b> Bench<'w, 'b> {
    /// Returns a bench with nothing on it.
    #[must_use]
    pub fn new(
        workshop: &'w Workshop,
        upstream: &'b mut Upstream<'w>,
        allow_workflows: bool,
    ) -> Self {
        Self { workshop, upstream, allow_workflows, own: BTreeSet::new() }
    }
}

impl Bench<'_, '_> {
    /// Returns the sides of a feature: ours is read from the root tree `onto`.
    ///
    /// # Errors
    /// What cannot be read, or is no directory where one is wanted.
    pub fn sides<'a>(
        &mut self,
        subscription: &'a Subscription,
        onto: ObjectId,
        since: &Since<'_>,
        commit: ObjectId,
    ) -> Result<Sides<'a>, Trouble> {
        let feature = of_root(subscription.feature.as_bytes());
        let ours = match self.workshop.at(onto, subscription.into.as_bytes())? {
            Found::Through(path) => {
                let shown = crate::text::shown(&path).into_owned();
                return Err(Trouble::new(
                    "not-a-directory",
                    format!("{shown} is no directory, and \"into\" leads through it"),
                    "name another directory, or move what is there out of the way",
                ));
            }
            found => self.files(found)?,
        };
        let last = since.commit().and_then(|it| ObjectId::from_str(it.as_str()).ok());
        let commits: Vec<ObjectId> = last.into_iter().chain([commit]).collect();
        let mut found = self.upstream.feature(&commits, feature)?;
        let theirs = found.pop().unwrap_or(Found::Nothing);
        let base = last.map(|_| found.pop().unwrap_or(Found::Nothing));
        let trees: BTreeSet<ObjectId> =
            [Some(&theirs), base.as_ref()].into_iter().flatten().filter_map(tree_of).collect();
        self.upstream.bring_trees(&trees)?;
        let base = match (since, base) {
            (Since::Tree(locked), _) => self.remembered(locked),
            (_, base) => base.map(|base| self.files(base)).transpose()?,
        };
        Ok(Sides {
            subscription,
            base,
            ours,
            beside: self.beside(onto, subscription.into.as_bytes())?,
            theirs_id: id_of(&theirs),
            theirs: self.files(theirs)?,
        })
    }

    /// Returns a feature as it was at a commit that the branch no longer holds: by the id of its
    /// tree, as far as that can still be had with all that it holds.
    fn remembered(&mut self, locked: &Locked) -> Option<Files> {
        let tree = ObjectId::from_str(locked.tree.as_deref()?).ok()?;
        self.upstream.bring_trees(&BTreeSet::from([tree])).ok()?;
        let files = self.workshop.files(tree).ok()?;
        let blobs = files.values().filter(|entry| entry.mode != Mode::Submodule);
        self.upstream.bring_blobs(&blobs.map(|entry| entry.id).collect()).ok()?;
        Some(files)
    }

    /// Returns what is to be at `into`, proven, with all its blobs here. With `rebase` the whole
    /// tree is brought instead: see [`crate::sync::rebase`].
    ///
    /// # Errors
    /// What may not be written, and what cannot be read.
    pub fn apply(&mut self, sides: &Sides<'_>) -> Result<Applied, Trouble> {
        let subscription = sides.subscription;
        let none = Files::new();
        let base = sides.base.as_ref().unwrap_or(&none);
        let preserve = |path: &[u8]| preserves(subscription, path);
        let of_source: BTreeSet<ObjectId> =
            base.values().chain(sides.theirs.values()).map(|it| it.id).collect();
        let ours = sides.ours.values().map(|entry| entry.id);
        self.own.extend(ours.filter(|id| !of_source.contains(id)));
        let merged = match subscription.method {
            Method::Copy => Merge {
                files: merge::copy(&sides.ours, &sides.theirs, &preserve),
                ..Merge::default()
            },
            Method::Merge | Method::CherryPick | Method::Squash | Method::Rebase => {
                merge::three_way(self, base, &sides.ours, &sides.theirs, &preserve)?
            }
        };
        self.bring(&merged.files, &sides.ours)?;
        self.may_hold(sides, &sides.ours, &merged.files)?;
        self.prove(sides, base, &merged, &preserve)?;
        let into = subscription.into.as_bytes();
        let mut conflicts = merged.conflicts;
        for conflict in &mut conflicts {
            conflict.path = below(into, &conflict.path);
        }
        let changes = changes(into, &sides.ours, &merged.files);
        Ok(Applied { differs: !changes.is_empty(), files: merged.files, changes, conflicts })
    }

    /// Fetches the blobs of a result that are not here.
    fn bring(&mut self, after: &Files, before: &Files) -> Result<(), Trouble> {
        let new = after.iter().filter(|(path, entry)| before.get(*path) != Some(entry));
        let blobs: BTreeSet<ObjectId> = new
            .filter(|(_, entry)| entry.mode != Mode::Submodule)
            .map(|(_, entry)| entry.id)
            .collect();
        self.bring_blobs(&blobs)
    }

    /// Fetches blobs that are not here, each from where it is.
    fn bring_blobs(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Trouble> {
        let own = blobs.intersection(&self.own).copied().collect();
        self.workshop.bring_own_blobs(&own)?;
        Ok(self.upstream.bring_blobs(&blobs.difference(&own).copied().collect())?)
    }

    /// Sees that nothing is written where nothing of upstream's may be.
    pub(super) fn may_hold(
        &self,
        sides: &Sides<'_>,
        before: &Files,
        after: &Files,
    ) -> Result<(), Trouble> {
        let into = sides.subscription.into.as_bytes();
        let whole = |files: &Files| {
            let inside = files.iter().map(|(path, entry)| (below(into, path), *entry));
            sides.beside.clone().into_iter().chain(inside).collect::<Files>()
        };
        let (before, after) = (whole(before), whole(after));
        let mut targets = BTreeMap::new();
        for link in paths::links_to_read(&before, &after) {
            targets.insert(link, self.workshop.blob(link)?);
        }
        let allow_workflows = self.allow_workflows;
        let (before, after, targets) = (&before, &after, &targets);
        paths::check(&paths::Write { before, after, into, targets, allow_workflows })?;
        Ok(())
    }

    /// Returns what the cousin has outside of a directory.
    fn beside(&self, root: ObjectId, into: &[u8]) -> Result<Files, Trouble> {
        let mut files = self.workshop.files(root)?;
        files.retain(|path, _| !is_below(into, path));
        Ok(files)
    }

    /// Returns a feature at each of many upstream commits.
    pub(super) fn history(
        &mut self,
        subscription: &Subscription,
        commits: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, Files>, Trouble> {
        let found = self.upstream.feature(commits, of_root(subscription.feature.as_bytes()))?;
        let trees: BTreeSet<ObjectId> = found.iter().filter_map(tree_of).collect();
        self.upstream.bring_trees(&trees)?;
        let files = commits.iter().zip(found).map(|(id, found)| Ok((*id, self.files(found)?)));
        files.collect()
    }

    fn prove(
        &mut self,
        sides: &Sides<'_>,
        base: &Files,
        merged: &Merge,
        preserve: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), Trouble> {
        let violations = match sides.subscription.method {
            Method::Copy => proof::prove_copy(&sides.ours, &sides.theirs, &merged.files, preserve),
            _ => proof::prove_merge(self, base, &sides.ours, &sides.theirs, merged, preserve)?,
        };
        let Some(first) = violations.first() else { return Ok(()) };
        Err(Trouble::new(
            "not-proven",
            format!("the result does not hold what it should ({}): {first}", violations.len()),
            "nothing was written; please report this, with both commits",
        ))
    }

    /// Returns what is below something that was found.
    pub(super) fn files(&self, found: Found) -> Result<Files, Trouble> {
        Ok(match found {
            Found::Nothing | Found::Through(_) => Files::new(),
            Found::Directory(tree) => self.workshop.files(tree)?,
            Found::Entry(entry) => Files::from([(Vec::new(), entry)]),
        })
    }
}

impl Contents for Bench<'_, '_> {
    type Error = Trouble;

    fn blob(&mut self, id: ObjectId) -> Result<Vec<u8>, Trouble> {
        Ok(self.workshop.blob(id)?)
    }

    fn merge_file(
        &mut self,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<FileMerge, Trouble> {
        Ok(self.workshop.merge_file(base, ours, theirs, ("ours", "base", "upstream"))?)
    }

    fn prepare(&mut self, blobs: &BTreeSet<ObjectId>) -> Result<(), Trouble> {
        self.bring_blobs(blobs)
    }
}

/// Returns whether a path of a feature is left alone: what the cousin says, and at its root the files
/// by which it says so, and by which we remember.
pub(super) fn preserves(subscription: &Subscription, path: &[u8]) -> bool {
    let is_own = subscription.into.is_root()
        && [lock::FILE_NAME.as_bytes(), subscriptions::FILE_NAME.as_bytes()].contains(&path);
    is_own || subscription.preserve.matches(path)
}

/// Returns a feature's path in the tree: the root is the empty one.
pub(super) fn of_root(feature: &[u8]) -> &[u8] {
    if feature == b"." { b"" } else { feature }
}

fn tree_of(found: &Found) -> Option<ObjectId> {
    match found {
        Found::Directory(tree) => Some(*tree),
        _ => None,
    }
}

pub(super) fn id_of(found: &Found) -> Option<ObjectId> {
    match found {
        Found::Directory(id) => Some(*id),
        Found::Entry(entry) => Some(entry.id),
        _ => None,
    }
}

/// Returns whether a path from the root is a directory, or lies in it.
fn is_below(into: &[u8], path: &[u8]) -> bool {
    into.is_empty()
        || path.strip_prefix(into).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Returns a path of a directory as seen from the root.
#[must_use]
pub fn below(into: &[u8], path: &[u8]) -> Vec<u8> {
    match (into.is_empty(), path.is_empty()) {
        (true, _) => path.to_vec(),
        (false, true) => into.to_vec(),
        (false, false) => [into, b"/", path].concat(),
    }
}

/// Returns a path from the root as seen from a directory that it lies in.
#[must_use]
pub fn inside<'p>(into: &[u8], path: &'p [u8]) -> &'p [u8] {
    let rest = path.strip_prefix(into).unwrap_or(path);
    if into.is_empty() { rest } else { rest.strip_prefix(b"/").unwrap_or(rest) }
}

/// Returns what differs between two states of a directory; paths are those from the root.
#[must_use]
pub fn changes(into: &[u8], before: &Files, after: &Files) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |path: &[u8], kind| changes.push(Change { path: below(into, path), kind });
    for (path, entry) in after {
        match before.get(path) {
            None => note(path, ChangeKind::Added),
            Some(old) if old != entry => note(path, ChangeKind::Modified),
            Some(_) => {}
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        note(path, ChangeKind::Deleted);
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// Returns the features of subscriptions, with where each is put.
#[must_use]
pub fn named(subscriptions: &[&Subscription]) -> Vec<(FeaturePath, Vec<u8>)> {
    subscriptions.iter().map(|it| (it.feature.clone(), it.into.as_bytes().to_vec())).collect()
}
