//! Where a cousin and upstream parted: by their histories, and by what the lock file says that the
//! cousin has, since a pull request that landed as one commit leaves no trace in the history.

use super::{Work, since};
use crate::git::fetch::Remote;
use crate::git::files::ObjectId;
use crate::git::upstream::Upstream;
use crate::git::workshop::Workshop;
use crate::sync::outcome::Trouble;
use crate::sync::record::Imprint;
use crate::sync::verify::sha;

/// Brings the histories of a commit of the cousin and of the trusted branch into the workshop, as
/// far as it takes to see where they parted.
///
/// # Errors
/// A history cannot be had.
pub fn join(
    workshop: &Workshop,
    upstream: &mut Upstream<'_>,
    origin: Option<&Remote>,
    commit: ObjectId,
) -> Result<(), Trouble> {
    if let Some(origin) = origin {
        workshop.unshallow(origin)?;
    }
    let tip = upstream.tip();
    if workshop.merge_bases(commit, tip)?.is_some() {
        return Ok(());
    }
    upstream.commits(None, &sha(tip)?)?;
    match workshop.merge_bases(commit, tip)? {
        Some(_) => Ok(()),
        None => Err(cut_off()),
    }
}

fn cut_off() -> Trouble {
    Trouble::new(
        "cut-off",
        "the history of this repository is cut off, so it is not known where it and upstream parted",
        "fetch the whole history with `git fetch --unshallow`",
    )
}

/// Returns the newest commits that the cousin and upstream share, at least one.
pub(super) fn bases(
    workshop: &Workshop,
    work: &Work<'_>,
    imprint: &Imprint<'_>,
) -> Result<Vec<ObjectId>, Trouble> {
    let to = crate::sync::record::id(&work.good.record)?;
    let bases = workshop.merge_bases(work.onto.commit, to)?.ok_or_else(cut_off)?;
    if bases.is_empty() {
        return Err(Trouble::refused(
            "no-shared-history",
            format!(
                "this repository shares no commit with {}@{}, so there is nothing to rebase from",
                imprint.source,
                work.good.record.id.short()
            ),
            "rebase is for a fork of the source: let \"merge\" or \"squash\" be the method in \
             subscriptions.json",
        ));
    }
    Ok(bases)
}

/// Returns the newest commit of upstream's whose whole content the cousin has: one that both
/// share, or one that was brought and landed as other commits.
pub(super) fn content_base(
    workshop: &Workshop,
    work: &Work<'_>,
    imprint: &Imprint<'_>,
    to: ObjectId,
    bases: &[ObjectId],
) -> Result<ObjectId, Trouble> {
    let mut newest = bases.first().copied().ok_or_else(cut_off)?;
    for subscription in work.subscriptions {
        let since = since(&work.onto.lock, subscription, imprint, work.good.rewritten);
        let Some(since) = since.and_then(|it| ObjectId::from_str(it.commit.as_str()).ok()) else {
            continue;
        };
        let is_newer = workshop.has(since)
            && workshop.descends(to, since)?
            && workshop.descends(since, newest)?;
        if is_newer {
            newest = since;
        }
    }
    Ok(newest)
}
