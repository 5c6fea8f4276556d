//! What the law of watermarks says of one cousin, judged by what GitHub took and by what git says
//! of the author's commits. No code of ours takes part.
//!
//! **The law.** When all is quiet and one run for the newest commit has succeeded, the cousin has
//! received an event for each of its features that differs between what it last received and that
//! commit. It never received one for a feature that did not change for it, unless it was told so by
//! an interrupted run.
//!
//! **What it last received.** A run tells a cousin all or nothing, as far as the tool can know; a
//! run that was killed, refused, or at work at the same time as another may have told it a part, and
//! what is recorded may be from before it or from after it. So there are two memories:
//!
//! - `quiet`, the commit of the last quiet moment, and all events `since`. At the next quiet moment
//!   each feature that differs between the two commits must have been told among them as it is
//!   now; and where no run was broken since (`broken`), what was told *last* must be what is now.
//! - `possible`, the commits that may be recorded as received: one after a run that went well,
//!   more after a broken one. An event is called for when it differs from one of them, and the
//!   ref in origin must stand at one of them.
//!
//! What this does not demand at random, but the tables do: that a cousin which was told of a feature
//! by a broken run is told again when the feature is at once as it was before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::repository::Sandbox;

/// A commit; none is the empty tree.
pub(crate) type At = Option<String>;

/// What git says of the author's commits.
pub(crate) struct Commits<'s> {
    sandbox: &'s Sandbox,
    dir: PathBuf,
    differ: RefCell<BTreeMap<(String, String), Vec<String>>>,
    history: RefCell<BTreeMap<(String, String), bool>>,
}

const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

impl<'s> Commits<'s> {
    pub(crate) fn new(sandbox: &'s Sandbox, dir: PathBuf) -> Self {
        Self { sandbox, dir, differ: RefCell::default(), history: RefCell::default() }
    }

    /// Returns whether a feature differs between two commits.
    pub(crate) fn differs(&self, a: &At, b: &str, feature: &str) -> bool {
        let a = a.as_deref().unwrap_or(EMPTY);
        let mut differ = self.differ.borrow_mut();
        let paths = differ.entry((a.to_owned(), b.to_owned())).or_insert_with(|| {
            let args = ["diff-tree", "-r", "--no-renames", "--name-only", a, b];
            let paths = self.sandbox.git(&self.dir, &args);
            paths.lines().map(str::to_owned).collect()
        });
        let above = format!("features/{feature}/");
        paths.iter().any(|path| path.starts_with(&above))
    }

    /// Returns whether `a` is `b` or in its history.
    pub(crate) fn holds(&self, b: &str, a: &str) -> bool {
        let is_there = || {
            let args = ["merge-base", "--is-ancestor", a, b];
            self.sandbox.try_git(&self.dir, &args, b"").status.success()
        };
        let mut history = self.history.borrow_mut();
        *history.entry((a.to_owned(), b.to_owned())).or_insert_with(is_there)
    }
}

/// What one cousin follows and what it may have received.
#[derive(Debug, Clone)]
pub(crate) struct Knows {
    pub(crate) follows: Vec<String>,
    quiet: At,
    /// Feature and commit of each event since then, in the order of their arrival.
    since: Vec<(String, String)>,
    pub(crate) possible: BTreeSet<At>,
    broken: bool,
}

impl Knows {
    pub(crate) fn nothing(follows: &[&str]) -> Self {
        Self {
            follows: follows.iter().map(|it| (*it).to_owned()).collect(),
            quiet: None,
            since: Vec::new(),
            possible: [None].into(),
            broken: false,
        }
    }

    /// The first run of all has recorded that it knows this commit.
    pub(crate) fn begins_at(&mut self, commit: &At) {
        self.quiet.clone_from(commit);
        self.possible = [commit.clone()].into();
    }

    /// Returns whether a run of `head` may tell it of a feature, while `tip` is the newest commit.
    pub(crate) fn is_called_for(
        &self,
        commits: &Commits<'_>,
        head: &str,
        tip: &str,
        feature: &str,
    ) -> bool {
        let mut open = self.possible.iter().filter(|at| !is_over(commits, at, head, tip));
        open.any(|at| commits.differs(at, head, feature))
    }

    /// It has received an event.
    pub(crate) fn received(&mut self, feature: &str, commit: &str) {
        self.since.push((feature.to_owned(), commit.to_owned()));
    }

    /// A run of `head` has ended; `whole` says that it went well for this cousin and was alone.
    pub(crate) fn ran(&mut self, commits: &Commits<'_>, head: &str, tip: &str, whole: bool) {
        let moved = |at: &At| match is_over(commits, at, head, tip) {
            true => at.clone(),
            false => Some(head.to_owned()),
        };
        let moved: BTreeSet<At> = self.possible.iter().map(moved).collect();
        match whole {
            true => self.possible = moved,
            false => {
                self.possible.extend(moved);
                self.broken = true;
            }
        }
    }

    /// All is quiet, and the run of `head`, the newest commit, went well: returns what the law
    /// misses.
    pub(crate) fn rests(&mut self, commits: &Commits<'_>, head: &str) -> Vec<String> {
        let mut missed = Vec::new();
        for feature in &self.follows {
            let told = || self.since.iter().filter(|(f, _)| f == feature);
            let is_now = |at: &str| !commits.differs(&Some(at.to_owned()), head, feature);
            if commits.differs(&self.quiet, head, feature) && !told().any(|(_, at)| is_now(at)) {
                missed.push(format!("was not told of {feature} since the last quiet moment"));
            }
            if !self.broken && told().next_back().is_some_and(|(_, at)| !is_now(at)) {
                missed.push(format!("was last told of {feature} as it is not any more"));
            }
        }
        self.quiet = Some(head.to_owned());
        self.possible = [self.quiet.clone()].into();
        self.since.clear();
        self.broken = false;
        missed
    }
}

/// Whether a run of `head` has nothing to say to whom has received `at`: the branch does not hold
/// it any more, or a newer run has been there.
fn is_over(commits: &Commits<'_>, at: &At, head: &str, tip: &str) -> bool {
    let newer = |at: &String| head != tip && commits.holds(at, head);
    !commits.holds(tip, head) || at.as_ref().is_some_and(newer)
}
