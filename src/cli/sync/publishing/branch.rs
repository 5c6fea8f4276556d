//! A branch at the cousin's remote: where it stands, whose commits are on it, and what comes of
//! pushing to it.

use super::Publisher;
use crate::cli::sync::course::Course;
use crate::cli::sync::units::Unit;
use crate::git::cousin;
use crate::git::fetch::Remote;
use crate::git::files::ObjectId;
use crate::git::workshop::{CommitRecord, PushRef};
use crate::names::CommitSha;
use crate::subscriptions::{self, Method, Subscription};
use crate::sync::lock;
use crate::sync::message::Own;
use crate::sync::outcome::Trouble;
use crate::sync::rebase;
use crate::sync::verify::sha;

/// What is on a branch beyond the base.
pub(super) struct Found {
    pub(super) tip: ObjectId,
    commits: Vec<CommitRecord>,
    /// What each of them is, where it is ours.
    own: Vec<Option<Own>>,
    /// Whether no commit of a person's would be lost with it.
    is_ours: bool,
    /// Where cousins are rebased: which commit of the base was.
    rebased: Option<CommitSha>,
}

impl Found {
    /// Returns what a branch of the cousin's remote has; none where there is no such branch.
    pub(super) fn at_remote(
        course: &Course<'_, '_>,
        unit: &Unit<'_>,
        branch: &str,
    ) -> Result<Option<Self>, Trouble> {
        let origin = origin(course)?;
        let reference = format!("refs/heads/{branch}");
        let tips = course.workshop.tips(origin, &[&reference])?;
        if !tips.contains_key(&reference) {
            return Ok(None);
        }
        let tip = course.workshop.fetch_branch(origin, &reference, "refs/sync/branch")?;
        Self::beyond_base(course, unit, tip).map(Some)
    }

    /// Returns what a local branch has; none where there is no such branch.
    pub(super) fn in_clone(
        course: &Course<'_, '_>,
        unit: &Unit<'_>,
        branch: &str,
    ) -> Result<Option<Self>, Trouble> {
        let tip = cousin::branch(course.clone, branch);
        tip.map(|tip| Self::beyond_base(course, unit, tip)).transpose()
    }

    /// Returns what a commit has that the base has not.
    fn beyond_base(
        course: &Course<'_, '_>,
        unit: &Unit<'_>,
        tip: ObjectId,
    ) -> Result<Self, Trouble> {
        let commits = course.workshop.commits_beyond(tip, course.base.commit)?;
        if let (Method::Rebase, Some(upstream)) = (unit.method(), &course.upstream) {
            let (workshop, base) = (course.workshop, course.base.commit);
            let standing = rebase::standing(workshop, upstream.tip(), base, tip, &commits)?;
            let rebase::Standing { own, is_ours, rebased } = standing;
            return Ok(Self { tip, commits, own, is_ours, rebased });
        }
        let own: Vec<_> = commits.iter().map(|it| Own::read(&it.message, it.tree)).collect();
        let is_ours = own.iter().all(Option::is_some);
        Ok(Self { tip, commits, own, is_ours, rebased: None })
    }

    /// Returns whether no person has a commit there.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Returns whether a branch that is called by a commit has another feature's, whatever people
    /// committed there since.
    pub(super) fn is_of_others(&self, unit: &Unit<'_>) -> bool {
        self.own.iter().any(Option::is_some) && self.newest(unit).is_none()
    }

    /// Returns the newest commit of ours that brings one of the unit's features.
    pub(super) fn newest(&self, unit: &Unit<'_>) -> Option<&Own> {
        let features = unit.features();
        let mut newest_first = self.own.iter().rev().flatten();
        newest_first.find(|own| own.features.iter().any(|it| features.contains(it)))
    }

    /// Returns whether the base has changed, since ours was made on it, where ours changes it or
    /// where it is said how.
    pub(super) fn is_behind(
        &self,
        course: &Course<'_, '_>,
        unit: &Unit<'_>,
    ) -> Result<bool, Trouble> {
        if unit.method() == Method::Rebase {
            return Ok(self.rebased != Some(sha(course.base.commit)?));
        }
        let Some(parent) = self.commits.first().and_then(|it| it.parents.first()) else {
            return Ok(true);
        };
        if *parent == course.base.commit {
            return Ok(false);
        }
        let (old, new) = (course.workshop.root(*parent)?, course.onto.root);
        let intos = unit.subscriptions.iter().map(|it: &&Subscription| it.into.as_bytes());
        let files = [lock::FILE_NAME.as_bytes(), subscriptions::FILE_NAME.as_bytes()];
        for path in intos.chain(files) {
            if course.workshop.at(old, path)? != course.workshop.at(new, path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Pushes a commit to where a unit's goes, and returns what is said of that.
pub(super) fn push(
    course: &Course<'_, '_>,
    to: &Publisher,
    commit: ObjectId,
) -> Result<String, Trouble> {
    let update = PushRef {
        reference: format!("refs/heads/{}", to.branch),
        new: Some(commit),
        expected: to.old,
        force: !to.on_top,
    };
    sent(course, &to.branch, update)?;
    Ok(match (to.on_top, to.old) {
        (true, _) => format!("{}, on top of what others committed there", to.branch),
        (false, Some(_)) => format!("{}, moved on", to.branch),
        (false, None) => to.branch.clone(),
    })
}

/// Makes a branch what it was before a commit was pushed to it, unless somebody has moved it since.
/// One that an earlier run pushed, all of it ours, is deleted: what was there before is not known.
pub(super) fn take_back(
    course: &Course<'_, '_>,
    to: &Publisher,
    commit: ObjectId,
) -> Result<(), Trouble> {
    let reference = format!("refs/heads/{}", to.branch);
    let (new, expected) = match to.is_pushed {
        true => (None, to.old),
        false => (to.old, Some(commit)),
    };
    let update = PushRef { reference, new, expected, force: true };
    sent(course, &to.branch, update)
}

fn sent(course: &Course<'_, '_>, branch: &str, update: PushRef) -> Result<(), Trouble> {
    let told = course.workshop.push(origin(course)?, &[update]);
    let told = told.map_err(|error| refused(branch, &error.to_string(), &error.help()))?;
    match told.into_iter().next() {
        Some((_, Ok(()))) => Ok(()),
        Some((_, Err(why))) => Err(refused(branch, &why, RULED)),
        None => Err(refused(branch, "the server said nothing", "")),
    }
}

/// What to do where the server gives no reason that we know.
const RULED: &str = "see whether a rule of the repository forbids it (Settings → Rules), and whether \
                     the token may write: `permissions: contents: write` of the job";

/// What servers and git say, and what to do then.
const KNOWN: [(&[&str], &str); 5] = [
    (
        &["stale info", "cannot lock ref", "fetch first", "would be lost"],
        "somebody pushed to it meanwhile; run again",
    ),
    (
        &["workflow"],
        "what is brought holds workflow files, which the token may not write: it needs the \
         permission \"workflows\" (a token of your own in ECOSYSTEM_PAT; GITHUB_TOKEN never has it)",
    ),
    (&["archived"], "the repository is archived: unarchive it, or turn its workflow off"),
    (
        &["returned error: 30"],
        "the repository was renamed or moved, and no token is taken along to another address: name \
         the new one with `git remote set-url origin URL`",
    ),
    (
        &["returned error: 403", "access to repository not granted", "returned error: 401"],
        "give the workflow's job `permissions: contents: write`, or the token \"Contents: read and \
         write\"",
    ),
];

/// Returns why a push was refused, and what to do.
fn refused(branch: &str, why: &str, otherwise: &str) -> Trouble {
    let known = KNOWN.iter().find(|(words, _)| words.iter().any(|word| why.contains(word)));
    let help = known.map_or(otherwise, |(_, help)| *help);
    let shown = crate::text::shown(why.as_bytes());
    Trouble::new("push-refused", format!("{branch} cannot be pushed: {shown}"), help)
}

fn origin<'c>(course: &'c Course<'_, '_>) -> Result<&'c Remote, Trouble> {
    course.origin.as_ref().ok_or_else(|| {
        Trouble::new(
            "no-origin",
            "the clone has no remote called origin to push to",
            "add it with `git remote add origin URL`, or commit on a local branch with --dry-run",
        )
    })
}
