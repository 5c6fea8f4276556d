//! Whether a commit may be brought: it lies on the trusted branch, is not older than the cousin
//! takes, and does not take the cousin back. Answered from upstream's own history, never from what
//! an event says.

use crate::git::files::ObjectId;
use crate::git::upstream::{CommitRecord, Relation, Upstream};
use crate::names::CommitSha;
use crate::sync::outcome::Trouble;

/// The seconds of a day.
const DAY: i64 = 86_400;

/// What is claimed, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The commit that is to be brought; none is the tip of the trusted branch.
    pub commit: Option<&'a CommitSha>,
    /// The commit that the cousin has.
    pub last: Option<&'a CommitSha>,
    /// The most that a claimed commit may be old, in days; none and 0 are no limit.
    pub max_age_days: Option<u32>,
    /// Whether the branch may have been rewritten since the last commit.
    pub allow_rewritten: bool,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Verified {
    /// The cousin has this very commit.
    Same(CommitSha),
    /// It may be brought.
    Good(Good),
}

/// A commit that may be brought.
#[derive(Debug, Clone)]
pub struct Good {
    /// The commit.
    pub record: CommitRecord,
    /// The commit that the cousin has, where the branch still holds it.
    pub since: Option<CommitSha>,
    /// Whether the branch was rewritten since.
    pub rewritten: bool,
}

/// Finds out whether a claim is true.
///
/// # Errors
/// Why it is refused, or could not be found out.
pub fn verify(upstream: &mut Upstream<'_>, claim: &Claim<'_>) -> Result<Verified, Trouble> {
    let branch = upstream.branch().to_owned();
    let commit = match claim.commit {
        Some(commit) => commit.clone(),
        None => sha(upstream.tip())?,
    };
    if claim.last == Some(&commit) {
        return Ok(Verified::Same(commit));
    }
    let record = upstream.find(&commit)?.ok_or_else(|| {
        Trouble::refused(
            "impostor-commit",
            format!("{commit} is not in the history of the trusted branch {branch}"),
            "a commit of a fork or of a pull request shows up in the repository, too, and is not \
             taken; if the branch was rewritten since the event, wait for the next one",
        )
    })?;
    if claim.commit.is_some() {
        young_enough(&record, claim)?;
    }
    let Some(last) = claim.last else {
        return Ok(Verified::Good(Good { record, since: None, rewritten: false }));
    };
    Ok(match follow(upstream, &commit, last, claim.allow_rewritten)? {
        Relation::Same => Verified::Same(commit),
        Relation::Apart => Verified::Good(Good { record, since: None, rewritten: true }),
        _ => Verified::Good(Good { record, since: Some(last.clone()), rewritten: false }),
    })
}

/// Returns how a commit follows on one that the cousin has: it is the same or descends from it, or,
/// where that may be, the branch was rewritten.
///
/// # Errors
/// It is an older one, or the branch was rewritten and may not have been.
pub fn follow(
    upstream: &mut Upstream<'_>,
    commit: &CommitSha,
    last: &CommitSha,
    allow_rewritten: bool,
) -> Result<Relation, Trouble> {
    match upstream.relation(commit, last)? {
        Relation::Behind => Err(Trouble::refused(
            "rollback",
            format!("{} is older than {}, which the cousin has", commit.short(), last.short()),
            "an event that comes late, or again, takes nothing back; to undo a change, revert it \
             upstream",
        )),
        Relation::Apart if !allow_rewritten => Err(Trouble::refused(
            "rewritten",
            format!(
                "{} does not descend from {}, which the cousin has: {} was rewritten",
                commit.short(),
                last.short(),
                upstream.branch()
            ),
            "see that the rewrite upstream was meant, then run `ecosystem sync --pull \
             --allow-rewritten` once",
        )),
        relation => Ok(relation),
    }
}

impl Verified {
    /// Returns what holds for two features that are brought together: one that has something new is
    /// enough, and what is new is counted from the older commit.
    ///
    /// # Errors
    /// Upstream's history cannot be read.
    pub fn and(self, other: Self, upstream: &mut Upstream<'_>) -> Result<Self, Trouble> {
        Ok(match (self, other) {
            (Self::Good(one), Self::Good(other)) => Self::Good(Good {
                since: older(upstream, one.since, other.since)?,
                rewritten: one.rewritten || other.rewritten,
                record: one.record,
            }),
            (Self::Same(_), other) => other,
            (good, Self::Same(_)) => good,
        })
    }
}

/// Returns the older of two commits of the branch, or the one that there is.
///
/// # Errors
/// Upstream's history cannot be read.
pub fn older(
    upstream: &mut Upstream<'_>,
    one: Option<CommitSha>,
    other: Option<CommitSha>,
) -> Result<Option<CommitSha>, Trouble> {
    let (Some(one), Some(other)) = (&one, &other) else { return Ok(one.or(other)) };
    let is_newer = upstream.relation(one, other)? == Relation::Ahead;
    Ok(Some(if is_newer { other } else { one }.clone()))
}

fn young_enough(record: &CommitRecord, claim: &Claim<'_>) -> Result<(), Trouble> {
    let Some(days) = claim.max_age_days.filter(|days| *days > 0) else { return Ok(()) };
    let age = claim.now.saturating_sub(record.committed);
    if age <= i64::from(days) * DAY {
        return Ok(());
    }
    Err(Trouble::refused(
        "too-old",
        format!("{} is {} days old, max_age_days is {days}", record.id.short(), age / DAY),
        "bring it with `ecosystem sync --pull`, or raise \"max_age_days\" in subscriptions.json \
         (0 is no limit)",
    ))
}

/// Returns an object's id as that of a commit.
///
/// # Errors
/// It is all zeros, which no commit has.
pub fn sha(id: ObjectId) -> Result<CommitSha, Trouble> {
    CommitSha::parse(&id.to_string()).map_err(|bad| Trouble::new("git", bad.message, bad.help))
}
