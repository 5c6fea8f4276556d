//! The monorepo, for commands that look at `ecosystem.json` and the paths at HEAD: `validate` and
//! `onboard`. It reads, and says of what cannot be had why; what is found there is for others to
//! judge.

use std::path::Path;

use super::Failure;
use super::listing::{self, Listing};
use crate::actions;
use crate::git::command::Git;
use crate::git::range::{Base, Comparison, Head, Reason};
use crate::git::source::{Outside, Source};
use crate::names::{CommitSha, RepoName};
use crate::routing::{ChangedPath, Reach};

/// The monorepo, as far as it can be had: a file may be checked where there is none.
pub(super) struct Monorepo<'g> {
    pub(super) source: Result<Source<'g>, Failure>,
}

impl<'g> Monorepo<'g> {
    pub(super) fn open(dir: &Path, outside: &Outside<'_>, git: &'g Git) -> Self {
        Self { source: Source::open(dir, outside, git).map_err(Failure::from) }
    }

    /// Returns the list of cousins: the file that was named, else the work tree's, else HEAD's.
    pub(super) fn listing(&mut self, dir: &Path, named: Option<&Path>) -> Result<Listing, Failure> {
        let named = named.map(|file| listing::from(dir, file));
        let work_tree = match &self.source {
            Ok(source) => source.work_tree(),
            Err(_) => Some(dir),
        };
        if let Some(listing) = listing::outside_of_git(named.as_deref(), work_tree)? {
            return Ok(listing);
        }
        let head = self.head()?;
        let source = self.source.as_ref().map_err(Failure::clone)?;
        listing::at_head(source, &head)
    }

    fn head(&mut self) -> Result<CommitSha, Failure> {
        let source = self.source.as_mut().map_err(|failure| failure.clone())?;
        Ok(source.find_head(&Head::Revision("HEAD".to_owned()))?)
    }

    /// Returns HEAD and all its paths, sorted.
    pub(super) fn paths(&mut self) -> Result<(CommitSha, Vec<ChangedPath>), Failure> {
        let head = self.head()?;
        let source = self.source.as_mut().map_err(|failure| failure.clone())?;
        let all = Comparison {
            head: Head::Commit(head.clone()),
            bases: vec![Base::Empty],
            reason: Reason::All,
            sends: false,
        };
        Ok((head, source.compare(&all, &Reach::everything())?.changes.paths))
    }

    /// Returns the path of a file in it; none when the file lies outside of the work tree.
    pub(super) fn path_in_it(&self, path: &Path) -> Option<String> {
        actions::in_repository(self.source.as_ref().ok()?.work_tree()?, path)
    }

    /// Returns the monorepo's own name, read from its remote.
    pub(super) fn name(&self) -> Option<RepoName> {
        RepoName::in_address(self.source.as_ref().ok()?.remote_url()?)
    }
}
