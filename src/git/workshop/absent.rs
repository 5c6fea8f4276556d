//! What the cousin's clone lacks, because it is shallow or was made with a filter: fetched from the
//! cousin's own origin, never from the source. The clone gets none of it, but for a partial clone
//! without a known origin, whose git fetches by itself as it does for any command.

use std::collections::BTreeSet;

use super::{CommitRecord, GitError, ObjectError, ObjectId, Workshop};
use crate::git::command::{CommandError, Context, Place};
use crate::git::fetch::Remote;
use crate::git::store::{With, file_of, rewound, set_shallow};

/// How many commits are fetched of a history at first; each further time it is so many times more.
pub(in crate::git) const DEPTH: u32 = 50;
pub(in crate::git) const TIMES: u32 = 4;

/// A history deeper than that is fetched whole.
pub(in crate::git) const DEEPEST: u32 = 20_000;

impl Workshop {
    /// Fetches the blobs that the cousin's clone lacks, all in one go, from the cousin's origin.
    ///
    /// # Errors
    /// [`GitError`] that names one of those that cannot be had.
    pub fn bring_own_blobs(&self, blobs: &BTreeSet<ObjectId>) -> Result<(), GitError> {
        let lacking = self.lacking(blobs);
        if lacking.is_empty() {
            return Ok(());
        }
        self.obtain("blob", &lacking)
    }

    fn lacking(&self, ids: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
        ids.iter().copied().filter(|id| !self.has(*id)).collect()
    }

    /// Fetches objects that are not here, trees with all trees below them.
    pub(super) fn obtain(
        &self,
        kind: &'static str,
        ids: &BTreeSet<ObjectId>,
    ) -> Result<(), GitError> {
        let asked = match self.origin.get() {
            Some(origin) => self.ask_origin(origin, ids),
            None if self.is_partial => self.ask_clone(ids),
            None => Ok(()),
        };
        self.refresh()?;
        let Some(id) = self.lacking(ids).first().copied() else { return Ok(()) };
        let absent = ObjectError::Absent { kind, id }.into();
        match asked {
            // Why nothing could be fetched says more than that it is not here.
            Err(
                why @ GitError::Command(CommandError::NotStarted(_) | CommandError::TooOld { .. }),
            ) => Err(why),
            Err(GitError::Command(why)) if why.may_be_refused_access() => Err(why.into()),
            Err(why) => {
                tracing::info!("not fetched: {why}");
                Err(absent)
            }
            Ok(()) => Err(absent),
        }
    }

    fn ask_origin(&self, origin: &Remote, ids: &BTreeSet<ObjectId>) -> Result<(), GitError> {
        self.own.point_at(origin)?;
        self.own.bring(&self.git, origin, With::Trees, ids)
    }

    /// Lets the clone's own git fetch what a filter left out.
    fn ask_clone(&self, ids: &BTreeSet<ObjectId>) -> Result<(), GitError> {
        let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let input = file_of(lines.as_bytes()).and_then(|file| rewound(&file));
        let input = input.map_err(|source| GitError::Scratch { source })?;
        let place = Place::Clone(&self.clone);
        let context = Context { place, local_remote: true, ..Context::default() };
        let args = ["cat-file", "--batch-check"];
        self.git.run_with(&context, args, Some(input))?;
        Ok(())
    }

    /// Fetches a branch of the cousin's origin, given by its full name, with what the clone lacks
    /// of its history: of a shallow clone some commits at first, and more when
    /// [`Workshop::commits_beyond`] needs them. Its trees come along or when they are needed.
    /// `into_ref` names a ref of our own below `refs/`.
    ///
    /// # Errors
    /// [`GitError`] when the branch is not there or cannot be fetched.
    pub fn fetch_branch(
        &self,
        remote: &Remote,
        reference: &str,
        into_ref: &str,
    ) -> Result<ObjectId, GitError> {
        check_reference(reference)?;
        check_reference(into_ref)?;
        self.set_origin(remote);
        self.own.point_at(remote)?;
        let depth = format!("--depth={DEPTH}");
        let filter =
            if self.own.shallow().is_empty() { "--filter=blob:none" } else { "--filter=tree:0" };
        let mut options = vec![filter];
        if !self.own.shallow().is_empty() {
            options.push(&depth);
        }
        let refspec = format!("+{reference}:{into_ref}");
        self.own.fetch(&self.git, remote, &options, &[&refspec])?;
        self.fetched()?;
        self.own.commit(into_ref)
    }

    /// Fetches what a branch of the cousin's origin, given by its full name, holds now: one commit
    /// and its trees, without its blobs.
    ///
    /// # Errors
    /// As [`Workshop::fetch_branch`].
    pub fn fetch_tip(
        &self,
        remote: &Remote,
        reference: &str,
        into_ref: &str,
    ) -> Result<ObjectId, GitError> {
        check_reference(reference)?;
        check_reference(into_ref)?;
        self.set_origin(remote);
        self.own.point_at(remote)?;
        let refspec = format!("+{reference}:{into_ref}");
        self.own.fetch(&self.git, remote, &["--depth=1", "--filter=blob:none"], &[&refspec])?;
        self.fetched()?;
        self.own.commit(into_ref)
    }

    /// Returns the commits that `tip` has and `base` has not, parents before their children; both
    /// are commits of the cousin. A history that is cut off is fetched from the cousin's origin
    /// until it tells.
    ///
    /// # Errors
    /// [`GitError`] when it does not tell.
    pub fn commits_beyond(
        &self,
        tip: ObjectId,
        base: ObjectId,
    ) -> Result<Vec<CommitRecord>, GitError> {
        let mut depth = DEPTH;
        loop {
            if let Some(beyond) = self.ancestry.beyond(&self.odb()?, tip, Some(base))? {
                return beyond.into_iter().map(|id| self.record(id)).collect();
            }
            let cut_off = ObjectError::CutOff { tip, base };
            let Some(origin) = self.origin.get() else { return Err(cut_off.into()) };
            if self.own.shallow().is_empty() {
                return Err(cut_off.into());
            }
            depth = depth.saturating_mul(TIMES);
            let was = self.own.shallow();
            self.deepen(origin, depth, &[tip, base])?;
            // An origin that is itself cut off has no more to send.
            if depth > DEEPEST && self.own.shallow() == was {
                return Err(cut_off.into());
            }
        }
    }

    /// Completes the cousin's history in the workshop, without its blobs; the clone stays shallow.
    ///
    /// # Errors
    /// [`GitError`] when the origin cannot be reached.
    pub fn unshallow(&self, origin: &Remote) -> Result<(), GitError> {
        self.set_origin(origin);
        self.own.point_at(origin)?;
        let ends = String::from_utf8_lossy(&self.own.shallow()).into_owned();
        if ends.is_empty() {
            return Ok(());
        }
        let options = ["--unshallow", "--filter=blob:none"];
        let ends: Vec<&str> = ends.lines().collect();
        self.own.fetch(&self.git, origin, &options, &ends)?;
        self.fetched()
    }

    fn deepen(&self, origin: &Remote, depth: u32, of: &[ObjectId]) -> Result<(), GitError> {
        self.own.point_at(origin)?;
        let depth = depth_option(depth);
        let of: Vec<String> = of.iter().map(ToString::to_string).collect();
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        self.own.fetch(&self.git, origin, &[&depth, "--filter=tree:0"], &of)?;
        self.fetched()
    }

    /// Takes over where the cousin's history now ends, so that a push can say so.
    fn fetched(&self) -> Result<(), GitError> {
        set_shallow(self.path(), &self.own.shallow())?;
        self.refresh()
    }
}

/// Returns the option by which so many commits are fetched, or the whole history.
pub(in crate::git) fn depth_option(depth: u32) -> String {
    if depth > DEEPEST { "--unshallow".to_owned() } else { format!("--depth={depth}") }
}

/// Refuses what is no full name of a ref, by git's rules.
pub(in crate::git) fn check_reference(reference: &str) -> Result<(), GitError> {
    let is_named = gix_validate::reference::name(reference.as_bytes().into()).is_ok();
    if is_named && reference.starts_with("refs/") {
        return Ok(());
    }
    Err(GitError::UnknownRevision {
        revision: crate::text::quoted(reference),
        cause: ": it cannot be the name of a ref".to_owned(),
        help: "see git-check-ref-format(1) for what a branch may be called".to_owned(),
    })
}
