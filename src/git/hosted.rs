//! A bare repository as its host sees it: which refs it has and how they are moved, what a pushed
//! commit changes, and the commits that a merge of a pull request makes. It reads and writes
//! objects and refs with libgit2; it knows nothing of tokens and pull requests.

use std::collections::BTreeSet;
use std::path::Path;

use git2::{ErrorCode, ObjectType, Oid, Repository, Sort, TreeWalkMode, TreeWalkResult};

use super::GitError;

mod landing;

pub(crate) use landing::Landing;
pub use landing::MergeMethod;

/// Where workflows are; GitHub guards what is below.
const WORKFLOWS: &str = ".github/workflows";

/// A bare repository of the host's own.
pub(crate) struct Hosted {
    repository: Repository,
}

/// Why a ref was not moved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotMoved {
    /// It is elsewhere than expected; `None` says that it is not there.
    Stale(Option<Oid>),
    /// It may not be called that.
    BadName,
    /// Another ref of this name would have to be a directory, or the other way round.
    InTheWay(String),
    /// The object is none that such a ref can name.
    BadObject,
    /// It could not be written.
    Failed,
}

impl Hosted {
    /// Opens the bare repository at `dir`, and no other that `dir` lies in.
    pub(crate) fn open(dir: &Path) -> Result<Self, GitError> {
        super::prepare();
        Ok(Self { repository: Repository::open_bare(dir)? })
    }

    /// Lets objects that wait elsewhere be read as well.
    pub(crate) fn beside(self, objects: &Path) -> Result<Self, GitError> {
        self.repository.odb()?.add_disk_alternate(&objects.to_string_lossy())?;
        Ok(self)
    }

    /// Returns the branches' names, without `refs/heads/`, and the commits that they are at.
    pub(crate) fn branches(&self) -> Vec<(String, Oid)> {
        self.matching("refs/heads/")
            .into_iter()
            .filter_map(|(name, id)| Some((name.strip_prefix("refs/heads/")?.to_owned(), id)))
            .collect()
    }

    /// Returns the refs whose full names begin with `prefix`, by name. Names that are not UTF-8
    /// are left out: no path of an API could ask for them.
    pub(crate) fn matching(&self, prefix: &str) -> Vec<(String, Oid)> {
        let Ok(references) = self.repository.references() else { return Vec::new() };
        let mut found: Vec<(String, Oid)> = references
            .flatten()
            .filter_map(|it| Some((it.name().ok()?.to_owned(), it.target()?)))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect();
        found.sort();
        found
    }

    /// Returns where a ref is, by its full name.
    pub(crate) fn at(&self, reference: &str) -> Option<Oid> {
        self.repository.refname_to_id(reference).ok()
    }

    /// Returns what an object is, if it is here.
    pub(crate) fn kind(&self, id: Oid) -> Option<ObjectType> {
        self.repository.odb().ok()?.read_header(id).ok().map(|(_, kind)| kind)
    }

    /// Moves a ref from where it is expected; without `old` it must not be there, without `new` it
    /// goes away.
    pub(crate) fn set(
        &self,
        reference: &str,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<(), NotMoved> {
        if !reference.starts_with("refs/") || !git2::Reference::is_valid_name(reference) {
            return Err(NotMoved::BadName);
        }
        let is = self.at(reference);
        if is != old {
            return Err(NotMoved::Stale(is));
        }
        let Some(new) = new else {
            let found = self.repository.find_reference(reference);
            return found.and_then(|mut it| it.delete()).map_err(|_gone| NotMoved::Failed);
        };
        let kind = self.kind(new);
        if kind.is_none()
            || (reference.starts_with("refs/heads/") && kind != Some(ObjectType::Commit))
        {
            return Err(NotMoved::BadObject);
        }
        if old.is_none()
            && let Some(other) = self.in_the_way(reference)
        {
            return Err(NotMoved::InTheWay(other));
        }
        let moved = match old {
            Some(old) => self.repository.reference_matching(reference, new, true, old, "push"),
            None => self.repository.reference(reference, new, false, "push"),
        };
        moved.map(|_| ()).map_err(|error| match error.code() {
            ErrorCode::Modified | ErrorCode::Locked => NotMoved::Stale(self.at(reference)),
            ErrorCode::Exists if old.is_none() => NotMoved::Stale(self.at(reference)),
            _ => NotMoved::Failed,
        })
    }

    /// Returns a ref beside which one of that name cannot be: git keeps them as files.
    fn in_the_way(&self, reference: &str) -> Option<String> {
        let above = reference.match_indices('/').filter_map(|(at, _)| reference.get(..at));
        let above = above.map(ToOwned::to_owned).find(|it| self.at(it).is_some());
        let below = || self.matching(&format!("{reference}/")).into_iter().next();
        above.or_else(|| below().map(|(name, _)| name))
    }

    /// Writes a ref wherever it was; what cannot be written stays as it is.
    pub(crate) fn force(&self, reference: &str, id: Oid) {
        // A pull request's ref is a convenience of the host: nobody waits for it.
        let _ = self.repository.reference(reference, id, true, "host");
    }

    /// Returns whether `old` is `new` or lies in its history.
    pub(crate) fn is_in(&self, old: Oid, new: Oid) -> bool {
        old == new || self.repository.graph_descendant_of(new, old).unwrap_or(false)
    }

    /// Returns whether two commits have history in common.
    pub(crate) fn are_related(&self, one: Oid, other: Oid) -> bool {
        self.repository.merge_base(one, other).is_ok()
    }

    /// Returns the commits of `head` that `base` has not, oldest first.
    pub(crate) fn beyond(&self, head: Oid, base: Oid) -> Result<Vec<Oid>, git2::Error> {
        let mut walk = self.repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(head)?;
        walk.hide(base)?;
        walk.collect()
    }

    /// Returns the path of a workflow that a commit which no branch has yet creates or changes, if
    /// there is one: a file whose path and content neither a parent nor a branch has.
    pub(crate) fn new_workflow(&self, new: Oid) -> Result<Option<String>, git2::Error> {
        let tips: Vec<Oid> = self.branches().into_iter().map(|(_, id)| id).collect();
        let mut known = BTreeSet::new();
        for tip in &tips {
            known.extend(self.workflows(*tip)?);
        }
        let mut walk = self.repository.revwalk()?;
        walk.push(new)?;
        for tip in tips {
            walk.hide(tip)?;
        }
        for commit in walk {
            let commit = commit?;
            let here = self.workflows(commit)?;
            if here.is_subset(&known) {
                continue;
            }
            let mut before = BTreeSet::new();
            for parent in self.repository.find_commit(commit)?.parent_ids() {
                before.extend(self.workflows(parent)?);
            }
            let fresh = here.iter().find(|it| !known.contains(*it) && !before.contains(*it));
            if let Some((path, _)) = fresh {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }

    fn workflows(&self, commit: Oid) -> Result<BTreeSet<(String, Oid)>, git2::Error> {
        let tree = self.repository.find_commit(commit)?.tree()?;
        let mut found = BTreeSet::new();
        let Ok(entry) = tree.get_path(Path::new(WORKFLOWS)) else { return Ok(found) };
        if entry.kind() != Some(ObjectType::Tree) {
            // Something else of that name may become a directory of workflows by way of a link.
            found.insert((WORKFLOWS.to_owned(), entry.id()));
            return Ok(found);
        }
        self.repository.find_tree(entry.id())?.walk(TreeWalkMode::PreOrder, |above, entry| {
            if entry.kind() != Some(ObjectType::Tree) {
                let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                found.insert((format!("{WORKFLOWS}/{above}{name}"), entry.id()));
            }
            TreeWalkResult::Ok
        })?;
        Ok(found)
    }

    /// Returns the files of a commit by their paths, a link with its target as its text. What is
    /// not UTF-8, and submodules, are left out.
    pub(crate) fn files(&self, commit: Oid) -> Result<Vec<(String, Vec<u8>)>, git2::Error> {
        let tree = self.repository.find_commit(commit)?.tree()?;
        let mut blobs = Vec::new();
        tree.walk(TreeWalkMode::PreOrder, |above, entry| {
            if entry.kind() == Some(ObjectType::Blob)
                && let Ok(name) = entry.name()
            {
                blobs.push((format!("{above}{name}"), entry.id()));
            }
            TreeWalkResult::Ok
        })?;
        let read = |(path, id)| Ok((path, self.repository.find_blob(id)?.content().to_vec()));
        blobs.into_iter().map(read).collect()
    }
}
