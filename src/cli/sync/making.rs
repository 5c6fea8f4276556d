//! Verifies what is to be brought, applies it and makes the commit: everything about a unit that
//! needs no GitHub.

pub(super) mod rebasing;

use super::course::Course;
use super::request::{Mode, What};
use super::units::Unit;
use crate::document::MAX_BYTES;
use crate::git::files::{Files, ObjectId};
use crate::git::upstream::Upstream;
use crate::git::workshop::Workshop;
use crate::input;
use crate::names::{CommitSha, FeaturePath};
use crate::subscriptions::{Method, Subscription};
use crate::sync::apply::{Applied, Bench, Sides};
use crate::sync::dependencies;
use crate::sync::lock::{self, Lock};
use crate::sync::message::UpstreamCommit;
use crate::sync::outcome::{Brought, Change, Outcome, Stage, Trouble};
use crate::sync::rebase::no_such_feature;
use crate::sync::record::{Finished, Imprint, Onto, told};
use crate::sync::since::{Since, had};
use crate::sync::verify::{Claim, Good, Verified, older, sha, verify};

/// The note of a list that is cut.
const NEWEST_ONLY: &str = "Only the newest upstream commits are listed.";

/// A unit whose commit may be brought.
pub(super) struct Maker {
    pub(super) good: Good,
}

/// Each feature of a unit, applied on a commit of the cousin.
struct Parts<'u> {
    all: Vec<(Sides<'u>, Applied)>,
    /// Whether one of them is brought for the first time.
    is_first: bool,
    /// The upstream commit, counted from what that commit of the cousin has.
    good: Good,
}

/// What was made of it.
pub(super) struct Made {
    /// The commit; none where nothing differs.
    pub(super) commit: Option<ObjectId>,
    /// What is proposed, as one id: the features' trees upstream.
    pub(super) content: String,
    pub(super) conflicts: bool,
    /// The upstream commit that was applied before, also where the branch no longer has it.
    pub(super) previous: Option<CommitSha>,
    pub(super) news: Vec<UpstreamCommit>,
    /// What the pull request says besides, in sentences.
    pub(super) notes: Vec<String>,
}

impl Maker {
    /// Returns what may be brought; none when the cousin has it, which is noted.
    pub(super) fn verified(
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        brought: &mut Brought,
    ) -> Result<Option<Self>, Trouble> {
        let found = match in_work_tree(course, unit) {
            Some(commit) => Verified::Same(commit),
            None => verified(course, unit)?,
        };
        match found {
            Verified::Same(commit) => {
                brought.previous = Some(commit.clone());
                let said = format!("{} was applied already", commit.short());
                brought.commit = Some(commit);
                brought.end(Stage::Verified, Outcome::NothingToDo, said);
                Ok(None)
            }
            Verified::Good(good) => {
                brought.commit = Some(good.record.id.clone());
                brought.previous.clone_from(&good.since);
                let branch = course.upstream.as_ref().map(Upstream::branch).unwrap_or_default();
                let since = match &good.since {
                    Some(since) => format!(", since {}", since.short()),
                    None if good.rewritten => ", which was rewritten".to_owned(),
                    None => ", for the first time".to_owned(),
                };
                let said = format!("{} is on {branch}{since}", good.record.id.short());
                brought.pass(Stage::Verified, said);
                Ok(Some(Self { good }))
            }
        }
    }

    /// Applies it on a commit of the cousin.
    pub(super) fn make(
        &mut self,
        course: &mut Course<'_, '_>,
        unit: &Unit<'_>,
        onto: &Onto,
        brought: &mut Brought,
        stage: &mut Stage,
    ) -> Result<Made, Trouble> {
        if unit.method() == Method::Rebase {
            return rebasing::make(course, unit, &self.good, onto, brought, stage);
        }
        let source = &course.request.source_name;
        let imprint = Imprint {
            source,
            committer: &course.committer,
            dispatch_id: unit.dispatch_id.as_deref(),
            at: course.now,
        };
        let upstream = course.upstream.as_mut().ok_or_else(not_fetched)?;
        let allow_workflows = course.request.allow_workflows;
        let mut bench = Bench::new(course.workshop, upstream, allow_workflows);
        let allow_rewritten = course.request.allow_rewritten;
        let parts = self.apply(&mut bench, unit, onto, source.as_str(), allow_rewritten)?;
        self.note(&mut bench, unit, &parts.all, brought)?;
        let content = content(&parts.all);
        let conflicts = !brought.conflicts.is_empty();
        // Where nothing is recorded yet that can be counted from, that is worth a commit of its own:
        // without it there is no base for the next merge.
        let is_to_be_recorded = parts.is_first || parts.good.rewritten;
        if brought.changes.is_empty() && !is_to_be_recorded {
            return Ok(Made {
                commit: None,
                content,
                conflicts,
                previous: None,
                news: Vec::new(),
                notes: Vec::new(),
            });
        }
        *stage = Stage::Recorded;
        let features = unit.features();
        let features: Vec<&FeaturePath> = features.iter().collect();
        let told_of = bench.news(&features, &self.good)?;
        // A branch with a person's commits may have some of that already.
        let news = bench.news(&features, &parts.good)?;
        let finished = Finished { parts: &parts.all, good: &parts.good, news: &news.commits };
        let made = bench.record(onto, &finished, &imprint)?;
        brought.made = sha(made).ok();
        brought.diff_stat = course.workshop.diff_stat(onto.root, course.workshop.root(made)?).ok();
        brought.pass(Stage::Recorded, recorded(brought, course.mode()));
        Ok(Made {
            commit: Some(made),
            content,
            conflicts,
            previous: self.previous(onto, unit, source.as_str()),
            news: told_of.commits.iter().map(told).collect(),
            notes: notes(&parts, brought, told_of.complete),
        })
    }

    /// Returns each feature of the unit, applied.
    fn apply<'u>(
        &self,
        bench: &mut Bench<'_, '_>,
        unit: &Unit<'u>,
        onto: &Onto,
        source: &str,
        allow_rewritten: bool,
    ) -> Result<Parts<'u>, Trouble> {
        let commit = ObjectId::from_str(self.good.record.id.as_str())
            .map_err(|error| Trouble::new("git", error.message().to_owned(), ""))?;
        let good = Good { record: self.good.record.clone(), since: None, rewritten: false };
        let mut parts = Parts { all: Vec::new(), is_first: false, good };
        for subscription in &unit.subscriptions {
            let subscription: &'u Subscription = subscription;
            let locked = had(bench.workshop, onto, subscription, source)?;
            let since = Since::of(bench.upstream, locked, &parts.good.record.id, allow_rewritten)?;
            let sides = bench.sides(subscription, onto.root, &since, commit)?;
            let is_new = matches!(since, Since::Nothing);
            if is_new && sides.theirs.is_empty() {
                return Err(no_such_feature(subscription, &self.good));
            }
            let applied = bench.apply(&sides)?;
            parts.all.push((sides, applied));
            parts.is_first |= is_new;
            parts.good.rewritten |= matches!(since, Since::Tree(_));
            let last = since.commit().cloned();
            parts.good.since = older(bench.upstream, parts.good.since.take(), last)?;
        }
        Ok(parts)
    }

    /// Returns the upstream commit that was applied before.
    fn previous(&self, onto: &Onto, unit: &Unit<'_>, source: &str) -> Option<CommitSha> {
        let gone = || {
            let mut locked = unit.subscriptions.iter().filter_map(|it| onto.lock.get(&it.feature));
            locked.find(|it| it.source == source).map(|it| it.commit.clone())
        };
        self.good.since.clone().or_else(|| self.good.rewritten.then(gone).flatten())
    }

    /// Notes what was applied.
    fn note(
        &self,
        bench: &mut Bench<'_, '_>,
        unit: &Unit<'_>,
        parts: &[(Sides<'_>, Applied)],
        brought: &mut Brought,
    ) -> Result<(), Trouble> {
        for (sides, applied) in parts {
            brought.changes.extend(applied.changes.iter().cloned());
            brought.conflicts.extend(applied.conflicts.iter().cloned());
            let into = sides.subscription.into.as_bytes();
            let (before, after) = (&sides.ours, &applied.files);
            let found = manifests(bench.workshop, into, before, after, &applied.changes)?;
            brought.dependencies.extend(found);
        }
        pass(brought, unit.method().as_str());
        Ok(())
    }
}

/// Returns what the pull request says besides.
fn notes(parts: &Parts<'_>, brought: &Brought, all_news: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if parts.good.rewritten {
        let how = match parts.all.iter().all(|(sides, _)| sides.base.is_some()) {
            true => "it is merged from what was brought then.",
            false => "what was brought then is gone, so there is no common base to merge from.",
        };
        notes.push(format!("The branch upstream was rewritten since the last sync: {how}"));
    }
    if brought.changes.is_empty() {
        notes.push(format!(
            "What is here needs no change. Only {} does: it says what the next sync is counted \
             from.",
            lock::FILE_NAME
        ));
    }
    if !all_news {
        notes.push(NEWEST_ONLY.to_owned());
    }
    notes
}

/// Notes that what was applied, by what, is proven.
fn pass(brought: &mut Brought, by: &str) {
    let paths = crate::report::human::counted(brought.changes.len(), "path");
    let conflicts = crate::report::human::counted(brought.conflicts.len(), "conflict");
    let said = match brought.conflicts.len() {
        0 => format!("{paths} by {by}"),
        _ => format!("{paths} by {by}, with {conflicts}"),
    };
    brought.pass(Stage::Applied, said);
    brought.pass(Stage::Proven, "the result holds what both sides say, and nothing else");
}

/// Returns how it was recorded.
fn recorded(brought: &Brought, mode: Mode) -> String {
    match brought.changes.len() {
        0 => format!("in a commit of {} alone: what is here is counted from", lock::FILE_NAME),
        _ if mode == Mode::WorkTree => format!("with {}", lock::FILE_NAME),
        _ => format!("in a commit, with {}", lock::FILE_NAME),
    }
}

fn not_fetched() -> Trouble {
    Trouble::new("upstream", "the source was not fetched", "")
}

/// Verifies the commit for each of the features that are brought together.
fn verified(course: &mut Course<'_, '_>, unit: &Unit<'_>) -> Result<Verified, Trouble> {
    let request = course.request;
    let upstream = course.upstream.as_mut().ok_or_else(not_fetched)?;
    // A pull names no commit, so it cannot name an old one.
    let max_age_days = match request.what {
        What::Pull => None,
        What::Hint(_) | What::Feature(..) => request.subscriptions.max_age_days,
    };
    let mut found: Option<Verified> = None;
    for subscription in &unit.subscriptions {
        let source = request.source_name.as_str();
        let last = had(course.workshop, &course.onto, subscription, source)?;
        let claim = Claim {
            commit: unit.commit.as_ref(),
            last: last.map(|it| &it.commit),
            max_age_days,
            allow_rewritten: request.allow_rewritten,
            now: course.now.as_second(),
        };
        let one = verify(upstream, &claim)?;
        found = Some(match found {
            Some(found) => found.and(one, upstream)?,
            None => one,
        });
    }
    found.ok_or_else(|| Trouble::new("nothing", "there is nothing to bring", ""))
}

/// Returns the commit that is asked for, where the work tree is what is wanted and has it already:
/// what an earlier run wrote there, and nobody has committed yet.
fn in_work_tree(course: &Course<'_, '_>, unit: &Unit<'_>) -> Option<CommitSha> {
    if course.mode() != Mode::WorkTree {
        return None;
    }
    let root = course.clone.workdir()?;
    let lock = Lock::parse(&input::read(&root.join(lock::FILE_NAME), MAX_BYTES).ok()?).ok()?;
    let tip = course.upstream.as_ref().and_then(|it| sha(it.tip()).ok());
    let commit = unit.commit.clone().or(tip)?;
    let source = course.request.source_name.as_str();
    let has = |it: &&Subscription| {
        let locked = lock.get(&it.feature).filter(|locked| locked.source == source);
        let is_there = |into: &str| {
            into == it.into.to_string() || root.join(it.into.as_str()).symlink_metadata().is_ok()
        };
        locked.is_some_and(|locked| locked.commit == commit && is_there(&locked.into))
    };
    unit.subscriptions.iter().all(has).then_some(commit)
}

/// Returns what is proposed as one id.
fn content(parts: &[(Sides<'_>, Applied)]) -> String {
    let ids: Vec<String> = parts
        .iter()
        .map(|(sides, _)| sides.theirs_id.map_or_else(|| "0".repeat(40), |id| id.to_string()))
        .collect();
    ids.join("+")
}

/// Returns what changes in the manifests of a directory of the cousin.
fn manifests(
    workshop: &Workshop,
    into: &[u8],
    before: &Files,
    after: &Files,
    changes: &[Change],
) -> Result<Vec<dependencies::Change>, Trouble> {
    let mut read = Vec::new();
    for change in changes.iter().filter(|it| dependencies::is_manifest(&it.path)) {
        let inside = crate::sync::apply::inside(into, &change.path);
        let blob = |files: &Files| {
            let entry = files.get(inside).filter(|entry| entry.mode.is_file());
            entry.map(|entry| workshop.blob(entry.id)).transpose()
        };
        read.push((change.path.clone(), blob(before)?, blob(after)?));
    }
    let sides: Vec<dependencies::Sides<'_>> = read
        .iter()
        .map(|(path, old, new)| (path.as_slice(), old.as_deref(), new.as_deref()))
        .collect();
    Ok(dependencies::changes(&sides))
}
